"""The kernels beside NUTS, a row each: how to step at given parameters, how a chain uses it, what it can sample."""
from collections.abc import Callable
from typing import NamedTuple

import numpy as onp

import chainrule.engine.numpy as np
from chainrule.engine import random
from chainrule.inference import (
    adaptation,
    aies,
    barker,
    chees,
    elliptical_slice,
    ensemble_slice,
    ensembles,
    hmc,
    mala,
    mclmc,
    mclmc_adaptation,
    moves,
    rwm,
    slices,
    stepwise,
)
from chainrule.inference.ensemble_samplers import SharedTrajectories, Slices, Walkers
from chainrule.inference.metrics import Diagonal
from tests.inference.targets import seed_of

NORMAL, SCALES, T, BANANA = "normal, 2 correlated", "normal, scales 0.01 to 100", "student t", "banana"
MIXTURE, SKEWED, LOGISTIC, WIDE = "mixture", "log gamma", "logistic regression", "normal, 20 correlated"


class Row(NamedTuple):
    """A kernel.

    step : (key, state, log-density, scale) -> (State, Info), at a scale that suits the targets of unit scale
    """
    kernel: object                         # the module
    step: Callable
    method: object                         # the chunks.Method of its chains
    adaptation: Callable                   # (d, num_warmup) -> the adaptation that a chain begins with
    targets: tuple                         # of targets.TARGETS; the first two are in the quick set
    warmup: int
    draws: int
    chains: int = 8
    exact: bool = True                     # False: a bias that falls with the step size
    ensemble: bool = False


def metric(d):
    return Diagonal(np.full(d, 0.8))


def params(x, step_size):
    return hmc.Params(np.asarray(step_size), metric(x.shape[-1]))


def _adapted(step_size=1.0, target=0.8, method="fisher", wrap=lambda of, n: of(n), **options):
    return lambda d, n: wrap(lambda n: adaptation.init(d, step_size, n, target, method=method, **options), n)


def _single(name, kernel, scale, target, method, targets, warmup, draws):
    step = lambda key, state, f: kernel.step(key, state, f, params(state.position, scale))
    return Row(kernel, step, stepwise.Stepwise(moves.Single(name)), _adapted(1.0, target, method, moves.noisy), targets,
               warmup, draws)


def _trajectories(multinomial):
    step = lambda key, state, f: hmc.step(key, state, f, params(state.position, 0.85), num_steps=3,
                                          multinomial=multinomial)
    return Row(hmc, step, stepwise.Stepwise(moves.Trajectories(None, 6.0, 1.0, multinomial)), _adapted(),
               (BANANA, WIDE, NORMAL, SCALES, T, MIXTURE, SKEWED, LOGISTIC), 500, 4000)


def _lines(directions):
    def step(key, state, f):
        p = params(state.position, 2.0)
        if directions is None:
            return slices.step(key, state, f, p, max_steps=4)
        return slices.hit_and_run(key, state, f, p, directions=directions, max_steps=4)
    targets = (BANANA, MIXTURE, NORMAL, T, SKEWED, LOGISTIC) if directions else (BANANA, SCALES, NORMAL, T, MIXTURE,
                                                                                 SKEWED, LOGISTIC)
    return Row(slices, step, stepwise.Stepwise(moves.Lines(directions, 10)),
               _adapted(2.0, method="stan", adapt_step=False), targets, 500, 4000)


class Quotient(NamedTuple):
    """The likelihood of a density by N(0, 2.25 I)."""
    logdensity: Callable

    def __call__(self, x):
        return self.logdensity(x) + 0.5 * np.sum(x * x) / 2.25


def _ellipse_step(key, state, f):
    prior = elliptical_slice.params_of(np.zeros(state.position.shape[0]), np.full(state.position.shape[0], 2.25))
    likelihood = Quotient(f)
    off = lambda s, sign: s._replace(logdensity=s.logdensity - sign * elliptical_slice.log_prior(s.position, prior))
    state, info = elliptical_slice.step(key, off(state, 1.0), likelihood, prior)
    return off(state, -1.0), info._replace(logdensity=off(state, -1.0).logdensity)


def _ellipse(d, n):
    return moves.ellipse(elliptical_slice.params_of(np.zeros(d), np.full(d, 4.0)), d, n, True)


