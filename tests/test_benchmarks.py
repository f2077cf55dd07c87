"""The benchmark runs: its numbers are not looked at, but there is one in every column."""
import json
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.slow
def test_the_benchmark_prints_its_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    file = tmp_path / "numbers.json"
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--quick", "--only", "eight_schools_nc",
                           "engine", "--json", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(file.read_text(encoding="utf-8"))
    fit = numbers["fits"]["eight_schools_nc"]
    assert fit["cold"]["compilations"] == 1 and fit["cold"]["model calls"] == 1
    assert fit["warm"]["compilations"] == 0 and fit["warm"]["disk_cache_hits"] == 1
    assert all(fit["cold"][phase] > 0 for phase in ("trace", "passes", "lower", "compile"))
    again = fit["more"]["again"]
    assert [again[kind] for kind in ("compilations", "traces", "model calls")] == [0, 0, 0]
    assert {"trace 999 operations", "compile 10 operations"} <= set(numbers["engine"])
    for heading in ("all draws", "goal", "ESS/s", "trace 999 operations"): assert heading in done.stdout


@pytest.mark.slow
def test_many_fits_and_many_chains_are_one_program_each(tmp_path, monkeypatch):
    """In which no chain waits for another: gradients issued are within 5 % of those of the chain that needs most."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    file = tmp_path / "numbers.json"
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--quick", "--only", "many", "--json", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(file.read_text(encoding="utf-8"))["many"]
    chains = numbers["chains"]["eight_schools_nc, 8"]
    lanes, turns = numbers["refit"]["refit_50, vmap"], numbers["refit"]["refit_50, pmap of map"]
    assert lanes[4:7] == [1, 1, 0] and lanes[10] == 0                    # model calls, compilations, and again; failed
    assert turns[4] == 1 and turns[6] == 0 and turns[10] == 0            # it reshapes too
    assert chains[3:6] == [1, 1, 0]
    assert 1.0 <= chains[8] <= 1.05 and chains[6] >= chains[7] > 100 * 2


@pytest.mark.slow
def test_a_gradient_is_timed_against_its_function(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    file = tmp_path / "numbers.json"
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--only", "gradients", "--json", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text(encoding="utf-8"))["gradients"]
    assert len(rows) >= 15 and all(len(row) == 5 and row[-1] > 0 for row in rows.values())
    assert min(row[0] for row in rows.values()) == 10 and max(row[0] for row in rows.values()) > 10_000


@pytest.mark.slow
def test_special_functions_are_measured(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "special.py", "--only", "gammaln", "--points", "20",
                           "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])["gammaln"]
    assert len(row) == 8 and 20 <= row[4] <= 40 and all(number > 0 for number in row[:7])


# ---- posteriordb ----

NAME = "eight_schools-eight_schools_noncentered"
SCHOOLS = {"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}
MOMENTS = {"mu": [4.41052, 3.3093, 0.033093, 0.0237587], "tau": [3.60206, 3.19848, 0.0319848, 0.0446986]}


def folder(path):
    """A folder of JSON files with moments."""
    (path / f"{NAME}.json").write_text(json.dumps({"data": SCHOOLS, "reference": MOMENTS}), encoding="utf-8")


def checkout(path):
    """The layout of posteriordb, whose reference draws here are normal, of mu half a standard deviation off."""
    database, rng = path / "posterior_database", np.random.default_rng(0)
    (mu, sd, _, _), (tau, sd_tau, _, _) = MOMENTS["mu"], MOMENTS["tau"]
    draws = [{"mu": rng.normal(mu + sd / 2, sd, 1000).tolist(), "tau": rng.normal(tau, sd_tau, 1000).tolist()}
             for _ in range(10)]
    entry = {"data_name": "eight_schools", "reference_posterior_name": NAME}
    for at, content in (("posteriors/" + NAME, entry), ("data/data/eight_schools", SCHOOLS),
                        ("reference_posteriors/draws/draws/" + NAME, draws)):
        file = database / f"{at}.json"
        file.parent.mkdir(parents=True)
        if content is entry: file.write_text(json.dumps(entry), encoding="utf-8")
        else:
            with zipfile.ZipFile(f"{file}.zip", "w") as z: z.writestr(file.name, json.dumps(content))


@pytest.mark.slow
@pytest.mark.parametrize("make, verdict", [(folder, "agrees"), (checkout, "off: mu")])
def test_posteriors_are_compared_with_their_references(tmp_path, monkeypatch, make, verdict):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    make(tmp_path)
    file = tmp_path / "rows.txt"
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "posteriordb.py", tmp_path, "--json", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row = json.loads(file.read_text(encoding="utf-8"))["rows"][f"{NAME}, fisher"]
    assert row[-1] == verdict and row[3] < 1.01 and verdict in done.stdout


@pytest.mark.slow
def test_peers_that_are_not_there_have_no_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    file = tmp_path / "rows.json"
    words = ["--peers", sys.executable, "--rows", "funnel"]
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "peers.py", *words,
                           "--transitions", "50", "--markdown", "--json", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [(name, numbers)] = json.loads(file.read_text(encoding="utf-8")).items()
    assert name == "funnel, chainrule" and numbers[3] == 0
    assert len(done.stdout.splitlines()) == 3 and len(numbers) == done.stdout.splitlines()[-1].count("|") - 3
