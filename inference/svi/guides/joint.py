"""Guides that draw all latent sites as one vector of unconstrained numbers: the site _{prefix}_latent."""
import math

from ....distributions import Delta, LowRankMultivariateNormal, MultivariateNormal, Normal, constraints
from ....distributions.transforms import AffineTransform, IndependentTransform, LowerCholeskyAffine
from ....engine import hessian, jit
from ....engine import numpy as np
from ....engine.core import world
from ....engine.numpy import linalg
from ....ppl.handlers import substitute
from ....ppl.queries import init_to_uniform
from ....ppl.sites import SiteError
from ....ppl.statements import param, sample
from .base import AUXILIARY, AutoGuide, stacked


class AutoContinuous(AutoGuide):
    """Base of guides that draw all latent sites, ravelled in the model's order, as one vector z of ℝⁿ.

    A subclass writes `first_params(latents)`, {name: (where it starts, its set)}, and `get_posterior(params)`, the
    distribution of z; names have the prefix in front.
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)

    def first_params(self, latents, start):
        """{name: (start, set)}; `start` is a function that gives the vector of init_loc_fn."""
        raise NotImplementedError(f"{type(self).__name__} has no first_params(latents, start).")

    def get_posterior(self, params):
        """The distribution of the latent vector, at values of the params."""
        raise NotImplementedError(f"{type(self).__name__} has no get_posterior(params).")

    def sites(self, latents):
        self.check(latents)
        params = self.params(latents)
        z = sample(f"_{self.prefix}_latent", self.get_posterior(params), infer=AUXILIARY)
        return self.placed(latents, self.unravel(latents, z), {})

    def ravel(self, latents, values):
        """{site: unconstrained value} as z."""
        return latents.ravel(values)

    def unravel(self, latents, z):
        """z as {site: unconstrained value}."""
        return latents.unravel(z)

    def params(self, latents):
        """The statements of the params: {name: value}."""
        start = lambda: self.ravel(latents, latents.free_start(self.init_loc_fn, self.start_key(latents)))
        return {name: param(name, first, constraint=constraint)
                for name, (first, constraint) in self.first_params(latents, start).items()}

    def check(self, latents):
        """Raise SiteError where a site's plate is subsampled: one vector has no part for it."""
        for v in latents.sites:
            if v.subsampled:
                raise SiteError(f"{type(self).__name__}: site {v.name!r} stands in a subsampled plate, and this guide "
                                "draws all sites as one vector.\nTake AutoNormal, or an AutoGuideList of guides.")

    def name(self, what):
        """The name of a param."""
        return f"{self.prefix}_{what}"

    def values(self, params, *names):
        """The values of params, by their names without the prefix."""
        return [np.asarray(params[self.name(k)]) for k in names]

    # ---- after the fit ----

    def get_base_dist(self):
        """The distribution N(0, I) that get_transform takes to the posterior."""
        return Normal(0.0, 1.0).expand((self.latents.size,)).to_event(1)

    def draw_free(self, key, params):
        return self.unravel(self.latents, self.get_posterior(params).sample(key))

    def median(self, params):
        """{site: value} at the median of each unconstrained number."""
        return self.values_at(self.unravel(self.latents, self.quantile_vector(params, 0.5)))

    def quantiles(self, params, quantiles):
        """{site: value} at a quantile of each unconstrained number; for several, with an axis in front."""
        rows = [self.values_at(self.unravel(self.latents, self.quantile_vector(params, q)))
                for q in np.reshape(quantiles, (-1,))]
        return stacked(rows) if np.ndim(quantiles) else rows[0]

    def quantile_vector(self, params, q):
        """A quantile of each unconstrained number, float[n]; of normal ones, by mean and variance."""
        posterior = self.get_posterior(params)
        return Normal(posterior.mean, np.sqrt(posterior.variance)).icdf(q)


class _Scaled(AutoContinuous):
    """With init_scale, where the scales start."""

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if not init_scale > 0:
            raise ValueError(f"init_scale must be positive; got {init_scale!r}.")
        self.init_scale = float(init_scale)


class AutoDiagonalNormal(_Scaled):
    """Independent normals in unconstrained space, as one vector: z = loc + scale ε.

    Params: {prefix}_loc and {prefix}_scale > 0, float[n].

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("a", dist.Normal(0.0, 1.0))
    ...     cr.sample("b", dist.HalfNormal(1.0))
    >>> guide = AutoDiagonalNormal(model)
    >>> list(cr.handlers.trace(cr.handlers.seed(guide, 0)).get_trace())
    ['auto_loc', 'auto_scale', '_auto_latent', 'a', 'b']
    >>> guide.quantiles({"auto_loc": [1.0, 0.0], "auto_scale": [1.0, 1.0]}, 0.5)
    {'a': Array(1.), 'b': Array(1.)}
    """
    scale_constraint = constraints.softplus_positive

    def first_params(self, latents, start):
        return {self.name("loc"): (start(), constraints.real_vector),
                self.name("scale"): (np.full((latents.size,), self.init_scale), self.scale_constraint)}

    def get_posterior(self, params):
        return Normal(*self.values(params, "loc", "scale")).to_event(1)

    def get_transform(self, params):
        """z = loc + scale ε."""
        return IndependentTransform(AffineTransform(*self.values(params, "loc", "scale")), 1)


