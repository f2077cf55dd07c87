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
from ..engine.control.custom import custom_jvp
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


def whitener(s):
    """W with W'W = S⁻¹, the inverse of the Cholesky factor, and half the log-determinant of S."""
    if s.shape[-1] == 1:
        root = np.sqrt(s)
        return 1.0 / root, np.log(root[..., 0, 0])
    return _whitener(s)


@custom_jvp
def _whitener(s):
    factor = cholesky(s)
    return solve_triangular(factor, _eye_like(s), lower=True), log_diagonal_sum(factor)


@_whitener.defjvp
def _(primals, tangents):
    """dW = -Φ(G) W and ½ tr G for G = W dS W', Φ the lower triangle with half the diagonal: products and no solves."""
    W, half_log_det = _whitener(*primals)
    G = sandwich(W, tangents[0])
    half = np.tril(G) - 0.5 * G * np.eye(G.shape[-1], dtype=G.dtype)
    return (W, half_log_det), (-np.matmul(half, W), 0.5 * np.trace(G, axis1=-2, axis2=-1))


@custom_jvp
def inverse(a):
    """A⁻¹, whose derivative -A⁻¹ dA A⁻¹ needs no factors."""
    return solve(a, _eye_like(a))


@inverse.defjvp
def _(primals, tangents):
    found = inverse(*primals)
    return found, -np.matmul(np.matmul(found, tangents[0]), found)


def _eye_like(a):
    return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)


def _gain(p, H, R):
    """K = P H' S⁻¹ for S = H P H' + R, and the whitener of S with half its log-determinant."""
    hp = np.matmul(H, p)
    W, half_log_det = whitener(np.matmul(hp, transposed(H)) + R)
    return np.matmul(transposed(np.matmul(W, hp)), W), W, half_log_det


def _joseph(gain, p, H, R):
    """(I - K H) P (I - K H)' + K R K', which is positive whatever the rounding; and I - K H."""
    rest = np.eye(p.shape[-1], dtype=p.dtype) - np.matmul(gain, H)
    return sandwich(rest, p) + sandwich(gain, R), rest


def _update(mean, p, H, R, v, seen):
    """The moments after an observation, and its log-density."""
    gain, W, half_log_det = _gain(p, H, R)
    innovation = v - apply(H, mean)
    return (mean + apply(gain, innovation), _joseph(gain, p, H, R)[0],
            _log_density(apply(W, innovation), half_log_det, seen))


def _log_density(z, half_log_det, seen):
    return -0.5 * np.sum(z * z, -1) - half_log_det - HALF_LOG_2PI * seen


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
        mean, p, term = _update(mean, p, H, R, v, seen)
        return (apply(F, mean) + b, sandwich(F, p) + Q, total + term), None
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
        mean, p, term = _update(predicted, before, H, R, v, seen)
        return (apply(F, mean) + b, sandwich(F, p) + Q), Filtered(mean, p, predicted, before, term)
    return over_time(step, _start(system), system[2:], length)[1]


def filter_in_parallel(system, length):
    """The same, as products of conditional densities p(xₜ | yₜ, xₜ₋₁) bracketed as a tree.

    The first step is like the others, from a state that it forgets: F = 0, b = m and Q = P.
    """
    mean, p = _start(system)
    F, b, Q = (_steps(x, length)[:length - 1] for x in (system.F, system.b, system.Q))
    F, b, Q = _prepended(np.zeros_like(p), F), _prepended(mean, b), _prepended(p, Q)
    H, R, v = (_steps(x, length) for x in (system.H, system.R, system.v))
    gain, W, _ = _gain(Q, H, R)
    C, rest = _joseph(gain, Q, H, R)
    innovation = v - apply(H, b)
    white = np.matmul(np.matmul(W, H), F)
    element = (np.matmul(rest, F), b + apply(gain, innovation), C, apply(transposed(white), apply(W, innovation)),
               np.matmul(transposed(white), white))
    _, means, covariances, _, _ = running_products(_compose, element)
    predicted = _prepended(mean, apply(F[1:], means[:-1]) + b[1:])
    before = _prepended(p, sandwich(F[1:], covariances[:-1]) + Q[1:])
    W, half_log_det = whitener(sandwich(H, before) + R)
    terms = _log_density(apply(W, v - apply(H, predicted)), half_log_det, system.seen)
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
    W = inverse(np.eye(A1.shape[-1], dtype=A1.dtype) + np.matmul(C1, J2))
    WA = np.matmul(W, A1)
    E = transposed(WA)                                                                     # A1' (I + J2 C1)^-1
    return (np.matmul(A2, WA), apply(A2, apply(W, b1 + apply(C1, eta2))) + b2, sandwich(A2, np.matmul(W, C1)) + C2,
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
    gain, W, _ = _gain(p, H, R)
    white = np.matmul(W, H)
    M = transposed(np.matmul(F, np.eye(p.shape[-1], dtype=p.dtype) - np.matmul(gain, H)))
    a = apply(transposed(white), apply(W, v - apply(H, f.predicted_mean)))
    B = np.matmul(transposed(white), white)
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
