"""Runs that stop by themselves, go on, or run in the background; and what is kept of them."""
import signal
import threading
import time

import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, stats
from chainrule.inference import MCMC, NUTS, Store, Until, diagnostics, driver, job
from chainrule.inference.tape import Snapshot, Tape
from tests.inference.targets import EFFECTS, ERRORS, eight_schools


def new(**options):
    return MCMC(NUTS(options.pop("model", eight_schools)), **{"num_warmup": 60, "num_samples": 100, "num_chains": 2,
                                                              "progress_bar": False, "warn": False, **options})


def run(**options):
    mcmc = new(**options)
    mcmc.run(random.key(0), ERRORS, EFFECTS)
    return mcmc


def samples(mcmc):
    return {k: onp.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}


def assert_same(a, b):
    a, b = samples(a), samples(b)
    assert a.keys() == b.keys() and all(onp.array_equal(a[k], b[k]) for k in a)


# ---- until ----

TARGETS = {"rhat": 1.03, "ess_bulk": 300, "ess_tail": 150}


def test_a_run_stops_at_its_targets_and_at_the_same_draw_however_it_is_placed(tmp_path):
    options = dict(num_samples=20_000, until=TARGETS, num_chains=3, num_warmup=200)
    runs = [run(**options), run(**options, chain_method="sequential"), run(**options, store=tmp_path / "a.zarr")]
    for other in runs[1:]:
        assert_same(runs[0], other)
    x = samples(runs[0])
    n = x["mu"].shape[1]
    assert runs[0].stopped_by == "until" and not runs[0].interrupted and 100 <= n < 20_000
    assert_same(runs[0], run(num_samples=n, num_chains=3, num_warmup=200))
    latent = [x[k] for k in ("mu", "tau", "z")]
    assert runs[0].measured["rhat"] == max(onp.max(diagnostics.rhat(v)) for v in latent) <= 1.03
    assert runs[0].measured["ess_bulk"] == min(onp.min(diagnostics.ess_bulk(v)) for v in latent) >= 300
    looks = Until(TARGETS).looks(20_000)
    if n > looks[0]:                                     # the look before was not enough
        before = {k: v[:, :looks[looks.index(n) - 1]] for k, v in x.items()}
        measured = Until(TARGETS).worst([Until(TARGETS).measure(before[k]) for k in ("mu", "tau", "z")])
        assert not Until(TARGETS).reached(measured)
    again = MCMC.resume(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    assert_same(runs[0], again)
    runs[0].extend(50)
    assert runs[0].stopped_by == "num_samples"
    expected = run(num_samples=n + 50, num_chains=3, num_warmup=200)
    assert_same(runs[0], expected)
    again.extend(50)                                     # its end is as fixed on disk: no target cuts it
    assert_same(expected, MCMC.resume(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS))


def test_a_target_may_be_out_of_reach_or_only_of_some_sites():
    mcmc = run(until={"ess_bulk": 1e9}, num_samples=130)
    assert mcmc.stopped_by == "num_samples" and samples(mcmc)["mu"].shape == (2, 130)
    assert 0 < mcmc.measured["ess_bulk"] < 1e9 and set(mcmc.measured) == {"ess_bulk"}
    mcmc = run(until={"ess_bulk": 20, "sites": "theta"}, num_samples=1000, thinning=2)
    assert mcmc.stopped_by == "until" and samples(mcmc)["mu"].shape == (2, 100)


def test_limits_of_gradients_and_seconds():
    mcmc = run(until={"gradients": 5_000}, num_samples=10_000_000)
    assert mcmc.stopped_by == "gradients" and mcmc.gradients >= 5_000 and samples(mcmc)["mu"].shape[1] < 10_000_000
    n = samples(mcmc)["mu"].shape[1]
    mcmc.extend(10)                                      # no limit
    assert mcmc.stopped_by == "num_samples" and samples(mcmc)["mu"].shape[1] >= n + 10
    mcmc = run(until={"seconds": 1e-9}, num_warmup=1_000_000)
    assert mcmc.stopped_by == "seconds"
    with pytest.raises(RuntimeError, match="no draws"):
        mcmc.get_samples()


@pytest.mark.parametrize("until, text", [
    ({"r_hat": 1.01}, "no target 'r_hat'"), ({"rhat": 1.0}, "above 1"), ({"ess_bulk": "many"}, "above 0"),
    ({"seconds": -1}, "above 0"), ({"gradients": True}, "above 0")])
def test_bad_targets(until, text):
    with pytest.raises(ValueError, match=text):
        new(until=until)


def test_an_unknown_site_of_a_target():
    with pytest.raises(ValueError, match="until: there is no site 'y'; there are mu, tau, z, theta"):
        run(until={"rhat": 1.1, "sites": ["y"]})


def test_a_number_that_does_not_move_does_not_reach_a_target():
    targets = Until({"rhat": 1.1, "ess_bulk": 10})
    moving, still = onp.random.default_rng(0).normal(size=(2, 200)), onp.zeros((2, 200))
    assert targets.reached(targets.measure(moving))
    assert not targets.reached(targets.worst([targets.measure(moving), targets.measure(still)]))
    assert targets.reached(targets.worst([targets.measure(moving), targets.measure(onp.zeros((2, 200, 0)))]))


@pytest.mark.slow
def test_intervals_at_a_stop_hold_what_they_should():
    """400 stopped runs of two correlated normals: 90 % intervals of a mean. False alarms: 3 · 10⁻⁶ (4.5 sd)."""
    def model():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(0.9 * x, 0.19 ** 0.5))

    held = 0
    for seed in range(400):
        mcmc = new(model=model, num_samples=20_000, num_warmup=200, until={"ess_bulk": 100, "rhat": 1.05})
        mcmc.run(random.key(seed))
        y = samples(mcmc)["y"]
        assert mcmc.stopped_by == "until"
        held += abs(y.mean()) < 1.645 * diagnostics.mcse_mean(y)
    assert held > 400 * 0.9 - 4.5 * (400 * 0.09) ** 0.5


