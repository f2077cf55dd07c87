"""The base of the constraints, and the ways of making one out of others: independent, cat, stack, affine image."""
import functools

import numpy as _numpy

from ...engine import numpy as np
from ...engine.array import Array
from ...engine.errors import ParameterError, ShapeError
from ..record import ArrayLike, Record, child, static


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
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_same, a, b))
    known = (Array, _numpy.ndarray, _numpy.generic, int, float)
    return isinstance(a, known) and isinstance(b, known) and _numpy.array_equal(_numpy.asarray(a), _numpy.asarray(b))


def whole(x):
    """Whether the numbers are integers: True at once for an integer dtype."""
    return True if x.dtype.kind in "iub" else np.floor(x) == x


def inclusive(x, low, high):
    """low <= x <= high, element by element."""
    return np.logical_and(x >= low, x <= high)


def rounding(x):
    """How far a sum over the last axis of x may be from its due by rounding."""
    return max(1e-6, 32 * x.shape[-1] * float(np.finfo(x.dtype).eps)) if x.dtype.kind in "fc" else 0


def every(ok, n):
    """Whether all are true along the last n axes."""
    return np.all(ok, axis=tuple(range(ok.ndim - n, ok.ndim))) if n else ok


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
        return every(self.base.check(x), self.reinterpreted_batch_ndims)

    def example(self, x):
        return self.base.example(x)


class AffineImage(Constraint):
    """The values loc + scale x for x in the base set; the scale may have either sign, and may be traced."""
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


class _Parts(Constraint):
    """What cat and stack share: each of `_pieces(x)`, which have `_inner` event axes, is in a set of its own."""
    parts: tuple = child()

    @property
    def is_discrete(self):
        return all(c.is_discrete for c in self.parts)

    @property
    def everything(self):
        return all(c.everything for c in self.parts)

    def check(self, x):
        oks = [every(c.check(piece), self._inner - c.event_dim) for c, piece in zip(self.parts, self._pieces(x))]
        return functools.reduce(np.logical_and, oks)


class Cat(_Parts):
    """One axis of the event cut into pieces, each piece in a set of its own.

    parts : the sets, in order      dim : the axis that is cut, counted from the last one (-1)
    lengths : the size of each piece; 1 each unless given

        cat([positive, simplex], lengths=[2, 3])        five numbers: two positive ones, then three that sum to 1
    """
    dim: int = static(default=-1)
    lengths: tuple | None = static(default=None)

    def __init__(self, parts, dim=-1, lengths=None):
        super().__init__(*checked_pieces("cat", parts, dim, lengths))

    @property
    def event_dim(self):
        return max(-self.dim, *[c.event_dim for c in self.parts])

    _inner = event_dim

    @property
    def words(self):
        return "; then ".join(f"{n} along axis {self.dim} {c.words}" for c, n in zip(self.parts, self.lengths))

    def example(self, x):
        pieces = self._pieces(x)
        return np.concatenate([c.feasible_like(piece) for c, piece in zip(self.parts, pieces)], self.dim)

    def _pieces(self, x):
        return cut(x, self.lengths, self.dim)


class Stack(_Parts):
    """Slice i along one axis of the event lies in set i.

    parts : the sets, one a slice      dim : that axis, counted from the last one (-1)
    """
    dim: int = static(default=-1)

    def __init__(self, parts, dim=-1):
        checked_axis("stack", dim)
        super().__init__(tuple(parts), dim)

    @property
    def event_dim(self):
        return max(-self.dim, 1 + max(c.event_dim for c in self.parts))

    @property
    def _inner(self):
        return self.event_dim - 1

    @property
    def words(self):
        return "; then ".join(c.words for c in self.parts)

    def example(self, x):
        return np.stack([c.feasible_like(piece) for c, piece in zip(self.parts, self._pieces(x))], self.dim)

    def _pieces(self, x):
        return slices(x, len(self.parts), self.dim)


def checked_pieces(name, parts, dim, lengths):
    """(parts, dim, lengths) of pieces along an axis, of one element each unless lengths are given."""
    parts = tuple(parts)
    lengths = (1,) * len(parts) if lengths is None else tuple(int(n) for n in lengths)
    checked_axis(name, dim)
    if len(lengths) != len(parts):
        raise ShapeError(f"{name}: {len(parts)} parts but {len(lengths)} lengths {lengths}; one each is needed.")
    return parts, dim, lengths


def checked_axis(name, dim):
    """An error unless dim counts from the last axis, which is what the number of batch axes cannot change."""
    if dim >= 0:
        raise ShapeError(f"{name}: dim={dim}; it counts event axes from the last one, which is -1: write dim=-1.")


def cut(x, lengths, dim):
    """The pieces of these lengths along an axis, which they must fill."""
    if x.ndim < -dim or x.shape[dim] != sum(lengths):
        raise ShapeError(f"pieces of sizes {tuple(lengths)} along axis {dim} take {sum(lengths)} elements; "
                         f"got an array of shape {x.shape}.")
    ends = _numpy.cumsum(lengths)
    after = (slice(None),) * (-dim - 1)
    return [x[(..., slice(int(end - n), int(end)), *after)] for n, end in zip(lengths, ends)]


def slices(x, n, dim):
    """The n slices along an axis, without that axis."""
    if x.ndim < -dim or x.shape[dim] != n:
        raise ShapeError(f"{n} slices along axis {dim} are needed; got an array of shape {x.shape}.")
    after = (slice(None),) * (-dim - 1)
    return [x[(..., i, *after)] for i in range(n)]


class Dependent(Constraint):
    """Stands for a support that depends on parameters, where there are none yet (on the class itself).

    `dependent(is_discrete=..., event_dim=...)` is one with these facts.
    """
    is_discrete: bool = static(default=False)
    event_dim: int = static(default=0)
    words = "in a set that depends on the parameters"

    def __call__(self, x=None, *, is_discrete=None, event_dim=None):
        if x is not None:
            return self.check(x)
        return Dependent(self.is_discrete if is_discrete is None else is_discrete,
                         self.event_dim if event_dim is None else event_dim)

    def check(self, x):
        raise ParameterError("this support depends on the parameters of a distribution, so membership is not known.\n"
                             "Ask the distribution itself: Uniform(0, 2).support(x), not Uniform.support(x).")


def is_dependent(constraint):
    """Whether it stands for a set that is known only with the parameters of a distribution."""
    return isinstance(constraint, Dependent)


cat, stack, independent, dependent = Cat, Stack, Independent, Dependent()
