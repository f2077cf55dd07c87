"""The laws of sites under transformations: every model × every nesting of transformations × every handler.

The expected density is the one written by hand in `rows`, summed in plain Python loops.
"""
import itertools

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, random, vmap
from chainrule.ppl import Handler, SiteError, log_density
from chainrule.ppl.handlers import (
    block,
    condition,
    do,
    infer_config,
    lift,
    mask,
    replay,
    scale,
    scope,
    seed,
    substitute,
    trace,
    uncondition,
)
from chainrule.ppl.model import site_log_prob
from tests.ppl.rows import MODELS, TRANSFORMS, Row, nested

X = 0.35
ALONE = [(m, ()) for m in MODELS]
SINGLE = [(m, (t,)) for m in MODELS for t in TRANSFORMS]
PAIRS = [("plain", pair) for pair in itertools.product(TRANSFORMS, repeat=2)]
MANY_PAIRS = [(m, pair) for m in ("lanes", "chain", "choice", "plates") for pair in
              itertools.product(("vmap", "scan", "cond", "grad"), repeat=2)]
DEEP = [("plain", ("vmap", "scan", "vmap")), ("plain", ("scan", "vmap", "scan")), ("plain", ("cond", "scan", "vmap")),
        ("chain", ("vmap", "cond", "scan")), ("choice", ("scan", "vmap", "vmap of nothing")),
        ("choice", ("vmap", "scan", "vmap")),
        ("lanes", ("scan", "vmap", "grad")), ("plates", ("vmap", "cond", "vmap"))]
EVERY = ALONE + SINGLE + PAIRS + MANY_PAIRS + DEEP
SOME = ALONE + DEEP + [(m, t) for m, t in SINGLE if m in ("plain", "chain", "choice")]


def rows(cases):
    marked = [pytest.param(m, t, marks=[pytest.mark.slow] * (len(t) > 1)) for m, t in cases]
    return pytest.mark.parametrize("name, transforms", marked, ids=["-".join((m, *t)) for m, t in cases])


@pytest.fixture(autouse=True)
def without_compilation():
    with config(disable_jit=True):
        yield


def recorded(model, x=X, number=0):
    return trace(seed(model, number)).get_trace(x)


def values_of(tr):
    return {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] == "sample"}


def open_values(tr):
    return {k: s["value"] for k, s in tr.items() if s["type"] == "sample" and not s["is_observed"]}


def total(tr):
    return float(sum(cnp.sum(site_log_prob(k, s)) for k, s in tr.items() if s["type"] != "deterministic"))


def density(model, x=X, params=None):
    return float(log_density(model, (x,), {}, params)[0])


def same(a, b):
    assert a.keys() == b.keys()
    for k in a:
        np.testing.assert_array_equal(np.asarray(a[k]), np.asarray(b[k]), err_msg=k)


@rows(EVERY)
def test_the_density_is_that_of_the_loop(name, transforms):
    row = nested(name, transforms)
    tr = recorded(row.model)
    expected = row.score(X, values_of(tr))
    assert total(tr) == pytest.approx(expected, rel=1e-12)
    assert density(row.model, params=open_values(tr)) == pytest.approx(expected, rel=1e-12)
    alone = recorded(MODELS[name].model)
    for k, s in tr.items():
        assert s["value"].shape == (*row.lead, *alone[k]["value"].shape), k
        if s["type"] == "sample":
            assert s["fn"].shape() == s["value"].shape, k


@rows(SOME)
def test_given_values_come_back_bit_for_bit(name, transforms):
    model = nested(name, transforms).model
    tr = recorded(model)
    same(values_of(trace(replay(model, tr)).get_trace(X)), values_of(tr))
    same(values_of(trace(substitute(model, data=open_values(tr))).get_trace(X)), values_of(tr))
    fixed = trace(condition(model, data=open_values(tr))).get_trace(X)
    same(values_of(fixed), values_of(tr))
    assert all(s["is_observed"] for s in fixed.values() if s["type"] == "sample")
    assert total(fixed) == total(tr)


@rows(SOME)
def test_a_part_that_is_given_leaves_the_other_draws_as_they_were(name, transforms):
    model = nested(name, transforms).model
    first, *_ = open_values(recorded(model, number=1))
    given = {first: recorded(model, number=1)[first]["value"]}
    tr = trace(seed(condition(model, data=given), 0)).get_trace(X)
    np.testing.assert_array_equal(tr[first]["value"], given[first])
    assert tr[first]["is_observed"]
    free = recorded(model)
    if name in ("vectors", "observed") and "grad" not in transforms:     # their sites do not depend on each other
        same({k: v for k, v in open_values(tr).items() if k != first},
             {k: v for k, v in open_values(free).items() if k != first})


