"""A run on disk: draws in blocks, and beside them, atomically, all that is needed to go on.

    run.zarr/zarr.json, posterior/…, sample_stats/…     the draws, see `layout`; xarray.open_datatree reads them
    run.zarr/state/manifest.json                         what is valid: the files below by their digests, and counts
    run.zarr/state/chains-7.npz                          the chains at the last commit, and draws that fill no block yet
    run.zarr/state/ledger                                a line for each block, with the digests of its files
    run.zarr/state/model.txt                             the staged model, to name what has changed

A commit synchronises blocks, ledger and chains with the disk, and then renames a new manifest into place.
What was written after the last commit is not in the manifest: a run that was killed goes on from there and writes it
again, with the same bytes.
"""
import hashlib
import io
import json
import os
import pathlib
import shutil
import time
import weakref
from functools import partial

import numpy as np

from ..engine.avals import default_float
from ..engine.tree import flatten, unflatten
from . import layout
from .identity import canonical
from .layout import StoreError, digest, read, write
from .tape import Reel, Snapshot, Tape

try:
    import fcntl
except ImportError:                                      # not a system of the Unix family: no lock
    fcntl = None                                         # type: ignore[assignment]

FORMAT = 1
BLOCK_BYTES = 2**22                                      # of one chain's draws, at most
MOST_DRAWS, FEWEST_DRAWS = 10_000, 10                    # of a block
GROUPS = (("posterior", "sample_stats", "unconstrained_posterior"), ("warmup_posterior", "warmup_sample_stats"))


class Store:
    """Where a run keeps its draws, `MCMC(..., store=Store("run.zarr"))`; a path alone is the same with these defaults.

    path : a folder that is not there yet
    every : seconds between two commits; at most so much of a run is done again when it was killed
    block : draws of a chain in one file, which are held in memory until it is full; unless given, 4 MiB of them
    unconstrained : whether the unconstrained draws are kept too, as the group unconstrained_posterior
    """

    def __init__(self, path, *, every=10.0, block=None, unconstrained=False):
        if not every >= 0:
            raise ValueError(f"every is a number of seconds between two commits; got {every!r}.")
        if block is not None and (isinstance(block, bool) or int(block) != block or block < 1):
            raise ValueError(f"block is the number of draws in a file, an integer of at least 1; got {block!r}.")
        self.path, self.every, self.block = pathlib.Path(path), float(every), block
        self.unconstrained = bool(unconstrained)

    def at(self, path):
        """The same for a part of the run."""
        return Store(path, every=self.every, block=self.block, unconstrained=self.unconstrained)


class Hold:
    """Keeps others from writing to a run's folder, until `release` or the end of this object or of the process."""

    def __init__(self, path, shown=None):
        number = os.open(path / "state" / "lock", os.O_RDWR | os.O_CREAT)
        self.release = weakref.finalize(self, os.close, number)
        try:
            if fcntl is not None:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise StoreError(f"the run at {shown or path} is being written, by this process or another.") from None


