"""Sites: the primitive of the tracer that every statement of a model binds.

A statement makes a `Site` and binds it. Handlers are interpreters that change the site and bind it again under their
parent, so they nest innermost first. At the bottom a site that has a value returns it; one that has none raises an
error that names it.

The primitive's operands are the leaves of the site's arrays (the distribution's parameters, the value, the mask and the
scale); its parameters are the structure of those arrays and the site's static facts. It gives three results: the value,
the key with which it was drawn, and whether it was drawn at all, so that `grad` can differentiate through a draw.
"""
from typing import Any, NamedTuple

import numpy as onp

from ..distributions import Vmapped
from ..engine import numpy as np
from ..engine import random, tree
from ..engine.api import jvp, vmap
from ..engine.avals import Aval, broadcast_shapes, default_float, is_inexact
from ..engine.core import Primitive, aval_of, enclosing, state
from ..engine.errors import ChainruleError, ShapeError, describe_location
from ..engine.interpreters.batch import spread_lane
from .sources import Source


class SiteError(ChainruleError, ValueError):
    """A statement of a model that cannot be carried out; the message names the site and the user's own line."""


def repeated(name, source):
    """The error for two sites of one name."""
    return SiteError(f"the model has two sites named {name!r}; a name must be unique.\n"
                     "Give one of them another name (in a Python loop, put the index into it).", source)


def check_plates(frames, seen):
    """Note the frames' names in `seen`; raise SiteError for one that stood for another size or other coords before."""
    for f in frames:
        if f.name is None or f.dim is None:
            continue
        first = seen.setdefault(f.name, f)
        if (first.size, first.full, first.coords) == (f.size, f.full, f.coords):
            continue
        if (first.size, first.full) == (f.size, f.full) and None in (first.coords, f.coords):
            seen[f.name] = first if f.coords is None else f
            continue
        same = (first.size, first.full) == (f.size, f.full)
        sizes = [f"size {g.size}" + ("" if g.full is None else f" of {g.full}") for g in (first, f)]
        at = ["" if not g.line else f" ({describe_location(tuple(g.line))})" for g in (first, f)]
        raise SiteError(
            f"plate {f.name!r} has {'one set of coords' if same else sizes[0]}{at[0]}, and "
            f"{'another' if same else sizes[1]}{at[1]}: one name stands for one axis of the model, and for one "
            "dimension in ArviZ.\nGive one of them another name.", tuple(f.line) or None)


class Coords(tuple):
    """Labels along a plate."""
    __slots__ = ()


class Line(tuple):
    """(code, line number) of a statement, or empty. Any two are equal: a line is no part of what a thing is."""
    __slots__ = ()
    __eq__ = lambda self, other: isinstance(other, Line)
    __ne__ = lambda self, other: not isinstance(other, Line)
    __hash__ = lambda self: 0

    def __repr__(self):
        return f"<{describe_location(tuple(self) or None) or 'no line'}>"


class Frame(NamedTuple):
    """What a batch axis of a site comes from.

    A plate has a name, an axis counted from the right of the batch shape, and a size. A vmap or scan has no `dim`:
    those frames come first, in the order of the leading axes.
    """
    name: str | None
    dim: int | None
    size: int
    loops: int = 0             # of a vmap: the number of scans around the site that it goes around
    full: int | None = None    # of a subsampled plate: the size of the whole
    coords: Coords | None = None
    line: Line = Line()        # of the plate's statement


SCORED = ("sample", "factor")  # the kinds of sites that have a log-density


class Arrays(NamedTuple):
    """What of a site is arrays; None where there is nothing."""
    fn: Any                    # the distribution (None for deterministic and factor)
    value: Any
    mask: Any
    scale: Any


class Facts(NamedTuple):
    """What of a site is known before the program runs."""
    kind: str                  # sample, deterministic, factor, param, plate (a subsampled one) or prng_key
    name: str
    observed: bool
    plates: tuple              # of Frame
    infer: tuple               # of (key, value)
    source: Any                # the user's line


