"""One process of the benchmark: log_prob, its gradient in the value and draws of twenty distributions, compiled, in
nanoseconds an element of 100,000 float64. Prints a line of JSON.

The parameters are arguments of the compiled functions, so nothing of them is worked out beforehand.
"""
import json
import os
import sys

os.environ["CHAINRULE_CACHE_DIR"] = "off"
from density_rows import ELEMENTS, ROWS, least  # noqa: E402

import chainrule.distributions as dist  # noqa: E402
from chainrule.engine import grad, jit, random  # noqa: E402


def figures(name, parameters):
    """The times of log_prob, of its gradient (None for integers) and of sample."""
    family = getattr(dist, name)
    sample = jit(lambda key, p: family(**p).sample(key, (ELEMENTS,)))
    log_prob = jit(lambda x, p: family(**p).log_prob(x))
    slope = jit(grad(lambda x, p: family(**p).log_prob(x).sum()))
    key, parameters = random.key(0), {k: jit(lambda x: x + 0)(x) for k, x in parameters.items()}
    x = sample(key, parameters)

    def wait(f):
        return lambda *arguments: f(*arguments).block_until_ready()
    real = x.dtype.kind == "f"
    return [least(wait(log_prob), x, parameters), least(wait(slope), x, parameters) if real else None,
            least(wait(sample), key, parameters)]


if __name__ == "__main__":
    print(json.dumps({name: figures(name, ROWS[name]) for name in sys.argv[1:] or ROWS}))
