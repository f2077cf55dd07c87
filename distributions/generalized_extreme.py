"""The generalized extreme value and generalized Pareto distributions: Gumbel and exponential numbers w, bent.

    x = loc + scale (exp(ξ w) - 1) / ξ,  w = log(1 + ξ z) / ξ with z = (x - loc) / scale

The bend is smooth through ξ = 0, where it is the identity.
"""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .constraints import Constraint
from .location_scale import LocationScale
from .ratios import log1p_ratio
from .record import ArrayLike, child, param
from .transforms import AffineTransform, ComposeTransform, ExpTransform, Transform, biject_to

EULER = 0.5772156649015329
_ZETA = (1.6449340668482264, 1.2020569031595942, 1.0823232337111382, 1.0369277551433699, 1.0173430619844491,
         1.0083492773819228, 1.0040773561979443, 1.0020083928260822, 1.0009945751278181, 1.0004941886041195,
         1.000246086553308, 1.0001227133475785)


def _bend(w, xi):
    """(exp(ξ w) - 1) / ξ."""
    return w * special.exprel(xi * w)


def _unbend(z, xi):
    """log(1 + ξ z) / ξ; infinite at and beyond the end of the support."""
    return z * log1p_ratio(np.maximum(xi * z, -1.0))


class BentTransform(Transform):
    """y = (exp(ξ x) - 1) / ξ, the identity for ξ = 0."""
    concentration: ArrayLike = child()

    @property
    def codomain(self):
        return BentLine(0.0, 1.0, self.concentration)

    @property
    def sign(self):
        return 1

    def __call__(self, x):
        return _bend(x, self.concentration)

    def _inverse(self, y):
        return _unbend(y, self.concentration)

    def log_abs_det_jacobian(self, x, y):
        return self.concentration * x


class BentLine(Constraint):
    """The numbers x with 1 + concentration (x - loc) / scale > 0."""
    loc: ArrayLike = child()
    scale: ArrayLike = child()
    concentration: ArrayLike = child()

    @property
    def words(self):
        return f"such that 1 + {self.concentration} (x - {self.loc}) / {self.scale} > 0"

    def check(self, x):
        return self.concentration * ((x - self.loc) / self.scale) > -1

    def example(self, x):
        return self.loc


class BentRay(BentLine):
    """Those of them that are at least loc."""

    def check(self, x):
        return np.logical_and(super().check(x), x >= self.loc)

    def example(self, x):
        return self.loc + 0.5 * np.asarray(self.scale) / (1.0 + np.abs(self.concentration))


biject_to.register(BentLine, lambda c: ComposeTransform(
    (BentTransform(c.concentration), AffineTransform(c.loc, c.scale, BentLine(0.0, 1.0, c.concentration)))))
biject_to.register(BentRay, lambda c: ComposeTransform(
    (ExpTransform(), BentTransform(c.concentration),
     AffineTransform(c.loc, c.scale, BentRay(0.0, 1.0, c.concentration)))))


def _log_gamma_slopes(xi):
    """log Γ(1 - ξ) / ξ and (log Γ(1 - 2ξ) - 2 log Γ(1 - ξ)) / ξ², for ξ < 1 and ξ < 1/2.

    Near 0 by log Γ(1 - ξ) = γ ξ + Σ ζ(k) ξᵏ / k, DLMF 5.7.3.
    """
    near = np.abs(xi) < 0.04
    small = np.where(near, xi, 0.0)
    first, second = 0.0, 0.0
    for k in range(len(_ZETA) + 1, 1, -1):
        c = _ZETA[k - 2] / k
        first, second = first * small + c, second * small + c * (2.0 ** k - 2.0)
    one = np.where(np.logical_or(near, xi >= 1), -1.0, xi)
    two = np.where(xi < 0.5, one, -1.0)
    log_gamma = special.gammaln(1.0 - one)
    curve = (special.gammaln(1.0 - 2.0 * two) - 2.0 * log_gamma) / (two * two)
    return np.where(near, EULER + small * first, log_gamma / one), np.where(near, second, curve)


