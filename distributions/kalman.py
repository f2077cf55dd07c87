"""Filtering and smoothing of linear-Gaussian state space models: step by step, and as trees of associative products.

    xₜ₊₁ = Fₜ xₜ + bₜ + N(0, Qₜ),    vₜ = Hₜ xₜ + N(0, Rₜ),    x₀ ~ N(m, P)

Time is the first axis of all arrays, other leading axes broadcast: v [T, *lead, m], and matrices with axes of size one
where they are shared, so that covariances are computed once for many series. Nothing is inverted but the covariance of
the innovations, also by the smoother, which is the one of Bryson and Frazier; so Q, R and the covariances of the states
may be singular.

Source: Särkkä (2013), Bayesian Filtering and Smoothing, §4.3; Särkkä & García-Fernández (2021), Temporal
parallelization of Bayesian smoothers, IEEE TAC 66(1), lemmas 7, 8; Durbin & Koopman (2012), Time Series Analysis by
State Space Methods, §4.4 (smoothing), §4.9 (simulation), §4.10 (missing values).
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.control import scan
from ..engine.numpy.linalg import cholesky, solve
from ..engine.scipy.linalg import solve_triangular
from .multivariate_normal import log_diagonal_sum
from .normal import HALF_LOG_2PI
from .prefix import running_products


class System(NamedTuple):
    """The arrays of a model and its observations, for T steps: [T or 1, …]. Missing rows are zero in v and H."""
    initial_mean: Array          # [*lead, d]
    initial_covariance: Array    # [*lead, d, d]
    F: Array                     # [T, *lead, d, d], from step t to the next; the last one is not used
    b: Array                     # [T, *lead, d]
    Q: Array                     # [T, *lead, d, d]
    H: Array                     # [T, *lead, m, d]
    R: Array                     # [T, *lead, m, m], with 1 on the diagonal where an observation is missing
    v: Array                     # [T, *lead, m], observations less their offset
    seen: Array                  # [T, *lead] or a number: how many are not missing


class Filtered(NamedTuple):
    """Moments of the states given observations up to each step, and before it; terms of the log-likelihood."""
    mean: Array                  # [T, *lead, d]
    covariance: Array            # [T, *lead, d, d]
    predicted_mean: Array
    predicted_covariance: Array
    log_likelihood: Array        # [T, *lead]: log p(yₜ | y₀ … yₜ₋₁)


def transposed(a):
    """A'."""
    return np.swapaxes(a, -1, -2)


def apply(a, x):
    """A x, batch axes broadcast."""
    return np.matmul(a, x[..., None])[..., 0]


def sandwich(a, p):
    """A P A'."""
    return np.matmul(np.matmul(a, p), transposed(a))


def factor_of(s):
    """The lower L with L L' = S."""
    return np.sqrt(s) if s.shape[-1] == 1 else cholesky(s)


def lower_solve(factor, b, trans=0):
    """L⁻¹ B, or L⁻' B for trans=1, batch axes broadcast."""
    if factor.shape[-1] == 1:
        return b / factor
    lead = np.broadcast_shapes(factor.shape[:-2], b.shape[:-2])
    factor, b = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (factor, b))
    return solve_triangular(factor, b, trans=trans, lower=True)


def _gain(p, H, R):
    """K = P H' S⁻¹ and the factor of S = H P H' + R."""
    hp = np.matmul(H, p)
    factor = factor_of(np.matmul(hp, transposed(H)) + R)
    return transposed(lower_solve(factor, lower_solve(factor, hp), trans=1)), factor


def _update(mean, p, H, R, v):
    """The moments after an observation, by Joseph's form; the innovation and the factor of its covariance."""
    gain, factor = _gain(p, H, R)
    innovation = v - apply(H, mean)
    rest = np.eye(p.shape[-1], dtype=p.dtype) - np.matmul(gain, H)
    return mean + apply(gain, innovation), sandwich(rest, p) + sandwich(gain, R), innovation, factor


def _log_density(innovation, factor, seen):
    z = lower_solve(factor, innovation[..., None])[..., 0]
    return -0.5 * np.sum(z * z, -1) - log_diagonal_sum(factor) - HALF_LOG_2PI * seen


def over_time(step, start, arrays, length, reverse=False):
    """scan of step(state, *slices) over arrays [T or 1, …]; those with one slice stay out of the loop's inputs."""
    moving = [x for x in arrays if x.shape[0] != 1 or length == 1]

    def body(state, xs):
        it = iter(xs)
        return step(state, *[next(it) if x.shape[0] != 1 or length == 1 else x[0] for x in arrays])
    return scan(body, start, moving, length=length, reverse=reverse)


def log_likelihood(system, length, parallel=False):
    """log p(y), float[*lead]."""
    if parallel:
        return np.sum(filter_in_parallel(system, length).log_likelihood, 0)
    start = (*_start(system), np.zeros(_lead(system), system.v.dtype))

    def step(state, F, b, Q, H, R, v, seen):
        mean, p, total = state
        mean, p, innovation, factor = _update(mean, p, H, R, v)
        total = total + _log_density(innovation, factor, seen)
        return (apply(F, mean) + b, sandwich(F, p) + Q, total), None
    return over_time(step, start, system[2:], length)[0][2]


def _lead(system):
    """The batch axes of means."""
    return np.broadcast_shapes(system.v.shape[1:-1], system.initial_mean.shape[:-1], _lead_of_covariance(system),
                               system.b.shape[1:-1])


def _lead_of_covariance(system):
    """The batch axes of covariances, which do not depend on what is observed."""
    return np.broadcast_shapes(*[x.shape[1:-2] for x in (system.F, system.Q, system.H, system.R)],
                               system.initial_covariance.shape[:-2])