class Site:
    """One statement, as handlers see it. `replace` gives a changed copy; `bind` hands it to the current world."""
    __slots__ = ("arrays", "facts")

    def __init__(self, arrays, facts):
        self.arrays, self.facts = arrays, facts

    fn = property(lambda self: self.arrays.fn, doc="The distribution.")
    value = property(lambda self: self.arrays.value, doc="The value, or None while the site is open.")
    mask = property(lambda self: self.arrays.mask, doc="Where the log-density counts: bool[*batch], or None.")
    scale = property(lambda self: self.arrays.scale, doc="What multiplies the log-density, or None.")
    kind = property(lambda self: self.facts.kind)
    name = property(lambda self: self.facts.name)
    observed = property(lambda self: self.facts.observed)
    plates = property(lambda self: self.facts.plates)
    infer = property(lambda self: dict(self.facts.infer))
    source = property(lambda self: self.facts.source)
    scored = property(lambda self: self.facts.kind in SCORED, doc="Whether it has a log-density.")

    def replace(self, **changes):
        """A copy with other arrays (fn, value, mask, scale) or facts (kind, name, observed, plates, infer)."""
        arrays = {k: changes.pop(k) for k in list(changes) if k in Arrays._fields}
        if "infer" in changes:
            changes["infer"] = tuple(sorted(dict(changes["infer"]).items()))
        return Site(self.arrays._replace(**arrays), self.facts._replace(**changes))

    def bind(self):
        """[value, key, drawn]: the site carried out below. One with a value and no handler below it is done."""
        check_weights(self)
        if self.value is not None and not any(t.context == "handler" for t in enclosing()):
            return closed(self.value)
        leaves, structure = tree.flatten(self.arrays)
        return site_p.bind(*leaves, structure=structure, facts=self.facts)

    @classmethod
    def rebuild(cls, args, params):
        """The site from the primitive's operands and parameters."""
        return cls(tree.unflatten(params["structure"], args), params["facts"])

    def log_prob(self):
        """The log-density of the value, masked and scaled, one number per batch element."""
        return log_prob_of(*self.arrays) if self.scored else onp.zeros(())

    def error(self, message):
        """A SiteError at the site's own line."""
        return SiteError(message, self.source)


def check_weights(site):
    """Raise SiteError for a mask or scale that would enlarge the site's log-density instead of broadcasting to it."""
    for what in ("mask", "scale"):
        shape = onp.shape(getattr(site, what)) if getattr(site, what) is not None else ()
        if not shape:
            continue
        batch = tuple(site.value.shape if site.fn is None else site.fn.batch_shape)
        if broadcasts(shape, batch):
            continue
        problem = "each term would count more than once" if _broadcast(shape, batch) else "they do not broadcast"
        raise site.error(f"site {site.name!r}: the {what} has shape {shape}, and the site's terms have shape {batch}"
                         f"{plate_text(site.plates)}: {problem}.\n"
                         f"Give a {what} that broadcasts to {batch}, or put the site into a plate of the {what}'s "
                         "size. Inside of a scan, pass it along with the scan's inputs.")


def broadcasts(shape, target):
    """Whether an array of `shape` broadcasts to `target` without enlarging it."""
    return _broadcast(shape, target) == tuple(target)


def _broadcast(*shapes):
    try:
        return broadcast_shapes(*shapes)
    except ShapeError:
        return None


def plate_text(frames):
    """The plates of a site in words: " in plates a=3, b=2 under a vmap or scan of 5", or nothing."""
    shown = [f"{f.name}={f.size}" for f in frames if f.name]
    lanes = [str(f.size) for f in frames if f.name is None]
    return (f" in plates {', '.join(shown)}" if shown else "") + (
        f" under a vmap or scan of {', '.join(lanes)}" if lanes else "")


def log_prob_of(fn, value, mask, scale):
    """The log-density of a value, or the term of a factor (fn is None), masked and scaled."""
    if fn is None:
        lp = value if mask is None else np.where(mask, value, 0.0)
    else:
        lp = (fn if mask is None else fn.mask(mask)).log_prob(value)
    return lp if scale is None else scale * lp


def closed(value):
    """The results of a site that was not drawn."""
    return [value, onp.zeros(2, onp.uint32), onp.asarray(False)]


# ---- the primitive ----

def _result_avals(structure, facts, avals):
    arrays = tree.unflatten(structure, avals)
    if arrays.value is not None:
        return aval_of(arrays.value)
    return draw_type(tree.unflatten(structure, avals).fn)


def draw_type(fn):
    """The type of a draw from a distribution whose leaves may be types."""
    one = fn
    while type(one) is Vmapped:
        one = one.base_dist
    if isinstance(one, Source):
        return Aval(fn.shape(), one.value_dtype)
    dtype = onp.dtype("int64") if fn.is_discrete else onp.result_type(
        default_float(), *[a.dtype for a in map(aval_of, tree.leaves(fn)) if is_inexact(a.dtype)])
    return Aval(fn.shape(), dtype)


