"""The laws of transforms, on every row of transform_cases*.py; and their tails against mpmath."""
import inspect
import math

import mpmath
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.distributions import biject_to, constraints, flows, transforms
from chainrule.distributions.transforms import Inverse, Transform
from chainrule.engine import grad, jacfwd, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError, MissingRule, ParameterError, ShapeError
from tests.distributions.transform_cases import collected

ALL = collected()
ROWS = [row for row in ALL if not row.pieces]
BIJECTIVE = [row for row in ROWS if row.bijective]


def over(rows):
    """One test a row; those with a loop to compile are slow."""
    return pytest.mark.parametrize("row", [pytest.param(row, marks=[pytest.mark.slow] if row.loop else [], id=row.name)
                                           for row in rows])


each, every = over(ROWS), over(BIJECTIVE)


def directions(shape, moves):
    """The directions in which a point of the domain may move: [k, *event]."""
    n = math.prod(shape)
    if moves is None:
        return np.eye(n).reshape((n, *shape))
    if moves == "simplex":
        return np.eye(n)[:-1] - np.eye(n)[-1]
    rows, columns = np.tril_indices(shape[0], -1 if moves == "correlation" else 0)
    out = np.zeros((len(rows), *shape))
    out[np.arange(len(rows)), rows, columns] = 1
    if moves != "triangle":
        out[np.arange(len(rows)), columns, rows] = 1
    return out


def volume(jacobian, free):
    """The logarithm of the volume that a linear map stretches by, where `free` says what counts; see Row."""
    if free == "area":
        return 0.5 * np.linalg.slogdet(jacobian.T @ jacobian)[1]
    if free == "coefficients":                # leave out what is always 0, or repeats an earlier one
        kept = []
        for row in jacobian:
            if np.abs(row).max() > 1e-9 and not any(np.allclose(abs(row @ k), row @ row) and
                                                    np.allclose(row @ row, k @ k) for k in kept):
                kept.append(row)
        jacobian = np.stack(kept)
    return np.linalg.slogdet(jacobian)[1]


@every
def test_the_inverse_undoes_the_transform(row):
    t, x = row.make(), row.x
    y = t(x)
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=1e-9, atol=1e-9)
    assert t.inv.inv is t and type(t.inv) is Inverse or isinstance(t, Inverse)
    assert np.all(np.asarray(t.domain(x)))
    if not isinstance(t.codomain, constraints.Dependent):
        assert np.all(np.asarray(t.codomain(y)))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.bijective], ids=lambda row: row.name)
def test_what_is_not_a_bijection_has_a_right_inverse(row):
    t, x = row.make(), row.x
    y = np.asarray(t(x))
    assert np.all(np.asarray(t.codomain(y)))
    np.testing.assert_allclose(np.asarray(t(t.inv(y))), y, rtol=1e-12)
    with pytest.raises(NotImplementedError):
        t.log_abs_det_jacobian(x, y)


@each
def test_shapes_are_foretold(row):
    t, x = row.make(), row.x
    y = t(x)
    if not isinstance(t, transforms.UnpackTransform):
        assert tuple(t.forward_shape(x.shape)) == y.shape and tuple(t.inverse_shape(y.shape)) == x.shape
    if row.bijective:
        assert t.log_abs_det_jacobian(x, y).shape == x.shape[:x.ndim - t.domain.event_dim]


@every
def test_the_log_det_is_that_of_the_jacobian(row):
    t, x = row.make(), row.x
    y = t(x)
    got = np.asarray(t.log_abs_det_jacobian(x, y))
    n = t.domain.event_dim
    points = x.reshape((-1, *x.shape[x.ndim - n:]))
    basis = directions(points.shape[1:], row.moves)

    def elements(v, i):
        moved = cnp.concatenate([points[:i], (points[i] + cnp.tensordot(v, basis, 1))[None], points[i + 1:]])
        z = t(moved.reshape(x.shape))
        z = z.reshape((-1, *z.shape[len(got.shape):]))[i]
        if row.free == "coefficients":
            return cnp.stack([cnp.real(z), cnp.imag(z)])
        return z if row.free is None or isinstance(row.free, str) else z[row.free]
    for i, have in enumerate(got.reshape(-1)):
        jacobian = np.asarray(jacfwd(lambda v, i=i: elements(v, i))(np.zeros(len(basis))))
        np.testing.assert_allclose(have, volume(jacobian.reshape((-1, len(basis))), row.free), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.asarray(t.inv.log_abs_det_jacobian(y, x)), -got)
    for found, want in zip(t.forward_and_log_det(x), (y, got)):
        np.testing.assert_allclose(np.asarray(found), np.asarray(want), rtol=1e-12, atol=1e-12)


