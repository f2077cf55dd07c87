"""Low-rank metrics, renewed by the host between chunks."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import jit, numpy, random, stats, vmap
from chainrule.engine.tree import leaves
from chainrule.inference import MCMC, NUTS, chain, diagnostics, fit, renewal
from chainrule.inference.driver import Group
from tests.inference.targets import seed_of

D = 12
RNG = np.random.default_rng(0)
SCALES = np.exp(RNG.normal(size=D))
LOADINGS = 4.0 * RNG.normal(size=(D, 2))
COVARIANCE = SCALES[:, None] * (np.eye(D) + LOADINGS @ LOADINGS.T) * SCALES
PRECISION = np.linalg.inv(COVARIANCE)


def two_factors(precision):
    """A normal distribution whose correlations are those of two factors."""
    with cr.plate("x", D):
        x = cr.sample("x", dist.ImproperUniform(dist.constraints.real))
    cr.factor("density", -0.5 * x @ (precision @ x))


def run(seed=0, warmup=400, method="parallel", precision=PRECISION, **options):
    mcmc = MCMC(NUTS(two_factors, **options), num_warmup=warmup, num_samples=500, num_chains=3, progress_bar=False,
                chain_method=method)
    mcmc.run(random.key(seed), precision)
    return mcmc


@pytest.mark.parametrize("method", ["parallel", pytest.param("vectorized", marks=pytest.mark.slow)])
def test_correlations_cost_no_more_steps_than_independence(method):
    """Moments within 4.5 errors, 24 of them: false alarms 2 · 10⁻⁴. A dense metric takes 7 steps, a diagonal one 60."""
    mcmc = run(low_rank=3, method=method)
    x = np.asarray(mcmc.get_samples(group_by_chain=True)["x"])
    for y, expected in ((x, 0.0), (x ** 2, np.diag(COVARIANCE))):
        assert np.all(np.abs(y.mean((0, 1)) - expected) < 4.5 * diagnostics.mcse_mean(y))
    assert np.asarray(mcmc.get_extra_fields()["num_steps"]).mean() < 10
    for c in mcmc.last_state:
        inverse = np.asarray(vmap(c.adaptation.params.metric.velocity)(np.eye(D)))
        ratio = np.linalg.eigvals(PRECISION @ inverse).real
        assert ratio.max() / ratio.min() < 5                              # 1 is perfect; 100 for the diagonal


def test_a_number_of_directions_that_is_too_small_still_helps():
    steps = [np.asarray(run(**options).get_extra_fields()["num_steps"]).mean() for options in (dict(low_rank=1), {})]
    assert steps[0] < 0.7 * steps[1]


def test_another_fit_compiles_nothing():
    run(low_rank=3)
    before = stats()
    run(1, precision=2.0 * PRECISION, low_rank=3)
    run(2, warmup=100, low_rank=3)
    assert (stats().compilations, stats().traces) == (before.compilations, before.traces)


# ---- cut in chunks ----

WARMUP, TOTAL = 120, 160


@jit
def chunk(c, data, stop_at, max_gradients):
    return chain.run(c, lambda x: -0.5 * numpy.sum(x * (data[0] @ x)), stop_at, max_gradients, size=16)


def driven(budgets):
    """(draws, infos) of a chain that is run in chunks of so many gradients."""
    start = chain.init(seed_of(3), D, WARMUP, method="low_rank", rank=3)
    group, at = Group(chain.Leapfrogs(), chunk, start, [PRECISION], [0]), 0
    group.aim(TOTAL)
    while not group.done:
        group.advance(budgets[at % len(budgets)])
        at += 1
    return np.concatenate(group.draws[0]), np.concatenate(group.infos[0])


@pytest.mark.parametrize("budgets", [(1,), (7,), (3, 50, 1)], ids=str)
def test_the_draws_do_not_depend_on_how_the_run_is_cut(budgets):
    for a, b in zip(driven((100_000,)), driven(budgets)):
        assert len(a) == TOTAL
        np.testing.assert_array_equal(a, b)


def test_the_metric_is_renewed_at_the_stops_and_never_after_warm_up():
    start, seen = chain.init(seed_of(3), D, WARMUP, method="low_rank", rank=3), []
    group = Group(chain.Leapfrogs(), chunk, start, [PRECISION], [0])
    group.aim(TOTAL)
    group.advance(1)                                                      # the first gradient makes the first metric
    while not group.done:
        before = np.asarray(group.chain.adaptation.params.metric.scale)
        group.advance(5)
        if not np.array_equal(before, group.chain.adaptation.params.metric.scale):
            seen.append(int(group.chain.machine.transition))
    assert seen == renewal.stops(WARMUP)


@pytest.mark.parametrize("num_warmup, expected", [(0, []), (5, []), (7, [6]), (20, [6, 9, 17]),
                                                  (100, [6, 9, 13, 19, 28, 42, 85])])
def test_the_stops(num_warmup, expected):
    assert renewal.stops(num_warmup) == expected


# ---- options ----

def test_a_metric_that_is_given_and_kept():
    mcmc = run(warmup=50, low_rank=2, inverse_mass_matrix=SCALES, adapt_mass_matrix=False)
    metric = mcmc.last_state[0].adaptation.params.metric
    np.testing.assert_allclose(metric.scale, np.sqrt(SCALES))
    np.testing.assert_array_equal(metric.values, np.ones(2))


def test_mistakes():
    for options in (dict(dense_mass=True), dict(adaptation="stan")):
        with pytest.raises(ValueError, match="leave out dense_mass and adaptation"):
            NUTS(two_factors, low_rank=True, **options)
    for rank in (-1, 2.5):
        with pytest.raises(ValueError, match="low_rank must be"):
            NUTS(two_factors, low_rank=rank)


# ---- in a program without a host ----

def test_the_program_renews_as_the_host_does():
    """Up to rounding, at a stop; and at no other transition."""
    c = chunk(chain.init(seed_of(3), D, WARMUP, method="low_rank", rank=3), [PRECISION], 13, 10 ** 9).chain
    host, program = renewal.at_stop(c), jit(renewal.renewed)(c, np.asarray(13))
    for a, b in zip(host.adaptation.params.metric, program.adaptation.params.metric):
        np.testing.assert_allclose(np.abs(a), np.abs(b), rtol=1e-4, atol=1e-6)       # a direction has no sign
    assert not np.array_equal(host.adaptation.params.metric.scale, c.adaptation.params.metric.scale)
    for a, b in zip(leaves(jit(renewal.renewed)(c, np.asarray(12))), leaves(c)):
        np.testing.assert_array_equal(a, b)


def test_fit_renews_the_metric_itself():
    """Mapped over two data sets, each of which has its own metric; against a metric that stays a diagonal."""
    options = dict(num_warmup=100, num_samples=100)
    one = lambda seed, precision: fit(NUTS(two_factors, low_rank=3), random.key(seed), precision, **options)
    both = jit(vmap(one))(np.array([0, 1]), np.stack([PRECISION, 1e-4 * PRECISION]))
    assert np.asarray(both.stats["num_steps"]).mean(-1).max() < 12
    sd = np.asarray(both.samples["x"]).std((1, 2)) / np.sqrt(np.diag(COVARIANCE))
    assert np.all((sd[0] > 0.5) & (sd[0] < 2)) and np.all((sd[1] > 50) & (sd[1] < 200))
    kept = jit(lambda: fit(NUTS(two_factors, low_rank=3, inverse_mass_matrix=SCALES, adapt_mass_matrix=False),
                           random.key(0), PRECISION, **options))()
    assert np.asarray(kept.stats["num_steps"]).mean() > 20
