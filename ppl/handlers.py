"""Effect handlers: interpreters that have an opinion about `sample`, and let every other operation through.

A handler overrides `site`: it gets a `Site`, may change it, and hands it down with `self.next(site)`:

    class shout(Handler):
        def site(self, site):
            print(site.name)
            return self.next(site)

It is used as a wrapper, `shout(model)(x)`, or as a context, `with shout(): model(x)`. A wrapper makes a fresh copy of
itself for each call, so no traced value outlives its world. Handlers nest innermost first, and with grad, vmap, jit,
scan and cond in any order.

What happens at a scan, cond, while or jit whose program has sites is written once, in `programs.py`; a handler says
only what it puts into the program (`puts`), what it threads through it (`carried`) and what it takes out (`taken`):

    class count(Handler):                          # how many sites there are, each step of a loop counted
        def start(self): self.total = np.asarray(0)
        def carried(self): return self.total
        def carry(self, value): self.total = value
        def site(self, site):
            self.total = self.total + 1
            return self.next(site)

Sharp edges: a site inside of vmap is one site with a leading axis for the handlers around the vmap, and one per lane
for those inside of it. A handler around a jit, scan or cond runs while the program is staged, so what it does in Python
happens once.
"""
import copy
import difflib
import hashlib
from collections import OrderedDict

from ..engine import numpy as np
from ..engine import random
from ..engine.core import Trace, enclosing, state, world
from .programs import through_program
from .sites import Site, SiteError, closed, site_p, with_value

__all__ = ["Handler", "block", "condition", "mask", "replay", "scale", "seed", "substitute", "trace"]


class Handler(Trace):
    """The base of handlers; see the module's text."""
    transparent = True
    context = "handler"

    def __init__(self, fn=None):
        self.fn, self.parent, self._worlds = fn, None, []

    # -- what a handler overrides --

    def site(self, site):
        """Treat one site; returns what `self.next` returns."""
        return self.next(site)

    def enter(self, index):
        """The handler for one run of a program inside (a loop's body at step `index`, a branch): a copy, usually."""
        inner = copy.copy(self)
        inner.parent, inner._worlds = state.trace, []
        return inner

    def puts(self, names):
        """{site name: value} that a loop must slice, step by step, for its sites."""
        return {}

    def put(self, values):
        """Take the slices of this step."""

    def carried(self):
        """A tree of arrays that is threaded through loops and branches (a running total), or None."""
        return None

    def carry(self, value):
        """Take the threaded tree."""

    def taken(self):
        """({site name: Arrays}, {site name: Facts}) to come out of a program, or None."""
        return None

    def absorb(self, made, how):
        """Receive what came out: `how.sites(made)` are the sites, stacked along steps or joined over branches."""

    def finish(self):
        """Called when the handler's use ends without an error."""

    # -- the machinery --

    def next(self, site):
        """Hand the site to the world below: [value, key, drawn]."""
        return site.bind()

    def process(self, prim, args, params):
        if prim is site_p:
            return self.site(Site.rebuild(args, params))
        if "site" in prim.effects(params):
            return through_program(self, prim, args, params)
        return prim.bind(*args, **params)

    def fresh(self):
        """A copy for one use, standing on the current world."""
        made = copy.copy(self)
        made.parent, made._worlds = state.trace, []
        made.start()
        return made

    def start(self):
        """Set up what one use needs."""

    def __call__(self, *args, **kwargs):
        if self.fn is None:
            if len(args) == 1 and callable(args[0]) and not kwargs:
                made = copy.copy(self)                   # used as a decorator with options
                made.fn = args[0]
                return made
            name = type(self).__name__
            raise TypeError(f"{name} was called without a model: write {name}(model, ...)(*args).")
        use = self.fresh()
        with world(use):
            out = self.fn(*args, **kwargs)
        use.finish()
        return out

    def __enter__(self):
        if any(t is self for t in enclosing()):
            raise RuntimeError(f"this {type(self).__name__} is in use already; make another one.")
        self.parent = state.trace
        self.start()
        self._worlds = [*self._worlds, world(self)]
        self._worlds[-1].__enter__()
        return self

    def __exit__(self, kind, *rest):
        self._worlds.pop().__exit__(kind, *rest)
        if kind is None:
            self.finish()

    @property
    def __name__(self):
        return getattr(self.fn, "__name__", type(self).__name__)


# ---- giving values ----

