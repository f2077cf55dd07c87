"""Parametric functions in a model: the weights of a network as params (`module`), or as random variables
(`random_module`). A network is any pair of functions that draws weights and applies them; `engine.nn` has some.
"""
from functools import partial

from ..distributions import Distribution
from ..engine import numpy as np
from ..engine import random, tree
from ..engine.avals import Aval
from ..engine.core import aval_of
from ..engine.errors import user_location
from ..engine.interpreters.stage import eval_jaxpr, stage
from ..engine.ir import Jaxpr, dead_code_elimination
from .plates import active_plates
from .sites import SiteError
from .statements import drawn_param, sample


def module(name, nn, input_shape=None):
    """The function x -> apply(params, x) of a network, each array of whose weights is a param `name/path`.

    nn : a pair (init, apply), as in stax and `engine.nn`: init(key, input_shape) -> (output_shape, params); or an
        object with .init and .apply, as in Flax and Haiku: init(key, x) -> params, for x ones of input_shape
    input_shape : the shape of the input, with its batch axes (or several, as init takes them)
    Weights start as `init` draws them, each from the key of its own site, so that `seed` or `substitute` must stand
    around. (In NumPyro all of them are one param `name$params`.)

    >>> import chainrule as cr
    >>> from chainrule.engine import nn, numpy as np
    >>> def model(x):
    ...     return module("net", nn.serial(nn.Dense(4), nn.Tanh, nn.Dense(1)), x.shape)(x)
    >>> tr = cr.handlers.trace(cr.handlers.seed(model, 0)).get_trace(np.ones((5, 3)))
    >>> list(tr), tr["net/0/kernel"]["value"].shape
    (['net/0/bias', 'net/0/kernel', 'net/2/bias', 'net/2/kernel'], (3, 4))
    """
    network = _Network(name, nn, input_shape)
    return partial(network.apply, network.params([drawn_param(network.site(path), draw, aval)
                                                  for path, aval, draw in network.weights]))


def random_module(name, nn, prior, input_shape=None):
    """The function x -> apply(params, x) of a network whose weights are random: sites `name/path` with priors.

    nn, input_shape : as for `module`
    prior : a distribution of each number of each array; or {path: distribution}, where a path may be cut short in
        front ("kernel" is every kernel, "0/kernel" that of the first layer; the longest that fits counts) and weights
        that no path fits stay params; or a function of path and shape to a distribution, or None for a param
    Each prior is expanded to the array's shape. In vmap every lane has a network of its own; a plate is an error.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import nn, numpy as np
    >>> def model(x):
    ...     net = random_module("net", nn.Dense(1), {"kernel": dist.Normal(0, 1), "bias": dist.Cauchy(0, 1)}, x.shape)
    ...     return net(x)
    >>> tr = cr.handlers.trace(cr.handlers.seed(model, 0)).get_trace(np.ones((5, 3)))
    >>> [(k, site["type"], site["value"].shape) for k, site in tr.items()]
    [('net/bias', 'sample', (1,)), ('net/kernel', 'sample', (3, 1))]
    """
    network = _Network(name, nn, input_shape)
    if active_plates():
        raise SiteError(f"random_module {name!r} stands in plate {active_plates()[0].name!r}, where each of its "
                        "weights would get an axis.\nMake it outside of the plate; for a network for each index use "
                        "vmap.", user_location())
    priors = _priors(network, prior)
    made = []
    for path, aval, draw in network.weights:
        d = priors(path, aval.shape)
        site = network.site(path)
        made.append(drawn_param(site, draw, aval) if d is None else sample(site, _as_wide(site, d, aval.shape)))
    return partial(network.apply, network.params(made))


