"""A run's chains shared among processes: which are this one's, where they are kept, and all draws together."""
import contextlib
import pathlib
import threading

import numpy as onp

from ..engine import distributed
from ..engine.tree import map as tree_map
from .identity import canonical, check
from .layout import StoreError, group_metadata, write
from .tape import Snapshot


def share(num_chains):
    """(chains of the processes before this one, chains of this one)."""
    count, number = distributed.process_count(), distributed.process_index()
    if num_chains % count:
        raise ValueError(f"num_chains={num_chains} cannot be shared evenly by {count} processes.\nTake a multiple of "
                         f"{count}.")
    return number * (num_chains // count), num_chains // count


def folder(path):
    """The folder of this process's part of a new run on disk: the run's own, or one in it, a group of its hierarchy."""
    path = pathlib.Path(path)
    return path / f"process-{distributed.process_index()}" if distributed.process_count() > 1 else path


def folders(path):
    """The folders of a run on disk that this process takes up: the run's own, or some of the parts in it, in order."""
    path, count, number = pathlib.Path(path), distributed.process_count(), distributed.process_index()
    made = len(list(path.glob("process-*")))
    if max(made, 1) % count:
        raise StoreError(f"the run at {path} is that of {max(made, 1)} process{'es' * (made > 1)}, and these are "
                         f"{count}: load or resume it with as many, or a number that divides them evenly.")
    each = made // count
    return [path / f"process-{i}" for i in range(number * each, (number + 1) * each)] if made else [path]


def take_up(saved, before, count, template, make_tape):
    """(tape, [(chain, tried, gradients)]) of the parts of a run on disk that this process goes on with.

    before, count : the number of its first chain, and how many it has          template : a chain of the run
    make_tape : (part, the number of its first chain) -> its tape
    Raises StoreError where anything is not as it was when the run was begun.
    """
    tapes, chains = [], []
    for part in saved:
        tape = make_tape(part, before + len(chains))
        check(part.path, part.identity, tape.about["identity"], part.model, tape.model)
        part.check_files()
        states, tried, gradients, held = part.chains(template)
        tape.go_on(part, states, tried, gradients, held)
        tapes.append(tape)
        chains += zip(states, tried, gradients)
    if len(chains) != count:
        raise StoreError(f"{saved[0].path.parent} has {len(chains)} of the {count} chains of this process: a part is "
                         "lost, or was never begun.")
    return tapes[0] if len(tapes) == 1 else Parts(tapes), chains


def make_root(path):
    """The group that holds the processes' parts; the first process makes it."""
    root = pathlib.Path(path) / "zarr.json"
    if distributed.process_count() > 1 and distributed.process_index() == 0 and not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        write(root, canonical(group_metadata(inference_library="chainrule")).encode())


class Parts:
    """Tapes one after another as one: the parts of a run that several processes began and fewer go on with."""

    in_memory = False

    def __init__(self, tapes):
        self.tapes, self.lock = tapes, threading.RLock()
        self.warmup, self.thinning, self.constrain = tapes[0].warmup, tapes[0].thinning, tapes[0].constrain
        self.where = [(tape, c) for tape in tapes for c in range(len(tape.done))]          # by the chain's number here

    @property
    def done(self):
        return [n for tape in self.tapes for n in tape.done]

    @property
    def seconds(self):
        return max(tape.seconds for tape in self.tapes)

    def add(self, snapshot, pieces):
        with self.lock:
            for j, (number, piece) in enumerate(zip(snapshot.numbers, pieces)):
                tape, c = self.where[number]
                one, gradients = snapshot.member(snapshot.chain, j), snapshot.gradients[j:j + 1]
                tape.add(Snapshot((c,), one, snapshot.tried[j:j + 1], gradients, lambda chain, _: chain), [piece])

    def states(self):
        with self.lock:
            each = {id(tape): tape.states() for tape in self.tapes}
            return {number: each[id(tape)][c] for number, (tape, c) in enumerate(self.where)}

    def counts(self, warm=False):
        return [n for tape in self.tapes for n in tape.counts(warm)]

    def samples(self, chains, n, names=None, warm=False):
        return self._joined(chains, lambda tape, some: tape.samples(some, n, names, warm))

    def stats(self, chains, n, names=None, warm=False):
        return self._joined(chains, lambda tape, some: tape.stats(some, n, names, warm))

    def positions(self, chains, n):
        return self._joined(chains, lambda tape, some: tape.positions(some, n))

    def _joined(self, chains, read):
        """What `read(tape, its chains)` gives, [chain, …], of each part, one after another."""
        chosen = [(tape, [c for t, c in map(self.where.__getitem__, chains) if t is tape]) for tape in self.tapes]
        return tree_map(lambda *xs: onp.concatenate(xs), *[read(tape, some) for tape, some in chosen if some])

    def begin(self): self._each("begin")
    def forget(self): self._each("forget")
    def flush(self): self._each("flush")
    def close(self): self._each("close")
    def release(self): self._each("release")
    def discard(self): self._each("discard")
    def planned(self, **options): self._each("planned", **options)

    def _each(self, name, **options):
        """Of every part, those after one that fails too; its error is raised at the end."""
        with contextlib.ExitStack() as last_first:
            for tape in reversed(self.tapes):
                last_first.callback(getattr(tape, name), **options)


class Together:
    """A tape whose draws are those of all processes, in the order of their chains. Every process must ask for them."""

    def __init__(self, tape):
        self.tape = tape

    def __getattr__(self, name):
        return getattr(self.tape, name)

    def _mine(self):
        return range(len(self.tape.done))

    def samples(self, chains, n, names=None, warm=False):
        return distributed.process_allgather(self.tape.samples(self._mine(), n, names, warm), tiled=True)

    def stats(self, chains, n, names=None, warm=False):
        return distributed.process_allgather(self.tape.stats(self._mine(), n, names, warm), tiled=True)

    def positions(self, chains, n):
        return distributed.process_allgather(self.tape.positions(self._mine(), n), tiled=True)

    def counts(self, warm=False):
        return distributed.process_allgather(onp.asarray(self.tape.counts(warm)), tiled=True).tolist()

    def states(self):
        """{number among all: (chain, tried, gradients)}"""
        mine = self.tape.states()
        stacked = tree_map(lambda *xs: onp.stack([onp.asarray(x) for x in xs]), *[mine[c] for c in self._mine()])
        every = distributed.process_allgather(stacked, tiled=True)
        total = len(self.tape.done) * distributed.process_count()
        return {c: tree_map(lambda x, c=c: x[c], every) for c in range(total)}


def draws_of_all(tape):
    """How many draws every chain of every process has."""
    return int(distributed.process_allgather(onp.asarray(min(tape.counts()))).min())
