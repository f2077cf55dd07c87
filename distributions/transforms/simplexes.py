"""Bijections onto and from the simplex: stick breaking, softmax, cumulative logits."""
import math

import numpy as _numpy

from ...engine import numpy as np
from ...engine.ops.elementwise import expit, softplus
from ...engine.scipy.special import log_softmax, softmax
from .. import constraints
from ..record import ArrayLike, child
from .base import Transform, beside, biject_to
from .vectors import ZeroSumTransform


class StickBreakingTransform(Transform):
    """d numbers onto the simplex of d + 1 by breaking pieces off a stick; x = 0 gives its centre.

        zₖ = 1 / (1 + exp(-uₖ)), uₖ = xₖ - log(d - k)          the part of what is left that piece k takes, k = 0 … d-1
        log yₖ = log zₖ + Σ_{j<k} log(1 - zⱼ),  log |dy/dx| = Σₖ uₖ - (d + 1 - k) softplus(uₖ)

    Source: Stan Reference Manual, section 'Unit simplex inverse transform'.
    """
    domain, codomain = constraints.real_vector, constraints.simplex

    def _logits(self, x):
        d = x.shape[-1]
        return x - _numpy.log(_numpy.arange(d, 0, -1)).astype(x.dtype)

    def __call__(self, x):
        u = self._logits(np.asarray(x))
        left = np.cumsum(softplus(u), -1)                    # -log of what is left after piece k
        return np.concatenate([np.exp(u - left), np.exp(-left[..., -1:])], -1)

    def _inverse(self, y):
        y = np.asarray(y)
        d = y.shape[-1] - 1
        left = np.flip(np.cumsum(np.flip(y, -1), -1), -1)[..., 1:]        # what is left after piece k
        return np.log(y[..., :-1]) - np.log(left) + _numpy.log(_numpy.arange(d, 0, -1)).astype(y.dtype)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        u, d = self._logits(x), x.shape[-1]
        return np.sum(u - _numpy.arange(d + 1, 1, -1).astype(x.dtype) * softplus(u), -1)

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        return (*shape[:-1], shape[-1] - 1)


class SoftmaxTransform(Transform):
    """y = exp(x) / Σ exp(x), which is not a bijection: `inv` gives log y, one of the x that lead there."""
    domain, codomain = constraints.real_vector, constraints.simplex

    def __call__(self, x):
        return softmax(x, -1)

    def _inverse(self, y):
        return np.log(y)

    def log_abs_det_jacobian(self, x, y):
        raise NotImplementedError("SoftmaxTransform takes d numbers to d - 1 free ones and has no log-det.\n"
                                  "Use SoftmaxCenteredTransform or StickBreakingTransform, which are bijections.")


class SoftmaxCenteredTransform(Transform):
    """d numbers onto the simplex of d + 1: the softmax of x with a 0 behind it.   log |dy/dx| = Σ log yₖ

    Source: Aitchison (1986), The Statistical Analysis of Compositional Data, section 6.2 (additive log ratios).
    """
    domain, codomain = constraints.real_vector, constraints.simplex

    def __call__(self, x):
        return softmax(self._padded(x), -1)

    def _inverse(self, y):
        log = np.log(y)
        return log[..., :-1] - log[..., -1:]

    def _padded(self, x):
        x = np.asarray(x)
        return np.concatenate([x, np.zeros((*x.shape[:-1], 1), x.dtype)], -1)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(log_softmax(self._padded(x), -1), -1)

    forward_shape, inverse_shape = StickBreakingTransform.forward_shape, StickBreakingTransform.inverse_shape


class IsometricLogRatioTransform(SoftmaxCenteredTransform):
    """d numbers onto the simplex of n = d + 1: the softmax of x spread over n numbers that sum to 0.

    No element is singled out, which makes posteriors rounder than stick breaking does. log |dy/dx| = Σ log yₖ + ½ log n
    Source: Egozcue et al. (2003), Isometric Logratio Transformations; Stan Reference Manual, since 2.36.
    """

    def _padded(self, x):
        return _CENTRED(x)

    def _inverse(self, y):
        log = np.log(y)
        return _CENTRED._inverse(log - np.mean(log, -1, keepdims=True))

    def log_abs_det_jacobian(self, x, y):
        n = np.shape(x)[-1] + 1
        return super().log_abs_det_jacobian(x, y) + 0.5 * math.log(n)


class SimplexToOrderedTransform(Transform):
    """The simplex of d + 1 onto d increasing numbers: cut points whose logistic probabilities are the simplex.

        yₖ = anchor_point + logit(x₀ + … + xₖ)
        log |dy/dx| = Σ softplus(zₖ) + softplus(-zₖ), z = y - anchor_point

    anchor_point : float[*batch]
    Source: Betancourt (2019), Ordinal Regression, section 2.2.
    """
    anchor_point: ArrayLike = child(default=0.0)
    domain, codomain = constraints.simplex, constraints.ordered_vector

    def _anchor(self, x):
        return beside(self.anchor_point, x)[..., None]

    def __call__(self, x):
        x = np.asarray(x)
        below = np.cumsum(x[..., :-1], -1)
        above = np.flip(np.cumsum(np.flip(x[..., 1:], -1), -1), -1)         # 1 - below, which keeps its digits
        return np.log(below) - np.log(above) + self._anchor(x)

    def _inverse(self, y):
        z = np.asarray(y) - self._anchor(y)
        inner = expit(z[..., 1:]) * expit(-z[..., :-1]) * -np.expm1(z[..., :-1] - z[..., 1:])
        return np.concatenate([expit(z[..., :1]), inner, expit(-z[..., -1:])], -1)

    def log_abs_det_jacobian(self, x, y):
        z = np.asarray(y) - self._anchor(y)
        return np.sum(softplus(z) + softplus(-z), -1)

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] - 1)

    def inverse_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


class ColumnStochasticTransform(Transform):
    """n vectors of d numbers, one a row, onto the (d + 1) × n matrices whose columns sum to 1, by stick breaking."""
    domain, codomain = constraints.real_matrix, constraints.column_stochastic

    def __call__(self, x):
        return np.swapaxes(_STICK(x), -1, -2)

    def _inverse(self, y):
        return _STICK._inverse(np.swapaxes(np.asarray(y), -1, -2))

    def log_abs_det_jacobian(self, x, y):
        return np.sum(_STICK.log_abs_det_jacobian(x, None), -1)

    def forward_shape(self, shape):
        return (*shape[:-2], shape[-1] + 1, shape[-2])

    def inverse_shape(self, shape):
        return (*shape[:-2], shape[-1], shape[-2] - 1)


_STICK, _CENTRED = StickBreakingTransform(), ZeroSumTransform()

biject_to.register(constraints.simplex, lambda c: StickBreakingTransform())
biject_to.register(constraints.column_stochastic, lambda c: ColumnStochasticTransform())
