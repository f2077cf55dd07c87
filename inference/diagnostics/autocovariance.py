"""How the draws of a chain depend on those before: autocovariances at all lags, by the fast Fourier transform."""
import numpy as np


def lagged_products(x, average=None):
    """Σₜ dₜ dₜ₊ₖ over the last axis, d = x - mean, for every lag k; averaged over the axis `average` if it is given."""
    n = x.shape[-1]
    size = 1 << (2 * n - 1).bit_length()          # at least 2n: with that many zeros behind it nothing wraps around
    spectrum = np.fft.rfft(x - x.mean(-1, keepdims=True), size)
    power = spectrum.real**2 + spectrum.imag**2
    return np.fft.irfft(power if average is None else power.mean(average), size)[..., :n]


def divisors(n, bias):
    return n if bias else np.arange(n, 0, -1)


def autocovariance(x, axis=0, bias=True):
    """cₖ = Σₜ (xₜ - x̄)(xₜ₊ₖ - x̄) / n for every lag k along `axis`; with bias=False divided by n - k instead of n.

    x : float[..., n, ...] -> the same shape.   Source: Geyer (1992), section 3.1.

    >>> autocovariance([0, 1, 2, 3]).round(4).tolist()
    [1.25, 0.3125, -0.375, -0.5625]
    """
    x = np.moveaxis(np.asarray(x, dtype=float), axis, -1)
    with np.errstate(all="ignore"):
        return np.moveaxis(lagged_products(x) / divisors(x.shape[-1], bias), -1, axis)


def autocorrelation(x, axis=0, bias=True):
    """ρₖ = cₖ / c₀ with c the `autocovariance` along `axis`; nan for a constant.   x : float[..., n, ...]

    >>> autocorrelation([0, 1, 2, 3]).round(4).tolist()
    [1.0, 0.25, -0.3, -0.45]
    """
    x = np.moveaxis(np.asarray(x, dtype=float), axis, -1)
    covariance = autocovariance(x, -1, bias)
    varies = np.ptp(x, axis=-1, keepdims=True) > 0 if x.size else True
    with np.errstate(all="ignore"):
        return np.moveaxis(np.where(varies, covariance / covariance[..., :1], np.nan), -1, axis)
