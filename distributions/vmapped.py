"""n distributions of one family side by side, as `vmap` makes them of a sample site.

`Vmapped(base, axes, size)` holds one distribution whose leaves marked in `axes` carry a leading axis of length `size`.
Everything is asked of one lane and vmapped, so it works for any family, wrapper or user's class, and may nest. Its
support and the transform of its support are made in the same way.

    batch_shape = (size, *batch_shape of one lane)
"""
import functools
import operator

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random, tree
from ..engine.api import vmap
from ..engine.avals import Aval
from .constraints import Constraint
from .distribution import Distribution, shape_of
from .record import Record, child, static
from .transforms import Transform, biject_to


class Lanes(Record):
    """A record with stacked leaves, and the means to run a function over its lanes."""
    base: Record = child()
    axes: tuple = static()
    size: int = static()

    @property
    def lane(self):
        """One lane, with types in place of arrays: it knows its shapes and nothing else."""
        leaves, treedef = tree.flatten(self.base)
        return tree.unflatten(treedef, [Aval(shape_of(x)[m:], x.dtype) if hasattr(x, "dtype") else x
                                        for x, m in zip(leaves, self.axes)])

    def each(self, f, *args, places=(), out=0):
        """f(lane, *args) for each lane; places[i] is the axis of args[i] to run over, None for a shared one."""
        leaves, treedef = tree.flatten(self.base)
        marked = [x for x, m in zip(leaves, self.axes) if m]

        def one(marked, i, *args):
            it = iter(marked)
            return f(tree.unflatten(treedef, [next(it) if m else x for x, m in zip(leaves, self.axes)]), *args)
        return vmap(one, in_axes=(0, 0, *places), out_axes=out)(tuple(marked), _numpy.arange(self.size), *args)

    def place(self, x, dims):
        """The axis of x that runs over the lanes, where one lane's value has `dims` axes; None if x is shared."""
        at = np.ndim(x) - dims - 1
        return None if at < 0 or np.shape(x)[at] != self.size else at

    def each_value(self, f, x, dims, lost=0):
        """f(lane, x's slice), with the lanes' axis put back where it was in x, after `lost` event axes went."""
        x = np.asarray(x)
        at = self.place(x, dims)
        if at is None and x.ndim > dims:                 # an axis of size one, which all lanes share
            x = np.squeeze(x, x.ndim - dims - 1) if x.shape[x.ndim - dims - 1] == 1 else x
        return self.each(f, x, places=(at,), out=max(x.ndim - dims, 0) if at is None else at)


class VmappedConstraint(Constraint):
    """The set whose lanes are the sets of a stacked constraint; x : [*, size, *batch of a lane, *event]."""
    lanes: Lanes = child()
    batch_ndims: int = static(default=0)         # batch axes of one lane's values

    @property
    def event_dim(self):
        return self.lanes.base.event_dim

    @property
    def is_discrete(self):
        return self.lanes.base.is_discrete

    @property
    def words(self):
        return f"{self.lanes.base.words}, lane by lane"

    @property
    def _dims(self):
        return self.batch_ndims + self.event_dim

    def check(self, x):
        return self.lanes.each_value(lambda c, x: c.check(x), x, self._dims)

    def example(self, x):
        return self.lanes.each_value(lambda c, x: c.feasible_like(x), x, self._dims)


def stacked_set(constraint, size, batch_ndims):
    """The set of all lanes, from a constraint whose leaves are all stacked; itself where it has no bounds."""
    n = len(tree.leaves(constraint))
    return VmappedConstraint(Lanes(constraint, (True,) * n, size), batch_ndims) if n else constraint


class VmappedTransform(Transform):
    """The transform whose lanes are those of a stacked one; all its leaves are stacked."""
    lanes: Lanes = child()
    batch_ndims: int = static(default=0)

    def _set(self, constraint):
        """The set of all lanes: a transform only rearranges its fields for it, which it does for stacked ones too."""
        return stacked_set(constraint, self.lanes.size, self.batch_ndims)

    @property
    def domain(self):
        return self._set(self.lanes.base.domain)

    @property
    def codomain(self):
        return self._set(self.lanes.base.codomain)

    @property
    def sign(self):
        return self.lanes.base.sign

    def __call__(self, x):
        return self.lanes.each_value(lambda t, x: t(x), x, self.batch_ndims + self.lanes.base.domain.event_dim)

    def _inverse(self, y):
        dims = self.batch_ndims + self.lanes.base.codomain.event_dim
        return self.lanes.each_value(lambda t, y: t._inverse(y), y, dims)

    def log_abs_det_jacobian(self, x, y):
        place = self.lanes.place(x, self.batch_ndims + self.lanes.base.domain.event_dim)
        return self.lanes.each(lambda t, x, y: t.log_abs_det_jacobian(x, y), x, y, places=(place, place), out=place)

    def forward_shape(self, shape):
        return self.lanes.base.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.lanes.base.inverse_shape(shape)


