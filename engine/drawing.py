"""Drawings of programs: what a transformation has made of one, side by side.

    draw(f, x)                                    the program of f
    draw(f, x, transformed=grad(f)).save("f.html")    f on the left, its gradient on the right

Programs are listed equation by equation, with inner programs folded away. On the right, green equations are new and
yellow ones have changed (other types, parameters or operands' types); on the left, red ones are gone. Pointing at an
equation shows the user's line that it comes from, pointing at a variable marks where else it stands.
"""
import difflib
import html
import pathlib
from typing import NamedTuple

import numpy as np

from .api import make_jaxpr
from .errors import describe_location
from .ir import Jaxpr, Literal, letters
from .staged import name_of

_COLOURS = {"f": "#0b5cad", "c": "#7a2ea0", "i": "#1b7340", "u": "#1b7340", "b": "#a3480a", "V": "#0b5cad"}
_MARKS = {"new": "#d9f2dc", "changed": "#fdf1c4", "gone": "#f9dcdc"}
_WORDS = {"new": "not in the program on the left", "changed": "changed", "gone": "not in the program on the right"}

_STYLE = """
.program-drawing { display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start; font: 13px/1.55 ui-monospace,
  Menlo, Consolas, monospace; color: #1d1d1f; background: #fff; }
.program-drawing section { flex: 1 1 20em; min-width: 0; border: 1px solid #ddd; border-radius: 6px; padding: .6em .9em;
  overflow-x: auto; }
.program-drawing h4 { margin: 0 0 .4em; font: 600 14px system-ui, sans-serif; }
.program-drawing h4 small { font-weight: 400; color: #666; }
.program-drawing .rows { width: max-content; min-width: 100%; }
.program-drawing .row { white-space: pre; border-radius: 3px; padding: 0 .3em; }
.program-drawing .inner { margin-left: 1.2em; border-left: 2px solid #e4e4e8; padding-left: .5em; }
.program-drawing summary { cursor: pointer; white-space: pre; border-radius: 3px; padding: 0 .3em; }
.program-drawing .op { font-weight: 600; } .program-drawing .dim { color: #6b6b70; }
.program-drawing .lit { color: #555; } .program-drawing .v.on { outline: 2px solid #e08a00; border-radius: 2px; }
"""

_SCRIPT = """
for (const box of document.querySelectorAll('.program-drawing')) {
  const mark = on => e => { const v = e.target.dataset && e.target.dataset.v; if (!v) return;
    for (const x of box.querySelectorAll('.v')) x.classList.toggle('on', on && x.dataset.v === v); };
  box.onmouseover = mark(true); box.onmouseout = mark(false);
}
"""


class Row(NamedTuple):
    """A line of the listing: pieces of text with their kind, a mark, a source line, and the programs inside."""
    pieces: list             # [(text, kind, what it belongs to)]
    mark: str | None
    source: str
    inner: list              # [(title, rows)]


class Drawing:
    """One or two programs, drawn. `html` and `svg` are text without links to anything; notebooks show it."""

    def __init__(self, panels):
        self.panels = panels                             # [(title, note, rows)]

    @property
    def html(self):
        """A fragment of HTML with its style."""
        body = "".join([f"<section><h4>{html.escape(title)} <small>{html.escape(note)}</small></h4>"
                        f'<div class="rows">{_rows_html(rows)}</div></section>' for title, note, rows in self.panels])
        return f'<style>{_STYLE}</style><div class="program-drawing">{body}</div><script>{_SCRIPT}</script>'

    def _repr_html_(self):
        return self.html

    @property
    def svg(self):
        """A picture with every inner program unfolded."""
        return _svg(self.panels)

    def save(self, path):
        """Write a page (.html) or a picture (.svg)."""
        path = pathlib.Path(path)
        if path.suffix not in (".html", ".svg"):
            raise ValueError(f"a drawing is saved as .html or .svg, not as {path.name!r}.")
        page = f'<!doctype html><meta charset="utf-8"><title>program</title><body style="margin:1em">{self.html}</body>'
        path.write_text(self.svg if path.suffix == ".svg" else page, encoding="utf-8")

    def __repr__(self):
        return f"<Drawing of {', '.join([f'{title} ({note})' for title, note, _ in self.panels])}>"


