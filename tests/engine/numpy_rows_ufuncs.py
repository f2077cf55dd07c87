"""Rows of NumPy's universal functions, and of what is made of one of them."""
import numpy as np

from tests.engine.numpy_rows import (
    ANY,
    BOOL,
    COMPLEX,
    EDGES,
    FLOAT,
    FLOATS,
    INTS,
    NUMBER,
    Arr,
    call,
    calls,
    ufunc,
)

V = np.array([0.3, -1.2, 2.5, 0.7])
I = np.array([5, -3, 0, 12, -7])
C = np.array([0.3 + 1j, -1.2 + 0.2j, 2.5 - 3j])
REAL = (*FLOATS, *INTS, "bool")
FINITE = (0.0, 1.0, -1.0)
INFINITE = (np.nan, np.inf, -np.inf)


def INTEGER(low=-9, high=9, dtypes=INTS):
    """Integers, never a Python number: -1 beside an unsigned array is an OverflowError in NumPy."""
    return Arr(dtypes, low, high, scalar=False)


def real(low=-3, high=3, special=EDGES):
    return Arr(REAL, low, high, special)


def number(low=-3, high=3, special=EDGES, dtypes=(*FLOATS, *INTS, *COMPLEX)):
    return Arr(dtypes, low, high, special)


def complex_numbers(low=-3, high=3):
    return Arr(COMPLEX, low, high)


