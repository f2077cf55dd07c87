"""Staged models: what is run once, what is data, and the queries that run over the program."""
import functools

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import biject_to
from chainrule.engine import config, grad, jit, vmap
from chainrule.ppl.handlers import scale, seed, trace
from chainrule.ppl.model import Points, site_log_prob, stage_model, unravel
from chainrule.ppl.sites import SCORED
from tests.ppl.rows import nested

GLOBAL = np.array([1.0, 2.0])


def program_of(model, *args, **kwargs):
    program, data = stage_model(model, args, kwargs)
    program.describe(data)
    return program, data


def shapes(model, *args, **kwargs):
    program, data = program_of(model, *args, **kwargs)
    return {k: v.shape for k, v in program.observed(data).items()}


# ---- once ----

def counted():
    calls = []

    def model(y, n=2, scale=1.0, name="mu"):
        calls.append(1)
        with cr.plate("i", n):
            mu = cr.sample(name, dist.Normal(0.0, scale))
        cr.sample("y", dist.Normal(np.zeros(np.shape(y)) + cnp.sum(mu), 1.0), obs=y)
    return model, calls


def test_the_function_runs_once_for_each_set_of_types_and_fixed_arguments():
    model, calls = counted()
    used = [((np.ones(3),), {}), ((np.zeros(3),), {}), (([1.0, 2.0, 3.0],), {}), ((pd.Series([1.0, 2.0, 3.0]),), {}),
            ((np.ones(3),), dict(scale=2.0)), ((np.ones(3),), dict(scale=3.0)),
            ((np.ones(4),), {}), ((np.ones(3, np.float32),), {}), ((np.ones(3),), dict(n=3)),
            ((np.ones(3),), dict(name="nu")), ((np.ones(3),), dict(scale=1.0))]
    runs, seen = [], []
    for args, kwargs in used:
        program, data = program_of(model, *args, **kwargs)
        z = {v.name: np.zeros(v.unconstrained_shape) for v in program.latents}
        program.log_joint(z, data, True), program.constrained(z, data)
        program.observed(data), program.outline(data)
        runs.append(len(calls))
        seen.append(program)
    assert runs == [1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 6]
    assert seen[0] is seen[3] and seen[0] is not seen[4]


def observing(get):
    def model():
        cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(0.0, 1.0), obs=get())
    return model


def from_global():
    cr.sample("y", dist.Normal(0.0, 1.0), obs=GLOBAL)


def read(model):
    program, data = program_of(model)
    return program.observed(data)["y"]


def test_a_model_follows_what_it_closes_over():
    y, calls = np.array([1.0, 2.0]), [0]

    def model():
        calls[0] += 1
        cr.sample("y", dist.Normal(0.0, 1.0), obs=y)

    program = program_of(model)[0]
    assert program_of(model)[0] is program and calls == [1]
    y[0] = 5.0
    np.testing.assert_array_equal(read(model), [5.0, 2.0])
    y = np.array([3.0, 4.0, 5.0])
    np.testing.assert_array_equal(read(model), y)
    assert calls == [3]

    global GLOBAL
    np.testing.assert_array_equal(read(from_global), [1.0, 2.0])
    GLOBAL = np.array([7.0])
    np.testing.assert_array_equal(read(from_global), [7.0])

    value = 1.0
    other = observing(lambda: value)
    assert read(other) == 1.0
    value = 2.0
    assert read(other) == 2.0


def test_methods_partial_functions_and_handlers_are_models_of_their_own():
    class Thing:
        def __init__(self, y):
            self.y = y

        def model(self):
            cr.sample("y", dist.Normal(0.0, 1.0), obs=self.y)

        def __call__(self):
            self.model()

    def with_argument(y):
        cr.sample("y", dist.Normal(0.0, 1.0), obs=y)

    one, two = Thing(1.0), Thing(2.0)
    assert read(one.model) == 1.0 and read(two.model) == 2.0 and read(one) == 1.0 and read(two) == 2.0
    assert program_of(one.model)[0] is program_of(one.model)[0]
    one.y = 3.0
    assert read(one.model) == 3.0 and read(one) == 3.0
    for y in (1.0, 2.0):
        assert read(functools.partial(with_argument, y)) == y
    for factor in (1.0, 2.0):
        program, data = program_of(scale(one.model, scale=factor))
        assert float(program.log_joint({}, data)) == pytest.approx(factor * float(dist.Normal(0.0, 1.0).log_prob(3.0)))


# ---- data ----

def any_data(y, **rest):
    cr.sample("y", dist.Normal(0.0, 1.0), obs=y)


DATA = {"float": (1.5, ()), "list": ([1.0, 2.0], (2,)), "list of integers": ([28, 8, -3], (3,)),
        "nested list": ([[1.0, 2.0], [3, 4]], (2, 2)), "array": (np.ones(3), (3,)), "integers": (np.arange(3), (3,)),
        "series": (pd.Series([1.0, 2.0]), (2,)), "frame": (pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), (2, 2)),
        "our array": (cnp.ones(2), (2,)), "zero-dimensional": (np.array(2.0), ())}


@pytest.mark.parametrize("name", DATA)
def test_data_come_in_many_forms(name):
    value, shape = DATA[name]
    assert shapes(any_data, value) == {"y": shape}
    assert len(stage_model(any_data, (value,))[1]) == 1
    program, data = stage_model(any_data, (value,))
    np.testing.assert_array_equal(program.observed(data)["y"], np.asarray(value))


