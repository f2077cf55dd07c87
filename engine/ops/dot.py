"""The product of arrays over shared axes, from which dot, matmul, tensordot and einsum are made."""
import math

import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError
from .structural import moveaxis, transpose


def _free(n, *used):
    taken = {i for axes in used for i in axes}
    return [i for i in range(n) if i not in taken]


def _check_sizes(a, b, contract, batch):
    (ca, cb), (ba, bb) = contract, batch
    for i, j in (*zip(ca, cb), *zip(ba, bb)):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(f"a product over axis {i} of shape {a.shape} and axis {j} of shape {b.shape}: "
                             f"the sizes {a.shape[i]} and {b.shape[j]} differ.")


def _dot_shape(a, b, *, contract, batch):
    _check_sizes(a, b, contract, batch)
    (ca, cb), (ba, bb) = contract, batch
    shape = [a.shape[i] for i in ba] + [a.shape[i] for i in _free(a.ndim, ca, ba)] + \
            [b.shape[i] for i in _free(b.ndim, cb, bb)]
    return Aval(tuple(shape), a.dtype)


def _dot_impl(a, b, *, contract, batch):
    if contract == ((a.ndim - 1,), (0,)) and b.ndim <= 2 and not batch[0] and a.dtype.char in "efd":
        return a @ b                                     # matrices and vectors as they stand
    _check_sizes(a, b, contract, batch)                  # reshaping below would hide sizes that differ
    (ca, cb), (ba, bb) = contract, batch
    fa, fb = _free(a.ndim, ca, ba), _free(b.ndim, cb, bb)
    lead = [a.shape[i] for i in ba]
    k = math.prod(a.shape[i] for i in ca)
    left = np.transpose(a, [*ba, *fa, *ca]).reshape(*lead, math.prod(a.shape[i] for i in fa), k)
    right = np.transpose(b, [*bb, *cb, *fb]).reshape(*lead, k, math.prod(b.shape[i] for i in fb))
    out = left @ right if left.dtype.kind != "b" else (left.astype(int) @ right.astype(int)) > 0
    return out.reshape(lead + [a.shape[i] for i in fa] + [b.shape[i] for i in fb]).astype(a.dtype)


def _lower_dot(b, x, y, *, contract, batch):
    def pair(axes):
        return f"[{', '.join(map(str, axes[0]))}] x [{', '.join(map(str, axes[1]))}]"
    batching = f"batching_dims = {pair(batch)}, " if batch[0] else ""
    return b.emit(b.out[0], f"stablehlo.dot_general {x.name}, {y.name}, {batching}contracting_dims = {pair(contract)}"
                            f"{b.of_products} : ({x.type}, {y.type}) -> {b.type_text(b.out[0])}")


def _dot_transpose(c, known, into, contract, batch, swapped):
    """The cotangent of one operand: contract c with the other over its free axes, then put the axes back."""
    (ci, ck), (bi, bk) = (contract, batch) if not swapped else (contract[::-1], batch[::-1])
    nb = len(bi)
    free_into, free_known = _free(into.ndim, ci, bi), _free(known.ndim, ck, bk)
    known_in_c = range(nb + len(free_into), c.ndim) if not swapped else range(nb, nb + len(free_known))
    out = dot_general_p.bind(c, known, contract=(tuple(known_in_c), tuple(free_known)),
                             batch=(tuple(range(nb)), tuple(bk)))
    # out has axes: batch, free axes of `into`, contracted axes in the order they have in `known`
    order = sorted(range(len(ck)), key=lambda j: ck[j])
    places = [*bi, *free_into, *[ci[j] for j in order]]
    return transpose(out, tuple(int(i) for i in np.argsort(places)))


dot_general_p = Primitive(
    "dot_general",                                       # result axes: batch, free axes of a, free axes of b
    shape=_dot_shape,
    impl=_dot_impl,
    lower=_lower_dot,
    jvp=(lambda t, y, a, b, **params: dot_general_p.bind(t, b, **params),
         lambda t, y, a, b, **params: dot_general_p.bind(a, t, **params)),
    transpose=(lambda c, a, b, *, contract, batch: _dot_transpose(c, b, a, contract, batch, False),
               lambda c, a, b, *, contract, batch: _dot_transpose(c, a, b, contract, batch, True)),
)


@dot_general_p.define("batch")
def _(b, mine, x, y, *, contract, batch):
    def up(axes, by):
        return tuple([i + by for i in axes])
    (cx, cy), (bx, by) = contract, batch
    mx, my = mine
    if mx and my:
        return b.bind(x, y, contract=(up(cx, 1), up(cy, 1)), batch=((0, *up(bx, 1)), (0, *up(by, 1))))
    out = b.bind(x, y, contract=(up(cx, mx), up(cy, my)), batch=(up(bx, mx), up(by, my)))
    if mx:                                               # the batch axis is the first free axis of x
        return moveaxis(out, len(bx), 0)
    free_x = x.ndim - len(cx) - len(bx)
    return moveaxis(out, len(bx) + free_x, 0)


def dot_general(x, y, contract, batch=((), ())):
    """Products summed over `contract = (axes of x, axes of y)`, element by element over `batch`."""
    return dot_general_p.bind(x, y, contract=tuple(map(tuple, contract)), batch=tuple(map(tuple, batch)))
