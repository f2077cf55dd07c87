"""Samplers on a mesh: the draws are those without one, and the data's rows meet in one sum a gradient."""
import re

import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import Mesh, random, xla
from chainrule.engine import numpy as np
from chainrule.engine.errors import TransformError
from chainrule.engine.xla.program import _programs
from chainrule.inference import AIES, MCMC, NUTS, SVI
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam

DRAW = onp.random.default_rng(3)
X = DRAW.normal(size=(37, 2))                            # 37 rows cannot be cut evenly
Y = (DRAW.uniform(size=37) < 0.4).astype(float)
MESHES = {"1x1": {"chains": 1, "data": 1}, "2x1": {"chains": 2}, "1x2": {"data": 2}, "4x2": {"chains": 4, "data": 2}}


def model(x, y):
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    b = cr.sample("b", dist.Normal(np.zeros(2), 1.0).to_event(1))
    with cr.plate("row", y.shape[0]):
        cr.sample("y", dist.Bernoulli(logits=a + x @ b), obs=y)


def run(mesh, chain_method="auto", kernel=NUTS, **options):
    given = {"num_warmup": 40, "num_samples": 20, "num_chains": 4, **options}
    mcmc = MCMC(kernel(model), progress_bar=False, warn=False, mesh=mesh, chain_method=chain_method, **given)
    mcmc.run(0, X, Y)
    return mcmc


def draws(mcmc):
    found = mcmc.get_samples(group_by_chain=True)
    return onp.concatenate([onp.asarray(found["a"])[..., None], onp.asarray(found["b"])], -1)


@pytest.fixture(scope="module")
def alone():
    """{chain method: the draws on one device}"""
    return {method: draws(run(None, method)) for method in ("parallel", "vectorized")}


@pytest.mark.parametrize("size", MESHES)
@pytest.mark.parametrize("method", ["parallel", "vectorized"])
def test_draws_are_those_without_a_mesh(size, method, alone):
    mesh = MESHES[size]
    found = draws(run(mesh, method))
    if method == "parallel" and mesh.get("data", 1) == 1:
        assert onp.array_equal(found, alone[method])
    else:                                                # rounding of 40 + 20 transitions
        onp.testing.assert_allclose(found, alone[method], atol=1e-6)


def test_a_gradient_takes_one_collective():
    run({"data": 2})
    programs = [e.optimized_hlo() for p in list(_programs.values()) for d, e in p.executables.items()
                if type(d) is tuple and len(d) == 2 and "while(" in e.optimized_hlo()]
    assert programs
    for text in programs:
        assert len(re.findall(r"\ball-reduce\(", text)) == 1
        assert not re.findall(r"\b(all-gather|all-to-all|collective-permute)\(", text)


def test_a_mesh_of_the_user(alone):
    devices = onp.asarray(xla.devices()[3:7], dtype=object).reshape(2, 2)
    mcmc = run(Mesh(devices, ("data", "chains")))
    onp.testing.assert_allclose(draws(mcmc), alone["parallel"], atol=1e-6)
    mcmc.extend(5)
    assert draws(mcmc).shape == (4, 25, 3)


def test_a_run_on_disk_goes_on(tmp_path, alone):
    mcmc = run({"chains": 2, "data": 2}, num_samples=12, store=tmp_path / "run.zarr")
    first = draws(mcmc)
    again = MCMC.load(tmp_path / "run.zarr", model, X, Y)
    assert again.mesh.shape == {"chains": 2, "data": 2}
    again.extend(8)
    assert onp.array_equal(draws(again)[:, :12], first)
    onp.testing.assert_allclose(draws(again), alone["parallel"], atol=1e-6)


@pytest.mark.parametrize("kernel", [lambda m: NUTS(m, low_rank=True), AIES], ids=["low rank", "AIES"])
def test_other_kernels(kernel):
    options = {"num_warmup": 10, "num_samples": 4, "num_chains": 8}
    plain, cut = [draws(run(mesh, kernel=kernel, **options)) for mesh in (None, {"data": 2})]
    onp.testing.assert_allclose(cut, plain, atol=1e-3)   # few draws make a low-rank metric that magnifies rounding


def test_warmup_then_run(alone):
    mcmc = MCMC(NUTS(model), num_warmup=40, num_samples=20, num_chains=4, progress_bar=False, warn=False,
                mesh={"chains": 2, "data": 2})
    mcmc.warmup(0, X, Y)
    mcmc.run(1, X, Y)
    onp.testing.assert_allclose(draws(mcmc), alone["parallel"], atol=1e-6)


WRONG = [
    ({"chains": 5}, ValueError, "5 rows of devices for chains, and num_chains=4"),
    ({"chains": 3, "data": 4}, TransformError, "has 12 devices, and there are 8"),
    ({"rows": 2}, ValueError, '"chains": 2'),
    ({"data": 0}, ValueError, '"data": 2'),
]


@pytest.mark.parametrize("mesh, error, words", WRONG)
def test_wrong_meshes(mesh, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(mesh)


def test_an_ensemble_is_not_taken_apart():
    with pytest.raises(ValueError, match="AIES moves its chains together"):
        run({"chains": 2}, kernel=AIES)


def test_data_that_cannot_be_cut():
    def tiny(y):
        cr.sample("y", dist.Normal(cr.sample("mu", dist.Normal(0.0, 1.0)), 1.0), obs=y)

    mcmc = MCMC(NUTS(tiny), num_warmup=5, num_samples=5, progress_bar=False, mesh={"data": 2})
    with pytest.raises(ValueError, match="longest first axis among the model's arrays has 0 entries"):
        mcmc.run(0, 1.0)


@pytest.mark.parametrize("parts", [1, 2, 8])
def test_fits_are_those_on_one_device(parts):
    def fitted(mesh):
        svi = SVI(model, AutoNormal(model), Adam(0.05), mesh=mesh)
        found = svi.run(random.key(0), 60, X, Y, progress_bar=False)
        return found, svi.get_samples(random.key(1), found.params, X, Y, num_samples=2)["a"]

    (plain, a), (cut, b) = fitted(None), fitted({"data": parts})
    onp.testing.assert_allclose(cut.losses, plain.losses, rtol=1e-10)
    onp.testing.assert_allclose(b, a, rtol=1e-10)
    assert not cut.params["a_auto_loc"].committed


def test_batches_and_restarts_of_fits():
    batches = [(X[i:i + 12], Y[i:i + 12]) for i in (0, 12, 24)]

    def fitted(mesh):
        svi = SVI(model, AutoNormal(model), Adam(0.05), mesh=mesh)
        return (svi.run_batches(random.key(0), batches, progress_bar=False).losses,
                svi.run(random.key(0), 20, X, Y, num_restarts=3, progress_bar=False).losses)

    for cut, plain in zip(fitted({"data": 4}), fitted(None)):
        onp.testing.assert_allclose(cut, plain, rtol=1e-10)