def _start(system):
    d = system.F.shape[-1]
    return (np.broadcast_to(system.initial_mean, (*_lead(system), d)),
            np.broadcast_to(system.initial_covariance, (*_lead_of_covariance(system), d, d)))


def filter_in_sequence(system, length):
    """Kalman's filter."""
    def step(state, F, b, Q, H, R, v, seen):
        predicted, before = state
        mean, p, innovation, factor = _update(predicted, before, H, R, v)
        out = Filtered(mean, p, predicted, before, _log_density(innovation, factor, seen))
        return (apply(F, mean) + b, sandwich(F, p) + Q), out
    return over_time(step, _start(system), system[2:], length)[1]


def filter_in_parallel(system, length):
    """The same, as products of conditional densities p(xₜ | yₜ, xₜ₋₁) bracketed as a tree."""
    F, b, Q = (_steps(x, length)[:length - 1] for x in (system.F, system.b, system.Q))     # into t = 1 … T - 1
    H, R, v = (_steps(x, length) for x in (system.H, system.R, system.v))
    d = F.shape[-1]
    mean, p = _start(system)
    first_mean, first_p, _, _ = _update(mean, p, H[0], R[0], v[0])
    gain, factor = _gain(Q, H[1:], R[1:])
    rest = np.eye(d, dtype=p.dtype) - np.matmul(gain, H[1:])
    innovation = v[1:] - apply(H[1:], b)
    white = lower_solve(factor, np.matmul(H[1:], F))                                       # S^-½ H F
    element = (np.matmul(rest, F), b + apply(gain, innovation), sandwich(rest, Q) + sandwich(gain, R[1:]),
               apply(transposed(white), lower_solve(factor, innovation[..., None])[..., 0]),
               np.matmul(transposed(white), white))
    zero = (np.zeros_like(p), first_mean, first_p, np.zeros_like(first_mean), np.zeros_like(p))
    joined = [_prepended(a, rows) for a, rows in zip(zero, element)]
    _, means, covariances, _, _ = running_products(_compose, tuple(joined))
    predicted = _prepended(mean, apply(F, means[:-1]) + b)
    before = _prepended(p, sandwich(F, covariances[:-1]) + Q)
    s = factor_of(sandwich(H, before) + R)
    terms = _log_density(v - apply(H, predicted), s, system.seen)
    return Filtered(means, covariances, predicted, before, terms)


def _steps(x, length):
    return np.broadcast_to(x, (length, *x.shape[1:])) if x.shape[0] == 1 else x


def _prepended(first, rows):
    """first in front of the rows, batch axes broadcast."""
    lead = np.broadcast_shapes(first.shape, rows.shape[1:])
    return np.concatenate([np.broadcast_to(first, lead)[None], np.broadcast_to(rows, (rows.shape[0], *lead))], 0)


def _compose(one, two):
    """The product of the densities of two neighbouring stretches of time (lemma 8)."""
    A1, b1, C1, eta1, J1 = one
    A2, b2, C2, eta2, J2 = two
    n = A1.shape[-1]
    eye = np.broadcast_to(np.eye(n, dtype=A1.dtype), A1.shape)
    solved = solve(eye + np.matmul(C1, J2), np.concatenate([A1, C1, eye], -1))             # (I + C1 J2)^-1 of each
    WA, WC, W = solved[..., :n], solved[..., n:2 * n], solved[..., 2 * n:]
    E = transposed(WA)                                                                     # A1' (I + J2 C1)^-1
    return (np.matmul(A2, WA), apply(A2, apply(W, b1 + apply(C1, eta2))) + b2, sandwich(A2, WC) + C2,
            apply(E, eta2 - apply(J2, b1)) + eta1, np.matmul(np.matmul(E, J2), A1) + J1)


def smooth(system, length, parallel=False):
    """Means and covariances of the states given all observations: [T, *lead, d] and [T, *lead, d, d].

    Backwards from zeros, rₜ = Mₜ rₜ₊₁ + H'S⁻¹e and Nₜ = Mₜ Nₜ₊₁ Mₜ' + H'S⁻¹H, with M = (F (I - K H))' and e the
    innovation: affine maps, whose composition is associative. The results are mean + P r and P - P N P, with the
    moments before the observation.
    """
    f = (filter_in_parallel if parallel else filter_in_sequence)(system, length)
    H, R, v, F = (_steps(x, length) for x in (system.H, system.R, system.v, system.F))
    p = f.predicted_covariance
    gain, factor = _gain(p, H, R)
    white = lower_solve(factor, H)
    innovation = lower_solve(factor, (v - apply(H, f.predicted_mean))[..., None])[..., 0]
    M = transposed(np.matmul(F, np.eye(p.shape[-1], dtype=p.dtype) - np.matmul(gain, H)))
    a, B = apply(transposed(white), innovation), np.matmul(transposed(white), white)
    if parallel:
        r, N = running_products(_affine, (M, a, B), reverse=True)[1:]
    else:
        def step(state, M, a, B):
            r, N = state
            new = apply(M, r) + a, sandwich(M, N) + B
            return new, new
        r, N = over_time(step, (np.zeros_like(a[0]), np.zeros_like(B[0])), (M, a, B), length, reverse=True)[1]
    return f.predicted_mean + apply(p, r), p - np.matmul(np.matmul(p, N), p)


def _affine(early, late):
    """early ∘ late, for maps r -> M r + a, N -> M N M' + B."""
    M1, a1, B1 = early
    M2, a2, B2 = late
    return np.matmul(M1, M2), apply(M1, a2) + a1, sandwich(M1, B2) + B1
