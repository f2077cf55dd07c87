"""Transforms and constraints: inverses, log-determinants against the Jacobian, biject_to for every continuous set."""
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.distributions import biject_to, constraints, transforms
from chainrule.engine import grad, jacfwd, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

# a transform, points of its domain [batch, *event], and the elements of y that are free (None: all of them)
TRANSFORMS = {
    "identity": (transforms.IdentityTransform(), [-1.0, 0.5, 3.0], None),
    "exp": (transforms.ExpTransform(), [-1.0, 0.5, 3.0], None),
    "softplus": (transforms.SoftplusTransform(), [-9.0, 0.5, 30.0], None),
    "sigmoid": (transforms.SigmoidTransform(), [-9.0, 0.5, 3.0], None),
    "interval": (transforms.IntervalTransform(-1.0, 3.0), [-9.0, 0.5, 3.0], None),
    "affine": (transforms.AffineTransform(1.0, -2.0), [-1.0, 0.5, 3.0], None),
    "power": (transforms.PowerTransform(-1.5), [0.1, 1.0, 3.0], None),
    "inverse": (transforms.ExpTransform().inv, [0.1, 1.0, 3.0], None),
    "compose": (transforms.ComposeTransform([transforms.AffineTransform(1.0, 0.5), transforms.ExpTransform()]),
                [-1.0, 0.5], None),
    "independent": (transforms.IndependentTransform(transforms.ExpTransform(), 1), [[-1.0, 0.5], [2.0, 0.0]], None),
    "stick breaking": (transforms.StickBreakingTransform(), [[0.3, -1.0, 2.0], [0.0, 0.0, -4.0]], slice(0, -1)),
    "ordered": (transforms.OrderedTransform(), [[0.3, -1.0, 2.0], [0.0, 0.0, -4.0]], None),
    "positive ordered": (transforms.PositiveOrderedTransform(), [[0.3, -1.0, 2.0], [0.0, 0.0, -4.0]], None),
    "lower cholesky": (transforms.LowerCholeskyTransform(),
                       [[0.3, -1.0, 2.0, 0.1, 0.2, -0.4]], np.tril_indices(3)),
    "positive definite": (biject_to(constraints.positive_definite),
                          [[0.3, -1.0, 2.0, 0.1, 0.2, -0.4]], np.tril_indices(3)),
    "a vector's, then a number's": (
        transforms.ComposeTransform([transforms.OrderedTransform(), transforms.ExpTransform()]),
        [[0.3, -1.0, 0.5]], None),
}
each = pytest.mark.parametrize("t, x, free", TRANSFORMS.values(), ids=TRANSFORMS)

