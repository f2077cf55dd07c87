"""Sites of loops and branches: many sites of one name made into one.

    stack     the site of a scan's body, for all steps: a distribution, value, mask and scale with a leading time axis
    join      the sites of one name in the branches of a cond: value and distribution are those of the branch taken

An axis that came from a vmap around the loop stands before the loop's, as it does in the loop over lanes that vmap
means.
"""
from ..distributions import Distribution, Vmapped
from ..distributions.record import Record, child, static
from ..engine import numpy as np
from ..engine import tree
from ..engine.avals import Aval
from .sites import Arrays, Frame, Site, SiteError, log_prob_of


def lanes_before(frames):
    """The number of a site's axes that come from a vmap around its innermost loop."""
    return sum(f.loops > 0 for f in frames)


def stack(arrays, facts, length, frame=None):
    """The site of a loop of `length` steps, from arrays that were stacked along a leading axis."""
    fn, value, mask, scale = arrays
    if facts.kind == "param":                            # the same at each step
        return Site(tree.map(lambda x: x[0], arrays), facts)
    k = lanes_before(facts.plates)
    if facts.kind != "deterministic":
        rank = value.ndim - 1 if fn is None else len(_one_step(fn).batch_shape)
        mask, scale = (_moved(_lifted(x, rank), k) for x in (mask, scale))
    if fn is not None:
        fn = _stacked_distribution(fn, k, length, facts)
    frame = frame or Frame(None, None, length)
    plates = (*[f._replace(loops=f.loops - 1) for f in facts.plates[:k]], frame, *facts.plates[k:])
    return Site(Arrays(fn, _moved(value, k), mask, scale), facts._replace(plates=plates))


def _one_step(fn):
    """A stacked distribution's type at one step."""
    return tree.map(lambda x: Aval(x.shape[1:], x.dtype), fn)


def _lifted(x, rank):
    """A mask or scale [time, ...] with ones after its first axis, so that it broadcasts against [time, *batch]."""
    return None if x is None else np.reshape(x, (x.shape[0], *(1,) * (rank + 1 - x.ndim), *x.shape[1:]))


def _moved(x, k):
    return x if x is None or not k else np.moveaxis(x, 0, k)


def _stacked_distribution(fn, k, length, facts):
    """`length` distributions side by side, under the k vmapped axes that fn begins with."""
    lanes = []
    for _ in range(k):
        if type(fn) is not Vmapped:
            raise SiteError(f"site {facts.name!r} stands in a scan inside of vmap, and a handler gave it a "
                            f"distribution of its own, {type(fn).__name__}, which has no axis for the lanes.\n"
                            "Use that handler inside of the vmap.", facts.source)
        lanes.append(fn.lanes)
        fn = fn.base_dist
    leaves, treedef = tree.flatten(fn)
    leaves = [_moved(x, sum(l.axes[i] for l in lanes)) for i, x in enumerate(leaves)]
    made = Vmapped(tree.unflatten(treedef, leaves), (True,) * len(leaves), length)
    for l in reversed(lanes):
        made = Vmapped(made, l.axes, l.size)
    return made


def join(index, rows, facts):
    """One site out of those of the branches; rows[i] are the arrays of branch i's, None where it has none."""
    present = tuple([i for i, a in enumerate(rows) if a is not None])
    if facts.kind == "param":
        raise SiteError(f"param {facts.name!r} stands in a branch, and has no value when another branch is taken.\n"
                        "Put the param statement in front of the cond.", facts.source)
    shapes = {rows[i].value.shape for i in present}
    if len(shapes) > 1:
        raise SiteError(f"site {facts.name!r} has different shapes in the branches of a cond: "
                        f"{', '.join(map(str, sorted(shapes)))}.\nGive the sites different names, or one shape.",
                        facts.source)
    if facts.kind == "factor":
        value = sum(np.where(index == i, Site(rows[i], facts).log_prob(), 0.0) for i in present)
        return Site(Arrays(None, value, None, None), facts)
    value = rows[present[0]].value
    for i in present[1:]:
        value = np.where(index == i, rows[i].value, value)
    if facts.kind == "deterministic":
        return Site(Arrays(None, value, None, None), facts)
    rank = len(rows[present[0]].fn.batch_shape)
    fn = _branched(index, present, *zip(*[(rows[i].fn, rows[i].mask, rows[i].scale) for i in present]), rank)
    return Site(Arrays(fn, value, None, None), facts)


