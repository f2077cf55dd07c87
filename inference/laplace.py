"""Laplace's approximation: the normal distribution that touches a model's density at its mode, in unconstrained
space."""
from typing import Any, NamedTuple

import numpy as onp

from ..engine import hessian, jit, random, vmap
from ..engine import numpy as np
from ..engine.core import Tracer
from ..engine.scipy.linalg import solve_triangular
from ..ppl.model import unravel
from ..ppl.queries import init_to_uniform
from .find_map import find_mode
from .importance import smoothed
from .latent_density import (
    ApproximationError,
    from_starts,
    limits,
    logdensity_of,
    split_sites,
    staged,
    warn_unless_converged,
)

LOG_2PI = float(onp.log(2 * onp.pi))


class Laplace(NamedTuple):
    """A normal approximation in unconstrained space, and draws from it."""
    samples: dict              # {site: [draw, *shape]}, latent and deterministic sites, in their supports
    unconstrained: dict        # {latent site: [draw, *unconstrained shape]}
    log_density: Any           # float[draw]: the model's log-density there, log-determinants added
    log_approximation: Any     # float[draw]: that of the approximation, normalised
    mode: dict                 # {site: value} at the mode of the unconstrained density
    mean: Any                  # float[d]: the mode in unconstrained space, the latent sites end to end in their order
    covariance: Any            # float[d, d]: -(Hessian of the log-density)⁻¹ there
    log_evidence: Any          # float[]: log p(mode) + d/2 log 2π + ½ log det covariance, of log p(data)
    khat: Any                  # float[]: Pareto k of the importance weights; above 0.7 the approximation is a poor one


def fit_laplace(model, *args, rng_key=0, num_samples=1000, init_strategy=init_to_uniform, num_starts=4, tol=1e-6,
                maxiter=1000, **kwargs):
    """Laplace's approximation of a model's posterior, and draws from it: a `Laplace`.

        z ~ Normal(z*, -(∇² log p(z*))⁻¹),  z* the mode of log p(z) = log p(T(z), data) + log |det dT/dz|

    exact where the posterior is normal in unconstrained space. T are the bijections into the sites' supports, so draws
    lie in them.
    args, kwargs : the model's; arrays and floats among them are data, another call with which compiles nothing
    init_strategy, num_starts, tol, maxiter : of the search for the mode; see `find_MAP`
    Raises ApproximationError where the Hessian at the point found is not negative definite.
    Importance weights are exp(log_density - log_approximation), up to a constant.
    Source: Tierney & Kadane (1986), JASA 81; for the evidence, MacKay (2003), section 27.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> fitted = fit_laplace(model, 3.0)
    >>> fitted.mean.round(6).tolist(), fitted.covariance.round(6).tolist()        # the exact posterior
    ([1.5], [[0.5]])
    >>> float(fitted.log_evidence - dist.Normal(0.0, 2.0 ** 0.5).log_prob(3.0)).__round__(6)
    0.0
    >>> fitted.samples["mu"].shape
    (1000,)
    """
    program, data = staged(model, args, kwargs, "fit_laplace")
    found = program.cache.get("fit_laplace")
    if found is None:
        found = program.cache["fit_laplace"] = jit(_fitter(program))

    def run(starts, key):
        noise = random.normal(key, (starts.shape[1], int(num_samples)), starts.dtype)
        return found(starts, noise, limits(starts.dtype, tol, maxiter), data)

    made, mode = from_starts(run, program, data, rng_key, init_strategy, num_starts, "fit_laplace")
    warn_unless_converged("fit_laplace", mode.status, mode.grad)
    if not isinstance(made.log_evidence, Tracer) and not onp.isfinite(made.log_evidence):
        raise ApproximationError(
            "fit_laplace: at the point found the Hessian of the log-density is not negative definite, so it is no "
            f"maximum that a normal distribution could touch: {_directions(program, made.covariance)}.\n"
            "Start elsewhere (rng_key, init_strategy, num_starts), or give flat directions a prior.")
    return made._replace(khat=smoothed(made.log_density - made.log_approximation)[1])


def _fitter(program):
    def run(starts, u, limits, data):
        logdensity = logdensity_of(program, data)
        mode, lost = find_mode(logdensity, starts, limits)
        d, dtype = starts.shape[1], starts.dtype
        precision = -hessian(logdensity)(mode.z)
        factor = np.linalg.cholesky(0.5 * (precision + precision.T))              # C Cᵀ
        log_det = np.sum(np.log(np.diagonal(factor)))
        z = mode.z + solve_triangular(factor, u, lower=True, trans="T").T         # C⁻ᵀ u
        root = solve_triangular(factor, np.eye(d, dtype=dtype), lower=True)
        constrained = lambda q: program.constrained(unravel(program.latents, q), data)
        covariance = np.where(np.isfinite(log_det), root.T @ root, -precision)    # what the error shows
        return (Laplace(vmap(constrained)(z), split_sites(program.latents, z), vmap(logdensity)(z),
                        log_det - 0.5 * d * LOG_2PI - 0.5 * np.sum(u * u, axis=0), constrained(mode.z), mode.z,
                        covariance, mode.logdensity + 0.5 * d * LOG_2PI - log_det, None), mode), lost

    return run


def _directions(program, second):
    """The sites whose own curvature is not negative, or a word on the whole.   second : float[d, d], the Hessian"""
    diagonal, at, bad = onp.diagonal(onp.asarray(second)), 0, []
    for v in program.latents:
        n = int(onp.prod(v.unconstrained_shape))
        if not onp.all(diagonal[at:at + n] < 0):
            bad.append(v.name)
        at += n
    return f"it does not curve down along {', '.join(bad)}" if bad else "it rises along some combination of the sites"
