"""Models under pmap: the sites, draws and densities are those under vmap, whichever side the handlers stand on."""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, pmap, scan, vmap
from chainrule.ppl.handlers import condition, mask, scale, seed, substitute, trace

X = onp.linspace(-1.0, 1.0, 8)


def plain(x):
    z = cr.sample("z", dist.Normal(x, 1.0))
    return cr.sample("y", dist.Normal(z, 2.0), obs=0.3)


def plated(x):
    with cr.plate("n", 3):
        z = cr.sample("z", dist.Normal(x, 1.0))
    cr.factor("f", -np.sum(z))
    return cr.deterministic("s", z.sum())


def looped(x):
    def step(c, _):
        c = cr.sample("z", dist.Normal(c, 0.5))
        return c, c
    return scan(step, x, None, length=4)[1]


MODELS = [plain, plated, looped]
HANDLERS = {
    "none": lambda m: m,
    "scale": lambda m: scale(m, 0.5),
    "mask": lambda m: mask(m, mask=False),
    "jit": jit,
}


def sites(model, x):
    return {k: (s["type"], onp.asarray(s["value"])) for k, s in trace(model).get_trace(x).items()}


def same(a, b):
    assert a.keys() == b.keys()
    for k in a:
        assert a[k][0] == b[k][0]
        onp.testing.assert_allclose(a[k][1], b[k][1], rtol=1e-13)


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_sites_are_those_of_vmap(model, handler):
    h = HANDLERS[handler]
    for inside, outside in ((h, lambda m: m), (lambda m: m, h)):
        devices, lanes = (seed(outside(parallel(inside(model))), 0) for parallel in (pmap, vmap))
        same(sites(devices, X), sites(lanes, X))
        onp.testing.assert_allclose(devices(X), lanes(X), rtol=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_densities_and_derivatives(model):
    values = {k: s["value"] for k, s in trace(seed(vmap(model), 1)).get_trace(X).items()
              if s["type"] == "sample" and not s["is_observed"]}

    def density(parallel, z):
        return cr.log_density(parallel(model), (X,), {}, {"z": z})[0]
    onp.testing.assert_allclose(density(pmap, values["z"]), density(vmap, values["z"]), rtol=1e-13)
    onp.testing.assert_allclose(grad(lambda z: density(pmap, z))(values["z"]),
                                grad(lambda z: density(vmap, z))(values["z"]), rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_handlers_inside_leave_programs_for_the_devices(model):
    """A seeded model inside runs on the devices; keys go in as data."""
    def run(key, x):
        return seed(model, key)(x)
    keys = cr.engine.random.split(cr.engine.random.key(5), 8)
    out = pmap(run)(keys, X)
    onp.testing.assert_allclose(out, vmap(run)(keys, X), rtol=1e-13)
    assert len(out.devices()) == 8


def test_conditions_and_substitutions():
    for h in (lambda m: condition(m, {"z": X}), lambda m: substitute(m, {"z": X})):
        same(sites(seed(h(pmap(plain)), 0), X), sites(seed(h(vmap(plain)), 0), X))
