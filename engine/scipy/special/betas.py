"""The beta function and its incomplete form."""
from ...ops.betainc import betainc_p
from ...ops.elementwise import exp
from ...ops.special import lgamma
from ...ops.structural import promote_inexact
from .gammas import gammasgn

__all__ = ["beta", "betainc", "betaln"]


def betainc(a, b, x):
    """I(a, b; x) = ∫₀ˣ tᵃ⁻¹ (1-t)ᵇ⁻¹ dt / B(a, b).   a, b > 0, 0 <= x <= 1; differentiable in all three"""
    return betainc_p.bind(*promote_inexact(a, b, x), orders=(0, 0))


def betaln(a, b):
    """log |B(a, b)| = log |Γ(a) Γ(b) / Γ(a + b)|."""
    a, b = promote_inexact(a, b)
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def beta(a, b):
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b)."""
    a, b = promote_inexact(a, b)
    return gammasgn(a) * gammasgn(b) * gammasgn(a + b) * exp(betaln(a, b))
