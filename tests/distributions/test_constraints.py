"""Constraints: who belongs, equality, words, and the bijection onto every continuous one."""
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.distributions import biject_to, constraints, transforms
from chainrule.distributions.constraints import Constraint
from chainrule.engine import grad, jacfwd, jit, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError, ParameterError, ShapeError

c = constraints
CONTINUOUS = {                                           # a set, and the shape of one value (or a batch of them)
    "real": (c.real, ()),
    "complex": (c.complex, (3,)),
    "positive": (c.positive, ()),
    "softplus_positive": (c.softplus_positive, ()),
    "nonnegative": (c.nonnegative, ()),
    "negative": (c.negative, ()),
    "unit_interval": (c.unit_interval, ()),
    "circular": (c.circular, ()),
    "interval": (c.interval(-2.0, 5.0), ()),
    "open_interval": (c.open_interval(-2.0, 5.0), ()),
    "half_open_interval": (c.half_open_interval(-2.0, 5.0), ()),
    "interval with arrays": (c.interval(np.array([0.0, 1.0]), np.array([1.0, 4.0])), (2,)),
    "greater_than": (c.greater_than(3.0), ()),
    "greater_than_eq": (c.greater_than_eq(3.0), ()),
    "less_than": (c.less_than(3.0), ()),
    "less_than_eq": (c.less_than_eq(3.0), ()),
    "affine image": (c.AffineImage(c.unit_interval, 1.0, np.array([-2.0, 3.0])), (2,)),
    "offset_multiplier": (c.offset_multiplier(1.0, np.array([2.0, 3.0])), (2,)),
    "real_vector": (c.real_vector, (4,)),
    "real_matrix": (c.real_matrix, (3, 4)),
    "simplex": (c.simplex, (4,)),
    "row_stochastic": (c.row_stochastic, (3, 4)),
    "column_stochastic": (c.column_stochastic, (3, 4)),
    "ordered_vector": (c.ordered_vector, (4,)),
    "positive_ordered_vector": (c.positive_ordered_vector, (4,)),
    "partially_ordered": (c.partially_ordered([(2, 0), (0, 1), (3, 1)]), (4,)),
    "sphere": (c.sphere, (4,)),
    "l1_ball": (c.l1_ball, (4,)),
    "zero_sum": (c.zero_sum(), (4,)),
    "zero_sum of matrices": (c.zero_sum(2), (3, 4)),
    "circulant, even": (c.PositiveDefiniteCirculantVector(6), (6,)),
    "circulant, odd": (c.PositiveDefiniteCirculantVector(5), (5,)),
    "square": (c.square, (3, 3)),
    "symmetric": (c.symmetric, (3, 3)),
    "lower_triangular": (c.lower_triangular, (3, 3)),
    "lower_cholesky": (c.lower_cholesky, (3, 3)),
    "softplus_lower_cholesky": (c.softplus_lower_cholesky, (3, 3)),
    "scaled_unit_lower_cholesky": (c.scaled_unit_lower_cholesky, (3, 3)),
    "unit_lower_cholesky": (c.unit_lower_cholesky, (3, 3)),
    "corr_cholesky": (c.corr_cholesky, (4, 4)),
    "corr_matrix": (c.corr_matrix, (4, 4)),
    "positive_definite": (c.positive_definite, (3, 3)),
    "positive_semidefinite": (c.positive_semidefinite, (3, 3)),
    "independent": (c.independent(c.positive, 2), (2, 3)),
    "cat": (c.cat([c.positive, c.simplex, c.interval(0.0, 2.0)], lengths=[2, 3, 1]), (6,)),
    "cat along rows": (c.cat([c.positive, c.real], -2, [2, 1]), (3, 2)),
    "stack": (c.stack([c.positive, c.real, c.less_than(2.0)]), (3,)),
    "stack of vectors": (c.stack([c.positive_ordered_vector, c.ordered_vector], -2), (2, 4)),
}
sets = pytest.mark.parametrize("constraint, shape", CONTINUOUS.values(), ids=CONTINUOUS)
STEEP = {"positive_definite", "positive_semidefinite", "corr_cholesky", "corr_matrix", "l1_ball"}

