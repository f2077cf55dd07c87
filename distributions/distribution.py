"""The base class of distributions.

A family is a frozen class whose fields are its parameters, each with the constraint it must satisfy. It writes
`support`, `sample` and one of `log_prob_inside` (the formula, for values that lie in the support) and `log_prob`
(for all values); more only where there is a formula. The base makes it a pytree, checks the parameters that are
known when it is made, works out `batch_shape`, and puts -inf outside the support.

    shapes      log_prob : value [*shape, *batch, *event] -> float[*shape, *batch]
                sample   : -> [*sample_shape, *batch, *event]

Sharp edges: parameters that are being traced are not checked; `jit`, `vmap` and `tree.map` put a distribution together
again without any check.
"""
from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

import numpy as _numpy

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import broadcast_shapes, promote_types, to_inexact_dtype
from ..engine.core import Tracer
from ..engine.errors import ParameterError, ShapeError
from . import constraints
from .bounds import bounds_of
from .quantile import inverse_cdf, inverse_cdf_integer, inverse_log_cdf
from .record import Record

_DEFAULTS = {"validate_args": True}
SPELLINGS = {"mu": "loc", "sigma": "scale", "nu": "df", "lower": "low", "upper": "high"}     # PyMC's and Stan's: ours
WRAPPERS: dict = {}                      # what expand, to_event and mask make: filled by `wrappers`


def shape_of(x):
    """The shape of a leaf, which may be an array, a tracer, a type or anything else."""
    return tuple(getattr(x, "shape", None) or ())


