"""Rows for functions of the namespace whose sizes, places or shifts are traced, and for those that take lists of
arrays: compiled, mapped and differentiated as the primitives are. A row tries several calls at once.
"""
import numpy as np

import chainrule.engine.numpy as cnp
from tests.engine.cases import Case, F, M, T, V, W

POSITIVE = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, 3.0]])
MASK = np.array([True, False, True, False])
COUNTS = np.array([2, 0, 1, 3])
PLACES = np.array([1, 3])
BACK = V[::-1].copy()


def sized(name, fn, reference, *args, **options):
    """A row for calls that no primitive is named after. The lanes of vmap are alike unless `lane` says else."""
    return Case(fn, (), reference, args=args, **{"name": f"numpy-{name}", "lane": lambda a, k: a} | options)


def _nonzero(x, n, fill):
    found = np.nonzero(x)
    return tuple([np.concatenate([i[:n], np.full(max(n - len(i), 0), fill)]) for i in found])


def _repeated(x, counts, n):
    out = np.repeat(x, counts)
    return np.concatenate([out[:n], np.repeat(x[-1:], max(n - len(out), 0))])


def _doubled(x):
    """x in a frame of zeros, whose first row and column are twice what is next to them."""
    out = np.pad(x, 1)
    out[0] = 2 * out[1]
    out[:, 0] = 2 * out[:, 1]
    return out


def _blocks(np_, x, y):
    return np_.block([[x, y[:, :1]], [y[:1, :2], np.ones((1, 1)), x[:1, :1]]])


def _joins(np_, x, y):
    return np_.vstack([x, y]), np_.hstack([x, y]), np_.dstack([x, y]), np_.column_stack([x, y]), np_.r_[x, 1, y, 0:2]


def _written(x, i, v):
    out = x.copy()
    out[i] = v
    return out


