"""One row for each continuous family of one number that is not in cases.py itself."""
import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases import Case
from tests.distributions.laws import Law, Tabulated, part, searched


def expit(x):
    return special.expit(x)


def row(family, params, reference, **kwargs):
    return Case(family.__name__, family, params, reference, (family,), **kwargs)


def two(**first):
    """A number and a [2, 1] column for each parameter, the second ones somewhat larger."""
    return [first, {name: [[v], [1.3 * v]] for name, v in first.items()}]


def laplace_quantile(loc, scale, quantile):
    return stats.laplace_asymmetric(np.sqrt(quantile / (1 - quantile)), loc, scale / np.sqrt(quantile * (1 - quantile)))


def soft_asymmetric_laplace(loc, scale, asymmetry, softness):
    """The convolution of the normal with the two exponentials, each of them SciPy's exponnorm."""
    s, left, right = scale * softness, scale * asymmetry, scale / asymmetry
    def up(x):
        return stats.exponnorm.logpdf(x, right / s, loc, s) + np.log(right / (left + right))
    def down(x):
        return stats.exponnorm.logpdf(-x, left / s, -loc, s) + np.log(left / (left + right))
    t = np.linspace(-1, 1, 241).reshape((-1, *(1,) * np.ndim(loc + s)))
    return Tabulated(lambda x: np.logaddexp(up(x), down(x)), loc + (s + left + right) * np.sinh(5 * t) * 0.6,
                     loc + right - left, s ** 2 + left ** 2 + right ** 2)


def normal_inverse_gaussian(loc, scale, tailweight, skewness):
    law = stats.norminvgauss(tailweight * scale, skewness * scale, loc, scale)
    t = np.linspace(-1, 1, 241).reshape((-1, *(1,) * np.ndim(law.mean())))
    return Tabulated(law.logpdf, law.mean() + law.std() * np.sinh(5 * t) * 0.6, law.mean(), law.var())


def logit_normal(loc, scale):
    law = stats.norm(loc, scale)
    z, w = np.polynomial.hermite_e.hermegauss(160)
    x = expit(loc[..., None] + scale[..., None] * z)
    mean, square = x @ w / np.sqrt(2 * np.pi), x ** 2 @ w / np.sqrt(2 * np.pi)
    return Law(lambda x: law.logpdf(special.logit(x)) - np.log(x) - np.log1p(-x),
               lambda x: law.cdf(special.logit(np.clip(x, 0, 1))), lambda q: expit(law.ppf(q)),
               logcdf=lambda x: law.logcdf(special.logit(x)), mean=lambda: mean, var=lambda: square - mean ** 2)


def continuous_bernoulli(logits):
    law = stats.truncexpon(np.abs(logits), 0, 1 / np.abs(logits))
    up = logits > 0
    return Law(lambda x: law.logpdf(np.where(up, 1 - x, x)), lambda x: np.where(up, law.sf(1 - x), law.cdf(x)),
               lambda q: np.where(up, 1 - law.ppf(1 - q), law.ppf(q)),
               mean=lambda: np.where(up, 1 - law.mean(), law.mean()), var=law.var)


def kumaraswamy(concentration1, concentration0):
    a, b = concentration1, concentration0
    def moment(n):
        return b * special.beta(1 + n / a, b)
    return Law(lambda x: np.log(a * b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-x ** a),
               lambda x: 1 - (1 - np.clip(x, 0, 1) ** a) ** b, lambda q: (1 - (1 - q) ** (1 / b)) ** (1 / a),
               mean=lambda: moment(1), var=lambda: moment(2) - moment(1) ** 2)


def half_student_t(df, scale):
    law = stats.t(df, 0, scale)
    mean = 2 * scale * np.sqrt(df) / ((df - 1) * special.beta(df / 2, 0.5))
    return Law(lambda x: law.logpdf(x) + np.log(2), lambda x: np.maximum(1 - 2 * law.sf(x), 0),
               lambda q: law.isf((1 - q) / 2), mean=lambda: mean, var=lambda: law.var() - mean ** 2)


