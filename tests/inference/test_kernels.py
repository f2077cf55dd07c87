"""The kernels beside NUTS: what they leave unchanged, their moments, their facts, and how their chains start.

Random tests take fixed keys. Their thresholds are stated as false-alarm rates: the chance that another key would fail.
"""
import inspect

import numpy as onp
import pytest
from scipy import stats

import chainrule.engine.numpy as np
from chainrule.engine import config, jit, make_jaxpr, random, scan, vmap
from chainrule.engine.errors import ShapeError
from chainrule.inference import (
    aies,
    base,
    chees,
    chunks,
    diagnostics,
    elliptical_slice,
    ensembles,
    hmc,
    mclmc,
    metrics,
    slices,
    stepwise,
)
from tests.inference.kernel_rows import BANANA, ROWS, SKEWED, params, seeds
from tests.inference.targets import TARGETS, seed_of, z_score
from tests.inference.test_nuts import half_line, names

pytestmark = pytest.mark.slow

NO_LIMIT = onp.asarray(2 ** 60)
SINGLE = [name for name, row in ROWS.items() if not row.ensemble]
TOGETHER = [name for name, row in ROWS.items() if row.ensemble]


def start(row, dims, warmup, number=0, n=None):
    """A chain, n chains side by side, or an ensemble of n."""
    adapted = row.adaptation(dims, warmup)
    if row.ensemble:
        members = [ensembles.member(seed, num_dims=dims) for seed in seeds(n or row.chains, number)]
        return ensembles.init(row.method.move, members, adapted)
    one = lambda seed: stepwise.init(row.method.move, seed, adapted, num_dims=dims)
    return one(seed_of(number)) if n is None else vmap(one)(seeds(n, number))


def sample(row, target, warmup, draws, n):
    """float[n, draws, d] and the facts, {name: [n, draws]}: n chains, one after the other, or an ensemble."""
    run = jit(lambda chain: chunks.run(row.method, chain, target.logdensity, onp.asarray(warmup + draws), NO_LIMIT,
                                       size=draws, skip=warmup))
    if row.ensemble:
        out = run(start(row, target.dims, warmup, n=n))
        x, facts = onp.asarray(out.draws), onp.asarray(out.infos)
    else:
        done = [run(start(row, target.dims, warmup, number=c)) for c in range(n)]
        x, facts = onp.stack([onp.asarray(out.draws) for out in done]), onp.stack([onp.asarray(o.infos) for o in done])
    return x, {k: facts[..., i] for i, k in enumerate(row.method.fields)}


CASES = [pytest.param(name, target, marks=[] if i < 2 else pytest.mark.slow, id=f"{name}: {target}")
         for name, row in ROWS.items() for i, target in enumerate(row.targets)]


@pytest.mark.parametrize("name, target", CASES)
def test_moments(name, target):
    """Chains from random starts, warm-up included. False alarms: 7 · 10⁻⁶ a moment (4.5 sd)."""
    row, target = ROWS[name], TARGETS[target]
    x, facts = sample(row, target, row.warmup, row.draws, row.chains)
    assert diagnostics.rhat(x).max() < (1.02 if row.ensemble else 1.01)
    for label, statistic, expectation, error in target.moments:
        assert abs(z_score(statistic(x), expectation, error)) < 4.5, label
    assert onp.all(onp.isfinite(facts["logdensity"]))
    assert all(onp.all((p >= 0) & (p <= 1)) for k, p in facts.items() if k == "accept_prob")


@pytest.mark.parametrize("name, low, high", [("rwm", 0.21, 0.26), ("mala", 0.54, 0.61), ("barker", 0.36, 0.43),
                                             ("hmc", 0.85, 0.91)])
