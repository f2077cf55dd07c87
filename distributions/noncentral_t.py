"""The noncentral t distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .cauchy import log1p_squared
from .counting import _stirling
from .location_scale import LocationScale
from .quadrature import log_integral_about
from .record import ArrayLike, param

DROP = 39.0                                                 # of the logarithm: what lies lower is rounded away
REACH = math.sqrt(2 * DROP)
HALF_LOG_PI = 0.5 * math.log(math.pi)


def tail_room(df):
    """x with df (x - log(1 + x)) >= DROP."""
    half = DROP / df
    return half + np.sqrt(half * half + 2.0 * half)


def log_ratio_less(s, x):
    """log s - x for s = 1 + x > 0, of which x may be known better than s; near 0 by its series."""
    low, near = x < -0.5, np.abs(x) < 2e-3
    t = np.where(near, x, 0.0)
    series = -t * t * (1 / 2 - t * (1 / 3 - t * (1 / 4 - t * (1 / 5 - t * (1 / 6 - t / 7)))))
    far = np.where(low, np.log(np.where(low, s, 1.0)), np.log1p(np.where(np.logical_or(low, near), 0.0, x))) - x
    return np.where(near, series, far)


def _log_central(df):
    """log of ∫ (r / √ν)^ν exp(½(ν - r²)) dr = 2^((ν - 1) / 2) Γ((ν + 1) / 2) (e / ν)^(ν / 2)."""
    large = df > 16
    n, m = np.where(large, df, 32.0), np.where(large, 1.0, df)
    far = HALF_LOG_PI - 0.5 + 0.5 * n * np.log1p(1.0 / n) + _stirling(0.5 * (n + 1.0))
    near = 0.5 * (m - 1.0) * math.log(2) + special.gammaln(0.5 * (m + 1.0)) + 0.5 * m * (1.0 - np.log(m))
    return np.where(large, far, near)


def _log_lift(df, u):
    """log of ∫ r^ν exp(-½ (r - u)²) dr / ∫ r^ν exp(-½ r²) dr, over r > 0.

    With the mode m = √ν e^θ, 2 √ν sinh θ = u, the integrand falls from it as exp(ν (log(1 + d/m) - d/m) - ½ d²).
    """
    shape = np.broadcast_shapes(df.shape, u.shape)
    df, u = np.broadcast_to(df, shape), np.broadcast_to(u, shape)
    root = np.sqrt(df)
    theta = np.arcsinh(0.5 * u / root)
    mode = root * np.exp(theta)
    at = stop_gradient(mode)
    left = np.minimum(at, REACH * stop_gradient(1.0 / np.sqrt(1.0 + np.exp(-2.0 * theta))))
    right = REACH / stop_gradient(np.sqrt(1.0 + df / (at * at + REACH * at)))       # as d/m <= REACH / m
    right = np.minimum(right, at * stop_gradient(tail_room(df)))
    n, m = df[..., None], mode[..., None]

    def log_f(r, d):
        d = d + (at - mode)[..., None]                       # zero, but its derivative
        return n * log_ratio_less(r / m, d / m) - 0.5 * d * d
    return df * (theta - 0.5 * np.expm1(-2.0 * theta)) + log_integral_about(log_f, at, left, right) - _log_central(df)


def log_scale_norm(df):
    """log of ∫ s^(ν - 1) exp(½ ν (1 - s²)) ds = ½ (2 e / ν)^(ν / 2) Γ(ν / 2), where ν S² is a χ² number."""
    large = df > 16
    n, m = np.where(large, df, 32.0), np.where(large, 1.0, df)
    return np.where(large, HALF_LOG_PI - 0.5 * np.log(n) + _stirling(0.5 * n),
                    0.5 * m * (1.0 - np.log(0.5 * m)) + special.gammaln(0.5 * m) - math.log(2))


def mean_inverse_scale(df):
    """E 1 / S = √(ν/2) B((ν - 1) / 2, ½) / √π, for ν > 1."""
    return np.exp(0.5 * np.log(0.5 * df) + special.betaln(0.5 * (df - 1.0), 0.5) - HALF_LOG_PI)


def _inverse_mills(y):
    """φ(y) / Φ(y), without a difference of large logarithms for y < 0."""
    low = y < 0
    below, above = np.where(low, -y, 1.0), np.where(low, 1.0, y)
    return np.where(low, math.sqrt(2 / math.pi) / special.erfcx(below * math.sqrt(0.5)),
                    np.exp(-0.5 * above * above) * (1 / math.sqrt(2 * math.pi)) / special.ndtr(above))


def _tail_mode(df, t, nc):
    """Where s^ν exp(-½ ν s²) Φ(t s - δ) is largest, about: by Newton's method from where a normal tail has it."""
    b = t * nc
    far = np.sqrt(b * b + 4.0 * df * (df + t * t))
    far = np.where(b > 0, 0.5 * (b + far) / (df + t * t), 2.0 * df / np.where(b > 0, 1.0, far - b))
    s = np.where(t * far < nc, far, 1.0)
    for _ in range(6):
        y = t * s - nc
        ratio = _inverse_mills(y)
        slope = df * (1.0 - s * s) + t * s * ratio
        bend = -2.0 * df * s + t * ratio - t * t * s * ratio * (y + ratio)
        s = np.clip(s - slope / np.minimum(bend, -df * s), 0.5 * s, 2.0 * s)
    return s


