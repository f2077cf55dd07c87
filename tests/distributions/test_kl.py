"""KL divergences: against the mean of log p - log q over draws of p, and laws that hold for all."""
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.distributions import kl_divergence
from chainrule.engine import grad, random
from chainrule.engine.errors import ChainruleError

KEY = random.key(5)
FACTOR = np.array([[1.2, 0.0], [-0.4, 0.7]])
PAIRS = {
    "Normal": (dist.Normal([0.0, 1.0], 1.0), dist.Normal(0.5, [2.0, 0.7])),
    "Gamma": (dist.Gamma(2.0, [1.0, 3.0]), dist.Gamma(3.5, 2.0)),
    "Exponential": (dist.Exponential([1.0, 3.0]), dist.Exponential(2.0)),
    "Poisson": (dist.Poisson([1.0, 3.0]), dist.Poisson(2.0)),
    "Beta": (dist.Beta(2.0, [1.0, 3.0]), dist.Beta(1.5, 2.0)),
    "Bernoulli": (dist.Bernoulli([0.2, 0.7]), dist.Bernoulli(logits=0.4)),
    "Categorical": (dist.Categorical([0.2, 0.7, 0.1]), dist.Categorical(logits=[0.4, 0.0, 1.0])),
    "Dirichlet": (dist.Dirichlet([2.0, 3.0, 1.5]), dist.Dirichlet([1.0, 4.0, 2.0])),
    "MultivariateNormal": (dist.MultivariateNormal([0.0, 1.0], scale_tril=FACTOR),
                           dist.MultivariateNormal([[1.0, 1.0], [0.0, 0.0]], np.eye(2))),
    "one factor each": (dist.MultivariateNormal([0.0, 1.0], scale_tril=np.stack([FACTOR, np.eye(2)])),
                        dist.MultivariateNormal([1.0, 1.0], scale_tril=np.stack([2 * FACTOR, FACTOR]))),
    "Independent": (dist.Normal([0.0, 1.0], 1.0).to_event(1), dist.Normal(0.5, [2.0, 0.7]).to_event(1)),
    "Expanded": (dist.Normal(0.0, 1.0).expand((3,)), dist.Normal(0.5, 2.0).expand((3,))),
    "Expanded, plain": (dist.Normal(0.0, 1.0).expand((3,)), dist.Normal(0.5, [2.0, 1.0, 3.0])),
}
each = pytest.mark.parametrize("p, q", PAIRS.values(), ids=PAIRS)


@each
def test_the_closed_form_is_the_mean_over_draws(p, q):
    """z-test; false-alarm rate 1e-6 for each element."""
    x = p.sample(KEY, (4000,) + (1,) * (len(q.batch_shape) - len(p.batch_shape)))
    gap = np.asarray(p.log_prob(x) - q.log_prob(x))
    gap = gap.reshape((4000, *gap.shape[1:]))
    got = np.asarray(kl_divergence(p, q))
    assert got.shape == gap.shape[1:]
    assert np.all(np.abs(gap.mean(0) - got) < 4.9 * gap.std(0) / np.sqrt(4000))


@each
def test_it_is_zero_between_equals_and_positive_between_others(p, q):
    np.testing.assert_allclose(np.asarray(kl_divergence(p, p)), 0.0, atol=1e-12)
    assert np.all(np.asarray(kl_divergence(p, q)) > 0)


def test_a_point_mass_gives_the_density_there():
    q = dist.Normal(1.0, 2.0)
    assert float(kl_divergence(dist.Delta(3.0), q)) == -float(q.log_prob(3.0))


def test_masked_elements_do_not_count():
    p, q = (d.mask(np.array([True, False])) for d in PAIRS["Normal"])
    assert np.asarray(kl_divergence(p, q)).tolist()[1] == 0.0


def test_it_has_derivatives():
    g = grad(lambda loc: kl_divergence(dist.Normal(loc, 1.0), dist.Normal(0.0, 2.0)))(3.0)
    assert float(g) == 0.75


def test_certain_classes_do_not_give_nan():
    assert float(kl_divergence(dist.Categorical([1.0, 0.0]), dist.Categorical([0.5, 0.5]))) == pytest.approx(np.log(2))
    assert float(kl_divergence(dist.Bernoulli(0.0), dist.Bernoulli(0.5))) == pytest.approx(np.log(2))


def test_a_pair_without_a_rule_says_what_to_do():
    with pytest.raises(ChainruleError, match="kl_divergence.register"):
        kl_divergence(dist.Normal(), dist.Gamma(1.0))