def draw(f, *args, transformed=None, transformed_args=None, titles=None):
    """A `Drawing` of the program of f for these arguments, beside that of `transformed` (a function of f's arguments).

    f, transformed : functions, or programs (`Jaxpr`)
    transformed_args : its arguments where they are others
    titles : a heading for each

    >>> from chainrule.engine import grad
    >>> draw(lambda x: x * x, 2.0, transformed=grad(lambda x: x * x))
    <Drawing of before (1 equation), after (3 equations)>
    """
    before = f if isinstance(f, Jaxpr) else make_jaxpr(f)(*args)
    if transformed is None:
        rows = _listing(before, _Names("l"), {})
        return Drawing([((titles or [before.name or name_of(f)])[0], _count(before), rows)])
    after = transformed if isinstance(transformed, Jaxpr) else make_jaxpr(transformed)(
        *(args if transformed_args is None else transformed_args))
    left, right = _compare(before, after)
    titles = titles or ("before", "after")
    return Drawing([(titles[0], _count(before), _listing(before, _Names("l"), left)),
                    (titles[1], _count(after), _listing(after, _Names("r"), right))])


def _count(jaxpr):
    def total(p):
        return sum([1 + sum([total(q) for q in e.prim.programs(e.params)]) for e in p.eqns])
    outer, every = len(jaxpr.eqns), total(jaxpr)
    inside = f", {every - outer} inside" if every > outer else ""
    return f"{outer} equation{'s' * (outer != 1)}{inside}"


# ---- what differs ----

def _compare(before, after):
    """(marks of the equations on the left, on the right), by the equation's id."""
    left, right = {}, {}
    a, b = ([(e.prim.name, e.source) for e in p.eqns] for p in (before, after))
    for kind, i, i2, j, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            left.update({id(e): "gone" for e in before.eqns[i:i2]})
            right.update({id(e): "new" for e in after.eqns[j:j2]})
            continue
        for old, new in zip(before.eqns[i:i2], after.eqns[j:j2]):
            if _types(old) != _types(new):
                right[id(new)] = "changed"
            inner = list(old.prim.programs(old.params)), list(new.prim.programs(new.params))
            for p, q in zip(*inner):
                for marks, more in zip((left, right), _compare(p, q)):
                    marks.update(more)
                if not _equal(p, q):
                    right.setdefault(id(new), "changed")
    return left, right


def _types(eqn):
    plain = {k: v for k, v in eqn.params.items() if k not in eqn.prim.inner and not callable(v)}
    inputs = [repr(v.value) if type(v) is Literal else v.aval for v in eqn.inputs]
    return inputs, [v.aval for v in eqn.outs], plain


def _equal(p, q):
    return p is q or (len(p.eqns) == len(q.eqns) and all([a.prim is b.prim and _types(a) == _types(b)
                                                          for a, b in zip(p.eqns, q.eqns)]))


# ---- rows ----

class _Names:
    """Names for variables; every program counts from a, and the prefix keeps those of different programs apart."""

    def __init__(self, prefix):
        self.prefix, self.names, self.programs = prefix, {}, 0

    def inner(self):
        self.programs += 1
        return _Names(f"{self.prefix}{self.programs}.")

    def __getitem__(self, v):
        if v not in self.names:
            self.names[v] = letters(len(self.names))
        return self.names[v]


def _atom(v, names, binder=False):
    if type(v) is Literal:
        return [(f"{v.value.item()!r}", "lit", None)]
    name = [(names[v], "v", names.prefix + names[v])]
    return [*name, (f":{v.aval!r}", v.aval.dtype.kind, None)] if binder else name


def _spaced(lists):
    out = []
    for pieces in lists:
        out.extend([(" ", "", None), *pieces] if out else pieces)
    return out


