"""A job: the chains of one run, their tape, and how far they are to go."""
import numpy as onp

from ..engine import P, jit, vmap
from ..engine import numpy as np
from ..engine.tree import map as tree_map
from ..engine.xla import cores, default_device
from ..ppl.model import site_count, unravel
from . import chunks
from .driver import Group, drive
from .mesh import HERE, rows_of, unpadded
from .progress import Progress

METHODS = ("auto", "parallel", "sequential", "vectorized", "mixed")


def placement(method, num_chains, mesh=None):
    """(method, [the numbers of chains that run together], words for a person); "auto" depends on the device alone."""
    platform = default_device().platform if mesh is None else mesh.flat[0].platform
    if method == "auto":
        method = "parallel" if platform == "cpu" else "vectorized"
    many, busy = f"{num_chains} chain{'s' * (num_chains != 1)}", min(cores(), num_chains)
    if mesh is not None:
        rows, cut = mesh.shape["chains"], mesh.shape["data"]
        alone = method in ("parallel", "sequential")
        where = f"{mesh.flat[0]!r}" if mesh.size == 1 else f"each of {rows} row{'s' * (rows != 1)} of devices"
        words = (f"{many}, {'one after another' if alone else 'side by side in one program'} on {where}"
                 + f", the data cut over the {cut} of a row" * (cut > 1))
        parts = onp.array_split(onp.arange(num_chains), num_chains if alone else rows)
        return method if alone else "vectorized", [part.tolist() for part in parts], words
    if method == "vectorized":
        return method, [range(num_chains)], f"{many}, side by side in one program on the {platform}"
    if method == "mixed":
        parts = [part.tolist() for part in onp.array_split(onp.arange(num_chains), busy)]
        return method, parts, f"{many}, side by side in {busy} program{'s' * (busy != 1)} on {busy} of {cores()} cores"
    parts, at_once = [[c] for c in range(num_chains)], busy if method == "parallel" else 1
    return method, parts, f"{many}, {at_once} at a time on {cores()} core{'s' * (cores() != 1)}"


class Job:
    """One run of a kernel on a model and its data.

    chains : [(chain, tried, gradients)] by number; of an ensemble each is the whole
    starts : gives other start points; see `Starts`          mesh : of devices, with the axes of `mesh`, or None
    why : in words, why there
    """

    def __init__(self, sampler, method, program, data, starts, tape, chains, num_samples, mesh=None,
                 why=None):
        self.program, self.data, self.starts, self.tape, self.num_samples = program, data, starts, tape, num_samples
        kind = sampler.method
        self.method, parts, self.words = placement("vectorized" if kind.ensemble else method, len(chains), mesh)
        self.words += f"; {why}" * (why is not None)
        vectorized, self.fields = self.method in ("vectorized", "mixed") and not kind.ensemble, kind.fields
        rows = [HERE] if mesh is None else rows_of(mesh)
        lengths = rows[0].lengths(data, "MCMC")
        run_chunk = compiled(program, kind, max(map(len, parts)) if vectorized else None, lengths)
        held = [row.put_data(data, lengths) for row in rows]
        self.groups, self.control, self.measured = [], None, {}
        for i, part in enumerate(parts):
            some, tried, gradients = zip(*[chains[c] for c in part])
            chain = tree_map(lambda *xs: np.stack(xs), *some) if vectorized else some[0]
            self.groups.append(Group(kind, run_chunk, chain, held[i % len(rows)], part, tried, gradients, starts.again,
                                     rows[i % len(rows)]))
        tape.forget()
        for g in self.groups:
            tape.add(*g.take())

    @property
    def gradients(self):
        """Evaluations so far, of all chains."""
        return int(sum(g.gradients.sum() for g in self.groups))

    def go(self, control, until=None, progress_bar=False):
        """Run until each chain has made num_samples transitions after warm-up, or `until` or `control` stops it.

        Returns the reason: "num_samples", "until", "seconds", "gradients", or what `control` was told.
        """
        tape, self.control = self.tape, control
        end = tape.warmup + self.num_samples
        looks = [end] if until is None else until.looks(self.num_samples // tape.thinning)
        totals = [*[tape.warmup + n * tape.thinning for n in looks[:-1]], end]
        limit = lambda: None if until is None else until.limit(tape.seconds, self.gradients)
        tape.begin()
        try:
            with Progress(progress_bar, tape.done, tape.warmup, end, self.words, fields=self.fields) as progress, \
                    control.interrupts():
                for g in self.groups:
                    g.report = progress.report
                for total in [t for t in totals if t == end or t >= max(tape.done)]:
                    for g in self.groups:
                        g.aim(total)
                    drive(self.groups, control, tape, progress, self.method != "sequential", limit)
                    if control.reason is None and self._reached(until):
                        control.stop("until")
            if any(g.failed.any() for g in self.groups):
                self._raise_failure()
        finally:
            self._close()
        return control.reason or "num_samples"

    def _raise_failure(self):
        """Raise for the first chain that finds no start; those before it may still be looking for one."""
        for g in self.groups:
            while not (g.done or g.failed.any()) and g.behind == 0:
                g.advance(100)
            if g.failure():
                number, position = g.failure()
                raise self.starts.error(position, number)

    def _close(self):
        """Close the tape; of a run that could not begin nothing is left."""
        if any(g.failed.any() for g in self.groups):
            self.tape.discard()
        else:
            self.tape.close()

    def _reached(self, until):
        if until is None or not until.statistics:
            return False
        counts, each = self.tape.counts(), []
        for name in until.sites or [v.name for v in self.program.latents]:
            each.append(until.measure(self.tape.samples(range(len(counts)), min(counts), [name])[name]))
        self.measured = until.worst(each)
        return until.reached(self.measured)

    def states(self):
        """The chains where they are, by number."""
        made = self.tape.states()
        return [made[c][0] for c in range(len(made))]

    def rectangle(self):
        """(chains, n): those whose draws are kept, and how many of each.

        Where the run was stopped, the n draws of each of k chains for which n k² is largest: a chain more is worth more
        than as many draws, because convergence is judged across chains.
        """
        made = self.tape.counts()
        n = max(sorted(made), key=lambda n: n * sum(m >= n for m in made) ** 2)
        return [c for c, m in enumerate(made) if m >= n], n


def compiled(program, method, lanes, lengths):
    """The compiled chunk of a model, kept with its program.

    lanes : how many chains are in it, side by side; None for one alone
    lengths : the rows of the data that are cut; see `Row.lengths`
    """
    d = site_count(program.latents)
    most = 2048 if lanes is None else min(256, max(64_000_000 // (d * lanes), 8))               # half a GB of draws
    size = min(max(1_000_000 // d, 16), most)
    key = ("chunk", method, lanes is not None, size, lengths)
    found = program.cache.get(key)
    if found is None:
        latents = program.latents

        def run_chunk(chain, data, stop_at, max_gradients):
            data = unpadded(data, lengths)

            def logdensity(z):
                return program.log_joint(unravel(latents, z), data, unconstrained=True)
            return chunks.run(method, chain, logdensity, stop_at, max_gradients, size=size)

        found = jit(vmap(run_chunk, in_axes=(0, None, None, None)) if lanes else run_chunk, out_shardings=P())
        program.cache[key] = found
    return found
