"""Values given to sites: their shapes and supports are checked here."""
import numpy as onp

from ..distributions import Masked, Vmapped
from ..distributions.wrappers import Wrapper
from ..engine import numpy as np
from ..engine import tree
from ..engine.avals import broadcast_shapes
from ..engine.core import Tracer, enclosing
from ..engine.errors import ChainruleError, ShapeError
from .sites import broadcasts, plate_text


def with_value(site, value, what="obs", grows=True):
    """The site with a value, its shape checked and broadcast against the distribution's.

    A value with more axes or longer ones makes the site larger, where `grows`; one event alone stands for all of them.
    """
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
            f"{tuple(shape)} (batch {tuple(fn.batch_shape)}, event {event}){plate_text(site.plates)}; "
            + ("they do not broadcast.\n" if both is None or both in (value.shape, shape) else
               f"together they would broadcast to {both}, one term for each pair.\n")
            + _advice(site, value, what))
    if both != value.shape and value.ndim > len(event):
        raise site.error(
            f"site {site.name!r}: {what} has shape {value.shape}, and the distribution {family(fn)} has shape "
            f"{tuple(shape)}{plate_text(site.plates)}{parameter_text(fn)}: each number would count more than once.\n"
            f"{_advice(site, value, what)} If the repetition is meant, pass "
            f"np.broadcast_to({'obs' if what == 'obs' else 'value'}, {tuple(shape)}).")
    if both != tuple(shape):
        if not grows:
            lanes = any(f.dim is None for f in site.plates)
            raise site.error(
                f"site {site.name!r}: {what} has shape {value.shape}, and the site has shape {tuple(shape)}"
                f"{plate_text(site.plates)}.\n"
                + ("Its leading axes are those of the vmap or scan." if lanes else
                   "Give one value for the site; for many at once, map over them with vmap."))
        fn = _grown(site, both[:len(both) - len(event)], value, what)
    value = np.broadcast_to(value, both)
    check_support(site, fn, value, what)
    return site.replace(fn=fn, value=value)


def same_shape(site, value, shape, what, event_dim=0):
    """The value as an array, which must have the site's shape, or be one event that stands for all of them."""
    value = np.asarray(value)
    event = tuple(shape[len(shape) - event_dim:])
    if value.shape not in (tuple(shape), event):
        raise site.error(f"site {site.name!r}: {what} has shape {value.shape}, and the site has shape {tuple(shape)}"
                         f"{plate_text(site.plates)}.\nGive a value of the site's shape.")
    return value


def _advice(site, value, what):
    """What to do about a value of another shape."""
    for f in site.plates:
        axis = -1 if f.dim is None else f.dim - len(site.fn.event_shape)
        if f.full is not None and value.ndim >= -axis and value.shape[axis] == f.full:
            return (f"Plate {f.name!r} has drawn {f.size} of {f.full}: index the data by the plate's indices, or take "
                    "their part with subsample.")
    if what != "obs" and not site.observed:
        return "Give a value of the site's shape."
    return "Reshape one of them so that each observation meets its own parameters."


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
    if not all(broadcasts(onp.shape(m), value.shape[:value.ndim - event_dim]) for m, event_dim in pairs):
        return None                                      # the site is refused where it meets the mask
    for m, event_dim in pairs:
        wide = onp.reshape(m, (*onp.shape(m), *(1,) * event_dim))
        value = np.where(wide, value, fn.support.example(value))
    return value


def family(fn):
    """The name of a distribution's family, without what wraps it."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return type(fn).__name__


def parameter_text(fn):
    """The parameters' shapes in words, where they differ: ", made of loc (3,), scale (3, 1)"."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    shapes = {f.name: onp.shape(getattr(fn, f.name)) for f in fn._params if getattr(fn, f.name) is not None}
    if len({s for s in shapes.values() if s}) < 2:
        return ""
    return f", made of {', '.join(f'{name} {shape}' for name, shape in shapes.items())}"