CONTINUOUS = {
    "real": (constraints.real, ()),
    "positive": (constraints.positive, ()),
    "nonnegative": (constraints.nonnegative, ()),
    "negative": (constraints.negative, ()),
    "unit_interval": (constraints.unit_interval, ()),
    "interval": (constraints.interval(-2.0, 5.0), ()),
    "open_interval": (constraints.open_interval(-2.0, 5.0), ()),
    "interval with arrays": (constraints.interval(np.array([0.0, 1.0]), np.array([1.0, 4.0])), (2,)),
    "greater_than": (constraints.greater_than(3.0), ()),
    "greater_than_eq": (constraints.greater_than_eq(3.0), ()),
    "less_than": (constraints.less_than(3.0), ()),
    "less_than_eq": (constraints.less_than_eq(3.0), ()),
    "affine image": (constraints.AffineImage(constraints.unit_interval, 1.0, np.array([-2.0, 3.0])), (2,)),
    "real_vector": (constraints.real_vector, (4,)),
    "simplex": (constraints.simplex, (4,)),
    "ordered_vector": (constraints.ordered_vector, (4,)),
    "positive_ordered_vector": (constraints.positive_ordered_vector, (4,)),
    "lower_cholesky": (constraints.lower_cholesky, (3, 3)),
    "positive_definite": (constraints.positive_definite, (3, 3)),
    "independent": (constraints.independent(constraints.positive, 2), (2, 3)),
}
sets = pytest.mark.parametrize("constraint, shape", CONTINUOUS.values(), ids=CONTINUOUS)
MEMBERS = {                                              # a set, one member, one that is not
    "boolean": (constraints.boolean, 1, 2),
    "nonnegative_integer": (constraints.nonnegative_integer, 0, -1),
    "positive_integer": (constraints.positive_integer, 1, 0),
    "integer_interval": (constraints.integer_interval(2, 4), 4, 5),
    "integer_greater_than": (constraints.integer_greater_than(2), 3, 2),
    "whole numbers": (constraints.nonnegative_integer, 2.0, 2.5),
    "interval": (constraints.interval(0.0, 1.0), 1.0, 1.1),
    "open_interval": (constraints.open_interval(0.0, 1.0), 0.5, 1.0),
    "simplex": (constraints.simplex, [0.3, 0.7], [0.3, 0.6]),
    "ordered_vector": (constraints.ordered_vector, [0.3, 0.7], [0.7, 0.7]),
    "positive_ordered_vector": (constraints.positive_ordered_vector, [0.3, 0.7], [-0.7, 0.7]),
    "lower_cholesky": (constraints.lower_cholesky, [[1.0, 0.0], [-2.0, 3.0]], [[1.0, 0.1], [-2.0, 3.0]]),
    "positive_definite": (constraints.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]),
    "symmetric": (constraints.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[2.0, 1.0], [0.0, 2.0]]),
    "real": (constraints.real, 1.0, np.nan),
}


@each
def test_the_inverse_undoes_the_transform(t, x, free):
    x = np.asarray(x)
    y = t(x)
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=1e-9, atol=1e-9)
    assert type(t.inv.inv) is type(t)
    assert np.all(np.asarray(t.domain(x))) and np.all(np.asarray(t.codomain(y)))
    assert t.forward_shape(x.shape) == y.shape and t.inverse_shape(y.shape) == x.shape


@each
def test_the_log_det_is_that_of_the_jacobian(t, x, free):
    x = np.asarray(x)
    n = t.domain.event_dim
    flat = x.reshape((-1, *x.shape[x.ndim - n:]))
    for v, got in zip(flat, np.asarray(t.log_abs_det_jacobian(x, t(x))).reshape(-1)):
        def elements(v):
            y = t(v)
            return y if free is None else y[free]
        j = np.asarray(jacfwd(elements)(v)).reshape((v.size, v.size))
        np.testing.assert_allclose(got, np.linalg.slogdet(j)[1], rtol=1e-9, atol=1e-9)
    back = t.inv.log_abs_det_jacobian(t(x), x)
    np.testing.assert_allclose(np.asarray(back), -np.asarray(t.log_abs_det_jacobian(x, t(x))))


@sets
def test_biject_to_lands_inside_and_comes_back(constraint, shape):
    t = biject_to(constraint)
    x = np.random.default_rng(0).normal(size=(50, *t.inverse_shape(shape)))
    x = x if constraint == constraints.positive_definite else 4 * x
    y = t(x)
    assert y.shape == (50, *shape)
    assert np.all(np.asarray(constraint(y)))
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=1e-6, atol=1e-6)
    assert t.log_abs_det_jacobian(x, y).shape == np.asarray(constraint(y)).shape
    assert np.all(np.asarray(constraint(constraint.feasible_like(y))))
    assert t.codomain.event_dim == constraint.event_dim


@sets
def test_bounds_may_be_traced_and_mapped(constraint, shape):
    x = np.random.default_rng(0).normal(size=biject_to(constraint).inverse_shape(shape))
    want = np.asarray(biject_to(constraint)(x))
    np.testing.assert_allclose(np.asarray(jit(lambda c, x: biject_to(c)(x))(constraint, x)), want, rtol=1e-12)
    stacked = tree.map(lambda b: np.stack([b, b]), constraint)
    if tree.leaves(constraint):
        got = vmap(lambda c: biject_to(c)(x))(stacked)
        np.testing.assert_allclose(np.asarray(got), np.stack([want, want]), rtol=1e-12)


