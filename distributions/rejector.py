"""The distribution of those proposals that a random test accepts."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.control import while_loop
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, child, param, static


class Rejector(Distribution):
    """Draws of a proposal, repeated until one is accepted, with probability exp(log_prob_accept(x)).

        log p(x) = log p_propose(x) + log_prob_accept(x) - log_scale

    propose : a distribution, which gives the support
    log_prob_accept : (x [*shape, *batch, *event], *args) -> float[*shape, *batch], <= 0. It is part of the type, so
    what is to be differentiated or vmapped together with the distribution goes to args
    log_scale : float[*batch], the logarithm of how likely a proposal is to be accepted. Draws do not need it; without
    it, as 0, log_prob is that of an accepted proposal up to a constant
    Draws are made until all elements are accepted, so the least lucky one sets the time.

    >>> from chainrule.distributions import Exponential
    >>> d = Rejector(Exponential(1.0), lambda x: np.where(x < 1.0, 0.0, -np.inf), np.log(1.0 - np.exp(-1.0)))
    >>> float(d.log_prob(0.5)).__round__(6), float(d.log_prob(2.0))
    (-0.041325, -inf)
    """
    propose: Distribution = child()
    log_prob_accept: object = static()
    log_scale: ArrayLike = param(constraints.real)
    args: tuple = child(default=())

    def __init__(self, propose, log_prob_accept, log_scale=None, args=(), *, validate_args=None):
        scale = np.zeros((), propose.dtype) if log_scale is None else log_scale
        super().__init__(propose, log_prob_accept, scale, tuple(args), validate_args=validate_args)

    def _broadcast_parameters(self):
        return broadcast_shapes(super()._broadcast_parameters(), self.propose.batch_shape)

    @property
    def event_shape(self):
        return self.propose.event_shape

    @property
    def dtype(self):
        return self.propose.dtype

    @property
    def support(self):
        return self.propose.support

    @property
    def is_discrete(self):
        return self.propose.is_discrete

    def sample(self, key, sample_shape=()):
        lead = (*sample_shape, *self.batch_shape)
        propose, event = self.propose.expand(self.batch_shape), (1,) * len(self.event_shape)

        def proposal(i):
            first, second = random.split(random.fold_in(key, i))
            x = propose.sample(first, sample_shape)
            height = -random.exponential(second, lead, self.dtype)
            return x, height < self.log_prob_accept(x, *self.args)

        def again(state):
            i, x, done = state
            new, accepted = proposal(i)
            taken = np.logical_and(accepted, np.logical_not(done)).reshape((*lead, *event))
            return i + 1, np.where(taken, new, x), np.logical_or(done, accepted)
        return while_loop(lambda state: np.logical_not(np.all(state[2])), again, (1, *proposal(0)))[1]

    def log_prob_inside(self, value):
        return self.propose.log_prob_inside(value) + self.log_prob_accept(value, *self.args) - self.log_scale
