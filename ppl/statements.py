"""The statements of a model: sample, deterministic, factor, param and prng_key. Each binds one site."""
import numpy as onp

from ..distributions import Distribution, constraints
from ..engine import numpy as np
from ..engine import random
from ..engine.api import eval_shape
from ..engine.core import Tracer, enclosing
from ..engine.errors import user_location
from .plates import active_plates, plate_scale, subsample
from .sites import Arrays, Facts, Site, SiteError
from .sources import Parameter, Words
from .values import with_value


def _in_plates(name, fn, frames):
    """fn expanded to the plates' sizes."""
    shape = _plate_shape(name, tuple(fn.batch_shape), frames, "batch shape")
    return fn if shape == tuple(fn.batch_shape) else fn.expand(shape)


def _plate_shape(name, batch, frames, what):
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
                   "Make the parameters' shape match the plate, or give the plate another dim."), user_location())
    return tuple(w if h == 1 else h for h, w in zip(have, want))


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
    frames = tuple(active_plates())
    facts = Facts("sample", name, obs is not None, frames, infer, user_location())
    site = Site(Arrays(fn, None, None, plate_scale(frames)), facts)
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
    facts = Facts("param", name, False, (), (), user_location())
    site = Site(Arrays(None, None, None, None), facts)
    if not isinstance(name, str):
        raise site.error(f"the first argument of param is its name, a string; got {name!r}.")
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
    return value if event_dim is None else subsample(value, event_dim)


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