@rows(SOME)
def test_scale_and_mask_act_on_every_site(name, transforms):
    row = nested(name, transforms)
    params = open_values(recorded(row.model))
    plain = density(row.model, params=params)
    assert density(scale(row.model, scale=3.0), params=params) == pytest.approx(3.0 * plain, rel=1e-12)
    assert density(mask(scale(row.model, scale=3.0), mask=True), params=params) == pytest.approx(3.0 * plain, rel=1e-12)
    assert density(scale(mask(row.model, mask=np.array(False)), scale=2.0), params=params) == 0.0
    twice = scale(scale(row.model, scale=2.0), scale=0.25)
    assert density(twice, params=params) == pytest.approx(0.5 * plain, rel=1e-12)


@rows(SOME)
def test_block_hides_sites_and_keeps_the_rest(name, transforms):
    model = nested(name, transforms).model
    tr = recorded(model)
    first, *_ = open_values(tr)
    for hidden in (block(seed(model, 0), hide=[first]), block(seed(model, 0), hide_fn=lambda m: m["name"] == first),
                   block(seed(model, 0), expose=[k for k in tr if k != first])):
        seen = trace(hidden).get_trace(X)
        assert list(seen) == [k for k in tr if k != first]
        same({k: s["value"] for k, s in seen.items()}, {k: s["value"] for k, s in tr.items() if k != first})
    assert not trace(block(seed(model, 0))).get_trace(X)
    samples = trace(block(seed(model, 0), expose_types=["sample"])).get_trace(X)
    assert {s["type"] for s in samples.values()} == {"sample"}


@rows(SOME)
def test_intervening_with_what_was_drawn_changes_nothing(name, transforms):
    model = nested(name, transforms).model
    tr = recorded(model)
    cut = recorded(do(model, data=open_values(tr)))
    same({k: s["value"] for k, s in cut.items()}, {k: s["value"] for k, s in tr.items()})
    assert total(cut) == pytest.approx(total(tr), rel=1e-13)
    assert open_values(cut).keys() == open_values(tr).keys()


@rows(SOME)
def test_a_scope_renames_and_nothing_else(name, transforms):
    model = nested(name, transforms).model
    params = open_values(recorded(model))
    renamed = {f"a/{k}": v for k, v in params.items()}
    assert density(scope(model, prefix="a"), params=renamed) == density(model, params=params)
    assert list(recorded(scope(model, prefix="a"))) == [f"a/{k}" for k in recorded(model)]


@rows(SOME)
def test_uncondition_undoes_condition(name, transforms):
    model = nested(name, transforms).model
    other = open_values(recorded(model, number=1))
    same(open_values(recorded(uncondition(condition(model, data=other)))), open_values(recorded(uncondition(model))))
    facts = recorded(infer_config(uncondition(model), lambda s: {"seen": True}))
    assert all(s["infer"]["seen"] and not s["is_observed"] for s in facts.values() if s["type"] == "sample")


def with_param(x):
    w = cr.param("w", np.array([0.5, -1.0]))
    return cnp.sum(cr.sample("y", dist.Normal(w * x, 1.0)))


@pytest.mark.parametrize("transforms", [(), *[(t,) for t in TRANSFORMS], ("vmap", "scan"), ("checkpoint", "vmap")],
                         ids="-".join)
def test_a_param_is_one_under_every_transformation(transforms):
    row = Row(with_param, None)
    for t in transforms:
        row = TRANSFORMS[t](row)
    if {"cond", "switch"} & set(transforms):
        with pytest.raises(SiteError, match="in front of the cond"):
            recorded(row.model)
        given = seed(substitute(row.model, {"w": np.zeros(2)}), 0)
        assert float(given(X)) == float(given(2.0 * X)) != 0.0       # y ~ Normal(0 x, 1)
        return
    tr = recorded(row.model)
    assert (tr["w"]["type"], tr["w"]["value"].shape) == ("param", (2,))
    moved = recorded(substitute(row.model, {"w": np.array([3.0, 4.0])}))
    np.testing.assert_array_equal(moved["w"]["value"], [3.0, 4.0])
    shift = np.asarray(moved["y"]["value"] - tr["y"]["value"])
    np.testing.assert_allclose(shift, np.asarray(moved["y"]["fn"].mean) - np.asarray(tr["y"]["fn"].mean), rtol=1e-12)
    assert np.all(shift[..., 1] != 0)
    if "scan" not in " ".join(transforms):
        lifted = recorded(lift(row.model, dist.Normal(0.0, 1.0)))
        assert (lifted["w"]["type"], lifted["w"]["value"].shape) == ("sample", (2,))


