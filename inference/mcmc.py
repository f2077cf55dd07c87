"""MCMC: ties a kernel to a model, runs the chains, and gives their draws.

    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1000, num_chains=4)
    mcmc.run(random.key(0), y=y)
    mcmc.print_summary()

The model's Python function runs once, when it is staged; data are arguments of the compiled program, so another run on
new data of the same shapes compiles nothing. The compiled loop runs in chunks, between which the host takes the draws,
shows progress and hears an interrupt. A chain's draws depend on the key and its number alone, not on how it is cut or
where it runs.
"""
import sys
import time

import numpy as onp

from ..engine import jit, random, vmap
from ..engine import numpy as np
from ..engine.interpreters.batch import batch_flat
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.tree import flatten, unflatten
from ..engine.tree import map as tree_map
from ..ppl.keys import one_key
from ..ppl.model import check_data, site_count, stage_model, unravel
from . import advice, diagnostics, fields, groups, nuts
from . import chain as chains
from .arviz import to_arviz
from .driver import Group, drive
from .progress import Progress
from .samplers import NUTS, check_options, shown
from .starts import Starts, check_latents

FIELDS = {"potential_energy": "logdensity", "energy": "energy", "accept_prob": "accept_prob", "num_steps": "num_steps",
          "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
          "max_energy_error": "max_energy_error"}
SAMPLE_STATS = {"lp": "logdensity", "energy": "energy", "acceptance_rate": "accept_prob", "n_steps": "num_steps",
                "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
                "max_energy_error": "max_energy_error"}
METHODS = ("parallel", "sequential", "vectorized")

# Options of NumPyro's that are not there, with the values that change nothing, and what to write instead.
_MCMC_OPTIONS = {
    "postprocess_fn": (None, "Apply the function to what get_samples returns."),
    "progress_rate": (None, "The bars are drawn ten times a second."),
}


