"""Keys, bits and draws.

The tests of distributions use one fixed key, so they are reproducible; over keys, each KS or χ² test would raise a
false alarm once in 10,000 (LEVEL).
"""
import numpy as np
import pytest
import scipy.stats as stats
from scipy.special import gamma, gammainc, gammaincinv

import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, jvp, random, scan, tree, vmap
from chainrule.engine.errors import DtypeError, ShapeError

LEVEL = 1e-4
N = 4000
KEY = random.key(2024)


# ---- bits ----

@pytest.mark.parametrize("key, counter, answer", [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
])
def test_threefry_gives_the_known_answers_of_random123(key, counter, answer):
    args = [np.asarray(v, np.uint32) for v in (*key, *counter)]
    for f in (random.threefry2x32, jit(lambda *a: random.threefry2x32(*a))):
        assert tuple(int(v) for v in f(*args)) == answer


def test_large_arrays_get_the_same_bits_as_small_ones_and_as_numpy():
    few, many = random.bits(KEY, (100,)), random.bits(KEY, (10_000,))
    compiled = jit(lambda k: random.bits(k, (10_000,)))(KEY)         # straight code; the loop below
    np.testing.assert_array_equal(few, many[:100])
    np.testing.assert_array_equal(many, compiled)
    np.testing.assert_array_equal(few, jit(lambda k: random.bits(k, (100,)))(KEY))


def test_hash_bits_is_splitmix64():
    assert [int(v) for v in random.hash_bits(0, np.arange(3, dtype=np.uint64))] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("draw", [random.hash_uniform, lambda s, c, n: stats.norm.cdf(random.hash_normal(s, c, n))],
                         ids=["uniform", "normal"])
def test_hashed_draws_are_uniform_and_independent_over_counters_and_places(draw):
    x = np.stack([np.asarray(draw(np.uint64(7), np.uint64(c), (20,))) for c in range(200)])
    assert stats.kstest(x.ravel(), "uniform").pvalue > LEVEL
    for a, b in ((x[:-1], x[1:]), (x[:, :-1], x[:, 1:])):
        assert stats.pearsonr(a.ravel(), b.ravel()).pvalue > LEVEL


# ---- keys ----

def test_a_seed_is_its_64_bits():
    for seed, expected in ((5, (0, 5)), (-1, (0xFFFFFFFF, 0xFFFFFFFF)), (2 ** 40 + 3, (256, 3)),
                           (2 ** 64 - 1, (0xFFFFFFFF,) * 2)):
        assert tuple(random.key_data(random.key(seed)).tolist()) == expected
    for seed in (7, -7):
        for array in (np.int64(seed), np.asarray(seed, np.int32)):
            assert random.key_data(jit(random.key)(array)).tolist() == random.key_data(random.key(seed)).tolist()
    with pytest.raises(DtypeError, match="64 bits"):
        random.key(2 ** 64)


def test_a_key_is_a_pytree_that_can_be_indexed_and_iterated():
    keys = random.split(KEY, (2, 3))
    assert keys.shape == (2, 3) and len(keys) == 2 and keys[1].shape == (3,) and keys[..., 0].shape == (2,)
    assert keys.reshape(-1).shape == (6,) and [k.shape for k in keys[0]] == [(), (), ()]
    (data,), structure = tree.flatten(keys)
    assert tree.unflatten(structure, [data]).shape == (2, 3) and "threefry2x32" in repr(keys)
    assert random.wrap_key_data(data).shape == (2, 3)
    with pytest.raises(IndexError):
        keys[0, 0, 0]


def test_split_and_fold_in_give_different_keys():
    keys = [KEY, *random.split(KEY, 50), *[random.fold_in(KEY, i) for i in range(50)]]
    assert len({tuple(random.key_data(k).tolist()) for k in keys}) == len(keys)
    assert random.key_data(random.split(KEY, 2)).tolist() == random.key_data(random.split(KEY, 5))[:2].tolist()
    folded = vmap(lambda i: random.fold_in(KEY, i))(np.arange(3))
    assert random.key_data(folded[2]).tolist() == random.key_data(random.fold_in(KEY, 2)).tolist()


def test_a_draw_says_what_is_wrong_with_its_key_or_shape():
    with pytest.raises(DtypeError, match="random.key"):
        random.normal(0, (3,))
    with pytest.raises(ShapeError, match="vmap"):
        random.normal(random.split(KEY, 3))
    with pytest.raises(ShapeError, match="whole result"):
        random.gamma(KEY, np.ones(3), (4,))