class Distribution(Record):
    """Base of all distributions; see the module.

    batch_shape : the shape of independent, differently distributed values; from the parameters
    event_shape : the shape of one value

    Parameters may be given by PyMC's and Stan's names too: mu for loc, sigma for scale, nu for df, lower and upper for
    low and high.
    """
    finite_outside: ClassVar[bool] = False       # log_prob_inside and its derivative are finite outside the support too
    symmetric: ClassVar[bool] = False            # loc + x is as likely as loc - x, for every x
    if TYPE_CHECKING:                            # what every constructor takes beside the fields
        validate_args: bool | None = field(default=None, kw_only=True)
    _params: ClassVar[tuple] = ()
    _floats: ClassVar[tuple] = ()                # names of the parameters that are real numbers

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._params = tuple(f for f in cls._fields if f.kind == "param")
        cls._floats = tuple(f.name for f in cls._params if f.constraint is not None and not f.is_discrete)

    def __init__(self, *args, validate_args=None, **kwargs):
        self._bind(args, self._respelled(kwargs) if kwargs else kwargs)
        self._adopt(_DEFAULTS["validate_args"] if validate_args is None else validate_args)

    def _respelled(self, kwargs):
        """The arguments by the names of the fields, where they have names that other systems give them."""
        names = {f.name for f in self._fields}
        told = {other: name for other, name in SPELLINGS.items()
                if other in kwargs and other not in names and name in names - set(kwargs)}
        return {told.get(name, name): value for name, value in kwargs.items()}

    def _adopt(self, validate):
        """Make the parameters arrays, check those whose numbers are known, and the shapes of all."""
        values = self.__dict__
        plain, dtypes = [], []
        for f in self._params:
            x = values[f.name]
            if x is None:                                # a bound that is not there
                continue
            number, x = type(x) in (int, float), np.asarray(x)
            if f.name in self._floats:
                if x.dtype.kind in "iub":
                    x = np.astype(x, to_inexact_dtype(x.dtype))
                if number:
                    plain.append(f.name)
                else:
                    dtypes.append(x.dtype)
            values[f.name] = x
        if plain and dtypes:                             # a Python number takes the dtype of the arrays beside it
            for name in plain:
                values[name] = np.astype(values[name], promote_types(*dtypes))
        values["_batch_shape"] = self._broadcast_parameters()
        if validate:
            for f in self._params:
                x = values[f.name]
                if type(x) is Array and f.constraint is not None:
                    self._check(f, f.constraint(self) if f.depends else f.constraint, x)

    def _check(self, field, constraint, x):
        ok = constraint(x)
        if isinstance(ok, Tracer):
            return
        ok = _numpy.asarray(ok)
        if ok.all():
            return
        family = type(self).__name__
        if x.ndim == 0:
            raise ParameterError(f"{family}({field.name}={x.item()}): {field.name} must be {constraint.words}.")
        at = tuple(int(i) for i in _numpy.argwhere(~ok)[0])
        bad = _numpy.asarray(x)[at]
        place = f"[{', '.join(map(str, at))}]" if at else ""
        raise ParameterError(f"{family}({field.name}=...): {field.name} must be {constraint.words}; "
                             f"{field.name}{place} is {bad.tolist()}.")

    # ---- shapes ----

    @property
    def batch_shape(self):
        """The shape of the parameters broadcast together, without their event axes."""
        values = self.__dict__
        found = values.get("_batch_shape")
        if found is None:
            found = values["_batch_shape"] = self._broadcast_parameters()
        return found

    def _broadcast_parameters(self):
        leads = []
        for f in self._params:
            s = shape_of(self.__dict__[f.name])
            if len(s) < f.event_dim:
                raise ShapeError(f"{type(self).__name__}: {f.name} needs at least {f.event_dim} "
                                 f"dimension{'s' * (f.event_dim > 1)} (it is {f.constraint.words}); got shape {s}.")
            leads.append(s[:len(s) - f.event_dim] if f.event_dim else s)
        try:
            return broadcast_shapes(*leads)
        except ShapeError:
            shapes = " and ".join(f"{f.name} of shape {shape_of(self.__dict__[f.name])}" for f in self._params)
            raise ShapeError(f"{type(self).__name__}: the parameters do not broadcast: {shapes}.\n"
                             "Going from the right, two sizes must be equal or one of them 1.") from None

    @property
    def event_shape(self):
        """The shape of one value."""
        return ()

    @property
    def event_dim(self):
        """The number of axes of one value."""
        return len(self.event_shape)

    def shape(self, sample_shape=()):
        """The shape of a sample: [*sample_shape, *batch, *event]."""
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    @property
    def dtype(self):
        """The floating dtype that the parameters promote to."""
        values = self.__dict__
        return promote_types(1.0, *[values[name] for name in self._floats])

    # ---- what a family writes ----

    @property
    def support(self):
        """The constraint that values satisfy."""
        return constraints.dependent

    @property
    def reparametrized_params(self):
        """The names of the parameters that a draw is differentiable in."""
        return ()

    @property
    def has_enumerate_support(self):
        """Whether `enumerate_support` lists all values."""
        return False

    def sample(self, key, sample_shape=()):
        """Independent draws: [*sample_shape, *batch, *event]."""
        raise NotImplementedError(f"{type(self).__name__} cannot be sampled from.")

    def log_prob_inside(self, value):
        """The log density at values that are known to lie in the support; elsewhere the result means nothing."""
        if type(self).log_prob is Distribution.log_prob:
            raise NotImplementedError(f"{type(self).__name__} has neither log_prob nor log_prob_inside.")
        return self.log_prob(value)

    def log_prob(self, value):
        """The log density (or log mass) at value; -inf outside the support.

        value : [*shape, *batch, *event], broadcast as in NumPy  ->  float[*shape, *batch]
        """
        value = np.asarray(value)
        support = self.support
        return self.log_prob_inside(value) if support.everything else self._guarded(value, support, support(value))

    def _guarded(self, value, support, ok):
        """log_prob_inside where `ok`, -inf elsewhere, with derivatives that are finite everywhere."""
        if type(ok) is Array and ok.value.all():
            return self.log_prob_inside(value)
        if self.finite_outside and value.dtype.kind in "iub":
            return self.log_prob_inside(value) + np.where(ok, 0.0, -_numpy.inf)      # no select in the derivative
        if not self.finite_outside:
            event_ok = ok.reshape(ok.shape + (1,) * support.event_dim) if support.event_dim else ok
            value = np.where(event_ok, value, support.example(value))
        return np.where(ok, self.log_prob_inside(value), -_numpy.inf)

    # ---- what follows ----

    @property
    def is_discrete(self):
        """Whether values are integers."""
        return self.support.is_discrete

    @property
    def has_rsample(self):
        """Whether draws have pathwise derivatives with respect to the parameters."""
        return bool(self.reparametrized_params)

    @property
    def has_pathwise_gradient(self):
        """Whether the derivative of a draw with respect to the parameters is that of a fixed random number pushed
        through: another name for `has_rsample`. Estimators of gradients of expectations take it where they can."""
        return self.has_rsample

    @property
    def arg_constraints(self):
        """The constraint of each parameter, by name."""
        return {f.name: f.constraint(self) if f.depends else f.constraint for f in self._params}

    def rsample(self, key, sample_shape=()):
        """`sample`, where draws are differentiable in the parameters; an error where they are not."""
        if not self.has_rsample:
            raise NotImplementedError(f"draws of {type(self).__name__} have no derivative; use sample.")
        return self.sample(key, sample_shape)

    def __call__(self, key=None, sample_shape=(), *, rng_key=None):
        return self.sample(rng_key if key is None else key, sample_shape)

    @property
    def mean(self):
        """The mean: [*batch, *event]."""
        raise self._absent("mean")

    @property
    def variance(self):
        """The variance of each element: [*batch, *event]."""
        raise self._absent("variance")

    @property
    def stddev(self):
        """The square root of the variance."""
        return np.sqrt(self.variance)

    @property
    def mode(self):
        """The value with the largest density."""
        raise self._absent("mode")

    def entropy(self):
        """The differential or discrete entropy, in nats: [*batch]. A sum over finitely many integers, unless the family
        has a formula."""
        ends = self._known_ends()
        if ends is None:
            raise self._absent("entropy")
        log_p = self._log_masses(*ends)[1]
        return -np.sum(np.exp(log_p) * np.where(log_p > -_numpy.inf, log_p, 0.0), 0)

    def cdf(self, value):
        """P(X <= value): the sum over the values up to it, unless the family has a formula."""
        ends = self._known_ends()
        if ends is None:
            raise self._absent("cdf")
        value, batch = np.asarray(value), self.batch_shape
        k, log_p = self._log_masses(*ends)
        p = np.exp(log_p).reshape((len(k), *(1,) * (value.ndim - len(batch)), *batch))
        return np.sum(np.where(k.reshape((-1, *(1,) * max(value.ndim, len(batch)))) <= value, p, 0.0), 0)

    def _log_masses(self, first, last):
        """The integers [n] from first to last, and their log-masses [n, *batch]."""
        k = np.arange(first, last + 1)
        return k, self.log_prob(k.reshape((-1, *(1,) * len(self.batch_shape))))

    def _known_ends(self):
        """The smallest and the largest value of finitely many integers, where both are known."""
        if not self.is_discrete or self.event_shape:
            return None
        ends = [np.asarray(end) for end in bounds_of(self.support)]
        if any(type(end) is not Array or not _numpy.isfinite(end.value).all() for end in ends):
            return None
        return int(ends[0].value.min()), int(ends[1].value.max())

    def log_cdf(self, value):
        """log P(X <= value). A family that can writes this for its lower tail, where the cdf underflows."""
        return safe_log(self.cdf(value))

    def icdf(self, q):
        """The quantile: the smallest x with cdf(x) >= q. By a root search unless the family has a formula."""
        if self.event_shape or type(self).cdf is Distribution.cdf and self._known_ends() is None:
            raise self._absent("icdf")
        search = inverse_cdf_integer if self.is_discrete else inverse_cdf
        return search(self.cdf, q, *bounds_of(self.support))

    def survival_function(self, value):
        """P(X > value)."""
        if type(self).log_survival is not Distribution.log_survival:
            return np.exp(self.log_survival(value))
        return 1.0 - self.cdf(value)

    def log_survival(self, value):
        """log P(X > value). A family that can writes this (or survival_function) for its upper tail, where
        the cdf rounds to 1."""
        if type(self).survival_function is not Distribution.survival_function:
            return safe_log(self.survival_function(value))
        p = self.cdf(value)
        ok = p < 1
        return np.where(ok, np.log1p(-np.where(ok, p, 0.0)), -_numpy.inf)

    def log_survival_function(self, value):
        """Another name for `log_survival`."""
        return self.log_survival(value)

    def isf(self, q):
        """The quantile of the upper tail, icdf(1 - q): a family that can writes it for small q."""
        return self.icdf(1.0 - np.asarray(q))

    def icdf_exp(self, log_q):
        """icdf(exp(log_q)), by a root search where log_cdf tells probabilities that underflow."""
        return self._icdf_exp(log_q, "log_cdf", "icdf", False)

    def isf_exp(self, log_q):
        """isf(exp(log_q)), by a root search where log_survival tells probabilities that underflow."""
        return self._icdf_exp(log_q, "log_survival", "isf", True)

    def _icdf_exp(self, log_q, tail, inverse, upper_tail):
        if getattr(type(self), tail) is getattr(Distribution, tail):
            return getattr(self, inverse)(np.exp(log_q))
        search = inverse_cdf_integer if self.is_discrete else inverse_log_cdf
        return search(getattr(self, tail), log_q, *bounds_of(self.support), upper_tail=upper_tail)

    def quantile(self, q):
        """Another name for `icdf`."""
        return self.icdf(q)

    def prob(self, value):
        """The density (or mass) at value, exp(log_prob(value))."""
        return np.exp(self.log_prob(value))

    def enumerate_support(self, expand=True):
        """All values, along a new first axis; the others have size one unless `expand`."""
        raise self._absent("enumerable support")

    def _absent(self, what):
        return NotImplementedError(f"{type(self).__name__} has no {what} in closed form here.")

    # ---- wrapped ----

    def expand(self, batch_shape):
        """Independent copies with this batch shape, to which the present one must broadcast."""
        batch_shape = tuple(batch_shape)
        return self if batch_shape == self.batch_shape else WRAPPERS["expand"](self, batch_shape)

    def expand_by(self, sample_shape):
        """Independent copies along new leading batch axes."""
        return self.expand((*sample_shape, *self.batch_shape))

    def to_event(self, reinterpreted_batch_ndims=None):
        """The last batch axes (all unless told) become part of one event: log_prob sums over them."""
        n = len(self.batch_shape) if reinterpreted_batch_ndims is None else reinterpreted_batch_ndims
        return self if n == 0 else WRAPPERS["to_event"](self, n)

    def mask(self, mask):
        """log_prob counts where the mask, bool[*batch], is true, and is 0 elsewhere."""
        return self if mask is True else WRAPPERS["mask"](self, mask)

    @staticmethod
    def set_default_validate_args(value):
        """Whether constructors check parameters unless told (`validate_args=`)."""
        _DEFAULTS["validate_args"] = bool(value)

    @staticmethod
    def validates_by_default():
        """What set_default_validate_args set; True at first."""
        return _DEFAULTS["validate_args"]


def safe_log(p):
    """log p, and -inf with derivative 0 where p is 0."""
    ok = p > 0
    if type(ok) is Array and ok.value.all():
        return np.log(p)
    return np.where(ok, np.log(np.where(ok, p, 1.0)), -_numpy.inf)


def above(value, low, f, below, member=1.0):
    """f(value) where value > low, and the constant `below` elsewhere, with derivatives that are finite there.

    member : a number above low, which f is given in place of values that are not
    """
    value = np.asarray(value)
    ok = value > low
    if type(ok) is Array and ok.value.all():
        return f(value)
    return np.where(ok, f(np.where(ok, value, member)), below)


def between(value, low, high, f, below, beyond, member=0.5):
    """f(value) where low < value < high, `below` and `beyond` outside, with derivatives that are finite there."""
    value = np.asarray(value)
    ok = np.logical_and(value > low, value < high)
    if type(ok) is Array and ok.value.all():
        return f(value)
    return np.where(value >= high, beyond, np.where(ok, f(np.where(ok, value, member)), below))


def sum_rightmost(x, n):
    """The sum over the last n axes."""
    return np.sum(x, axis=tuple(range(x.ndim - n, x.ndim))) if n else x
