"""Hidden Markov models in the form that starts with a hidden state before the first transition.

    z₀ ~ initial,   for t = 1 … T:  zₜ from zₜ₋₁,  yₜ from zₜ

`HiddenMarkovModel` and `LinearGaussianStateSpace` observe their first state; these make one transition before. States
are rows here: zₜ = zₜ₋₁ F + noise, yₜ = zₜ H + noise.
"""
from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ParameterError, ShapeError
from ..engine.scipy.special import gammaln
from . import constraints
from .categorical import Categorical
from .distribution import Distribution
from .gamma import Gamma
from .hidden_markov import HiddenMarkovModel, log_sum
from .kalman import apply, sandwich, transposed, whitener
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, static
from .state_space import LinearGaussianStateSpace, _time_first


class DiscreteHMM(HiddenMarkovModel):
    """Observations of a chain of finitely many states, the first of them after one transition.

        p(y) = Σ over z₀ … z_T of p(z₀) Π p(zₜ | zₜ₋₁) p(yₜ | zₜ)

    initial_logits : float[*batch, k], of z₀, normalised here
    transition_logits : float[*batch, T or 1, k, k] or float[k, k], rows normalised here
    observation_dist : a distribution with batch shape [k], or [*batch, T or 1, k]
    duration : T, unless the shapes of the others say it          sample : [*shape, *batch, T, *event]

    >>> from chainrule.distributions import Normal
    >>> hmm = DiscreteHMM([0.0, 0.0], [[2.0, 0.0], [0.0, 2.0]], Normal([0.0, 3.0], 1.0), duration=4)
    >>> hmm.event_shape
    (4,)
    """

    def __init__(self, initial_logits, transition_logits, observation_dist, duration=None, *, validate_args=None):
        initial, transition = np.asarray(initial_logits), np.asarray(transition_logits)
        shape = observation_dist.batch_shape
        steps = {n for n in (transition.shape[-3] if transition.ndim > 2 else 1, shape[-2] if len(shape) > 1 else 1)
                 if n > 1}
        if duration is not None:
            steps |= {int(duration)}
        if len(steps) != 1:
            raise ShapeError("DiscreteHMM: the number of steps must follow from transition_logits "
                             f"{transition.shape}, the batch shape {shape} of observation_dist, and duration="
                             f"{duration}, and be one number.\nPass duration=T.")
        initial = initial - log_sum(initial, -1)[..., None]
        transition = transition - log_sum(transition, -1)[..., None]
        changing = transition.ndim > 2 and transition.shape[-3] > 1
        first = transition[..., 0, :, :] if transition.ndim > 2 else transition
        rest = transition[..., 1:, :, :] if changing else transition
        initial = log_sum(initial[..., :, None] + first, -2)
        super().__init__(Categorical(logits=initial), Categorical(logits=rest), observation_dist, steps.pop(),
                         validate_args=validate_args)


class GaussianHMM(LinearGaussianStateSpace):
    """zₜ = zₜ₋₁ F + transition noise, yₜ = zₜ H + observation noise, all normal; z₀ ~ initial_dist is not observed.

    initial_dist : MultivariateNormal of n numbers          transition_dist, observation_dist : of n and of m numbers
    transition_matrix F : float[n, n], observation_matrix H : float[n, m], or with a leading axis of T or 1 steps
    duration : T, unless the shapes of the others say it          sample : float[*shape, *batch, T, m]

    >>> from chainrule.distributions import MultivariateNormal
    >>> one = MultivariateNormal(np.zeros(1), covariance_matrix=np.eye(1))
    >>> GaussianHMM(one, np.eye(1), one, np.eye(1), one, duration=5).event_shape
    (5, 1)
    """

    def __init__(self, initial_dist, transition_matrix, transition_dist, observation_matrix, observation_dist,
                 duration=None, *, validate_args=None):
        system, steps = _system("GaussianHMM", initial_dist, transition_matrix, transition_dist, observation_matrix,
                                observation_dist, duration)
        super().__init__(*system[:5], steps, *system[5:], validate_args=validate_args)


