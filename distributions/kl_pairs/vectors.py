"""KL divergences of distributions of vectors, matrices and directions.

For normal vectors of any structure, with q(x) = exp of a quadratic form,
    KL(p ‖ q) = -H(p) - log q(E_p x) + ½ tr(Σ_q⁻¹ Σ_p).
"""
import math

from ...engine import numpy as np
from ...engine.errors import ShapeError
from ...engine.numpy.linalg import cholesky
from ...engine.scipy import special
from ..dirichlet import Dirichlet
from ..kl import absent, kl_divergence
from ..lkj import LKJ, LKJCholesky
from ..matrix_normal import MatrixNormal
from ..multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from ..normal import Normal
from ..spherical import PowerSpherical, SphericalUniform, VonMisesFisher
from ..structured_normal import CirculantNormal, LowRankMultivariateNormal
from ..wishart import InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky
from ..wrappers import Expanded, Independent
from ..zero_sum_normal import ZeroSumNormal

NORMAL_VECTORS = [MultivariateNormal, LowRankMultivariateNormal, CirculantNormal]


@kl_divergence.register(Dirichlet, Dirichlet)
def _(p, q):
    a, c = p.concentration, q.concentration
    excess = special.digamma(a) - special.digamma(np.sum(a, -1, keepdims=True))
    return q._log_norm() - p._log_norm() + np.sum((a - c) * excess, -1)


# ---- normal vectors ----

def _spread(factor, other):
    """|L⁻¹ M|², the trace of (L L')⁻¹ M M'.   factor L, other M : [..., n, n]"""
    stretched = factor if factor.ndim == 2 else factor[..., None, :, :]
    columns = whiten(stretched, np.swapaxes(other, -1, -2))
    return np.sum(columns * columns, (-1, -2))


@kl_divergence.register(MultivariateNormal, MultivariateNormal)
def _(p, q):
    off = whiten(q.scale_tril, p.loc - q.loc)
    spread = _spread(q.scale_tril, p.scale_tril) + np.sum(off * off, -1) - p.event_shape[0]
    return 0.5 * spread + log_diagonal_sum(q.scale_tril) - log_diagonal_sum(p.scale_tril)


def _plain(d):
    """Whether d is a vector of independent normal numbers."""
    base = d
    while isinstance(base, (Independent, Expanded)):
        base = base.base_dist
    return type(base) is Normal and len(d.event_shape) == 1


def _factor(d):
    """M with M M' the covariance."""
    if isinstance(d, (MultivariateNormal, LowRankMultivariateNormal)):
        return d.scale_tril
    if isinstance(d, CirculantNormal):
        return cholesky(d.covariance_matrix)
    scale = np.sqrt(d.variance)
    return scale[..., None] * np.eye(scale.shape[-1], dtype=scale.dtype)


def _trace(p, q):
    """tr(Σ_q⁻¹ Σ_p)."""
    if isinstance(q, Independent):
        return np.sum(p.variance / q.variance, -1)
    if isinstance(q, CirculantNormal):
        inverse = q._counts() / q.covariance_rfft
        if isinstance(p, CirculantNormal):
            return np.sum(inverse * p.covariance_rfft, -1)
        if isinstance(p, Independent):
            return np.sum(inverse, -1) * np.mean(p.variance, -1)
    return _spread(_factor(q), _factor(p))


@kl_divergence.register_all([*NORMAL_VECTORS, Independent], [LowRankMultivariateNormal, CirculantNormal])
@kl_divergence.register_all([LowRankMultivariateNormal, CirculantNormal, Independent], [MultivariateNormal])
@kl_divergence.register_all(NORMAL_VECTORS, [Independent])
def _(p, q):
    if not all(_plain(d) for d in (p, q) if isinstance(d, Independent)):
        raise absent(p, q)
    return 0.5 * _trace(p, q) - q.log_prob(p.mean) - p.entropy()


@kl_divergence.register(ZeroSumNormal, ZeroSumNormal)
def _(p, q):
    if p.sizes != q.sizes:
        raise ShapeError(f"KL between ZeroSumNormal distributions of sizes {p.sizes} and {q.sizes}.")
    ratio = p.scale / q.scale
    return math.prod(n - 1 for n in p.sizes) * (0.5 * (ratio - 1.0) * (ratio + 1.0) - np.log(ratio))


