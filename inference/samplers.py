"""The kernels as users name them: each ties a kernel's functions to a model and holds the numbers it starts with."""
import math

import numpy as onp

from ..engine import numpy as np
from ..engine.avals import default_float
from ..ppl.model import site_count
from ..ppl.queries import init_to_uniform
from ..ppl.queries.strategies import strategy_of, uniform_radius
from . import chain as chains
from . import renewal
from .metrics import Diagonal, dense
from .starts import SamplingError

RANK = 10                          # the directions of low_rank=True

# Options of NumPyro's that are not there, with the values that change nothing, and what to write instead.
_NUTS_OPTIONS = {
    "potential_fn": (None, "Write the density as a model: factor('density', -potential) adds a term."),
    "kinetic_fn": (None, "The kinetic energy is ½ pᵀ M⁻¹ p."),
    "trajectory_length": (None, "The trajectory ends where it turns round; max_tree_depth limits it."),
    "find_heuristic_step_size": (False, "Dual averaging finds the step size from the first draws on; set step_size."),
    "forward_mode_differentiation": (False, "Gradients are taken in reverse mode."),
    "regularize_mass_matrix": (True, "The metric is always drawn a little towards 10⁻³."),
}


def check_options(owner, given, known):
    """Raise for an option that is not there, unless it has the value that changes nothing."""
    for name, value in given.items():
        if name not in known:
            raise TypeError(f"{owner} has no option {name!r}.")
        neutral, advice = known[name]
        if value is not neutral and value != neutral:
            raise NotImplementedError(f"{owner}({name}={value!r}) is not there yet.\n{advice}")


class Sampler:
    """A kernel for a model, as `MCMC` takes it: `model`, `init_strategy`, and these two."""

    @property
    def method(self):
        """The `chunks.Method` of its chains."""
        raise NotImplementedError

    def start(self, seed, latents, num_warmup, position=None):
        """A chain before its first gradient; position is None for a random one."""
        raise NotImplementedError

    def stops(self, num_warmup):
        """The transitions after which chains are renewed, see `renewal`, in a program that no host looks after."""
        return ()

    def tie(self, model, init_strategy, init_radius):
        """Keep the model, and where chains start."""
        name = type(self).__name__
        if not callable(model):
            raise TypeError(f"{name} takes a model, a function with sample statements; got {shown(model)}.")
        self.model, self.init_strategy = model, strategy_of(init_strategy, name)
        if self.init_strategy is not init_to_uniform and uniform_radius(self.init_strategy) is not None:
            init_radius = uniform_radius(self.init_strategy)
        self.init_radius = positive("init_radius", init_radius, or_zero=True)


class NUTS(Sampler):
    """The No-U-Turn sampler for a model: multinomial, with a metric adapted in warm-up.

    step_size : where the adaptation starts          target_accept_prob : the acceptance probability it aims at
    dense_mass : False for a diagonal metric, True for a dense one, or a list of tuples of sites, each a dense block:
        [("a", "b"), ("c",)]; the sites that are left out stay diagonal
    low_rank : True (10), or how many directions: a metric that is a diagonal and a few directions with variances of
        their own: what a dense one does for many correlated parameters, at a fraction of its price. It is renewed
        from draws and gradients at a few transitions of warm-up.
    inverse_mass_matrix : the first metric, float[d], or float[d, d] of a dense one; unless given, from the first
        gradient ("fisher", low_rank) or ones ("stan")
    adapt_step_size, adapt_mass_matrix : False keeps the one given
    adaptation : "fisher", on draws and gradients (needs fewer gradients; the default of diagonal metrics), or "stan",
        on the draws of growing windows (the default of dense ones)
    max_tree_depth : at most 2 ** max_tree_depth - 1 leapfrog steps a transition; of a pair the first is for warm-up
    init_strategy : where chains start, a function of a site's record: init_to_uniform (the default), init_to_median,
        init_to_mean, init_to_sample, init_to_feasible, init_to_value(values=...), init_to_pathfinder, or one of your
        own. A point at which the log-density or its gradient is not finite is replaced by the strategy's next, up to
        100.
    init_radius : the radius of init_to_uniform, Uniform(-radius, radius) in unconstrained space

    Other options of NumPyro's are taken at their defaults and named in an error at other values.
    Source: Hoffman & Gelman (2014), JMLR 15; Betancourt (2017), arXiv:1701.02434, appendix A; of "fisher" and low_rank
    Seyboldt, Carlson & Carpenter (2026), arXiv:2603.18845.
    """

    def __init__(self, model=None, *, step_size=1.0, inverse_mass_matrix=None, adapt_step_size=True,
                 adapt_mass_matrix=True, dense_mass=False, target_accept_prob=0.8, max_tree_depth=10,
                 init_strategy=init_to_uniform, init_radius=2.0, adaptation=None,
                 low_rank=False, **options):
        check_options("NUTS", options, _NUTS_OPTIONS)
        self.tie(model, init_strategy, init_radius)
        self.adaptation, self.dense_mass = adaptation_of(adaptation, dense_mass, low_rank), dense_mass
        self.rank = rank_of(low_rank)
        self.step_size, self.inverse_mass_matrix = positive("step_size", step_size), inverse_mass_matrix
        self.adapt_step_size, self.adapt_mass_matrix = bool(adapt_step_size), bool(adapt_mass_matrix)
        self.target_accept_prob = between("target_accept_prob", target_accept_prob)
        self.warmup_tree_depth, self.max_tree_depth = depths_of(max_tree_depth)

    @property
    def method(self):
        """One gradient a turn."""
        return chains.Leapfrogs(self.max_tree_depth, self.init_radius, self.warmup_tree_depth)

    def stops(self, num_warmup):
        """Of a low-rank metric."""
        return renewal.stops(num_warmup) if self.rank and self.adapt_mass_matrix else []

    def start(self, seed, latents, num_warmup, position=None):
        """A chain before its first gradient; position is None for a random one."""
        d = site_count(latents)
        couples = couplings(self.dense_mass, latents) if self.dense_mass else None
        metric = first_metric(self.inverse_mass_matrix, d, couples)
        return chains.init(
            seed, d, num_warmup, position=position, step_size=self.step_size, metric=metric, couples=couples,
            method=self.adaptation, rank=min(self.rank, d), target_accept_prob=self.target_accept_prob,
            adapt_step=self.adapt_step_size, adapt_metric=self.adapt_mass_matrix, radius=self.init_radius,
            max_tree_depth=max(self.max_tree_depth, self.warmup_tree_depth or 0))


