"""One process of the benchmark: array functions beside NumPy's own. Prints one line of JSON.

{"eager": {call: [NumPy's µs, ours]}, "compiled": {work: [NumPy's ms, ours]}}; the least of several repeats, since other
work on the machine only adds.
"""
import json
import os
import time

os.environ["CHAINRULE_CACHE_DIR"] = "off"
import numpy  # noqa: E402
import scipy.linalg  # noqa: E402
import scipy.special  # noqa: E402

import chainrule.engine.numpy as cnp  # noqa: E402
from chainrule.engine import jit  # noqa: E402
from chainrule.engine.scipy import linalg, special  # noqa: E402

CALLS = {                                                # np is either namespace; x, y: five numbers; m: 4 x 4
    "x + y": lambda np, x, y, m, i: x + y,
    "x * 2.0": lambda np, x, y, m, i: x * 2.0,
    "x < y": lambda np, x, y, m, i: x < y,
    "x ** 2": lambda np, x, y, m, i: x ** 2,
    "np.add(x, y)": lambda np, x, y, m, i: np.add(x, y),
    "np.exp(x)": lambda np, x, y, m, i: np.exp(x),
    "np.maximum(x, y)": lambda np, x, y, m, i: np.maximum(x, y),
    "np.where(x < y, x, y)": lambda np, x, y, m, i: np.where(x < y, x, y),
    "np.clip(x, 1, 2)": lambda np, x, y, m, i: np.clip(x, 1.0, 2.0),
    "np.isnan(x)": lambda np, x, y, m, i: np.isnan(x),
    "np.sum(x)": lambda np, x, y, m, i: np.sum(x),
    "m.sum(axis=1)": lambda np, x, y, m, i: m.sum(axis=1),
    "np.mean(x)": lambda np, x, y, m, i: np.mean(x),
    "np.var(x)": lambda np, x, y, m, i: np.var(x),
    "np.max(x)": lambda np, x, y, m, i: np.max(x),
    "np.argmax(x)": lambda np, x, y, m, i: np.argmax(x),
    "np.cumsum(x)": lambda np, x, y, m, i: np.cumsum(x),
    "np.sort(y)": lambda np, x, y, m, i: np.sort(y),
    "np.median(x)": lambda np, x, y, m, i: np.median(x),
    "x[1]": lambda np, x, y, m, i: x[1],
    "x[1:3]": lambda np, x, y, m, i: x[1:3],
    "x[i]": lambda np, x, y, m, i: x[i],
    "m[:, None, 1]": lambda np, x, y, m, i: m[:, None, 1],
    "x[x > 1]": lambda np, x, y, m, i: x[x > 1],
    "m.reshape(2, 8)": lambda np, x, y, m, i: m.reshape(2, 8),
    "m.T": lambda np, x, y, m, i: m.T,
    "np.concatenate([x, y])": lambda np, x, y, m, i: np.concatenate([x, y]),
    "np.stack([x, y])": lambda np, x, y, m, i: np.stack([x, y]),
    "np.zeros(5)": lambda np, x, y, m, i: np.zeros(5),
    "np.arange(5)": lambda np, x, y, m, i: np.arange(5),
    "np.linspace(0, 1, 5)": lambda np, x, y, m, i: np.linspace(0, 1, 5),
    "np.asarray([1., 2., 3.])": lambda np, x, y, m, i: np.asarray([1.0, 2.0, 3.0]),
    "x @ y": lambda np, x, y, m, i: x @ y,
    "m @ m": lambda np, x, y, m, i: m @ m,
    "np.einsum('ij,jk->ik', m, m)": lambda np, x, y, m, i: np.einsum("ij,jk->ik", m, m),
    "np.linalg.cholesky(m)": lambda np, x, y, m, i: np.linalg.cholesky(m),
    "np.linalg.solve(m, m)": lambda np, x, y, m, i: np.linalg.solve(m, m),
    "np.fft.fft(x)": lambda np, x, y, m, i: np.fft.fft(x),
}
N, K = 1_000_000, 500
WORK = {                                                 # x, y: a million numbers, y > 0; m: 500 x 500
    "x * y + 2 x": lambda np, x, y, m: x * y + 2.0 * x,
    "exp(x)": lambda np, x, y, m: np.exp(x),
    "log(y)": lambda np, x, y, m: np.log(y),
    "log1p(y)": lambda np, x, y, m: np.log1p(y),
    "tanh(x)": lambda np, x, y, m: np.tanh(x),
    "sin(x)": lambda np, x, y, m: np.sin(x),
    "sqrt(y)": lambda np, x, y, m: np.sqrt(y),
    "sum(x)": lambda np, x, y, m: np.sum(x),
    "var(x)": lambda np, x, y, m: np.var(x),
    "cumsum(x)": lambda np, x, y, m: np.cumsum(x),
    "sort(x)": lambda np, x, y, m: np.sort(x),
    "m @ m": lambda np, x, y, m: m @ m,
    "m' m + I": lambda np, x, y, m: m.T @ m + np.eye(K),
    "solve(m, m)": lambda np, x, y, m: np.linalg.solve(m, m),
    "cholesky(m)": lambda np, x, y, m: np.linalg.cholesky(m),
    "eigh(m)": lambda np, x, y, m: np.linalg.eigh(m)[0],
    "svd(m)": lambda np, x, y, m: np.linalg.svd(m, full_matrices=False)[1],
    "fft(x)": lambda np, x, y, m: np.abs(np.fft.fft(x)),
}
SCIPY = {                                                # the same of SciPy: (its function, ours)
    "gammaln(y)": (scipy.special.gammaln, special.gammaln),
    "solve_triangular(m, m)": (lambda m: scipy.linalg.solve_triangular(m, m, lower=True, check_finite=False),
                               lambda m: linalg.solve_triangular(m, m, lower=True)),
}


