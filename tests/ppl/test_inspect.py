"""Shapes, dependencies and pictures of models."""
import re
import shutil
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import constraints
from chainrule.engine import checkpoint, cond, custom_jvp, custom_vjp, grad, jit, scan, vmap, while_loop
from chainrule.ppl import format_shapes, get_dependencies, get_model_relations, render_model
from chainrule.ppl.handlers import seed, trace


def normal(name, loc=0.0, sd=1.0, **options):
    return cr.sample(name, dist.Normal(loc, sd), **options)


# ---- shapes ----

def shaped():
    loc = cr.param("loc", np.zeros((2, 3)))
    cr.param("w", 1.0)
    with cr.plate("data", 100):
        with cr.plate("inner", 12):
            normal("x", np.zeros((12, 1)))
            cr.sample("v", dist.Dirichlet(np.ones(5)))
        cr.sample("e", dist.Normal(np.zeros((100, 3, 4)), 1.0).to_event(2))
        cr.factor("f", -1.0)
    with cr.plate("sub", 10, subsample_size=4):
        normal("y", obs=np.zeros(4))
    vmap(lambda i: normal("u", loc[0, 0]), axis_name="player")(np.arange(7))
    scan(lambda c, _: (c, normal("s")), 0.0, None, length=6)


TABLE = """\
Shapes
 Param Sites:
          loc      2 3
            w
Sample Sites:
   data plate    100 |
  inner plate     12 |
       x dist 12 100 |
        value 12 100 |
     log_prob 12 100 |
       v dist 12 100 | 5
        value 12 100 | 5
     log_prob 12 100 |
       e dist    100 | 3 4
        value    100 | 3 4
     log_prob    100 |
     f factor    100 |
     log_prob    100 |
    sub plate      4 |
       y dist      4 |
        value      4 |
     log_prob      4 |
  player vmap      7 |
       u dist      7 |
        value      7 |
     log_prob      7 |
       s dist      6 |
        value      6 |
     log_prob      6 |"""


def test_the_table_of_shapes():
    tr = trace(seed(shaped, 0)).get_trace()
    full = format_shapes(tr, compute_log_prob=True, title="Shapes")
    assert [line.strip() for line in full.splitlines()] == [line.strip() for line in TABLE.splitlines()]
    assert full.splitlines()[1:] == TABLE.splitlines()[1:]
    some = format_shapes(tr, compute_log_prob=lambda site: site["name"] == "x", last_site="v")
    assert some.splitlines()[0].strip() == "Trace Shapes:"
    assert re.findall(r"(\w+) dist", some) == ["x", "v"] and some.count("log_prob") == 1
    with trace() as live, seed(rng_seed=0):
        shaped()
    assert format_shapes(live, compute_log_prob=True, title="Shapes") == full
    assert format_shapes({}, title="nothing") == "nothing"
    with pytest.raises(ValueError, match="no site of the trace"):
        format_shapes(tr, last_site="z")


# ---- dependencies ----

def moralised():
    a = normal("a")
    b = cr.sample("b", dist.LogNormal(0.0, 1.0))
    c = normal("c", a, b)
    normal("d", c, obs=0.0)


def across():
    with cr.plate("p", 5):
        a = normal("a")
    normal("b", cnp.sum(a), obs=0.0)


def crossed():
    i, j = cr.plate("i", 2, dim=-1), cr.plate("j", 3, dim=-2)
    a = normal("a")
    with i:
        b = normal("b", a)
    with j:
        c = normal("c", a)
    with i, j:
        normal("d", b + c, obs=np.zeros((3, 2)))


def summed():
    i, j, k = cr.plate("i", 2, dim=-1), cr.plate("j", 3, dim=-2), cr.plate("k", 3, dim=-3)
    with i:
        x = normal("x")
    with i, j:
        y = normal("y")
    with i, k:
        z = normal("z")
    with i:
        normal("both", x + cnp.sum(y, 0) + cnp.sum(z, (0, 1)), obs=np.zeros(2))
    with j:
        normal("rows", cnp.mean(y, -1, keepdims=True), obs=np.zeros((3, 1)))


def elided():
    a = normal("a")
    d = cr.deterministic("d", 2.0 * a)
    e = cr.sample("e", dist.Delta(d + 1.0))
    cr.factor("f", -(a ** 2))
    normal("y", e, obs=0.0)


