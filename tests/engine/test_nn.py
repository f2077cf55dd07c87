"""Functions of neural networks: against their formulas, at their corners, and far out."""
import math

import numpy as onp
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, nn, vmap
from chainrule.engine.errors import ShapeError
from tests.engine.laws import close, direction, slope

X = onp.array([-4.3, -2.9, -1.2, -0.7, -0.2, 0.1, 0.4, 0.9, 1.7, 3.3, 6.4])
sig = scipy.special.expit


def elu(x, a=1.0):
    return onp.where(x > 0, x, a * onp.expm1(x))


FORMULAS = {
    "identity": lambda x: x, "tanh": onp.tanh, "sigmoid": sig, "relu": lambda x: onp.maximum(x, 0),
    "relu6": lambda x: onp.clip(x, 0, 6), "softplus": lambda x: onp.log1p(onp.exp(x)), "silu": lambda x: x * sig(x),
    "swish": lambda x: x * sig(x), "mish": lambda x: x * onp.tanh(onp.log1p(onp.exp(x))),
    "log_sigmoid": lambda x: onp.log(sig(x)), "soft_sign": lambda x: x / (1 + abs(x)), "elu": elu,
    "celu": elu, "selu": lambda x: 1.05070098735548049 * elu(x, 1.67326324235437728),
    "gelu": lambda x: 0.5 * x * (1 + onp.tanh(onp.sqrt(2 / onp.pi) * (x + 0.044715 * x**3))),
    "leaky_relu": lambda x: onp.where(x >= 0, x, 0.01 * x), "hard_tanh": lambda x: onp.clip(x, -1, 1),
    "hard_sigmoid": lambda x: onp.clip(x + 3, 0, 6) / 6, "hard_silu": lambda x: x * onp.clip(x + 3, 0, 6) / 6,
    "hard_swish": lambda x: x * onp.clip(x + 3, 0, 6) / 6, "squareplus": lambda x: 0.5 * (x + onp.sqrt(x * x + 4)),
    "sparse_plus": lambda x: onp.where(x <= -1, 0, onp.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: onp.clip((x + 1) / 2, 0, 1),
}
OTHERS = [(lambda x: nn.gelu(x, approximate=False), lambda x: x * scipy.special.ndtr(x)),
          (lambda x: nn.elu(x, 0.5), lambda x: elu(x, 0.5)),
          (lambda x: nn.celu(x, 2.0), lambda x: onp.where(x > 0, x, 2 * onp.expm1(x / 2))),
          (lambda x: nn.leaky_relu(x, 0.2), lambda x: onp.where(x >= 0, x, 0.2 * x)),
          (lambda x: nn.squareplus(x, 1.0), lambda x: 0.5 * (x + onp.sqrt(x * x + 1))),
          (lambda x: nn.log1mexp(np.abs(x)), lambda x: onp.log(-onp.expm1(-abs(x)))),
          (lambda x: nn.softmax(x), scipy.special.softmax), (lambda x: nn.log_softmax(x), scipy.special.log_softmax),
          (lambda x: nn.logsumexp(x), scipy.special.logsumexp),
          (lambda x: nn.logmeanexp(x), lambda x: onp.log(onp.mean(onp.exp(x)))),
          (lambda x: nn.standardize(x), lambda x: (x - x.mean()) / onp.sqrt(x.var() + 1e-5)),
          (lambda x: nn.glu(x[:10]), lambda x: x[:5] * sig(x[5:10]))]
ROWS = [*[(getattr(nn, name), f) for name, f in FORMULAS.items()], *OTHERS]


@pytest.mark.parametrize("ours, formula", ROWS, ids=[*FORMULAS, *map(str, range(len(OTHERS)))])
def test_a_function_is_its_formula_and_has_its_derivative(ours, formula):
    close(ours(X), formula(X), 1e-14)
    close(jit(ours)(X), formula(X), 1e-14)
    assert ours(X.astype("float32")).dtype == onp.float32
    close(ours(X.astype("float32")), formula(X.astype("float32").astype(float)), 1e-6)
    c = direction(1, formula(X))
    g = grad(lambda x: (ours(x) * c).sum())(X)
    t = direction(2, X)
    close((g * t).sum(), slope(lambda x: (ours(x) * c).sum(), [X], [t])[0], 1e-8)


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_derivatives_are_numbers_far_out(name):
    f = getattr(nn, name)
    for x in (-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4):
        y, d = f(onp.array(x)), grad(f)(x)
        assert onp.isfinite(float(y)) and onp.isfinite(float(d)), (x, y, d)
    assert onp.isnan(float(f(onp.array(onp.nan))))


@pytest.mark.parametrize("name, x, slope_there", [
    ("relu", 0.0, 0.0), ("relu6", 0.0, 0.0), ("relu6", 6.0, 0.0), ("leaky_relu", 0.0, 1.0), ("hard_tanh", 1.0, 1.0),
    ("hard_sigmoid", -3.0, 0.0), ("hard_sigmoid", 3.0, 0.0), ("elu", 0.0, 1.0), ("celu", 0.0, 1.0),
    ("sparse_plus", -1.0, 0.0), ("sparse_plus", 1.0, 1.0), ("soft_sign", 0.0, 1.0)])
def test_the_derivative_at_a_corner(name, x, slope_there):
    assert float(grad(getattr(nn, name))(x)) == slope_there


@pytest.mark.parametrize("x", [1e-300, 1e-12, 0.3, math.log(2), 5.0, 700.0])
def test_log1mexp_keeps_its_digits(x):
    expected = math.log(-math.expm1(-x)) if x < 1 else math.log1p(-math.exp(-x))
    assert float(nn.log1mexp(x)) == pytest.approx(expected, rel=4e-16)
    assert float(grad(nn.log1mexp)(x)) == pytest.approx(1 / math.expm1(x), rel=1e-14)


def test_squareplus_keeps_the_digits_of_small_values():
    assert float(nn.squareplus(-1e9)) == pytest.approx(1e-9, rel=1e-15)


# ---- whole axes ----

M = onp.random.default_rng(0).normal(size=(3, 4)) * 3
MASK = onp.array([[True, False, True, True], [True, True, True, True], [False, False, False, True]])


def test_softmax_leaves_out_what_where_leaves_out():
    kept = onp.where(MASK, M, -onp.inf)
    expected = scipy.special.softmax(kept, -1)
    for f in (nn.softmax, jit(lambda x, where: nn.softmax(x, where=where))):
        close(f(M, where=MASK), expected, 1e-15)
    close(nn.log_softmax(M, where=MASK)[MASK], onp.log(expected[MASK]), 1e-14)
    assert onp.all(onp.isneginf(nn.log_softmax(M, where=MASK)[~MASK]))
    close(nn.softmax(M, axis=(0, 1)), scipy.special.softmax(M), 1e-15)
    close(nn.logsumexp(M, 1, where=MASK), scipy.special.logsumexp(kept, 1), 1e-15)
    close(nn.logmeanexp(M, 1, where=MASK), scipy.special.logsumexp(kept, 1) - onp.log(MASK.sum(1)), 1e-14)
    g = grad(lambda x: (nn.softmax(x, where=MASK) * onp.arange(4.0)).sum())(onp.where(MASK, M, onp.nan))
    assert onp.all(onp.isfinite(g)) and onp.all(onp.asarray(g)[~MASK] == 0)


def test_standardize_of_what_where_leaves_in():
    mean = (M * MASK).sum(1, keepdims=True) / MASK.sum(1, keepdims=True)
    variance = (MASK * (M - mean) ** 2).sum(1, keepdims=True) / MASK.sum(1, keepdims=True)
    close(nn.standardize(M, where=MASK), (M - mean) / onp.sqrt(variance + 1e-5), 1e-13)
    close(nn.standardize(M, mean=1.0, variance=4.0, epsilon=0.0), (M - 1) / 2, 1e-15)


@given(st.lists(st.integers(-3, 8), min_size=1, max_size=6), st.integers(0, 5),
       st.sampled_from(["int8", "uint8", "int64"]))
def test_one_hot_of_what_is_out_of_range_is_zero(places, n, dtype):
    x = onp.array(places).astype(dtype)
    expected = onp.array([[float(int(p) == k) for k in range(n)] for p in x]).reshape(len(places), n)
    onp.testing.assert_array_equal(nn.one_hot(x, n), expected)
    onp.testing.assert_array_equal(nn.one_hot(x, n, axis=0, dtype=onp.int32), expected.T)


# ---- attention ----

def attend(q, k, v, seen=None, bias=0.0, scale=None):
    """One head and one query after the other."""
    b, t, n, h = q.shape
    out = onp.zeros(q.shape)
    for i, j, head in onp.ndindex(b, t, n):
        other = head // (n // k.shape[2])
        logits = k[i, :, other] @ q[i, j, head] * (h**-0.5 if scale is None else scale)
        logits = logits + onp.broadcast_to(bias, (b, n, t, k.shape[1]))[i, head, j]
        keep = onp.ones(k.shape[1], bool) if seen is None else onp.broadcast_to(seen, (b, n, t, k.shape[1]))[i, head, j]
        if keep.any():
            w = scipy.special.softmax(logits[keep])
            out[i, j, head] = w @ v[i, keep, other]
    return out


RNG = onp.random.default_rng(2)
Q, K, V = RNG.normal(size=(2, 5, 4, 3)), RNG.normal(size=(2, 6, 2, 3)), RNG.normal(size=(2, 6, 2, 3))
ROW, COLUMN = onp.ogrid[:5, :6]
SEEN = RNG.random((2, 1, 5, 6)) < 0.6
SEEN[0, 0, 2] = False


@pytest.mark.parametrize("options, seen", [
    ({}, None), ({"scale": 0.7}, None), ({"mask": SEEN}, SEEN), ({"is_causal": True}, ROW >= COLUMN),
    ({"local_window_size": (1, 2)}, (COLUMN >= ROW - 1) & (COLUMN <= ROW + 2)),
    ({"local_window_size": 1, "is_causal": True}, (COLUMN >= ROW - 1) & (COLUMN <= ROW)),
    ({"query_seq_lengths": onp.array([2, 5]), "key_value_seq_lengths": onp.array([6, 1])},
     (ROW < onp.array([2, 5])[:, None, None, None]) & (COLUMN < onp.array([6, 1])[:, None, None, None])),
    ({"bias": RNG.normal(size=(4, 1, 6))}, None)], ids=range(8))
def test_attention_is_a_loop_over_heads_and_queries(options, seen):
    expected = attend(Q, K, V, seen, options.get("bias", 0.0), options.get("scale"))
    run = lambda q, k, v: nn.dot_product_attention(q, k, v, **options)
    close(run(Q, K, V), expected, 1e-13)
    close(jit(run)(Q, K, V), expected, 1e-13)
    if "mask" not in options and "query_seq_lengths" not in options:
        close(run(Q[0], K[0], V[0]), expected[0], 1e-13)
    g = grad(lambda q, k, v: (run(q, k, v) ** 2).sum(), (0, 1, 2))(Q, K, V)
    ts = [direction(i, x) for i, x in enumerate((Q, K, V))]
    found = sum((d * t).sum() for d, t in zip(g, ts))
    close(found, slope(lambda *a: (run(*a) ** 2).sum(), [Q, K, V], ts)[0], 1e-8)


# ---- pooling ----

IMAGES = RNG.normal(size=(2, 5, 6, 3))


@pytest.mark.parametrize("name, op", [("max_pool", onp.max), ("min_pool", onp.min), ("avg_pool", onp.mean)])
def test_pooling_is_a_loop_over_windows(name, op):
    expected = onp.stack([onp.stack([op(IMAGES[:, i:i + 2, j:j + 3], (1, 2)) for j in (0, 3)], 1) for i in (0, 2)], 1)
    run = lambda x: getattr(nn, name)(x, (2, 3), (2, 3))
    close(run(IMAGES), expected, 1e-14)
    close(jit(run)(IMAGES), expected, 1e-14)
    close(vmap(run)(IMAGES[:, None]), expected[:, None], 1e-14)


def test_the_mean_of_a_window_at_the_edge():
    x = onp.ones((1, 4, 1))
    assert nn.avg_pool(x, (3,), padding="SAME")[0, :, 0].tolist() == [2 / 3, 1.0, 1.0, 2 / 3]
    assert nn.avg_pool(x, (3,), padding=((1, 1),), count_include_pad=False)[0, :, 0].tolist() == [1.0] * 4


def test_the_first_of_equals_has_the_derivative_of_a_largest_element():
    g = grad(lambda x: nn.max_pool(x, (2,), (2,)).sum())(onp.array([[[1.0], [1.0], [0.0], [2.0]]]))
    assert g.reshape(-1).tolist() == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("call", [
    lambda: nn.glu(onp.ones(3)), lambda: nn.one_hot(onp.array([1]), -1), lambda: nn.max_pool(IMAGES, (2, 2), (1,)),
    lambda: nn.dot_product_attention(Q[..., :3, :], K, V), lambda: nn.dot_product_attention(Q, K, V[:, :4]),
    lambda: nn.dot_product_attention(Q, K, V, mask=SEEN[..., :4])])
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ShapeError):
        call()
