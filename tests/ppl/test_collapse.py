"""collapse: sites integrated out by conjugacy, against quadrature and the marginal distributions of normal models."""
import itertools

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, scan, vmap
from chainrule.inference import MCMC, NUTS
from chainrule.ppl.handlers import collapse, condition, mask, scale, seed, trace
from chainrule.ppl.model import stage_model
from tests.ppl.rows import TRANSFORMS, Row

IDX = np.array([0, 1, 1, 0])
EXPOSURE = np.array([0.5, 2.0, 1.0, 3.0])
COUNTS = np.array([3, 0, 7, 2])
TIMES = np.array([0.3, 1.2, 0.1, 2.5])
BITS = np.array([1, 0, 1, 1])
KEEP = np.array([True, True, False, True])


# ---- integrals by quadrature ----

def nodes(support):
    """(points, log-weights) of an integral over one number."""
    if support == "unit":
        x, w = np.polynomial.legendre.leggauss(60)
        return (x + 1) / 2, np.log(w / 2)
    u = np.linspace(-9.0, 6.0, 400)                          # over log z, by the trapezoidal rule
    return np.exp(u), u + np.log(u[1] - u[0])


def integrated(model, sites):
    """log ∫ of a model's density over sites {name: (shape, support)}, on a product grid."""
    sizes = {name: int(np.prod(shape)) for name, (shape, _) in sites.items()}
    axes = [nodes(support) for name, (_, support) in sites.items() for _ in range(sizes[name])]
    grid = np.meshgrid(*[x for x, _ in axes], indexing="ij")
    log_w = sum(np.meshgrid(*[w for _, w in axes], indexing="ij"))
    flat = np.stack([g.ravel() for g in grid], -1)

    def one(z):
        parts, at = {}, 0
        for name, (shape, _) in sites.items():
            parts[name] = cnp.reshape(z[at:at + sizes[name]], shape)
            at += sizes[name]
        return cr.log_density(model, (), {}, parts)[0]
    return np.logaddexp.reduce(np.asarray(jit(vmap(one))(flat)) + log_w.ravel())


def density(model, *args, **params):
    return float(cr.log_density(model, args, {}, params)[0])


def beta_bernoulli():
    p = cr.sample("p", dist.Beta(2.0, 3.5))
    with cr.plate("i", 4):
        cr.sample("y", dist.Bernoulli(p), obs=BITS)


def beta_of_many_kinds():
    p = cr.sample("p", dist.Beta(np.array([2.0, 0.7]), 3.5))
    cr.sample("a", dist.Binomial(np.array([5, 3, 9, 2]), p[IDX]), obs=COUNTS)
    cr.sample("b", dist.Geometric(p), obs=np.array([2, 0]))
    cr.sample("c", dist.NegativeBinomial(2.5, probs=p[:, None]), obs=np.array([[1, 4, 0], [2, 2, 1]]))


def beta_weighted():
    p = cr.sample("p", dist.Uniform(0.0, 1.0))
    with scale(scale=2.5), mask(mask=KEEP):
        cr.sample("a", dist.Binomial(9, p), obs=COUNTS)
    cr.sample("b", dist.Bernoulli(p).mask(KEEP).expand((3, 4)).to_event(1), obs=np.stack([BITS] * 3))


def two_betas_side_by_side():
    p, q = cr.sample("p", dist.Beta(2.0, 3.0)), cr.sample("q", dist.Beta(1.5, 1.0))
    cr.sample("y", dist.Bernoulli(cnp.stack([p, q])[IDX]), obs=BITS)
    cr.sample("z", dist.Bernoulli(cnp.where(KEEP, p, q)), obs=BITS)


def gamma_of_many_kinds():
    rate = cr.sample("rate", dist.Gamma(np.array([2.0, 0.9]), 1.5))
    cr.sample("a", dist.Poisson(rate[IDX] * EXPOSURE), obs=COUNTS)
    cr.sample("b", dist.Exponential(rate / 2.0), obs=TIMES[:2])
    cr.sample("c", dist.Gamma(2.5, 3.0 * rate[:, None]), obs=TIMES.reshape(2, 2))


def gamma_inverse():
    rate = cr.sample("rate", dist.Exponential(0.7))
    cr.sample("a", dist.InverseGamma(3.0, rate * EXPOSURE), obs=TIMES)
    with mask(mask=KEEP), cr.plate("i", 4):
        cr.sample("b", dist.Poisson(rate), obs=COUNTS)


