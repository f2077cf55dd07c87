"""The base of automatic guides: guides made of a model, with a site for each of its latent sites."""
from contextlib import ExitStack, contextmanager

from ....distributions import Delta
from ....engine import numpy as np
from ....engine import random, tree, vmap
from ....ppl.handlers.recording import message
from ....ppl.keys import one_key
from ....ppl.model import Drawn
from ....ppl.queries import init_to_uniform
from ....ppl.queries.strategies import strategy_of
from ....ppl.statements import prng_key, sample
from .latents import latents_of, plates_of

AUXILIARY = {"is_auxiliary": True}


class _Memory:
    """What a guide has seen of its model; apart from the guide, whose own fields say what it is."""
    __slots__ = ("latents",)

    def __init__(self):
        self.latents = None


class AutoGuide:
    """Base of automatic guides: a guide is called with the model's arguments, and gives {site: value}.

    model : a function with latent sites, all of them continuous
    prefix : goes into the names of the guide's params and auxiliary sites
    init_loc_fn : where the params start, a function of a site's record: init_to_uniform and its siblings. It is asked
        anew by each `SVI.init`, so several keys give several starts (NumPyro asks once for each guide).
    create_plates : taken for NumPyro's sake; the guide stands in the plates of the model by itself, and takes the
        params' parts for subsampled ones

    `sample_posterior`, `median` and `quantiles` give values of the model's sites. They speak of the data of the guide's
    last call, which matter where a site's support depends on data or on other sites.
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, create_plates=None):
        if not callable(model):
            raise TypeError(f"{type(self).__name__} takes a model, a function of the data; got {model!r:.60}.")
        self.model, self.prefix, self.create_plates = model, prefix, create_plates
        self.init_loc_fn = strategy_of(init_loc_fn, type(self).__name__)
        self.memory = _Memory()

    @property
    def __name__(self):
        return type(self).__name__

    def __call__(self, *args, **kwargs):
        return self.sites(self.meet(args, kwargs))

    def meet(self, args, kwargs):
        """The model's latent sites for these arguments, and note them.

        Where others are open than at first (data left out for predictions), those of the last call stand.
        """
        known, found = self.memory.latents, latents_of(self.model, args, kwargs)
        if known is not None and [v.name for v in known.sites] != [v.name for v in found.sites]:
            return known
        if known is None or found.has_data:
            self.memory.latents = found if found.has_data else found.without_data()
        return found

    def sites(self, latents):
        """Make the guide's statements: {site: value}."""
        raise NotImplementedError(f"{type(self).__name__} has no sites(latents).")

    @property
    def latents(self):
        """The model's latent sites, as of the last call."""
        if self.memory.latents is None:
            raise RuntimeError(f"this {type(self).__name__} has not met its model's data yet.\n"
                               "Run SVI with it, or call it with the model's arguments, first.")
        return self.memory.latents

    @property
    def prototype_trace(self):
        """The record of a run of the model, with values of any kind."""
        sites = self.latents.program.record(Drawn(0), self.latents.data)
        return {name: message(s) for name, s in sites.items()}

    def start_key(self, latents):
        """The key of the guide's start."""
        return prng_key(f"_{self.prefix}_start_{latents.sites[0].name}")

    @contextmanager
    def plates(self, v, indices):
        """Stand in a site's plates; notes the indices of subsampled ones."""
        with ExitStack() as stack:
            for p in plates_of(v):
                i = stack.enter_context(p)
                if p.subsample_size != p.size:
                    indices[p.name] = i
            yield

    def placed(self, latents, z, indices, skip=(), log_dets=True):
        """A Delta site for each latent site at what z stands for, but those in `skip`: {site: value}.

        log_dets : whether their densities count the bijections' log-determinants
        """
        out, made = {}, latents.constrained(z, indices) if len(skip) < len(latents.sites) else {}
        for v in latents.sites:
            if v.name in skip:
                continue
            x, log_det = made[v.name]
            with self.plates(v, {}):
                out[v.name] = sample(v.name, Delta(x, -log_det if log_dets else np.zeros_like(log_det), v.event_dim))
        return out

    # ---- after the fit ----

    def draw_free(self, key, params):
        """{site: unconstrained value}, one draw."""
        raise NotImplementedError(f"{type(self).__name__} has no sample_posterior.")

    def sample_posterior(self, rng_key, params, *args, sample_shape=(), **kwargs):
        """{site: [*sample_shape, *shape]}: draws of the guide with these params, {name: value}.

        args, kwargs : the model's, where they are others than those of the last call
        """
        if args or kwargs:
            self.meet(args, kwargs)
        params = {k: np.asarray(v) for k, v in params.items()}
        key = one_key(rng_key, "sample_posterior")
        f = lambda k: self.values_at(self.draw_free(k, params))
        for n in reversed(sample_shape):
            f = _many(f, n)
        return f(key)

    def values_at(self, z):
        """{site: value} at unconstrained values."""
        return {name: x for name, (x, _) in self.latents.constrained(z).items()}


def _many(f, n):
    return lambda key: vmap(f)(random.split(key, n))


def stacked(rows):
    """Trees of one structure, stacked."""
    return tree.map(lambda *xs: np.stack(xs), *rows)