def double_sided_maxwell(loc, scale):
    law = stats.maxwell(0, scale)
    def cdf(x):
        tail = law.sf(np.abs(x - loc)) / 2
        return np.where(x < loc, tail, 1 - tail)
    def quantile(q):
        return loc + np.sign(q - 0.5) * law.isf(2 * np.minimum(q, 1 - q))
    return Law(lambda x: law.logpdf(np.abs(x - loc)) - np.log(2), cdf,
               lambda q: quantile(np.where(q == 0.5, 0.55, q)), mean=lambda: loc,        # at the median it has no slope
               var=lambda: 3 * scale ** 2)


def two_lines(height):
    """Density proportional to the lines through (0, 1), (1, height), (3, 0): the points of the row for Interpolated."""
    total = 0.5 * (1 + height) + height
    first = 0.5 * (1 + height) / total
    def logpdf(x):
        return np.log(np.where(x < 1, 1 + (height - 1) * x, height * (3 - x) / 2) / total)
    def cdf(x):
        x = np.clip(x, 0, 3)
        return np.where(x < 1, (x + 0.5 * (height - 1) * x * x) / total, 1 - height * (3 - x) ** 2 / (4 * total))
    def ppf(q):
        up = (np.sqrt(1 + 2 * (height - 1) * np.minimum(q, first) * total) - 1) / (height - 1)
        return np.where(q < first, up, 3 - np.sqrt(4 * total * (1 - np.maximum(q, first)) / height))
    return Law(logpdf, cdf, ppf)


def power_law(alpha, low):
    return stats.pareto(-1 - alpha, 0, low)


def power_law_between(alpha, low, high):
    b = alpha + 1
    def cdf(x):
        return (np.clip(x, low, high) ** b - low ** b) / (high ** b - low ** b)
    def moment(n):
        return b / (b + n) * (high ** (b + n) - low ** (b + n)) / (high ** b - low ** b)
    return Law(lambda x: alpha * np.log(x) + np.log(b / (high ** b - low ** b)), cdf,
               lambda q: (low ** b + q * (high ** b - low ** b)) ** (1 / b), mean=lambda: moment(1),
               var=lambda: moment(2) - moment(1) ** 2)


def von_mises(loc, concentration):
    law = stats.vonmises(concentration)
    def cdf(x):
        return law.cdf(np.clip(x, -np.pi, np.pi) - loc) - law.cdf(-np.pi - loc)
    found = searched(part_with(law, lambda x: law.logpdf(x - loc), cdf), -np.pi, np.pi)
    found.mean, found.var = lambda: loc, lambda: 1 - special.i1e(concentration) / special.i0e(concentration)
    return found


def part_with(law, logpdf, cdf):
    return Law(logpdf, cdf, None, mean=law.mean, var=law.var)


BASIC = ("logpdf", "cdf", "logcdf", "ppf")

