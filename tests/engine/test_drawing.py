"""Drawings: what is listed, what is marked, and that they stand by themselves."""
import html.parser
import re
import xml.dom.minidom

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import cond, draw, grad, jit, make_jaxpr, passes, scan, vmap

W = np.ones((3, 3))
X = np.ones(3)


def f(x):
    h = cnp.tanh(W @ x)
    c, _ = scan(lambda c, r: (cnp.sin(c) * r, None), 1.0, h)
    return cond(c > 0, lambda c: c * 2, cnp.exp, c)


def lines(rows, depth=0):
    """The text of rows, inner programs indented, with + for new, ~ for changed, - for gone."""
    out = []
    for row in rows:
        mark = {"new": "+", "changed": "~", "gone": "-", None: " "}[row.mark]
        out.append(mark + "  " * depth + "".join(t for t, _, _ in row.pieces))
        for _, inner in row.inner:
            out.extend(lines(inner, depth + 1))
    return out


def test_one_program_is_listed_as_it_is_printed():
    d = draw(lambda x: cnp.sin(x) * 2, 1.0)
    assert lines(d.panels[0][2]) == [" inputs a:f64[]", " b:f64[] = sin a", " c:f64[] = mul b 2.0", " outputs c"]
    assert repr(draw(f, X)) == "<Drawing of f (6 equations, 4 inside)>"


def test_what_a_transformation_has_changed_is_marked():
    before, after = (lines(panel[2]) for panel in draw(lambda x: cnp.sin(x) * 2, X, transformed=vmap(
        lambda x: cnp.sin(x) * 2), transformed_args=(np.ones((5, 3)),)).panels)
    assert not any(line.startswith("-") and "sin" not in line and "mul" not in line for line in before)
    both = lambda x: cnp.sum(cnp.sin(x)) * 2
    before, after = (lines(panel[2]) for panel in draw(both, X, transformed=grad(both)).panels)
    assert "-c:f64[] = reduce_sum[axes=(0,)] b" in before and "+b:f64[3] = cos a" in after
    wide = lines(draw(both, X, transformed=vmap(both), transformed_args=(np.ones((5, 3)),)).panels[1][2])
    assert [line[0] for line in wide] == [" ", "~", "~", "~", " "]


def test_marks_go_into_inner_programs():
    _, after = (lines(panel[2]) for panel in draw(f, X, transformed=grad(f)).panels)
    assert "+  d:f64[] = cos a" in after and any(line.startswith("~") and " = scan" in line for line in after)


def test_equal_programs_have_no_marks():
    d = draw(f, X, transformed=f)
    assert all(line[0] == " " for panel in d.panels for line in lines(panel[2]))


def test_programs_can_be_given_themselves():
    program = make_jaxpr(lambda x: cnp.sin(x) + cnp.sin(x))(1.0)
    d = draw(program, transformed=passes.optimize(program), titles=("staged", "optimised"))
    assert repr(d) == "<Drawing of staged (3 equations), optimised (2 equations)>"
    assert sum(line[0] == "-" for line in lines(d.panels[0][2])) == 1


class Balanced(html.parser.HTMLParser):
    """Counts tags; every one that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.tooltips = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)
        self.tooltips.append(dict(attrs).get("title") or "")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_html_is_whole_and_self_contained():
    d = draw(f, X, transformed=jit(grad(f)))
    page = Balanced(d.html)
    assert not page.open and page.seen.count("section") == 2 and page.seen.count("details") >= 4
    assert not re.search(r"https?://|<link|src=", d.html) and d._repr_html_() == d.html
    assert any("test_drawing.py" in t and "cnp.tanh(W @ x)" in t for t in page.tooltips)
    assert "new" not in page.seen and "#d9f2dc" in d.html


def test_the_svg_is_well_formed():
    svg = draw(f, X, transformed=grad(f), titles=("f < g", "a & b")).svg
    root = xml.dom.minidom.parseString(svg).documentElement
    assert root.tagName == "svg" and len(root.getElementsByTagName("text")) > 30
    assert "href" not in svg


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_drawing_is_saved(tmp_path, ending):
    file = tmp_path / f"f.{ending}"
    draw(f, X).save(file)
    assert "scan" in file.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="as .html or .svg"):
        draw(f, X).save(tmp_path / "f.png")


def test_a_program_prints_with_source_lines():
    text = make_jaxpr(f)(X).to_text(source=True)
    assert "# test_drawing.py:" in text and "cnp.sin(c) * r" in text and "#" not in make_jaxpr(f)(X).to_text()
