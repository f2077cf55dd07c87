"""Values of which a part is observed: the law of that part, and the law of the rest given it.

    observed_part(d, seen)            the marginal distribution of the elements of events where `seen` is true
    missing_part(d, seen, value)      that of the others, given the value of those
    WhereMissing(d, seen)             independent events, of which those where `seen` is true are not asked for

All are distributions of whole arrays, so that `seen` may be traced and differ from event to event. The first does not
look at the elements that are missing. The others have a density at the observed places too, which knows no parameter
and integrates to one, so that they can stand in a model as latent variables: exact for all other sites, with no flat
direction, and nothing there that moves with the parameters.
"""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.numpy.linalg import cholesky
from ..engine.scipy import special
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .constraints import Constraint
from .distribution import shape_of, sum_rightmost
from .gaussian_process import GaussianProcess, StudentTProcess
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .multivariate_student_t import MultivariateStudentT
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param
from .structured_normal import CirculantNormal, LowRankMultivariateNormal
from .transforms import biject_to
from .wrappers import Expanded, Independent, Masked, Wrapper

NORMAL = (MultivariateNormal, LowRankMultivariateNormal, CirculantNormal, GaussianProcess)
STUDENT = (MultivariateStudentT, StudentTProcess)


class WhereSeen(Constraint):
    """Vectors whose elements are finite where `seen` is true."""
    seen: ArrayLike = child()
    everything, words, event_dim = True, "finite where it is observed", 1

    def check(self, x):
        return np.all(np.logical_or(np.isfinite(x), np.logical_not(self.seen)), -1)

    def example(self, x):
        return 0.0


biject_to.register(WhereSeen, lambda c: biject_to(constraints.real_vector))


class PartlyObserved(Wrapper):
    """The base, a multivariate normal or t, whose log_prob is that of the elements where `seen` is true.

    base_dist : a distribution with event shape (n,)        seen : bool[*batch, n]
    The other elements of a value may be anything, nan too; a draw is a draw of the base.
    Source: Anderson (2003), An Introduction to Multivariate Statistical Analysis, sections 2.4 and 2.5; Ding (2016), On
    the conditional distribution of the multivariate t distribution.

    >>> d = PartlyObserved(MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]]), [True, False])
    >>> round(float(d.log_prob([0.0, float("nan")])), 6)
    -0.918939
    >>> d.missing([2.0, float("nan")]).mean.tolist()
    [0.0, 1.0]
    """
    seen: ArrayLike = param(constraints.boolean, event_dim=1)

    def __init__(self, base_dist, seen, *, validate_args=None):
        self._bind((base_dist, seen), {})
        self._adopt(validate=False)

    @property
    def batch_shape(self):
        return broadcast_shapes(shape_of(self.seen)[:-1], self.base_dist.batch_shape)

    support = property(lambda self: WhereSeen(self.seen))

    def sample(self, key, sample_shape=()):
        return self.base_dist.expand(self.batch_shape).sample(key, sample_shape)

    def log_prob(self, value):
        factor, _, rest = self._seen_alone(value)
        square = np.sum(rest * rest, -1)
        count = np.sum(np.astype(self.seen, self.dtype), -1)
        if not isinstance(self.base_dist, STUDENT):
            return -0.5 * square - log_diagonal_sum(factor) - HALF_LOG_2PI * count
        df = self.base_dist.df
        some = np.where(count > 0, count, 1.0)
        ratio = special.betaln(0.5 * df, 0.5 * some) - special.gammaln(0.5 * some)   # log Γ(ν/2) - log Γ((ν + n)/2)
        norm = 0.5 * count * np.log(df * math.pi) + np.where(count > 0, ratio, 0.0) + log_diagonal_sum(factor)
        return -0.5 * (df + count) * np.log1p(square / df) - norm

    log_prob_inside = log_prob

    def _seen_alone(self, value):
        """With Σₒ the matrix of the observed elements, and that of I for the others: its factor L, Σ, L⁻¹ (x - μ)ₒ."""
        base, seen = self.base_dist, self.seen
        scale = _scale_matrix(base)
        factor = cholesky(np.where(_both(seen), scale, np.eye(scale.shape[-1], dtype=scale.dtype)))
        rest = np.where(seen, value, base.loc) - base.loc
        return factor, scale, whiten(factor, rest)

    def missing(self, value):
        """The distribution of the missing elements given those of `value` that are observed, in the base's family.

        With u the missing elements and o the observed: loc μᵤ + Σᵤₒ Σₒ⁻¹ (x - μ)ₒ, matrix C = Σᵤ - Σᵤₒ Σₒ⁻¹ Σₒᵤ; for
        Student's t, df ν + nₒ and matrix C (ν + |Lₒ⁻¹ (x - μ)ₒ|²) / (ν + nₒ). The elements o have loc 0 and matrix I.
        """
        base, seen = self.base_dist, self.seen
        factor, scale, rest = self._seen_alone(value)
        cross = np.where(np.logical_and(seen[..., :, None], np.logical_not(seen)[..., None, :]), scale, 0.0)
        across = _solve(factor, cross)                                           # L⁻¹ Σₒᵤ
        loc = np.where(seen, 0.0, base.loc + np.matvec(np.swapaxes(across, -1, -2), rest))
        left, eye = scale - np.matmul(np.swapaxes(across, -1, -2), across), np.eye(scale.shape[-1], dtype=scale.dtype)
        unseen = _both(np.logical_not(seen))
        if not isinstance(base, STUDENT):
            return MultivariateNormal(loc, scale_tril=cholesky(np.where(unseen, left, eye)), validate_args=False)
        count = np.sum(np.astype(seen, self.dtype), -1)
        grown = (base.df + np.sum(rest * rest, -1)) / (base.df + count)
        factor = cholesky(np.where(unseen, left * grown[..., None, None], eye))
        return MultivariateStudentT(base.df + count, loc, factor, validate_args=False)

    @property
    def mean(self):
        return np.broadcast_to(self.base_dist.mean, self.shape())

    @property
    def variance(self):
        return np.broadcast_to(self.base_dist.variance, self.shape())

    @property
    def mode(self):
        return np.broadcast_to(self.base_dist.mode, self.shape())


