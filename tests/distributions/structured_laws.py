"""Laws of vectors, matrices, directions and series, for cases_multivariate.py.

A law here has the density of one event in another form than the library's (SciPy, a dense matrix, a change of
variables, quadrature, a loop over time), and statistics of draws whose distribution is known.
"""
import dataclasses
import functools
import math

import numpy as np
from scipy import integrate, special, stats

from chainrule.engine import random
from tests.distributions.cases import Case


@dataclasses.dataclass
class Structured(Case):
    """A row whose parameters may be anything, and whose events may have any support."""
    structured: bool = True

    def check(self, i=0):
        law = self.reference(**self.params[i])
        law.family = lambda: self.make(i)
        return law


class Law:
    """logpdf : the log density of one event, a list of them for a batch          shape : the batch
    statistics : of draws x [n, *shape, *event], pairs of n numbers and the cdf that they follow
    """

    def __init__(self, logpdf, event_dim, shape=(), mean=None, var=None, entropy=None, statistics=None, marginal=None):
        self.each = logpdf if isinstance(logpdf, list) else [logpdf]
        self.event_dim, self.shape = event_dim, shape
        for name, value in (("mean", mean), ("var", var), ("entropy", entropy)):
            if value is not None:
                setattr(self, name, lambda value=value: np.asarray(value))
        if marginal is not None:
            self.marginal = marginal
        self.statistics = statistics or self.of_marginal

    def of_marginal(self, x):
        for at in np.ndindex(x.shape[1:]):
            where = (slice(None), *at)
            yield x[where], functools.partial(self.element_cdf, at=at, shape=x.shape[1:])

    def element_cdf(self, v, at, shape):
        p = self.marginal.cdf(v.reshape((-1, *(1,) * len(shape))))
        return np.broadcast_to(p, (len(v), *shape))[(slice(None), *at)]

    def logpdf(self, x):
        lead = x.ndim - len(self.shape) - self.event_dim
        flat = np.reshape(x, (-1, len(self.each), *x.shape[x.ndim - self.event_dim:]))
        out = [[f(v) for f, v in zip(self.each, row)] for row in flat]
        return np.reshape(np.asarray(out, float), (*x.shape[:lead], *self.shape))

    def points(self, n):
        return np.asarray(self.family().sample(random.key(11), (n,)))


def normal(mean, cov, shape=(), event=None, **options):
    """The law of normal vectors (or arrays of shape `event`) by a dense covariance matrix [*shape, n, n]."""
    cov = np.asarray(cov, float)
    n = cov.shape[-1]
    mean = np.broadcast_to(np.asarray(mean, float), (*shape, n))
    frozen = [stats.multivariate_normal(m, c, **options)
              for m, c in zip(mean.reshape(-1, n), np.broadcast_to(cov, (*shape, n, n)).reshape(-1, n, n))]
    event = (n,) if event is None else event
    var = np.broadcast_to(np.diagonal(cov, 0, -2, -1), (*shape, n)).reshape((*shape, *event))
    mean = mean.reshape((*shape, *event))
    entropy = None if options else np.reshape([f.entropy() for f in frozen], shape)
    return Law([lambda v, f=f: f.logpdf(np.ravel(v)) for f in frozen], len(event), shape, mean, var, entropy,
               marginal=stats.norm(mean, np.sqrt(var)))


def linear_recursion(num_steps, transition_matrix, covariance_matrix=None, scale_tril=None, initial_value=(0.0, 0.0)):
    """The states by the dense matrix that takes all noise to all states."""
    cov = covariance_matrix if scale_tril is None else scale_tril @ scale_tril.T
    powers = [np.linalg.matrix_power(transition_matrix, k) for k in range(num_steps + 1)]
    zero = np.zeros_like(cov)
    path = np.block([[powers[t - s] if s <= t else zero for s in range(num_steps)] for t in range(num_steps)])
    first = np.asarray(initial_value)
    mean = np.stack([first @ power.T for power in powers[1:]], -2)
    shape = first.shape[:-1]
    dense = path @ np.kron(np.eye(num_steps), cov) @ path.T
    return normal(mean.reshape((*shape, -1)), np.broadcast_to(dense, (*shape, *dense.shape)), shape,
                  (num_steps, first.shape[-1]))


