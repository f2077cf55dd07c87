"""What single handlers and statements do: values by functions, do, lift, scope, param, prng_key, subsampled plates."""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import constraints
from chainrule.engine import cond, custom_jvp, grad, jit, random, scan, vmap, while_loop
from chainrule.ppl import SiteError, log_density
from chainrule.ppl.handlers import (
    block,
    condition,
    do,
    infer_config,
    lift,
    replay,
    scope,
    seed,
    substitute,
    trace,
    uncondition,
)


def chain(y=None):
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    return x, cr.sample("y", dist.Normal(10.0 * x, 1.0), obs=y)


def recorded(model, *args):
    return trace(seed(model, 0)).get_trace(*args)


# ---- values by a function ----

def test_values_may_come_from_a_function_of_the_record():
    tr = trace(substitute(chain, substitute_fn=lambda s: 0.5 if s["name"] == "x" else 4.0)).get_trace()
    assert {k: (float(s["value"]), s["is_observed"]) for k, s in tr.items()} == {"x": (0.5, False), "y": (4.0, False)}
    tr = recorded(condition(chain, condition_fn=lambda s: 0.5 if s["name"] == "x" else None))
    assert tr["x"]["is_observed"] and not tr["y"]["is_observed"]
    with pytest.raises(ValueError, match="not both"):
        condition(chain, {"x": 1.0}, lambda s: None)


# ---- do ----

def test_do_cuts_the_effect_and_keeps_the_site():
    free, cut = recorded(chain), recorded(do(chain, {"x": 2.0}))
    np.testing.assert_array_equal(cut["x"]["value"], free["x"]["value"])
    assert float(cut["y"]["fn"].loc) == 20.0
    params = {"x": 0.3, "y": 1.0}
    expected = stats.norm.logpdf(0.3) + stats.norm.logpdf(1.0, 20.0, 1.0)
    assert float(log_density(do(chain, {"x": 2.0}), (), {}, params)[0]) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(SiteError, match="no site of that name"):
        recorded(do(chain, {"z": 2.0}))


def test_do_takes_the_slices_of_a_scan():
    def model():
        return scan(lambda c, _: (c + cr.sample("s", dist.Normal(c, 1.0)), None), 0.0, None, length=3)[0]
    assert float(seed(do(model, {"s": np.array([1.0, 2.0, 4.0])}), 0)()) == 7.0


# ---- uncondition ----

def test_uncondition_opens_what_is_observed():
    tr = recorded(uncondition(chain), 100.0)
    assert not tr["y"]["is_observed"] and tr["y"]["infer"] == {"was_observed": True}
    np.testing.assert_array_equal(tr["y"]["value"], recorded(chain)["y"]["value"])


# ---- scope ----

def test_a_model_is_used_twice_within_another_under_scopes():
    def group(y):
        with cr.plate("obs", 2):
            m = cr.sample("m", dist.Normal(0.0, 1.0))
            cr.sample("y", dist.Normal(m, 1.0), obs=y)

    def whole():
        with cr.plate("outer", 2, dim=-1):
            cr.sample("k", dist.Normal(0.0, 1.0))
            scope(lambda: cr.sample("in", dist.Normal(0.0, 1.0)), prefix="c")()
        scope(group, prefix="a")(np.zeros(2))
        scope(scope(group, prefix="b"), prefix="c", divider=".")(np.ones(2))
        scope(chain, prefix="n", hide_types=["sample"])()

    tr = recorded(whole)
    assert list(tr) == ["k", "c/in", "a/m", "a/y", "c.b/m", "c.b/y", "x", "y"]
    assert [f.name for f in tr["c.b/m"]["cond_indep_stack"]] == ["c.b/obs"]
    assert [f.name for f in tr["c/in"]["cond_indep_stack"]] == ["outer"]
    assert not np.allclose(tr["a/m"]["value"], tr["c.b/m"]["value"])     # the name decides the draw


# ---- lift ----

def with_params():
    w = cr.param("w", np.zeros(3))
    s = cr.param("s", 1.0, constraint=constraints.positive)
    cr.sample("y", dist.Normal(w, s), obs=np.ones(3))


def test_lift_makes_params_random():
    tr = recorded(lift(with_params, {"w": dist.Normal(0.0, 2.0)}))
    assert (tr["w"]["type"], tr["w"]["value"].shape, tr["s"]["type"]) == ("sample", (3,), "param")
    expected = stats.norm.logpdf(tr["w"]["value"], 0.0, 2.0).sum() + stats.norm.logpdf(1.0, tr["w"]["value"], 1.0).sum()
    total = log_density(lift(with_params, {"w": dist.Normal(0.0, 2.0)}), (), {}, {"w": tr["w"]["value"]})[0]
    assert float(total) == pytest.approx(expected, rel=1e-13)
    every = recorded(lift(with_params, lambda name: dist.Gamma(2.0, 1.0)))
    assert {s["type"] for s in every.values()} == {"sample"}
    with pytest.raises(SiteError, match="shape"):
        recorded(lift(with_params, {"w": dist.Normal(np.zeros(2), 1.0)}))