SELF = lambda **more: {k: set(v) for k, v in more.items()}  # noqa: E731
DEPENDENCIES = {                                          # those of NumPyro 0.22, but for `elided`
    moralised: ({"a": SELF(a=""), "b": SELF(b=""), "c": SELF(a="", b="", c=""), "d": SELF(c="", d="")},
                {"a": SELF(a="", b="", c=""), "b": SELF(b="", c=""), "c": SELF(c="", d="")}),
    across: ({"a": SELF(a=""), "b": SELF(a="", b="")}, {"a": SELF(a="p", b="")}),
    crossed: ({"a": SELF(a=""), "b": SELF(a="", b=""), "c": SELF(a="", c=""), "d": SELF(b="", c="", d="")},
              {"a": SELF(a="", b="", c=""), "b": SELF(b="", c="", d=""), "c": SELF(c="", d="")}),
    summed: ({"x": SELF(x=""), "y": SELF(y=""), "z": SELF(z=""), "both": SELF(x="", y="", z="", both=""),
              "rows": SELF(y="", rows="")},
             {"x": SELF(x="", y="", z="", both=""), "y": SELF(y="ij", z="", both="", rows=""),
              "z": SELF(z="k", both="")}),
    elided: ({"a": SELF(a=""), "f": SELF(a="", f=""), "y": SELF(a="", y="")}, {"a": SELF(a="", f="", y="")}),
}


@pytest.mark.parametrize("model", DEPENDENCIES, ids=lambda m: m.__name__)
def test_dependencies_of_prior_and_posterior(model):
    prior, posterior = DEPENDENCIES[model]
    assert get_dependencies(model) == {"prior_dependencies": prior, "posterior_dependencies": posterior}


def programs(kind):
    """A model that puts b ~ Normal(a, …) into a program of some kind, and c, which does not depend on it, beside it."""
    def inner(x):
        return normal("b", x)

    def by_hand():
        f = custom_jvp(inner)
        f.defjvp(lambda p, t: (inner(*p), t[0]))
        return f

    def by_hand_backwards():
        f = custom_vjp(inner)
        f.defvjp(lambda x: (inner(x), None), lambda r, c: (c,))
        return f

    wrapped = {
        "jit": lambda: jit(inner), "checkpoint": lambda: checkpoint(inner), "custom_jvp": by_hand,
        "custom_vjp": by_hand_backwards, "grad": lambda: grad(lambda x: inner(x * 1.0)),
        "vmap": lambda: lambda x: vmap(lambda i: inner(x + i))(np.arange(3.0)),
        "scan": lambda: lambda x: scan(lambda c, i: (c, inner(c + i)), x, np.arange(3.0))[1],
        "cond": lambda: jit(lambda x: cond(x > 0, inner, lambda x: 0.0 * x, x)),
        "while": lambda: lambda x: while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, inner(x)), (0, 0.0))[1],
    }[kind]()

    def model():
        a, other = normal("a"), normal("other")
        y = wrapped(a)
        normal("c", other)
        normal("d", cnp.sum(y), obs=0.0)
    return model


@pytest.mark.parametrize("kind", "jit checkpoint custom_jvp custom_vjp grad vmap scan cond while".split())
def test_dependence_is_followed_through_programs(kind):
    found = get_model_relations(programs(kind))["sample_sample"]
    assert found["a"] == found["other"] == [] and found["b"] == ["a"] and found["c"] == ["other"]
    assert found["d"] == {"cond": ["a", "b"], "grad": []}.get(kind, ["b"])      # db/da is 1, whatever b and a are


def hidden(y):
    """A hidden Markov model: a state depends on the one before, and so does what uses the last one."""
    mu = normal("mu")

    def step(h, y):
        h = normal("h", 0.5 * h + mu)
        normal("y", h, obs=y)
        return h, None
    last, _ = scan(step, 0.0, y)
    switch = normal("switch")
    jit(lambda s: cond(s > 0, lambda: normal("z"), lambda: cr.sample("z", dist.Gamma(2.0, 1.0))))(switch)
    normal("after", last)


def test_loops_and_branches():
    relations = get_model_relations(hidden, (np.zeros(6),))
    assert relations["sample_sample"] == {"mu": [], "h": ["mu"], "y": ["h"], "switch": [], "z": ["switch"],
                                          "after": ["h"]}
    assert relations["sample_dist"]["z"] in ("Normal or Gamma", "Gamma or Normal")
    assert get_dependencies(hidden, (np.zeros(6),))["prior_dependencies"]["h"] == {"mu": set(), "h": set()}


def related(x, y):
    scale = cr.param("scale", 1.0, constraint=constraints.positive)
    with cr.plate("column", 3):
        beta = normal("beta", 0.0, scale)
    with cr.plate("row", len(y)):
        loc = cr.deterministic("loc", x @ beta)
        normal("y", loc, obs=y)
    vmap(lambda i: normal("u", i), axis_name="lane")(np.arange(2.0))
    cr.factor("f", beta[0])


