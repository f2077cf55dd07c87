"""Queries of many draws: the prior and posterior predictive, log-likelihoods, log-priors, deterministic sites."""
import math

from ...engine import numpy as np
from ...engine import random, tree
from ...engine.errors import ShapeError
from ...engine.passes.dead_code import dead_code
from ..handlers import seed, substitute, trace
from ..keys import one_key
from ..model import site_log_prob, stage_model
from ..sites import SiteError
from .draws import OverDraws, grouped

GUIDE = 0x67756964                   # folded into a draw's key for the guide, whose sites may have the model's names


class _Draw(substitute):
    """Give sites the values of one posterior draw; unless they are fixed, deterministic ones are computed anew."""

    def __init__(self, fn, data, fixed=False):
        super().__init__(fn, data)
        self.fixed = fixed

    def site(self, site):
        return self.next(site) if site.kind == "deterministic" and not self.fixed else super().site(site)


class Predictive:
    """Predictive(model, posterior_samples)(rng_key, *args): {site: [draw, *shape]} of the sites that were not given.

    posterior_samples : {site: [draw, *shape]}, or None for the prior (or the guide) with num_samples draws
    guide : a model whose sites stand for the model's latent ones: each draw samples them from it
    params : {name: value} for the `param` sites of the model and the guide
    num_samples : the number of draws; that of the posterior samples where there are some
    return_sites : names to return; unless given, all sample sites that were neither given nor observed, and all
        deterministic ones
    infer_discrete : draws of discrete sites given the data; not there yet
    parallel : blocks of draws run side by side, one on each core, and take that many times the memory
    batch_ndims : the number of leading axes of the samples (2 for samples grouped by chain, 0 for one draw); 1 unless
        given. With a guide, that of the params (0 unless given): the results have the draws' axis first, then those.
    condition_deterministic : deterministic sites keep the values that they have in the samples; otherwise they are
        computed anew

    Call it with a key and the model's arguments. Each draw is a run of the model: what is drawn depends on the key, the
    site's name and the draw's number alone. The draws are computed in blocks, by one compiled program, whose width
    bounds the memory; results go to the host block by block. Their bits do not depend on how many draws there are, how
    they are grouped, or on `parallel`. The model's Python runs once for the types of its data.

    Raises ShapeError for samples with different numbers of draws, ValueError for an unknown name in return_sites.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> def model():
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0))
    >>> Predictive(model, num_samples=3)(random.key(0))["y"].shape
    (3,)
    >>> Predictive(model, {"mu": [[1.0, 2.0], [3.0, 4.0]]}, batch_ndims=2)(random.key(0))["y"].shape
    (2, 2)
    """

    def __init__(self, model, posterior_samples=None, *, guide=None, params=None, num_samples=None, return_sites=None,
                 infer_discrete=False, parallel=False, batch_ndims=None, condition_deterministic=None):
        if infer_discrete:
            raise NotImplementedError("Predictive(infer_discrete=True) is not there yet.\n"
                                      "Draw the discrete sites from their conditional distribution by hand.")
        if isinstance(return_sites, str):
            raise TypeError(f"return_sites is a list of names; got the string {return_sites!r}: write "
                            f"[{return_sites!r}].")
        self.model, self.guide, self.params = model, guide, dict(params or {})
        self.return_sites = None if return_sites is None else tuple(return_sites)
        self.parallel, self.condition_deterministic = bool(parallel), bool(condition_deterministic)
        ndims = 1 if batch_ndims is None or guide is not None else int(batch_ndims)
        self.lanes = () if guide is None else _lead(self.params, int(batch_ndims or 0))
        shape, self.samples = grouped(posterior_samples, ndims, "Predictive")
        self.batch_shape = _draws(shape, num_samples, ndims)

    def __call__(self, rng_key, *args, **kwargs):
        """{site: [*draws, *shape]} for these arguments of the model (and the guide)."""
        words = random.key_data(one_key(rng_key, "Predictive"))
        program, data = stage_model(self.model, args, kwargs)
        guide, guide_data = (None, []) if self.guide is None else stage_model(self.guide, args, kwargs)
        _known(self.return_sites, program.outline(data))
        per_draw = math.prod(self.lanes)
        params = tree.map(lambda x: np.reshape(x, (per_draw, *np.shape(x)[len(self.lanes):])), self.params)
        n = math.prod(self.batch_shape)
        rows = {k: np.repeat(v, per_draw, 0) if self.lanes else v for k, v in self.samples.items()}
        over = _kept(program, ("predictive", guide, self.return_sites, self.condition_deterministic, bool(self.lanes)),
                     lambda: _one_draw(program, guide, self.return_sites, self.condition_deterministic,
                                       bool(self.lanes)))
        out = over(n * per_draw, rows, (words, params, data, guide_data, np.asarray(per_draw)), self.parallel)
        return {k: np.reshape(v, (*self.batch_shape, *self.lanes, *v.shape[1:])) for k, v in out.items()}


