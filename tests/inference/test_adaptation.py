"""Warm-up: Stan's schedule, dual averaging, running variances."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import jit, stats
from chainrule.engine.tree import leaves
from chainrule.inference import adaptation, chain, diagnostics, windows
from chainrule.inference.metrics import Diagonal
from chainrule.inference.running import running
from tests.inference.targets import TARGETS, collect, runner, seed_of


def stan_windows(n):
    """[(first, last)] of the slow windows, transitions counted from 1: Stan's rule, kept to windows that grow.

    Source: Stan reference manual, automatic parameter tuning; the stretching of the first window is NumPyro's.
    """
    if n < 20:
        return []
    fast, slow, last = 75, 25, 50
    if fast + slow + last > n:
        fast, last = int(0.15 * n), int(0.1 * n)
        slow = n - fast - last
    out, begin, end = [], fast, n - last
    while begin < end:
        if begin + slow + 2 * slow > end:
            slow = end - begin
        out.append((begin + 1, begin + slow))
        begin, slow = begin + slow, 2 * slow
    return out


def ones(d):
    return Diagonal(np.ones(d))


def draw(position, accept_prob, grad=None, diverging=False):
    position, accept = np.asarray(position), np.asarray(accept_prob)
    grad = np.zeros_like(position) if grad is None else np.asarray(grad)
    return chain.Draw(position, grad, accept, accept, np.asarray(diverging))


def windows_seen(n, **options):
    """The windows, from the draws that make each metric: draw t is at t², so the variance tells them apart."""
    update = jit(adaptation.update)
    state = adaptation.init(1, 1.0, n, 0.8, options.pop("metric", ones(1)), method="stan", **options)
    out, begin = [], None
    for t in range(1, n + 20):
        before = state
        state = update(state, onp.asarray(t), draw([float(t) ** 2], 0.8))
        if begin is None and float(state.estimator.draws.count) > float(before.estimator.draws.count):
            begin = t
        if not onp.array_equal(onp.asarray(state.params.metric.variance), onp.asarray(before.params.metric.variance)):
            begin = t if begin is None else begin
            x = onp.arange(begin, t + 1, dtype=float) ** 2
            k = len(x)
            expected = k / (k + 5) * x.var(ddof=1) + 1e-3 * 5 / (k + 5)
            onp.testing.assert_allclose(onp.asarray(state.params.metric.variance), expected, rtol=1e-9)
            out.append((begin, t))
            begin = None
    return out, state


@pytest.mark.parametrize("n", [0, 5, 19, 20, 100, 149, 150, 151, 174, 200, 500, 1000, 2000])
def test_the_windows_are_stans(n):
    seen, _ = windows_seen(n)
    assert seen == stan_windows(n)
    sizes = [b - a + 1 for a, b in seen]
    assert sizes == sorted(sizes) and all(k >= 15 for k in sizes)


def test_the_windows_of_the_manual():
    assert stan_windows(1000) == [(76, 100), (101, 150), (151, 250), (251, 450), (451, 950)]
    assert stan_windows(150) == [(76, 100)] and stan_windows(100) == [(16, 90)] and stan_windows(20) == [(4, 18)]


@pytest.mark.parametrize("method", adaptation.ESTIMATORS)
def test_the_schedule_is_data(method):
    update = jit(adaptation.update)
    args = onp.asarray(1), draw([0.5], 0.8)
    update(adaptation.init(1, 1.0, 1000, 0.8, method=method), *args)
    before = stats()
    for n in (0, 19, 100, 2000):
        update(adaptation.init(1, 0.1, n, 0.9, ones(1), method=method, adapt_step=n > 50, adapt_metric=n > 50), *args)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)


def test_without_adapt_metric_the_metric_stays():
    seen, state = windows_seen(300, metric=Diagonal(np.array([3.0])), adapt_metric=False)
    assert seen == [] and float(state.params.metric.variance[0]) == 3.0 and float(state.params.step_size) != 1.0


def test_without_adapt_step_the_step_size_stays():
    seen, state = windows_seen(300, adapt_step=False)
    assert seen == stan_windows(300) and float(state.params.step_size) == 1.0


def test_after_warm_up_nothing_changes():
    for method in adaptation.ESTIMATORS:
        state = adaptation.init(2, 0.3, 10, 0.8, method=method)
        again = adaptation.update(state, onp.asarray(11), draw(onp.ones(2), 0.1))
        same = zip(leaves(state), leaves(again))
        assert all(onp.array_equal(onp.asarray(a), onp.asarray(b), equal_nan=True) for a, b in same)
    assert float(again.dual.count) == 0.0


def test_dual_averaging_is_the_papers():
    """Hoffman & Gelman (2014), algorithm 5, as a loop."""
    accept = onp.random.default_rng(0).random(50)
    mu, error, average = onp.log(10 * 0.4), 0.0, 0.0
    state = adaptation.dual_averaging(np.asarray(0.4))
    for t, a in enumerate(accept, 1):
        error = (1 - 1 / (t + 10)) * error + (0.8 - a) / (t + 10)
        log_step = mu - t ** 0.5 / 0.05 * error
        average = t ** -0.75 * log_step + (1 - t ** -0.75) * average
        state = adaptation.update_dual(state, np.asarray(a), np.asarray(0.8))
    onp.testing.assert_allclose([float(state.log_step), float(state.log_average)], [log_step, average], rtol=1e-12)


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_dual_averaging_finds_the_step_size_whose_acceptance_is_aimed_at(target):
    """Where acceptances are uniform around exp(-ε): ε = -log(target)."""
    noise, state = onp.random.default_rng(3).uniform(-0.05, 0.05, 2000), adaptation.dual_averaging(np.asarray(0.01))
    update = jit(adaptation.update_dual)
    for u in noise:
        accept = onp.exp(-onp.exp(float(state.log_step))) + u
        state = update(state, np.asarray(accept), np.asarray(target))
    assert abs(onp.exp(-onp.exp(float(state.log_average))) - target) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("method", adaptation.ESTIMATORS)
@pytest.mark.parametrize("target, start", [(0.8, 1e-4), (0.8, 50.0), (0.95, 1.0)])
def test_the_step_size_brings_the_acceptance_aimed_at(method, target, start):
    """Over 1,000 transitions of 20 chains. Stan's last 50 of warm-up are few: the acceptance of one chain has standard
    deviation 0.02 around 0.87 where 0.8 is the aim, else 0.01 around the aim. False-alarm rate 1e-8."""
    accepted = []
    for number in range(20):
        begin = chain.init(seed_of(number), 20, 1000, step_size=start, target_accept_prob=target,
                           metric=ones(20), method=method, rank=2 * (method == "low_rank"))
        _, infos, _ = collect(RUN_20, begin, 2000)
        assert len(set(infos.step_size[1000:])) == 1
        accepted.append(infos.accept_prob[1000:].mean())
    assert -0.02 < onp.mean(accepted) - target < (0.1 if method == "stan" else 0.02)


RUN_20 = runner(TARGETS["normal, 20 correlated"].logdensity)


@pytest.mark.parametrize("dense", [False, True])
def test_running_covariances(dense):
    x = onp.random.default_rng(0).normal(size=(30, 4)) * [1, 1e-3, 1e3, 1] + [0, 0, 0, 1e6]
    state = running(4, dense)
    for row in x:
        state = state.add(np.asarray(row))
    expected = onp.cov(x.T) if dense else x.var(0, ddof=1)
    onp.testing.assert_allclose(onp.asarray(state.mean), x.mean(0), rtol=1e-12)
    onp.testing.assert_allclose(onp.asarray(state.covariance()), expected, rtol=1e-9, atol=1e-9)
    metric = windows.regularized(state, np.ones((4, 4), bool), None if dense else ones(4))
    got = metric.covariance if dense else metric.variance
    ridge = 1e-3 * 5 / 35 * (onp.eye(4) if dense else 1.0)
    onp.testing.assert_allclose(onp.asarray(got), 30 / 35 * expected + ridge, rtol=1e-9, atol=1e-9)


def test_the_metric_comes_near_the_variances():
    """From 500 draws of the last window, whose ESS is above 100: the sd of a log-variance is below 0.15."""
    target = TARGETS["normal, scales 0.01 to 100"]
    begin = chain.init(seed_of(0), target.dims, 1000, metric=ones(target.dims), method="stan")
    draws, infos, end = collect(runner(target.logdensity), begin, 2000)
    variances = onp.logspace(-2, 2, 9) ** 2
    log_ratio = onp.log(onp.asarray(end.adaptation.params.metric.variance) / variances)
    assert abs(log_ratio[2:]).max() < 0.7 and onp.all(log_ratio[:2] > -0.7)      # the smallest are drawn up
    assert diagnostics.ess_bulk(draws[None, 1000:]).min() > 200
    assert infos.num_steps[1000:].mean() < 16


def test_the_fisher_metric_of_a_normal_target_is_exact():
    """√(Var x / Var g) with g = -x / variance is the variance, whatever the draws."""
    variances, rng = onp.logspace(-3, 3, 7), onp.random.default_rng(1)
    state, update = adaptation.init(7, 1.0, 200, 0.8), jit(adaptation.update)
    state = adaptation.start(state, np.asarray(-onp.ones(7) / variances))
    onp.testing.assert_allclose(onp.asarray(state.params.metric.variance), variances, rtol=1e-12)
    for t in range(1, 171):
        x = rng.normal(size=7)                           # not the target's draws
        state = update(state, onp.asarray(t), draw(x, 0.8, -x / variances))
        onp.testing.assert_allclose(onp.asarray(state.params.metric.variance), variances, rtol=1e-9)
    after = update(state, onp.asarray(171), draw(onp.full(7, 9.0), 0.8, onp.zeros(7)))
    onp.testing.assert_array_equal(after.params.metric.variance, state.params.metric.variance)      # the last 15 %


def test_the_fisher_windows_move_on():
    """Draw t has position t² and score t: the variances tell which draws the estimate is made of."""
    state, update, begins = adaptation.init(1, 1.0, 400, 0.8), jit(adaptation.update), []
    for t in range(1, 341):
        state = update(state, onp.asarray(t), draw([float(t) ** 2], 0.8, [float(t)], diverging=t == 5))
        n = int(float(state.estimator.near_draws.count))
        first = t + 1 - n - (1 if t >= 5 and t + 1 - n <= 5 else 0)
        x = onp.array([u for u in range(first, t + 1) if u != 5], float)
        assert len(x) == n
        if n >= 3:
            expected = onp.sqrt((x ** 2).var(ddof=1) / x.var(ddof=1))
            onp.testing.assert_allclose(float(state.params.metric.variance[0]), expected, rtol=1e-9)
        begins.append(first)
    sizes = onp.arange(1, 341) - onp.array(begins) + 1
    assert sizes[20:118].max() <= 22 and sizes[230:].min() >= 80 and len(set(begins)) > 10


def test_divergent_draws_do_not_count():
    state = adaptation.init(1, 1.0, 100, 0.8)
    for t in range(1, 5):
        state = adaptation.update(state, onp.asarray(t), draw([1.0 * t], 0.0, [1.0], diverging=True))
    assert float(state.estimator.near_draws.count) == 0


def test_the_fisher_metric_comes_near_the_variances_sooner():
    """On normal targets after 100 draws of warm-up, where Stan's windows are far from them yet."""
    target = TARGETS["normal, scales 0.01 to 100"]
    draws, infos, end = collect(runner(target.logdensity), chain.init(seed_of(0), target.dims, 100), 600)
    log_ratio = onp.log(onp.asarray(end.adaptation.params.metric.variance) / onp.logspace(-2, 2, 9) ** 2)
    assert abs(log_ratio).max() < 1e-6
    assert infos.num_steps[100:].mean() < 8


@pytest.mark.parametrize("n", [0, 1, 5, 19, 20, 151])
def test_every_length_of_warm_up_runs(n):
    draws, infos, _ = collect(RUN_20, chain.init(seed_of(4), 20, n, step_size=0.3), n + 30)
    assert len(draws) == n + 30 and onp.all(onp.isfinite(draws)) and onp.all(onp.isfinite(infos.step_size))
    if n == 0:
        assert set(infos.step_size) == {0.3}
