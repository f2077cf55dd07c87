"""One row for each bump on an interval, and for the distributions of test statistics."""
import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases_continuous import row, two
from tests.distributions.laws import Law


def bump(power):
    return lambda loc, scale: stats.beta(power + 1, power + 1, loc - scale, 2 * scale)


def kolmogorov(scale):
    """SciPy's distribution function; its density is good to 5e-10 only."""
    law, n = stats.kstwobign(0, scale), np.arange(1, 30)
    def logpdf(x):
        z = np.asarray(x / scale)[..., None]
        return np.log(8 * z[..., 0] * np.sum((-1.0) ** (n - 1) * n ** 2 * np.exp(-2 * (n * z) ** 2), -1) / scale)
    return Law(logpdf, law.cdf, law.ppf, logcdf=law.logcdf, mean=lambda: scale * np.sqrt(np.pi / 2) * np.log(2),
               var=lambda: scale ** 2 * (np.pi ** 2 / 12 - np.pi / 2 * np.log(2) ** 2))


def noncentral_beta(concentration1, concentration0, nc):
    """B = a F / (b + a F), by SciPy's noncentral F; moments by the sum over beta numbers with Poisson weights."""
    a, b = concentration1, concentration0
    law, j = stats.ncf(2 * a, 2 * b, nc), np.arange(200)
    def odds(x):
        return b * x / (a * (1 - x))
    def moment(n):
        each = special.poch(a[..., None] + j, n) / special.poch((a + b)[..., None] + j, n)
        return np.sum(stats.poisson.pmf(j, nc[..., None] / 2) * each, -1)
    def inside(x):
        return np.clip(x, 0, 1 - 1e-16)
    return Law(lambda x: law.logpdf(odds(x)) + np.log(b / a) - 2 * np.log1p(-x),
               lambda x: np.where(x < 1, law.cdf(odds(inside(x))), 1.0),
               lambda q: a * law.ppf(q) / (b + a * law.ppf(q)), logcdf=lambda x: law.logcdf(odds(inside(x))),
               mean=lambda: moment(1), var=lambda: moment(2) - moment(1) ** 2)


NO_ROW = (dist.StudentizedRange,)        # a number takes milliseconds; see test_studentized_range.py
PLACE = two(loc=0.5, scale=2.0)

CASES = [
    *[row(family, PLACE, bump(power), outside=(-3.0, 4.0), bad=dict(scale=0.0))
      for family, power in [(dist.Epanechnikov, 1), (dist.Biweight, 2), (dist.Triweight, 3)]],
    row(dist.Semicircle, PLACE, lambda loc, scale: stats.semicircular(loc, scale), outside=(-3.0, 4.0),
        bad=dict(scale=0.0)),
    row(dist.Cosine, PLACE, lambda loc, scale: stats.cosine(loc, scale / np.pi), outside=(-3.0, 4.0),
        bad=dict(scale=0.0)),
    row(dist.Kolmogorov, two(scale=2.0), kolmogorov, outside=(-1.0, 0.0),
        bad=dict(scale=0.0)),
    row(dist.NoncentralT, two(df=4.5, nc=1.2, loc=0.5, scale=2.0),
        lambda df, nc, loc, scale: stats.nct(df, nc, loc, scale), slow=True, bad=dict(df=0.0, nc=np.nan)),
    row(dist.NoncentralF, two(df1=3.0, df2=9.0, nc=2.0), lambda df1, df2, nc: stats.ncf(df1, df2, nc),
        outside=(-1.0, 0.0), slow=True, bad=dict(df1=0.0, nc=-1.0)),
    row(dist.NoncentralBeta, two(concentration1=1.5, concentration0=2.5, nc=2.0), noncentral_beta,
        outside=(-0.5, 0.0, 1.0, 1.5), slow=True, bad=dict(concentration0=0.0, nc=-1.0)),
]