def _shape(*avals, structure, facts):
    key = aval_of(onp.zeros(2, onp.uint32))
    return [_result_avals(structure, facts, avals), key, aval_of(onp.asarray(False))]


NO_VALUE = {
    "sample": "site {name!r} was reached, and no handler gave it a value.\nRun the model under one that does: "
              "seed(model, key) draws it, condition(model, {{{name!r}: ...}}) fixes it.",
    "param": "param {name!r} has a function for its start, which needs a key.\nRun the model under seed(model, key), "
             "or give the value with substitute(model, {{{name!r}: ...}}).",
    "plate": "plate {name!r} draws a subsample, and no handler gave it a key.\nRun the model under seed(model, key). "
             "MCMC needs all of the data: leave subsample_size out there.",
    "prng_key": "prng_key {name!r} was reached, and no handler gave it a key.\nRun the model under seed(model, key).",
}


def _at_the_bottom(args, params):
    site = Site.rebuild(args, params)
    if site.value is None:
        raise site.error(NO_VALUE.get(site.kind, NO_VALUE["sample"]).format(name=site.name))
    return closed(site.value)


site_p = Primitive("site", multiple=True, effect="site", handled=True, eager=_at_the_bottom, shape=_shape)


@site_p.define("jvp")
def _(xs, ts, *, structure, facts):
    """The tangent of a given value is its own; that of a draw is the pathwise derivative, where there is one."""
    value, key, drawn = site_p.bind(*xs, structure=structure, facts=facts)
    site, tangents = Site.rebuild(xs, dict(structure=structure, facts=facts)), tree.unflatten(structure, ts)
    if site.value is not None:
        return [value, key, drawn], [tangents.value, None, None]
    leaves, fn_tree = tree.flatten(site.fn)
    t_leaves = tree.flatten_up_to(fn_tree, tangents.fn)
    if all(t is None for t in t_leaves) or not is_inexact(value.dtype) or not site.fn.has_rsample:
        return [value, key, drawn], [None, None, None]
    marked = [i for i, t in enumerate(t_leaves) if t is not None]

    def draw(*moving):
        parameters = list(leaves)
        for i, x in zip(marked, moving):
            parameters[i] = x
        return tree.unflatten(fn_tree, parameters).sample(random.wrap_key_data(key))

    _, t = jvp(draw, [leaves[i] for i in marked], [t_leaves[i] for i in marked])
    return [value, key, drawn], [np.where(drawn, t, 0.0), None, None]


@site_p.define("batch")
def _(b, mine, *xs, structure, facts):
    """A site in vmap is one site with a leading axis: n independent draws under one name."""
    site = Site.rebuild(xs, dict(structure=structure, facts=facts))
    marks = tree.unflatten(structure, mine)
    value, fn, mask, scale = site.value, site.fn, site.mask, site.scale
    if facts.kind == "param" and not any(mine):
        return site.bind(), [False, False, False]        # a parameter is the same in every lane
    if value is not None and not marks.value:
        value = spread_lane(value, b.size)
    if fn is None:
        rank = value.ndim - 1
    else:
        rank = len(tree.unflatten(structure, [_one_lane(x, m) for x, m in zip(xs, mine)]).fn.batch_shape)
        fn = Vmapped(fn, tuple(tree.leaves(marks.fn)), b.size)
    mask = _aligned(mask, marks.mask, rank, b.size)
    scale = _aligned(scale, marks.scale, rank, b.size)
    frame = Frame(b.name, None, b.size, state.loops)
    site = Site(Arrays(fn, value, mask, scale), facts._replace(plates=(frame, *facts.plates)))
    value, key, drawn = site.bind()
    lanes = vmap(lambda i: random.key_data(random.fold_in(random.wrap_key_data(key), i)))(np.arange(b.size))
    return [value, lanes, drawn], [True, True, False]


def _one_lane(x, batched):
    if not batched:
        return x
    a = aval_of(x)
    return type(a)(a.shape[1:], a.dtype)


def _aligned(x, batched, rank, size):
    """A batched mask or scale with ones after its lane axis, so that it broadcasts against [lane, *batch]."""
    if x is None or not batched:
        return x
    return np.reshape(x, (size, *(1,) * (rank + 1 - x.ndim), *x.shape[1:]))
