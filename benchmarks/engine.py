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
    print(json.dumps(out))


if __name__ == "__main__":
    main()