MEMBERS = {                                              # a set, one member, one that is not
    "boolean": (c.boolean, 1, 2),
    "integer": (c.integer, -3.0, 2.5),
    "nonnegative_integer": (c.nonnegative_integer, 0, -1),
    "positive_integer": (c.positive_integer, 1, 0),
    "integer_interval": (c.integer_interval(2, 4), 4, 5),
    "integer_greater_than": (c.integer_greater_than(2), 3, 2),
    "whole numbers": (c.nonnegative_integer, 2.0, 2.5),
    "one_hot": (c.one_hot, [0, 1, 0], [1, 1, 0]),
    "multinomial": (c.multinomial(4), [1, 0, 3], [1, 0, 2]),
    "multinomial, below 0": (c.multinomial(4), [2.0, 2.0], [5.0, -1.0]),
    "real": (c.real, 1.0, np.nan),
    "complex": (c.complex, 1.0 + 2.0j, complex(np.inf, 0.0)),
    "circular": (c.circular, np.pi, 3.2),
    "interval": (c.interval(0.0, 1.0), 1.0, 1.1),
    "open_interval": (c.open_interval(0.0, 1.0), 0.5, 1.0),
    "half_open_interval": (c.half_open_interval(0.0, 1.0), 0.0, 1.0),
    "simplex": (c.simplex, [0.3, 0.7], [0.3, 0.6]),
    "row_stochastic": (c.row_stochastic, [[0.3, 0.7], [1.0, 0.0]], [[0.3, 1.0], [0.7, 0.0]]),
    "column_stochastic": (c.column_stochastic, [[0.3, 1.0], [0.7, 0.0]], [[0.3, 0.7], [1.0, 0.0]]),
    "ordered_vector": (c.ordered_vector, [0.3, 0.7], [0.7, 0.7]),
    "positive_ordered_vector": (c.positive_ordered_vector, [0.3, 0.7], [-0.7, 0.7]),
    "partially_ordered": (c.partially_ordered([(2, 0), (2, 1)]), [1.0, 2.0, 0.0], [1.0, -2.0, 0.0]),
    "sphere": (c.sphere, [0.6, -0.8], [0.6, 0.6]),
    "l1_ball": (c.l1_ball, [0.5, -0.5], [0.6, -0.6]),
    "zero_sum": (c.zero_sum(), [0.5, -1.5, 1.0], [0.5, -1.5, 0.0]),
    "zero_sum of matrices": (c.zero_sum(2), [[1.0, -1.0], [-1.0, 1.0]], [[1.0, -1.0], [1.0, -1.0]]),
    "circulant": (c.positive_definite_circulant_vector, [2.0, 0.5, 0.1, 0.5], [1.0, 2.0, 0.1, 2.0]),
    "circulant, symmetric": (c.positive_definite_circulant_vector, [2.0, 0.5, 0.5], [2.0, 0.5, 0.4]),
    "square": (c.square, [[1.0, 0.0], [-2.0, 3.0]], [[1.0, 0.0, 1.0], [-2.0, 3.0, 1.0]]),
    "symmetric": (c.symmetric, [[1.0, 3.0], [3.0, 1.0]], [[1.0, 3.0], [2.0, 1.0]]),
    "lower_triangular": (c.lower_triangular, [[-1.0, 0.0], [3.0, 0.0]], [[1.0, 3.0], [2.0, 1.0]]),
    "lower_cholesky": (c.lower_cholesky, [[1.0, 0.0], [-2.0, 3.0]], [[1.0, 0.1], [-2.0, 3.0]]),
    "a positive diagonal": (c.lower_cholesky, [[1.0, 0.0], [-2.0, 3.0]], [[1.0, 0.0], [-2.0, -3.0]]),
    "unit_lower_cholesky": (c.unit_lower_cholesky, [[1.0, 0.0], [-2.0, 1.0]], [[1.0, 0.0], [-2.0, 3.0]]),
    "corr_cholesky": (c.corr_cholesky, [[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]),
    "corr_matrix": (c.corr_matrix, [[1.0, 0.6], [0.6, 1.0]], [[1.1, 0.6], [0.6, 1.0]]),
    "positive_definite": (c.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]),
    "positive_semidefinite": (c.positive_semidefinite, [[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.1], [1.1, 1.0]]),
    "positive definite, symmetric": (c.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[2.0, 1.0], [0.0, 2.0]]),
    "cat": (c.cat([c.positive, c.simplex], lengths=[1, 2]), [5.0, 0.3, 0.7], [-5.0, 0.3, 0.7]),
    "stack": (c.stack([c.positive, c.unit_interval]), [5.0, 0.3], [0.3, 5.0]),
}