def test_warm_up_finds_the_acceptance_probability(name, low, high):
    """On 2 correlated normals. Of thirty other sets of seeds, none came nearer than 0.007 to the bounds of the mean, or
    0.03 to that of a chain. The mean of a log step size gives trajectories more than the 0.8 that they aim at.
    """
    row = ROWS[name]
    _, facts = sample(row, TARGETS["normal, 2 correlated"], row.warmup, 1000, 16)
    mean = facts["accept_prob"].mean(1)
    assert low < mean.mean() < high and onp.all(abs(mean - mean.mean()) < 0.11)


# ---- what they leave unchanged ----

def steps(row, key, x, logdensity, k):
    """The position and the mean of each fact after k steps from x."""
    def body(state, key):
        state, info = row.step(key, state, logdensity)
        return state, info
    state, infos = scan(body, row.kernel.init(x, logdensity), random.split(key, k))
    return state.position, infos


@pytest.mark.parametrize("name", ROWS)
def test_it_leaves_the_target_unchanged(name):
    """4,000 exact draws of the banana, or 400 ensembles of ten, five steps each.

    False alarms: 2 · 10⁻⁴ a row at 3.7 sd, 10⁻⁴ a KS test. An ensemble's walkers are independent before and after.
    """
    row, target, n, k = ROWS[name], TARGETS[BANANA], 4000, 5
    x = target.sample(onp.random.default_rng(7), n)
    groups = x.reshape(-1, 10, 2) if row.ensemble else x
    run = lambda key, x: steps(row, key, x, target.logdensity, k)
    y, infos = jit(vmap(run))(random.split(random.key(3), len(groups)), groups)
    y = onp.asarray(y).reshape(n, 2)
    assert onp.mean(onp.any(y != x, -1)) > 0.7
    for label, statistic, expectation, _ in target.moments:
        after = onp.asarray(statistic(y), float)
        change = after - statistic(x)                   # paired: mean zero if the target is left unchanged
        for z in (change.mean() / change.std(), (after.mean() - expectation) / after.std()):
            assert abs(z) * n ** 0.5 < 3.7, label
    for i in range(2):
        assert stats.ks_2samp(y[:, i], target.sample(onp.random.default_rng(8), 20_000)[:, i]).pvalue > 1e-4


@pytest.mark.parametrize("name, step_size, num_steps", [(SKEWED, 1.5, 2), ("student t", 1.8, 3)])
def test_a_choice_from_a_whole_trajectory_leaves_the_target_unchanged(name, step_size, num_steps):
    """At steps so large that the points of a trajectory differ in weight. False alarms: 7 · 10⁻⁶ a row at 4.5 sd."""
    target, n = TARGETS[name], 100_000
    x = target.sample(onp.random.default_rng(7), n)

    def one(key, x):
        state = hmc.init(x, target.logdensity)
        for k in range(3):
            state, info = hmc.step(random.fold_in(key, k), state, target.logdensity, params(x, step_size),
                                   num_steps=num_steps, multinomial=True)
        return state.position, info.accept_prob

    y, accept_prob = jit(vmap(one))(random.split(random.key(3), n), x)
    assert onp.asarray(accept_prob).mean() < 0.7
    for label, statistic, _, _ in target.moments:
        change = onp.asarray(statistic(onp.asarray(y)), float) - statistic(x)
        assert abs(change.mean()) < 4.5 * change.std() / n ** 0.5, label


def test_the_bias_of_mclmc_falls_with_its_energy_variance():
    """E x² of 20 normals, of which exact draws have the mean 1: known to 0.2 %. False alarms: 6 · 10⁻⁵ at 4 sd."""
    d, n = 20, 64
    normal = lambda x: -0.5 * np.sum(x * x)

    def mean_square(eps):
        p = mclmc.Params(np.asarray(eps), np.asarray(d ** 0.5), metrics.Diagonal(np.ones(d)))
        body = lambda s, key: (lambda s, info: (s, (np.mean(s.position ** 2), info.energy_variance)))(
            *mclmc.step(key, s, normal, p, num_steps=round(6 / eps)))
        run = lambda key, x: scan(body, mclmc.init(x, normal), random.split(key, 400))[1]
        square, variance = jit(vmap(run))(random.split(random.key(1), n), random.normal(random.key(2), (n, d)))
        square = onp.asarray(square)[:, 20:].mean(1)
        return square.mean(), square.std() / n ** 0.5, float(onp.mean(onp.asarray(variance)))

    coarse, fine = mean_square(6.0), mean_square(1.0)
    assert coarse[2] > 100 * fine[2]
    assert coarse[0] - 1 > 0.05 > 0.005 > abs(fine[0] - 1) - 4 * fine[1]


