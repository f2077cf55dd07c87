"""Draws: what holds for every sampler, and particular ones.

What they are distributed as is in test_random_samplers.py, how they follow their parameters in test_random_paths.py.
The tests of distributions here use one fixed key; over keys, each would raise a false alarm once in 10,000 (LEVEL).
"""
import inspect

import numpy as np
import pytest
import scipy.stats as stats

from chainrule.engine import config, jit, make_jaxpr, random, scan, vmap
from chainrule.engine.errors import DtypeError, ShapeError
from chainrule.engine.random.generators import GENERATORS
from tests.engine.test_random_samplers import EVERY

LEVEL = 1e-4
KEY = random.key(2024)
HALVES = np.array([0.1, 0.2, 0.3, 0.4])

# one row of the table of distributions for each function
ROWS = {"uniform", "normal", "truncated_normal-across", "exponential", "cauchy", "laplace", "logistic", "gumbel",
        "maxwell", "double_sided_maxwell", "pareto", "weibull_min", "rayleigh", "triangular", "lognormal", "wald-0.1",
        "gamma-3.5", "loggamma-0.7", "chisquare", "t-7", "f", "beta", "dirichlet", "generalized_normal-4",
        "von_mises-2", "multivariate_normal", "orthogonal", "ball", "bernoulli", "rademacher", "randint",
        "geometric-0.3", "categorical", "choice", "poisson-42", "binomial-100-0.4", "multinomial", "negative_binomial",
        "hypergeometric-60-40-50", "zipf-4"}
PLACE = {name: i for i, name in enumerate(sorted(ROWS))}
EACH = pytest.mark.parametrize("name", sorted(ROWS))
NOT_SAMPLERS = {"Key", "PRNGKey", "key", "key_data", "key_impl", "clone", "split", "fold_in", "wrap_key_data",
                "hash_bits", "hash_normal", "hash_uniform", "philox4x32", "threefry2x32", "bits", "permutation"}
COMPILED = sorted({"uniform", "normal", "truncated_normal-across", "exponential", "cauchy", "gumbel", "wald-0.1",
                   "gamma-3.5", "beta", "von_mises-2", "randint", "categorical", "choice", "poisson-42",
                   "geometric-0.3", "binomial-100-0.4", "hypergeometric-60-40-50", "zipf-4"})


