"""Roots: of systems by Newton's or Broyden's method, of one equation by Newton's with a bracket or by bisection.

Derivatives are those of the root by the implicit function theorem, as for `minimize`.
"""
from typing import Any, NamedTuple

import numpy as onp

from ...engine import cond, jacfwd, jit, value_and_grad, while_loop
from ...engine import numpy as np
from ...engine.errors import ShapeError
from .descent import CONVERGED, NOT_FINITE, RUNNING, STUCK, TOO_LONG
from .implicit import solution_of
from .minimization import OptimizeResults
from .problem import pose

SHORTEST = 2.0 ** -20          # of a step, in parts of Newton's
METHODS = ("newton", "broyden1")
SCALAR_METHODS = ("bisect", "newton")


class _State(NamedTuple):
    """Where the search for a root of a system is."""
    x: Any
    value: Any                 # f(x)
    jacobian: Any              # float[d, d], its estimate
    exact: Any                 # bool[]: the Jacobian is that at x
    direction: Any
    share: Any                 # float[]: how much of the direction to try next
    status: Any
    iterations: Any
    evaluations: Any
    jacobians: Any


def root(fun, x0, args=(), *, method="newton", tol=None, options=None):
    """x with fun(x, *args) = 0, from x0: an `OptimizeResults`.

    Its `fun` is what is left, its `jac` the last estimate of the Jacobian.
    fun : a function of a vector (or a tree of arrays) and of args, that gives as many numbers as x has, in any form
    method : "newton", with the exact Jacobian at each step, or "broyden1", which learns it from the steps
    tol : the largest |fun| at the root, 1e-10 (1e-5 in float32)
    options : maxiter (100)
    Steps are halved until |fun|₂ falls. Compiled, mapped and differentiated as `minimize` is:
    dx = -(∂f/∂x)⁻¹ df, with respect to args and to what fun closes over.
    Source: Nocedal & Wright (2006), algorithms 11.1 and 11.3; Broyden (1965).

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import grad
    >>> circle = lambda x, r: np.stack([x[0] ** 2 + x[1] ** 2 - r ** 2, x[0] - x[1]])
    >>> root(circle, [1.0, 0.5], (2.0,)).x.round(6).tolist()
    [1.414214, 1.414214]
    >>> float(grad(lambda r: root(circle, [1.0, 0.5], (r,)).x[0])(2.0)).__round__(6)          # √½
    0.707107
    """
    if method not in METHODS:
        raise ValueError(f"root(method={method!r}): choose one of {', '.join(map(repr, METHODS))}.")
    maxiter = _maxiter(options, "root", 100)
    problem = pose(fun, x0, args, "root")
    d, dtype = problem.start.shape[0], problem.start.dtype
    if sum(a.size for a in problem.jaxpr.out_avals) != d:
        raise ShapeError(f"root takes as many equations as unknowns: x0 has {d} numbers, {problem.jaxpr.name} gives "
                         f"{', '.join(map(repr, problem.jaxpr.out_avals))}.")
    key = ("root", method, d)
    solver = problem.jaxpr.cache.get(key)
    if solver is None:
        solver = problem.jaxpr.cache[key] = _system_solver(problem._replace(start=None, operands=None), method)
    settings = np.asarray(_tolerance(tol, dtype), dtype), np.asarray(maxiter, "int32")
    x, value, jacobian, status, iterations, evaluations, jacobians = solver(
        problem.start, settings, *problem.operands)
    return OptimizeResults(problem.unravel(x), status == CONVERGED, status, value, jacobian, None, evaluations,
                           jacobians, iterations)


def _tolerance(tol, dtype):
    return tol if tol is not None else 1e-10 if onp.finfo(dtype).eps < 1e-12 else 1e-5


def _maxiter(options, what, default):
    for name in options or {}:
        if name != "maxiter":
            raise ValueError(f"{what} has no option {name!r}; there is maxiter.")
    return (options or {}).get("maxiter", default)


def _system_solver(problem, method):
    """The compiled search for a root, kept with the staged function."""
    def residual(z, *operands):
        return np.concatenate([np.reshape(y, (-1,)) for y in problem(z, *operands)])

    def solve(x0, settings, *operands):
        tol, maxiter = settings
        f = lambda z: residual(z, *operands)
        s = while_loop(lambda s: s.status == RUNNING, lambda s: _try(f, s, tol, maxiter, method == "newton"),
                       _begin(f, x0, tol))
        return s.x, s.value, s.jacobian, s.status, s.iterations, s.evaluations, s.jacobians

    return solution_of(jit(solve), residual)