# ---- form ----

@pytest.mark.parametrize("name", ROWS)
def test_a_kernel_is_init_and_step_over_named_tuples(name):
    kernel = ROWS[name].kernel
    assert list(inspect.signature(kernel.init).parameters)[:2] == ["position", "logdensity_fn"]
    others = [getattr(kernel, f) for f in ("hit_and_run", "adjusted_step") if hasattr(kernel, f)]
    for step in (kernel.step, *others):
        assert list(inspect.signature(step).parameters)[:4] == ["key", "state", "logdensity_fn", "params"]
    assert kernel.State._fields[:2] == ("position", "logdensity") and kernel.Info._fields[0] == "logdensity"


@pytest.mark.parametrize("name", ROWS)
def test_the_log_density_is_traced_once_and_stands_once_in_a_step_and_in_a_chain(name):
    row, calls = ROWS[name], []

    def logdensity(x):
        calls.append(1)
        return -np.sum(np.arctan(x) ** 2)               # in no other part of the program

    chain = start(row, 2, 100, n=8 if row.ensemble else None)
    jaxpr = make_jaxpr(lambda c: chunks.run(row.method, c, logdensity, onp.asarray(9), NO_LIMIT, size=4))(chain)
    assert len(calls) == 1 and names(jaxpr).count("arctan") == 1
    state = row.method.move.blank(np.zeros((8, 2) if row.ensemble else 2))
    jaxpr = make_jaxpr(lambda s: row.step(random.key(0), s, logdensity))(state)
    assert len(calls) == 2 and names(jaxpr).count("arctan") == 1


@pytest.mark.parametrize("name", ["hmc, multinomial", "barker", "rwm", "slices", "mclmc, adjusted",
                                  "walkers, difference", "chees"])
def test_a_position_may_be_any_tree(name):
    row, n = ROWS[name], 8
    flat = lambda x: -0.5 * np.sum((x - onp.array([1.0, 0.0, -1.0])) ** 2 * onp.array([1.0, 2.0, 0.5]))
    tree = lambda p: flat(np.concatenate([p["a"], np.reshape(p["b"][0], (1,))]))
    x = random.normal(random.key(5), (n, 3)) if row.ensemble else np.array([0.5, -0.5, 0.2])
    split = {"a": x[..., :2], "b": [x[..., 2]]}
    p = params(np.zeros(3), 0.5)
    p = {"aies": aies.params_of(3), "chees": chees.Params(p.step_size, np.asarray(2.0), p.metric),
         "mclmc": mclmc.Params(p.step_size, np.asarray(1.0), p.metric)}.get(row.kernel.__name__.split(".")[-1], p)
    step = mclmc.adjusted_step if "adjusted" in name else row.kernel.step
    options = {"num_steps": 3} if row.kernel in (hmc, mclmc) else {}
    options |= {"multinomial": True} if "multinomial" in name else {}
    a, b = row.kernel.init(x, flat), row.kernel.init(split, tree)
    for i in range(3):
        a, info = step(random.key(i), a, flat, p, **options)
        b, same = step(random.key(i), b, tree, p, **options)
        assert b.position["a"].shape == x[..., :2].shape and b.position["b"][0].shape == x[..., 2].shape
        together = onp.concatenate([onp.asarray(b.position["a"]), onp.asarray(b.position["b"][0])[..., None]], -1)
        onp.testing.assert_allclose(together, onp.asarray(a.position), rtol=1e-12)
        for u, v in zip(info, same):
            onp.testing.assert_allclose(onp.asarray(u, float), onp.asarray(v, float), rtol=1e-9, atol=1e-12)
    assert onp.any(onp.asarray(a.position) != onp.asarray(x))


