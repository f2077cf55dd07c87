"""Warm-up: Stan's schedule, dual averaging, running variances."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import jit, stats
from chainrule.inference import adaptation, chain, diagnostics
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


def windows_seen(n, **options):
    """The windows, from the draws that make each metric: draw t is at t², so the variance tells them apart."""
    update = jit(adaptation.update)
    state = adaptation.init(1, 1.0, n, 0.8, **options)
    out, begin = [], None
    for t in range(1, n + 20):
        before = state
        state = update(state, onp.asarray(t), np.asarray([float(t) ** 2]), np.asarray(0.8))
        if begin is None and float(state.welford.count) > float(before.welford.count):
            begin = t
        if not onp.array_equal(onp.asarray(state.params.inverse_mass), onp.asarray(before.params.inverse_mass)):
            begin = t if begin is None else begin
            x = onp.arange(begin, t + 1, dtype=float) ** 2
            k = len(x)
            expected = k / (k + 5) * x.var(ddof=1) + 1e-3 * 5 / (k + 5)
            onp.testing.assert_allclose(onp.asarray(state.params.inverse_mass), expected, rtol=1e-9)
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


def test_the_schedule_is_data():
    update = jit(adaptation.update)
    args = onp.asarray(1), np.asarray([0.5]), np.asarray(0.8)
    update(adaptation.init(1, 1.0, 1000, 0.8), *args)
    before = stats()
    for n in (0, 19, 100, 2000):
        update(adaptation.init(1, 0.1, n, 0.9, onp.ones(1), adapt_step=n > 50, adapt_metric=n > 50), *args)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)


def test_without_adapt_metric_the_metric_stays():
    seen, state = windows_seen(300, inverse_mass=onp.array([3.0]), adapt_metric=False)
    assert seen == [] and float(state.params.inverse_mass[0]) == 3.0 and float(state.params.step_size) != 1.0


def test_without_adapt_step_the_step_size_stays():
    seen, state = windows_seen(300, adapt_step=False)
    assert seen == stan_windows(300) and float(state.params.step_size) == 1.0


def test_after_warm_up_nothing_changes():
    state = adaptation.init(2, 0.3, 10, 0.8)
    again = adaptation.update(state, onp.asarray(11), np.ones(2), np.asarray(0.1))
    assert all(onp.array_equal(onp.asarray(a), onp.asarray(b)) for a, b in zip(state.params, again.params))
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


@pytest.mark.parametrize("target, start", [(0.8, 1e-4), (0.8, 50.0), (0.95, 1.0)])
def test_the_step_size_brings_the_acceptance_aimed_at(target, start):
    """Over 1,000 transitions of 20 chains. The last 50 of warm-up settle the step size, by a mean of its logarithms:
    the acceptance of one chain has standard deviation 0.02 around 0.87 where 0.8 is the aim. False-alarm rate 1e-8."""
    accepted = []
    for number in range(20):
        begin = chain.init(seed_of(number), 20, 1000, step_size=start, target_accept_prob=target)
        _, infos, _ = collect(RUN_20, begin, 2000)
        assert len(set(infos.step_size[1000:])) == 1
        accepted.append(infos.accept_prob[1000:].mean())
    assert -0.02 < onp.mean(accepted) - target < 0.1


RUN_20 = runner(TARGETS["normal, 20 correlated"].logdensity)


def test_welford_is_the_variance():
    x = onp.random.default_rng(0).normal(size=(30, 4)) * [1, 1e-3, 1e3, 1] + [0, 0, 0, 1e6]
    state = adaptation.welford(4)
    for row in x:
        state = adaptation.update_welford(state, np.asarray(row))
    onp.testing.assert_allclose(onp.asarray(state.mean), x.mean(0), rtol=1e-12)
    onp.testing.assert_allclose(onp.asarray(state.squares) / 29, x.var(0, ddof=1), rtol=1e-9)
    onp.testing.assert_allclose(onp.asarray(adaptation.regularized_variance(state)),
                                30 / 35 * x.var(0, ddof=1) + 1e-3 * 5 / 35, rtol=1e-9)


def test_the_metric_comes_near_the_variances():
    """From 500 draws of the last window, whose ESS is above 100: the sd of a log-variance is below 0.15."""
    target = TARGETS["normal, scales 0.01 to 100"]
    draws, infos, end = collect(runner(target.logdensity), chain.init(seed_of(0), target.dims, 1000), 2000)
    variances = onp.logspace(-2, 2, 9) ** 2
    log_ratio = onp.log(onp.asarray(end.adaptation.params.inverse_mass) / variances)
    assert abs(log_ratio[2:]).max() < 0.7 and onp.all(log_ratio[:2] > -0.7)      # the smallest are drawn up
    assert diagnostics.ess_bulk(draws[None, 1000:]).min() > 200
    assert infos.num_steps[1000:].mean() < 16


@pytest.mark.parametrize("n", [0, 1, 5, 19, 20, 151])
def test_every_length_of_warm_up_runs(n):
    draws, infos, _ = collect(RUN_20, chain.init(seed_of(4), 20, n, step_size=0.3), n + 30)
    assert len(draws) == n + 30 and onp.all(onp.isfinite(draws)) and onp.all(onp.isfinite(infos.step_size))
    if n == 0:
        assert set(infos.step_size) == {0.3}