def _begin(f, x0, tol):
    value, count = f(x0), np.zeros((), "int32")
    state = _State(x0, value, np.zeros((x0.shape[0],) * 2, x0.dtype), np.asarray(False), np.zeros_like(x0),
                   np.full((), SHORTEST, x0.dtype), count, count, count + 1, count)
    done = np.where(np.max(np.abs(value)) <= tol, CONVERGED, RUNNING)
    done = np.where(np.all(np.isfinite(value)), done, NOT_FINITE)
    return _aim(f, state._replace(status=np.astype(done, "int32")))


def _aim(f, state):
    """Newton's direction with the Jacobian at x."""
    jacobian = jacfwd(f)(state.x)
    return _toward(state._replace(jacobian=jacobian, exact=np.asarray(True), jacobians=state.jacobians + 1))


def _toward(state):
    return state._replace(direction=-np.linalg.solve(state.jacobian, state.value), share=np.ones_like(state.share))


def _try(f, state, tol, maxiter, newton):
    """Look at a point along the direction: go there, or shorten the step, or learn the Jacobian anew, or give up."""
    step = state.share * state.direction
    x = state.x + step
    value = f(x)
    lower = _norm(value) <= (1.0 - 1e-4 * state.share) * _norm(state.value)          # false of nan
    tried = state._replace(evaluations=state.evaluations + 1, share=0.5 * state.share)
    short = np.logical_not(np.logical_and(tried.share >= SHORTEST, np.all(np.isfinite(step))))
    given_up = np.logical_and(short, state.exact)
    status = np.astype(np.where(np.logical_and(given_up, np.logical_not(lower)), STUCK, RUNNING), "int32")
    there = tried._replace(x=x, value=value, iterations=state.iterations + 1, exact=np.asarray(False), status=np.astype(
        np.where(np.max(np.abs(value)) <= tol, CONVERGED,
                 np.where(state.iterations + 1 >= maxiter, TOO_LONG, RUNNING)), "int32"))
    change = value - state.value - state.jacobian @ step                             # of Broyden's update
    learnt = state.jacobian + change[:, None] * step[None, :] / np.maximum(np.sum(step * step), np.finfo(x.dtype).tiny)
    there = there._replace(jacobian=np.where(lower, learnt, state.jacobian))
    new = cond(lower, lambda: there, lambda: tried._replace(status=status))
    anew = np.logical_or(np.logical_and(lower, newton), np.logical_and(np.logical_not(lower), short))
    anew = np.logical_and(anew, new.status == RUNNING)
    return cond(anew, lambda s: _aim(f, s), lambda s: cond(lower, _toward, lambda s: s, s), new)


def _norm(value):
    return np.sqrt(np.sum(value * value))


# ---- one equation ----

def root_scalar(f, args=(), *, method=None, bracket=None, x0=None, xtol=None, rtol=None, maxiter=200):
    """x with f(x, *args) = 0, a number: an `OptimizeResults`.

    bracket : (a, b) with f(a) and f(b) of opposite signs        x0 : where to begin without one, or inside of it
    method : "bisect" (needs a bracket), or "newton", whose steps are replaced by halves of the bracket where they leave
        it or are too slow, if there is one. By default "newton" where there is an x0, else "bisect".
    xtol, rtol : x is found to xtol + rtol |x|; 1e-12 and four units in the last place
    status 3: the bracket's ends have the same sign, or f is not finite there; x is then nan
    Compiled, mapped and differentiated as `minimize` is. With args and the bracket arrays, use vmap.
    Source: Press et al. (2007), Numerical recipes, section 9.4, for Newton's method with a bracket.

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import grad
    >>> f = lambda x, a: x ** 3 - a
    >>> float(root_scalar(f, (8.0,), bracket=(0.0, 5.0)).x).__round__(9)
    2.0
    >>> float(grad(lambda a: root_scalar(f, (a,), x0=1.0).x)(8.0)).__round__(9)         # 1 / (3 x²)
    0.083333333
    """
    method = method or ("bisect" if x0 is None else "newton")
    if method not in SCALAR_METHODS:
        raise ValueError(f"root_scalar(method={method!r}): choose one of {', '.join(map(repr, SCALAR_METHODS))}.")
    if bracket is None and (method == "bisect" or x0 is None):
        raise ValueError("root_scalar needs bracket=(a, b), with a change of sign between them, or, for Newton's "
                         "method, x0.")
    low, high = (-np.inf, np.inf) if bracket is None else bracket
    middle = 0.5 * (np.asarray(low) + np.asarray(high)) if x0 is None else x0
    problem = pose(f, middle, args, "root_scalar")
    if [a.shape for a in problem.jaxpr.out_avals] != [()] or problem.start.shape != (1,):
        raise ShapeError(f"root_scalar takes a function of one number that gives one; {problem.jaxpr.name} gives "
                         f"{', '.join(map(repr, problem.jaxpr.out_avals))}.\nUse vmap for several, root for systems.")
    dtype = problem.start.dtype
    key = ("root_scalar", method, bracket is None)
    solver = problem.jaxpr.cache.get(key)
    if solver is None:
        solver = problem.jaxpr.cache[key] = _scalar_solver(problem._replace(start=None, operands=None), method,
                                                           bracket is not None)
    eps = 4 * onp.finfo(dtype).eps
    settings = [np.asarray(v, dtype) for v in (low, high, max(1e-12, eps) if xtol is None else xtol,
                                               eps if rtol is None else rtol)]
    x, value, slope, status, iterations, evaluations = solver(
        problem.start, (*settings, np.asarray(maxiter, "int32")), *problem.operands)
    return OptimizeResults(problem.unravel(x), status == CONVERGED, status, value, slope, None, evaluations,
                           evaluations if method == "newton" else np.zeros_like(evaluations), iterations)


