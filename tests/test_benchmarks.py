"""The benchmark runs: its numbers are not looked at, but there is one in every column."""
import json
import pathlib
import subprocess
import sys

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
    for heading in ("all draws", "loop/bare", "ESS/s", "trace 999 operations"): assert heading in done.stdout


@pytest.mark.slow
def test_many_fits_and_many_chains_are_one_program_each(tmp_path, monkeypatch):
    """In which no chain waits for another: gradients issued are within 5 % of those of the chain that needs most."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    file = tmp_path / "numbers.json"
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "run.py", "--quick", "--only", "many", "--json", file],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(file.read_text(encoding="utf-8"))["many"]
    fits, chains = numbers["refit"]["refit_50"], numbers["chains"]["eight_schools_nc, 8"]
    assert fits[4:7] == [1, 1, 0] and fits[-1] == 0                      # model calls, compilations, and again; failed
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
