"""Random partitions and measures, matchings, trees, subsets, coalescents: what the contract does not cover."""
import itertools

import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.engine import grad, jacfwd, random, tree
from chainrule.engine.errors import ParameterError, ShapeError

KEY = random.key(3)


# ---- partitions and random measures ----

def test_the_expected_number_of_clusters_is_that_over_all_partitions():
    d = dist.ChineseRestaurantProcess(0.7, 5, 0.4)
    x = np.asarray(d.enumerate_support())
    p = np.exp(np.asarray(d.log_prob(x)))
    np.testing.assert_allclose(float(d.mean_clusters), (p * (x.max(-1) + 1)).sum(), rtol=1e-12)


def test_the_next_cluster_is_the_ratio_of_two_partitions():
    process = dist.PitmanYorProcess(0.3, 1.2)
    x = np.array([0, 0, 1, 2, 0])
    longer = np.stack([np.append(x, k) for k in range(4)])
    ratio = np.exp(np.asarray(process.partition(6).log_prob(longer)) - float(process.partition(5).log_prob(x)))
    np.testing.assert_allclose(np.asarray(process.next_cluster([3, 1, 1]).probs), ratio, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(dist.DirichletProcess(1.2).next_cluster([0, 0]).probs), [0, 0, 1])


def test_a_large_partition_is_drawn_in_order_of_appearance():
    d = dist.DirichletProcess([0.5, 50.0]).partition(300)
    x = d.sample(KEY, (4,))
    assert np.all(np.asarray(d.support(x))) and np.all(np.isfinite(np.asarray(d.log_prob(x))))
    count = np.asarray(x).max(-1) + 1.0
    i = np.arange(300)
    for k, a in enumerate((0.5, 50.0)):               # sums of independent Bernoulli(a / (a + i)): z < 4.9
        p = a / (a + i)
        assert abs(count[:, k].mean() - p.sum()) < 4.9 * np.sqrt((p * (1 - p)).sum() / 4)


def test_a_measure_hands_its_parameters_to_the_laws_of_its_parts():
    process = dist.PitmanYorProcess(0.25, [1.0, 2.0])
    w = process.weights(4).sample(KEY)
    v = w[:, :-1] / (1 - np.concatenate([np.zeros((2, 1)), np.cumsum(np.asarray(w)[:, :-2], -1)], -1))
    np.testing.assert_allclose(np.asarray(process.sticks(4).weights(v)), np.asarray(w), rtol=1e-10)
    jacobian = np.log(1 - np.concatenate([np.zeros((2, 1)), np.cumsum(np.asarray(w)[:, :-2], -1)], -1)).sum(-1)
    np.testing.assert_allclose(np.asarray(process.weights(4).log_prob(w)),
                               np.asarray(process.sticks(4).log_prob(v)) - jacobian, rtol=1e-10)


def test_sizes_that_are_no_whole_numbers_are_refused():
    for make in (lambda: dist.ChineseRestaurantProcess(1.0, 0), lambda: dist.StickBreakingProcess(1.0, 2.5)):
        with pytest.raises(ParameterError, match="whole number > 0"):
            make()


# ---- matchings ----

def log_permanent(a):
    return np.log(sum(np.prod(a[np.arange(len(a)), list(p)]) for p in itertools.permutations(range(len(a)))))


def test_bethe_of_equal_weights_is_known():
    """All pairs are believed with 1 / n:  ((n - 1) / n)^(n (n - 1)) nⁿ."""
    for n in (2, 3, 6):
        d = dist.OneOneMatching(np.zeros((2, n, n)), bp_iters=5)
        want = n * (n - 1) * np.log((n - 1) / n) + n * np.log(n)
        np.testing.assert_allclose(np.asarray(d.log_partition_function), [want, want], rtol=1e-12)
    np.testing.assert_allclose(float(dist.OneOneMatching([[0.7]], bp_iters=1).log_partition_function), 0.7, rtol=1e-12)


def test_bethe_is_below_the_permanent_and_not_far():
    for seed in range(5):
        a = np.random.default_rng(seed).gamma(0.5, size=(6, 6))
        exact = log_permanent(a)
        np.testing.assert_allclose(float(dist.OneOneMatching(np.log(a)).log_partition_function), exact, rtol=1e-12)
        below = exact - float(dist.OneOneMatching(np.log(a), bp_iters=300).log_partition_function)
        assert 0 <= below <= 3 * np.log(2)                    # Gurvits; Anari & Rezaei


