"""scipy.interpolate against SciPy, and its derivatives against differences; np.interp at its edges."""
import numpy as onp
import pytest
import scipy.interpolate
from hypothesis import given
from hypothesis import strategies as st

import chainrule.engine.numpy as np
from chainrule.engine import config, grad, jit, vmap
from chainrule.engine.errors import ShapeError
from chainrule.engine.scipy import interpolate
from tests.engine.laws import close, direction, slope

RNG = onp.random.default_rng(13)


def near(found, expected, rtol=1e-10):
    found, expected = onp.asarray(found), onp.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    size = onp.abs(expected[onp.isfinite(expected)]).max(initial=1.0)
    onp.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * size)


# ---- np.interp ----

def staged(f):
    """f by its operations, evaluated in NumPy: a plain call of np.interp asks NumPy for the whole."""
    def run(*args):
        with config(disable_jit=True):
            return jit(f)(*args)
    return run


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_interp_is_numpys_also_at_the_points_and_where_they_repeat(places, ends, infinite):
    xp = onp.sort(onp.array(places, float))
    fp = RNG.normal(size=xp.size)
    if infinite:
        fp[0] = onp.inf
    x = onp.r_[RNG.uniform(-6, 6, 5), xp, onp.nan, onp.inf, -onp.inf]
    options = dict(left=-1.5, right=9.0) if ends else {}
    with onp.errstate(all="ignore"):
        expected = onp.interp(x, xp, fp, **options)
    near(np.interp(x, xp, fp, **options), expected, 1e-14)
    near(staged(lambda *a: np.interp(*a, **options))(x, xp, fp), expected, 1e-14)


@given(st.integers(1, 6))
def test_interp_of_a_period_is_numpys(n):
    xp, fp, x = RNG.normal(size=n) * 5, RNG.normal(size=n), RNG.normal(size=7) * 5
    near(np.interp(x, xp, fp, period=3.3), onp.interp(x, xp, fp, period=3.3), 1e-13)
    near(staged(lambda *a: np.interp(*a, period=3.3))(x, xp, fp), onp.interp(x, xp, fp, period=3.3), 1e-13)


def test_interp_compiled():
    xp, fp, x = onp.sort(RNG.normal(size=6)), RNG.normal(size=6), RNG.normal(size=(2, 5)) * 2
    near(jit(np.interp)(x, xp, fp), onp.interp(x, xp, fp), 1e-14)
    near(jit(lambda x: np.interp(x, xp, fp + 1j, -1.0, period=-3.3))(x), onp.interp(x, xp, fp + 1j, period=-3.3), 1e-13)


def test_the_derivatives_of_interp():
    xp, fp, x = onp.array([0.0, 1.0, 3.0, 4.0]), onp.array([1.0, 2.0, 0.0, 5.0]), onp.array([-1.0, 0.5, 2.5, 9.0])
    gx, gxp, gfp = grad(lambda *a: (np.interp(*a) * onp.array([1.0, 2.0, 3.0, 4.0])).sum(), (0, 1, 2))(x, xp, fp)
    assert gx.tolist() == [0.0, 2.0, -3.0, 0.0]
    ts = [direction(i, v) for i, v in enumerate((x, xp, fp))]
    f = lambda *a: (np.interp(*a) * onp.array([1.0, 2.0, 3.0, 4.0])).sum()
    close(sum((g * t).sum() for g, t in zip((gx, gxp, gfp), ts)), slope(f, [x, xp, fp], ts)[0], 1e-8)
    assert onp.isfinite(grad(lambda v: np.interp(3.0, v, fp))(onp.array([0.0, 1.0, 3.0, 3.0]))).all()


@pytest.mark.parametrize("call", [
    lambda: np.interp(0.0, onp.ones((2, 2)), onp.ones((2, 2))), lambda: np.interp(0.0, onp.ones(2), onp.ones(3)),
    lambda: np.interp(0.0, [], []), lambda: np.interp(0.0, [1.0], [1.0], period=0.0)])
def test_what_interp_refuses(call):
    with pytest.raises(ShapeError):
        call()


# ---- grids ----

@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("method", ["linear", "nearest"])
@pytest.mark.parametrize("rest", [(), (2,)])
def test_interpolation_on_a_grid_is_scipys(d, method, rest):
    grid = [onp.sort(RNG.normal(size=n)) for n in (5, 2, 3)[:d]]
    values = RNG.normal(size=tuple(map(len, grid)) + rest)
    x = onp.stack([RNG.uniform(g[0] - 0.5, g[-1] + 0.5, (4, 5)) for g in grid], -1)
    x[0, 0], x[0, 1], x[0, 2, 0] = [g[0] for g in grid], [g[-1] for g in grid], onp.nan
    for options in ({}, {"fill_value": None}, {"fill_value": 7.0}):
        ours = interpolate.RegularGridInterpolator(grid, values, method, bounds_error=False, **options)
        theirs = scipy.interpolate.RegularGridInterpolator(grid, values, method, bounds_error=False, **options)
        near(ours(x), theirs(x), 1e-13)
        near(ours(tuple(onp.moveaxis(x, -1, 0))), theirs(x), 1e-13)
    near(jit(lambda f, x: f(x))(ours, x), theirs(x), 1e-13)
    near(vmap(ours)(x.reshape(20, d)), theirs(x.reshape(20, d)), 1e-13)