# ---- every draw ----

WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])
DRAWS = {
    "uniform": (lambda k, n: random.uniform(k, n, minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
    "normal": (random.normal, stats.norm()),
    "truncated_normal": (lambda k, n: random.truncated_normal(k, 0.5, 2.0, n), stats.truncnorm(0.5, 2)),
    "truncated_normal-tail": (lambda k, n: random.truncated_normal(k, -np.inf, -8.0, n), stats.truncnorm(-np.inf, -8)),
    "exponential": (random.exponential, stats.expon()),
    "cauchy": (random.cauchy, stats.cauchy()),
    "laplace": (random.laplace, stats.laplace()),
    "logistic": (random.logistic, stats.logistic()),
    "gumbel": (random.gumbel, stats.gumbel_r()),
    "pareto": (lambda k, n: random.pareto(k, 2.5, n), stats.pareto(2.5)),
    "weibull_min": (lambda k, n: random.weibull_min(k, 2.0, 1.5, n), stats.weibull_min(1.5, scale=2)),
    "rayleigh": (lambda k, n: random.rayleigh(k, 2.0, n), stats.rayleigh(scale=2)),
    "triangular": (lambda k, n: random.triangular(k, -1.0, 0.5, 1.0, n), stats.triang(0.75, -1, 2)),
    "lognormal": (lambda k, n: random.lognormal(k, 0.5, n), stats.lognorm(0.5)),
    "gamma": (lambda k, n: random.gamma(k, 3.5, n), stats.gamma(3.5)),
    "gamma-small": (lambda k, n: random.gamma(k, 0.2, n), stats.gamma(0.2)),
    "gamma-large": (lambda k, n: random.gamma(k, 1e5, n), stats.gamma(1e5)),
    "loggamma": (lambda k, n: random.loggamma(k, 0.7, n), stats.loggamma(0.7)),
    "chisquare": (lambda k, n: random.chisquare(k, 3.0, n), stats.chi2(3)),
    "t": (lambda k, n: random.t(k, 2.5, n), stats.t(2.5)),
    "beta": (lambda k, n: random.beta(k, 0.6, 2.0, n), stats.beta(0.6, 2)),
    "dirichlet": (lambda k, n: random.dirichlet(k, np.array([0.5, 1.0, 2.0]), n)[..., 1], stats.beta(1, 2.5)),
    "multivariate_normal": (lambda k, n: random.multivariate_normal(k, np.ones(2), np.array([[2.0, 1.0], [1.0, 3.0]]),
                                                                    n)[..., 1],
                            stats.norm(1, 3 ** 0.5)),
    "bernoulli": (lambda k, n: random.bernoulli(k, 0.3, n), stats.bernoulli(0.3)),
    "rademacher": (lambda k, n: (random.rademacher(k, n) + 1) // 2, stats.bernoulli(0.5)),
    "randint": (lambda k, n: random.randint(k, n, -3, 9), stats.randint(-3, 9)),
    "geometric": (lambda k, n: random.geometric(k, 0.3, n), stats.geom(0.3)),
    "categorical": (lambda k, n: random.categorical(k, np.log(WEIGHTS), shape=n),
                    stats.rv_discrete(values=(range(4), WEIGHTS))),
    "choice": (lambda k, n: random.choice(k, 4, n, p=WEIGHTS), stats.rv_discrete(values=(range(4), WEIGHTS))),
    "poisson-small": (lambda k, n: random.poisson(k, 3.7, n), stats.poisson(3.7)),
    "poisson-large": (lambda k, n: random.poisson(k, 42.0, n), stats.poisson(42)),
    "poisson-ten": (lambda k, n: random.poisson(k, 10.0, n), stats.poisson(10)),
    "binomial-small": (lambda k, n: random.binomial(k, 12, 0.3, n), stats.binom(12, 0.3)),
    "binomial-large": (lambda k, n: random.binomial(k, 100, 0.4, n), stats.binom(100, 0.4)),
    "binomial-flipped": (lambda k, n: random.binomial(k, 60, 0.8, n), stats.binom(60, 0.8)),
}
# these run through XLA, or a product of matrices, whose rounding depends on the number of lanes
ROUNDED = {"gamma", "gamma-small", "gamma-large", "loggamma", "chisquare", "t", "beta", "dirichlet",
           "multivariate_normal"}
EVERY = pytest.mark.parametrize("name", list(DRAWS))
EACH_FUNCTION = pytest.mark.parametrize("name", [n for n in DRAWS if n not in (
    "loggamma", "chisquare", "gamma-small", "gamma-large", "poisson-small", "poisson-ten", "binomial-small",
    "binomial-flipped")])


def discrete_pvalue(x, dist):
    """χ² over the values that are expected at least 8 times; the tails together."""
    if dist.support()[1] - dist.support()[0] == 1:
        return stats.binomtest(int(x.sum()), len(x), dist.pmf(1)).pvalue
    values = np.arange(dist.ppf(8 / len(x)) + 1, dist.isf(8 / len(x)))
    edges = np.concatenate([values, [values[-1] + 1]])
    expected = np.concatenate([[dist.cdf(values[0] - 1)], dist.pmf(values), [dist.sf(values[-1])]]) * len(x)
    found = np.concatenate([[np.sum(x < values[0])], np.histogram(x, edges)[0] * 1.0, [np.sum(x > values[-1])]])
    found[-2] -= np.sum(x == edges[-1])                  # the last bin of a histogram is closed
    some = expected > 1e-9
    assert not found[~some].any()
    return stats.chisquare(found[some], expected[some]).pvalue


@EVERY
def test_draws_have_their_distribution(name):
    f, dist = DRAWS[name]
    x = np.asarray(f(KEY, (N,)))
    assert x.shape == (N,)
    if hasattr(dist, "pmf") and not hasattr(dist, "pdf") or x.dtype.kind in "iub" or name.startswith("binomial"):
        assert discrete_pvalue(x.astype(float), dist) > LEVEL
    else:
        assert stats.kstest(x, dist.cdf).pvalue > LEVEL


@EACH_FUNCTION
def test_vmap_over_keys_is_a_loop_over_them_and_so_are_scan_and_jit(name):
    f = lambda k: DRAWS[name][0](k, (3,))                # noqa: E731
    keys = random.split(KEY, 3)
    loop = np.stack([np.asarray(f(k)) for k in keys])
    found = [vmap(f)(keys), scan(lambda c, k: (c, f(k)), 0.0, keys)[1]]
    found += [jit(vmap(f))(keys)] if name in ("gamma", "poisson-large") or name not in ROUNDED else []
    for i, x in enumerate(found):
        assert x.dtype == loop.dtype
        if loop.dtype.kind != "f":
            np.testing.assert_array_equal(x, loop)
        elif i == 0 and name not in ROUNDED:             # both in NumPy: bit for bit
            np.testing.assert_array_equal(x, loop)
        else:                                            # XLA may fuse multiplications with additions, or not
            np.testing.assert_allclose(x, loop, rtol=1e-12, atol=1e-14)


@EACH_FUNCTION
def test_draws_of_no_elements_have_their_shape(name):
    f = DRAWS[name][0]
    for shape in ((0,), (2, 0)):
        assert f(KEY, shape).shape == jit(lambda k, shape=shape: f(k, shape))(KEY).shape == shape


@EVERY
def test_the_default_dtype_is_that_of_the_settings(name):
    f = DRAWS[name][0]
    wide = f(KEY, (2,)).dtype
    if wide.kind == "f" and not name.startswith("binomial"):
        assert wide == np.float64
        with config(default_float="float32"):
            assert f(KEY, (2,)).dtype == np.float32


# ---- particular draws ----

def test_uniform_bits_are_the_same_compiled():
    x = random.uniform(KEY, (5, 7))
    np.testing.assert_array_equal(x, jit(lambda k: random.uniform(k, (5, 7)))(KEY))
    assert random.uniform(KEY, (4,), np.float16).dtype == np.float16
    many = np.asarray(random.uniform(KEY, (20_000,), np.float32))
    assert many.min() >= 0 and many.max() < 1


def test_randint_reaches_its_bounds_and_takes_arrays():
    x = np.asarray(random.randint(KEY, (2000,), 250, 256, np.uint8))
    assert x.dtype == np.uint8 and set(x.tolist()) == set(range(250, 256))
    wide = np.asarray(random.randint(KEY, (1000,), -2 ** 63, 2 ** 63))
    assert wide.min() < -2 ** 62 and wide.max() > 2 ** 62
    low = np.array([0, 10])
    assert np.all(np.asarray(random.randint(KEY, (50, 2), low, low + 3)) // 10 == [0, 1])


def test_choice_without_replacement_gives_different_elements():
    x = random.choice(KEY, np.arange(20) * 10, (20,), replace=False)
    assert sorted(x.tolist()) == list(range(0, 200, 10))
    w = np.array([0.5, 0.5, 0.0])
    for k in random.split(KEY, 5):
        assert sorted(random.choice(k, 3, (2,), replace=False, p=w).tolist()) == [0, 1]
    with pytest.raises(ShapeError, match="without replacement"):
        random.choice(KEY, 3, (4,), replace=False)


def test_permutations_are_equally_likely():
    keys = random.split(KEY, 3000)
    found = np.asarray(vmap(lambda k: random.permutation(k, 3))(keys))
    _, counts = np.unique(found @ [9, 3, 1], return_counts=True)
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > LEVEL
    rows = np.asarray(random.permutation(KEY, np.arange(12).reshape(4, 3), independent=True))
    assert np.array_equal(np.sort(rows, 0), np.arange(12).reshape(4, 3))


def test_categorical_puts_the_axis_and_the_shape_where_they_belong():
    logits = np.log(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]) + 1e-300)
    assert random.categorical(KEY, logits).tolist()[:2] == [1, 0]
    assert random.categorical(KEY, logits.T, axis=0, shape=(5, 3)).shape == (5, 3)


def test_parameters_out_of_their_domain_give_nan_or_minus_one_and_end():
    assert np.isnan(np.asarray(random.gamma(KEY, np.array([-1.0, np.nan])))).all()
    assert random.poisson(KEY, np.array([-1.0, np.nan, 0.0])).tolist() == [-1, -1, 0]
    assert np.isnan(np.asarray(random.binomial(KEY, np.array([5.0, -1.0]), np.array([1.5, 0.5])))).all()
    assert random.binomial(KEY, 7, np.array([0.0, 1.0])).tolist() == [0.0, 7.0]


# ---- derivatives ----

@pytest.mark.parametrize("a", [1e-3, 0.3, 0.999, 2.0, 30.0, 1e4])
def test_a_gamma_draw_moves_along_its_quantile(a):
    x, slope = jvp(lambda a: random.gamma(KEY, a, (6,)), (a,), (1.0,))
    x, slope = np.asarray(x), np.asarray(slope)
    some = x > 1e-250
    p, h = gammainc(a, x[some]), 1e-4 * a
    q = [gammaincinv(a + s * h, p) for s in (-2, -1, 1, 2)]
    np.testing.assert_allclose(slope[some], (8 * (q[2] - q[1]) - (q[3] - q[0])) / (12 * h), rtol=1e-5)
    assert np.isfinite(slope).all()


def test_the_second_derivative_of_a_gamma_draw_is_that_of_its_quantile():
    a, h = 2.5, 1e-3
    first = jvp(lambda a: random.gamma(KEY, a, (6,)), (a,), (1.0,))
    second = jvp(lambda a: jvp(lambda a: random.gamma(KEY, a, (6,)), (a,), (1.0,))[1], (a,), (1.0,))[1]
    p = gammainc(a, np.asarray(first[0]))
    q = [gammaincinv(a + s * h, p) for s in (-1, 0, 1)]
    np.testing.assert_allclose(second, (q[0] - 2 * q[1] + q[2]) / h ** 2, rtol=1e-4, atol=1e-7)


def test_gradients_through_beta_dirichlet_t_and_chisquare_have_the_right_mean():
    """d E[x] / d parameter = E[dx / d parameter], to five standard errors (false alarm: 6e-7 each)."""
    def check(f, at, exact):
        slopes = np.asarray(vmap(lambda k: grad(lambda a: f(k, a))(at))(random.split(KEY, 2000)))
        assert abs(slopes.mean() - exact) < 5 * slopes.std() / 2000 ** 0.5
    check(lambda k, a: random.beta(k, a, 3.0), 2.0, 3 / 25)                      # a / (a + 3)
    check(lambda k, a: random.dirichlet(k, cnp.stack([a, 1.0, 2.0]))[0], 1.5, 3 / 4.5 ** 2)
    check(lambda k, a: random.chisquare(k, a), 3.0, 1.0)

    def student(v):                                      # E|t|
        return 2 * v ** 0.5 * gamma((v + 1) / 2) / (np.pi ** 0.5 * gamma(v / 2) * (v - 1))
    check(lambda k, a: abs(random.t(k, a)), 5.0, (student(5 + 1e-5) - student(5 - 1e-5)) / 2e-5)
