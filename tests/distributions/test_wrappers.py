"""What is special to the wrappers, to point masses and to improper densities; and what errors say."""
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.distributions import biject_to, constraints, transforms
from chainrule.engine import grad, jit, make_jaxpr, random, scan, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

KEY = random.key(3)


# ---- expand, to_event, mask ----

def test_an_expanded_axis_of_size_one_is_drawn_independently_and_in_its_place():
    d = dist.Normal([[0.0], [100.0]], 1.0).expand((3, 2, 4))
    x = np.asarray(d.sample(KEY, (5,)))
    assert x.shape == (5, 3, 2, 4) and len(np.unique(x)) == x.size
    assert np.all(np.abs(x[:, :, 0] - 0) < 10) and np.all(np.abs(x[:, :, 1] - 100) < 10)


def test_expanding_twice_is_expanding_once():
    d = dist.Normal().expand((3,)).expand((2, 3))
    assert isinstance(d.base_dist, dist.Normal) and d.batch_shape == (2, 3)


def test_a_shape_that_does_not_fit_is_an_error():
    with pytest.raises(ChainruleError, match="cannot be expanded"):
        dist.Normal(np.zeros(3)).expand((2,))
    with pytest.raises(ChainruleError, match="to_event"):
        dist.Normal(np.zeros(3)).to_event(2)
    with pytest.raises(ChainruleError, match="boolean"):
        dist.Normal(np.zeros(3)).mask(np.ones(3))


def test_events_nest_into_one():
    d = dist.Normal(np.zeros((2, 3, 4))).to_event(1).to_event(1)
    assert type(d.base_dist) is dist.Normal and d.event_shape == (3, 4) and d.batch_shape == (2,)
    assert d.support == constraints.independent(constraints.real, 2)


def test_a_value_with_fewer_axes_than_the_event_counts_for_all_of_it():
    d = dist.Normal(np.zeros(3)).to_event(1)
    assert float(d.log_prob(0.0)) == pytest.approx(3 * float(dist.Normal().log_prob(0.0)))


def test_nothing_under_a_mask_reaches_the_derivative():
    mask, x = np.array([True, False]), np.array([1.0, np.nan])
    g = grad(lambda scale: cnp.sum(dist.LogNormal(0.0, scale).mask(mask).log_prob(x)))(2.0)
    assert np.isfinite(float(g))
    gamma = dist.Gamma(2.0)
    assert gamma.mask(mask).log_prob(np.array([1.0, -5.0])).tolist() == [float(gamma.log_prob(1.0)), 0.0]


def test_supports_can_be_listed():
    assert dist.Bernoulli([0.2, 0.3]).enumerate_support().tolist() == [[0, 0], [1, 1]]
    assert dist.Categorical(np.full((2, 3), 1 / 3)).enumerate_support(expand=False).tolist() == [[0], [1], [2]]
    assert dist.Binomial(2, 0.5).enumerate_support().tolist() == [0, 1, 2]
    assert dist.Bernoulli(0.5).expand((4,)).enumerate_support().shape == (2, 4)
    with pytest.raises(ChainruleError, match="total_count"):
        dist.Binomial([2, 3], 0.5).enumerate_support()


# ---- Vmapped ----

def nested():
    inner = tree.unflatten(tree.structure(dist.Normal()), [np.arange(6.0).reshape(2, 3), np.ones(2)])
    return dist.Vmapped(dist.Vmapped(inner, (True, False), 3), (True, True), 2)


def test_lanes_nest():
    d = nested()
    assert d.batch_shape == (2, 3)
    x = d.sample(KEY, (4,))
    assert x.shape == (4, 2, 3)
    want = dist.Normal(np.arange(6.0).reshape(2, 3)).log_prob(x)
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), np.asarray(want), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.mean), np.arange(6.0).reshape(2, 3))


def test_a_lane_may_have_batch_and_event_axes():
    one = dist.Normal(0.0, 1.0).expand((3,)).to_event(1)
    base = tree.unflatten(tree.structure(one), [np.array([0.0, 5.0]), np.ones(())])
    d = dist.Vmapped(base, (True, False), 2)
    assert d.batch_shape == (2,) and d.event_shape == (3,)
    x = d.sample(KEY)
    want = np.asarray(dist.Normal([[0.0], [5.0]]).log_prob(x)).sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want, rtol=1e-12)
    assert d.expand_by((7,)).sample(KEY).shape == (7, 2, 3)
    assert d.to_event(1).log_prob(x).shape == ()
    assert d.log_prob(np.zeros((1, 3))).shape == (2,)


