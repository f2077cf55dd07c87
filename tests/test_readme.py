"""The Python code of README.md and CONTRIBUTING.md is true: the blocks run, the links lead somewhere."""
import pathlib
import re

import pytest

import chainrule

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"]
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(number, capsys):
    exec(compile(BLOCKS[number], f"README.md, block {number + 1}", "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_fits_a_model_and_transforms_a_program():
    assert len(BLOCKS) >= 2
    assert "print_summary" in BLOCKS[0] and "vmap" in BLOCKS[1]


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links and not [link for link in links if not (ROOT / link).exists()]


def test_the_changelog_has_a_place_for_what_is_new():
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["stats", "sample", "plate", "log_density"])
def test_the_names_that_the_pages_use_are_public(name):
    assert hasattr(chainrule, name)
