"""Which terms of a bound depend on which draws, read off the programs of a model and a guide.

A draw depends on the draws that its distribution is made of, and on theirs; a term, log p or log q of one site, on the
site's own value and on what its distribution is made of. All of it is by names, and within a plate index by index where
the program shows it (`alignment`); a site in a loop is one.
"""
from typing import NamedTuple

from .alignment import aligned, plates_of


class Sites(NamedTuple):
    """Dependencies between the sites of a program.

    parents : {site: the sample sites that its distribution (or a factor's value) is made of directly}
    lagged : the sites that depend on their own earlier step
    by_params : the sites whose distribution depends on a param other than through a sample site
    plates : {site: its plates}
    mixed : {site: {(parent, plate) where it does not depend on the parent index by index}}
    """
    parents: dict
    lagged: frozenset
    by_params: frozenset
    plates: dict
    mixed: dict

    def link(self, parent, site):
        """The plates along which a site depends on a parent, or a term on the site's own value, index by index."""
        if parent == site:
            return self.plates[site]
        return frozenset(p for p in self.plates[site] if (parent, p) not in self.mixed[site])


def sites_of(program, data):
    """The `Sites` of a program; kept with it."""
    found = program.cache.get("sites")
    if found is None:
        nodes, mixed = aligned(program, data)
        random = {n for n, node in nodes.items() if node.kind in ("sample", "factor")}
        found = program.cache["sites"] = Sites(
            {n: frozenset(nodes[n].parents & random) for n in random},
            frozenset(n for n in random if n in nodes[n].parents),
            frozenset(n for n in random if any(nodes[k].kind == "param" for k in nodes[n].parents)),
            {n: plates_of(nodes[n].facts) for n in random}, mixed)
    return found


def descendants(sites):
    """{site: {site whose value depends on its value: the plates along which it does so index by index}}.

    A site is among its own; one that depends on its own earlier step does so by the loop's carry, across all indices.
    """
    out = {n: {n: plates} for n, plates in sites.plates.items()}
    for below in out.values():
        todo = list(below)
        while todo:
            parent = todo.pop()
            for n, parents in sites.parents.items():
                if parent not in parents:
                    continue
                step = frozenset() if parent == n else sites.link(parent, n)
                plates = below[parent] & step & below.get(n, step)
                if below.get(n) != plates:
                    below[n] = plates
                    todo.append(n)
    return out