MATRIX = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 1.5]])
FACTOR = np.linalg.cholesky(MATRIX)
SMALL = np.array([[1.2, 0.3], [0.3, 0.8]])
SMALL_FACTOR = np.linalg.cholesky(SMALL)
LOC = np.array([0.5, -1.0, 0.2])
CORRELATION = np.array([[1.0, 0.6], [0.6, 1.0]])
GRAPH = np.array([[0.0, 1.0, 0.5, 1.0], [1.0, 0.0, 1.0, 0.0], [0.5, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]])
LAPLACIAN = np.diag(GRAPH.sum(1)) - GRAPH


# ---- vectors and matrices ----

def multivariate_t(df, loc, scale_tril):
    df, n = np.asarray(df), scale_tril.shape[-1]
    frozen = [stats.multivariate_t(loc, scale_tril @ scale_tril.T, nu) for nu in df.ravel()]
    sd = np.sqrt((scale_tril ** 2).sum(-1))
    return Law([f.logpdf for f in frozen], 1, df.shape, np.broadcast_to(loc, (*df.shape, n)),
               sd ** 2 * (df / (df - 2))[..., None], np.reshape([f.entropy() for f in frozen], df.shape),
               marginal=stats.t(df[..., None], loc, sd))


def low_rank(loc, cov_factor, cov_diag):
    w = np.asarray(cov_factor)
    cov = w @ np.swapaxes(w, -1, -2) + np.asarray(cov_diag)[..., None] * np.eye(w.shape[-2])
    return normal(loc, cov, cov.shape[:-2])


def circulant(loc, covariance_row):
    n = len(covariance_row)
    return normal(loc, [[covariance_row[(j - i) % n] for j in range(n)] for i in range(n)])


def kronecker(loc, covs, sigma=None):
    cov = np.kron(*covs)
    return normal(loc, cov + (0.0 if sigma is None else sigma ** 2) * np.eye(len(cov)))


def matrix_normal(loc, scale_tril_row, scale_tril_column):
    cov = np.kron(scale_tril_row @ scale_tril_row.T, scale_tril_column @ scale_tril_column.T)
    return normal(np.ravel(loc), cov, event=loc.shape)


def matrix_t(df, loc, scale_tril_row, scale_tril_column):
    """The density by Γₚ and a p × p determinant where the library takes Γₙ, and the other way round."""
    rows, columns = scale_tril_row @ scale_tril_row.T, scale_tril_column @ scale_tril_column.T
    n, p = loc.shape
    top = 0.5 * (df + n + p - 1)

    def logpdf(x):
        y = x - loc
        inner = np.eye(n) + np.linalg.solve(rows, y) @ np.linalg.solve(columns, y.T)
        return (special.multigammaln(top, n) - special.multigammaln(top - 0.5 * p, n) - 0.5 * n * p * math.log(math.pi)
                - 0.5 * p * np.linalg.slogdet(rows)[1] - 0.5 * n * np.linalg.slogdet(columns)[1]
                - top * np.linalg.slogdet(inner)[1])
    square = np.outer(np.diag(rows), np.diag(columns))
    return Law(logpdf, 2, (), loc, square / (df - 2), marginal=stats.t(df, loc, np.sqrt(square / df)))


def zero_sum(scale, event_shape):
    cov = functools.reduce(np.kron, [np.eye(n) - 1 / n for n in event_shape])
    scale = np.asarray(scale)
    return normal(0.0, scale[..., None, None] ** 2 * cov, scale.shape, event_shape, allow_singular=True)


def car(loc, correlation, conditional_precision, adj_matrix, is_sparse=False):
    alpha = np.asarray(correlation)
    precision = conditional_precision * (np.diag(adj_matrix.sum(1)) - alpha[..., None, None] * adj_matrix)
    return normal(loc, np.linalg.inv(precision), alpha.shape)


def icar(adj_matrix, scale, zero_sum_stdev):
    n = len(adj_matrix)
    return normal(0.0, np.linalg.inv(LAPLACIAN / scale ** 2 + np.ones((n, n)) / (n * zero_sum_stdev) ** 2))


