"""Hidden Markov models and Markov chains against the enumeration of all paths.

Random comparisons have a false-alarm rate of 1e-6 per element: |z| < 4.9.
"""
import itertools

import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

K, T, Z = 3, 5, 4.9
RNG = np.random.default_rng(0)
INITIAL = RNG.dirichlet(np.ones(K))
CONSTANT, CHANGING = RNG.dirichlet(np.ones(K), size=K), RNG.dirichlet(np.ones(K), size=(T - 1, K))
LOC, SCALE = np.array([-1.0, 0.0, 2.0]), 0.8
Y = RNG.normal(size=T)
PATHS = np.array(list(itertools.product(range(K), repeat=T)))
LEFT_TO_RIGHT = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])

both_transitions = pytest.mark.parametrize("transition", [CONSTANT, CHANGING], ids=["constant", "changing"])
both_ways = pytest.mark.parametrize("parallel", [False, True], ids=["sequence", "parallel"])


def path_log_prob(transition, initial=INITIAL):
    steps = np.broadcast_to(transition, (T - 1, K, K))
    with np.errstate(divide="ignore"):
        return np.log(initial[PATHS[:, 0]]) + sum(np.log(steps[t][PATHS[:, t], PATHS[:, t + 1]]) for t in range(T - 1))


def enumerated(transition, y=Y, initial=INITIAL):
    """log p(y), and the posterior probability of each path."""
    log_p = path_log_prob(transition, initial) + stats.norm(LOC[PATHS], SCALE).logpdf(y).sum(1)
    total = np.logaddexp.reduce(log_p)
    return total, np.exp(log_p - total)


def marginals(weights):
    return np.stack([[weights[PATHS[:, t] == i].sum() for i in range(K)] for t in range(T)])


def hmm(transition, parallel, **options):
    return dist.HiddenMarkovModel(INITIAL, transition, dist.Normal(LOC, SCALE), T, parallel, **options)


def within(got, want, n):
    assert np.all(np.abs(got - want) < Z * np.sqrt(want * (1 - want) / n) + 1e-9)


@both_transitions
@both_ways
def test_the_forward_sum_is_the_sum_over_all_paths(transition, parallel):
    d, (want, weights) = hmm(transition, parallel), enumerated(transition)
    assert float(d.log_prob(Y)) == pytest.approx(want, rel=1e-13)
    np.testing.assert_allclose(np.asarray(d.posterior_marginals(Y).probs), marginals(weights), rtol=1e-11)
    np.testing.assert_array_equal(np.asarray(d.posterior_mode(Y)), PATHS[weights.argmax()])
    np.testing.assert_allclose(np.asarray(d.filter(Y).probs)[-1], marginals(weights)[-1], rtol=1e-12)


@both_transitions
@both_ways
def test_posterior_draws_follow_the_posterior_of_pairs(transition, parallel):
    d, (_, weights) = hmm(transition, parallel), enumerated(transition)
    z, pairs = np.asarray(d.posterior_sample(random.key(0), Y, (3000,))), np.asarray(d.posterior_pairs(Y))
    within(np.stack([(z == i).mean(0) for i in range(K)], 1), marginals(weights), 3000)
    for t, i, j in itertools.product(range(T - 1), range(K), range(K)):
        pair = (PATHS[:, t] == i) & (PATHS[:, t + 1] == j)
        assert pairs[t, i, j] == pytest.approx(weights[pair].sum(), rel=1e-11)
        within(((z[:, t] == i) & (z[:, t + 1] == j)).mean(), weights[pair].sum(), 3000)


@both_ways
def test_many_series_go_through_at_once(parallel):
    d, many = hmm(CONSTANT, parallel), np.stack([Y, Y[::-1], Y + 1])
    for f in (d.log_prob, d.posterior_mode, lambda y: d.posterior_marginals(y).probs):
        np.testing.assert_allclose(np.asarray(f(many)), np.stack([np.asarray(f(y)) for y in many]), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(vmap(d.log_prob)(many)), np.asarray(d.log_prob(many)), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(jit(lambda d, y: d.log_prob(y))(d, many)), np.asarray(d.log_prob(many)))
    assert d.posterior_sample(random.key(0), many, (2,)).shape == (2, 3, T)


