"""Kernels of chains that move together, for models: AIES, EnsembleSliceSampler and ChEES.

`MCMC(kernel, num_chains=n)` runs its n chains as one ensemble, in one program, whatever its chain_method.
"""
from dataclasses import dataclass

from ..engine import numpy as np
from ..ppl.model import site_count
from ..ppl.queries import init_to_uniform
from . import aies, chees, ensemble_slice, ensembles, slices
from .ensembles import Ensemble
from .moves import stopped
from .samplers import Sampler, between, check_options, first_metric, positive, whole
from .starts import SamplingError
from .stepwise import Move

_OPTIONS = {"potential_fn": (None, "Write the density as a model: factor('density', -potential) adds a term.")}


class _Together(Sampler):
    """What they share."""

    def start(self, seed, latents, num_warmup, position=None):
        """One chain, before the ensemble is put together."""
        return ensembles.member(seed, position, num_dims=site_count(latents), radius=self.init_radius)

    def gather(self, members, num_warmup):
        """The ensemble of some chains."""
        d = members[0].position.shape[0]
        self._check(len(members), d)
        return ensembles.init(self.method.move, members, self._adaptation(d, num_warmup))


def _halves(name, n, d):
    """Raise for an ensemble whose halves could not move each other in all directions."""
    if n % 2 or n < max(4, 2 * d):
        raise SamplingError(f"{name} moves one half of its chains by the other: num_chains must be even and at least "
                            f"{max(4, 2 * d)}, twice the {d} unconstrained parameters; got {n}.")


# ---- the affine-invariant ensemble ----

@dataclass(frozen=True)
class DEMove:
    """Difference move: y = x + γ (x' - x''), γ ~ N(g0, sigma²); g0 is 2.38 / √(2 d) unless given."""
    sigma: float = 1e-5
    g0: float | None = None


@dataclass(frozen=True)
class StretchMove:
    """Stretch move: y = x' + z (x - x'), z with density ∝ 1 / √z on [1/a, a]."""
    a: float = 2.0


@dataclass(frozen=True)
class Walkers(Move):
    """`aies`."""
    randomize_split: bool
    fields = aies.Info._fields

    def blank(self, position):
        """Without a gradient."""
        return aies.State(position, np.full(position.shape[:1], -np.inf, position.dtype))

    def step(self, key, state, logdensity_fn, params, still):
        """Both halves; where `still` holds, by moves of no length."""
        quiet = lambda value, x: np.where(still, value, x)
        params = aies.Params(params.stretch_prob, quiet(1.0, params.stretch), quiet(0.0, params.difference),
                             quiet(0.0, params.difference_sd))
        return *aies.step(key, state, logdensity_fn, params, randomize_split=self.randomize_split), 1


class AIES(_Together):
    """The affine-invariant ensemble sampler, for a model: no gradient, and no scale or correlation to adapt to.

    moves : {AIES.DEMove(): weight, AIES.StretchMove(): weight}, of which each transition takes one; DEMove unless given
    randomize_split : halve the chains anew in each transition
    MCMC's num_chains must be even, and at least twice the number of unconstrained parameters.
    Source: Goodman & Weare (2010), CAMCoS 5; ter Braak (2006), Statistics and Computing 16.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import AIES, MCMC
    >>> mcmc = MCMC(AIES(lambda: cr.sample("x", dist.Normal([3.0, 7.0], 0.1))), num_warmup=500, num_samples=500,
    ...             num_chains=10, progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> [round(x, 1) for x in mcmc.get_samples()["x"].mean(0).tolist()]
    [3.0, 7.0]
    """
    DEMove, StretchMove = DEMove, StretchMove

    def __init__(self, model=None, *, randomize_split=False, moves=None, init_strategy=init_to_uniform, init_radius=2.0,
                 **options):
        check_options("AIES", options, _OPTIONS)
        self.tie(model, init_strategy, init_radius)
        moves = {DEMove(): 1.0} if not moves else dict(moves)
        kinds = [type(move) for move in moves]
        if len(set(kinds)) != len(kinds) or not set(kinds) <= {DEMove, StretchMove} or sum(moves.values()) <= 0 or any(
                not weight >= 0 for weight in moves.values()):
            raise ValueError(f"moves is a dict {{AIES.DEMove(): weight, AIES.StretchMove(): weight}}; got {moves}.")
        of = {type(move): (move, weight / sum(moves.values())) for move, weight in moves.items()}
        self.difference, _ = of.get(DEMove, (DEMove(), 0.0))
        self.stretch, self.stretch_prob = of.get(StretchMove, (StretchMove(), 0.0))
        if not self.stretch.a > 1:
            raise ValueError(f"StretchMove takes a > 1; got {self.stretch.a}.")
        self.randomize_split = bool(randomize_split)

    @property
    def method(self):
        """One proposal for each chain a turn."""
        return Ensemble(Walkers(self.randomize_split), self.init_radius)

    def _check(self, n, d):
        _halves("AIES", n, d)

    def _adaptation(self, d, num_warmup):
        return ensembles.Fixed(aies.params_of(d, stretch_prob=self.stretch_prob, stretch=self.stretch.a,
                                              difference=self.difference.g0, difference_sd=self.difference.sigma))


