"""The joint distribution of a model's open sites, as a value."""
import math

from ..engine import numpy as np
from ..engine import random, vmap
from ..engine.errors import ShapeError
from .handlers import seed, trace
from .queries import log_density
from .sites import SiteError


class Joint:
    """The distribution that a model with given arguments is: a draw is {site: value} of the sites not observed.

        log p(x) = the model's log-density at x, data and factors included; so it is normalised where there are none

    model : a function of `args` and `kwargs`

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> def pair(scale):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(x, scale))
    >>> joint = Joint(pair, 2.0)
    >>> {name: x.shape for name, x in joint.sample(random.key(0), (3,)).items()}
    {'x': (3,), 'y': (3,)}
    >>> float(joint.log_prob({"x": 0.0, "y": 0.0})).__round__(4)
    -2.531
    """

    def __init__(self, model, *args, **kwargs):
        self.model, self.args, self.kwargs = model, args, kwargs
        self._sites = None

    @property
    def sites(self):
        """{site: its record}, of one draw; only shapes, supports and names of it should be used."""
        if self._sites is None:
            self._sites = self._draw(random.key(0))
        return self._sites

    def _draw(self, key):
        tr = trace(seed(self.model, key)).get_trace(*self.args, **self.kwargs)
        return {name: s for name, s in tr.items() if s["type"] == "sample" and not s["is_observed"]}

    @property
    def event_shape(self):
        """{site: shape}"""
        return {name: tuple(s["value"].shape) for name, s in self.sites.items()}

    @property
    def support(self):
        """{site: constraint}; where it depends on other sites, that at one draw."""
        return {name: s["fn"].support for name, s in self.sites.items()}

    def sample(self, key, sample_shape=()):
        """{site: [*sample_shape, *shape]}: independent draws. Draw i uses the key fold_in(key, i)."""
        value = lambda k: {name: s["value"] for name, s in self._draw(k).items()}
        shape = tuple(sample_shape)
        if not shape:
            return value(key)
        drawn = vmap(lambda i: value(random.fold_in(key, i)))(np.arange(math.prod(shape)))
        return {name: np.reshape(x, (*shape, *x.shape[1:])) for name, x in drawn.items()}

    def log_prob(self, value):
        """float[*batch], for {site: [*batch, *shape]}.

        Raises SiteError for missing or unknown sites, ShapeError where the leading axes differ."""
        shapes = self.event_shape
        if wrong := set(shapes) ^ set(value):
            raise SiteError(f"Joint.log_prob takes a value for each of the sites {', '.join(shapes)}; "
                            f"{min(wrong)!r} is {'missing' if min(wrong) in shapes else 'none of them'}.")
        value = {name: np.asarray(x) for name, x in value.items()}
        leads = {name: x.shape[:x.ndim - len(shapes[name])] for name, x in value.items()}
        bad = [n for n, x in value.items() if x.shape[len(leads[n]):] != shapes[n] or leads[n] != leads[min(leads)]]
        if bad:
            raise ShapeError(f"Joint.log_prob: the value of {bad[0]!r} has shape {value[bad[0]].shape}; the site has "
                             f"shape {shapes[bad[0]]}, and leading axes must be those of {min(leads)!r}, "
                             f"{leads[min(leads)]}.")
        lead = leads[min(leads)]
        density = lambda v: log_density(self.model, self.args, self.kwargs, v)[0]
        if not lead:
            return density(value)
        flat = {name: np.reshape(x, (-1, *shapes[name])) for name, x in value.items()}
        return np.reshape(vmap(density)(flat), lead)
