"""`minimize`: the minimum of a function, in the form of SciPy's and JAX's, with implicit derivatives."""
from typing import Any, NamedTuple

from ...engine import grad, jit
from ...engine import numpy as np
from ...engine.errors import ShapeError
from . import curvature
from .descent import CONVERGED, Limits, descend
from .implicit import solution_of
from .problem import pose

METHODS = ("BFGS", "L-BFGS")
OPTIONS = ("gtol", "ftol", "maxiter", "maxls", "maxcor")


class OptimizeResults(NamedTuple):
    """What a minimisation or a root finder gives; arrays, so that it can be compiled and mapped."""
    x: Any                     # the solution, in the form of x0
    success: Any               # bool[]
    status: Any                # int32[]: 0 converged, 1 too many iterations, 2 no step helps, 3 not finite at the start
    fun: Any                   # the function there
    jac: Any                   # its gradient (of a root: its Jacobian), in the form of x0
    hess_inv: Any              # float[d, d], BFGS's estimate of the inverse Hessian; None of L-BFGS and roots
    nfev: Any                  # int32[]: evaluations
    njev: Any                  # int32[]: of the gradient, or of the Jacobian
    nit: Any                   # int32[]: iterations


def minimize(fun, x0, args=(), *, method="BFGS", tol=None, options=None):
    """The local minimum of fun(x, *args) that descent from x0 finds: an `OptimizeResults`.

    fun : a function of a vector (or of a tree of arrays: then so is the result) and of args, that gives a number
    method : "BFGS", for up to some hundred variables, or "L-BFGS", for any number of them
    tol : sets gtol; of L-BFGS ftol too
    options : gtol (1e-5), the largest element of the gradient at the minimum; ftol (no limit; of L-BFGS 2.2e-9), the
        decrease of f relative to max(|f|, 1) at which to stop; maxiter (200 d, at least 1000); maxls (30), evaluations
        in one line search; maxcor (10), steps that L-BFGS remembers
    Compiled once for a function and the types of its arguments: another call with other numbers compiles nothing. It
    can be jitted and mapped over starts and args.

    Derivatives are those of the minimum by the implicit function theorem (both modes), with respect to args and to what
    fun closes over: dx = -(∂²f/∂x²)⁻¹ d(∂f/∂x), a dense Hessian. They hold where the minimum is a strict one.
    Source: Nocedal & Wright (2006), Numerical optimization, algorithms 6.1, 7.4, 3.5.

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import grad
    >>> rosenbrock = lambda x, a: (a - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2
    >>> found = minimize(rosenbrock, [-1.2, 1.0], (1.0,))
    >>> found.x.round(4).tolist(), bool(found.success)
    ([1.0, 1.0], True)
    >>> float(grad(lambda a: minimize(rosenbrock, [-1.2, 1.0], (a,)).x[1])(1.0)).__round__(3)     # of a²
    2.0
    """
    settings = _settings(method, tol, options)
    problem = pose(fun, x0, args, "minimize")
    [out] = problem.jaxpr.out_avals if len(problem.jaxpr.out_avals) == 1 else [None]
    if out is None or out.shape != () or out.dtype.kind != "f":
        shapes = ", ".join(map(repr, problem.jaxpr.out_avals)) or "nothing"
        raise ShapeError(f"minimize takes a function that gives one real number; {problem.jaxpr.name} gives {shapes}.\n"
                         "Add it up, with np.sum, if it gives several.")
    d = problem.start.shape[0]
    limits = Limits(*[np.asarray(v, problem.start.dtype) for v in (settings["gtol"], settings["ftol"])],
                    np.asarray(settings["maxiter"] or max(200 * d, 1000), "int32"))
    out = _solver(problem, method, int(settings["maxls"]), int(settings["maxcor"]))(
        problem.start, limits, *problem.operands)
    x, value, slope, status, iterations, evaluations, *matrix = out
    return OptimizeResults(problem.unravel(x), status == CONVERGED, status, value, problem.unravel(slope),
                           matrix[0] if matrix else None, evaluations, evaluations, iterations)


def _settings(method, tol, options):
    """All options with their values."""
    if method not in METHODS:
        raise ValueError(f"minimize(method={method!r}): choose one of {', '.join(map(repr, METHODS))}.")
    out = {"gtol": 1e-5, "ftol": 2.2e-9 if method == "L-BFGS" else -1.0, "maxiter": None, "maxls": 30, "maxcor": 10}
    if tol is not None:
        out["gtol"] = tol
        if method == "L-BFGS":
            out["ftol"] = tol
    for name, value in (options or {}).items():
        if name not in OPTIONS:
            raise ValueError(f"minimize has no option {name!r}; there are {', '.join(OPTIONS)}.")
        out[name] = value
    return out


def _solver(problem, method, max_tries, size):
    """The compiled descent of a problem, kept with its staged function."""
    key = ("minimize", method, max_tries, size, problem.start.shape)
    found = problem.jaxpr.cache.get(key)
    if found is None:
        problem = problem._replace(start=None, operands=None)
        objective = lambda z, *operands: problem(z, *operands)[0]
        memory = curvature.dense if method == "BFGS" else curvature.limited(size)

        def solve(x0, limits, *operands):
            s = descend(lambda z: objective(z, *operands), x0, limits, memory, max_tries=max_tries)
            matrix = (s.memory.matrix,) if method == "BFGS" else ()
            return s.x, s.value, s.grad, s.status, s.iterations, s.evaluations, *matrix

        found = solution_of(jit(solve), grad(objective), objective)
        problem.jaxpr.cache[key] = found
    return found