def test_bethe_of_pairs_has_beliefs_that_add_up():
    """At its fixed point the derivative in the logits is what is believed of each pair: rows 1, columns 2."""
    logits = np.random.default_rng(1).normal(size=(8, 4))
    beliefs = np.asarray(grad(lambda x: dist.OneTwoMatching(x, 60).log_partition_function)(logits))
    np.testing.assert_allclose(beliefs.sum(-1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(beliefs.sum(0), 2.0, rtol=1e-6)
    assert np.all((beliefs > 0) & (beliefs < 1))


def test_the_mode_of_a_matching_is_the_best_of_all():
    for d in (dist.OneOneMatching(np.random.default_rng(2).normal(size=(3, 5, 5))),
              dist.OneTwoMatching(np.random.default_rng(2).normal(size=(3, 6, 3)))):
        best = np.asarray(d.log_prob(d.enumerate_support())).max(0)
        np.testing.assert_allclose(np.asarray(d.log_prob(d.mode)), best, rtol=1e-12)


def test_matchings_that_cannot_be_are_explained():
    with pytest.raises(ShapeError, match=r"\[..., 2 n, n\]"):
        dist.OneTwoMatching(np.zeros((3, 2)))
    with pytest.raises(ParameterError, match="bp_iters=20"):
        _ = dist.OneOneMatching(np.zeros((30, 30))).log_partition_function
    assert np.isfinite(float(dist.OneOneMatching(np.zeros((30, 30)), 20).log_prob(np.arange(30))))


# ---- trees and subsets ----

def test_weak_edges_between_strongly_knit_parts_keep_their_digits():
    """Two pairs of vertices, joined by edges of weights exp(-40): a Laplacian in doubles is singular there."""
    logits = np.array([0.5, -40.0, -40.3, -41.0, -42.0, 0.2])          # (0, 1) and (2, 3) are strong
    x = np.asarray(dist.SpanningTree(logits).enumerate_support())
    d = dist.SpanningTree(logits)
    weights = logits[x[..., 0] + x[..., 1] * (x[..., 1] - 1) // 2].sum(-1)
    want = np.log(np.exp(weights - weights.max()).sum()) + weights.max()
    np.testing.assert_allclose(float(d.log_partition_function), want, rtol=1e-14)
    drawn = np.asarray(d.sample(KEY, (400,)))
    assert np.all(np.asarray(d.support(drawn)))
    strong = (drawn == [0, 1]).all(-1).any(-1) & (drawn == [2, 3]).all(-1).any(-1)
    assert strong.all()                                                # others have probability exp(-40)
    marginals = np.asarray(grad(lambda z: dist.SpanningTree(z).log_partition_function)(logits))
    np.testing.assert_allclose(marginals.sum(), 3.0, rtol=1e-12)       # a tree has three edges


def test_the_mode_of_a_tree_is_the_best_of_all():
    d = dist.SpanningTree(np.random.default_rng(2).normal(size=(3, 10)))
    best = np.asarray(d.log_prob(d.enumerate_support())).max(0)
    np.testing.assert_allclose(np.asarray(d.log_prob(d.mode)), best, rtol=1e-12)


def test_a_tree_needs_a_logit_for_every_edge():
    with pytest.raises(ShapeError, match="for each edge"):
        dist.SpanningTree(np.zeros(4))


def test_the_marginal_kernel_gives_the_probability_of_points_together():
    a = np.random.default_rng(4).normal(size=(4, 4))
    d = dist.DeterminantalPointProcess.from_kernel(a @ a.T)
    x = np.asarray(d.enumerate_support())
    p = np.exp(np.asarray(d.log_prob(x)))
    k = np.asarray(d.marginal_kernel)
    np.testing.assert_allclose(np.asarray(d.kernel), a @ a.T, rtol=1e-10)
    np.testing.assert_allclose((p * x[:, 0] * x[:, 2]).sum(), np.linalg.det(k[np.ix_([0, 2], [0, 2])]), rtol=1e-10)


# ---- coalescents ----

COALESCENTS = (dist.CoalescentTimes([[0.3, 2.0, 1.0, -0.5], [0.0, 0.0, 0.0, 0.0]], [0.8, 2.0]),
               dist.CoalescentTimesWithRate([[0.3, 1.7, 2.2, 4.0], [1.1, 1.0, 0.5, 0.9]], [0.6, 2.0, 0.7]))


@pytest.mark.parametrize("d", COALESCENTS, ids=lambda d: type(d).__name__)
def test_unconstrained_numbers_become_coalescent_times_and_come_back(d):
    real = dist.biject_to(d.support)
    z = np.random.default_rng(0).normal(size=(5, 2, 3))
    x = real(z)
    assert np.all(np.asarray(d.support(x)))
    np.testing.assert_allclose(np.asarray(real.inv(x)), z, rtol=1e-9, atol=1e-9)
    for i in range(2):
        one = tree.map(lambda v, i=i: v[i] if v.ndim and v.shape[0] == 2 else v, d)
        jacobian = np.asarray(jacfwd(dist.biject_to(one.support))(z[0, i]))
        np.testing.assert_allclose(float(real.log_abs_det_jacobian(z, x)[0, i]), np.linalg.slogdet(jacobian)[1],
                                   rtol=1e-9)


@pytest.mark.parametrize("d", COALESCENTS, ids=lambda d: type(d).__name__)
def test_in_unconstrained_numbers_the_density_of_a_coalescent_is_that_of_exponential_waits(d):
    """So it is smooth, and it integrates to 1."""
    rate = np.asarray(d.rate) if isinstance(d, dist.CoalescentTimes) else np.ones(2)
    real = dist.biject_to(d.support)
    z = np.random.default_rng(1).normal(size=(20, 2, 3))
    x = real(z)
    got = np.asarray(d.log_prob(x) + real.log_abs_det_jacobian(z, x))
    want = np.sum(np.log(rate)[:, None] + z - rate[:, None] * np.exp(z), -1)
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def test_draws_of_a_coalescent_move_with_its_parameters():
    """d E(root) / d rate by the derivative of draws; with all leaves at 0 the root is at -Σ 1 / (rate C(k, 2))."""
    slopes = grad(lambda r: dist.CoalescentTimes(np.zeros(4), r).sample(KEY, (3000,))[:, 0].mean())(2.0)
    mean, sd = 1.5 / 4.0, np.sqrt(1.0 + 1 / 9 + 1 / 36) / 4.0
    assert abs(float(slopes) - mean) < 4.9 * sd / np.sqrt(3000)
    d = dist.CoalescentTimes([0.0, 1.0, 2.0], 0.7)
    moved = np.asarray(jacfwd(lambda s: dist.CoalescentTimes(d.leaf_times + s, 0.7).sample(KEY, (5,)))(0.0))
    np.testing.assert_allclose(moved, 1.0, rtol=1e-12)                 # all leaves later by s: all times later by s


def test_a_coalescent_needs_two_leaves():
    with pytest.raises(ShapeError, match="n >= 2"):
        dist.CoalescentTimes([1.0])
