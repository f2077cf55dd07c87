"""Covariance functions of Gaussian processes and their algebra.

    from chainrule.distributions import kernels
    k = 2.0 * kernels.Matern52(lengthscale=0.5) + kernels.Periodic(period=1.0) * kernels.Linear()
    k(x)            # float[n, n]
"""
from .kernel import Constant, Kernel, Modulated, Power, Product, Scaled, Sum, Warped, WhiteNoise
from .periodic import Circular, Cosine, Periodic
from .products import ArcCosine, Coregion, Gibbs, Linear, Polynomial
from .stationary import (
    ExpQuad,
    GeneralCauchy,
    Matern,
    Matern12,
    Matern32,
    Matern52,
    PoweredExponential,
    RationalQuadratic,
    Stationary,
)

RBF = SquaredExponential = ExpSquared = ExpQuad
Exponential = Matern12
RatQuad = RationalQuadratic
White = WhiteNoise

__all__ = ["ArcCosine", "Circular", "Constant", "Coregion", "Cosine", "ExpQuad", "ExpSquared", "Exponential",
           "GeneralCauchy", "Gibbs", "Kernel", "Linear", "Matern", "Matern12", "Matern32", "Matern52", "Modulated",
           "Periodic", "Polynomial", "Power", "PoweredExponential", "Product", "RBF", "RatQuad", "RationalQuadratic",
           "Scaled", "SquaredExponential", "Stationary", "Sum", "Warped", "White", "WhiteNoise"]
