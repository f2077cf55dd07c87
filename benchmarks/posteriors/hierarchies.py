"""Groups that share a prior."""
import chainrule as cr
import chainrule.distributions as dist


def eight_schools(J, y, sigma):
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", J):
        z = cr.sample("theta_trans", dist.Normal(0.0, 1.0))
        theta = cr.deterministic("theta", mu + tau * z)
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


def radon(N, J, floor_measure, log_uppm, log_radon, county_idx):
    sigma_alpha = cr.sample("sigma_alpha", dist.HalfNormal(1.0))
    sigma_y = cr.sample("sigma_y", dist.HalfNormal(1.0))
    mu_alpha = cr.sample("mu_alpha", dist.Normal(0.0, 10.0))
    with cr.plate("slope", 2):
        beta = cr.sample("beta", dist.Normal(0.0, 10.0))
    with cr.plate("county", J):
        alpha = cr.sample("alpha", dist.Normal(mu_alpha, sigma_alpha))
    with cr.plate("house", N):
        mean = alpha[county_idx - 1] + beta[0] * log_uppm + beta[1] * floor_measure
        cr.sample("log_radon", dist.Normal(mean, sigma_y), obs=log_radon)
