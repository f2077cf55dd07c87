"""Which terms of a bound depend on which draws, read off the programs of a model and a guide.

A draw depends on the draws that its distribution is made of, and on theirs; a term, log p or log q of one site, on the
site's own value and on what its distribution is made of. All of it is by names: a site in a loop is one.
"""
from typing import NamedTuple

from ...ppl.inspect.walk import walk


class Sites(NamedTuple):
    """Dependencies between the sites of a program.

    parents : {site: the sample sites that its distribution (or a factor's value) is made of directly}
    lagged : the sites that depend on their own earlier step
    by_params : the sites whose distribution depends on a param other than through a sample site
    """
    parents: dict
    lagged: frozenset
    by_params: frozenset


def sites_of(program, data):
    """The `Sites` of a program; kept with it."""
    found = program.cache.get("sites")
    if found is None:
        nodes = walk(program, data)
        random = {n for n, node in nodes.items() if node.kind in ("sample", "factor")}
        above = {n: _resolved(nodes, nodes[n].parents, random) for n in random}
        found = program.cache["sites"] = Sites(
            {n: frozenset(a & random) for n, a in above.items()},
            frozenset(n for n in random if n in nodes[n].parents),
            frozenset(n for n, a in above.items() if any(nodes[k].kind == "param" for k in a)))
    return found


def _resolved(nodes, names, random):
    """Names with deterministic sites replaced by what they were made of."""
    found, todo, seen = set(), list(names), set()
    while todo:
        name = todo.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        if name in random or nodes[name].kind == "param":
            found.add(name)
        else:
            todo += nodes[name].parents
    return found


def descendants(sites):
    """{site: the sites whose value depends on its value}, itself included."""
    out = {n: {n} for n in sites.parents}
    changed = True
    while changed:
        changed = False
        for n, parents in sites.parents.items():
            for below in out.values():
                if n not in below and parents & below:
                    below.add(n)
                    changed = True
    return out
