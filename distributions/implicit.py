"""The pathwise derivative of draws whose algorithm has none, from the distribution function.

    x = F⁻¹(u; θ)  =>  dx/dθ = -(∂F/∂θ) / p(x)

Source: Figurnov, Mohamed & Mnih (2018), "Implicit reparameterization gradients", eq. 5. Derivatives of first order:
the second would need ∂²x/∂x∂θ, which the rule does not carry.
"""
from ..engine import custom_jvp, jvp
from ..engine import numpy as np


@custom_jvp
def implicit(law, x):
    """x, as draws of the law: with `law.log_cdf`, `law.log_survival` and `law.log_prob_inside` differentiable."""
    return 1.0 * x


@implicit.defjvp
def _(primals, tangents):
    law, x = primals

    def tail(law):
        """log F(x) below the median, log(1 - F(x)) above it: the one that is not rounded away."""
        below, above = law.log_cdf(x), law.log_survival(x)
        return np.where(below < above, below, above)

    log_tail, slope = jvp(tail, (law,), (tangents[0],))
    sign = np.where(law.log_cdf(x) < law.log_survival(x), -1.0, 1.0)
    return 1.0 * x, tangents[1] + sign * np.exp(log_tail - law.log_prob_inside(x)) * slope
