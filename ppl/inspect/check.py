"""A check of a model for what is allowed and seldom meant: see `check_model`."""
from typing import NamedTuple

import numpy as onp

from ...distributions import Distribution, constraints
from ...distributions.record import Record
from ...distributions.wrappers import Masked
from ...engine.core import Tracer
from ...engine.errors import at_user_line, describe_location
from ..sites import Arrays, Site, SiteError
from ..values import check_support, family
from .images import TIED_SETS, bare, interval_of, support_of
from .precision import in_float32
from .relations import nodes_of
from .walk import Fact, batch_of

RESERVED = ("chain", "draw")


class Finding(NamedTuple):
    """One finding: the rule, the site (or plate) and what to do; the message ends with the user's line."""
    rule: str
    site: str
    message: str


class Seen(NamedTuple):
    """What the checks of one site need of all."""
    nodes: dict
    used: set                  # the sites that others depend on
    dims: set                  # the names of plates and of vmap axes
    has_data: bool


class Findings(list):
    """The findings of `check_model`, a list; printed, one below the other."""

    def __str__(self):
        if not self:
            return "nothing found"
        return "\n\n".join(f"{i}. {f.rule}: {f.message}" for i, f in enumerate(self, 1))

    __repr__ = __str__


def check_model(model, model_args=None, model_kwargs=None):
    """Findings(rule, site, message) on a model: what can be carried out, and is probably a mistake. Nothing is drawn.

    error                the model cannot be carried out; the message is that of the error
    unused-site          a latent site that nothing depends on, in a model with observations
    support-mismatch     a parameter that must lie in a set (a positive scale) made of a site that leaves it
    parameter-outside    a parameter, computed from the data, that lies outside of its set
    missing-plate        a batch axis that no plate, vmap or scan accounts for
    improper-prior       a latent site whose density has no finite integral
    float32              numbers that float32 does not tell apart: a large offset with a small scale
    plate-axes           a plate that stands for one axis here and for another there
    data-outside         observed data outside of the support
    discrete-latent      a latent site that HMC and NUTS cannot sample
    arviz-name           a name that ArviZ cannot hold

    Supports are followed exactly, through monotone functions and arithmetic; where one is not known, nothing is said.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     tau = cr.sample("tau", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(0.0, tau), obs=y)
    >>> [(f.rule, f.site) for f in check_model(model, (0.5,))]
    [('support-mismatch', 'y')]
    """
    try:
        nodes, program, data = nodes_of(model, model_args, model_kwargs, numbers=True)
    except SiteError as e:
        return Findings([_of_error("error", e)])
    found = Findings()
    try:
        program.describe(data)
    except SiteError as e:
        found.append(_of_error("error", e))
    seen = Seen(nodes, {name for n in nodes.values() for name in n.parents if name != n.name},
                {b.frame.name for n in nodes.values() for b in n.boxes if b.frame.name is not None},
                any(n.observed for n in nodes.values()))
    for node in nodes.values():
        for rule, text in [line for check in CHECKS for line in check(node, seen)]:
            found.append(Finding(rule, node.name, at_user_line(text, node.facts.source)))
    return Findings([*found, *_plate_axes(nodes)])


def _of_error(rule, error):
    """The finding that an error is."""
    parts = str(error).split("'")
    return Finding(rule, parts[1] if len(parts) > 2 else "", str(error))


# ---- one site: each check yields (rule, text) ----

def _unused(node, seen):
    if node.latent and seen.has_data and node.name not in seen.used:
        yield "unused-site", (f"site {node.name!r} is latent and nothing depends on it: it keeps its prior, and the "
                              "sampler carries it along.\nUse its value, observe it, or take it out of the model.")


def _data(node, seen):
    for types, inputs in zip(node.types, node.inputs):
        y, mask = inputs.value, inputs.mask
        y = None if y is None else y.rows if y.number is None else y.number
        if node.kind != "sample" or not node.observed or y is None or mask is not None and mask.number is None:
            continue
        fn, support = support_of(inputs.fn, types.fn)
        if support is None:
            continue
        site = Site(Arrays(fn, y, None if mask is None else mask.number, None), node.facts)
        try:
            check_support(site, fn, y, "obs")
        except SiteError as e:
            yield "data-outside", e.args[0].rpartition("\n  at ")[0]


def _supports(node, seen):
    for inputs in node.inputs if node.kind == "sample" else ():
        records = list(_records(inputs.fn))
        masked = inputs.mask is not None or any(isinstance(r, Masked) for r in records)
        for record in records:
            for field in record._params:
                fact = getattr(record, field.name)
                if not isinstance(fact, Fact) or field.constraint is None or field.depends:
                    continue
                if fact.number is None:
                    yield from _made_of_sites(node, seen.nodes, type(record).__name__, field, fact.image)
                elif not masked:                         # what is masked may be anything
                    yield from _made_of_data(node, type(record).__name__, field, fact.number)


def _records(x):
    """The distributions in a distribution, itself included."""
    if isinstance(x, (tuple, list)):
        for part in x:
            yield from _records(part)
    elif isinstance(x, Record):
        if isinstance(x, Distribution):
            yield x
        for field in x._fields:
            if field.kind == "child":
                yield from _records(getattr(x, field.name))