def variances():
    v = cr.sample("v", dist.InverseGamma(3.0, np.array([2.0, 0.8])))
    cr.sample("a", dist.Normal(0.3, cnp.sqrt(v[IDX])), obs=TIMES)
    cr.sample("b", dist.Normal(np.array([0.5, 1.0]), 2.0 * v ** 0.5), obs=TIMES[:2])
    cr.sample("c", dist.Exponential(3.0 / v), obs=TIMES[2:])


def precisions():
    t = cr.sample("t", dist.Gamma(2.0, 1.5))
    with scale(scale=0.5), mask(mask=KEEP):
        cr.sample("a", dist.Normal(EXPOSURE, 1.0 / cnp.sqrt(t * EXPOSURE)), obs=np.where(KEEP, TIMES, np.nan))
    cr.sample("b", dist.Normal(0.2, cnp.sqrt(1.0 / t)), obs=TIMES)
    cr.sample("c", dist.Normal(0.2, t ** -0.5), obs=TIMES)
    cr.sample("d", dist.Poisson(1.0 / (1.0 / t)), obs=COUNTS)


def compiled():
    p = cr.sample("p", dist.Beta(2.0, 3.5))
    jit(lambda x: cr.sample("y", dist.Binomial(x, p), obs=COUNTS))(np.array([5, 3, 9, 2]))


QUADRATURE = {
    "beta bernoulli": (beta_bernoulli, {"p": ((), "unit")}),
    "beta, many kinds": (beta_of_many_kinds, {"p": ((2,), "unit")}),
    "beta, weighted": (beta_weighted, {"p": ((), "unit")}),
    "two betas": (two_betas_side_by_side, {"p": ((), "unit"), "q": ((), "unit")}),
    "gamma, many kinds": (gamma_of_many_kinds, {"rate": ((2,), "positive")}),
    "gamma, inverse": (gamma_inverse, {"rate": ((), "positive")}),
    "variances": (variances, {"v": ((2,), "positive")}),
    "precisions": (precisions, {"t": ((), "positive")}),
    "in jit": (compiled, {"p": ((), "unit")}),
}


@pytest.mark.parametrize("name", QUADRATURE)
def test_a_collapsed_model_has_the_integral_for_its_density(name):
    model, sites = QUADRATURE[name]
    assert density(collapse(model)) == pytest.approx(integrated(model, sites), rel=1e-8)


def simplex(model, name, n=120):
    """log ∫ over one point of the simplex of three classes: z = (u, (1 - u) v, (1 - u)(1 - v))."""
    x, w = np.polynomial.legendre.leggauss(n)
    x, w = (x + 1) / 2, w / 2
    u, v = (g.ravel() for g in np.meshgrid(x, x, indexing="ij"))
    z = np.stack([u, (1 - u) * v, (1 - u) * (1 - v)], -1)
    lps = jit(vmap(lambda z: cr.log_density(model, (), {}, {name: z})[0]))(z)
    return np.logaddexp.reduce(np.asarray(lps) + np.log(np.outer(w, w).ravel() * (1 - u)))


def test_a_dirichlet_prior_of_classes_and_counts():
    def model():
        p = cr.sample("p", dist.Dirichlet(np.array([2.0, 1.5, 3.0])))
        with cr.plate("i", 4):
            cr.sample("a", dist.Categorical(p), obs=np.array([0, 2, 2, 1]))
        with mask(mask=np.array([True, False])):
            cr.sample("b", dist.Multinomial(5, p), obs=np.array([[1, 3, 1], [0, 0, 5]]))
        cr.sample("c", dist.OneHotCategorical(p[::1]), obs=np.array([0, 1, 0]))
    assert density(collapse(model)) == pytest.approx(simplex(model, "p"), rel=1e-8)


def test_rows_of_a_table_of_dirichlet_points_are_picked():
    """The density is a sum over the rows, each with its own observations."""
    table = np.array([[2.0, 1.5, 3.0], [0.5, 0.7, 1.0]])
    x = np.array([0, 2, 2, 1])

    def model():
        p = cr.sample("p", dist.Dirichlet(table))
        cr.sample("y", dist.Categorical(p[IDX]), obs=x)
    want = 0.0
    for k in range(2):
        counts = np.bincount(x[IDX == k], minlength=3)
        dm = float(dist.DirichletMultinomial(table[k], counts.sum()).log_prob(counts))
        want += dm - float(dist.Multinomial(int(counts.sum()), np.ones(3) / 3).log_prob(counts)) + (
            counts.sum() * np.log(1 / 3))
    assert density(collapse(model)) == pytest.approx(want, rel=1e-10)