def _branched(index, present, fns, masks, scales, rank):
    """A `Branched`, with the axes that all of its distributions have from a vmap in front of the choice.

    rank : the number of batch axes (that of a stacked distribution cannot be asked of it)"""
    sizes = {f.lanes.size if type(f) is Vmapped else None for f in fns}
    if len(sizes) > 1 or None in sizes:
        return Branched(index, fns, masks, scales, present)
    pairs = [_split_lane(x, rank) for row in (masks, scales) for x in row]
    weights = [x for x, _ in pairs]
    marks = [False, *[m for f in fns for m in f.lanes.axes], *[m for x, m in pairs if x is not None]]
    base = _branched(index, present, [f.base_dist for f in fns], weights[:len(fns)], weights[len(fns):], rank - 1)
    return Vmapped(base, marks, sizes.pop())


def _split_lane(x, rank):
    """A mask or scale and whether its first axis runs over the lanes of a distribution whose batch has `rank` axes."""
    if x is None or x.ndim < rank:
        return x, False
    return (np.squeeze(x, 0), False) if x.shape[0] == 1 else (x, True)


def feasible(x):
    """A record with parameters of the same shapes that satisfy their constraints.

    It stands for the distribution of a branch that is not taken, so that its log-density, which counts nothing, has
    finite derivatives.
    """
    if isinstance(x, (tuple, list)):
        return type(x)(map(feasible, x))
    if not isinstance(x, Record):
        return x
    leaves = {}
    for f in x._fields:
        v = getattr(x, f.name)
        if f.kind == "param" and f.constraint is not None and v is not None:
            so_far = x._unflatten([getattr(x, s) for s in x._statics], [leaves.get(n, getattr(x, n)) for n in x._leafy])
            leaves[f.name] = _member(f.constraint(so_far) if f.depends else f.constraint, v)
        elif f.kind != "static":
            leaves[f.name] = feasible(v)
    return x._unflatten([getattr(x, s) for s in x._statics], [leaves[n] for n in x._leafy])


def _member(constraint, v):
    """An array of v's shape in the constraint, whose bounds may have larger shapes but are the same everywhere."""
    x = np.asarray(constraint.example(v), v.dtype)
    x = x[(0,) * max(x.ndim - v.ndim, 0)]
    x = x[tuple([slice(0, 1) if n == 1 else slice(None) for n in v.shape[v.ndim - x.ndim:]])]
    return np.broadcast_to(x, v.shape)


class Branched(Distribution):
    """The distribution of a site inside of cond: that of the branch taken; a branch without the site counts nothing."""
    index: object = child()
    fns: tuple = child()
    masks: tuple = child()
    scales: tuple = child()
    present: tuple = static()

    def __init__(self, index, fns, masks, scales, present, *, validate_args=None):
        self._bind((index, tuple(fns), tuple(masks), tuple(scales), present), {})

    batch_shape = property(lambda self: self.fns[0].batch_shape)
    event_shape = property(lambda self: self.fns[0].event_shape)
    support = property(lambda self: self.fns[0].support)
    is_discrete = property(lambda self: self.fns[0].is_discrete)
    dtype = property(lambda self: self.fns[0].dtype)

    def log_prob(self, value):
        total = np.zeros(self.batch_shape)
        for i, *arrays in zip(self.present, self.fns, self.masks, self.scales):
            fn, mask, scale = arrays
            total = np.where(self.index == i, log_prob_of(fn, value, mask, scale), total)
        return total

    def sample(self, key, sample_shape=()):
        out = self.fns[0].sample(key, sample_shape)
        for i, fn in zip(self.present[1:], self.fns[1:]):
            out = np.where(self.index == i, fn.sample(key, sample_shape), out)
        return out
