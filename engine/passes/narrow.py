"""A matrix of few columns that a loop multiplies with vectors is kept in its loop as rows.

The compiler's product of a matrix and a vector runs along the last axis: over five columns it takes 5 to 15 times as
long as over the same matrix transposed, in both directions. One transpose in front of the loop serves all its steps.
"""
from ..core import REGISTRY
from ..ir import Eqn, Var
from .walk import remade

FEW = 64                                                 # columns; of more, the products are as quick as they stand
EVEN = 32                                                # so are those of a multiple of this many
TALL = 4                                                 # rows to a column from which a transpose is worth it
MOST = 2 ** 26                                           # bytes of a matrix that may be there twice


def narrow(eqn, constant, rows):
    """The product of a constant narrow matrix and a vector that changes, after what it needs; other equations alone.

    constant : {variable: the equation that makes it in each step, or None} of what is equal in all steps
    rows : {matrix: the same, transposed}, of those met before; learns this one
    """
    if eqn.prim.name != "dot_general":
        return [eqn]
    for i, matrix in enumerate(eqn.inputs):
        if matrix in constant and _is_product(eqn, i):
            order = _swapped(matrix.aval.ndim)
            maker = constant[matrix]
            turned = maker is not None and maker.prim.name == "transpose" and maker.params["permutation"] == order
            source = maker.inputs[0] if turned else matrix
            if type(source) is Var and _is_narrow(source.aval):
                break
    else:
        return [eqn]
    before = []
    if source not in rows:
        aval = type(source.aval)(tuple([source.aval.shape[a] for a in order]), source.aval.dtype)
        moved, rows[source] = Var(aval), Var(aval)
        before = [Eqn(REGISTRY["transpose"], [source], {"permutation": order}, [moved], eqn.source, eqn.scope),
                  Eqn(REGISTRY["stored"], [moved], {}, [rows[source]], eqn.source, eqn.scope)]
    inputs, contract = list(eqn.inputs), list(eqn.params["contract"])
    inputs[i] = rows[source]
    if not turned:
        contract[i] = tuple([order[a] for a in contract[i]])
    return [*before, remade(eqn, inputs, {**eqn.params, "contract": tuple(contract)}, eqn.outs)]


def _swapped(n):
    """n axes, the last two the other way round."""
    return *range(n - 2), n - 1, n - 2


def _is_product(eqn, i):
    """Whether operand i is a stack of matrices, one for each vector of the other operand."""
    axes, batch = eqn.params["contract"][i], eqn.params["batch"][i]
    n = len(batch)
    return (len(axes) == 1 and eqn.inputs[i].aval.ndim == n + 2 and eqn.inputs[1 - i].aval.ndim == n + 1
            and set(batch) == set(range(n)))


def _is_narrow(aval):
    rows, columns = aval.shape[-2:]
    return (aval.is_float and 1 < columns <= FEW and columns % EVEN != 0 and rows >= TALL * columns
            and aval.size * aval.dtype.itemsize <= MOST)