CASES = [
    sized("nonzero", lambda x: (cnp.nonzero(x, size=5, fill_value=-1), cnp.nonzero(x, size=2), cnp.where(x, size=4),
                                cnp.argwhere(x, size=4, fill_value=7), cnp.flatnonzero(x, size=4, fill_value=9)),
          lambda x: (_nonzero(x, 5, -1), _nonzero(x, 2, 0), _nonzero(x, 4, 0), np.stack(_nonzero(x, 4, 7), 1),
                     _nonzero(x.ravel(), 4, 9)[0]), POSITIVE, order=0, wrt=(), dtypes=F),
    sized("compress", lambda c, x, y: (cnp.compress(c, x, size=3, fill_value=0.5), cnp.compress(c, y, 1, size=1),
                                       cnp.extract(c, x, size=1)),
          lambda c, x, y: (np.array([x[0], x[2], 0.5]), y[:, :1], x[:1]), MASK, V, W),
    sized("bincount", lambda i, w: (cnp.bincount(i, w, length=6), cnp.bincount(i, length=3)),
          lambda i, w: (np.bincount(i, w, 6), np.bincount(i)[:3]), COUNTS, V, dtypes=F),
    sized("repeat", lambda x, y, n: (cnp.repeat(x, n, total_repeat_length=6), cnp.repeat(x, n, total_repeat_length=8),
                                     cnp.repeat(y, n, 1, total_repeat_length=4)),
          lambda x, y, n: (np.repeat(x, n), _repeated(x, n, 8), np.repeat(y, n, 1)[:, :4]), V, W, COUNTS),
    sized("insert", lambda x, i, v: (cnp.insert(x, i, v, 0), cnp.insert(x, i[0], v[0], 1), cnp.insert(x, -i, v, 0)),
          lambda x, i, v: (np.insert(x, i, v, 0), np.insert(x, i[0], v[0], 1), np.insert(x, -i, v, 0)),
          W[:, :3].copy(), PLACES, M * 3, lane=None),
    sized("delete", lambda x, i: (cnp.delete(x, i[0], 0), cnp.delete(x, -i, 1, assume_unique_indices=True)),
          lambda x, i: (np.delete(x, i[0], 0), np.delete(x, -i, 1)), W, np.array([1, 2]), lane=None),
    sized("roll", lambda x, s: (cnp.roll(x, s[0], 1), cnp.roll(x, s, (0, 1)), cnp.roll(x, (s[0], s[1]), 0)),
          lambda x, s: (np.roll(x, s[0], 1), np.roll(x, s, (0, 1)), np.roll(x, tuple(s), 0)), T, np.array([-1, 2]),
          lane=None),
    sized("take", lambda x, i: (cnp.take(x, i, 0, mode="fill", fill_value=2.0), cnp.take(x, i, 1, mode="wrap"),
                                cnp.take_along_axis(x, i[None], 1, mode="fill", fill_value=0.0)),
          lambda x, i: (np.stack([x[1], np.full(4, 2.0), x[-1]]), np.take(x, i, 1, mode="wrap"),
                        np.stack([x[:, 1], 0 * x[:, 1], x[:, -1]], 1)), W, np.array([1, 5, -1])),
    sized("put", lambda x, i, v: (cnp.put(x, i, v), cnp.put_along_axis(x, i, v, 0), cnp.put(x, i + 2, v, "wrap")),
          lambda x, i, v: (_written(x, i, v), _written(x, i, v), _written(x, (i + 2) % 4, v)), V, PLACES, V[1:3]),
    sized("place", lambda x, m, v: (cnp.place(x, m, v), cnp.putmask(x, m, v)),
          lambda x, m, v: (_written(x, m, v), _written(x, m, v[0])), V, MASK, V[1:3] + 1),
    sized("select", lambda x, y: (cnp.select([x > 0.5, y > 0], [x * x, y]), cnp.choose(x > 0.4, [x, y]),
                                  cnp.piecewise(x, [x < 0, x > 1], [cnp.exp, lambda v: v * v, 3])),
          lambda x, y: (np.select([x > 0.5, y > 0], [x * x, y]), np.choose((x > 0.4).astype(int), [x, y]),
                        np.piecewise(x, [x < 0, x > 1], [np.exp, lambda v: v * v, 3])), V, BACK, lane=None),
    sized("fill-diagonal", lambda x, v: (cnp.fill_diagonal(x, v), cnp.fill_diagonal(x.T, v[0], wrap=True)),
          lambda x, v: (np.where(np.eye(3, 4) > 0, v[:, None], x), np.where(np.eye(4, 3) > 0, v[0], x.T)), W,
          W[:, 0].copy(), lane=None),
    sized("block", lambda x, y: _blocks(cnp, x, y), lambda x, y: _blocks(np, x, y), W[:2, :3].copy(), M, lane=None),
    sized("joins", lambda x, y: _joins(cnp, x, y), lambda x, y: _joins(np, x, y), V, BACK, lane=None),
    sized("histogram", lambda x, w: (cnp.histogram(x, 3, weights=w)[0], cnp.histogram_bin_edges(x.sum() * 0 + V, 3)),
          lambda x, w: (np.histogram(x, 3, weights=w)[0], np.histogram_bin_edges(V, 3)), V, V * 2, wrt=(1,)),
    sized("digitize", lambda x, b: (cnp.digitize(x, b), cnp.searchsorted(-b, x, "right", method="sort")),
          lambda x, b: (np.digitize(x, b), np.searchsorted(-b, x, "right")), V, np.array([2.0, 0.5, -1.0]), order=0),
    sized("flat-indices", lambda i, j: (cnp.unravel_index(i, (2, 3)), cnp.ravel_multi_index((i, j), (6, 5))),
          lambda i, j: (np.unravel_index(i, (2, 3)), np.ravel_multi_index((i, j), (6, 5))), np.array([5, 2, 0]),
          np.array([1, 4, 2])),
    sized("applied", lambda x, y: (cnp.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")(x, y),
                                   cnp.apply_along_axis(lambda r: cnp.outer(r, r), 1, x)),
          lambda x, y: (x @ y, np.apply_along_axis(lambda r: np.outer(r, r), 1, x)), W, W[0].copy(), lane=None,
          ulps=16),
    sized("sort-complex", lambda x: cnp.sort(cnp.cos(x) + 1j * x).imag, lambda x: np.sort(np.cos(x) + 1j * x).imag, V,
          lane=None),
    sized("pad", lambda x, v: (cnp.pad(x, 1, constant_values=v),
                               cnp.pad(x, 1, lambda r, w, a, k: r.at[0].set(r[1] * 2))),
          lambda x, v: (np.pad(x, 1, constant_values=v), _doubled(x)), M, np.array([[1.0, 2.0], [3.0, 4.0]]),
          lane=None),
]
