"""Mistakes in models: each is an error that names the site, the shapes and the user's own line (tests/golden/ppl)."""
import re

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import checkpoint, cond, grad, jit, scan, vmap, while_loop
from chainrule.engine.errors import ChainruleError
from chainrule.ppl import SiteError, log_density
from chainrule.ppl.handlers import block, condition, mask, scale, seed, substitute, trace
from chainrule.ppl.model import check_data, stage_model

SEVEN = np.arange(7.0)


def normal(name="x", loc=0.0, scale=1.0, **options):
    return cr.sample(name, dist.Normal(loc, scale), **options)


def simplex(obs):
    return cr.sample("x", dist.Dirichlet(np.ones(3)), obs=obs)


def seeded(model, *args):
    return seed(model, 0)(*args)


def eight(y):
    with cr.plate("school", 8):
        normal("theta")
        normal("y", obs=y)


def in_scan():
    return scan(lambda c, _: (c, normal()), 0.0, None, length=5)


def in_while():
    return while_loop(lambda s: s < 3.0, lambda s: s + cnp.exp(normal()), 0.0)


def nested_plates(name, dim):
    with cr.plate("a", 3):
        with cr.plate(name, 2, dim=dim):
            normal()


def in_branches():
    return jit(lambda t: cond(t, lambda: cnp.sum(normal("x", np.zeros(2))), lambda: normal("x")))(True)


def positive(y):
    rate = cr.sample("rate", dist.Gamma(2.0, 1.0))
    cr.sample("y", dist.Exponential(rate), obs=y)


def positive_in_scan(y):
    rate = cr.sample("rate", dist.Gamma(2.0, 1.0))
    scan(lambda c, y: (c, cr.sample("y", dist.Exponential(rate), obs=y)), 0.0, y)


def checked(model, *args):
    program, data = stage_model(model, args)
    program.describe(data)
    check_data(program, data)


MISTAKES = {
    "condition on an unknown site": lambda: seeded(condition(eight, data={"teta": 1.0}), None),
    "no value and no key": lambda: normal(),
    "no value for a site of log_density": lambda: log_density(eight, (np.zeros(8),)),
    "obs that does not broadcast": lambda: seeded(eight, SEVEN),
    "obs longer than its distribution": lambda: seeded(lambda: normal("x", np.zeros(8), obs=SEVEN)),
    "obs that would make a square": lambda: seeded(lambda: normal("x", np.zeros((7, 1)), obs=SEVEN)),
    "obs with an axis too many in a plate": lambda: seeded(eight, np.zeros((8, 1))),
    "obs of another event shape": lambda: seeded(lambda: simplex(np.ones(2) / 2)),
    "obs that is no array": lambda: seeded(lambda: normal(obs="three")),
    "obs outside of the support": lambda: seeded(lambda: cr.sample("x", dist.HalfNormal(1.0), obs=[1.0, -2.0])),
    "obs that is nan": lambda: seeded(lambda: normal("x", np.zeros(2), obs=np.array([0.0, np.nan]))),
    "obs of a simplex outside of the support": lambda: seeded(lambda: simplex(np.ones(3))),
    "data outside of the support": lambda: checked(positive, np.array([1.0, 2.0, -3.0])),
    "data outside of the support in a scan": lambda: checked(positive_in_scan, np.array([1.0, 2.0, -3.0])),
    "a value outside of the support": lambda: substitute(positive, data={"rate": -1.0})(np.ones(2)),
    "two sites of one name": lambda: trace(seed(lambda: (normal(), normal()), 0)).get_trace(),
    "one name inside and outside of a scan": lambda: trace(seed(lambda: (normal(), in_scan()), 0)).get_trace(),
    "a number for a distribution": lambda: seeded(lambda: cr.sample("x", 3.0)),
    "a name that is no string": lambda: seeded(lambda: cr.sample(dist.Normal(0.0, 1.0), "x")),
    "a plate of a traced size": lambda: jit(lambda n: cr.plate("a", n).__enter__())(3),
    "a plate of a size that is no integer": lambda: cr.plate("a", 2.5),
    "a plate of another size": lambda: seeded(lambda: _in_plate(np.zeros(4))),
    "a plate with a positive dim": lambda: cr.plate("a", 3, dim=0),
    "two plates of one name": lambda: seeded(lambda: nested_plates("a", None)),
    "two plates of one dim": lambda: seeded(lambda: nested_plates("b", -1)),
    "a while loop that is recorded": lambda: trace(seed(in_while, 0)).get_trace(),
    "a while loop that is given values": lambda: substitute(in_while, data={"x": 0.0})(),
    "a value for a scan without steps": lambda: substitute(in_scan, data={"x": 0.0})(),
    "a value for a scan of another length": lambda: substitute(in_scan, data={"x": np.zeros(4)})(),
    "a value for vmap with another number of lanes": lambda: substitute(lambda: vmap(lambda i: normal())(np.arange(5)),
                                                                        data={"x": np.zeros(4)})(),
    "a value for vmap with an axis too many": lambda: substitute(lambda: vmap(lambda i: normal())(np.arange(5)),
                                                                 data={"x": np.zeros((2, 5))})(),
    "branches with different shapes": lambda: trace(seed(in_branches, 0)).get_trace(),
    "if on a drawn value in jit": lambda: seeded(jit(lambda: 1.0 if normal() > 0 else 2.0)),
    "a blocked site without a value": lambda: seeded(block(normal, hide=["x"])),
    "an obs_mask of numbers": lambda: seeded(lambda: normal(obs=SEVEN, obs_mask=np.ones(7))),
    "an obs_mask of another shape": lambda: seeded(lambda: normal(obs=SEVEN, obs_mask=np.ones(6, bool))),
    "an obs_mask for parts of a simplex": lambda: seeded(lambda: cr.sample(
        "x", dist.Dirichlet(np.ones(3)), obs=np.ones(3) / 3, obs_mask=np.ones(3, bool))),
    "obs outside of the support where it is observed": lambda: seeded(lambda: cr.sample(
        "x", dist.HalfNormal(1.0), obs=[-1.0, -2.0], obs_mask=np.array([False, True]))),
    "a value for a factor": lambda: condition(lambda: cr.factor("f", 1.0), data={"f": 2.0})(),
    "an argument that is neither data nor fixed": lambda: stage_model(lambda y: normal(), ({1, 2},)),
    "a mask of numbers": lambda: mask(normal, mask=np.ones(2)),
    "block with two choices": lambda: block(normal, hide=["x"], expose=["y"]),
    "get_trace without a model": lambda: trace().get_trace(),
    "a handler without a model": lambda: scale(scale=2.0)(1.0),
}