def test_known_marginal_distributions():
    one = dict(beta=lambda: cr.sample("y", dist.Binomial(10, cr.sample("p", dist.Beta(2.0, 3.0))), obs=4),
               gamma=lambda: cr.sample("y", dist.Poisson(cr.sample("r", dist.Gamma(2.0, 3.0))), obs=4),
               dirichlet=lambda: cr.sample("y", dist.Multinomial(4, cr.sample("p", dist.Dirichlet([1.0, 2.0]))),
                                           obs=np.array([1, 3])))
    want = dict(beta=stats.betabinom(10, 2.0, 3.0).logpmf(4), gamma=stats.nbinom(2.0, 3.0 / 4.0).logpmf(4),
                dirichlet=stats.betabinom(4, 1.0, 2.0).logpmf(1))
    for name, model in one.items():
        assert density(collapse(model)) == pytest.approx(want[name], rel=1e-12)


def test_what_cannot_be_observed_has_density_zero():
    def model(y):
        cr.sample("y", dist.Poisson(cr.sample("r", dist.Gamma(2.0, 3.0))), obs=y)
    assert float(jit(lambda y: cr.log_density(collapse(model), (y,))[0])(-1.0)) == -np.inf


# ---- normal models ----

Y = np.array([0.3, -1.2, 2.0, 0.7])
X = np.array([[1.0, 0.2], [1.0, -0.5], [1.0, 1.5], [1.0, 2.0]])
COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def shared_mean():
    mu = cr.sample("mu", dist.Normal(0.5, 2.0))
    with cr.plate("i", 4):
        cr.sample("y", dist.Normal(mu, 0.7), obs=Y)


def groups():
    mu = cr.sample("mu", dist.Normal(np.array([0.5, -1.0]), 2.0))
    cr.sample("y", dist.Normal(1.0 - 3.0 * mu[IDX], EXPOSURE), obs=Y)


def regression():
    w = cr.sample("w", dist.Normal(0.0, np.array([2.0, 3.0])).to_event(1))
    cr.sample("y", dist.Normal(X @ w + 0.5, 0.7), obs=Y)


def hierarchy():
    m = cr.sample("m", dist.Normal(0.3, 1.5))
    with cr.plate("g", 2):
        mu = cr.sample("mu", dist.Normal(2.0 * m, 2.0))
    with cr.plate("i", 4):
        cr.sample("y", dist.Normal(mu[IDX] - m, 0.7), obs=Y)


def vector():
    w = cr.sample("w", dist.MultivariateNormal(np.array([1.0, -1.0]), COV))
    cr.sample("y", dist.MultivariateNormal(w + 1.0, 0.5 * np.eye(2)), obs=Y.reshape(2, 2))


def walk():
    """A random walk written out, with an open normal site at its end, which integrates to one."""
    z = cr.sample("z0", dist.Normal(0.0, 1.0))
    for i in range(4):
        cr.sample(f"y{i}", dist.Normal(z, 0.5), obs=Y[i])
        z = cr.sample(f"z{i + 1}", dist.Normal(0.9 * z, 0.7))


def walk_moments():
    a = np.zeros((4, 4))
    for i in range(4):
        a[i, :i + 1] = 0.9 ** np.arange(i, -1, -1)
    noise = np.diag([1.0, 0.49, 0.49, 0.49])
    return np.zeros(4), a @ noise @ a.T + 0.25 * np.eye(4)


ONES, PICKED = np.ones((4, 4)), np.eye(2)[IDX]
NORMALS = {
    "shared mean": (shared_mean, np.full(4, 0.5), 4.0 * ONES + 0.49 * np.eye(4)),
    "groups": (groups, 1.0 - 3.0 * np.array([0.5, -1.0])[IDX],
               36.0 * PICKED @ PICKED.T + np.diag(EXPOSURE ** 2)),
    "regression": (regression, np.full(4, 0.5), X @ np.diag([4.0, 9.0]) @ X.T + 0.49 * np.eye(4)),
    "hierarchy": (hierarchy, np.full(4, 0.3), 2.25 * ONES + 4.0 * PICKED @ PICKED.T + 0.49 * np.eye(4)),
    "vector": (vector, np.array([2.0, 0.0, 2.0, 0.0]), np.tile(COV, (2, 2)) + 0.5 * np.eye(4)),
    "walk": (walk, *walk_moments()),
}