def depths_of(max_tree_depth):
    """(the limit of trees in warm-up, or None where it is the other, the limit)."""
    both = max_tree_depth if isinstance(max_tree_depth, (tuple, list)) else (max_tree_depth,)
    if not 1 <= len(both) <= 2 or not all(int(n) == n and 1 <= n <= 30 for n in both):
        raise ValueError("max_tree_depth must be an integer from 1 to 30, or a pair of them, for warm-up and sampling; "
                         f"got {max_tree_depth}.")
    first, last = int(both[0]), int(both[-1])
    return None if first == last else first, last


def adaptation_of(adaptation, dense_mass, low_rank):
    """The name of the estimator, of what was asked for."""
    if low_rank:
        if dense_mass or adaptation not in (None, "low_rank"):
            raise ValueError(f"low_rank={low_rank!r} is a form of the metric with an adaptation of its own: leave out "
                             "dense_mass and adaptation.")
        return "low_rank"
    adaptation = adaptation or ("stan" if dense_mass else "fisher")
    if adaptation not in ("fisher", "stan"):
        raise ValueError(f"adaptation={adaptation!r}: choose one of 'fisher', 'stan', or low_rank=True.")
    if dense_mass and adaptation == "fisher":
        raise ValueError('adaptation="fisher" is for diagonal metrics; a dense one takes adaptation="stan".')
    return adaptation


def rank_of(low_rank):
    """The number of directions of a low-rank metric; 0 for another."""
    if low_rank is True:
        return RANK
    if int(low_rank) != low_rank or low_rank < 0:
        raise ValueError(f"low_rank must be True, False, or a number of directions; got {low_rank!r}.")
    return int(low_rank)


def couplings(dense_mass, latents):
    """bool[d, d]: the pairs of unconstrained parameters that a dense metric may couple."""
    d, at, places = site_count(latents), 0, {}
    for v in latents:
        n = math.prod(v.unconstrained_shape)
        places[v.name], at = onp.arange(at, at + n), at + n
    if dense_mass is True:
        return onp.ones((d, d), bool)
    out, seen = onp.eye(d, dtype=bool), set()
    for block in dense_mass:
        names = (block,) if isinstance(block, str) else tuple(block)
        for name in names:
            if name not in places:
                raise SamplingError(f"dense_mass has {name!r}, which is no latent site of the model; they are: "
                                    f"{', '.join(places)}.")
            if name in seen:
                raise SamplingError(f"dense_mass has {name!r} in two blocks.")
            seen.add(name)
        rows = onp.concatenate([places[name] for name in names])
        out[onp.ix_(rows, rows)] = True
    return out


def first_metric(inverse_mass_matrix, d, couples=None):
    """The metric that a chain begins with: that given, ones where it is dense, or None."""
    shape = (d,) if couples is None else (d, d)
    if inverse_mass_matrix is None:
        return None if couples is None else dense(np.eye(d, dtype=default_float()))
    m = onp.asarray(inverse_mass_matrix, float)
    sound = m.shape == shape and onp.all(onp.isfinite(m))
    if sound and couples is not None:
        sound = onp.allclose(m, m.T) and onp.all(onp.linalg.eigvalsh(m) > 0) and not onp.any(m[~couples])
    elif sound:
        sound = onp.all(m > 0)
    if not sound:
        what = f"shape {m.shape}" if m.shape != shape else "values that are not positive and finite" if \
            couples is None else "values that are not those of a covariance with the blocks of dense_mass"
        is_ = f"the diagonal, {d} positive numbers, one for each unconstrained parameter" if couples is None else \
            f"a covariance matrix of the {d} unconstrained parameters"
        raise SamplingError(f"inverse_mass_matrix has {what}; it is {is_}.")
    return Diagonal(np.asarray(m)) if couples is None else dense(np.asarray(m))


def positive(name, value, or_zero=False):
    """A positive float; raises ValueError for another."""
    if not (value >= 0 if or_zero else value > 0) or not onp.isfinite(value):
        raise ValueError(f"{name} must be positive; got {value}.")
    return float(value)


def whole(name, value, least=1):
    """An integer of at least `least`; raises ValueError for another."""
    if isinstance(value, bool) or int(value) != value or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}; got {value!r}.")
    return int(value)


def between(name, value, low=0.0, high=1.0):
    """A float between two others; raises ValueError for another."""
    if not low < value < high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}; got {value}.")
    return float(value)


def shown(x):
    return f"a {type(x).__name__}"
