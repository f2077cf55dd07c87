"""Random models: sites, plates, scan, vmap, cond and jit nested to depth 3, against plain Python loops.

A model is a list of statements; each takes a number and gives one. Statements with a body hold such a list.
"""
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import transforms
from chainrule.engine import checkpoint, cond, config, grad, jit, scan, vmap
from chainrule.ppl import log_density
from chainrule.ppl.handlers import condition, reparam, replay, scale, seed, trace
from chainrule.ppl.model import site_log_prob, stage_model
from chainrule.ppl.reparam import ExplicitReparam
from chainrule.ppl.reparam.base import core

SITES = {
    "normal": (lambda x: dist.Normal(0.8 * x, 1.0), lambda v: 0.7 * v, None),
    "gamma": (lambda x: dist.Gamma(2.0, 1.0 + x ** 2), lambda v: 0.2 * v, None),
    "bernoulli": (lambda x: dist.Bernoulli(logits=x), lambda v: 0.5 * v, None),
    "observed": (lambda x: dist.Normal(x, 2.0), lambda v: 0.0 * v, 0.4),
}


def bodies(depth):
    site = st.tuples(st.sampled_from(sorted(SITES)))
    leaf = st.one_of(site, st.just(("factor",)), st.tuples(st.just("plate"), st.integers(1, 3)))
    if depth == 0:
        return st.lists(leaf, min_size=1, max_size=2)
    inner = bodies(depth - 1)
    nested = st.one_of(st.tuples(st.sampled_from(["scan", "vmap"]), st.integers(1, 3), inner),
                       st.tuples(st.just("cond"), inner, inner),
                       st.tuples(st.sampled_from(["jit", "checkpoint"]), inner))
    return st.lists(st.one_of(leaf, nested, nested), min_size=1, max_size=2)


def named(body, numbers):
    """The body with a number in each statement that makes a site."""
    out = []
    for kind, *rest in body:
        rest = [named(r, numbers) if isinstance(r, list) else r for r in rest]
        out.append((kind, f"{kind}{next(numbers)}", *rest))
    return out


def run(body, x):
    """The model."""
    for kind, name, *rest in body:
        if kind in SITES:
            make, push, obs = SITES[kind]
            x = 0.5 * x + push(cr.sample(name, make(x), obs=obs))
        elif kind == "factor":
            cr.factor(name, -0.1 * x ** 2)
        elif kind == "plate":
            with cr.plate(f"{name}_plate", rest[0]):
                x = 0.5 * x + cnp.sum(cr.sample(name, dist.Normal(x, 1.0))) / rest[0]
        elif kind == "scan":
            x = scan(lambda c, i, inner=rest[1]: (run(inner, c + 0.1 * i), None), x, np.arange(float(rest[0])))[0]
        elif kind == "vmap":
            x = cnp.sum(vmap(lambda i, x=x, inner=rest[1]: run(inner, x - i))(np.arange(float(rest[0])))) / rest[0]
        elif kind == "cond":
            x = jit(lambda x, a=rest[0], b=rest[1]: cond(x > 0.1, lambda x: run(a, x), lambda x: run(b, x), x))(x)
        else:
            x = {"jit": jit, "checkpoint": checkpoint}[kind](lambda x, inner=rest[0]: run(inner, x))(x)
    return cnp.asarray(x) * 1.0