# ---- slices along directions of the ensemble ----

@dataclass(frozen=True)
class DifferentialMove:
    """Directions that are differences of two of the other walkers."""
    kind = "difference"


@dataclass(frozen=True)
class GaussianMove:
    """Directions that are normal, of the other walkers' covariance."""
    kind = "gaussian"


@dataclass(frozen=True)
class KDEMove:
    """Directions that are differences of two draws from the other walkers' kernel density."""
    kind = "kde"


@dataclass(frozen=True)
class RandomMove:
    """Directions that know nothing of the other walkers."""
    kind = "random"


@dataclass(frozen=True)
class Slices(Move):
    """`ensemble_slice`."""
    kinds: tuple
    randomize_split: bool
    max_steps: int
    fields = ensemble_slice.Info._fields

    def blank(self, position):
        """Without a gradient."""
        return aies.State(position, np.full(position.shape[:1], -np.inf, position.dtype))

    def step(self, key, state, logdensity_fn, params, still):
        """A slice of each chain; where `still` holds, a point."""
        one = lambda n: np.where(still, 1, n)
        params = params._replace(scale=np.where(still, 0.0, params.scale))
        state, info = ensemble_slice.step(key, state, logdensity_fn, params, kinds=self.kinds,
                                          randomize_split=self.randomize_split, max_steps=one(self.max_steps),
                                          max_shrinks=one(slices.MAX_SHRINKS))
        return state, info, np.max(info.num_steps)

    def adapt(self, adaptation, transition, state, info):
        """The scale."""
        return ensemble_slice.adapt(adaptation, transition, info)


class EnsembleSliceSampler(_Together):
    """The ensemble slice sampler, for a model: no gradient, no scale or correlation to adapt to, no proposal refused.

    moves : {EnsembleSliceSampler.DifferentialMove(): weight, …}, of which each transition takes one: GaussianMove,
        KDEMove, RandomMove; DifferentialMove alone unless given
    scale : μ, where its adaptation starts          adapt_scale : False keeps it
    randomize_split : halve the chains anew in each transition
    max_steps : the greatest size of an interval, in its first widths
    MCMC's num_chains must be even, and at least twice the number of unconstrained parameters.
    Source: Karamanis & Beutler (2021), Statistics and Computing 31.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import EnsembleSliceSampler, MCMC
    >>> mcmc = MCMC(EnsembleSliceSampler(lambda: cr.sample("x", dist.Normal([3.0, 7.0], 0.1))), num_warmup=200,
    ...             num_samples=300, num_chains=10, progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> [round(x, 1) for x in mcmc.get_samples()["x"].mean(0).tolist()]
    [3.0, 7.0]
    """
    DifferentialMove, GaussianMove, KDEMove, RandomMove = DifferentialMove, GaussianMove, KDEMove, RandomMove

    def __init__(self, model=None, *, moves=None, scale=1.0, adapt_scale=True, randomize_split=True,
                 max_steps=ensemble_slice.MAX_STEPS, init_strategy=init_to_uniform, init_radius=2.0, **options):
        check_options("EnsembleSliceSampler", options, _OPTIONS)
        self.tie(model, init_strategy, init_radius)
        moves, known = dict(moves or {DifferentialMove(): 1.0}), {DifferentialMove, GaussianMove, KDEMove, RandomMove}
        if not {type(move) for move in moves} <= known or sum(moves.values()) <= 0 or any(
                not weight >= 0 for weight in moves.values()):
            raise ValueError("moves is a dict {EnsembleSliceSampler.DifferentialMove(): weight, …}, of GaussianMove, "
                             f"KDEMove and RandomMove too; got {moves}.")
        self.kinds, self.weights = tuple(move.kind for move in moves), tuple(float(w) for w in moves.values())
        self.scale, self.adapt_scale = positive("scale", scale), bool(adapt_scale)
        self.randomize_split, self.max_steps = bool(randomize_split), whole("max_steps", max_steps)

    @property
    def method(self):
        """One slice of each chain a turn."""
        return Ensemble(Slices(self.kinds, self.randomize_split, self.max_steps), self.init_radius)

    def _check(self, n, d):
        _halves("EnsembleSliceSampler", n, d)

    def _adaptation(self, d, num_warmup):
        return ensemble_slice.Tuning(ensemble_slice.params_of(self.scale, self.weights), np.asarray(int(num_warmup)),
                                     np.asarray(self.adapt_scale))