class MCMC:
    """Runs chains of a kernel and keeps their draws; see the module.

    num_samples : transitions of each chain after warm-up, of which every `thinning`-th is kept
    chain_method : "parallel" (as many chains at once as there are cores), "sequential" (one core), or "vectorized" (all
        chains in one program, for accelerators). The first two give the same draws bit for bit, the third up to
        rounding, which a chain's later draws magnify.
    progress_bar : a bar for each chain on the standard error, once a run has lasted half a second
    jit_model_args : taken for NumPyro's sake; data are always arguments of the compiled program
    warn : whether a run ends with a SamplingWarning for each thing that is wrong with its draws: divergences, R-hat,
        effective sample size, E-BFMI, tree depth

    After `run`: get_samples, get_extra_fields, print_summary, to_arviz; `gradients` and `seconds` say what it cost, and
    `interrupted` whether it was cut short.
    """

    def __init__(self, sampler, *, num_warmup, num_samples, num_chains=1, thinning=1, chain_method="parallel",
                 progress_bar=True, jit_model_args=False, warn=True, **options):
        check_options("MCMC", options, _MCMC_OPTIONS)
        if not isinstance(sampler, NUTS):
            raise TypeError(f"MCMC takes a kernel, such as NUTS(model); got {shown(sampler)}.")
        if chain_method not in METHODS:
            raise ValueError(f"chain_method={chain_method!r}: choose one of {', '.join(map(repr, METHODS))}.")
        for name, n, least in (("num_warmup", num_warmup, 0), ("num_samples", num_samples, 1),
                               ("num_chains", num_chains, 1), ("thinning", thinning, 1)):
            if isinstance(n, bool) or not isinstance(n, int | float | onp.number) or int(n) != n or n < least:
                raise ValueError(f"{name} must be an integer of at least {least}; got {n!r}.")
        if thinning > num_samples:
            raise ValueError(f"thinning={thinning} keeps none of num_samples={num_samples} draws.")
        self.sampler, self.num_warmup, self.num_samples = sampler, int(num_warmup), int(num_samples)
        self.num_chains, self.thinning, self.chain_method = int(num_chains), int(thinning), chain_method
        self.progress_bar, self.warn = progress_bar, bool(warn)
        self.gradients, self.seconds, self.interrupted = 0, 0.0, False
        self._draws = None

    # ---- running ----

    def run(self, rng_key, *args, extra_fields=(), init_params=None, **kwargs):
        """Warm up and sample. args and kwargs go to the model; arrays and floats among them are data.

        rng_key : random.key(seed), or an int
        extra_fields : names that get_extra_fields is to have besides those of FIELDS, which are there unasked; see
            `fields`. "~z.site" leaves a site out of get_samples
        init_params : {site: unconstrained value}, with a leading chain axis where there are several chains
        Raises SamplingError when the run cannot begin. An interrupt (Ctrl-C) keeps the draws so far and says how many;
        before the first draw it raises KeyboardInterrupt.
        """
        started = time.perf_counter()
        self._draws = self._samples = None
        self.interrupted = False
        key = one_key(rng_key, "run")
        program, data = stage_model(self.sampler.model, args, kwargs)
        program.describe(data)
        self._asked = fields.asked(extra_fields, FIELDS, program)
        check_latents(program)
        check_data(program, data)
        starts = Starts(program, data, key, self.sampler.init_strategy, init_params, self.num_chains)
        records = self._run(_compiled(program, self.sampler, self.chain_method == "vectorized"), starts)
        self.gradients, self.seconds = sum(r.gradients for r in records), time.perf_counter() - started
        self._program, self._data = program, data
        self._last = [r.chain for r in records]
        self._keep(records)
        if self.warn:
            advice.warn(self._problems())

    def _chain(self, starts, number):
        """A chain before its first gradient."""
        seed = chains.seed_of(random.fold_in(starts.key, number))
        return self.sampler.start(seed, starts.program.latents, self.num_warmup, starts.first(number))

    def _run(self, run_chunk, starts):
        total, data = self.num_warmup + self.num_samples, starts.data
        made = [self._chain(starts, c) for c in range(self.num_chains)]
        with Progress(self.progress_bar, self.num_chains, self.num_warmup, total) as progress:
            if self.chain_method == "vectorized":
                start = tree_map(lambda *xs: np.stack(xs), *made)
                groups = [Group(run_chunk, start, data, total, range(self.num_chains), progress.report, starts.again)]
            else:
                groups = [Group(run_chunk, c, data, total, [i], progress.report, starts.again)
                          for i, c in enumerate(made)]
            self.interrupted = drive(groups, progress, self.chain_method == "parallel")
        records = [r for g in groups for r in g.records()]
        for number, r in enumerate(records):
            if r.failed:
                raise starts.error(r.position, number)
        return records

    def _keep(self, records):
        """Keep the draws.

        Of a run that was interrupted, the n draws of each of k chains for which n k² is largest: a chain more is worth
        more than as many draws, because convergence is judged across chains.
        """
        made = [max(0, len(r.draws) - self.num_warmup) // self.thinning for r in records]
        n = min(made)
        if self.interrupted:
            n = max(sorted(made), key=lambda n: n * sum(m >= n for m in made) ** 2)
            if n == 0:
                raise KeyboardInterrupt("interrupted in warm-up, before the first draw")
            records = [r for r, m in zip(records, made) if m >= n]
            print(f"interrupted: {n} of {self.num_samples // self.thinning} draws are kept of each of {len(records)} "
                  f"chains (of {self.num_chains}).", file=sys.stderr)
        rows = slice(self.num_warmup + self.thinning - 1, self.num_warmup + n * self.thinning, self.thinning)
        self._draws = onp.stack([r.draws[rows] for r in records])
        self._infos = onp.stack([r.infos[rows] for r in records])
        self._kept = [r.chain for r in records]

    def _problems(self):
        """What is wrong with the draws, see `advice`."""
        values = lambda: {v.name: self._constrained()[v.name] for v in self._program.latents}
        return advice.problems(fields.by_site(self._program, self._draws), self._stats(), values,
                               getattr(self.sampler, "max_tree_depth", None),
                               getattr(self.sampler, "target_accept_prob", None))

    # ---- what came of it ----

    def _need(self):
        if self._draws is None:
            raise RuntimeError("there are no draws: call run first, and let it reach its first draw.")

    def _constrained(self):
        if self._samples is None:
            self._samples = _constrain(self._program, self._draws, self._data)
        return self._samples

    def get_samples(self, group_by_chain=False):
        """{site: draws} of the latent and deterministic sites: [draws, *shape], or [chain, draw, *shape]."""
        self._need()
        out = {k: v for k, v in self._constrained().items() if k not in self._asked.dropped}
        return out if group_by_chain else {k: np.reshape(v, (-1, *v.shape[2:])) for k, v in out.items()}

    def get_extra_fields(self, group_by_chain=False):
        """{name: facts of each transition}, [draws], or [chain, draw]: the names of FIELDS, and those asked for in run.

        `z` and `z_grad` are dicts of sites.
        """
        self._need()
        out = {name: self._info(field) for name, field in {**FIELDS, **self._asked.aliases}.items()}
        out["potential_energy"] = -out["potential_energy"]
        out |= fields.computed(self._asked.computed, self._draws, out, self._kept, self._program, self._data,
                               self.num_warmup, self.thinning)
        return tree_map(lambda x: np.asarray(x if group_by_chain else x.reshape(-1, *x.shape[2:])), out)

    def _info(self, field):
        """One column of the transitions' facts, [chain, draw]."""
        x = self._infos[:, :, nuts.Info._fields.index(field)]
        return x > 0.5 if field == "diverging" else x.astype(int) if field in ("num_steps", "tree_depth") else x

    def _stats(self):
        """{ArviZ's name: [chain, draw]}"""
        stats = {name: self._info(field) for name, field in SAMPLE_STATS.items()}
        stats["reached_max_treedepth"] = stats["n_steps"] >= 2 ** self.sampler.max_tree_depth - 1
        return stats

    def print_summary(self, prob=0.9, exclude_deterministic=True):
        """Print mean, sd, quantiles, effective sample sizes and R-hat of each site, and the number of divergences."""
        self._need()
        names = {v.name for v in self._program.latents}
        samples = {k: onp.asarray(v) for k, v in self._constrained().items()
                   if k in names or not exclude_deterministic}
        diagnostics.print_summary(samples, prob=prob)
        print(f"Number of divergences: {self._info('diverging').sum()}")

    def to_arviz(self, *, coords=None, dims=None, log_likelihood=False, log_prior=False, unconstrained_posterior=False,
                 constant_data=None, **given):
        """The draws as ArviZ's InferenceData (DataTree with ArviZ 1): the plates' names and coords are the dimensions'.

        coords, dims : more of them, or others than the model's: {dimension: labels}, {site: names of its axes}
        log_likelihood, log_prior : True computes the log-density of each observation, and of each latent site, at every
            draw; or {site: array} that were computed
        unconstrained_posterior : True adds the draws as the sampler has them
        constant_data : {name: array}; unless given, the arrays and floats among the model's arguments that it does not
            observe, under the names of its parameters
        given : other groups, {name: array} with draws in front: prior (as Predictive gives it: the observed sites go to
            prior_predictive), prior_predictive, posterior_predictive, predictions; predictions_constant_data

        >>> import chainrule as cr, chainrule.distributions as dist
        >>> from chainrule.inference import NUTS
        >>> def model(x, y):
        ...     slope = cr.sample("slope", dist.Normal(0.0, 1.0))
        ...     with cr.plate("row", len(y)):
        ...         cr.sample("y", dist.Normal(slope * x, 1.0), obs=y)
        >>> mcmc = MCMC(NUTS(model), num_warmup=100, num_samples=50, progress_bar=False, warn=False)
        >>> mcmc.run(0, x=[1.0, 2.0], y=[0.5, 1.5])
        >>> data = mcmc.to_arviz(log_likelihood=True)
        >>> data["log_likelihood"]["y"].dims, list(data["constant_data"].data_vars)
        (('chain', 'draw', 'row'), ['x'])
        """
        self._need()
        program, data, draws = self._program, self._data, {k: onp.asarray(v) for k, v in self._constrained().items()}
        made = {"observed_data": program.observed(data) or None}
        made["constant_data"] = groups.constants(program, data, made["observed_data"] or {}) if constant_data is None \
            else constant_data
        made |= groups.densities(program, data, draws, log_likelihood is True, log_prior is True)
        if unconstrained_posterior is True:
            made["unconstrained_posterior"] = fields.by_site(self._program, self._draws)
        given |= {k: v for k, v in (("log_likelihood", log_likelihood), ("log_prior", log_prior),
                                    ("unconstrained_posterior", unconstrained_posterior)) if v and v is not True}
        made |= groups.prepared(given, draws_shape=self._draws.shape[:2], observed=made["observed_data"] or {})
        known = {k: [d or f"{k}_dim_{i}" for i, d in enumerate(names)]
                 for k, names in program.dims.items() if any(names)}
        return to_arviz(posterior=draws, sample_stats=self._stats(), coords={**program.coords, **(coords or {})},
                        dims={**known, **(dims or {})}, attrs={"sampling_time": self.seconds}, **made)

    @property
    def last_state(self):
        """The chains where they stopped."""
        self._need()
        return self._last


# ---- the compiled chunk, and the draws as the model has them ----

def _compiled(program, sampler, vectorized):
    """The compiled chunk of a model, kept with its program."""
    key = ("chunk", sampler.max_tree_depth, sampler.init_radius, vectorized)
    found = program.cache.get(key)
    if found is None:
        latents = program.latents
        size = int(min(max(1_000_000 // site_count(latents), 16), 256))

        def run_chunk(chain, data, stop_at, max_gradients):
            def logdensity(z):
                return program.log_joint(unravel(latents, z), data, unconstrained=True)
            return chains.run(chain, logdensity, stop_at, max_gradients, size=size, radius=sampler.init_radius,
                              max_tree_depth=sampler.max_tree_depth)

        found = jit(vmap(run_chunk, in_axes=(0, None, None, None)) if vectorized else run_chunk)
        program.cache[key] = found
    return found


def _constrain(program, draws, data):
    """{site: [chain, draw, *shape]} from unconstrained draws: the program's live part, run on all draws at once."""
    made = program.cache.get("constrain")
    if made is None:
        info = {}

        def run(z, *data):
            leaves, info["tree"] = flatten(program.constrained(unravel(program.latents, z), list(data)))
            return leaves

        avals = [np.asarray(draws[0, 0]).aval, *[x.aval for x in data]]
        jaxpr, consts, _ = stage(run, avals, "constrain")
        made = program.cache["constrain"] = (jaxpr, consts, info["tree"])
    jaxpr, consts, out_tree = made
    flat = draws.reshape(-1, draws.shape[-1])
    step = max(1, 20_000_000 // max(1, sum(v.aval.size for e in jaxpr.eqns for v in e.outs)))
    pieces = [_batch(jaxpr, consts, flat[i:i + step], data) for i in range(0, len(flat), step)]
    out = [onp.concatenate(column) if len(column) > 1 else onp.asarray(column[0]) for column in zip(*pieces)]
    return {k: np.asarray(v.reshape(*draws.shape[:2], *v.shape[1:])) for k, v in unflatten(out_tree, out).items()}


def _batch(jaxpr, consts, z, data):
    n = len(z)
    outs, marks = batch_flat(lambda q: eval_jaxpr(jaxpr, [*consts, q, *data]), n, [np.asarray(z)], [True])
    return [onp.asarray(o) if m else onp.broadcast_to(onp.asarray(o), (n, *o.shape)) for o, m in zip(outs, marks)]

