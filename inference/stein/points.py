"""Stein variational gradient descent: points that become draws of a posterior."""
from ...engine import numpy as np
from ..svi.guides import AutoDelta
from .mixture import SteinVI


class Points(AutoDelta):
    """A point for each site, with the density that it has in unconstrained space."""
    jacobian = True


class SVGD(SteinVI):
    """n points that move to draws of a posterior, by the gradient of its density and their own repulsion.

        Δx_l = 1/n Σ_m k(x_m, x_l) ∇ log p(x_m, data) + ∇₁ k(x_m, x_l)

    The points are in unconstrained space, and so is the density: log-determinants are counted.
    kernel_fn, num_stein_particles : as for `SteinVI`          guide_kwargs : options of AutoDelta
    `get_params` gives {site}_auto_loc, [n, *shape] in the sites' supports: `samples` has them under the sites' names.
    Source: Liu & Wang (2016), "Stein variational gradient descent: a general purpose Bayesian inference algorithm".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference.optim import Adagrad
    >>> from chainrule.inference.stein import RBFKernel
    >>> def model():
    ...     cr.sample("z", dist.Normal(3.0, 0.5))
    >>> svgd = SVGD(model, Adagrad(0.5), RBFKernel(), num_stein_particles=20)
    >>> z = svgd.samples(svgd.run(random.key(0), 500, progress_bar=False).params)["z"]
    >>> z.shape, bool(abs(z.mean() - 3.0) < 0.1)
    ((20,), True)
    """

    def __init__(self, model, optim, kernel_fn, num_stein_particles=10, guide_kwargs=None, **static_kwargs):
        guide = Points(model, **{"init_loc_fn": AutoDelta(model).init_loc_fn, **(guide_kwargs or {})})
        super().__init__(model, guide, optim, kernel_fn, num_stein_particles, 1, **static_kwargs)
        self.loss_temperature = 1.0 / self.num_stein_particles

    def component(self, params, key, number):
        """The point of that number; further ones begin anew."""
        i = number % self.num_stein_particles
        return {k: x[i] if k in self.guide_sites else x for k, x in params.items()}

    def samples(self, params):
        """{site: [n, *shape]}: the points."""
        return {v.name: params[f"{v.name}_{self.guide.prefix}_loc"] for v in self.guide.latents.sites}


class ASVGD(SVGD):
    """SVGD with a target that is flattened and restored in cycles, so that points leave one mode for others.

        p(x)^γ(t),  γ(t) = (mod(t, T / C) / (T / C))^p, and 1 in the last of the C cycles

    num_cycles : C          trans_speed : p          T is the number of steps of `run`; `update` by itself has γ = 1
    Source: D'Angelo & Fortuin (2021), "Annealed Stein variational gradient descent", eq. 4.
    """

    def __init__(self, model, optim, kernel_fn, num_stein_particles=10, num_cycles=10, trans_speed=10,
                 guide_kwargs=None, **static_kwargs):
        super().__init__(model, optim, kernel_fn, num_stein_particles, guide_kwargs, **static_kwargs)
        if num_cycles < 1 or int(num_cycles) != num_cycles or not trans_speed > 0:
            raise ValueError(f"ASVGD needs a whole number of num_cycles and a positive trans_speed; got {num_cycles!r} "
                             f"and {trans_speed!r}.")
        self.num_cycles, self.trans_speed = int(num_cycles), float(trans_speed)

    def first_kept(self, kernel):
        return kernel, np.asarray(0), np.asarray(0)      # what the kernel drew, steps so far, steps of the run

    def kernel_kept(self, kept):
        return kept[0]

    def next_kept(self, kept):
        return kept[0], kept[1] + 1, kept[2]

    def begin(self, state, num_steps):
        kernel, done, total = state.mutable_state
        return state._replace(mutable_state=(kernel, np.zeros_like(done), np.full_like(total, num_steps)))

    def temperature(self, kept):
        _, t, total = kept
        length = np.maximum(total // self.num_cycles, 1)
        gamma = ((t % length + 1) / (length + 1)) ** self.trans_speed
        return self.loss_temperature * np.where((total == 0) | (t >= (self.num_cycles - 1) * length), 1.0, gamma)
