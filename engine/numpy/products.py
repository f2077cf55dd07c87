"""Products of arrays: dot, matmul, tensordot, einsum and their kin."""
import operator
import string

import numpy as _np

from ..errors import ShapeError
from ..ops.dot import dot_general
from ..ops.elementwise import mul
from ..ops.structural import asvalue, broadcast_to, promote, reduce_sum, reshape, transpose
from .diagonals import diagonal


def _two(a, b):
    a, b = promote(asvalue(a), asvalue(b))
    return a, b


def matmul(a, b):
    """The matrix product over the last axis of a and the last but one of b; leading axes broadcast."""
    a, b = _two(a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul takes vectors and matrices; got shapes {a.shape} and {b.shape}. Use * for scalars.")
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(f"matmul of shapes {a.shape} and {b.shape}: the sizes {a.shape[-1]} and "
                         f"{b.shape[-2 if b.ndim > 1 else 0]} that are summed over differ.")
    if b.ndim == 1:
        return dot_general(a, b, ((a.ndim - 1,), (0,)))
    if a.ndim == 1:
        return dot_general(a, b, ((0,), (b.ndim - 2,)))
    if b.ndim == 2:
        return dot_general(a, b, ((a.ndim - 1,), (0,)))
    lead = _np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:]))
    n = len(lead)
    return dot_general(a, b, ((n + 1,), (n,)), (tuple(range(n)), tuple(range(n))))


def dot(a, b):
    """NumPy's dot: the last axis of a with the last but one of b; for scalars a product."""
    a, b = _two(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    return dot_general(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


def vdot(a, b):
    """The sum of the products of all elements."""
    a, b = _two(a, b)
    return dot_general(reshape(a, (-1,)), reshape(b, (-1,)), ((0,), (0,)))


def inner(a, b):
    """The sum of products over the last axes."""
    a, b = _two(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    return dot_general(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def vecdot(a, b, axis=-1):
    """The sum of products over one axis, others broadcast."""
    out = mul(a, b)
    return reduce_sum(out, (operator.index(axis) % out.ndim,))


def matvec(a, x):
    """Matrices times vectors, leading axes broadcast."""
    return reshape_last(matmul(a, asvalue(x)[..., None]))


def vecmat(x, a):
    """Vectors times matrices, leading axes broadcast."""
    out = matmul(asvalue(x)[..., None, :], a)
    return reshape(out, (*out.shape[:-2], out.shape[-1]))


def reshape_last(x):
    """x without its last axis of size one."""
    return reshape(x, x.shape[:-1])


def outer(a, b):
    """a_i b_j of the flattened arguments."""
    a, b = _two(a, b)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def kron(a, b):
    """The Kronecker product of matrices."""
    a, b = _two(a, b)
    out = a[:, None, :, None] * b[None, :, None, :]
    return reshape(out, (a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]))


def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal."""
    d = diagonal(x, offset, axis1, axis2)
    return reduce_sum(d, (d.ndim - 1,))


def tensordot(a, b, axes=2):
    """The sum of products over `axes`: a number of axes, or a pair of lists of axes."""
    a, b = _two(a, b)
    if isinstance(axes, (int, _np.integer)):
        ca, cb = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        ca, cb = (tuple(operator.index(i) % x.ndim for i in ([v] if isinstance(v, (int, _np.integer)) else v))
                  for v, x in zip(axes, (a, b)))
    return dot_general(a, b, (ca, cb))


def einsum(subscripts, *operands):
    """Einstein summation: `einsum("ij,jk->ik", a, b)`; pairs are contracted in the order that NumPy finds cheapest."""
    operands = promote(*[asvalue(x) for x in operands])
    inputs, output = _parse(subscripts.replace(" ", ""), operands)
    terms = list(zip(inputs, operands))
    path = [(0,)] if len(terms) == 1 else _np.einsum_path(
        ",".join(inputs) + "->" + output, *[_np.broadcast_to(_np.zeros(()), x.shape) for x in operands],
        optimize="greedy")[0][1:]
    for step in path:
        chosen = [terms[i] for i in step]
        terms = [t for i, t in enumerate(terms) if i not in step]
        keep = set(output).union(*[set(s) for s, _ in terms]) if terms else set(output)
        while len(chosen) > 1:
            rest = set().union(*[set(s) for s, _ in chosen[2:]])
            chosen = [_pair(chosen[0], chosen[1], keep | rest), *chosen[2:]]
        terms.append(_single(*chosen[0], keep))
    labels, x = terms[0]
    return transpose(x, tuple(labels.index(c) for c in output))


def _parse(subscripts, operands):
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ShapeError(f"einsum {subscripts!r} names {len(inputs)} operands and got {len(operands)}.")
    spare = [c for c in string.ascii_letters if c not in subscripts]
    longest = ""
    for k, (s, x) in enumerate(zip(inputs, operands)):
        if "..." in s:
            extra = x.ndim - len(s.replace("...", ""))
            labels = "".join(spare[:extra][::-1]) if extra else ""
            longest = max(longest, labels, key=len)
            inputs[k] = s.replace("...", labels)
        elif len(s) != x.ndim:
            raise ShapeError(f"einsum {subscripts!r}: operand {k} has shape {x.shape} and {len(s)} labels ({s}).")
    sizes: dict = {}
    for c, n in [(c, n) for s, x in zip(inputs, operands) for c, n in zip(s, x.shape) if n != 1]:
        if sizes.setdefault(c, n) != n:
            raise ShapeError(f"einsum {subscripts!r}: label {c!r} has sizes {sizes[c]} and {n}.")
    if arrow:
        output = output.replace("...", longest)
    else:
        joined = "".join(inputs)
        output = longest + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in longest))
    return inputs, output


def _single(labels, x, keep):
    """Take diagonals of repeated labels and sum over the labels that nobody needs."""
    for c in set(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            x = diagonal(x, 0, i, j)
            labels = labels[:i] + labels[i + 1:j] + labels[j + 1:] + c
    gone = tuple(i for i, c in enumerate(labels) if c not in keep)
    return "".join(c for c in labels if c in keep), reduce_sum(x, gone)


def _pair(first, second, keep):
    (la, a), (lb, b) = _single(*first, keep | set(second[0])), _single(*second, keep | set(first[0]))
    shared = [c for c in la if c in lb]
    batch = [c for c in shared if c in keep]
    contract = [c for c in shared if c not in keep]
    sizes = {c: (a.shape[la.index(c)], b.shape[lb.index(c)]) for c in shared}
    for c, (m, n) in sizes.items():
        if m != n:                                       # one of them is 1
            a = broadcast_to(a, tuple(n if q == c else s for q, s in zip(la, a.shape)))
            b = broadcast_to(b, tuple(m if q == c and n == 1 else s for q, s in zip(lb, b.shape)))
    out = dot_general(a, b, (tuple(la.index(c) for c in contract), tuple(lb.index(c) for c in contract)),
                      (tuple(la.index(c) for c in batch), tuple(lb.index(c) for c in batch)))
    labels = "".join(batch) + "".join(c for c in la if c not in shared) + "".join(c for c in lb if c not in shared)
    return labels, out

