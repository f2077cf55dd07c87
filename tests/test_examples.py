"""Every example runs, and what it asserts at its end holds."""
import importlib.util
import pathlib

import pytest

EXAMPLES = sorted((pathlib.Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS = {"eight_schools": ["matplotlib"], "diabetes": ["matplotlib", "sklearn"], "nile": ["matplotlib"],
         "iris": ["matplotlib", "sklearn"]}
rows = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def load(path):
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@rows
def test_an_example_runs_and_saves_its_plot(path, tmp_path, capsys):
    example = load(path)
    for package in NEEDS.get(path.stem, []): pytest.importorskip(package)
    example.main(["--plot", str(tmp_path / "plot.png")] if hasattr(example, "plot") else [])
    assert not hasattr(example, "plot") or (tmp_path / "plot.png").stat().st_size > 10_000
    assert capsys.readouterr().out


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
