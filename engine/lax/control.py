"""Loops over slices: map and associative_scan."""
from .. import tree
from ..api import vmap
from ..control import scan
from ..errors import ShapeError
from ..ops.shaping import concatenate, slice_axis
from ..ops.shaping import reverse as flip
from ..ops.structural import asvalue, moveaxis


def map(f, xs, *, batch_size=None):  # noqa: A001 (the field's name)
    """f applied to each slice of xs along the leading axis, one after the other; results stacked.

    batch_size : apply vmap(f) to so many slices at a time

    >>> map(lambda x: x * x, [1.0, 2.0, 3.0]).tolist()
    [1.0, 4.0, 9.0]
    """
    if batch_size is None:
        return scan(lambda _, x: ((), f(x)), (), xs)[1]
    xs = tree.map(asvalue, asvalue(xs) if isinstance(xs, list) and all_numbers(xs) else xs)
    n = tree.leaves(xs)[0].shape[0]
    whole = n // batch_size * batch_size
    rows = tree.map(lambda x: x[:whole].reshape((-1, batch_size, *x.shape[1:])), xs)
    out = scan(lambda _, x: ((), vmap(f)(x)), (), rows)[1] if whole else None
    out = tree.map(lambda y: y.reshape((whole, *y.shape[2:])), out) if whole else None
    if whole == n:
        return out
    rest = vmap(f)(tree.map(lambda x: x[whole:], xs))
    return rest if out is None else tree.map(lambda a, b: concatenate([a, b], 0), out, rest)


def all_numbers(xs):
    """Whether a list holds Python numbers only."""
    return all(isinstance(x, (int, float)) for x in xs)


def associative_scan(fn, elems, reverse=False, axis=0):
    """Running results of an associative operation along an axis, in O(log n) parallel steps.

    fn : (a, b) -> c on trees of slices along the axis, element by element      elems : a tree of arrays
    Source: Blelloch (1990), Prefix Sums and Their Applications, by doubling (Hillis & Steele 1986).

    >>> associative_scan(lambda a, b: a * b, asvalue([1.0, 2.0, 3.0, 4.0])).tolist()
    [1.0, 2.0, 6.0, 24.0]
    """
    leaves, treedef = tree.flatten(elems)
    leaves = [moveaxis(asvalue(x), axis, 0) for x in leaves]
    sizes = {x.shape[0] for x in leaves}
    if len(sizes) != 1:
        raise ShapeError(f"associative_scan: the axes have different sizes {sorted(sizes)}.")
    n = sizes.pop()
    leaves = [flip(x, (0,)) for x in leaves] if reverse else leaves
    step = 1
    while step < n:
        early = tree.unflatten(treedef, [slice_axis(x, 0, n - step, 0) for x in leaves])
        late = tree.unflatten(treedef, [slice_axis(x, step, n, 0) for x in leaves])
        joined = tree.leaves(fn(early, late))
        leaves = [concatenate([slice_axis(x, 0, step, 0), asvalue(y)], 0) for x, y in zip(leaves, joined)]
        step *= 2
    leaves = [flip(x, (0,)) for x in leaves] if reverse else leaves
    return tree.unflatten(treedef, [moveaxis(x, 0, axis) for x in leaves])
