"""The latent sites of a model as an automatic guide sees them: points of ℝⁿ, the way into their supports, a start."""
import math
from typing import Any, NamedTuple

from ....distributions import biject_to
from ....distributions.distribution import sum_rightmost
from ....distributions.transforms import IdentityTransform, IndependentTransform
from ....engine import numpy as np
from ....engine import tree
from ....engine.core import Tracer, state, world
from ....ppl.handlers import block, trace
from ....ppl.model import Points, ravel, stage_model
from ....ppl.plates import plate
from ....ppl.queries.strategies import Start
from ....ppl.sites import SiteError


class Latent(NamedTuple):
    """A latent site of the model."""
    name: str
    shape: tuple
    free_shape: tuple          # of its unconstrained form
    event_dim: int
    support: Any               # its set; None where that depends on data or on other sites
    plates: tuple              # of Frame, innermost first; those of vmap and scan left out
    subsampled: bool

    @property
    def free_event_dim(self):
        """The event axes of the unconstrained form."""
        return len(self.free_shape) - len(self.shape) + self.event_dim

    @property
    def is_real(self):
        """Whether it is its own unconstrained form."""
        t = None if self.support is None else biject_to(self.support)
        while isinstance(t, IndependentTransform):
            t = t.base
        return isinstance(t, IdentityTransform)


class Latents:
    """A staged model, its data, and its latent sites."""

    def __init__(self, program, data):
        self.program, self.data = program, data
        if "latents of guides" not in program.cache:
            with world(state.root):
                program.describe(data)
                program.cache["latents of guides"] = program.on_types(data, lambda sites: [
                    _latent(s) for s in sites.values() if s.kind == "sample" and not s.observed])
        self.sites = program.cache["latents of guides"]
        if not self.sites:
            raise SiteError("the model of an automatic guide has no latent site: all of them are observed.")

    @property
    def has_data(self):
        """Whether the data are known, not traced."""
        return self.data is not None and not any(isinstance(x, Tracer) for x in self.data)

    def without_data(self):
        """The same, to be kept after a call on types."""
        made = object.__new__(Latents)
        made.program, made.data, made.sites = self.program, None, self.sites
        return made

    @property
    def size(self):
        """The number of unconstrained numbers."""
        return sum(math.prod(v.free_shape) for v in self.sites)

    def start(self, strategy, key):
        """{name: Site} of the latent sites at a strategy's values; nothing of it is seen outside."""
        with world(block().fresh()):
            sites = trace(Start(self.program, strategy, key))
            use = sites.fresh()
            with world(use):
                sites.fn(*self.data)
        return {v.name: use.sites[v.name] for v in self.sites}

    def free_start(self, strategy, key):
        """{name: unconstrained value} of a strategy's start; that of a subsampled plate is repeated for the whole."""
        found = self.start(strategy, key)
        return {v.name: whole(v, biject_to(found[v.name].fn.support)._inverse(found[v.name].value), v.free_event_dim)
                for v in self.sites}

    def constrained(self, z, given=None):
        """{name: (value, log |det| of its bijection, one number per batch element)} at unconstrained values.

        given : {name: indices} of subsampled plates
        """
        if all(v.support is not None for v in self.sites):
            return {v.name: _through(biject_to(v.support), z[v.name], v) for v in self.sites}
        with world(block().fresh()):                     # a support depends on other sites: the program says how
            sites = self.program.record(Points(None, {**z, **(given or {})}, True), self.data)
        return {v.name: _through(biject_to(sites[v.name].fn.support), z[v.name], v) for v in self.sites}

    def log_det(self, v, z, x, t=None):
        """log |det| of a site's bijection t at z, which it takes to x, one number per batch element."""
        return _log_det(biject_to(v.support) if t is None else t, z, x, v)

    def ravel(self, values):
        """{name: unconstrained value} as one vector."""
        return ravel(self.sites, values)

    def unravel(self, z):
        """A vector as {name: unconstrained value}."""
        out, at = {}, 0
        for v in self.sites:
            n = math.prod(v.free_shape)
            out[v.name] = np.reshape(z[at:at + n], v.free_shape)
            at += n
        return out


def latents_of(model, args, kwargs):
    """The `Latents` of a model for these arguments; staged as it is outside of all handlers, so that it is staged
    once."""
    with world(state.root):
        program, data = stage_model(model, args, kwargs)
    return Latents(program, data)


def _latent(s):
    if s.fn.is_discrete:
        raise s.error(f"site {s.name!r} is discrete and not observed: an automatic guide has no place for it.\n"
                      "Sum it out, or write a guide for it and join the two in an AutoGuideList.")
    support = s.fn.support
    known = not any(isinstance(x, Tracer) for x in tree.leaves(support))
    shape = tuple(s.value.shape)
    plates = tuple([f for f in s.plates if f.dim is not None])
    return Latent(s.name, shape, tuple(biject_to(support).inverse_shape(shape)), len(s.fn.event_shape),
                  support if known else None, plates, any(f.full is not None for f in plates))


def _through(t, z, v):
    x = t(z)
    return x, _log_det(t, z, x, v)


def _log_det(t, z, x, v):
    stretch = t.log_abs_det_jacobian(z, x)
    return sum_rightmost(stretch, stretch.ndim - (len(v.shape) - v.event_dim))


def whole(v, x, event_dim):
    """Values of a subsampled plate's part, repeated up to the size of the whole."""
    for f in v.plates:
        if f.full is not None:
            x = np.take(x, np.arange(f.full) % f.size, axis=f.dim - event_dim)
    return x


def plates_of(v):
    """The plates of a site, outermost first, to stand in."""
    return [plate(f.name, f.full or f.size, f.size, dim=f.dim, coords=f.coords) for f in reversed(v.plates)]
