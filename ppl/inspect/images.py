"""The values that an expression can take, where they are known exactly.

An `Image` is the interval that a site's value, or a function of it, ranges over: the support of the site, carried
through monotone functions, arithmetic with known numbers and arithmetic between different sites. Anything else has no
image, so that what follows from one is never a false alarm: each end of the interval is approached.
"""
import math
from typing import NamedTuple

import numpy as onp

from ...distributions import Vmapped, constraints
from ...distributions.bounds import bounds_of
from ...distributions.wrappers import Wrapper
from ...engine import tree

INF = math.inf
SCALAR_SETS = ("_Positive", "_SoftplusPositive", "_Nonnegative", "_UnitInterval", "_Boolean", "_NonnegativeInteger",
               "_PositiveInteger", "_Circular", "_Real", "_Integer", "GreaterThan", "GreaterThanEq", "LessThan",
               "LessThanEq", "Interval", "OpenInterval", "HalfOpenInterval", "IntegerGreaterThan", "IntegerInterval")
VECTOR_SETS = {"_Simplex": (0.0, 1.0), "_PositiveOrderedVector": (0.0, INF), "_OrderedVector": (-INF, INF)}

TIED_SETS = ("_Simplex", "_ColumnStochastic", "_OrderedVector", "_PositiveOrderedVector", "_Sphere", "ZeroSum",
             "_Symmetric", "_PositiveDefinite", "_PositiveSemidefinite", "_CorrMatrix", "_LowerTriangular",
             "_UnitLowerCholesky", "_LowerCholesky", "_SoftplusLowerCholesky", "_ScaledUnitLowerCholesky",
             "_CorrCholesky")          # of vectors and matrices whose elements are not free of each other

KEEPING = ("broadcast", "reshape", "transpose", "convert", "stop_gradient", "optimization_barrier")
PICKING = ("slice", "dynamic_slice", "gather", "reverse", "sort")            # elements of the first operand
SUMS = ("reduce_sum", "cumsum")
MONOTONE = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "tanh", "arctan", "sinh",
            "arcsinh", "expit", "logit", "softplus", "ndtr", "ndtri", "erf", "neg", "floor", "ceil", "round")


class Image(NamedTuple):
    """The interval [low, high] of values, of which sites it is made, and the set itself while it is that site's own."""
    low: float
    high: float
    sites: tuple
    support: object = None


def bare(fn):
    """A distribution without what wraps it."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return fn


def interval_of(constraint):
    """(low, high) of a set of numbers, or of the elements of vectors; None where it is not known."""
    if isinstance(constraint, constraints.Independent):
        constraint = constraint.base
    kind = type(constraint).__name__
    if kind in VECTOR_SETS:
        return VECTOR_SETS[kind]
    if kind not in SCALAR_SETS:
        return None
    ends = [onp.unique(onp.asarray(end, float)) for end in bounds_of(constraint)]
    if any(len(end) != 1 or onp.isnan(end[0]) for end in ends):
        return None
    return float(ends[0][0]), float(ends[1][0])


def with_numbers(given, types):
    """A record whose leaves are Facts with their numbers in place, and nan where they are not known."""
    leaves, structure = tree.flatten(given)
    shapes = [getattr(x, "shape", ()) for x in tree.leaves(types)]
    return tree.unflatten(structure, [onp.full(s, onp.nan) if f.number is None else f.number
                                      for f, s in zip(leaves, shapes)])


def image_of_support(node, given):
    """The image of a latent site's or param's value, or None."""
    _, support = support_of(bare(given), bare(node.types[-1].fn))
    ends = None if support is None else interval_of(support)
    return None if ends is None else Image(*ends, (node.name,), support)


def support_of(given, types):
    """(the distribution with its known numbers, its support), the support None where it depends on unknown ones."""
    fn = with_numbers(given, types)
    try:
        support = fn.support
    except (ArithmeticError, TypeError, ValueError):     # one that needs more than the bounds of unknown parameters
        return fn, None
    bounds = [onp.asarray(x) for x in tree.leaves(support)]
    return fn, None if any(x.dtype.kind == "f" and onp.isnan(x).any() for x in bounds) else support


def image_of_operation(eqn, ins):
    """The image of the result of an operation, or None."""
    name, images = eqn.prim.name, [f.image for f in ins]
    if name in KEEPING:
        return images[0]
    if name in PICKING:
        return images[0] and images[0]._replace(support=None)
    if name == "concatenate":
        return None if None in images else _union(images)
    if len(ins) == 1:
        return images[0] and _of_one(eqn, images[0])
    if len(ins) == 2 and name in TWO:
        if eqn.inputs[0] is eqn.inputs[1]:
            return _even(images[0]) if name == "mul" and images[0] else None
        if ins[0].origins & ins[1].origins:
            return None
        a, b = map(_interval, ins)
        return None if a is None or b is None else _made(TWO[name](a, b), a.sites + b.sites)
    return None


def _interval(fact):
    """A fact's image, or the range of its numbers."""
    if fact.image is not None or fact.number is None:
        return fact.image
    x = onp.asarray(fact.number)
    return Image(float(x.min()), float(x.max()), ()) if x.size and x.dtype.kind in "fiub" else None


def _made(ends, sites):
    if ends is None or any(math.isnan(end) for end in ends):
        return None
    return Image(min(ends), max(ends), tuple(dict.fromkeys(sites)))


def _of_one(eqn, image):
    name, ends = eqn.prim.name, onp.asarray([image.low, image.high])
    if name == "abs":
        return _folded(image, abs)
    if name == "integer_pow":
        n = eqn.params["n"]
        return None if n <= 0 else _even(image, n) if n % 2 == 0 else _made(tuple(ends ** float(n)), image.sites)
    if name in SUMS:
        return image._replace(support=None) if {image.low, image.high} <= {-INF, 0.0, INF} else None
    if name not in MONOTONE:
        return None
    with onp.errstate(all="ignore"):
        return _made(tuple(map(float, onp.asarray(eqn.prim.impl(ends)))), image.sites)


def _folded(image, f):
    ends = [f(image.low), f(image.high)]
    return _made((0.0 if image.low <= 0.0 <= image.high else min(ends), max(ends)), image.sites)


def _even(image, n=2):
    return _folded(image, lambda x: x ** n)


def _union(images):
    return Image(min(i.low for i in images), max(i.high for i in images),
                 tuple(dict.fromkeys(name for i in images for name in i.sites)))


def _times(a, b):
    """The ends of a product; 0 · ∞ counts as 0, an end that is approached."""
    products = [0.0 if 0.0 in (x, y) else x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(products), max(products)


def _over(a, b):
    if b.low < 0.0 < b.high or b.low == b.high == 0.0:
        return None
    inverse = sorted([0.0 if math.isinf(x) else 1 / x if x else math.copysign(INF, b.low + b.high)
                      for x in (b.low, b.high)])
    return _times(a, Image(*inverse, ()))


def _product(a, b):
    """A matrix product: known only where a real line is multiplied by numbers that are not all zero."""
    for line, numbers in ((a, b), (b, a)):
        if (line.low, line.high) == (-INF, INF) and not numbers.sites and (numbers.low, numbers.high) != (0.0, 0.0):
            return -INF, INF
    return None


TWO = {
    "add": lambda a, b: (a.low + b.low, a.high + b.high),
    "sub": lambda a, b: (a.low - b.high, a.high - b.low),
    "mul": _times,
    "div": _over,
    "maximum": lambda a, b: (max(a.low, b.low), max(a.high, b.high)),
    "minimum": lambda a, b: (min(a.low, b.low), min(a.high, b.high)),
    "dot_general": _product,
}
