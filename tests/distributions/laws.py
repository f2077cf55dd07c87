"""References for distributions that SciPy lacks: from closed forms, or from a density by quadrature."""
import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


class Law:
    """SciPy's names from the functions that are given; log of the distribution function where it is not."""

    def __init__(self, logpdf, cdf, ppf, **others):
        self.logpdf, self.cdf, self.ppf = logpdf, cdf, ppf
        self.__dict__.update(others)
        self.__dict__.setdefault("logcdf", lambda x: np.log(cdf(x)))


def part(law, *names):
    """The law with only these of its methods."""
    return type("Part", (), {name: staticmethod(getattr(law, name)) for name in names})()


def searched(law, low, high):
    """The law with quantiles by bisection between bounds, which are quick where SciPy searches one by one."""
    def ppf(q):
        shape = np.broadcast_shapes(np.shape(q), np.shape(law.cdf(low)))
        a, b = np.full(shape, low, float), np.full(shape, high, float)
        for _ in range(70):
            middle = 0.5 * (a + b)
            below = law.cdf(middle) < q
            a, b = np.where(below, middle, a), np.where(below, b, middle)
        return 0.5 * (a + b)
    return Law(law.logpdf, law.cdf, ppf, logcdf=law.logcdf, mean=law.mean, var=law.var)


class Tabulated:
    """A law from its log-density, by Gauss-Legendre quadrature over cells whose edges are [cells + 1, *batch]."""

    def __init__(self, logpdf, edges, mean=None, var=None):
        self.logpdf, self.edges = logpdf, np.asarray(edges, float)
        cells = self._over(self.edges[:-1], self.edges[1:])
        self.lower = np.concatenate([np.zeros_like(cells[:1]), np.cumsum(cells, 0)])
        if mean is not None:
            self.mean, self.var = (lambda: mean), (lambda: var)

    def _over(self, a, b):
        """The integral of the density from a to b."""
        half = 0.5 * (b - a)
        with np.errstate(all="ignore"):
            return half * sum(w * np.exp(self.logpdf(a + half * (1 + t))) for t, w in zip(NODES, WEIGHTS))

    def _cell(self, table, x):
        """The last cell of the table that begins at or before x, with the shape of x broadcast to the batch."""
        x = np.broadcast_to(x, np.broadcast_shapes(np.shape(x), table.shape[1:]))
        flat = table.reshape(len(table), -1)
        rows = x.reshape(-1, flat.shape[1])
        at = np.stack([np.searchsorted(flat[:, j], rows[:, j], "right") - 1 for j in range(flat.shape[1])], 1)
        at = np.clip(at, 0, len(table) - 2)
        pick = np.arange(flat.shape[1])
        return at.reshape(x.shape), lambda t: t.reshape(len(t), -1)[at, pick].reshape(x.shape), x

    def cdf(self, x):
        _, pick, x = self._cell(self.edges, x)
        x = np.clip(x, self.edges[0], self.edges[-1])
        return np.minimum(pick(self.lower) + self._over(pick(self.edges), x), 1.0)

    def logcdf(self, x):
        return np.log(self.cdf(x))

    def ppf(self, q):
        at, pick, q = self._cell(self.lower, q)
        below, start = pick(self.lower), pick(self.edges)
        end = pick(np.concatenate([self.edges[1:], self.edges[-1:]]))
        mass = pick(np.concatenate([np.diff(self.lower, axis=0), np.ones_like(self.lower[:1])]))
        x = start + (end - start) * np.clip((q - below) / np.maximum(mass, 1e-300), 0, 1)
        for _ in range(6):
            step = (below + self._over(start, x) - q) / np.maximum(np.exp(self.logpdf(x)), 1e-300)
            x = np.clip(x - step, start, end)
        return x
