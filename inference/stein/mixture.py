"""Stein mixtures: n guides with params of their own, particles that are drawn to the posterior and repel each other.

    Δx_l = Σ_m k(x_m, x_l) ∇ E_{q_m}[τ log p(z, data) - log q̄(z)] + ρ/n Σ_m ∇₁ k(x_m, x_l),    q̄ = 1/n Σ_m q_m

A particle x is the unconstrained params of one guide. All particles run side by side in one compiled program.
"""
from ...engine import numpy as np
from ...engine import random, tree, value_and_grad, vmap
from ...engine.core import Tracer
from ...engine.lax import stop_gradient
from ...engine.nn import logsumexp
from ...ppl.keys import one_key
from ..optim import Minimize
from ..svi.estimators import score, score_sites, total, with_score
from ..svi.guides import AutoDAIS, AutoDelta, AutoSemiDAIS
from ..svi.guides.flows import AutoFlow
from ..svi.objectives import Trace_ELBO
from ..svi.particles import GuideRun, Rescored, given
from ..svi.starts import particle_params
from ..svi.svi import SVI, SVIState
from .kernels import SteinKernel, repulsion, times


class SteinVI(SVI):
    """Fits a mixture of n guides to a model; see the module.

    model, guide, optim, static_kwargs : as for `SVI`. Params start at draws of their own for each particle, where the
        guide draws its start (automatic guides do); those that start at one number start there in all particles
    kernel_fn : RBFKernel(), or another of `chainrule.inference.stein`
    num_stein_particles : n          num_elbo_particles : draws of each guide for one step
    loss_temperature : τ             repulsion_temperature : ρ
    non_mixture_guide_params_fn : name of a param of the guide -> whether all particles share it, as the model's params

    `init`, `update`, `evaluate`, `get_params`, `run` and `run_batches` are those of `SVI`; the mixture's params have an
    axis of n in front, and losses are estimates of -E_q̄[τ log p - log q̄]; of points (an AutoDelta guide) of their mean
    -log p. One particle without repulsion is SVI.
    Source: Wang & Liu (2019), "Nonlinear Stein variational gradient descent for learning diversified mixture models";
    Rønning, Nalisnick, Ley, Smyth & Hamelryck (2024), "ELBOing Stein: variational Bayes with Stein mixture inference".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference.autoguide import AutoNormal
    >>> from chainrule.inference.optim import Adagrad
    >>> from chainrule.inference.stein import RBFKernel
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> stein = SteinVI(model, AutoNormal(model), Adagrad(0.1), RBFKernel(), num_stein_particles=3)
    >>> stein.run(random.key(0), 50, 2.0, progress_bar=False).params["mu_auto_loc"].shape
    (3,)
    """

    def __init__(self, model, guide, optim, kernel_fn, num_stein_particles=10, num_elbo_particles=10,
                 loss_temperature=1.0, repulsion_temperature=1.0, non_mixture_guide_params_fn=lambda name: False,
                 **static_kwargs):
        super().__init__(model, guide, optim, Trace_ELBO(num_elbo_particles), **static_kwargs)
        if not isinstance(kernel_fn, SteinKernel):
            raise TypeError(f"{type(self).__name__} takes a kernel, such as RBFKernel(); got {kernel_fn!r:.60}.")
        if isinstance(guide, AutoFlow | AutoDAIS | AutoSemiDAIS):
            raise TypeError(f"{type(self).__name__}: the density of a mixture of {type(guide).__name__} is not known.\n"
                            "Take AutoNormal, or another guide of normals.")
        if isinstance(self.optim, Minimize):
            raise TypeError(f"{type(self).__name__} moves along forces, which are no gradient of a loss; "
                            f"{type(self.optim).__name__} needs one.\nTake Adagrad, or Adam.")
        n = num_stein_particles
        if isinstance(n, bool) or int(n) != n or n < 1:
            raise ValueError(f"num_stein_particles must be an integer of at least 1; got {n!r}.")
        self.kernel_fn, self.num_stein_particles = kernel_fn, int(n)
        self.loss_temperature, self.repulsion_temperature = float(loss_temperature), float(repulsion_temperature)
        self.non_mixture_guide_params_fn = non_mixture_guide_params_fn
        self.points = isinstance(guide, AutoDelta)       # whose mixture has no density
        self.guide_sites = frozenset()                   # the mixture's params, once init has seen them

    # ---- pure functions ----

    def init(self, rng_key, *args, init_params=None, **kwargs):
        """The state to begin with; see `SVI.init`. Values of init_params are those of all particles."""
        pair = self.pair(args, kwargs)
        key, first, draw = random.split(one_key(rng_key, f"{type(self).__name__}.init"), 3)
        params, supports = particle_params(
            pair, random.split(first, self.num_stein_particles), dict(init_params or {}), self._start(pair))
        if not any(isinstance(x, Tracer) for x in tree.leaves(supports)):
            self.supports.update(supports)
        mixed = self._mixed(pair)
        params = {k: x if k in mixed else x[0] for k, x in params.items()}
        kept = self.kernel_fn.init(draw, _raveled({k: params[k] for k in mixed})[0].shape)
        return SVIState(self.optim.init(params), self.first_kept(kept), key)

    def _mixed(self, pair):
        """The names of the mixture's params, sorted."""
        names = [k for k, s in pair.guide.outline(pair.guide_data).items() if s.kind == "param"]
        names = sorted(k for k in names if not self.non_mixture_guide_params_fn(k))
        if not names:
            raise ValueError(f"{type(self).__name__}: the guide has no params that could differ between particles.")
        self.guide_sites = frozenset(names)
        return names

    @property
    def settings(self):
        return {"kernel_fn": self.kernel_fn, "num_stein_particles": self.num_stein_particles,
                "loss_temperature": self.loss_temperature, "repulsion_temperature": self.repulsion_temperature,
                "non_mixture_guide_params_fn": self.non_mixture_guide_params_fn}

    has_density = False

    def component(self, params, key, number):
        """The params of one of the guides, at random."""
        i = random.randint(key, (), 0, self.num_stein_particles)
        return {k: x[i] if k in self.guide_sites else x for k, x in params.items()}

    def first_kept(self, kernel):
        """What a state keeps beside the params: what the kernel drew."""
        return kernel

    def kernel_kept(self, kept):
        """What the kernel drew, of what a state keeps."""
        return kept

    def next_kept(self, kept):
        """What the next state keeps."""
        return kept

    def temperature(self, kept):
        """τ, of what a state keeps."""
        return self.loss_temperature

    def estimate(self, pair, state):
        params = self.optim.get_params(state.optim_state)
        key = random.split(random.split(state.rng_key)[1])[0]
        own, shared = self._split(pair, params)
        return -np.mean(self._bounds(pair, own, own, shared, self.temperature(state.mutable_state), key))

    def step(self, pair, state, stable=False, forward=False):
        if forward:
            raise NotImplementedError(f"{type(self).__name__} has no forward mode: leave it out.")
        key, now = random.split(state.rng_key)
        params = self.optim.get_params(state.optim_state)
        loss, grads = self.forces(pair, params, state.mutable_state, now)
        new = SVIState(self.optim.update(grads, state.optim_state), self.next_kept(state.mutable_state), key)
        return self.kept_if_finite(new, state, loss) if stable else new, loss

    def forces(self, pair, params, kept, key):
        """(loss, {param: the force on it, negated, as an optimiser takes gradients})"""
        draw, turn = random.split(key)
        own, shared = self._split(pair, params)
        particles, info, unravel = _raveled(own)
        tau = self.temperature(kept)

        def mean(own, shared):
            each = self._bounds(pair, own, stop_gradient_of(own), shared, tau, draw)
            return np.mean(each)

        value, (pull, slope) = value_and_grad(mean, argnums=(0, 1))(own, shared)
        weight = self.num_stein_particles * (tau if self.points else 1.0)        # for the gradient of its own bound
        pull = weight * _raveled(pull)[0]
        kernel = self.kernel_fn.compute(turn, particles, info, None, self.kernel_kept(kept))
        mode = self.kernel_fn.mode

        def force(y):
            drawn = vmap(lambda x, g: times(mode, kernel(x, y), g))(particles, pull)
            push = vmap(lambda x: repulsion(mode, kernel, x, y))(particles)
            return np.sum(drawn, 0) + self.repulsion_temperature * np.mean(push, 0)

        grads = {**unravel(vmap(force)(particles)), **slope}
        return -value, {k: -grads[k] for k in params}

    def _split(self, pair, params):
        """(the mixture's params, the others)"""
        mixed = self._mixed(pair)
        return {k: params[k] for k in mixed}, {k: x for k, x in params.items() if k not in mixed}

    def _bounds(self, pair, own, others, shared, tau, key):
        """float[n]: estimates of E_{q_m}[τ log p - log q̄].   own : params that guides draw with; others : those of q̄"""
        def particle(key, mine):
            return self.loss.over_particles(lambda key: self._bound(pair, mine, others, shared, tau, key), key)
        keys = random.split(key, self.num_stein_particles)
        return np.mean(vmap(particle)(keys, own), 1)

    def _bound(self, pair, mine, others, shared, tau, key):
        draw, score_key, model_key = random.split(key, 3)
        guide = pair.guide.record(GuideRun(draw, {**mine, **shared}), pair.guide_data)
        log_p = total(pair.at(model_key, shared, guide))
        if self.points:
            return log_p - total(guide)

        def density(params):
            run = Rescored(score_key, {**params, **shared}, given(guide))
            return total(pair.guide.record(run, pair.guide_data))

        log_q = logsumexp(vmap(density)(others)) - np.log(float(self.num_stein_particles))
        bound, names = tau * log_p - log_q, score_sites(guide)
        return with_score(bound, sum(np.sum(score(guide[k])) for k in names)) if names else bound


def stop_gradient_of(x):
    """A tree of constants."""
    return tree.map(stop_gradient, x)


def _raveled(params):
    """(float[n, d], {param: (start, end)}, the inverse for float[n, d]) of {param: [n, *shape]}."""
    names, info, at = sorted(params), {}, 0
    n = params[names[0]].shape[0]
    rows = [np.reshape(params[k], (n, -1)) for k in names]
    for k, row in zip(names, rows):
        info[k] = (at, at + row.shape[1])
        at += row.shape[1]

    def unravel(x):
        return {k: np.reshape(x[:, slice(*info[k])], params[k].shape) for k in names}
    return np.concatenate(rows, 1), info, unravel
