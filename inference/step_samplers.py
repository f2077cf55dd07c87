"""Kernels of single chains for models, beside NUTS: HMC, MALA, BarkerMH, RWM, Slice, EllipticalSlice, MCLMC.

Each takes a model first, and `init_strategy` and `init_radius` as NUTS does: where chains start. Each is given to
`MCMC`, or to `fit`.

    mcmc = MCMC(HMC(model, trajectory_length=3.0), num_warmup=500, num_samples=1000, num_chains=4)
    mcmc.run(random.key(0), y=y)
"""
import math

import numpy as onp

from ..engine import numpy as np
from ..engine.avals import default_float
from ..ppl.model import site_count
from ..ppl.queries import init_to_uniform
from . import adaptation as warmup
from . import elliptical_slice, mclmc_adaptation, moves, stepwise
from .samplers import Sampler, between, check_options, couplings, first_metric, positive, whole
from .starts import SamplingError

# Options of NumPyro's that are not there, with the values that change nothing, and what to write instead.
_OPTIONS = {
    "potential_fn": (None, "Write the density as a model: factor('density', -potential) adds a term."),
    "kinetic_fn": (None, "The kinetic energy is ½ pᵀ M⁻¹ p."),
    "find_heuristic_step_size": (False, "Dual averaging finds the step size from the first draws on; set step_size."),
    "forward_mode_differentiation": (False, "Gradients are taken in reverse mode."),
    "regularize_mass_matrix": (True, "The metric is always drawn a little towards 10⁻³."),
}


class InMetric(Sampler):
    """What the kernels with a step size and a metric share.

    step_size : where the adaptation starts          target_accept_prob : the acceptance probability it aims at
    dense_mass, inverse_mass_matrix, adapt_step_size, adapt_mass_matrix, adaptation : as in NUTS
    """
    adaptation, target = "fisher", 0.8

    def __init__(self, model=None, *, step_size=1.0, inverse_mass_matrix=None, adapt_step_size=True,
                 adapt_mass_matrix=True, dense_mass=False, target_accept_prob=None, init_strategy=init_to_uniform,
                 init_radius=2.0, adaptation=None, **options):
        name = type(self).__name__
        check_options(name, options, _OPTIONS)
        self.tie(model, init_strategy, init_radius)
        adaptation = adaptation or ("stan" if dense_mass else self.adaptation)
        known = ("fisher", "stan") if self.adaptation == "fisher" else ("stan",)         # fisher needs gradients
        if adaptation not in known:
            raise ValueError(f"adaptation={adaptation!r}: choose one of {', '.join(map(repr, known))}.")
        if dense_mass and adaptation == "fisher":
            raise ValueError('adaptation="fisher" is for diagonal metrics; a dense one takes adaptation="stan".')
        self.adaptation, self.dense_mass, self.inverse_mass_matrix = adaptation, dense_mass, inverse_mass_matrix
        self.step_size = positive("step_size", step_size)
        self.adapt_step_size, self.adapt_mass_matrix = bool(adapt_step_size), bool(adapt_mass_matrix)
        self.target_accept_prob = between(
            "target_accept_prob", self.target if target_accept_prob is None else target_accept_prob)

    @property
    def move(self):
        """The `moves` of its chains."""
        raise NotImplementedError

    @property
    def method(self):
        """One transition a turn."""
        return stepwise.Stepwise(self.move, self.init_radius)

    def start(self, seed, latents, num_warmup, position=None):
        """A chain before its first gradient; position is None for a random one."""
        d = site_count(latents)
        couples = couplings(self.dense_mass, latents) if self.dense_mass else None
        metric = first_metric(self.inverse_mass_matrix, d, couples)
        adapted = self.warmup(lambda n: warmup.init(
            d, self.step_size, n, self.target_accept_prob, metric, couples, method=self.adaptation,
            adapt_step=self.adapt_step_size, adapt_metric=self.adapt_mass_matrix), num_warmup)
        return stepwise.init(self.move, seed, adapted, position, num_dims=d, radius=self.init_radius)

    @staticmethod
    def warmup(adaptation_of, num_warmup):
        """How the step size is adapted: by dual averaging."""
        return adaptation_of(num_warmup)


