"""A model as a graph, and the graph as text: DOT for graphviz, mermaid for Markdown and notebooks."""
import pathlib
import shutil
import subprocess
from collections import OrderedDict
from typing import NamedTuple

from ...engine import numpy as np
from .images import bare
from .picture import svg_of
from .relations import distribution_name, nodes_of
from .walk import Fact

GREY = "#d3d3d3"
DOT_STYLES = {"latent": 'shape=ellipse, style=filled, fillcolor=white',
              "observed": f'shape=ellipse, style=filled, fillcolor="{GREY}"',
              "deterministic": 'shape=ellipse, style="filled,dashed", fillcolor=white',
              "factor": f'shape=box, style=filled, fillcolor="{GREY}"',
              "param": "shape=plain"}
MERMAID_SHAPES = {"latent": '(["{}"])', "observed": '(["{}"])', "deterministic": '(["{}"])', "factor": '["{}"]',
                  "param": '["{}"]'}
MERMAID_STYLES = {"latent": "fill:#fff,stroke:#000", "observed": f"fill:{GREY},stroke:#000",
                  "deterministic": "fill:#fff,stroke:#000,stroke-dasharray:4", "factor": f"fill:{GREY},stroke:#000",
                  "param": "fill:none,stroke:none"}


class Place(NamedTuple):
    """A plate or loop as drawn: its label, the nodes right in it, the places in it. One plate may be drawn twice."""
    label: str
    names: list
    places: OrderedDict


class Graph:
    """A drawn model; made by `render_model`.

    kinds : {node: latent, observed, deterministic, factor or param}       edges : [(from, to, through a loop's carry)]
    root : the Place of all       notes : lines on the distributions
    source : the graph in DOT       mermaid : the same as a mermaid flowchart
    """

    def __init__(self, kinds, edges, root, notes=()):
        self.kinds, self.edges, self.root, self.notes = kinds, edges, root, list(notes)

    @property
    def source(self):
        """The graph in DOT, the language of graphviz."""
        lines = ["digraph model {", "    rankdir=TB"]
        self._dot(self.root, lines, "    ", [])
        lines += [f"    {_quoted(a)} -> {_quoted(b)}{' [style=dashed]' if late else ''}" for a, b, late in self.edges]
        if self.notes:
            text = "".join(_quoted(line)[1:-1] + "\\l" for line in self.notes)
            lines.append(f'    distribution_description_node [shape=plaintext, label="{text}"]')
        return "\n".join([*lines, "}"]) + "\n"

    def _dot(self, place, lines, pad, clusters):
        lines += [f"{pad}{_quoted(name)} [label={_quoted(name)}, {DOT_STYLES[self.kinds[name]]}]"
                  for name in place.names]
        for inner in place.places.values():
            clusters.append(inner)
            lines += [f'{pad}subgraph "cluster_{len(clusters)}" {{',
                      f'{pad}    label={_quoted(inner.label)}; labeljust=r; labelloc=b; style=rounded']
            self._dot(inner, lines, pad + "    ", clusters)
            lines.append(pad + "}")

    @property
    def mermaid(self):
        """The graph as a mermaid flowchart, which Markdown of many sites and notebooks shows."""
        ids = {name: f"n{i}" for i, name in enumerate(self.kinds)}
        lines = ["flowchart TD"]
        self._mermaid(self.root, lines, "    ", ids, [])
        lines += [f"    {ids[a]} {'-.->' if late else '-->'} {ids[b]}" for a, b, late in self.edges]
        if self.notes:
            lines.append(f'    notes["{"<br/>".join(map(_escaped, self.notes))}"]')
            lines.append("    style notes fill:none,stroke:none,text-align:left")
        for kind, style in MERMAID_STYLES.items():
            if members := [ids[name] for name, k in self.kinds.items() if k == kind]:
                lines += [f"    classDef {kind} {style}", f"    class {','.join(members)} {kind}"]
        return "\n".join(lines) + "\n"

    def _mermaid(self, place, lines, pad, ids, clusters):
        lines += [pad + ids[name] + MERMAID_SHAPES[self.kinds[name]].format(_escaped(name)) for name in place.names]
        for inner in place.places.values():
            clusters.append(inner)
            lines.append(f'{pad}subgraph p{len(clusters)}["{_escaped(inner.label)}"]')
            self._mermaid(inner, lines, pad + "    ", ids, clusters)
            lines.append(pad + "end")

    # ---- pictures ----

    @property
    def svg(self):
        """The graph as an SVG picture: by graphviz' program `dot` where it is installed, by a plain layout of our own
        where it is not."""
        return self.pipe("svg").decode() if shutil.which("dot") else svg_of(self)

    def pipe(self, format):
        """The picture in one of graphviz' formats, as bytes; needs graphviz' program `dot`."""
        if shutil.which("dot") is None:
            raise RuntimeError(f"a picture in the format {format!r} is made by graphviz, whose program `dot` is not "
                               "there.\nInstall graphviz, or save as .svg, .dot, .mmd or .md, which need nothing.")
        done = subprocess.run(["dot", f"-T{format}"], input=self.source.encode(), capture_output=True, check=True)
        return done.stdout

    def save(self, filename):
        """Write the graph in the form of the name's suffix; returns the path.

        .dot, .gv : DOT       .mmd, .mermaid : mermaid       .md : mermaid in Markdown       .svg : a picture
        others, such as .png and .pdf : what graphviz' program `dot` makes
        """
        path = pathlib.Path(filename)
        texts = {".dot": lambda: self.source, ".gv": lambda: self.source, ".mmd": lambda: self.mermaid,
                 ".mermaid": lambda: self.mermaid, ".md": lambda: f"```mermaid\n{self.mermaid}```\n",
                 ".svg": lambda: self.svg}
        if not path.suffix:
            raise ValueError(f"filename={str(filename)!r} has no suffix that says the form: "
                             f"{', '.join(texts)}, .png or .pdf.")
        if path.suffix in texts:
            path.write_text(texts[path.suffix](), encoding="utf-8")
        else:
            path.write_bytes(self.pipe(path.suffix[1:]))
        return path

    def _repr_svg_(self):
        return self.svg

    def _repr_mimebundle_(self, include=None, exclude=None):
        made = {"image/svg+xml": self.svg, "text/vnd.mermaid": self.mermaid, "text/plain": self.source}
        return {k: v for k, v in made.items() if (not include or k in include) and k not in (exclude or ())}

    def __str__(self):
        return self.source