@each
def test_vmap_is_a_loop(row):
    t, x = row.make(), row.x
    one = np.stack([np.asarray(t(v)) for v in x])
    np.testing.assert_allclose(np.asarray(vmap(t)(x)), one, rtol=1e-12, atol=1e-12)
    if row.bijective:
        def both(x, y):
            return t.inv(y), t.log_abs_det_jacobian(x, y)
        want = [both(v, y) for v, y in zip(x, one)]
        for i, got in enumerate(vmap(both)(x, one)):
            want_i = np.stack([np.asarray(w[i]) for w in want])
            np.testing.assert_allclose(np.asarray(got), want_i, rtol=1e-9, atol=1e-9)


GROUPS = [BIJECTIVE[i:i + 6] for i in range(0, len(BIJECTIVE), 6)]      # one program for six: compiling takes the time


@pytest.mark.slow
@pytest.mark.parametrize("rows", GROUPS, ids=lambda rows: f"{rows[0].name} to {rows[-1].name}")
def test_compiled_with_the_transform_as_an_argument_it_is_the_same(rows):
    def all_of(t, x):
        y = t(x)
        return y, t.inv(y), t.log_abs_det_jacobian(x, y)
    ts, xs = [row.make() for row in rows], [row.x for row in rows]
    every = jit(lambda ts, xs: [all_of(t, x) for t, x in zip(ts, xs)])(ts, xs)
    for row, t, x, results in zip(rows, ts, xs, every):
        for got, want in zip(results, all_of(t, x)):
            np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-9, atol=1e-9, err_msg=row.name)


def split_leaves(t):
    """The floating leaves, and how to put others in their place."""
    leaves, treedef = tree.flatten(t)
    at = [i for i, leaf in enumerate(leaves) if np.asarray(leaf).dtype.kind == "f"]

    def join(some):
        full = list(leaves)
        for i, leaf in zip(at, some):
            full[i] = leaf
        return tree.unflatten(treedef, full)
    return [np.asarray(leaves[i]) for i in at], join


@every
def test_derivatives_are_finite_in_the_argument_and_the_parameters(row):
    t, x = row.make(), row.x
    leaves, join = split_leaves(t)

    def total(leaves, x):
        t = join(leaves)
        y = t(x)
        size = cnp.real(y) if row.free == "coefficients" else y
        return cnp.sum(size * size) + cnp.sum(t.log_abs_det_jacobian(x, y))
    for g in tree.leaves(grad(total, argnums=(0, 1))(leaves, x)):
        assert np.all(np.isfinite(np.asarray(g)))


@over([row for row in BIJECTIVE if row.free != "coefficients"])
def test_derivatives_of_the_inverse_are_those_of_the_transform_undone(row):
    t, x = row.make(), row.x
    leaves, join = split_leaves(t)
    weights = np.random.default_rng(1).normal(size=x.shape)

    def round_trip(leaves, x):
        t = join(leaves)
        return cnp.sum(weights * t._inverse(t(x)))
    by_leaves, by_x = grad(round_trip, argnums=(0, 1))(leaves, x)
    for g in by_leaves:
        np.testing.assert_allclose(np.asarray(g), 0.0, atol=1e-6)
    if row.moves is None:
        np.testing.assert_allclose(np.asarray(by_x), weights, rtol=1e-6, atol=1e-6)


