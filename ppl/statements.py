"""The statements of a model: sample, deterministic, factor, param and prng_key. Each binds one site."""
import numpy as onp

from ..distributions import Distribution, constraints
from ..engine import numpy as np
from ..engine import random
from ..engine.api import eval_shape
from ..engine.core import Tracer, enclosing
from ..engine.errors import user_location
from .missing import joined, split
from .plates import _part, active_plates, plate_scale
from .sites import Arrays, Facts, Site, SiteError
from .sources import Parameter, Words
from .values import parameter_text, with_value


def _in_plates(name, fn, frames):
    """fn expanded to the plates' sizes."""
    shape = _plate_shape(name, tuple(fn.batch_shape), frames, "batch shape", fn)
    return fn if shape == tuple(fn.batch_shape) else fn.expand(shape)


def _plate_shape(name, batch, frames, what, fn=None):
    """A batch shape with its plates' sizes in their places."""
    if not frames:
        return batch
    depth = max(len(batch), *[-f.dim for f in frames])
    want = [1] * depth
    for f in frames:
        want[f.dim] = f.size
    have = (1,) * (depth - len(batch)) + batch
    for f in frames:
        if have[f.dim] not in (1, f.size):
            part = f" (a part of {f.full})" if f.full else ""
            raise SiteError(
                f"site {name!r} has {what} {batch}, whose axis {f.dim} has size {have[f.dim]}; "
                f"plate {f.name!r} has that axis with size {f.size}{part}.\n"
                + ("Index the data by the plate's indices, or use subsample." if have[f.dim] == f.full else
                   "Make the parameters' shape match the plate, or give the plate another dim. Axes of a single draw "
                   "are declared with .to_event(n)."), user_location())
    made = tuple(w if h == 1 else h for h, w in zip(have, want))
    _check_square(name, made, frames, what, "" if fn is None else parameter_text(fn))
    return made


def _check_square(name, made, frames, what, parameters):
    """Raise SiteError where an axis that no plate accounts for repeats a plate's: the mark of (n,) against (n, 1)."""
    for axis in set(range(-len(made), 0)) - {f.dim for f in frames}:
        twin = next((f for f in frames if f.size == made[axis] > 1), None)
        if twin is not None:
            raise SiteError(
                f"site {name!r} has {what} {made}{parameters}. Axis {twin.dim} is that of plate {twin.name!r}; axis "
                f"{axis} has the same size {twin.size} and no plate: one term for each pair.\n"
                "Reshape the parameters so that each meets its own. If the axis is meant, put a plate of another name "
                "around the site, or declare it part of one draw with .to_event(n).", user_location())


def sample(name, fn, obs=None, rng_key=None, sample_shape=(), infer=None, obs_mask=None):
    """A random variable `name` with distribution `fn`; with `obs`, an observation of it. Returns its value.

    name : str, unique in the model          fn : Distribution
    obs : array that broadcasts to the site's shape, in the support
    sample_shape : shape of independent copies, put in front
    obs_mask : bool[...], true where obs is observed; obs may be anything elsewhere, nan too (see below)
    Raises SiteError naming the site, the shapes and the line.

    With obs_mask, three sites are made. `name_observed` is the observation; its density is that of what is observed.
    `name_unobserved` is a latent value of the site's whole shape, and `name`, the result, is deterministic: obs where
    it is observed, the latent value elsewhere. Where obs is observed the latent value is a standard normal number,
    taken into the support (one more draw, where the site is discrete): that integrates to one for any parameters, so
    all other sites have their exact posterior; it has no flat direction (a mask over it would leave one) and moves with
    no parameter, so the sampler sees the missing entries alone. Its shape does not depend on the mask, so data and mask
    can be arguments of a compiled model. A mask of the site's batch shape is about whole events; one with the event
    axes is about their elements, for independent elements (`to_event`) and for normal and Student's t vectors, whose
    missing elements are distributed as given the observed ones.

    >>> from chainrule import handlers, sample
    >>> import chainrule.distributions as dist
    >>> with handlers.seed(rng_seed=0):
    ...     x = sample("x", dist.Normal(0.0, 1.0))
    >>> x.shape
    ()
    """
    infer = tuple(sorted((infer or {}).items()))
    frames = tuple(active_plates())
    facts = Facts("sample", name, obs is not None, frames, infer, user_location())
    site = Site(Arrays(fn, None, None, plate_scale(frames)), facts)
    if not isinstance(name, str):
        raise site.error(f"the first argument of sample is the site's name, a string; got {name!r}.")
    if not isinstance(fn, Distribution):
        raise site.error(f"site {name!r}: the second argument of sample is a distribution; got {type(fn).__name__}.")
    fn = _in_plates(name, fn, facts.plates)
    sample_shape = _checked_shape(site, sample_shape)
    site = site.replace(fn=fn.expand_by(sample_shape) if sample_shape else fn)
    if obs_mask is not None:
        return _partly_observed(site, obs, obs_mask, rng_key)
    if obs is not None:
        site = with_value(site, obs)
    elif rng_key is not None:
        if onp.shape(rng_key) not in ((), (2,)):
            raise site.error(f"site {name!r}: rng_key holds keys of shape {onp.shape(rng_key)}; it must be one key.\n"
                             "The draws of a site are independent under one key.")
        site = site.replace(value=site.fn.sample(rng_key))
    return site.bind()[0]


