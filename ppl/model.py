"""Queries of a model: its log-density, its potential, and the program that MCMC runs.

`ModelProgram` stages a model once, with its sites left open, for the types of its data. Everything else (the log-density,
the constrained draws, a check of the data) is an interpreter run over that program: the user's function is not called again.
"""
import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as onp

from ..distributions import biject_to
from ..engine import numpy as np
from ..engine import tree
from ..engine.array import Array
from ..engine.core import Tracer, world
from ..engine.api import stage_function
from ..engine.interpreters.stage import eval_jaxpr, stage
from .handlers import Handler, seed, substitute, trace
from .sites import SiteError, check_support, with_value


class LogJoint(Handler):
    """Give latent sites their values and add up the log-density of all sites.

    With `unconstrained`, the values are points of ℝⁿ that a bijection takes into each site's support, and the log-determinants
    of the bijections are added: log p(T(z)) + log |det dT/dz|.
    """

    def __init__(self, fn=None, values=None, unconstrained=False):
        super().__init__(fn)
        self.values, self.unconstrained = dict(values or {}), unconstrained
        self.total = np.zeros(())
        self.names = set()

    def start(self):
        self.total, self.names = np.zeros(()), set()

    def enter(self, index):
        inner = super().enter(index)
        inner.names = set()
        return inner

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def carried(self):
        return self.total

    def carry(self, value):
        if value is not None:
            self.total = value

    def site(self, site):
        if site.kind == "deterministic":
            return self.next(site)
        if site.name in self.names:
            raise site.error(f"the model has two sites named {site.name!r}; a name must be unique.")
        self.names.add(site.name)
        if site.kind == "sample" and site.value is None:
            site = self.give(site)
        out = self.next(site)
        lp = site.replace(value=out[0]).log_prob()
        self.total = self.total + np.sum(lp)
        return out

    def give(self, site):
        """The site with its value."""
        if site.name not in self.values:
            raise site.error(f"site {site.name!r} has no value: neither observed nor given.\n"
                             f"Values were given for: {', '.join(sorted(self.values)) or '(none)'}.")
        if not self.unconstrained:
            return with_value(site, self.values[site.name], "the value given")
        transform = biject_to(site.fn.support)
        z = self.values[site.name]
        x = transform(z)
        self.total = self.total + np.sum(transform.log_abs_det_jacobian(z, x))
        return site.replace(value=x)


def log_density(model, model_args=(), model_kwargs=None, params=None):
    """(log p(latents, data), trace): the joint log-density of a model at given values of its latent sites.

    params : {site name: value} in the sites' supports
    A pure function of its arguments: it can be jitted, differentiated and mapped.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> float(log_density(model, (0.5,), {}, {"mu": 0.0})[0]).__round__(4)
    -1.9629
    """
    recorded = trace(substitute(model, data=params or {})).get_trace(*model_args, **(model_kwargs or {}))
    total = np.zeros(())
    for name, site in recorded.items():
        if site["type"] != "deterministic":
            total = total + np.sum(site_log_prob(name, site))
    return total, recorded


def site_log_prob(name, record):
    """The masked and scaled log-density of one entry of a trace, one number per batch element."""
    lp = record["value"] if record["type"] == "factor" else record["fn"].log_prob(record["value"])
    if record["mask"] is not None:
        lp = np.where(record["mask"], lp, 0.0)
    return lp if record["scale"] is None else record["scale"] * lp


class Latent(NamedTuple):
    """A latent site: its shape, the shape of its unconstrained form, and the names of its dimensions (None: no name)."""
    name: str
    shape: tuple
    unconstrained_shape: tuple
    plates: tuple
    is_discrete: bool
    source: object