@both_ways
def test_batches_of_chains_have_axes_before_time(parallel):
    d = dist.HiddenMarkovModel(np.stack([INITIAL, INITIAL[::-1]]), np.stack([CONSTANT, CONSTANT])[:, None],
                               dist.Normal(np.stack([LOC, LOC])[:, None], SCALE), T, parallel)
    assert d.batch_shape == (2,) and d.sample(random.key(0), (3,)).shape == (3, 2, T) and d.mean.shape == (2, T)
    want = enumerated(CONSTANT)[0], enumerated(CONSTANT, initial=INITIAL[::-1])[0]
    np.testing.assert_allclose(np.asarray(d.log_prob(Y)), want, rtol=1e-13)
    assert d.posterior_mode(Y).shape == (2, T)


@both_ways
def test_observations_that_are_missing_do_not_count(parallel):
    seen = np.array([True, False, True, True, False])
    d = hmm(CONSTANT, parallel, mask=seen)
    y = np.where(seen, Y, np.nan)
    log_p = path_log_prob(CONSTANT) + stats.norm(LOC[PATHS], SCALE).logpdf(Y)[:, seen].sum(1)
    assert float(d.log_prob(y)) == pytest.approx(np.logaddexp.reduce(log_p), rel=1e-13)
    slope = grad(lambda loc: dist.HiddenMarkovModel(INITIAL, CONSTANT, dist.Normal(loc, SCALE), T, parallel,
                                                    mask=seen).log_prob(y))(LOC)
    assert np.all(np.isfinite(np.asarray(slope)))


@both_ways
@pytest.mark.parametrize("form", ["probs", "logits"])
def test_transitions_that_cannot_be_leave_values_and_derivatives_finite(parallel, form):
    first = np.array([1.0, 0.0, 0.0])
    with np.errstate(divide="ignore"):
        given = [p if form == "probs" else dist.Categorical(logits=np.log(p)) for p in (first, LEFT_TO_RIGHT)]
    d = dist.HiddenMarkovModel(*given, dist.Normal(LOC, SCALE), T, parallel)
    assert float(d.log_prob(Y)) == pytest.approx(enumerated(LEFT_TO_RIGHT, initial=first)[0], rel=1e-13)
    assert all(np.all(np.isfinite(np.asarray(g))) for g in tree.leaves(grad(lambda d: d.log_prob(Y))(d)))
    assert np.all(np.diff(np.asarray(d.posterior_mode(Y))) >= 0)


@both_ways
def test_far_observations_do_not_underflow(parallel):
    got = hmm(CONSTANT, parallel).log_prob(Y * 300)
    assert float(got) == pytest.approx(enumerated(CONSTANT, Y * 300)[0], rel=1e-13)


def test_observations_may_be_vectors_and_their_law_may_change_with_time():
    loc = RNG.normal(size=(T, K, 2))
    d = dist.HiddenMarkovModel(INITIAL, CONSTANT, dist.Normal(loc, SCALE).to_event(1), T)
    y = np.asarray(d.sample(random.key(1)))
    assert y.shape == (T, 2) == d.event_shape and d.mean.shape == d.variance.shape == (T, 2)
    each = stats.norm(loc, SCALE).logpdf(y[:, None]).sum(-1)
    log_p = path_log_prob(CONSTANT) + each[np.arange(T), PATHS].sum(1)
    assert float(d.log_prob(y)) == pytest.approx(np.logaddexp.reduce(log_p), rel=1e-13)


def test_one_step_is_a_mixture():
    for parallel in (False, True):
        d = dist.HiddenMarkovModel(INITIAL, CONSTANT, dist.Normal(LOC, SCALE), 1, parallel)
        want = np.log(INITIAL @ stats.norm(LOC, SCALE).pdf(0.3))
        assert float(d.log_prob([0.3])) == pytest.approx(want, rel=1e-13)
        assert d.posterior_mode([5.0]).tolist() == [2] and d.posterior_sample(random.key(0), [5.0]).shape == (1,)


def test_parameters_that_do_not_fit_are_named():
    with pytest.raises(ChainruleError, match=r"transition\[1\] is \[0.5, 0.6\]"):
        dist.HiddenMarkovModel([0.5, 0.5], [[0.5, 0.5], [0.5, 0.6]], dist.Normal([0.0, 1.0], 1.0), T)
    with pytest.raises(ChainruleError, match="initial has 2 states"):
        dist.HiddenMarkovModel([0.5, 0.5], CONSTANT, dist.Normal([0.0, 1.0], 1.0), T)
    with pytest.raises(ChainruleError, match="one for each state"):
        dist.HiddenMarkovModel(INITIAL, CONSTANT, dist.Normal([0.0, 1.0], 1.0), T)
    with pytest.raises(ChainruleError, match=r"5 steps along its time axis; got shape \(4,\)"):
        hmm(CONSTANT, False).log_prob(Y[:4])
    with pytest.raises(ChainruleError, match=r"5 steps along its time axis; got shape \(4,\)"):
        dist.DiscreteMarkovChain(INITIAL, CONSTANT, T).log_prob([0, 1, 0, 1])
    with pytest.raises(ChainruleError, match=r"3 steps along its time axis; got shape \(4,\)"):
        dist.MarkovChain(dist.Normal(0.0, 1.0), lambda x: dist.Normal(x, 1.0), 3).log_prob(np.zeros(4))
    with pytest.raises(ChainruleError, match="5 steps has 4 transitions"):
        dist.HiddenMarkovModel(INITIAL, CHANGING[:3], dist.Normal(LOC, 1.0), T)