ANALYTIC = {                                             # domain of the derivative's rows; the others are whole
    "exp2": (-3, 3), "expm1": (-1, 1), "log": (0.2, 4), "log2": (0.2, 4), "log10": (0.2, 4), "log1p": (-0.6, 3),
    "sqrt": (0.2, 4), "sin": (-3, 3), "cos": (-3, 3), "tan": (-1, 1), "sinh": (-2, 2), "cosh": (-2, 2),
    "tanh": (-2, 2), "arcsin": (-0.8, 0.8), "arccos": (-0.8, 0.8), "arctan": (-3, 3), "arcsinh": (-3, 3),
    "arccosh": (1.3, 4), "arctanh": (-0.8, 0.8), "acos": (-0.8, 0.8), "acosh": (1.3, 4), "asin": (-0.8, 0.8),
    "asinh": (-3, 3), "atan": (-3, 3), "atanh": (-0.8, 0.8),
}
NAIVE = {"log1p", "expm1"}                               # NumPy's complex ones lose digits near 0; SciPy's do not
ROWS = [
    *[ufunc(name, real(*domain)) for name, domain in ANALYTIC.items()],
    *[ufunc(name, complex_numbers(), label="complex", ulps=32) for name in ANALYTIC if name not in NAIVE],
    ufunc("exp", complex_numbers(), label="complex"),
    *[ufunc(name, complex_numbers(0.5, 2), label="complex", ulps=32) for name in sorted(NAIVE)],
    ufunc("cbrt", real()),
    *[ufunc(name, ANY()) for name in ("abs", "absolute", "square")],
    *[ufunc(name, number()) for name in ("positive", "negative", "sign")],
    ufunc("reciprocal", FLOAT(0.5, 3)), ufunc("reciprocal", complex_numbers(0.5, 2), label="complex", ulps=16),
    *[ufunc(name, real()) for name in ("fabs", "degrees", "radians", "rad2deg", "deg2rad", "floor", "ceil",
                                       "trunc", "rint")],
    ufunc("spacing", Arr(("float64", "float32", "int64"), special=(1.0, 0.5, -1.0)), grad=()),
    ufunc("rint", complex_numbers(), label="complex"), ufunc("fix", FLOAT(), numpy=np.trunc),
    ufunc("sinc", real(), ulps=16),
    ufunc("i0", Arr(("float64", "float32", "int64"), -5, 5, FINITE), ulps=16),
    *[ufunc(name, ANY(), grad=()) for name in ("isfinite", "isinf", "isnan", "logical_not")],
    *[ufunc(name, real(), grad=()) for name in ("isposinf", "isneginf")], ufunc("signbit", real(), grad=()),
    *[ufunc(name, INTEGER()) for name in ("invert", "bitwise_not", "bitwise_invert", "bitwise_count")],
    ufunc("invert", BOOL(), label="bool"),
    *[ufunc(name, number()) for name in ("real", "imag", "conj", "conjugate")],
    ufunc("angle", number(0.5, 3, ())), calls("angle", call(C, deg=True), call(V, True), label="degrees"),
    ufunc("nan_to_num", ANY()), calls("nan_to_num", call(np.array([1.0, *INFINITE]), nan=1.0, posinf=2.0, neginf=-5.0),
                                      call(np.array([1j * np.inf])), call(I), label="options"),
    ufunc("modf", real()), ufunc("frexp", real(special=(np.nan, 0.0, -0.0, 1.0, 0.5))),

    *[ufunc(name, ANY(), ANY()) for name in ("maximum", "minimum", "fmax", "fmin")],
    ufunc("subtract", number(), number()),
    *[ufunc(name, NUMBER(0.5, 3, INFINITE), NUMBER(1, 3, INFINITE)) for name in ("true_divide", "hypot", "arctan2",
          "atan2",
                                                                                "logaddexp", "logaddexp2",
                                                                                "float_power")],
    ufunc("arctan2", FLOAT(special=EDGES), FLOAT(special=EDGES), grad=(), label="edges"),
    ufunc("hypot", FLOAT(special=EDGES), FLOAT(special=EDGES), grad=(), label="edges"),
    ufunc("logaddexp", FLOAT(special=EDGES), FLOAT(special=EDGES), grad=(), label="edges"),
    ufunc("divide", complex_numbers(0.5, 2), complex_numbers(0.5, 2), label="complex", ulps=16),
    *[ufunc(name, real(0.3, 2, ()), real(0, 2, ())) for name in ("power", "pow")],
    ufunc("power", FLOAT(special=EDGES), FLOAT(special=EDGES), grad=(), label="edges", ulps=16),
    ufunc("power", INTEGER(), INTEGER(0, 5), label="integers"),
    ufunc("power", complex_numbers(0.5, 2), complex_numbers(-2, 2), label="complex", ulps=64),
    calls("power", call(I, -2), call(I, np.array(-1)), call(V, 2), call(V, 0.5), call(I, 3), call(2.0, V),
          call(V > 0, V < 0),
          label="scalars"),
    *[ufunc(name, real(special=EDGES), real(1, 3, ())) for name in ("floor_divide", "remainder", "mod", "fmod",
          "divmod")],
    *[ufunc(name, FLOAT(special=EDGES), FLOAT(special=EDGES), grad=(), label="edges")
      for name in ("floor_divide", "remainder", "fmod")],
    *[ufunc(name, INTEGER(), INTEGER(-2, 2), label="by-zero") for name in ("floor_divide", "remainder", "fmod",
          "divmod")],
    *[ufunc(name, NUMBER(), NUMBER()) for name in ("copysign", "heaviside")],
    ufunc("nextafter", FLOAT(), FLOAT(), grad=()),
    ufunc("ldexp", FLOAT(), INTEGER(dtypes=("int64", "int32", "int8")), grad=(0,)),
    *[ufunc(name, INTEGER(), INTEGER()) for name in ("gcd", "lcm", "bitwise_or", "bitwise_xor")],
    *[ufunc(name, BOOL(), BOOL(), label="bool") for name in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    *[ufunc(name, INTEGER(), INTEGER(0, 9)) for name in ("left_shift", "right_shift", "bitwise_left_shift",
                                                        "bitwise_right_shift")],
    calls("left_shift", call(I, 70), call(I.astype("i1"), np.int8(9)), call(V > 0, V > 0), label="beyond"),
    calls("right_shift", call(I, 70), call(I.astype("i1"), np.int8(9)), call(np.uint64([5]), np.uint64(64)),
          label="beyond"),
    *[ufunc(name, ANY(), ANY(), grad=()) for name in ("equal", "not_equal", "less", "less_equal", "greater",
          "greater_equal",
                                                     "logical_or", "logical_xor")],
    ufunc("isclose", number(dtypes=REAL), number(dtypes=REAL), grad=()),
    ufunc("where", BOOL(), ANY(), ANY(), grad=(1, 2), label="generated"),
    calls("clip", call(V, -0.5, 1.0), call(I, -3, 3), call(I, -0.5, 2), call(V, None, 0.4), call(V, max=0.4),
          call(V, min=np.array([0.0, 1.0, 2.0, 3.0])), call(V, V - 1, V[::-1]), call(V),
                call(np.array([*INFINITE]), 0, 1),
          call(V.astype("f4"), 0.1, 2), call(V, 0.0, 1.0, min=0.0), grad=(0,)),
    *[calls(name, *[call(x, d) for x in (V * 100, I * 17, C * 30, V.astype("f4") * 9, np.uint8([15, 25, 250]), V > 0)
                    for d in (0, 1, -1, -2)], call(V, decimals=2), call(np.array([0.5, 1.5, -2.5, *INFINITE])))
      for name in ("round", "around")],
    # what has no meaning raises, as in NumPy
    *[calls(name, call(*args), label=label, compiled=False, vmap=False) for name, args, label in (
        ("subtract", (V > 0, V > 0), "bool"), ("negative", (V > 0,), "bool"), ("invert", (V,), "float"),
        ("bitwise_and", (V, V), "float"), ("left_shift", (V, 1), "float"), ("gcd", (V, 2.0), "float"),
        ("bitwise_count", (V,), "float"), ("hypot", (C, C), "complex"), ("fabs", (C,), "complex"),
        ("signbit", (C,), "complex"), ("floor_divide", (C, C), "complex"), ("positive", (V > 0,), "bool"))],
    *[ufunc(f"emath.{name}", Arr((*FLOATS, *COMPLEX), low, high), ulps=32, compiled=False, vmap=False, grad=())
      for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh") for low, high in ((-3, 3),)],
    calls("emath.logn", call(2, V), call(3.0, -2.0), call(-2.0, V), compiled=False, vmap=False),
    calls("emath.power", call(V, 2.5), call(I[:2], -2), call(-2.0, 0.5), call(C, 2), compiled=False, vmap=False,
          ulps=32),
]
ELSEWHERE = {"frompyfunc": "test_ufunc.py"}
