"""Guides that move their draws towards the posterior by annealed Hamiltonian steps: AutoDAIS, and with the density of
another model AutoSurrogateLikelihoodDAIS."""
from ....distributions import Delta, MultivariateNormal, Normal, constraints
from ....engine import grad, random, scan
from ....engine import numpy as np
from ....engine.core import world
from ....ppl.handlers import block, seed
from ....ppl.model import LogJoint
from ....ppl.queries import init_to_uniform
from ....ppl.sites import SiteError
from ....ppl.statements import factor, sample
from ....ppl.values import with_value
from .base import AUXILIARY
from .joint import AutoContinuous
from .latents import latents_of

BASES = ("diagonal", "cholesky")


class AutoDAIS(AutoContinuous):
    """Differentiable annealed importance sampling: K leapfrog steps from a normal towards the posterior.

        ẑ = z + η M⁻¹ v / 2,  v̂ = v + η ∇[β log p + (1 - β) log q₀](ẑ),  z' = ẑ + η M⁻¹ v̂ / 2,  v' = γ v̂ + √(1 - γ²) ε

    K : steps          base_dist : q₀, "diagonal" or "cholesky" (a full covariance)
    eta_init, eta_max : the step size η = η₀ + slope · β, where it starts and its largest value
    gamma_init : where γ, the part of the momentum that is kept, starts          init_scale : of q₀
    The bound is E[log p(z_K) - log q₀(z₀) + Σ log N(v̂ₖ; 0, M) - log N(vₖ; 0, M)]: each step pays for its change of
    momentum, the factor {prefix}_factor. Params: {prefix}_z_0_loc, _z_0_scale (or _z_0_scale_tril), _eta0,
    _eta_slope, _gamma, _beta_increments float[K], _inverse_mass_matrix float[n].
    Source: Zhang, Hsu, Li, Finn & Grosse (2021), "Differentiable annealed importance sampling and the perils of
    gradient noise"; Geffner & Domke (2021), "MCMC variational inference via uncorrected Hamiltonian annealing".
    """

    def __init__(self, model, *, K=4, base_dist="diagonal", eta_init=0.01, eta_max=0.1, gamma_init=0.9, prefix="auto",
                 init_loc_fn=init_to_uniform, init_scale=0.1, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if base_dist not in BASES:
            raise ValueError(f"base_dist={base_dist!r}: choose one of {', '.join(map(repr, BASES))}.")
        check_steps(K, eta_init, eta_max, gamma_init, init_scale)
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
        own = params_of(*self.target(latents))
        noise = Normal(0.0, 1.0).expand((self.num_steps, latents.size)).to_event(2)
        z = sample(f"_{self.prefix}_z_0", self.base(params), infer=AUXILIARY)
        noise = sample(f"_{self.prefix}_momentum", noise.mask(False), infer=AUXILIARY)
        with world(block().fresh()):
            z, change = self.moved(latents, params, own, z, noise)
        factor(f"{self.prefix}_factor", change)
        z = sample(f"_{self.prefix}_latent", Delta(z, 0.0, 1), infer=AUXILIARY)
        return self.placed(latents, latents.unravel(z), {})

    def target(self, latents):
        """(program, data) of the model whose density draws the steps."""
        return latents.program, latents.data

    def moved(self, latents, params, own, z, noise):
        """(z_K, Σ log N(vₖ) - log N(v̂ₖ)) from z₀ and the noise of the momenta, float[K, n].

        own : {name: value} of the target's params
        """
        eta0, slope, gamma, steps, inverse_mass = self.values(params, "eta0", "eta_slope", "gamma", "beta_increments",
                                                              "inverse_mass_matrix")
        betas = np.cumsum(steps) / np.sum(steps)
        etas = np.clip(eta0 + slope * betas, 0.1 * self.eta_init, self.eta_max)
        program, data = self.target(latents)
        pull_q = grad(self.base(params).log_prob)
        pull_p = grad(lambda z: program.run(Mixed(latents.unravel(z), own), data)[0].total)
        pull = lambda z, beta: beta * pull_p(z) + (1.0 - beta) * pull_q(z)
        return annealed(z, noise, betas, etas, gamma, inverse_mass, pull)

    def get_posterior(self, params):
        raise NotImplementedError("AutoDAIS: the density of its draws has no formula.\n"
                                  "Draw: sample_posterior(rng_key, params, sample_shape=(1000,)).")

    def draw_free(self, key, params):
        latents = self.latents
        one, two = random.split(key)
        z = self.base(params).sample(one)
        noise = random.normal(two, (self.num_steps, latents.size))
        own = {k: params[k] for k in param_names(*self.target(latents)) if k in params}
        return latents.unravel(self.moved(latents, params, own, z, noise)[0])


class AutoSurrogateLikelihoodDAIS(AutoDAIS):
    """`AutoDAIS` whose steps are drawn by the density of a surrogate model, cheap and with params of its own.

    surrogate_model : a function of no arguments, with the model's latent sites and their priors, and a likelihood that
        stands for the model's: that of a few rows, say, under handlers.scale(scale=weights) with weights a param
    So each step costs what the surrogate costs, and the model may take parts of its data, as in

        with plate("row", 100_000, subsample_size=100) as i: sample("y", …, obs=y[i])

    as long as no latent site stands in the plate (`AutoSemiDAIS` is for those). Other options, and the params, are
    those of AutoDAIS; the surrogate's params are fitted with them.
    Source: Jankowiak & Phan (2022), "Surrogate likelihoods for variational annealed importance sampling".
    """

    def __init__(self, model, surrogate_model, *, K=4, eta_init=0.01, eta_max=0.1, gamma_init=0.9, prefix="auto",
                 base_dist="diagonal", init_loc_fn=init_to_uniform, init_scale=0.1, create_plates=None):
        super().__init__(model, K=K, base_dist=base_dist, eta_init=eta_init, eta_max=eta_max, gamma_init=gamma_init,
                         prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale, create_plates=create_plates)
        if not callable(surrogate_model):
            raise TypeError("AutoSurrogateLikelihoodDAIS takes a surrogate_model, a function of no arguments; got "
                            f"{surrogate_model!r:.60}.")
        self.surrogate_model = surrogate_model

    def target(self, latents):
        found = latents_of(self.surrogate_model, (), {})
        mine, theirs = ({v.name: v.free_shape for v in x.sites} for x in (latents, found))
        if mine != theirs:
            raise SiteError("AutoSurrogateLikelihoodDAIS: the surrogate must have the model's latent sites. "
                            f"Unconstrained shapes are {mine} in the model and {theirs} in the surrogate.")
        return found.program, found.data


# ---- the steps ----

class Mixed(LogJoint):
    """`LogJoint` at unconstrained values of some sites; others, params and plates among them, have their own values."""

    def __init__(self, values, fixed):
        super().__init__(None, {**values, **fixed}, True)
        self.fixed = frozenset(fixed)

    def given(self, site):
        if site.name in self.fixed and site.kind in ("sample", "param", "plate"):
            return with_value(site, self.values[site.name], "the value given", grows=False), 0.0
        return super().given(site)


def annealed(z, noise, betas, etas, gamma, inverse_mass, pull):
    """(z_K, Σ log N(vₖ) - log N(v̂ₖ), one number for each vector).

    z : [*m, d]          noise : [K, *m, d]          betas, etas : [K, *m]          gamma : [*m]
    inverse_mass : [*m, d]          pull(z, beta) : the force at z, beta of shape [*m, 1]
    """
    width, gamma = 1.0 / np.sqrt(inverse_mass), gamma[..., None]

    def step(carry, row):
        (z, v, change), (beta, eta, noise) = carry, row
        drift = 0.5 * eta[..., None] * inverse_mass
        half = z + drift * v
        kicked = v + eta[..., None] * pull(half, beta[..., None])
        z = half + drift * kicked
        change = change + 0.5 * np.sum(inverse_mass * (kicked * kicked - v * v), -1)
        return (z, gamma * kicked + np.sqrt(1.0 - gamma * gamma) * width * noise, change), None

    fresh = np.concatenate([noise[1:], noise[:1]])              # the last step's new momentum is never used
    start = (z, width * noise[0], np.zeros(z.shape[:-1]))
    (z, _, change), _ = scan(step, start, (betas, etas, fresh))
    return z, change


def check_steps(K, eta_init, eta_max, gamma_init, init_scale):
    """Raise ValueError for options of the steps that are not right."""
    if isinstance(K, bool) or int(K) != K or K < 1:
        raise ValueError(f"K must be an integer of at least 1; got {K!r}.")
    if not 0 < eta_init < eta_max:
        raise ValueError(f"eta_init must lie between 0 and eta_max={eta_max!r}; got {eta_init!r}.")
    if not 0 < gamma_init < 1 or not init_scale > 0:
        raise ValueError(f"gamma_init must lie in (0, 1) and init_scale be positive; got {gamma_init!r} and "
                         f"{init_scale!r}.")


def param_names(program, data):
    """The names of a program's params."""
    return [k for k, s in program.outline(data).items() if s.kind == "param"]


def params_of(program, data):
    """{name: value} of a program's params, which become the guide's by this."""
    names = param_names(program, data)
    if not names:
        return {}
    with world(block(expose_types=["param"]).fresh()):
        sites = program.record(seed(None, 0, hide_types=("param",)), data)
    return {k: sites[k].value for k in names}