def _listing(jaxpr, names, marks):
    head = [("inputs ", "dim", None), *_spaced([_atom(v, names, True) for v in jaxpr.invars])]
    rows = [Row(head, None, "", [])]
    for eqn in jaxpr.eqns:
        shown = [f"{k}={_short(v)}" for k, v in eqn.params.items()
                 if k not in eqn.prim.inner and v is not None and v != () and not callable(v)]
        pieces = [*_spaced([_atom(v, names, True) for v in eqn.outs]), (" = ", "dim", None),
                  (eqn.prim.name, "op", None), *([(f"[{', '.join(shown)}]", "dim", None)] if shown else []),
                  *[p for v in eqn.inputs for p in [(" ", "", None), *_atom(v, names)]]]
        inner = []
        for key in eqn.prim.inner:
            found = eqn.params[key]
            several = found if isinstance(found, tuple) else (found,)
            for i, p in enumerate(several):
                if p is not None:
                    title = f"{key}[{i}]" if isinstance(found, tuple) else key
                    inner.append((f"{title}: {p.name}", _listing(p, names.inner(), marks)))
        rows.append(Row(pieces, marks.get(id(eqn)), describe_location(eqn.source), inner))
    rows.append(Row([("outputs ", "dim", None), *_spaced([_atom(v, names) for v in jaxpr.outs])], None, "", []))
    return rows


def _short(v):
    text = v.name if isinstance(v, np.dtype) else getattr(v, "__name__", None) or repr(v)
    return text if len(text) <= 40 else text[:39] + "…"


# ---- HTML and SVG ----

def _rows_html(rows):
    out = []
    for row in rows:
        title = ". ".join(filter(None, [row.source, _WORDS.get(row.mark)]))
        style = f' style="background:{_MARKS[row.mark]}"' if row.mark else ""
        line = "".join([_span(*piece) for piece in row.pieces])
        attributes = f'{style} title="{html.escape(title)}"'
        if not row.inner:
            out.append(f'<div class="row"{attributes}>{line}</div>')
            continue
        inner = "".join([f'<div class="row dim">{html.escape(t)}</div><div class="inner">{_rows_html(r)}</div>'
                         for t, r in row.inner])
        out.append(f'<details><summary{attributes}>{line}</summary><div class="inner">{inner}</div></details>')
    return "".join(out)


def _span(text, kind, owner):
    text = html.escape(text)
    if kind == "v":
        return f'<span class="v" data-v="{owner}">{text}</span>'
    if kind in _COLOURS:
        return f'<span style="color:{_COLOURS[kind]}">{text}</span>'
    return f'<span class="{kind}">{text}</span>' if kind else text


def _flat(rows, depth=0):
    for row in rows:
        yield depth, row
        for title, inner in row.inner:
            yield depth + 1, Row([(title, "dim", None)], None, "", [])
            yield from _flat(inner, depth + 2)


def _tspan(text, kind):
    colour = _COLOURS.get(kind, "#6b6b70" if kind in ("dim", "lit") else "#1d1d1f")
    weight = ' font-weight="600"' if kind == "op" else ""
    return f'<tspan fill="{colour}"{weight}>{html.escape(text)}</tspan>'


def _svg(panels):
    wide, high, gap, out, left, bottom = 7.3, 19, 24, [], 12, 0
    for title, note, rows in panels:
        lines = list(_flat(rows))
        letters_wide = [2 * d + sum([len(t) for t, _, _ in row.pieces]) for d, row in lines]
        width = max([*letters_wide, len(title + note)]) * wide + 24
        out.append(f'<text x="{left}" y="24" font-weight="600">{html.escape(title)}'
                   f'<tspan font-weight="400" fill="#666"> {html.escape(note)}</tspan></text>')
        for i, (depth, row) in enumerate(lines):
            x, y = left + 2 * depth * wide, 48 + i * high
            if row.mark:
                out.append(f'<rect x="{x - 4:.1f}" y="{y - 14}" width="{left + width - x:.1f}" height="{high}" rx="3" '
                           f'fill="{_MARKS[row.mark]}"/>')
            spans = "".join([_tspan(text, kind) for text, kind, _ in row.pieces])
            out.append(f'<text x="{x:.1f}" y="{y}" xml:space="preserve">{spans}'
                       f"<title>{html.escape(row.source)}</title></text>")
        left, bottom = left + width + gap, max(bottom, 48 + len(lines) * high)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left:.0f}" height="{bottom}" font-size="12" '
            'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">'
            f'<rect width="100%" height="100%" fill="#fff"/>{"".join(out)}</svg>')