def _in_plate(loc):
    with cr.plate("a", 3):
        normal("x", loc)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_text_of_each_mistake(name, golden):
    with pytest.raises(Exception) as caught:
        MISTAKES[name]()
    error = caught.value
    assert isinstance(error, (ChainruleError, TypeError, ValueError))
    text = re.sub(r"(\w+\.py):\d+", r"\1:NN", str(error))
    if isinstance(error, ChainruleError):
        assert "at test_errors.py:NN" in text
    if isinstance(error, SiteError):
        assert re.search(r"'\w+'|first argument|argument of the model", text)
    golden(f"ppl/{name.replace(' ', '_')}.txt", f"{type(error).__name__}: {text}")


def test_what_is_no_mistake():
    seeded(eight, np.zeros(8))
    seeded(lambda: normal("x", np.zeros(8), obs=np.zeros((3, 8))))
    seeded(lambda: normal("x", np.zeros(8), obs=1.0))
    checked(positive, np.array([1.0, 2.0]))
    checked(positive_in_scan, np.array([1.0, 2.0]))
    with mask(mask=np.array([True, False])):
        seeded(lambda: normal("x", np.zeros(2), obs=np.array([0.0, np.nan])))
    seeded(lambda: cr.sample("x", dist.HalfNormal(np.ones(2)).mask(np.array([True, False])), obs=np.array([1.0, -1.0])))
    condition(positive, data={"rate": 1.0})(np.ones(2))
    assert list(trace(seed(checkpoint(lambda: normal()), 0)).get_trace()) == ["x"]


def test_nan_under_a_mask_does_not_reach_the_gradient():
    y = np.array([0.5, np.nan])

    def model(loc):
        with mask(mask=~np.isnan(y)):
            normal("x", loc, obs=y)
    assert float(grad(lambda loc: log_density(model, (loc,))[0])(0.2)) == pytest.approx(0.3)
