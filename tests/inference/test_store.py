"""Runs on disk: what readers see, that a run goes on as if nothing had happened, and what is refused."""
import json
import multiprocessing
import os
import pathlib
import random as pyrandom
import subprocess
import sys
import textwrap

import numpy as onp
import pytest
import xarray
import zarr

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import config, random
from chainrule.inference import AIES, HMC, MCMC, NUTS, RWM, SamplingWarning, Store, StoreError, driver, layout, store
from tests.inference import killed
from tests.inference.targets import EFFECTS, ERRORS, eight_schools

ROOT = pathlib.Path(__file__).resolve().parents[2]


def new(path=None, model=eight_schools, kernel=None, every=0.0, block=40, unconstrained=False, **options):
    options = {"num_warmup": 60, "num_samples": 100, "num_chains": 2, "progress_bar": False, "warn": False, **options}
    where = None if path is None else Store(path, every=every, block=block, unconstrained=unconstrained)
    return MCMC(NUTS(model, **(kernel or {})), **options, store=where)


def run(path=None, args=(ERRORS, EFFECTS), **options):
    mcmc = new(path, **options)
    mcmc.run(random.key(0), *args)
    return mcmc


def samples(mcmc):
    return {k: onp.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}


def assert_same(a, b):
    a, b = samples(a), samples(b)
    assert a.keys() == b.keys() and all(onp.array_equal(a[k], b[k]) for k in a)


# ---- what readers see ----

def schools(errors, effects):
    """Eight schools with labels, a whole number, and a name with a slash."""
    mu, tau = cr.sample("net/mu", dist.Normal(0.0, 5.0)), cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", 8, coords=list("ABCDEFGH")):
        theta = cr.sample("theta", dist.Normal(mu, tau))
        cr.sample("y", dist.Normal(theta, errors), obs=effects)
    cr.deterministic("positive", theta > 0)
    cr.deterministic("rank", cr.engine.numpy.argsort(theta))


def test_xarray_reads_what_get_samples_gives(tmp_path):
    mcmc = run(tmp_path / "a.zarr", model=schools, keep_warmup=True)
    data, x = xarray.open_datatree(tmp_path / "a.zarr", engine="zarr"), samples(mcmc)
    assert set(data.children) == {"posterior", "sample_stats", "warmup_posterior", "warmup_sample_stats",
                                  "observed_data"}
    for name, values in x.items():
        read = data["posterior"][name.replace("/", ".")]
        assert read.dtype == values.dtype and onp.array_equal(read.values, values)
    assert x["positive"].dtype == bool and x["rank"].dtype == int
    assert data["posterior"]["theta"].dims == ("chain", "draw", "school")
    assert list(data["posterior"]["chain"].values) == [0, 1] and list(data["posterior"]["draw"].values) == [*range(100)]
    assert onp.array_equal(data["posterior"]["theta"].sel(school="C").values, x["theta"][..., 2])
    assert data["observed_data"]["y"].dims == ("school",)
    assert onp.array_equal(data["observed_data"]["y"].values, EFFECTS)
    assert onp.array_equal(zarr.open_group(tmp_path / "a.zarr", mode="r")["posterior/theta"][:], x["theta"])
    stats, fields = data["sample_stats"], mcmc.get_extra_fields(group_by_chain=True)
    assert onp.array_equal(stats["lp"].values, -onp.asarray(fields["potential_energy"]))
    assert onp.array_equal(stats["diverging"].values, onp.asarray(fields["diverging"]))
    assert onp.array_equal(stats["n_steps"].values, onp.asarray(fields["num_steps"]))
    assert data["warmup_posterior"]["tau"].shape == (2, 60) and data["warmup_sample_stats"]["lp"].shape == (2, 60)
    assert onp.ptp(data["warmup_sample_stats"]["step_size"].values) > 0 == onp.ptp(stats["step_size"].values, 1).max()


def test_arviz_has_the_same_groups_from_memory_and_from_disk(tmp_path):
    a, b = run(keep_warmup=True).to_arviz(), run(tmp_path / "a.zarr", keep_warmup=True).to_arviz()
    assert set(a.groups()) == set(b.groups()) >= {"warmup_posterior", "warmup_sample_stats"}
    for group in ("posterior", "sample_stats", "warmup_posterior", "warmup_sample_stats", "observed_data"):
        assert a[group].equals(b[group])