class GeneralizedExtremeValue(LocationScale):
    """GeneralizedExtremeValue(loc m, scale s, concentration ξ): Gumbel for ξ = 0, heavy above for ξ > 0.

        log p(x) = -(1 + ξ) w - exp(-w) - log s,  w = log(1 + ξ z) / ξ,  z = (x - m) / s

    loc, scale, concentration : float[*batch], scale > 0          sample : float[*shape, *batch], 1 + ξ z > 0
    Source: Coles (2001), An Introduction to Statistical Modeling of Extreme Values, §3.1.3. SciPy's shape is -ξ.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    concentration: ArrayLike = param(constraints.real, default=0.0)
    reparametrized_params = ("loc", "scale", "concentration")

    @property
    def support(self):
        return BentLine(self.loc, self.scale, self.concentration)

    def _draw(self, key, shape):
        return _bend(random.gumbel(key, shape, self.dtype), self.concentration)

    def _log_density(self, z):
        w = _unbend(z, self.concentration)
        return -((1.0 + self.concentration) * w + np.exp(-w))

    def _mean(self):
        xi = self.concentration
        slope, _ = _log_gamma_slopes(xi)
        return np.where(xi < 1, slope * special.exprel(xi * slope), math.inf)

    def _variance(self):
        xi = self.concentration
        slope, curve = _log_gamma_slopes(xi)
        return np.where(xi < 0.5, np.exp(2.0 * xi * slope) * curve * special.exprel(xi * xi * curve), math.inf)

    def _mode(self):
        """For ξ > -1 where the derivative is 0, at w = -log(1 + ξ); else the upper end."""
        xi = self.concentration
        inner = xi > -1
        safe = np.where(inner, xi, 0.0)
        return np.where(inner, _bend(-np.log1p(safe), safe), -1.0 / np.where(inner, -1.0, xi))

    def _entropy(self):
        return EULER * (1.0 + self.concentration) + 1.0

    def _cdf(self, z):
        return np.exp(-np.exp(-_unbend(z, self.concentration)))

    def _log_cdf(self, z):
        return -np.exp(-_unbend(z, self.concentration))

    def _log_survival(self, z):
        return special.log1mexp(np.exp(-_unbend(z, self.concentration)))

    def _icdf(self, q):
        return _bend(-np.log(-np.log(q)), self.concentration)


class GeneralizedPareto(LocationScale):
    """GeneralizedPareto(loc m, scale s, concentration ξ), what exceeds a high level; exponential for ξ = 0.

        log p(x) = -(1 + ξ) w - log s,  w = log(1 + ξ z) / ξ,  z = (x - m) / s >= 0

    loc, scale, concentration : float[*batch], scale > 0       sample : float[*shape, *batch], z >= 0, 1 + ξ z > 0
    Source: Coles (2001), An Introduction to Statistical Modeling of Extreme Values, §4.2.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    concentration: ArrayLike = param(constraints.real, default=0.0)
    reparametrized_params = ("loc", "scale", "concentration")

    @classmethod
    def from_lomax(cls, loc, scale, alpha, **kwargs):
        """Pareto type 2: P(X > x) = (1 + (x - loc) / scale)^-alpha."""
        alpha = np.asarray(alpha)
        return cls(loc, scale / alpha, 1.0 / alpha, **kwargs)

    @property
    def support(self):
        return BentRay(self.loc, self.scale, self.concentration)

    def _draw(self, key, shape):
        return _bend(random.exponential(key, shape, self.dtype), self.concentration)

    def _log_density(self, z):
        return -(1.0 + self.concentration) * _unbend(z, self.concentration)

    def _reached(self, value):
        return np.maximum(self._standard(value), 0.0)

    def _mean(self):
        xi = self.concentration
        inner = xi < 1
        return np.where(inner, 1.0 / np.where(inner, 1.0 - xi, 1.0), math.inf)

    def _variance(self):
        xi = self.concentration
        inner = xi < 0.5
        safe = np.where(inner, xi, 0.0)
        return np.where(inner, 1.0 / (np.square(1.0 - safe) * (1.0 - 2.0 * safe)), math.inf)

    def _mode(self):
        return 0.0

    def _entropy(self):
        return 1.0 + self.concentration

    def _cdf(self, z):
        return -np.expm1(-_unbend(z, self.concentration))

    def _log_cdf(self, z):
        return special.log1mexp(_unbend(z, self.concentration))

    def _log_survival(self, z):
        return -_unbend(z, self.concentration)

    def _icdf(self, q):
        return _bend(-np.log1p(-q), self.concentration)
