"""The program of a model, which its queries (`ppl/queries`) and MCMC run.

`ModelProgram` stages a model once, with its sites left open, for the types of its data. Everything else (the
log-density, the constrained draws, a check of the data) is an interpreter run over that program: the user's function is
not called again.
"""
import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as onp

from ..distributions import biject_to
from ..engine import numpy as np
from ..engine import random, tree
from ..engine.core import Tracer, world
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.staged import stage_function
from .arguments import data_names, is_data, is_numbers, surroundings
from .handlers import Handler, seed, trace
from .sites import SiteError, draw_type, log_prob_of
from .values import check_support, with_value

MAX_PROGRAMS = 32            # that are kept for one model


class Points(Handler):
    """Give the open sites their values, by name.

    With `unconstrained`, the values are points of ℝⁿ that a bijection takes into each site's support.
    """

    def __init__(self, fn=None, values=None, unconstrained=False):
        super().__init__(fn)
        self.values, self.unconstrained = dict(values or {}), unconstrained

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        return self.next(self.given(site)[0])

    def given(self, site):
        """(the site with its value, log |det| of the bijection that made it).

        A param or a subsampled plate takes a value where one is given; it has no density, so no log-determinant.
        """
        if site.kind in ("param", "plate") and site.name in self.values:
            z = self.values[site.name]
            x = biject_to(site.fn.support)(z) if self.unconstrained and site.kind == "param" else z
            return with_value(site, x, "the value given", grows=False), 0.0
        if site.kind != "sample" or site.value is not None:
            return site, 0.0
        if site.name not in self.values:
            raise site.error(f"site {site.name!r} has no value: neither observed nor given.\n"
                             f"Values were given for: {', '.join(sorted(self.values)) or '(none)'}.")
        z = self.values[site.name]
        if not self.unconstrained:
            return with_value(site, z, "the value given", grows=False), 0.0
        if site.fn.is_discrete:
            raise site.error(f"site {site.name!r} is discrete and not observed: it has no unconstrained form.\n"
                             "Sum it out of the model, or observe it.")
        transform = biject_to(site.fn.support)
        x = transform(z)
        return site.replace(value=x), np.sum(transform.log_abs_det_jacobian(z, x))


class LogJoint(Points):
    """Give the open sites their values and add up the log-density of all sites, in `total`.

    With `unconstrained`, the log-determinants of the bijections are added: log p(T(z)) + log |det dT/dz|.
    """

    def start(self):
        self.total = np.zeros(())

    def carried(self):
        return self.total

    def carry(self, value):
        self.total = value

    def site(self, site):
        site, log_det = self.given(site)
        out = self.next(site)
        if site.scored:
            term = np.sum(site.replace(value=out[0]).log_prob()) + log_det
            self.total = self.total + np.astype(term, self.total.dtype)
        return out


class Drawn(seed):
    """`seed`, where values do not matter: a distribution that cannot be drawn from gives a member of its support."""

    def __init__(self, key=0):
        super().__init__(None, key)

    def draw(self, site, key):
        try:
            return super().draw(site, key)
        except NotImplementedError:
            some = site.fn.support.feasible_like(np.zeros(site.fn.shape(), draw_type(site.fn).dtype))
            return some + np.astype(0.0 * random.uniform(key), some.dtype)       # not known before the key is


def site_log_prob(name, record):
    """The masked and scaled log-density of one entry of a trace, one number per batch element."""
    return log_prob_of(record["fn"], record["value"], record["mask"], record["scale"])


class Outline(NamedTuple):
    """What is known of a site before its value is."""
    kind: str
    shape: tuple
    observed: bool
    source: object


class Latent(NamedTuple):
    """A latent site: its shape, the shape of its unconstrained form, and the plates and lanes that it stands in."""
    name: str
    shape: tuple
    unconstrained_shape: tuple
    plates: tuple
    is_discrete: bool
    source: object