@pytest.mark.parametrize("fixed", [3, True, "name", None, np.int64(4), (2, 3), len])
def test_what_is_not_data_is_fixed(fixed):
    seen = []

    def model(y, option):
        seen.append(option)
        cr.sample("y", dist.Normal(0.0, 1.0), obs=y)

    program, data = program_of(model, 1.0, fixed)
    assert len(data) == 1 and seen == [fixed] and type(seen[0]) is type(fixed)
    assert program_of(model, 2.0, fixed)[0] is program


def test_trees_of_data_and_facts():
    def model(batch, sizes):
        cr.sample("y", dist.Normal(batch["x"] * sizes[0], 1.0), obs=batch["y"])
    program, data = program_of(model, {"x": np.ones(3), "y": np.zeros(3)}, (2, 5))
    assert len(data) == 2
    assert program.observed(data)["y"].shape == (3,)


# ---- queries ----

CASES = [("plain", ()), ("observed", ()), ("vectors", ()), ("plates", ()), ("chain", ()), ("lanes", ()),
         ("plain", ("vmap",)), ("vectors", ("scan",)), ("chain", ("vmap",)), ("plain", ("cond",)),
         ("plain", ("cond", "vmap")), ("lanes", ("scan",)), ("plates", ("checkpoint",)), ("plain", ("scan", "vmap"))]


@pytest.mark.parametrize("name, transforms", CASES, ids=["-".join((m, *t)) for m, t in CASES])
def test_log_joint_is_the_density_with_the_log_determinants(name, transforms):
    row, x = nested(name, transforms), 0.4
    with config(disable_jit=True):
        program, data = program_of(row.model, x)
        tr = trace(seed(row.model, 1)).get_trace(x)
        values = {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] == "sample"}
        assert {v.name: v.shape for v in program.latents} == {
            k: s["value"].shape for k, s in tr.items() if s["type"] == "sample" and not s["is_observed"]}
        expected = row.score(x, values)
        latent = {v.name: values[v.name] for v in program.latents}
        assert float(program.log_joint(latent, data)) == pytest.approx(expected, rel=1e-12)
        if any(v.is_discrete for v in program.latents):
            return

        z, log_det = {}, 0.0
        for v in program.latents:
            t = biject_to(tr[v.name]["fn"].support)
            z[v.name] = t._inverse(cnp.asarray(latent[v.name]))
            assert z[v.name].shape == v.unconstrained_shape
            log_det += float(cnp.sum(t.log_abs_det_jacobian(z[v.name], t(z[v.name]))))
        assert float(program.log_joint(z, data, True)) == pytest.approx(expected + log_det, rel=1e-9)
        found = program.constrained(z, data)
        assert set(found) == {k for k, s in tr.items() if s["type"] == "deterministic"} | set(latent)
        for k in found:
            np.testing.assert_allclose(found[k], tr[k]["value"], rtol=1e-9, atol=1e-12)
        for k, y in program.observed(data).items():
            np.testing.assert_array_equal(y, values[k])
        at = trace(Points(program, z, True)).get_trace(*data)
        terms = [site_log_prob(k, s) for k, s in at.items() if s["type"] in SCORED]
        assert float(sum(cnp.sum(t) for t in terms)) == pytest.approx(expected, rel=1e-9)


def test_log_joint_is_compiled_differentiated_and_mapped_over_data_sets():
    def model(y):
        s = cr.sample("s", dist.HalfNormal(1.0))
        cr.sample("y", dist.Normal(0.0, s), obs=y)

    program, data = program_of(model, np.ones(4))
    joint = jit(lambda z, y: program.log_joint({"s": z}, [y], True))
    many = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.1, 0.2, 0.3]])
    expected = [float(program.log_joint({"s": np.array(0.3)}, [cnp.asarray(y)], True)) for y in many]
    np.testing.assert_allclose([joint(0.3, y) for y in many], expected, rtol=1e-13)
    np.testing.assert_allclose(vmap(joint, in_axes=(None, 0))(0.3, many), expected, rtol=1e-13)
    h = 1e-6
    slope = (float(joint(0.3 + h, many[0])) - float(joint(0.3 - h, many[0]))) / (2 * h)
    assert float(grad(joint)(0.3, many[0])) == pytest.approx(slope, rel=1e-7)


def test_a_vector_is_taken_apart_in_the_order_of_the_sites():
    def model():
        cr.sample("b", dist.Normal(np.zeros(2), 1.0))
        cr.sample("a", dist.Dirichlet(np.ones(3)))
    program, _ = program_of(model)
    parts = unravel(program.latents, cnp.arange(4.0))
    assert list(parts) == ["b", "a"] and parts["a"].tolist() == [2.0, 3.0]


def test_a_prior_that_cannot_be_drawn_from_is_described_all_the_same():
    def model():
        s = cr.sample("s", dist.ImproperUniform(dist.constraints.positive, (2,), ()))
        with cr.plate("n", 2):
            cr.sample("y", dist.Normal(0.0, s), obs=np.array([1.0, -2.0]))
    program, data = program_of(model)
    assert [(v.name, v.shape, v.is_discrete) for v in program.latents] == [("s", (2,), False)]
    expected = np.log([0.5, 2.0]).sum() + float(cnp.sum(dist.Normal(0.0, np.array([0.5, 2.0])).log_prob([1.0, -2.0])))
    assert float(program.log_joint({"s": np.log([0.5, 2.0])}, data, True)) == pytest.approx(expected, rel=1e-12)
