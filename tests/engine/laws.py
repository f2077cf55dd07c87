"""What the tests of transformations share: the rows, comparing trees, random directions, finite differences."""
import importlib
import pathlib

import numpy as np

from chainrule.engine import tree


def all_cases():
    """The rows of cases.py and of the files cases_*.py beside it."""
    files = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("cases*.py"))
    return [case for name in files for case in importlib.import_module(f"tests.engine.{name}").CASES]


def differentiable(case):
    return case.order >= 1 and case.floating()


def of_floats(case, dtype="float64"):
    """(f, xs): the function of the differentiable arguments alone, giving its floating results."""
    args, places = case.arguments(dtype), case.floating()

    def f(*chosen):
        full = list(args)
        for i, x in zip(places, chosen):
            full[i] = x
        return [leaf for leaf in tree.leaves(case.fn(*full)) if leaf.dtype.kind == "f"]
    return f, [args[i] for i in places]


def leaves(x):
    """The leaves of a tree as NumPy arrays."""
    return [np.asarray(v) for v in tree.leaves(x)]


def close(found, expected, rtol=1e-12, what=""):
    """Two trees of arrays agree to rtol times the largest finite element of each leaf (at least 1e-300)."""
    found, expected = leaves(found), leaves(expected)
    assert len(found) == len(expected), f"{what}: {len(found)} leaves, {len(expected)} expected"
    for f, e in zip(found, expected):
        assert f.shape == e.shape, f"{what}: shape {f.shape}, expected {e.shape}"
        if e.dtype.kind not in "fc":
            np.testing.assert_array_equal(f, e, err_msg=what)
            continue
        size = np.abs(e[np.isfinite(e)]).max(initial=0.0).astype(float)
        wide = complex if e.dtype.kind == "c" else float
        np.testing.assert_allclose(f.astype(wide), e.astype(wide), rtol=rtol, atol=max(rtol * size, 1e-300),
                                   err_msg=what)


def same(found, expected, ulps, what=""):
    """Two trees agree in shapes and dtypes, and to `ulps` units in the last place of the largest element of each
    leaf."""
    for f, e in zip(leaves(found), leaves(expected)):
        assert f.dtype == e.dtype, f"{what}: dtype {f.dtype}, expected {e.dtype}"
        close(f, e, ulps * np.finfo(e.dtype).eps if e.dtype.kind == "f" else 0, what)
    assert tree.structure(found) == tree.structure(expected), what


def direction(seed, like):
    """A fixed direction of the shape and dtype of an array."""
    return np.random.default_rng(seed).normal(size=np.shape(like)).astype(np.asarray(like).dtype)


def weigh(out, seed=11):
    """A scalar: the sum of all floating leaves with fixed weights."""
    total = 0.0
    for i, leaf in enumerate(tree.leaves(out)):
        if leaf.dtype.kind == "f":
            total = total + (leaf * direction(seed + i, np.empty(leaf.shape))).sum()
    return total


def slope(f, xs, ts, h=1e-5):
    """The derivative of f at xs along ts by a central difference of fourth order; error about 1e-11 of f."""
    def at(s):
        return [v.astype(float) for v in leaves(f(*[x + s * h * t for x, t in zip(xs, ts)]))]
    return [(8 * (b - a) - (d - c)) / (12 * h) for a, b, c, d in zip(at(-1), at(1), at(-2), at(2))]


def stacked(rows):
    """Trees of equal structure, stacked along a new axis 0."""
    return tree.map(lambda *xs: np.stack([np.asarray(x) for x in xs]), *rows)
