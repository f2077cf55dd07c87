"""What is installed: one top-level name, all of its modules, and an import that stays light."""
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("engine", "distributions", "ppl", "inference")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel, built from a copy so that the tree stays as it is."""
    pytest.importorskip("build")
    copy = tmp_path_factory.mktemp("wheel") / "tree"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", *PARTS):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("*.egg-info"))
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(copy / "dist"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(path).namelist()


@pytest.mark.slow
def test_the_only_top_level_name_of_the_wheel_is_chainrule(wheel):
    top = {name.split("/")[0] for name in wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == {"chainrule"}


@pytest.mark.slow
def test_the_wheel_holds_every_module(wheel):
    expected = {f"chainrule/{path.relative_to(ROOT)}" for part in PARTS for path in (ROOT / part).rglob("*.py")}
    expected |= {"chainrule/__init__.py", "chainrule/py.typed"} | {f"chainrule/{part}/__init__.py" for part in PARTS}
    assert expected <= set(wheel)


def loaded(statement):
    """The modules that are loaded after `statement` ran in a fresh process."""
    script = f"import sys; {statement}; print(*sys.modules)"
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_chainrule_imports_neither_jax_nor_anything_heavy():
    heavy = {"jax", "arviz", "matplotlib", "pandas", "xarray", "sklearn", "scipy.stats", "IPython"}
    assert not heavy & loaded("import chainrule")
