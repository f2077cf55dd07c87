"""Where a site starts: strategies, functions of a site's record that give a value in its support.

    init_to_uniform     Uniform(-radius, radius) in unconstrained space
    init_to_feasible    0 in unconstrained space
    init_to_median      the median of a few draws from the prior
    init_to_mean        the prior's mean, or median where it has none
    init_to_sample      a draw from the prior
    init_to_value       values by name

The record is the dict that `trace` shows, with the site's key in record["kwargs"]["rng_key"]: it is folded from the
name and the indices of the site, so a strategy's value for one site does not depend on the others. Called without a
site, a strategy gives itself with other options: init_to_median(num_samples=10). A strategy of one's own is any such
function; None leaves a site to `init_to_uniform`.

    def at_the_data(site):
        return {"mu": y.mean()}.get(site["name"])
"""
from functools import partial

from ...distributions import biject_to
from ...engine import numpy as np
from ...engine import random, vmap
from ..handlers import seed
from ..handlers.recording import message
from ..values import with_value


def init_to_uniform(site=None, radius=2.0):
    """A draw from Uniform(-radius, radius) in unconstrained space.

    >>> import chainrule.distributions as dist
    >>> x = init_to_uniform({"fn": dist.HalfNormal(1.0), "kwargs": {"rng_key": random.key(0)}}, radius=0.1)
    >>> bool(0.9 < x < 1.11)                                             # e^-0.1 < x < e^0.1
    True
    """
    if site is None:
        return partial(init_to_uniform, radius=radius)
    t, shape = _unconstrained(site["fn"])
    return t(random.uniform(_key(site), shape, minval=-radius, maxval=radius))


def init_to_feasible(site=None):
    """The point that 0 in unconstrained space stands for.

    >>> import chainrule.distributions as dist
    >>> init_to_feasible({"fn": dist.Uniform(0.0, 4.0)})
    Array(2.)
    """
    if site is None:
        return init_to_feasible
    t, shape = _unconstrained(site["fn"])
    return t(np.zeros(shape))


def init_to_median(site=None, num_samples=15):
    """The median of num_samples draws from the prior, coordinate by coordinate in unconstrained space.

    So it lies in the support where a median of the values would not (of vectors on a simplex, of matrices).
    A distribution that cannot be drawn from starts at `init_to_uniform`.

    >>> import chainrule.distributions as dist
    >>> x = init_to_median({"fn": dist.Dirichlet([1.0, 2.0]), "kwargs": {"rng_key": random.key(0)}}, num_samples=3)
    >>> float(np.sum(x)).__round__(12)
    1.0
    """
    if site is None:
        return partial(init_to_median, num_samples=num_samples)
    fn = site["fn"]
    t, _ = _unconstrained(fn)
    try:
        draws = fn.sample(_key(site), (num_samples,))
    except NotImplementedError:
        return init_to_uniform(site)
    return t(np.median(vmap(t._inverse)(draws), axis=0))


def init_to_mean(site=None):
    """The mean of the prior; where it is not finite, inside of the support, or known, the median of 15 draws.

    >>> import chainrule.distributions as dist
    >>> init_to_mean({"fn": dist.Gamma(6.0, 2.0), "kwargs": {"rng_key": random.key(0)}})
    Array(3.)
    """
    if site is None:
        return init_to_mean
    try:
        mean = site["fn"].mean
    except NotImplementedError:
        return init_to_median(site)
    t, _ = _unconstrained(site["fn"])
    z = t._inverse(np.broadcast_to(mean, site["fn"].shape()))
    median = init_to_median(site)
    return np.where(np.all(np.isfinite(z)), mean, median)


def init_to_sample(site=None):
    """A draw from the prior.

    >>> import chainrule.distributions as dist
    >>> init_to_sample({"fn": dist.Normal(np.zeros(3), 1.0), "kwargs": {"rng_key": random.key(0)}}).shape
    (3,)
    """
    if site is None:
        return init_to_sample
    try:
        return site["fn"].sample(_key(site))
    except NotImplementedError:
        return init_to_uniform(site)


def init_to_value(site=None, values=None):
    """The value given for the site's name, in its support; None where there is none.

    A site in a scan or vmap takes its values with the steps or lanes in front, as `substitute` does.

    >>> init_to_value({"name": "mu"}, values={"mu": 1.5})
    1.5
    """
    if site is None:
        return partial(init_to_value, values=dict(values or {}))
    return (values or {}).get(site["name"])


def _key(site):
    return site["kwargs"]["rng_key"]


def _unconstrained(fn):
    """(the bijection into the support, the shape of its argument)."""
    t = biject_to(fn.support)
    return t, tuple(t.inverse_shape(fn.shape()))


def strategy_of(init_strategy, what):
    """A strategy, ready to be called with a record; None stands for `init_to_uniform`."""
    if init_strategy is None:
        return init_to_uniform
    if not callable(init_strategy):
        raise TypeError(f"{what}: init_strategy is a function of a site's record, such as init_to_median; got a "
                        f"{type(init_strategy).__name__}.")
    return init_strategy


def uniform_radius(strategy):
    """The radius of `init_to_uniform`; None for another strategy."""
    if strategy is init_to_uniform:
        return 2.0
    if isinstance(strategy, partial) and strategy.func is init_to_uniform:
        return float(strategy.keywords.get("radius", 2.0))
    return None


class Start(seed):
    """Give the open sample sites the values of a strategy, and draw what else is open."""

    def __init__(self, fn, strategy, key):
        super().__init__(fn, key)
        self.strategy = strategy
        given = isinstance(strategy, partial) and strategy.func is init_to_value
        self.values = dict(strategy.keywords.get("values") or {}) if given else {}

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        if site.kind != "sample" or site.value is not None or site.fn.is_discrete:
            return super().site(site)
        self._new(site.name, site.facts)
        record = {**message(site), "args": (), "kwargs": {"rng_key": self.key_of(site.name), "sample_shape": ()}}
        value = self.values[site.name] if site.name in self.values else self.strategy(record)
        value = init_to_uniform(record) if value is None else value
        return self.next(with_value(site, value, "the start that init_strategy gives", grows=False))
