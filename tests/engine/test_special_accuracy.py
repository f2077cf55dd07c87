"""Special functions keep the accuracy that their rows state, plain and compiled, in float64 and in float32."""
import mpmath as mp
import numpy as np
import pytest

from tests.engine.accuracy import distances, measure, rows

ROWS = rows()


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_errors_are_within_their_bounds(row):
    for dtype, n in (("float64", row.count), ("float32", row.count // 3)):
        for compiled, worst in measure(row, dtype, n).items():
            bound = row.bound(dtype, compiled)
            assert worst.ulps <= bound, f"{worst.ulps:.3g} ulps, {bound} allowed: {dtype}, {compiled=}, {worst.where}"


def test_rows_have_names_of_their_own_and_reasons():
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        above = max(row.bound(d, c) for d in ("float64", "float32") for c in (False, True)) > 4
        assert bool(row.note) or not above, f"{row.name} is allowed more than 4 ulps without a note"


def test_a_unit_in_the_last_place_is_that_of_the_exact_value():
    one = np.float64(1.0)
    found = [np.nextafter(one, 2.0), one, np.inf, 0.0, np.nan, np.inf, 0.0]
    exact = [(1.0, 1.0), (1.5, 1.5), (1.0, 1.0), (1e-310, 1e-310), (np.nan, np.nan), (np.inf, np.inf), (1.0, 1.0)]
    np.testing.assert_array_equal(distances(found, _numbers(exact), np.dtype(float)),
                                  [1.0, 2.0**51, np.inf, 0.0, 0.0, 0.0, 2.0**52])


def _numbers(pairs):
    return [(mp.mpf(y), mp.mpf(s)) for y, s in pairs]