@pytest.mark.parametrize("name", NORMALS)
def test_a_normal_model_has_its_marginal_distribution(name):
    model, mean, covariance = NORMALS[name]
    assert density(collapse(model)) == pytest.approx(stats.multivariate_normal(mean, covariance).logpdf(Y), rel=1e-10)


def test_masked_observations_of_a_normal_model_are_left_out():
    y = np.where(KEEP, Y, np.nan)
    for x in (np.ones(4), X[:, 1]):                          # by its own precision each, and as a regression

        def model(x=x):
            w = cr.sample("w", dist.Normal(0.5, 2.0))
            loc = w * np.ones(4) if x.all() and (x == 1).all() else cnp.sum(w * x[:, None], -1)
            with mask(mask=KEEP), scale(scale=1.0):
                cr.sample("y", dist.Normal(loc, 0.7), obs=y)
        cov = 4.0 * np.outer(x, x) + 0.49 * np.eye(4)
        want = stats.multivariate_normal(0.5 * x[KEEP], cov[np.ix_(KEEP, KEEP)]).logpdf(Y[KEEP])
        assert density(collapse(model)) == pytest.approx(want, rel=1e-10)


def test_a_scale_is_a_power_of_the_likelihood():
    """Five copies of an observation are one with scale 5."""
    for collapsed in (lambda mu: mu * 1.0, lambda mu: cnp.sum(mu[None] * np.ones(2) / 2)):
        def many(f=collapsed):
            mu = cr.sample("mu", dist.Normal(0.5, 2.0))
            cr.sample("y", dist.Normal(f(mu), 0.7).expand((5,)), obs=np.full(5, 0.3))

        def one(f=collapsed):
            mu = cr.sample("mu", dist.Normal(0.5, 2.0))
            with scale(scale=5.0):
                cr.sample("y", dist.Normal(f(mu), 0.7), obs=0.3)
        assert density(collapse(one)) == pytest.approx(density(collapse(many)), rel=1e-12)


# ---- under transformations ----

def lane(y, n, a):
    p = cr.sample("p", dist.Beta(a, 2.0))
    cr.sample("y", dist.Binomial(n, p), obs=y)
    mu = cr.sample("mu", dist.Normal(a, 2.0))
    cr.sample("x", dist.Normal(2.0 * mu, 1.0), obs=1.0 * y)
    q = cr.sample("q", dist.Dirichlet(cnp.stack([a, 2.0, 1.0])))
    cr.sample("k", dist.Categorical(q).expand((3,)), obs=np.array([0, 1, 2]))


TOTALS, PRIOR = np.array([5, 3, 9, 2]), np.array([1.0, 2.0, 0.5, 3.0])


def expected():
    return sum(density(collapse(lane), int(y), int(n), float(a)) for y, n, a in zip(COUNTS, TOTALS, PRIOR))


def test_vmap_of_a_collapsed_model_and_a_collapsed_vmap_are_the_loop():
    inside = density(lambda: vmap(collapse(lane))(COUNTS, TOTALS, PRIOR))
    outside = density(collapse(lambda: vmap(lane)(COUNTS, TOTALS, PRIOR)))
    twice = density(collapse(lambda: vmap(vmap(lane))(*(v.reshape(2, 2) for v in (COUNTS, TOTALS, PRIOR)))))
    for got in (inside, outside, twice):
        assert got == pytest.approx(expected(), rel=1e-12)
    tr = trace(lambda: vmap(collapse(lane))(COUNTS, TOTALS, PRIOR)).get_trace()
    assert {k: (s["type"], s["value"].shape) for k, s in tr.items()} == {k: ("factor", (4,)) for k in ("p", "mu", "q")}


def pooled(x):
    """A model of one number, for the transformations of the law tables."""
    g = cr.sample("g", dist.Gamma(2.0, 1.0 + x ** 2))
    cr.sample("y", dist.Poisson(g * EXPOSURE), obs=COUNTS)
    mu = cr.sample("mu", dist.Normal(x, 2.0))
    cr.sample("z", dist.Normal(x - mu, 0.5), obs=x * Y)
    return 2.0 * x