def _quoted(text):
    text = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _escaped(text):
    return str(text).replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace(">", "&gt;")


# ---- from a model to its graph ----

def render_model(model, model_args=None, model_kwargs=None, filename=None, render_distributions=False,
                 render_params=False):
    """The graph of a model: sites, what they depend on, and the plates and loops around them, as a `Graph`.

    filename : where to save it as well: .svg, .dot, .mmd, .md, or .png and .pdf where graphviz is installed
    render_distributions : write the distributions under the graph        render_params : show params

    Latent sites are white, observed ones grey, deterministic ones dashed, factors boxes. Nested plates are drawn
    nested; of two that overlap, one is drawn twice. Steps of a scan, lanes of a vmap and passes of a while_loop have
    boxes too, and a dependence on an earlier step is a dashed arrow. A notebook shows the picture. Nothing else needs
    to be installed.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     m = cr.sample("m", dist.Normal(0.0, 1.0))
    ...     with cr.plate("N", len(y)):
    ...         cr.sample("y", dist.Normal(m, 1.0), obs=y)
    >>> print(render_model(model, ([1.0, 2.0],)).mermaid)
    flowchart TD
        n0(["m"])
        subgraph p1["N (2)"]
            n1(["y"])
        end
        n0 --> n1
        classDef latent fill:#fff,stroke:#000
        class n0 latent
        classDef observed fill:#d3d3d3,stroke:#000
        class n1 observed
    <BLANKLINE>
    """
    nodes = nodes_of(model, model_args, model_kwargs, numbers=render_distributions)[0]
    graph = graph_of(nodes, render_distributions, render_params)
    if filename is not None:
        graph.save(filename)
    return graph


def graph_of(nodes, distributions=False, params=False):
    """The `Graph` of nodes."""
    shown = ["sample", "factor", "deterministic", *["param"] * params]
    nodes = {name: n for name, n in nodes.items() if n.kind in shown}
    kinds = {name: n.kind if n.kind != "sample" else "observed" if n.observed else "latent"
             for name, n in nodes.items()}
    order = {name: i for i, name in enumerate(nodes)}
    edges = [(parent, name, parent in n.lagged) for name, n in nodes.items()
             for parent in sorted([p for p in n.parents if p in order], key=order.get)]
    notes = []
    if distributions:
        notes = [f"{name} ~ {_distribution_text(n)}" for name, n in nodes.items() if n.kind == "sample"]
        notes += [f"{name} ∈ {n.fn.support.words}" for name, n in nodes.items() if n.kind == "param"]
    return Graph(kinds, edges, _places(nodes), notes)


def _places(nodes):
    """The nesting of the boxes: one with more members goes outside; of overlapping ones the second is cut in two."""
    members: dict = {}
    for node in nodes.values():
        for box in node.boxes:
            members.setdefault(box.key, []).append(node.name)
    order = {key: (-len(names), i) for i, (key, names) in enumerate(members.items())}
    root = Place("", [], OrderedDict())
    for node in nodes.values():
        place = root
        for box in sorted(node.boxes, key=lambda box: order[box.key]):
            place = place.places.setdefault(box.key, Place(box.label, [], OrderedDict()))
        place.names.append(node.name)
    return root


def _distribution_text(node):
    """Normal(mu, 2), with names for other sites' values, numbers for numbers, and … for what is computed."""
    if len(node.types) > 1:
        return distribution_name(node)
    fn = bare(node.inputs[0].fn)
    shown = [_value_text(getattr(fn, f.name)) for f in fn._params if getattr(fn, f.name) is not None]
    return f"{type(fn).__name__}({', '.join(shown)})"


def _value_text(fact):
    if not isinstance(fact, Fact):
        return "…"
    if fact.name is not None:
        return fact.name
    if fact.number is not None:
        shape = np.shape(fact.number)
        return f"{float(fact.number):g}" if shape == () and fact.number.dtype.kind in "fiub" else f"{list(shape)}"
    return "…"
