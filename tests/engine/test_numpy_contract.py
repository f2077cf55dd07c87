"""Every function of `chainrule.engine.numpy` that NumPy has: values, dtypes and shapes over generated arguments,
compiled as well; derivatives against differences; vmap against a loop. The rows stand in numpy_rows_*.py.
"""
import importlib
import os
import pathlib
import types

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
from chainrule.engine import config, jit, jvp, tree, vmap
from tests.engine import test_numpy
from tests.engine.laws import close, direction, leaves, slope, stacked
from tests.engine.numpy_rows import find

HERE = pathlib.Path(__file__).parent
MODULES = [importlib.import_module(f"tests.engine.{p.stem}") for p in sorted(HERE.glob("numpy_rows_*.py"))]
ROWS = [row for module in MODULES for row in module.ROWS]
# names of the namespace that no row can have, each with the reason or the place of its tests
ELSEWHERE = {name: why for module in MODULES for name, why in getattr(module, "ELSEWHERE", {}).items()}


# the quicker code generator of conftest.py knows no largest complex number
COMPLEX = {"xla_cpu_use_fusion_emitters": True} if "use_fusion_emitters" in os.environ.get("XLA_FLAGS", "") else None


def examples(n):
    """Generated examples, always the same ones; no shrinking, since an example is small already."""
    return settings(max_examples=n, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck))


def rows(condition=lambda row: True):
    chosen = [row for row in ROWS if condition(row)]
    return pytest.mark.parametrize("row", chosen, ids=[row.id for row in chosen])


def normal(out):
    """Results as lists of arrays: NumPy gives tuples where we give lists, and the other way round."""
    if isinstance(out, (tuple, list)):
        return [normal(v) for v in out]
    return out if isinstance(out, (str, np.dtype, type(None))) else np.asarray(out)


def agree(found, expected, ulps):
    """Equal structure, shapes and dtypes; values to `ulps` units in the last place of the largest."""
    found, expected = tree.leaves(normal(found)), tree.leaves(normal(expected))
    assert len(found) == len(expected)
    for f, e in zip(found, expected):
        if not isinstance(e, np.ndarray):
            assert f == e
            continue
        assert (f.shape, f.dtype) == (e.shape, e.dtype)
        if ulps is None:
            continue
        if e.dtype.kind == "c":                          # of each part, to units in the last place of the whole
            bound = ulps * _eps(e.dtype)
            size = np.abs(e[np.isfinite(e)]).max(initial=0.0).astype(float)
            for a, b in ((f.real, e.real), (f.imag, e.imag)):
                np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=bound, atol=bound * size)
        else:
            close(f, e, ulps * _eps(e.dtype), "value")


def _eps(dtype):
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def in_numpy(row, args, kwargs):
    """NumPy's result, or the exception that it raises."""
    try:
        with np.errstate(all="ignore"):
            return (row.numpy or find(np, row.name))(*args, **kwargs)
    except (TypeError, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError) as e:
        return e


def ours(row, args, kwargs):
    return normal(find(cnp, row.name)(*args, **kwargs))


def closed(row, args, kwargs):
    """(function of the traced arguments, those arguments)."""
    places = row.places(args)

    def f(*chosen):
        full = list(args)
        for i, x in zip(places, chosen):
            full[i] = x
        out = find(cnp, row.name)(*full, **kwargs)
        return list(out) if isinstance(out, tuple) else out
    return f, [args[i] for i in places]


@pytest.mark.filterwarnings("ignore")
@rows()
@examples(15)
@given(data=st.data())
def test_a_function_is_numpys(row, data):
    compare(row, *data.draw(row.inputs(False)))


@pytest.mark.filterwarnings("ignore")
@rows(lambda row: row.examples)
def test_every_given_call_of_a_function_is_numpys(row):
    for args, kwargs in row.examples:
        compare(row, args, kwargs)


