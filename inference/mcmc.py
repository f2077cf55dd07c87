"""MCMC: ties a kernel to a model, runs the chains, and gives their draws.

    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1000, num_chains=4)
    mcmc.run(random.key(0), y=y)
    mcmc.print_summary()

The model's Python function runs once, when it is staged; data are arguments of the compiled program, so another run on new data of
the same shapes compiles nothing. The compiled loop runs in chunks, between which the host takes the draws, shows progress and
hears an interrupt. A chain's draws depend on the key and its number alone, not on how it is cut or where it runs.
"""
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as onp

from ..engine import jit, random, vmap
from ..engine import numpy as np
from ..engine.errors import ChainruleError
from ..engine.interpreters.batch import batch_flat
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.tree import flatten, map as tree_map, unflatten
from ..ppl.model import check_data, site_count, site_terms, stage_model, unravel
from . import chain as chains
from . import diagnostics, nuts
from .arviz import to_arviz
from .progress import Progress

FIELDS = {"potential_energy": ("logdensity", -1.0), "energy": ("energy", 1.0), "accept_prob": ("accept_prob", 1.0),
          "num_steps": ("num_steps", 1.0), "tree_depth": ("tree_depth", 1.0), "diverging": ("diverging", 1.0),
          "step_size": ("step_size", 1.0), "max_energy_error": ("max_energy_error", 1.0)}
SAMPLE_STATS = {"lp": "logdensity", "energy": "energy", "acceptance_rate": "accept_prob", "n_steps": "num_steps",
                "tree_depth": "tree_depth", "diverging": "diverging", "step_size": "step_size",
                "max_energy_error": "max_energy_error"}
CHUNK_SECONDS = 0.1


class SamplingError(ChainruleError, ValueError):
    """A run that cannot begin: no latent sites, discrete ones, or no start point with a finite density."""


class NUTS:
    """The No-U-Turn sampler for a model: multinomial, with a diagonal metric, adapted in warm-up.

    step_size : where the adaptation starts          target_accept_prob : the acceptance probability it aims at
    max_tree_depth : at most 2 ** max_tree_depth - 1 leapfrog steps a transition
    inverse_mass_matrix : the diagonal of the first metric, float[d]; ones unless given
    init_radius : chains start at Uniform(-radius, radius) in unconstrained space
    Source: Hoffman & Gelman (2014); Betancourt (2017), A Conceptual Introduction to Hamiltonian Monte Carlo, appendix A.
    """

    def __init__(self, model, *, step_size=1.0, inverse_mass_matrix=None, target_accept_prob=0.8, max_tree_depth=10,
                 init_radius=2.0):
        if not callable(model):
            raise TypeError(f"NUTS takes a model, a function with sample statements; got {type(model).__name__}.")
        if not 0 < target_accept_prob < 1:
            raise ValueError(f"target_accept_prob must lie between 0 and 1; got {target_accept_prob}.")
        if not step_size > 0:
            raise ValueError(f"step_size must be positive; got {step_size}.")
        self.model, self.step_size, self.inverse_mass_matrix = model, float(step_size), inverse_mass_matrix
        self.target_accept_prob, self.max_tree_depth, self.init_radius = target_accept_prob, int(max_tree_depth), float(init_radius)