# ---- facts ----

@pytest.mark.parametrize("name", ROWS)
def test_the_facts_of_a_step_are_those_of_its_state(name):
    row, target = ROWS[name], TARGETS[BANANA]
    x = target.sample(onp.random.default_rng(1), 200)
    groups = x.reshape(-1, 10, 2) if row.ensemble else x

    def one(key, x):
        state, info = row.step(key, row.kernel.init(x, target.logdensity), target.logdensity)
        again = vmap(target.logdensity)(state.position) if row.ensemble else target.logdensity(state.position)
        return state, info, again
    state, info, again = jit(vmap(one))(random.split(random.key(3), len(groups)), groups)
    facts = {k: onp.asarray(v) for k, v in info._asdict().items()}
    onp.testing.assert_allclose(facts["logdensity"], onp.asarray(again), rtol=1e-9, atol=1e-12)
    assert onp.array_equal(facts["logdensity"], onp.asarray(state.logdensity))
    moved = onp.any(onp.asarray(state.position) != groups, -1)
    if "accepted" in facts:
        assert onp.array_equal(facts["accepted"], moved) and 0.1 < moved.mean() < 0.95
        assert abs(moved.mean() - facts["accept_prob"].mean()) < 4.5 * (moved.var() / moved.size) ** 0.5
    if "energy" in facts:
        assert onp.all(facts["energy"] >= -facts["logdensity"])
    if "num_steps" in facts:
        assert onp.all(facts["num_steps"] >= 1)


def test_a_trajectory_of_hmc_is_the_leapfrog_integrators():
    """The end, the energy error and the probability, against NumPy."""
    target, eps, inverse_mass, n = TARGETS[BANANA], 0.4, onp.array([0.5, 2.0]), 5
    p = hmc.Params(np.asarray(eps), metrics.Diagonal(np.asarray(inverse_mass)))
    gradient = lambda q: onp.asarray(hmc.init(q, target.logdensity).grad)
    density = lambda q: float(target.logdensity(q))
    moved = 0
    for i in range(6):
        q0 = onp.array([0.3, -0.4])
        state, info = hmc.step(random.key(i), hmc.init(q0, target.logdensity), target.logdensity, p, num_steps=n)
        momentum = onp.asarray(base.normal(base.seed_of(random.key(i)), 0, np.zeros(2))) / onp.sqrt(inverse_mass)
        kinetic = lambda r: 0.5 * onp.sum(inverse_mass * r * r)
        q, r, errors, before = q0, momentum, [], kinetic(momentum) - density(q0)
        for _ in range(n):
            r = r + 0.5 * eps * gradient(q)
            q = q + eps * inverse_mass * r
            r = r + 0.5 * eps * gradient(q)
            errors.append(kinetic(r) - density(q) - before)
        onp.testing.assert_allclose(float(info.accept_prob), min(1.0, onp.exp(-errors[-1])), rtol=1e-9)
        onp.testing.assert_allclose(float(info.max_energy_error), errors[onp.argmax(onp.abs(errors))], rtol=1e-8)
        if onp.any(onp.asarray(state.position) != q0):
            moved += 1
            onp.testing.assert_allclose(onp.asarray(state.position), q, rtol=1e-10)
            onp.testing.assert_allclose(float(info.energy), kinetic(r) - density(q), rtol=1e-9)
    assert moved > 2


def test_halton_numbers():
    assert [float(chees.halton(i)) for i in range(1, 8)] == [0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875]


