"""The Bernoulli distribution by the normal quantile of its probability."""
from ..engine import numpy as np
from ..engine.scipy import special
from . import constraints
from .bernoulli import _Bernoulli
from .record import ArrayLike, param


class ProbitBernoulli(_Bernoulli):
    """1 with probability Φ(η), else 0:  log p(y) = log Φ(η) where y = 1, log Φ(-η) where y = 0.

    probit : float[*batch]          sample : int[*shape, *batch], 0 or 1
    Source: McCullagh & Nelder (1989), Generalized Linear Models, section 4.3.

    >>> float(ProbitBernoulli(0.0).probs)
    0.5
    """
    probit: ArrayLike = param(constraints.real)

    @property
    def probs(self):
        """The probability of 1."""
        return special.ndtr(self.probit)

    @property
    def logits(self):
        """The log-odds of 1."""
        return special.log_ndtr(self.probit) - special.log_ndtr(-self.probit)

    def log_prob_inside(self, value):
        return special.log_ndtr(np.where(np.asarray(value) != 0, self.probit, -self.probit))

    def entropy(self):
        p, q = special.ndtr(self.probit), special.ndtr(-self.probit)
        return -(p * special.log_ndtr(self.probit) + q * special.log_ndtr(-self.probit))
