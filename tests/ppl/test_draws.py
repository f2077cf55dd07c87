"""Draws: addressed by the seed, the name and the indices alone; differentiated along their paths; in while loops."""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import cond, fori_loop, grad, jit, jvp, random, scan, vmap, while_loop
from chainrule.ppl import SiteError
from chainrule.ppl.handlers import block, seed, substitute, trace

XS = np.array([0.3, -0.2, 1.1])


def normal(name, loc=0.0, scale=1.0):
    return cr.sample(name, dist.Normal(loc, scale))


def draws(model, *args, number=0):
    tr = trace(seed(model, number)).get_trace(*args)
    return {k: np.asarray(s["value"]) for k, s in tr.items()}


# ---- addresses ----

def pair():
    normal("a"), normal("b")


def swapped():
    normal("b"), normal("a")


def more():
    normal("new"), normal("a"), cr.sample("other", dist.Gamma(2.0, 1.0)), normal("b"), cr.factor("f", 1.0)


def in_jit():
    jit(lambda: (normal("a"), normal("b")))()


def in_cond():
    jit(lambda t: cond(t, lambda: (normal("a"), normal("b")), lambda: (0.0, 0.0)))(True)


def with_neighbours():
    vmap(lambda i: normal("c"))(np.arange(4))
    normal("a")
    scan(lambda c, _: (c + normal("d"), None), 0.0, None, length=3)
    normal("b")


@pytest.mark.parametrize("model", [swapped, more, in_jit, in_cond, with_neighbours], ids=lambda m: m.__name__)
def test_what_stands_around_a_site_leaves_its_draw_as_it_was(model):
    expected, found = draws(pair), draws(model)
    for name in ("a", "b"):
        compiled = model in (in_jit, in_cond)             # XLA's last bit may differ from NumPy's
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-14 if compiled else 0)


def test_seeds_names_lanes_and_steps_give_different_draws():
    def model():
        vmap(lambda i: normal("lane"))(np.arange(50))
        scan(lambda c, _: (c, normal("step")), 0.0, None, length=50)
        normal("a"), normal("b")

    numbers = np.concatenate([np.ravel(v) for number in range(3) for v in draws(model, number=number).values()])
    assert len(set(numbers.tolist())) == numbers.size == 3 * 102


def test_a_lane_or_step_draws_the_same_however_many_there_are():
    def lanes(n):
        return draws(lambda: vmap(lambda i: normal("x"))(np.arange(n)))["x"]

    def steps(n):
        return draws(lambda: scan(lambda c, _: (c, normal("x")), 0.0, None, length=n)[1])["x"]

    np.testing.assert_array_equal(lanes(7)[:3], lanes(3))
    np.testing.assert_allclose(steps(7)[:3], steps(3), rtol=1e-14)
    np.testing.assert_allclose(steps(3), lanes(3), rtol=1e-14)


def test_a_reversed_scan_draws_the_same_at_each_index():
    def steps(reverse):
        return draws(lambda: scan(lambda c, _: (c, normal("x")), 0.0, None, length=4, reverse=reverse)[1])["x"]
    np.testing.assert_array_equal(steps(True), steps(False))


def test_a_choice_by_lane_draws_what_no_choice_does():
    def one(x, chosen):
        return cond(x > 0, lambda: normal("x"), lambda: 0.0) if chosen else normal("x")

    with_choice = draws(lambda: vmap(lambda x: one(x, True))(XS))["x"]
    without = draws(lambda: vmap(lambda x: one(x, False))(XS))["x"]
    np.testing.assert_allclose(with_choice[XS > 0], without[XS > 0], rtol=1e-14)


def test_the_lanes_of_a_site_are_independent_and_follow_its_distribution():
    x = draws(lambda: vmap(lambda i: vmap(lambda j: normal("x"))(np.arange(200)))(np.arange(300)))["x"]
    z = x.sum() / np.sqrt(x.size)
    neighbours = (x[:, 1:] * x[:, :-1]).sum() / np.sqrt(x[:, 1:].size), (x[1:] * x[:-1]).sum() / np.sqrt(x[1:].size)
    assert np.all(np.abs([z, *neighbours, (x ** 2 - 1).sum() / np.sqrt(2 * x.size)]) < 4.5)      # false alarm: 3e-5