def test_the_slope_of_the_criterion_is_its_derivative_in_the_logarithm_of_time():
    """One long trajectory by small steps, of which the criterion is differenced in time."""
    target, n = TARGETS[BANANA], 6
    x = target.sample(onp.random.default_rng(3), n)
    p = lambda time: chees.Params(np.asarray(2e-3), np.asarray(2.0 * time), metrics.Diagonal(np.ones(2)))

    def criterion(end, center):                            # the mean of the ends counts as known
        square = lambda q, center: onp.sum((q - center) ** 2, -1)
        return onp.mean((square(end, center) - square(x, x.mean(0))) ** 2) / 4

    key, state = random.key(4), chees.init(np.asarray(x), target.logdensity)
    run = jit(lambda s, p: chees.step(key, s, target.logdensity, p))

    def end(time):
        new, info = run(state, p(time))
        assert float(onp.min(onp.asarray(info.accept_prob))) > 0.99 and onp.all(onp.asarray(new.position) != x)
        return onp.asarray(new.position), int(info.num_steps), float(info.slope)

    before, now, after = end(0.997), end(0.999), end(1.001)          # of the first Halton number, ½: half the length
    assert (before[1], now[1], after[1]) == (499, 500, 501)
    center = now[0].mean(0)
    difference = (criterion(after[0], center) - criterion(before[0], center)) / 0.004
    onp.testing.assert_allclose(now[2], difference, rtol=0.01)


def test_a_normal_posterior_of_ellipses_is_that_of_its_prior_and_likelihood():
    """Correlated prior, one observation: the exact mean and covariance. False alarms: 7 · 10⁻⁶ each."""
    prior = onp.array([[1.0, 0.8], [0.8, 2.0]])
    p = elliptical_slice.params_of(np.array([1.0, -1.0]), np.asarray(prior))
    likelihood = lambda x: -0.5 * (x[0] - 2.0) ** 2 / 0.25

    def chain(key):
        body = lambda s, k: (lambda s, info: (s, s.position))(*elliptical_slice.step(k, s, likelihood, p))
        return scan(body, elliptical_slice.init(np.zeros(2), likelihood), random.split(key, 4000))[1]
    x = onp.asarray(jit(vmap(chain))(random.split(random.key(0), 8)))[:, 100:]
    gain = prior[:, 0] / (prior[0, 0] + 0.25)
    mean, covariance = onp.array([1.0, -1.0]) + gain, prior - onp.outer(gain, prior[0])
    for i in range(2):
        assert abs(z_score(x[..., i], mean[i])) < 4.5
        for j in range(i + 1):
            assert abs(z_score((x[..., i] - mean[i]) * (x[..., j] - mean[j]), covariance[i, j])) < 4.5


# ---- starts, cuts, mistakes ----

@pytest.mark.parametrize("name", ["hmc", "rwm", "slices", "ellipses", "mclmc", "walkers, difference", "ensemble slices",
                                  "chees"])
def test_a_start_is_drawn_again_until_the_density_is_finite(name):
    row = ROWS[name]
    d = 2 if name == "mclmc" else 1
    chain = start(row, d, 0, n=6)
    half_plane = lambda q: half_line(q[:1]) - 0.5 * np.sum(q[1:] ** 2)
    run = lambda c: chunks.run(row.method, c, half_plane, onp.asarray(3), NO_LIMIT, size=3)
    out = jit(run if row.ensemble else vmap(run))(chain)
    assert onp.all(onp.asarray(out.draws)[..., 0] > 1.5) and onp.all(onp.asarray(out.count) == 3)
    assert onp.asarray(out.chain.tries).min() >= 1 and onp.asarray(out.chain.tries).mean() > 2


