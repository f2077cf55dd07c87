"""Functions near a removable singularity or an overflow, with derivatives that are as accurate as their values."""
from ..engine import numpy as np
from ..engine.scipy import special


def log1p_ratio(y):
    """log(1 + y) / y, 1 at y = 0.   y > -1; -1 gives inf

    With t = y / (2 + y), log(1 + y) = 2 atanh t: near 0 the series (2 / (2 + y)) Σ t²ᵏ / (2k + 1).
    """
    near = np.abs(y) < 0.1
    small, large = np.where(near, y, 0.0), np.where(near, 1.0, y)
    t = small / (2.0 + small)
    square = t * t
    series = 1 / 17
    for k in range(7, -1, -1):
        series = series * square + 1 / (2 * k + 1)
    return np.where(near, series * (2.0 / (2.0 + small)), np.log1p(large) / large)


def log_exprel(y):
    """log((exp y - 1) / y), 0 at y = 0, for any y."""
    size = np.abs(y)
    return 0.5 * (y + size) + np.log(special.exprel(-size))


def scaled_exp1(x):
    """exp(x) E₁(x), which does not underflow.   x > 0

    Beyond 40 by the continued fraction 1 / (x + 1 - 1 / (x + 3 - 4 / (x + 5 - …))), DLMF 6.9.1 contracted.
    """
    far = x > 40
    near, large = np.where(far, 1.0, x), np.where(far, x, 100.0)
    tail = large + 25.0
    for k in range(12, 0, -1):
        tail = large + (2 * k - 1.0) - (k * k) / tail
    return np.where(far, 1.0 / tail, np.exp(near) * special.exp1(near))


def log_normal_times_exponential(z, r):
    """log ∫ φ(z - t) exp(-r t) dt over t > 0, which is log(exp(r²/2 - r z) Φ(z - r)), without overflow.   r > 0"""
    gap = r - z
    left = gap > 0
    below, above = np.where(left, gap, 1.0), np.where(left, 0.0, gap)
    scaled = -0.5 * z * z + np.log(0.5 * special.erfcx(below * 0.7071067811865476))
    return np.where(left, scaled, r * (0.5 * r - z) + special.log_ndtr(-above))


# ---- the density exp(y t) / Z on (0, 1): an exponential tilted by y and cut at 1 ----

def tilted_cdf(t, y):
    """∫ exp(y s) ds from 0 to t, over that from 0 to 1.   0 <= t <= 1"""
    size = np.abs(y)
    lift = np.exp(0.5 * (y + size) * (t - 1.0))
    return lift * t * special.exprel(-size * t) / special.exprel(-size)


def tilted_icdf(q, y):
    """t with tilted_cdf(t, y) = q."""
    up = y > 0
    size = np.abs(y)
    p = np.where(up, 1.0 - q, q)
    t = np.minimum(p * special.exprel(-size) * log1p_ratio(p * np.expm1(-size)), 1.0)
    return np.where(up, 1.0 - t, t)


# Bernoulli numbers: 1 / (1 - exp(-y)) - 1 / y = 1/2 + Σ B₂ₖ y²ᵏ⁻¹ / (2k)!
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000)


def tilted_mean(y):
    """The mean of that density: 1 / (1 - exp(-y)) - 1 / y."""
    near = np.abs(y) < 0.5
    small, large = np.where(near, y, 0.0), np.where(near, 1.0, y)
    series = np.polyval(np.asarray(_BERNOULLI[::-1], small.dtype), small * small)
    return np.where(near, 0.5 + small * series, -1.0 / np.expm1(-large) - 1.0 / large)


def tilted_variance(y):
    """The variance of that density: 1 / y² - exp(y) / (exp(y) - 1)²."""
    near = np.abs(y) < 0.5
    small, large = np.where(near, y, 0.0), np.where(near, 1.0, np.abs(y))
    slopes = [(2 * k + 1) * c for k, c in enumerate(_BERNOULLI)]
    series = np.polyval(np.asarray(slopes[::-1], small.dtype), small * small)
    return np.where(near, series, 1.0 / (large * large) - np.exp(-large) / np.square(np.expm1(-large)))


def log1p_square(u):
    """log(1 + u²) for any u, whose square may be too large for a float."""
    size = np.abs(u)
    large = size > 1
    below, above = np.where(large, 0.0, u), np.where(large, size, 1.0)
    return np.where(large, 2.0 * np.log(above) + np.log1p(np.square(1.0 / above)), np.log1p(below * below))
