"""MCMC: ties a kernel to a model, runs the chains, and gives their draws.

    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1000, num_chains=4)
    mcmc.run(random.key(0), y=y)
    mcmc.print_summary()

The model's Python function runs once, when it is staged; data are arguments of the compiled program, so another run on
new data of the same shapes compiles nothing. The compiled loop runs in chunks, between which the host takes the draws,
shows progress and hears an interrupt. A chain's draws depend on the key and its number alone, not on how it is cut or
where it runs.

A run of days keeps its draws on disk, and goes on after whatever ended it, in another process:

    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1_000_000, num_chains=4, store="run.zarr")
    mcmc.run(random.key(0), y=y)                                   # killed
    mcmc = MCMC.resume("run.zarr", NUTS(model), y=y)               # the draws of an uninterrupted run, bit for bit
    xarray.open_datatree("run.zarr", engine="zarr")                # for xarray and ArviZ, at any time
"""
import sys
import time

import numpy as onp

from ..engine import numpy as np
from ..engine import random
from ..engine.xla import default_device
from ..ppl.keys import one_key
from ..ppl.model import site_count, stage_continuous
from . import advice, devices, fields, identity, shared
from .background import Background
from .base import seed_of
from .draws import FIELDS, Draws, constrainer, statistics
from .driver import Control
from .job import METHODS, Job, placement
from .layout import StoreError
from .mesh import mesh_of, mesh_on
from .samplers import NUTS, Sampler, check_options, shown
from .starts import SamplingError, Starts
from .store import Saved, Store, StoreTape
from .tape import Tape
from .until import Until

# Options of NumPyro's that are not there, with the values that change nothing, and what to write instead.
_MCMC_OPTIONS = {
    "postprocess_fn": (None, "Apply the function to what get_samples returns."),
    "progress_rate": (None, "The bars are drawn ten times a second."),
}