@pytest.mark.parametrize("value", [onp.nan, -onp.inf, onp.inf])
@pytest.mark.parametrize("name", ["hmc", "rwm", "slices", "ellipses", "mclmc", "walkers, difference", "chees"])
def test_without_a_finite_start_the_chain_stops_and_says_so(name, value):
    row = ROWS[name]
    chain = start(row, 2, 10, n=4 if row.ensemble else None)
    chain = row.method.restart_member(chain, onp.ones(2), 0) if row.ensemble else row.method.restart(chain, onp.ones(2))
    out = jit(lambda c: chunks.run(row.method, c, lambda x: np.sum(x) * 0.0 + value, onp.asarray(5), NO_LIMIT, size=5))(
        chain)
    failed = onp.asarray(row.method.failed(out.chain)).tolist()
    assert onp.all(onp.asarray(out.count) == 0) and failed == ([True, False, False, False] if row.ensemble else True)
    assert onp.array_equal(onp.asarray(row.method.looked_at(out.chain)).reshape(-1, 2)[0], [1.0, 1.0])


@pytest.mark.parametrize("name", ["hmc", "mclmc", "walkers, stretch", "ensemble slices", "chees"])
def test_the_draws_do_not_depend_on_how_the_run_is_cut(name):
    row, target = ROWS[name], TARGETS[BANANA]
    run = jit(lambda c, m: chunks.run(row.method, c, target.logdensity, onp.asarray(60), m, size=60))

    def cut(limit):
        chain, pieces = start(row, 2, 40, n=8 if row.ensemble else None), []
        while int(row.method.transition(chain)) < 60:
            out = run(chain, onp.asarray(limit))
            chain, count = out.chain, int(onp.max(onp.asarray(out.count)))
            pieces.append(onp.asarray(out.draws)[..., :count, :])
        return onp.concatenate(pieces, -2)
    assert onp.array_equal(cut(10 ** 6), cut(11))


def test_divergences_of_hmc_are_flagged_and_not_accepted():
    p, f = params(np.zeros(1), 30.0), TARGETS[SKEWED].logdensity
    state, info = hmc.step(random.key(0), hmc.init(np.ones(1), f), f, p, num_steps=3)
    assert bool(info.diverging) and float(info.accept_prob) == 0.0 and state.position.tolist() == [1.0]


def test_a_slice_without_an_end_stops_stepping_out():
    """On a flat density: at most max_steps widths, and evaluations."""
    p, flat = params(np.zeros(1), 1.0), lambda x: np.sum(x) * 0.0
    run = lambda key: slices.step(key, slices.init(np.zeros(1), flat), flat, p, max_steps=5)
    state, info = jit(vmap(run))(random.split(random.key(0), 500))
    x = onp.asarray(state.position) / 0.8 ** 0.5
    assert onp.abs(x).max() < 5 and onp.abs(x).max() > 3 and onp.all(onp.asarray(info.num_steps) <= 7)
    assert onp.std(onp.asarray(info.num_steps)) == 0


@pytest.mark.parametrize("name", ["hmc", "rwm", "slices", "mclmc", "walkers, stretch", "chees"])
def test_float32(name):
    row, target = ROWS[name], TARGETS[BANANA]
    with config(default_float="float32"):
        chain = start(row, 2, 300, n=16 if row.ensemble else None)
        out = jit(lambda c: chunks.run(row.method, c, target.logdensity, onp.asarray(3300), NO_LIMIT, size=3000,
                                       skip=300))(chain)
        assert onp.asarray(out.draws).dtype == onp.asarray(out.infos).dtype == onp.float32
    x = onp.asarray(out.draws).reshape(-1, 2)
    assert abs(x[:, 0].mean()) < 0.35 and abs(x[:, 1].var() - 0.99) < 0.6       # five standard errors of the slowest


@pytest.mark.parametrize("n", [3, 2, 5])
def test_an_ensemble_is_even(n):
    with pytest.raises(ShapeError, match=rf"an even number of them, four or more; its leaves have shapes .*{n}, 2"):
        aies.init(np.zeros((n, 2)), TARGETS[BANANA].logdensity)


def test_one_dimension_is_too_few_for_mclmc():
    with pytest.raises(ShapeError, match="two dimensions or more; the position has 1"):
        mclmc.init(np.zeros(1), TARGETS[SKEWED].logdensity)
