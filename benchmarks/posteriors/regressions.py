"""Linear regressions with normal errors."""
import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.distributions import constraints

from .flat import flat


def blr(N, D, X, y):
    with cr.plate("column", D):
        beta = cr.sample("beta", dist.Normal(0.0, 10.0))
    sigma = cr.sample("sigma", dist.HalfNormal(10.0))
    with cr.plate("row", N):
        cr.sample("y", dist.Normal(X @ beta, sigma), obs=y)


def kidscore(N, kid_score, mom_hs, mom_iq, **unused):
    beta = flat("beta", shape=(4,))
    sigma = cr.sample("sigma", dist.HalfCauchy(2.5))
    with cr.plate("child", N):
        mean = beta[0] + beta[1] * mom_hs + beta[2] * mom_iq + beta[3] * mom_hs * mom_iq
        cr.sample("kid_score", dist.Normal(mean, sigma), obs=kid_score)


def mesquite(N, weight, diam1, diam2, canopy_height, total_height, group, **unused):
    beta = flat("beta", shape=(6,))
    sigma = flat("sigma", constraints.positive)
    columns = [diam1 * diam2 * canopy_height, diam1 * diam2, diam1 / diam2, total_height]
    X = np.stack([np.ones(N), *map(np.log, columns), group], -1)
    with cr.plate("bush", N):
        cr.sample("weight", dist.Normal(X @ beta, sigma), obs=np.log(weight))


def nes(N, partyid7, real_ideo, race_adj, age_discrete, educ1, gender, income, **unused):
    beta = flat("beta", shape=(9,))
    sigma = flat("sigma", constraints.positive)
    ages = [np.where(age_discrete == k, 1.0, 0.0) for k in (2, 3, 4)]
    X = np.stack([np.ones(N), real_ideo, race_adj, *ages, educ1, gender, income], -1)
    with cr.plate("person", N):
        cr.sample("partyid7", dist.Normal(X @ beta, sigma), obs=partyid7)