def _checked_shape(site, shape):
    """A sample_shape as a tuple of sizes."""
    if not isinstance(shape, (tuple, list)) or not all(isinstance(n, (int, onp.integer)) and n >= 0 for n in shape):
        raise site.error(f"site {site.name!r}: sample_shape must be a tuple of sizes; got {shape!r:.60}.\n"
                         "For n copies write sample_shape=(n,).")
    return tuple(shape)


def _partly_observed(site, obs, obs_mask, rng_key):
    """The value of a site some of which is observed."""
    name, keys = site.name, (None, None) if rng_key is None else random.split(rng_key, 2)
    seen, missing = split(site, obs, obs_mask)
    if seen.value is None and rng_key is not None:
        seen = seen.replace(value=seen.fn.sample(keys[0]))
    known = seen.bind()[0]
    missing = missing(known)
    if rng_key is not None:
        missing = missing.replace(value=missing.fn.sample(keys[1]))
    return deterministic(name, joined(missing.fn, obs_mask, known, missing.bind()[0]))


def deterministic(name, value):
    """Record a value under a name; returns it."""
    facts = Facts("deterministic", name, False, tuple(active_plates()), (), user_location())
    return Site(Arrays(None, np.asarray(value), None, None), facts).bind()[0]


def factor(name, log_factor):
    """Add `log_factor` to the log-density of the model.

    Inside of a plate it is one term for each index, as a site is: a number counts as often as the plate is long.
    """
    frames = tuple(active_plates())
    facts = Facts("factor", name, False, frames, (), user_location())
    value = np.asarray(log_factor)
    value = np.broadcast_to(value, _plate_shape(name, tuple(value.shape), frames, "shape"))
    Site(Arrays(None, value, None, plate_scale(frames)), facts).bind()


def param(name, init_value=None, *, constraint=constraints.real, event_dim=None):
    """A parameter to be optimised, in the set `constraint`. Returns init_value, or the value that a handler gives.

    init_value : array, or a function from a key to one (the key is the site's, so `seed` must stand around)
    event_dim : with it, axes left of the last event_dim ones are those of plates, and a subsampled plate takes its part
    A parameter has no batch axes of its own: it is the same in every lane of a vmap and every step of a scan.
    Raises SiteError for a start outside of the set.

    >>> import chainrule as cr
    >>> from chainrule.distributions import constraints
    >>> param("scale", 2.0, constraint=constraints.positive)
    Array(2.)
    >>> cr.handlers.substitute(lambda: param("scale", 2.0), {"scale": 3.0})()
    Array(3.)
    """
    site = _param_site(name)
    if init_value is None:
        raise site.error(f"param {name!r} has no start: pass init_value, an array or a function from a key to one.")
    if callable(init_value) and not hasattr(init_value, "shape"):
        start = eval_shape(init_value, random.key(0))
        site = site.replace(fn=Parameter(constraint, start.shape, start.dtype, init_value))
    else:
        value = np.asarray(init_value)
        site = site.replace(value=value, fn=Parameter(constraint, value.shape, value.dtype))
        _check_start(site, constraint, value)
    value = site.bind()[0]
    return value if event_dim is None else _part(np.asarray(value), event_dim, f"param {name!r} has")


def drawn_param(name, draw, aval, constraint=constraints.real):
    """The value of a param of a known type that starts as draw(key)."""
    return _param_site(name).replace(fn=Parameter(constraint, aval.shape, aval.dtype, draw)).bind()[0]


def _param_site(name):
    facts = Facts("param", name, False, (), (), user_location())
    site = Site(Arrays(None, None, None, None), facts)
    if not isinstance(name, str):
        raise site.error(f"the first argument of param is its name, a string; got {name!r}.")
    return site


def _check_start(site, constraint, value):
    ok = constraint(value)
    if not isinstance(ok, Tracer) and not onp.asarray(ok).all():
        raise site.error(f"param {site.name!r}: init_value must be {constraint.words}; got {value!r:.80}.")


def prng_key(name="prng_key"):
    """A key for random numbers of the model's own, drawn by `seed` as sites are: by its name and indices.

    name : unique in the model; a second one needs a name of its own

    >>> import chainrule as cr
    >>> from chainrule.engine import random
    >>> with cr.handlers.seed(rng_seed=0):
    ...     noise = random.normal(prng_key(), (3,))
    >>> noise.shape
    (3,)
    """
    facts = Facts("prng_key", name, False, (), (), user_location())
    return random.wrap_key_data(Site(Arrays(Words(), None, None, None), facts).bind()[0])


def get_mask():
    """The mask of the `mask` handlers around the statement: bool[...], or None where there is none.

    It lets a model leave out work whose log-density would not count.

    >>> import chainrule as cr
    >>> with cr.handlers.mask(mask=False):
    ...     m = get_mask()
    >>> bool(m)
    False
    """
    found = None
    for t in enclosing():
        m = getattr(t, "site_mask", None)
        if m is not None:
            found = m if found is None else np.logical_and(found, m)
    return found
