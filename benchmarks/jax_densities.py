"""One process of the benchmark: the rows of densities.py measured on NumPyro, where it is installed. Prints JSON.

Nothing imports this file: run.py starts it beside densities.py when it finds JAX and NumPyro.
"""
import json
import sys

import jax
import numpyro.distributions as dist
from density_rows import ELEMENTS, ROWS, least

jax.config.update("jax_enable_x64", True)


def figures(name, parameters):
    """The times of log_prob, of its gradient (None for integers) and of sample."""
    family = getattr(dist, name)
    sample = jax.jit(lambda key, p: family(**p).sample(key, (ELEMENTS,)))
    log_prob = jax.jit(lambda x, p: family(**p).log_prob(x))
    slope = jax.jit(jax.grad(lambda x, p: family(**p).log_prob(x).sum()))
    key, parameters = jax.random.key(0), {k: jax.numpy.asarray(x) for k, x in parameters.items()}
    x = sample(key, parameters)

    def wait(f):
        return lambda *arguments: f(*arguments).block_until_ready()
    real = x.dtype.kind == "f"
    return [least(wait(log_prob), x, parameters), least(wait(slope), x, parameters) if real else None,
            least(wait(sample), key, parameters)]


if __name__ == "__main__":
    print(json.dumps({name: figures(name, ROWS[name]) for name in sys.argv[1:] or ROWS}))