def test_relations():
    assert get_model_relations(related, (np.zeros((4, 3)), np.zeros(4))) == {
        "sample_sample": {"beta": [], "loc": ["beta"], "y": ["loc"], "u": [], "f": ["beta"]},
        "sample_param": {"beta": ["scale"], "loc": [], "y": [], "u": [], "f": []},
        "sample_dist": {"beta": "Normal", "loc": "Deterministic", "y": "Normal", "u": "Normal", "f": "Unit"},
        "param_constraint": {"scale": "positive"},
        "plate_sample": {"column": ["beta"], "row": ["loc", "y"], "lane": ["u"]},
        "observed": ["y", "f"]}


def test_the_function_runs_once_for_all_questions():
    calls = []

    def model(y):
        calls.append(1)
        normal("y", normal("m"), obs=y)
    for y in (0.0, 1.0):
        get_dependencies(model, (y,)), get_model_relations(model, (y,)), render_model(model, (y,)).source
        cr.check_model(model, (y,))
    assert len(calls) == 1
    before = cr.stats().compilations
    render_model(model, (2.0,), render_distributions=True)
    assert cr.stats().compilations == before


# ---- pictures ----

def parse_dot(text):
    """({node: attributes}, [(from, to, attributes)], {cluster: (label, its nodes, its clusters)}) of DOT text."""
    strings = r'"(?:[^"\\]|\\.)*"'
    tokens = re.findall(rf"{strings}|->|[{{}}\[\];=,]|[\w.#-]+", text)
    nodes, edges, clusters, stack = {}, [], {}, [None]
    clean = lambda s: re.sub(r"\\(.)", r"\1", s[1:-1]) if s.startswith('"') else s  # noqa: E731
    at = 3
    assert tokens[:3] == ["digraph", "model", "{"]

    def attributes(i):
        found = {}
        while tokens[i] != "]":
            key, equals, value = tokens[i:i + 3]
            assert equals == "="
            found[key] = clean(value)
            i += 4 if tokens[i + 3] == "," else 3
        return found, i + 1
    while at < len(tokens):
        token = tokens[at]
        if token == "subgraph":
            name = clean(tokens[at + 1])
            clusters[name] = ["", [], []]
            if stack[-1]:
                clusters[stack[-1]][2].append(name)
            stack.append(name)
            at += 3
        elif token == "}":
            stack.pop()
            at += 1
        elif token == ";":
            at += 1
        elif tokens[at + 1] == "=":
            if token == "label":
                clusters[stack[-1]][0] = clean(tokens[at + 2])
            at += 3
        elif tokens[at + 1] == "->":
            found, end = attributes(at + 4) if tokens[at + 3] == "[" else ({}, at + 3)
            edges.append((clean(token), clean(tokens[at + 2]), found))
            at = end
        else:
            assert tokens[at + 1] == "["
            nodes[clean(token)], at = attributes(at + 2)
            if stack[-1]:
                clusters[stack[-1]][1].append(clean(token))
    assert not stack
    return nodes, edges, {k: tuple(v) for k, v in clusters.items()}


def overlapping():
    i, j = cr.plate("i", 3, dim=-1), cr.plate("j", 2, dim=-2)
    with i:
        a = normal("a")
    with j:
        b = normal("b")
    with i, j:
        c = normal("c", a + b)
        with cr.plate("k", 4, dim=-3):
            normal('d "quoted"', c, obs=np.zeros((4, 2, 3)))


def test_plates_are_nested_and_one_that_overlaps_is_drawn_twice():
    nodes, edges, clusters = parse_dot(render_model(overlapping).source)
    by_label = sorted((label, names, len(inner)) for label, names, inner in clusters.values())
    assert by_label == [("i (3)", ["a"], 1), ("j (2)", ["b"], 0), ("j (2)", ["c"], 1), ("k (4)", ['d "quoted"'], 0)]
    outer = next(v for v in clusters.values() if v[0] == "i (3)")
    middle = clusters[outer[2][0]]
    assert middle[1] == ["c"] and clusters[middle[2][0]][0] == "k (4)"
    assert set(nodes) == {"a", "b", "c", 'd "quoted"'} and len(edges) == 3
    svg = ElementTree.fromstring(render_model(overlapping).svg)
    assert svg.tag.endswith("svg")


