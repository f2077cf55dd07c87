"""Optimisers against loops written in NumPy from the papers; chains, masks, schedules, classes, counts."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import jit, scan, stats, tree, vmap
from chainrule.inference import optim

STEPS = 6
RNG = onp.random.default_rng(0)
START = {"w": RNG.normal(size=(3, 4)), "b": RNG.normal(size=4), "c": onp.asarray(0.7)}
GRADIENTS = [{k: RNG.normal(size=x.shape) * 3.0 for k, x in START.items()} for _ in range(STEPS)]


def one_by_one(rule):
    """Parameters after all steps, each by `rule`, a generator that takes gradients and gives new parameters."""
    out = {}
    for k, x in START.items():
        run = rule(x.copy())
        next(run)
        for g in GRADIENTS:
            x = run.send(g[k])
        out[k] = x
    return out


def by_updates(optimiser):
    """The same by an optimiser, compiled as one loop."""
    def step(carry, g):
        params, state = carry
        updates, state = optimiser.update(g, state, params)
        return (optim.apply_updates(params, updates), state), None

    @jit
    def run(params, gradients):
        return scan(step, (params, optimiser.init(params)), gradients)[0][0]

    stacked = {k: onp.stack([g[k] for g in GRADIENTS]) for k in START}
    return run({k: np.asarray(x) for k, x in START.items()}, stacked)


def sgd(rate=0.1, mass=0.0, nesterov=False):
    def rule(x):
        v = onp.zeros_like(x)
        while True:
            g = yield x
            v = g + mass * v
            x = x - rate * (g + mass * v if nesterov else v)
    return rule


def adam(rate=0.1, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, clip=onp.inf, eps_root=0.0):
    def rule(x):
        m = v = onp.zeros_like(x)
        t = 0
        while True:
            g = onp.clip((yield x), -clip, clip)
            t += 1
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g ** 2
            root = onp.sqrt(v / (1 - b2 ** t) + eps_root)
            x = x - rate * (m / (1 - b1 ** t) / (root + eps) + decay * x)
    return rule


def nadam(rate=0.1, b1=0.9, b2=0.999, eps=1e-8):
    def rule(x):
        m = v = onp.zeros_like(x)
        t = 0
        while True:
            g = yield x
            t += 1
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g ** 2
            top = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1 ** t)
            x = x - rate * top / (onp.sqrt(v / (1 - b2 ** t)) + eps)
    return rule


def adagrad(rate=0.1, start=0.1, eps=1e-7, momentum=0.0):
    def rule(x):
        s, m = onp.full_like(x, start), onp.zeros_like(x)
        while True:
            g = yield x
            s = s + g * g
            m = momentum * m + (1 - momentum) * g / onp.sqrt(s + eps)
            x = x - rate * m
    return rule


def rmsprop(rate=0.1, decay=0.9, eps=1e-8, momentum=0.0, centred=False):
    def rule(x):
        v = m = u = onp.zeros_like(x)
        while True:
            g = yield x
            v, m = decay * v + (1 - decay) * g ** 2, decay * m + (1 - decay) * g
            u = momentum * u + rate * g / onp.sqrt(v - centred * m ** 2 + eps)
            x = x - u
    return rule


def lion(rate=0.1, b1=0.9, b2=0.99, decay=1e-3):
    def rule(x):
        m = onp.zeros_like(x)
        while True:
            g = yield x
            x = x - rate * (onp.sign(b1 * m + (1 - b1) * g) + decay * x)
            m = b2 * m + (1 - b2) * g
    return rule


def sm3(rate=0.1, momentum=0.9, eps=1e-8):
    """SM3-II of the paper, the cover being the rows of each axis, element by element."""
    def rule(x):
        rows = [onp.zeros(n) for n in x.shape] or [onp.zeros(1)]
        m = onp.zeros_like(x)
        while True:
            g = yield x
            new, s = [onp.zeros_like(r) for r in rows], onp.zeros_like(x)
            for i in onp.ndindex(*x.shape):
                places = i or (0,)
                s[i] = min(r[j] for r, j in zip(rows, places)) + g[i] ** 2
                for r, j in zip(new, places):
                    r[j] = max(r[j], s[i])
            rows, m = new, momentum * m + (1 - momentum) * g / onp.sqrt(s + eps)
            x = x - rate * m
    return rule


def adafactor(rate=0.1, factored=True, threshold=1.0, relative=True, momentum=0.0, decay=0.0):
    """Algorithm 4 (matrices) or the unfactored form, with relative step sizes or plain ones, momentum and decay."""
    def rule(x):
        r = c = v = m = 0.0
        t = 0
        while True:
            g = yield x
            t += 1
            beta, square = 1 - t ** -0.8, g ** 2 + 1e-30
            if factored and x.ndim == 2:
                r, c = beta * r + (1 - beta) * square.sum(1), beta * c + (1 - beta) * square.sum(0)
                v = onp.outer(r, c) / r.sum()
            else:
                v = beta * v + (1 - beta) * square
            u = g / onp.sqrt(v)
            u = u / max(1.0, onp.sqrt(onp.mean(u ** 2)) / threshold)
            u = (max(1e-3, onp.sqrt(onp.mean(x ** 2))) if relative else 1.0) * rate * u
            m = momentum * m + (1 - momentum) * u
            x = x - m - decay * x
    return rule


def averaged(rate=0.1, decay=0.8, debias=True):
    def rule(x):
        m, t = onp.zeros_like(x), 0
        while True:
            g = yield x
            t += 1
            m = decay * m + (1 - decay) * g
            x = x - rate * m / (1 - decay ** t if debias else 1.0)
    return rule


def plain(change, rate=0.1):
    """x ← x - rate · change(g, x)"""
    def rule(x):
        while True:
            g = yield x
            x = x - rate * change(g, x)
    return rule


def size(x):
    return onp.sqrt(onp.mean(x ** 2))


RULES = {
    "sgd": (optim.sgd(0.1), sgd()),
    "sgd, momentum": (optim.sgd(0.1, 0.8), sgd(mass=0.8)),
    "momentum, Nesterov": (optim.momentum(0.1, 0.8, True), sgd(mass=0.8, nesterov=True)),
    "adam": (optim.adam(0.1), adam()),
    "adam, Nesterov": (optim.adam(0.1, nesterov=True), nadam()),
    "adamw": (optim.adamw(0.1, weight_decay=0.05), adam(decay=0.05)),
    "clipped adam": (optim.chain(optim.clip(1.0), optim.adam(0.1)), adam(clip=1.0)),
    "adagrad": (optim.adagrad(0.1), adagrad()),
    "rmsprop": (optim.rmsprop(0.1), rmsprop()),
    "rmsprop, momentum": (optim.rmsprop(0.1, momentum=0.7), rmsprop(momentum=0.7)),
    "rmsprop, centred": (optim.rmsprop(0.1, centered=True), rmsprop(centred=True)),
    "lion": (optim.lion(0.1), lion()),
    "sm3": (optim.sm3(0.1), sm3()),
    "adafactor": (optim.adafactor(0.1, min_dim_size_to_factor=2), adafactor()),
    "adafactor, not factored": (optim.adafactor(0.1), adafactor(factored=False)),
    "adafactor, momentum and decay": (
        optim.adafactor(0.1, min_dim_size_to_factor=2, multiply_by_parameter_scale=False, momentum=0.9,
                        weight_decay_rate=0.01), adafactor(relative=False, momentum=0.9, decay=0.01)),
    "adam, eps under the root": (optim.adam(0.1, eps_root=0.3), adam(eps_root=0.3)),
    "sgd with weights in the loss": (optim.chain(optim.add_decayed_weights(0.05), optim.sgd(0.1)),
                                     plain(lambda g, x: g + 0.05 * x)),
    "means": (optim.chain(optim.ema(0.8), optim.scale(-0.1)), averaged()),
    "means, as they are": (optim.chain(optim.ema(0.8, debias=False), optim.scale(-0.1)), averaged(debias=False)),
    "clipped arrays": (optim.chain(optim.clip_by_block_rms(1.5), optim.sgd(0.1)),
                       plain(lambda g, x: g / max(1.0, size(g) / 1.5))),
    "steps of the parameters' size": (optim.chain(optim.scale_by_param_block_rms(0.2), optim.sgd(0.1)),
                                      plain(lambda g, x: g * max(size(x), 0.2))),
}

CLASSES = {
    "SGD": (optim.SGD(0.1), sgd()),
    "Momentum": (optim.Momentum(0.1, 0.8), sgd(mass=0.8)),
    "Adam": (optim.Adam(0.1, 0.8, 0.99, 1e-6), adam(0.1, 0.8, 0.99, 1e-6)),
    "ClippedAdam": (optim.ClippedAdam(0.1, clip_norm=1.5), adam(clip=1.5)),
    "Adagrad": (optim.Adagrad(0.1), adagrad(start=0.0, eps=0.0, momentum=0.9)),
    "RMSProp": (optim.RMSProp(0.1, 0.8), rmsprop(decay=0.8)),
    "RMSPropMomentum": (optim.RMSPropMomentum(0.1, momentum=0.7), rmsprop(momentum=0.7)),
    "SM3": (optim.SM3(0.1), sm3(eps=0.0)),
    "of a transformation": (optim.optax_to_numpyro(optim.lion(0.1)), lion()),
}


def assert_close(a, b):
    for k in START:
        onp.testing.assert_allclose(a[k], b[k], rtol=1e-9, atol=1e-12, err_msg=k)


@pytest.mark.parametrize("name", RULES)
def test_updates_are_the_papers(name):
    optimiser, rule = RULES[name]
    assert_close(by_updates(optimiser), one_by_one(rule))


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_the_same_updates(name):
    optimiser, rule = CLASSES[name]
    state = optimiser.init(START)
    for g in GRADIENTS:
        state = optimiser.update({k: np.asarray(x) for k, x in g.items()}, state)
    assert int(state[0]) == STEPS
    assert_close(optimiser.get_params(state), one_by_one(rule))


def test_bias_correction_of_rmsprop_makes_the_first_step_a_sign():
    optimiser = optim.rmsprop(0.1, eps=0.0, bias_correction=True)
    g = np.asarray([3.0, -0.01])
    updates, _ = optimiser.update(g, optimiser.init(g))
    onp.testing.assert_allclose(updates, [-0.1, 0.1], rtol=1e-12)


def test_clipping_by_norm():
    g = {"a": np.asarray([3.0, 0.0]), "b": np.asarray(4.0)}
    clip = optim.clip_by_global_norm(2.5)
    out, _ = clip.update(g, clip.init(g))
    onp.testing.assert_allclose([*out["a"], out["b"]], [1.5, 0.0, 2.0])
    same, _ = optim.clip_by_global_norm(6.0).update(g, ())
    assert same["a"].tolist() == [3.0, 0.0] and float(same["b"]) == 4.0
    zero, _ = clip.update({"a": np.zeros(2)}, ())
    assert zero["a"].tolist() == [0.0, 0.0]


def test_a_mask_keeps_the_others_and_their_memory_out():
    mask = {"w": True, "b": False, "c": False}
    optimiser = optim.masked(optim.adam(0.1), mask)
    state = optimiser.init(START)
    g = {k: np.asarray(x) for k, x in GRADIENTS[0].items()}
    updates, state = optimiser.update(g, state, START)
    assert len(state.inner_state[0].mu) == 1
    onp.testing.assert_array_equal(updates["b"], g["b"])
    onp.testing.assert_allclose(START["w"] + onp.asarray(updates["w"]), next_of(adam(), "w"), rtol=1e-9)
    decayed = optim.add_decayed_weights(0.5, lambda p: {k: k == "b" for k in p}).update(g, optim.masked(
        optim.identity(), mask).init(START), START)[0]
    onp.testing.assert_allclose(decayed["b"], g["b"] + 0.5 * START["b"])
    onp.testing.assert_array_equal(decayed["w"], g["w"])


def test_decay_spares_what_the_mask_says():
    matrices = lambda params: {k: np.ndim(x) > 1 for k, x in params.items()}
    decayed, spared = one_by_one(adam(decay=0.05)), one_by_one(adam())
    assert_close(by_updates(optim.adamw(0.1, weight_decay=0.05, mask=matrices)), {**spared, "w": decayed["w"]})
    decayed, spared = one_by_one(lion(decay=0.05)), one_by_one(lion(decay=0.0))
    assert_close(by_updates(optim.lion(0.1, weight_decay=0.05, mask={"w": False, "b": True, "c": True})),
                 {**decayed, "w": spared["w"]})


def next_of(rule, k):
    run = rule(START[k].copy())
    next(run)
    return run.send(GRADIENTS[0][k])


def test_partition_gives_each_label_its_own():
    labels = {"w": "adam", "b": "slow", "c": "stay"}
    optimiser = optim.partition({"adam": optim.adam(0.1), "slow": optim.sgd(0.01), "stay": optim.set_to_zero()}, labels)
    found = by_updates(optimiser)
    expected = {"w": one_by_one(adam())["w"], "b": one_by_one(sgd(0.01))["b"], "c": START["c"]}
    assert_close(found, expected)
    with pytest.raises(ValueError, match="label 'slow' has no transformation; there are 'adam'"):
        optim.partition({"adam": optim.adam(0.1)}, labels).init(START)


def test_numbers_in_the_state_can_be_replaced_and_scheduled():
    optimiser = optim.inject_hyperparams(optim.adam)(learning_rate=lambda n: 0.1 / (n + 1.0), b1=0.8)
    params = {k: np.asarray(x) for k, x in START.items()}
    state = optimiser.init(params)
    assert set(state.hyperparams) == {"learning_rate", "b1", "b2", "eps", "eps_root"}
    g = {k: np.asarray(x) for k, x in GRADIENTS[0].items()}
    step = jit(optimiser.update)
    _, state = step(g, state, params)
    before = stats()
    updates, state = step(g, state._replace(hyperparams={**state.hyperparams, "b1": np.asarray(0.8)}), params)
    assert stats().compilations == before.compilations
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(0.05)
    first = optim.adam(0.05, 0.8)
    _, s = first.update(g, first.init(params), params)
    expected, _ = first.update(g, s, params)
    onp.testing.assert_allclose(updates["w"], expected["w"], rtol=1e-12)


def test_updates_that_are_not_finite_are_left_out():
    optimiser = optim.apply_if_finite(optim.sgd(0.1), 1)
    x = np.asarray([1.0, 2.0])
    state = optimiser.init(x)
    bad = np.asarray([np.nan, 1.0])
    updates, state = optimiser.update(bad, state)
    assert updates.tolist() == [0.0, 0.0] and int(state.total_notfinite) == 1
    updates, state = optimiser.update(x, state)
    assert updates.tolist() == [-0.1, -0.2] and int(state.notfinite_count) == 0
    _, state = optimiser.update(bad, state)
    updates, state = optimiser.update(bad, state)                     # two in a row: the fault shows
    assert onp.isnan(updates[0]) and int(state.total_notfinite) == 3


def test_stable_updates_keep_the_state():
    optimiser = optim.Adam(0.1)
    state = optimiser.init({"w": 0.0})
    loss = lambda p: (np.log(p["w"]), None)                          # -inf at 0, and so is its gradient
    (value, _), new = optimiser.eval_and_stable_update(loss, state)
    assert not onp.isfinite(value) and int(new[0]) == 0 and float(optimiser.get_params(new)["w"]) == 0.0
    (value, aux), new = optimiser.eval_and_stable_update(lambda p: ((p["w"] - 1.0) ** 2, 7.0), state)
    assert float(value) == 1.0 and aux == 7.0 and float(optimiser.get_params(new)["w"]) == pytest.approx(0.1)


def test_gradients_forward_are_those_backward():
    optimiser = optim.SGD(0.1)
    state = optimiser.init(START)
    loss = lambda p: (np.sum(np.sin(p["w"]) @ p["b"]) * p["c"], p["c"])
    for step in (optimiser.eval_and_update, optimiser.eval_and_stable_update):
        (a, aux), there = step(loss, state, forward_mode_differentiation=True)
        (b, _), back = step(loss, state)
        assert float(a) == float(b) and float(aux) == 0.7
        assert_close(optimiser.get_params(there), optimiser.get_params(back))


def test_minimize_is_one_update():
    optimiser = optim.Minimize()
    state = optimiser.init({"x": onp.zeros(3), "s": 0.0})
    target = onp.asarray([1.0, -2.0, 3.0])
    fn = lambda p: (np.sum((p["x"] - target) ** 2) + (p["s"] - p["x"][0]) ** 2 + 5.0, p["s"])
    (value, aux), state = jit(lambda s: optimiser.eval_and_update(fn, s))(state)
    found = optimiser.get_params(state)
    onp.testing.assert_allclose(found["x"], target, atol=1e-5)
    assert float(value) == pytest.approx(5.0) and float(aux) == pytest.approx(1.0, abs=1e-5) and int(state[0]) == 1
    with pytest.raises(TypeError, match="call eval_and_update"):
        optimiser.update(None, state)


def test_schedules():
    n = onp.arange(12)
    rate = optim.exponential_decay(2.0, 4, 0.5, transition_begin=2, end_value=0.6)
    onp.testing.assert_allclose([rate(i) for i in n], onp.maximum(2.0 * 0.5 ** (onp.maximum(n - 2, 0) / 4), 0.6))
    rate = optim.polynomial_schedule(3.0, 1.0, 2, 5, 3)
    onp.testing.assert_allclose([rate(i) for i in n], 2.0 * (1 - onp.clip((n - 3) / 5, 0, 1)) ** 2 + 1.0)
    rate = optim.cosine_decay_schedule(2.0, 8, alpha=0.1, exponent=2.0)
    cosine = 0.5 * (1 + onp.cos(onp.pi * onp.minimum(n / 8, 1)))
    onp.testing.assert_allclose([rate(i) for i in n], 2.0 * (0.9 * cosine ** 2 + 0.1))
    rate = optim.warmup_exponential_decay_schedule(0.0, 1.0, 4, 2, 0.5)
    onp.testing.assert_allclose([rate(i) for i in n], onp.where(n < 4, n / 4, 0.5 ** ((n - 4) / 2)))
    assert float(optim.constant_schedule(0.3)(7)) == 0.3
    rate = optim.exponential_decay(2.0, 4, 0.5, staircase=True)
    onp.testing.assert_allclose([rate(i) for i in n], 2.0 * 0.5 ** (n // 4))
    rate = optim.linear_schedule(3.0, 1.0, 4, 2)
    onp.testing.assert_allclose([rate(i) for i in n], 3.0 - 0.5 * onp.clip(n - 2, 0, 4))
    rate = optim.warmup_cosine_decay_schedule(0.5, 1.0, 4, 10, 0.2)
    cosine = 0.2 + 0.4 * (1 + onp.cos(onp.pi * onp.minimum((n - 4) / 6, 1)))
    onp.testing.assert_allclose([rate(i) for i in n], onp.where(n < 4, 0.5 + n / 8, cosine))
    rate = optim.piecewise_constant_schedule(2.0, {3: 0.5, 8: 0.1})
    onp.testing.assert_allclose([rate(i) for i in n], onp.select([n < 3, n < 8], [2.0, 1.0], 0.1))
    rate = optim.join_schedules([optim.constant_schedule(1.0), optim.linear_schedule(1.0, 0.0, 4)], [5])
    onp.testing.assert_allclose([rate(i) for i in n], onp.where(n < 5, 1.0, 1.0 - onp.clip((n - 5) / 4, 0, 1)))
    rate = optim.warmup_exponential_decay_schedule(0.0, 1.0, 4, 2, 0.5)
    for wrong in (lambda: optim.exponential_decay(1.0, 0, 0.5), lambda: optim.exponential_decay(1.0, 1, -0.5),
                  lambda: optim.join_schedules([rate, rate], []), lambda: optim.cosine_decay_schedule(1.0, 0),
                  lambda: optim.warmup_cosine_decay_schedule(0.0, 1.0, 5, 5),
                  lambda: optim.piecewise_constant_schedule(1.0, {3: -1.0})):
        with pytest.raises(ValueError):
            wrong()


def test_a_schedule_in_a_compiled_loop_is_that_outside():
    """And it is one program for all counts."""
    rate = optim.warmup_cosine_decay_schedule(0.0, 0.1, 2, 6)
    found = by_updates(optim.sgd(rate))
    x = START["b"]
    for i, g in enumerate(GRADIENTS):
        x = x - float(rate(i)) * g["b"]
    onp.testing.assert_allclose(found["b"], x, rtol=1e-12)


def test_single_precision_stays_single():
    params = {"w": np.ones(3, "float32")}
    for optimiser in (optim.adamw(optim.constant_schedule(0.1)), optim.sm3(0.1), optim.adafactor(0.1),
                      optim.rmsprop(0.1, centered=True), optim.chain(optim.clip_by_global_norm(1.0), optim.lion(0.1))):
        state = optimiser.init(params)
        updates, new = optimiser.update({"w": np.ones(3, "float32")}, state, params)
        assert updates["w"].dtype == onp.float32
        assert [x.dtype for x in tree.leaves(state)] == [x.dtype for x in tree.leaves(new)]


def test_memory_in_half_precision():
    params = {"w": np.ones(3, "float32")}
    for optimiser in (optim.adam(0.1, mu_dtype="bfloat16"), optim.lion(0.1, mu_dtype="bfloat16"),
                      optim.sgd(0.1, 0.9, accumulator_dtype="bfloat16"),
                      optim.adafactor(0.1, momentum=0.9, dtype_momentum="bfloat16")):
        state = optimiser.init(params)
        updates, new = optimiser.update({"w": np.ones(3, "float32")}, state, params)
        kinds = [str(x.dtype) for x in tree.leaves(new)]
        assert "bfloat16" in kinds and kinds == [str(x.dtype) for x in tree.leaves(state)]
        assert updates["w"].dtype == onp.float32 and onp.all(onp.asarray(updates["w"]) < 0)


def test_seeds_side_by_side():
    optimiser = optim.adam(0.1)
    starts = onp.random.default_rng(1).normal(size=(5, 2))

    def run(x):
        def step(carry, _):
            updates, state = optimiser.update(2.0 * carry[0], carry[1])
            return (optim.apply_updates(carry[0], updates), state), None
        return scan(step, (x, optimiser.init(x)), None, length=300)[0][0]

    together = jit(vmap(run))(starts)
    alone = onp.stack([onp.asarray(jit(run)(x)) for x in starts])
    onp.testing.assert_allclose(together, alone, atol=1e-10)
    assert onp.abs(alone).max() < 0.02