def test_a_hundred_thousand_lanes_are_independent_of_their_neighbours():
    """Chi-square over the 10 x 10 table of deciles of (lane i, lane i + lag), and of the lanes of two sites."""
    n = 100_000

    def lane(i):
        return cr.sample("u", dist.Uniform(0.0, 1.0)), cr.sample("v", dist.Uniform(0.0, 1.0))

    u, v = (np.asarray(x) for x in seed(vmap(lane), 0)(np.arange(n)))
    for a, b in ((u[:-1], u[1:]), (u[:-2], u[2:]), (u[:-64], u[64:]), (u, v), (u[1:], v[:-1])):
        table, *_ = np.histogram2d(a, b, bins=10, range=[[0, 1], [0, 1]])
        assert 1e-5 < stats.chisquare(table.ravel()).pvalue          # false alarm: 5e-5 for the five tables
    for x in (u, v):
        assert stats.kstest(x, "uniform").pvalue > 1e-5


def test_a_seed_is_an_integer_or_a_key_and_keys_are_mapped_over():
    assert draws(pair, number=3) == draws(pair, number=random.key(3))
    keys = random.split(random.key(1), 4)
    many = vmap(lambda k: seed(lambda: normal("x"), rng_seed=k)())(keys)
    np.testing.assert_array_equal(many, [seed(lambda: normal("x"), rng_seed=k)() for k in keys])
    numbers = vmap(lambda n: seed(lambda: normal("x"), rng_seed=n)())(np.arange(3))
    np.testing.assert_array_equal(numbers, [seed(lambda: normal("x"), rng_seed=n)() for n in range(3)])
    with pytest.raises(TypeError, match="seed needs rng_seed"):
        seed(pair)


def test_a_key_of_the_other_generator_gives_draws_that_move_along_their_paths():
    """A derivative inside of the handler draws again from the site's words: with the same generator."""
    key = random.key(3, "philox4x32")
    inside = seed(lambda a: jvp(gamma_of, (a,), (1.0,)), key)(2.0)
    outside = jvp(seed(gamma_of, key), (2.0,), (1.0,))
    np.testing.assert_allclose(inside, outside, rtol=1e-12)


def gamma_of(a):
    return cr.sample("x", dist.Gamma(a, 1.0))


def test_a_seed_inside_of_vmap_is_one_seed_for_all_lanes():
    same = vmap(lambda x: seed(lambda: normal("x", x), rng_seed=0)())(XS)
    np.testing.assert_allclose(same, [seed(lambda x=x: normal("x", x), rng_seed=0)() for x in XS], rtol=1e-14)


def test_a_jitted_function_has_its_sites_though_it_was_first_used_without_handlers():
    f = jit(lambda y: cr.sample("y", dist.Normal(0.0, 1.0), obs=y) * 2.0)
    assert float(f(1.5)) == 3.0
    assert list(trace(f).get_trace(1.5)) == ["y"]
    assert float(f(1.5)) == 3.0
    g = jit(lambda: normal("x"))
    for number in range(3):
        assert list(trace(seed(g, number)).get_trace()) == ["x"]
    assert float(seed(g, 0)()) != float(seed(g, 1)())


def test_handlers_are_used_inside_of_compiled_functions_and_loops():
    key = random.key(5)

    def body(total, i):
        with seed(rng_seed=random.fold_in(key, i)):
            return total + normal("x"), None

    expected = sum(float(seed(lambda: normal("x"), random.fold_in(key, i))()) for i in range(3))
    assert float(scan(body, 0.0, np.arange(3))[0]) == pytest.approx(expected, rel=1e-13)
    compiled = jit(lambda k: seed(lambda: normal("x"), k)())(key)
    assert float(compiled) == pytest.approx(float(seed(lambda: normal("x"), key)()), rel=1e-13)


# ---- derivatives ----

