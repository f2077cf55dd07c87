"""find_MAP: the values of a model's latent sites at which its density is largest."""
from typing import Any, NamedTuple

from ..engine import jit, vmap
from ..engine import numpy as np
from ..ppl.model import unravel
from ..ppl.queries import init_to_uniform
from .latent_density import from_starts, limits, logdensity_of, split_sites, staged, warn_unless_converged
from .optim.curvature import limited
from .optim.descent import CONVERGED, NOT_FINITE, descend
from .optim.minimization import OptimizeResults

MEMORY = 10                    # steps that L-BFGS remembers


class Mode(NamedTuple):
    """The best end of the searches."""
    z: Any                     # float[d]
    logdensity: Any
    grad: Any                  # of -logdensity
    status: Any
    iterations: Any
    evaluations: Any           # of all searches


def find_mode(logdensity, starts, limits):
    """(`Mode`, lost): the highest of the maxima that L-BFGS finds from starts : float[n, d], side by side.

    lost : bool[n], the starts at which the log-density is not finite
    """
    ends = vmap(lambda z: descend(lambda q: -logdensity(q), z, limits, limited(MEMORY)))(starts)
    lost = ends.status == NOT_FINITE
    best = np.argmin(np.where(lost, np.inf, ends.value))
    return Mode(ends.x[best], -ends.value[best], ends.grad[best], ends.status[best], ends.iterations[best],
                np.sum(ends.evaluations)), lost


def find_MAP(model, *args, rng_key=0, init_strategy=init_to_uniform, num_starts=4, jacobian=False, tol=1e-6,
             maxiter=1000, return_raw=False, **kwargs):
    """{site: value} of the latent and deterministic sites where a model's density is largest: the maximum a posteriori.

    args, kwargs : the model's; arrays and floats among them are data, another call with which compiles nothing
    jacobian : False takes the density of the sites' own values, p(x, data): the MAP estimate. True takes that of their
        unconstrained forms, p(T(z), data) |det dT/dz|: the mode that `fit_laplace` expands around. The first may have
        no maximum, as where a scale of group effects goes to 0; a warning then says that none was reached.
    init_strategy, num_starts : where L-BFGS starts (see `init_to_uniform`), and how often, side by side; the best wins
    tol : the largest element of the gradient in unconstrained space
    return_raw : (values, OptimizeResults), with `x` and `jac` {site: unconstrained} and `fun` the negative log-density
    Raises ApproximationError where the density is not finite at any start, or a latent site is discrete.
    The name is PyMC's. It can be jitted and mapped over data sets and keys. A model's argument that has the name of an
    option is passed by position.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     sigma = cr.sample("sigma", dist.Exponential(1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> found = find_MAP(model, 3.0)
    >>> round(float(found["mu"]), 4), round(float(found["sigma"]), 4)         # of sigma: the bound of its support
    (1.5, 0.0)
    >>> round(float(find_MAP(model, 3.0, jacobian=True)["sigma"]), 4)         # the mode of log sigma is at 0
    1.0
    """
    program, data = staged(model, args, kwargs, "find_MAP")
    key = "find_MAP", bool(jacobian)
    found = program.cache.get(key)
    if found is None:
        @jit
        def found(starts, limits, data):
            mode, lost = find_mode(logdensity_of(program, data, jacobian), starts, limits)
            return (program.constrained(unravel(program.latents, mode.z), data), mode), lost

        program.cache[key] = found
    run = lambda starts, key: found(starts, limits(starts.dtype, tol, maxiter), data)
    values, mode = from_starts(run, program, data, rng_key, init_strategy, num_starts, "find_MAP")
    warn_unless_converged("find_MAP", mode.status, mode.grad)
    if not return_raw:
        return values
    return values, OptimizeResults(
        split_sites(program.latents, mode.z), mode.status == CONVERGED, mode.status, -mode.logdensity,
        split_sites(program.latents, mode.grad), None, mode.evaluations, mode.evaluations, mode.iterations)