def close(found, expected):
    """Integers are equal. Compiled functions may round log, exp and sums of products differently from NumPy, by some
    units in the last place: 64 of the largest."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    if expected.dtype.kind in "iub":
        np.testing.assert_array_equal(found, expected)
    else:
        scale = np.abs(expected).max(initial=1e-300)
        assert np.abs(found - expected).max(initial=0) <= 64 * np.finfo(expected.dtype).eps * scale


def test_every_sampler_has_a_row():
    assert {n.split("-")[0] for n in ROWS} | NOT_SAMPLERS == set(random.__all__)
    assert set(EVERY) >= ROWS


@EACH
def test_vmap_over_keys_is_a_loop_over_them(name):
    f = lambda k: EVERY[name][0](k, (3,))                # noqa: E731
    keys = random.split(random.key(PLACE[name]), 3)
    close(vmap(f)(keys), np.stack([np.asarray(f(k)) for k in keys]))


@pytest.mark.parametrize("name", ["normal", "gamma-3.5", "poisson-42"])
def test_scan_over_keys_of_the_other_generator_is_a_loop_over_them(name):
    f = lambda k: EVERY[name][0](k, (3,))                # noqa: E731
    keys = random.split(random.key(1, "philox4x32"), 3)
    loop = np.stack([np.asarray(f(k)) for k in keys])
    close(scan(lambda c, k: (c, f(k)), 0.0, keys)[1], loop)
    close(vmap(f)(keys), loop)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_draws_are_those_of_numpy(name):
    key = random.key(PLACE[name], list(GENERATORS)[PLACE[name] % 2])
    f = EVERY[name][0]
    close(jit(lambda k: f(k, (7,)))(key), f(key, (7,)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma-3.5", "poisson-42", "von_mises-2"])
def test_large_draws_begin_like_small_ones_compiled_or_not(name):
    """Large arrays go through rejection by columns: an element gets the same."""
    f = EVERY[name][0]
    few, many = f(KEY, (50,)), f(KEY, (5001,))
    close(np.asarray(many)[:50], few)
    close(jit(lambda k: f(k, (5001,)))(KEY), many)


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 4100])
def test_vmap_over_parameters_is_a_loop_over_them(size):
    """Lanes that need more turns than others, or none, do not disturb their neighbours; 4100 go by columns."""
    rows = ((random.gamma, [0.5, 1e9, np.nan, 2.0]),
            (random.poisson, [3.0, 11.0, 1e6, -1.0]),
            (lambda k, p, n: random.binomial(k, 100, p, n), [0.0, 0.02, 0.5, 0.97]),
            (lambda k, c, n: random.von_mises(k, 0.5, c, n), [0.0, 1.0, 1e6, 0.01]))
    for f, values in rows if size < 100 else rows[:2]:
        draw = lambda a: f(KEY, a, (size,))              # noqa: B023, E731
        for lane, value in zip(np.asarray(vmap(draw)(np.array(values))), values):
            expected = np.asarray(draw(value))
            close(np.nan_to_num(lane, nan=-1.0), np.nan_to_num(expected, nan=-1.0))


@EACH
def test_draws_of_no_elements_have_their_shape(name):
    f = EVERY[name][0]
    for shape in ((0,), (2, 0)):
        assert f(KEY, shape).shape == shape


FLOATS = {name: f for name in random.__all__ if name not in NOT_SAMPLERS
          for f in [getattr(random, name)] if "dtype" in inspect.signature(f).parameters
          and not np.issubdtype(np.asarray(EVERY[min(r for r in ROWS if r.split("-")[0] == name)][0](KEY, (1,))).dtype,
                                np.integer)}
ARGUMENTS = {"mean": 1.0, "cov": np.eye(2), "n": 5.0, "p": 0.5, "lower": 0.5, "upper": 2.0, "alpha": np.ones(3), "d": 2}


@pytest.mark.parametrize("name", sorted(FLOATS))
def test_floating_draws_have_the_dtype_that_is_asked_for_and_are_finite(name):
    f = FLOATS[name]
    given = {p.name: ARGUMENTS.get(p.name, 1.5) for p in inspect.signature(f).parameters.values()
             if p.name not in ("key", "shape", "dtype", "method") and p.default is inspect.Parameter.empty}
    if name == "multivariate_normal":
        given["mean"] = np.zeros(2)
    if name == "triangular":
        given |= {"left": 0.0, "mode": 0.5, "right": 1.0}
    if name == "orthogonal":
        given["n"] = 3
    if name == "multinomial":
        given["p"] = HALVES
    for dtype in ("float16", "float32", "float64"):
        x = f(KEY, shape=(20,), dtype=dtype, **given)
        assert x.dtype == dtype and np.isfinite(np.asarray(x)).all() and x.shape[0] == 20
    with config(default_float="float32"):
        assert f(KEY, shape=(2,), **given).dtype == np.float32
    with pytest.raises((DtypeError, TypeError)):
        f(KEY, shape=(2,), dtype="bool", **given)


# ---- particular draws ----

def test_loops_that_the_parameters_rule_out_are_not_in_the_program():
    """A known mean is on one side of the limit; a traced one may be on either."""
    def loops(program):
        return sum((eqn.prim.name == "while") + sum(map(loops, eqn.prim.programs(eqn.params))) for eqn in program.eqns)
    for mean in (3.0, 30.0):
        assert loops(make_jaxpr(lambda k, m=mean: random.poisson(k, m, (3,)))(KEY)) == 1
        assert loops(make_jaxpr(lambda k, m=mean: random.binomial(k, 10 * m, 0.1, (3,)))(KEY)) == 1
    assert loops(make_jaxpr(lambda k, m: random.poisson(k, m, (3,)))(KEY, 3.0)) == 2


def test_counts_are_the_same_under_float32_as_the_default():
    """They are computed in float64 all the same."""
    for f in (lambda: random.poisson(KEY, 50.0, (3,)), lambda: random.hypergeometric(KEY, 60, 50, 40, (3,)),
              lambda: random.zipf(KEY, 2.0, (3,)), lambda: random.negative_binomial(KEY, 5.0, 0.25, (3,))):
        expected = f()
        with config(default_float="float32"):
            close(f(), expected)


def test_uniform_numbers_are_the_same_compiled_and_stay_below_their_bound():
    x = random.uniform(KEY, (5, 7))
    np.testing.assert_array_equal(x, jit(lambda k: random.uniform(k, (5, 7)))(KEY))
    for dtype in (np.float16, np.float32):
        many = np.asarray(random.uniform(KEY, (20_000,), dtype))
        assert many.dtype == dtype and many.min() >= 0 and many.max() < 1
    near = np.asarray(random.uniform(KEY, (20_000,), np.float32, 1000.0, 1000.001))
    assert near.min() >= 1000 and near.max() < np.float32(1000.001)


def test_maxima_of_many_float32_gumbel_numbers_are_not_tied():
    """With 23 bits of u the largest of 2e5 would be tied once in 40 times, and draws of categories favour the first."""
    ties = 0
    for k in random.split(KEY, 20):
        top = np.sort(np.asarray(random.gumbel(k, (200_000,), np.float32)))[-20:]
        ties += (np.diff(top) == 0).sum()
    assert ties <= 2                                     # the 20 largest: 0.08 expected


def test_float32_normal_numbers_are_symmetric_and_reach_far():
    x = np.asarray(random.normal(KEY, (2 ** 20,), np.float32)).astype(float)
    assert stats.binomtest(int((x > 0).sum()), x.size).pvalue > LEVEL and (x != 0).all()
    assert stats.kstest(np.abs(x[np.abs(x) > 3]), lambda v: 1 - stats.norm.sf(v) / stats.norm.sf(3)).pvalue > LEVEL


def test_randint_reaches_its_bounds_and_takes_arrays():
    x = np.asarray(random.randint(KEY, (2000,), 250, 256, np.uint8))
    assert x.dtype == np.uint8 and set(x.tolist()) == set(range(250, 256))
    wide = np.asarray(random.randint(KEY, (1000,), -2 ** 63, 2 ** 63))
    assert wide.min() < -2 ** 62 and wide.max() > 2 ** 62
    low = np.array([0, 10])
    assert np.all(np.asarray(random.randint(KEY, (50, 2), low, low + 3)) // 10 == [0, 1])
    assert random.randint(KEY, (3,), 5, 5).tolist() == [5] * 3 == random.randint(KEY, (3,), 5, 2).tolist()
    for dtype in ("int8", "int16", "int32", "uint16", "uint32", "uint64"):
        info = np.iinfo(dtype)
        x = np.asarray(random.randint(KEY, (4000,), info.min, int(info.max) + 1, dtype)).astype(float)
        assert stats.kstest((x - info.min + 0.5) / 2.0 ** info.bits, "uniform").pvalue > LEVEL or info.bits == 8


def test_randint_is_the_integer_part_of_the_word_times_the_number_of_values():
    """⌊w n / 2¹²⁸⌋ in Python's integers, with the words of the stream."""
    stream = random.keys.single(KEY, "")
    first, second = [np.asarray(w) for w in stream.pairs(np.uint32(0), np.arange(200, dtype=np.uint32), np.dtype("u8"))]
    for n in (1, 2, 10, 2 ** 32 + 1, 2 ** 63 + 12345, 2 ** 64 - 1):
        expected = [((int(a) << 64 | int(b)) * n) >> 128 for a, b in zip(first, second)]
        assert random.randint(KEY, (200,), 0, n, np.uint64).tolist() == expected