@every
def test_float32_stays_float32(row):
    """The points stretch distances by up to exp(9), so that 6e-8 may become 5e-4 on the way back."""
    t, x = row.make(), row.x
    small = tree.map(lambda a: np.asarray(a, np.float32) if getattr(a, "dtype", None) == np.float64 else a, t)
    x32 = x.astype(np.float32)
    y32 = small(x32)
    back, log_det = small.inv(y32), small.log_abs_det_jacobian(x32, y32)
    assert {np.asarray(a).dtype for a in (y32, back, log_det)} <= {np.dtype("f4"), np.dtype("c8")}
    y = t(x)
    np.testing.assert_allclose(np.asarray(y32), np.asarray(y), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(log_det), np.asarray(t.log_abs_det_jacobian(x, y)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(np.asarray(back), x, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("row", [r for r in BIJECTIVE if r.make().domain.event_dim == 0
                                 == r.make().codomain.event_dim], ids=lambda row: row.name)
def test_the_sign_says_whether_it_increases(row):
    t = row.make()
    steps = np.diff(np.asarray(t(np.sort(row.x))))
    assert np.all(steps * float(t.sign) > 0)


@pytest.mark.parametrize("row", [row for row in ALL if row.pieces], ids=lambda row: row.name)
def test_pieces_are_those_of_numpy_and_join_again(row):
    """The laws above, for a transform whose result is a list."""
    t, x = row.make(), row.x
    sections = t.sizes if isinstance(t.sizes, int) else np.cumsum(t.sizes)[:-1]
    want = np.split(x, sections, t.dim)
    got = t(x)
    assert [piece.shape for piece in got] == t.forward_shape(x.shape) == [piece.shape for piece in want]
    assert t.inverse_shape(t.forward_shape(x.shape)) == x.shape
    for compiled in (got, jit(t)(x), [piece for piece in vmap(t)(x)], t(x.astype(np.float32))):
        for a, b in zip(compiled, want):
            np.testing.assert_allclose(np.asarray(a), b, rtol=1e-6)
    assert t(x.astype(np.float32))[0].dtype == np.float32
    np.testing.assert_array_equal(np.asarray(t.inv(got)), x)
    log_det = t.log_abs_det_jacobian(x, got)
    assert log_det.shape == x.shape[:x.ndim - t.domain.event_dim] and not np.any(np.asarray(log_det))
    np.testing.assert_allclose(np.asarray(grad(lambda x: cnp.sum(t(x)[1] ** 2))(x)),
                               np.concatenate([2 * p if i == 1 else 0 * p for i, p in enumerate(want)], t.dim))


# ---- far out ----

def soft(z, c=1):
    return c * mpmath.log1p(mpmath.exp(z / c))


def clip(x, low, high):
    w = high - low
    return high - w / soft(w) * soft(w - soft(x - low))


TAILS = {                                                # a transform, the same function in mpmath
    "softplus": (transforms.SoftplusTransform(), soft),
    "sigmoid": (transforms.SigmoidTransform(), lambda x: 1 / (1 + mpmath.exp(-x))),
    "tanh": (transforms.TanhTransform(), mpmath.tanh),
    "softsign": (transforms.SoftsignTransform(), lambda x: x / (1 + abs(x))),
    "elu": (transforms.ELUTransform(0.5), lambda x: x if x > 0 else mpmath.expm1(x) / 2),
    "expm1": (transforms.Expm1Transform(), mpmath.expm1),
    "interval": (transforms.IntervalTransform(0.0, 4.0), lambda x: 4 / (1 + mpmath.exp(-x))),
    "soft clip": (transforms.SoftClipTransform(-1.0, 2.0), lambda x: clip(x, -1, 2)),
    "soft clip below": (transforms.SoftClipTransform(-1.0), lambda x: -1 + soft(x + 1)),
    "sinh arcsinh": (transforms.SinhArcsinhTransform(0.25, 0.5),
                     lambda x: mpmath.sinh((mpmath.asinh(x) + 0.25) / 2) * 2 / mpmath.sinh(mpmath.asinh(2) / 2)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("t, f", TAILS.values(), ids=TAILS)
def test_far_out_the_value_and_the_log_det_keep_their_digits(t, f, dtype):
    """Within 8 ulps of the value, and 16 of the larger of 1 and |log-det|."""
    x = np.array([-80.0, -30.0, -1e-3, 1e-3, 5.0, 30.0, 80.0], dtype)
    with mpmath.workdps(200):
        value = np.array([float(f(mpmath.mpf(float(v)))) for v in x])
        want = np.array([float(mpmath.log(mpmath.diff(f, mpmath.mpf(float(v))))) for v in x])
    got = np.asarray(t.log_abs_det_jacobian(x, t(x)))
    assert got.dtype == np.asarray(t(x)).dtype == dtype
    assert np.all(np.abs(np.asarray(t(x)) - value) <= 8 * np.finfo(dtype).eps * np.abs(value))
    assert np.all(np.abs(got - want) <= 16 * np.finfo(dtype).eps * np.maximum(1, np.abs(want)))


def test_far_out_the_sigmoid_stays_inside_and_its_log_det_exact():
    t = transforms.SigmoidTransform()
    x = np.array([-700.0, -40.0, 40.0, 700.0])
    y = np.asarray(t(x))
    assert np.all((y > 0) & (y < 1))
    np.testing.assert_allclose(np.asarray(t.log_abs_det_jacobian(x, y)), -np.abs(x), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_an_open_interval_keeps_off_its_bounds(dtype):
    x = np.array([-800.0, -90.0, -30.0, 30.0, 90.0, 800.0], dtype)
    for low, high in ((0.0, 1.0), (-1.0, 3.0), (5.0, 5.5), (-2e6, -1e6)):
        for constraint in (constraints.open_interval(low, high), constraints.half_open_interval(low, high)):
            y = np.asarray(biject_to(constraint)(x))
            assert y.dtype == dtype and np.all((y > low) & (y < high))


@pytest.mark.parametrize("dtype, size", [(np.float64, 15.0), (np.float32, 8.0)])
def test_strong_correlations_come_back(dtype, size):
    """A partial correlation of 1 - 1e-13 (1 - 2e-7): the other elements of the row keep it, so nothing is lost."""
    t = transforms.CorrCholeskyTransform()
    x = size * np.array([[1.0, -1.0, 0.5, 1.0, -0.3, 0.0]], dtype)
    y = t(x)
    assert np.all(np.asarray(constraints.corr_cholesky(y)))
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=200 * np.finfo(dtype).eps)


def test_the_south_of_the_sphere_comes_back():
    t = transforms.StereographicTransform()
    x = np.array([[1e-6, 0.0], [3e5, -2e5], [1e7, 1e7]])
    np.testing.assert_allclose(np.asarray(t.inv(t(x))), x, rtol=1e-14)


def test_close_cut_points_keep_their_probability():
    t = transforms.SimplexToOrderedTransform()
    y = np.array([-30.0, -30.0 + 1e-9, 25.0])
    want = np.exp(-30.0) * 1e-9
    np.testing.assert_allclose(np.asarray(t.inv(y))[1], want, rtol=1e-5)


# ---- known values ----

def test_soft_clip_has_the_values_of_its_source():
    """From the documentation of tfb.SoftClip."""
    got = transforms.SoftClipTransform(-10.0, 10.0)(np.array([-15.0, -7.0, 1.0, 9.0, 20.0]))
    np.testing.assert_allclose(np.asarray(got), [-9.993284, -6.951412, 0.9998932, 8.686738, 9.999954], rtol=1e-6)


def test_filling_a_triangle_goes_round_as_in_its_source():
    got = np.asarray(transforms.FillTriangularTransform()(np.arange(1.0, 7.0)))
    assert got.tolist() == [[4, 0, 0], [6, 5, 0], [3, 2, 1]]


def test_the_centre_of_the_simplex_is_at_zero():
    np.testing.assert_allclose(np.asarray(biject_to(constraints.simplex)(np.zeros(3))), 0.25)


def test_fourier_coefficients_are_those_of_numpy():
    x = np.random.default_rng(2).normal(size=(3, 6))
    got = transforms.RealFastFourierTransform(6)(x)
    np.testing.assert_allclose(np.asarray(got), np.fft.rfft(x), atol=1e-12)
    packed = transforms.PackRealFastFourierCoefficientsTransform(6)(x)
    np.testing.assert_allclose(np.fft.rfft(np.fft.irfft(np.asarray(packed), 6)), np.asarray(packed), atol=1e-12)


def test_a_circulant_vector_makes_a_positive_definite_matrix():
    t = transforms.CirculantTransform(5)
    x = np.array([0.3, -1.0, 0.5])
    y = np.asarray(t(x))
    matrix = np.stack([np.roll(y, i) for i in range(5)])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-15)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), np.sort(np.exp(x)[[0, 1, 1, 2, 2]]), rtol=1e-12)


def test_a_haar_transform_has_sums_first_and_differences_last():
    got = np.asarray(transforms.HaarTransform()(np.array([1.0, 2.0, 3.0, 5.0])))
    np.testing.assert_allclose(got, [5.5, -2.5, -1 / np.sqrt(2), -np.sqrt(2)])


def test_a_smooth_cosine_transform_makes_the_steps_of_a_path_even():
    """Of a random walk of 64 steps the covariance of the coefficients is nearly diagonal, its elements all near one."""
    t = transforms.DiscreteCosineTransform(smooth=1.0)
    factor = np.asarray(t(np.tril(np.ones((64, 64))).T))         # row s: the coefficients of a step at time s
    cov = factor.T @ factor
    sizes = np.diagonal(cov)[1:]
    assert np.abs(cov[1:, 1:] - np.diag(sizes)).max() < 0.1 * sizes.max() and sizes.max() < 2.6 * sizes.min()
    weight = np.asarray(t(np.ones(64)))[0] / 8.0                 # the one coefficient that is not 0
    np.testing.assert_allclose(weight, 0.5 / np.exp(np.mean(np.log(np.arange(64) + 0.5))))


def test_the_image_of_an_exponential_follows_from_its_domain():
    c = dist.constraints
    pairs = [(c.ordered_vector, c.positive_ordered_vector), (c.real_vector, c.independent(c.positive, 1)),
             (c.greater_than(0.0), c.greater_than(1.0)), (c.positive, c.greater_than(1.0)),
             (c.interval(0.0, 0.0), c.interval(1.0, 1.0))]
    for domain, image in pairs:
        t = transforms.ExpTransform(domain)
        assert t.codomain == image and t.domain == domain
    x = np.array([[0.1, 0.4]])
    assert np.asarray(transforms.ExpTransform(c.ordered_vector).log_abs_det_jacobian(x, np.exp(x))).tolist() == [0.5]
    with pytest.raises(MissingRule, match="the image of"):
        print(transforms.ExpTransform(c.less_than(0.0)).codomain)


def test_an_lu_is_the_product_of_its_pieces():
    both, places, x = np.array([[2.0, 1.0, 0.5], [0.3, -1.0, 2.0], [0.1, 0.4, 3.0]]), np.array([2, 0, 1]), np.ones(3)
    product = (np.tril(both, -1) + np.eye(3)) @ np.triu(both)
    np.testing.assert_allclose(np.asarray(transforms.ScaleMatvecLUTransform(both, places)(x)),
                               np.eye(3)[:, places] @ product @ x)


def test_batch_normalisation_has_the_moments_that_it_is_given():
    y = np.random.default_rng(4).normal([1.0, -2.0], [3.0, 0.5], (3, 50, 2))
    t = transforms.BatchNormTransform(np.zeros(2), np.ones(2), np.array([2.0, 0.5]), np.array([1.0, 0.0]), 0.0)
    x = np.asarray(t.of_batch(y).inv(y)).reshape(-1, 2)
    np.testing.assert_allclose(x.mean(0), [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(x.std(0), [2.0, 0.5], rtol=1e-12)
    running = t.updated(y, 0.25)
    np.testing.assert_allclose(np.asarray(running.mean), 0.25 * y.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(running.variance), 0.75 + 0.25 * y.var((0, 1)), rtol=1e-12)


# ---- flows ----

@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_an_autoregressive_network_looks_only_back(order):
    network = flows.AutoregressiveNetwork.init(random.key(1), 4, 3, hidden=(9, 7), scale=1.0, order=order)
    depends = np.abs(np.asarray(jacfwd(network)(np.array([0.3, -1.0, 2.0, 0.1])))).sum(1) > 1e-12
    want = np.asarray(order)[:, None] > np.asarray(order)[None, :]
    assert np.array_equal(depends, want)


def test_a_flow_begins_near_the_identity():
    x = np.random.default_rng(3).normal(size=(5, 4))
    for flow in (flows.AffineCouplingTransform, flows.SplineCouplingTransform, flows.InverseAutoregressiveTransform,
                 flows.MaskedAutoregressiveTransform, flows.SplineAutoregressiveTransform):
        assert np.max(np.abs(np.asarray(flow.init(random.key(0), 4)(x)) - x)) < 0.2


@pytest.mark.slow
def test_a_flow_is_learnt_by_gradients():
    """Maximum likelihood moves a flow towards its data: steps of plain gradient descent must lower the loss."""
    data = np.random.default_rng(4).normal(size=(64, 2)) * [2.0, 0.5] + [1.0, -1.0]
    base = dist.Normal(np.zeros(2), 1.0)

    def loss(flow):
        return -cnp.mean(dist.TransformedDistribution(base, flow).log_prob(data))
    flow = transforms.ComposeTransform([flows.MaskedAutoregressiveTransform.init(random.key(0), 2, hidden=(8,)),
                                        transforms.PermuteTransform([1, 0]),
                                        flows.AffineCouplingTransform.init(random.key(1), 2, hidden=(8,))])
    first = float(loss(flow))
    step = jit(lambda flow: tree.map(lambda w, g: w - 0.1 * g, flow, grad(loss)(flow)))
    for _ in range(30):
        flow = step(flow)
    assert float(loss(flow)) < first - 0.5


# ---- errors and the table itself ----

def test_mistakes_are_explained():
    with pytest.raises(ShapeError, match="elements"):
        transforms.ReshapeTransform((2, 3), (4,))
    with pytest.raises(ShapeError, match="last axes"):
        transforms.ReshapeTransform((2, 3), (6,))(np.zeros(4))
    with pytest.raises(ShapeError, match="dim=-1"):
        transforms.CatTransform([transforms.ExpTransform()], dim=0)
    with pytest.raises(ShapeError, match="lengths"):
        transforms.CatTransform([transforms.ExpTransform()], lengths=[1, 2])
    with pytest.raises(ShapeError, match="take 3 elements"):
        transforms.CatTransform([transforms.ExpTransform()], lengths=[3])(np.zeros(4))
    with pytest.raises(ShapeError, match="transform_shape"):
        transforms.RealFastFourierTransform().inv(np.zeros(3, complex))
    with pytest.raises(ParameterError, match="each of 0"):
        transforms.PermuteTransform([0, 2])
    with pytest.raises(NotImplementedError, match="pack_fn"):
        transforms.UnpackTransform(lambda x: x).inv(np.zeros(3))
    with pytest.raises(ShapeError, match="pairs"):
        transforms.PadTransform([1])
    with pytest.raises(ShapeError, match="does not fit"):
        transforms.PadTransform([(2, 2)]).inv(np.zeros(3))
    with pytest.raises(ShapeError, match="no 3 pieces"):
        transforms.SplitTransform(3)(np.zeros(4))
    with pytest.raises(ChainruleError, match="dim=-1"):
        transforms.HaarTransform(0)


def test_no_transform_without_a_row():
    modules = [inspect.getmodule(getattr(m, name)) for m in (transforms, flows) for name in m.__all__]
    classes = {c for m in modules for c in vars(m).values() if inspect.isclass(c) and issubclass(c, Transform)}
    classes = {c for c in classes if not c.__name__.startswith("_")} - {Transform}
    covered = {type(row.make()) for row in ALL}
    assert not {c.__name__ for c in classes - covered}


def test_transforms_move_draws_as_the_change_of_variables_says():
    d = dist.TransformedDistribution(dist.Normal(np.zeros(3), 1.0), transforms.OrderedTransform())
    assert d.event_shape == (3,) and d.batch_shape == ()
    y = d.sample(random.key(0), (5,))
    assert np.all(np.asarray(d.support(y)))
    x = d.transform.inv(y)
    want = np.asarray(dist.Normal(0.0, 1.0).log_prob(x)).sum(-1) - np.asarray(x)[:, 1:].sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(y)), want, rtol=1e-10)