class HMC(InMetric):
    """Hamiltonian Monte Carlo with trajectories of a given length, for a model.

    num_steps : leapfrog steps of each transition; unless given, ⌈u trajectory_length / step_size⌉, at most 1,000
    jitter : u is uniform on (1 - jitter, 1) in each transition. NumPyro's trajectories have the length 2π exactly,
        after which a normal target of the metric's scales is back where it was; jitter=0 asks for that.
    multinomial : choose the next position from the whole trajectory, not its end alone
    Other options as in `InMetric` and NUTS. Source: Neal (2011), Handbook of MCMC, chapter 5.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import HMC, MCMC
    >>> def model():
    ...     cr.sample("x", dist.Normal(3.0, 0.1))
    >>> mcmc = MCMC(HMC(model, num_steps=8), num_warmup=200, num_samples=200, progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1), int(mcmc.get_extra_fields()["num_steps"][0])
    (3.0, 8)
    """

    def __init__(self, model=None, *, num_steps=None, trajectory_length=2 * math.pi, jitter=1.0, multinomial=False,
                 **options):
        super().__init__(model, **options)
        self.num_steps = None if num_steps is None else whole("num_steps", num_steps)
        self.trajectory_length = positive("trajectory_length", trajectory_length)
        if not 0 <= jitter <= 1:
            raise ValueError(f"jitter must lie in [0, 1]; got {jitter}.")
        self.jitter, self.multinomial = float(jitter), bool(multinomial)

    @property
    def move(self):
        """Trajectories."""
        return moves.Trajectories(self.num_steps, self.trajectory_length, self.jitter, self.multinomial)


class MALA(InMetric):
    """The Metropolis-adjusted Langevin algorithm, for a model: one gradient a transition.

    Options as in `InMetric` and NUTS; target_accept_prob is 0.574 unless given.
    Source: Roberts & Rosenthal (1998), JRSS B 60.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, MALA
    >>> mcmc = MCMC(MALA(lambda: cr.sample("x", dist.Normal(3.0, 0.1))), num_warmup=500, num_samples=1000,
    ...             progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1)
    3.0
    """
    target = 0.574

    @property
    def move(self):
        """One gradient."""
        return moves.Single("mala")

    warmup = staticmethod(moves.noisy)


class BarkerMH(InMetric):
    """Barker's proposal, for a model: one gradient a transition, and robust to a step size that is far off.

    Options as in `InMetric` and NUTS; target_accept_prob is 0.4 unless given.
    Source: Livingstone & Zanella (2022), JRSS B 84.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, BarkerMH
    >>> mcmc = MCMC(BarkerMH(lambda: cr.sample("x", dist.Normal(3.0, 0.1))), num_warmup=500, num_samples=1000,
    ...             progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1)
    3.0
    """
    target = 0.4

    @property
    def move(self):
        """One gradient."""
        return moves.Single("barker")

    warmup = staticmethod(moves.noisy)


class RWM(InMetric):
    """Random walk Metropolis, for a model: no gradient.

    Options as in `InMetric` and NUTS, with inverse_mass_matrix for the covariance of the steps; its adaptation is
    "stan". target_accept_prob is 0.234 unless given.
    Source: Gelman, Gilks & Roberts (1997), Annals of Applied Probability 7.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, RWM
    >>> mcmc = MCMC(RWM(lambda: cr.sample("x", dist.Normal(3.0, 0.1))), num_warmup=500, num_samples=1000,
    ...             progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1)
    3.0
    """
    adaptation, target = "stan", 0.234

    @property
    def move(self):
        """One evaluation."""
        return moves.Single("rwm")

    warmup = staticmethod(moves.noisy)


class Slice(InMetric):
    """Slice sampling, for a model: no gradient, and no step size to get right.

    directions : None for each coordinate in turn, or how many random directions a transition has
    width : of the first interval, in standard deviations of the metric
    max_steps : how many widths an interval may grow to
    inverse_mass_matrix, adapt_mass_matrix, dense_mass : the metric, as in NUTS; its adaptation is "stan"
    Source: Neal (2003), Annals of Statistics 31.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, Slice
    >>> mcmc = MCMC(Slice(lambda: cr.sample("x", dist.Normal(3.0, 0.1))), num_warmup=500, num_samples=1000,
    ...             progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1)
    3.0
    """
    adaptation = "stan"

    def __init__(self, model=None, *, directions=None, width=2.0, max_steps=10, inverse_mass_matrix=None,
                 adapt_mass_matrix=True, dense_mass=False, init_strategy=init_to_uniform, init_radius=2.0, **options):
        super().__init__(model, step_size=positive("width", width), adapt_step_size=False, init_strategy=init_strategy,
                         init_radius=init_radius, inverse_mass_matrix=inverse_mass_matrix, dense_mass=dense_mass,
                         adapt_mass_matrix=adapt_mass_matrix, **options)
        self.directions = None if directions is None else whole("directions", directions)
        self.max_steps = whole("max_steps", max_steps)

    @property
    def move(self):
        """Lines."""
        return moves.Lines(self.directions, self.max_steps)


