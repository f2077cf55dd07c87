"""Random discrete probability measures, and the laws of their weights: Dirichlet and Pitman-Yor processes.

A draw from DirichletProcess(α) over a base distribution is Σ wₖ δ(aₖ): infinitely many atoms aₖ, drawn from the base,
with random weights. What can be held in arrays of a fixed shape are the laws of finitely many of its parts:

    ChineseRestaurantProcess       how n draws from it fall into clusters
    StickBreakingProcess           the fractions vₖ of what is left that the first weights take
    SizeBiasedSamplingProcess      the first weights themselves, in the order in which draws find them, and the rest
"""
import numpy as _numpy

from ..engine import numpy as np
from ..engine.scipy import special
from . import constraints
from .beta import Beta
from .categorical import CategoricalLogits
from .chinese_restaurant import ChineseRestaurantProcess, checked_size
from .distribution import Distribution
from .record import ArrayLike, Record, child, param, static


class _Sticks(Distribution):
    """Independent fractions vₖ ~ Beta(1 - d, θ + k d), k = 1 … K."""
    concentration: ArrayLike = param(lambda self: constraints.greater_than(-self.discount))
    num_sticks: int = static()
    discount: ArrayLike = param(constraints.half_open_interval(0.0, 1.0), default=0.0)
    reparametrized_params = ("concentration", "discount")

    def __init__(self, concentration, num_sticks, discount=0.0, *, validate_args=None):
        super().__init__(concentration, checked_size(type(self).__name__, "num_sticks", num_sticks), discount,
                         validate_args=validate_args)

    @property
    def fractions(self):
        """The law of the fractions, float[*batch, K]."""
        d, k = self.discount[..., None], _numpy.arange(1, self.num_sticks + 1, dtype=self.dtype)
        a = np.broadcast_to(1.0 - d, (*self.batch_shape, self.num_sticks))
        return Beta(a, self.concentration[..., None] + k * d, validate_args=False).to_event(1)


class StickBreakingProcess(_Sticks):
    """The first K fractions by which a stick is broken into the weights of a random measure.

        vₖ ~ Beta(1 - d, θ + k d), k = 1 … K, independent          weight k is vₖ Π_{j<k} (1 - vⱼ)

    concentration θ : float[*batch], > -d     num_sticks K : int, > 0     discount d : float[*batch], in [0, 1)
    sample : float[*shape, *batch, K], in (0, 1)
    Source: Ishwaran & James (2001), "Gibbs sampling methods for stick-breaking priors", section 2.1.

    >>> StickBreakingProcess(1.0, 3, 0.5).mean.tolist()
    [0.25, 0.2, 0.16666666666666666]
    """
    support = constraints.independent(constraints.unit_interval, 1)

    @property
    def event_shape(self):
        return (self.num_sticks,)

    def sample(self, key, sample_shape=()):
        return self.fractions.sample(key, sample_shape)

    def log_prob(self, value):
        return self.fractions.log_prob(value)

    def log_prob_inside(self, value):
        return self.fractions.log_prob_inside(value)

    @staticmethod
    def weights(value):
        """The weights of fractions, and the rest:  float[*shape, K] -> float[*shape, K + 1], with sum 1."""
        value = np.asarray(value)
        left = np.cumprod(1.0 - value, -1)
        before = np.concatenate([np.ones_like(left[..., :1]), left[..., :-1]], -1)
        return np.concatenate([value * before, left[..., -1:]], -1)

    @property
    def mean(self):
        return self.fractions.mean

    @property
    def variance(self):
        return self.fractions.variance

    def entropy(self):
        return self.fractions.entropy()


