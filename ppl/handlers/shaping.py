"""Handlers that hide, mask, scale, rename, annotate and lift sites."""
from ...distributions import Distribution
from ...engine import numpy as np
from ..plates import active_plates
from ..sites import closed
from .base import Handler
from .recording import message


class block(Handler):
    """Hide sites from the handlers outside: all of them, those in `hide`, all but those in `expose`, or by `hide_fn`.

    hide_fn : record (the dict that `trace` shows) -> bool      hide, expose : site names      expose_types : kinds
    A hidden site must get its value inside of the block.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def model():
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(x, 1.0))
    >>> list(trace(block(seed(model, 0), hide=["x"])).get_trace())
    ['y']
    """

    def __init__(self, fn=None, hide_fn=None, hide=None, expose_types=None, expose=None):
        super().__init__(fn)
        if sum(v is not None for v in (hide_fn, hide, expose_types, expose)) > 1:
            raise ValueError("block takes one of hide_fn, hide, expose_types and expose.")
        self.hide_fn, self.hide, self.expose_types, self.expose = hide_fn, hide, expose_types, expose

    def hides(self, site):
        """Whether the handlers outside see the site."""
        if self.hide_fn is not None:
            return self.hide_fn(message(site))
        if self.hide is not None:
            return site.name in self.hide
        if self.expose_types is not None:
            return site.kind not in self.expose_types
        return self.expose is None or site.name not in self.expose

    def site(self, site):
        if not self.hides(site):
            return self.next(site)
        if site.value is None:
            raise site.error(f"site {site.name!r} is hidden by block and has no value.\n"
                             "Put seed, condition or substitute inside of the block: block(seed(model, key)).")
        return closed(site.value)


class mask(Handler):
    """Count the log-density of sites only where `mask` holds: a bool, or an array that broadcasts to their batch shape.

    Values under the mask may be anything, nan too.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     with mask(mask=[True, False]):
    ...         cr.sample("y", dist.Normal(0.0, 1.0), obs=[0.0, float("nan")])
    >>> float(cr.log_density(model)[0]).__round__(4)
    -0.9189
    """

    def __init__(self, fn=None, mask=True):
        super().__init__(fn)
        self.site_mask = np.asarray(mask)
        if self.site_mask.dtype.kind != "b":
            raise TypeError(f"mask takes booleans; got {self.site_mask.dtype}.")

    def site(self, site):
        if not site.scored:
            return self.next(site)
        both = self.site_mask if site.mask is None else np.logical_and(site.mask, self.site_mask)
        return self.next(site.replace(mask=both))


class scale(Handler):
    """Multiply the log-density of sites by `scale`, a number or an array that broadcasts to their batch shape.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("y", dist.Normal(0.0, 1.0), obs=0.0)
    >>> float(cr.log_density(scale(model, scale=2.0))[0]).__round__(4)
    -1.8379
    """

    def __init__(self, fn=None, scale=1.0):
        super().__init__(fn)
        self.factor = scale

    def site(self, site):
        if not site.scored:
            return self.next(site)
        factor = np.asarray(self.factor)
        return self.next(site.replace(scale=factor if site.scale is None else site.scale * factor))


# ---- renaming and annotating ----

class scope(Handler):
    """Put `prefix` and `divider` in front of the names of the sites and plates inside: scope(model, prefix="a").

    hide_types : kinds of sites that keep their names
    So a model can be used within another, more than once.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def part():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> def whole():
    ...     return scope(part, prefix="a")() + scope(part, prefix="b")()
    >>> list(trace(seed(whole, 0)).get_trace())
    ['a/x', 'b/x']
    """

    def __init__(self, fn=None, prefix="", divider="/", *, hide_types=None):
        super().__init__(fn)
        self.prefix, self.hide_types = f"{prefix}{divider}" if prefix else "", tuple(hide_types or ())

    def start(self):
        self.outside = {f.name for f in active_plates()}

    def site(self, site):
        if site.kind in self.hide_types:
            return self.next(site)
        plates = tuple([f if f.dim is None or f.name in self.outside else f._replace(name=self.prefix + f.name)
                        for f in site.plates])
        return self.next(site.replace(name=self.prefix + site.name, plates=plates))


class infer_config(Handler):
    """Add to the `infer` facts of sites: config_fn(record) gives a dict for each sample and param site.

    config_fn : a function, or {site: dict}

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def model():
    ...     cr.sample("k", dist.Bernoulli(0.5))
    >>> tr = trace(seed(infer_config(model, lambda site: {"enumerate": "parallel"}), 0)).get_trace()
    >>> tr["k"]["infer"]
    {'enumerate': 'parallel'}
    """

    def __init__(self, fn=None, config_fn=None):
        super().__init__(fn)
        if isinstance(config_fn, dict):
            config_fn = lambda record, given=config_fn: given.get(record["name"])
        if not callable(config_fn):
            raise TypeError("infer_config needs config_fn: a function from a site's record to a dict, or {site: dict}.")
        self.config_fn = config_fn

    def site(self, site):
        if site.kind not in ("sample", "param"):
            return self.next(site)
        return self.next(site.replace(infer={**site.infer, **(self.config_fn(message(site)) or {})}))


class lift(Handler):
    """Make params random: lift(model, prior), prior a distribution for all of them, {name: distribution}, or a function
    from the name to a distribution or None. Params without a prior stay as they are.

    The prior is expanded to the param's shape. Raises SiteError for a prior of another shape.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def model():
    ...     return cr.param("w", 0.0)
    >>> trace(seed(lift(model, {"w": dist.Normal(0.0, 1.0)}), 0)).get_trace()["w"]["type"]
    'sample'
    """

    def __init__(self, fn=None, prior=None):
        super().__init__(fn)
        self.prior, self.in_loop = prior, False

    def enter(self, index):
        inner = super().enter(index)
        inner.in_loop = self.in_loop or index is not None
        return inner

    def prior_of(self, name):
        """The prior of a param, or None."""
        if isinstance(self.prior, dict):
            return self.prior.get(name)
        return self.prior if isinstance(self.prior, Distribution) or self.prior is None else self.prior(name)

    def site(self, site):
        prior = self.prior_of(site.name) if site.kind == "param" else None
        if prior is None:
            return self.next(site)
        if self.in_loop:
            raise site.error(f"lift: param {site.name!r} stands in a loop, where it is the same at each step; a random "
                             "one would not be.\nPut the param statement in front of the loop.")
        shape, own = site.fn.shape(), prior.shape()
        batch = shape[:len(shape) - len(prior.event_shape)]
        if shape[len(batch):] != prior.event_shape or not _fits(own, shape):
            raise site.error(f"lift: param {site.name!r} has shape {shape}, and its prior {type(prior).__name__} has "
                             f"shape {own}.\nGive a prior whose shape broadcasts to the param's.")
        return self.next(site.replace(kind="sample", fn=prior.expand(batch), value=None))


def _fits(own, shape):
    """Whether an array of shape `own` broadcasts to `shape`."""
    return len(own) <= len(shape) and all(a in (1, b) for a, b in zip(own[::-1], shape[::-1]))
