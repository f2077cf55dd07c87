"""Sets that values and parameters lie in: `positive`, `interval(0, 5)`, `simplex`, …

A constraint is called with an array and says, for each event, whether it lies in the set: a constraint with
`event_dim` n looks at the last n axes. Those with bounds are pytrees, so bounds may be traced. `biject_to`
(in `transforms`) gives the bijection from unconstrained vectors to a continuous set.

    >>> from chainrule.distributions import constraints
    >>> constraints.interval(0.0, 2.0)([-1.0, 1.0])
    Array([False,  True])
"""
import numpy as _numpy

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from .record import ArrayLike, Record, child, static


class Constraint(Record):
    """Base of the constraints: write `check`, `example` and `words`."""

    @property
    def event_dim(self):
        """The number of axes of one event."""
        return 0

    @property
    def is_discrete(self):
        """Whether the members are integers."""
        return False

    @property
    def everything(self):
        """Whether every (finite) array of the right shape lies in it."""
        return False

    @property
    def words(self):
        """What completes the sentence "it must be …"."""
        return "valid"

    def __call__(self, x):
        return self.check(np.asarray(x))

    def check(self, x):
        """bool[*batch]: which events of x, float[*batch, *event], lie in the set."""
        raise NotImplementedError

    def example(self, x):
        """A member of the set that broadcasts to the shape of x."""
        raise NotImplementedError

    def feasible_like(self, x):
        """Members of the set, with the shape and dtype of x."""
        x = np.asarray(x)
        return np.broadcast_to(np.asarray(self.example(x), x.dtype), x.shape)

    def __eq__(self, other):
        if type(self) is not type(other):
            return False
        return all(_same(v, other.__dict__.get(k)) for k, v in self.__dict__.items())

    def __hash__(self):
        return hash((type(self), self._statics and tuple(self.__dict__[k] for k in self._statics)))


def _same(a, b):
    if a is b or isinstance(a, Record):
        return a == b if isinstance(a, Record) else True
    known = (Array, _numpy.ndarray, _numpy.generic, int, float)
    return isinstance(a, known) and isinstance(b, known) and _numpy.array_equal(_numpy.asarray(a), _numpy.asarray(b))


def _whole(x):
    """Whether the numbers are integers: True at once for an integer dtype."""
    return True if x.dtype.kind in "iub" else np.floor(x) == x


def _inclusive(x, low, high):
    return np.logical_and(x >= low, x <= high)


# ---- numbers ----

class _Real(Constraint):
    words, everything = "finite", True

    def check(self, x):
        return np.isfinite(x)

    def example(self, x):
        return 0.0


class _Positive(Constraint):
    words = "positive"

    def check(self, x):
        return x > 0

    def example(self, x):
        return 1.0


class _Nonnegative(_Positive):
    words = "nonnegative"

    def check(self, x):
        return x >= 0


class _UnitInterval(Constraint):
    words = "in [0, 1]"

    def check(self, x):
        return _inclusive(x, 0, 1)

    def example(self, x):
        return 0.5


class GreaterThan(Constraint):
    """The numbers x > lower_bound."""
    lower_bound: ArrayLike = child()
    relation = ">"

    @property
    def words(self):
        return f"{self.relation} {self.lower_bound}"

    def check(self, x):
        return x > self.lower_bound

    def example(self, x):
        return self.lower_bound + 1.0


class GreaterThanEq(GreaterThan):
    """The numbers x >= lower_bound."""
    relation = ">="

    def check(self, x):
        return x >= self.lower_bound


class LessThan(Constraint):
    """The numbers x < upper_bound."""
    upper_bound: ArrayLike = child()
    relation = "<"

    @property
    def words(self):
        return f"{self.relation} {self.upper_bound}"

    def check(self, x):
        return x < self.upper_bound

    def example(self, x):
        return self.upper_bound - 1.0


class LessThanEq(LessThan):
    """The numbers x <= upper_bound."""
    relation = "<="

    def check(self, x):
        return x <= self.upper_bound


class Interval(Constraint):
    """The numbers lower_bound <= x <= upper_bound."""
    lower_bound: ArrayLike = child()
    upper_bound: ArrayLike = child()

    @property
    def words(self):
        return f"in [{self.lower_bound}, {self.upper_bound}]"

    def check(self, x):
        return _inclusive(x, self.lower_bound, self.upper_bound)

    def example(self, x):
        return (np.asarray(self.lower_bound) + self.upper_bound) * 0.5


class OpenInterval(Interval):
    """The numbers lower_bound < x < upper_bound."""

    @property
    def words(self):
        return f"in ({self.lower_bound}, {self.upper_bound})"

    def check(self, x):
        return np.logical_and(x > self.lower_bound, x < self.upper_bound)


class AffineImage(Constraint):
    """The numbers loc + scale x for x in the base set; the scale may have either sign, and may be traced."""
    base: Constraint = child()
    loc: ArrayLike = child()
    scale: ArrayLike = child()

    @property
    def event_dim(self):
        return self.base.event_dim

    @property
    def words(self):
        return f"{self.loc} + {self.scale} x for x {self.base.words}"

    def check(self, x):
        return self.base.check((x - self.loc) / self.scale)

    def example(self, x):
        return self.loc + np.asarray(self.scale) * self.base.example(x)


# ---- integers ----

class _Boolean(Constraint):
    is_discrete, words = True, "0 or 1"

    def check(self, x):
        return x == x if x.dtype.kind == "b" else np.logical_or(x == 0, x == 1)

    def example(self, x):
        return 0