def test_infer_config_adds_facts():
    def model():
        cr.sample("k", dist.Bernoulli(0.5), infer={"a": 1})
    tr = recorded(infer_config(model, lambda s: {"b": s["name"]}))
    assert tr["k"]["infer"] == {"a": 1, "b": "k"}


# ---- param ----

def test_a_param_is_one_for_all_lanes_and_steps():
    def lane(x):
        return cr.sample("z", dist.Normal(cr.param("a", 2.0) * x, 1.0))

    def step(c, x):
        return c + cr.sample("u", dist.Normal(cr.param("b", 0.5), 1.0)), None

    def model():
        vmap(lane)(np.arange(3.0))
        scan(step, 0.0, np.arange(4.0))
        return jit(lambda: cr.param("c", lambda key: random.normal(key, (2,))))()

    tr = recorded(model)
    assert {k: tr[k]["value"].shape for k in "abc"} == {"a": (), "b": (), "c": (2,)}
    given = {"a": 7.0, "b": 8.0, "c": np.zeros(2)}
    tr = recorded(substitute(model, given))
    for k, v in given.items():
        np.testing.assert_array_equal(tr[k]["value"], v)
    np.testing.assert_array_equal(np.asarray(tr["z"]["fn"].mean), 7.0 * np.arange(3.0))
    np.testing.assert_array_equal(np.asarray(tr["u"]["fn"].mean), 8.0 * np.ones(4))


def test_gradients_with_respect_to_params():
    def loss(s):
        return log_density(with_params, (), {}, {"s": s, "w": np.zeros(3)})[0]
    assert float(grad(loss)(2.0)) == pytest.approx(3 * (1 / 8 - 1 / 2), rel=1e-14)


def in_scan_with_a_moving_start():
    return scan(lambda c, x: (c, cr.param("p", x)), 0.0, np.arange(3.0))


def in_a_branch():
    return jit(lambda t: cond(t, lambda: cr.param("p", 1.0), lambda: 0.0))(True)


def lifted_in_a_loop():
    model = lambda: scan(lambda c, _: (c + cr.param("p", 1.0), None), 0.0, None, length=2)  # noqa: E731
    return lift(model, dist.Normal(0.0, 1.0))()


def twice_a_key():
    return cr.prng_key(), cr.prng_key()


def twice_a_name():
    return cr.sample("x", dist.Normal(0.0, 1.0)), cr.sample("x", dist.Normal(0.0, 1.0))


def half_of_a_plate():
    with cr.plate("N", 10, subsample_size=5):
        cr.sample("y", dist.Normal(0.0, 1.0), obs=np.zeros(10))


MISTAKES = {
    "a param whose start moves": (in_scan_with_a_moving_start, "start depends on the step"),
    "a param in a branch": (in_a_branch, "in front of the cond"),
    "a param lifted in a loop": (lifted_in_a_loop, "in front of the loop"),
    "a param without a start": (lambda: cr.param("p"), "no start"),
    "a start outside": (lambda: cr.param("p", -1.0, constraint=constraints.positive), "must be positive"),
    "a param with a number for a name": (lambda: cr.param(3, 1.0), "a string"),
    "two keys of one name": (twice_a_key, "two sites named 'prng_key'"),
    "two draws of one name": (twice_a_name, "two sites named 'x'"),
    "a subsample larger than the plate": (lambda: cr.plate("N", 3, subsample_size=4).__enter__(), "between 1 and"),
    "coords of another length": (lambda: cr.plate("N", 3, coords="ab").__enter__(), "2 coords"),
    "data of the whole in a part": (half_of_a_plate, "Plate 'N' has drawn 5 of 10"),
    "a stack to the right": (lambda: cr.plate_stack("p", (2,), 1).__enter__(), "is negative"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named(name):
    model, text = MISTAKES[name]
    with pytest.raises(SiteError, match=text):
        trace(seed(model, 0)).get_trace()


@pytest.mark.parametrize("model, text", [
    (lambda: cr.param("p", lambda key: random.normal(key)), "a function for its start"),
    (lambda: cr.prng_key(), "seed"),
    (lambda: cr.plate("N", 4, subsample_size=2).__enter__(), "leave subsample_size out"),
])
def test_what_needs_a_key_says_so(model, text):
    with pytest.raises(SiteError, match=text):
        model()


# ---- keys ----

def test_keys_are_addressed_like_draws():
    def model():
        def step(c, _):
            return c, random.normal(cr.prng_key("step"))
        def lane(i):
            return random.normal(cr.prng_key("lane"))
        return scan(step, 0.0, None, length=3)[1], vmap(lane)(np.arange(3)), random.normal(cr.prng_key())

    first, second = seed(model, 0)(), seed(model, 0)()
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    assert len(np.unique(np.concatenate([np.ravel(x) for x in first]))) == 7
    assert "lane" not in trace(seed(model, 0)).get_trace()
    np.testing.assert_array_equal(jit(seed(model, 0))()[1], first[1])


def test_a_key_in_a_function_with_a_rule():
    f = custom_jvp(lambda x: x + random.normal(cr.prng_key("k")))
    f.defjvp(lambda p, t: (f(*p), 3.0 * t[0]))
    assert float(grad(lambda x: seed(f, 0)(x))(1.0)) == 3.0


def test_a_while_loop_gives_each_step_a_key():
    def model():
        return while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] + random.normal(cr.prng_key())), (0, 0.0))[1]
    key = seed(model, 0).fresh()
    expected = sum(float(random.normal(random.fold_in(key.key_of("prng_key"), i))) for i in range(3))
    assert float(seed(model, 0)()) == pytest.approx(expected, rel=1e-14)