def _system(name, initial_dist, transition_matrix, transition_dist, observation_matrix, observation_dist, duration):
    """The arguments of LinearGaussianStateSpace, with one transition made, and the number of steps."""
    for what, d in (("initial_dist", initial_dist), ("transition_dist", transition_dist),
                    ("observation_dist", observation_dist)):
        if not hasattr(d, "covariance_matrix"):
            raise ParameterError(f"{name}: {what} must be a multivariate normal distribution; got {type(d).__name__}.")
    F, H = np.asarray(transition_matrix), np.asarray(observation_matrix)
    rows = [F.shape[-3] if F.ndim > 2 else 1, H.shape[-3] if H.ndim > 2 else 1,
            *[d.batch_shape[-1] if d.batch_shape else 1 for d in (transition_dist, observation_dist)]]
    steps = {n for n in rows if n > 1} | (set() if duration is None else {int(duration)})
    if len(steps) != 1:
        raise ShapeError(f"{name}: the arguments have {rows} steps, and duration={duration}; one number of steps must "
                         "follow from them.\nPass duration=T.")
    F, H = transposed(F), transposed(H)
    b, Q = transition_dist.mean, transition_dist.covariance_matrix
    at = lambda x, k, i: x if x.ndim <= k else x[(Ellipsis, i, *(slice(None),) * k)]
    rest = lambda x, k: x if x.ndim <= k or x.shape[-k - 1] == 1 else x[(Ellipsis, slice(1, None), *(slice(None),) * k)]
    mean = apply(at(F, 2, 0), initial_dist.mean) + at(b, 1, 0)
    covariance = sandwich(at(F, 2, 0), initial_dist.covariance_matrix) + at(Q, 2, 0)
    system = ((mean, covariance), rest(F, 2), rest(Q, 2), H, observation_dist.covariance_matrix, rest(b, 1),
              observation_dist.mean)
    return system, steps.pop()


class GammaGaussianHMM(Distribution):
    """A GaussianHMM whose covariances are all divided by one s ~ Gamma(a, b): together, yₜ has a Student t law.

        log p(y) = log Γ(a + n/2) - log Γ(a) + a log b - (a + n/2) log(b + q/2) - n/2 log 2π - ½ log |S|

    for the n numbers of y, whose covariance at s = 1 is S, and q = (y - mean)' S⁻¹ (y - mean), both from the filter.
    scale_dist : Gamma       the other arguments are those of GaussianHMM       sample : float[*shape, *batch, T, m]

    >>> from chainrule.distributions import Gamma, MultivariateNormal
    >>> one = MultivariateNormal(np.zeros(1), covariance_matrix=np.eye(1))
    >>> GammaGaussianHMM(Gamma(2.0, 2.0), one, np.eye(1), one, np.eye(1), one, duration=5).event_shape
    (5, 1)
    """
    scale_dist: Distribution = child()
    hmm: Distribution = child()

    def __init__(self, scale_dist, initial_dist, transition_matrix, transition_dist, observation_matrix,
                 observation_dist, duration=None, *, validate_args=None):
        if not isinstance(scale_dist, Gamma):
            raise ParameterError(f"GammaGaussianHMM: scale_dist must be a Gamma; got {type(scale_dist).__name__}.")
        hmm = GaussianHMM(initial_dist, transition_matrix, transition_dist, observation_matrix, observation_dist,
                          duration, validate_args=validate_args)
        self._bind((scale_dist, hmm), {})

    support = constraints.real_matrix
    batch_shape = property(lambda self: self.hmm.batch_shape)
    event_shape = property(lambda self: self.hmm.event_shape)
    dtype = property(lambda self: self.hmm.dtype)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key, 2)
        lead = (*sample_shape, *self.batch_shape)
        s = self.scale_dist.expand(self.batch_shape).sample(first, sample_shape)
        noise = self.hmm.sample(second, sample_shape) - self._mean()
        return self._mean() + noise / np.sqrt(np.reshape(s, (*lead, 1, 1)))

    def _mean(self):
        """The mean of the observations, [*batch, T, m]."""
        F, b, _, H, _ = self.hmm._arrays()
        T = self.hmm.num_steps

        def along(x):
            return np.broadcast_to(x, (T, *x.shape[1:]))

        def step(x, inputs):
            F, b, H = inputs
            return apply(F, x) + b, apply(H, x)
        lead = (*self.batch_shape, self.hmm.initial_mean.shape[-1])
        start = np.broadcast_to(self.hmm.initial_mean, lead)
        out = scan(step, start, (along(F), along(b), along(H)))[1]
        return np.moveaxis(out, 0, -2) + self.hmm.observation_offset

    def log_prob_inside(self, value):
        a, b = self.scale_dist.concentration, self.scale_dist.rate
        q, half_log_det = self._distance(value)
        n = self.event_shape[0] * self.event_shape[1]
        k = a + 0.5 * n
        return (gammaln(k) - gammaln(a) + a * np.log(b) - k * np.log(b + 0.5 * q) - n * HALF_LOG_2PI - half_log_det)

    def _distance(self, value):
        """q and ½ log |S|, from the innovations of the filter at s = 1."""
        found = self.hmm.filter(value)
        H, R = _time_first(self.hmm.observation_matrix, 2), _time_first(self.hmm.observation_covariance, 2)
        v = _time_first(np.asarray(value) - self.hmm.observation_offset, 1)
        extra = v.ndim - 2
        spread = lambda x: x.reshape((x.shape[0], *(1,) * (extra + 3 - x.ndim), *x.shape[1:]))
        H, R = spread(H), spread(R)
        W, half_log_det = whitener(sandwich(H, found.predicted_covariance) + R)
        e = apply(W, v - apply(H, found.predicted_mean))
        T = self.hmm.num_steps
        return np.sum(e * e, (0, -1)), np.sum(np.broadcast_to(half_log_det, (T, *half_log_det.shape[1:])), 0)