class _NonnegativeInteger(Constraint):
    is_discrete, words, least = True, "a nonnegative integer", 0

    def check(self, x):
        whole = _whole(x)
        return x >= self.least if whole is True else np.logical_and(x >= self.least, whole)

    def example(self, x):
        return self.least


class _PositiveInteger(_NonnegativeInteger):
    words, least = "a positive integer", 1


class IntegerGreaterThan(Constraint):
    """The integers n > lower_bound."""
    lower_bound: ArrayLike = child()
    is_discrete = True

    @property
    def words(self):
        return f"an integer > {self.lower_bound}"

    def check(self, x):
        return np.logical_and(x > self.lower_bound, _whole(x))

    def example(self, x):
        return self.lower_bound + 1


class IntegerInterval(Constraint):
    """The integers lower_bound <= n <= upper_bound."""
    lower_bound: ArrayLike = child()
    upper_bound: ArrayLike = child()
    is_discrete = True

    @property
    def words(self):
        return f"an integer in [{self.lower_bound}, {self.upper_bound}]"

    def check(self, x):
        whole, inside = _whole(x), _inclusive(x, self.lower_bound, self.upper_bound)
        return inside if whole is True else np.logical_and(inside, whole)

    def example(self, x):
        return self.lower_bound


# ---- vectors and matrices ----

class Independent(Constraint):
    """Every one of the values along the last `reinterpreted_batch_ndims` batch axes lies in the base set."""
    base: Constraint = child()
    reinterpreted_batch_ndims: int = static()

    def __init__(self, base, reinterpreted_batch_ndims):
        if isinstance(base, Independent):            # flat, so that equal sets compare equal
            base, reinterpreted_batch_ndims = base.base, base.reinterpreted_batch_ndims + reinterpreted_batch_ndims
        super().__init__(base, reinterpreted_batch_ndims)

    @property
    def event_dim(self):
        return self.base.event_dim + self.reinterpreted_batch_ndims

    @property
    def is_discrete(self):
        return self.base.is_discrete

    @property
    def everything(self):
        return self.base.everything

    @property
    def words(self):
        return f"{self.base.words}, each of them"

    def check(self, x):
        ok, n = self.base.check(x), self.reinterpreted_batch_ndims
        return np.all(ok, axis=tuple(range(ok.ndim - n, ok.ndim))) if n else ok

    def example(self, x):
        return self.base.example(x)


class _Simplex(Constraint):
    event_dim, words = 1, "a vector of nonnegative numbers that sum to 1"

    def check(self, x):
        slack = max(1e-6, 32 * x.shape[-1] * float(np.finfo(x.dtype).eps)) if x.dtype.kind == "f" else 0
        return np.logical_and(np.all(x >= 0, -1), np.abs(np.sum(x, -1) - 1) <= slack)

    def example(self, x):
        return 1.0 / x.shape[-1]


class _OrderedVector(Constraint):
    event_dim, words = 1, "a vector of increasing numbers"

    def check(self, x):
        return np.all(x[..., 1:] > x[..., :-1], -1)

    def example(self, x):
        return np.arange(x.shape[-1], dtype=x.dtype)


class _PositiveOrderedVector(_OrderedVector):
    words = "a vector of positive increasing numbers"

    def check(self, x):
        return np.logical_and(super().check(x), x[..., 0] > 0)

    def example(self, x):
        return np.arange(1, x.shape[-1] + 1, dtype=x.dtype)


class _LowerCholesky(Constraint):
    event_dim, words = 2, "a lower triangular matrix with a positive diagonal"

    def check(self, x):
        lower = np.all(np.tril(x) == x, (-1, -2))
        return np.logical_and(lower, np.all(np.diagonal(x, 0, -2, -1) > 0, -1))

    def example(self, x):
        return np.eye(x.shape[-1], dtype=x.dtype)


class _PositiveDefinite(Constraint):
    event_dim, words = 2, "a symmetric positive definite matrix"

    def check(self, x):
        slack = 1e-6 * np.max(np.abs(x), (-1, -2), keepdims=True)
        symmetric = np.all(np.abs(x - np.swapaxes(x, -1, -2)) <= slack, (-1, -2))
        return np.logical_and(symmetric, np.all(np.isfinite(cholesky(x)), (-1, -2)))

    def example(self, x):
        return np.eye(x.shape[-1], dtype=x.dtype)


# ---- placeholders ----

class Dependent(Constraint):
    """Stands for a support that depends on parameters, where there are none yet (on the class itself)."""
    is_discrete: bool = static(default=False)
    event_dim: int = static(default=0)
    words = "in a set that depends on the parameters"

    def check(self, x):
        raise ParameterError("this support depends on the parameters of a distribution, so membership is not known.\n"
                             "Ask the distribution itself: Uniform(0, 2).support(x), not Uniform.support(x).")


real, positive, nonnegative, unit_interval = _Real(), _Positive(), _Nonnegative(), _UnitInterval()
boolean, nonnegative_integer, positive_integer = _Boolean(), _NonnegativeInteger(), _PositiveInteger()
real_vector, real_matrix = Independent(real, 1), Independent(real, 2)
simplex, ordered_vector, positive_ordered_vector = _Simplex(), _OrderedVector(), _PositiveOrderedVector()
lower_cholesky, positive_definite, dependent = _LowerCholesky(), _PositiveDefinite(), Dependent()
greater_than, greater_than_eq, less_than, less_than_eq = GreaterThan, GreaterThanEq, LessThan, LessThanEq
interval, open_interval = Interval, OpenInterval
integer_interval, integer_greater_than = IntegerInterval, IntegerGreaterThan
independent = Independent
negative = LessThan(0.0)