def test_draws_and_fields_are_those_of_a_run_in_memory(tmp_path, capsys):
    a, b = run(thinning=3), run(tmp_path / "a.zarr", thinning=3)
    assert_same(a, b)
    assert samples(b)["mu"].shape == (2, 33)
    for name, values in a.get_extra_fields().items():
        assert onp.array_equal(onp.asarray(values), onp.asarray(b.get_extra_fields()[name]))
    a.print_summary(), b.print_summary()
    first, second = capsys.readouterr().out.split("Number")[:2]
    assert first in second


def test_unconstrained_draws_are_kept_where_they_are_wanted(tmp_path):
    names = ("z", "z_grad", "i", "~z.theta")
    a, b, c = new(), new(tmp_path / "b.zarr", unconstrained=True), new(tmp_path / "c.zarr")
    for mcmc in (a, b, c):
        mcmc.run(random.key(0), ERRORS, EFFECTS, extra_fields=names)
    fields = b.get_extra_fields(group_by_chain=True)
    for name, values in a.get_extra_fields(group_by_chain=True).items():
        for x, y in zip(*[list(v.values()) if isinstance(v, dict) else [v] for v in (values, fields[name])]):
            assert onp.array_equal(onp.asarray(x), onp.asarray(y))
    again = MCMC.resume(tmp_path / "b.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    exported = [mcmc.to_arviz(unconstrained_posterior=True)["unconstrained_posterior"] for mcmc in (a, b, again)]
    assert exported[0].equals(exported[1]) and exported[0].equals(exported[2])
    with pytest.raises(StoreError, match="does not keep the unconstrained draws"):
        c.get_extra_fields()
    assert "theta" not in c.get_samples() and "theta" in again.get_samples()


def test_a_run_on_disk_warns_as_one_in_memory(tmp_path):
    texts = []
    for path in (None, tmp_path / "a.zarr"):
        with pytest.warns(SamplingWarning) as seen:
            run(path, num_samples=40, warn=True)
        texts.append(sorted(str(w.message)[:60] for w in seen))
    assert texts[0] == texts[1]


def test_a_vectorised_run_is_stored_too(tmp_path):
    a = run(chain_method="vectorized")
    assert_same(a, run(tmp_path / "a.zarr", chain_method="vectorized"))
    assert_same(a, MCMC.resume(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS))


# ---- it goes on ----

class Crash(BaseException):
    """The process ends here."""


def crash_at(monkeypatch, number):
    """Let the number-th file be cut in half, and nothing be written after it."""
    def write(path, data, last=True):
        seen.append(path)
        if len(seen) >= number:
            with open(f"{path}.new", "wb") as f:
                f.write(data[:len(data) // 2])
            raise Crash
        original(path, data, last)

    seen, original = [], layout.write
    monkeypatch.setattr(layout, "write", write)
    monkeypatch.setattr(store, "write", write)


@pytest.mark.slow
@pytest.mark.parametrize("warmup, draws, kernel", [(60, 100, {}), (160, 2, {}), (160, 2, {"low_rank": 3})],
                         ids=["sampling", "warm-up", "low rank"])
def test_a_crash_at_any_file_loses_nothing(tmp_path, monkeypatch, warmup, draws, kernel):
    monkeypatch.setattr(driver, "TURN", 0.003)           # and a commit follows each turn
    monkeypatch.setattr("os.fsync", lambda number: None)
    options = dict(num_warmup=warmup, num_samples=draws, keep_warmup=True, kernel=kernel)
    expected, crashes = run(**options), 0
    for number in range(1, 300, 23):
        path = tmp_path / f"{number}.zarr"
        mcmc = new(path, **options)
        with monkeypatch.context() as patch:
            crash_at(patch, number)
            try:
                mcmc.run(random.key(0), ERRORS, EFFECTS)
            except Crash:
                crashes += 1
                mcmc._job.tape.release()                 # the system would
        if path.exists():
            assert_same(expected, MCMC.resume(path, new(every=10.0, **options), ERRORS, EFFECTS))
        else:
            assert_same(expected, run(path, every=10.0, **options))
    assert crashes > 5


def test_a_full_disk_ends_the_run_and_its_last_commit_stands(tmp_path, monkeypatch):
    expected, failures = run(), 0
    for number in range(12, 60, 9):
        mcmc, seen, original = new(tmp_path / f"{number}.zarr"), [], layout.write

        def write(path, data, last=True, original=original, seen=seen, number=number):
            seen.append(path)
            if len(seen) == number:
                raise OSError("no space left on device")
            original(path, data, last)

        with monkeypatch.context() as patch:
            patch.setattr(layout, "write", write)
            patch.setattr(store, "write", write)
            with pytest.raises(OSError, match="no space left"):
                mcmc.run(random.key(0), ERRORS, EFFECTS)
            if mcmc.store.path.exists():
                failures += 1
                with pytest.raises(RuntimeError, match="cannot go on from here"):
                    mcmc.extend(10)
        if mcmc.store.path.exists():
            assert_same(expected, MCMC.resume(mcmc.store.path, NUTS(eight_schools), ERRORS, EFFECTS))
    assert failures > 2


def kill_often(tmp_path, kills):
    """Runs in processes of their own, killed at random moments until there were so many; each ends as it should."""
    mcmc = killed.new()
    mcmc.run(random.key(0), killed.DATA)
    expected, chance = samples(mcmc), pyrandom.Random(0)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.inference.killed"])
    done, number = 0, 0
    while done < kills:
        path, number = tmp_path / f"{number}.zarr", number + 1
        finished = False
        while not finished:
            begun = context.Event()
            process = context.Process(target=killed.work, args=(str(path), begun))
            process.start()
            assert begun.wait(60)
            process.join(chance.uniform(0.0, 1.2) if done < kills else 120)
            finished = process.exitcode is not None
            if not finished:
                process.kill()
                process.join()
                done += 1
            assert process.exitcode in (0, -9)
        found = samples(MCMC.load(path, killed.new(), killed.DATA))
        assert found.keys() == expected.keys() and all(onp.array_equal(found[k], expected[k]) for k in found)


@pytest.mark.slow
def test_killed_runs_go_on_to_the_same_draws(tmp_path):
    kill_often(tmp_path, 5)


@pytest.mark.slow
def test_runs_killed_a_hundred_times_go_on_to_the_same_draws(tmp_path):
    kill_often(tmp_path, 100)


def test_an_extension_gives_what_a_longer_run_gives(tmp_path):
    expected = run(num_samples=170)
    memory, disk = run(num_samples=50), run(tmp_path / "a.zarr", num_samples=50)
    for mcmc in (memory, disk):
        mcmc.extend(50)
        mcmc.extend(70)
        assert_same(expected, mcmc)
    longer = MCMC.resume(tmp_path / "a.zarr", new(num_samples=200), ERRORS, EFFECTS)
    assert_same(longer, run(num_samples=200))


def test_a_run_may_be_resumed_by_the_model_alone_and_on_one_core(tmp_path):
    expected = run(tmp_path / "a.zarr")
    found = MCMC.resume(tmp_path / "a.zarr", eight_schools, ERRORS, EFFECTS)
    assert_same(expected, found)
    assert (found.num_warmup, found.num_chains, found.gradients) == (60, 2, expected.gradients)
    assert_same(expected, MCMC.resume(tmp_path / "a.zarr", new(chain_method="sequential"), ERRORS, EFFECTS))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [HMC, RWM, AIES], ids=lambda k: k.__name__)
@pytest.mark.parametrize("fraction", [0.3, 0.8], ids=["warm-up", "sampling"])
def test_other_kernels_go_on_too(tmp_path, monkeypatch, kernel, fraction):
    """Stopped somewhere, in warm-up or after it, and gone on with from what is on disk."""
    chains = 20 if kernel is AIES else 4
    options = dict(num_warmup=100, num_samples=100, num_chains=chains, progress_bar=False, warn=False)
    expected = MCMC(kernel(eight_schools), **options)
    expected.run(random.key(0), ERRORS, EFFECTS)
    mcmc = MCMC(kernel(eight_schools), **options, store=Store(tmp_path / "a.zarr", block=30),
                until={"gradients": fraction * expected.gradients})
    with monkeypatch.context() as patch:
        patch.setattr(driver, "TURN", 1e-9)              # a turn is a transition
        mcmc.run(random.key(0), ERRORS, EFFECTS)
    assert mcmc.stopped_by == "gradients" and 0 < min(mcmc._job.tape.done) < 200
    found = MCMC.resume(tmp_path / "a.zarr", MCMC(kernel(eight_schools), **options), ERRORS, EFFECTS)
    assert_same(expected, found)
    for name, values in expected.get_extra_fields().items():
        assert onp.array_equal(onp.asarray(values), onp.asarray(found.get_extra_fields()[name]))


def test_start_points_of_a_strategy_and_given_ones(tmp_path):
    for kernel, params in (({"init_strategy": cr.inference.init_to_median}, None),
                           ({}, {"mu": 1.0, "tau": 0.5, "z": onp.zeros(8)})):
        a, b = new(kernel=kernel), new(tmp_path / f"{len(kernel)}.zarr", kernel=kernel)
        for mcmc in (a, b):
            mcmc.run(random.key(0), ERRORS, EFFECTS, init_params=params)
        assert_same(a, b)
        assert_same(a, MCMC.resume(b.store.path, NUTS(eight_schools, **kernel), ERRORS, EFFECTS))


def test_single_precision(tmp_path):
    with config(default_float="float32"):
        expected = run(tmp_path / "a.zarr")
        assert_same(expected, run())
        assert samples(expected)["mu"].dtype == onp.float32
    with pytest.raises(StoreError, match="default_float is float32 there and float64 here"):
        MCMC.load(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)


# ---- what is refused ----

@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "a.zarr"
    run(path, keep_warmup=True)
    return path


FILES = ["state/manifest.json", "state/ledger", "state/model.txt", "state/chains-*.npz", "posterior/mu/c/0/0",
         "posterior/z/c/1/1/0", "posterior/theta/c/1/2/0", "sample_stats/lp/c/0/2", "sample_stats/diverging/c/1/1",
         "warmup_posterior/tau/c/0/1"]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_a_cut_and_a_lost_file_are_found_and_named(saved, name):
    file = next(saved.glob(name))
    data = file.read_bytes()
    chance = pyrandom.Random(name)
    damaged = [data[:chance.randrange(len(data))], b"", None]
    for place in [0, len(data) - 1, *[chance.randrange(len(data)) for _ in range(6)]]:
        damaged.append(data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1:])
    for content in damaged:
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        with pytest.raises(StoreError, match=f"{file.name}( was altered or cut| is missing)"):
            MCMC.load(saved, NUTS(eight_schools), ERRORS, EFFECTS)
        file.write_bytes(data)
    assert samples(MCMC.load(saved, NUTS(eight_schools), ERRORS, EFFECTS))["mu"].shape == (2, 100)


def test_what_is_written_after_a_commit_does_not_count(saved):
    expected = samples(MCMC.load(saved, NUTS(eight_schools), ERRORS, EFFECTS))
    ledger = saved / "state" / "ledger"
    data = ledger.read_bytes()
    ledger.write_bytes(data + b'{"block":3,"chain":0')
    (saved / "state" / "manifest.json.new").write_bytes(b'{"body"')
    (saved / "posterior" / "mu" / "c" / "0" / "7").write_bytes(b"half")
    found = samples(MCMC.load(saved, NUTS(eight_schools), ERRORS, EFFECTS))
    assert all(onp.array_equal(found[k], expected[k]) for k in expected) and ledger.read_bytes() == data


def other_prior(sigma, y):
    mu, tau = cr.sample("mu", dist.Normal(0.0, 6.0)), cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", 8):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        theta = cr.deterministic("theta", mu + tau * z)
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


@pytest.mark.parametrize("sampler, args, text", [
    (NUTS(eight_schools), (ERRORS, EFFECTS + 1.0), r"made on other data: y is float64\[8\].*there and float64"),
    (NUTS(eight_schools), (ERRORS, onp.asarray(EFFECTS, onp.float32)), r"y is float64\[8\].*there and float32"),
    (NUTS(other_prior), (ERRORS, EFFECTS), r"made of another model; its program differs at line 2:\n.*5.0.*\n.*6.0"),
    (NUTS(eight_schools, target_accept_prob=0.9), (ERRORS, EFFECTS), "target_accept_prob is 0.8 there and 0.9 here"),
    (NUTS(eight_schools, inverse_mass_matrix=onp.ones(10)), (ERRORS, EFFECTS), "inverse_mass_matrix is None there and"),
    (new(num_warmup=61), (ERRORS, EFFECTS), "num_warmup is 60 there and 61 here"),
    (new(num_chains=3), (ERRORS, EFFECTS), "num_chains is 2 there and 3 here"),
    (new(chain_method="vectorized"), (ERRORS, EFFECTS), "vectorized is False there and True here"),
], ids=["values", "type", "model", "kernel", "metric", "warm-up", "chains", "method"])
def test_what_has_changed_is_refused_and_named(saved, sampler, args, text):
    sampler = sampler if isinstance(sampler, NUTS) else _with_warmup(sampler)
    with pytest.raises(StoreError, match=text):
        MCMC.resume(saved, sampler, *args)


def _with_warmup(mcmc):
    mcmc.keep_warmup = True
    return mcmc


def test_another_version_is_refused(saved):
    file = saved / "state" / "manifest.json"
    before = file.read_bytes()
    body = json.loads(before)["body"]
    version = {**body["identity"], "version": {**body["identity"]["version"], "jaxlib": "0"}}
    for change, text in (({"identity": version}, "by another version: jaxlib is 0 there and"),
                         ({"format": 99}, "format 99; this version reads 1")):
        changed = {**body, **change}
        whole = {"body": changed, "digest": layout.digest(cr.inference.identity.canonical(changed).encode())}
        file.write_text(json.dumps(whole))
        with pytest.raises(StoreError, match=text):
            MCMC.load(saved, NUTS(eight_schools), ERRORS, EFFECTS)
    file.write_bytes(before)


def test_a_path_that_is_taken_and_one_that_is_empty(saved, tmp_path):
    with pytest.raises(StoreError, match="already: MCMC.resume"):
        run(saved)
    with pytest.raises(StoreError, match="there is no run at"):
        MCMC.resume(tmp_path / "nothing", NUTS(eight_schools), ERRORS, EFFECTS)


def test_two_runs_cannot_write_to_one_place(tmp_path):
    run(tmp_path / "a.zarr")
    first = MCMC.load(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    with pytest.raises(StoreError, match="is being written"):
        MCMC.load(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    first.extend(10)
    second = MCMC.load(tmp_path / "a.zarr", NUTS(eight_schools), ERRORS, EFFECTS)
    second.extend(10)
    with pytest.raises(StoreError, match="has gone on elsewhere"):
        first.extend(10)
    assert_same(second, run(num_samples=120))


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path):
    def nowhere():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.factor("never", cr.engine.numpy.where(x > -1e9, -cr.engine.numpy.inf, 0.0))

    with pytest.raises(cr.inference.SamplingError):
        run(tmp_path / "a.zarr", model=nowhere, args=())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options, text", [(dict(every=-1.0), "every is"), (dict(block=0), "block is"),
                                           (dict(block=2.5), "block is")])
