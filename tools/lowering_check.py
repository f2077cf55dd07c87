"""Without the hardware: every row of the engine's tables compiles for an H100, and for a TPU.

    make lowering-check          (tools/lowering_check.py [--only WORD ...] [--platform cuda|tpu])

It wants jaxlib with the plugins of the extras `cuda13` and `tpu`, which `make` puts into an environment of its own.
For each row: the value, the gradient and the lanes in each of its dtypes. XLA's compilers run on the CPU, for a device
that is described to them (JAX's and XLA's name for that is ahead-of-time compilation for a topology).
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for name, value in {"TPU_SKIP_MDS_QUERY": "1", "TPU_ACCELERATOR_TYPE": "v5litepod-4", "TPU_WORKER_ID": "0",
                    "TPU_WORKER_HOSTNAMES": "localhost"}.items():        # else libtpu asks the network for them
    os.environ.setdefault(name, value)

import numpy as onp  # noqa: E402

from chainrule.engine import config, make_jaxpr, vjp, vmap, xla  # noqa: E402
from chainrule.engine import numpy as np  # noqa: E402
from chainrule.engine.interpreters.lower import lower  # noqa: E402
from chainrule.engine.passes import optimize  # noqa: E402
from chainrule.engine.xla import topologies  # noqa: E402
from tests.engine.laws import all_cases, differentiable, of_floats  # noqa: E402


def programs(case, dtype):
    """(what, jaxpr) of a row: its value, its gradient, its lanes."""
    args = case.arguments(dtype)
    yield "value", make_jaxpr(lambda *a: case.fn(*a))(*args)
    if differentiable(case) and case.reverse:
        f, xs = of_floats(case, dtype)

        def gradient(*xs):
            out, pull = vjp(f, *xs)
            return pull([np.ones_like(o) for o in out])
        yield "gradient", make_jaxpr(gradient)(*xs)
    if case.batch:
        yield "lanes", make_jaxpr(vmap(case.fn))(*[case.lanes(k, dtype) for k in range(len(args))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--platform", choices=["cuda", "tpu"], nargs="*", default=["cuda", "tpu"])
    options = parser.parse_args()
    if len(options.platform) > 1:                        # a process each: what XLA's compilers take they keep
        words = ["--only", *options.only] if options.only else []
        ended = [subprocess.run([sys.executable, __file__, *words, "--platform", platform]).returncode
                 for platform in options.platform]
        return 1 if any(ended) else 0                    # one that was killed has a negative status
    platform, = options.platform
    every = [case for case in all_cases() if not options.only or any(o in case.id for o in options.only)]
    staged = []
    for case in every:
        for dtype in case.dtypes:
            with config(default_float=dtype if dtype in ("float32", "float64") else "float64"):
                staged += [(case, dtype, what, program) for what, program in programs(case, dtype)]
    compiler = topologies.compiler(platform)
    began, texts, refused = time.perf_counter(), {}, []

    def one(text):
        try:
            compiler(text)
        except Exception as error:
            return next((s for s in str(error).splitlines() if s.strip()), type(error).__name__)[:200]

    for case, dtype, what, program in staged:
        try:
            text, _ = lower(optimize(program), platform=platform, precision="highest")
            texts.setdefault(text, []).append((case, dtype, what))
        except Exception as error:
            refused.append((case, dtype, what, str(error).splitlines()[0][:200]))
    with ThreadPoolExecutor(xla.cores()) as pool:
        for done, (why, rows) in enumerate(zip(pool.map(one, texts), texts.values()), 1):
            refused += [(*row, why) for row in rows] if why else []
            if done % 250 == 0:
                print(f"{platform}: {done} of {len(texts)} modules, {time.perf_counter() - began:.0f} s", flush=True)
    for case, dtype, what, why in refused:
        print(f"{platform}: {case.id} {dtype} {what}: {why}")
    bad = {id(case) for case, *_ in refused}
    print(f"{platform}: {len(staged) - len(refused)} of {len(staged)} programs compile, all of "
          f"{len(every) - len(bad)} of {len(every)} rows; {time.perf_counter() - began:.0f} s", flush=True)
    return 1 if refused and platform == "cuda" else 0


if __name__ == "__main__":
    onp.seterr(all="ignore")
    sys.exit(main())
