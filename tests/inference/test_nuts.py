"""The machine of NUTS: its integrator, its tree against a recursive one in NumPy, and what it leaves unchanged.

Random tests take fixed keys. Their thresholds are stated as false-alarm rates: the chance that another key would fail.
"""
import numpy as onp
import pytest
from scipy import stats

import chainrule.engine.numpy as np
from chainrule.engine import config, jacfwd, jit, make_jaxpr, random, value_and_grad, vmap
from chainrule.inference import adaptation, chain, nuts
from chainrule.inference.metrics import Diagonal
from chainrule.inference.nuts import Info, Params, Point
from tests.inference.targets import TARGETS, collect, runner, seed_of

BANANA, SKEWED = TARGETS["banana"], TARGETS["log gamma"]


def params(step_size, *inverse_mass):
    return Params(np.asarray(step_size), Diagonal(np.asarray(onp.array(inverse_mass))))


def machine(logdensity, q, p, step, forwards=True):
    """A machine in the middle of a transition, at (q, p)."""
    q, p = np.asarray(q), np.asarray(p)
    value, grad = value_and_grad(logdensity)(q)
    state = nuts.init(seed_of(0), q)
    return state._replace(starting=np.asarray(False), forwards=np.asarray(forwards), moving=Point(q, p, grad),
                          energy=nuts.kinetic(p, step) - value)


# ---- the integrator ----

def test_the_integrator_is_reversible():
    step = params(0.3, 0.5, 2.0)
    state = machine(BANANA.logdensity, [0.3, -0.7], [1.1, 0.4], step=step)
    there, _, _ = nuts.leapfrog(state, BANANA.logdensity, step)
    back = machine(BANANA.logdensity, there.q, there.p, forwards=False, step=step)
    again, _, _ = nuts.leapfrog(back, BANANA.logdensity, step)
    onp.testing.assert_allclose(onp.asarray(again.q), [0.3, -0.7], rtol=1e-14)
    onp.testing.assert_allclose(onp.asarray(again.p), [1.1, 0.4], rtol=1e-14)


def test_the_integrator_preserves_volume():
    step = params(0.3, 0.5, 2.0)

    def move(z):
        point, _, _ = nuts.leapfrog(machine(BANANA.logdensity, z[:2], z[2:], step=step), BANANA.logdensity, step)
        return np.concatenate([point.q, point.p])

    jacobian = onp.asarray(jacfwd(move)(np.asarray([0.3, -0.7, 1.1, 0.4])))
    assert abs(onp.linalg.det(jacobian) - 1.0) < 1e-13
    assert abs(jacobian - onp.eye(4)).max() > 0.1


def test_the_energy_error_falls_with_the_square_of_the_step_size():
    def error(n):
        step = params(1.0 / n, 1.0, 1.0)
        state = machine(BANANA.logdensity, [0.3, -0.7], [1.1, 0.4], step=step)
        for _ in range(n):
            point, _, delta = nuts.leapfrog(state, BANANA.logdensity, step)
            state = state._replace(moving=point)
        return float(delta)

    ratios = [error(n) / error(2 * n) for n in (16, 32)]
    assert abs(ratios[0] - 4) < 0.2 and abs(ratios[1] - 4) < 0.05


# ---- the tree, against recursion ----

