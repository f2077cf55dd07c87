"""What users of other systems asked for and did not get, each named after its cause.

Others stand beside what they are about: broadcasting in test_shape_mistakes.py, starts in test_starts.py, layouts and
batched densities in test_predictive.py and test_queries.py, coordinates in tests/inference/test_arviz_coords.py.
"""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import config, fori_loop, grad, jit, random, scan, vmap, while_loop
from chainrule.inference import MCMC, NUTS, Predictive
from chainrule.ppl.handlers import condition, mask, seed, substitute, trace

Y = np.array([[0.1, 0.5, -0.2], [1.0, 0.3, 0.4]])                   # [row, time]


# ---- vmap inside of models, and of distributions ----

def test_a_vmapped_distribution_has_all_its_methods():
    """vmap(Normal)(locs).mean failed, or had the shape of one lane."""
    loc, scale = np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 3.0])
    d = vmap(dist.Normal)(loc, scale)
    assert d.batch_shape == (3,)
    for name in ("mean", "variance"):
        np.testing.assert_array_equal(getattr(d, name), getattr(dist.Normal(loc, scale), name))
    np.testing.assert_array_equal(d.log_prob(loc), dist.Normal(loc, scale).log_prob(loc))
    assert d.sample(random.key(0), (2,)).shape == (2, 3)
    matrices = np.stack([np.eye(2), 4.0 * np.eye(2)])
    many = vmap(lambda c: dist.MultivariateNormal(np.zeros(2), covariance_matrix=c))(matrices)
    assert (many.batch_shape, many.event_shape) == ((2,), (2,))
    np.testing.assert_allclose(many.log_prob(np.ones((2, 2))),
                               [stats.multivariate_normal(np.zeros(2), c).logpdf(np.ones(2)) for c in matrices])


def test_the_lanes_of_a_vmapped_model_do_not_share_their_random_numbers():
    x = np.asarray(seed(lambda: vmap(lambda i: cr.sample("x", dist.Normal(0.0, 1.0)))(np.arange(1000)), 0)())
    assert len(np.unique(x)) == 1000 and stats.kstest(x, "norm").pvalue > 1e-3


# ---- control flow in models ----

def random_effects(y):
    """A plate inside of a scan's body, a plate around a scan, and vectors and bounded sites in both."""
    rows, times = y.shape
    tau = cr.sample("tau", dist.Uniform(0.0, 3.0))
    with cr.plate("row", rows):
        start = cr.sample("start", dist.Normal(0.0, 1.0))

        def step(state, value):
            drift = cr.sample("drift", dist.Uniform(-1.0, 1.0))
            pair = cr.sample("pair", dist.MultivariateNormal(np.zeros(2), covariance_matrix=np.eye(2)))
            state = state + drift + pair[..., 0] * tau
            cr.sample("y", dist.Normal(state, 1.0), obs=value)
            return state, None
        scan(step, start, y.T)

    def outer(total, _):
        inner = scan(lambda c, _: (c + cr.sample("deep", dist.Normal(c, 1.0)), None), total, None, length=2)[0]
        return inner, None
    scan(outer, 0.0, None, length=2)


def test_plates_in_scans_and_scans_in_scans():
    tr = trace(seed(random_effects, 0)).get_trace(Y)
    shapes = {k: s["value"].shape for k, s in tr.items()}
    assert shapes == {"tau": (), "start": (2,), "drift": (3, 2), "pair": (3, 2, 2), "y": (3, 2), "deep": (2, 2)}
    v = {k: np.asarray(s["value"]) for k, s in tr.items()}
    state, lp = v["start"], stats.uniform.logpdf(v["tau"], 0, 3) + stats.norm.logpdf(v["start"]).sum()
    for t in range(3):
        lp += 2 * np.log(0.5) + stats.norm.logpdf(v["pair"][t]).sum()
        state = state + v["drift"][t] + v["pair"][t][:, 0] * v["tau"]
        lp += stats.norm.logpdf(Y[:, t], state).sum()
    c = 0.0
    for x in v["deep"].ravel():
        lp += stats.norm.logpdf(x, c)
        c += x
    params = {k: v[k] for k in v if k != "y"}
    assert float(cr.log_density(random_effects, (Y,), {}, params)[0]) == pytest.approx(lp, rel=1e-12)
    mcmc = MCMC(NUTS(random_effects), num_warmup=20, num_samples=20, progress_bar=False)
    mcmc.run(random.key(0), Y)
    assert mcmc.get_samples()["pair"].shape == (20, 3, 2, 2)


def test_loops_whose_number_of_steps_is_or_is_not_known():
    def counted():
        return fori_loop(0, 3, lambda i, s: s + cr.sample("x", dist.Normal(i * 1.0, 1.0)), 0.0)

    def until():
        return while_loop(lambda s: s < 3.0, lambda s: s + cr.sample("x", dist.Exponential(1.0)), 0.0)
    assert trace(seed(counted, 0)).get_trace()["x"]["value"].shape == (3,)
    assert 3.0 <= float(seed(until, 0)()) < 20.0


# ---- tracer leaks ----

def simple(y):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    return cr.deterministic("shifted", mu + 1.0)


@pytest.mark.parametrize("handle", [
    lambda m: seed(m, 0), lambda m: seed(mask(m, mask=True), 0), lambda m: condition(m, {"mu": 0.5}),
    lambda m: substitute(m, {"mu": 0.5}), lambda m: seed(jit(m), 0)], ids=["seed", "mask", "condition", "substitute",
                                                                          "jit"])
def test_a_handler_made_outside_of_a_transformation_is_used_inside_and_afterwards(handle):
    """Handlers kept traced values of their last use, which a later use outside of jit met."""
    with config(check_leaks=True):
        model = handle(simple)
        first = jit(model)(Y[0])
        grad(lambda y: cnp.sum(model(y * Y[0])))(2.0)
        vmap(model)(Y)
        np.testing.assert_allclose(model(Y[0]), first, rtol=1e-12)
        record = trace(model)
        jit(lambda y: {k: s["value"] for k, s in record.get_trace(y).items()})(Y[0])
        assert all(isinstance(np.asarray(s["value"]), np.ndarray) for s in record.get_trace(Y[0]).values())


def test_densities_and_predictions_leave_nothing_behind():
    with config(check_leaks=True):
        value = jit(lambda mu: cr.log_density(simple, (Y[0],), {}, {"mu": mu})[0])(0.3)
        assert float(value) == pytest.approx(stats.norm.logpdf(0.3) + stats.norm.logpdf(Y[0], 0.3).sum(), rel=1e-12)
        draws = Predictive(simple, num_samples=4)(random.key(0), Y[0])
        assert draws["shifted"].shape == (4,)
