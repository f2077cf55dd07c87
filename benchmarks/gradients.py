"""One process of the benchmark: the cheap-gradient principle. Prints one line of JSON, {program: [numbers]}.

A gradient should cost at most four times its function, however many inputs there are. Ten programs of 10 to 10,000
operations, then one program with 10 to 100,000 inputs; each number is the least of several medians.
"""
import json
import os
import statistics
import time

os.environ["CHAINRULE_CACHE_DIR"] = "off"
import numpy as onp  # noqa: E402

from chainrule.engine import grad, jit, make_jaxpr, scan  # noqa: E402
from chainrule.engine import numpy as np  # noqa: E402
from chainrule.engine.scipy.special import logsumexp  # noqa: E402

RNG = onp.random.default_rng(0)
LONG = RNG.normal(size=100_000)
DATA, LABELS = RNG.normal(size=(5000, 20)), RNG.integers(0, 2, 5000).astype(float)
POINTS = RNG.normal(size=(5000, 1))
STACK = RNG.normal(size=(20, 128, 128)) / 12
STEP = RNG.normal(size=(100, 100)) / 12
SERIES = RNG.normal(size=1000)


def chain(length):
    """A vector through this many element-wise operations, and their sum."""
    def f(x):
        for _ in range(length // 3): x = np.sin(x * 1.01) + 0.1
        return np.sum(x)
    return f


def looped(steps, width):
    """A scan of so many steps of ten operations each."""
    def body(c, _):
        for _ in range(3): c = np.tanh(c * 1.01) + 0.1
        return c * 0.5, None
    return lambda x: np.sum(scan(body, x, None, length=steps)[0]), RNG.normal(size=width)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic(w):
    eta = DATA @ w
    return np.sum(LABELS * eta - np.logaddexp(0.0, eta)) - 0.5 * np.sum((w / 2.0) ** 2)


def mixture(p):
    weights, means, scales = p.reshape(3, 5)
    each = weights - logsumexp(weights) - 0.5 * ((POINTS - means) * np.exp(-scales)) ** 2 - scales
    return np.sum(logsumexp(each, axis=1))


def layers(x):
    for matrix in STACK: x = np.tanh(matrix @ x)
    return np.sum(x)


def recurrent(x):
    return np.sum(scan(lambda h, _: (np.tanh(STEP @ h), None), x, None, length=500)[0] ** 2)


def autoregressive(p):
    def body(mean, y):
        return p[0] + p[1] * y + p[2] * mean, -0.5 * ((y - mean) * np.exp(-p[3])) ** 2 - p[3]
    return np.sum(scan(body, 0.0, SERIES)[1])


PROGRAMS = {
    "chain of 9 on a vector": (chain(9), LONG[:10_000]), "chain of 99 on a vector": (chain(99), LONG[:10_000]),
    "chain of 999 on a vector": (chain(999), LONG[:100]), "Rosenbrock": (rosenbrock, LONG[:10_000]),
    "logistic regression": (logistic, RNG.normal(size=20)), "mixture of 5 normals": (mixture, RNG.normal(size=15)),
    "20 dense layers, batch 64": (layers, RNG.normal(size=(128, 64))),
    "recurrent net, 500 steps": (recurrent, RNG.normal(size=100)),
    "autoregression, 1000 steps": (autoregressive, onp.array([0.1, 0.5, 0.2, 0.3])),
    "1000 steps of 10 on a vector": looped(1000, 100),
}
INPUTS = {f"chain of 30, {n:,} inputs": (chain(30), LONG[:n]) for n in (10, 100, 1000, 10_000, 100_000)}


def operations(jaxpr):
    """The equations that one run executes, those in a scan once for each step."""
    count = 0
    for eqn in jaxpr.eqns:
        inner = [p for v in eqn.params.values() for p in (v if isinstance(v, (tuple, list)) else (v,))
                 if hasattr(p, "eqns")]
        count += sum(map(operations, inner)) * eqn.params.get("length", 1) if inner else 1
    return count


def microseconds(f, x):
    """One call of the compiled f, the least of five medians."""
    def once():
        began = time.perf_counter()
        f(x).block_until_ready()
        return time.perf_counter() - began
    rough = min(once() for _ in range(3))
    repeats = max(5, min(300, int(0.03 / rough)))
    return 1e6 * min(statistics.median(once() for _ in range(repeats)) for _ in range(5))


def main():
    out = {}
    for name, (f, x) in {**PROGRAMS, **INPUTS}.items():
        x = jit(lambda x: x + 0.0)(x)
        plain, slope = microseconds(jit(f), x), microseconds(jit(grad(f)), x)
        out[name] = [operations(make_jaxpr(f)(x)), x.size, plain, slope, slope / plain]
    print(json.dumps(out))


if __name__ == "__main__":
    main()