# ---- on and on ----

@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
def test_a_run_goes_on_from_post_warmup_state(tmp_path, disk):
    expected, mcmc = run(num_samples=150), new(num_samples=90, store=tmp_path / "a.zarr" if disk else None)
    mcmc.warmup(random.key(0), ERRORS, EFFECTS)
    with pytest.raises(RuntimeError, match="no draws"):
        mcmc.get_samples()
    with pytest.raises(RuntimeError, match="call run first"):
        mcmc.extend(10)
    assert len(mcmc.last_state) == 2
    before = stats().compilations
    mcmc.run(random.key(1), ERRORS, EFFECTS)
    first = samples(mcmc)
    mcmc.post_warmup_state, mcmc.num_samples = mcmc.last_state, 60
    if disk:
        assert_same(mcmc, MCMC.resume(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS))
        mcmc.store = Store(tmp_path / "b.zarr")
    mcmc.run(random.key(2), ERRORS, EFFECTS)
    assert stats().compilations == before
    second = samples(mcmc)
    for k, v in samples(expected).items():
        assert onp.array_equal(onp.concatenate([first[k], second[k]], 1), v)


def test_warm_up_may_be_collected():
    mcmc = new()
    mcmc.warmup(random.key(0), ERRORS, EFFECTS, collect_warmup=True)
    warm = run(keep_warmup=True).to_arviz()["warmup_posterior"]
    for k, v in samples(mcmc).items():
        assert onp.array_equal(v, warm[k].values)


@pytest.mark.parametrize("state, text", [([], "last_state gives of 2 chains"), ("last", "last_state gives")])
def test_a_bad_post_warmup_state(state, text):
    mcmc = new()
    mcmc.post_warmup_state = state
    with pytest.raises(ValueError, match=text):
        mcmc.run(random.key(0), ERRORS, EFFECTS)


def test_there_must_be_something_to_extend():
    with pytest.raises(RuntimeError, match="call run first"):
        new().extend(10)