# ---- chains without observations ----

@both_transitions
def test_a_chain_has_the_probabilities_of_its_paths(transition):
    d, log_p = dist.DiscreteMarkovChain(INITIAL, transition, T), path_log_prob(transition)
    np.testing.assert_allclose(np.asarray(d.log_prob(PATHS)), log_p, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(d.marginals()), marginals(np.exp(log_p)), rtol=1e-12)
    assert float(d.entropy()) == pytest.approx(-(np.exp(log_p) * log_p).sum(), rel=1e-13)
    x = np.asarray(d.sample(random.key(2), (3000,)))
    within(np.stack([(x == i).mean(0) for i in range(K)], 1), marginals(np.exp(log_p)), 3000)
    for t, i, j in itertools.product(range(T - 1), range(K), range(K)):
        pair = (PATHS[:, t] == i) & (PATHS[:, t + 1] == j)
        within(((x[:, t] == i) & (x[:, t + 1] == j)).mean(), np.exp(log_p[pair]).sum(), 3000)
    assert float(d.log_prob([0, 1, 3, 0, 0])) == -np.inf and d.is_discrete and d.event_shape == (T,)


def test_chains_with_batch_axes_and_the_stationary_distribution():
    d = dist.DiscreteMarkovChain(INITIAL, np.stack([CONSTANT, LEFT_TO_RIGHT])[:, None], T)
    assert d.batch_shape == (2,) and d.sample(random.key(0), (7,)).shape == (7, 2, T)
    np.testing.assert_allclose(np.asarray(d.log_prob(PATHS[:, None]))[:, 0], path_log_prob(CONSTANT), rtol=1e-13)
    pi = np.asarray(d.stationary())
    np.testing.assert_allclose(pi[0] @ CONSTANT, pi[0], rtol=1e-13)
    np.testing.assert_allclose(pi[1], [0.0, 0.0, 1.0], atol=1e-15)


def test_a_markov_chain_of_any_step_is_the_product_of_its_conditionals():
    drift = np.arange(3.0)
    d = dist.MarkovChain(dist.Normal(np.zeros(2), 1.0), lambda x, u, s: dist.Normal(0.5 * x + u, s), 4,
                         inputs=drift, args=(np.float64(0.7),))
    x = np.asarray(d.sample(random.key(0), (5,)))
    assert x.shape == (5, 2, 4) and d.batch_shape == (2,) and d.event_shape == (4,)
    want = stats.norm(0, 1).logpdf(x[..., 0]) + stats.norm(0.5 * x[..., :-1] + drift, 0.7).logpdf(x[..., 1:]).sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want, rtol=1e-13)
    slope = grad(lambda d: cnp.sum(d.log_prob(x)))(d).args[0]
    z = (x[..., 1:] - 0.5 * x[..., :-1] - drift) / 0.7
    assert float(slope) == pytest.approx(((z ** 2 - 1) / 0.7).sum(), rel=1e-12)


def test_a_markov_chain_of_counts_stays_one_of_integers():
    d = dist.MarkovChain(dist.Poisson(3.0), lambda x: dist.Poisson(1.0 + 0.5 * x), 6)
    x = np.asarray(d.sample(random.key(0), (4,)))
    assert x.dtype.kind == "i" and d.is_discrete
    want = stats.poisson(3.0).logpmf(x[:, 0]) + stats.poisson(1 + 0.5 * x[:, :-1]).logpmf(x[:, 1:]).sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want, rtol=1e-13)


def test_vectors_with_a_step_that_forgets():
    start, step = (dist.Normal(np.zeros(2), s).to_event(1) for s in (1.0, 2.0))
    d = dist.MarkovChain(start, lambda x: step, 3)
    x = np.asarray(d.sample(random.key(0), (5,)))
    assert x.shape == (5, 3, 2) and len(np.unique(x)) == 30
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), stats.norm(0, [[1.0], [2.0], [2.0]]).logpdf(x).sum((1, 2)))
