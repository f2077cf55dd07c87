"""How accurate and how quick the special functions are: a table against mpmath, in units in the last place.

    python benchmarks/special.py [--only NAME ...] [--points N] [--json]

The rows are those of the tests (tests/engine/special_rows*.py), at more points. For each: the largest error plain and
compiled, in float64 and float32, the points tried, where the worst of the compiled float64 is, and the nanoseconds an
element of a compiled call on 10,000 elements. With --json the last line has the numbers alone.
"""
import argparse
import json
import os
import pathlib
import sys

os.environ["CHAINRULE_CACHE_DIR"] = "off"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy as np  # noqa: E402
from gradients import microseconds  # noqa: E402

from chainrule.engine import jit  # noqa: E402
from tests.engine.accuracy import arguments, measure, rows  # noqa: E402

ELEMENTS = 10_000
COLUMNS = {"f64 plain": ".2f", "f64 compiled": ".2f", "f32 plain": ".2f", "f32 compiled": ".2f", "points": ",d",
           "ns": ".1f", "ns f32": ".1f", "f64 worst at": ""}


def nanoseconds(row, dtype):
    """The time of one element in a compiled call."""
    xs = [np.resize(x, ELEMENTS) for x in arguments(row, dtype, 500)]
    f = jit(lambda xs: row.fn(*xs))
    return 1e3 * microseconds(f, [jit(lambda x: x + 0)(x) for x in xs]) / ELEMENTS


def figures(row, points):
    """The numbers under COLUMNS."""
    wide, narrow = measure(row, "float64", points), measure(row, "float32", points)
    at = "(" + ", ".join(f"{x:.6g}" for x in wide[True].where) + ")"
    return [wide[False].ulps, wide[True].ulps, narrow[False].ulps, narrow[True].ulps,
            wide[True].count + narrow[True].count, nanoseconds(row, "float64"), nanoseconds(row, "float32"), at]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", nargs="+", help="rows whose names begin so")
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    out = {}
    if not options.json:
        print(f"{'':24}" + "".join(f"{column:>14}" for column in COLUMNS))
    for row in rows():
        if options.only and not row.name.startswith(tuple(options.only)):
            continue
        out[row.name] = figures(row, options.points)
        if not options.json:
            cells = [format(x, spec) for x, spec in zip(out[row.name], COLUMNS.values())]
            print(f"{row.name:24}" + "".join(f"{cell:>14}" for cell in cells), flush=True)
    if options.json:
        print(json.dumps(out))


if __name__ == "__main__":
    main()