def test_places_outside_of_a_grid():
    f = interpolate.RegularGridInterpolator(([0.0, 1.0], [0.0, 2.0]), [[0.0, 2.0], [10.0, 12.0]])
    with pytest.raises(ShapeError, match="1 of 2 places"):
        f([[0.5, 1.0], [0.5, 3.0]])
    assert onp.isnan(jit(f)(onp.array([[0.5, 1.0], [0.5, 3.0]]))).tolist() == [False, True]
    near(interpolate.interpn(f.grid, f.values, onp.array([[0.25, 0.5]])), onp.array([3.0]), 1e-15)


def test_a_grid_has_derivatives_in_values_points_and_places():
    grid, values = (onp.array([0.0, 0.7, 2.0]), onp.array([-1.0, 0.2, 1.0])), RNG.normal(size=(3, 3))
    x = RNG.uniform(0.1, 0.6, (4, 2))

    def f(a, b, v, x):
        return (interpolate.RegularGridInterpolator((a, b), v, bounds_error=False, fill_value=None)(x) ** 2).sum()
    args = [*grid, values, x]
    ts = [direction(i, v) for i, v in enumerate(args)]
    close(sum((g * t).sum() for g, t in zip(grad(f, (0, 1, 2, 3))(*args), ts)), slope(f, args, ts)[0], 1e-7)


# ---- cubic pieces ----

SHAPES = [(0, ()), (0, (2,)), (1, (3, 2)), (-1, (2,))]
CONDITIONS = ["not-a-knot", "natural", "clamped", ((1, 0.5), (2, -1.0)), ("not-a-knot", "natural"),
              ((2, 0.3), "not-a-knot"), "periodic"]


def values_along(n, axis, rest):
    return RNG.normal(size=(*rest, n) if axis == -1 else (*rest[:axis], n, *rest[axis:]))


@pytest.mark.parametrize("n", [2, 3, 4, 9])
@pytest.mark.parametrize("condition", CONDITIONS, ids=range(len(CONDITIONS)))
def test_cubic_splines_are_scipys(n, condition):
    x = onp.cumsum(RNG.uniform(0.2, 1, n))
    q = RNG.uniform(x[0] - 1, x[-1] + 1, (3, 4))
    for axis, rest in SHAPES:
        y = onp.moveaxis(values_along(n, axis, rest), axis, 0).copy()
        if condition == "periodic":
            y[-1] = y[0]
        y = onp.moveaxis(y, 0, axis)
        theirs = condition if isinstance(condition, str) else tuple(
            c if isinstance(c, str) else (c[0], onp.full(rest, c[1])) for c in condition)
        ours, theirs = interpolate.CubicSpline(x, y, axis, condition), scipy.interpolate.CubicSpline(x, y, axis, theirs)
        for nu in range(4):
            near(ours(q, nu), theirs(q, nu))
        near(ours(q, 0, False), theirs(q, 0, False))
        if condition != "periodic":
            near(ours.integrate(0.3, 2.0), theirs.integrate(0.3, 2.0))
            near(ours.antiderivative(2)(q), theirs.antiderivative(2)(q))


LOCAL = [(interpolate.PchipInterpolator, scipy.interpolate.PchipInterpolator, {}),
         (interpolate.Akima1DInterpolator, scipy.interpolate.Akima1DInterpolator, {}),
         (interpolate.Akima1DInterpolator, scipy.interpolate.Akima1DInterpolator, {"method": "makima"})]


@pytest.mark.parametrize("ours, theirs, options", LOCAL, ids=["pchip", "akima", "makima"])
@pytest.mark.parametrize("n", [2, 3, 4, 9])
def test_local_rules_are_scipys(ours, theirs, options, n):
    x = onp.cumsum(RNG.uniform(0.2, 1, n))
    q = RNG.uniform(x[0] - 1, x[-1] + 1, (3, 4))
    for axis, rest in SHAPES:
        y = values_along(n, axis, rest)
        y.flat[::3] = 0.0                                # flat pieces, and changes of sign
        near(ours(x, y, axis, **options)(q), theirs(x, y, axis, **options)(q))
    d = RNG.normal(size=y.shape)
    near(interpolate.CubicHermiteSpline(x, y, d, axis)(q), scipy.interpolate.CubicHermiteSpline(x, y, d, axis)(q))


@given(st.lists(st.floats(0, 5), min_size=3, max_size=7))
def test_pchip_is_monotone_where_the_values_are(steps):
    y = onp.cumsum(steps)
    f = interpolate.PchipInterpolator(onp.arange(len(y)) * 1.0, y)
    z = onp.asarray(f(onp.linspace(0, len(y) - 1, 60)))
    assert (onp.diff(z) >= -8 * onp.finfo(float).eps * (1 + abs(y).max())).all()


