"""A guide that draws a plate's latent sites by annealed Hamiltonian steps, index by index: AutoSemiDAIS."""
import math

from ....distributions import Delta, Normal, biject_to, constraints
from ....engine import grad, random, vmap
from ....engine import numpy as np
from ....engine.core import world
from ....ppl.handlers import block, scale, seed, substitute, trace
from ....ppl.keys import one_key
from ....ppl.plates import plate
from ....ppl.queries import init_to_uniform
from ....ppl.sites import SiteError
from ....ppl.statements import factor, param, prng_key, sample
from .base import AUXILIARY, AutoGuide
from .dais import Mixed, annealed, check_steps, params_of


class AutoSemiDAIS(AutoGuide):
    """A guide for the global sites, and `AutoDAIS` steps for those of a plate, subsampled or not.

        global_guide = AutoNormal(lambda *args: sample("theta", …))
        guide = AutoSemiDAIS(model, local_model, global_guide, K=4)

    local_model : taken for NumPyro's sake; the model's program says which of its terms the local sites move
    global_guide : a guide of the other sites, a function that gives {site: value}; None where there are none
    local_guide : not there; the steps start at normals with params for each index
    K, eta_init, eta_max, gamma_init, init_scale, prefix, init_loc_fn : as for AutoDAIS
    The sites that the global guide does not draw must stand in one plate of N indices. Each index has steps of its own:
    {prefix}_z_0_loc, _z_0_scale, _inverse_mass_matrix float[N, d], _eta0, _eta_slope, _gamma float[N],
    _beta_increments float[N, K].
    Source: Jankowiak & Phan (2022), "Surrogate likelihoods for variational annealed importance sampling"; Geffner &
    Domke (2022), "Variational inference with locally enhanced bounds for hierarchical models".
    """

    def __init__(self, model, local_model=None, global_guide=None, local_guide=None, *, prefix="auto", K=4,
                 eta_init=0.01, eta_max=0.1, gamma_init=0.9, init_scale=0.1, init_loc_fn=init_to_uniform,
                 create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if local_guide is not None:
            raise NotImplementedError("AutoSemiDAIS has no local_guide: leave it out.")
        if global_guide is not None and not callable(global_guide):
            raise TypeError(f"AutoSemiDAIS takes a global_guide, a function of the data; got {global_guide!r:.60}.")
        check_steps(K, eta_init, eta_max, gamma_init, init_scale)
        self.local_model, self.global_guide, self.num_steps = local_model, global_guide, int(K)
        self.eta_init, self.eta_max, self.gamma_init = float(eta_init), float(eta_max), float(gamma_init)
        self.init_scale = float(init_scale)

    def meet(self, args, kwargs):
        if isinstance(self.global_guide, AutoGuide):
            self.global_guide.meet(args, kwargs)
        return super().meet(args, kwargs)

    def __call__(self, *args, **kwargs):
        latents = self.meet(args, kwargs)
        drawn = {} if self.global_guide is None else dict(self.global_guide(*args, **kwargs) or {})
        known = {v.name for v in latents.sites}
        fixed = {k: x for k, x in drawn.items() if k in known}
        return {**fixed, **self.local(latents, fixed)}

    def local(self, latents, fixed):
        """The statements of the local sites, at values of the others: {site: value}."""
        rows = _Rows(latents, fixed, type(self).__name__)
        frame, n, m, d = rows.frame, rows.whole, rows.frame.size, rows.size
        with plate(frame.name, n, m, dim=frame.dim, coords=frame.coords) as index:
            given = {frame.name: index} if frame.full is not None else {}
        fixed = {**fixed, **given, **params_of(latents.program, latents.data)}
        p = {k: x[index] for k, x in self.params(latents, rows, n, d).items()}
        base = Normal(p["z_0_loc"], p["z_0_scale"]).to_event(2)
        with scale(scale=n / m):
            z = sample(f"_{self.prefix}_z_0", base, infer=AUXILIARY)
            noise = sample(f"_{self.prefix}_momentum", Normal(0.0, 1.0).expand((self.num_steps, m, d)).to_event(3).mask(
                False), infer=AUXILIARY)
            with world(block().fresh()):
                z, change = self.moved(latents, rows, fixed, p, base, z, noise)
            factor(f"{self.prefix}_local_dais_factor", np.sum(change))
        return self.at(latents, rows, fixed, z)

    def params(self, latents, rows, n, d):
        """The statements of the params: {name without prefix: [n, …]}."""
        key = prng_key(f"_{self.prefix}_local_start")
        start = rows.packed(latents.free_start(self.init_loc_fn, key))
        first = {"z_0_loc": (start, constraints.real), "z_0_scale": (np.full((n, d), self.init_scale),
                                                                    constraints.softplus_positive),
                 "eta0": (np.full((n,), self.eta_init), constraints.interval(0.0, self.eta_max)),
                 "eta_slope": (np.zeros((n,)), constraints.real),
                 "gamma": (np.full((n,), self.gamma_init), constraints.interval(0.0, 1.0)),
                 "beta_increments": (np.ones((n, self.num_steps)), constraints.positive),
                 "inverse_mass_matrix": (np.ones((n, d)), constraints.positive)}
        return {k: param(f"{self.prefix}_{k}", x, constraint=c) for k, (x, c) in first.items()}

    def moved(self, latents, rows, fixed, p, base, z, noise):
        """`annealed`, of the rows [m, d]."""
        betas = np.cumsum(p["beta_increments"], -1) / np.sum(p["beta_increments"], -1, keepdims=True)
        etas = np.clip(p["eta0"][:, None] + p["eta_slope"][:, None] * betas, 0.1 * self.eta_init, self.eta_max)
        pull_q = grad(base.log_prob)
        pull_p = grad(lambda z: latents.program.run(Mixed(rows.unpacked(z), fixed), latents.data)[0].total)
        weight = rows.frame.size / rows.whole                    # the plate's terms are scaled up to the whole
        pull = lambda z, beta: beta * weight * pull_p(z) + (1.0 - beta) * pull_q(z)
        return annealed(z, noise, betas.T, etas.T, p["gamma"], p["inverse_mass_matrix"], pull)

    def at(self, latents, rows, fixed, z):
        """The statements of the local sites at z."""
        values, out = rows.unpacked(z), {}
        with world(block().fresh()):
            sites = latents.program.record(Mixed(values, fixed), latents.data)
        for v in rows.sites:
            x, t = sites[v.name].value, biject_to(sites[v.name].fn.support)
            with self.plates(v, {}):
                out[v.name] = sample(v.name, Delta(x, -latents.log_det(v, values[v.name], x, t), v.event_dim))
        return out

    def sample_posterior(self, rng_key, params, *args, sample_shape=(), **kwargs):
        """{site: [*sample_shape, *shape]}: draws; of a subsampled plate those of a part, drawn anew for each draw.

        args, kwargs : the model's
        `handlers.substitute(data={plate: indices})` around the call chooses the part.
        """
        names = [v.name for v in self.meet(args, kwargs).sites]
        run = substitute(self, data={k: np.asarray(x) for k, x in params.items()})

        def one(key):
            sites = trace(seed(run, key)).get_trace(*args, **kwargs)
            return {k: sites[k]["value"] for k in names}
        for n in reversed(sample_shape):
            one = _many(one, n)
        return one(one_key(rng_key, "sample_posterior"))


def _many(f, n):
    return lambda key: vmap(f)(random.split(key, n))


class _Rows:
    """The local sites of a model as the rows of a matrix, one for each index of their plate."""

    def __init__(self, latents, fixed, what):
        self.sites = [v for v in latents.sites if v.name not in fixed]
        if not self.sites:
            raise SiteError(f"{what}: the global guide draws all latent sites; there is none for a plate.")
        common = [f for f in self.sites[0].plates if all(f.name in [g.name for g in v.plates] for v in self.sites)]
        parts = [f for f in common if f.full is not None]
        found = parts or common
        if len(found) != 1:
            raise SiteError(f"{what}: the sites {', '.join(v.name for v in self.sites)} must stand in one plate; they "
                            f"have {', '.join(f.name for f in common) or 'none'} in common.\n"
                            "Let the global guide draw the others.")
        self.frame = found[0]
        self.whole = self.frame.full or self.frame.size
        self.size = sum(math.prod(v.free_shape) for v in self.sites) // self.frame.size

    def axis(self, v):
        """The plate's axis of a site's unconstrained values."""
        return len(v.free_shape) - v.free_event_dim + self.frame.dim

    def packed(self, values):
        """{site: unconstrained value} as [index, d]; for the whole plate or a part of it."""
        rows = [np.moveaxis(values[v.name], self.axis(v), 0) for v in self.sites]
        return np.concatenate([np.reshape(x, (x.shape[0], -1)) for x in rows], 1)

    def unpacked(self, z):
        """[index, d] as {site: unconstrained value}."""
        out, at = {}, 0
        for v in self.sites:
            rest = tuple(n for i, n in enumerate(v.free_shape) if i != self.axis(v))
            n = math.prod(rest)
            out[v.name] = np.moveaxis(np.reshape(z[:, at:at + n], (z.shape[0], *rest)), 0, self.axis(v))
            at += n
        return out
