"""Progress of a run: a bar for each chain, shown once the run has lasted half a second."""
import sys
import time

from ..engine.lazy import Lazy

tqdm_auto = Lazy("tqdm.auto")
DELAY = 0.5


class Progress:
    """Collects reports of the chains (from their threads) and draws bars (from the main thread)."""

    def __init__(self, enabled, num_chains, num_warmup, total):
        self.enabled, self.num_warmup, self.total = enabled, num_warmup, total
        self.transitions = [0] * num_chains
        self.divergences = [0] * num_chains
        self.step_sizes = [float("nan")] * num_chains
        self.steps = [0] * num_chains
        self.bars, self.started = [], time.perf_counter()

    def __enter__(self):
        return self

    def report(self, chain, transitions, infos):
        """A chunk's facts: infos has the columns of nuts.Info."""
        before = self.transitions[chain]
        self.transitions[chain] = transitions
        if len(infos):
            self.step_sizes[chain] = float(infos[-1, 6])
            self.steps[chain] += int(infos[:, 3].sum())
            late = infos[max(0, self.num_warmup - before):]
            self.divergences[chain] += int(late[:, 5].sum())

    def show(self):
        """Draw or update the bars."""
        if not self.enabled or time.perf_counter() - self.started < DELAY:
            return
        if not self.bars:
            self.bars = [tqdm_auto.tqdm(total=self.total, desc=f"chain {c}", position=c, leave=True, file=sys.stderr)
                         for c in range(len(self.transitions))]
        for c, bar in enumerate(self.bars):
            bar.n = self.transitions[c]
            phase = "warm-up" if self.transitions[c] <= self.num_warmup else "sampling"
            bar.set_postfix_str(f"{phase}, step size {self.step_sizes[c]:.3g}, {self.steps[c]} gradients, "
                                f"{self.divergences[c]} divergences", refresh=False)
            bar.refresh()

    def __exit__(self, *exc):
        self.show() if self.bars else None
        for bar in self.bars:
            bar.close()
