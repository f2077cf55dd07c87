"""One process of the benchmark: what the engine's parts cost. Prints one line of JSON, {what: [number, unit]}."""
import json
import os
import statistics
import time

os.environ["CHAINRULE_CACHE_DIR"] = "off"                # compilations are to be real
import numpy as onp  # noqa: E402

from chainrule.engine import Array, grad, jit, make_jaxpr, vmap  # noqa: E402
from chainrule.engine import numpy as np  # noqa: E402

OPS = 999


def median(f, repeats=7, inner=1):
    """Seconds of one call of f, the median of several after one that warms up."""
    times = []
    f()
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(inner): f()
        times.append((time.perf_counter() - began) / inner)
    return statistics.median(times)


def chain(x):
    """A scalar function of 999 operations, of which a third are products, sines and sums."""
    for _ in range(OPS // 3):
        x = np.sin(x * 1.01) + 0.1
    return x


def fresh(*wrappers):
    """The chain under these transformations as a function that the engine has not seen."""
    def f(x):
        return chain(x)
    for wrapper in wrappers: f = wrapper(f)
    return f


def compile_ten():
    """Compile ten operations that were not compiled before."""
    compile_ten.number += 1

    def f(x):
        for _ in range(5): x = np.sin(x) * (1.0 + compile_ten.number)
        return x
    return jit(f).lower(1.0).compile()


compile_ten.number = 0


def used():
    """The engine in use: the slowest of 100 calls of a controller, lanes against a loop, arithmetic a second."""
    policy, state = jit(lambda w, x: np.tanh(w @ np.tanh(w @ x))), Array(onp.ones(16))
    weights, times = Array(onp.eye(16)), []
    for _ in range(2000):
        began = time.perf_counter()
        policy(weights, state).block_until_ready()
        times.append(time.perf_counter() - began)
    out = {"controller of 16 states, 99th percentile": (1e6 * sorted(times[100:])[-19], "µs")}
    lanes, one = Array(onp.random.default_rng(0).normal(size=(256, 16))), jit(lambda x: np.tanh(np.sin(x)).sum())
    together, rows = jit(vmap(one)), list(lanes)
    out["256 lanes in a Python loop"] = 1e6 * median(lambda: [one(row) for row in rows]), "µs"
    out["256 lanes under vmap"] = 1e6 * median(lambda: together(lanes).block_until_ready(), inner=20), "µs"
    square, product = Array(onp.ones((1000, 1000))), jit(np.matmul)
    seconds = median(lambda: product(square, square).block_until_ready())
    out["product of two 1000×1000 float64"] = 2e-9 * 1000 ** 3 / seconds, "GFLOP/s"
    return out


def main():
    out = {}
    per_op = {"trace": fresh, "trace grad of": lambda: fresh(grad), "trace vmap of": lambda: fresh(vmap)}
    for name, make in per_op.items():
        x = onp.ones(3) if "vmap" in name else 1.0
        out[f"{name} {OPS} operations"] = 1e6 * median(lambda: make_jaxpr(make())(x)) / OPS, "µs/operation"  # noqa: B023
    lowered = jit(fresh()).lower(1.0)
    out[f"passes over and lowering of {OPS} operations"] = 1e6 * median(lowered.as_text) / OPS, "µs/operation"
    out["compile 10 operations"] = 1e3 * median(compile_ten), "ms"
    for size in (1, 1000):
        a, add = Array(onp.ones(size)), jit(lambda x: x + 1.0)
        out[f"eager add of {size} float64"] = 1e6 * median(lambda: a + a, inner=1000), "µs"  # noqa: B023
        out[f"jit call, {size} float64 in and out"] = 1e6 * median(lambda: add(a), inner=1000), "µs"  # noqa: B023
    out.update(used())
    print(json.dumps(out))


if __name__ == "__main__":
    main()