def _made_of_data(node, name, field, number):
    ok, wanted = field.constraint(number), field.constraint
    if not isinstance(ok, Tracer) and not onp.asarray(ok).all():
        bad = onp.asarray(number)
        shown = f" (it goes from {bad.min():g} to {bad.max():g})" if bad.size and bad.dtype.kind in "fiu" else ""
        yield "parameter-outside", (f"site {node.name!r}: {field.name} of {name} must be {wanted.words}, and what the "
                                    f"data make of it is not{shown}.\nCheck the data, or transform it.")


def _made_of_sites(node, nodes, name, field, image):
    wanted = field.constraint
    if image is None or _within(image, wanted):
        return
    sources = " and ".join(f"{s!r} ~ {_family_of(nodes[s])}" for s in image.sites if s in nodes)
    yield "support-mismatch", (
        f"site {node.name!r}: {field.name} of {name} must be {wanted.words}, and it is made of {sources}, so it ranges "
        f"from {image.low:g} to {image.high:g}.\n{_advice(wanted)}")


def _family_of(node):
    return node.fn.support.words if node.kind == "param" else family(node.fn)


def _within(image, wanted):
    """Whether the values of an image can all lie in a set; True where it is not known."""
    base = wanted.base if isinstance(wanted, constraints.Independent) else wanted
    if image.support is not None and base.is_discrete and not image.support.is_discrete:
        return False
    ends = interval_of(wanted)
    if type(base).__name__ in TIED_SETS and image.support is not None:    # free elements do not fulfil what ties them
        own = image.support.base if isinstance(image.support, constraints.Independent) else image.support
        return own.event_dim > 0
    return ends is None or ends[0] <= image.low and image.high <= ends[1]


def _advice(wanted):
    low, high = interval_of(wanted) or (None, None)
    if wanted.is_discrete:
        return "Give it a distribution over integers."
    if interval_of(wanted) == interval_of(constraints.simplex) and wanted.event_dim:
        return "Give it a prior on the simplex, such as Dirichlet, or put it through softmax."
    if (low, high) == (0.0, 1.0):
        return "Give it a prior on (0, 1), such as Beta, or put it through expit, or pass logits in place of probs."
    if low == 0.0:
        return "Give it a positive prior, such as HalfNormal, Gamma or LogNormal, or put it through exp or softplus."
    return f"Give it a prior whose values are {wanted.words}, or a transform into that set."


def _plates(node, seen):
    if node.kind != "sample":
        return
    batch = batch_of(node)
    lanes = sum(f.dim is None for f in node.facts.plates)
    dims = {f.dim for f in node.facts.plates if f.dim is not None}
    free = [axis - len(batch) for axis in range(lanes, len(batch)) if batch[axis] > 1 and axis - len(batch) not in dims]
    if free:
        sizes = ", ".join(f"axis {axis} of size {batch[axis]}" for axis in free)
        yield "missing-plate", (f"site {node.name!r} has batch shape {batch}, and no plate, vmap or scan accounts for "
                                f"{sizes}.\nPut it into a plate if the values are independent given the rest, "
                                f'with plate("...", {batch[free[-1]]}, dim={free[-1]}), or declare one draw of many '
                                "values with .to_event(n).")


def _improper(node, seen):
    if node.latent and any(type(bare(t.fn)).__name__ == "ImproperUniform" for t in node.types):
        yield "improper-prior", (f"site {node.name!r} has an improper prior: its density has no finite integral, it "
                                 "cannot be drawn from, and the posterior may be improper too.\nWrite a wide proper "
                                 "prior at the scale of the data, such as Normal(0, 10) or HalfNormal(10).")


def _discrete(node, seen):
    if node.latent and node.fn.is_discrete and not dict(node.facts.infer).get("enumerate"):
        yield "discrete-latent", (f"site {node.name!r} ~ {family(node.fn)} is discrete and not observed; HMC and NUTS "
                                  "need continuous sites.\nObserve it, sum it out of the model (as a mixture "
                                  "distribution does), or use a sampler for discrete sites.")


def _names(node, seen):
    if node.kind not in ("sample", "deterministic"):
        return
    if node.name in seen.dims:
        yield "arviz-name", (f"site {node.name!r} has the name of a plate, which is a dimension in ArviZ: one name "
                             "cannot be both.\nRename one of them.")
    if node.name in RESERVED:
        yield "arviz-name", f"site {node.name!r} has the name of a dimension that ArviZ gives all draws.\nRename it."
    if "/" in node.name:
        yield "arviz-name", (f"site {node.name!r} has a slash in its name, which stands for a group in ArviZ and in "
                             "netCDF files.\nUse another divider: scope(model, prefix=..., divider=\".\").")


def _precision(node, seen):
    for inputs in node.inputs if node.kind == "sample" else ():
        for text in in_float32(node, bare(inputs.fn), inputs.value):
            yield "float32", f"site {node.name!r}: {text}"


CHECKS = (_data, _unused, _supports, _plates, _improper, _precision, _discrete, _names)


# ---- all sites ----

def _plate_axes(nodes):
    """Plates of one name that stand for different axes."""
    seen: dict = {}
    for node in nodes.values():
        for frame in [b.frame for b in node.boxes if b.frame.dim is not None]:
            first = seen.setdefault(frame.name, frame)
            if first.dim != frame.dim:
                lines = [describe_location(tuple(f.line) or None) for f in (first, frame)]
                yield Finding("plate-axes", frame.name,
                              f"plate {frame.name!r} is axis {first.dim} in one place and axis {frame.dim} in another: "
                              "values from the one do not meet those of the other.\nGive both the same dim.\n"
                              f"  at {lines[0]}\n  and {lines[1]}")
                seen[frame.name] = frame