def _scalar_solver(problem, method, bracketed):
    def residual(z, *operands):
        return np.reshape(problem(z, *operands)[0], (1,))

    def solve(x0, settings, *operands):
        low, high, xtol, rtol, maxiter = settings
        f = lambda x: problem(np.reshape(x, (1,)), *operands)[0]
        count = np.zeros((), "int32")
        sign, status = np.ones_like(low), count + RUNNING
        if bracketed:
            at_low, at_high = f(low), f(high)
            sign = np.sign(at_high)                                  # so that sign f rises from low to high
            swapped = np.logical_and(np.sign(at_low) * np.sign(at_high) <= 0.0,
                                     np.isfinite(at_low + at_high))
            status = np.astype(np.where(swapped, RUNNING, NOT_FINITE), "int32")
            sign = np.where(sign == 0.0, -np.sign(at_low), sign)
        look = value_and_grad(f) if method == "newton" else lambda x: (f(x), np.zeros_like(x))
        turn = lambda s: _look(look, s, sign, xtol, rtol, maxiter, method == "newton", bracketed)
        x = x0[0]
        start = _Scalar(x, low, high, np.zeros_like(x), np.zeros_like(x), np.full_like(x, np.inf), status, count)
        s = while_loop(lambda s: s.status == RUNNING, turn, start)
        x = np.where(s.status == NOT_FINITE, np.nan, s.x)
        return np.reshape(x, (1,)), s.value, s.slope, s.status, s.iterations, s.iterations + 2 * bracketed

    return solution_of(jit(solve), residual)


class _Scalar(NamedTuple):
    """Where the search for a root of one equation is."""
    x: Any                     # where to look next; at the end the root
    low: Any
    high: Any
    value: Any
    slope: Any
    moved: Any                 # float[]: the length of the last step
    status: Any
    iterations: Any


def _look(look, s, sign, xtol, rtol, maxiter, newton, bracketed):
    """Look at x, narrow the bracket, and choose the next point."""
    value, slope = look(s.x)
    low, high = s.low, s.high
    if bracketed:
        below = sign * value < 0.0
        low, high = np.where(below, s.x, low), np.where(below, high, s.x)
    middle = 0.5 * (low + high) if bracketed else s.x
    x = s.x - value / slope if newton else middle
    if newton and bracketed:
        inside = np.logical_and(x > np.minimum(low, high), x < np.maximum(low, high))
        quick = 2.0 * np.abs(x - s.x) <= s.moved                    # false of nan
        x = np.where(np.logical_and(inside, quick), x, middle)
    moved, near = np.abs(x - s.x), xtol + rtol * np.abs(x)
    done = np.logical_or(value == 0.0, moved <= near)
    x = np.where(value == 0.0, s.x, x)
    iterations = s.iterations + 1
    status = np.where(done, CONVERGED, np.where(iterations >= maxiter, TOO_LONG, RUNNING))
    status = np.where(np.isfinite(x), status, STUCK)
    return _Scalar(x, low, high, value, slope, moved, np.astype(status, "int32"), iterations)