class _Network:
    """A network with its weights: (path, type, function that draws it) each.

    `init` is staged once; a weight is drawn by the part of the program that makes it.
    """

    def __init__(self, name, nn, input_shape):
        if not isinstance(name, str):
            raise SiteError(f"the first argument of module is its name, a string; got {name!r:.60}.", user_location())
        self.name = name
        init, self.apply = self._pair(nn, input_shape)
        trees = []

        def run(words):
            params = init(random.wrap_key_data(words))
            rows, structure = tree.flatten_with_path(params)
            trees.append((["/".join(map(str, path)) for path, _ in rows], structure))
            return [np.asarray(x) for _, x in rows]
        program, consts, _ = stage(run, [Aval((2,), "uint32")], "init")
        paths, self.structure = trees[0]
        self.weights = [(path, aval_of(out), partial(_draw, _only(program, out), consts))
                        for path, out in zip(paths, program.outs)]

    def _pair(self, nn, input_shape):
        """(function of a key to params, apply)."""
        if hasattr(nn, "init") and hasattr(nn, "apply"):
            inputs = () if input_shape is None else (np.ones([1 if n == -1 else n for n in input_shape]),)
            return lambda key: nn.init(key, *inputs), nn.apply
        if not isinstance(nn, (tuple, list)) or len(nn) != 2 or not all(map(callable, nn)):
            raise SiteError(f"module {self.name!r}: nn is a pair of functions (init, apply), or an object with .init "
                            f"and .apply; got {nn!r:.60}.", user_location())
        if input_shape is None:
            raise SiteError(f"module {self.name!r}: input_shape is missing; the shapes of the weights follow from it.\n"
                            "Pass the shape of the input, with its batch axes: module(name, nn, x.shape).",
                            user_location())
        return lambda key: nn[0](key, input_shape)[1], nn[1]

    def site(self, path):
        """The name of a weight's site; the network's own where its params are one array."""
        return f"{self.name}/{path}" if path else self.name

    def params(self, leaves):
        """The tree of the weights."""
        return tree.unflatten(self.structure, leaves)


def _only(program, out):
    """The part of a program that makes one of its outputs."""
    return dead_code_elimination(Jaxpr(program.invars, program.eqns, [out], program.name))


def _draw(program, consts, key):
    return eval_jaxpr(program, [*consts, random.key_data(key)])[0]


# ---- priors ----

def _priors(network, prior):
    """A function of a weight's path and shape to its prior, or None."""
    if isinstance(prior, Distribution):
        return lambda path, shape: prior
    if not isinstance(prior, dict):
        if not callable(prior):
            raise SiteError(f"random_module {network.name!r}: prior is a distribution, a dict of them by path, or a "
                            f"function of path and shape; got {type(prior).__name__}.", user_location())
        return prior
    table = {_parts(key): d for key, d in prior.items()}
    paths = [_parts(path) for path, _, _ in network.weights]
    for key in table:
        if not any(path[-len(key):] == key for path in paths):
            raise SiteError(f"random_module {network.name!r}: the prior for {'/'.join(key)!r} fits no weight; they are "
                            f"{', '.join(map(repr, map('/'.join, paths)))}.", user_location())

    def of(path, shape):
        parts = _parts(path)
        fits = [key for key in table if parts[-len(key):] == key]
        return table[max(fits, key=len)] if fits else None
    return of


def _parts(path):
    return tuple(path.replace(".", "/").split("/"))


def _as_wide(site, d, shape):
    """A prior expanded to a weight's shape, as one event."""
    if not isinstance(d, Distribution):
        raise SiteError(f"site {site!r}: its prior must be a distribution; got {type(d).__name__}.", user_location())
    batch = shape[:max(len(shape) - len(d.event_shape), 0)]
    own = tuple(d.batch_shape)
    wide = len(own) <= len(batch) and all(a in (1, b) for a, b in zip(own[::-1], batch[::-1]))
    if shape[len(batch):] != tuple(d.event_shape) or not wide:
        raise SiteError(f"site {site!r} has shape {shape}, and its prior {type(d).__name__} has shape {d.shape()}.\n"
                        "Give a prior whose shape broadcasts to the weight's.", user_location())
    return d.expand(batch).to_event()