def test_kinds_of_nodes_params_and_distributions():
    args = np.zeros((4, 3)), np.zeros(4)
    graph = render_model(related, args, render_distributions=True, render_params=True)
    nodes, edges, clusters = parse_dot(graph.source)
    assert nodes["y"]["fillcolor"] == nodes["f"]["fillcolor"] == "#d3d3d3" and nodes["beta"]["fillcolor"] == "white"
    assert "dashed" in nodes["loc"]["style"] and nodes["f"]["shape"] == "box" and nodes["scale"]["shape"] == "plain"
    assert ("scale", "beta", {}) in edges and ("beta", "loc", {}) in edges and ("beta", "y", {}) not in edges
    assert graph.notes == ["beta ~ Normal(0, scale)", "y ~ Normal(loc, 1)", "u ~ Normal([2], 1)", "scale ∈ positive"]
    assert graph.notes[0] in nodes["distribution_description_node"]["label"]
    assert {label for label, _, _ in clusters.values()} == {"column (3)", "row (4)", "lane, vmap (2)"}
    plain = render_model(related, args)
    assert "scale" not in parse_dot(plain.source)[0] and not plain.notes


def test_a_step_that_depends_on_the_one_before_is_a_dashed_arrow():
    graph = render_model(hidden, (np.zeros(6),))
    assert ("h", "h", {"style": "dashed"}) in parse_dot(graph.source)[1]
    assert "scan (6 steps)" in graph.source
    assert "n1 -.-> n1" in graph.mermaid and "n0 --> n1" in graph.mermaid


def test_a_subsampled_plate_says_so():
    def model():
        with cr.plate("N", 100, subsample_size=10):
            normal("x")
    assert "N (10 of 100)" in render_model(model).mermaid


def test_mermaid_has_each_node_and_edge_once():
    text = render_model(overlapping).mermaid
    assert len(re.findall(r"^ +n\d\(\[", text, re.M)) == 4 and text.count("-->") == 3
    assert text.count("subgraph") == len(re.findall(r"^ +end$", text, re.M)) == 4
    assert "#quot;quoted#quot;" in text


def boxes_of(svg):
    """The rectangles of plates and the centres of nodes in a picture."""
    root = ElementTree.fromstring(svg)
    numbers = lambda e, names: tuple(float(e.get(n)) for n in names.split())  # noqa: E731
    rects = [numbers(e, "x y width height") for e in root.iter() if e.tag.endswith("rect") and e.get("rx")]
    ellipses = [numbers(e, "cx cy rx ry") for e in root.iter() if e.tag.endswith("ellipse")]
    return rects, ellipses


@pytest.mark.skipif(shutil.which("dot") is not None, reason="graphviz makes the picture here")
@pytest.mark.parametrize("model, args", [(overlapping, ()), (hidden, (np.zeros(6),)),
                                         (related, (np.zeros((4, 3)), np.zeros(4)))])
def test_in_our_own_picture_boxes_are_nested_or_apart_and_nodes_do_not_touch(model, args):
    rects, ellipses = boxes_of(render_model(model, args).svg)
    for i, (x, y, w, h) in enumerate(rects):
        for a, b, c, d in rects[i + 1:]:
            apart = a >= x + w or x >= a + c or b >= y + h or y >= b + d
            inside = x <= a and y <= b and a + c <= x + w and b + d <= y + h
            assert apart or inside
        for cx, cy, rx, ry in ellipses:
            assert x <= cx - rx and cx + rx <= x + w and y <= cy - ry and cy + ry <= y + h or \
                cx + rx <= x or x + w <= cx - rx or cy + ry <= y or y + h <= cy - ry
    for i, (x, y, rx, ry) in enumerate(ellipses):
        assert all(abs(x - a) >= rx + c or abs(y - b) >= ry + d for a, b, c, d in ellipses[i + 1:])


def test_a_graph_is_saved_by_its_suffix_and_shown_in_notebooks(tmp_path):
    graph = render_model(overlapping, filename=tmp_path / "model.dot")
    assert (tmp_path / "model.dot").read_text(encoding="utf-8") == graph.source == str(graph)
    assert graph.save(tmp_path / "model.mmd").read_text(encoding="utf-8") == graph.mermaid
    assert graph.save(tmp_path / "model.md").read_text(encoding="utf-8").startswith("```mermaid\nflowchart TD\n")
    assert graph.save(tmp_path / "model.svg").read_text(encoding="utf-8") == graph._repr_svg_()
    bundle = graph._repr_mimebundle_()
    assert bundle["text/vnd.mermaid"] == graph.mermaid and set(graph._repr_mimebundle_(include=["text/plain"])) == {
        "text/plain"}
    with pytest.raises(ValueError, match="has no suffix"):
        graph.save(tmp_path / "model")
    if shutil.which("dot") is None:
        with pytest.raises(RuntimeError, match="graphviz"):
            graph.save(tmp_path / "model.png")
    else:
        assert graph.save(tmp_path / "model.png").stat().st_size > 1000
