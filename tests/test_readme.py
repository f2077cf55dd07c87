"""The Python code of README.md and CONTRIBUTING.md is true: the blocks run, the links lead somewhere."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

import chainrule
from chainrule import distributions

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"]
BLOCKS, RECIPES = (re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.S | re.M)
                   for page in PAGES)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(number, capsys):
    if "set_cpu_device_count" in BLOCKS[number]:         # it wants to be the first to use XLA
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run([sys.executable, "-c", BLOCKS[number]], env=env, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout, done.stderr
        return
    exec(compile(BLOCKS[number], f"README.md, block {number + 1}", "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_fits_a_model_and_transforms_a_program():
    assert len(BLOCKS) >= 2
    assert "print_summary" in BLOCKS[0] and any("vmap" in block for block in BLOCKS)


def test_the_recipe_of_a_handler_works(capsys):
    names = {}
    exec(next(block for block in RECIPES if "class shout" in block), names)
    shout, seed, normal = names["shout"], chainrule.handlers.seed, distributions.Normal()
    shout(seed(lambda: chainrule.sample("mu", normal), rng_seed=0))()
    assert capsys.readouterr().out == "mu\n"
    with seed(rng_seed=0), shout(): chainrule.sample("mu", normal)
    assert capsys.readouterr().out == "mu\n"


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links and not [link for link in links if not (ROOT / link).exists()]


def test_the_changelog_has_a_place_for_what_is_new():
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["stats", "sample", "plate", "log_density"])
def test_the_names_that_the_pages_use_are_public(name):
    assert hasattr(chainrule, name)
