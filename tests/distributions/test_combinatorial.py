"""Random partitions and measures, matchings, trees, subsets, coalescents: what the contract does not cover."""
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.engine.errors import ParameterError

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
