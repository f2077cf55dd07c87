"""Guides with a normal of its own for each index of the sites' first axes: a block diagonal covariance."""
import math

from ....distributions import LowRankMultivariateNormal, MultivariateNormal, Normal, constraints
from ....distributions.transforms import IndependentTransform, LowerCholeskyAffine
from ....engine import numpy as np
from ....engine.numpy import linalg
from ....ppl.queries import init_to_uniform
from ....ppl.sites import SiteError
from .joint import _Scaled


class _Batched(_Scaled):
    """z : [*batch, d], for each index of the batch the sites' numbers there, in the model's order.

    batch_ndim : the number of first axes that all latent sites have in common
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, batch_ndim=1,
                 create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale,
                         create_plates=create_plates)
        if isinstance(batch_ndim, bool) or int(batch_ndim) != batch_ndim or batch_ndim < 1:
            raise ValueError(f"batch_ndim must be an integer of at least 1; got {batch_ndim!r}.")
        self.batch_ndim = int(batch_ndim)

    def check(self, latents):
        super().check(latents)
        n, first = self.batch_ndim, latents.sites[0]
        for v in latents.sites:
            if len(v.shape) - v.event_dim < n or v.shape[:n] != first.shape[:n]:
                raise SiteError(f"{type(self).__name__}: site {v.name!r} has batch shape "
                                f"{v.shape[:len(v.shape) - v.event_dim]} and {first.name!r} has shape {first.shape}; "
                                f"all sites must have the same {n} first batch axes (batch_ndim={n}).\n"
                                "Take AutoMultivariateNormal, or an AutoGuideList of guides.")

    def lead(self, latents):
        """(batch, d)"""
        batch = latents.sites[0].shape[:self.batch_ndim]
        return batch, latents.size // math.prod(batch)

    def ravel(self, latents, values):
        batch, _ = self.lead(latents)
        return np.concatenate([np.reshape(values[v.name], (*batch, -1)) for v in latents.sites], -1)

    def unravel(self, latents, z):
        batch, _ = self.lead(latents)
        out, at = {}, 0
        for v in latents.sites:
            n = math.prod(v.free_shape) // math.prod(batch)
            out[v.name] = np.reshape(z[..., at:at + n], v.free_shape)
            at += n
        return out

    def get_base_dist(self):
        batch, d = self.lead(self.latents)
        return Normal(0.0, 1.0).expand((*batch, d)).to_event(self.batch_ndim + 1)


class AutoBatchedMultivariateNormal(_Batched):
    """For each index of the first axes a normal with a full covariance, in unconstrained space.

    batch_ndim : the number of these axes, which all latent sites have in common
    Params: {prefix}_loc [*batch, d], {prefix}_scale_tril [*batch, d, d], lower triangular with a positive diagonal.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     with cr.plate("i", 5):
    ...         a = cr.sample("a", dist.Normal(0.0, 1.0))
    ...         cr.sample("b", dist.Normal(a, 1.0))
    >>> guide = AutoBatchedMultivariateNormal(model)
    >>> tr = cr.handlers.trace(cr.handlers.seed(guide, 0)).get_trace()
    >>> tr["auto_loc"]["value"].shape, tr["auto_scale_tril"]["value"].shape
    ((5, 2), (5, 2, 2))
    """
    scale_tril_constraint = constraints.scaled_unit_lower_cholesky

    def first_params(self, latents, start):
        batch, d = self.lead(latents)
        return {self.name("loc"): (start(), constraints.Independent(constraints.real_vector, self.batch_ndim)),
                self.name("scale_tril"): (np.broadcast_to(self.init_scale * np.eye(d), (*batch, d, d)),
                                          self.scale_tril_constraint)}

    def get_posterior(self, params):
        loc, scale_tril = self.values(params, "loc", "scale_tril")
        return MultivariateNormal(loc, scale_tril=scale_tril).to_event(self.batch_ndim)

    def get_transform(self, params):
        """z = loc + scale_tril ε."""
        return IndependentTransform(LowerCholeskyAffine(*self.values(params, "loc", "scale_tril")), self.batch_ndim)


class AutoBatchedLowRankMultivariateNormal(_Batched):
    """For each index of the first axes a normal with covariance D (W Wᵀ + I) D, D = diag(scale), W float[d, rank].

    batch_ndim : the number of these axes, which all latent sites have in common     rank : √d, rounded, unless given
    Params: {prefix}_loc and {prefix}_scale > 0, [*batch, d], {prefix}_cov_factor = W, [*batch, d, rank].
    """
    scale_constraint = constraints.softplus_positive

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, rank=None, batch_ndim=1,
                 create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale, batch_ndim=batch_ndim,
                         create_plates=create_plates)
        if rank is not None and (int(rank) != rank or rank < 1):
            raise ValueError(f"rank must be an integer of at least 1; got {rank!r}.")
        self.rank = rank

    def first_params(self, latents, start):
        batch, d = self.lead(latents)
        rank = self.rank or int(round(math.sqrt(d)))
        return {self.name("loc"): (start(), constraints.Independent(constraints.real_vector, self.batch_ndim)),
                self.name("cov_factor"): (np.zeros((*batch, d, rank)), constraints.real),
                self.name("scale"): (np.full((*batch, d), self.init_scale), self.scale_constraint)}

    def get_posterior(self, params):
        loc, factor, scale = self.values(params, "loc", "cov_factor", "scale")
        return LowRankMultivariateNormal(loc, factor * scale[..., None], scale * scale).to_event(self.batch_ndim)

    def get_transform(self, params):
        """z = loc + scale_tril ε, with the Cholesky factor of the covariance."""
        normal = self.get_posterior(params).base_dist
        return IndependentTransform(LowerCholeskyAffine(normal.loc, linalg.cholesky(normal.covariance_matrix)),
                                    self.batch_ndim)
