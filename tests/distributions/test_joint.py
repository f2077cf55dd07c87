"""Joint distributions as trees, and normal vectors with adapted derivatives."""
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ParameterError, ShapeError

KEY = random.key(12)
FACTOR = np.array([[1.4, 0.0, 0.0], [0.4, 0.9, 0.0], [0.1, -0.3, 1.2]])


def named(rate=2.0):
    return dist.JointDistributionNamed({
        "y": lambda scale, loc: dist.Normal(loc[..., None], scale[..., None]).expand((*loc.shape, 3)).to_event(1),
        "loc": lambda scale: dist.Normal(1.0, 0.1 * scale),
        "scale": dist.Exponential(rate)})


def test_named_parts_are_put_in_order_and_added_up():
    d = named()
    assert d.names == ("scale", "loc", "y")
    x = dict(scale=0.7, loc=1.1, y=[0.5, 1.0, 2.0])
    want = (stats.expon(0, 0.5).logpdf(0.7) + stats.norm(1.0, 0.07).logpdf(1.1)
            + stats.norm(1.1, 0.7).logpdf([0.5, 1.0, 2.0]).sum())
    x = {name: np.asarray(v) for name, v in x.items()}
    np.testing.assert_allclose(float(d.log_prob(x)), want, rtol=1e-12)
    np.testing.assert_allclose(sum(map(float, d.log_prob_parts(x).values())), want, rtol=1e-12)
    np.testing.assert_allclose(float(d.distributions(x)["loc"].scale), 0.07, rtol=1e-12)


def test_draws_have_the_moments_of_the_joint_distribution():
    """Means of 4000 draws, within 4.9 standard errors."""
    x = named().sample(KEY, (4, 1000))
    assert {name: v.shape for name, v in x.items()} == {"scale": (4, 1000), "loc": (4, 1000), "y": (4, 1000, 3)}
    for got, mean, sd in ((x["scale"], 0.5, 0.5), (x["loc"], 1.0, 0.1 * np.sqrt(0.5)),
                          (x["y"][..., 0], 1.0, np.sqrt(1.01 * 0.5))):
        assert abs(np.asarray(got).mean() - mean) < 4.9 * sd / np.sqrt(4000)
    values = np.asarray(named().log_prob(x))
    one = named().log_prob({name: v[1, 2] for name, v in x.items()})
    np.testing.assert_allclose(values[1, 2], float(one), rtol=1e-12)


def test_a_joint_distribution_is_a_pytree_that_transforms():
    x = named().sample(KEY)
    slope = grad(lambda d: d.log_prob(x))(named())
    np.testing.assert_allclose(float(tree.leaves(slope)[0]), 0.5 - float(x["scale"]), rtol=1e-12)
    np.testing.assert_allclose(float(jit(lambda d, x: d.log_prob(x))(named(), x)), float(named().log_prob(x)))
    rates = np.array([1.0, 2.0])
    got = vmap(lambda rate: named(rate).log_prob(x))(rates)
    np.testing.assert_allclose(np.asarray(got), [float(named(r).log_prob(x)) for r in rates], rtol=1e-12)
    laws, values = named().sample_distributions(KEY)
    assert isinstance(laws["scale"], dist.Exponential) and set(values) == {"scale", "loc", "y"}


def test_a_function_in_a_sequence_takes_the_nearest_values_first():
    d = dist.JointDistributionSequential([dist.Normal(0.0, 1.0), dist.Gamma(2.0, 1.0), lambda b, a: dist.Normal(a, b)])
    got = d.log_prob([0.3, 2.0, 0.1])
    want = stats.norm.logpdf(0.3) + stats.gamma(2.0).logpdf(2.0) + stats.norm(0.3, 2.0).logpdf(0.1)
    np.testing.assert_allclose(float(got), want, rtol=1e-12)
    assert [x.shape for x in d.sample(KEY, (5,))] == [(5,)] * 3


def test_joint_distributions_that_cannot_be_are_explained():
    n = dist.Normal(0.0, 1.0)
    for parts, words in ((dict(a=lambda b: n, b=lambda a: n), "in a circle"), (dict(a=lambda c: n), "not a part"),
                         (dict(a=3.0), "of type float")):
        with pytest.raises(ParameterError, match=words):
            dist.JointDistributionNamed(parts)
    with pytest.raises(ParameterError, match="takes 1 values"):
        dist.JointDistributionSequential([lambda x: n])
    with pytest.raises(ParameterError, match="has the parts"):
        named().log_prob(dict(loc=0.0))
    with pytest.raises(ParameterError, match="has 1 parts"):
        dist.JointDistributionSequential([n]).log_prob([0.0, 1.0])


# ---- adapted derivatives ----

def slopes(control, n=4000, key=KEY):
    """d (b'x)² / dL for each draw."""
    b, keys = np.array([1.0, -2.0, 0.5]), random.split(key, n)

    def f(factor, key):
        return cnp.sum(b * dist.AVFMultivariateNormal(np.zeros(3), factor, control).sample(key)) ** 2
    return np.asarray(vmap(lambda key: cnp.tril(grad(f)(FACTOR, key)))(keys)), np.tril(2 * np.outer(b, b @ FACTOR))


def test_adaptive_velocity_fields_leave_the_mean_of_derivatives_alone():
    """Within 4.9 standard errors, for any field."""
    for control in (np.zeros((2, 1, 3)), np.random.default_rng(3).normal(size=(2, 2, 3))):
        got, want = slopes(control)
        error = got.std(0) / np.sqrt(len(got))
        assert np.all(np.abs(got.mean(0) - want) <= 4.9 * error + 1e-12)


def test_a_velocity_field_can_be_fitted_to_lessen_the_variance():
    b = np.array([1.0, -2.0, 0.5])

    def square(control, key):
        def f(factor):
            return cnp.sum(b * dist.AVFMultivariateNormal(np.zeros(3), factor, control).sample(key)) ** 2
        return cnp.sum(cnp.tril(grad(f)(FACTOR)) ** 2)
    fit = jit(grad(lambda control, keys: cnp.mean(vmap(lambda k: square(control, k))(keys))))
    control = np.random.default_rng(0).normal(0.0, 0.3, (2, 1, 3))
    for i in range(60):
        control = control - 1e-3 * np.asarray(fit(control, random.split(random.fold_in(KEY, i), 200)))
    before, after = (slopes(c, key=random.key(99))[0].var(0).sum() for c in (np.zeros((2, 1, 3)), control))
    assert after < 0.85 * before                              # it is 0.75: three quarters of the variance


def test_mistaken_shapes_of_vectors_are_explained():
    with pytest.raises(ShapeError, match=r"\[..., 2, k, 3\]"):
        dist.AVFMultivariateNormal(np.zeros(3), FACTOR, np.zeros((2, 3)))
    with pytest.raises(ParameterError, match="for each predictor"):
        dist.R2D2M2CP(1.0, 1.0, 0.5)
    np.testing.assert_allclose(np.asarray(dist.R2D2M2CP(2.0, np.ones(4), 0.5).variance), 0.5)
