"""Pathfinder: draws from the best of the normal approximations along the way of L-BFGS to the mode.

Far in the tail the path has just begun, and at the mode of a skewed density it has gone too far; in between lies the
approximation of the largest evidence lower bound (ELBO). The first is at the start itself, with covariance 1. Several
paths from different starts, their draws resampled by Pareto smoothed importance weights, cover several modes and mend
what is wrong with each normal distribution.
Source: Zhang, Carpenter, Gelman & Vehtari (2022), JMLR 23(306), algorithms 1 and 2.
"""
from typing import Any, NamedTuple

from ..engine import jit, lax, random, tree, vmap, while_loop
from ..engine import numpy as np
from ..engine.scipy.special import logsumexp
from ..ppl.keys import one_key
from ..ppl.model import unravel
from ..ppl.queries import init_to_uniform
from . import path_normal
from .importance import effective_draws, resampled, smoothed
from .latent_density import from_starts, limits, logdensity_of, split_sites, staged
from .optim import descent
from .optim.curvature import limited

RESAMPLE = 2 ** 20                 # what the key of the resampling is folded with, far from those of the paths


class Best(NamedTuple):
    """The best approximation so far."""
    elbo: Any
    x: Any
    grad: Any                  # of the log-density
    memory: path_normal.Memory
    iteration: Any             # int32[]: where on the path it was found


class Paths(NamedTuple):
    """All draws of all paths, and what is known of each path."""
    z: Any                     # float[paths * draws, d]
    log_p: Any
    log_q: Any
    elbo: Any                  # float[paths]
    iteration: Any
    length: Any
    gradients: Any


class Pathfinder(NamedTuple):
    """Draws from the normal approximation of one path, or from those of several, resampled."""
    samples: dict              # {site: [draw, *shape]}, latent and deterministic sites, in their supports
    unconstrained: dict        # {latent site: [draw, *unconstrained shape]}
    log_density: Any           # float[draw]: the model's log-density there, log-determinants added
    log_approximation: Any     # float[draw]: that of the approximation, or of the mixture of all paths', normalised
    elbo: Any                  # float[paths]: the largest ELBO of each path
    iteration: Any             # int32[paths]: where on the path it was found
    path_length: Any           # int32[paths]: iterations of L-BFGS
    gradients: Any             # int32[]: gradients evaluated, all paths together
    khat: Any                  # float[]: Pareto k of these weights; above 0.7 the approximation is not to be used
    ess: Any                   # float[]: how many draws the importance weights of all draws of all paths are worth


def search(logdensity, x0, u, limits, *, size=6):
    """(`Best`, the state of the descent at its end) of one path from x0 : float[d].

    u : float[n, d], standard normal numbers for the ELBOs, the same all along: so their differences are less noisy
    size : steps that the approximations remember
    """
    memory, f = limited(size), lambda z: -logdensity(z)

    def elbo_of(approximation):
        z, log_q = vmap(lambda v: path_normal.draw(approximation, v))(u)
        elbo = np.mean(vmap(logdensity)(z) - log_q)
        return np.where(np.isfinite(elbo), elbo, -np.inf)

    def step(carry):
        state, curve, best = carry
        same = lambda s: np.logical_and(descent.running(s), s.iterations == state.iterations)
        new = while_loop(same, lambda s: descent.turn(f, s, limits, memory), state)
        curve = path_normal.learn(curve, new.x - state.x, new.grad - state.grad)
        elbo = elbo_of(path_normal.normal_at(curve, new.x, -new.grad))
        elbo = np.where(new.status == descent.NOT_FINITE, -np.inf, elbo)
        found = Best(elbo, new.x, -new.grad, curve, new.iterations)
        return new, curve, tree.map(lambda a, b: np.where(elbo > best.elbo, a, b), found, best)

    state, curve = descent.begin(x0, memory), path_normal.start(x0, size)
    best = Best(np.full((), -np.inf, x0.dtype), x0, np.zeros_like(x0), curve, state.iterations)
    end, _, best = while_loop(lambda c: descent.running(c[0]), step, (state, curve, best))
    return best, end


def _runner(program, size):
    """Paths one after the other, each with draws from its best approximation, one for each row of `noise`."""
    def run(starts, elbo_noise, noise, limits, data):
        logdensity = logdensity_of(program, data)

        def path(xs):
            x0, elbo_noise, noise = xs
            best, end = search(logdensity, x0, elbo_noise, limits, size=size)
            approximation = path_normal.normal_at(best.memory, best.x, best.grad)
            z, log_q = vmap(lambda u: path_normal.draw(approximation, u))(noise)
            return (z, vmap(logdensity)(z), log_q, best.elbo, best.iteration, end.iterations,
                    end.evaluations), approximation

        found, approximations = lax.map(path, (starts, elbo_noise, noise))
        lost = np.isneginf(found[3])
        z, log_p, log_q, *rest = [np.reshape(x, (-1, *x.shape[2:])) for x in found[:3]] + list(found[3:])
        if starts.shape[0] > 1:
            log_q = _mixture(approximations, lost, z)
        return Paths(z, log_p, log_q, *rest), lost

    return run


