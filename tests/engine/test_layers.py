"""Layers of neural networks: each is its NumPy formula, tells its shape, and keeps the dtype of its input."""
import numpy as onp
import pytest
from scipy import special

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, nn, random, scan, tree, vmap
from chainrule.engine.errors import ChainruleError, DtypeError, ShapeError
from tests.engine.laws import close

KEY = random.key(4)
RNG = onp.random.default_rng(0)
sig = special.expit


def drawn(layer, shape):
    """The layer's apply, and parameters drawn anew, so that no bias is zero."""
    init, apply = layer
    _, params = init(KEY, shape)
    return apply, tree.map(lambda p: 0.5 * RNG.normal(size=p.shape), params)


def correlation(x, p, strides, pads):
    """By the definition: a sum over the window and the channels at each place."""
    w = p["kernel"]
    window, space = w.shape[:-2], x.ndim - 2
    x = onp.pad(x, [(0, 0), *pads, (0, 0)])
    seen = onp.lib.stride_tricks.sliding_window_view(x, window, axis=tuple(range(1, 1 + space)))
    seen = seen[(slice(None), *[slice(None, None, s) for s in strides])]     # [batch, *places, channels, *window]
    letters = "xyz"[:space]
    return onp.einsum(f"n{'abc'[:space]}i{letters},{letters}io->n{'abc'[:space]}o", seen, w) + p["bias"]


def gru(p, xs):
    h, n, out = onp.zeros((*xs.shape[:-2], p["recurrent_bias"].size)), p["recurrent_bias"].size, []
    for t in range(xs.shape[-2]):
        a, b = xs[..., t, :] @ p["kernel"] + p["bias"], h @ p["recurrent_kernel"]
        r, u = sig(a[..., :n] + b[..., :n]), sig(a[..., n:2 * n] + b[..., n:2 * n])
        h = u * h + (1 - u) * onp.tanh(a[..., 2 * n:] + r * (b[..., 2 * n:] + p["recurrent_bias"]))
        out.append(h)
    return onp.stack(out, -2)


def lstm(p, xs):
    n = p["recurrent_kernel"].shape[0]
    h = c = onp.zeros((*xs.shape[:-2], n))
    out = []
    for t in range(xs.shape[-2]):
        a = xs[..., t, :] @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"]
        i, f, g, o = (a[..., k * n:(k + 1) * n] for k in range(4))
        c = sig(f) * c + sig(i) * onp.tanh(g)
        h = sig(o) * onp.tanh(c)
        out.append(h)
    return onp.stack(out, -2)


def normalized(x, axis, epsilon=1e-5):
    return (x - x.mean(axis, keepdims=True)) / onp.sqrt(x.var(axis, keepdims=True) + epsilon)


def without_weights(f):
    return lambda p, x: f(x)


def dense(p, x):
    return x @ p["kernel"] + p["bias"]