def _log_tail(df, t, nc):
    """log P((Z + δ) / S <= t) = log ∫ Φ(t s - δ) f(s) ds, where ν S² is a χ² number with ν degrees of freedom."""
    shape = np.broadcast_shapes(df.shape, t.shape, nc.shape)
    df, t, nc = (np.broadcast_to(v, shape) for v in (df, t, nc))
    n, tt, c = (stop_gradient(v) for v in (df, t, nc))
    mode = _tail_mode(n, tt, c)
    y = tt * mode - c
    log_p, ratio = special.log_ndtr(y), _inverse_mills(y)
    plain = n / np.square(mode)
    steep = n + tt * tt * np.maximum(ratio * (y + ratio), 0.0)                 # where Φ gets steeper, and at the mode
    slope = np.abs(tt) * ratio
    flat = np.where(slope * 1e9 > DROP, (DROP - log_p) / np.maximum(slope, 1e-9), 1e9)      # where it levels off
    up = tt > 0
    left = np.minimum(mode, np.minimum(REACH / np.sqrt(plain + np.where(up, steep, n)), np.where(up, mode, flat)))
    plain = n / (mode * mode + mode * (REACH / np.sqrt(n)))
    right = np.minimum(REACH / np.sqrt(plain + np.where(up, n, steep)), mode * tail_room(n))
    right = np.where(up, np.minimum(right, flat), right)
    df, t, nc = df[..., None], t[..., None], nc[..., None]

    def log_f(s, _):
        x = s - 1.0
        return df * (log_ratio_less(s, x) - 0.5 * x * x) - np.log(s) + special.log_ndtr(t * s - nc)
    return log_integral_about(log_f, mode, left, right) - log_scale_norm(df[..., 0])


class NoncentralT(LocationScale):
    """NoncentralT(df ν, nc δ, loc m, scale s) on the real line: m + s (Z + δ) / √(V / ν) for a χ² number V.

        log p(z) = log p_ν(z) - ½ ν δ² / (ν + z²) + log ∫ r^ν exp(-½(r - u)²) dr - log ∫ r^ν exp(-½ r²) dr,  r > 0,
        u = δ z / √(ν + z²), z = (x - m) / s, with the density p_ν of Student's t

    df, nc, loc, scale : float[*batch], df > 0, scale > 0          sample : float[*shape, *batch]
    The mean is m + s δ √(ν/2) Γ((ν - 1) / 2) / Γ(ν / 2), for ν > 1. The integrals by quadrature about their peaks, to
    the last digits; the smaller tail by one over √(V / ν), to 1e-9 while |z| < 10 √ν and to 1e-6 far beyond.
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 31.

    >>> round(float(NoncentralT(5.0, 1.0).mean), 6)
    1.189416
    """
    df: ArrayLike = param(constraints.positive)
    nc: ArrayLike = param(constraints.real)
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("df", "nc", "loc", "scale")

    def _draw(self, key, shape):
        first, second = random.split(key)
        d = self.dtype
        size = np.sqrt(0.5 * self.df) * np.exp(-0.5 * random.loggamma(second, 0.5 * self.df, shape, d))
        return (random.normal(first, shape, d) + self.nc) * size

    def _log_density(self, z):
        df, nc = self.df, self.nc
        root = np.sqrt(df)
        spread = np.hypot(root, z)
        central = -0.5 * (df + 1.0) * log1p_squared(z / root) - (0.5 * np.log(df) + special.betaln(0.5 * df, 0.5))
        return central - 0.5 * df * np.square(nc / spread) + _log_lift(df, nc * (z / spread))

    def _mean(self):
        ok = self.df > 1
        return np.where(ok, self.nc * mean_inverse_scale(np.where(ok, self.df, 2.0)), math.nan)

    def _variance(self):
        df, ok = self.df, self.df > 2
        safe = np.where(ok, df, 3.0)
        square = safe / (safe - 2.0)
        v = square + np.square(self.nc) * (square - np.square(mean_inverse_scale(safe)))
        return np.where(ok, v, np.where(df > 1, np.full_like(df, math.inf), math.nan))

    def _tails(self, z):
        """log P(Z <= z) for z below δ and log P(Z > z) above it; whether it is below."""
        below = z < self.nc
        tail = _log_tail(self.df, np.where(below, z, -z), np.where(below, self.nc, -self.nc))
        return np.minimum(tail, -float(np.finfo(self.dtype).tiny)), below

    def _cdf(self, z):
        tail, below = self._tails(z)
        return np.where(below, np.exp(tail), -np.expm1(tail))

    def _log_cdf(self, z):
        tail, below = self._tails(z)
        return np.where(below, tail, special.log1mexp(-tail))

    def _log_survival(self, z):
        tail, below = self._tails(z)
        return np.where(below, special.log1mexp(-tail), tail)