# ---- matrices ----

@kl_divergence.register(MatrixNormal, MatrixNormal)
def _(p, q):
    off = q._whitened(p.loc)
    rows, columns = (_spread(getattr(q, f), getattr(p, f)) for f in ("scale_tril_row", "scale_tril_column"))
    spread = rows * columns + np.sum(off * off, (-1, -2)) - p.event_shape[0] * p.event_shape[1]
    return 0.5 * spread + q._half_log_det() - p._half_log_det()


def _wishart(nu, mu, p, mean_log_det, trace, norms):
    """½ (ν - μ) E log |X| + ½ ν (tr - p) + the ratio of the norms: Penny (2001), "KL-divergences of normal, gamma,
    Dirichlet and Wishart densities"."""
    return 0.5 * (nu - mu) * mean_log_det + 0.5 * nu * (trace - p) + norms


def _mean_log_det(d):
    """E log |X| - log |V| for X ~ Wishart(ν, V)."""
    n = d.scale_tril.shape[-1]
    halves = 0.5 * (d.concentration[..., None] - np.arange(n, dtype=d.dtype))
    return np.sum(special.digamma(halves), -1) + n * math.log(2)


@kl_divergence.register(WishartCholesky, WishartCholesky)
@kl_divergence.register(Wishart, Wishart)
def _(p, q):
    log_det = _mean_log_det(p) + 2.0 * log_diagonal_sum(p.scale_tril)
    return _wishart(p.concentration, q.concentration, p.event_shape[0], log_det,
                    _spread(q.scale_tril, p.scale_tril), q._log_norm(1.0) - p._log_norm(1.0))


@kl_divergence.register(InverseWishartCholesky, InverseWishartCholesky)
@kl_divergence.register(InverseWishart, InverseWishart)
def _(p, q):
    """That of the inverses, which are Wishart(ν, V⁻¹)."""
    log_det = _mean_log_det(p) - 2.0 * log_diagonal_sum(p.scale_tril)
    return _wishart(p.concentration, q.concentration, p.event_shape[0], log_det,
                    _spread(p.scale_tril, q.scale_tril), q._log_norm(-1.0) - p._log_norm(-1.0))


@kl_divergence.register_all([LKJ, LKJCholesky], [LKJ, LKJCholesky])
def _(p, q):
    """(η₁ - η₂) E log |C| + the ratio of the norms: of the matrices and of their factors, which have one divergence."""
    if isinstance(p, LKJ) != isinstance(q, LKJ):
        raise absent(p, q)
    log_det = 2.0 * np.sum(p._mean_log_diagonals(), -1)
    return (p.concentration - q.concentration) * log_det + q._log_norm() - p._log_norm()


# ---- directions ----

@kl_divergence.register(SphericalUniform, SphericalUniform)
def _(p, q):
    return np.zeros(())


@kl_divergence.register_all([VonMisesFisher, PowerSpherical], [SphericalUniform])
def _(p, q):
    return np.astype(q.entropy(), p.dtype) - p.entropy()


@kl_divergence.register_all([VonMisesFisher, PowerSpherical], [VonMisesFisher])
def _(p, q):
    """E (1 - μ'x) = (1 - A) + A ½ |m - μ|² for the mean A m of p."""
    mean, gap = p._moments()[0], p.mean_direction - q.mean_direction
    return q._log_norm() + q.concentration * ((1.0 - mean) + 0.5 * mean * np.sum(gap * gap, -1)) - p.entropy()


@kl_divergence.register(SphericalUniform, VonMisesFisher)
def _(p, q):
    return q._log_norm() + q.concentration - np.astype(p.entropy(), q.dtype)


@kl_divergence.register(SphericalUniform, PowerSpherical)
def _(p, q):
    """½ (1 + μ'x) is Beta((n-1)/2, (n-1)/2)."""
    b = 0.5 * (p.dimension - 1)
    return q._log_norm() - q.concentration * (special.digamma(b) - special.digamma(2.0 * b)) - p.entropy()
