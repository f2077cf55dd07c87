"""What collapse cannot integrate is named, with the operation and the line (tests/golden/ppl)."""
import re

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import cond, jit, scan
from chainrule.ppl import SiteError
from chainrule.ppl.handlers import collapse, mask, seed

BITS = np.array([1, 0, 1, 1])


def through(f, likelihood=dist.Bernoulli, prior=None, obs=1):
    def model():
        z = cr.sample("z", prior or dist.Beta(2.0, 2.0))
        changed = f(z)
        cr.sample("y", likelihood(changed), obs=obs)
    return model


def in_a_loop():
    scan(lambda c, y: (c, cr.sample("y", dist.Bernoulli(cr.sample("z", dist.Beta(1.0, 1.0))), obs=y)), 0.0, BITS)


def used_in_a_branch():
    z = cr.sample("z", dist.Beta(1.0, 1.0))
    jit(lambda t: cond(t, lambda: cr.sample("y", dist.Bernoulli(z), obs=1), lambda: 0))(True)


def unobserved():
    cr.sample("y", dist.Bernoulli(cr.sample("z", dist.Beta(1.0, 1.0))))


def recorded():
    cr.deterministic("d", 2.0 * cr.sample("z", dist.Beta(1.0, 1.0)))


def masked_prior():
    with mask(mask=True):
        cr.sample("z", dist.Beta(1.0, 1.0))


MISTAKES = {
    "collapse through a function": through(lambda z: cnp.sqrt(z)),
    "collapse through two uses": through(lambda z: z * z),
    "collapse a complement": through(lambda z: 1.0 - z),
    "collapse another likelihood": through(lambda z: z, lambda z: dist.Gamma(z, 1.0), obs=0.5),
    "collapse another prior": through(lambda z: z, prior=dist.Cauchy(0.0, 1.0)),
    "collapse a uniform of other bounds": through(lambda z: z, prior=dist.Uniform(0.0, 0.5)),
    "collapse a normal scale": through(lambda z: z, lambda z: dist.Normal(0.0, z), dist.Normal(0.0, 1.0), 0.5),
    "collapse a gamma for a scale": through(lambda z: z, lambda z: dist.Normal(0.0, z), dist.Gamma(1.0, 1.0), 0.5),
    "collapse a root plus one": through(lambda z: 1.0 + cnp.sqrt(1.0 / z), lambda z: dist.Normal(0.0, z),
                                        dist.Gamma(1.0, 1.0), 0.5),
    "collapse a beta for a mean": through(lambda z: z, lambda z: dist.Normal(z, 1.0), obs=0.5),
    "collapse a normal for a probability": through(lambda z: z, prior=dist.Normal(0.0, 1.0)),
    "collapse a part of a simplex": through(lambda z: z[:2] / 1.0, dist.Categorical, dist.Dirichlet(np.ones(3))),
    "collapse a mixed simplex": through(lambda z: z[np.array([0, 0, 1])], dist.Categorical, dist.Dirichlet(np.ones(3))),
    "collapse in a loop": in_a_loop,
    "collapse a branch": used_in_a_branch,
    "collapse without an observation": unobserved,
    "collapse a deterministic": recorded,
    "collapse a masked prior": masked_prior,
    "collapse and return": lambda: cr.sample("z", dist.Beta(1.0, 1.0)),
    "collapse and branch in Python": lambda: 1.0 if cr.sample("z", dist.Beta(1.0, 1.0)) > 0.5 else 0.0,
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_use_that_is_not_conjugate_is_named_with_its_line(name, golden):
    with pytest.raises(Exception) as caught:
        sites = ["z"] if name in ("collapse without an observation",) else None
        collapse(MISTAKES[name], sites=sites)()
    text = re.sub(r"(\w+\.py):\d+", r"\1:NN", str(caught.value))
    assert "'z'" in text and "at test_collapse_errors.py:NN" in text
    golden(f"ppl/{name.replace(' ', '_')}.txt", f"{type(caught.value).__name__}: {text}")


def test_a_name_that_is_no_site_is_an_error():
    with pytest.raises(SiteError, match="did you mean 'z'"):
        seed(collapse(unobserved, sites=["zz"]), 0)()
    with pytest.raises(TypeError, match=r"sites=\['z'\]"):
        collapse(unobserved, sites="z")