def _particles(adjusted):
    def step(key, state, f):
        if adjusted:
            p = mclmc.Params(np.asarray(0.9), np.asarray(1.0), metric(state.position.shape[0]))
            return mclmc.adjusted_step(key, state, f, p, num_steps=3)
        p = mclmc.Params(np.asarray(0.08), np.asarray(1.0), metric(state.position.shape[0]))
        return mclmc.step(key, state, f, p, num_steps=20)
    targets = (BANANA, WIDE, NORMAL, SCALES, T, LOGISTIC) if adjusted else (WIDE, LOGISTIC)
    return Row(mclmc, step, stepwise.Stepwise(moves.Particles(None, adjusted)),
               lambda d, n: mclmc_adaptation.init(d, n, goal=1e-6), targets, 1000, 4000, exact=adjusted)


def _walkers(stretch_prob, randomize_split, targets):
    step = lambda key, state, f: aies.step(key, state, f, aies.params_of(state.position.shape[-1],
                                                                         stretch_prob=stretch_prob),
                                           randomize_split=randomize_split)
    return Row(aies, step, ensembles.Ensemble(Walkers(randomize_split)),
               lambda d, n: ensembles.Fixed(aies.params_of(d, stretch_prob=stretch_prob)),
               targets, 2000, 5000, 24, ensemble=True)


def _ensemble_slices(kinds, randomize_split, targets):
    weights = np.ones(len(kinds)) / len(kinds)
    step = lambda key, state, f: ensemble_slice.step(key, state, f, ensemble_slice.Params(np.asarray(1.2), weights),
                                                     kinds=kinds, randomize_split=randomize_split, max_steps=100)
    tuning = lambda d, n: ensemble_slice.Tuning(ensemble_slice.params_of(1.0, weights), np.asarray(n), np.asarray(True))
    return Row(ensemble_slice, step, ensembles.Ensemble(Slices(kinds, randomize_split, 100)), tuning, targets, 500,
               2000, 24, ensemble=True)


def _chees_step(key, state, f):
    return chees.step(key, state, f, chees.Params(np.asarray(1.1), np.asarray(3.5), metric(state.position.shape[-1])))


_LANGEVIN = (NORMAL, BANANA, SCALES, T, MIXTURE, SKEWED, LOGISTIC)
ROWS = {
    "hmc": _trajectories(False),
    "hmc, multinomial": _trajectories(True),
    "rwm": _single("rwm", rwm, 1.0, 0.234, "stan", (BANANA, NORMAL, T, MIXTURE, SKEWED, LOGISTIC), 2000, 12000),
    "mala": _single("mala", mala, 0.9, 0.574, "fisher", _LANGEVIN, 1000, 8000),
    "barker": _single("barker", barker, 0.9, 0.4, "fisher", _LANGEVIN, 1000, 8000),
    "slices": _lines(None),
    "slices, random directions": _lines(2),
    "ellipses": Row(elliptical_slice, _ellipse_step, stepwise.Stepwise(moves.Ellipses()), _ellipse,
                    (BANANA, NORMAL, MIXTURE, SKEWED, LOGISTIC), 1000, 6000),
    "mclmc": _particles(False),
    "mclmc, adjusted": _particles(True),
    "walkers, difference": _walkers(0.0, False, (SCALES, BANANA, NORMAL, T, MIXTURE, SKEWED, LOGISTIC)),
    "walkers, stretch": _walkers(1.0, True, (BANANA, NORMAL, T, MIXTURE, SKEWED, LOGISTIC)),
    "ensemble slices": _ensemble_slices(("difference",), True, (BANANA, SCALES, NORMAL, T, MIXTURE, SKEWED, LOGISTIC)),
    "ensemble slices, others": _ensemble_slices(("gaussian", "kde", "random"), False, (NORMAL, BANANA)),
    "chees": Row(chees, _chees_step, ensembles.Ensemble(SharedTrajectories(1000)), chees.adaptation,
                 (BANANA, WIDE, NORMAL, SCALES, T, MIXTURE, SKEWED, LOGISTIC), 400, 600, 16, ensemble=True),
}


def seeds(n, number=1):
    return random.hash_bits(seed_of(number), np.arange(n).astype(onp.uint64))
