"""Handlers that give sites their values, or take them away."""
import difflib
import hashlib

from ...engine import numpy as np
from ...engine import random
from ..sites import SiteError, closed, repeated
from ..values import same_shape, with_value
from .base import Handler
from .recording import message


def address(name):
    """A site's name as two 32-bit numbers."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


class seed(Handler):
    """Draw every open site. seed(model, rng_seed)(*args); rng_seed is an int or a key.

    hide_types : kinds of sites (sample, param, plate, prng_key) that are left open

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

    def __init__(self, fn=None, rng_seed=None, hide_types=None):
        super().__init__(fn)
        if rng_seed is None:
            raise TypeError("seed needs rng_seed: an integer, or a key made by chainrule.engine.random.key.")
        key = rng_seed if isinstance(rng_seed, random.Key) else random.key(rng_seed)
        self.key = random.wrap_key_data(random.key_data(key))        # sites hand on words: one generator for all
        self.indices, self.hide_types, self.drawn = (), tuple(hide_types or ()), set()

    def start(self):
        self.drawn = set()

    def enter(self, index):
        inner = super().enter(index)
        inner.indices = self.indices if index is None else (*self.indices, index)
        inner.drawn = set()
        return inner

    def meets(self, places):
        for name, place in places.items():
            if place.is_open:
                self._new(name, place.facts)

    def _new(self, name, facts):
        """Note a name that is drawn: a second site of that name would get the same numbers."""
        if name in self.drawn and facts.kind != "plate":
            raise repeated(name, facts.source)
        self.drawn.add(name)

    def key_of(self, name, kind="sample"):
        """The key of a site; that of a param is the same at every step."""
        key = self.key
        for part in (*address(name), *(() if kind == "param" else self.indices)):
            key = random.fold_in(key, part)
        return key

    def draw(self, site, key):
        """A draw of an open site."""
        return site.fn.sample(key)

    def site(self, site):
        if site.value is not None or site.fn is None or site.kind in self.hide_types:
            return self.next(site)
        self._new(site.name, site.facts)
        key = self.key_of(site.name, site.kind)
        value = self.next(site.replace(value=self.draw(site, key)))[0]
        return [value, random.key_data(key), np.asarray(True)]


class _Given(Handler):
    """Handlers that give values by name, or by a function of a site's record."""
    observes = False
    strict = False
    kinds: tuple[str, ...] = ("sample", "deterministic", "param", "plate")

    def __init__(self, fn=None, data=None, value_fn=None):
        super().__init__(fn)
        if data is not None and value_fn is not None:
            raise ValueError(f"{type(self).__name__} takes values by name or by a function, not both.")
        self.data, self.value_fn = {} if data is None else dict(data), value_fn
        self.seen = set()

    def start(self):
        self.seen = set()

    def puts(self, names):
        self.seen.update(names)
        return {k: v for k, v in self.data.items() if k in names}

    def put(self, values):
        self.data = {**self.data, **values}

    def value_of(self, site):
        """The value for a site, or None."""
        if self.value_fn is not None and site.kind in self.kinds:
            return self.value_fn(message(site))
        return self.data.get(site.name)

    def site(self, site):
        self.seen.add(site.name)
        value = self.value_of(site)
        if value is None:
            return self.next(site)
        if site.kind not in self.kinds:
            raise site.error(f"{type(self).__name__} was given a value for {site.name!r}, which is a {site.kind}: "
                             "it has none.")
        what = f"the value given by {type(self).__name__}"
        if site.kind == "deterministic":
            by = site.infer.get("reparam")
            if by is not None and self.observes:
                raise site.error(f"site {site.name!r} is reparameterised ({by}): it follows from other sites, so it "
                                 f"cannot be observed.\nPut {type(self).__name__} inside of reparam, and leave the "
                                 "site out of reparam's config.")
            return self.next(site.replace(value=same_shape(site, value, site.value.shape, what)))
        given = with_value(site, value, what, grows=site.observed or self.observes)
        return self.next(given.replace(observed=site.observed or self.observes and site.kind == "sample"))

    def finish(self):
        unknown = [k for k in self.data if k not in self.seen]
        if self.strict and unknown:
            near = difflib.get_close_matches(unknown[0], self.seen, 1)
            raise SiteError(f"{type(self).__name__} was given a value for {unknown[0]!r}, and the model has no site of "
                            f"that name.\n{f'Did you mean {near[0]!r}? ' if near else ''}Its sites are: "
                            f"{', '.join(sorted(self.seen)) or '(none)'}.")


class condition(_Given):
    """Give sites a value and mark them observed: condition(model, data={name: value}).

    condition_fn : in place of data, a function from a site's record to its value or None; sites inside of a scan ask it
        once, for all steps
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
    kinds = ("sample", "deterministic")

    def __init__(self, fn=None, data=None, condition_fn=None):
        super().__init__(fn, data, condition_fn)


class substitute(_Given):
    """Give sites and params a value without marking them observed: substitute(model, data={name: value}).

    substitute_fn : in place of data, a function from a site's record to its value or None

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with substitute(data={"x": 2.0}):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> x
    Array(2.)
    """

    def __init__(self, fn=None, data=None, substitute_fn=None):
        super().__init__(fn, data, substitute_fn)


class replay(_Given):
    """Give sample sites and subsampled plates the values of a recorded trace: replay(model, tr).

    Sites that the model observes keep their values.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import trace
    >>> def model():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> tr = trace(seed(model, 0)).get_trace()
    >>> bool(replay(model, tr)() == tr["x"]["value"])
    True
    """
    kinds = ("sample", "plate")

    def __init__(self, fn=None, trace=None):
        super().__init__(fn, {name: record["value"] for name, record in (trace or {}).items()
                              if record["type"] in self.kinds and not record["is_observed"]})

    def site(self, site):
        return super().site(site) if site.kind in self.kinds and not site.observed else self.next(site)


class do(_Given):
    """Intervene: what follows a site sees the value given, while the site itself stays as it was: do(model, data).

    The site is still drawn or observed under its own name and its log-density counts; only its effect on the rest of
    the model is cut (Pearl, Causality, 2009, section 3.2).
    Raises SiteError for a name that the model does not have.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    ...     return x, cr.sample("y", dist.Normal(10.0 * x, 1e-6))
    >>> _, y = seed(do(model, {"x": 2.0}), 0)()
    >>> float(y).__round__(3)
    20.0
    """
    strict = True

    def site(self, site):
        self.seen.add(site.name)
        if site.name not in self.data or site.kind not in ("sample", "deterministic"):
            return self.next(site)
        shape = self.next(site)[0].shape
        event_dim = 0 if site.fn is None else site.fn.event_dim
        value = same_shape(site, self.data[site.name], shape, "the value given by do", event_dim)
        return closed(np.broadcast_to(value, shape))


class uncondition(Handler):
    """Make observed sites open again; their `infer` says was_observed. For draws from the predictive distribution.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import trace
    >>> def model():
    ...     cr.sample("y", dist.Normal(0.0, 1.0), obs=100.0)
    >>> tr = trace(seed(uncondition(model), 0)).get_trace()
    >>> tr["y"]["is_observed"], bool(tr["y"]["value"] < 10.0)
    (False, True)
    """

    def site(self, site):
        if site.kind != "sample" or not site.observed:
            return self.next(site)
        return self.next(site.replace(value=None, observed=False, infer={**site.infer, "was_observed": True}))