class AutoMultivariateNormal(_Scaled):
    """A normal with a full covariance in unconstrained space: z = loc + scale_tril ε.

    Params: {prefix}_loc float[n], {prefix}_scale_tril float[n, n], lower triangular with a positive diagonal.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("a", dist.Normal(cr.sample("b", dist.Normal(0.0, 1.0)), 1.0))
    >>> guide = AutoMultivariateNormal(model)
    >>> tr = cr.handlers.trace(cr.handlers.seed(guide, 0)).get_trace()
    >>> list(tr), tr["auto_scale_tril"]["value"].shape
    (['auto_loc', 'auto_scale_tril', '_auto_latent', 'b', 'a'], (2, 2))
    """
    scale_tril_constraint = constraints.scaled_unit_lower_cholesky

    def first_params(self, latents, start):
        return {self.name("loc"): (start(), constraints.real_vector),
                self.name("scale_tril"): (self.init_scale * np.eye(latents.size), self.scale_tril_constraint)}

    def get_posterior(self, params):
        loc, scale_tril = self.values(params, "loc", "scale_tril")
        return MultivariateNormal(loc, scale_tril=scale_tril)

    def get_transform(self, params):
        """z = loc + scale_tril ε."""
        return LowerCholeskyAffine(*self.values(params, "loc", "scale_tril"))


class AutoLowRankMultivariateNormal(_Scaled):
    """A normal with covariance D (W Wᵀ + I) D, D = diag(scale), W float[n, rank].

    rank : √n, rounded, unless given
    Params: {prefix}_loc and {prefix}_scale > 0, float[n], {prefix}_cov_factor = W.
    Source: Ong, Nott & Smith (2018), "Gaussian variational approximation with a factor covariance structure".
    """
    scale_constraint = constraints.softplus_positive

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, rank=None,
                 create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale,
                         create_plates=create_plates)
        if rank is not None and (int(rank) != rank or rank < 1):
            raise ValueError(f"rank must be an integer of at least 1; got {rank!r}.")
        self.rank = rank

    def first_params(self, latents, start):
        n = latents.size
        rank = self.rank or int(round(math.sqrt(n)))
        return {self.name("loc"): (start(), constraints.real_vector),
                self.name("cov_factor"): (np.zeros((n, rank)), constraints.real_matrix),
                self.name("scale"): (np.full((n,), self.init_scale), self.scale_constraint)}

    def get_posterior(self, params):
        loc, factor, scale = self.values(params, "loc", "cov_factor", "scale")
        return LowRankMultivariateNormal(loc, factor * scale[:, None], scale * scale)

    def get_transform(self, params):
        """z = loc + scale_tril ε, with the Cholesky factor of the covariance."""
        posterior = self.get_posterior(params)
        return LowerCholeskyAffine(posterior.loc, linalg.cholesky(posterior.covariance_matrix))


class AutoLaplaceApproximation(AutoContinuous):
    """The mode of the posterior density in unconstrained space, and the normal that has its curvature there.

    hessian_fn : (f, x) -> the Hessian of f at x; `chainrule.engine.hessian` unless given
    Param: {prefix}_loc, float[n], which SVI moves to the mode (take Trace_ELBO; the guide is a point while it runs).
    Then get_posterior is MultivariateNormal(loc, precision_matrix = Hessian of -log p there), at the data of the last
    call, and draws, medians and quantiles are its. Raises ValueError where that Hessian is not positive definite.
    Source: MacKay (2003), "Information theory, inference, and learning algorithms", chapter 27.
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, create_plates=None, hessian_fn=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        self.hessian_fn = hessian_fn

    def first_params(self, latents, start):
        return {self.name("loc"): (start(), constraints.real_vector)}

    def sites(self, latents):
        self.check(latents)
        loc = self.params(latents)[self.name("loc")]
        z = sample(f"_{self.prefix}_latent", Delta(loc, 0.0, 1), infer=AUXILIARY)
        return self.placed(latents, latents.unravel(z), {})

    def get_posterior(self, params):
        loc, = self.values(params, "loc")
        precision = self.precision(loc, {k: v for k, v in params.items() if k != self.name("loc")})
        if not np.all(np.isfinite(linalg.cholesky(precision))):
            raise ValueError(f"AutoLaplaceApproximation: the Hessian of -log p at {self.name('loc')} is not positive "
                             "definite, so that is no mode.\nRun SVI for more steps, or with a smaller step size.")
        return MultivariateNormal(loc, precision_matrix=precision)

    def precision(self, loc, params):
        """The Hessian of -log p in unconstrained space, float[n, n], at values of the model's own params."""
        latents = self.latents
        kept = latents.program.cache.setdefault("laplace", {})
        if self.hessian_fn not in kept:
            def compute(loc, params, data):
                def energy(z):
                    with world(substitute(data=params).fresh()):
                        return -latents.program.log_joint(latents.unravel(z), data, True)
                return self.hessian_fn(energy, loc) if self.hessian_fn else hessian(energy)(loc)
            kept[self.hessian_fn] = jit(compute)
        return kept[self.hessian_fn](loc, params, latents.data)

    def get_transform(self, params):
        """z = loc + scale_tril ε."""
        posterior = self.get_posterior(params)
        return LowerCholeskyAffine(posterior.loc, posterior.scale_tril)
