"""Truncated distributions by their usual names: functions that make a `Truncated`."""
from ..engine.errors import ParameterError
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


def TruncatedGamma(concentration=1.0, rate=1.0, *, low=None, high=None, validate_args=None):
    """X ~ Gamma(concentration, rate), given that low <= X <= high."""
    return Truncated(Gamma(concentration, rate, validate_args=validate_args), low, high, validate_args=validate_args)


def LeftTruncatedGamma(base_dist, low=0.0, *, validate_args=None):
    """X ~ base_dist, a Gamma, given that X >= low."""
    return LeftTruncatedDistribution(_gamma("LeftTruncatedGamma", base_dist), low, validate_args=validate_args)


def RightTruncatedGamma(base_dist, high=1.0, *, validate_args=None):
    """X ~ base_dist, a Gamma, given that X <= high."""
    return RightTruncatedDistribution(_gamma("RightTruncatedGamma", base_dist), high, validate_args=validate_args)


def TwoSidedTruncatedGamma(base_dist, low=0.0, high=1.0, *, validate_args=None):
    """X ~ base_dist, a Gamma, given that low <= X <= high."""
    return TwoSidedTruncatedDistribution(_gamma("TwoSidedTruncatedGamma", base_dist), low, high,
                                         validate_args=validate_args)


def _gamma(family, base_dist):
    """The base, if it is a Gamma."""
    if not isinstance(base_dist, Gamma):
        raise ParameterError(f"{family} truncates a Gamma; got {type(base_dist).__name__}.\nWrite Truncated(base, low, "
                             "high) for any distribution of one number.")
    return base_dist