class EllipticalSlice(Sampler):
    """Elliptical slice sampling, for a model: no gradient and no step size; best where the prior is normal and strong.

    mean, covariance : of the normal distribution that the density is divided by, in unconstrained space: float[d], and
        float[d, d] or the variances float[d]. For normal priors give theirs. Unless both are given, they are those of
        the draws in warm-up, the standard deviations 1.5 times as large.
    Source: Murray, Adams & MacKay (2010), AISTATS; Nishihara, Murray & Adams (2014), JMLR 15.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCMC, EllipticalSlice
    >>> kernel = EllipticalSlice(lambda: cr.sample("x", dist.Normal(3.0, 0.1)), mean=[3.0], covariance=[0.01])
    >>> mcmc = MCMC(kernel, num_warmup=500, num_samples=1000, progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> round(float(mcmc.get_samples()["x"].mean()), 1)
    3.0
    """

    def __init__(self, model=None, *, mean=None, covariance=None, init_strategy=init_to_uniform, init_radius=2.0,
                 **options):
        check_options("EllipticalSlice", options, {"potential_fn": _OPTIONS["potential_fn"]})
        self.tie(model, init_strategy, init_radius)
        if (mean is None) != (covariance is None):
            raise ValueError("EllipticalSlice takes both mean and covariance, or neither.")
        self.mean, self.covariance = mean, covariance

    @property
    def method(self):
        """One ellipse a turn."""
        return stepwise.Stepwise(moves.Ellipses(), self.init_radius)

    def start(self, seed, latents, num_warmup, position=None):
        """A chain before its first evaluation; position is None for a random one."""
        d, t = site_count(latents), default_float()
        mean, covariance = onp.zeros(d), onp.full(d, 4.0)
        if self.mean is not None:
            mean, covariance = onp.asarray(self.mean, float), onp.asarray(self.covariance, float)
        if mean.shape != (d,) or covariance.shape not in ((d,), (d, d)):
            raise SamplingError(f"mean and covariance have shapes {mean.shape} and {covariance.shape}; there are {d} "
                                f"unconstrained parameters: give ({d},), and ({d},) or ({d}, {d}).")
        params = elliptical_slice.params_of(np.asarray(mean, t), np.asarray(covariance, t))
        return stepwise.init(moves.Ellipses(), seed, moves.ellipse(params, d, num_warmup, self.mean is None), position,
                             num_dims=d, radius=self.init_radius)


class MCLMC(Sampler):
    """Microcanonical Langevin Monte Carlo, for a model of two or more dimensions: far for each gradient, in many.

    adjusted : False takes every step, and so has a **bias**, which falls with energy_variance; True applies Metropolis'
        rule to stretches of steps, and has none
    energy_variance : of a step and a dimension, that the step size aims at where it is not adjusted
    num_steps : steps of a transition; unless given, ⌈length / step_size⌉, or a random number around it if adjusted
    length : after which the direction is forgotten; unless given, adapted
    target_accept_prob : of adjusted transitions          step_size : where its adaptation starts
    inverse_mass_matrix : the diagonal of the first metric, float[d]
    Source: Robnik, De Luca, Silverstein & Seljak (2023), JMLR 24; Robnik, Cohn-Gordon & Seljak (2025).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference import MCLMC, MCMC
    >>> mcmc = MCMC(MCLMC(lambda: cr.sample("x", dist.Normal([3.0, 7.0], 0.1))), num_warmup=500, num_samples=1000,
    ...             progress_bar=False)
    >>> mcmc.run(random.key(0))
    >>> [round(x, 1) for x in mcmc.get_samples()["x"].mean(0).tolist()]
    [3.0, 7.0]
    """

    def __init__(self, model=None, *, adjusted=False, energy_variance=mclmc_adaptation.ENERGY_VARIANCE, num_steps=None,
                 step_size=None, length=None, inverse_mass_matrix=None, adapt_step_size=True, adapt_mass_matrix=True,
                 target_accept_prob=0.9, init_strategy=init_to_uniform, init_radius=2.0, **options):
        check_options("MCLMC", options, _OPTIONS)
        self.tie(model, init_strategy, init_radius)
        self.adjusted, self.energy_variance = bool(adjusted), positive("energy_variance", energy_variance)
        self.num_steps = None if num_steps is None else whole("num_steps", num_steps)
        self.step_size = None if step_size is None else positive("step_size", step_size)
        self.length = None if length is None else positive("length", length)
        self.inverse_mass_matrix, self.adapt_step_size = inverse_mass_matrix, bool(adapt_step_size)
        self.adapt_mass_matrix = bool(adapt_mass_matrix)
        self.target_accept_prob = between("target_accept_prob", target_accept_prob)

    @property
    def method(self):
        """Some steps a turn."""
        return stepwise.Stepwise(moves.Particles(self.num_steps, self.adjusted), self.init_radius)

    def start(self, seed, latents, num_warmup, position=None):
        """A chain before its first gradient; position is None for a random one."""
        d = site_count(latents)
        if d < 2:
            raise SamplingError("MCLMC needs two unconstrained parameters or more, and the model has one.\n"
                                "Use NUTS or Slice.")
        metric = first_metric(self.inverse_mass_matrix, d)
        adapted = mclmc_adaptation.init(
            d, num_warmup, step_size=self.step_size, length=self.length, metric=metric,
            goal=self.energy_variance, target_accept_prob=self.target_accept_prob, adapt_step=self.adapt_step_size,
            adapt_length=self.length is None, adapt_metric=self.adapt_mass_matrix)
        return stepwise.init(self.method.move, seed, adapted, position, num_dims=d, radius=self.init_radius)