def least(f, seconds=0.05, repeats=5):
    """Seconds of one call: the least of several averages."""
    f()
    began = time.perf_counter()
    f()
    inner = max(1, int(seconds / repeats / max(time.perf_counter() - began, 1e-7)))
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(inner): f()
        times.append((time.perf_counter() - began) / inner)
    return min(times)


def eager():
    """{call: [NumPy's µs, ours]} on small arrays."""
    rng = numpy.random.default_rng(0)
    a = rng.normal(size=(4, 4))
    plain = [numpy.arange(5.0) + 0.5, rng.normal(size=5), a @ a.T + numpy.eye(4), numpy.array([0, 2, 1])]
    own = [cnp.asarray(v) for v in plain]
    return {name: [1e6 * least(lambda: f(numpy, *plain)), 1e6 * least(lambda: f(cnp, *own))]      # noqa: B023
            for name, f in CALLS.items()}


def compiled():
    """{work: [NumPy's ms, ours]} on a million numbers, or matrices of 500 rows."""
    rng = numpy.random.default_rng(0)
    x, m = rng.normal(size=N), rng.normal(size=(K, K))
    plain = [x, abs(x) + 0.1, m @ m.T / K + numpy.eye(K)]
    own = [cnp.asarray(v) for v in plain]
    out = {}
    for name, f in WORK.items():
        program = jit(lambda x, y, m, f=f: f(cnp, x, y, m))
        out[name] = [1e3 * least(lambda: f(numpy, *plain)), 1e3 * least(lambda: program(*own).block_until_ready())]  # noqa: B023
    for name, (theirs, ours) in SCIPY.items():
        at = 1 if "(y)" in name else 2
        program = jit(ours)
        out[name] = [1e3 * least(lambda: theirs(plain[at])),                                      # noqa: B023
                     1e3 * least(lambda: program(own[at]).block_until_ready())]                   # noqa: B023
    return out


if __name__ == "__main__":
    print(json.dumps({"eager": eager(), "compiled": compiled()}))