def copula(concentration1, concentration0, correlation_matrix):
    marginal = stats.beta(concentration1, concentration0)

    def logpdf(x):
        z = stats.norm.ppf(marginal.cdf(x))
        joint = stats.multivariate_normal(np.zeros(len(x)), correlation_matrix).logpdf(z)
        return joint + np.sum(marginal.logpdf(x) - stats.norm.logpdf(z))
    return Law(logpdf, 1, (), marginal.mean(), marginal.var(), marginal=marginal)


def logistic_copula(correlation_cholesky):
    marginal = stats.logistic([0.0, 1.0], 0.5)

    def logpdf(x):
        z = stats.norm.ppf(marginal.cdf(x))
        joint = stats.multivariate_normal(np.zeros(2), correlation_cholesky @ correlation_cholesky.T).logpdf(z)
        return joint + np.sum(marginal.logpdf(x) - stats.norm.logpdf(z))
    return Law(logpdf, 1, (), marginal.mean(), marginal.var(), marginal=marginal)


def sticks(w):
    """The parts that are broken off, and what there was before each."""
    before = 1 - np.concatenate([np.zeros_like(w[..., :1]), np.cumsum(w, -1)[..., :-2]], -1)
    return w[..., :-1] / before, before


def stick_breaking(concentration, num_sticks):
    a = np.asarray(concentration)

    def logpdf(w, a):
        v, before = sticks(w)
        return np.sum(stats.beta(1, a).logpdf(v) - np.log(before))
    k = np.arange(num_sticks)
    first = np.concatenate([(a / (1 + a))[..., None] ** k / (1 + a)[..., None],
                            (a / (1 + a))[..., None] ** num_sticks], -1)
    left = (a / (a + 2))[..., None]
    second = np.concatenate([left ** k * (2 / ((1 + a) * (2 + a)))[..., None], left ** num_sticks], -1)
    return Law([functools.partial(logpdf, a=each) for each in a.ravel()], 1, a.shape, first, second - first ** 2,
               statistics=lambda x: [(sticks(x)[0][(slice(None), *at)], stats.beta(1, a[at[:-1]]).cdf)
                                     for at in np.ndindex(*a.shape, num_sticks)])


def logistic_normal(loc, scale):
    def scores(w):
        v, before = sticks(w)
        n = v.shape[-1]
        return special.logit(v) + np.log(np.arange(n, 0, -1)), v, before

    def logpdf(w):
        u, v, before = scores(w)
        return np.sum(stats.norm(loc, scale).logpdf(u) - np.log(v * (1 - v) * before))
    return Law(logpdf, 1, statistics=lambda x: [(scores(x)[0][:, k], stats.norm(loc[k], scale[k]).cdf)
                                                for k in range(len(loc))])


# ---- correlations and covariances ----

def vine_log_density(factor, eta):
    """The density of a correlation matrix's factor, as that of independent partial correlations (a C-vine)."""
    n, total = len(factor), 0.0
    for i in range(1, n):
        left = 1.0
        for j in range(i):
            b = eta + 0.5 * (n - 2 - j)
            r = factor[i, j] / math.sqrt(left)
            total += stats.beta(b, b, -1, 2).logpdf(r) - 0.5 * math.log(left)
            left *= 1 - r * r
    return total


def correlations(x, dimension, eta):
    b = eta + 0.5 * (dimension - 2)
    return [(x[(slice(None), *at, i, j)], stats.beta(b[at], b[at], -1, 2).cdf)
            for at in np.ndindex(eta.shape) for i in range(dimension) for j in range(i)]


def lkj_cholesky(dimension, concentration, sample_method="onion"):
    eta = np.asarray(concentration)
    return Law([functools.partial(vine_log_density, eta=e) for e in eta.ravel()], 2, eta.shape,
               statistics=lambda x: correlations(x @ np.swapaxes(x, -1, -2), dimension, eta))


