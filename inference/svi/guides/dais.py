"""A guide that moves its draws towards the posterior by annealed Hamiltonian steps: AutoDAIS."""
from ....distributions import Delta, MultivariateNormal, Normal, constraints
from ....engine import grad, random, scan
from ....engine import numpy as np
from ....engine.core import world
from ....ppl.handlers import block
from ....ppl.queries import init_to_uniform
from ....ppl.statements import factor, sample
from .base import AUXILIARY
from .joint import AutoContinuous

BASES = ("diagonal", "cholesky")


class AutoDAIS(AutoContinuous):
    """Differentiable annealed importance sampling: K leapfrog steps from a normal towards the posterior.

        ẑ = z + η M⁻¹ v / 2,  v̂ = v + η ∇[β log p + (1 - β) log q₀](ẑ),  z' = ẑ + η M⁻¹ v̂ / 2,  v' = γ v̂ + √(1 - γ²) ε

    K : steps          base_dist : q₀, "diagonal" or "cholesky" (a full covariance)
    eta_init, eta_max : the step size η = η₀ + slope · β, where it starts and its largest value
    gamma_init : where γ, the part of the momentum that is kept, starts          init_scale : of q₀
    The bound is E[log p(z_K) - log q₀(z₀) + Σ log N(v̂ₖ; 0, M) - log N(vₖ; 0, M)]: each step pays for its change of
    momentum, the factor {prefix}_factor. (p is the model at the starts of its own params, if it has some; the bound is
    one of the model that is fitted all the same.) Params: {prefix}_z_0_loc, _z_0_scale (or _z_0_scale_tril), _eta0,
    _eta_slope, _gamma, _beta_increments float[K], _inverse_mass_matrix float[n].
    Source: Zhang, Hsu, Li, Finn & Grosse (2021), "Differentiable annealed importance sampling and the perils of
    gradient noise"; Geffner & Domke (2021), "MCMC variational inference via uncorrected Hamiltonian annealing".
    """

    def __init__(self, model, *, K=4, base_dist="diagonal", eta_init=0.01, eta_max=0.1, gamma_init=0.9, prefix="auto",
                 init_loc_fn=init_to_uniform, init_scale=0.1, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if base_dist not in BASES:
            raise ValueError(f"base_dist={base_dist!r}: choose one of {', '.join(map(repr, BASES))}.")
        if isinstance(K, bool) or int(K) != K or K < 1:
            raise ValueError(f"K must be an integer of at least 1; got {K!r}.")
        if not 0 < eta_init < eta_max:
            raise ValueError(f"eta_init must lie between 0 and eta_max={eta_max!r}; got {eta_init!r}.")
        if not 0 < gamma_init < 1 or not init_scale > 0:
            raise ValueError(f"gamma_init must lie in (0, 1) and init_scale be positive; got {gamma_init!r} and "
                             f"{init_scale!r}.")
        self.num_steps, self.base_dist = int(K), base_dist
        self.eta_init, self.eta_max, self.gamma_init = float(eta_init), float(eta_max), float(gamma_init)
        self.init_scale = float(init_scale)

    def first_params(self, latents, start):
        n, k, name = latents.size, self.num_steps, self.name
        scale = {name("z_0_scale"): (np.full((n,), self.init_scale), constraints.softplus_positive)}
        if self.base_dist == "cholesky":
            scale = {name("z_0_scale_tril"): (self.init_scale * np.eye(n), constraints.scaled_unit_lower_cholesky)}
        return {name("z_0_loc"): (start(), constraints.real_vector), **scale,
                name("eta0"): (np.asarray(self.eta_init), constraints.interval(0.0, self.eta_max)),
                name("eta_slope"): (np.asarray(0.0), constraints.real),
                name("gamma"): (np.asarray(self.gamma_init), constraints.interval(0.0, 1.0)),
                name("beta_increments"): (np.ones((k,)), constraints.positive),
                name("inverse_mass_matrix"): (np.ones((n,)), constraints.positive)}

    def base(self, params):
        """q₀."""
        if self.base_dist == "cholesky":
            loc, scale_tril = self.values(params, "z_0_loc", "z_0_scale_tril")
            return MultivariateNormal(loc, scale_tril=scale_tril)
        return Normal(*self.values(params, "z_0_loc", "z_0_scale")).to_event(1)

    def sites(self, latents):
        self.check(latents)
        params = self.params(latents)
        noise = Normal(0.0, 1.0).expand((self.num_steps, latents.size)).to_event(2)
        z = sample(f"_{self.prefix}_z_0", self.base(params), infer=AUXILIARY)
        noise = sample(f"_{self.prefix}_momentum", noise.mask(False), infer=AUXILIARY)
        with world(block().fresh()):
            z, change = self.moved(latents, params, z, noise)
        factor(f"{self.prefix}_factor", change)
        z = sample(f"_{self.prefix}_latent", Delta(z, 0.0, 1), infer=AUXILIARY)
        return self.placed(latents, latents.unravel(z), {})

    def moved(self, latents, params, z, noise):
        """(z_K, Σ log N(vₖ) - log N(v̂ₖ)) from z₀ and the noise of the momenta, float[K, n]."""
        eta0, slope, gamma, steps, inverse_mass = self.values(params, "eta0", "eta_slope", "gamma", "beta_increments",
                                                              "inverse_mass_matrix")
        betas = np.cumsum(steps) / np.sum(steps)
        etas = np.clip(eta0 + slope * betas, 0.1 * self.eta_init, self.eta_max)
        base, width = self.base(params), 1.0 / np.sqrt(inverse_mass)
        pull_q = grad(base.log_prob)
        pull_p = grad(lambda z: latents.program.log_joint(latents.unravel(z), latents.data, True))

        def step(carry, row):
            (z, v, change), (beta, eta, noise) = carry, row
            half = z + 0.5 * eta * inverse_mass * v
            kicked = v + eta * (beta * pull_p(half) + (1.0 - beta) * pull_q(half))
            z = half + 0.5 * eta * inverse_mass * kicked
            change = change + 0.5 * np.sum(inverse_mass * (kicked * kicked - v * v))
            return (z, gamma * kicked + np.sqrt(1.0 - gamma * gamma) * width * noise, change), None

        fresh = np.concatenate([noise[1:], noise[:1]])          # the last step's new momentum is never used
        (z, _, change), _ = scan(step, (z, width * noise[0], np.zeros(())), (betas, etas, fresh))
        return z, change

    def get_posterior(self, params):
        raise NotImplementedError("AutoDAIS: the density of its draws has no formula.\n"
                                  "Draw: sample_posterior(rng_key, params, sample_shape=(1000,)).")

    def draw_free(self, key, params):
        latents = self.latents
        one, two = random.split(key)
        z = self.base(params).sample(one)
        noise = random.normal(two, (self.num_steps, latents.size))
        return latents.unravel(self.moved(latents, params, z, noise)[0])