def _mixture(approximations, lost, z):
    """float[n]: the log-density of the equal mixture of the paths' approximations at their draws z : float[n, d].

    It is infinite, and the weight 0, at draws of a path that was lost: they are not of the mixture.
    """
    def one(xs):
        approximation, gone = xs
        log_q = vmap(lambda q: path_normal.log_prob(approximation, q))(z)
        return np.where(np.logical_or(gone, np.isnan(log_q)), -np.inf, log_q)

    log_q = logsumexp(lax.map(one, (approximations, lost)), axis=0) - np.log(np.sum(np.logical_not(lost)))
    return np.where(np.repeat(lost, z.shape[0] // lost.shape[0]), np.inf, log_q)


def _constrainer(program):
    return lambda z, data: vmap(lambda q: program.constrained(unravel(program.latents, q), data))(z)


def _kept(program, key, make):
    """A compiled function, kept with the model's program."""
    if key not in program.cache:
        program.cache[key] = jit(make())
    return program.cache[key]


def pathfinder(model, *args, rng_key=0, num_samples=1000, init_strategy=init_to_uniform, maxcor=6, num_elbo_draws=10,
               gtol=1e-8, ftol=1e-13, maxiter=1000, **kwargs):
    """Draws from a normal approximation of a model's posterior, found along one path: a `Pathfinder`.

    args, kwargs : the model's; arrays and floats among them are data, another call with which compiles nothing
    init_strategy : where the path starts; it should lie in the tail of the posterior, or beyond
    maxcor : steps that an approximation remembers: its covariance is a diagonal and rank 2 maxcor
    num_elbo_draws : draws for the ELBO of each approximation
    gtol, ftol, maxiter : when L-BFGS stops; see `minimize`
    Costs a few hundred gradients. Good starts for MCMC; `khat` says whether the draws are good for more.
    Raises ApproximationError where the density is not finite at any start, or a latent site is discrete.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> found = pathfinder(model, 3.0)
    >>> found.samples["mu"].shape, round(float(found.samples["mu"].mean()), 1)
    ((1000,), 1.5)
    >>> bool(found.khat < 0.7)
    True
    >>> starts = {site: z[:4] for site, z in found.unconstrained.items()}     # MCMC.run(..., init_params=starts)
    """
    sizes = {"num_samples": num_samples, "maxcor": maxcor, "num_elbo_draws": num_elbo_draws}
    program, data, made = _paths("pathfinder", model, args, kwargs, rng_key, init_strategy, sizes, 1, num_samples,
                                 (gtol, maxiter, ftol))
    return _result(program, data, made, *smoothed(made.log_p - made.log_q))


def multipathfinder(model, *args, rng_key=0, num_samples=1000, num_paths=8, num_draws_per_path=1000,
                    init_strategy=init_to_uniform, maxcor=6, num_elbo_draws=10, gtol=1e-8, ftol=1e-13, maxiter=1000,
                    **kwargs):
    """Draws from several paths, resampled with replacement by their importance weights p / q: a `Pathfinder`.

    q is the mixture of all paths' approximations, so that the share of a mode is its own and not that of the paths that
    end there (the balance heuristic; in the paper q is the density of the draw's own path).
    num_paths, num_draws_per_path : starts, and draws from the best approximation of each
    The weights are Pareto smoothed; a `khat` above 0.7 says that they cannot mend the approximation: run MCMC.
    Other arguments as in `pathfinder`.
    Source: for the weights, Veach & Guibas (1995); Owen & Zhou (2000), JASA 95.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     rate = cr.sample("rate", dist.Gamma(2.0, 1.0))
    ...     cr.sample("y", dist.Poisson(rate), obs=y)
    >>> found = multipathfinder(model, 4, num_samples=4000)
    >>> found.samples["rate"].shape, abs(float(found.samples["rate"].mean()) - 3.0) < 0.1      # a Gamma(6, 2)
    ((4000,), True)
    """
    sizes = {"num_samples": num_samples, "num_draws_per_path": num_draws_per_path, "maxcor": maxcor,
             "num_elbo_draws": num_elbo_draws}
    program, data, made = _paths("multipathfinder", model, args, kwargs, rng_key, init_strategy, sizes, num_paths,
                                 num_draws_per_path, (gtol, maxiter, ftol))
    log_weights, khat = smoothed(made.log_p - made.log_q)
    key = random.fold_in(one_key(rng_key, "multipathfinder"), RESAMPLE)
    chosen = resampled(key, log_weights, int(num_samples))
    made = made._replace(z=made.z[chosen], log_p=made.log_p[chosen], log_q=made.log_q[chosen])
    return _result(program, data, made, log_weights, khat)


def _paths(what, model, args, kwargs, rng_key, init_strategy, sizes, num_paths, num_draws, bounds):
    """(program, data, `Paths`) of a model.   sizes : {name: a number that must be a positive integer}"""
    for name, n in sizes.items():
        if isinstance(n, bool) or int(n) != n or n < 1:
            raise ValueError(f"{what}: {name} must be a positive integer; got {n!r}.")
    program, data = staged(model, args, kwargs, what)
    found = _kept(program, ("pathfinder", sizes["maxcor"]), lambda: _runner(program, sizes["maxcor"]))

    def run(starts, key):
        noise = [random.normal(random.fold_in(key, i), (num_paths, n, starts.shape[1]), starts.dtype)
                 for i, n in enumerate((sizes["num_elbo_draws"], num_draws))]
        return found(starts, *noise, limits(starts.dtype, *bounds), data)

    return program, data, from_starts(run, program, data, rng_key, init_strategy, num_paths, what)


def _result(program, data, made, log_weights, khat):
    """The draws as the model has them, and what the weights of all draws say."""
    constrain = _kept(program, "constrain draws", lambda: _constrainer(program))
    return Pathfinder(constrain(made.z, data), split_sites(program.latents, made.z), made.log_p, made.log_q, made.elbo,
                      made.iteration, made.length, np.sum(made.gradients), khat,
                      effective_draws(log_weights))