class ModelProgram:
    """A model staged once for the types of its data, with its sites open.

    Arrays and floats among the arguments are data, new values of which need no new staging; everything else (integers,
    strings, None) is fixed. Made by `stage_model`.
    """

    def __init__(self, staged, name):
        self.jaxpr, self.consts, self.name = staged.jaxpr, staged.consts, name
        self.out_tree = staged.out_tree
        self.cache, self.data_names = {}, []
        self.latents, self.dims, self.coords, self._outline = None, None, None, None

    @property
    def __name__(self):
        return self.name

    def __call__(self, *data):
        """The model on its data, its sites bound in the current world: the program is a model too."""
        eval_jaxpr(self.jaxpr, [*self.consts, *data])

    def run(self, handler, data):
        """Run the program under a handler; returns the handler as used and the model's result."""
        use = handler.fresh()
        with world(use):
            out = eval_jaxpr(self.jaxpr, [*self.consts, *data])
        use.finish()
        return use, tree.unflatten(self.out_tree, out)

    def record(self, handler, data):
        """{name: Site} of a run under a handler that gives the sites their values."""
        recorder = trace().fresh()
        with world(recorder):
            self.run(handler, data)
        return recorder.sites

    def on_types(self, data, take):
        """take({name: Site}) of a run on types alone, in which nothing is drawn."""
        def run(words, *flat):                           # the key is traced too
            found.append(take(self.record(Drawn(random.wrap_key_data(words)), flat)))
            return []

        found = []
        stage(run, [random.key_data(random.key(0)).aval, *[x.aval for x in data]])
        return found[0]

    def outline(self, data):
        """{name: Outline} of all sites."""
        if self._outline is None:
            self._outline = self.on_types(data, lambda sites: {
                name: Outline(s.kind, tuple(s.value.shape), s.observed, s.source) for name, s in sites.items()})
        return self._outline

    def describe(self, data):
        """Fill in `latents`, `dims` (site name -> names of its dimensions) and `coords` (plate name -> labels).

        Runs on types alone.
        """
        if self.latents is None:
            self.latents, self.dims, self.coords = self.on_types(data, lambda sites: (
                [_latent(s) for s in sites.values() if s.kind == "sample" and not s.observed],
                {name: _dims(s) for name, s in sites.items() if s.kind in ("sample", "deterministic")},
                {f.name: list(f.coords) for s in sites.values() for f in s.plates if f.coords and f.full is None}))
        return self

    def log_joint(self, values, data, unconstrained=False):
        """log p at values of the latent sites; with `unconstrained`, at points of ℝⁿ, log-determinants added."""
        return self.run(LogJoint(None, values, unconstrained), data)[0].total

    def constrained(self, z, data):
        """{site: value} of the latent and deterministic sites at an unconstrained point."""
        sites = self.record(Points(None, z, True), data)
        return {name: s.value for name, s in sites.items()
                if s.kind in ("sample", "deterministic") and not s.observed}

    def observed(self, data):
        """{site: value} of the observed sites."""
        sites = self.record(Drawn(), data)
        return {name: onp.asarray(s.value) for name, s in sites.items() if s.observed and s.kind == "sample"}


def _latent(s):
    shape = tuple(s.value.shape)
    free = shape if s.fn.is_discrete else tuple(biject_to(s.fn.support).inverse_shape(shape))
    return Latent(s.name, shape, free, s.plates, s.fn.is_discrete, s.source)


def _dims(s):
    """Names for the dimensions of a site's value, None where no plate and no named vmap axis names them."""
    shape = s.value.shape
    batch = len(shape) if s.fn is None else len(shape) - len(s.fn.event_shape)
    names = [None] * len(shape)
    lanes = [f for f in s.plates if f.dim is None]
    for axis, f in [*enumerate(lanes), *[(batch + f.dim, f) for f in s.plates if f.dim is not None]]:
        if f.name is not None and 0 <= axis < len(shape) and shape[axis] == f.size:
            names[axis] = str(f.name)
    events = s.infer.get("event_dims", ())
    if len(events) > len(shape) - batch:
        raise s.error(f"site {s.name!r}: event_dims has {len(events)} names, {list(events)}, and a draw has "
                      f"{len(shape) - batch} axes of its own.\nName those alone; plates name the others.")
    names[len(shape) - len(events):] = events
    return names


class Keep(Handler):
    """Marks that handlers will come: sites stay in the program."""