class Saved:
    """A run as its manifest has it, held until it is taken up or `close`d.

    Reading checks the manifest's own digest, and that of the model's text.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        file = self.path / "state" / "manifest.json"
        if not file.exists():
            raise StoreError(f"there is no run at {self.path}: {file} is missing.")
        self.hold = Hold(self.path)
        try:
            self._read(file)
        except BaseException:
            self.close()
            raise

    def close(self):
        """Let others write."""
        self.hold.release()

    def _read(self, file):
        try:
            outer = json.loads(file.read_bytes())
            self.body = outer["body"]
            sound = digest(canonical(self.body).encode()) == outer["digest"]
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise StoreError(f"{file} was altered or cut after it was written: it does not have the digest in it.\n"
                             "Put back a copy of the file, or run again.")
        if self.body["format"] != FORMAT:
            raise StoreError(f"the run at {self.path} has format {self.body['format']}; this version reads {FORMAT}.")
        self.model = read(self.path / "state" / "model.txt", self.body["model"]).decode()

    def __getattr__(self, name):
        try:
            return self.__dict__["body"][name]
        except KeyError:
            raise AttributeError(name) from None

    def chains(self, template):
        """([Chain], tried, gradients, {reel: [(positions, infos)] of each chain}); `template` is a chain of the run."""
        data = read(self.path / "state" / self.state["file"], self.state["digest"])
        with np.load(io.BytesIO(data), allow_pickle=False) as f:
            arrays = dict(f)
        leaves, structure = flatten(template)
        kept = [arrays[f"leaf{i}"] for i in range(len(leaves)) if f"leaf{i}" in arrays]
        if [(x.shape[1:], x.dtype) for x in kept] != [(np.shape(x), np.asarray(x).dtype) for x in leaves]:
            raise StoreError(f"{self.path / 'state' / self.state['file']} holds chains of another form.")
        chains = [unflatten(structure, [np.array(x[c]) for x in kept]) for c in range(len(kept[0]))]
        chains = chains if len(chains) == len(self.done) else chains * len(self.done)     # an ensemble's is the whole
        held = {}
        for warm in (0, 1):
            ends = np.cumsum(arrays[f"held{warm}"])[:-1]
            held[warm] = list(zip(np.split(arrays[f"positions{warm}"], ends), np.split(arrays[f"infos{warm}"], ends)))
        return chains, arrays["tried"], arrays["gradients"], held

    def check_files(self):
        """Raise StoreError at the first file that the manifest names and that is not as it was written."""
        for line in self.ledger_lines():
            for file, expected in line["files"].items():
                read(self.path / file, expected)
        for file, expected in self.edges.items():
            read(self.path / file, expected)

    def ledger_lines(self):
        """The lines of the ledger that count; the file is cut to them."""
        file, size = self.path / "state" / "ledger", self.ledger["bytes"]
        data = file.read_bytes() if file.exists() else b""
        if digest(data[:size]) != self.ledger["digest"]:
            raise StoreError(f"{file} was altered or cut after it was written: its first {size} bytes have another "
                             "digest than that noted.\nPut back a copy of the file, or run again.")
        if len(data) > size:
            os.truncate(file, size)
        return [json.loads(line) for line in data[:size].splitlines()]


class StoreTape(Tape):
    """Keeps the draws of a run on disk; in memory is what fills no block yet.

    about : what else the manifest holds: identity, and the settings to go on with          model : the program's text
    first_chain : the number among all of the first one here
    d, facts : how many parameters a draw has, and how many facts          ensemble : whether chains have one state
    by_site : float[chains, n, d] -> {site: [chains, n, *unconstrained shape]}
    constants : {group: {name: array}} of observed data          dims : {site: names of the axes of a draw}
    """

    in_memory = False

    def __init__(self, store, about, model, num_chains, constrain, statistics, by_site, *, d, facts, num_draws, dims=(),
                 coords=(), constants=(), block=None, ensemble=False, first_chain=0, **options):
        self.first_chain = first_chain
        super().__init__(num_chains, constrain, statistics, **options)
        self.store, self.about, self.model = store, about, model
        self.by_site, self.unconstrained, self.ensemble = by_site, store.unconstrained, ensemble
        zero = np.zeros((1, 1, d), default_float())
        one = constrain(zero)
        stats = statistics(np.zeros((1, 1, facts), default_float()))
        size = sum(x.nbytes for x in (*one.values(), *stats.values()))
        self.block = block or int(store.block or min(max(BLOCK_BYTES // size, FEWEST_DRAWS), MOST_DRAWS,
                                                     max(num_draws, FEWEST_DRAWS)))
        made, dims, coords = [], dict(dims), {k: np.asarray(v) for k, v in dict(coords).items()}
        for posterior, facts, *_ in GROUPS[:1 + self.keep_warmup]:
            made += layout.variables(posterior, {k: v[0] for k, v in one.items()}, dims, coords)
            made += layout.variables(facts, {k: v[0] for k, v in stats.items()})
        if self.unconstrained:
            made += layout.variables(GROUPS[0][2], {k: v[0] for k, v in by_site(zero).items()})
        for group, arrays in dict(constants).items():
            made += layout.variables(group, arrays, dims, coords, lead=())
        self.values = [(v, x) for v, x in made if x is not None]
        self.hierarchy = layout.Hierarchy(store.path, [v for v, _ in made], num_chains, self.block,
                                          {"inference_library": "chainrule"})
        self.blocks = [[0] * num_chains, [0] * num_chains]           # written, of sampling and of warm-up
        self.pending, self.edges, self.commits = [], {}, 0
        self.ledger, self.ledger_size = hashlib.blake2b(digest_size=12), 0
        self.hold, self.committed, self.made_here = None, 0.0, False

    # ---- beginning ----

    def planned(self, **options):
        """Noted, for those who load the run."""
        self.about["run"]["options"].update(options)

    def begin(self):
        """Make the folder, under another name until its first manifest is there; or open it for more draws."""
        super().begin()
        if self.commits:
            return self._reopen()
        path, temporary = self.store.path, self.store.path.with_name(self.store.path.name + ".new")
        if (temporary / "state").is_dir():                           # of a run that was killed here
            shutil.rmtree(temporary)
        os.makedirs(temporary / "state")
        self.made_here = True
        self.hierarchy.path = temporary
        for v, x in self.values:
            if x.size:
                self.hierarchy.write(v, x)
        for v in self.hierarchy.variables:
            if v.lead == ("chain",):
                for c in range(len(self.done)):
                    self.hierarchy.write(v, np.asarray(self.first_chain + c), c)
        write(temporary / "state" / "model.txt", self.model.encode())
        self.hold = Hold(temporary, path)
        self.commit()
        os.rename(temporary, path)
        layout.sync(path.parent)
        self.hierarchy.path = path

    def go_on(self, saved, chains, tried, gradients, held):
        """Take up a run that was saved."""
        self.commits, self.done, self.hold = saved.commits, list(saved.done), saved.hold
        self.blocks = [list(b) for b in saved.blocks]
        data = b"".join(canonical(line).encode() + b"\n" for line in saved.ledger_lines())
        self.ledger.update(data)
        self.ledger_size = len(data)
        for warm, reels in ((0, self.reels), (1, self.warm_reels)):
            for c, pieces in enumerate(held[warm]):
                reels[c] = Reel(self.blocks[warm][c] * self.block)
                reels[c].add(*pieces)
        for c, chain in enumerate(chains):
            self.snapshots[(c,)] = Snapshot((c,), chain, tried[c:c + 1], gradients[c:c + 1], lambda chain, j: chain)
        self.edges, self.committed = saved.edges, time.perf_counter()

    def _reopen(self):
        """Before more draws come: say that the last, partial blocks will be written again."""
        if self.hold is None:                                        # it was closed
            saved = Saved(self.store.path)
            if saved.commits != self.commits:
                saved.close()
                raise StoreError(f"the run at {self.store.path} has gone on elsewhere: MCMC.resume takes it up.")
            self.hold = saved.hold
        if self.edges:
            self.edges = {}
            self.commit()

    # ---- writing ----

    def flush(self):
        """Write the blocks that are full; commit when it is time."""
        with self.whole():
            for warm, reels in ((0, self.reels), (1, self.warm_reels)):
                for c, reel in enumerate(reels):
                    while reel.held >= self.block:
                        self._write_block(warm, c, *reel.take(self.block))
            if time.perf_counter() - self.committed >= self.store.every:
                self.commit()

    def _write_block(self, warm, chain, positions, infos):
        number = self.blocks[warm][chain]
        self.blocks[warm][chain] += 1
        files = self._write(warm, chain, number, positions, infos)
        self.pending.append({"warm": warm, "chain": chain, "block": number, "files": files})

    def _write(self, warm, chain, number, positions, infos):
        """Write a block's files; returns {file: digest}."""
        made = [self.constrain(positions[None]), self.statistics(infos[None], warm)]
        if self.unconstrained and not warm:
            made.append(self.by_site(positions[None]))
        out = {}
        for group, arrays in zip(GROUPS[warm], made):
            digests = self.hierarchy.write_block(group, chain, number, {k: v[0] for k, v in arrays.items()})
            out.update({v.file(chain, number): digests[v.name] for v in self.hierarchy.of(group)})
        return out

    def commit(self):
        """Write where the run is, so that it can go on from here whatever happens."""
        with self.whole():
            folder = pathlib.Path(self.hierarchy.path) / "state"
            self.hierarchy.sync()
            lines = b"".join(canonical(line).encode() + b"\n" for line in self.pending)
            with open(folder / "ledger", "ab") as f:
                f.truncate(self.ledger_size)
                f.write(lines)
                f.flush()
                os.fsync(f.fileno())
            self.ledger.update(lines)
            self.ledger_size += len(lines)
            self.pending = []
            self.commits += 1
            name, data = f"chains-{self.commits}.npz", self._state()
            write(folder / name, data)
            body = {"format": FORMAT, **self.about, "model": digest(self.model.encode()), "block": self.block,
                    "commits": self.commits, "done": self.done, "blocks": self.blocks, "edges": self.edges,
                    "seconds": self.seconds, "state": {"file": name, "digest": digest(data)},
                    "ledger": {"bytes": self.ledger_size, "digest": self.ledger.hexdigest()}}
            self.hierarchy.describe(self._visible())
            whole = {"body": body, "digest": digest(canonical(body).encode())}
            write(folder / "manifest.json", canonical(whole).encode())
            layout.sync(folder)
            for old in folder.glob("chains-*.npz*"):
                if old.name != name:
                    old.unlink()
            self.committed = time.perf_counter()

    def _state(self):
        """The chains, and what fills no block yet, as the bytes of a file."""
        states = self.states()
        columns = list(zip(*[flatten(states[c][0])[0] for c in range(1 if self.ensemble else len(self.done))]))
        arrays = {f"leaf{i}": np.stack([np.asarray(x) for x in column]) for i, column in enumerate(columns)}
        arrays["tried"] = np.array([states[c][1] for c in range(len(self.done))])
        arrays["gradients"] = np.array([states[c][2] for c in range(len(self.done))])
        for warm, reels in ((0, self.reels), (1, self.warm_reels)):
            held = [reel.joined() for reel in reels if reel.held]
            arrays[f"held{warm}"] = np.array([reel.held for reel in reels])
            for part, key in enumerate(("positions", "infos")):
                arrays[f"{key}{warm}"] = np.concatenate([x[part] for x in held]) if held else np.zeros((0, 0))
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    def _visible(self):
        """{group: the draws of each chain that readers of the hierarchy are to see}"""
        out = {}
        for warm, reels in ((0, self.reels), (1, self.warm_reels)):
            n = min(reel.count if self.edges else blocks * self.block for reel, blocks in zip(reels, self.blocks[warm]))
            out.update({group: n for group in GROUPS[warm]})
        return out

    def close(self):
        """Write what fills no block as a block that is not full, and commit; where writing failed, nothing more."""
        super().close()
        try:
            if self.sound:
                with self.whole():
                    self.flush()
                    self._write_edges()
                    self.commit()
        finally:
            self.release()

    def _write_edges(self):
        self.edges = {}
        for warm, reels in ((0, self.reels), (1, self.warm_reels)):
            for c, reel in enumerate(reels):
                if reel.held:
                    self.edges.update(self._write(warm, c, self.blocks[warm][c], *reel.joined()))

    def release(self):
        """Let others write to the folder."""
        if self.hold is not None:
            self.hold.release()
            self.hold = None

    def discard(self):
        """Remove the folder of a run that could not begin, if it was made here."""
        self.release()
        if self.made_here:
            shutil.rmtree(self.hierarchy.path, ignore_errors=True)

    # ---- reading ----

    def samples(self, chains, n, names=None, warm=False):
        return self._read(0, chains, n, names, warm)

    def stats(self, chains, n, names=None, warm=False):
        return self._read(1, chains, n, names, warm)

    def positions(self, chains, n):
        if not self.unconstrained:
            raise StoreError(f"the run at {self.store.path} does not keep the unconstrained draws.\n"
                             "MCMC(..., store=Store(path, unconstrained=True)) does.")
        made = self._read(2, chains, n, None, False)
        return np.concatenate([x.reshape(*x.shape[:2], -1) for x in made.values()], -1)

    def _read(self, part, chains, n, names, warm):
        """{name: [chains, n, …]} from the blocks on disk and what is held."""
        group = GROUPS[warm][part]
        found = {v.name: v for v in self.hierarchy.of(group)}
        names = list(found) if names is None else list(names)
        with self.lock:
            digests = self._digests()
            out = {k: np.zeros((len(chains), n, *found[k].shape), found[k].dtype) for k in names}
            for j, c in enumerate(chains):
                full = self.blocks[warm][c]
                for b in range(min(full, -(-n // self.block))):
                    rows = slice(b * self.block, min(n, (b + 1) * self.block))
                    for k in names:
                        file = found[k].file(c, b)
                        x = self.hierarchy.read_block(found[k], c, b, digests[file])
                        out[k][j, rows] = x[:rows.stop - rows.start]
                if n > full * self.block:
                    held = (self.warm_reels if warm else self.reels)[c].joined()[part == 1][None]
                    made = (self.constrain, partial(self.statistics, warm=warm), self.by_site)[part](held)
                    for k in names:
                        out[k][j, full * self.block:] = made[k][0, :n - full * self.block]
        return out

    def _digests(self):
        """{file: digest} of all blocks, from the ledger."""
        out = {}
        file = pathlib.Path(self.hierarchy.path) / "state" / "ledger"
        lines = file.read_bytes()[:self.ledger_size].splitlines() if file.exists() else []
        for line in [*map(json.loads, lines), *self.pending]:
            out.update(line["files"])
        return out