def by_hand(body, x, values, at=(), more=lambda kind, v: 0.0):
    """(result, log-density) with loops and indices alone; `more` is added for each site."""
    total = 0.0
    for kind, name, *rest in body:
        lp = 0.0
        if kind in SITES:
            make, push, obs = SITES[kind]
            v = float(values[name][at])
            x, lp = 0.5 * x + push(v), float(make(x).log_prob(v)) + more(kind, v)
        elif kind == "factor":
            lp = -0.1 * x ** 2
        elif kind == "plate":
            v = values[name][at]
            lp = float(np.sum(np.asarray(dist.Normal(x, 1.0).log_prob(v)))) + more(kind, v)
            x = 0.5 * x + v.sum() / rest[0]
        elif kind == "scan":
            for i in range(rest[0]):
                x, step = by_hand(rest[1], x + 0.1 * i, values, (*at, i), more)
                lp += step
        elif kind == "vmap":
            pairs = [by_hand(rest[1], x - i, values, (*at, i), more) for i in range(rest[0])]
            x, lp = sum(p[0] for p in pairs) / rest[0], sum(p[1] for p in pairs)
        elif kind == "cond":
            x, lp = by_hand(rest[0] if x > 0.1 else rest[1], x, values, at, more)
        else:
            x, lp = by_hand(rest[0], x, values, at, more)
        total += lp
    return x, total


MODELS = bodies(3).map(lambda body: named(body, itertools.count()))


def kept(tr, observed):
    return {k: s["value"] for k, s in tr.items() if s["type"] == "sample" and (observed or not s["is_observed"])}


def total(tr):
    return sum(float(cnp.sum(site_log_prob(k, s))) for k, s in tr.items())


@settings(max_examples=80)
@given(MODELS, st.sampled_from([-0.6, 0.3]))
def test_density_and_result_are_those_of_the_loops(body, x):
    with config(disable_jit=True):
        model = lambda x: run(body, x)
        tr = trace(seed(model, 0)).get_trace(x)
        values = {k: np.asarray(v) for k, v in kept(tr, True).items()}
        result, expected = by_hand(body, x, values)
        assert float(seed(model, 0)(x)) == pytest.approx(result, rel=1e-11)
        assert total(tr) == pytest.approx(expected, rel=1e-10)
        lp, again = log_density(model, (x,), {}, kept(tr, False))
        assert float(lp) == pytest.approx(expected, rel=1e-10)
        replayed = trace(replay(model, tr)).get_trace(x)
        given_values = trace(condition(model, data=kept(tr, False))).get_trace(x)
        for same in (again, replayed, given_values):
            for k, v in kept(same, True).items():
                np.testing.assert_array_equal(np.asarray(v), values[k])
        doubled = float(log_density(scale(model, scale=2.0), (x,), {}, kept(tr, False))[0])
        assert doubled == pytest.approx(2 * expected, rel=1e-10)


def halved(site):
    """Normal sites twice as large, gamma sites by their logarithm."""
    family = type(core(site["fn"]))
    if site["is_observed"] or family not in (dist.Normal, dist.Gamma):
        return None
    t = transforms.AffineTransform(0.0, 2.0) if family is dist.Normal else transforms.ExpTransform().inv
    return ExplicitReparam(t)


def log_det(kind, v):
    """log |dx/dy| for what `halved` makes of a site."""
    if kind == "gamma":
        return np.log(v)
    return -np.log(2.0) * np.size(v) if kind in ("normal", "plate") else 0.0


@settings(max_examples=40)
@given(MODELS, st.sampled_from([-0.6, 0.3]))
def test_a_reparameterised_model_is_the_loops_with_log_determinants(body, x):
    with config(disable_jit=True):
        model = reparam(lambda x: run(body, x), halved)
        tr = trace(seed(model, 0)).get_trace(x)
        old = {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] in ("sample", "deterministic")}
        result, expected = by_hand(body, x, old, more=log_det)
        assert float(seed(model, 0)(x)) == pytest.approx(result, rel=1e-11)
        new = kept(tr, False)
        assert not {k for k in new if k.startswith(("normal", "gamma", "plate")) and not k.endswith("_base")}
        assert float(log_density(model, (x,), {}, new)[0]) == pytest.approx(expected, rel=1e-10)
        program, data = stage_model(model, (x,))
        program.describe(data)
        assert float(program.log_joint({k: np.asarray(v) for k, v in new.items()}, data)) == pytest.approx(
            expected, rel=1e-10)


