"""Where HMC and its relatives start: a point with a finite log-density and gradient."""
from functools import partial
from typing import Any, NamedTuple

import numpy as onp

from ...distributions import biject_to
from ...engine import jacfwd, random, tree, value_and_grad, vmap, while_loop
from ...engine import numpy as np
from ...engine.core import Tracer
from ..handlers import trace
from ..keys import one_key
from ..model import Points, stage_continuous, stage_model
from ..sites import SiteError
from .blame import no_start
from .strategies import Start, init_to_uniform, strategy_of

MAX_TRIES = 100


class StartError(SiteError):
    """No point with a finite log-density and gradient was found; the message names the sites to blame."""


class ParamInfo(NamedTuple):
    """A point of unconstrained space."""
    z: dict                    # {latent site: unconstrained value}
    potential_energy: Any      # float[]
    z_grad: dict               # {latent site: derivative of the potential energy}


class ModelInfo(NamedTuple):
    """What a sampler needs of a model."""
    param_info: ParamInfo
    potential_fn: Any          # z -> potential energy; with dynamic_args, (*args, **kwargs) -> that
    postprocess_fn: Any        # z -> {site: value} of latent and deterministic sites; with dynamic_args, as above
    model_trace: Any           # the trace at the start


def start_point(program, strategy, key, data):
    """{latent site: unconstrained value} of a strategy: a function of a site's record, or one with a method
    `of_program`, (program, key, data) -> these values.

    Raises SiteError for a value of another shape than its site's, or outside of the support.
    """
    if hasattr(strategy, "of_program"):
        return strategy.of_program(program, key, data)
    sites = trace(Start(program, strategy, key)).get_trace(*data)
    out = {}
    for v in program.latents:
        record = sites[v.name]
        out[v.name] = biject_to(record["fn"].support)._inverse(record["value"])
    return out


def find_valid_initial_params(rng_key, model, *, init_strategy=init_to_uniform, enum=False, model_args=(),
                              model_kwargs=None, forward_mode_differentiation=False, validate_grad=True):
    """(ParamInfo, whether it is valid): up to 100 points of a strategy, until one has a finite potential and gradient.

    rng_key : one key, or several of shape [n], for as many points: then all results have an axis in front
    validate_grad : False looks at the potential energy alone

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("s", dist.Exponential(1.0))
    >>> info, ok = find_valid_initial_params(random.key(0), model)
    >>> info.z["s"].shape, bool(ok)
    ((), True)
    """
    if enum:
        raise NotImplementedError("find_valid_initial_params(enum=True): discrete sites are not summed out yet.")
    program, data = stage_continuous(model, model_args, model_kwargs, "find_valid_initial_params", some=False)
    return _find(rng_key, program, data, init_strategy, forward_mode_differentiation, validate_grad)


def _find(rng_key, program, data, init_strategy, forward, validate_grad):
    """`find_valid_initial_params` of a program."""
    strategy = strategy_of(init_strategy, "initialize_model")
    many = isinstance(rng_key, random.Key) and rng_key.ndim == 1
    key = rng_key if many else one_key(rng_key, "initialize_model")
    attempt = partial(_attempt, program, strategy, data, forward, validate_grad)
    if any(isinstance(x, Tracer) for x in [key.data, *data, *program.consts]):
        look = partial(_look_traced, attempt, program.latents)
        return vmap(look)(key) if many else look(key)
    if not many:
        return _look(attempt, key)
    found = [_look(attempt, k) for k in key]
    return tree.map(lambda *xs: np.stack(xs), *found)


def _attempt(program, strategy, data, forward, validate_grad, key, number):
    """(ParamInfo, valid) of the point with a number."""
    z = start_point(program, strategy, random.fold_in(key, number), data)
    potential = partial(_potential, program, data)
    energy, slope = (potential(z), jacfwd(potential)(z)) if forward else value_and_grad(potential)(z)
    ok = np.isfinite(energy)
    for g in slope.values() if validate_grad else ():
        ok = np.logical_and(ok, np.all(np.isfinite(g)))
    return ParamInfo(z, energy, slope), ok


def _look(attempt, key):
    """The first valid of MAX_TRIES points, else the last; a strategy that repeats itself is asked once."""
    before = None
    for number in range(MAX_TRIES):
        info, ok = attempt(key, number)
        if ok or before is not None and all(onp.array_equal(before[k], info.z[k]) for k in before):
            break
        before = info.z
    return info, np.asarray(ok)


def _look_traced(attempt, latents, key):
    """The same inside of a transformation; the gradient stands in one place of the program."""
    info, ok = tree.map(lambda x: np.zeros(x.shape, x.dtype), attempt(key, 0))      # for the types

    def step(state):
        number, _, _ = state
        return (number + 1, *attempt(key, number))

    _, info, ok = while_loop(lambda s: np.logical_and(s[0] < MAX_TRIES, np.logical_not(s[2])), step,
                             (np.asarray(0), info, ok))
    return info, ok


def initialize_model(rng_key, model, *, init_strategy=init_to_uniform, dynamic_args=False, model_args=(),
                     model_kwargs=None, forward_mode_differentiation=False, validate_grad=True):
    """`ModelInfo` of a model: a start, the potential energy, and the way back to the sites' supports.

    rng_key : one key, or several of shape [n], for as many starts
    init_strategy : a function of a site's record; see `init_to_uniform` and its siblings
    dynamic_args : potential_fn and postprocess_fn take the model's arguments first: potential_fn(*args, **kwargs)(z)
    forward_mode_differentiation, validate_grad : how the gradient at the start is taken, and whether it must be finite

    The model's Python runs once for the types of its data. Under jit or vmap a start that is not valid cannot be
    told; its potential energy is then not finite.
    Raises StartError, naming the sites to blame with their values, log-densities, gradients and lines, where no point
    of the strategy is valid.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     s = cr.sample("s", dist.HalfNormal(1.0))
    ...     cr.sample("y", dist.Normal(0.0, s), obs=y)
    >>> from chainrule.inference import init_to_feasible
    >>> info = initialize_model(random.key(0), model, model_args=(0.5,), init_strategy=init_to_feasible)
    >>> info.param_info.z, info.postprocess_fn(info.param_info.z)
    ({'s': Array(0.)}, {'s': Array(1.)})
    """
    program, data = stage_continuous(model, model_args, model_kwargs, "initialize_model", some=False)
    info, ok = _find(rng_key, program, data, init_strategy, forward_mode_differentiation, validate_grad)
    many = np.ndim(ok) == 1
    if not isinstance(ok, Tracer) and not onp.asarray(ok).all():
        bad = int(onp.argmin(onp.asarray(ok)))
        z = tree.map(lambda x: x[bad], info.z) if many else info.z
        raise StartError(no_start(f"no start was found at up to {MAX_TRIES} points", program, z, data))
    potential, postprocess = partial(_potential, program, data), partial(_postprocess, program, data)
    if dynamic_args:
        potential, postprocess = _dynamic(model, _potential), _dynamic(model, _postprocess)
    first = tree.map(lambda x: x[0], info.z) if many else info.z
    return ModelInfo(info, potential, postprocess, trace(Points(program, first, True)).get_trace(*data))


def _potential(program, data, z):
    return -program.log_joint(z, data, True)


def _postprocess(program, data, z):
    return program.constrained(z, data)


def _dynamic(model, f):
    """(*args, **kwargs) -> f of the model's program for these arguments."""
    def made(*args, **kwargs):
        program, data = stage_model(model, args, kwargs)
        return partial(f, program, data)
    return made
