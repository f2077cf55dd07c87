"""The laws of sites under transformations: every model × every nesting of transformations × every handler.

The expected density is the one written by hand in `rows`, summed in plain Python loops.
"""
import itertools

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, random, vmap
from chainrule.ppl import Handler, log_density
from chainrule.ppl.handlers import block, condition, mask, replay, scale, seed, substitute, trace
from chainrule.ppl.model import site_log_prob
from tests.ppl.rows import MODELS, TRANSFORMS, nested

X = 0.35
ALONE = [(m, ()) for m in MODELS]
SINGLE = [(m, (t,)) for m in MODELS for t in TRANSFORMS]
PAIRS = [("plain", pair) for pair in itertools.product(TRANSFORMS, repeat=2)]
MANY_PAIRS = [(m, pair) for m in ("lanes", "chain", "choice", "plates") for pair in
              itertools.product(("vmap", "scan", "cond", "grad"), repeat=2)]
DEEP = [("plain", ("vmap", "scan", "vmap")), ("plain", ("scan", "vmap", "scan")), ("plain", ("cond", "scan", "vmap")),
        ("chain", ("vmap", "cond", "scan")), ("choice", ("scan", "vmap", "vmap of nothing")), ("choice", ("vmap", "scan", "vmap")),
        ("lanes", ("scan", "vmap", "grad")), ("plates", ("vmap", "cond", "vmap"))]
EVERY = ALONE + SINGLE + PAIRS + MANY_PAIRS + DEEP
SOME = ALONE + SINGLE + DEEP
FEW = ALONE + DEEP


def rows(cases):
    return pytest.mark.parametrize("name, transforms", cases, ids=["-".join((m, *t)) for m, t in cases])


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
