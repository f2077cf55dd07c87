"""Directions of normal vectors."""
import functools
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.control import fori_loop
from ..engine.control.custom import custom_jvp
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param

_TERMS, _JOIN = 160, -1.0


def log_half_line_moment(t, k):
    """log Mₖ(t), Mₖ(t) = ∫₀^∞ rᵏ φ(r - t) dr with φ the standard normal density, for an integer k >= 0.

    Mₖ = t Mₖ₋₁ + (k-1) Mₖ₋₂ is used by ratios: forwards from M₁/M₀ for t >= -1; below, where that cancels, backwards
    from the 160th after k by Mₖ₋₁/Mₖ₋₂ = (k-1) / (Mₖ/Mₖ₋₁ - t), the continued fraction of repeated integrals of erfc
    (DLMF 7.18.14; Gautschi 1961, "Recursive computation of the repeated integrals of the error function").
    """
    return special.log_ndtr(t) if k == 0 else _log_moment(t, k)


def _log_moment_value(t, k):
    log_first = special.log_ndtr(t)
    front = np.maximum(t, _JOIN)
    ratio = front + np.exp(-0.5 * front * front - HALF_LOG_2PI - special.log_ndtr(front))
    forwards = np.log(ratio)
    for j in range(2, k + 1):
        ratio = front + (j - 1) / ratio
        forwards = forwards + np.log(ratio)
    near = t >= _JOIN
    if type(near) is Array and near.value.all():
        return log_first + forwards
    back = np.minimum(t, _JOIN)
    last = k + _TERMS
    ratio = 0.5 * (back + np.sqrt(back * back + 4.0 * last))             # M_last / M_{last-1}, nearly

    def step(i, r):
        return (last - 1.0 - i) / (r - back)
    if type(t) is Array:                                 # known: at once, with nothing to compile
        for i in range(_TERMS):
            ratio = step(i, ratio)
    else:
        ratio = fori_loop(0, _TERMS, step, ratio)
    backwards = np.log(ratio)                                            # Mₖ / Mₖ₋₁
    for j in range(k, 1, -1):
        ratio = (j - 1) / (ratio - back)
        backwards = backwards + np.log(ratio)
    return log_first + np.where(near, forwards, backwards)


@functools.partial(custom_jvp, nondiff_argnums=(1,))
def _log_moment(t, k):
    return _log_moment_value(t, k)


@_log_moment.defjvp
def _(k, primals, tangents):
    """dMₖ/dt = k Mₖ₋₁"""
    (t,), (dt,) = primals, tangents
    log_m = _log_moment(t, k)
    return log_m, k * np.exp(log_half_line_moment(t, k - 1) - log_m) * dt


class ProjectedNormal(Distribution):
    """x = z / |z| for a normal vector z ~ N(c, I) of ℝⁿ.

        log p(x) = -½ |c|² + ½ t² - ((n-1)/2) log 2π + log Mₙ₋₁(t),  t = c'x, Mₖ(t) = ∫₀^∞ rᵏ φ(r - t) dr

    concentration c : float[*batch, n], n >= 2          sample : float[*shape, *batch, n], of length 1
    Source: Hernandez-Stumpfhauser, Breidt & van der Woerd (2017), "The general projected normal distribution of
    arbitrary dimension", section 2.

    >>> float(ProjectedNormal([0.0, 0.0]).log_prob([1.0, 0.0]))          # uniform on the circle
    -1.837877
    """
    concentration: ArrayLike = param(constraints.real_vector)
    support = constraints.sphere
    reparametrized_params = ("concentration",)

    @property
    def event_shape(self):
        return self.concentration.shape[-1:]

    def sample(self, key, sample_shape=()):
        z = self.concentration + random.normal(key, self.shape(sample_shape), self.dtype)
        return z / np.sqrt(np.sum(z * z, -1, keepdims=True))

    def log_prob_inside(self, value):
        c, n = self.concentration, self.event_shape[0]
        t = np.sum(c * value, -1)
        across = c - t[..., None] * value                # |c|² - t² = |c - t x|²
        return log_half_line_moment(t, n - 1) - 0.5 * np.sum(across * across, -1) - (n - 1) * HALF_LOG_2PI

    def _half_square(self):
        return 0.5 * np.sum(np.square(self.concentration), -1, keepdims=True)

    @property
    def mean(self):
        """c Γ((n+1)/2) / (√2 Γ(n/2 + 1)) ₁F₁(½; n/2 + 1; -½ |c|²)."""
        n = self.event_shape[0]
        factor = math.exp(math.lgamma(0.5 * n + 0.5) - math.lgamma(0.5 * n + 1.0)) * math.sqrt(0.5)
        return factor * self.concentration * special.hyp1f1(0.5, 0.5 * n + 1.0, -self._half_square())

    @property
    def variance(self):
        """Across c it is a = ₁F₁(1; n/2 + 1; -½ |c|²) / n, which is E 1 / (n + 2N) for N ~ Poisson(½ |c|²); along c the
        expected square is 1 - (n-1) a."""
        n, half = self.event_shape[0], self._half_square()
        across = special.hyp1f1(1.0, 0.5 * n + 1.0, -half) / n
        some = half > 0
        part = np.square(self.concentration) / np.where(some, 2.0 * half, 1.0)
        return across + (1.0 - n * across) * part - np.square(self.mean)

    @property
    def mode(self):
        return self.concentration / np.sqrt(np.sum(np.square(self.concentration), -1, keepdims=True))
