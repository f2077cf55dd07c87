"""Chains of normal hidden states with normal observations, given by factors that need not be conditional."""
from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .distribution import Distribution
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .normal import HALF_LOG_2PI
from .record import child, static


def _natural(d):
    """Of a normal density exp(h'y - ½ y'Λy - c): Λ, h and c."""
    precision = d.precision_matrix
    h = np.matvec(precision, d.loc)
    z = whiten(d.scale_tril, d.loc)
    return precision, h, 0.5 * np.sum(z * z, -1) + log_diagonal_sum(d.scale_tril) + d.loc.shape[-1] * HALF_LOG_2PI


def _integral(precision, h):
    """log ∫ exp(h'y - ½ y'Λy) dy, and the factor of Λ."""
    factor = cholesky(precision)
    z = whiten(factor, h)
    return 0.5 * np.sum(z * z, -1) - log_diagonal_sum(factor) + h.shape[-1] * HALF_LOG_2PI, factor


class GaussianMRF(Distribution):
    """A Gaussian Markov random field in time: n observations x₁ … xₙ of hidden states z₀ … zₙ.

        p(x) = ∫ f(z₀) Π g(zₜ₋₁, zₜ) h(zₜ, xₜ) dz / ∫∫ f(z₀) Π g(zₜ₋₁, zₜ) h(zₜ, xₜ) dz dx

    initial_dist f : normal vectors of d        transition_dist g : of 2d, of (zₜ₋₁, zₜ)
    observation_dist h : of d + k, of (zₜ, xₜ)          num_steps n : int          sample : float[*shape, *batch, n, k]
    Each is a MultivariateNormal, as a factor: g need not have f's marginals. Both integrals are eliminations forwards
    in time, at a cost of n (2d + k)³.
    Source: Rue & Held (2005), Gaussian Markov Random Fields, section 2.4.
    """
    initial_dist: MultivariateNormal = child()
    transition_dist: MultivariateNormal = child()
    observation_dist: MultivariateNormal = child()
    num_steps: int = static()
    reparametrized_params = ("initial_dist", "transition_dist", "observation_dist")

    def __init__(self, initial_dist, transition_dist, observation_dist, num_steps, *, validate_args=None):
        d, wide, both = (dist.event_shape[-1] for dist in (initial_dist, transition_dist, observation_dist))
        if wide != 2 * d or both <= d or num_steps < 1:
            raise ParameterError(f"GaussianMRF: with hidden states of {d} numbers transition_dist must be of {2 * d}, "
                                 f"observation_dist of more than {d}, and num_steps positive; got {wide}, {both} and "
                                 f"{num_steps}.")
        self._bind((initial_dist, transition_dist, observation_dist, num_steps), {})

    @property
    def batch_shape(self):
        return np.broadcast_shapes(*[d.batch_shape for d in (self.initial_dist, self.transition_dist,
                                                             self.observation_dist)])

    @property
    def event_shape(self):
        return (self.num_steps, self.observation_dist.event_shape[-1] - self.initial_dist.event_shape[-1])

    @property
    def dtype(self):
        return self.initial_dist.dtype

    @property
    def support(self):
        return constraints.real_matrix

    def _start(self, lead):
        """The first state's factor, with batch axes `lead`."""
        precision, h, c = _natural(self.initial_dist)
        d = h.shape[-1]
        return np.broadcast_to(precision, (*lead, d, d)), np.broadcast_to(h, (*lead, d)), np.broadcast_to(-c, lead)

    def _forwards(self, lead, more, values, length):
        """States eliminated one by one: the carry is the factor of zₜ, as Λ, h and the logarithm of a constant.

        more : an observation -> what it adds to Λ, h and the logarithm, for zₜ
        """
        d = self.initial_dist.event_shape[-1]
        joint, h, c = _natural(self.transition_dist)

        def step(carry, value):
            precision, info, log_scale = carry
            log_z, factor = _integral(precision + joint[..., :d, :d], info + h[..., :d])
            cross = np.broadcast_to(joint[..., :d, d:], (*lead, d, d))
            left = solve_triangular(factor, cross, lower=True)
            right = whiten(factor, info + h[..., :d])
            up, plus, extra = more(value)
            after = joint[..., d:, d:] - np.matmul(np.swapaxes(left, -1, -2), left) + up
            info = h[..., d:] - np.vecmat(right, left) + plus
            return (after, info, log_scale + log_z - c + extra), (factor, left, right)
        return scan(step, self._start(lead), values, length=length)

    def _observed(self):
        """What an observation adds; and, integrated over it, what the factor says of zₜ alone."""
        d = self.initial_dist.event_shape[-1]
        joint, h, c = _natural(self.observation_dist)

        def given(x):
            inner = -0.5 * np.sum(x * np.matvec(joint[..., d:, d:], x), -1) + np.sum(h[..., d:] * x, -1)
            return joint[..., :d, :d], h[..., :d] - np.matvec(joint[..., :d, d:], x), inner - c
        cov = self.observation_dist.covariance_matrix[..., :d, :d]
        alone = MultivariateNormal(self.observation_dist.loc[..., :d], covariance_matrix=cov, validate_args=False)
        precision, info, log_c = _natural(alone)
        return given, lambda _: (precision, info, -log_c)

    def log_prob_inside(self, value):
        lead = np.broadcast_shapes(value.shape[:-2], self.batch_shape)
        x = np.moveaxis(np.broadcast_to(value, (*lead, *self.event_shape)), -2, 0)
        given, alone = self._observed()

        def total(carry):
            return carry[2] + _integral(carry[0], carry[1])[0]
        above, _ = self._forwards(lead, given, x, None)
        below, _ = self._forwards(self.batch_shape, alone, None, self.num_steps)
        return total(above) - total(below)

    def sample(self, key, sample_shape=()):
        """The states backwards in time, each given the next one, then the observations."""
        first, second = random.split(key)
        lead, d = (*sample_shape, *self.batch_shape), self.initial_dist.event_shape[-1]
        (precision, info, _), (factors, lefts, rights) = self._forwards(lead, self._observed()[1], None, self.num_steps)
        noise = random.normal(first, (self.num_steps + 1, *lead, d), self.dtype)

        def draw(factor, white, e):                      # N(Λ⁻¹h, Λ⁻¹), Λ = L L', white = L⁻¹ h
            return solve_triangular(factor, (white + e)[..., None], trans=1, lower=True)[..., 0]
        last = cholesky(precision)
        z = draw(last, whiten(last, info), noise[-1])

        def back(z, inputs):
            factor, left, right, e = inputs
            return draw(factor, right - np.matvec(left, z), e), z
        _, states = scan(back, z, (factors, lefts, rights, noise[:-1]), reverse=True)
        obs = self.observation_dist
        factor = obs.scale_tril                          # x given z: m + L₂₁ L₁₁⁻¹ (z - m₁) + L₂₂ e
        white = whiten(factor[..., :d, :d], states - obs.loc[..., :d])
        e = random.normal(second, (self.num_steps, *lead, self.event_shape[-1]), self.dtype)
        x = obs.loc[..., d:] + np.matvec(factor[..., d:, :d], white) + np.matvec(factor[..., d:, d:], e)
        return np.moveaxis(x, 0, -2)