def test_lanes_may_differ_in_nothing():
    d = dist.Vmapped(dist.Normal(), (False, False), 3)
    x = np.asarray(d.sample(KEY))
    assert x.shape == (3,) and len(set(x.tolist())) == 3
    assert d.log_prob(x).shape == (3,) and d.variance.shape == (3,)


def test_a_stacked_distribution_goes_through_the_transformations():
    d = nested()
    x = np.zeros((2, 3))
    want = np.asarray(d.log_prob(x))
    np.testing.assert_allclose(np.asarray(jit(lambda d: d.log_prob(x))(d)), want, rtol=1e-12)
    both = vmap(lambda d: d.log_prob(x))(tree.map(lambda v: np.stack([v, v]), d))
    np.testing.assert_allclose(np.asarray(both), [want, want], rtol=1e-12)
    g = grad(lambda d: cnp.sum(d.log_prob(x)))(d)
    assert tree.structure(g) == tree.structure(d)


LANES = {
    "batch axes": lambda low: dist.Uniform(low, 20.0 + np.arange(3.0)),
    "an event": lambda low: dist.Uniform(low, 20.0 + np.arange(3.0)).to_event(1),
    "expanded": lambda low: dist.Uniform(low, 20.0).expand((3,)),
    "one lane in another": lambda low: dist.Vmapped(dist.Uniform(low, 20.0 + np.arange(3.0)), (False, True), 3),
    "transformed": lambda low: dist.TransformedDistribution(dist.Exponential().expand((3,)), transforms.AffineTransform(
        low, 2.0, constraints.positive)),
}


@pytest.mark.parametrize("make", LANES.values(), ids=LANES)
def test_the_support_of_lanes_is_that_of_each_lane(make):
    lows = np.array([0.0, 5.0])
    singles = [make(low) for low in lows]
    leaves = [tree.leaves(d) for d in singles]
    axes = tuple(np.shape(a) == () and float(a) != float(b) for a, b in zip(*leaves))
    joined = [np.stack([a, b]) if m else a for a, b, m in zip(*leaves, axes)]
    stacked = tree.unflatten(tree.structure(singles[0]), joined)
    d = dist.Vmapped(stacked, axes, 2)
    assert d.batch_shape == (2, *singles[0].batch_shape) and d.event_shape == singles[0].event_shape
    t, x = biject_to(d.support), np.random.default_rng(0).normal(size=(4, 2, 3))
    y = t(x)
    for i, one in enumerate(singles):
        mine, xi, yi = biject_to(one.support), x[:, i], np.asarray(y)[:, i]
        np.testing.assert_allclose(yi, np.asarray(mine(xi)), rtol=1e-12)
        np.testing.assert_allclose(np.asarray(t.log_abs_det_jacobian(x, y))[:, i],
                                   np.asarray(mine.log_abs_det_jacobian(xi, yi)), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(t.inv(y)), x, rtol=1e-9)
    assert np.all(np.asarray(d.support(y))) and np.all(np.isfinite(np.asarray(d.log_prob(y))))
    assert not np.any(np.asarray(d.support(y - 100.0)))
    assert np.all(np.asarray(d.log_prob(y - 100.0)) == -np.inf)
    assert d.sample(KEY, (5,)).shape == (5, 2, 3)


# ---- point masses and improper densities ----

def test_a_point_mass():
    d = dist.Delta([1.0, 2.0], log_density=0.5, event_dim=1)
    assert d.batch_shape == () and d.event_shape == (2,)
    assert float(d.log_prob([1.0, 2.0])) == 0.5 and float(d.log_prob([1.0, 3.0])) == -np.inf
    assert d.sample(KEY, (3,)).tolist() == [[1.0, 2.0]] * 3
    assert dist.Delta(np.arange(3)).sample(KEY).dtype == np.int64
    assert float(grad(lambda v: dist.Delta(v).sample(KEY) ** 2)(3.0)) == 6.0


def test_a_factor_without_values():
    d = dist.Unit(np.array([0.5, 1.0]))
    assert d.sample(KEY, (4,)).shape == (4, 2, 0)
    assert d.log_prob(d.sample(KEY)).tolist() == [0.5, 1.0]