LAYERS = {
    "dense": (nn.Dense(4), (5, 3), dense),
    "dense of more axes": (nn.Dense(4), (2, 5, 3), dense),
    "dense without bias": (nn.Dense(4, use_bias=False), (5, 3), lambda p, x: x @ p["kernel"]),
    "conv 1": (nn.Conv(4, (3,)), (2, 7, 3), lambda p, x: correlation(x, p, (1,), [(0, 0)])),
    "conv 2": (nn.Conv(4, (3, 2), (2, 1), "SAME"), (2, 6, 5, 3),
               lambda p, x: correlation(x, p, (2, 1), [(0, 1), (0, 1)])),
    "conv 3": (nn.Conv(2, (2, 2, 2), padding=[(1, 0), (0, 1), (1, 1)]), (2, 3, 4, 3, 2),
               lambda p, x: correlation(x, p, (1, 1, 1), [(1, 0), (0, 1), (1, 1)])),
    "layer norm": (nn.LayerNorm(), (4, 5), lambda p, x: normalized(x, -1) * p["scale"] + p["bias"]),
    "layer norm of an axis": (nn.LayerNorm(1, 1e-3, use_bias=False), (4, 5, 2),
                              lambda p, x: normalized(x, 1, 1e-3) * p["scale"][:, None]),
    "dropout without a key": (nn.Dropout(0.3), (4, 5), lambda p, x: x),
    "flatten": (nn.Flatten, (2, 3, 4), lambda p, x: x.reshape(2, 12)),
    "reshape": (nn.Reshape(4, 3), (2, 3, 4), lambda p, x: x.reshape(2, 4, 3)),
    "max pool": (nn.MaxPool((2,), (2,)), (2, 6, 3), lambda p, x: x.reshape(2, 3, 2, 3).max(2)),
    "avg pool": (nn.AvgPool((2,), (2,)), (2, 6, 3), lambda p, x: x.reshape(2, 3, 2, 3).mean(2)),
    "serial": (nn.serial(nn.Dense(4), nn.Tanh, nn.Dense(2)), (5, 3),
               lambda p, x: dense(p[2], onp.tanh(dense(p[0], x)))),
    "mlp": (nn.MLP([4, 3, 2], np.tanh), (5, 3),
            lambda p, x: dense(p[2], onp.tanh(dense(p[1], onp.tanh(dense(p[0], x)))))),
    "mlp, activated": (nn.MLP([4], np.tanh, activate_final=True), (5, 3), lambda p, x: onp.tanh(dense(p[0], x))),
    "residual": (nn.Residual(nn.Dense(3), nn.Relu), (5, 3), lambda p, x: x + onp.maximum(dense(p[0], x), 0)),
    "fan in sum": (nn.serial(nn.FanOut(2), nn.parallel(nn.Dense(4), nn.Dense(4)), nn.FanInSum), (5, 3),
                   lambda p, x: dense(p[1][0], x) + dense(p[1][1], x)),
    "fan in concat": (nn.serial(nn.FanOut(2), nn.parallel(nn.Dense(4), nn.Identity), nn.FanInConcat()), (5, 3),
                      lambda p, x: onp.concatenate([dense(p[1][0], x), x], -1)),
    "gru": (nn.GRU(4), (2, 6, 3), gru),
    "lstm": (nn.LSTM(4), (2, 6, 3), lstm),
    **{name: (layer, (3, 4), without_weights(f)) for name, layer, f in [
        ("identity", nn.Identity, lambda x: x), ("tanh", nn.Tanh, onp.tanh), ("exp", nn.Exp, onp.exp),
        ("relu", nn.Relu, lambda x: onp.maximum(x, 0)), ("sigmoid", nn.Sigmoid, sig),
        ("softplus", nn.Softplus, lambda x: onp.log1p(onp.exp(x))), ("silu", nn.Silu, lambda x: x * sig(x)),
        ("elu", nn.Elu, lambda x: onp.where(x > 0, x, onp.expm1(x))),
        ("selu", nn.Selu, lambda x: 1.05070098735548 * onp.where(x > 0, x, 1.67326324235437 * onp.expm1(x))),
        ("leaky relu", nn.LeakyRelu, lambda x: onp.where(x > 0, x, 0.01 * x)),
        ("gelu", nn.Gelu, lambda x: 0.5 * x * (1 + onp.tanh(onp.sqrt(2 / onp.pi) * (x + 0.044715 * x**3)))),
        ("log sigmoid", nn.LogSigmoid, lambda x: onp.log(sig(x))),
        ("softmax", nn.Softmax, lambda x: special.softmax(x, -1)),
        ("log softmax", nn.LogSoftmax, lambda x: special.log_softmax(x, -1))]},
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_formula(name):
    layer, shape, formula = LAYERS[name]
    apply, params = drawn(layer, shape)
    x = RNG.normal(size=shape)
    y = apply(params, x)
    close(y, formula(params, x), 1e-12)
    assert layer[0](KEY, shape)[0] == y.shape
    assert layer[0](KEY, (-1, *shape[1:]))[0] == (-1, *y.shape[1:])
    close(jit(apply)(params, x), y, 1e-12)
    if shape[0] == 2:
        close(vmap(lambda x: apply(params, x))(x[None]), y[None], 1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_a_result_has_the_dtype_of_the_input(name):
    layer, shape, formula = LAYERS[name]
    apply, params = drawn(layer, shape)
    x = RNG.normal(size=shape)
    y = apply(params, x.astype("float32"))
    assert y.dtype == onp.float32
    close(y, formula(params, x), 2e-5)
    for p in tree.leaves(layer[0](KEY, shape)[1]):
        assert p.dtype == onp.float64


@pytest.mark.parametrize("name", ["serial", "conv 2", "layer norm", "gru", "lstm", "fan in concat", "residual"])
def test_a_loss_has_a_derivative_in_every_weight(name):
    layer, shape, _ = LAYERS[name]
    apply, params = drawn(layer, shape)
    x, h = RNG.normal(size=shape), 1e-6
    c = RNG.normal(size=apply(params, x).shape)

    def loss(p):
        return (apply(p, x) * c).sum()
    leaves, structure = tree.flatten(params)
    slopes = tree.leaves(grad(loss)(params))
    for i, p in enumerate(leaves):
        t = RNG.normal(size=p.shape)
        up, down = (tree.unflatten(structure, [*leaves[:i], p + s * t, *leaves[i + 1:]]) for s in (h, -h))
        want = float(loss(up) - loss(down)) / (2 * h)
        assert abs(float((slopes[i] * t).sum()) - want) <= 1e-6 * max(1.0, abs(want))


def test_a_step_in_a_scan_of_ones_own_is_the_layer():
    apply, params = drawn(nn.GRU(4), (6, 3))
    x = RNG.normal(size=(6, 3))
    close(scan(lambda h, row: nn.gru_step(params, h, row), np.zeros(4), x)[1], apply(params, x), 1e-14)
    apply, params = drawn(nn.LSTM(4), (6, 3))
    start = (np.zeros(4), np.zeros(4))
    close(scan(lambda s, row: nn.lstm_step(params, s, row), start, x)[1], apply(params, x), 1e-14)


def test_an_embedding_is_a_row_of_its_table():
    init, apply = nn.Embed(7, 3)
    shape, params = init(KEY, (2, 4))
    at = onp.array([[0, 6, 3, 3], [1, 2, 0, 5]])
    assert shape == (2, 4, 3)
    onp.testing.assert_array_equal(apply(params, at), onp.asarray(params["embedding"])[at])
    slope = grad(lambda p: apply(p, at).sum())(params)["embedding"]
    onp.testing.assert_array_equal(slope[:, 0], onp.bincount(at.ravel(), minlength=7))


def test_dropout_keeps_the_mean_and_drops_at_its_rate():
    """Both within 5 standard errors: a false alarm once in 10⁶."""
    init, apply = nn.Dropout(0.3)
    y = onp.asarray(apply((), onp.ones((200, 100)), key=KEY))
    assert set(onp.unique(y)) == {0.0, 1 / 0.7}
    assert abs((y == 0).mean() - 0.3) < 5 * (0.21 / y.size) ** 0.5
    net = nn.serial(nn.Dropout(0.5), nn.Dense(50), nn.Residual(nn.Dropout(0.5)), nn.MLP([3]))
    _, params = net[0](KEY, (4, 100))
    x = onp.ones((4, 100))
    one, two = (net[1](params, x, key=random.key(i)) for i in (1, 2))
    assert not onp.allclose(one, two) and onp.allclose(one, net[1](params, x, key=random.key(1)))
    assert onp.array_equal(net[1](params, x), net[1](params, x))


def test_a_pair_of_another_library_is_a_layer():
    """Functions without `key` work in combinators as long as no key is given."""
    foreign = (lambda key, shape: (shape, (random.normal(key, (3,)),)), lambda params, x: x * params[0])
    init, apply = nn.serial(nn.Dense(3), foreign)
    _, params = init(KEY, (5, 2))
    x = onp.ones((5, 2))
    close(apply(params, x), dense(tree.map(onp.asarray, params[0]), x) * params[1][0], 1e-14)


def test_the_layers_of_a_network_begin_with_different_weights():
    _, params = nn.serial(nn.Dense(3), nn.Dense(3), nn.Dense(3))[0](KEY, (5, 3))
    kernels = [onp.asarray(p["kernel"]) for p in params]
    assert not any(onp.allclose(kernels[i], kernels[j]) for i, j in [(0, 1), (0, 2), (1, 2)])
    zeros = nn.Dense(3, kernel_init=nn.initializers.zeros, bias_init=nn.initializers.ones)[0](KEY, (5, 3))[1]
    assert not onp.asarray(zeros["kernel"]).any() and onp.asarray(zeros["bias"]).all()
    lstm_params = nn.LSTM(2)[0](KEY, (4, 3))[1]
    onp.testing.assert_array_equal(lstm_params["bias"], [0, 0, 1, 1, 0, 0, 0, 0])
    square = onp.asarray(lstm_params["recurrent_kernel"])[:, :2]
    close(square @ square.T, onp.eye(2), 1e-12)


MISTAKES = [
    (lambda: nn.Dense(2)[1](nn.Dense(2)[0](KEY, (5, 3))[1], onp.ones((5, 4))), ShapeError, r"\(5, 4\).*\(3, 2\)"),
    (lambda: nn.Dense(2)[0](KEY, ()), ShapeError, "Dense"),
    (lambda: nn.Conv(2, (3, 3))[0](KEY, (5, 8, 3)), ShapeError, r"window \(3, 3\)"),
    (lambda: nn.Conv(2, (3,), (1, 1)), ShapeError, "strides"),
    (lambda: nn.Embed(3, 2)[1]({"embedding": onp.ones((3, 2))}, onp.ones(2)), DtypeError, "integers"),
    (lambda: nn.Residual(nn.Dense(2))[0](KEY, (5, 3)), ShapeError, "Residual"),
    (lambda: nn.FanInSum[0](KEY, ((5, 3), (5, 2))), ShapeError, "FanInSum"),
    (lambda: nn.parallel(nn.Dense(2))[0](KEY, ((5, 3), (5, 3))), ShapeError, r"FanOut\(1\)"),
    (lambda: nn.Reshape(5)[0](KEY, (2, 3, 4)), ShapeError, "12"),
    (lambda: nn.Dropout(1.5), ValueError, "1.5"),
]


@pytest.mark.parametrize("f, kind, words", MISTAKES)
def test_a_mistake_says_what_is_wrong(f, kind, words):
    with pytest.raises(kind, match=words) as caught:
        f()
    assert kind is ValueError or isinstance(caught.value, ChainruleError)
