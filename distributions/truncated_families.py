"""Truncated distributions by their usual names: functions that make a `Truncated`."""
from .cauchy import Cauchy
from .gamma import Gamma
from .normal import Normal
from .truncated import Truncated


def LeftTruncatedDistribution(base_dist, low=0.0, *, validate_args=None):
    """X ~ base_dist, given that X >= low."""
    return Truncated(base_dist, low, None, validate_args=validate_args)


def RightTruncatedDistribution(base_dist, high=0.0, *, validate_args=None):
    """X ~ base_dist, given that X <= high."""
    return Truncated(base_dist, None, high, validate_args=validate_args)


def TwoSidedTruncatedDistribution(base_dist, low=0.0, high=1.0, *, validate_args=None):
    """X ~ base_dist, given that low <= X <= high."""
    return Truncated(base_dist, low, high, validate_args=validate_args)


def TruncatedNormal(loc=0.0, scale=1.0, *, low=None, high=None, validate_args=None):
    """X ~ Normal(loc, scale), given that low <= X <= high.

    >>> round(float(TruncatedNormal(low=0.0).mean), 6)
    0.797885
    """
    return Truncated(Normal(loc, scale, validate_args=validate_args), low, high, validate_args=validate_args)


def TruncatedCauchy(loc=0.0, scale=1.0, *, low=None, high=None, validate_args=None):
    """X ~ Cauchy(loc, scale), given that low <= X <= high."""
    return Truncated(Cauchy(loc, scale, validate_args=validate_args), low, high, validate_args=validate_args)


def TruncatedGamma(concentration, rate=1.0, *, low=None, high=None, validate_args=None):
    """X ~ Gamma(concentration, rate), given that low <= X <= high."""
    return Truncated(Gamma(concentration, rate, validate_args=validate_args), low, high, validate_args=validate_args)