def address(name):
    """A site's name as two 32-bit numbers."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


class seed(Handler):
    """Draw every open site. seed(model, rng_seed)(*args); rng_seed is an int or a key.

    The key of a site is folded from the seed, the site's name and its indices (loop step, vmapped lane), never from
    what was drawn before: adding a site, or changing their order, leaves the other draws as they were.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def one():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> def two():
    ...     cr.sample("y", dist.Normal(0.0, 1.0))
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> bool(seed(one, 0)() == seed(two, 0)())
    True
    """

    def __init__(self, fn=None, rng_seed=None):
        super().__init__(fn)
        if rng_seed is None:
            raise TypeError("seed needs rng_seed: an integer, or a key made by chainrule.engine.random.key.")
        key = rng_seed if isinstance(rng_seed, random.Key) else random.key(rng_seed)
        self.key = random.wrap_key_data(random.key_data(key))        # sites hand on words: one generator for all
        self.indices = ()

    def enter(self, index):
        inner = super().enter(index)
        inner.indices = self.indices if index is None else (*self.indices, index)
        return inner

    def key_of(self, name):
        """The key of a site."""
        key = self.key
        for part in (*address(name), *self.indices):
            key = random.fold_in(key, part)
        return key

    def site(self, site):
        if site.kind != "sample" or site.value is not None:
            return self.next(site)
        key = self.key_of(site.name)
        value = self.next(site.replace(value=site.fn.sample(key)))[0]
        return [value, random.key_data(key), np.asarray(True)]


class _Given(Handler):
    """Handlers that give values by name."""
    observes = False
    strict = False

    def __init__(self, fn=None, data=None):
        super().__init__(fn)
        self.data = {} if data is None else dict(data)
        self.seen = set()

    def start(self):
        self.seen = set()

    def puts(self, names):
        self.seen.update(names)
        return {k: v for k, v in self.data.items() if k in names}

    def put(self, values):
        self.data = {**self.data, **values}

    def site(self, site):
        self.seen.add(site.name)
        if site.name not in self.data:
            return self.next(site)
        value = self.data[site.name]
        if site.kind == "factor":
            raise site.error(f"{type(self).__name__} was given a value for {site.name!r}, which is a factor: "
                             "it has none.")
        if site.kind == "deterministic":
            return self.next(site.replace(value=np.asarray(value)))
        return self.next(with_value(site, value, f"the value given by {type(self).__name__}").replace(
            observed=self.observes or site.observed))

    def finish(self):
        unknown = [k for k in self.data if k not in self.seen]
        if self.strict and unknown:
            near = difflib.get_close_matches(unknown[0], self.seen, 1)
            raise SiteError(f"{type(self).__name__} was given a value for {unknown[0]!r}, and the model has no site of "
                            f"that name.\n{f'Did you mean {near[0]!r}? ' if near else ''}Its sites are: "
                            f"{', '.join(sorted(self.seen)) or '(none)'}.")


class condition(_Given):
    """Give sites a value and mark them observed: condition(model, data={name: value}).

    A site inside of scan takes its values along the leading axis.
    Raises SiteError for a name that the model does not have.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> condition(model, {"x": 2.0})()
    Array(2.)
    """
    observes = True
    strict = True


class substitute(_Given):
    """Give sites a value without marking them observed: substitute(model, data={name: value}).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with substitute(data={"x": 2.0}):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> x
    Array(2.)
    """


class replay(_Given):
    """Give sample sites the values of a recorded trace; sites that the model observes keep theirs: replay(model, tr).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> tr = trace(seed(model, 0)).get_trace()
    >>> bool(replay(model, tr)() == tr["x"]["value"])
    True
    """

    def __init__(self, fn=None, trace=None):
        super().__init__(fn, {name: record["value"] for name, record in (trace or {}).items()
                              if record["type"] == "sample" and not record["is_observed"]})

    def site(self, site):
        return super().site(site) if site.kind == "sample" and not site.observed else self.next(site)


# ---- hiding, masking, scaling ----

class block(Handler):
    """Hide sites from the handlers outside: all of them, those in `hide`, all but those in `expose`, or by `hide_fn`.

    hide_fn : record (the dict that `trace` shows) -> bool      hide, expose : site names      expose_types : kinds
    A hidden site must get its value inside of the block.

    >>> import chainrule as cr, chainrule.distributions as dist
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
        if site.kind == "deterministic":
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
        if site.kind == "deterministic":
            return self.next(site)
        factor = np.asarray(self.factor)
        return self.next(site.replace(scale=factor if site.scale is None else site.scale * factor))


# ---- recording ----

def message(site):
    """A site as the dict that NumPyro's traces hold."""
    return {"type": site.kind, "name": site.name, "fn": site.fn, "value": site.value, "is_observed": site.observed,
            "scale": site.scale, "mask": site.mask, "infer": site.infer, "cond_indep_stack": list(site.plates)}


class trace(Handler):
    """Record the sites: trace(model).get_trace(*args) is an ordered dict from name to site.

    Each entry has type, name, fn, value, is_observed, scale, mask, infer and cond_indep_stack. Sites inside of vmap and
    scan are one entry with a leading axis. As a context it is itself such a dict: `with trace() as tr: model()`.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with trace() as tr, seed(rng_seed=0):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> tr["x"]["value"] is x
    True
    """

    def __init__(self, fn=None):
        super().__init__(fn)
        self.sites = OrderedDict()

    def start(self):
        self.sites = OrderedDict()

    def get_trace(self, *args, **kwargs):
        """Run the model and return the record."""
        if self.fn is None:
            raise TypeError("this trace has no model: write trace(model).get_trace(*args), "
                            "or `with trace() as tr:` and use tr itself.")
        use = self.fresh()
        with world(use):
            self.fn(*args, **kwargs)
        use.finish()
        return OrderedDict(use.items())

    def record(self, site):
        """Keep one site; a name may not repeat."""
        if site.name in self.sites:
            raise site.error(f"the model has two sites named {site.name!r}; a name must be unique.\n"
                             "Give one of them another name (in a Python loop, put the index into it).")
        self.sites[site.name] = site

    def site(self, site):
        out = self.next(site)
        self.record(site.replace(value=out[0]))
        return out

    def enter(self, index):
        inner = super().enter(index)
        inner.sites = OrderedDict()
        return inner

    def __getitem__(self, name):
        return message(self.sites[name])

    def __contains__(self, name):
        return name in self.sites

    def __iter__(self):
        return iter(self.sites)

    def __len__(self):
        return len(self.sites)

    def keys(self):
        """The names, in the order of the statements."""
        return self.sites.keys()

    def items(self):
        """(name, record) pairs."""
        return [(name, message(s)) for name, s in self.sites.items()]

    def taken(self):
        return ({name: s.arrays for name, s in self.sites.items()}, {name: s.facts for name, s in self.sites.items()})

    def absorb(self, made, how):
        for site in how.sites(made):
            self.record(site)

