"""One row for each family of bent normals, gamma relatives and the rest of the continuous families of one number."""
import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases import Case
from tests.distributions.cases_continuous import row, two
from tests.distributions.laws import Law, Tabulated, searched

NO_ROW = (dist.TruncatedPolyaGamma, dist.Horseshoe, dist.Stable,                      # see test_continuous.py
          dist.WienerFull)                                                            # and test_wiener_full.py


def negative(law):
    return Law(lambda x: law.logpdf(-x), lambda x: law.sf(-x), lambda q: -law.ppf(1 - q),
               logcdf=lambda x: law.logsf(-x), mean=lambda: -law.mean(), var=law.var, entropy=law.entropy)


def bent(bend, loc, scale, **moments):
    """m + s bend(Z) for a normal Z and an increasing bend; the inverse by bisection, its slope by a complex step."""
    def inverse(z):
        a, b = np.full(np.shape(z), -30.0), np.full(np.shape(z), 30.0)
        with np.errstate(over="ignore"):
            for _ in range(70):
                middle = 0.5 * (a + b)
                below = bend(middle) < z
                a, b = np.where(below, middle, a), np.where(below, b, middle)
        return 0.5 * (a + b)
    def u(x):
        return inverse((x - loc) / scale)
    def logpdf(x):
        at = u(x)
        return stats.norm.logpdf(at) - np.log(np.imag(bend(at + 1e-20j)) * 1e20) - np.log(scale)
    return Law(logpdf, lambda x: stats.norm.cdf(u(x)), lambda q: loc + scale * bend(stats.norm.ppf(q)),
               logcdf=lambda x: stats.norm.logcdf(u(x)), **moments)


def sinh_arcsinh(loc, scale, skewness, tailweight):
    """Moments by Bessel functions: Jones & Pewsey (2009), §2.3."""
    unit, turn = 2 / np.sinh(tailweight * np.arcsinh(2.0)), tailweight * skewness
    def mean_cosh(q):
        return np.exp(0.25) / np.sqrt(8 * np.pi) * (special.kv((q + 1) / 2, 0.25) + special.kv((q - 1) / 2, 0.25))
    first = np.sinh(turn) * mean_cosh(tailweight)
    second = 0.5 * (np.cosh(2 * turn) * mean_cosh(2 * tailweight) - 1)
    return bent(lambda u: unit * np.sinh(tailweight * (np.arcsinh(u) + skewness)), loc, scale,
                mean=lambda: loc + scale * unit * first, var=lambda: (scale * unit) ** 2 * (second - first ** 2))


def lambert_w_normal(loc, scale, tailweight):
    return bent(lambda u: u * np.exp(tailweight * u * u / 2), loc, scale, mean=lambda: loc + 0 * scale,
                var=lambda: scale ** 2 * (1 - 2 * tailweight) ** -1.5)


def two_piece(law, loc, scale, skewness):
    left, right = scale / skewness, scale * skewness
    share = left / (left + right)
    first = law.expected_size
    def logpdf(x):
        return np.log(2 / (left + right)) + law.logpdf((x - loc) / np.where(x < loc, left, right))
    def cdf(x):
        return np.where(x < loc, 2 * share * law.cdf((x - loc) / left), 1 - 2 * (1 - share) * law.sf((x - loc) / right))
    def ppf(q):
        up = law.isf(np.minimum((1 - q) / (2 * (1 - share)), 0.5))
        return loc + np.where(q < share, left * law.ppf(np.minimum(q / (2 * share), 0.5)), right * up)
    second = law.var() * (left ** 3 + right ** 3) / (left + right)
    return Law(logpdf, cdf, ppf, mean=lambda: loc + (right - left) * first,
               var=lambda: second - ((right - left) * first) ** 2)


class Sized:
    """A law of SciPy with its mean size E |X|."""

    def __init__(self, law, expected_size):
        self.law, self.expected_size = law, expected_size

    def __getattr__(self, name):
        return getattr(self.law, name)


def student_size(df):
    return 2 * np.sqrt(df) / ((df - 1) * special.beta(df / 2, 0.5))


def sigmoid_beta(concentration1, concentration0):
    a, b = concentration1, concentration0
    law = stats.beta(a, b)
    return Law(lambda x: law.logpdf(special.expit(x)) + special.log_expit(x) + special.log_expit(-x),
               lambda x: law.cdf(special.expit(x)), lambda q: special.logit(law.ppf(q)),
               mean=lambda: special.digamma(a) - special.digamma(b),
               var=lambda: special.polygamma(1, a) + special.polygamma(1, b))


