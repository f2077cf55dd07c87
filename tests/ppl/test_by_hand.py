"""Sites in functions whose derivative is given by hand, and in branches: what went wrong once."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import cond, custom_jvp, custom_vjp, grad, hessian, jit, jvp, value_and_grad, vmap
from chainrule.ppl import log_density
from chainrule.ppl.handlers import seed, trace


def product(x):
    return cr.sample("a", dist.Normal(x, 1.0)) * x ** 2


def by_jvp():
    f = custom_jvp(lambda x: product(x))
    f.defjvp(lambda primals, tangents: jvp(product, primals, tangents))
    return f


def by_vjp():
    f = custom_vjp(lambda x: product(x))
    f.defvjp(lambda x: value_and_grad(product)(x), lambda slope, c: (c * slope,))
    return f


def constant_rule():
    f = custom_jvp(lambda x: product(x))
    f.defjvp(lambda primals, tangents: (f(*primals), 5.0 * tangents[0]))
    return f


def density(f, a, x):
    def model(x):
        cr.sample("y", dist.Normal(f(x), 1.0), obs=0.5)
    return log_density(model, (x,), {}, {"a": a})[0]


@pytest.mark.parametrize("make", [by_jvp, by_vjp])
def test_a_rule_by_hand_does_not_hide_what_depends_on_the_values_of_its_sites(make):
    """The result of the function is differentiated in its sites' values by its own program."""
    f, at = make(), (0.7, 1.3)
    expected = grad(lambda a, x: density(product, a, x), argnums=(0, 1))(*at)
    np.testing.assert_allclose(grad(lambda a, x: density(f, a, x), argnums=(0, 1))(*at), expected, rtol=1e-13)
    np.testing.assert_allclose(jit(grad(lambda a, x: density(f, a, x), argnums=(0, 1)))(*at), expected, rtol=1e-12)
    lanes = vmap(grad(lambda a, x: density(f, a, x), argnums=(0, 1)))(np.full(3, 0.7), np.full(3, 1.3))
    np.testing.assert_allclose([g[1] for g in lanes], expected, rtol=1e-13)
    mapped = grad(lambda a: density(lambda x: vmap(f)(x * np.ones(2)), a, 1.3))(np.array([0.7, 0.2]))
    plain = grad(lambda a: density(lambda x: vmap(product)(x * np.ones(2)), a, 1.3))(np.array([0.7, 0.2]))
    np.testing.assert_allclose(mapped, plain, rtol=1e-13)


def test_second_derivatives_through_a_rule_by_hand():
    f = by_jvp()
    np.testing.assert_allclose(hessian(lambda a: density(f, a, 1.3))(0.7), hessian(
        lambda a: density(product, a, 1.3))(0.7), rtol=1e-12)


def test_the_rule_by_hand_still_decides_in_its_arguments():
    """With y = a x², d/dx of the density through y is what the rule says, 5 in place of 2 a x."""
    f, a, x = constant_rule(), 0.7, 1.3
    through = grad(lambda y: log_density(lambda y: cr.sample("y", dist.Normal(y, 1.0), obs=0.5), (y,))[0])(a * x ** 2)
    np.testing.assert_allclose(grad(lambda x: density(f, a, x))(x), 5.0 * through + (a - x), rtol=1e-12)
    np.testing.assert_allclose(grad(lambda a: density(f, a, x))(a), x ** 2 * through - (a - x), rtol=1e-12)


def test_a_branch_not_taken_with_bounds_that_depend_on_parameters_of_another_shape():
    low = np.array([0.0, 1.0, 2.0])

    def model(x):
        return jit(lambda x: cond(x > 0, lambda x: cr.sample("u", dist.Uniform(low, 4.0)), lambda x: low, x))(x)
    assert trace(seed(model, 0)).get_trace(1.0)["u"]["value"].shape == (3,)


def test_a_plain_number_inside_of_a_transform_in_vmap():
    def one(_):
        return cr.sample("x", dist.TransformedDistribution(dist.Normal(0.0, 1.0),
                                                           dist.transforms.AffineTransform(0.5, 2.0)))
    x = seed(lambda: vmap(one)(np.arange(3)), 0)()
    assert len(set(np.asarray(x).tolist())) == 3
