"""One process of the benchmark: the rows of engine.py measured on JAX, where it is installed. Prints a line of JSON.

Nothing imports this file: run.py starts it beside engine.py when it finds JAX.
"""
import json
import statistics
import time

import jax
import jax.numpy as np
import numpy as onp

jax.config.update("jax_enable_x64", True)
OPS = 999


def median(f, repeats=7, inner=1, prepare=None):
    """Seconds of one call of f, the median of several after a warm-up. `prepare` makes the argument, untimed."""
    times = []
    for _ in range(repeats + 1):
        arguments = [prepare()] if prepare else []
        began = time.perf_counter()
        for _ in range(inner): f(*arguments)
        times.append((time.perf_counter() - began) / inner)
    return statistics.median(times[1:])


def chain(x):
    for _ in range(OPS // 3):
        x = np.sin(x * 1.01) + 0.1
    return x


def fresh(*wrappers):
    """The chain under these transformations as a function that JAX has not seen."""
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
    return jax.jit(f).lower(1.0).compile()


compile_ten.number = 0


def main():
    out = {}
    per_op = {"trace": fresh, "trace grad of": lambda: fresh(jax.grad), "trace vmap of": lambda: fresh(jax.vmap)}
    for name, make in per_op.items():
        x = onp.ones(3) if "vmap" in name else 1.0
        out[f"{name} {OPS} operations"] = 1e6 * median(lambda: jax.make_jaxpr(make())(x)) / OPS, "µs/operation"  # noqa: B023
    lowering = median(lambda traced: traced.lower().as_text(), prepare=lambda: jax.jit(fresh()).trace(1.0))
    out[f"passes over and lowering of {OPS} operations"] = 1e6 * lowering / OPS, "µs/operation"
    out["compile 10 operations"] = 1e3 * median(compile_ten), "ms"
    for size in (1, 1000):
        a, add = np.ones(size), jax.jit(lambda x: x + 1.0)
        out[f"eager add of {size} float64"] = 1e6 * median(lambda: a + a, inner=1000), "µs"  # noqa: B023
        out[f"jit call, {size} float64 in and out"] = 1e6 * median(lambda: add(a), inner=1000), "µs"  # noqa: B023
    print(json.dumps(out))


if __name__ == "__main__":
    main()
