"""A tree of arrays as one vector, and back."""
from . import tree
from .avals import default_float, promote_types
from .errors import ShapeError
from .ops.shaping import concatenate, split_axis
from .ops.structural import asvalue, cast, full, reshape


def ravel_pytree(values):
    """(vector, unravel): the leaves of a tree laid end to end, and the function that makes the tree of a vector.

    values : a tree of arrays and numbers; the vector has the dtype that its leaves promote to
    unravel(vector) gives each leaf its own shape and dtype back (a bool or int leaf truncates a float).
    Both work on tracers. Raises ShapeError where unravel gets another length.

    >>> vector, unravel = ravel_pytree({"a": [1.0, 2.0], "b": 3})
    >>> vector.tolist(), unravel(vector * 2)
    ([1.0, 2.0, 3.0], {'a': [Array(2.), Array(4.)], 'b': Array(6)})
    """
    leaves, treedef = tree.flatten(values)
    leaves = [asvalue(x) for x in leaves]
    shapes, dtypes, sizes = [x.shape for x in leaves], [x.dtype for x in leaves], [x.size for x in leaves]
    if leaves:
        dtype = promote_types(*dtypes)
        vector = concatenate([reshape(cast(x, dtype), (x.size,)) for x in leaves])
    else:
        vector = full((0,), 0, default_float())

    def unravel(vector):
        vector = asvalue(vector)
        if vector.shape != (sum(sizes),):
            raise ShapeError(f"unravel takes a vector of length {sum(sizes)}, for {treedef}; "
                             f"it got shape {vector.shape}.\n"
                             "Give it a vector like the one that came with it.")
        parts = split_axis(vector, sizes, 0) if sizes else []
        return tree.unflatten(treedef, [cast(reshape(p, s), d) for p, s, d in zip(parts, shapes, dtypes)])

    return vector, unravel