class WhereMissing(Wrapper):
    """The base where `seen` is false. Elsewhere a standard normal, taken into the base's support: T(z), z ~ N(0, I),
    for the bijection T = biject_to(support), so that in unconstrained space it is independent of everything.

    base_dist : a continuous distribution        seen : bool[*batch]

    >>> from chainrule.distributions import Normal
    >>> d = WhereMissing(Normal([5.0, 5.0], 0.1), [True, False])
    >>> d.log_prob([0.0, 5.0]).round(4).tolist()
    [-0.9189, 1.3836]
    """
    seen: ArrayLike = param(constraints.boolean)

    def __init__(self, base_dist, seen, *, validate_args=None):
        self._bind((base_dist, seen), {})
        self._adopt(validate=False)

    @property
    def batch_shape(self):
        return broadcast_shapes(shape_of(self.seen), self.base_dist.batch_shape)

    has_enumerate_support = property(lambda self: False)

    def _wide(self):
        return np.reshape(self.seen, (*self.seen.shape, *(1,) * len(self.event_shape)))

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        drawn = self.base_dist.expand(self.batch_shape).sample(first, sample_shape)
        transform = biject_to(self.support)
        z = random.normal(second, transform.inverse_shape(drawn.shape), drawn.dtype)
        return np.where(self._wide(), transform(z), drawn)

    def log_prob_inside(self, value):
        transform = biject_to(self.support)
        z = transform.inv(value)
        aside = sum_rightmost(-0.5 * z * z - HALF_LOG_2PI, transform.domain.event_dim)
        aside = aside - transform.log_abs_det_jacobian(z, value)
        asked = np.where(self._wide(), self.support.example(value), value)
        return np.where(self.seen, aside, self.base_dist.log_prob(asked))


def where_missing(d, seen):
    """`WhereMissing(d, seen)`; d itself where it is discrete, as sums over its values are taken of all places."""
    return d if d.is_discrete else WhereMissing(d, seen)


def _both(seen):
    """bool[*batch, n, n]: where the row and the column are true."""
    return np.logical_and(seen[..., :, None], seen[..., None, :])


def _solve(factor, b):
    """L⁻¹ b, batch axes broadcast.   factor : [*batch, n, n], b : [*batch, n, m]"""
    shape = broadcast_shapes(factor.shape[:-2], b.shape[:-2])
    return solve_triangular(np.broadcast_to(factor, (*shape, *factor.shape[-2:])),
                            np.broadcast_to(b, (*shape, *b.shape[-2:])), lower=True)


def _scale_matrix(d):
    """Σ, float[*batch, n, n], of which the covariance is a multiple."""
    if isinstance(d, MultivariateStudentT):
        return np.matmul(d.scale_tril, np.swapaxes(d.scale_tril, -1, -2))
    return d._covariance() if isinstance(d, StudentTProcess) else d.covariance_matrix


# ---- distributions made of others ----

def observed_part(d, seen):
    """The distribution d with the density of the elements where `seen` is true alone.   seen : bool[*batch, *event]

    Raises NotImplementedError for a family whose marginal distributions are not known here.
    """
    if isinstance(d, Independent) and not d.base_dist.event_shape:
        return d.base_dist.mask(seen).to_event(d.reinterpreted_batch_ndims)
    return _inside(d, seen, lambda base: observed_part(base, seen), lambda base: PartlyObserved(base, seen))


def missing_part(d, seen, value):
    """The distribution of the elements where `seen` is false, given those of `value` where it is true.

    seen : bool[*batch, *event]     value : [*batch, *event]
    Raises NotImplementedError for a family whose conditional distributions are not known here.
    """
    if isinstance(d, Independent) and not d.base_dist.event_shape:
        return where_missing(d.base_dist, seen).to_event(d.reinterpreted_batch_ndims)
    return _inside(d, seen, lambda base: missing_part(base, seen, value),
                   lambda base: PartlyObserved(base, seen).missing(value))


def _inside(d, seen, within, make):
    """make(d) for a normal or t vector; what wraps it is taken off and put on again around within(its base)."""
    if isinstance(d, NORMAL + STUDENT):
        return make(d)
    if isinstance(d, Expanded):
        part = within(d.base_dist)
        return part.expand(broadcast_shapes(part.batch_shape, d.batch_shape))
    if isinstance(d, Independent):
        return within(d.base_dist).to_event(d.reinterpreted_batch_ndims)
    if isinstance(d, Masked):
        return within(d.base_dist).mask(d.mask_array)
    raise NotImplementedError(f"the elements of {type(d).__name__} given some of the others have no distribution that "
                              "is known here.")
