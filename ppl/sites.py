"""Statements of a model: `sample`, `deterministic` and `factor` are primitives of the tracer.

A statement makes a `Site` and binds it. Handlers are interpreters that change the site and bind it again under their
parent, so they nest innermost first. At the bottom a site that has a value returns it; one that has none raises an
error that names it.

The primitive's operands are the leaves of the site's arrays (the distribution's parameters, the value, the mask and the
scale); its parameters are the structure of those arrays and the site's static facts. It gives three results: the value,
the key with which it was drawn, and whether it was drawn at all, so that `grad` can differentiate through a draw.
"""
from typing import Any, NamedTuple

import numpy as onp

from ..distributions import Distribution, Masked, Vmapped
from ..distributions.wrappers import Wrapper
from ..engine import numpy as np
from ..engine import random, tree
from ..engine.api import jvp, vmap
from ..engine.avals import broadcast_shapes, default_float, is_inexact
from ..engine.core import Primitive, Tracer, aval_of, enclosing, state
from ..engine.errors import ChainruleError, ShapeError, user_location
from ..engine.interpreters.batch import spread_lane


class SiteError(ChainruleError, ValueError):
    """A statement of a model that cannot be carried out; the message names the site and the user's own line."""


class Frame(NamedTuple):
    """What a batch axis of a site comes from.

    A plate has a name, an axis counted from the right of the batch shape, and a size. A vmap or scan has no `dim`:
    those frames come first, in the order of the leading axes.
    """
    name: str | None
    dim: int | None
    size: int
    loops: int = 0             # of a vmap: the number of scans around the site that it goes around


class Arrays(NamedTuple):
    """What of a site is arrays; None where there is nothing."""
    fn: Any                    # the distribution (None for deterministic and factor)
    value: Any
    mask: Any
    scale: Any


class Facts(NamedTuple):
    """What of a site is known before the program runs."""
    kind: str                  # sample, deterministic or factor
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

    def replace(self, **changes):
        """A copy with other arrays (fn, value, mask, scale) or facts (name, observed, plates, infer)."""
        arrays = {k: changes.pop(k) for k in list(changes) if k in Arrays._fields}
        if "infer" in changes:
            changes["infer"] = tuple(sorted(dict(changes["infer"]).items()))
        return Site(self.arrays._replace(**arrays), self.facts._replace(**changes))

    def bind(self):
        """[value, key, drawn]: the site carried out below. One with a value and no handler below it is done."""
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
        return onp.zeros(()) if self.kind == "deterministic" else log_prob_of(*self.arrays)

    def error(self, message):
        """A SiteError at the site's own line."""
        return SiteError(message, self.source)


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
    from_types = tree.map(aval_of, fn)
    shape = fn.shape()
    dtype = onp.dtype("int64") if fn.is_discrete else onp.result_type(
        default_float(), *[a.dtype for a in tree.leaves(from_types) if is_inexact(a.dtype)])
    return type(next(iter(tree.leaves(from_types)), aval_of(onp.zeros(()))))(shape, dtype)


def _shape(*avals, structure, facts):
    key = aval_of(onp.zeros(2, onp.uint32))
    return [_result_avals(structure, facts, avals), key, aval_of(onp.asarray(False))]


def _at_the_bottom(args, params):
    site = Site.rebuild(args, params)
    if site.value is None:
        raise site.error(
            f"site {site.name!r} was reached, and no handler gave it a value.\n"
            f"Run the model under one that does: seed(model, key) draws it, "
            f"condition(model, {{{site.name!r}: ...}}) fixes it.")
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
    a = aval_of(x)
    return type(a)(a.shape[1:], a.dtype) if batched else a


def _aligned(x, batched, rank, size):
    """A batched mask or scale with ones after its lane axis, so that it broadcasts against [lane, *batch]."""
    if x is None or not batched:
        return x
    return np.reshape(x, (size, *(1,) * (rank + 1 - x.ndim), *x.shape[1:]))


# ---- the statements ----

def active_plates():
    """The frames of the plates around the current statement, innermost first."""
    return [t.context for t in enclosing() if isinstance(t.context, Frame)]


def _in_plates(name, fn, frames):
    """fn expanded to the plates' sizes."""
    if not frames:
        return fn
    depth = max(len(fn.batch_shape), *[-f.dim for f in frames])
    want = [1] * depth
    for f in frames:
        want[f.dim] = f.size
    have = (1,) * (depth - len(fn.batch_shape)) + tuple(fn.batch_shape)
    for f in frames:
        if have[f.dim] not in (1, f.size):
            raise SiteError(
                f"site {name!r} has batch shape {tuple(fn.batch_shape)}, whose axis {f.dim} has size {have[f.dim]}; "
                f"plate {f.name!r} has that axis with size {f.size}.\n"
                "Make the parameters' shape match the plate, or give the plate another dim.")
    shape = tuple(w if h == 1 else h for h, w in zip(have, want))
    return fn if shape == tuple(fn.batch_shape) else fn.expand(shape)


def with_value(site, value, what="obs"):
    """The site with a value, its shape checked and broadcast against the distribution's."""
    try:
        value = np.asarray(value)
    except ChainruleError as e:
        reason = e.args[0].splitlines()[0].rstrip(".")
        raise site.error(f"site {site.name!r}: {what} is not an array of numbers: {reason}.") from None
    fn, shape = site.fn, site.fn.shape()
    try:
        both = broadcast_shapes(value.shape, shape)
    except ShapeError:
        both = None
    event = tuple(fn.event_shape)
    wrong_event = event and value.shape[len(value.shape) - len(event):] != event
    if both is None or both not in (value.shape, shape) or wrong_event:
        raise site.error(
            f"site {site.name!r}: {what} has shape {value.shape}, and the distribution {family(fn)} has shape "
            f"{tuple(shape)} (batch {tuple(fn.batch_shape)}, event {event}){_plate_text(site.plates)}; "
            + ("they do not broadcast.\n" if both is None or both in (value.shape, shape) else
               f"together they would broadcast to {both}, one term for each pair.\n")
            + "Reshape one of them so that each observation meets its own parameters.")
    if both != tuple(shape):
        fn = _grown(site, both[:len(both) - len(event)], value, what)
    value = np.broadcast_to(value, both)
    check_support(site, fn, value, what)
    return site.replace(fn=fn, value=value)


