"""The host's side of a run: takes the chains through their chunks, on threads, and puts what they give on the tape.

Groups of chains take turns of a tenth of a second, those that are behind first, so that all of them advance together
and an interrupt finds draws of each. Nothing here changes the draws: a chain's are a function of its start and data.
"""
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager

import numpy as np

from ..engine.config import SETTINGS, config
from ..engine.xla import check_processes, cores
from .mesh import HERE
from .tape import Snapshot

TURN = 0.1                         # seconds
MOST_HELD = 2**20                  # bytes of draws, after which a turn ends sooner


class Group:
    """Chains that run together: one, or all of a vectorised run, whose arrays have the chains in front.

    method : the `chunks.Method` of the chains
    run_chunk : (chain, data, stop_at, max_gradients) -> Chunk, compiled          numbers : the chains' numbers
    total : the transition to stop at          tried, gradients : int[chains], before they came here
    report : called with a chain's number, its transitions so far, and the infos of its new ones
    again : (a chain's number, how many start points would not do) -> another one, float[d], or None
    row : the devices that the chains run on, a `mesh.Row`
    """

    def __init__(self, method, run_chunk, chain, data, numbers, tried=0, gradients=0,
                 again=lambda number, tried: None, row=HERE):
        self.method, self.run_chunk, self.data, self.row = method, run_chunk, data, row
        self.chain = row.put(chain)
        self.numbers, self.again = tuple(numbers), again
        self.many = method.ensemble or np.ndim(method.transition(chain)) > 0
        self.tried, self.gradients = [np.zeros(len(numbers), int) + np.asarray(x) for x in (tried, gradients)]
        self.failed = np.zeros(len(numbers), bool)
        self.budget, self.report = 1, lambda number, transitions, infos: None
        self._new()
        self.aim(0)

    def _new(self):
        self.draws, self.infos, self.held = [[] for _ in self.numbers], [[] for _ in self.numbers], 0

    def aim(self, total):
        """Set the transition to stop at."""
        transitions = np.asarray(self.method.transition(self.chain)).reshape(-1)
        self.total, self.behind = np.asarray(total), int(transitions.min())
        self.done = bool(np.all(transitions >= self.total))

    def advance(self, max_gradients):
        """Run one chunk and take its draws; returns the number of gradients, of the chain that had most."""
        stop_at = np.asarray(self.method.next_stop(self.chain, self.total))
        chunk = self.run_chunk(self.chain, self.data, stop_at, np.asarray(max_gradients))
        self.chain, n = chunk.chain, len(self.numbers)
        rows = lambda x: np.asarray(x) if self.many else np.asarray(x)[None]
        draws, infos, count, gradients = rows(chunk.draws), rows(chunk.infos), rows(chunk.count), rows(chunk.gradients)
        lanes = lambda x: np.broadcast_to(np.asarray(x), (n,)).copy()
        transitions, self.failed = lanes(self.method.transition(self.chain)), lanes(self.method.failed(self.chain))
        for j in np.flatnonzero(self.failed):
            self._start_again(j)
        for j, number in enumerate(self.numbers):
            self.draws[j].append(draws[j, :count[j]].copy())
            self.infos[j].append(infos[j, :count[j]].copy())
            self.held += self.draws[j][-1].nbytes + self.infos[j][-1].nbytes
            self.report(number, int(transitions[j]), infos[j, :count[j]])
        self.gradients = self.gradients + gradients
        self.done = bool(np.all(transitions >= self.total) or np.any(self.failed))
        self.behind = int(transitions.min())
        if self.behind >= stop_at:
            self.chain = self.row.put(self.method.at_stop(self.row.on_host(self.chain)))
        return int(gradients.max())

    def _start_again(self, j):
        """Put the j-th chain, which found no start, at another point, if there is one."""
        self.tried[j] += 1
        point = self.again(self.numbers[j], int(self.tried[j]))
        if point is None:
            return
        self.failed[j], method, chain = False, self.method, self.row.on_host(self.chain)
        self.chain = self.row.put(method.restart_member(chain, point, j) if self.many
                                  else method.restart(chain, point))

    def turn(self, stopped, settings):
        """Run chunks for a tenth of a second, or until the chains are done, many draws are held, or `stopped()`."""
        with config(**settings):                         # a thread begins with the settings of the process
            began = now = time.perf_counter()
            while not (self.done or stopped()) and now - began < TURN and self.held < MOST_HELD:
                used, before = self.advance(self.budget), now
                now = time.perf_counter()
                self.budget = int(min(max(used * TURN / max(now - before, 1e-6), 1), 10_000_000))

    def take(self):
        """(where the chains are, [(draws, infos)] of them since the last call)."""
        width, facts = np.shape(self.method.position(self.chain))[-1], len(self.method.fields)
        pieces = [(_joined(d, width), _joined(i, facts)) for d, i in zip(self.draws, self.infos)]
        self._new()
        one = self.method.member if self.many else lambda chain, j: chain
        member = lambda chain, j: one(self.row.on_host(chain), j)
        return Snapshot(self.numbers, self.chain, self.tried.copy(), self.gradients, member), pieces

    def failure(self):
        """(number, float[d]) of a chain that found no start, and the last point tried; or None."""
        if not self.failed.any():
            return None
        j = int(np.flatnonzero(self.failed)[0])
        return self.numbers[j], np.asarray(self.method.looked_at(self.chain)).reshape(len(self.numbers), -1)[j]


