"""The joint distribution of a model."""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import grad, jit, random, scan
from chainrule.engine.errors import ShapeError
from chainrule.ppl import SiteError


def model(scale, data=None):
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    with cr.plate("row", 2):
        cr.sample("y", dist.Normal(x, scale))
    scan(lambda c, _: (cr.sample("z", dist.Normal(c, 1.0)), None), x, None, length=3)
    if data is not None:
        cr.sample("data", dist.Normal(x, 1.0), obs=data)


def by_hand(v, scale, data=None):
    before = np.concatenate([[v["x"]], v["z"][:-1]])
    out = stats.norm.logpdf(v["x"]) + stats.norm.logpdf(v["y"], v["x"], scale).sum()
    return out + stats.norm.logpdf(v["z"], before).sum() + (0 if data is None else stats.norm.logpdf(data, v["x"]))


@pytest.mark.parametrize("data", [None, 0.7])
def test_draws_and_densities(data):
    joint = cr.Joint(model, 0.5, data=data)
    assert joint.event_shape == {"x": (), "y": (2,), "z": (3,)}
    draws = {k: np.asarray(v) for k, v in joint.sample(random.key(0), (2, 3)).items()}
    assert draws["z"].shape == (2, 3, 3)
    lp = joint.log_prob(draws)
    for i in np.ndindex(2, 3):
        one = {k: v[i] for k, v in draws.items()}
        assert float(lp[i]) == pytest.approx(by_hand(one, 0.5, data), rel=1e-13)
        assert float(joint.log_prob(one)) == pytest.approx(by_hand(one, 0.5, data), rel=1e-13)
    np.testing.assert_array_equal(joint.sample(random.key(0), (6,))["x"], draws["x"].ravel())


def test_it_is_compiled_and_differentiated():
    joint = cr.Joint(model, 0.5)
    v = {k: np.asarray(x) for k, x in joint.sample(random.key(1)).items()}
    assert float(jit(joint.log_prob)(v)) == pytest.approx(by_hand(v, 0.5), rel=1e-12)
    g = grad(joint.log_prob)(v)
    assert float(g["y"][0]) == pytest.approx(-(v["y"][0] - v["x"]) / 0.25, rel=1e-10)


def test_mistakes():
    joint = cr.Joint(model, 0.5)
    v = joint.sample(random.key(1))
    with pytest.raises(SiteError, match="'z' is missing"):
        joint.log_prob({"x": 0.0, "y": np.zeros(2)})
    with pytest.raises(SiteError, match="'w' is none of them"):
        joint.log_prob({**v, "w": 0.0})
    with pytest.raises(ShapeError, match="'z' has shape"):
        joint.log_prob({**v, "z": np.zeros(4)})
