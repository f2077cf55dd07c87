"""NeuTraReparam, with hand-made guides: the density of the model and of its maps, through everything."""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import biject_to, transforms
from chainrule.engine import cond, grad, jacfwd, jit, random, scan, vmap
from chainrule.inference import MCMC, NUTS
from chainrule.inference.reparam import NeuTraReparam
from chainrule.ppl import log_density
from chainrule.ppl.handlers import scale, seed, trace
from chainrule.ppl.model import site_log_prob


def recorded(model, *args, number=0):
    return trace(seed(model, number)).get_trace(*args)


def total(tr):
    return float(sum(cnp.sum(site_log_prob(k, s)) for k, s in tr.items() if s["type"] in ("sample", "factor")))


class Affine:
    """A guide whose transform is z -> loc + tril z."""
    prefix = "auto"

    def __init__(self, model, *args):
        self.prototype_trace = recorded(model, *args)

    def get_transform(self, params):
        return transforms.LowerCholeskyAffine(params["loc"], params["tril"])


def three(x):
    """Sites on the line, of positive numbers and on a simplex, in a plate with a scale, and an observation."""
    mu = cr.sample("mu", dist.Normal(x, 1.0))
    with cr.plate("i", 2), scale(scale=3.0):
        s = cr.sample("s", dist.Gamma(2.0, 1.0))
    p = cr.sample("p", dist.Dirichlet(np.ones(3)))
    cr.sample("y", dist.Normal(mu * p[0], s), obs=np.array([0.3, -0.2]))
    return mu


def params(n):
    rng = np.random.default_rng(0)
    return {"loc": rng.normal(size=n), "tril": np.tril(0.3 * rng.normal(size=(n, n))) + 0.8 * np.eye(n)}


def warped_density(neutra, model, args, z):
    """By hand: the model's own density at x(z), with the log-determinants of all maps."""
    u = neutra.params["loc"] + neutra.params["tril"] @ z
    at, values, stretch = 0, {}, np.log(np.diag(neutra.params["tril"])).sum()
    for name, s in neutra.guide.prototype_trace.items():
        if s["type"] == "sample" and not s["is_observed"]:
            t = biject_to(s["fn"].support)
            shape = t.inverse_shape(s["value"].shape)
            part = np.reshape(u[at:at + int(np.prod(shape))], shape)
            values[name] = t(part)
            stretch += float(np.sum(np.asarray(t.log_abs_det_jacobian(part, values[name]))))
            at += int(np.prod(shape))
    return float(log_density(model, args, {}, values)[0]) + stretch, values


def in_scan(x):
    """A scan with lanes of its own."""
    def step(total, y):
        z = cr.sample("z", dist.Uniform(0.0, 3.0))
        w = vmap(lambda b: cr.sample("w", dist.Normal(b * z, 1.0)))(np.arange(2.0))
        cr.sample("y", dist.Normal(total + cnp.sum(w), 1.0), obs=y)
        return total + z, None
    return scan(step, x, np.array([0.1, -0.4, 1.0]))[0]


def in_branch(x):
    return jit(lambda x: cond(x > 0, three, lambda x: x, x))(x)


@pytest.mark.parametrize("model, n", [(three, 5), (in_scan, 9), (in_branch, 5), (jit(three), 5)],
                         ids=["plain", "scan", "cond", "jit"])
def test_neutra_has_the_density_of_the_model_and_of_its_maps(model, n):
    neutra = NeuTraReparam(Affine(model, 0.4), params(n))
    changed = neutra.reparam(model)
    tr = recorded(changed, 0.4)
    assert list(tr)[0] == "auto_shared_latent" and neutra.size == n
    z = np.asarray(tr["auto_shared_latent"]["value"])
    expected, values = warped_density(neutra, model, (0.4,), z)
    assert total(tr) == pytest.approx(expected, rel=1e-12)
    density, tr = log_density(changed, (0.4,), {}, {"auto_shared_latent": z})
    assert float(density) == pytest.approx(expected, rel=1e-12)
    for k, v in values.items():
        np.testing.assert_allclose(tr[k]["value"], v, rtol=1e-13)
        assert tr[k]["type"] == "deterministic"
    for k, v in neutra.transform_sample(np.stack([z, 2.0 * z])).items():
        np.testing.assert_allclose(v[0], values[k], rtol=1e-13)
    slope = grad(lambda z: log_density(changed, (0.4,), {}, {"auto_shared_latent": z})[0])(z)
    for i in range(n):
        h = 1e-6 * np.eye(n)[i]
        up, down = [warped_density(neutra, model, (0.4,), z + d)[0] for d in (h, -h)]
        assert float(slope[i]) == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-6)


