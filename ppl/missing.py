"""Sites of which a part is observed: the observed site and the latent one that `sample(..., obs_mask=...)` makes."""
import numpy as onp

from .. import distributions
from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from .values import family, with_value


def split(site, obs, obs_mask):
    """(the observed site, a function from its value to the latent site).

    Where nothing is observed (obs is None), the first is open and counts whole.
    """
    name, mask = site.name, np.asarray(obs_mask)
    if mask.dtype.kind != "b":
        raise site.error(f"site {name!r}: obs_mask must be boolean, true where obs is observed; got {mask.dtype}.")
    if obs is not None:                                  # for its shape; the values come later
        site = site.replace(fn=with_value(site.replace(mask=onp.asarray(False)), obs).fn)
    fn, whole = site.fn, _of_whole_events(site, mask)
    seen = site.replace(name=f"{name}_observed", observed=obs is not None)
    latent = site.replace(name=f"{name}_unobserved", observed=False)
    if obs is not None and whole:
        seen = seen.replace(mask=mask)
    elif obs is not None:
        seen = seen.replace(fn=_part(site, distributions.observed_part, mask))
    seen = seen if obs is None else with_value(seen, obs)
    if whole:
        missing = latent.replace(fn=distributions.where_missing(fn, mask).expand(fn.batch_shape))
        return seen, lambda known: missing
    return seen, lambda known: latent.replace(
        fn=_part(site, distributions.missing_part, mask, known).expand(fn.batch_shape))


def _of_whole_events(site, mask):
    """Whether a mask is about whole events of the site, and not about the elements of events."""
    batch, event = tuple(site.fn.batch_shape), tuple(site.fn.event_shape)
    if _fits(mask.shape, batch):
        return True
    if event and mask.shape[-len(event):] == event and _fits(mask.shape, batch + event):
        return False
    either = f" or {batch + event}, for whole events or for their elements" if event else ""
    raise site.error(f"site {site.name!r}: obs_mask has shape {mask.shape}, and the site of {family(site.fn)} has "
                     f"batch shape {batch}{f' and event shape {event}' if event else ''}.\nGive a mask that broadcasts "
                     f"to {batch}{either}.")


def _fits(small, large):
    try:
        return broadcast_shapes(small, large) == large
    except ShapeError:
        return False


def _part(site, part, *args):
    try:
        return part(site.fn, *args)
    except NotImplementedError:
        raise site.error(
            f"site {site.name!r}: obs_mask has the axes of an event, so elements of events of {family(site.fn)} are "
            "missing; their distribution given the others is not known here.\nThat can be done for independent "
            "elements (to_event) and for normal and Student's t vectors. For whole events, give a mask of the batch "
            f"shape {tuple(site.fn.batch_shape)}.") from None


def joined(fn, obs_mask, known, latent):
    """The observed values where they are, the latent ones elsewhere."""
    mask = np.asarray(obs_mask)
    if _fits(mask.shape, tuple(fn.batch_shape)):
        mask = np.reshape(mask, (*mask.shape, *(1,) * len(fn.event_shape)))
    return np.where(mask, known, latent)