def pooled_score(x, values):
    a, b = 2.0 + COUNTS.sum(), 1.0 + x ** 2
    first = (stats.gamma(2.0, scale=1 / b).logpdf(1.0) + stats.poisson(EXPOSURE).logpmf(COUNTS).sum()
             - stats.gamma(a, scale=1 / (b + EXPOSURE.sum())).logpdf(1.0))       # p(z) p(x | z) / p(z | x) at z = 1
    return first + stats.multivariate_normal(np.zeros(4), 4.0 * ONES + 0.25 * np.eye(4)).logpdf(x * Y)


NESTED = [*[(t,) for t in TRANSFORMS], *itertools.product(("vmap", "scan", "jit"), repeat=2), ("vmap", "cond", "scan")]


@pytest.mark.parametrize("transforms", NESTED, ids="-".join)
def test_a_collapsed_model_inside_of_a_transformation_is_that_of_the_loop(transforms):
    row = Row(collapse(pooled), pooled_score)
    for t in transforms:
        row = TRANSFORMS[t](row)
    assert density(row.model, 0.35) == pytest.approx(row.score(0.35, {}), rel=1e-10)


@pytest.mark.parametrize("transforms", [("vmap",), ("vmap of nothing",), ("jit",), ("checkpoint",), ("vmap", "jit"),
                                        ("vmap", "vmap"), ("jit", "vmap", "checkpoint")], ids="-".join)
def test_a_transformed_model_that_is_collapsed_is_the_loop(transforms):
    row = Row(pooled, pooled_score)
    for t in transforms:
        row = TRANSFORMS[t](row)
    assert density(collapse(row.model), 0.35) == pytest.approx(row.score(0.35, {}), rel=1e-10)


def test_a_site_outside_of_vmap_is_used_in_every_lane():
    def model():
        p = cr.sample("p", dist.Beta(np.array([2.0, 0.7]), 3.5))
        mu = cr.sample("mu", dist.Normal(0.5, 2.0))

        def one(i, x):
            cr.sample("a", dist.Binomial(9, p[i]), obs=x)
            cr.sample("b", dist.Normal(mu, 1.0).mask(i == 0), obs=1.0 * x)
        vmap(one)(IDX, COUNTS)

    def loop():
        p = cr.sample("p", dist.Beta(np.array([2.0, 0.7]), 3.5))
        mu = cr.sample("mu", dist.Normal(0.5, 2.0))
        cr.sample("a", dist.Binomial(9, p[IDX]), obs=COUNTS)
        cr.sample("b", dist.Normal(mu, 1.0), obs=1.0 * COUNTS[IDX == 0])
    assert density(collapse(model)) == pytest.approx(density(collapse(loop)), rel=1e-12)


def test_inside_the_body_of_a_scan():
    def model():
        def step(c, row):
            with collapse():
                lane(*row)
            return c, None
        scan(step, 0.0, (COUNTS, TOTALS, PRIOR))
    assert density(model) == pytest.approx(expected(), rel=1e-12)


def test_a_loop_that_has_no_part_in_it_stays():
    def model():
        p = cr.sample("p", dist.Beta(2.0, 3.5))
        scan(lambda c, y: (c, cr.sample("z", dist.Normal(0.0, 1.0), obs=y)), 0.0, Y)
        cr.sample("y", dist.Bernoulli(p), obs=BITS)
    want = density(collapse(beta_bernoulli)) + stats.norm.logpdf(Y).sum()
    assert density(collapse(model)) == pytest.approx(want, rel=1e-12)
    assert list(trace(collapse(model)).get_trace()) == ["z", "p"]


# ---- with the rest of a model ----

def partial_pooling(y, x):
    a = cr.sample("a", dist.LogNormal(0.0, 1.0))
    b = cr.sample("b", dist.LogNormal(1.0, 0.5))
    with cr.plate("g", 4):
        p = cr.sample("p", dist.Beta(a, b))
        cr.sample("y", dist.Binomial(9, p), obs=y)
    cr.sample("x", dist.Normal(a, b), obs=x)