@biject_to.register(VmappedConstraint)
def _(constraint):
    lanes = constraint.lanes
    stacked = lanes.each(biject_to)
    return VmappedTransform(Lanes(stacked, (True,) * len(tree.leaves(stacked)), lanes.size), constraint.batch_ndims)


class Vmapped(Distribution):
    """`size` distributions of one structure; leaf i of `base` has a leading axis of that length where axes[i].

        log p(x) = log p_lane(x[lane]) for each lane        draws: lane i uses the key fold_in(key, i)

    >>> from chainrule.distributions import Normal
    >>> from chainrule.engine import numpy as np
    >>> d = Vmapped(Normal(np.array([0.0, 5.0]), 1.0), (True, False), 2)
    >>> d.batch_shape, d.log_prob([0.0, 5.0])
    ((2,), Array([-0.91893853, -0.91893853]))
    """
    lanes: Lanes = child()

    def __init__(self, base, axes, size, *, validate_args=None):
        axes = tuple(bool(m) for m in axes)
        n = len(tree.leaves(base))
        assert len(axes) == n, f"{len(axes)} marks for the {n} leaves of {base}"
        self._bind((Lanes(base, axes, size),), {})

    @property
    def base_dist(self):
        """The distribution with the stacked leaves."""
        return self.lanes.base

    @property
    def _lane(self):
        values = self.__dict__
        found = values.get("_one")
        if found is None:
            found = values["_one"] = self.lanes.lane
        return found

    @property
    def batch_shape(self):
        return (self.lanes.size, *self._lane.batch_shape)

    @property
    def event_shape(self):
        return self._lane.event_shape

    @property
    def dtype(self):
        return self._lane.dtype

    @property
    def support(self):
        every = self.lanes.each(operator.attrgetter("support"))
        return stacked_set(every, self.lanes.size, len(self.batch_shape) - 1)

    @property
    def is_discrete(self):
        return self.lanes.base.is_discrete

    @property
    def has_enumerate_support(self):
        return self._lane.has_enumerate_support

    @property
    def reparametrized_params(self):
        return self._lane.reparametrized_params

    @property
    def has_rsample(self):
        return self._lane.has_rsample

    @property
    def _dims(self):
        return len(self._lane.batch_shape) + len(self._lane.event_shape)

    def sample(self, key, sample_shape=()):
        def one(d, i):
            return d.sample(random.fold_in(key, i), sample_shape)
        return self.lanes.each(one, _numpy.arange(self.lanes.size), places=(0,), out=len(sample_shape))

    def log_prob(self, value):
        return self.lanes.each_value(lambda d, x: d.log_prob(x), value, self._dims)

    def log_prob_inside(self, value):
        return self.lanes.each_value(lambda d, x: d.log_prob_inside(x), value, self._dims)

    def entropy(self):
        return self.lanes.each(lambda d: d.entropy())

    def enumerate_support(self, expand=True):
        values = self.lanes.each(lambda d: d.enumerate_support(expand), out=1)
        return values if expand else values[:, :1]


def _delegate(name, of_value):
    """A property or method of each lane."""
    if of_value:
        def method(self, value):
            return self.lanes.each_value(lambda d, x: getattr(d, name)(x), value, self._dims)
        return functools.wraps(getattr(Distribution, name))(method)
    return property(lambda self: self.lanes.each(operator.attrgetter(name)), doc=getattr(Distribution, name).__doc__)


for _name in ("mean", "variance", "mode"):
    setattr(Vmapped, _name, _delegate(_name, of_value=False))
for _name in ("cdf", "log_cdf", "survival_function", "log_survival", "icdf", "isf", "icdf_exp", "isf_exp"):
    setattr(Vmapped, _name, _delegate(_name, of_value=True))