class ModelProgram:
    """A model staged once for the types of its data, with its sites open.

    Arrays and floats among the arguments are data, new values of which need no new staging; everything else (integers, strings,
    None) is fixed. Made by `stage_model`.
    """

    def __init__(self, staged, name):
        self.jaxpr, self.consts, self.name = staged.jaxpr, staged.consts, name
        self.out_tree = staged.out_tree
        self.cache = {}
        self.latents, self.dims = None, None

    def run(self, handler, data):
        """Run the program under a handler; returns the handler as used and the model's result."""
        use = handler.fresh()
        with world(use):
            out = eval_jaxpr(self.jaxpr, [*self.consts, *data])
        use.finish()
        return use, tree.unflatten(self.out_tree, out)

    def describe(self, data):
        """Fill in `latents` and `dims` (site name -> names of its trailing dimensions); runs on types alone."""
        if self.latents is not None:
            return self
        found = _sites_of(self, data)
        latents, dims = [], {}
        for name, site in found.items():
            if site["type"] == "factor":
                continue
            dims[name] = _dims(site)
            if site["type"] == "sample" and not site["is_observed"]:
                latents.append(site["latent"])
        self.latents, self.dims = latents, dims
        return self

    def log_joint(self, values, data, unconstrained=False):
        """log p at values of the latent sites; with `unconstrained`, of points in ℝⁿ, the log-determinants added."""
        return self.run(LogJoint(None, values, unconstrained), data)[0].total

    def constrained(self, z, data):
        """{site: value} of the latent and deterministic sites at an unconstrained point."""
        recorder = _Values(None, z)
        return self.run(recorder, data)[0].found


    def observed(self, data):
        """{site: value} of the observed sites."""
        use, _ = self.run(trace(), data) if not self.latents else self._with_draws(data)
        return {name: onp.asarray(s.value) for name, s in use.sites.items() if s.observed and s.kind == "sample"}

    def _with_draws(self, data):
        outer = trace().fresh()
        with world(outer):
            self.run(seed(rng_seed=0), data)
        return outer, None


class _Values(trace):
    """Record the values of latent and deterministic sites at an unconstrained point."""

    def __init__(self, fn=None, values=None):
        super().__init__(fn)
        self.values = dict(values or {})

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        if site.kind == "sample" and site.value is None:
            site = site.replace(value=biject_to(site.fn.support)(self.values[site.name]))
        return super().site(site)

    @property
    def found(self):
        return {name: s.value for name, s in self.sites.items()
                if s.kind == "deterministic" or (s.kind == "sample" and not s.observed)}


def _sites_of(program, data):
    """Trace the program on types, drawing the open sites, and record what is static of each site."""
    found = {}

    def run(*flat):
        outer = trace().fresh()
        with world(outer):
            use = seed(rng_seed=0).fresh()
            with world(use):
                eval_jaxpr(program.jaxpr, [*program.consts, *flat])
        for name, s in outer.sites.items():
            found[name] = {"type": s.kind, "is_observed": s.observed, "plates": s.plates,
                           "shape": tuple(s.value.shape), "event_dim": 0 if s.fn is None else len(s.fn.event_shape),
                           "latent": _latent(name, s)}
        return []

    stage(run, [x.aval for x in data])
    return found


def _latent(name, s):
    if s.kind != "sample" or s.observed:
        return None
    shape = tuple(s.value.shape)
    if s.fn.is_discrete:
        return Latent(name, shape, shape, s.plates, True, s.source)
    return Latent(name, shape, tuple(biject_to(s.fn.support).inverse_shape(shape)), s.plates, False, s.source)


def _dims(site):
    """Names for the dimensions of a site's value, None where no plate names them."""
    shape = site["shape"]
    batch = len(shape) - site["event_dim"]
    names = [None] * len(shape)
    for f in site["plates"]:
        if f.name is None:
            continue
        axis = batch + f.dim if f.dim is not None else None
        if site["type"] == "deterministic" and f.dim is not None:
            axis = len(shape) + f.dim
        if axis is not None and 0 <= axis < len(shape) and shape[axis] == f.size:
            names[axis] = f.name
    return names