def _lead(params, batch_ndims):
    """The batch axes of a guide's params."""
    shapes = {np.shape(x)[:batch_ndims] for x in tree.leaves(params)}
    if batch_ndims and (len(shapes) != 1 or len(next(iter(shapes))) != batch_ndims):
        raise ShapeError(f"Predictive: with a guide, batch_ndims={batch_ndims} says how many equal leading axes all "
                         f"params have; their shapes are { {k: np.shape(v) for k, v in params.items()} }.")
    return shapes.pop() if batch_ndims else ()


def _draws(shape, num_samples, batch_ndims):
    """The shape of the draws' axes."""
    if shape is None and num_samples is None:
        raise ValueError("Predictive needs posterior_samples, or num_samples for draws from the prior or the guide.")
    if num_samples is not None and (isinstance(num_samples, bool) or int(num_samples) != num_samples
                                    or num_samples < 1):
        raise ValueError(f"num_samples must be an integer of at least 1; got {num_samples!r}.")
    if shape is None:
        shape = (1,) * (batch_ndims - 1) + (int(num_samples),) if batch_ndims else ()
    n = math.prod(shape)
    if num_samples is not None and n != num_samples:
        raise ValueError(f"num_samples={num_samples}, and there are {n} draws in the posterior samples"
                         f"{'' if batch_ndims else ' (batch_ndims=0 means one)'}.\nLeave num_samples out.")
    if n == 0:
        raise ShapeError(f"Predictive: there are no draws; the axes in front of the samples are {shape}.")
    return shape


def _known(names, outline):
    unknown = [name for name in names or () if name not in outline]
    if unknown:
        raise ValueError(f"return_sites: the model has no site named {unknown[0]!r}; its sites are: "
                         f"{', '.join(outline)}.")


def _kept(program, key, make):
    """The `OverDraws` of a program that is known by a key."""
    found = program.cache.get(key)
    if found is None:
        found = program.cache[key] = OverDraws(make())
    return found