class ReferenceTree:
    """One transition by recursion over balanced subtrees, in NumPy, with the machine's random numbers.

    Source: Hoffman & Gelman (2014), algorithm 3, with the multinomial weights and the criterion of Betancourt (2017).
    """

    def __init__(self, logdensity_and_grad, seed, number, step_size, inverse_mass, max_tree_depth):
        self.f, self.eps, self.inverse_mass = logdensity_and_grad, step_size, inverse_mass
        self.max_depth = max_tree_depth
        self.seed = random.hash_bits(seed, onp.uint64(number))

    def uniform(self, purpose, count):
        return float(random.hash_uniform(self.seed, onp.uint64(count) + purpose))

    def transition(self, q):
        value, grad = self.f(q)
        p = onp.asarray(random.hash_normal(self.seed, nuts._MOMENTUM, q.shape)) / onp.sqrt(self.inverse_mass)
        self.energy0 = self.energy(value, p)
        self.steps, self.accept, self.worst, self.diverging = 0, 0.0, 0.0, False
        start = (q, p, grad, value)
        left, right, proposal, log_weight, momenta = start, start, start, 0.0, [p]
        depth = 0
        while depth < self.max_depth:
            forwards = self.uniform(nuts._DIRECTION, depth) < 0.5
            self.chosen, self.sub_log_weight = None, -onp.inf
            leaves = self.subtree(right if forwards else left, self.eps if forwards else -self.eps, depth)
            u, depth = self.uniform(nuts._MERGE, depth), depth + 1
            if leaves is None:
                break
            left, right = (left, leaves[-1]) if forwards else (leaves[-1], right)
            if onp.log(u) < self.sub_log_weight - log_weight:
                proposal = self.chosen
            log_weight = onp.logaddexp(log_weight, self.sub_log_weight)
            momenta = momenta + [leaf[1] for leaf in leaves]
            if self.turns(left[1], right[1], momenta):
                break
        q, p, _, value = proposal
        return q, dict(logdensity=value, energy=self.energy(value, p), accept_prob=self.accept / self.steps,
                       num_steps=self.steps, tree_depth=depth, diverging=self.diverging, max_energy_error=self.worst)

    def energy(self, value, p):
        return 0.5 * (self.inverse_mass * p * p).sum() - value

    def subtree(self, end, eps, depth):
        """The leaves of a subtree in the order in which they are built, or None where it is thrown away."""
        if depth == 0:
            return self.leaf(end, eps)
        first = self.subtree(end, eps, depth - 1)
        second = first and self.subtree(first[-1], eps, depth - 1)
        if not second:
            return None
        leaves = first + second
        return None if self.turns(leaves[0][1], leaves[-1][1], [leaf[1] for leaf in leaves]) else leaves

    def leaf(self, end, eps):
        q, p, grad, _ = end
        p = p + 0.5 * eps * grad
        q = q + eps * self.inverse_mass * p
        value, grad = self.f(q)
        p = p + 0.5 * eps * grad
        delta = self.energy0 - self.energy(value, p)
        delta = delta if onp.isfinite(delta) else -onp.inf
        new = (q, p, grad, value)
        self.sub_log_weight = onp.logaddexp(self.sub_log_weight, delta)
        if onp.log(self.uniform(nuts._LEAF, self.steps)) < delta - self.sub_log_weight:
            self.chosen = new
        self.steps += 1
        self.accept += min(1.0, onp.exp(delta))
        self.worst = -delta if abs(delta) > abs(self.worst) else self.worst
        self.diverging = bool(delta < -1000.0)
        return None if self.diverging else [new]

    def turns(self, p_left, p_right, momenta):
        rho = self.inverse_mass * (sum(momenta) - 0.5 * (p_left + p_right))
        return p_left @ rho <= 0 or p_right @ rho <= 0


def cliff(q):
    """A funnel with a steep neck, where trajectories diverge."""
    return -0.5 * q[0] ** 2 / 9 - 0.5 * q[1] ** 2 * np.exp(-q[0]) - 0.5 * q[0]


def normal_gradient(precision):
    return lambda q: (-0.5 * q @ precision @ q, -precision @ q)


def cliff_gradient(q):
    v, x = q
    with onp.errstate(all="ignore"):
        return (-v * v / 18 - 0.5 * x * x * onp.exp(-v) - 0.5 * v,
                onp.array([-v / 9 + 0.5 * x * x * onp.exp(-v) - 0.5, -x * onp.exp(-v)]))


def banana_gradient(q):
    x, y = q
    r = (y - 0.5 * (x * x - 1)) / 0.7
    return -0.5 * x * x - 0.5 * r * r, onp.array([-x + r / 0.7 * x, -r / 0.7])


