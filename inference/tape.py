"""The tape of a run: the transitions of its chains go in as they are made, draws of a rectangle of chains come out.

A `Tape` keeps them in memory; the one of `store` writes them to disk. Both know where each chain stood when its last
transition was taken, so what a tape holds at any time can be gone on from.
"""
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np


class Snapshot(NamedTuple):
    """The chains of a group between two turns."""
    numbers: tuple                 # of the chains
    chain: object                  # one chain; or all of them side by side, or an ensemble
    tried: np.ndarray              # int[chains], start points that would not do
    gradients: np.ndarray          # int[chains]
    member: Callable               # (chain, j) -> the j-th of them; of an ensemble, the whole

    def chains(self):
        """{number: (chain, tried, gradients)}"""
        return {number: (self.member(self.chain, j), int(self.tried[j]), int(self.gradients[j]))
                for j, number in enumerate(self.numbers)}


class Reel:
    """The kept transitions of one chain, of warm-up or of sampling: `count` of them, the last `held` in memory."""

    def __init__(self, count=0):
        self.count, self.held, self.positions, self.infos = count, 0, [], []

    def add(self, positions, infos):
        """Copies, so that no chunk's buffer stays alive."""
        if len(positions):
            self.count, self.held = self.count + len(positions), self.held + len(positions)
            self.positions.append(positions.copy())
            self.infos.append(infos.copy())

    def joined(self):
        """(float[held, d], float[held, facts])"""
        for pieces in (self.positions, self.infos):
            if len(pieces) > 1:
                pieces[:] = [np.concatenate(pieces)]
        return self.positions[0], self.infos[0]

    def take(self, n):
        """The first n of what is held, which goes."""
        positions, infos = self.joined()
        self.held -= n
        self.positions, self.infos = ([positions[n:].copy()], [infos[n:].copy()]) if self.held else ([], [])
        return positions[:n], infos[:n]


class Tape:
    """Keeps the draws of a run in memory.

    first : the transitions that chains have behind them before the run          warmup : the last one of warm-up
    thinning : of the transitions after warm-up every so manyth is kept          keep_warmup : all of warm-up is kept
    began : the clock's time (perf_counter) at the beginning of the run          spent : seconds of earlier parts of it
    constrain : float[chains, n, d] -> {site: [chains, n, *shape]}
    statistics : (float[chains, n, facts], whether they are of warm-up) -> {name: [chains, n]}, by ArviZ's names
    """

    in_memory = True

    def __init__(self, num_chains, constrain, statistics, *, first=0, warmup=0, thinning=1, keep_warmup=False,
                 began=None, spent=0.0):
        self.constrain, self.statistics, self.thinning, self.keep_warmup = constrain, statistics, thinning, keep_warmup
        self.first, self.warmup = first, max(warmup, first)
        self.done = [first] * num_chains                 # transitions
        self.reels, self.warm_reels = [Reel() for _ in self.done], [Reel() for _ in self.done]
        self.snapshots = {}                              # by their numbers
        self.lock, self.sound = threading.RLock(), True
        self.began, self.spent = time.perf_counter() if began is None else began, spent

    @property
    def seconds(self):
        """What the run took, up to now or its end."""
        return self.spent + (0.0 if self.began is None else time.perf_counter() - self.began)

    def add(self, snapshot, pieces):
        """New transitions of a group's chains, [(positions, infos)], and where the chains are after them."""
        with self.whole():
            for number, (positions, infos) in zip(snapshot.numbers, pieces):
                before = self.done[number]
                after = self.done[number] = before + len(positions)
                split = min(max(self.warmup - before, 0), len(positions))
                if self.keep_warmup:
                    self.warm_reels[number].add(positions[:split], infos[:split])
                behind = max(before - self.warmup, 0)    # transitions of sampling so far
                kept = slice(split + (-behind - 1) % self.thinning, after - before, self.thinning)
                self.reels[number].add(positions[kept], infos[kept])
            self.snapshots[snapshot.numbers] = snapshot

    @contextmanager
    def whole(self):
        """A change that is made as a whole: where an exception breaks it off, the tape stays unsound."""
        with self.lock:
            before, self.sound = self.sound, False
            yield
            self.sound = before

    def forget(self):
        """Drop the snapshots, before chains are grouped in another way."""
        self.snapshots.clear()

    def planned(self, **options):
        """Called before a run goes on, with what its options are now."""

    def begin(self):
        """Called before turns begin."""
        if not self.sound:
            raise RuntimeError("the run was broken off while its draws were taken, and cannot go on from here; a run "
                               "with a store goes on from its last commit: MCMC.resume.")
        self.began = time.perf_counter() if self.began is None else self.began

    def flush(self):
        """Called between turns."""

    def close(self):
        """Called when the run ends or is stopped."""
        self.spent, self.began = self.seconds, None

    def discard(self):
        """Called when the run could not begin."""

    def states(self):
        """{number: (chain, tried, gradients)}"""
        with self.lock:
            return {k: v for s in self.snapshots.values() for k, v in s.chains().items()}

    def counts(self, warm=False):
        """The draws kept of each chain."""
        return [reel.count for reel in (self.warm_reels if warm else self.reels)]

    def samples(self, chains, n, names=None, warm=False):
        """{site: [chains, n, *shape]}: the first n draws of each of these chains; of all sites unless named."""
        made = self.constrain(self._stacked(0, chains, n, warm))
        return made if names is None else {k: made[k] for k in names}

    def stats(self, chains, n, names=None, warm=False):
        """{name of a fact: [chains, n]}, by ArviZ's names."""
        made = self.statistics(self._stacked(1, chains, n, warm), warm)
        return made if names is None else {k: made[k] for k in names}

    def positions(self, chains, n):
        """float[chains, n, d]: the unconstrained draws."""
        return self._stacked(0, chains, n, False)

    def _stacked(self, part, chains, n, warm):
        with self.lock:
            return np.stack([(self.warm_reels if warm else self.reels)[c].joined()[part][:n] for c in chains])