def _joined(pieces, width):
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces) if pieces else np.zeros((0, width))


class Control:
    """What is asked of a run from outside: to pause, to go on, to stop; `reason` says why it was stopped."""

    def __init__(self):
        self.reason, self._go = None, threading.Event()
        self._go.set()

    @property
    def halted(self):
        """Whether chains are to come back from their turns."""
        return self.reason is not None or not self._go.is_set()

    @property
    def paused(self):
        return not self._go.is_set()

    def stop(self, reason):
        """Stop the run; the first reason counts."""
        self.reason = self.reason or reason
        self._go.set()

    def pause(self):
        self._go.clear()

    def resume(self):
        self._go.set()

    def wait(self, timeout):
        """Until the run may go on, or so many seconds have passed."""
        self._go.wait(timeout)

    @contextmanager
    def interrupts(self):
        """Let the first Ctrl-C stop the run between two turns, so that all that was drawn is kept; the second raises.

        Does nothing outside of the main thread, or where the program has a handler of its own.
        """
        if (threading.current_thread() is not threading.main_thread()
                or signal.getsignal(signal.SIGINT) is not signal.default_int_handler):
            yield
            return

        def handler(number, frame):
            if self.reason is not None:
                raise KeyboardInterrupt
            self.stop("interrupt")

        signal.signal(signal.SIGINT, handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def drive(groups, control, tape, progress, parallel=True, limit=lambda: None):
    """Take all groups to where they are aimed, or until one finds no start, or `control` says stop.

    limit : called between turns; a reason to stop, or None

    The first chunk, of one gradient, is run before the threads begin: it compiles the program that they share.
    """
    waiting, turns, stop = [g for g in groups if not g.done], {}, []
    if not waiting or control.reason:
        return
    settings = {name: getattr(config, name) for name in SETTINGS}
    rows = {g.row for g in groups} - {HERE}
    workers = (len(rows) or min(cores(), len(groups))) if parallel else 1
    waiting[0].advance(1)
    progress.begin()

    def take(g):
        tape.add(*g.take())
        if g.failed.any():
            control.stop("no start")
        return not g.done

    waiting = [g for g in waiting if g is not waiting[0] or take(g)]
    with ThreadPoolExecutor(workers, "chains") as pool:
        try:
            while turns or waiting and control.reason is None:
                waiting.sort(key=lambda g: g.behind)
                while len(turns) < workers and not control.halted and (g := _free(waiting, turns.values())):
                    waiting.remove(g)
                    turns[pool.submit(g.turn, lambda: bool(stop) or control.halted, settings)] = g
                tape.flush()
                progress.show()
                check_processes()
                if not turns:
                    control.wait(0.05)
                    continue
                for f in wait(turns, timeout=0.05, return_when=FIRST_COMPLETED).done:
                    g = turns.pop(f)
                    f.result()
                    if take(g):
                        waiting.append(g)
                if reason := limit():
                    control.stop(reason)
        finally:
            stop.append(True)


def _free(waiting, running):
    """The first group whose devices nobody uses, or None. Programs with collectives that share devices would wait for
    one another."""
    taken = {g.row for g in running}
    return next((g for g in waiting if g.row == HERE or g.row not in taken), None)
