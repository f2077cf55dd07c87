"""How far a special function is from the truth, in units in the last place: the form of a row, and its measurement.

Rows stand in `ROWS` of the files `special_rows*.py` beside this one. test_special_accuracy.py holds each of them to its
bounds; benchmarks/special.py prints the figures.
"""
import importlib
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import mpmath as mp
import numpy as np

from chainrule.engine import jit

HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """A function, the truth about it, and the bounds on their distance.

    fn : takes arrays, gives an array
    oracle : the same of mpmath numbers (Python integers for arguments of integers)
    points : (rng, n) -> a tuple of arrays of n numbers, one array an argument
    ulps64, ulps32 : the largest error in units in the last place of the exact value, or a pair (plain, compiled)
    size : mpmath numbers -> what an error is measured against where that is more than the exact value (at zeros)
    digits : with which the oracle works
    count : how many points the test takes
    note : why a bound is above 4
    """
    name: str
    fn: Callable
    oracle: Callable
    points: Callable
    ulps64: float | tuple = 4
    ulps32: float | tuple = 4
    size: Callable | None = None
    digits: int = 30
    count: int = 100
    note: str = ""

    def bound(self, dtype, compiled):
        """The bound on one of the four ways to compute."""
        ulps = self.ulps64 if np.dtype(dtype).itemsize == 8 else self.ulps32
        return ulps[bool(compiled)] if isinstance(ulps, tuple) else ulps


class Worst(NamedTuple):
    """The largest error in ulps, the arguments where it is, and the number of points."""
    ulps: float
    where: tuple
    count: int


def rows():
    """All rows of all files."""
    return [row for path in sorted(HERE.glob("special_rows*.py"))
            for row in importlib.import_module(f"tests.engine.{path.stem}").ROWS]


def arguments(row, dtype, n, seed=0):
    """The points, in dtype where they are floats; without those that are not normal numbers in it."""
    made = [np.asarray(x) for x in row.points(np.random.default_rng(seed), n)]
    info, inside = np.finfo(dtype), np.ones(made[0].shape, bool)
    for x in made:
        if x.dtype.kind == "f":
            inside &= ((abs(x) < info.max) & (abs(x) > info.tiny * 1.001)) | (x == 0)
    return [x[inside].astype(dtype) if x.dtype.kind == "f" else x[inside] for x in made]


def truth(row, xs):
    """[(exact value, what its error is measured against)] at points."""
    with mp.workdps(row.digits):
        out = []
        for point in zip(*[x.tolist() for x in xs]):
            point = [mp.mpf(v) if isinstance(v, float) else v for v in point]
            exact = mp.mpf(row.oracle(*point))
            out.append((exact, abs(exact) if row.size is None else max(abs(exact), mp.mpf(row.size(*point)))))
        return out


def distances(found, exact, dtype):
    """The errors in units in the last place.

    A result below the smallest normal number may be flushed to zero; one above the largest must be infinite.
    """
    info = np.finfo(dtype)
    tiny, largest = mp.mpf(float(info.tiny)), mp.mpf(float(info.max))
    out = []
    for f, (y, size) in zip(np.asarray(found).tolist(), exact):
        if mp.isnan(y) or abs(y) > largest or not np.isfinite(f):
            near = not np.isnan(f) and not mp.isnan(y) and abs(y) > largest * (1 - mp.mpf(float(info.eps)) * 8)
            same = f != f if mp.isnan(y) else near and (y > 0) == (f > 0)
            out.append(0.0 if same else np.inf)
        elif size < tiny:
            out.append(0.0 if abs(f) <= 2 * tiny else np.inf)
        else:
            unit = mp.mpf(2) ** (mp.floor(mp.log(size, 2)) - info.nmant)
            out.append(float(abs(mp.mpf(f) - y) / unit))
    return np.array(out)


def measure(row, dtype, n, ways=(False, True), seed=0):
    """{compiled: Worst} of a row at n points."""
    xs = arguments(row, dtype, n, seed)
    exact = truth(row, xs)
    out = {}
    for compiled in ways:
        found = (jit(row.fn) if compiled else row.fn)(*xs)
        assert found.dtype == dtype and found.shape == xs[0].shape, (row.name, found.dtype, found.shape)
        errors = distances(found, exact, np.dtype(dtype))
        worst = int(np.argmax(errors))
        out[compiled] = Worst(float(errors[worst]), tuple(x[worst].item() for x in xs), len(errors))
    return out
