"""The studentized range against SciPy, Student's t for two numbers, and quadrature for its tails; its draws.

Draws use fixed keys; the false-alarm rate of each comparison is 1e-6.
"""
import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit, jvp, random, tree

KEY = random.key(11)


def log_density(q, k, df):
    """By two Gauss-Legendre rules: the inner integral over [-9, 9], the outer one over a scale of at most 6."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z, z_weight, s, s_weight = 9 * nodes, 9 * weights, 3 * (1 + nodes), 3 * weights
    w = q * s[:, None]
    inner = np.exp(-0.5 * (z * z + (z + w) ** 2)) * (special.ndtr(z + w) - special.ndtr(z)) ** (k - 2) @ z_weight
    f = stats.chi.pdf(s * np.sqrt(df), df) * np.sqrt(df)
    return np.log(np.sum(s_weight * s * f * inner) * k * (k - 1) / (2 * np.pi))


@pytest.mark.parametrize("k, df", [(3.0, 10.0), (10.0, 5.0), (2.5, 3.0)])
def test_the_density_is_a_double_integral_and_the_slope_of_the_distribution_function(k, df):
    d, q = dist.StudentizedRange(k, df), np.array([0.5, 2.0, 6.0])
    np.testing.assert_allclose(np.asarray(d.log_prob(q)), [log_density(x, k, df) for x in q], rtol=1e-11, atol=1e-11)
    slope = jvp(d.cdf, (q,), (np.ones(3),))[1]
    np.testing.assert_allclose(np.asarray(slope), np.asarray(d.prob(q)), rtol=1e-9)


@pytest.mark.parametrize("k, df", [(3.0, 10.0), (10.0, 5.0), (50.0, 30.0)])
def test_the_distribution_function_is_scipys(k, df):
    q = np.array([2.0, 4.0, 6.0])
    d, law = dist.StudentizedRange(k, df), stats.studentized_range(k, df)
    np.testing.assert_allclose(np.asarray(d.cdf(q)), law.cdf(q), rtol=1e-9)
    np.testing.assert_allclose(np.asarray(d.survival_function(q)), law.sf(q), rtol=1e-9)


@pytest.mark.parametrize("df", [0.5, 3.0, 1e6])
def test_of_two_numbers_it_is_the_size_of_a_t_number(df):
    q = np.array([1e-4, 0.3, 4.0, 20.0])
    d, t = dist.StudentizedRange(2.0, df), dist.StudentT(df, 0.0, np.sqrt(2.0))
    np.testing.assert_allclose(np.asarray(d.log_prob(q)), np.asarray(t.log_prob(q)) + np.log(2), rtol=2e-11, atol=2e-11)
    above = np.asarray(t.log_survival(q)) + np.log(2)
    np.testing.assert_allclose(np.asarray(d.log_survival(q)), above, rtol=2e-11, atol=2e-11)
    np.testing.assert_allclose(np.asarray(d.log_cdf(q))[1:], np.log(-np.expm1(above))[1:], rtol=2e-11,
                               atol=1e-16)


@pytest.mark.slow
def test_quantiles_gradients_edges_and_compiled_values():
    d = dist.StudentizedRange([3.0, 6.0], 8.0)
    q = np.asarray(d.icdf(0.95))
    np.testing.assert_allclose(q, stats.studentized_range.ppf(0.95, [3.0, 6.0], 8.0), rtol=1e-7)
    np.testing.assert_array_equal(np.asarray(d.log_prob([-1.0, 0.0])), [-np.inf, -np.inf])
    np.testing.assert_array_equal(np.asarray(d.cdf([-1.0, 0.0])), [0.0, 0.0])
    slopes, h = grad(lambda d: d.log_prob(2.0).sum())(d), 1e-5
    for name in ("k", "df"):
        at = {"k": np.array([3.0, 6.0]), "df": np.array(8.0)}
        up, down = (dist.StudentizedRange(**{**at, name: at[name] + s * h}).log_prob(2.0) for s in (1, -1))
        got = np.asarray(getattr(slopes, name))
        want = np.asarray(up - down) / (2 * h)
        np.testing.assert_allclose(got, want if name == "k" else want.sum(), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(jit(lambda d: d.log_prob(2.0))(d)), np.asarray(d.log_prob(2.0)), rtol=1e-11)
    single = tree.map(lambda v: v.astype(np.float32), d)
    for name in ("log_prob", "cdf", "log_survival"):
        got = getattr(single, name)(np.float32(2.0))
        assert got.dtype == np.float32
        np.testing.assert_allclose(np.asarray(got), np.asarray(getattr(d, name)(2.0)), rtol=1e-4)


def test_many_values_are_taken_in_pieces():
    d, q = dist.StudentizedRange([[3.0], [4.0]], 8.0), np.linspace(0.5, 6.0, 300)
    whole = np.asarray(d.log_prob(q))
    assert whole.shape == (2, 300)
    np.testing.assert_allclose(whole[:, ::50], np.asarray(d.log_prob(q[::50])), rtol=1e-13)


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="k must be"):
        dist.StudentizedRange(1.0, 3.0)
    with pytest.raises(ValueError, match="df must be"):
        dist.StudentizedRange(3.0, 0.0)


@pytest.mark.slow
def test_draws_follow_the_law_and_move_with_its_parameters():
    d = dist.StudentizedRange(4.0, 6.0)
    x = np.asarray(d.sample(KEY, (4000,)))
    edges = np.linspace(0.01, 12.0, 60)
    table = np.asarray(d.cdf(edges))
    def cdf(v):
        return np.interp(v, edges, table)                          # to 1e-3, where 4000 draws tell 0.04
    assert stats.kstest(x, cdf).pvalue > 1e-6
    for name in ("k", "df"):
        e = {"k": 0.0, "df": 0.0, name: 1.0}
        moved = jvp(lambda k, df: dist.StudentizedRange(k, df).sample(KEY, (4000,)), (4.0, 6.0), (e["k"], e["df"]))[1]
        slope = np.asarray(moved) / (1 + x) ** 2                   # of x / (1 + x)
        h, v = 0.05, np.linspace(0.005, 30.0, 150)
        up, down = (np.asarray(dist.StudentizedRange(4.0 + s * e["k"], 6.0 + s * e["df"]).cdf(v)) for s in (h, -h))
        want = np.trapezoid((down - up) / (2 * h) / (1 + v) ** 2, v)
        assert abs(slope.mean() - want) < 4.9 * slope.std() / np.sqrt(4000) + 2e-3 * abs(want)