class Keep(Handler):
    """Marks that handlers will come: sites stay in the program."""


def is_data(x):
    """Whether an argument of a model is data (an array or a float) rather than a fixed fact."""
    if isinstance(x, (Array, Tracer, onp.ndarray, float)) or hasattr(x, "__array__"):
        return not isinstance(x, onp.integer)
    return isinstance(x, (list, tuple)) and bool(x) and all(isinstance(v, float) for v in x)


def stage_model(model, args=(), kwargs=None):
    """(program, data leaves) of a model for these arguments; staged once for each set of their types."""
    kwargs = kwargs or {}
    leaves, treedef = tree.flatten((tuple(args), kwargs), is_leaf=_is_numbers)
    moving = [is_data(x) for x in leaves]
    fixed = tuple([None if m else x for x, m in zip(leaves, moving)])
    data = [np.asarray(x) for x, m in zip(leaves, moving) if m]
    runner = _runner(model, treedef, tuple(moving), fixed)
    with world(Keep().fresh()):
        staged, data = stage_function(runner, data, {})
    program = runner.programs.get(id(staged))
    if program is None:
        program = runner.programs[id(staged)] = ModelProgram(staged, getattr(model, "__name__", "model"))
        program.staged = staged
    return program, data


def _is_numbers(x):
    return isinstance(x, list) and bool(x) and all(isinstance(v, (int, float)) for v in x)


def _runner(model, treedef, moving, fixed):
    """The model as a function of its data alone; kept on the model's function so that staging is kept too."""
    key = (treedef, moving, tuple([(type(v), v) for v in fixed]))
    try:
        table = model.__dict__.setdefault("_chainrule_programs", {}) if hasattr(model, "__dict__") else {}
        found = table.get(key)
    except TypeError:
        bad = next(v for v in fixed if getattr(type(v), "__hash__", None) is None)
        raise SiteError(f"an argument of the model is a {type(bad).__name__}, neither data nor a fixed value: {bad!r:.60}.\n"
                        "Pass arrays for data; integers, strings and None are fixed.") from None
    if found is None:
        def run(*data):
            it = iter(data)
            args, kwargs = tree.unflatten(treedef, [next(it) if m else v for m, v in zip(moving, fixed)])
            model(*args, **kwargs)
            return ()
        run.__name__ = getattr(model, "__name__", "model")
        run.programs = {}
        found = table[key] = run
    return found


def site_count(latents):
    """The number of unconstrained parameters."""
    return sum(math.prod(v.unconstrained_shape) for v in latents)


def unravel(latents, z):
    """A vector as {site: unconstrained value}."""
    out, at = OrderedDict(), 0
    for v in latents:
        n = math.prod(v.unconstrained_shape)
        out[v.name] = np.reshape(z[at:at + n], v.unconstrained_shape)
        at += n
    return out


class _Check(LogJoint):
    """Check the values of observed sites against the supports that are known."""

    def site(self, site):
        if site.kind == "sample" and site.observed:
            check_support(site, site.fn, site.value, "obs")
        return super().site(site)


def check_data(program, data):
    """Raise SiteError when observed data lie outside of a support that does not depend on latent sites."""
    def run(z):
        program.run(_Check(None, unravel(program.latents, z), True), data)
        return []

    stage(run, [np.zeros(site_count(program.latents)).aval])


class _Terms(LogJoint):
    """Keep each site's own log-density."""

    def start(self):
        super().start()
        self.terms = []

    def site(self, site):
        out = super().site(site)
        if site.kind != "deterministic":
            lp = np.sum(site.replace(value=out[0]).log_prob())
            self.terms.append((site.name, lp, site.source))
        return out


def site_terms(program, values, data):
    """[(site, its log-density, its line)] at an unconstrained point; sites in loops and branches are left out."""
    use, _ = program.run(_Terms(None, values, True), data)
    return [(name, float(lp), source) for name, lp, source in use.terms if not isinstance(lp, Tracer)]