# ---- ChEES ----

@dataclass(frozen=True)
class SharedTrajectories(Move):
    """`chees`."""
    max_steps: int
    fields = chees.Info._fields

    def blank(self, position):
        """With a gradient."""
        low = np.full(position.shape[:1], -np.inf, position.dtype)
        return chees.State(position, low, np.zeros_like(position), np.asarray(0))

    def step(self, key, state, logdensity_fn, params, still):
        """A trajectory of each chain; where `still` holds, one step of size 0."""
        state, info = chees.step(key, state, logdensity_fn, stopped(params, still),
                                 max_steps=np.where(still, 1, self.max_steps))
        return state, info, info.num_steps

    def adapt(self, adaptation, transition, state, info):
        """Step size, length of trajectories, metric."""
        return chees.adapt(adaptation, transition, state.position, state.grad, info)


class ChEES(_Together):
    """ChEES-HMC, for a model: chains side by side that learn the length of their trajectories together.

    step_size, trajectory_length : where their adaptation starts          target_accept_prob : of the harmonic mean
    adapt_step_size, adapt_trajectory_length, adapt_mass_matrix : False keeps the one given
    inverse_mass_matrix : the diagonal of the first metric, float[d]; ones unless given
    max_num_steps : at most so many leapfrog steps a transition
    MCMC's num_chains must be at least 2; ten or more make the adaptation sure.
    Source: Hoffman, Radul & Sountsov (2021), AISTATS.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, ChEES
    >>> mcmc = MCMC(ChEES(lambda: cr.sample("x", dist.Normal([3.0, 7.0], 0.1))), num_warmup=500, num_samples=500,
    ...             num_chains=10, progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> [round(x, 1) for x in mcmc.get_samples()["x"].mean(0).tolist()]
    [3.0, 7.0]
    """

    def __init__(self, model=None, *, step_size=1.0, trajectory_length=None, inverse_mass_matrix=None,
                 adapt_step_size=True, adapt_trajectory_length=True, adapt_mass_matrix=True, target_accept_prob=0.651,
                 max_num_steps=chees.MAX_STEPS, init_strategy=init_to_uniform, init_radius=2.0, **options):
        check_options("ChEES", options, _OPTIONS)
        self.tie(model, init_strategy, init_radius)
        self.step_size = positive("step_size", step_size)
        self.trajectory_length = None if trajectory_length is None else positive("trajectory_length", trajectory_length)
        self.inverse_mass_matrix, self.max_num_steps = inverse_mass_matrix, whole("max_num_steps", max_num_steps)
        self.target_accept_prob = between("target_accept_prob", target_accept_prob)
        self.adapts = bool(adapt_step_size), bool(adapt_trajectory_length), bool(adapt_mass_matrix)

    @property
    def method(self):
        """One trajectory of each chain a turn."""
        return Ensemble(SharedTrajectories(self.max_num_steps), self.init_radius)

    def _check(self, n, d):
        if n < 2:
            raise SamplingError(f"ChEES learns from several chains: num_chains must be at least 2; got {n}.")

    def _adaptation(self, d, num_warmup):
        step, trajectory, metric = self.adapts
        return chees.adaptation(d, num_warmup, step_size=self.step_size, trajectory_length=self.trajectory_length,
                                metric=first_metric(self.inverse_mass_matrix, d), target=self.target_accept_prob,
                                adapt_step=step, adapt_trajectory=trajectory, adapt_metric=metric)