class MCMC:
    """Runs chains of a kernel and keeps their draws; see the module.

    num_samples : transitions of each chain after warm-up, of which every `thinning`-th is kept
    chain_method : "parallel" (as many chains at once as there are cores), "sequential" (one core), "vectorized" (all
        chains in one program), "mixed" (as many vectorized programs at once as there are cores, which share the
        chains), or "auto": parallel on the host, where that is the fastest for any number of chains, and vectorized on
        an accelerator. Data that no cache holds (tens of MB) are read once for all chains that are vectorized, which
        may then be quicker on the host too. The first two give the same draws bit for bit, the others up to rounding,
        which a chain's later draws magnify. Chains of AIES and its like move together, whatever it is.
    store : a path, or Store(path, ...): draws go to a Zarr folder there while they are made, and the chains' state
        beside them, so that memory stays bounded and `resume` goes on after a crash
    until : targets at which the run stops before num_samples, {"rhat": 1.01, "ess_bulk": 400}; limits of "seconds" and
        "gradients". Stopping on a random quantity makes estimates look better than they are: see Until
    keep_warmup : whether warm-up's draws are kept too, as the groups warmup_posterior and warmup_sample_stats
    progress_bar : a bar for each chain on the standard error, once a run has lasted half a second
    warn : whether a run ends with a SamplingWarning for each thing that is wrong with its draws: divergences, R-hat,
        effective sample size, E-BFMI, tree depth; with a store, of the first million numbers
    mesh : {"chains": a, "data": b}, or a `Mesh` with these axes: devices in a rows of b. Each row has its share of the
        chains and cuts the data over its devices, of which each sums the likelihood of its part. The arrays that are
        cut are those whose first axis is the longest one among the model's arguments. The draws are those without a
        mesh: bit for bit where b = 1 and chains are not vectorized, else up to rounding
    device : where the chains run, a device or its name ("gpu", "cpu:1"). Unless given, they run on the host, or, where
        there is an accelerator and a gradient of all chains is much work, there; `where` says which and why
    Among several processes (`chainrule.distributed`) each runs an equal share of the chains and keeps it in a group of
    its own in the store; what is asked of the draws afterwards is of all chains, and every process must ask.
    jit_model_args : taken for NumPyro's sake; data are always arguments of the compiled program

    After `run`: get_samples, get_extra_fields, print_summary, to_arviz; `gradients` and `seconds` say what it cost,
    `where` on which device and in what form it ran, `stopped_by` what ended it ("num_samples", "until", "seconds",
    "gradients", "interrupt", "abort"), `interrupted` whether that was from outside, and `measured` the statistics of
    `until` at the last look.
    """

    def __init__(self, sampler, *, num_warmup, num_samples, num_chains=1, thinning=1, chain_method="auto", store=None,
                 until=None, keep_warmup=False, progress_bar=True, jit_model_args=False, warn=True, mesh=None,
                 device=None, **options):
        check_options("MCMC", options, _MCMC_OPTIONS)
        if not isinstance(sampler, Sampler):
            raise TypeError(f"MCMC takes a kernel, such as NUTS(model); got {shown(sampler)}.")
        if chain_method not in METHODS:
            raise ValueError(f"chain_method={chain_method!r}: choose one of {', '.join(map(repr, METHODS))}.")
        for name, n, least in (("num_warmup", num_warmup, 0), ("num_samples", num_samples, 1),
                               ("num_chains", num_chains, 1), ("thinning", thinning, 1)):
            _check_count(name, n, least)
        if thinning > num_samples:
            raise ValueError(f"thinning={thinning} keeps none of num_samples={num_samples} draws.")
        if mesh is not None and device is not None:
            raise ValueError("give device=, for one, or mesh=, for several.")
        self.mesh, self.device = mesh_of(mesh), device
        self._check_mesh(sampler, num_chains)
        self.sampler, self.num_warmup, self.num_samples = sampler, int(num_warmup), int(num_samples)
        self.num_chains, self.thinning, self.chain_method = int(num_chains), int(thinning), chain_method
        self.store = store if store is None or isinstance(store, Store) else Store(store)
        self.until = until if until is None or isinstance(until, Until) else Until(until)
        self.keep_warmup, self.progress_bar, self.warn = bool(keep_warmup), progress_bar, bool(warn)
        self.post_warmup_state = self._background = None
        self._forget()

    def _check_mesh(self, sampler, num_chains):
        rows = 1 if self.mesh is None else self.mesh.shape["chains"]
        if rows > num_chains:
            raise ValueError(f"the mesh has {rows} rows of devices for chains, and num_chains={num_chains}: some would "
                             "have nothing to do.")
        if rows > 1 and sampler.method.ensemble:
            raise ValueError(f"{type(sampler).__name__} moves its chains together, in one program: its mesh has "
                             '{"chains": 1}, and "data" devices.')

    def _forget(self):
        self.gradients, self.seconds, self.interrupted, self.stopped_by, self.measured = 0, 0.0, False, None, {}
        self._job = self._draws = None
        self._asked, self._only_warmup = fields.NOTHING, False

    def _idle(self):
        if self._background is not None and not self._background.done:
            raise RuntimeError("a run is on its way in the background: wait for it, or abort it, first.")

    # ---- running ----

    def run(self, rng_key, *args, extra_fields=(), init_params=None, **kwargs):
        """Warm up and sample. args and kwargs go to the model; arrays and floats among them are data.

        rng_key : random.key(seed), or an int
        extra_fields : names that get_extra_fields is to have besides those of FIELDS that the kernel has, which are
            there unasked; see `fields`. "~z.site" leaves a site out of get_samples
        init_params : {site: unconstrained value}, with a leading chain axis where there are several chains
        With `post_warmup_state` set, to what `last_state` gives, the chains go on from there, without a warm-up.
        Raises SamplingError when the run cannot begin. An interrupt (Ctrl-C) keeps the draws so far and says how many;
        before the first draw it raises KeyboardInterrupt. `extend` goes on with an interrupted run.
        """
        self._idle()
        self._run(Control(), rng_key, args, kwargs, extra_fields, init_params)

    def start(self, rng_key, *args, extra_fields=(), init_params=None, **kwargs):
        """`run` in the background: returns a `Background`, to inspect, pause, resume, abort, or wait for."""
        self._idle()
        self._background = Background(
            self, lambda control: self._run(control, rng_key, args, kwargs, extra_fields, init_params))
        return self._background

    def extend(self, num_samples=0, *, background=False):
        """Go on from where the chains are: the draws are those that a longer run would have given, bit for bit.

        num_samples : transitions more than the longest chain has, not looking at `until`; 0 finishes the run as planned
        background : whether to return a `Background` at once
        """
        self._idle()
        if self._job is None or self._only_warmup:
            raise RuntimeError("there is nothing to extend: call run first.")
        _check_count("num_samples", num_samples, 0)
        job, until = self._job, None if num_samples else self.until
        if num_samples:
            job.num_samples = max(max(job.tape.done) - job.tape.warmup, 0) + int(num_samples)
        if background:
            self._background = Background(self, lambda control: self._go(control, until))
            return self._background
        self._go(Control(), until)

    def warmup(self, rng_key, *args, extra_fields=(), collect_warmup=False, init_params=None, **kwargs):
        """Warm up alone; `run` goes on from there, because `post_warmup_state` is set to where the chains are.

        collect_warmup : whether get_samples then gives warm-up's draws
        """
        self._idle()
        if not self.num_warmup:
            raise ValueError("num_warmup is 0: there is no warm-up to run.")
        self._run(Control(), rng_key, args, kwargs, extra_fields, init_params, only_warmup=True)
        self.post_warmup_state = self._job.states()
        if not collect_warmup:
            self._draws = None

    @classmethod
    def load(cls, path, sampler, *args, **kwargs):
        """A run on disk as it was at its last commit: its draws, and `extend` goes on with it.

        sampler : the kernel, the model alone where all of the kernel's options were defaults, or an MCMC, for other
            options of running it (num_samples, until, chain_method, progress_bar, Store's)
        args, kwargs : the model's, as in `run`
        Raises StoreError where a file was altered, cut or lost, naming it, or where version, settings, data or model
        are not those that the run was made with, naming the difference.
        """
        saved = []
        try:
            for folder in shared.folders(path):
                saved.append(Saved(folder))
            run = saved[0].run
            if not isinstance(sampler, MCMC):
                kernel = sampler if isinstance(sampler, Sampler) else NUTS(sampler)
                sampler = cls(kernel, **run["options"])
            every = sampler.store.every if sampler.store else 10.0
            sampler.store = Store(path, every=every, unconstrained=run["unconstrained"])
            sampler._take_up(saved, args, kwargs)
        except BaseException:
            for part in saved:
                part.close()
            raise
        return sampler

    @classmethod
    def resume(cls, path, sampler, *args, **kwargs):
        """`load` a run and take it to its end: the draws are those of an uninterrupted run, bit for bit.

        That holds in warm-up too, and wherever the run was killed: it goes on from its last commit. What several
        processes began, as many go on with, or fewer that divide their number, one alone among them.
        """
        mcmc = cls.load(path, sampler, *args, **kwargs)
        if min(mcmc._job.tape.done) < mcmc._job.tape.warmup + mcmc._job.num_samples:
            mcmc.extend(0)
        else:
            mcmc._job.tape.release()
        return mcmc

    def _run(self, control, rng_key, args, kwargs, extra_fields, init_params, only_warmup=False):
        began = time.perf_counter()
        self._forget()
        self._only_warmup = only_warmup
        key = one_key(rng_key, "run")
        self._take_share()
        path = None if self.store is None else shared.folder(self.store.path)
        if path is not None and path.exists():
            raise StoreError(f"there is something at {path} already: MCMC.resume goes on with a run there; "
                             "for a new one choose another path.")
        program, data = self._stage(args, kwargs)
        known = self._statistics()(onp.zeros((1, 1, len(self.sampler.method.fields))))
        self._asked = fields.asked(extra_fields, {k: v for k, v in FIELDS.items() if v in known}, program)
        starts = Starts(program, data, key, self.sampler.init_strategy, init_params, self._here, self._before,
                        self.num_chains)
        self._choose(program, data)
        states = None if only_warmup else self._given_states(program)
        states = self._first_states(lambda c: self._chain(starts, c)) if states is None else states
        chains = [(state, 0, spent) for state, spent in zip(states, starts.gradients)]
        options = {"first": int(self.sampler.method.transition(states[0])), "began": began}
        if only_warmup:
            options["warmup"] = 0
        if self.store is None or only_warmup:
            tape = Tape(self._here, constrainer(program, data), self._statistics(only_warmup),
                        **self._kept(**options))
        else:
            words = onp.asarray(random.key_data(key)).tolist()
            part = (path, self._before, self._here)
            tape = self._store_tape(program, data, args, kwargs, words, init_params is not None, part, **options)
        self._job = Job(self.sampler, self.chain_method, program, data, starts, tape, chains,
                        self.num_warmup if only_warmup else self.num_samples, self._mesh, self._why)
        self._go(control, None if only_warmup else self.until)

    def _take_up(self, saved, args, kwargs):
        """Take up a run on disk, after all checks."""
        self._forget()
        self._take_share()
        run = saved[0].run
        program, data = self._stage(args, kwargs)
        self._choose(program, data)
        template = self._first_states(lambda c: self.sampler.start(
            np.asarray(onp.uint64(0)), program.latents, self.num_warmup, np.zeros(site_count(program.latents))))
        made = lambda part, before: self._store_tape(
            program, data, args, kwargs, run["key"], run["given"], (part.path, before, len(part.done)),
            first=run["first"], spent=part.seconds, block=part.block)
        tape, chains = shared.take_up(saved, self._before, self._here, template[0], made)
        key = random.wrap_key_data(np.asarray(onp.array(run["key"], onp.uint32)))
        starts = Starts(program, data, key, self.sampler.init_strategy, None, self._here, self._before,
                        self.num_chains)
        if run["given"]:
            starts.given = [None] * self._here
        self._job = Job(self.sampler, self.chain_method, program, data, starts, tape, chains,
                        self.num_samples, self._mesh, self._why)
        self._settle()

    def _go(self, control, until):
        """Take the job on, and keep what came of it."""
        job = self._job
        job.tape.planned(num_samples=job.num_samples, until=until and until.as_dict())
        try:
            self.stopped_by = job.go(control, until, self.progress_bar)
        except SamplingError:
            self._job = None
            raise
        self.interrupted = self.stopped_by in ("interrupt", "abort")
        self._settle()
        if self.warn and self._draws is not None and not self._only_warmup:
            advice.warn(self._draws.problems(
                max_tree_depth=getattr(self.sampler, "max_tree_depth", None),
                target_accept_prob=getattr(self.sampler, "target_accept_prob", None)))
        if self.stopped_by != "interrupt":
            return
        if self._draws is None:
            goes_on = "" if job.tape.in_memory else f"; MCMC.resume goes on with the run at {self.store.path}"
            raise KeyboardInterrupt("interrupted in warm-up, before the first draw" + goes_on)
        print(f"interrupted: {self._draws.n} of {job.num_samples // self.thinning} draws are kept of each of "
              f"{len(self._draws.chains)} chains (of {self.num_chains}).", file=sys.stderr)

    def _settle(self):
        job = self._job
        self.gradients, self.seconds, self.measured = job.gradients, job.tape.seconds, job.measured
        self._draws = self._view()

    def _view(self, together=True):
        """The draws that there are now, or None; of several processes those of all, if they are to be `together`."""
        job = self._job
        if together and self._here < self.num_chains:
            n = shared.draws_of_all(job.tape)
            return Draws(job.program, job.data, shared.Together(job.tape), range(self.num_chains), n,
                         self._asked) if n else None
        chains, n = job.rectangle()
        return Draws(job.program, job.data, job.tape, chains, n, self._asked) if n else None

    # ---- parts of a run ----

    def _stage(self, args, kwargs):
        program, data = stage_continuous(self.sampler.model, args, kwargs, "MCMC", SamplingError)
        if self.until is not None:
            self.until.check_sites([name for name, s in program.outline(data).items()
                                    if not s.observed and s.kind in ("sample", "deterministic")])
        return program, data

    def _choose(self, program, data):
        """Set where this run goes: `_mesh`, None for the usual place, and `_why`."""
        self._mesh, self._why = self.mesh, None
        if self.device is not None:
            self._mesh = mesh_on(self.device)
        elif self.mesh is None:
            found, self._why = devices.choose(program, data, self._here)
            self._mesh = found and mesh_on(found)

    def _take_share(self):
        """Set which chains are this process's."""
        self._before, self._here = shared.share(self.num_chains)
        if self._here < self.num_chains and (self.mesh is not None or self.sampler.method.ensemble):
            what = "a mesh" if self.mesh is not None else type(self.sampler).__name__
            raise ValueError(f"{what} runs within one process; several processes share chains that move alone, without "
                             "a mesh.")

    def _chain(self, starts, number):
        """A chain before its first gradient."""
        seed = seed_of(starts.key_of(number))
        chain = self.sampler.start(seed, starts.program.latents, self.num_warmup, starts.first(number))
        return self.sampler.method.scaled(chain, starts.variances.get(number))

    def _first_states(self, one):
        """The chains before their first gradient, by number; of an ensemble each is the whole.   one : makes one"""
        made = [one(c) for c in range(self._here)]
        if not self.sampler.method.ensemble:
            return made
        return [self.sampler.gather(made, self.num_warmup)] * self.num_chains

    def _given_states(self, program):
        """The chains of post_warmup_state, checked; None where it is not set."""
        states, d = self.post_warmup_state, site_count(program.latents)
        if states is None:
            return None
        method = self.sampler.method
        try:
            sound = len(states) == self.num_chains and all(onp.shape(method.position(s))[-1] == d for s in states)
        except (TypeError, AttributeError):
            sound = False
        if not sound:
            raise ValueError(f"post_warmup_state must be what last_state gives of {self.num_chains} chains of a model "
                             f"with {d} unconstrained parameters.")
        if len({int(method.transition(s)) for s in states}) > 1:
            raise ValueError("the chains of post_warmup_state have made different numbers of transitions; `extend` "
                             "goes on with a run that was interrupted.")
        return [method.recording(s, True) for s in states]

    def _statistics(self, only_warmup=False):
        last, first = (getattr(self.sampler, name, None) for name in ("max_tree_depth", "warmup_tree_depth"))
        return statistics(self.sampler.method.fields, first or last if only_warmup else last, first)

    def _kept(self, **options):
        return {"warmup": self.num_warmup, "thinning": self.thinning, "keep_warmup": self.keep_warmup, **options}

    def _store_tape(self, program, data, args, kwargs, words, given, part, **options):
        """The tape of a part of the run: (its folder, the number of its first chain among all, its chains)."""
        path, first_chain, chains = part
        method, parts, _ = placement(self.chain_method, chains, self._mesh)
        lanes = f"in {len(parts)} parts" if method in ("mixed", "vectorized") and len(parts) > 1 else \
            method == "vectorized"
        if self._mesh is not None and self._mesh.shape["data"] > 1:
            lanes = f"{lanes}, the data over {self._mesh.shape['data']} devices"
        one = self._mesh is not None and self.mesh is None
        device = default_device() if self._mesh is None else self._mesh.flat[0]
        same, text = identity.identity(
            program, self.sampler, lanes, args, kwargs, platform=device.platform, num_warmup=self.num_warmup,
            thinning=self.thinning, num_chains=self.num_chains, keep_warmup=self.keep_warmup,
            **({} if chains == self.num_chains else {"first_chain": first_chain}))
        shared.make_root(self.store.path)
        about = {"identity": same, "run": {
            "key": words, "given": given, "first": options["first"], "unconstrained": self.store.unconstrained,
            "options": {"num_warmup": self.num_warmup, "num_samples": self.num_samples, "num_chains": self.num_chains,
                        "thinning": self.thinning, "chain_method": self.chain_method,
                        "mesh": self.mesh and self.mesh.shape, "device": repr(self._mesh.flat[0]) if one else None,
                        "until": self.until and self.until.as_dict(), "keep_warmup": self.keep_warmup}}}
        kind = self.sampler.method
        return StoreTape(
            self.store.at(path), about, text, chains, constrainer(program, data), self._statistics(),
            lambda x: fields.by_site(program, x), d=site_count(program.latents), facts=len(kind.fields),
            ensemble=kind.ensemble, first_chain=first_chain, num_draws=self.num_samples // self.thinning,
            dims=program.dims, coords=program.coords, constants={"observed_data": program.observed(data)},
            **self._kept(**options))

    # ---- what came of it ----

    @property
    def where(self):
        """One line: how many chains, on which device, in what form, and why there."""
        if self._job is None:
            raise RuntimeError("nothing has run: call run first.")
        return self._job.words

    def _need(self):
        if self._draws is None:
            raise RuntimeError("there are no draws: call run first, and let it reach its first draw.")
        return self._draws

    def get_samples(self, group_by_chain=False):
        """{site: draws} of the latent and deterministic sites: [draws, *shape], or [chain, draw, *shape].

        With a store they are read from it, at each call.
        """
        return self._need().get_samples(group_by_chain)

    def get_extra_fields(self, group_by_chain=False):
        """{name: facts of each transition}, [draws], or [chain, draw]: the names of FIELDS, and those asked for in run.

        `z` and `z_grad` are dicts of sites.
        """
        return self._need().get_extra_fields(group_by_chain)

    def divergences(self):
        """Where NUTS diverged after warm-up: `Divergences`, the last 32 of each chain and the number of all.

        >>> import chainrule as cr, chainrule.distributions as dist
        >>> from chainrule.inference import NUTS
        >>> def funnel():
        ...     v = cr.sample("v", dist.Normal(0.0, 3.0))
        ...     cr.sample("x", dist.Normal(0.0, cr.engine.numpy.exp(v / 2)))
        >>> mcmc = MCMC(NUTS(funnel), num_warmup=100, num_samples=500, progress_bar=False, warn=False)
        >>> mcmc.run(0)
        >>> found = mcmc.divergences()
        >>> found.count.shape, found.start["v"].shape == found.end["v"].shape == found.draw.shape
        ((1,), True)
        """
        return self._need().divergences()

    def print_summary(self, prob=0.9, exclude_deterministic=True):
        """Print mean, sd, quantiles, effective sample sizes and R-hat of each site, and the number of divergences."""
        self._need().print_summary(prob, exclude_deterministic)

    def to_arviz(self, *, coords=None, dims=None, log_likelihood=False, log_prior=False, unconstrained_posterior=False,
                 divergences=False, constant_data=None, **given):
        """The draws as ArviZ's InferenceData (DataTree with ArviZ 1): the plates' names and coords are the dimensions'.

        coords, dims : more of them, or others than the model's: {dimension: labels}, {site: names of its axes}
        log_likelihood, log_prior : True computes the log-density of each observation, and of each latent site, at every
            draw; or {site: array} that were computed
        unconstrained_posterior : True adds the draws as the sampler has them
        divergences : True adds a group of that name with the sites' values where divergent transitions began and where
            they diverged, [divergence, place, *shape]
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
        return self._need().to_arviz(
            coords=coords, dims=dims, attrs={"sampling_time": self.seconds}, log_likelihood=log_likelihood,
            log_prior=log_prior, unconstrained_posterior=unconstrained_posterior, divergences=divergences,
            constant_data=constant_data, **given)

    @property
    def last_state(self):
        """The chains where they stopped."""
        if self._job is None:
            raise RuntimeError("there are no chains: call run first.")
        return self._job.states()


# ---- checks of what was given ----

def _check_count(name, n, least):
    if isinstance(n, bool) or not isinstance(n, int | float | onp.number) or int(n) != n or n < least:
        raise ValueError(f"{name} must be an integer of at least {least}; got {n!r}.")