def test_bad_options_of_the_store(options, text):
    with pytest.raises(ValueError, match=text):
        Store("a", **options)


def test_names_that_are_one_folder(tmp_path):
    def model():
        cr.sample("a/b", dist.Normal(0.0, 1.0))
        cr.sample("a.b", dist.Normal(0.0, 1.0))

    with pytest.raises(StoreError, match="'a.b' cannot be stored under the name 'a.b'"):
        run(tmp_path / "a.zarr", model=model, args=())


# ---- memory ----

PEAK = """
    import sys, tracemalloc
    import chainrule as cr, chainrule.distributions as dist
    from chainrule.engine import random
    from chainrule.inference import MCMC, NUTS, Store

    def model():
        cr.sample("x", dist.Normal(cr.engine.numpy.zeros(10), 1.0))

    def run(draws, path):
        mcmc = MCMC(NUTS(model), num_warmup=100, num_samples=draws, num_chains=2, progress_bar=False, warn=False,
                    store=Store(path, block=1000, every=0.5))
        mcmc.run(random.key(0))

    def resident():                                      # the most so far, in bytes; 0 where the system does not say
        try:
            lines = open("/proc/self/status").read().splitlines()
        except OSError:
            return 0
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

    run(1_000, sys.argv[1] + "/first")                   # compiles
    tracemalloc.start()
    for draws in (1_000, 50_000, 200_000):
        tracemalloc.reset_peak()
        run(draws, f"{sys.argv[1]}/{draws}")
        print(tracemalloc.get_traced_memory()[1], resident())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_draws(tmp_path):
    """Of 2 · 10⁵ draws, 60 MB with their facts, only what some turns make is held, and no more than of 5 · 10⁴."""
    command = [sys.executable, "-c", textwrap.dedent(PEAK), str(tmp_path)]
    out = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=True, capture_output=True)
    (few, _), (some, before), (many, after) = [map(int, line.split()) for line in out.stdout.splitlines()]
    assert many < some + 2e6 and many < few + 12e6, (few, some, many)
    assert after < before + 8e6
