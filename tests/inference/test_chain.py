"""A chain in chunks, on densities whose moments are known."""
import numpy as onp
import pytest

from chainrule.engine import jit, stats, vmap
from chainrule.engine.tree import leaves
from chainrule.engine.tree import map as tree_map
from chainrule.inference import chain, diagnostics
from chainrule.inference.nuts import Info
from tests.inference.targets import TARGETS, collect, runner, seed_of, z_score


@pytest.mark.parametrize("name", TARGETS)
def test_moments(name):
    """Four chains of 2,000 draws. False alarms: 7 · 10⁻⁶ a moment (4.5 sd)."""
    target = TARGETS[name]
    run, draws = runner(target.logdensity), []
    for c in range(4):
        x, infos, _ = collect(run, chain.init(seed_of(c), target.dims, 1000, target_accept_prob=0.9), 3000)
        draws.append(x[1000:])
        assert infos.diverging[1000:].mean() < 0.01 and 0.85 < infos.accept_prob[1000:].mean() < 0.98
    draws = onp.stack(draws)
    assert diagnostics.rhat(draws).max() < 1.01
    for label, statistic, expectation, error in target.moments:
        assert abs(z_score(statistic(draws), expectation, error)) < 4.5, label


BANANA = runner(TARGETS["banana"].logdensity, size=64)


def start(number=0, num_warmup=150):
    return chain.init(seed_of(number), 2, num_warmup)


@pytest.mark.parametrize("max_gradients", [1, 7])
def test_the_draws_do_not_depend_on_how_the_run_is_cut(max_gradients):
    whole = collect(BANANA, start(), 250, 1000)
    cut = collect(BANANA, start(), 250, max_gradients)
    assert onp.array_equal(whole[0], cut[0])
    assert all(onp.array_equal(a, b) for a, b in zip(whole[1], cut[1]))
    assert all(onp.array_equal(onp.asarray(a), onp.asarray(b), equal_nan=True)
               for a, b in zip(leaves(whole[2]), leaves(cut[2])))


def test_nor_on_the_size_of_the_buffer():
    a, _, _ = collect(runner(TARGETS["banana"].logdensity, size=5), start(), 250)
    assert onp.array_equal(a, collect(BANANA, start(), 250)[0])


def test_a_chunk_keeps_to_its_limits():
    chunk = BANANA(start(), onp.asarray(10), onp.asarray(100_000))
    assert int(chunk.count) == int(chunk.chain.machine.transition) == 10
    chunk = BANANA(chunk.chain, onp.asarray(1000), onp.asarray(13))
    assert int(chunk.gradients) == 13
    chunk = BANANA(chunk.chain, onp.asarray(1000), onp.asarray(100_000))
    assert int(chunk.count) == 64 and int(chunk.gradients) >= 64
    done = BANANA(chunk.chain, onp.asarray(5), onp.asarray(100))
    assert int(done.count) == int(done.gradients) == 0


def test_the_gradients_are_the_leapfrog_steps_and_the_looks_at_a_start():
    current, gradients, steps = start(), 0, 0
    while int(current.machine.transition) < 200:
        chunk = BANANA(current, onp.asarray(200), onp.asarray(50))
        current, k = chunk.chain, int(chunk.count)
        gradients += int(chunk.gradients)
        steps += Info(*onp.asarray(chunk.infos)[:k].T).num_steps.sum()
    assert gradients == steps + int(current.machine.tries)


def test_another_length_of_warm_up_compiles_nothing():
    collect(BANANA, start(), 20)
    before = stats()
    collect(BANANA, start(1, num_warmup=20), 40)
    collect(BANANA, start(2, num_warmup=0), 30)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)


def test_chains_side_by_side_agree_with_chains_alone():
    """Up to rounding, which grows: the first ten transitions."""
    logdensity = TARGETS["normal, 2 correlated"].logdensity
    alone = runner(logdensity, size=10)
    starts = [chain.init(seed_of(c), 2, 0, step_size=0.3) for c in range(5)]
    stacked = tree_map(lambda *xs: onp.stack([onp.asarray(x) for x in xs]), *starts)
    run = lambda c: chain.run(c, logdensity, onp.asarray(10), onp.asarray(10_000), size=10)
    together = jit(vmap(run))(stacked)
    for c in range(5):
        draws, infos, _ = collect(alone, starts[c], 10)
        onp.testing.assert_allclose(onp.asarray(together.draws)[c], draws, rtol=1e-6, atol=1e-8)
        assert onp.array_equal(Info(*onp.asarray(together.infos)[c].T).num_steps, infos.num_steps)
