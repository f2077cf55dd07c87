"""Fits on disk go on bit for bit, in another process too; damage and other fits are refused by name."""
import json
import multiprocessing
import random as pyrandom

import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, stats
from chainrule.inference import SVI, Store, StoreError, TraceGraph_ELBO
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam, chain, clip, exponential_decay
from chainrule.inference.optim import adam as pair
from chainrule.inference.stein import RBFKernel, SteinVI
from chainrule.inference.svi.saved import described
from tests.inference.svi import killed


def model(y):
    mu = cr.sample("mu", dist.Normal(0.0, 10.0))
    k = cr.sample("k", dist.Bernoulli(0.4))
    with cr.plate("i", 3):
        cr.sample("y", dist.Normal(mu + k, 1.0), obs=y)


def guide(y):
    cr.sample("mu", dist.Normal(cr.param("loc", 0.0), cr.param("scale", 0.5, constraint=dist.constraints.positive)))
    cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)))


Y = onp.array([1.0, 2.0, 4.0])
FIT = SVI(model, guide, Adam(0.05), TraceGraph_ELBO())           # keeps averages beside the params


def run(steps, path=None, resume=True, svi=FIT, key=0, y=Y, **options):
    return svi.run(random.key(key), steps, y, progress_bar=False, store=path, resume=resume and path is not None,
                   **options)


def same(a, b):
    assert onp.array_equal(a.losses, b.losses)
    assert {k: onp.asarray(v).tolist() for k, v in a.params.items()} == {k: onp.asarray(v).tolist()
                                                                         for k, v in b.params.items()}


def test_a_fit_goes_on_bit_for_bit(tmp_path):
    full = run(300)
    before = stats().compilations
    run(7, tmp_path / "a")
    run(120, Store(tmp_path / "a", every=0.0))
    same(full, run(300, tmp_path / "a"))
    same(full, run(300, tmp_path / "a"))                         # it is done already
    assert stats().compilations == before
    assert sorted(p.name for p in (tmp_path / "a" / "state").iterdir())[-3:] == ["lock", "manifest.json", "model.txt"]


def test_a_fit_that_has_settled_stays_where_it_is(tmp_path):
    full = run(5000, tol=0.05, window=100)
    run(150, tmp_path / "a", tol=0.05, window=100)
    for _ in range(2):
        same(full, run(5000, tmp_path / "a", tol=0.05, window=100))
    assert full.losses.shape[0] < 5000


def test_restarts_are_all_kept_and_go_on(tmp_path):
    full = run(60, num_restarts=3)
    assert full.restarts.losses.shape == (3, 60) and full.restarts.params["loc"].shape == (3,)
    best = int(onp.argmin(onp.asarray(full.restarts.losses)[:, -6:].mean(1)))
    assert onp.array_equal(full.losses, full.restarts.losses[best]) and run(5).restarts is None
    params, state, losses = full
    assert params is full.params and state is full.state and losses is full.losses
    run(20, tmp_path / "a", num_restarts=3)
    again = run(60, tmp_path / "a", num_restarts=3)
    same(full, again)
    same(full.restarts, again.restarts)


def test_batches_go_on_from_where_they_were(tmp_path):
    rows = onp.random.default_rng(0).normal(2.0, 1.0, (20, 3))
    batches = lambda: iter(rows)
    full = FIT.run_batches(random.key(0), batches(), progress_bar=False)
    FIT.run_batches(random.key(0), batches(), 8, progress_bar=False, store=tmp_path / "a")
    same(full, FIT.run_batches(random.key(0), batches(), progress_bar=False, store=tmp_path / "a", resume=True))
    two = FIT.run_batches(random.key(0), rows, 50, progress_bar=False)
    same(two, FIT.run_batches(random.key(0), rows, 50, progress_bar=False, store=tmp_path / "a", resume=True))
    with pytest.raises(StoreError, match="batch 49 is another than it was"):
        FIT.run_batches(random.key(0), rows + onp.arange(20)[:, None] * 1.0, 60, progress_bar=False,
                        store=tmp_path / "a", resume=True)


