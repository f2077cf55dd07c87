"""The beta function and its incomplete form."""
from ...ops.betainc import betainc_p
from ...ops.betas import beta, betaln
from ...ops.structural import promote_inexact

__all__ = ["beta", "betainc", "betaln"]


def betainc(a, b, x):
    """I(a, b; x) = ∫₀ˣ tᵃ⁻¹ (1-t)ᵇ⁻¹ dt / B(a, b).   a, b > 0, 0 <= x <= 1; differentiable in all three"""
    return betainc_p.bind(*promote_inexact(a, b, x), orders=(0, 0))