def compare(row, args, kwargs):
    expected = in_numpy(row, args, kwargs)
    if isinstance(expected, Exception):
        with pytest.raises((TypeError, ValueError, IndexError, ZeroDivisionError, ArithmeticError)):
            ours(row, args, kwargs)
    else:
        agree(ours(row, args, kwargs), expected, row.ulps)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@rows(lambda row: row.compiled)
@examples(3)
@given(data=st.data())
def test_a_function_is_the_same_compiled(row, data):
    args, kwargs = data.draw(row.inputs(False))
    f, xs = closed(row, args, kwargs)
    assume(xs and not isinstance(in_numpy(row, args, kwargs), Exception))
    agree(jit(f, compiler_options=COMPLEX if "complex" in row.id else None)(*xs), f(*xs), row.ulps)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@rows(lambda row: row.compiled and row.vmap)
@examples(4)
@given(data=st.data())
def test_vmap_of_a_function_is_a_loop(row, data):
    args, kwargs = data.draw(row.inputs(False))
    f, xs = closed(row, args, kwargs)
    assume(xs and not isinstance(in_numpy(row, args, kwargs), Exception))
    lanes = [np.stack([x, x.reshape(-1)[::-1].reshape(x.shape)]) for x in xs]
    with config(disable_jit=True):
        expected = stacked([normal(f(*row_)) for row_ in zip(*lanes)])
        agree(vmap(f)(*lanes), expected, row.ulps)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@rows(lambda row: row.grad)
@examples(3)
@given(data=st.data())
def test_a_derivative_is_the_finite_difference(row, data):
    args, kwargs = data.draw(row.inputs(True))
    assume(not isinstance(in_numpy(row, args, kwargs), Exception))
    places = [i for i in row.grad if i < len(args) and isinstance(args[i], np.ndarray) and args[i].dtype == np.float64]
    assume(places)

    def f(*chosen):
        full = list(args)
        for i, x in zip(places, chosen):
            full[i] = x
        return [leaf for leaf in tree.leaves(find(cnp, row.name)(*full, **kwargs)) if leaf.dtype.kind == "f"]
    xs = [args[i] for i in places]
    assume(f(*xs))
    ts = [direction(i, x) for i, x in enumerate(xs)]
    with config(disable_jit=True):
        y, t = jvp(f, xs, ts)
        close(y, f(*xs), 1e-14)
        close(t, slope(f, xs, ts), 1e-6)


def public():
    """The names of the namespace's functions, and of those in the modules that NumPy has too."""
    for name, v in vars(cnp).items():
        if isinstance(v, types.ModuleType) and name in {"linalg", "fft", "emath", "polynomial"}:
            names = getattr(v, "__all__", None) or [n for n, f in vars(v).items() if not n.startswith("_") and
                                                    getattr(f, "__module__", None) == v.__name__]
            yield from [f"{name}.{inner}" for inner in names if not isinstance(getattr(v, inner), type)]
        elif callable(v) and not isinstance(v, type) and not name.startswith("_"):
            yield name


def test_every_public_function_has_a_row():
    covered = {row.name for row in ROWS} | set(ELSEWHERE)
    fixed = {name for name, _, _ in test_numpy.ROWS} | {*test_numpy.ALONE, *test_numpy.TYPES}
    fixed |= {name for name in public() if name.startswith(("linalg.", "fft."))}
    assert set(public()) - covered - fixed == set()


def test_row_names_differ():
    ids = [row.id for row in ROWS]
    assert {i for i in ids if ids.count(i) > 1} == set()


def test_no_row_is_for_a_function_that_does_not_exist():
    for row in ROWS:
        assert callable(find(cnp, row.name))


def test_the_checks_can_fail():
    with pytest.raises(AssertionError):
        agree(np.ones(2), np.ones(3), 8)
    with pytest.raises(AssertionError):
        agree(np.ones(2, "f4"), np.ones(2), 8)
    with pytest.raises(AssertionError):
        agree(np.ones(2) + 1e-14, np.ones(2), 8)
    assert leaves(normal((1.0, [2]))) == [1.0, 2]
