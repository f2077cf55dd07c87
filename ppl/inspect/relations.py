"""Which site depends on which, in the prior and in the posterior, and what stands in which plate."""
from collections import OrderedDict

from ..model import stage_model
from ..values import family
from .walk import walk

RANDOM = ("sample", "factor")


def nodes_of(model, model_args=None, model_kwargs=None, numbers=False):
    """{name: Node} of a model's sites, its program and its data."""
    program, data = stage_model(model, model_args or (), model_kwargs or {})
    return walk(program, data, numbers), program, data


def distribution_name(node):
    """The family of a site's distribution; that of each branch, where they differ."""
    if node.kind == "deterministic":
        return "Deterministic"
    if node.kind == "factor":
        return "Unit"
    return " or ".join(dict.fromkeys([family(types.fn) for types in node.types]))


def plate_names(node):
    """The names of the plates and of the named vmap axes that a site stands in, outermost first."""
    return [b.frame.name for b in node.boxes if b.frame.name is not None]


def get_dependencies(model, model_args=None, model_kwargs=None):
    """How the sites of a model depend on each other, in the prior and in the posterior.

    {"prior_dependencies": {site: {latent site that it depends on: set of plates}},
     "posterior_dependencies": {latent site: {site that it depends on, given the data: set of plates}}}

    Every site depends on itself. A plate in a set says that the dependence goes across its indices. In the posterior
    two latent sites that a third depends on depend on each other (the graph is moralised). deterministic sites and
    draws from a Delta are left out: what depends on them depends on what they were made of. A factor is an observation.
    Sites in scan, cond, while_loop, vmap and jit are seen; one that depends on its own earlier step depends on itself.
    As in NumPyro, prior dependencies do not tell sums over a plate from element by element, so their sets are empty.

    Source: Webb, Goliński, Zinkov, Siddharth, Rainforth, Teh & Wood (2018), "Faithful inversion of generative models".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     a = cr.sample("a", dist.Normal(0.0, 1.0))
    ...     b = cr.sample("b", dist.LogNormal(0.0, 1.0))
    ...     cr.sample("c", dist.Normal(a, b), obs=0.0)
    >>> found = get_dependencies(model)
    >>> {k: sorted(v) for k, v in found["prior_dependencies"].items()}
    {'a': ['a'], 'b': ['b'], 'c': ['a', 'b', 'c']}
    >>> {k: sorted(v) for k, v in found["posterior_dependencies"].items()}
    {'a': ['a', 'b', 'c'], 'b': ['b', 'c']}
    """
    nodes = nodes_of(model, model_args, model_kwargs)[0]
    kept = [n for n in nodes.values() if n.kind in RANDOM and distribution_name(n) != "Delta"]
    latent = {n.name for n in kept if not n.observed}
    plates = {n.name: set(plate_names(n)) for n in kept}
    prior = {}
    for node in kept:
        found = _without_deterministic(nodes, node.parents, {n.name for n in kept})
        prior[node.name] = {name: set() for name in plates if name in found or name == node.name}
    return {"prior_dependencies": prior, "posterior_dependencies": _posterior(prior, latent, plates)}


def _without_deterministic(nodes, names, kept):
    """The kept sites that names stand for, deterministic ones replaced by what they were made of."""
    found, todo, seen = set(), list(names), set()
    while todo:
        name = todo.pop()
        if name in kept:
            found.add(name)
        elif name not in seen:
            seen.add(name)
            todo += nodes[name].parents
    return found


def _posterior(prior, latent, plates):
    """The dependencies turned round, and those between the parents of a site added."""
    order = {name: i for i, name in enumerate(prior)}
    out = {name: {} for name in prior if name in latent}
    for child, parents in prior.items():
        for parent, across in parents.items():
            if parent in latent:
                out[parent][child] = set(across)
    for child, parents in prior.items():
        among = [name for name in parents if name in latent]
        for one in among:
            for other in among:
                if order[other] >= order[one]:           # the later one may be asked for given the earlier
                    across = plates[one] & plates[other] - plates[child]
                    across |= plates[one] & parents[other] | plates[other] & parents[one]
                    out[one].setdefault(other, set()).update(across)
    return out


def get_model_relations(model, model_args=None, model_kwargs=None):
    """The relations between the sites, params and plates of a model, as a dict with keys:

    sample_sample : {site: the sites that it depends on directly}, deterministic sites and factors included
    sample_param : {site: the params that it depends on directly}
    sample_dist : {site: the name of its distribution}: "Deterministic" for a deterministic site, "Unit" for a factor
    param_constraint : {param: its constraint in words}
    plate_sample : {plate: the sites in it}; named axes of vmap count as plates
    observed : the observed sites

    Read off the staged program: sites in scan, cond, while_loop, vmap and jit are seen; the function is not run again.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     m = cr.sample("m", dist.Normal(0.0, 1.0))
    ...     sd = cr.sample("sd", dist.LogNormal(m, 1.0))
    ...     with cr.plate("N", len(y)):
    ...         cr.sample("obs", dist.Normal(m, sd), obs=y)
    >>> relations = get_model_relations(model, ([1.0, 2.0],))
    >>> relations["sample_sample"], relations["plate_sample"], relations["observed"]
    ({'m': [], 'sd': ['m'], 'obs': ['m', 'sd']}, {'N': ['obs']}, ['obs'])
    """
    return relations_of(nodes_of(model, model_args, model_kwargs)[0])


def relations_of(nodes):
    """`get_model_relations`, of nodes."""
    sites = [n for n in nodes.values() if n.kind in (*RANDOM, "deterministic")]
    params = [n.name for n in nodes.values() if n.kind == "param"]
    plates = OrderedDict()
    for node in sites:
        for name in plate_names(node):
            plates.setdefault(name, []).append(node.name)
    parents = {n.name: n.parents for n in sites}
    return {
        "sample_sample": {name: [m.name for m in sites if m.name in above and m.name != name]
                          for name, above in parents.items()},
        "sample_param": {name: [p for p in params if p in above] for name, above in parents.items()},
        "sample_dist": {n.name: distribution_name(n) for n in sites},
        "param_constraint": {name: nodes[name].fn.support.words for name in params},
        "plate_sample": dict(plates),
        "observed": [n.name for n in sites if n.observed],
    }