def test_neutra_in_vmap_has_a_vector_for_each_lane():
    neutra = NeuTraReparam(Affine(three, 0.4), params(5))
    tr = recorded(lambda: vmap(neutra.reparam(three))(np.array([0.4, 1.0])))
    z = np.asarray(tr["auto_shared_latent"]["value"])
    assert z.shape == (2, 5)
    expected = sum(warped_density(neutra, three, (x,), z[i])[0] for i, x in enumerate((0.4, 1.0)))
    assert total(tr) == pytest.approx(expected, rel=1e-12)


def test_neutra_by_an_exact_map_makes_a_standard_normal():
    """Where T takes N(0, I) to the posterior, the density in z is that of N(0, I) up to a constant."""
    tril, loc = np.array([[2.0, 0.0], [1.0, 0.5]]), np.array([3.0, -1.0])

    def model():
        cr.sample("x", dist.MultivariateNormal(loc, scale_tril=tril))
    changed = NeuTraReparam(Affine(model), {"loc": loc, "tril": tril}).reparam(model)
    for z in ([0.0, 0.0], [1.0, -2.0]):
        lp = log_density(changed, (), {}, {"auto_shared_latent": np.array(z)})[0]
        assert float(lp) == pytest.approx(stats.norm.logpdf(z).sum(), rel=1e-12)


class Bent(Affine):
    """A guide whose transform is not linear."""
    def get_transform(self, params):
        return transforms.ComposeTransform([super().get_transform(params), transforms.SinhArcsinhTransform(0.3, 0.8)])


def test_neutra_by_a_map_that_is_not_linear():
    """The log-determinant is that of the Jacobian matrix, by LAPACK."""
    def model():
        cr.sample("x", dist.Normal(1.0, 2.0).expand((3,)))
    neutra = NeuTraReparam(Bent(model), params(3))
    z = np.array([0.3, -1.0, 0.6])
    x = np.asarray(neutra.transform(z))
    expected = stats.norm.logpdf(x, 1.0, 2.0).sum() + np.linalg.slogdet(np.asarray(jacfwd(neutra.transform)(z)))[1]
    lp = log_density(neutra.reparam(model), (), {}, {"auto_shared_latent": z})[0]
    assert float(lp) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_nuts_in_the_coordinates_of_a_rough_map():
    """A normal with correlation 0.99, by a map that is only nearly right: means within 4 standard errors at the
    effective sample size of an independent sample of half the length. False alarm 1e-4, the key fixed."""
    law = dist.MultivariateNormal(np.array([3.0, -1.0]), covariance_matrix=np.array([[1.0, 0.99], [0.99, 1.0]]))

    def model():
        cr.sample("x", law)
    rough = {"loc": np.array([2.5, -1.2]), "tril": np.array([[1.2, 0.0], [1.1, 0.2]])}
    neutra = NeuTraReparam(Affine(model), rough)
    mcmc = MCMC(NUTS(neutra.reparam(model)), num_warmup=300, num_samples=2000, num_chains=1, progress_bar=False)
    mcmc.run(random.key(1))
    samples = mcmc.get_samples()
    x = np.asarray(samples["x"])
    assert (abs(x.mean(0) - [3.0, -1.0]) < 4 / np.sqrt(1000)).all()
    assert np.corrcoef(x.T)[0, 1] == pytest.approx(0.99, abs=0.004)
    again = neutra.transform_sample(samples["auto_shared_latent"])["x"]
    np.testing.assert_allclose(again, x, rtol=1e-12, atol=1e-14)
