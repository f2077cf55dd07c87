"""Covariance functions: values against SciPy and formulas, the laws of a covariance, derivatives where points meet."""
import numpy as np
import pytest
from scipy import special
from scipy.spatial.distance import cdist

from chainrule.distributions import kernels as K
from chainrule.engine import grad, jacfwd, jit, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

LINE = np.array([0.0, 0.0, 0.3, 1.0, 2.2])               # two points coincide
PLANE = np.stack([LINE, LINE ** 2], 1)
SPACE = np.random.default_rng(0).normal(size=(5, 20))    # many coordinates: distances by expansion


def scaled(x, y, lengthscale):
    return cdist(x / lengthscale, y / lengthscale)


def matern(nu):
    def f(r):
        z = np.sqrt(2 * nu) * np.where(r > 0, r, 1.0)
        return np.where(r > 0, 2 ** (1 - nu) / special.gamma(nu) * z ** nu * special.kv(nu, z), 1.0)
    return f


def sine_kernel(x, y):
    return 2.0 * np.exp(-0.5 * sum((np.sin(np.pi * (a[:, None] - b) / 1.3) / 0.6) ** 2 for a, b in zip(x.T, y.T)))


ROWS = [
    ("ExpQuad", K.ExpQuad(0.7, 2.0), lambda x, y: 2.0 * np.exp(-0.5 * scaled(x, y, 0.7) ** 2)),
    ("Matern12", K.Matern12(0.7), lambda x, y: matern(0.5)(scaled(x, y, 0.7))),
    ("Matern32", K.Matern32(0.7, 2.0), lambda x, y: 2.0 * matern(1.5)(scaled(x, y, 0.7))),
    ("Matern52", K.Matern52(0.7), lambda x, y: matern(2.5)(scaled(x, y, 0.7))),
    ("RationalQuadratic", K.RationalQuadratic(0.7, 1.5), lambda x, y: (1 + scaled(x, y, 0.7) ** 2 / 3.0) ** -1.5),
    ("PoweredExponential", K.PoweredExponential(0.7, 1.4), lambda x, y: np.exp(-scaled(x, y, 0.7) ** 1.4)),
    ("GeneralCauchy", K.GeneralCauchy(0.7, 1.4, 2.0), lambda x, y: (1 + scaled(x, y, 0.7) ** 1.4) ** (-2 / 1.4)),
    ("Periodic", K.Periodic(1.3, 0.6, 2.0), sine_kernel),
    ("Cosine", K.Cosine(1.1), lambda x, y: np.cos(2 * np.pi * (x.sum(1)[:, None] - y.sum(1)) / 1.1)),
    ("Linear", K.Linear(0.5, 0.1), lambda x, y: 0.5 * (x - 0.1) @ (y - 0.1).T),
    ("Polynomial", K.Polynomial(3, 0.2, 0.5, 0.1), lambda x, y: (0.5 * (x - 0.1) @ (y - 0.1).T + 0.2) ** 3),
    ("Constant", K.Constant(2.0), lambda x, y: np.full((len(x), len(y)), 2.0)),
    ("Gibbs", K.Gibbs(lambda x, a: a * (1 + x[:, 0] ** 2), (0.5,)), lambda x, y: gibbs(x, y)),
    ("Sum", K.ExpQuad(0.7) + 0.5, lambda x, y: np.exp(-0.5 * scaled(x, y, 0.7) ** 2) + 0.5),
    ("Product", 2.0 * (K.ExpQuad(0.7) * K.Linear()),
     lambda x, y: 2.0 * np.exp(-0.5 * scaled(x, y, 0.7) ** 2) * (x @ y.T)),
    ("Power", K.Matern32(0.7) ** 2, lambda x, y: matern(1.5)(scaled(x, y, 0.7)) ** 2),
    ("Warped", K.RBF().warp(lambda x, a: np.tanh(a) * x, 2.0),
     lambda x, y: np.exp(-0.5 * scaled(x, y, 1 / np.tanh(2.0)) ** 2)),
    ("periodic", K.RBF(0.9).periodic(1.7), lambda x, y: np.exp(
        -2 * sum((np.sin(np.pi * (a[:, None] - b) / 1.7) / 0.9) ** 2 for a, b in zip(x.T, y.T)))),
    ("Modulated", K.RBF(0.7).modulate(lambda x, a: a + x[:, 0], 2.0),
     lambda x, y: (2.0 + x[:, :1]) * np.exp(-0.5 * scaled(x, y, 0.7) ** 2) * (2.0 + y[:, 0])),
    ("Circular", K.Circular(1.7, 5.0, 2.0, active_dims=0), lambda x, y: circular(x, y)),
    ("active_dims", K.RBF(0.4, active_dims=0), lambda x, y: np.exp(-0.5 * scaled(x[:, :1], y[:, :1], 0.4) ** 2)),
]
ARCS = [(f"ArcCosine {n}", K.ArcCosine(n, 1.2, 0.7, 0.3), None) for n in (0, 1, 2)]
EVERY = pytest.mark.parametrize("k", [pytest.param(k, id=name) for name, k, _ in [*ROWS, *ARCS]])


