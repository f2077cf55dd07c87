"""The twin in NumPy, examples/tiny.py, and the library agree on the same programs and models."""
import importlib.util
import pathlib

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import grad, jvp, random, vmap
from chainrule.engine import numpy as cnp
from chainrule.inference import MCMC, NUTS, diagnostics

PATH = pathlib.Path(__file__).parents[1] / "examples" / "tiny.py"
spec = importlib.util.spec_from_file_location("tiny", PATH)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

X = np.array([-1.0, -0.3, 0.4, 1.1, 2.0])
Y = np.array([-1.7, -0.2, 0.3, 1.9, 2.6])
Z = np.array([0.3, -0.7, 1.2])


def programs(exp, log, reciprocal, total):
    """Functions of a vector, in the operations of the twin or of the library."""
    return {
        "product": lambda v: total(v * v * v),
        "quotient": lambda v: total(exp(v * 0.5) * reciprocal(v * v + 1.0)),
        "broadcast": lambda v: total(v * np.ones((4, 1)) + log(exp(v) + 2.0)),
        "normal": lambda v: total(log(v * v + 1.0) * exp(-v)) * total(v),
    }


TINY = programs(tiny.exp, tiny.log, tiny.reciprocal, tiny.reduce_sum)
FULL = programs(cnp.exp, cnp.log, lambda x: 1 / x, cnp.sum)
rows = pytest.mark.parametrize("name", TINY)


def same(a, b):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-14)


@rows
def test_values_and_derivatives_agree(name):
    f, g = TINY[name], FULL[name]
    same(f(Z), g(Z))
    same(tiny.grad(f)(Z), grad(g)(Z))
    for a, b in zip(tiny.jvp(f, Z, X[:3]), jvp(g, (Z,), (X[:3],))): same(a, b)


@rows
def test_transformations_of_transformations_agree(name):
    f, g = TINY[name], FULL[name]
    rows = np.stack([Z, Z + 0.4, -Z])
    same(tiny.vmap(tiny.grad(f))(rows), vmap(grad(g))(rows))
    twice = [lambda v, d=d, f=f: (d(f)(v) * X[:3]) for d, f in ((tiny.grad, f), (grad, g))]
    same(tiny.grad(lambda v: tiny.reduce_sum(twice[0](v)))(Z), grad(lambda v: cnp.sum(twice[1](v)))(Z))
    same(tiny.jvp(tiny.grad(f), Z, X[:3])[1], jvp(grad(g), (Z,), (X[:3],))[1])


def test_perturbations_are_not_confused():
    def nested(derivative):
        return derivative(lambda x: x * derivative(lambda y: x * 1.0 + y)(2.0))(3.0)
    assert nested(tiny.grad) == nested(grad) == 1.0


def regression(sample, normal):
    """The same model in both languages."""
    def model(x):
        a = sample("a", normal(0.0, 1.0))
        b = sample("b", normal(a, 2.0))
        return sample("y", normal(a + b * x, 0.5))
    return model


MODEL, FULL_MODEL = regression(tiny.sample, tiny.Normal), regression(cr.sample, dist.Normal)


def densities(y=Y):
    """[log p as a function of (a, b)], by the twin and by the library."""
    return (lambda v: tiny.log_density(MODEL, {"a": pick(v, 0), "b": pick(v, 1), "y": y}, X),
            lambda v: cr.log_density(FULL_MODEL, (X,), {}, {"a": v[0], "b": v[1], "y": y})[0])


def pick(v, i): return tiny.reduce_sum(tiny.mul(v, np.eye(2)[i]))


def test_log_densities_and_their_derivatives_agree():
    f, g = densities()
    v, points = np.array([0.3, 1.1]), np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])
    same(f(v), g(v))
    same(tiny.grad(f)(v), grad(g)(v))
    same(tiny.vmap(f)(points), vmap(g)(points))
    same(tiny.vmap(tiny.grad(f))(points), vmap(grad(g))(points))


def test_a_vmapped_model_is_a_model_of_independent_lanes_in_both():
    xs, b = np.stack([X, 2 * X]), np.array([0.7, -0.2])

    def lanes(sample, normal, vmap):
        return lambda: vmap(lambda x, m: sample("y", normal(x + sample("b", normal(m, 1.0)), 0.5)))(xs, b)
    ys = np.stack([Y, Y + 1])
    mine = tiny.log_density(lanes(tiny.sample, tiny.Normal, tiny.vmap), {"b": b, "y": ys})
    full = cr.log_density(lanes(cr.sample, dist.Normal, vmap), (), {}, {"b": b, "y": ys})[0]
    same(mine, full)


def test_a_seeded_site_depends_on_the_seed_and_its_name_alone():
    with tiny.under(tiny.seed(3)): alone = tiny.sample("b", tiny.Normal(0.0, 1.0))
    with tiny.under(tiny.seed(3)):
        tiny.sample("a", tiny.Normal(0.0, 1.0))
        assert tiny.sample("b", tiny.Normal(0.0, 1.0)) == alone


def test_an_open_site_and_a_missing_rule_say_what_to_write():
    with pytest.raises(LookupError, match="site 'a' was reached.*\n.*seed"): MODEL(X)
    with pytest.raises(tiny.MissingRule, match="`log` has no transpose rule, so grad cannot go through it.\nGive it"):
        tiny.log_p.rule("transpose")


@pytest.mark.slow
def test_the_posteriors_agree():
    """Six z-tests at four standard errors: a false alarm in 1 of 2,600 keys. The posterior is known exactly."""
    design = np.stack([np.ones(5), X], axis=1)
    prior = np.linalg.inv(np.array([[1.0, 1.0], [1.0, 5.0]]))          # b = a + 2 ε
    covariance = np.linalg.inv(prior + design.T @ design / 0.25)
    exact = covariance @ design.T @ Y / 0.25
    draws, accepted = tiny.hmc(densities()[0], np.zeros(2), rng=np.random.default_rng(1), step_size=0.25, num_steps=4,
                               num_draws=600)
    assert accepted > 300

    def full(x, y):
        a = cr.sample("a", dist.Normal(0.0, 1.0))
        b = cr.sample("b", dist.Normal(a, 2.0))
        cr.sample("y", dist.Normal(a + b * x, 0.5), obs=y)
    mcmc = MCMC(NUTS(full), num_warmup=300, num_samples=500, num_chains=2, progress_bar=False)
    mcmc.run(random.key(1), X, y=Y)
    library = np.stack([np.asarray(mcmc.get_samples(True)[k]) for k in "ab"], axis=-1)
    for i in range(2):
        sd = covariance[i, i] ** 0.5
        mine, theirs = draws[None, :, i], library[:, :, i]
        errors = [sd / np.sqrt(float(diagnostics.ess_bulk(x))) for x in (mine, theirs)]
        assert abs(mine.mean() - exact[i]) < 4 * errors[0]
        assert abs(theirs.mean() - exact[i]) < 4 * errors[1]
        assert abs(mine.mean() - theirs.mean()) < 4 * np.hypot(*errors)


def test_the_twin_is_short():
    assert len(PATH.read_text(encoding="utf-8").splitlines()) <= 350
