"""The divergent transitions of a run, with the positions where they began and where they diverged, in bounded memory.

The loop of NUTS writes the two positions into a ring at each gradient, and moves on to the next row where the
trajectory diverged there: so no branch copies the ring, and what it costs is one row. It keeps the last ones.
"""
from typing import Any, NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float

ROWS, NUMBERS = 32, 100_000        # kept of each chain, and numbers in them, at most


class Ring(NamedTuple):
    """The last divergent transitions after warm-up; row `count` mod the number of rows is being written."""
    points: Array                  # float[rows, 2, d]: the start of the transition, and where it diverged
    transitions: Array             # int[rows]
    count: Array                   # type: ignore[assignment]  # int[]: all there were

    def put(self, machine, event, num_warmup):
        """With a leapfrog step of the machine, before its event is resolved."""
        row = self.count % len(self.transitions)
        points = self.points.at[row].set(np.stack([machine.position, machine.moving.q]))
        inside = np.logical_and(machine.transition >= num_warmup, np.logical_not(machine.starting))
        hit = np.astype(np.logical_and(event.diverging, inside), self.count.dtype)
        return Ring(points, self.transitions.at[row].set(machine.transition), self.count + hit)


def ring(d):
    """An empty ring for positions of ℝᵈ."""
    rows = int(onp.clip(NUMBERS // (2 * d), 4, ROWS)) + 1                 # one is being written
    return Ring(np.zeros((rows, 2, d), default_float()), np.zeros(rows, int), np.asarray(0))


class Divergences(NamedTuple):
    """The divergent transitions of a run after warm-up; of each chain the last ones, at most 32, are kept."""
    count: Any                 # int[chains]: all there were, those of transitions that thinning leaves out too
    chain: Any                 # int[n], of those that are kept
    draw: Any                  # int[n]: the transition, counted from 0 after warm-up
    start: dict                # {site: [n, *shape]}, latent and deterministic sites: where the transition began
    end: dict                  # {site: [n, *shape]}: where its trajectory diverged; may have values that are not finite


def of_chains(rings, warmup, constrain):
    """`Divergences` of the chains' rings.   constrain : float[2, n, d] -> {site: [2, n, *shape]}"""
    each = [_last(ring) for ring in rings]
    points, transitions = (onp.concatenate(column) for column in zip(*each))
    chain = onp.repeat(onp.arange(len(each)), [len(t) for _, t in each])
    n, both = len(chain), onp.moveaxis(points, 1, 0)
    sites = constrain(both if n else onp.zeros((2, 1, points.shape[-1]), points.dtype))
    start, end = ({k: np.asarray(x[i, :n]) for k, x in sites.items()} for i in (0, 1))
    count = onp.array([int(ring.count) for ring in rings])
    return Divergences(*map(np.asarray, (count, chain, transitions - warmup)), start, end)


def _last(ring):
    """(float[n, 2, d], int[n]): what a ring holds, the oldest first."""
    count, size = int(ring.count), len(ring.transitions)
    rows = onp.arange(max(count - size + 1, 0), count) % size
    return onp.asarray(ring.points)[rows], onp.asarray(ring.transitions)[rows]


def arrays(found):
    """The group of an export: {site: [divergence, place, *shape]}, the places start and end; and `chain`, `draw`."""
    sites = {k: onp.stack([found.start[k], found.end[k]], 1) for k in found.start}
    return {"chain": onp.asarray(found.chain), "draw": onp.asarray(found.draw), **sites}