@pytest.mark.slow
@pytest.mark.parametrize("warmup", [60, 100_000_000], ids=["sampling", "warm-up"])
def test_an_interrupted_run_goes_on(tmp_path, warmup):
    """Ctrl-C between turns; then the state on disk, and the run itself, go on to what they would have been."""
    options = dict(num_warmup=warmup, num_samples=100_000_000 if warmup == 60 else 100)
    mcmc = new(**options, store=tmp_path / "a.zarr")
    run()                                                # compiles
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        mcmc.run(random.key(0), ERRORS, EFFECTS)
        assert mcmc.interrupted and mcmc.stopped_by == "interrupt" and warmup == 60
    except KeyboardInterrupt:
        assert warmup != 60
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert max(mcmc._job.tape.done) < warmup + options["num_samples"]
    done, n = min(mcmc._job.tape.done), max(mcmc._job.tape.done) + 50
    found = MCMC.load(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    assert min(found._job.tape.done) == done
    if warmup == 60:                                     # else it would take long
        found.extend(50)
        found = {k: v[:, :n - 60] for k, v in samples(found).items()}
        expected = samples(run(num_samples=n - 60))
        assert all(onp.array_equal(found[k], expected[k]) for k in expected)


# ---- in the background ----

def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_background_run_can_be_watched_paused_and_stopped():
    mcmc = new(num_samples=10_000_000)
    begun = mcmc.start(random.key(0), ERRORS, EFFECTS)
    wait_for(lambda: begun.inspect().draws is not None and begun.inspect().draws.n > 50)
    with pytest.raises(RuntimeError, match="on its way in the background"):
        mcmc.extend(10)
    with pytest.raises(TimeoutError, match="has not ended after 0.01 seconds: running"):
        begun.wait(0.01)
    begun.pause()
    wait_for(lambda: begun.inspect().state == "paused")
    time.sleep(0.3)                                      # turns of a tenth of a second end
    first = begun.inspect()
    time.sleep(0.2)
    second = begun.inspect()
    assert first.transitions == second.transitions and not begun.done
    assert str(second).startswith(f"paused: {second.draws.n} draws of 2 chains; transitions ")
    begun.resume()
    wait_for(lambda: begun.inspect().transitions > second.transitions)
    assert begun.abort() is mcmc
    assert begun.done and mcmc.stopped_by == "abort" and mcmc.interrupted and begun.inspect().state == "abort"
    x, early = samples(mcmc), second.get_samples(group_by_chain=True)
    assert onp.array_equal(onp.asarray(early["mu"]), x["mu"][:len(early["mu"]), :second.draws.n])
    expected = samples(run(num_samples=100))
    assert onp.array_equal(x["mu"][:, :100], expected["mu"][:len(x["mu"])])


def test_a_background_run_ends_as_any_other(capsys):
    begun = new().start(random.key(0), ERRORS, EFFECTS)
    assert_same(begun.wait(), run())
    assert begun.inspect().state == "num_samples"
    begun.inspect().print_summary()
    assert "num_samples: 100 draws of 2 chains" in capsys.readouterr().out
    assert_same(begun.wait().extend(30, background=True).wait(), run(num_samples=130))


def test_errors_of_a_background_run_are_raised_by_wait():
    def nowhere():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.factor("never", cr.engine.numpy.where(x > -1e9, -cr.engine.numpy.inf, 0.0))

    begun = new(model=nowhere).start(random.key(0))
    with pytest.raises(cr.inference.SamplingError, match="no start was found"):
        begun.wait()
    assert begun.inspect().state == "failed"


def test_a_background_run_has_the_settings_of_the_thread_that_began_it():
    with cr.engine.config(default_float="float32"):
        begun = new().start(random.key(0), ERRORS, EFFECTS)
    assert samples(begun.wait())["mu"].dtype == onp.float32


# ---- placement ----

def test_a_method_is_chosen_and_said(monkeypatch):
    monkeypatch.setattr(job, "cores", lambda: 4)
    assert job.placement("auto", 3) == ("parallel", [[0], [1], [2]], "3 chains, 3 at a time on 4 cores")
    assert job.placement("sequential", 1) == ("sequential", [[0]], "1 chain, 1 at a time on 4 cores")
    monkeypatch.setattr(job, "default_device", lambda: type("Device", (), {"platform": "cuda"}))
    assert job.placement("auto", 3)[::2] == ("vectorized", "3 chains, side by side in one program on the cuda")


# ---- the tape ----

def test_a_tape_keeps_the_same_draws_however_they_come():
    """Pieces of any length, across the end of warm-up and of a thinning interval."""
    rng = onp.random.default_rng(0)
    rows = onp.arange(1, 61, dtype=float)[:, None]       # transition t has the position t
    for _ in range(50):
        warmup, thinning, first = rng.integers(0, 20), int(rng.integers(1, 6)), int(rng.integers(0, 5))
        tape = Tape(1, None, None, first=first, warmup=warmup, thinning=thinning, keep_warmup=True)
        cuts = onp.sort(rng.integers(first, 60, size=rng.integers(0, 12)))
        for a, b in zip([first, *cuts], [*cuts, 60]):
            tape.add(Snapshot((0,), None, None, None, None), [(rows[a:b], onp.zeros((b - a, 9)))])
        begin = max(warmup, first)
        assert tape.counts() == [(60 - begin) // thinning] and tape.counts(warm=True) == [begin - first]
        assert onp.array_equal(tape.reels[0].joined()[0][:, 0], onp.arange(begin + thinning, 61, thinning))
        assert tape.done == [60]


def test_a_second_interrupt_raises_at_once():
    control = driver.Control()
    with control.interrupts():
        signal.raise_signal(signal.SIGINT)
        assert control.reason == "interrupt" and control.halted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