def test_far_out_the_sigmoid_stays_inside_and_its_log_det_exact():
    t = transforms.SigmoidTransform()
    x = np.array([-700.0, -40.0, 40.0, 700.0])
    y = np.asarray(t(x))
    assert np.all((y > 0) & (y < 1))
    np.testing.assert_allclose(np.asarray(t.log_abs_det_jacobian(x, y)), -np.abs(x), rtol=1e-12)


def test_the_centre_of_the_simplex_is_at_zero():
    np.testing.assert_allclose(np.asarray(biject_to(constraints.simplex)(np.zeros(3))), 0.25)


@pytest.mark.parametrize("constraint, member, other", MEMBERS.values(), ids=MEMBERS)
def test_a_set_knows_its_members(constraint, member, other):
    assert bool(constraint(member)) and not bool(constraint(other))
    assert bool(constraint(constraint.feasible_like(member)))


def test_sets_compare_by_value():
    assert constraints.interval(0.0, 1.0) == constraints.interval(0.0, 1.0) != constraints.interval(0.0, 2.0)
    assert constraints.greater_than(0.0) != constraints.greater_than_eq(0.0)
    assert constraints.independent(constraints.real, 1) == constraints.real_vector != constraints.real
    assert constraints.independent(constraints.independent(constraints.real, 1), 1) == constraints.real_matrix
    assert hash(constraints.interval(0.0, 1.0)) == hash(constraints.interval(0.0, 1.0))


def test_integers_have_no_bijection_and_the_error_says_so():
    with pytest.raises(ChainruleError, match="it has integers"):
        biject_to(constraints.boolean)
    with pytest.raises(ChainruleError, match="no transform registered"):
        biject_to(constraints.dependent)


def test_a_transform_may_be_registered_for_a_users_set():
    class Odd(constraints.Constraint):
        def check(self, x):
            return x > 7
    biject_to.register(Odd, lambda c: transforms.AffineTransform(7.0, 1.0))
    assert biject_to(Odd())(1.0) == 8.0


def test_a_stacked_support_maps_lane_by_lane():
    d = dist.Uniform([0.0, 10.0], [1.0, 12.0])
    wrapped = dist.Vmapped(d, (True, True), 2)
    support, t = wrapped.support, biject_to(wrapped.support)
    x = np.zeros((5, 2))
    np.testing.assert_allclose(np.asarray(t(x)), np.broadcast_to([0.5, 11.0], (5, 2)))
    np.testing.assert_allclose(np.asarray(t.inv(t(x))), x, atol=1e-12)
    want = np.log([0.25, 0.5]) * np.ones((5, 1))
    np.testing.assert_allclose(np.asarray(t.log_abs_det_jacobian(x, t(x))), want, rtol=1e-12)
    assert np.asarray(support([0.5, 0.5])).tolist() == [True, False]
    assert t.codomain([0.5, 11.0]).tolist() == [True, True] and t.domain == constraints.real
    g = grad(lambda low: cnp.sum(biject_to(dist.Vmapped(dist.Uniform(low, [1.0, 12.0]), (True, True), 2).support)(x)))
    np.testing.assert_allclose(np.asarray(g(np.array([0.0, 10.0]))), [2.5, 2.5])


def test_transforms_move_draws_as_the_change_of_variables_says():
    d = dist.TransformedDistribution(dist.Normal(np.zeros(3), 1.0), transforms.OrderedTransform())
    assert d.event_shape == (3,) and d.batch_shape == ()
    y = d.sample(random.key(0), (5,))
    assert np.all(np.asarray(d.support(y)))
    x = d.transform.inv(y)
    want = np.asarray(dist.Normal(0.0, 1.0).log_prob(x)).sum(-1) - np.asarray(x)[:, 1:].sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(y)), want, rtol=1e-10)
