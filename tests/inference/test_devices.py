"""Where a run goes by itself, with an accelerator that is pretended: the host's second device."""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import make_jaxpr, random, scan, xla
from chainrule.engine import numpy as np
from chainrule.engine.errors import PlacementError
from chainrule.inference import MCMC, NUTS, devices


def model(x, y):
    b = cr.sample("b", dist.Normal(np.zeros(x.shape[1]), 1.0).to_event(1))
    with cr.plate("row", len(y)):
        cr.sample("y", dist.Normal(x @ b, 1.0), obs=y)


def run(rows, **options):
    mcmc = MCMC(NUTS(model), num_warmup=10, num_samples=10, progress_bar=False, warn=False, **options)
    mcmc.run(random.key(0), onp.ones((rows, 2)), onp.zeros(rows))
    return mcmc


@pytest.fixture
def accelerator(monkeypatch):
    device = xla.devices()[-1]
    monkeypatch.setattr(xla, "may_have_accelerator", lambda: True)
    monkeypatch.setattr(xla, "accelerator", lambda: device)
    return device


def test_operations_are_counted_loops_included():
    def f(a):
        c, _ = scan(lambda c, _: (np.sin(c) + 1.0, None), a, None, length=5)
        return c @ c

    elements, products = devices.work(make_jaxpr(f)(np.ones((3, 3))))
    assert products == 27 and 5 * 2 * 9 <= elements <= 5 * 4 * 9


def test_small_work_stays_on_the_host(accelerator):
    mcmc = run(5, num_chains=2)
    assert "on the host, since a gradient of all chains takes the host some" in mcmc.where
    assert "device='gpu' chooses otherwise" in mcmc.where


def test_much_work_goes_away(accelerator, monkeypatch):
    monkeypatch.setattr(devices, "WORTH_IT", 1e-9)
    mcmc, plain = run(5, num_chains=2), run(5, num_chains=2, device="cpu:0")
    assert f"on {accelerator!r}, since a gradient of all chains takes" in mcmc.where and "on cpu:0" in plain.where
    assert onp.array_equal(mcmc.get_samples()["b"], plain.get_samples()["b"])


def test_more_chains_are_more_work(accelerator):
    mcmc = run(5)
    program, data = mcmc._job.program, mcmc._job.data
    seconds = [devices.seconds_of_gradient(program, data, n) for n in (1, 100, 10_000)]
    assert seconds[0] < seconds[1] < seconds[2]
    assert devices.choose(program, data, 1)[0] is None and devices.choose(program, data, 10 ** 7)[0] == accelerator


def test_without_an_accelerator_nothing_is_said(monkeypatch):
    monkeypatch.setattr(xla, "may_have_accelerator", lambda: False)
    assert "since" not in run(5).where


def test_wrong_devices():
    with pytest.raises(PlacementError, match="no device of platform 'gpu'" if not xla.may_have_accelerator() else "a"):
        run(5, device="gpu")
    with pytest.raises(ValueError, match="give device=, for one, or mesh=, for several"):
        MCMC(NUTS(model), num_warmup=1, num_samples=1, device="cpu", mesh={"data": 1})
    with pytest.raises(RuntimeError, match="nothing has run"):
        MCMC(NUTS(model), num_warmup=1, num_samples=1).where  # noqa: B018


def test_a_stored_run_keeps_its_device(tmp_path):
    mcmc = run(5, device="cpu:0", store=tmp_path / "run.zarr")
    again = MCMC.load(tmp_path / "run.zarr", model, onp.ones((5, 2)), onp.zeros(5))
    assert again.device == "cpu:0"
    assert onp.array_equal(again.get_samples()["b"], mcmc.get_samples()["b"])
