"""Kernels of particles: symmetric, positive definite, with the derivatives that finite differences have."""
import numpy as onp
import pytest
from scipy import integrate, stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import random, vmap
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.stein import (
    GraphicalKernel,
    IMQKernel,
    LinearKernel,
    MixtureKernel,
    ProbabilityProductKernel,
    RandomFeatureKernel,
    RBFKernel,
)
from chainrule.inference.stein.kernels import bandwidth, repulsion, times


def model():
    cr.sample("a", dist.Normal(0.0, 1.0))


INFO = {"a_auto_loc": (0, 1), "a_auto_scale": (1, 2), "rest": (2, 4)}
PARTICLES = np.asarray(onp.random.default_rng(0).normal(size=(6, 4)))
KERNELS = {
    "RBF": RBFKernel(), "RBF vector": RBFKernel("vector"), "RBF matrix": RBFKernel("matrix"),
    "RBF diagonal": RBFKernel("matrix", "vector_diag"), "IMQ": IMQKernel(),
    "IMQ vector": IMQKernel("vector", 2.0, -0.3), "linear": LinearKernel(), "random features": RandomFeatureKernel(),
    "mixture": MixtureKernel([0.3, 2.0], [RBFKernel(), IMQKernel()]),
    "graphical": GraphicalKernel(local_kernel_fns={"rest": IMQKernel("vector")}),
    "product": ProbabilityProductKernel(AutoNormal(model), 0.7)}


def made(name):
    kernel = KERNELS[name]
    kept = kernel.init(random.key(1), PARTICLES.shape)
    return kernel.mode, kernel.compute(random.key(0), PARTICLES, INFO, None, kept)


@pytest.mark.parametrize("name", KERNELS)
def test_the_repulsion_is_the_kernel_s_derivative(name):
    mode, k = made(name)
    x, y = PARTICLES[0], PARTICLES[1]
    shape = {"norm": (), "vector": (4,), "matrix": (4, 4)}[mode]
    assert k(x, y).shape == shape and onp.allclose(k(x, y), k(y, x))
    step, found = 1e-5, onp.zeros(4)
    for b in range(4):
        e = step * np.asarray(onp.eye(4)[b])
        slope = (onp.asarray(k(x + e, y)) - onp.asarray(k(x - e, y))) / (2 * step)
        if mode == "matrix":
            found += slope[:, b]
        else:
            found[b] = slope if mode == "norm" else slope[b]
    assert onp.allclose(repulsion(mode, k, x, y), found, atol=1e-8)
    v = onp.arange(4.0)
    dense = onp.asarray(k(x, y)) * onp.eye(4) if mode != "matrix" else onp.asarray(k(x, y))
    assert onp.allclose(times(mode, k(x, y), v), dense @ v)


@pytest.mark.parametrize("name", KERNELS)
def test_gram_matrices_are_positive_semidefinite(name):
    mode, k = made(name)
    gram = onp.asarray(vmap(lambda x: vmap(lambda y: k(x, y))(PARTICLES))(PARTICLES))
    if mode == "vector":
        grams = onp.moveaxis(gram, -1, 0)
    else:
        grams = [gram] if mode == "norm" else [onp.moveaxis(gram, 1, 2).reshape(24, 24)]
    assert min(onp.linalg.eigvalsh(g).min() for g in grams) > -1e-10


def test_the_bandwidth_is_that_of_the_median_distance():
    x = onp.asarray(PARTICLES)
    square = ((x[:, None] - x[None]) ** 2).sum(-1)[onp.triu_indices(6, 1)]
    h = float(bandwidth(PARTICLES, lambda n: 1.0 / onp.log(n)))
    assert h == pytest.approx(onp.sort(square)[7] / onp.log(6))              # the middle one of 15
    assert bandwidth(PARTICLES, lambda n: 1.0, each=True).shape == (4,)
    assert float(bandwidth(PARTICLES[:1], lambda n: 1.0)) == 1.0
    assert float(bandwidth(np.zeros((3, 2)), lambda n: 2.0)) == 2.0          # all in one place


def test_products_of_normals_are_integrals():
    x, y = onp.array([0.3, -0.2]), onp.array([-0.5, 0.4])
    to_scale = dist.biject_to(AutoNormal(model).scale_constraint)
    info = {"a_auto_loc": (0, 1), "a_auto_scale": (1, 2)}
    for rho in (0.5, 1.0):
        k = ProbabilityProductKernel(AutoNormal(model), rho).compute(random.key(0), PARTICLES, info)
        p, q = (stats.norm(v[0], float(to_scale(v[1]))) for v in (x, y))
        exact = integrate.quad(lambda z, p=p, q=q, rho=rho: (p.pdf(z) * q.pdf(z)) ** rho, -15, 15)[0]
        assert float(k(np.asarray(x), np.asarray(y))) == pytest.approx(exact, rel=1e-7)


def test_random_features_estimate_the_rbf_kernel():
    """The mean of 4,000 features, each within ±2: by 4.5 standard errors."""
    many = RandomFeatureKernel()
    kept = many.init(random.key(0), (4000, 4))
    x, y = PARTICLES[0], PARTICLES[1]
    found = float(many.compute(random.key(0), PARTICLES, INFO, None, kept)(x, y))
    exact = float(RBFKernel().compute(random.key(0), PARTICLES, INFO)(x, y))
    assert found == pytest.approx(exact, abs=4.5 / 4000 ** 0.5)


def test_settings_that_make_no_kernel_are_refused():
    for make, words in ((lambda: RBFKernel("cube"), "choose one of 'norm', 'vector', 'matrix'"),
                        (lambda: IMQKernel(expon=0.5), "expon in"),
                        (lambda: LinearKernel("matrix"), "choose one of 'norm'"),
                        (lambda: MixtureKernel([1.0], [RBFKernel(), IMQKernel()]), "a positive weight for each"),
                        (lambda: MixtureKernel([1.0], [RBFKernel("vector")]), "its kernels have the modes 'vector'"),
                        (lambda: GraphicalKernel(default_kernel_fn=RandomFeatureKernel()), "of whole particles"),
                        (lambda: ProbabilityProductKernel(AutoNormal(model), 0.0), "scale must be positive")):
        with pytest.raises(ValueError, match=words):
            make()
    with pytest.raises(TypeError, match="takes an AutoNormal guide"):
        ProbabilityProductKernel(model)
    with pytest.raises(ValueError, match="there is no param 'b'"):
        GraphicalKernel(local_kernel_fns={"b": RBFKernel()}).compute(random.key(0), PARTICLES, INFO)