class SizeBiasedSamplingProcess(_Sticks):
    """The weights of the first K atoms of a random measure in the order in which draws from it find them, and the rest.

        wₖ = vₖ rₖ, rₖ = 1 - w₁ - … - wₖ₋₁, vₖ ~ Beta(1 - d, θ + k d)          log p(w) = Σₖ (log p(vₖ) - log rₖ)

    For K without end this is the Griffiths-Engen-McCloskey distribution; with d = 0, `StickBreakingWeights`.

    concentration θ : float[*batch], > -d     num_sticks K : int, > 0     discount d : float[*batch], in [0, 1)
    sample : float[*shape, *batch, K + 1], with sum 1, the rest of the mass last
    Source: Pitman (1996), "Random discrete distributions invariant under size-biased permutation", Adv. Appl. Prob. 28.

    >>> SizeBiasedSamplingProcess(1.0, 2).mean.tolist()
    [0.5, 0.25, 0.25]
    """
    support = constraints.simplex

    @property
    def event_shape(self):
        return (self.num_sticks + 1,)

    def sample(self, key, sample_shape=()):
        return StickBreakingProcess.weights(self.fractions.sample(key, sample_shape))

    def log_prob_inside(self, value):
        tail = np.flip(np.cumsum(np.flip(value, -1), -1), -1)            # what is left before each weight
        left, after = tail[..., :-1], tail[..., 1:]
        law = self.fractions.base_dist
        a, b = law.concentration1, law.concentration0                    # of w / r, where 1 - w / r is after / r
        terms = (a - 1.0) * np.log(value[..., :-1]) + (b - 1.0) * np.log(after) - (a + b - 1.0) * np.log(left)
        return np.sum(terms - special.betaln(a, b), -1)

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(self.support(value), np.all(value > 0, -1)))

    def _products(self, taken, kept):
        """E of a power of each weight: of its own fraction, and of what each earlier one leaves."""
        before = np.cumprod(kept, -1)
        shifted = np.concatenate([np.ones_like(before[..., :1]), before[..., :-1]], -1)
        return np.concatenate([taken * shifted, before[..., -1:]], -1)

    @property
    def mean(self):
        v = self.fractions.mean
        return self._products(v, 1.0 - v)

    @property
    def variance(self):
        v, var = self.fractions.mean, self.fractions.variance
        return self._products(var + v * v, var + (1.0 - v) * (1.0 - v)) - np.square(self.mean)


class PitmanYorProcess(Record):
    """The random measure of discount d in [0, 1) and concentration θ > -d, and the laws of its parts.

    It is no distribution of arrays: a draw has infinitely many atoms. Names of parameters as in Turing.
    Source: Pitman & Yor (1997), "The two-parameter Poisson-Dirichlet distribution", Annals of Probability 25.

    >>> process = PitmanYorProcess(0.5, 1.0)
    >>> process.partition(3).prob([0, 0, 0]).item(), process.next_cluster([2, 1, 0]).probs.tolist()
    (0.125, [0.375, 0.125, 0.0, 0.5])
    """
    discount: ArrayLike = child()
    concentration: ArrayLike = child()

    def partition(self, size):
        """How `size` draws fall into clusters: a ChineseRestaurantProcess."""
        return ChineseRestaurantProcess(self.concentration, size, self.discount)

    def sticks(self, num_sticks):
        """The first fractions of the stick: a StickBreakingProcess."""
        return StickBreakingProcess(self.concentration, num_sticks, self.discount)

    def weights(self, num_sticks):
        """The first weights in the order of their discovery: a SizeBiasedSamplingProcess."""
        return SizeBiasedSamplingProcess(self.concentration, num_sticks, self.discount)

    def next_cluster(self, counts):
        """The cluster of one more draw, after counts[k] draws in cluster k: a Categorical, a new cluster last.

        counts : int[*batch, K], >= 0     probabilities (counts - d) / (n + θ), 0 for no draws, and (θ + K d) / (n + θ)
        """
        d, theta = np.asarray(self.discount)[..., None], np.asarray(self.concentration)[..., None]
        counts = np.asarray(counts)
        some = counts > 0
        old = np.where(some, np.log(np.where(some, counts - d, 1.0)), -np.inf)
        used = np.sum(some, -1, keepdims=True)
        fresh = np.where(used > 0, theta + used * d, 1.0)
        new = np.broadcast_to(np.log(fresh), (*old.shape[:-1], 1))
        return CategoricalLogits(np.concatenate([old, new], -1), validate_args=False)


class DirichletProcess(PitmanYorProcess):
    """The random measure of concentration α > 0, and the laws of its parts: a PitmanYorProcess without discount.

    Its masses of the sets of any finite partition of the space are Dirichlet(α H(set)), H the base distribution.
    Source: Ferguson (1973), "A Bayesian analysis of some nonparametric problems", Annals of Statistics 1.

    >>> DirichletProcess(1.0).partition(2).prob([0, 1]).item()
    0.5
    """

    def __init__(self, concentration):
        super().__init__(0.0, concentration)