@rows(SOME)
def test_a_context_does_what_a_wrapper_does(name, transforms):
    model = nested(name, transforms).model
    with trace() as tr, scale(scale=2.0), seed(rng_seed=0):
        model(X)
    same(values_of(dict(tr.items())), values_of(recorded(model)))
    assert total(dict(tr.items())) == pytest.approx(2.0 * total(recorded(model)), rel=1e-12)


class shout(Handler):
    """The handler of ten lines that the text of `handlers` shows."""
    names = []

    def site(self, site):
        self.names.append(site.name)
        return self.next(site)


class score(Handler):
    """One that threads a state."""
    def start(self): self.total = cnp.zeros(())
    def carried(self): return self.total
    def carry(self, value): self.total = value

    def site(self, site):
        out = self.next(site)
        self.total = self.total + cnp.sum(site.replace(value=out[0]).log_prob())
        return out


class shift(Handler):
    """One that changes values."""
    def site(self, site):
        value, *rest = self.next(site)
        return [value + 1.0 if site.name == "a" else value, *rest]


@rows(SOME)
def test_a_handler_of_a_user_goes_through_everything(name, transforms):
    row = nested(name, transforms)
    shout.names = []
    tr = trace(seed(shout(row.model), 0)).get_trace(X)
    assert set(shout.names) >= set(tr)
    use = score(seed(row.model, 0)).fresh()
    with use:
        seed(row.model, 0)(X)
    assert float(use.total) == pytest.approx(row.score(X, values_of(tr)), rel=1e-12)


@pytest.mark.parametrize("transforms", [(), *[(t,) for t in TRANSFORMS if t != "grad"]], ids="-".join)
def test_what_a_handler_changes_is_what_the_model_sees(transforms):
    model = nested("plain", transforms).model
    with trace() as low:
        with shift():
            with trace() as high:
                seed(model, 0)(X)
    np.testing.assert_array_equal(high["a"]["value"], low["a"]["value"] + 1.0)
    np.testing.assert_allclose(high["d"]["value"], low["d"]["value"], rtol=0)


@rows(SOME)
def test_mapping_a_handled_model_is_the_loop_over_it(name, transforms):
    model = nested(name, transforms).model
    xs, keys = np.array([0.2, 0.4]), random.split(random.key(3), 2)

    def one(x, key):
        tr = trace(seed(model, rng_seed=key)).get_trace(x)
        values = {k: s["value"] for k, s in tr.items()}
        return values, log_density(model, (x,), {}, {k: values[k] for k in open_values(tr)})[0]

    values, lps = vmap(one)(xs, keys)
    for i in range(2):
        expected, lp = one(xs[i], keys[i])
        for k in expected:
            np.testing.assert_allclose(values[k][i], expected[k], rtol=1e-13, atol=1e-15, err_msg=k)
        np.testing.assert_allclose(lps[i], lp, rtol=1e-12)


@rows([(m, t) for m, t in SOME if m != "observed"])
def test_the_gradient_of_the_density_is_that_of_the_loop(name, transforms):
    row = nested(name, transforms)
    params = {k: np.asarray(v) for k, v in open_values(recorded(row.model)).items()}
    gx, gp = grad(lambda x, p: log_density(row.model, (x,), {}, p)[0], argnums=(0, 1))(X, params)
    h = 1e-6
    for at in (X,):
        slope = (row.score(at + h, params) - row.score(at - h, params)) / (2 * h)
        assert float(gx) == pytest.approx(slope, rel=1e-6, abs=1e-7)
    for k, v in params.items():
        if name == "vectors" and k == "p":
            continue                                     # off the simplex there is no density to take a difference of
        index = tuple(n - 1 for n in v.shape)
        up, down = v.copy(), v.copy()
        up[index] += h
        down[index] -= h
        slope = (row.score(X, {**params, k: up}) - row.score(X, {**params, k: down})) / (2 * h)
        assert float(gp[k][index]) == pytest.approx(slope, rel=1e-6, abs=1e-7), k


@rows([("plain", (t,)) for t in TRANSFORMS] + [("choice", ()), ("vectors", ("vmap",)), DEEP[0]])
def test_the_compiled_handled_model_is_the_plain_one(name, transforms):
    model = nested(name, transforms).model
    plain = recorded(model)

    @jit
    def both(x):
        tr = trace(seed(model, 0)).get_trace(x)
        values = {k: s["value"] for k, s in tr.items()}
        return values, log_density(model, (x,), {}, {k: values[k] for k in open_values(tr)})[0]

    with config(disable_jit=False):
        values, lp = both(X)
    for k, s in plain.items():
        np.testing.assert_allclose(values[k], s["value"], rtol=1e-11, atol=1e-13, err_msg=k)
    np.testing.assert_allclose(lp, total(plain), rtol=1e-11)