def test_choice_without_replacement_gives_different_elements():
    x = random.choice(KEY, np.arange(20) * 10, (20,), replace=False)
    assert sorted(x.tolist()) == list(range(0, 200, 10))
    w = np.array([0.5, 0.5, 0.0])
    for k in random.split(KEY, 5):
        assert sorted(random.choice(k, 3, (2,), replace=False, p=w).tolist()) == [0, 1]
    rows = random.choice(KEY, np.arange(12).reshape(3, 4), (2, 5), axis=1)
    assert rows.shape == (3, 2, 5)
    with pytest.raises(ShapeError, match="without replacement"):
        random.choice(KEY, 3, (4,), replace=False)


def test_weighted_urns_are_emptied_in_the_right_order():
    """The probability of an ordered pair is w[i] w[j] / (1 - w[i]); by choice and by categorical."""
    keys = random.split(KEY, 20_000)
    exact = {(i, j): HALVES[i] * HALVES[j] / (1 - HALVES[i]) for i in range(4) for j in range(4) if i != j}
    draws = [vmap(lambda k: random.choice(k, 4, (2,), replace=False, p=HALVES))(keys),
             vmap(lambda k: random.categorical(k, np.log(HALVES), shape=(2,), replace=False))(keys)]
    for pairs in draws:
        pairs = np.asarray(pairs)
        found = [np.sum((pairs == pair).all(1)) for pair in exact]
        assert stats.chisquare(found, np.array(list(exact.values())) * len(keys)).pvalue > LEVEL


