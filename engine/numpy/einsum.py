"""einsum: products and sums in Einstein's notation, pair by pair in a cheap order."""
import functools

import numpy as _np

from ..errors import ShapeError
from ..ops import shortcut
from ..ops.dot import dot_general
from ..ops.elementwise import mul
from ..ops.structural import asvalue, broadcast_to, cast, promote, reduce_sum, reshape, transpose
from .diagonals import diagonal
from .direct import at_once

__all__ = ["einsum", "einsum_path"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"     # in the order of their code points
NO_LIMIT = 1 << 60                                                   # on the size of what is between two contractions
SMALL = 100                                                          # NumPy's own loop for known arrays up to this size


def einsum(*operands, optimize=True, dtype=None, preferred_element_type=None):
    """Einstein summation: `einsum("ij,jk->ik", a, b)`, or with lists of labels `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    Without `->` the output has the labels that occur once, in alphabetical order; `...` stands for axes that
    broadcast; a repeated label takes a diagonal. dtype (or preferred_element_type) : in which to compute
    optimize : True for the order of the fewest operations, 'greedy', 'optimal', a path, or False for left to right

    >>> einsum("ij,j", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
    [3.0, 7.0]
    """
    subscripts, operands = _from_lists(operands)
    operands = promote(*[asvalue(x) for x in operands])
    dtype = dtype if dtype is not None else preferred_element_type
    if dtype is not None:
        operands = [cast(x, _np.dtype(dtype)) for x in operands]
    known = [shortcut.plain(x) for x in operands]
    if all([v is not None and v.size <= SMALL for v in known]):
        found = at_once(_np.einsum, subscripts, *known)
        if found is not None:
            return found
    if not isinstance(optimize, (bool, str)):
        optimize = tuple([v if isinstance(v, str) else tuple(v) for v in optimize])
    inputs, output, path = _plan(subscripts, tuple([tuple(x.shape) for x in operands]), optimize)
    terms = list(zip(inputs, operands))
    for step in path:
        chosen = [terms[i] for i in step]
        terms = [t for i, t in enumerate(terms) if i not in step]
        keep = set(output).union(*[set(s) for s, _ in terms])
        while len(chosen) > 1:
            rest = set().union(*[set(s) for s, _ in chosen[2:]])
            chosen = [_pair(chosen[0], chosen[1], keep | rest), *chosen[2:]]
        terms.append(_single(*chosen[0], keep))
    labels, x = terms[0]
    return transpose(x, tuple(labels.index(c) for c in output))


def einsum_path(*operands, optimize="greedy"):
    """(path, report): the order of contractions that einsum takes for `optimize`, as numpy.einsum_path gives it."""
    subscripts, operands = _from_lists(operands)
    shapes = tuple([tuple(asvalue(x).shape) for x in operands])
    inputs, output = _parse(subscripts, shapes)
    return _np.einsum_path(",".join(inputs) + "->" + output, *_ghosts(shapes), optimize=optimize)


def _ghosts(shapes):
    return [_np.broadcast_to(_np.zeros(()), shape) for shape in shapes]


def _from_lists(operands):
    """(subscripts, operands) of either form of call."""
    if not operands:
        raise ValueError("einsum takes subscripts and at least one operand.")
    if isinstance(operands[0], str):
        if len(operands) == 1:
            raise ValueError(f"einsum {operands[0]!r} got no operands.")
        return operands[0], operands[1:]

    def text(labels):
        if any(v is not Ellipsis and not 0 <= v < len(LETTERS) for v in labels):
            raise ValueError(f"einsum's lists hold labels from 0 to {len(LETTERS) - 1}, or Ellipsis; got {labels}.")
        return "".join(["..." if v is Ellipsis else LETTERS[v] for v in labels])
    pairs = len(operands) // 2
    subscripts = ",".join([text(operands[2 * k + 1]) for k in range(pairs)])
    if len(operands) % 2:
        subscripts += "->" + text(operands[-1])
    return subscripts, operands[0:2 * pairs:2]


@functools.lru_cache(1024)
def _plan(subscripts, shapes, optimize):
    """(labels of the inputs, labels of the output, which terms each step takes)"""
    inputs, output = _parse(subscripts, shapes)
    count = len(inputs)
    if count <= 2:
        return inputs, output, (tuple(range(count)),)
    if optimize is False:
        return inputs, output, ((0, 1), *[(0, count - 2 - k) for k in range(count - 2)])
    method = optimize
    if optimize is True:
        method = ("optimal" if count <= 5 else "greedy", NO_LIMIT)
    elif isinstance(optimize, str):
        method = (optimize, NO_LIMIT)
    elif optimize[0] == "einsum_path":
        method = list(optimize)
    path = _np.einsum_path(",".join(inputs) + "->" + output, *_ghosts(shapes), optimize=method)[0][1:]
    if isinstance(method, list):
        path = method[1:]
    return inputs, output, tuple(path)


def _parse(subscripts, shapes):
    text = "".join(subscripts.split())
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    wrong = set(left + output).difference(LETTERS, ",.")
    if wrong or "." in (left + output).replace("...", ""):
        raise ValueError(f"einsum {subscripts!r}: labels are letters, and `...`; got {sorted(wrong) or '.'}.")
    if len(inputs) != len(shapes):
        raise ShapeError(f"einsum {subscripts!r} names {len(inputs)} operands and got {len(shapes)}.")
    spare = [c for c in LETTERS if c not in text]
    longest = ""
    for k, (s, shape) in enumerate(zip(inputs, shapes)):
        if "..." in s:
            extra = len(shape) - len(s.replace("...", "", 1))
            if extra < 0 or s.count("...") > 1:
                raise ShapeError(f"einsum {subscripts!r}: operand {k} has shape {shape}, too few axes for {s!r}.")
            labels = "".join(spare[:extra][::-1])
            longest = max(longest, labels, key=len)
            inputs[k] = s.replace("...", labels)
        elif len(s) != len(shape):
            raise ShapeError(f"einsum {subscripts!r}: operand {k} has shape {shape} and {len(s)} labels ({s}).")
    sizes: dict = {}
    for c, n in [(c, n) for s, shape in zip(inputs, shapes) for c, n in zip(s, shape) if n != 1]:
        if sizes.setdefault(c, n) != n:
            raise ShapeError(f"einsum {subscripts!r}: label {c!r} has sizes {sizes[c]} and {n}.")
    for k, (s, shape) in enumerate(zip(inputs, shapes)):
        for c in set(s):
            if len({n for d, n in zip(s, shape) if d == c}) > 1:
                raise ShapeError(f"einsum {subscripts!r}: operand {k} of shape {shape} has label {c!r} on axes of "
                                 "different sizes.")
    joined = "".join(inputs)
    if not arrow:
        return inputs, longest + "".join(sorted([c for c in set(joined) if joined.count(c) == 1 and c not in longest]))
    if "..." not in output and longest:
        raise ShapeError(f"einsum {subscripts!r}: the axes of `...` have no place in the output; write `...` there.")
    output = output.replace("...", longest)
    if len(set(output)) != len(output) or set(output) - set(joined):
        raise ShapeError(f"einsum {subscripts!r}: the output names each label of the inputs at most once.")
    return inputs, output


def _single(labels, x, keep):
    """Take diagonals of repeated labels and sum over the labels that nobody needs."""
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            x = diagonal(x, 0, i, j)
            labels = labels[:i] + labels[i + 1:j] + labels[j + 1:] + c
    gone = tuple(i for i, c in enumerate(labels) if c not in keep)
    return "".join([c for c in labels if c in keep]), reduce_sum(x, gone)


def _pair(first, second, keep):
    (la, a), (lb, b) = _single(*first, keep | set(second[0])), _single(*second, keep | set(first[0]))
    shared = [c for c in la if c in lb]
    contract = [c for c in shared if c not in keep]
    if not contract:                                     # a product of elements
        labels = la + "".join([c for c in lb if c not in la])
        order = sorted(range(len(lb)), key=lambda i: labels.index(lb[i]))
        b = transpose(b, order)
        sizes = dict(zip([lb[i] for i in order], b.shape))
        a = reshape(a, (*a.shape, *(1,) * (len(labels) - len(la))))
        return labels, mul(a, reshape(b, [sizes.get(c, 1) for c in labels]))
    batch = [c for c in shared if c in keep]
    sizes = {c: (a.shape[la.index(c)], b.shape[lb.index(c)]) for c in shared}
    for c, (m, n) in sizes.items():
        if m != n:                                       # one of them is 1
            a = broadcast_to(a, tuple(n if q == c and m == 1 else s for q, s in zip(la, a.shape)))
            b = broadcast_to(b, tuple(m if q == c and n == 1 else s for q, s in zip(lb, b.shape)))
    out = dot_general(a, b, (tuple(la.index(c) for c in contract), tuple(lb.index(c) for c in contract)),
                      (tuple(la.index(c) for c in batch), tuple(lb.index(c) for c in batch)))
    labels = "".join(batch) + "".join([c for c in la if c not in shared]) + "".join([c for c in lb if c not in shared])
    return labels, out
