"""Where a run goes unless it is told: to the host, or to an accelerator where there is one and the work is worth it."""
import math

from ..engine import make_jaxpr, xla
from ..engine import numpy as np
from ..ppl.model import site_count, unravel

# The time of a gradient of all chains side by side is, on the host, its operations over what the cores do in a second;
# on an accelerator that of launching its kernels, which hardly grows with the work until the device is full.
OPERATIONS_A_SECOND = 1e9          # elementwise operations, one core
PRODUCTS_A_SECOND = 1e10           # multiplications of matrix products, one core
WORTH_IT = 1e-3                    # seconds of a gradient of all chains on the whole host above which it goes away


def work(jaxpr):
    """(elementwise operations, multiplications of matrix products) of one evaluation of a program."""
    elements = products = 0
    for eqn in jaxpr.eqns:
        inner = [work(p) for p in eqn.prim.programs(eqn.params)]
        times = eqn.params.get("length", 1) if inner else 1
        elements += times * sum([e for e, _ in inner])
        products += times * sum([p for _, p in inner])
        size = sum([v.aval.size for v in eqn.outs])
        if eqn.prim.name == "dot_general":
            a = eqn.inputs[0].aval
            products += size * math.prod([a.shape[i] for i in eqn.params["contract"][0]])
        elif not inner:
            elements += size
    return elements, products


def seconds_of_gradient(program, data, num_chains):
    """What a gradient of all chains takes on the cores of the host, as a guess: three times an evaluation."""
    found = program.cache.get("work")
    if found is None:
        latents = program.latents
        density = make_jaxpr(lambda z: program.log_joint(unravel(latents, z), data, unconstrained=True))
        found = program.cache["work"] = work(density(np.zeros(site_count(latents))))
    elements, products = found
    one = 3 * (elements / OPERATIONS_A_SECOND + products / PRODUCTS_A_SECOND)
    return one * num_chains / min(xla.cores(), num_chains)


def choose(program, data, num_chains):
    """(device, words): an accelerator for work that is worth it, where there is one; else None for the host.

    words : one line for a person where there was a choice, else None
    """
    if xla.default_device().platform != "cpu" or not xla.may_have_accelerator():
        return None, None
    seconds = seconds_of_gradient(program, data, num_chains)
    what = f"a gradient of {'all chains' if num_chains > 1 else 'the chain'} takes the host some {_time(seconds)}"
    if seconds < WORTH_IT:
        return None, f"on the host, since {what} (device='gpu' chooses otherwise)"
    found = xla.accelerator()
    return (None, None) if found is None else (found, f"on {found!r}, since {what} (device='cpu' chooses otherwise)")


def _time(seconds):
    return f"{seconds * 1e3:,.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"