def test_permutations_are_equally_likely():
    keys = random.split(KEY, 3000)
    found = np.asarray(vmap(lambda k: random.permutation(k, 3))(keys))
    _, counts = np.unique(found @ [9, 3, 1], return_counts=True)
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > LEVEL
    rows = np.asarray(random.permutation(KEY, np.arange(12).reshape(4, 3), independent=True))
    assert np.array_equal(np.sort(rows, 0), np.arange(12).reshape(4, 3))
    whole = np.asarray(random.permutation(KEY, np.arange(12).reshape(3, 4), axis=1))
    assert sorted(whole[0].tolist()) == [0, 1, 2, 3] and np.array_equal(whole - whole[:1], [[0] * 4, [4] * 4, [8] * 4])


def test_categorical_puts_the_axis_and_the_shape_where_they_belong():
    logits = np.log(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]) + 1e-300)
    assert random.categorical(KEY, logits).tolist()[:2] == [1, 0]
    assert random.categorical(KEY, logits.T, axis=0, shape=(5, 3)).shape == (5, 3)
    both = np.asarray(random.categorical(KEY, logits, shape=(2, 3), replace=False))
    assert np.array_equal(np.sort(both, 0), [[0] * 3, [1] * 3])
    with pytest.raises(ShapeError, match="3 different indices out of 2"):
        random.categorical(KEY, logits, shape=(3, 3), replace=False)


@pytest.mark.slow
def test_multinomial_counts_add_up_and_vary_together():
    n = np.array([0, 3, 1000, 2.0 ** 40])
    x = np.asarray(random.multinomial(KEY, n, HALVES))
    assert x.shape == (4, 4) and np.array_equal(x.sum(-1), n) and x.min() >= 0
    many = np.asarray(random.multinomial(KEY, 50, HALVES, shape=(20_000,)))
    covariance = np.cov(many.T)
    exact = 50 * (np.diag(HALVES) - np.outer(HALVES, HALVES))
    assert np.abs(covariance - exact).max() < 5 * 13 / 20_000 ** 0.5                 # a variance is 12 at most
    assert random.multinomial(KEY, 5, np.array([0.0, 1.0, 0.0])).tolist() == [0, 5, 0]
    assert np.isnan(np.asarray(random.multinomial(KEY, -1, HALVES))).all()
    assert random.multinomial(KEY, 5, HALVES, dtype=np.int32).dtype == np.int32


def test_dirichlet_vectors_of_tiny_concentrations_are_corners():
    alpha = np.array([1e-4, 2e-4, 1e-4])
    x = np.asarray(random.dirichlet(KEY, alpha, (20_000,)))
    assert np.isfinite(x).all() and np.abs(x.sum(-1) - 1).max() < 4e-16
    corners = np.bincount(x.argmax(-1), minlength=3)
    assert stats.chisquare(corners, 20_000 * alpha / alpha.sum()).pvalue > LEVEL


