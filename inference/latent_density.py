"""A model's density as a function of one vector, and where a search over it starts: what MAP, Laplace and Pathfinder
share.

The vector holds the latent sites in the model's order, each in its unconstrained form.
"""
import warnings
from collections import OrderedDict

import numpy as onp

from ..engine import numpy as np
from ..engine import random, vmap
from ..engine.core import Tracer
from ..engine.errors import ChainruleError
from ..ppl.keys import one_key
from ..ppl.model import LogJoint, ravel, stage_continuous, unravel
from ..ppl.queries.blame import no_start
from ..ppl.queries.start import start_point
from ..ppl.queries.strategies import strategy_of
from .optim.descent import CONVERGED, NOT_FINITE, STUCK, TOO_LONG, Limits

MAX_TRIES = 20                 # times that starts which will not do are replaced
REASONS = {TOO_LONG: "it ran out of iterations: raise maxiter, or look whether the density has a maximum at all",
           STUCK: "no step along the gradient helps any more: rounding, a kink, or a density without a maximum",
           NOT_FINITE: "the log-density is not finite"}


class ApproximationError(ChainruleError, ValueError):
    """A search over a model's density that cannot begin, or whose end is no maximum."""


class PlainJoint(LogJoint):
    """`LogJoint` without the log-determinants: the density of the sites' own values, at an unconstrained point."""

    def given(self, site):
        return super().given(site)[0], 0.0


def staged(model, args, kwargs, what):
    """(program, data) of a model whose latent sites are all continuous."""
    return stage_continuous(model, args, kwargs, what, ApproximationError)


def logdensity_of(program, data, jacobian=True):
    """z : float[d] -> log p, with `jacobian` + log |det| of the bijections that take z into the supports."""
    def logdensity(z):
        values = unravel(program.latents, z)
        if jacobian:
            return program.log_joint(values, data, unconstrained=True)
        return program.run(PlainJoint(None, values, True), data)[0].total

    return logdensity


def limits(dtype, gtol, maxiter, ftol=None):
    """`Limits` of a search, as arrays. Without ftol it goes on until rounding hides what is gained."""
    eps = float(onp.finfo(dtype).eps)
    gtol, ftol = max(gtol, 100 * eps), 10 * eps if ftol is None else ftol
    return Limits(np.asarray(gtol, dtype), np.asarray(ftol, dtype), np.asarray(maxiter, "int32"))


def from_starts(run, program, data, rng_key, init_strategy, num_starts, what):
    """run(points : float[num_starts, d], key) -> (result, lost : bool[num_starts]), with starts that will do.

    lost : the starts at which the density is not finite. Where all are, the strategy's next ones take their places, up
    to 20 times. Inside of a transformation there is one round.
    Raises ApproximationError, naming the sites to blame, where no round will do.
    """
    if isinstance(num_starts, bool) or int(num_starts) != num_starts or num_starts < 1:
        raise ValueError(f"{what}: the number of starts must be a positive integer; got {num_starts!r}.")
    key, strategy = one_key(rng_key, what), strategy_of(init_strategy, what)
    points = _points(program, data, random.fold_in(key, 0), strategy, num_starts)
    for tried in range(1, MAX_TRIES + 1):
        result, lost = run(points, random.fold_in(key, MAX_TRIES + 1))
        if isinstance(lost, Tracer) or not onp.all(lost):
            return result
        fresh = _points(program, data, random.fold_in(key, tried), strategy, num_starts)
        same = onp.array_equal(points, fresh, equal_nan=True)
        points = np.where(lost[:, None], fresh, points)
        if same:
            break
    z = unravel(program.latents, points[int(onp.argmax(onp.asarray(lost)))])
    raise ApproximationError(no_start(f"{what}: no start was found in {tried} rounds", program, z, data))


def _points(program, data, key, strategy, n):
    """float[n, d]: the starts of a strategy."""
    def one(i):
        z = start_point(program, strategy, random.fold_in(key, i), data)
        return ravel(program.latents, z)

    if any(isinstance(x, Tracer) for x in [random.key_data(key), *data]):
        return vmap(one)(np.arange(n))
    return np.stack([one(i) for i in range(n)])


def warn_unless_converged(what, status, grad):
    """Say so where a search ended early; nothing inside of a transformation."""
    if not isinstance(status, Tracer) and int(status) != CONVERGED:
        warnings.warn(f"{what} did not reach a maximum: {REASONS[int(status)]}. The largest element of the gradient is "
                      f"{float(np.max(np.abs(grad))):.2g}.", RuntimeWarning, stacklevel=3)


def split_sites(latents, z):
    """{site: [*lead, *unconstrained shape]} of vectors z : float[*lead, d]."""
    out, at = OrderedDict(), 0
    for v in latents:
        n = int(onp.prod(v.unconstrained_shape))
        out[v.name] = np.reshape(z[..., at:at + n], (*z.shape[:-1], *v.unconstrained_shape))
        at += n
    return out
