"""Derivatives of a solution by the implicit function theorem.

Where r(x, θ) = 0 defines x(θ),   dx/dθ = -(∂r/∂x)⁻¹ ∂r/∂θ,   whatever iterations found x. Nothing is kept of them, so
reverse mode works too, and its cost is one linear system.
"""
from ...engine import jacfwd, jvp
from ...engine import numpy as np
from ...engine.avals import is_inexact
from ...engine.control.custom import custom_jvp


def solution_of(solve, residual, objective=None):
    """solve with the derivatives of its solution: both modes, all orders.

    solve : (x0, settings, *operands) -> a tuple, the first entry the solution x : float[d]
    residual : (x, *operands) -> float[d], 0 at the solution
    objective : (x, *operands) -> the second entry of the tuple; None where that has no derivative
    The derivatives with respect to x0 and the settings are 0, and so are those of the other entries.
    """
    solution = custom_jvp(solve)

    @solution.defjvp
    def _(primals, tangents):
        operands, moved = primals[2:], tangents[2:]
        out = solution(*primals)
        moving = [i for i, x in enumerate(operands) if is_inexact(x.dtype)]

        def along(f, x):
            """(f, its derivative as the operands move) at x."""
            def g(*some):
                full = list(operands)
                for i, v in zip(moving, some):
                    full[i] = v
                return f(x, *full)
            return jvp(g, tuple([operands[i] for i in moving]), tuple([moved[i] for i in moving]))

        x = out[0]
        tangent_x = np.zeros_like(x)
        if moving:
            tangent_x = -np.linalg.solve(jacfwd(lambda z: residual(z, *operands))(x), along(residual, x)[1])
        tangent = [tangent_x, *[np.zeros_like(y) for y in out[1:]]]
        if objective is not None and moving:
            slope = jvp(lambda z: objective(z, *operands), (x,), (tangent_x,))[1]
            tangent[1] = along(objective, x)[1] + slope
        return out, tuple(tangent)

    return solution