def test_orthogonal_matrices_are_orthogonal_and_turn_and_reflect_equally_often():
    for n, m, dtype in ((4, 4, float), (5, 2, float), (2, 5, float), (3, 3, complex), (3, 3, np.float32)):
        q = np.asarray(random.orthogonal(KEY, n, (7,), dtype, m))
        assert q.shape == (7, n, m) and q.dtype == dtype
        q = q if m <= n else np.swapaxes(q, -1, -2)
        product = np.swapaxes(q, -1, -2).conj() @ q
        assert np.abs(product - np.eye(min(n, m))).max() < 16 * np.finfo(q.dtype).eps
    determinants = np.linalg.det(np.asarray(random.orthogonal(KEY, 3, (4000,))))
    assert stats.binomtest(int((determinants > 0).sum()), 4000).pvalue > LEVEL
    # of Haar's measure on the unitary matrices, the phases of the eigenvalues are uniform
    phases = np.angle(np.linalg.eigvals(np.asarray(random.orthogonal(KEY, 2, (4000,), complex)))[:, 0])
    assert stats.kstest(phases / (2 * np.pi) + 0.5, "uniform").pvalue > LEVEL


def test_complex_normal_numbers_turn_evenly():
    z = np.asarray(random.normal(KEY, (20_000,), np.complex64))
    assert z.dtype == np.complex64 and random.normal(KEY, (2,), complex).dtype == np.complex128
    assert stats.kstest(np.angle(z) / (2 * np.pi) + 0.5, "uniform").pvalue > LEVEL


def test_parameters_out_of_their_domain_give_nan_or_minus_one_and_end():
    bad = np.array([-1.0, np.nan])
    for f in (random.gamma, random.loggamma, random.chisquare, random.t, lambda k, a: random.beta(k, a, 1.0),
              lambda k, a: random.von_mises(k, 0.0, a), lambda k, p: random.binomial(k, 5, p),
              lambda k, n: random.binomial(k, n, 0.5)):
        assert np.isnan(np.asarray(f(KEY, bad))).all()
    for f in (random.poisson, random.geometric, random.zipf, lambda k, n: random.negative_binomial(k, n, 0.5),
              lambda k, n: random.hypergeometric(k, n, 3, 2), lambda k, n: random.hypergeometric(k, 3, 3, n)):
        assert f(KEY, bad).tolist() == [-1, -1]
    assert random.hypergeometric(KEY, 3, 3, 7).tolist() == -1 == random.zipf(KEY, 1.0).tolist()


def test_limits_of_the_parameters_give_the_limits_of_the_draws():
    assert random.binomial(KEY, 7, np.array([0.0, 1.0])).tolist() == [0.0, 7.0]
    assert random.binomial(KEY, 0, 0.5).tolist() == 0 == random.poisson(KEY, 0.0).tolist()
    assert random.gamma(KEY, np.array([0.0, np.inf])).tolist() == [0.0, np.inf]
    assert random.loggamma(KEY, 0.0).tolist() == -np.inf
    assert random.von_mises(KEY, 1.5, np.inf).tolist() == 1.5
    assert random.geometric(KEY, np.array([1.0, 0.0])).tolist() == [1, 2 ** 63 - 1]
    assert random.negative_binomial(KEY, 3, 1.0).tolist() == 0
    good, bad, size = np.array([[0, 3, 2], [3, 0, 2], [4, 2, 6], [4, 2, 0]]).T
    assert random.hypergeometric(KEY, good, bad, size).tolist() == [0, 2, 4, 0]
    assert random.poisson(KEY, 1e30).tolist() >= 2 ** 62 and random.poisson(KEY, 1e6, dtype=np.int8).tolist() == 127
    assert random.bernoulli(KEY, np.array([0.0, 1.0, np.nan])).tolist() == [False, True, False]


@pytest.mark.parametrize("impl", list(GENERATORS))
def test_the_generator_of_the_key_is_the_one_that_is_used(impl):
    key, other = (random.wrap_key_data(np.array([1, 2], np.uint32), name) for name in (impl, *set(GENERATORS) - {impl}))
    for f in (random.normal, lambda k, n: random.gamma(k, 2.0, n), lambda k, n: random.poisson(k, 50.0, n)):
        assert not np.array_equal(f(key, (8,)), f(other, (8,)))