def draws(constraint, shape):
    size = 1.0 if constraint in [CONTINUOUS[k][0] for k in STEEP] else 4.0
    return size * np.random.default_rng(0).normal(size=(50, *biject_to(constraint).inverse_shape(shape)))


@sets
def test_biject_to_lands_inside_and_comes_back(constraint, shape):
    t = biject_to(constraint)
    x = draws(constraint, shape)
    y = t(x)
    assert y.shape == (50, *shape)
    assert np.all(np.asarray(constraint(y)))
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=1e-6, atol=1e-6)
    assert t.log_abs_det_jacobian(x, y).shape == np.asarray(constraint(y)).shape
    assert np.all(np.asarray(constraint(constraint.feasible_like(y))))
    assert constraint.feasible_like(y).shape == y.shape and constraint.feasible_like(y).dtype == y.dtype
    assert t.codomain.event_dim == constraint.event_dim and isinstance(constraint.words, str)


@sets
def test_in_float32_it_lands_inside_too(constraint, shape):
    t = biject_to(tree.map(np.float32, constraint))
    y = t(0.5 * draws(constraint, shape).astype(np.float32))
    assert y.dtype in (np.float32, np.complex64)
    assert np.all(np.asarray(constraint(y)))


@sets
def test_bounds_may_be_traced_and_mapped(constraint, shape):
    x = np.random.default_rng(0).normal(size=biject_to(constraint).inverse_shape(shape))
    want = np.asarray(biject_to(constraint)(x))
    np.testing.assert_allclose(np.asarray(jit(lambda c, x: biject_to(c)(x))(constraint, x)), want, rtol=1e-12,
                               atol=1e-15)
    stacked = tree.map(lambda b: np.stack([b, b]), constraint)
    if tree.leaves(constraint):
        got = vmap(lambda c: biject_to(c)(x))(stacked)
        np.testing.assert_allclose(np.asarray(got), np.stack([want, want]), rtol=1e-12)
        ok = vmap(lambda c: c(want))(stacked)
        assert np.all(np.asarray(ok))


@pytest.mark.parametrize("constraint, member, other", MEMBERS.values(), ids=MEMBERS)
def test_a_set_knows_its_members(constraint, member, other):
    assert np.all(np.asarray(constraint(member))) and not np.any(np.asarray(constraint(other)))
    both = [member, other] if np.shape(member) == np.shape(other) else [member, member]
    assert np.shape(np.asarray(constraint(np.array(both)))) == (2,)
    assert bool(constraint(constraint.feasible_like(member)))
    assert isinstance(constraint.words, str) and np.ndim(member) == constraint.event_dim
    if constraint.is_discrete:
        with pytest.raises(ChainruleError, match="it has integers"):
            biject_to(constraint)


def test_no_constraint_without_a_row():
    rows = [row[0] for row in [*CONTINUOUS.values(), *MEMBERS.values()]]
    for name in c.__all__:
        thing = getattr(c, name)
        if isinstance(thing, Constraint) and thing is not c.dependent:
            assert thing in rows, name
        elif isinstance(thing, type) and thing not in (Constraint, c.Dependent):
            assert any(isinstance(row, thing) for row in rows), name


