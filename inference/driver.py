"""The host's side of a run: takes the chains through their chunks, on threads, and collects what they give.

Groups of chains take turns of a tenth of a second, those that are behind first, so that all of them advance together
and an interrupt finds draws of each. Nothing here changes the draws: a chain's are a function of its start and data.
"""
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np

from ..engine.config import SETTINGS, config
from ..engine.tree import map as tree_map
from ..engine.xla import cores
from . import chain as chains
from . import nuts, renewal

TURN = 0.1                         # seconds


class Record(NamedTuple):
    """What one chain gave."""
    draws: np.ndarray              # float[transitions, d], unconstrained, warm-up included
    infos: np.ndarray              # float[transitions, len(Info)]
    gradients: int
    chain: chains.Chain            # where it stopped
    failed: bool                   # no start point was found
    position: np.ndarray           # float[d], the end that was moving; the last start point of a chain that failed


class Group:
    """Chains that run together: one, or all of a vectorised run, whose arrays have the chains in front.

    run_chunk : (chain, data, stop_at, max_gradients) -> Chunk, compiled          numbers : the chains' numbers
    report : called with a chain's number, its transitions so far, and the infos of its new ones
    again : (a chain's number, how many start points would not do) -> another one, float[d], or None
    """

    def __init__(self, run_chunk, chain, data, total, numbers, report, again=lambda number, tried: None):
        self.run_chunk, self.chain, self.data, self.total = run_chunk, chain, data, np.asarray(total)
        self.numbers, self.report, self.again = numbers, report, again
        self.tried = np.zeros(len(numbers), int)
        self.draws, self.infos = [[] for _ in numbers], [[] for _ in numbers]
        self.gradients = np.zeros(len(numbers), int)
        self.failed = np.zeros(len(numbers), bool)
        self.budget, self.done, self.behind = 1, False, 0          # behind: transitions of the slowest chain

    def advance(self, max_gradients):
        """Run one chunk and take its draws; returns the number of gradients, of the chain that had most."""
        stop_at = np.asarray(renewal.next_stop(self.chain, self.total))
        chunk = self.run_chunk(self.chain, self.data, stop_at, np.asarray(max_gradients))
        self.chain, machine = chunk.chain, chunk.chain.machine
        many = chunk.count.ndim > 0
        rows = lambda x: np.asarray(x) if many else np.asarray(x)[None]
        draws, infos, count, gradients = rows(chunk.draws), rows(chunk.infos), rows(chunk.count), rows(chunk.gradients)
        transitions, self.failed = rows(machine.transition), rows(nuts.failed(machine)).copy()
        for j in np.flatnonzero(self.failed):
            self._start_again(j)
        for j, number in enumerate(self.numbers):
            self.draws[j].append(draws[j, :count[j]].copy())
            self.infos[j].append(infos[j, :count[j]].copy())
            self.report(number, int(transitions[j]), infos[j, :count[j]])
        self.gradients = self.gradients + gradients
        self.done = bool(np.all(transitions >= self.total) or np.any(self.failed))
        self.behind = int(transitions.min())
        if self.behind >= stop_at:
            self.chain = renewal.at_stop(self.chain)
        return int(gradients.max())

    def _start_again(self, j):
        """Put the j-th chain, which found no start, at another point, if there is one."""
        self.tried[j] += 1
        point = self.again(self.numbers[j], int(self.tried[j]))
        if point is None:
            return
        machine, self.failed[j] = self.chain.machine, False
        if machine.transition.ndim == 0:
            machine = nuts.restart(machine, point)
        else:
            one = nuts.restart(tree_map(lambda x: x[j], machine), point)
            machine = tree_map(lambda old, new: old.at[j].set(new), machine, one)
        self.chain = self.chain._replace(machine=machine)

    def turn(self, stopped, settings):
        """Run chunks for a tenth of a second, or until the chains are done or `stopped()`."""
        with config(**settings):                         # a thread begins with the settings of the process
            began = now = time.perf_counter()
            while not (self.done or stopped()) and now - began < TURN:
                used, before = self.advance(self.budget), now
                now = time.perf_counter()
                self.budget = int(min(max(used * TURN / max(now - before, 1e-6), 1), 10_000_000))

    def records(self):
        """One record for each chain."""
        ends = np.asarray(self.chain.machine.moving.q).reshape(len(self.numbers), -1)
        one = lambda j: self.chain if self.chain.machine.transition.ndim == 0 else tree_map(lambda x: x[j], self.chain)
        return [Record(_joined(self.draws[j], ends.shape[1]), _joined(self.infos[j], len(nuts.Info._fields)),
                       int(self.gradients[j]), one(j), bool(self.failed[j]), ends[j]) for j in range(len(self.numbers))]


def _joined(pieces, width):
    return np.concatenate(pieces) if pieces else np.zeros((0, width))


def drive(groups, progress, parallel=True):
    """Take all groups to their ends, or until one finds no start; returns whether a KeyboardInterrupt came before.

    The first chunk, of one gradient, is run before the threads begin: it compiles the program that they share.
    """
    groups[0].advance(1)
    progress.begin()
    stop, settings = [], {name: getattr(config, name) for name in SETTINGS}
    workers = min(cores(), len(groups)) if parallel else 1
    waiting, turns = [g for g in groups if not g.done], {}
    with ThreadPoolExecutor(workers, "chains") as pool:
        try:
            while waiting or turns:
                waiting.sort(key=lambda g: g.behind)
                while waiting and len(turns) < workers:
                    g = waiting.pop(0)
                    turns[pool.submit(g.turn, lambda: bool(stop), settings)] = g
                done, _ = wait(turns, timeout=0.05, return_when=FIRST_COMPLETED)
                for f in done:
                    f.result()
                    g = turns.pop(f)
                    if g.failed.any():
                        return False
                    if not g.done:
                        waiting.append(g)
                progress.show()
        except KeyboardInterrupt:
            return True
        finally:
            stop.append(True)
    return False
