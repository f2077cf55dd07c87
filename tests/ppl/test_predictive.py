"""Predictive and log_likelihood: each draw is a run of the model of its own, however the draws are grouped or cut."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, scan, vmap
from chainrule.engine.errors import ShapeError
from chainrule.inference import Predictive, log_likelihood
from chainrule.ppl import log_density
from chainrule.ppl.handlers import seed, substitute, trace
from chainrule.ppl.queries import draws

Y = np.array([0.3, -1.0, 2.0])


def model(y=None):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    s = cr.sample("s", dist.HalfNormal(1.0))
    cr.deterministic("twice", 2.0 * mu)
    cr.factor("f", -mu ** 2)
    with cr.plate("i", 3):
        cr.sample("y", dist.Normal(mu, s), obs=y)


def loops(y=None):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    scan(lambda c, _: (c, cr.sample("y", dist.Normal(mu, 1.0))), 0.0, None, length=3)
    vmap(lambda x: cr.sample("lane", dist.Normal(mu * x, 1.0)))(Y)


SAMPLES = {"mu": np.linspace(-1.0, 1.0, 6), "s": np.linspace(0.5, 2.0, 6)}
KEY = random.key(4)


def same(a, b):
    assert set(a) == set(b)
    for k in a:
        np.testing.assert_array_equal(np.asarray(a[k]), np.asarray(b[k]), err_msg=k)


def test_prior_draws_have_every_site():
    out = Predictive(model, num_samples=5)(KEY)
    assert {k: v.shape for k, v in out.items()} == {"mu": (5,), "s": (5,), "twice": (5,), "y": (5, 3)}
    np.testing.assert_array_equal(out["twice"], 2.0 * out["mu"])
    same(out, Predictive(model, num_samples=5)(4))


def test_a_draw_is_a_run_of_the_seeded_model():
    out = Predictive(model, SAMPLES)(KEY)
    for i in (0, 3):
        given = {k: v[i] for k, v in SAMPLES.items()}
        alone = trace(seed(substitute(model, data=given), random.fold_in(KEY, i))).get_trace()
        np.testing.assert_allclose(out["y"][i], alone["y"]["value"], rtol=1e-13)


def test_posterior_predictive_draws_leave_out_what_was_given():
    out = Predictive(model, SAMPLES)(KEY)
    assert set(out) == {"y", "twice"}
    np.testing.assert_array_equal(out["twice"], 2.0 * SAMPLES["mu"])
    with_twice = Predictive(model, {**SAMPLES, "twice": np.zeros(6)})(KEY)
    np.testing.assert_array_equal(with_twice["twice"], 2.0 * SAMPLES["mu"])
    assert set(Predictive(model, SAMPLES, return_sites=["mu", "y"])(KEY)) == {"mu", "y"}
    observed = Predictive(model, SAMPLES)(KEY, Y)
    assert set(observed) == {"twice"}
    asked = Predictive(model, SAMPLES, return_sites=["y"])(KEY, Y)
    np.testing.assert_array_equal(asked["y"], np.broadcast_to(Y, (6, 3)))


@pytest.mark.parametrize("program", [model, loops], ids=lambda m: m.__name__)
def test_the_draws_do_not_depend_on_how_they_are_cut(program, monkeypatch):
    whole = Predictive(program, num_samples=7)(KEY)
    for most in (1, 4):
        monkeypatch.setattr(draws, "HOST", (1 << 20, most))
        same(Predictive(program, num_samples=7)(KEY), whole)
        same(Predictive(program, num_samples=7, parallel=True)(KEY), whole)
    monkeypatch.undo()
    fewer = Predictive(program, num_samples=3)(KEY)
    same(fewer, {k: v[:3] for k, v in whole.items()})


def test_samples_grouped_by_chain_give_draws_grouped_by_chain():
    grouped = {k: v.reshape(2, 3) for k, v in SAMPLES.items()}
    out, flat = Predictive(model, grouped, batch_ndims=2)(KEY), Predictive(model, SAMPLES)(KEY)
    same(out, {k: np.asarray(v).reshape(2, 3, *v.shape[1:]) for k, v in flat.items()})


def test_the_sum_of_the_log_likelihood_is_the_density_of_the_data():
    terms = log_likelihood(model, SAMPLES, Y)
    assert {k: v.shape for k, v in terms.items()} == {"y": (6, 3)}
    for i in range(6):
        given = {k: v[i] for k, v in SAMPLES.items()}
        expected = dist.Normal(given["mu"], given["s"]).log_prob(Y)
        np.testing.assert_allclose(terms["y"][i], expected, rtol=1e-13)
        prior = dist.Normal(0.0, 1.0).log_prob(given["mu"]) + dist.HalfNormal(1.0).log_prob(given["s"])
        prior = prior - given["mu"] ** 2
        whole = log_density(model, (Y,), {}, given)[0]
        assert float(terms["y"][i].sum() + prior) == pytest.approx(float(whole), rel=1e-12)
    grouped = log_likelihood(model, {k: v.reshape(2, 3) for k, v in SAMPLES.items()}, Y, batch_ndims=2)
    np.testing.assert_array_equal(grouped["y"], np.asarray(terms["y"]).reshape(2, 3, 3))


def test_mistakes():
    with pytest.raises(ValueError, match="num_samples"):
        Predictive(model)
    with pytest.raises(ShapeError, match="different numbers of draws"):
        Predictive(model, {"mu": np.zeros(3), "s": np.zeros(4)})
    with pytest.raises(ValueError, match="no site named 'nu'.*mu, s"):
        Predictive(model, SAMPLES, return_sites=["nu"])(KEY)
