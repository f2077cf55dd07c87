"""Facts of the transitions under NumPyro's names: those that the kernel writes down, and those that follow from them.

    mcmc.run(key, y, extra_fields=("z.mu", "z_grad", "~z.theta"))

`z.mu` is a site's unconstrained value, `~z.theta` leaves a site out of get_samples. The other names are those of the
fields of NumPyro's HMCState, as far as a transition leaves them behind.
"""
import math
from typing import NamedTuple

import numpy as np

from ..engine import grad, jit
from ..engine import numpy as enp
from ..engine.lax import map as in_blocks
from ..ppl.model import unravel
from .metrics import Dense, Diagonal

ALIASES = {"adapt_state.step_size": "step_size"}         # NumPyro's names of fields
COMPUTED = {"i": (), "z": (), "z_grad": (), "mean_accept_prob": ("accept_prob",),        # and what they are made from
            "trajectory_length": ("num_steps", "step_size"), "adapt_state.inverse_mass_matrix": ()}
ABSENT = {"r": "The momentum is drawn anew at each transition: energy - potential_energy is its kinetic energy.",
          "rng_key": "The randomness of a transition is made from the run's key and the transition's number, i.",
          "adapt_state.mass_matrix_sqrt": "Take the root of adapt_state.inverse_mass_matrix."}
BLOCK = 256                                              # draws whose gradients are computed side by side


class Asked(NamedTuple):
    """The extra fields of a run."""
    aliases: dict                  # {name: the field that it stands for}
    computed: tuple                # names of COMPUTED, and z.site
    dropped: tuple                 # sites that get_samples leaves out


NOTHING = Asked({}, (), ())


def asked(extra_fields, known, program):
    """What is asked for; raises ValueError for a name that there is not, with those that there are.

    known : NumPyro's names of the facts that the kernel writes down
    """
    names = (extra_fields,) if isinstance(extra_fields, str) else tuple(extra_fields)
    latent = [v.name for v in program.latents]
    aliases = {name: fact for name, fact in ALIASES.items() if fact in known}
    made = [name for name, facts in COMPUTED.items() if name not in known and set(facts) <= set(known)]
    for name in names:
        site = name.removeprefix("~").removeprefix("z.")
        if name.startswith(("z.", "~z.")):
            if site not in (program.dims if name.startswith("~") else latent):
                raise ValueError(f"extra_fields: {name!r} names no latent site; they are: {', '.join(latent)}.")
        elif name in ABSENT:
            raise ValueError(f"extra_fields: {name!r} is not kept. {ABSENT[name]}")
        elif name not in (*known, *aliases, *made):
            raise ValueError(f"extra_fields: there is no field {name!r}; there are "
                             f"{', '.join([*known, *aliases, *made])}, 'z.site' and '~z.site'.")
    return Asked({name: aliases[name] for name in names if name in aliases},
                 tuple(name for name in names if name in made or name.startswith("z.")),
                 tuple(name[3:] for name in names if name.startswith("~z.")))


def computed(names, draws, facts, chains, program, data, first, thinning):
    """{name: [chain, draw, ...]} of computed fields; `z` and `z_grad` are {site: [chain, draw, *shape]}.

    draws : float[chain, draw, d], unconstrained          facts : {NumPyro's name: [chain, draw]}
    chains : where they stopped          first : the transitions of warm-up
    The mean of accept_prob runs over the draws that are kept.
    """
    shape, out = draws.shape[:2], {}
    counts = np.arange(1, shape[1] + 1)
    for name in names:
        if name == "i":
            out[name] = np.broadcast_to(first + thinning * counts, shape)
        elif name == "z":
            out[name] = by_site(program, draws)
        elif name.startswith("z."):
            out[name] = by_site(program, draws)[name[2:]]
        elif name == "z_grad":
            out[name] = by_site(program, _potential_gradients(program, data, draws))
        elif name == "mean_accept_prob":
            out[name] = np.cumsum(facts["accept_prob"], axis=1) / counts
        elif name == "trajectory_length":
            out[name] = facts["num_steps"] * facts["step_size"]
        else:
            metric = np.stack([_covariance(chain) for chain in chains])
            out[name] = np.broadcast_to(metric[:, None], (*shape, *metric.shape[1:]))
    return out


def by_site(program, draws):
    """{site: [..., *unconstrained shape]} of float[..., d]."""
    sizes = [math.prod(v.unconstrained_shape) for v in program.latents]
    parts = np.split(draws, np.cumsum(sizes)[:-1], axis=-1)
    return {v.name: x.reshape(*draws.shape[:-1], *v.unconstrained_shape) for v, x in zip(program.latents, parts)}


def _covariance(chain):
    """float[d], or float[d, d] of a dense metric."""
    metric = getattr(getattr(getattr(chain, "adaptation", None), "params", None), "metric", None)
    if isinstance(metric, Diagonal):
        return np.asarray(metric.variance)
    if isinstance(metric, Dense):
        return np.asarray(metric.covariance)
    raise ValueError("extra_fields: adapt_state.inverse_mass_matrix is there for diagonal and dense metrics.")


def _potential_gradients(program, data, draws):
    """float[chain, draw, d]: the gradients of the potential energy."""
    run = program.cache.get("potential gradients")
    if run is None:
        def run(z, data):
            potential = lambda z: -program.log_joint(unravel(program.latents, z), data, unconstrained=True)
            return in_blocks(grad(potential), z, batch_size=BLOCK)

        run = program.cache["potential gradients"] = jit(run)
    flat = draws.reshape(-1, draws.shape[-1])
    return np.asarray(run(enp.asarray(flat), data)).reshape(draws.shape)