_PRECISION = onp.linalg.inv(onp.array([[1.0, 0.95, 0.0], [0.95, 1.0, 0.0], [0.0, 0.0, 25.0]]))
TREES = {
    "normal, small steps": (lambda q: -0.5 * np.sum(q * (_PRECISION @ q)), normal_gradient(_PRECISION), 0.11, 10,
                            [1.0, 1.0, 1.0]),
    "normal, other metric": (lambda q: -0.5 * np.sum(q * (_PRECISION @ q)), normal_gradient(_PRECISION), 0.3, 10,
                             [1.0, 0.7, 25.0]),
    "normal, depth limited": (lambda q: -0.5 * np.sum(q * (_PRECISION @ q)), normal_gradient(_PRECISION), 0.02, 3,
                              [1.0, 1.0, 1.0]),
    "banana": (BANANA.logdensity, banana_gradient, 0.35, 10, [1.0, 1.5]),
    "divergent": (cliff, cliff_gradient, 1.1, 10, [1.0, 1.0]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TREES)
def test_the_iterative_tree_is_the_recursive_one(name):
    logdensity, reference, step_size, depth, inverse_mass = TREES[name]
    inverse_mass, seed, d, n = onp.array(inverse_mass), seed_of(3), len(inverse_mass), 80
    metric = Diagonal(np.asarray(inverse_mass))
    start = chain.init(seed, d, 0, position=onp.full(d, 0.2), step_size=step_size, metric=metric,
                       max_tree_depth=depth)
    draws, infos, _ = collect(runner(logdensity, max_tree_depth=depth), start, n)
    where = onp.concatenate([onp.full((1, d), 0.2), draws])
    for i in range(n):                                  # each from the machine's own position: rounding does not add up
        q, facts = ReferenceTree(reference, seed, i, step_size, inverse_mass, depth).transition(where[i])
        got = {k: float(getattr(infos, k)[i]) for k in facts}
        for k in ("num_steps", "tree_depth", "diverging"):
            assert got[k] == facts[k], (i, k)
        onp.testing.assert_allclose(draws[i], q, rtol=1e-9, atol=1e-9)
        for k in ("logdensity", "energy", "accept_prob", "max_energy_error"):
            onp.testing.assert_allclose(got[k], facts[k], rtol=1e-6, atol=1e-7, err_msg=k)
    if name == "normal, small steps":                   # deep trees, and some that stop within a subtree
        assert infos.tree_depth.max() >= 5 and onp.any(onp.log2(infos.num_steps + 1) % 1 > 0)
    if name == "divergent":
        assert 5 < infos.diverging.sum() < 60
    if name == "normal, depth limited":
        assert infos.num_steps.max() == 7 and infos.tree_depth.max() == 3


# ---- what it leaves unchanged ----

@pytest.mark.parametrize("name, step_size", [("banana", 0.8), ("student t", 1.1), ("log gamma", 1.3), ("mixture", 1.5)])
def test_it_leaves_the_target_unchanged(name, step_size):
    """4,000 exact draws, five transitions each. False alarms: 2 · 10⁻⁴ a row at 3.7 sd, 10⁻⁴ a KS test."""
    target, n, k = TARGETS[name], 4000, 5
    x = target.sample(onp.random.default_rng(7), n)
    seeds = random.hash_bits(seed_of(1), np.arange(n).astype(onp.uint64))

    def run(seed, q):
        start = chain.init(seed, target.dims, 0, position=q, step_size=step_size)
        return chain.run(start, target.logdensity, onp.asarray(k), onp.asarray(10_000), size=k)

    out = jit(vmap(run))(seeds, x)
    assert onp.all(onp.asarray(out.count) == k)
    y = onp.asarray(out.draws)[:, -1]
    infos = Info(*onp.moveaxis(onp.asarray(out.infos), -1, 0))
    assert 0.5 < infos.accept_prob.mean() < 0.97 and onp.mean(onp.any(y != x, -1)) > 0.9
    for label, statistic, expectation, _ in target.moments:
        after = onp.asarray(statistic(y), float)
        change = after - statistic(x)                   # paired: mean zero if the target is left unchanged
        for z in (change.mean() / change.std(), (after.mean() - expectation) / after.std()):
            assert abs(z) * n ** 0.5 < 3.7, label
    for i in range(target.dims):
        assert stats.ks_2samp(y[:, i], target.sample(onp.random.default_rng(8), 20_000)[:, i]).pvalue > 1e-4


def test_the_momenta_are_independent_normals():
    """Of all transitions and chains. False alarms: 10⁻⁴ the KS test, 6 · 10⁻⁵ each correlation at 4 sd."""
    draw = lambda s, i: random.hash_normal(nuts._transition_seed(s, i), nuts._MOMENTUM, (3,))
    seeds = np.stack([seed_of(c) for c in range(50)])
    z = onp.asarray(vmap(lambda s: vmap(lambda i: draw(s, i))(np.arange(400)))(seeds))    # [chain, transition, 3]
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-4
    assert len(onp.unique(z)) == z.size
    for a, b in ((z[1:], z[:-1]), (z[:, 1:], z[:, :-1]), (z[..., 1:], z[..., :-1]), (z[:, 1:, 1:], z[:, :-1, :-1])):
        assert abs((a * b).mean()) * a.size ** 0.5 < 4


# ---- one gradient site ----

def test_the_log_density_is_traced_once_and_stands_once_in_the_program():
    calls = []

    def logdensity(q):
        calls.append(1)
        return -np.sum(np.arctan(q) ** 2)               # in no other part of the program

    start = chain.init(seed_of(0), 2, 100)
    run = lambda c: chain.run(c, logdensity, onp.asarray(100), onp.asarray(1000), size=10)
    jaxpr = make_jaxpr(run)(start)
    assert len(calls) == 1
    assert names(jaxpr).count("arctan") == 1


def names(jaxpr):
    """The primitives of a program and of those inside of it."""
    inner = [j for e in jaxpr.eqns for j in e.prim.programs(e.params)]
    return [e.prim.name for e in jaxpr.eqns] + [n for j in inner for n in names(j)]


# ---- starts, divergences, limits, dtypes ----

def half_line(q):
    """Finite for q > 1.5 alone: one start in eight."""
    return np.sum(np.log(q - 1.5) - q)


def test_a_start_point_is_drawn_again_until_the_density_is_finite():
    run, tries = runner(half_line), []
    for c in range(8):
        draws, _, end = collect(run, chain.init(seed_of(c), 1, 0, step_size=0.5), 20)
        assert onp.all(draws > 1.5)
        tries.append(int(end.machine.tries))
    assert min(tries) >= 1 and 3 < onp.mean(tries) < 20 and not onp.asarray(nuts.failed(end.machine))


def test_a_start_point_needs_a_finite_gradient():
    run = runner(lambda q: np.sum(np.where(q > 1.0, -q, -np.sqrt(abs(q) * 0.0) - 1.0)))
    draws, _, end = collect(run, chain.init(seed_of(0), 1, 0, step_size=0.1), 3)
    assert onp.all(onp.isfinite(draws))


@pytest.mark.parametrize("value", [onp.nan, -onp.inf, onp.inf])
def test_without_a_finite_start_the_machine_stops_and_says_so(value):
    run = runner(lambda q: np.sum(q) * 0.0 + value)
    chunk = run(chain.init(seed_of(0), 2, 10), onp.asarray(10), onp.asarray(10_000))
    assert bool(nuts.failed(chunk.chain.machine))
    assert int(chunk.gradients) == nuts.MAX_TRIES and int(chunk.count) == 0
    chunk = run(chain.init(seed_of(0), 2, 10, position=onp.ones(2)), onp.asarray(10), onp.asarray(10_000))
    assert bool(nuts.failed(chunk.chain.machine)) and int(chunk.gradients) == 1


def test_a_given_start_is_where_the_chain_begins():
    start = chain.init(seed_of(0), 2, 0, position=[0.25, 0.5])
    chunk = runner(BANANA.logdensity)(start, onp.asarray(5), onp.asarray(1))
    assert onp.asarray(chunk.chain.machine.position).tolist() == [0.25, 0.5]
    assert int(chunk.chain.machine.transition) == 0


def test_divergences_are_flagged():
    draws, infos, _ = collect(runner(cliff), chain.init(seed_of(2), 2, 0, step_size=1.5), 500)
    assert infos.diverging.sum() > 5
    assert onp.array_equal(infos.diverging == 1, infos.max_energy_error > nuts.MAX_ENERGY_ERROR)


def test_an_infinite_density_diverges_and_is_never_accepted():
    draws, infos, _ = collect(runner(lambda q: np.sum(np.where(q > 0.5, np.inf, -0.5 * q * q))),
                              chain.init(seed_of(2), 1, 0, position=[0.0], step_size=0.3), 300)
    assert onp.all(draws <= 0.5) and infos.diverging.mean() > 0.3


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_depth_is_limited(depth):
    start = chain.init(seed_of(0), 2, 0, step_size=1e-3, max_tree_depth=depth)
    _, infos, _ = collect(runner(BANANA.logdensity, max_tree_depth=depth), start, 30)
    assert set(infos.num_steps) == {2.0 ** depth - 1} and set(infos.tree_depth) == {float(depth)}


def test_float32():
    with config(default_float="float32"):
        start = chain.init(seed_of(0), 2, 300)
        chunk = runner(BANANA.logdensity)(start, onp.asarray(10), onp.asarray(1000))
        assert onp.asarray(chunk.draws).dtype == onp.asarray(chunk.infos).dtype == onp.float32
        assert chunk.chain.adaptation.params.step_size.dtype == onp.float32
        draws, infos, _ = collect(runner(BANANA.logdensity), start, 2300)
    assert abs(draws[300:, 0].mean()) < 0.15 and abs(draws[300:, 1].var() - 0.99) < 0.3
    assert 0.7 < infos.accept_prob[300:].mean() < 0.98


def test_the_adaptation_starts_where_it_is_told():
    a = adaptation.init(2, 0.3, 100, 0.8, Diagonal(np.array([2.0, 3.0])))
    assert float(a.params.step_size) == 0.3 and onp.asarray(a.params.metric.variance).tolist() == [2.0, 3.0]
