"""Progress of a run: a bar for each chain, shown once the run has lasted half a second after its compilation."""
import sys
import time

import numpy as np

from ..engine.lazy import Lazy
from .nuts import Info

tqdm_auto = Lazy("tqdm.auto")
DELAY = 0.5
MOST_BARS = 20
INTERVAL = 0.1                     # seconds between two drawings


class Progress:
    """Collects reports of the chains (from their threads) and draws bars (from the main thread).

        with Progress(True, num_chains, num_warmup, total) as progress:
            …; progress.begin()                          # the first chunk is compiled
            …; progress.report(0, 100, infos); progress.show()

    done : the transitions that each chain has made before, or the number of chains where it is none
    words : a line over the bars          file : where to draw; the standard error unless given
    fields : the names of the columns of infos, NUTS's unless given
    Of more than MOST_BARS chains one bar shows them all: their mean step size, and sums.
    """

    def __init__(self, enabled, done, num_warmup, total, words=None, file=None, fields=Info._fields):
        self.enabled, self.num_warmup, self.total, self.words, self.file = enabled, num_warmup, total, words, file
        self.transitions, self.fields = [0] * done if isinstance(done, int) else list(done), fields
        num_chains, self.first = len(self.transitions), list(self.transitions)
        self.divergences = [0] * num_chains
        self.steps, self.step_sizes = [0] * num_chains, [float("nan")] * num_chains
        self.bars, self.started, self.shown = [], None, 0.0

    def __enter__(self):
        return self

    def begin(self):
        """Start the clock; a second call does nothing."""
        self.started = time.perf_counter() if self.started is None else self.started

    def report(self, chain, transitions, infos):
        """A chunk's facts. transitions : int, so far          infos : float[new transitions, len(fields)]"""
        before, self.transitions[chain] = self.transitions[chain], transitions
        if len(infos):
            column = lambda name, rest: infos[:, self.fields.index(name)] if name in self.fields else rest
            self.step_sizes[chain] = float(column("step_size", [float("nan")])[-1])
            self.steps[chain] += int(column("num_steps", np.ones(len(infos))).sum())
            self.divergences[chain] += int(column("diverging", np.zeros(1))[max(0, self.num_warmup - before):].sum())

    def show(self):
        """Draw or update the bars, if it is time to."""
        now = time.perf_counter()
        if self.enabled and self.started is not None and now - self.started >= DELAY and now - self.shown >= INTERVAL:
            self.shown = now
            self._draw(now)

    def _rows(self):
        """(name, transitions, those before, step size, gradients, divergences, whether in warm-up) of each bar."""
        columns = (self.transitions, self.first, self.step_sizes, self.steps, self.divergences)
        if len(self.transitions) <= MOST_BARS:
            return [(f"chain {c}", *row, row[0] <= self.num_warmup) for c, row in enumerate(zip(*columns))]
        n, first, sizes, steps, divergences = columns
        warm = min(n) <= self.num_warmup
        return [(f"{len(n)} chains", sum(n), sum(first), sum(sizes) / len(n), sum(steps), sum(divergences), warm)]

    def _draw(self, now):
        rows, file = self._rows(), self.file or sys.stderr
        if not self.bars:
            if self.words:
                tqdm_auto.tqdm.write(self.words, file=file)
            total = self.total * (1 if len(rows) == len(self.transitions) else len(self.transitions))
            self.bars = [tqdm_auto.tqdm(total=total, desc=row[0], initial=row[2], position=i, file=file)
                         for i, row in enumerate(rows)]
            for bar in self.bars:
                bar.start_t -= now - self.started        # the rate counts from the beginning
        for bar, (_, n, _, step_size, steps, divergences, warm) in zip(self.bars, rows):
            bar.n = n
            bar.set_postfix_str(f"{'warm-up' if warm else 'sampling'}, step size {step_size:.3g}, {steps} gradients, "
                                f"{divergences} divergences", refresh=False)
            bar.refresh()

    def __exit__(self, *exc):
        if self.bars:
            self._draw(time.perf_counter())
        for bar in self.bars:
            bar.close()
