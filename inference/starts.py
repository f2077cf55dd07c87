"""Where chains start: at points that were given, at those of a strategy, or at random ones that the machine draws."""
import numpy as onp

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ChainruleError
from ..ppl.model import ravel, unravel
from ..ppl.queries.blame import no_start
from ..ppl.queries.start import start_point
from ..ppl.queries.strategies import uniform_radius
from .nuts import MAX_TRIES
from .path_starts import PathStart


class SamplingError(ChainruleError, ValueError):
    """A run that cannot begin: no latent sites, discrete ones, or no start point with a finite density."""


def point_of(program, strategy, key, data):
    """(float[d], gradients evaluated, variances float[d] for the first metric, or None) of a strategy."""
    if isinstance(strategy, PathStart):
        found = strategy.path(program, key, data)
        return found.z, found.gradients, found.variance if strategy.metric else None
    return ravel(program.latents, start_point(program, strategy, key, data)), np.asarray(0), None


class Starts:
    """The start points of a run's chains, float[d] in unconstrained space. Chain c's are made from fold_in(key, c).

    init_params : {site: unconstrained value}, or None          strategy : a function of a site's record, where None
    before, total : how many chains other processes have before these, and how many there are in all; the keys and the
        chains of init_params go by the number among all

    `init_to_uniform` is left to the machine, which looks at a point at no cost but its gradient; the points of other
    strategies are made on the host, another one whenever the machine finds that one will not do.
    """

    def __init__(self, program, data, key, strategy, init_params, num_chains, before=0, total=None):
        self.before = before
        self.program, self.data, self.key, self.strategy = program, data, key, strategy
        self.given = None if init_params is None else [
            _position(program.latents, init_params, before + c, total or num_chains) for c in range(num_chains)]
        self.by_strategy = init_params is None and uniform_radius(strategy) is None
        self.last, self.variances = {}, {}
        self.gradients = [0] * num_chains                                 # what the search for points took

    def key_of(self, number):
        """The key of a chain, by its number here."""
        return random.fold_in(self.key, self.before + number)

    def first(self, number):
        """The start of a chain; None leaves it to the machine."""
        if self.given is not None:
            return self.given[number]
        return self.again(number, 0) if self.by_strategy else None

    def again(self, number, tried):
        """Another start, after so many that would not do; None where there is none."""
        if not self.by_strategy or tried >= MAX_TRIES:
            return None
        key = random.fold_in(self.key_of(number), tried)
        point, gradients, self.variances[number] = point_of(self.program, self.strategy, key, self.data)
        self.gradients[number] += int(gradients)
        before, self.last[number] = self.last.get(number), point
        same = before is not None and onp.array_equal(before, point, equal_nan=True)
        return None if same else point

    def error(self, position, number):
        """The error for a chain that found no start, with the sites to blame."""
        where = ("the start given by init_params will not do" if self.given is not None
                 else f"no start was found at up to {MAX_TRIES} points")
        z = unravel(self.program.latents, np.asarray(position))
        return SamplingError(no_start(f"chain {self.before + number}: {where}", self.program, z, self.data))


def _position(latents, init_params, number, num_chains):
    """The start of chain `number`, float[d], from {site: unconstrained value}."""
    names = [v.name for v in latents]
    if unknown := [k for k in init_params if k not in names]:
        raise SamplingError(f"init_params has {unknown[0]!r}, which is no latent site of the model; they are: "
                            f"{', '.join(names)}.")
    parts = []
    for v in latents:
        if v.name not in init_params:
            raise SamplingError(f"init_params has no value for site {v.name!r}.", v.source)
        x, want = np.asarray(init_params[v.name]), v.unconstrained_shape
        if x.shape == (num_chains, *want) and (num_chains > 1 or x.shape != want):
            x = x[number]
        if x.shape != want:
            raise SamplingError(f"init_params[{v.name!r}] has shape {x.shape}; the unconstrained site has shape {want}"
                                f", with the chains in front {(num_chains, *want)}.", v.source)
        parts.append(np.reshape(x, (-1,)))
    return np.concatenate(parts)