def stage_model(model, args=(), kwargs=None):
    """(program, data leaves) of a model for these arguments; staged once for each set of their types."""
    kwargs = kwargs or {}
    leaves, treedef = tree.flatten((tuple(args), kwargs), is_leaf=is_numbers)
    moving = [is_data(x) for x in leaves]
    fixed = tuple([None if m else x for x, m in zip(leaves, moving)])
    data = [np.asarray(x) for x, m in zip(leaves, moving) if m]
    runner = _runner(model, treedef, tuple(moving), fixed)
    with world(Keep().fresh()):
        staged, data = stage_function(runner, data, {})
    program = runner.programs.get(id(staged))
    if program is None:
        program = runner.programs[id(staged)] = ModelProgram(staged, getattr(model, "__name__", "model"))
        program.staged, program.data_names = staged, data_names(model, args, kwargs)
    return program, data


def _runner(model, treedef, moving, fixed):
    """The model as a function of its data alone; kept on the model's function so that staging is kept too."""
    key = (treedef, moving, tuple([(type(v), v) for v in fixed]), surroundings(model))
    table = model.__dict__.setdefault("_chainrule_programs", {}) if hasattr(model, "__dict__") else {}
    try:
        found = table.get(key)
    except TypeError:
        bad = next(v for v in fixed if getattr(type(v), "__hash__", None) is None)
        raise SiteError(f"an argument of the model is a {type(bad).__name__}, neither data nor a fixed value: "
                        f"{bad!r:.60}.\nPass arrays and lists of numbers for data; integers, strings and None are "
                        "fixed.") from None
    if found is None:
        def run(*data):
            it = iter(data)
            args, kwargs = tree.unflatten(treedef, [next(it) if m else v for m, v in zip(moving, fixed)])
            model(*args, **kwargs)
            return ()
        run.__name__ = getattr(model, "__name__", "model")
        run.programs = {}
        while len(table) >= MAX_PROGRAMS:
            table.pop(next(iter(table)))
        found = table[key] = run
    return found


def site_count(latents):
    """The number of unconstrained parameters."""
    return sum(math.prod(v.unconstrained_shape) for v in latents)


def ravel(latents, values):
    """{site: unconstrained value} as a vector; the inverse of `unravel`."""
    return np.concatenate([np.reshape(values[v.name], (-1,)) for v in latents])


def unravel(latents, z):
    """A vector as {site: unconstrained value}."""
    out, at = OrderedDict(), 0
    for v in latents:
        n = math.prod(v.unconstrained_shape)
        out[v.name] = np.reshape(z[at:at + n], v.unconstrained_shape)
        at += n
    return out


def stage_continuous(model, args, kwargs, what, error=SiteError, some=True):
    """(program, data) of a model for samplers and searches, described and checked: `some` latent sites, all continuous.

    Raises `error`, which begins with `what`, for a model without latent sites or with a discrete one; SiteError for
    data outside of a support.
    """
    program, data = stage_model(model, args, kwargs)
    program.describe(data)
    if some and not program.latents:
        raise error(f"{what}: the model {program.name} has no latent sites.")
    for v in program.latents:
        if v.is_discrete:
            raise error(f"{what}: site {v.name!r} is discrete and not observed; continuous sites alone have a "
                        "gradient.\nSum it out of the model, or observe it.", v.source)
    check_data(program, data)
    return program, data


def check_data(program, data):
    """Raise SiteError when observed data lie outside of a support that does not depend on latent sites."""
    unknown = []

    def run(z):
        for s in program.record(Points(None, unravel(program.latents, z), True), data).values():
            if s.kind == "sample" and s.observed:
                if isinstance(s.value, Tracer):          # it stands in a loop or a branch
                    unknown.append(s.name)
                else:
                    check_support(s, s.fn, s.value, "obs")
        return []

    stage(run, [np.zeros(site_count(program.latents)).aval])
    if unknown and not any(isinstance(x, Tracer) for x in data):
        sites = program.record(Drawn(), data)
        for s in (sites[name] for name in unknown):
            if not tree.leaves(s.fn.support):            # bounds may depend on what was drawn
                check_support(s, s.fn, s.value, "obs")