def test_an_improper_density():
    d = dist.ImproperUniform(constraints.positive, (), (2,))
    assert d.event_shape == (2,) and d.support == constraints.independent(constraints.positive, 1)
    assert d.log_prob([[1.0, 2.0], [-1.0, 2.0]]).tolist() == [0.0, -np.inf]
    with pytest.raises(NotImplementedError, match="cannot be sampled"):
        d.sample(KEY)
    assert dist.ImproperUniform(constraints.simplex, (3,), (4,)).shape() == (3, 4)


# ---- as values ----

def test_a_distribution_can_be_carried_through_a_loop():
    def step(d, x):
        updated = dist.Normal(0.5 * d.loc + 0.5 * x, d.scale)
        return updated, updated.log_prob(x)
    last, log_p = scan(step, dist.Normal(0.0, 2.0), np.ones(4))
    assert isinstance(last, dist.Normal) and float(last.loc) == 1 - 0.5 ** 4 and log_p.shape == (4,)


def test_a_distribution_is_immutable_and_names_what_it_lacks():
    with pytest.raises(AttributeError, match="immutable"):
        dist.Normal().loc = 1.0
    with pytest.raises(ChainruleError, match="needs a value for 'rate'"):
        dist.Poisson()
    with pytest.raises(ChainruleError, match="'rate' is not a parameter"):
        dist.Normal(rate=1.0)
    with pytest.raises(ChainruleError, match="got both"):
        dist.Bernoulli(0.5, 0.0)


def test_the_error_names_the_users_line():
    with pytest.raises(ChainruleError) as e:
        dist.Normal(0.0, [1.0, -2.0])                    # this line
    assert "scale[1] is -2.0" in str(e.value) and "test_wrappers.py" in str(e.value) and "this line" in str(e.value)


def test_traced_parameters_are_not_checked():
    assert np.isnan(float(jit(lambda s: dist.Normal(0.0, s).log_prob(0.0))(-1.0)))
    with pytest.raises(ChainruleError, match="scale"):
        jit(lambda x: dist.Normal(x, -1.0).log_prob(0.0))(0.0)


def test_checks_can_be_turned_off():
    dist.Distribution.set_default_validate_args(False)
    try:
        dist.Normal(0.0, -1.0)
    finally:
        dist.Distribution.set_default_validate_args(True)


def test_a_users_family_needs_four_names():
    class Twice(dist.Distribution):
        rate: object = dist.param(constraints.positive)
        support = constraints.positive

        def sample(self, key, sample_shape=()):
            return 2 * random.exponential(key, self.shape(sample_shape)) / self.rate

        def log_prob(self, value):
            return cnp.log(self.rate / 2) - self.rate / 2 * value
    d = Twice([1.0, 2.0])
    assert d.batch_shape == (2,) and d.sample(KEY, (3,)).shape == (3, 2)
    assert float(jit(lambda d: d.to_event(1).log_prob([1.0, 1.0]))(d)) == pytest.approx(np.log(0.5) - 1.5)


def test_a_log_density_is_a_handful_of_operations():
    """Compile time follows the number of operations; what depends on known parameters is computed while tracing."""
    def count(f, *args):
        return len(make_jaxpr(f)(*args).eqns)
    assert count(lambda x: dist.Normal(0.0, 2.0).log_prob(x), 1.0) == 5
    assert count(lambda m, s, x: dist.Normal(m, s).log_prob(x), 0.0, 1.0, 1.0) == 8
    assert count(lambda eta: dist.Bernoulli(logits=eta).log_prob(np.array([0, 1])), np.zeros(2)) == 3
    assert count(lambda x: dist.HalfCauchy(1.0).log_prob_inside(x), 1.0) == 5


def test_known_data_are_checked_once_and_unknown_ones_by_a_select():
    inside = make_jaxpr(lambda rate: dist.Poisson(rate).log_prob(np.array([1, 2])))(np.ones(2))
    outside = make_jaxpr(lambda rate: dist.Poisson(rate).log_prob(np.array([1, -2])))(np.ones(2))
    assert len(outside.eqns) == len(inside.eqns) + 1


def test_affine_sets_follow_the_sign():
    t = transforms.AffineTransform(1.0, -2.0, constraints.positive)
    assert t.codomain == constraints.less_than(1.0)
    d = dist.TransformedDistribution(dist.Exponential(), t)
    assert d.log_prob([0.0, 2.0]).tolist() == [-0.5 - np.log(2), -np.inf]


# ---- other arrangements ----