@pytest.mark.parametrize("kind", [interpolate.CubicSpline, interpolate.PchipInterpolator,
                                  interpolate.Akima1DInterpolator])
def test_cubic_pieces_go_through_transformations(kind):
    x, y, q = onp.array([0.0, 0.7, 2.0, 2.4, 4.0]), RNG.normal(size=5), onp.array([0.3, 1.1, 3.3])
    f = lambda x, y, q: (kind(x, y)(q) ** 2).sum()
    ts = [0.1 * direction(i, v) for i, v in enumerate((x, y, q))]
    found = sum((g * t).sum() for g, t in zip(grad(f, (0, 1, 2))(x, y, q), ts))
    close(found, slope(f, [x, y, q], ts)[0], 1e-7)
    close(jit(f)(x, y, q), f(x, y, q), 1e-13)
    close(vmap(lambda y: kind(x, y)(q))(onp.stack([y, 2 * y])), onp.stack([kind(x, y)(q), kind(x, 2 * y)(q)]), 1e-12)
    close(jit(lambda s: s(q))(kind(x, y)), kind(x, y)(q), 1e-13)


# ---- B-splines ----

@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
def test_b_splines_are_scipys(k):
    n = k + 6
    t = onp.sort(RNG.normal(size=n + k + 1))
    if k > 1:
        t[k + 2] = t[k + 3]                              # a knot of multiplicity 2
    q = RNG.uniform(t[k] - 0.3, t[n] + 0.3, (3, 7))
    q[0, :2] = t[k], t[n]
    for axis, rest in SHAPES:
        c = values_along(n, axis, rest)
        ours, theirs = interpolate.BSpline(t, c, k, axis=axis), scipy.interpolate.BSpline(t, c, k, axis=axis)
        for nu in range(min(k, 2) + 1):
            near(ours(q, nu), theirs(q, nu), 1e-9)
        near(ours(q, 0, False), theirs(q, 0, False), 1e-9)
        near(ours(q, 0, "periodic"), theirs(q, 0, "periodic"), 1e-9)
    inner = onp.sort(RNG.uniform(t[k], t[n], 9))
    near(interpolate.BSpline.design_matrix(inner, t, k), scipy.interpolate.BSpline.design_matrix(inner, t, k).toarray())
    near(jit(lambda s, x: s(x))(ours, q), theirs(q), 1e-9)


@given(st.integers(0, 4), st.integers(1, 5))
def test_b_splines_sum_to_one(k, pieces):
    t = onp.r_[[0.0] * k, onp.linspace(0, 1, pieces + 1), [1.0] * k]
    rows = onp.asarray(interpolate.BSpline.design_matrix(onp.linspace(0, 1, 17), t, k))
    assert (rows >= 0).all()
    close(rows.sum(1), onp.ones(17), 1e-14)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_an_interpolating_spline_is_scipys(k):
    x, y = onp.cumsum(RNG.uniform(0.2, 1, 12)), RNG.normal(size=(12, 2))
    q = RNG.uniform(x[0], x[-1], 8)
    near(interpolate.make_interp_spline(x, y, k)(q), scipy.interpolate.make_interp_spline(x, y, k)(q), 1e-9)
    close(interpolate.make_interp_spline(x, y, k)(x), y, 1e-11)


def test_a_spline_has_derivatives_in_coefficients_and_knots():
    t, c, q = onp.r_[0.0, 0, 0, 0.4, 1.1, 2, 2, 2], RNG.normal(size=5), onp.array([0.2, 0.9, 1.7])
    f = lambda t, c, q: (interpolate.BSpline(t, c, 2)(q) ** 2).sum()
    ts = [direction(1, t) * (onp.arange(8) // 3 == 1) * 0.1, direction(2, c), direction(3, q)]
    ts[0][5:] = 0.0
    found = sum((g * v).sum() for g, v in zip(grad(f, (0, 1, 2))(t, c, q), ts))
    close(found, slope(f, [t, c, q], ts)[0], 1e-8)


@pytest.mark.parametrize("call", [
    lambda: interpolate.RegularGridInterpolator(([0.0, 1.0],), onp.ones(3)),
    lambda: interpolate.RegularGridInterpolator(([1.0, 0.0],), onp.ones(2)),
    lambda: interpolate.RegularGridInterpolator(([0.0, 1.0],), onp.ones(2), "cubic"),
    lambda: interpolate.CubicSpline([0.0, 1.0, 1.0], onp.ones(3)), lambda: interpolate.CubicSpline([0.0], [1.0]),
    lambda: interpolate.CubicSpline([0.0, 1.0], [1.0, 2.0], bc_type="free"),
    lambda: interpolate.CubicSpline([0.0, 1.0], [1.0, 2.0], bc_type=("periodic", "natural")),
    lambda: interpolate.Akima1DInterpolator([0.0, 1.0], [1.0, 2.0], method="none"),
    lambda: interpolate.BSpline([0.0, 1.0], [1.0], 1), lambda: interpolate.PPoly([1.0], [0.0, 1.0]),
    lambda: interpolate.make_interp_spline([0.0, 1.0], [0.0, 1.0], 3)])
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ShapeError):
        call()