def beta_quotient(concentration1_numerator, concentration0_numerator, concentration1_denominator,
                  concentration0_denominator):
    """By Gauss' hypergeometric function."""
    a, b = concentration1_numerator, concentration0_numerator
    c, d = concentration1_denominator, concentration0_denominator
    norm = special.betaln(a, b) + special.betaln(c, d)
    def lower(x, a, b, c, d):
        h = special.hyp2f1(a + c, 1 - b, a + c + d, x)
        return special.betaln(a + c, d) + np.log(h) + (a - 1) * np.log(x)
    def logpdf(x):
        return np.where(x <= 1, lower(np.minimum(x, 1), a, b, c, d),
                        lower(np.minimum(1 / x, 1), c, d, a, b) - 2 * np.log(x)) - norm
    edges = np.exp(np.linspace(-14, 9, 231)).reshape((-1, *(1,) * np.ndim(norm)))
    edges = np.broadcast_to(np.sort(np.append(edges, 1.0)).reshape((-1, *(1,) * np.ndim(norm))),
                            (len(edges) + 1, *np.shape(norm)))
    def raw(n):
        return np.exp(special.betaln(a + n, b) + special.betaln(c - n, d) - norm)
    return Tabulated(logpdf, edges, raw(1), raw(2) - raw(1) ** 2)


def polya_gamma(h, z):
    """By the alternating series over the hitting times of a Brownian motion."""
    n = np.arange(60.0)
    def logpdf(x):
        x = np.asarray(x)[..., None]
        k = h[..., None]
        terms = np.exp(special.gammaln(n + k) - special.gammaln(n + 1) - (2 * n + k) ** 2 / (8 * x)) * (2 * n + k)
        total = np.maximum(np.sum((-1) ** n * terms, -1), 1e-300)
        return (np.log(total) + (h - 1) * np.log(2) - special.gammaln(h) - 0.5 * np.log(2 * np.pi * x[..., 0] ** 3)
                + h * np.log(np.cosh(z / 2)) - z ** 2 * x[..., 0] / 2)
    batch = np.shape(h + z)
    edges = np.broadcast_to(np.exp(np.linspace(-6, 3, 241)).reshape((-1, *(1,) * len(batch))), (241, *batch))
    var = h / (4 * z ** 3) * (np.sinh(z) - z) / np.cosh(z / 2) ** 2
    return Tabulated(logpdf, edges, h / (2 * z) * np.tanh(z / 2), var)


def bates(low, high):
    """For five numbers, by the alternating sum of powers."""
    n, width = 5, (high - low) / 5
    def powers(x, power):
        t = np.clip((x - low) / width, 0, n)
        t = np.minimum(t, n - t)                             # the half with little cancellation
        return sum((-1) ** k * special.comb(n, k) * np.maximum(t - k, 0) ** power for k in range(3))
    def cdf(x):
        tail = powers(x, n) / 120
        return np.where(2 * x < low + high, tail, 1 - tail)
    def logpdf(x):
        return np.log(powers(x, n - 1) / 24 / width)
    law = Law(logpdf, cdf, None, mean=lambda: (low + high) / 2, var=lambda: (high - low) ** 2 / 60)
    return searched(law, -5.0, 9.0)


def wiener(alpha, tau, beta, delta):
    """By the series of sines, and that of images only where it has a single term to speak of."""
    def logpdf(x):
        s = (np.abs(x) - tau) / alpha ** 2
        w, v = np.where(x > 0, 1 - beta, beta), np.where(x > 0, delta, -delta) * alpha
        late, early = np.maximum(s, 0.1), np.clip(s, 1e-4, 0.1)
        waves = sum(k * np.exp(-(k * np.pi) ** 2 * late / 2) * np.sin(k * np.pi * w) for k in range(1, 20)) * np.pi
        images = sum((w + 2 * k) * np.exp(-(w + 2 * k) ** 2 / (2 * early)) for k in range(-2, 3))
        density = np.where(s > 0.1, waves, images / np.sqrt(2 * np.pi * early ** 3))
        return np.where(s > 1e-4, np.log(density) + v * w - v * v * s / 2 - 2 * np.log(alpha), -np.inf)
    shape = np.shape(alpha + tau + beta + delta)
    times = tau + alpha ** 2 * np.exp(np.linspace(np.log(2e-3), np.log(40), 140)).reshape((-1, *(1,) * len(shape)))
    times = np.broadcast_to(times, (140, *shape))
    spread = alpha ** 2 * np.exp(np.linspace(np.log(2e-3), np.log(60), 2000)).reshape((-1, *(1,) * len(shape)))
    weight = spread * np.log(60 / 2e-3) / 1999               # the trapezoidal rule over log t
    up, down = np.exp(logpdf(tau + spread)), np.exp(logpdf(-tau - spread))
    mean = np.sum(weight * (up - down) * (tau + spread), 0)
    square = np.sum(weight * (up + down) * (tau + spread) ** 2, 0)
    return Tabulated(logpdf, np.concatenate([-times[::-1], times]), mean, square - mean ** 2)