CASES = [
    row(dist.Gumbel, two(loc=0.5, scale=2.0), lambda loc, scale: stats.gumbel_r(loc, scale), bad=dict(scale=-1.0)),
    row(dist.Weibull, two(scale=2.0, concentration=1.5),
        lambda scale, concentration: stats.weibull_min(concentration, 0, scale), outside=(-1.0, 0.0),
        bad=dict(scale=-1.0, concentration=0.0)),
    row(dist.Frechet, two(scale=2.0, concentration=5.5),
        lambda scale, concentration: stats.invweibull(concentration, 0, scale), outside=(-1.0, 0.0),
        bad=dict(concentration=0.0)),
    row(dist.Gompertz, two(concentration=0.7, rate=2.0),
        lambda concentration, rate: part(stats.gompertz(concentration, 0, 1 / rate), *BASIC, "mean", "entropy"),
        outside=(-1.0, 0.0), bad=dict(concentration=-1.0, rate=0.0)),
    row(dist.GeneralizedExtremeValue,
        [dict(loc=0.5, scale=2.0, concentration=0.2), dict(loc=0.5, scale=[2.0, 1.0], concentration=[[0.3], [0.03]])],
        lambda loc, scale, concentration: stats.genextreme(-concentration, loc, scale), outside=(-1e3,),
        bad=dict(scale=0.0)),
    Case("GeneralizedExtremeValueBelow", dist.GeneralizedExtremeValue,
         [dict(loc=0.5, scale=2.0, concentration=-0.2),
          dict(loc=0.5, scale=[2.0, 1.0], concentration=[[-0.6], [-0.03]])],
         lambda loc, scale, concentration: stats.genextreme(-concentration, loc, scale), (), outside=(1e3,)),
    row(dist.GeneralizedPareto,
        [dict(loc=0.5, scale=2.0, concentration=0.2), dict(loc=0.5, scale=[2.0, 1.0], concentration=[[-0.3], [0.03]])],
        lambda loc, scale, concentration: stats.genpareto(concentration, loc, scale), outside=(0.4, -20.0),
        bad=dict(scale=0.0)),
    row(dist.AsymmetricLaplace, two(loc=0.5, scale=2.0, asymmetry=1.5),
        lambda loc, scale, asymmetry: stats.laplace_asymmetric(asymmetry, loc, scale), bad=dict(asymmetry=0.0)),
    row(dist.AsymmetricLaplaceQuantile, two(loc=0.5, scale=2.0, quantile=0.7), laplace_quantile,
        bad=dict(quantile=1.5)),
    row(dist.SoftLaplace, two(loc=0.5, scale=2.0), lambda loc, scale: stats.hypsecant(loc, scale), bad=dict(scale=0.0)),
    row(dist.SoftAsymmetricLaplace, two(loc=0.5, scale=2.0, asymmetry=1.5, softness=0.8), soft_asymmetric_laplace,
        slow=True, bad=dict(softness=0.0)),
    row(dist.SkewNormal, two(loc=0.5, scale=2.0, slant=3.0),
        lambda loc, scale, slant: stats.skewnorm(slant, loc, scale), bad=dict(scale=-1.0)),
    row(dist.SkewStudentT, two(a=2.0, b=3.5, loc=0.5, scale=2.0),
        lambda a, b, loc, scale: part(stats.jf_skew_t(a, b, loc, scale), *BASIC, "mean", "var"), slow=True,
        bad=dict(a=-1.0)),
    row(dist.ExGaussian, two(loc=0.5, scale=2.0, rate=0.7),
        lambda loc, scale, rate: searched(stats.exponnorm(1 / (rate * scale), loc, scale), -50.0, 200.0),
        bad=dict(rate=0.0)),
    row(dist.Moyal, two(loc=0.5, scale=2.0), lambda loc, scale: stats.moyal(loc, scale), bad=dict(scale=0.0)),
    row(dist.Levy, two(loc=0.5, scale=2.0), lambda loc, scale: stats.levy(loc, scale), outside=(0.5, -1.0),
        bad=dict(scale=0.0)),
    row(dist.Triangular, [dict(low=0.5, high=3.0, peak=1.0), dict(low=[[0.5], [1.0]], high=3.0, peak=[1.0, 3.0])],
        lambda low, high, peak: stats.triang((peak - low) / (high - low), low, high - low), outside=(0.5, 0.4, 3.1),
        bad=dict(high=0.0, peak=4.0)),
    row(dist.BetaProportion, two(mean=0.3, concentration=5.0),
        lambda mean, concentration: stats.beta(mean * concentration, (1 - mean) * concentration),
        outside=(-0.5, 0.0, 1.0, 1.5), slow=True, bad=dict(mean=1.5, concentration=0.0)),
    row(dist.AffineBeta, two(concentration1=2.0, concentration0=3.0, loc=-1.0, scale=4.0),
        lambda concentration1, concentration0, loc, scale: stats.beta(concentration1, concentration0, loc, scale),
        outside=(-2.0, 5.0), slow=True, bad=dict(scale=0.0)),
    row(dist.PERT, two(low=1.0, peak=2.0, high=5.0, temperature=3.0),
        lambda low, peak, high, temperature: stats.beta(1 + temperature * (peak - low) / (high - low),
                                                        1 + temperature * (high - peak) / (high - low),
                                                        low, high - low),
        outside=(0.5, 7.0), slow=True, bad=dict(peak=0.0, high=1.0)),
    row(dist.Kumaraswamy, two(concentration1=2.0, concentration0=3.0), kumaraswamy, outside=(-0.5, 0.0, 1.0, 1.5),
        bad=dict(concentration1=0.0)),
    row(dist.LogitNormal, two(loc=0.5, scale=0.8), logit_normal, outside=(-0.5, 0.0, 1.0, 1.5), bad=dict(scale=0.0)),
    row(dist.ContinuousBernoulli, [dict(logits=1.5), dict(logits=[-3.0, 0.2])], continuous_bernoulli,
        outside=(-0.5, 1.5), bad=dict(logits=np.nan)),
    row(dist.Chi2, two(df=3.5), lambda df: stats.chi2(df), outside=(-1.0, 0.0), bad=dict(df=0.0)),
    row(dist.Chi, two(df=3.5), lambda df: stats.chi(df), outside=(-1.0, 0.0), bad=dict(df=0.0)),
    row(dist.Rayleigh, two(scale=2.0), lambda scale: stats.rayleigh(0, scale), outside=(-1.0, 0.0),
        bad=dict(scale=0.0)),
    row(dist.Maxwell, two(scale=2.0), lambda scale: stats.maxwell(0, scale), outside=(-1.0, 0.0), bad=dict(scale=0.0)),
    row(dist.DoubleSidedMaxwell, two(loc=0.5, scale=2.0), double_sided_maxwell, bad=dict(scale=0.0)),
    row(dist.InvChi2, two(df=9.0), lambda df: stats.invgamma(df / 2, 0, 0.5), outside=(-1.0, 0.0), bad=dict(df=0.0)),
    row(dist.ScaledInvChi2, two(df=9.0, scale=2.0), lambda df, scale: stats.invgamma(df / 2, 0, df * scale ** 2 / 2),
        outside=(-1.0, 0.0), bad=dict(df=0.0, scale=-1.0)),
    row(dist.HalfStudentT, two(df=4.5, scale=2.0), half_student_t, outside=(-1.0, -1e-3), slow=True, bad=dict(df=0.0)),
    row(dist.LogLogistic, two(scale=2.0, concentration=5.0),
        lambda scale, concentration: stats.fisk(concentration, 0, scale), outside=(-1.0, 0.0), bad=dict(scale=0.0)),
    row(dist.Dagum, two(concentration=1.5, sharpness=4.5, scale=2.0),
        lambda concentration, sharpness, scale: stats.mielke(concentration * sharpness, sharpness, 0, scale),
        outside=(-1.0, 0.0), bad=dict(sharpness=0.0)),
    row(dist.SkewLogistic, two(loc=0.5, scale=2.0, asymmetry=3.0),
        lambda loc, scale, asymmetry: stats.genlogistic(asymmetry, loc, scale), bad=dict(asymmetry=0.0)),
    row(dist.Pareto, two(scale=2.0, alpha=4.5), lambda scale, alpha: stats.pareto(alpha, 0, scale),
        outside=(1.9, -1.0), bad=dict(alpha=0.0)),
    row(dist.LowerTruncatedPowerLaw, two(alpha=-5.5, low=2.0), power_law, outside=(1.9, -1.0),
        bad=dict(alpha=-0.5, low=0.0)),
    row(dist.DoublyTruncatedPowerLaw,
        [dict(alpha=-3.5, low=2.0, high=5.0), dict(alpha=[[-1.05], [4.0]], low=[1.0, 2.0], high=7.0)],
        power_law_between, outside=(0.5, 7.5), bad=dict(low=0.0, high=1.0)),
    row(dist.LogUniform, two(low=2.0, high=5.0), lambda low, high: stats.loguniform(low, high), outside=(1.5, 7.5),
        bad=dict(low=0.0, high=1.0)),
    row(dist.Rice, two(nu=3.0, sigma=2.0), lambda nu, sigma: stats.rice(nu / sigma, 0, sigma), outside=(-1.0, 0.0),
        bad=dict(sigma=0.0)),
    row(dist.InverseGaussian, two(loc=2.0, concentration=3.0),
        lambda loc, concentration: stats.invgauss(loc / concentration, 0, concentration), outside=(-1.0, 0.0),
        bad=dict(loc=0.0)),
    row(dist.NormalInverseGaussian, two(loc=0.5, scale=2.0, tailweight=1.5, skewness=0.5), normal_inverse_gaussian,
        bad=dict(skewness=-2.0)),
    row(dist.VonMises, two(loc=0.1, concentration=9.0), von_mises, outside=(-3.5, 4.0), bad=dict(concentration=-1.0)),
    Case("Interpolated", lambda height: dist.Interpolated([0.0, 1.0, 3.0], [1.0, height, 0.0]), [dict(height=2.0)],
         two_lines, (dist.Interpolated,), outside=(-0.1, 3.1)),
]
