"""Every example runs, and what it asserts at its end holds."""
import importlib.util
import pathlib

import pytest

from chainrule.inference import MCMC
from chainrule.ppl import check_model

EXAMPLES = sorted((pathlib.Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS = {"tiny": [], "diabetes": ["matplotlib", "sklearn"], "iris": ["matplotlib", "sklearn"],
         "missing": ["matplotlib", "sklearn"], "vae": ["matplotlib", "sklearn"]}           # the others need matplotlib
SLOW = ("funnel", "funnel_flows", "iris", "missing", "network", "nile", "rows_on_disk",
        "thousand_regressions", "vae")
rows = pytest.mark.parametrize("path", [pytest.param(path, marks=[pytest.mark.slow] * (path.stem in SLOW))
                                        for path in EXAMPLES], ids=[path.stem for path in EXAMPLES])


def load(path):
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def findings(monkeypatch):
    """What `check_model` finds in the models that are fitted."""
    found, run = [], MCMC.run

    def checked(self, rng_key, *args, extra_fields=(), init_params=None, **kwargs):
        found.extend(check_model(self.sampler.model, args, kwargs) if callable(self.sampler.model) else [])
        return run(self, rng_key, *args, extra_fields=extra_fields, init_params=init_params, **kwargs)
    monkeypatch.setattr(MCMC, "run", checked)
    return found


@rows
def test_an_example_runs_saves_its_plot_and_has_no_model_with_a_finding(path, tmp_path, capsys, findings):
    example = load(path)
    for package in NEEDS.get(path.stem, ["matplotlib"]): pytest.importorskip(package)
    example.main(["--plot", str(tmp_path / "plot.png")] if hasattr(example, "plot") else [])
    assert not hasattr(example, "plot") or (tmp_path / "plot.png").stat().st_size > 10_000
    assert capsys.readouterr().out
    if path.stem == "network":                           # the weights' names have slashes, and the check says so
        assert {f.rule for f in findings} == {"arviz-name"}
        findings.clear()
    assert findings == []


def test_a_model_of_an_example_runs_once_for_its_fits():
    example = load(EXAMPLES[0].with_name("eight_schools.py"))
    calls, model = [], example.schools
    def counted(sigma, y=None):
        calls.append(1)
        return model(sigma, y)
    example.schools = counted
    example.fit(0, example.EFFECT)
    example.fit(1, example.EFFECT - 2.0)
    assert len(calls) == 1
