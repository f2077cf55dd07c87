"""Where chains start by Pathfinder: a draw from the normal approximation that one path of L-BFGS finds."""
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..engine import jit, random
from ..engine import numpy as np
from ..engine.array import Array
from ..ppl.model import ravel, site_count, unravel
from ..ppl.queries import init_to_uniform
from ..ppl.queries.start import start_point
from . import path_normal
from .latent_density import limits, logdensity_of
from .pathfinder import search


class Found(NamedTuple):
    """What a path gives to a chain."""
    z: Array                       # float[d]
    variance: Array                # float[d]: the diagonal of the approximation's covariance
    gradients: Array               # int[]


@dataclass(frozen=True)
class PathStart:
    """`init_to_pathfinder`: each chain starts at a draw from the normal approximation that a path of its own finds.

    Called with options, it gives itself with them: NUTS(model, init_strategy=init_to_pathfinder(maxcor=10)).

    init_strategy : where the paths begin          maxcor : steps that an approximation remembers
    metric : whether the approximation's variances are the first metric of NUTS, where that is adapted and not given
    num_elbo_draws : log-densities evaluated to judge each approximation          maxiter, ftol : see `minimize`
    A path takes 15 to 130 gradients, which the run counts. Measured on six posteriors (benchmarks/workloads.py), the
    ESS for each gradient is 0.8 to 1.4 times that of uniform starts with 100 transitions of warm-up, which takes 0 to
    15 % more gradients with the path's, and 0.8 to 1.15 times with 300; on a regression on columns far from 0 it is 2.8
    and 0.9 times. So uniform starts are the default; this one is for short warm-ups of posteriors far from 0.
    Without the metric, a warm-up of 100 takes 10 to 70 % more.
    Source: Zhang, Carpenter, Gelman & Vehtari (2022), JMLR 23(306).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.inference import init_to_pathfinder, initialize_model
    >>> def model():
    ...     cr.sample("x", dist.Normal(50.0, 0.1))
    >>> z = initialize_model(random.key(0), model, init_strategy=init_to_pathfinder).param_info.z
    >>> bool(abs(z["x"] - 50.0) < 0.5)
    True
    """
    init_strategy: Any = init_to_uniform
    metric: bool = True
    maxcor: int = 6
    num_elbo_draws: int = 5
    maxiter: int = 100
    ftol: float = 1e-6

    def __call__(self, site=None, **options):
        if site is not None:
            raise TypeError("init_to_pathfinder is a strategy for a whole model: a strategy of one's own cannot ask it "
                            "for one site.")
        return replace(self, **options)

    def of_program(self, program, key, data):
        """{latent site: unconstrained value}"""
        return unravel(program.latents, self.path(program, key, data).z)

    def path(self, program, key, data):
        """`Found` of one path."""
        name = ("path start", self)
        if name not in program.cache:
            program.cache[name] = jit(lambda x0, u, data: self._path(logdensity_of(program, data), x0, u))
        d = site_count(program.latents)
        x0 = ravel(program.latents, start_point(program, self.init_strategy, random.fold_in(key, 0), data))
        u = random.normal(random.fold_in(key, 1), (self.num_elbo_draws + 1, d), x0.dtype)
        return program.cache[name](x0, u, data)

    def _path(self, logdensity, x0, u):
        """From x0, with standard normal numbers u : float[1 + num_elbo_draws, d], the first for the start; where the
        density is not finite there, the best point of the path."""
        best, end = search(logdensity, x0, u[1:], limits(x0.dtype, 1e-8, self.maxiter, self.ftol), size=self.maxcor)
        approximation = path_normal.normal_at(best.memory, best.x, best.grad)
        z, _ = path_normal.draw(approximation, u[0])
        beta, gamma = path_normal.pieces(best.memory)
        variance = best.memory.alpha + np.sum((beta @ gamma) * beta, 1)
        fine = np.logical_and(np.isfinite(logdensity(z)), np.all(np.isfinite(z)))
        sound = np.logical_and(np.isfinite(variance), variance > 0.0)
        return Found(np.where(fine, z, best.x), np.where(sound, variance, 1.0), end.evaluations)


init_to_pathfinder = PathStart()