@settings(max_examples=40)
@given(MODELS)
def test_the_staged_program_and_its_gradient_agree(body):
    x = 0.3
    with config(disable_jit=True):
        model = lambda x: run(body, x)
        tr = trace(seed(model, 1)).get_trace(x)
        params = {k: np.asarray(v) for k, v in kept(tr, False).items()}
        program, data = stage_model(model, (x,))
        program.describe(data)
        lp = float(program.log_joint(params, data))
        values = {k: np.asarray(v) for k, v in kept(tr, True).items()}
        assert lp == pytest.approx(by_hand(body, x, values)[1], rel=1e-10)
        moving = {k: v for k, v in params.items() if v.dtype.kind == "f"}
        if not moving:
            return
        fixed = {k: v for k, v in params.items() if k not in moving}
        one = grad(lambda p: log_density(model, (x,), {}, {**p, **fixed})[0])(moving)
        two = grad(lambda p: program.log_joint({**p, **fixed}, data))(moving)
        for k in moving:
            np.testing.assert_allclose(one[k], two[k], rtol=1e-10, atol=1e-12, err_msg=k)


@settings(max_examples=8)
@given(MODELS)
def test_compiled_draws_are_the_plain_ones(body):
    model = lambda x: run(body, x)
    with config(disable_jit=True):
        plain = seed(model, 0)(0.3)
    np.testing.assert_allclose(jit(seed(model, 0))(0.3), plain, rtol=1e-10, atol=1e-12)


@settings(max_examples=25)
@given(MODELS)
def test_tracing_a_jitted_model_is_jitting_the_traced_one(body):
    model = lambda x: run(body, x)
    record = lambda m, x: {k: s["value"] for k, s in trace(seed(m, 0)).get_trace(x).items()}
    with config(disable_jit=True):
        plain, outside = record(model, 0.3), record(jit(model), 0.3)
        inside = jit(lambda x: record(model, x))(0.3)    # a dict comes back with its keys in order
    assert list(plain) == list(outside) and set(plain) == set(inside)
    for k, v in plain.items():
        np.testing.assert_array_equal(np.asarray(outside[k]), np.asarray(v), err_msg=k)
        np.testing.assert_array_equal(np.asarray(inside[k]), np.asarray(v), err_msg=k)


@pytest.mark.usefixtures("few_objects")
@settings(max_examples=15, phases=(Phase.generate,), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MODELS)
def test_no_traced_value_outlives_its_trace(body):
    model = lambda x: run(body, x)
    with config(disable_jit=True, check_leaks=True):
        handled = seed(model, 0)
        vmap(handled)(np.array([0.2, 0.4]))
        grad(lambda x: handled(x) * 1.0)(0.3)
        params = kept(trace(handled).get_trace(0.3), False)
        jit(lambda x, p: log_density(model, (x,), {}, p)[0])(0.3, params)
        program, data = stage_model(model, (0.3,))
        program.describe(data)


@settings(max_examples=25)
@given(MODELS, st.sampled_from(["extra", "swapped", "longer"]))
def test_a_change_beside_a_site_leaves_its_draw(body, change):
    """Sites at the top level whose distribution does not depend on the change draw the same numbers."""
    def alone(x):
        return cr.sample("probe", dist.Normal(0.0, 1.0)), vmap(lambda i: cr.sample("lanes", dist.Normal(0.0, 1.0)))(
            np.arange(4 if change == "longer" else 3))

    def beside(x):
        first = None if change == "swapped" else run(body, x)
        out = alone(x)
        return out if first is not None else (out, run(body, x))[0]

    with config(disable_jit=True):
        probe, lanes = seed(beside, 5)(0.3)
        expected, first_three = seed(lambda: (cr.sample("probe", dist.Normal(0.0, 1.0)),
                                              vmap(lambda i: cr.sample("lanes", dist.Normal(0.0, 1.0)))(np.arange(3))),
                                     5)()
    assert float(probe) == float(expected)
    np.testing.assert_array_equal(lanes[:3], first_three)