CASES = [
    row(dist.ExpGamma, two(concentration=2.5, rate=3.0),
        lambda concentration, rate: stats.loggamma(concentration, -np.log(rate)), bad=dict(rate=0.0)),
    row(dist.ExpInverseGamma, two(concentration=2.5, scale=3.0),
        lambda concentration, scale: negative(stats.loggamma(concentration, -np.log(scale))), bad=dict(scale=0.0)),
    row(dist.GammaGamma, two(concentration=2.5, mixing_concentration=3.5, mixing_rate=2.0),
        lambda concentration, mixing_concentration, mixing_rate: stats.betaprime(concentration, mixing_concentration, 0,
                                                                                 mixing_rate),
        outside=(-1.0, 0.0), slow=True, bad=dict(mixing_rate=0.0)),
    row(dist.FisherSnedecor, two(df1=3.0, df2=9.0), lambda df1, df2: stats.f(df1, df2), outside=(-1.0, 0.0),
        slow=True, bad=dict(df1=0.0)),
    row(dist.JohnsonSU, two(skewness=0.5, tailweight=1.5, loc=0.2, scale=2.0),
        lambda skewness, tailweight, loc, scale: stats.johnsonsu(skewness, tailweight, loc, scale),
        bad=dict(tailweight=0.0)),
    row(dist.SinhArcsinh, two(loc=0.2, scale=2.0, skewness=0.3, tailweight=1.2), sinh_arcsinh,
        bad=dict(tailweight=0.0)),
    row(dist.LambertWNormal, two(loc=0.2, scale=2.0, tailweight=0.2), lambert_w_normal, bad=dict(tailweight=-1.0)),
    row(dist.GeneralizedNormal, two(loc=0.2, scale=2.0, power=1.7),
        lambda loc, scale, power: stats.gennorm(power, loc, scale), bad=dict(power=0.0)),
    row(dist.TwoPieceNormal, two(loc=0.2, scale=2.0, skewness=1.5),
        lambda loc, scale, skewness: two_piece(Sized(stats.norm(), np.sqrt(2 / np.pi)), loc, scale, skewness),
        bad=dict(skewness=0.0)),
    row(dist.TwoPieceStudentT, two(df=4.5, loc=0.2, scale=2.0, skewness=1.5),
        lambda df, loc, scale, skewness: two_piece(Sized(stats.t(df), student_size(df)), loc, scale, skewness),
        slow=True, bad=dict(df=0.0)),
    row(dist.SigmoidBeta, two(concentration1=2.0, concentration0=3.0), sigmoid_beta, slow=True,
        bad=dict(concentration1=0.0)),
    row(dist.BetaQuotient, two(concentration1_numerator=2.0, concentration0_numerator=3.0,
                               concentration1_denominator=3.5, concentration0_denominator=2.5), beta_quotient,
        outside=(-1.0, 0.0), slow=True, bad=dict(concentration1_numerator=0.0)),
    row(dist.NoncentralChi2, two(df=3.5, noncentrality=2.0), lambda df, noncentrality: stats.ncx2(df, noncentrality),
        outside=(-1.0, 0.0), slow=True, bad=dict(df=0.0, noncentrality=-1.0)),
    row(dist.PolyaGamma, two(h=1.5, z=0.7), polya_gamma, outside=(-1.0, 0.0), slow=True, bad=dict(h=0.0)),
    Case("Bates", lambda low, high, **kwargs: dist.Bates(5, low, high, **kwargs),
         [dict(low=-1.0, high=2.0), dict(low=0.0, high=[1.0, 2.0])],
         bates, (dist.Bates,), outside=(-1.5, 4.0), bad=dict(high=-2.0)),
    row(dist.Wiener, two(alpha=1.5, tau=0.2, beta=0.5, delta=0.7), wiener, outside=(0.0, -0.1), slow=True,
        bad=dict(alpha=0.0, beta=1.5)),
]
