"""A run's chains shared among processes: which are this one's, where they are kept, and all draws together."""
import pathlib

import numpy as onp

from ..engine import distributed
from ..engine.tree import map as tree_map
from .identity import canonical
from .layout import StoreError, group_metadata, write


def share(num_chains):
    """(chains of the processes before this one, chains of this one)."""
    count, number = distributed.process_count(), distributed.process_index()
    if num_chains % count:
        raise ValueError(f"num_chains={num_chains} cannot be shared evenly by {count} processes.\nTake a multiple of "
                         f"{count}.")
    return number * (num_chains // count), num_chains // count


def folder(path):
    """The folder of this process's part of a run on disk: the run's own, or one in it, a group of its hierarchy."""
    path = pathlib.Path(path)
    if distributed.process_count() > 1:
        return path / f"process-{distributed.process_index()}"
    parts = sorted(path.glob("process-*"))
    if parts:
        raise StoreError(f"the run at {path} is that of {len(parts)} processes: load or resume it with as many.\n"
                         f"xarray.open_datatree({str(path)!r}, engine='zarr', consolidated=False) reads all of them.")
    return path


def make_root(path):
    """The group that holds the processes' parts; the first process makes it."""
    root = pathlib.Path(path) / "zarr.json"
    if distributed.process_count() > 1 and distributed.process_index() == 0 and not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        write(root, canonical(group_metadata(inference_library="chainrule")).encode())


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