def test_a_failing_iterator_leaves_what_was_fitted(tmp_path):
    def broken():
        yield from onp.ones((5, 3))
        raise OSError("the disk is gone")

    with pytest.raises(OSError):
        FIT.run_batches(random.key(0), broken(), progress_bar=False, store=tmp_path / "a")
    full = FIT.run_batches(random.key(0), onp.ones((9, 3)), progress_bar=False)
    same(full, FIT.run_batches(random.key(0), onp.ones((9, 3)), progress_bar=False, store=tmp_path / "a", resume=True))


def test_particles_go_on_too(tmp_path):
    def model(y):
        cr.sample("y", dist.Normal(cr.sample("mu", dist.Normal(0.0, 1.0)), 1.0), obs=y)

    stein = SteinVI(model, AutoNormal(model), Adam(0.05), RBFKernel(), 3, 2)
    full = run(40, svi=stein, y=1.0)
    run(15, tmp_path / "a", svi=stein, y=1.0)
    same(full, run(40, tmp_path / "a", svi=stein, y=1.0))
    other = SteinVI(model, AutoNormal(model), Adam(0.05), RBFKernel(), 3, 2, repulsion_temperature=2.0)
    with pytest.raises(StoreError, match="repulsion_temperature is 1.0 there and 2.0 here"):
        run(40, tmp_path / "a", svi=other, y=1.0)


def test_other_fits_and_damage_are_refused_by_name(tmp_path):
    run(20, tmp_path / "a")
    for call, words in ((lambda: run(30, tmp_path / "a", resume=False), "something at .* already: resume=True"),
                        (lambda: run(30, tmp_path / "a", y=Y + 1.0), "on other data: y is"),
                        (lambda: run(30, tmp_path / "a", key=1), "another setting: rng_key is"),
                        (lambda: run(30, tmp_path / "a", svi=SVI(model, guide, Adam(0.1), TraceGraph_ELBO())),
                         "another setting: optim is"),
                        (lambda: run(30, tmp_path / "a", svi=SVI(model, AutoNormal(lambda y: cr.sample(
                            "mu", dist.Normal(0.0, 1.0))), Adam(0.05), TraceGraph_ELBO())), "of another model")):
        with pytest.raises(StoreError, match=words):
            call()
    state = tmp_path / "a" / "state"
    file = next(state.glob("fit-*.npz"))
    kept = file.read_bytes()
    file.write_bytes(kept[:-1])
    with pytest.raises(StoreError, match="fit-1.npz was altered or cut"):
        run(30, tmp_path / "a")
    file.write_bytes(kept)
    manifest = json.loads((state / "manifest.json").read_text())
    manifest["body"]["done"] = 30
    (state / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="manifest.json was altered or cut"):
        run(30, tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").write_text("")
    with pytest.raises(StoreError, match="is no fit"):
        run(30, tmp_path / "b")
    with pytest.raises(ValueError, match="pass it as store="):
        FIT.run(random.key(0), 5, Y, progress_bar=False, resume=True)


def test_settings_are_described_alike_in_all_processes():
    optim = lambda rate: chain(clip(1.0), pair(exponential_decay(rate, 10, 0.9)))
    assert described(optim(0.1)) == described(optim(0.1)) != described(optim(0.2))
    assert " at 0x" not in described(optim(0.1)) and "…" in described(_loop())


def _loop():
    a = []
    a.append(a)
    return a


@pytest.mark.slow
def test_a_fit_that_is_killed_goes_on_to_the_same_numbers(tmp_path):
    """In processes of their own, killed at random moments, until one comes to its end."""
    expected = killed.new().run(random.key(0), killed.STEPS, killed.DATA, progress_bar=False)
    context, chance, kills = multiprocessing.get_context("forkserver"), pyrandom.Random(0), 0
    context.set_forkserver_preload(["tests.inference.svi.killed"])
    while True:
        begun = context.Event()
        process = context.Process(target=killed.work, args=(str(tmp_path / "a"), begun))
        process.start()
        assert begun.wait(60)
        process.join(chance.uniform(0.2, 0.8) if kills < 6 else 300)
        if process.exitcode is not None:
            break
        process.kill()
        process.join()
        kills += 1
    assert process.exitcode == 0 and kills > 1
    same(expected, killed.new().run(random.key(0), killed.STEPS, killed.DATA, progress_bar=False, store=tmp_path / "a",
                                    resume=True))
