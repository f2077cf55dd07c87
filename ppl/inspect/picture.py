"""A plain layout of a model's graph as an SVG picture, for where graphviz is not installed.

Boxes are laid out from the inside out. In each of them the nodes and the inner boxes stand in rows, each below all that
it depends on; so boxes never overlap, and arrows mostly point down.
"""
import html
from typing import NamedTuple

GAP, ROW, NODE_HEIGHT, CHAR, PAD, LABEL = 22, 34, 34, 8.2, 16, 20
FILLS = {"latent": "white", "observed": "#d3d3d3", "deterministic": "white", "factor": "#d3d3d3", "param": "none"}


class Block(NamedTuple):
    """A laid out node or box: its size, and where its nodes and boxes are within it."""
    width: float
    height: float
    nodes: dict                # name -> (x, y) of the centre
    boxes: list                # (label, x, y, width, height)


def svg_of(graph):
    """The picture of a `Graph`, as SVG text."""
    edges = [(a, b) for a, b, late in graph.edges if a != b and not late]
    block = _block(graph.root, edges, label=False)
    note_width = max([len(line) for line in graph.notes], default=0) * CHAR
    width, height = max(block.width, note_width + 2 * PAD), block.height + LABEL * len(graph.notes)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
             f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="14">', ARROW]
    for label, x, y, w, h in block.boxes:
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="8" fill="none" '
                     'stroke="#555"/>')
        parts.append(_text(label, x + w - 8, y + h - 7, "end", "#555"))
    for a, b, late in graph.edges:
        parts.append(_arrow(block.nodes[a], block.nodes[b], _half_width(a), _half_width(b), late))
    for name, (x, y) in block.nodes.items():
        parts.append(_shape(name, graph.kinds[name], x, y))
        parts.append(_text(name, x, y + 5, "middle", "black"))
    parts += [_text(line, PAD, block.height + LABEL * i + 8, "start", "black") for i, line in enumerate(graph.notes)]
    return "\n".join([*parts, "</svg>"]) + "\n"


ARROW = ('<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
         'orient="auto"><path d="M0 1L10 5L0 9z"/></marker></defs>')


def _half_width(name):
    return max(len(name) * CHAR + 20, 48) / 2


def _text(text, x, y, anchor, colour):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(text)}</text>'


def _shape(name, kind, x, y):
    w, h = _half_width(name), NODE_HEIGHT / 2
    if kind == "param":
        return ""
    style = f'fill="{FILLS[kind]}" stroke="black"' + (' stroke-dasharray="4"' if kind == "deterministic" else "")
    if kind == "factor":
        return f'<rect x="{x - w:.1f}" y="{y - h:.1f}" width="{2 * w:.1f}" height="{2 * h:.1f}" {style}/>'
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{w:.1f}" ry="{h:.1f}" {style}/>'


def _arrow(start, end, start_width, end_width, late):
    style = 'fill="none" stroke="black" marker-end="url(#arrow)"' + (' stroke-dasharray="5 4"' if late else "")
    if start == end:
        x, y, w = start[0] + start_width, start[1], NODE_HEIGHT / 2
        return f'<path d="M{x - 6:.1f} {y - 9:.1f}C{x + w:.1f} {y - w - 9:.1f} {x + w:.1f} {y + w + 9:.1f} ' \
               f'{x - 6:.1f} {y + 9:.1f}" {style}/>'
    (x1, y1), (x2, y2) = _edge_of(start, end, start_width), _edge_of(end, start, end_width)
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" {style}/>'


def _edge_of(centre, towards, half_width):
    """Where the line from an ellipse's centre leaves it."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    t = ((dx / half_width) ** 2 + (dy / (NODE_HEIGHT / 2)) ** 2) ** -0.5
    return centre[0] + t * dx, centre[1] + t * dy


# ---- the layout ----

def _block(place, edges, label=True):
    """The block of a place: its nodes and inner boxes in rows."""
    items = {name: Block(2 * _half_width(name), NODE_HEIGHT, {name: (_half_width(name), NODE_HEIGHT / 2)}, [])
             for name in place.names}
    items.update({("box", key): _block(inner, edges) for key, inner in place.places.items()})
    rows = _rows(items, edges)
    width = max([sum(items[i].width for i in row) + GAP * (len(row) - 1) for row in rows], default=0) + 2 * PAD
    if label:
        width = max(width, len(place.label) * CHAR + 2 * PAD)
    sway = GAP if len(rows) > 2 else 0                   # rows stand alternately left and right: long arrows pass by
    width, nodes, boxes, y = width + sway, {}, [], float(PAD)
    for number, row in enumerate(rows):
        x = (width - sum(items[i].width for i in row) - GAP * (len(row) - 1) + (-sway if number % 2 else sway)) / 2
        tall = max(items[i].height for i in row)
        for i in row:
            item, top = items[i], y + (tall - items[i].height) / 2
            nodes.update({name: (x + dx, top + dy) for name, (dx, dy) in item.nodes.items()})
            boxes += [(text, x + dx, top + dy, w, h) for text, dx, dy, w, h in item.boxes]
            x += item.width + GAP
        y += tall + ROW
    height = y - ROW + PAD + (LABEL if label else 0)
    return Block(width, height, nodes, [(place.label, 0.0, 0.0, width, height), *boxes] if label else boxes)


def _rows(items, edges):
    """The items in rows, each below those that it depends on; a dependence that closes a circle is left out."""
    owner = {name: i for i, block in items.items() for name in block.nodes}
    parents = {i: set() for i in items}
    for a, b in edges:
        if a in owner and b in owner and owner[a] != owner[b]:
            parents[owner[b]].add(owner[a])
    level: dict = {}
    todo = list(items)
    while todo:
        ready = [i for i in todo if parents[i] <= level.keys()] or todo[:1]
        level.update({i: max([level[p] + 1 for p in parents[i] if p in level], default=0) for i in ready})
        todo = [i for i in todo if i not in level]
    rows: list = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for i in items:
        rows[level[i]].append(i)
    return rows
