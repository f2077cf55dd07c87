"""The methods of universal functions: reduce, accumulate, reduceat, outer, at; frompyfunc; what is refused."""
import itertools

import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import config, grad, jit, vmap
from chainrule.engine.errors import DtypeError, ImmutableError, ShapeError

RNG = onp.random.default_rng(2)
T = RNG.uniform(0.5, 2, (2, 5, 3))
K = RNG.integers(1, 60, (2, 5, 3))
B = K > 30
PLACES = onp.array([0, 3, 1, 4])
FLOATING = ("add subtract multiply divide maximum minimum fmax fmin power fmod remainder floor_divide arctan2 hypot "
            "logaddexp logaddexp2 copysign").split()
WHOLE = "bitwise_and bitwise_or bitwise_xor gcd lcm".split()
TRUTH = "logical_and logical_or logical_xor".split()
ROWS = [*[(name, T) for name in FLOATING], *[(name, K) for name in WHOLE], *[(name, B) for name in TRUTH]]
rows = pytest.mark.parametrize("name, x", ROWS, ids=[name for name, _ in ROWS])


def same(found, expected):
    assert onp.asarray(found).dtype == expected.dtype
    onp.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def from_the_left(f, x, axis):
    """What accumulate is: f(f(x₀, x₁), x₂) …; NumPy 2.5 has other numbers for power and arctan2 of contiguous ones."""
    return onp.stack(list(itertools.accumulate(onp.moveaxis(x, axis, 0), f)), axis)


@rows
def test_reduce_and_accumulate_go_from_the_left(name, x):
    ours, theirs = getattr(np, name), getattr(onp, name)
    for axis in (0, 1, -1):
        expected = from_the_left(theirs, x, axis)
        same(ours.reduce(x, axis), expected.take(-1, axis))
        same(ours.accumulate(x, axis), expected)
    expected = from_the_left(theirs, x, 1)
    with config(disable_jit=True):                       # staged, then evaluated by NumPy
        same(jit(lambda v: ours.reduce(v, 1, keepdims=True))(x), expected[:, -1:])
        same(jit(lambda v: ours.accumulate(v, 1))(x), expected)


@rows
def test_reduceat_and_outer(name, x):
    """A reduction from each place up to the next, of one element where the next is not further."""
    ours, theirs = getattr(np, name), getattr(onp, name)
    ends = [max(end, place + 1) for place, end in zip(PLACES, [*PLACES[1:], x.shape[1]])]
    parts = [from_the_left(theirs, x[:, place:end], 1)[:, -1] for place, end in zip(PLACES, ends)]
    same(ours.reduceat(x, PLACES, axis=1), onp.stack(parts, 1))
    same(ours.outer(x[0, :, 0], x[1]), theirs.outer(x[0, :, 0], x[1]))


@pytest.mark.parametrize("name", "add subtract multiply maximum minimum floor_divide hypot".split())
def test_at_counts_an_index_as_often_as_it_occurs(name):
    x, i, v = T[0, :, 0], onp.array([0, 2, 0, 4]), onp.array([1.5, 2.0, 0.7, 3.0])
    expected = x.copy()
    getattr(onp, name).at(expected, i, v)
    same(getattr(np, name).at(x, i, v), expected)
    with config(disable_jit=True):
        same(jit(lambda a: getattr(np, name).at(a, i, v))(x), expected)
    assert x[0] == T[0, 0, 0]                            # a copy: arrays do not change


def test_at_of_a_function_of_one_argument():
    x = onp.array([1.0, 2.0, 3.0])
    same(np.negative.at(x, onp.array([0, 0, 1])), onp.array([1.0, -2.0, 3.0]))


def test_reductions_with_a_mask_start_and_an_empty_axis():
    same(np.add.reduce(T, axis=(0, 2), where=T > 1), onp.add.reduce(T, axis=(0, 2), where=T > 1))
    same(np.logaddexp.reduce(T, 1, where=T > 1), onp.logaddexp.reduce(T, 1, where=T > 1, initial=-onp.inf))
    same(np.hypot.reduce(T, 1, initial=3.0), onp.hypot.reduce(T, 1, initial=3.0))
    same(np.multiply.reduce(onp.zeros((0, 2))), onp.ones(2))
    same(np.bitwise_and.reduce(onp.zeros((0, 2), int)), -onp.ones(2, int))
    with pytest.raises(ShapeError, match="empty axis"):
        np.fmax.reduce(onp.zeros((0, 2)))


def test_what_a_function_says_of_itself():
    for name in (*FLOATING, "exp", "negative", "isnan"):
        ours, theirs = getattr(np, name), getattr(onp, name)
        assert (ours.nin, ours.nout, ours.nargs) == (theirs.nin, theirs.nout, theirs.nargs)
    assert np.add.identity == 0 and np.multiply.identity == 1 and np.subtract.identity is None


def test_a_function_of_scalars_becomes_a_universal_one():
    f = np.frompyfunc(lambda x, y: x * np.sin(y) + 1, 2, 1)
    x, y = onp.array([[1.0], [2.0]]), onp.array([0.3, 0.4, 0.5])
    same(f(x, y), x * onp.sin(y) + 1)
    same(jit(f)(x, y), x * onp.sin(y) + 1)
    same(f.outer(y, y), y[:, None] * onp.sin(y) + 1)
    same(f.reduce(y), onp.asarray((y[0] * onp.sin(y[1]) + 1) * onp.sin(y[2]) + 1))
    same(vmap(lambda v: f.accumulate(v))(x + y)[1], onp.asarray(f.accumulate(x[1] + y)))
    assert float(grad(lambda a: f(a, 0.3).sum())(2.0)) == pytest.approx(onp.sin(0.3), rel=1e-14)
    two = np.frompyfunc(lambda v: (v + 1, v * 2), 1, 2)
    assert [o.tolist() for o in two(y[:2])] == [[1.3, 1.4], [0.6, 0.8]] and two.nout == 2
    with pytest.raises(DtypeError, match="takes 2 arrays"):
        f(x)


@pytest.mark.parametrize("f", [lambda out: np.sum(T, out=out), lambda out: np.mean(T, out=out),
                               lambda out: np.clip(T, 0, 1, out), lambda out: np.cumsum(T, out=out),
                               lambda out: np.quantile(T, 0.5, out=out), lambda out: np.nanmax(T, out=out),
                               lambda out: np.round(T, 1, out), lambda out: np.add.reduce(T, out=out)])
def test_a_place_for_the_result_is_refused(f):
    with pytest.raises(ImmutableError, match="out= was given"):
        f(onp.zeros(3))