def test_reshaped_batches_keep_their_laws():
    base = dist.Uniform([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], 9.0)
    d = dist.BatchReshape(base, (3, 2))
    x = np.array([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]])
    np.testing.assert_allclose(np.asarray(d.log_prob(x)).ravel(), np.asarray(base.log_prob(x.reshape(2, 3))).ravel())
    assert np.asarray(d.support(x)).all() and not np.asarray(d.support(0.5)).all()
    vectors = dist.BatchReshape(dist.Dirichlet(np.ones((4, 3))), (2, 2))
    assert vectors.sample(KEY, (5,)).shape == (5, 2, 2, 3) and vectors.log_prob(np.full(3, 1 / 3)).shape == (2, 2)
    with pytest.raises(ChainruleError, match="cannot become"):
        dist.BatchReshape(base, (4, 2))


def test_draws_and_blocks_are_side_by_side():
    d = dist.Sample(dist.Dirichlet(np.array([[1.0, 2.0, 3.0], [4.0, 1.0, 1.0]])), (5, 4))
    x = d.sample(KEY, (6,))
    assert d.batch_shape == (2,) and d.event_shape == (5, 4, 3) and x.shape == (6, 2, 5, 4, 3)
    want = sum(np.asarray(d.base_dist.log_prob(x[:, :, i, j])) for i in range(5) for j in range(4))
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want)
    np.testing.assert_allclose(np.asarray(d.mean)[:, 0, 0], np.asarray(d.base_dist.mean))
    assert np.asarray(d.support(x)).all() and np.asarray(d.support(x)).shape == (6, 2)
    low = np.array([0.0, 3.0])
    blocks = dist.Blockwise([dist.Uniform(low, 4.0), dist.Dirichlet([1.0, 2.0])])
    y = blocks.sample(KEY, (7,))
    assert y.shape == (7, 2, 3) and np.asarray(blocks.support(y)).all()
    want = np.asarray(dist.Uniform(low, 4.0).log_prob(y[..., 0]) + dist.Dirichlet([1.0, 2.0]).log_prob(y[..., 1:]))
    np.testing.assert_allclose(np.asarray(blocks.log_prob(y)), want)
    with pytest.raises(ChainruleError, match="all discrete or all continuous"):
        dist.Blockwise([dist.Poisson(1.0), dist.Normal(0.0, 1.0)])


def test_mixtures_of_normal_vectors_by_their_names():
    locs, logits = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([0.3, -0.2])
    x = np.array([0.4, 1.0])
    w = np.exp(logits) / np.exp(logits).sum()
    shared = dist.MixtureOfDiagNormalsSharedCovariance(locs, np.array([1.0, 0.5]), logits)
    scaled = dist.GaussianScaleMixture(np.array([1.0, 0.5]), logits, np.array([1.0, 3.0]))
    pdfs = [np.prod(stats.norm(m, [1.0, 0.5]).pdf(x)) for m in locs]
    np.testing.assert_allclose(float(shared.prob(x)), w @ pdfs)
    pdfs = [np.prod(stats.norm(0, s * np.array([1.0, 0.5])).pdf(x)) for s in (1.0, 3.0)]
    np.testing.assert_allclose(float(scaled.prob(x)), w @ pdfs)


def test_grouped_observations_are_a_normal_vector_and_tell_of_their_groups():
    groups = np.array([2, 0, 0, 2, 1, 0])
    m, s, sigma = np.array([0.0, 5.0, -1.0]), np.array([1.0, 2.0, 0.5]), np.array([0.3, 1.0, 2.0, 0.7, 1.0, 1.5])
    d = dist.GroupedNormalNormal(m, s, sigma, groups)
    member = groups[:, None] == np.arange(3)
    cov = np.diag(sigma ** 2) + (member * s ** 2) @ member.T
    x = np.array([0.2, 1.0, -0.4, 0.0, 4.0, 2.5])
    law = stats.multivariate_normal(m[groups], cov)
    np.testing.assert_allclose(float(d.log_prob(x)), law.logpdf(x), rtol=1e-12)
    np.testing.assert_allclose(float(d.entropy()), law.entropy(), rtol=1e-12)
    gain = (member * s ** 2).T @ np.linalg.inv(cov)
    post = d.posterior(x)
    np.testing.assert_allclose(np.asarray(post.loc), m + gain @ (x - m[groups]), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(post.scale) ** 2, np.diag(np.diag(s ** 2) - gain @ (member * s ** 2)),
                               rtol=1e-12)
    assert dist.BatchBroadcast(dist.Normal(np.zeros((2, 1)), 1.0), (3,)).batch_shape == (2, 3)
