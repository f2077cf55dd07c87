"""Models in the words that Chainrule and NumPyro both have, so that both fit the same text.

`models(library, dist, np, scan)` makes them of a library, its distributions, its arrays and its loop over a sequence.
The data are those of datasets.py.
"""


def models(library, dist, np, scan):
    """{name of a workload: its model}"""
    sample, plate, deterministic, constraints = library.sample, library.plate, library.deterministic, dist.constraints

    def flat(name, support=constraints.real):
        return sample(name, dist.ImproperUniform(support, (), ()))

    def eight_schools_nc(sigma, y):
        mu = sample("mu", dist.Normal(0.0, 5.0))
        tau = sample("tau", dist.HalfCauchy(5.0))
        with plate("school", len(sigma)):
            z = sample("z", dist.Normal(0.0, 1.0))
            theta = deterministic("theta", mu + tau * z)
            sample("y", dist.Normal(theta, sigma), obs=y)

    def eight_schools_c(sigma, y):
        mu = sample("mu", dist.Normal(0.0, 5.0))
        tau = sample("tau", dist.HalfCauchy(5.0))
        with plate("school", len(sigma)):
            theta = sample("theta", dist.Normal(mu, tau))
            sample("y", dist.Normal(theta, sigma), obs=y)

    def radon_nc(county, floor, y):
        """A hierarchy of 85 groups."""
        mu = sample("mu", dist.Normal(0.0, 10.0))
        beta = sample("beta", dist.Normal(0.0, 10.0))
        sigma_a = sample("sigma_a", dist.HalfNormal(1.0))
        sigma_y = sample("sigma_y", dist.HalfNormal(1.0))
        with plate("county", 85):
            z = sample("z", dist.Normal(0.0, 1.0))
            alpha = deterministic("alpha", mu + sigma_a * z)
        with plate("house", len(y)):
            sample("y", dist.Normal(alpha[county] + beta * floor, sigma_y), obs=y)

    def logit(x, y):
        alpha = sample("alpha", dist.Normal(0.0, 5.0))
        with plate("column", x.shape[1]):
            beta = sample("beta", dist.Normal(0.0, 1.0))
        with plate("row", x.shape[0]):
            sample("y", dist.Bernoulli(logits=alpha + x @ beta), obs=y)

    def funnel():
        """Neal's."""
        v = sample("v", dist.Normal(0.0, 3.0))
        with plate("n", 9):
            sample("x", dist.Normal(0.0, np.exp(v / 2)))

    def irt(item, person, y):
        """Two parameters an item: y ~ Bernoulli(logit = a (theta - b))."""
        scale = {name: sample(f"s_{name}", dist.HalfCauchy(2.0)) for name in ("t", "a", "b")}
        mu_b = sample("mu_b", dist.Normal(0.0, 5.0))
        with plate("person", 400):
            theta = sample("theta", dist.Normal(0.0, scale["t"]))
        with plate("item", 50):
            a = sample("a", dist.LogNormal(0.0, scale["a"]))
            b = sample("b", dist.Normal(mu_b, scale["b"]))
        with plate("answer", len(y)):
            sample("y", dist.Bernoulli(logits=a[item] * (theta[person] - b[item])), obs=y)

    def autoregression(K, T, y):
        """arK of posteriordb."""
        alpha = sample("alpha", dist.Normal(0.0, 10.0))
        with plate("lag", K):
            beta = sample("beta", dist.Normal(0.0, 10.0))
        sigma = sample("sigma", dist.HalfCauchy(2.5))
        lags = np.stack([y[K - k:T - k] for k in range(1, K + 1)])
        sample("y", dist.Normal(alpha + beta @ lags, sigma), obs=y[K:])

    def garch(T, y, sigma1):
        """garch11 of posteriordb."""
        mu = flat("mu")
        alpha0 = flat("alpha0", constraints.positive)
        alpha1 = flat("alpha1", constraints.unit_interval)
        beta1 = flat("beta1", constraints.interval(0.0, 1.0 - alpha1))

        def step(variance, previous):
            later = alpha0 + alpha1 * (previous - mu) ** 2 + beta1 * variance
            return later, variance

        _, variance = scan(step, sigma1 ** 2, y)
        sample("y", dist.Normal(mu, np.sqrt(variance)), obs=y)

    def gaussian_process(N, x, y, **unused):
        """gp_regr of posteriordb."""
        rho = sample("rho", dist.Gamma(25.0, 4.0))
        alpha = sample("alpha", dist.HalfNormal(2.0))
        sigma = sample("sigma", dist.HalfNormal(1.0))
        apart = (x[:, None] - x[None, :]) / rho
        covariance = alpha ** 2 * np.exp(-0.5 * apart ** 2) + sigma * np.eye(N)
        sample("y", dist.MultivariateNormal(np.zeros(N), covariance), obs=y)

    return {"eight_schools_nc": eight_schools_nc, "eight_schools_c": eight_schools_c, "radon_nc": radon_nc,
            "refit_1000": logit, "logit_1k": logit, "logit_10k": logit, "logit_100k": logit, "funnel": funnel,
            "irt_500": irt, "arK": autoregression, "garch": garch,
            "gp_regr": gaussian_process, "gp_200": gaussian_process}