REPARAMETERISED = {
    "normal": (lambda a: dist.Normal(a, a ** 2), lambda a, unit: a + a ** 2 * unit, lambda: dist.Normal(0.0, 1.0)),
    "exponential": (lambda a: dist.Exponential(a), lambda a, unit: unit / a, lambda: dist.Exponential(1.0)),
    "uniform": (lambda a: dist.Uniform(a, 2 * a), lambda a, unit: a + a * unit, lambda: dist.Uniform(0.0, 1.0)),
    "lognormal": (lambda a: dist.LogNormal(a, 0.5), lambda a, unit: cnp.exp(a + 0.5 * unit),
                  lambda: dist.Normal(0.0, 1.0)),
}
PATHS = {
    "plain": lambda f: f,
    "jit": jit,
    "vmap": lambda f: lambda a: cnp.sum(vmap(f)(a * XS ** 2)),
    "scan": lambda f: lambda a: scan(lambda c, x: (c * 0.5 + f(a * x ** 2), None), 0.0, XS)[0],
    "cond": lambda f: jit(lambda a: cond(a > 0, f, lambda a: a, a)),
    "scan in vmap": lambda f: PATHS["vmap"](PATHS["scan"](f)),
    "vmap in scan": lambda f: PATHS["scan"](PATHS["vmap"](f)),
}


@pytest.mark.parametrize("family, path", [("normal", p) for p in PATHS] +
                         [(f, p) for f in REPARAMETERISED if f != "normal" for p in ("plain", "vmap")])
def test_a_draw_is_differentiated_along_its_path(family, path):
    make, form, unit = REPARAMETERISED[family]
    direct = PATHS[path](lambda a: cr.sample("x", make(a)) ** 2)
    by_hand = PATHS[path](lambda a: form(a, cr.sample("x", unit())) ** 2)
    value = float(seed(direct, 0)(0.7))
    assert value == pytest.approx(float(seed(by_hand, 0)(0.7)), rel=1e-12)
    expected = grad(seed(by_hand, 0))(0.7)
    np.testing.assert_allclose(grad(seed(direct, 0))(0.7), expected, rtol=1e-11)       # handlers inside of grad
    np.testing.assert_allclose(seed(grad(direct), 0)(0.7), expected, rtol=1e-11)       # and around it
    np.testing.assert_allclose(seed(jit(grad(direct)), 0)(0.7), expected, rtol=1e-11)


def test_a_given_value_does_not_move_with_the_parameters():
    def model(a):
        return normal("x", a) ** 2
    assert float(substitute(grad(model), data={"x": 3.0})(0.7)) == 0.0
    assert float(seed(grad(model), 0)(0.7)) != 0.0


def test_a_discrete_draw_has_no_derivative():
    def count(a):
        return cr.sample("k", dist.Poisson(a))
    assert float(seed(grad(lambda a: count(a) * a), 0)(2.0)) == float(seed(count, 0)(2.0))


# ---- while ----

def walk(limit):
    def step(state):
        i, x = state
        return i + 1, x.at[i].set(normal("x"))
    return while_loop(lambda state: state[0] < limit, step, (0, cnp.zeros(4)))[1]


def test_a_while_loop_draws_anew_at_each_step():
    x = np.asarray(seed(walk, 0)(4))
    assert len(set(x.tolist())) == 4
    in_scan = draws(lambda: scan(lambda c, _: (c, normal("x")), 0.0, None, length=4)[1])["x"]
    np.testing.assert_allclose(x, in_scan, rtol=1e-14)
    np.testing.assert_allclose(jit(seed(walk, 0))(4), x, rtol=1e-14)
    assert not trace(block(seed(walk, 0))).get_trace(4)
    lanes = np.asarray(seed(vmap(walk), 0)(np.array([2, 4])))
    assert (lanes[0, :2] != 0).all() and (lanes[0, 2:] == 0).all() and (lanes[0, :2] != lanes[1, :2]).all()


def test_a_while_loop_cannot_be_recorded_or_given_values_and_a_fori_loop_can():
    with pytest.raises(SiteError, match="cannot be recorded"):
        trace(seed(walk, 0)).get_trace(4)
    with pytest.raises(SiteError, match="cannot be given values"):
        substitute(walk, data={"x": np.zeros(4)})(4)
    with pytest.raises(SiteError, match="condition of a while_loop"):
        seed(lambda: while_loop(lambda s: normal("x") < s, lambda s: s - 1.0, 3.0), 0)()
    tr = trace(seed(lambda: fori_loop(0, 3, lambda i, s: s + normal("x"), 0.0), 0)).get_trace()
    assert tr["x"]["value"].shape == (3,)
