"""Progress of a run: a bar for each chain, shown once the run has lasted half a second after its compilation."""
import sys
import time

import numpy as np

from ..engine.lazy import Lazy
from .nuts import Info

tqdm_auto = Lazy("tqdm.auto")
DELAY = 0.5
INTERVAL = 0.1                     # seconds between two drawings


class Progress:
    """Collects reports of the chains (from their threads) and draws bars (from the main thread).

        with Progress(True, num_chains, num_warmup, total) as progress:
            …; progress.begin()                          # the first chunk is compiled
            …; progress.report(0, 100, infos); progress.show()

    file : where to draw; the standard error unless given          fields : the names of the columns of infos, NUTS's
    """

    def __init__(self, enabled, num_chains, num_warmup, total, file=None, fields=Info._fields):
        self.fields = fields
        self.enabled, self.num_warmup, self.total, self.file = enabled, num_warmup, total, file
        self.transitions, self.divergences = [0] * num_chains, [0] * num_chains
        self.steps, self.step_sizes = [0] * num_chains, [float("nan")] * num_chains
        self.bars, self.started, self.shown = [], None, 0.0

    def __enter__(self):
        return self

    def begin(self):
        """Start the clock."""
        self.started = time.perf_counter()

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

    def _draw(self, now):
        if not self.bars:
            self.bars = [tqdm_auto.tqdm(total=self.total, desc=f"chain {c}", position=c, file=self.file or sys.stderr)
                         for c in range(len(self.transitions))]
            for bar in self.bars:
                bar.start_t -= now - self.started        # the rate counts from the beginning
        for c, bar in enumerate(self.bars):
            phase = "sampling" if self.transitions[c] > self.num_warmup else "warm-up"
            bar.n = self.transitions[c]
            bar.set_postfix_str(f"{phase}, step size {self.step_sizes[c]:.3g}, {self.steps[c]} gradients, "
                                f"{self.divergences[c]} divergences", refresh=False)
            bar.refresh()

    def __exit__(self, *exc):
        if self.bars:
            self._draw(time.perf_counter())
        for bar in self.bars:
            bar.close()