def circular(x, y):
    turn = np.abs(x[:, :1] - y[:, 0]) % 1.7
    t = np.minimum(turn, 1.7 - turn) / 0.85
    return 2.0 * (1 + 5 * t) * (1 - t) ** 5


def gibbs(x, y):
    a, b = 0.5 * (1 + x[:, :1] ** 2), 0.5 * (1 + y[:, :1].T ** 2)
    return (2 * a * b / (a * a + b * b)) ** (x.shape[1] / 2) * np.exp(-cdist(x, y) ** 2 / (a * a + b * b))


@pytest.mark.parametrize("k, reference", [pytest.param(k, f, id=name) for name, k, f in ROWS])
@pytest.mark.parametrize("points", [LINE[:, None], PLANE, SPACE], ids=["line", "plane", "space"])
def test_a_kernel_equals_its_formula(k, reference, points):
    others = 0.9 * points[1:] + 0.05
    np.testing.assert_allclose(np.asarray(k(points, others)), reference(points, others), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(np.asarray(k(points)), reference(points, points), rtol=1e-11, atol=1e-14)
    if points.shape[1] == 1:
        np.testing.assert_array_equal(np.asarray(k(points[:, 0])), np.asarray(k(points)))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_the_arc_cosine_kernel_is_an_average_over_random_features(order):
    """k = 2 E[max(w·a, 0)ⁿ max(w·b, 0)ⁿ] for normal w, here by quadrature over the angle of w in their plane."""
    k = K.ArcCosine(order, 1.2, 0.7, 0.3)
    got = float(k(np.array([0.4]), np.array([-1.1]))[0, 0])
    a, b = (np.array([np.sqrt(0.7) * v, np.sqrt(0.3)]) for v in (0.4, -1.1))
    t = (np.arange(400000) + 0.5) * 2 * np.pi / 400000
    w = np.stack([np.cos(t), np.sin(t)])
    both = (a @ w > 0) * (b @ w > 0) * ((a @ w) * (b @ w)) ** order
    radial = 2 ** order * special.gamma(order + 1)         # E r²ⁿ for r² exponential with mean 2
    assert got == pytest.approx(1.2 * 2 * both.mean() * radial, rel=1e-4)


@EVERY
@pytest.mark.parametrize("points", [LINE, PLANE], ids=["line", "plane"])
def test_a_covariance_is_symmetric_and_has_no_negative_eigenvalue(k, points):
    m = np.asarray(k(points))
    np.testing.assert_allclose(m, m.T, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(np.asarray(k.diag(points)), np.diag(m), rtol=1e-12)
    assert np.linalg.eigvalsh(m).min() > -1e-12 * np.abs(m).max() * len(m)


@EVERY
def test_derivatives_are_finite_where_points_coincide(k):
    weights = np.random.default_rng(1).normal(size=(5, 5))
    loss = lambda k, x: cnp.sum(k(x) * weights)  # noqa: E731
    slopes = grad(loss, (0, 1))(k, PLANE)
    assert all(np.all(np.isfinite(np.asarray(g))) for g in tree.leaves(slopes))
    leaves, treedef = tree.flatten(k)
    for i, g in enumerate(tree.leaves(slopes[0])):
        h = 1e-6 * np.ones_like(np.asarray(leaves[i]))
        moved = [tree.unflatten(treedef, [*leaves[:i], leaves[i] + e, *leaves[i + 1:]]) for e in (h, -h)]
        up, down = (loss(each, PLANE) for each in moved)
        np.testing.assert_allclose(np.sum(np.asarray(g)), float(up - down) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("k, want", [(K.RBF(0.5), -4.0), (K.Matern32(0.5), -12.0), (K.Matern52(0.5), -20 / 3)],
                         ids=["RBF", "Matern32", "Matern52"])
def test_second_derivatives_at_distance_zero_are_the_true_ones(k, want):
    second = jacfwd(jacfwd(lambda a: k(cnp.reshape(a, (1,)), np.array([0.2]))[0, 0]))
    assert float(second(0.2)) == pytest.approx(want, rel=1e-14)


def test_lengthscales_of_each_coordinate_scale_it():
    got = K.Matern52(np.array([0.5, 2.0]))(PLANE)
    np.testing.assert_allclose(np.asarray(got), np.asarray(K.Matern52()(PLANE / [0.5, 2.0])), rtol=1e-14)


def test_white_noise_is_that_of_the_same_values_only():
    k = K.RBF() + K.WhiteNoise(0.3)
    np.testing.assert_allclose(np.asarray(k(LINE) - K.RBF()(LINE)), 0.3 * np.eye(5), atol=1e-15)
    np.testing.assert_allclose(np.asarray(k(LINE, LINE)), np.asarray(K.RBF()(LINE)))


def test_coregion_is_a_table_and_multiplies_a_kernel_of_the_other_coordinate():
    w, kappa = np.array([[1.0], [2.0]]), np.array([0.1, 0.2])
    points = np.array([[0.0, 0.3], [1.0, 0.3], [1.0, 0.9]])
    k = K.Coregion(w, kappa, active_dims=0) * K.RBF(0.5, active_dims=1)
    b = w @ w.T + np.diag(kappa)
    want = b[np.ix_([0, 1, 1], [0, 1, 1])] * np.exp(-0.5 * ((points[:, 1:] - points[:, 1]) / 0.5) ** 2)
    np.testing.assert_allclose(np.asarray(k(points)), want, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(k.diag(points)), np.diag(want), rtol=1e-14)


@pytest.mark.parametrize("k", [K.RBF(0.7, 2.0), K.Matern32(0.7), 0.5 * K.Matern52(0.7) + K.RBF(0.3)],
                         ids=["RBF", "Matern32", "sum"])
def test_a_spectral_density_is_the_fourier_transform(k):
    w = np.linspace(-400, 400, 400001)
    s = np.asarray(k.spectral_density(w[:, None]))
    for r in (0.0, 0.4):
        got = np.trapezoid(s * np.cos(w * r), w) / (2 * np.pi)
        assert got == pytest.approx(float(k(np.array([0.0]), np.array([r]))[0, 0]), rel=1e-6)


def test_the_fourier_series_of_the_periodic_kernel_adds_up():
    k = K.Periodic(1.3, 0.6, 2.0)
    q = np.asarray(k.fourier_variances(30))
    r = np.array([0.0, 0.4, 1.0])
    np.testing.assert_allclose(np.cos(2 * np.pi * np.outer(r, np.arange(30)) / 1.3) @ q,
                               np.asarray(k(r, np.zeros(1)))[:, 0], rtol=1e-13)


def test_a_kernel_is_a_pytree_and_goes_through_jit_and_vmap():
    k = 2.0 * K.Matern52(0.5) + K.Periodic(1.0) * K.Linear(active_dims=(0,))
    leaves, treedef = tree.flatten(k)
    assert tree.structure(tree.unflatten(treedef, leaves)) == treedef and hash(treedef) == hash(treedef)
    np.testing.assert_allclose(np.asarray(jit(lambda k, x: k(x))(k, LINE)), np.asarray(k(LINE)), rtol=1e-14)
    many = vmap(lambda s: K.RBF(s)(LINE))(np.array([0.5, 1.0]))
    np.testing.assert_allclose(np.asarray(many[1]), np.asarray(K.RBF(1.0)(LINE)), rtol=1e-15)


def test_float32_parameters_and_points_give_float32():
    assert K.Matern52(np.float32(0.5))(LINE.astype(np.float32)).dtype == np.float32


def test_bad_kernels_are_named():
    with pytest.raises(ChainruleError, match="ExpQuad.*lengthscale must be positive"):
        K.RBF(-1.0)
    with pytest.raises(ChainruleError, match="whole power"):
        K.RBF() ** 0.5
    with pytest.raises(ChainruleError, match=r"points of shape \[n, d\]"):
        K.RBF()(np.zeros((2, 2, 2)))
    with pytest.raises(NotImplementedError, match="spectral density"):
        K.Linear().spectral_density(np.zeros((1, 1)))