def lkj(dimension, concentration, sample_method="onion"):
    eta = np.asarray(concentration)

    def logpdf(c, e):
        factor = np.linalg.cholesky(c)                   # |dC / dL| = Π Lᵢᵢ^(n - i)
        stretch = np.sum(np.arange(dimension - 1, -1, -1) * np.log(np.diag(factor)))
        return vine_log_density(factor, e) - stretch
    return Law([functools.partial(logpdf, e=e) for e in eta.ravel()], 2, eta.shape,
               statistics=lambda x: correlations(x, dimension, eta))


def lkj_cov(concentration):
    """2 × 2: standard deviations a and s = √(b² + c²), correlation b / s with ∂(s, r) / ∂(b, c) = c / s²."""
    sd = stats.lognorm(0.4, 0, math.exp(0.2))

    def logpdf(x):
        a, b, c = x[0, 0], x[1, 0], x[1, 1]
        s = math.hypot(b, c)
        r = stats.beta(concentration, concentration, -1, 2).logpdf(b / s)
        return sd.logpdf(a) + sd.logpdf(s) + r + math.log(c / s ** 2)

    def statistics(x):
        s = np.sqrt((x ** 2).sum(-1))
        r = stats.beta(concentration, concentration, -1, 2)
        return [(s[:, 0], sd.cdf), (s[:, 1], sd.cdf), (x[:, 1, 0] / s[:, 1], r.cdf)]
    return Law(logpdf, 2, statistics=statistics)


def log_stretch(a):
    """log |d(A A') / dA| over the lower triangles, by the matrix of the linear map dA -> dA A' + A dA'."""
    n = len(a)
    at = np.tril_indices(n)
    columns = []
    for i, j in zip(*at):
        d = np.zeros((n, n))
        d[i, j] = 1.0
        columns.append((d @ a.T + a @ d.T)[at])
    return np.linalg.slogdet(np.array(columns))[1]


def wishart_like(make, moments, inverse=False, factor=False):
    def reference(concentration, scale_matrix):
        nu, v = np.asarray(concentration), np.asarray(scale_matrix)
        frozen = [make(each, v) for each in nu.ravel()]

        def logpdf(x, law):
            return law.logpdf(x @ x.T) + log_stretch(x) if factor else law.logpdf(x)

        def statistics(x):
            full = x @ np.swapaxes(x, -1, -2) if factor else x
            full, scale = (np.linalg.inv(full), np.linalg.inv(v)) if inverse else (full, v)
            return [(full[(slice(None), *at, i, i)] / scale[i, i], stats.chi2(nu[at]).cdf)
                    for at in np.ndindex(nu.shape) for i in range(len(v))]
        first, second = moments(nu[..., None, None], v) if not factor else (None, None)
        # SciPy's entropy of an inverse Wishart matrix is not the mean of its own -logpdf; see test_multivariate.py
        entropy = None if factor or inverse else np.reshape([law.entropy() for law in frozen], nu.shape)
        return Law([functools.partial(logpdf, law=law) for law in frozen], 2, nu.shape, first, second, entropy,
                   statistics=statistics)
    return reference


def wishart_moments(nu, v):
    d = np.diag(v)
    return nu * v, nu * (v ** 2 + np.outer(d, d))


def inverse_wishart_moments(nu, v):
    p, d = len(v), np.diag(v)
    top = (nu - p + 1) * v ** 2 + (nu - p - 1) * np.outer(d, d)
    return v / (nu - p - 1), top / ((nu - p) * (nu - p - 1) ** 2 * (nu - p - 3))


# ---- directions ----

def table_cdf(density, low, high, n=20001):
    """The cdf of an unnormalised density, by the trapezoidal rule."""
    at = np.linspace(low, high, n)
    total = integrate.cumulative_trapezoid(density(at), at, initial=0.0)
    return lambda v: np.interp(v, at, total / total[-1])


def von_mises_fisher(mean_direction, concentration):
    mu, n = np.asarray(mean_direction), len(mean_direction)
    law = stats.vonmises_fisher(mu, concentration)
    cdf = table_cdf(lambda a: np.exp(concentration * (np.cos(a) - 1)) * np.sin(a) ** (n - 2), 0.0, math.pi)
    ratio = special.ive(n / 2, concentration) / special.ive(n / 2 - 1, concentration)
    across = ratio / concentration
    along = 1 - (n - 1) * across - ratio ** 2
    return Law(law.logpdf, 1, (), ratio * mu, along * mu ** 2 + across * (1 - mu ** 2), law.entropy(),
               statistics=lambda x: [(np.arccos(np.clip(x @ mu, -1, 1)), cdf)])


