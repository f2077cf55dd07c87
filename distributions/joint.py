"""The joint distribution of several random variables, held in a dict or a list.

A model function says more and is a joint distribution too. These are for what has no model around it: they are pytrees
of distributions, they draw trees of arrays, and they are no `Distribution`, whose values are single arrays.
"""
import inspect
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.api import vmap
from ..engine.errors import ParameterError
from .distribution import Distribution
from .record import Record, child, static


class _Joint(Record):
    """What both share: parts in an order in which each comes after what it depends on.

    fixed : the distributions, None where a function gives one      made : the functions, None where there is none
    parents : for each part, the places of the parts that its function takes
    """
    fixed: tuple = child()
    made: tuple = static()
    parents: tuple = static()
    names: tuple = static()

    def __init__(self, parts, parents, names):
        fixed = tuple(part if isinstance(part, Distribution) else None for part in parts)
        made = tuple(None if isinstance(part, Distribution) else part for part in parts)
        super().__init__(fixed, made, tuple(parents), tuple(names))

    def _part(self, i, values):
        """The distribution of part i, given the values of those before it."""
        return self.fixed[i] if self.made[i] is None else self.made[i](*[values[k] for k in self.parents[i]])

    def _run(self, f):
        """f(i, distribution of i) -> value, for each part in order; all distributions and values."""
        laws, values = [], []
        for i in range(len(self.names)):
            laws.append(self._part(i, values))
            values.append(f(i, laws[-1]))
        return laws, values

    def _drawn(self, key):
        keys = random.split(key, len(self.names))
        return self._run(lambda i, law: law.sample(keys[i]))

    def sample(self, key, sample_shape=()):
        """Independent draws of all parts: a tree of arrays [*sample_shape, *batch of the part, *event of the part]."""
        n, shape = math.prod(sample_shape), tuple(sample_shape)
        if not shape:
            return self._tree(self._drawn(key)[1])
        drawn = vmap(lambda key: self._drawn(key)[1])(random.split(key, n))
        return self._tree([x.reshape((*shape, *x.shape[1:])) for x in drawn])

    def sample_distributions(self, key):
        """One draw, and the distributions of the parts at it: two trees."""
        laws, values = self._drawn(key)
        return self._tree(laws), self._tree(values)

    def distributions(self, value):
        """The distributions of the parts, each given the values of the others that it depends on."""
        values = self._list(value)
        return self._tree(self._run(lambda i, law: values[i])[0])

    def log_prob_parts(self, value):
        """log p of each part given those that it depends on; a function must broadcast over leading axes of values."""
        values = self._list(value)
        laws, _ = self._run(lambda i, law: values[i])
        return self._tree([law.log_prob(x) for law, x in zip(laws, values)])

    def log_prob(self, value):
        """The sum of `log_prob_parts`, their batches broadcast."""
        total = 0.0
        for part in self._list(self.log_prob_parts(value)):
            total = total + part
        return np.asarray(total)


class JointDistributionSequential(_Joint):
    """A list of distributions, or of functions of the values before them, the nearest first, that give one.

        log p(x) = Σ log p(xᵢ | xᵢ₋₁, xᵢ₋₂, …)          as many values as the function has arguments

    >>> from chainrule.distributions import Exponential, Normal
    >>> d = JointDistributionSequential([Exponential(1.0), Normal(0.0, 1.0), lambda loc, scale: Normal(loc, scale)])
    >>> float(d.log_prob([1.0, 0.0, 0.0])).__round__(6)
    -2.837877
    """

    def __init__(self, parts):
        parts, parents = list(parts), []
        for i, part in enumerate(parts):
            count = len(needed("JointDistributionSequential", f"the part at place {i}", part))
            if count > i:
                raise ParameterError(f"JointDistributionSequential: the function at place {i} takes {count} values; "
                                     f"there are {i} before it.")
            parents.append(tuple(range(i - 1, i - 1 - count, -1)))
        super().__init__(parts, parents, range(len(parts)))

    def _tree(self, parts):
        return list(parts)

    def _list(self, value):
        value = list(value)
        if len(value) != len(self.names):
            raise ParameterError(f"{type(self).__name__}: a value has {len(self.names)} parts; got {len(value)}.")
        return value


class JointDistributionNamed(_Joint):
    """A dict of distributions, or of functions that give one and whose arguments are named as the parts they depend on.

        log p(x) = Σ log p(x[name] | x[names of its arguments])

    >>> from chainrule.distributions import Exponential, Normal
    >>> d = JointDistributionNamed({"y": lambda loc, scale: Normal(loc, scale), "loc": Normal(0.0, 1.0),
    ...                             "scale": Exponential(1.0)})
    >>> float(d.log_prob({"loc": 0.0, "scale": 1.0, "y": 0.0})).__round__(6)
    -2.837877
    """

    def __init__(self, parts):
        needs = {name: needed("JointDistributionNamed", name, part) for name, part in parts.items()}
        for name, wanted in needs.items():
            missing = [each for each in wanted if each not in parts]
            if missing:
                raise ParameterError(f"JointDistributionNamed: {name} depends on {missing[0]!r}, which is not a part.\n"
                                     f"Its parts are {', '.join(parts)}.")
        order = []
        while len(order) < len(parts):
            rest = [name for name in parts if name not in order]
            ready = [name for name in rest if all(each in order for each in needs[name])]
            if not ready:
                raise ParameterError(f"JointDistributionNamed: {', '.join(rest)} depend on each other in a circle.")
            order.append(ready[0])
        parents = [tuple(order.index(each) for each in needs[name]) for name in order]
        super().__init__([parts[name] for name in order], parents, order)

    def _tree(self, parts):
        return dict(zip(self.names, parts))

    def _list(self, value):
        if set(value) != set(self.names):
            raise ParameterError(f"{type(self).__name__}: a value has the parts {', '.join(self.names)}; "
                                 f"got {', '.join(map(str, value))}.")
        return [value[name] for name in self.names]


def needed(family, name, part):
    """The names of the arguments that a part must be given: none for a distribution."""
    if isinstance(part, Distribution):
        return ()
    if not callable(part):
        raise ParameterError(f"{family}: {name} must be a distribution, or a function that gives one; it is of type "
                             f"{type(part).__name__}.")
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return tuple(name for name, p in inspect.signature(part).parameters.items()
                 if p.kind in kinds and p.default is inspect.Parameter.empty)