def _one_draw(program, guide, return_sites, fixed, many_params):
    """The function of one draw: a run of the program under its own key."""
    def one(number, given, shared):
        words, params, data, guide_data, per_draw = shared
        key = random.fold_in(random.wrap_key_data(words), number // per_draw if many_params else number)
        if many_params:
            key = random.fold_in(key, number % per_draw)
        params = tree.map(lambda x: x[number % per_draw if many_params else 0], params)
        if guide is not None:
            run = seed(substitute(guide, data={**params, **given}), random.fold_in(key, GUIDE))
            drawn = trace(run).get_trace(*guide_data)
            given = {**{k: s["value"] for k, s in drawn.items()
                        if s["type"] in ("sample", "deterministic", "plate") and not s["is_observed"]}, **given}
        sites = trace(seed(_Draw(program, {**params, **given}, fixed), key)).get_trace(*data)
        if return_sites is not None:
            return {k: s["value"] for k, s in sites.items() if k in return_sites}
        return {k: s["value"] for k, s in sites.items() if s["type"] == "deterministic"
                or s["type"] == "sample" and k not in given and not s["is_observed"]}
    return one


# ---- of given draws: nothing is drawn ----

def log_likelihood(model, posterior_samples, *args, parallel=False, batch_ndims=1, **kwargs):
    """{observed site: log-density of each observation}, [draw, *batch], at each posterior draw.

    posterior_samples : {site: [draw, *shape]}          args, kwargs : the model's, with the observations
    batch_ndims : the number of leading axes of the samples; 0 for one draw
    Runs in blocks, as `Predictive` does; `parallel` means the same.
    Raises SiteError where the likelihood depends on a site that has no value.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> log_likelihood(model, {"mu": [0.0, 1.0]}, [0.5, 2.0, 3.0])["y"].shape
    (2, 3)
    """
    return _of_draws("log_likelihood", lambda name, s: s["type"] == "sample" and s["is_observed"], site_log_prob,
                     model, posterior_samples, args, kwargs, parallel, batch_ndims)


def compute_log_prior(model, posterior_samples, *args, parallel=False, batch_ndims=1, **kwargs):
    """{latent site: its log-density}, [draw, *batch], at each posterior draw; see `log_likelihood`.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("mu", dist.Normal(0.0, 1.0))
    >>> compute_log_prior(model, {"mu": [0.0, 1.0]})["mu"].shape
    (2,)
    """
    def wanted(name, s):
        return s["type"] == "sample" and not s["is_observed"] and name in posterior_samples
    return _of_draws("compute_log_prior", wanted, site_log_prob, model, posterior_samples, args, kwargs, parallel,
                     batch_ndims)


def compute_deterministics(model, posterior_samples, *args, return_sites=None, parallel=False, batch_ndims=1, **kwargs):
    """{deterministic site: [draw, *shape]} at posterior draws: what the model computes of them.

    return_sites : their names; all of them unless given
    Nothing is drawn. Raises SiteError where a deterministic site depends on a sample site that has no value. Runs in
    blocks, as `Predictive` does; `parallel` and `batch_ndims` mean the same.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.deterministic("twice", 2.0 * cr.sample("mu", dist.Normal(0.0, 1.0)))
    >>> compute_deterministics(model, {"mu": [0.5, 1.0]})
    {'twice': Array([1., 2.])}
    """
    if return_sites is not None:
        _known(return_sites, {k: s for k, s in _outline(model, args, kwargs).items() if s.kind == "deterministic"})

    def wanted(name, s):
        return s["type"] == "deterministic" and (return_sites is None or name in return_sites)
    return _of_draws("compute_deterministics", wanted, lambda name, s: s["value"], model, posterior_samples, args,
                     kwargs, parallel, batch_ndims, None if return_sites is None else tuple(return_sites))


def _outline(model, args, kwargs):
    program, data = stage_model(model, args, kwargs)
    return program.outline(data)


def _of_draws(query, wanted, value, model, samples, args, kwargs, parallel, batch_ndims, option=None):
    """{site: value(name, record)} of the sites wanted, at each draw; nothing may depend on what is drawn."""
    program, data = stage_model(model, args, kwargs)
    shape, rows = grouped(samples, batch_ndims, query)
    if shape is None or math.prod(shape) == 0:
        raise ShapeError(f"{query}: there are no draws in the posterior samples.")

    def make():
        def one(number, given, shared):
            words, data = shared
            run = seed(_Draw(program, given), random.wrap_key_data(words))       # for sites on which nothing depends
            sites = trace(run).get_trace(*data)
            return {k: value(k, s) for k, s in sites.items() if wanted(k, s)}
        return one

    over = _kept(program, (query, tuple(sorted(rows)), option), make)
    shared = (random.key_data(random.key(0)), data)
    _check_that_nothing_is_drawn(query, over.staged(rows, shared), len(rows), program.outline(data), rows)
    out = over(math.prod(shape), rows, shared, parallel)
    return {k: np.reshape(v, (*shape, *v.shape[1:])) for k, v in out.items()}


def _check_that_nothing_is_drawn(query, staged, num_rows, outline, samples):
    """Raise SiteError where the results depend on the key, the input after the draw's number and its rows."""
    words = staged.jaxpr.invars[len(staged.consts) + 1 + num_rows]
    if "nothing is drawn" not in staged.jaxpr.cache:
        staged.jaxpr.cache["nothing is drawn"] = not any(words in e.inputs for e in dead_code(staged.jaxpr).eqns)
    if staged.jaxpr.cache["nothing is drawn"]:
        return
    missing = [(k, s.source) for k, s in outline.items() if s.kind != "deterministic" and k not in samples
               and not s.observed and s.kind in ("sample", "plate", "param")]
    name, source = missing[0] if missing else ("prng_key", None)
    raise SiteError(f"{query}: site {name!r} has no value: neither observed nor among the posterior samples, and the "
                    f"result depends on it.\nSamples were given for: {', '.join(sorted(samples)) or '(none)'}.", source)