def test_sets_compare_by_value():
    assert c.interval(0.0, 1.0) == c.interval(0.0, 1.0) != c.interval(0.0, 2.0)
    assert c.greater_than(0.0) != c.greater_than_eq(0.0)
    assert c.independent(c.real, 1) == c.real_vector != c.real
    assert c.independent(c.independent(c.real, 1), 1) == c.real_matrix
    assert hash(c.interval(0.0, 1.0)) == hash(c.interval(0.0, 1.0))
    assert c.cat([c.interval(0.0, 1.0), c.real]) == c.cat([c.interval(0.0, 1.0), c.real])
    assert c.cat([c.interval(0.0, 1.0), c.real]) != c.cat([c.interval(0.0, 2.0), c.real])
    assert c.positive != c.softplus_positive and c.lower_cholesky != c.softplus_lower_cholesky
    assert c.zero_sum() == c.zero_sum(1) != c.zero_sum(2)


def test_what_has_no_bijection_says_why():
    with pytest.raises(ChainruleError, match="no transform registered"):
        biject_to(c.dependent)
    with pytest.raises(ChainruleError, match=r"PositiveDefiniteCirculantVector\(n\)"):
        biject_to(c.positive_definite_circulant_vector)
    with pytest.raises(ParameterError, match="on a circle"):
        biject_to(c.partially_ordered([(0, 1), (1, 2), (2, 0)]))(np.zeros(3))


def test_a_dependent_set_can_say_what_is_known():
    known = c.dependent(is_discrete=True, event_dim=1)
    assert known.is_discrete and known.event_dim == 1 and not c.dependent.is_discrete
    with pytest.raises(ParameterError, match="depends on the parameters"):
        known(1.0)


def test_pieces_must_fit():
    with pytest.raises(ShapeError, match="dim=-1"):
        c.cat([c.real], dim=0)
    with pytest.raises(ShapeError, match="2 parts but 1 lengths"):
        c.cat([c.real, c.positive], lengths=[3])
    with pytest.raises(ShapeError, match="take 3 elements"):
        c.cat([c.real, c.positive], lengths=[1, 2])(np.zeros(4))
    with pytest.raises(ShapeError, match="2 slices"):
        c.stack([c.real, c.positive])(np.zeros(3))


def test_a_uniform_direction_has_the_area_of_its_sphere():
    """exp(log-det) is the density that the area of the sphere has over the plane: its integral is 4 π."""
    t = biject_to(c.sphere)
    r = np.tan(np.linspace(0, np.pi / 2, 2001)[:-1])                      # radii; rings of width dr
    x = np.stack([r, 0 * r], -1)
    ring = 2 * np.pi * r * np.exp(np.asarray(t.log_abs_det_jacobian(x, t(x)))) * (1 + r * r)
    np.testing.assert_allclose(np.trapezoid(ring, dx=np.pi / 4000), 4 * np.pi, rtol=1e-6)


def test_correlations_of_the_flat_prior_integrate_to_their_volume():
    """∫ exp(log-det) dx over the numbers of a 2 × 2 correlation matrix is the length of (-1, 1)."""
    t = biject_to(c.corr_matrix)
    x = np.linspace(-20, 20, 4001)[:, None]
    np.testing.assert_allclose(np.trapezoid(np.exp(np.asarray(t.log_abs_det_jacobian(x, t(x)))), dx=0.01), 2, rtol=1e-9)


def test_zero_sums_keep_distances():
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    y = np.asarray(biject_to(c.zero_sum(2))(x))
    np.testing.assert_allclose(np.linalg.norm(y[0] - y[1]), np.linalg.norm(x[0] - x[1]))


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


def test_membership_can_be_traced():
    ok = jit(lambda x: c.cat([c.positive, c.simplex], lengths=[1, 2])(x))(np.array([[1.0, 0.5, 0.5], [1.0, 0.5, 0.6]]))
    assert np.asarray(ok).tolist() == [True, False]
    slope = jacfwd(biject_to(c.sphere))(np.array([0.3, 0.1]))
    assert np.all(np.isfinite(np.asarray(slope)))