# ---- plates ----

def means(y, size):
    with cr.plate("N", len(y), subsample_size=size):
        part = cr.subsample(y, event_dim=0)
        cr.sample("y", dist.Normal(0.0, 1.0), obs=part)
        cr.factor("f", 0.5)


def test_a_subsample_stands_for_the_whole():
    """The mean over subsamples is the density of the whole."""
    y = np.arange(6.0)
    whole = float(log_density(means, (y, None))[0])
    assert whole == pytest.approx(stats.norm.logpdf(y).sum() + 3.0, rel=1e-13)
    parts = []
    for i in range(200):
        tr = recorded(lambda y, i=i: scope(means, prefix=str(i))(y, 2), y)
        index, value = tr[f"{i}/N"]["value"], tr[f"{i}/y"]["value"]
        np.testing.assert_array_equal(value, y[np.asarray(index)])
        assert len(set(np.asarray(index).tolist())) == 2
        parts.append(float(log_density(substitute(scope(means, prefix=str(i)), {f"{i}/N": index}), (y, 2))[0]))
        assert parts[-1] == pytest.approx(3.0 * stats.norm.logpdf(np.asarray(value)).sum() + 3.0, rel=1e-13)
    error = np.std(parts) / np.sqrt(len(parts))
    assert abs(np.mean(parts) - whole) < 4 * error                   # false alarm: 6e-5, and the key is fixed


def test_a_plate_entered_again_has_the_same_part():
    def model():
        rows = cr.plate("N", 20, subsample_size=3)
        with rows as first:
            pass
        with rows as again, cr.plate("other", 2):
            x = cr.sample("x", dist.Normal(0.0, 1.0))
        return first, again, x
    first, again, x = seed(model, 0)()
    np.testing.assert_array_equal(first, again)
    assert x.shape == (2, 3)
    tr = trace(seed(model, 0)).get_trace()
    np.testing.assert_array_equal(trace(seed(replay(model, tr), 1)).get_trace()["N"]["value"], tr["N"]["value"])


def test_lanes_and_steps_draw_their_own_parts():
    y = cnp.arange(50.0)

    def lane(i):
        with cr.plate("N", 50, subsample_size=4) as index:
            return cr.sample("y", dist.Normal(0.0, 1.0), obs=y[index])
    for rows in (vmap(lane), lambda xs: scan(lambda c, i: (c, lane(i)), 0, xs)[1]):
        drawn = seed(rows, 0)(np.arange(3))
        assert drawn.shape == (3, 4) and len(np.unique(np.asarray(drawn)[:, 0])) > 1


def test_params_are_subsampled_with_their_plate():
    def model():
        with cr.plate("N", 5, subsample_size=2) as index:
            part = cr.param("loc", np.arange(10.0).reshape(5, 2), event_dim=1)
        return index, part
    index, part = seed(model, 0)()
    np.testing.assert_array_equal(part, np.arange(10.0).reshape(5, 2)[np.asarray(index)])


def test_plates_stack():
    def model():
        with cr.plate_stack("grid", (2, 3, 4), rightmost_dim=-2):
            return cr.sample("x", dist.Normal(0.0, 1.0))
    tr = trace(seed(model, 0)).get_trace()
    assert tr["x"]["value"].shape == (2, 3, 4, 1)
    assert {f.name: (f.dim, f.size) for f in tr["x"]["cond_indep_stack"]} == {
        "grid_0": (-2, 4), "grid_1": (-3, 3), "grid_2": (-4, 2)}


def test_hidden_kinds_are_left_open():
    def model():
        return cr.sample("x", dist.Normal(0.0, 1.0)), cr.param("w", lambda key: random.normal(key))
    with pytest.raises(SiteError, match="a function for its start"):
        seed(model, 0, hide_types=["param"])()
    assert list(trace(block(seed(model, 0), expose_types=["param"])).get_trace()) == ["w"]