def power_spherical(mean_direction, concentration):
    """The density of ½ (1 + μ'x), a beta number, over the area of the directions that have it."""
    mu, n = np.asarray(mean_direction), len(mean_direction)
    z = stats.beta((n - 1) / 2 + concentration, (n - 1) / 2)
    log_area = math.log(2) + (n - 1) / 2 * math.log(math.pi) - math.lgamma((n - 1) / 2)

    def logpdf(x):
        t = x @ mu
        return z.logpdf((1 + t) / 2) - math.log(2) - log_area - (n - 3) / 2 * math.log1p(-t * t)
    first, second = 2 * z.mean() - 1, 4 * z.var() + (2 * z.mean() - 1) ** 2
    across = (1 - second) / (n - 1)
    return Law(logpdf, 1, (), first * mu, (second - first ** 2) * mu ** 2 + across * (1 - mu ** 2),
               statistics=lambda x: [((1 + x @ mu) / 2, z.cdf)])


def quadrature(f):
    return integrate.quad(f, 0, math.inf, epsabs=0, epsrel=1e-12)[0]


def damped(s, c):
    """E exp(-s |z|²) for z ~ N(c, I): with 1/|z| = 2/√π ∫ exp(-s² |z|²) ds it gives the moments of z / |z|."""
    return (1 + 2 * s) ** (-len(c) / 2) * math.exp(-s * (c @ c) / (1 + 2 * s))


def projected_normal(concentration):
    c = np.asarray(concentration)

    def logpdf(x):
        t, n = c @ x, len(c)
        density = integrate.quad(lambda r: r ** (n - 1) * math.exp(-0.5 * (r - t) ** 2), 0, max(t, 0) + 12,
                                 points=[max(t, 0.1)], epsrel=1e-13, epsabs=0)[0]
        return math.log(density) + 0.5 * (t * t - c @ c) - 0.5 * n * math.log(2 * math.pi)
    n = len(c)
    first = c * quadrature(lambda s: 2 / math.sqrt(math.pi) * damped(s * s, c) / (1 + 2 * s * s))
    second = [quadrature(lambda s, a=a: damped(s, c) * (1 / (1 + 2 * s) + a * a / (1 + 2 * s) ** 2)) for a in c]
    if n == 2:                                           # the angle to c: by its density
        size, sign = math.hypot(*c), math.atan2(c[1], c[0])
        cdf = table_cdf(lambda a: np.array([math.exp(logpdf(c * math.cos(v) / size + c[::-1] * [-1, 1] *
                                                            math.sin(v) / size)) for v in a]), -math.pi, math.pi, 401)
        return Law(logpdf, 1, (), first, second - first ** 2, statistics=lambda x: [
            ((np.arctan2(x[:, 1], x[:, 0]) - sign + math.pi) % (2 * math.pi) - math.pi, cdf)])
    return Law(logpdf, 1, (), first, second - first ** 2, statistics=lambda x: [])


def sine_von_mises(phi_loc, psi_loc, phi_concentration, psi_concentration, correlation, skewness=(0.0, 0.0)):
    """The normaliser by the series of Singh et al., Σ (2m choose m) (λ²/4k₁k₂)ᵐ Iₘ(k₁) Iₘ(k₂)."""
    k1, k2, lam = phi_concentration, psi_concentration, correlation
    m = np.arange(60)
    terms = special.binom(2 * m, m) * (lam ** 2 / (4 * k1 * k2)) ** m * special.iv(m, k1) * special.iv(m, k2)
    log_norm = math.log(4 * math.pi ** 2 * terms.sum())
    loc, s = np.array([phi_loc, psi_loc]), np.asarray(skewness)

    def logpdf(x):
        a, b = x - loc
        return (k1 * math.cos(a) + k2 * math.cos(b) + lam * math.sin(a) * math.sin(b) - log_norm
                + math.log1p(s @ np.sin(x - loc)))

    def statistics(x):
        for i, (one, other) in enumerate(((k1, k2), (k2, k1))):
            def density(a, one=one, other=other, i=i):
                size = np.sqrt(other ** 2 + (lam * np.sin(a)) ** 2)
                lean = s[1 - i] * special.iv(1, size) / special.iv(0, size) * lam * np.sin(a) / size
                return np.exp(one * np.cos(a)) * special.iv(0, size) * (1 + s[i] * np.sin(a) + lean)
            yield (x[:, i] - loc[i] + math.pi) % (2 * math.pi) - math.pi, table_cdf(density, -math.pi, math.pi)
    return Law(logpdf, 1, statistics=statistics)