def _grown(site, batch, value, what):
    """The site's distribution expanded to a value's batch shape; axes of plates, vmap and scan must not grow."""
    lanes = [f for f in site.plates if f.dim is None]
    bad = [f for f in site.plates if f.dim is not None and batch[f.dim] != f.size]
    if bad:
        raise site.error(f"site {site.name!r}: {what} has shape {value.shape}, and plate {bad[0].name!r} has size "
                         f"{bad[0].size}.\nMake the plate as large as the data.")
    if lanes and (len(batch) != len(site.fn.batch_shape) or [f.size for f in lanes] != list(batch[:len(lanes)])):
        raise site.error(f"site {site.name!r}: {what} has shape {value.shape}, and the site in vmap or scan has shape "
                         f"{site.fn.shape()}.\nIts leading axes are those of the vmap or scan.")
    return _expanded(site.fn, batch, len(lanes))


def _expanded(fn, batch, lanes):
    """fn.expand(batch), lane by lane, so that the axes of vmap and scan stay what they are."""
    if not lanes or type(fn) is not Vmapped:
        return fn.expand(batch)
    made = fn.lanes.each(lambda d: _expanded(d, batch[1:], lanes - 1))
    return Vmapped(made, (True,) * len(tree.leaves(made)), fn.lanes.size)


def check_support(site, fn, value, what):
    """A value that is known must lie in the support (nan counts as outside)."""
    if isinstance(value, Tracer) or any(isinstance(x, Tracer) for x in tree.leaves(fn.support)):
        return
    counted = _counted(site, fn, value)
    if counted is None:
        return
    ok = onp.asarray(fn.support(counted))
    if not ok.all():
        flat = onp.asarray(value).reshape(ok.shape + (-1,))
        bad = flat[~ok][0]
        at = f" at index {onp.argwhere(~ok)[0].tolist()}" if ok.ndim else ""
        shown = bad.item() if bad.size == 1 else bad.tolist()
        raise site.error(f"site {site.name!r}: {what} has the value {shown}{at}, outside of the support of "
                         f"{family(fn)}: it must be {fn.support.words}.\n"
                         "Check the data, or choose a distribution that allows it.")


def _counted(site, fn, value):
    """The value, with a member of the support where a mask says that it does not count; None where a mask is traced."""
    masks = [m for m in (site.mask, *[getattr(t, "site_mask", None) for t in enclosing()]) if m is not None]
    pairs = [(m, len(fn.event_shape)) for m in masks]
    while isinstance(fn, Wrapper):
        if isinstance(fn, Masked):
            pairs.append((fn.mask_array, len(fn.event_shape)))
        fn = fn.base_dist
    if any(isinstance(m, Tracer) for m, _ in pairs):
        return None
    for m, event_dim in pairs:
        wide = onp.reshape(m, (*onp.shape(m), *(1,) * event_dim))
        value = np.where(wide, value, fn.support.example(value))
    return value


def family(fn):
    """The name of a distribution's family, without what wraps it."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return type(fn).__name__


def _plate_text(plates):
    shown = [f"{f.name}={f.size}" for f in plates if f.name]
    return f" in plates {', '.join(shown)}" if shown else ""


def sample(name, fn, obs=None, rng_key=None, sample_shape=(), infer=None, obs_mask=None):
    """A random variable `name` with distribution `fn`; with `obs`, an observation of it. Returns its value.

    name : str, unique in the model          fn : Distribution
    obs : array that broadcasts to the site's shape, in the support
    sample_shape : shape of independent copies, put in front
    Raises SiteError naming the site, the shapes and the line.

    >>> from chainrule import handlers, sample
    >>> import chainrule.distributions as dist
    >>> with handlers.seed(rng_seed=0):
    ...     x = sample("x", dist.Normal(0.0, 1.0))
    >>> x.shape
    ()
    """
    infer = tuple(sorted((infer or {}).items()))
    facts = Facts("sample", name, obs is not None, tuple(active_plates()), infer, user_location())
    site = Site(Arrays(fn, None, None, None), facts)
    if not isinstance(name, str):
        raise site.error(f"the first argument of sample is the site's name, a string; got {name!r}.")
    if not isinstance(fn, Distribution):
        raise site.error(f"site {name!r}: the second argument of sample is a distribution; got {type(fn).__name__}.")
    if obs_mask is not None:
        raise site.error(f"site {name!r}: obs_mask is not known yet; leave it out.")
    fn = _in_plates(name, fn, facts.plates)
    site = site.replace(fn=fn.expand_by(tuple(sample_shape)) if sample_shape else fn)
    if obs is not None:
        site = with_value(site, obs)
    elif rng_key is not None:
        site = site.replace(value=site.fn.sample(rng_key))
    return site.bind()[0]


def _plain(kind, name, value):
    facts = Facts(kind, name, False, tuple(active_plates()), (), user_location())
    return Site(Arrays(None, np.asarray(value), None, None), facts).bind()[0]


def deterministic(name, value):
    """Record a value under a name; returns it."""
    return _plain("deterministic", name, value)


def factor(name, log_factor):
    """Add `log_factor` to the log-density of the model."""
    _plain("factor", name, log_factor)
