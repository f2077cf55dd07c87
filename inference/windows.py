"""Stan's adaptation of the metric: the covariance of the draws of growing windows.

75 transitions for the step size, windows of 25, 50, 100, …, 50 for the step size (Stan reference manual, HMC algorithm
parameters). Everything is a function of numbers, the schedule too, so that another number of warm-up draws needs no new
program.
"""
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from .metrics import Dense, Diagonal, dense
from .running import Running, running


class Windows(NamedTuple):
    """The draws of the window under way, and where windows end."""
    draws: Running
    couples: Array             # bool[d, d] of a dense metric: the pairs that it may couple; bool[] otherwise
    slow_start: Array
    slow_end: Array
    window: Array              # the size of the current window
    next: Array                # the transition that ends it

    def first(self, metric, grad):
        """The metric to begin with: the one given."""
        return metric

    def accept(self, transition, draw):
        """The acceptance probability that the step size is adapted to."""
        return draw.accept_prob

    def update(self, metric, transition, draw):
        """(self, metric, whether the step size starts again) after a transition."""
        inside = np.logical_and(transition > self.slow_start, transition <= self.slow_end)
        draws = self.draws.add(draw.position).where(inside, self.draws)
        closes = np.logical_and(inside, transition == self.next)
        grown = self._replace(draws=draws)
        out = cond(closes, lambda s, m: (s._closed(), regularized(s.draws, s.couples, m)), lambda s, m: (s, m),
                   grown, metric)
        return *out, closes

    def _closed(self):
        size = 2 * self.window
        return self._replace(draws=self.draws.cleared(), window=size, next=boundary(self.next, size, self.slow_end))


def regularized(draws, couples, metric):
    """The metric of a window: its covariance, drawn towards 10⁻³ as if by five draws."""
    n, covariance = draws.count, draws.covariance()
    covariance, ridge = n / (n + 5.0) * covariance, 1e-3 * (5.0 / (n + 5.0))
    if isinstance(metric, Diagonal):
        return Diagonal(covariance + ridge)
    d = covariance.shape[0]
    return dense(np.where(couples, covariance, 0.0) + ridge * np.eye(d, dtype=covariance.dtype))


def boundary(start, size, end):
    """Where a window ends, if it is stretched when the next one, of twice its size, would pass the end."""
    return np.where(start + 3 * size > end, end, start + size)


def init(d, num_warmup, metric=None, couples=None, adapt_metric=True):
    """The schedule before the first transition.

    Short warm-ups share themselves 15 : 75 : 10; under 20, and without `adapt_metric`, the metric stays as it is. A
    window after which no whole one of twice its size fits is stretched to the end; the first one too, where Stan would
    leave a rest of a few draws, or of one (151 to 199 transitions).
    """
    n = int(num_warmup)
    if n < 20 or not adapt_metric:
        start, end, base = n, n, n
    elif n < 150:
        start, end = int(0.15 * n), n - int(0.1 * n)
        base = end - start
    else:
        start, end, base = 75, n - 50, 25
    first = boundary(start, base, end)
    couples = np.asarray(True if couples is None else couples)
    return Windows(running(d, isinstance(metric, Dense)), couples, *[np.asarray(v) for v in (start, end, base, first)])