# ---- series ----

def gaussian_walk(scale, num_steps, drift=0.0):
    scale, t = np.asarray(scale), np.arange(1, num_steps + 1)
    return normal(np.asarray(drift)[..., None] * t, scale[..., None, None] ** 2 * np.minimum.outer(t, t), scale.shape)


def student_walk(num_steps):
    def logpdf(x):
        return stats.norm(0.3, 2.0).logpdf(x[0]) + stats.t(6.0, 0.1, 0.7).logpdf(np.diff(x)).sum()

    def statistics(x):
        yield x[:, 0], stats.norm(0.3, 2.0).cdf
        yield np.diff(x, axis=-1).ravel(), stats.t(6.0, 0.1, 0.7).cdf
    t = np.arange(num_steps + 1)
    return Law(logpdf, 1, (), 0.3 + 0.1 * t, 4.0 + 0.49 * 1.5 * t, statistics=statistics)


def vector_walk(scale_tril, num_steps):
    t = np.arange(num_steps + 1)
    cov = np.kron(np.minimum.outer(t, t), scale_tril @ scale_tril.T) + np.kron(np.ones((t.size,) * 2), np.eye(2))
    return normal(np.kron(t, [0.1, -0.2]), cov, event=(num_steps + 1, 2))


def autoregression(coefs, scale, constant, num_steps):
    """B x = e for a lower triangular matrix B: x is normal with covariance B⁻¹ cov(e) B'⁻¹."""
    p, n = len(coefs), len(coefs) + num_steps
    b = np.eye(n)
    for t in range(p, n):
        b[t, t - p:t] = -np.asarray(coefs)[::-1]
    inverse = np.linalg.inv(b)
    sd = np.r_[np.full(p, 1.5), np.full(num_steps, scale)]
    return normal(inverse @ np.r_[np.zeros(p), np.full(num_steps, constant)], inverse * sd ** 2 @ inverse.T)


def garch(omega, alpha_1, beta_1, initial_vol, num_steps):
    def scales(y):
        v, out = np.full(y.shape[:-1], initial_vol ** 2), []
        for t in range(num_steps):
            out.append(np.sqrt(v))
            v = omega + alpha_1 * y[..., t] ** 2 + beta_1 * v
        return np.stack(out, -1)
    total, stationary = alpha_1 + beta_1, omega / (1 - alpha_1 - beta_1)
    var = stationary + total ** np.arange(num_steps) * (initial_vol ** 2 - stationary)
    return Law(lambda y: stats.norm(0.0, scales(y)).logpdf(y).sum(), 1, (), np.zeros(num_steps), var,
               statistics=lambda x: [((x / scales(x)).ravel(), stats.norm.cdf)])


def relax(x, t, rate):
    return -rate * x, 0.5 + 0.1 * x * x


def diffusion(t, rate):
    gaps = np.diff(t)

    def residuals(x):
        mean = x[..., :-1] * (1 - rate * gaps)
        return (x[..., 1:] - mean), (0.5 + 0.1 * x[..., :-1] ** 2) * np.sqrt(gaps)

    def logpdf(x):
        r, s = residuals(x)
        return stats.norm(1.0, 0.2).logpdf(x[0]) + stats.norm(0.0, s).logpdf(r).sum()

    def statistics(x):
        r, s = residuals(x)
        return [(x[:, 0], stats.norm(1.0, 0.2).cdf), ((r / s).ravel(), stats.norm.cdf)]
    return Law(logpdf, 1, statistics=statistics)