def test_the_named_sites_are_integrated_and_the_others_stay():
    model = collapse(partial_pooling, sites=["p"])
    tr = trace(seed(model, 0)).get_trace(COUNTS, Y)
    assert [(k, s["type"]) for k, s in tr.items()] == [("a", "sample"), ("b", "sample"), ("x", "sample"),
                                                       ("p", "factor")]
    a, b = 1.3, 2.1
    want = (stats.lognorm(1.0).logpdf(a) + stats.lognorm(0.5, scale=np.e).logpdf(b)
            + stats.betabinom(9, a, b).logpmf(COUNTS).sum() + stats.norm(a, b).logpdf(Y).sum())
    assert density(model, COUNTS, Y, a=a, b=b) == pytest.approx(want, rel=1e-12)
    value = jit(lambda a, b: cr.log_density(model, (COUNTS, Y), {}, {"a": a, "b": b})[0])
    assert float(value(a, b)) == pytest.approx(want, rel=1e-12)
    slope = grad(value)(a, b)
    assert float(slope) == pytest.approx((float(value(a + 1e-5, b)) - float(value(a - 1e-5, b))) / 2e-5, rel=1e-6)
    with collapse(sites=["p"]), condition(data={"a": a, "b": b}):        # a context, and a site conditioned inside
        partial_pooling(COUNTS, Y)
    assert density(lambda: condition(model, {"a": a, "b": b})(COUNTS, Y)) == pytest.approx(want, rel=1e-12)


def test_the_gradient_of_a_normal_marginal_is_that_of_its_formula():
    def model(tau, sigma):
        w = cr.sample("w", dist.Normal(0.0, tau).expand((2,)).to_event(1))
        cr.sample("y", dist.Normal(X @ w, sigma), obs=Y)

    def value(tau, sigma):
        return cr.log_density(collapse(model), (tau, sigma))[0]

    def formula(tau, sigma):
        return stats.multivariate_normal(np.zeros(4), tau ** 2 * X @ X.T + sigma ** 2 * np.eye(4)).logpdf(Y)
    got = jit(grad(value, argnums=(0, 1)))(1.5, 0.7)
    h = 1e-5
    assert float(got[0]) == pytest.approx((formula(1.5 + h, 0.7) - formula(1.5 - h, 0.7)) / (2 * h), rel=1e-7)
    assert float(got[1]) == pytest.approx((formula(1.5, 0.7 + h) - formula(1.5, 0.7 - h)) / (2 * h), rel=1e-7)


def test_a_staged_model_runs_once_and_has_the_other_sites_for_its_latents():
    calls = []

    def model(y, x):
        calls.append(1)
        partial_pooling(y, x)
    program, data = stage_model(collapse(model, sites=["p"]), (COUNTS * 1.0, Y))
    program.describe(data)
    assert [v.name for v in program.latents] == ["a", "b"]
    got = float(program.log_joint({"a": 1.3, "b": 2.1}, data))
    assert got == pytest.approx(density(collapse(partial_pooling, sites=["p"]), COUNTS, Y, a=1.3, b=2.1), rel=1e-12)
    assert len(calls) == 1


def test_a_site_that_is_given_inside_is_not_integrated():
    given = condition(beta_bernoulli, {"p": 0.3})
    assert density(collapse(given)) == pytest.approx(density(given), rel=1e-12)


@pytest.mark.slow
def test_the_sampler_on_the_collapsed_model_finds_the_same_posterior():
    """Means of the hyperparameters agree within 4.5 Monte Carlo standard errors: a false alarm once in 10⁵."""
    found = []
    for m in (partial_pooling, collapse(partial_pooling, sites=["p"])):
        mcmc = MCMC(NUTS(m), num_warmup=500, num_samples=2000, num_chains=2, progress_bar=False)
        mcmc.run(cr.engine.random.key(1), COUNTS, Y)
        s = mcmc.get_samples()
        found.append({k: np.asarray(s[k]) for k in ("a", "b")})
    for k in ("a", "b"):
        one, two = found[0][k], found[1][k]
        assert abs(one.mean() - two.mean()) < 4.5 * np.sqrt((one.var() + two.var()) / 800)


def test_every_order_of_statements_and_names_gives_one_density():
    """Five normal sites in a tree, declared in each order that the tree allows."""
    def model(order):
        made = {"a": lambda v: cr.sample("a", dist.Normal(0.0, 1.0)),
                "b": lambda v: cr.sample("b", dist.Normal(v["a"], 2.0)),
                "c": lambda v: cr.sample("c", dist.Normal(v["a"] - 1.0, 0.5)),
                "y": lambda v: cr.sample("y", dist.Normal(v["b"] + 2.0 * v["c"], 1.0), obs=0.4)}
        v = {}
        for name in order:
            v[name] = made[name](v)
    orders = [o for o in itertools.permutations("abcy") if o[0] == "a" and o[-1] == "y"]
    want = stats.norm(-2.0, np.sqrt(9.0 + 4.0 + 4 * 0.25 + 1.0)).logpdf(0.4)
    for o in orders:
        assert density(collapse(lambda o=o: model(o))) == pytest.approx(want, rel=1e-12)