class IndependentHMM(Distribution):
    """A batch of m models of one number at each step, as one model of vectors of m numbers.

    base_dist : of batch shape [*batch, m] and event shape [T, 1]          sample : float[*shape, *batch, T, m]

    >>> from chainrule.distributions import MultivariateNormal
    >>> one = MultivariateNormal(np.zeros(1), covariance_matrix=np.eye(1))
    >>> hmm = GaussianHMM(one, np.eye(1) * np.ones((3, 1, 1, 1)), one, np.eye(1), one, duration=5)
    >>> IndependentHMM(hmm).event_shape
    (5, 3)
    """
    base_dist: Distribution = child()

    def __init__(self, base_dist, *, validate_args=None):
        if len(base_dist.batch_shape) < 1 or len(base_dist.event_shape) != 2 or base_dist.event_shape[1] != 1:
            raise ShapeError("IndependentHMM: base_dist must have batch shape (..., m) and event shape (T, 1); it has "
                             f"{base_dist.batch_shape} and {base_dist.event_shape}.")
        self._bind((base_dist,), {})

    support = constraints.real_matrix
    batch_shape = property(lambda self: self.base_dist.batch_shape[:-1])
    event_shape = property(lambda self: (self.base_dist.event_shape[0], self.base_dist.batch_shape[-1]))
    dtype = property(lambda self: self.base_dist.dtype)

    def sample(self, key, sample_shape=()):
        return np.swapaxes(self.base_dist.sample(key, sample_shape)[..., 0], -1, -2)

    def log_prob_inside(self, value):
        return np.sum(self.base_dist.log_prob(np.swapaxes(np.asarray(value), -1, -2)[..., None]), -1)


class LinearHMM(Distribution):
    """zₜ = zₜ₋₁ F + transition noise, yₜ = zₜ H + observation noise, with noises of any law of vectors.

    The arguments are those of GaussianHMM. It can be drawn from; its density has no form in general, so `log_prob`
    raises NotImplementedError: where all laws are normal use GaussianHMM, else write the states as sites.

    >>> from chainrule.distributions import MultivariateStudentT
    >>> from chainrule.engine import random
    >>> t = MultivariateStudentT(3.0, np.zeros(1), np.eye(1))
    >>> LinearHMM(t, np.eye(1), t, np.eye(1), t, duration=5).sample(random.key(0)).shape
    (5, 1)
    """
    initial_dist: Distribution = child()
    transition_matrix: ArrayLike = child()
    transition_dist: Distribution = child()
    observation_matrix: ArrayLike = child()
    observation_dist: Distribution = child()
    duration: int = static()

    def __init__(self, initial_dist, transition_matrix, transition_dist, observation_matrix, observation_dist,
                 duration, *, validate_args=None):
        self._bind((initial_dist, np.asarray(transition_matrix), transition_dist, np.asarray(observation_matrix),
                    observation_dist, int(duration)), {})

    support = constraints.real_matrix
    batch_shape = property(lambda self: self.initial_dist.batch_shape)
    event_shape = property(lambda self: (self.duration, self.observation_dist.event_shape[-1]))
    dtype = property(lambda self: self.initial_dist.dtype)

    def sample(self, key, sample_shape=()):
        first, second, third = random.split(key, 3)
        lead = (*sample_shape, *self.batch_shape)
        start = self.initial_dist.sample(first, sample_shape)
        noise = self.transition_dist.expand(lead).sample(second, (self.duration,))
        seen = self.observation_dist.expand(lead).sample(third, (self.duration,))

        def step(z, e):
            z = np.matmul(z[..., None, :], self.transition_matrix)[..., 0, :] + e
            return z, z
        states = scan(step, start, noise)[1]
        return np.moveaxis(np.matmul(states, self.observation_matrix) + seen, 0, -2)

    def log_prob(self, value):
        raise NotImplementedError("LinearHMM has no closed density.\nWhere all of its laws are normal use GaussianHMM; "
                                  "else write the states as sites, in a scan.")
