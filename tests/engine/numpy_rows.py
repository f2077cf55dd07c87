"""Rows for NumPy's functions: what arguments to generate for each, and which promises hold.

`test_numpy_contract.py` checks every promise on every row. A row stands in a list `ROWS` of a file `numpy_rows_*.py`
beside this one; the builders here make most of them:

    ufunc("hypot", FLOAT(-3, 3), FLOAT(-3, 3))           element-wise; shapes that broadcast, all dtypes of the spec
    reduction("sum", NUMBER(-3, 3))                      one array; axis, keepdims drawn
    calls("pad", call(M, 2), call(M, (1, 2), mode="edge"), grad=(0,))          these calls, each an example

A dotted name ("linalg.norm") is looked up in both namespaces. Result dtypes are NumPy's, also those of its ufuncs for
small integers (exp of int8 is float16, of int16 float32). An error in NumPy must be an error here.
"""
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

INTS = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float64", "float32", "float16")
COMPLEX = ("complex128", "complex64")


@dataclass(frozen=True)
class Arr:
    """Arrays of one argument: their dtypes, the range of their values, and special values to mix in."""
    dtypes: tuple
    low: float = -3
    high: float = 3
    special: tuple = ()
    scalar: bool = True                                  # a Python number may stand in its place

    def sample(self, dtype, shape, seed, smooth=False):
        """An array of these values; `smooth` leaves out the special ones."""
        rng, d = np.random.default_rng(seed), np.dtype(dtype)
        if d.kind == "b":
            return rng.integers(0, 2, shape).astype(bool)
        if d.kind in "iu":
            low = max(int(np.ceil(self.low)), 0) if d.kind == "u" else int(np.ceil(self.low))
            return rng.integers(low, max(int(self.high), low), shape, endpoint=True).astype(d)
        x = rng.uniform(self.low, self.high, shape)
        if d.kind == "c":
            x = x + 1j * rng.uniform(self.low, self.high, shape)
        if self.special and not smooth:
            x = np.where(rng.uniform(size=shape) < 0.3, rng.choice(np.array(self.special), shape), x)
        return np.asarray(x, d)


EDGES = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5)


def FLOAT(low=-3, high=3, special=EDGES, dtypes=FLOATS):
    return Arr(dtypes, low, high, special)


def NUMBER(low=-3, high=3, special=EDGES, dtypes=(*FLOATS, *INTS)):
    return Arr(dtypes, low, high, special)


def INTEGER(low=-9, high=9, dtypes=INTS):
    return Arr(dtypes, low, high)


def BOOL():
    return Arr(("bool",))


def ANY(low=-3, high=3, special=EDGES):
    return Arr((*FLOATS, *INTS, "bool", *COMPLEX), low, high, special)


@dataclass(frozen=True)
class Row:
    """One function and its arguments.

    inputs : smooth -> a strategy of (args, kwargs); for `smooth` the arguments are float64 where they have derivatives
    grad : positions of the arguments that have derivatives; () for none
    traced : positions that may be traced or mapped; None for all arrays
    ulps : how far results may be from NumPy's, in units of the last place of the largest element; None: equal shapes
        and dtypes alone (what is not determined by the arguments)
    numpy : the function in NumPy where it has another name, or none by this name
    compiled, vmap : False where the result's shape depends on values
    examples : calls that are all compared with NumPy's, beside those drawn
    """
    name: str
    inputs: Callable
    grad: tuple = ()
    traced: tuple | None = None
    ulps: float | None = 8
    numpy: Callable | None = None
    compiled: bool = True
    vmap: bool = True
    label: str = ""
    examples: tuple = ()

    @property
    def id(self):
        return f"{self.name}-{self.label}" if self.label else self.name

    def places(self, args):
        """The positions of the arguments that are traced."""
        arrays = [i for i, a in enumerate(args) if isinstance(a, np.ndarray)]
        return [i for i in arrays if self.traced is None or i in self.traced]


def find(namespace, name):
    """The function of a dotted name."""
    return operator.attrgetter(name)(namespace)


# ---- builders ----

def _arguments(specs, smooth, shapes):
    """A strategy of arrays (or Python numbers) for the specs."""
    @st.composite
    def draw_all(draw):
        sizes = draw(shapes)
        numbers = [not smooth and len(specs) > 1 and s.scalar and draw(st.integers(0, 7)) == 0 for s in specs]
        out = []
        for spec, shape, number in zip(specs, sizes, numbers):
            dtypes = ("float64",) if smooth and "float64" in spec.dtypes else spec.dtypes
            dtype = draw(st.sampled_from(dtypes))
            x = spec.sample(dtype, shape, draw(st.integers(0, 2 ** 16)), smooth)
            number = number and not all(numbers) and np.dtype(dtype).kind in "bifc"
            out.append(spec.sample(dtype, (), 1, True).item() if number else x)
        return tuple(out)
    return draw_all()


def broadcastable(n):
    """n shapes that broadcast together."""
    if n == 1:
        return hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3).map(lambda s: (s,))
    return hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=3, max_side=3).map(lambda s: s.input_shapes)


def ufunc(name, *specs, grad=None, **options):
    """A row for an element-wise function. Derivatives in all arguments that may be float64, unless `grad` says else."""
    if grad is None:
        grad = tuple(i for i, s in enumerate(specs) if "float64" in s.dtypes)

    def inputs(smooth):
        shapes = broadcastable(len(specs))
        return _arguments(specs, smooth, shapes).map(lambda args: (args, {}))
    return Row(name, inputs, grad=grad, **options)


def reduction(name, spec, kwargs=None, axes=True, min_side=1, min_dims=0, keepdims=True, grad=(0,), **options):
    """A row for a function of one array with `axis` (None, one, or with `axes` several) and `keepdims`.

    kwargs : {name: values to choose among} of further keywords, each of which is left out now and then
    """
    @st.composite
    def draw_all(draw, smooth):
        shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=min_side, max_side=4))
        (x,) = draw(_arguments([spec], smooth, st.just((shape,))))
        options = [None, *range(-len(shape), len(shape))]
        if axes and len(shape) > 1:
            options += [(0, 1), (-1, 0)]
        chosen = {"axis": draw(st.sampled_from(options))}
        if keepdims and draw(st.booleans()):
            chosen["keepdims"] = draw(st.booleans())
        for key, values in (kwargs or {}).items():
            if draw(st.booleans()):
                chosen[key] = draw(st.sampled_from(values))
        return (x,), chosen
    return Row(name, lambda smooth: draw_all(smooth), grad=grad if "float64" in spec.dtypes else (), **options)


def call(*args, **kwargs):
    """The arguments of one call."""
    return args, kwargs


def calls(name, *examples, **options):
    """A row of given calls."""
    return Row(name, lambda smooth: st.sampled_from(examples), examples=examples, **options)


def generated(name, strategy, **options):
    """A row whose (args, kwargs) come from a strategy of its own."""
    return Row(name, lambda smooth: strategy, **options)