class MCMC:
    """Runs chains of a kernel and keeps their draws; see the module.

    chain_method : "parallel" (each chain on a core of its own), "sequential", or "vectorized" (all chains in one program)
    thinning : keep every thinning-th draw
    After `run`: get_samples, get_extra_fields, print_summary, to_arviz; `gradients` and `seconds` say what it cost.
    """

    def __init__(self, sampler, *, num_warmup, num_samples, num_chains=1, thinning=1, chain_method="parallel", progress_bar=True):
        if chain_method not in ("parallel", "sequential", "vectorized"):
            raise ValueError(f"chain_method={chain_method!r}: choose 'parallel', 'sequential' or 'vectorized'.")
        for name, n, least in (("num_warmup", num_warmup, 0), ("num_samples", num_samples, 1), ("num_chains", num_chains, 1),
                               ("thinning", thinning, 1)):
            if int(n) != n or n < least:
                raise ValueError(f"{name} must be an integer of at least {least}; got {n}.")
        self.sampler, self.num_warmup, self.num_samples = sampler, int(num_warmup), int(num_samples)
        self.num_chains, self.thinning, self.chain_method = int(num_chains), int(thinning), chain_method
        self.progress_bar = progress_bar
        self.gradients, self.seconds, self.interrupted = 0, 0.0, False
        self._draws = None

    # ---- running ----

    def run(self, rng_key, *args, init_params=None, **kwargs):
        """Warm up and sample. args and kwargs go to the model; arrays and floats among them are data.

        rng_key : random.key(seed), or an int          init_params : {site: unconstrained value}, with a leading chain axis
            where there are several chains
        An interrupt (Ctrl-C) keeps the draws so far. Raises SamplingError when the run cannot begin.
        """
        started = time.perf_counter()
        key = rng_key if isinstance(rng_key, random.Key) else random.key(rng_key)
        program, data = stage_model(self.sampler.model, args, kwargs)
        program.describe(data)
        self._check_latents(program)
        check_data(program, data)
        run_chunk = _compiled(program, self.sampler, self.chain_method == "vectorized")
        starts = [self._start(program, key, c, init_params) for c in range(self.num_chains)]
        records = self._run(run_chunk, starts, data, program)
        self.gradients, self.seconds = sum(r.gradients for r in records), time.perf_counter() - started
        self._program, self._data, self._args, self._kwargs = program, data, args, kwargs
        self._last = [r.chain for r in records]
        self._keep(records)

    def _check_latents(self, program):
        if not program.latents:
            raise SamplingError(f"the model {program.name} has no latent sites, so there is nothing to sample.")
        for v in program.latents:
            if v.is_discrete:
                raise SamplingError(f"site {v.name!r} is discrete and not observed; NUTS needs continuous sites.\n"
                                    "Sum it out of the model, or observe it.", v.source)

    def _start(self, program, key, number, init_params):
        words = onp.asarray(random.key_data(random.fold_in(key, number))).astype(onp.uint64)
        seed = np.asarray(words[0] << onp.uint64(32) | words[1])
        position = None
        if init_params is not None:
            position = np.concatenate([self._given(v, init_params, number) for v in program.latents])
        return chains.init(seed, site_count(program.latents), self.num_warmup, position=position, step_size=self.sampler.step_size,
                           target_accept_prob=self.sampler.target_accept_prob, inverse_mass=self.sampler.inverse_mass_matrix,
                           radius=self.sampler.init_radius, max_tree_depth=self.sampler.max_tree_depth)

    def _given(self, latent, init_params, number):
        if latent.name not in init_params:
            raise SamplingError(f"init_params has no value for site {latent.name!r}.", latent.source)
        x = np.asarray(init_params[latent.name])
        want = latent.unconstrained_shape
        if x.shape == (self.num_chains, *want) and (self.num_chains > 1 or x.shape != want):
            x = x[number]
        if x.shape != want:
            raise SamplingError(f"init_params[{latent.name!r}] has shape {x.shape}; the unconstrained site has shape {want}, with the chains "
                                f"in front {(self.num_chains, *want)}.", latent.source)
        return np.reshape(x, (-1,))

    def _run(self, run_chunk, starts, data, program):
        total = self.num_warmup + self.num_samples * self.thinning
        stop = threading.Event()
        self.interrupted = False
        with Progress(self.progress_bar, self.num_chains, self.num_warmup, total) as progress:
            if self.chain_method == "vectorized":
                start = tree_map(lambda *xs: np.stack(xs), *starts)
                groups = [_Group(run_chunk, start, data, total, list(range(self.num_chains)), stop, progress)]
            else:
                groups = [_Group(run_chunk, s, data, total, [c], stop, progress) for c, s in enumerate(starts)]
            groups[0].advance(1)                         # compiles, once, before the threads begin
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
            workers = 1 if self.chain_method == "sequential" else min(cores or 1, len(groups))
            with ThreadPoolExecutor(workers) as pool:
                waiting = [pool.submit(g.work) for g in groups]
                try:
                    while waiting:
                        done, waiting = wait(waiting, timeout=0.05)
                        waiting = list(waiting)
                        for f in done:
                            f.result()
                        progress.show()
                except KeyboardInterrupt:
                    stop.set()
                    self.interrupted = True
                except BaseException:
                    stop.set()
                    raise
        records = [r for g in groups for r in g.records()]
        for number, r in enumerate(records):
            if r.failed:
                raise _no_start(program, data, r.position, number)
        return records

    def _keep(self, records):
        n = self.num_samples
        if self.interrupted:
            n = min(max(0, (len(r.draws) - self.num_warmup) // self.thinning) for r in records)
            print(f"interrupted: {n} draws of each of {self.num_chains} chains are kept "
                  f"(of {self.num_samples}; {self.num_warmup} warm-up transitions).", file=sys.stderr)
            if n == 0:
                raise KeyboardInterrupt("interrupted in warm-up, before the first draw")
        rows = slice(self.num_warmup + self.thinning - 1, self.num_warmup + n * self.thinning, self.thinning)
        self._draws = onp.stack([r.draws[rows] for r in records])
        self._infos = onp.stack([r.infos[rows] for r in records])
        self._samples = None

    # ---- what came of it ----

    def _need(self):
        if self._draws is None:
            raise RuntimeError("there are no draws yet: call run first.")

    def _constrained(self):
        if self._samples is None:
            self._samples = _constrain(self._program, self._draws, self._data)
        return self._samples

    def get_samples(self, group_by_chain=False):
        """{site: draws} of the latent and deterministic sites: [draws, *shape], or [chain, draw, *shape]."""
        self._need()
        out = self._constrained()
        return out if group_by_chain else {k: np.reshape(v, (-1, *v.shape[2:])) for k, v in out.items()}

    def get_extra_fields(self, group_by_chain=False):
        """Facts of each transition: potential_energy, energy, accept_prob, num_steps, tree_depth, diverging, step_size."""
        self._need()
        out = {}
        for name, (field, sign) in FIELDS.items():
            x = self._infos[:, :, nuts.Info._fields.index(field)] * sign
            x = x > 0.5 if name == "diverging" else x.astype(onp.int64) if name in ("num_steps", "tree_depth") else x
            out[name] = np.asarray(x if group_by_chain else x.reshape(-1))
        return out

    def print_summary(self, prob=0.9, exclude_deterministic=True):
        """Print mean, sd, quantiles, effective sample sizes and R-hat of each site, and the number of divergences."""
        self._need()
        names = {v.name for v in self._program.latents}
        samples = {k: onp.asarray(v) for k, v in self._constrained().items() if not exclude_deterministic or k in names}
        diagnostics.print_summary(samples, prob=prob)
        print(f"Number of divergences: {int(onp.asarray(self.get_extra_fields()['diverging']).sum())}")

    def to_arviz(self, *, coords=None, dims=None, **groups):
        """The draws as ArviZ's InferenceData (DataTree with ArviZ 1): the plates' names are the dimensions.

        groups : prior, prior_predictive, posterior_predictive, log_likelihood: {name: array}, draws in front; constant_data
        """
        self._need()
        draws = {k: onp.asarray(v) for k, v in self._constrained().items()}
        known = {k: [d or f"{k}_dim_{i}" for i, d in enumerate(names)] for k, names in self._program.dims.items() if any(names)}
        stats = {name: self._infos[:, :, nuts.Info._fields.index(field)] for name, field in SAMPLE_STATS.items()}
        stats["diverging"] = stats["diverging"] > 0.5
        stats["n_steps"], stats["tree_depth"] = stats["n_steps"].astype(int), stats["tree_depth"].astype(int)
        shape = self._draws.shape[:2]
        made = {k: _by_chain(v, shape) if k != "constant_data" else v for k, v in groups.items()}
        observed = self._program.observed(self._data)
        return to_arviz(posterior=draws, sample_stats=stats, observed_data=observed or None, dims={**known, **(dims or {})},
                        coords=coords, attrs={"inference_library": "chainrule", "sampling_time": self.seconds}, **made)

    @property
    def last_state(self):
        """The chains where they stopped."""
        self._need()
        return self._last


def _by_chain(group, shape):
    """Draws [chain * draw, …] as [chain, draw, …]."""
    out = {}
    for k, v in group.items():
        v = onp.asarray(v)
        flat = v.shape[0] == shape[0] * shape[1] and v.shape[:2] != shape
        out[k] = v.reshape(*shape, *v.shape[1:]) if flat else v if v.shape[:2] == shape else v[None]
    return out


class _Record:
    """What one chain has given so far."""

    def __init__(self, draws, infos, gradients, chain, failed, position):
        self.draws, self.infos, self.gradients = draws, infos, gradients
        self.chain, self.failed, self.position = chain, failed, position


class _Group:
    """Chains that run together: one, or all of a vectorised run."""

    def __init__(self, run_chunk, chain, data, total, numbers, stop, progress):
        self.run_chunk, self.chain, self.data, self.total = run_chunk, chain, data, onp.asarray(total)
        self.numbers, self.stop, self.progress = numbers, stop, progress
        self.draws, self.infos = [[] for _ in numbers], [[] for _ in numbers]
        self.gradients = [0 for _ in numbers]
        self.budget, self.done = 1000, False

    def advance(self, max_gradients):
        """Run one chunk and take its draws."""
        chunk = self.run_chunk(self.chain, self.data, self.total, onp.asarray(max_gradients))
        self.chain = chunk.chain
        many = chunk.count.ndim > 0
        count, gradients = onp.atleast_1d(chunk.count), onp.atleast_1d(chunk.gradients)
        draws, infos = onp.asarray(chunk.draws), onp.asarray(chunk.infos)
        if not many:
            draws, infos = draws[None], infos[None]
        machine = chunk.chain.machine
        finished = onp.atleast_1d(machine.transition) >= self.total
        self.failed = onp.atleast_1d(nuts.failed(machine))
        for j, number in enumerate(self.numbers):
            k = int(count[j])
            self.draws[j].append(draws[j, :k].copy())
            self.infos[j].append(infos[j, :k].copy())
            self.gradients[j] += int(gradients[j])
            self.progress.report(number, int(onp.atleast_1d(machine.transition)[j]), infos[j, :k])
        self.done = bool(onp.all(finished | self.failed))
        return int(gradients.max())

    def work(self):
        """Run chunks of about a tenth of a second until the chains are done or told to stop."""
        while not self.done and not self.stop.is_set():
            started = time.perf_counter()
            used = self.advance(self.budget)
            rate = max(used, 1) / max(time.perf_counter() - started, 1e-6)
            self.budget = int(min(max(rate * CHUNK_SECONDS, 10), 10_000_000))

    def records(self):
        """One record for each chain."""
        positions = onp.asarray(self.chain.machine.moving.q).reshape(len(self.numbers), -1)
        return [_Record(onp.concatenate(self.draws[j]), onp.concatenate(self.infos[j]), self.gradients[j],
                        tree_map(lambda x, j=j: x[j], self.chain) if len(self.numbers) > 1 else self.chain,
                        bool(self.failed[j]), positions[j]) for j in range(len(self.numbers))]


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
            return chains.run(chain, logdensity, stop_at, max_gradients, size=size, max_tree_depth=sampler.max_tree_depth,
                              radius=sampler.init_radius)

        found = jit(vmap(run_chunk, in_axes=(0, None, None, None)) if vectorized else run_chunk)
        program.cache[key] = found
    return found


def _constrain(program, draws, data):
    """{site: [chain, draw, *shape]} from unconstrained draws: the staged program's live part, run on all draws at once."""
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


def _no_start(program, data, position, number):
    """The error for a density that is not finite at any start point, with the sites to blame."""
    terms = site_terms(program, unravel(program.latents, np.asarray(position)), data)
    bad = [(name, value, source) for name, value, source in terms if not onp.isfinite(value)]
    shown = ", ".join(f"{name!r} ({value})" for name, value, _ in bad) or "none on its own: the gradient is not finite"
    source = bad[0][2] if bad else None
    return SamplingError(
        f"chain {number}: the log-density or its gradient is not finite at any of {nuts.MAX_TRIES} start points, or at the one given.\n"
        f"Sites whose term is not finite at the last one: {shown}.\n"
        "Look for data outside of a support, a scale of zero, or a parameter that overflows; or pass init_params.", source)


