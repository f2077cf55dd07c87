"""Stable distributions: what sums of many heavy-tailed numbers tend to."""
import math

import numpy as _numpy

from ..engine import fori_loop, random
from ..engine import numpy as np
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale
from .record import ArrayLike, param

_LEVELS = _numpy.array([-38.0, 0.0, 4.0])                    # of the logarithm of an exponential number
_NODES = 240


class Stable(LocationScale):
    """Stable(stability a, skew b, scale s, loc m), in Nolan's S0 parameters, which are continuous at a = 1.

        E exp(i t X) = exp(-|s t|^a (1 + i b sign(t) tan(π a / 2) (|s t|^(1-a) - 1)) + i m t)

    stability, skew, scale, loc : float[*batch], 0 < stability <= 2, -1 <= skew <= 1, scale > 0
    sample : float[*shape, *batch]
    Normal of variance 2 s² for a = 2, Cauchy for a = 1 and b = 0. Draws by Chambers, Mallows & Stuck (1976), "A method
    for simulating stable random variables". The density is Nolan (1997), "Numerical calculation of stable densities and
    distribution functions", theorem 1, by the trapezoidal rule in the logit of the angle, between the places where the
    exponential number of that method has the logarithms -38 and 4.
    """
    stability: ArrayLike = param(constraints.interval(0.0, 2.0))
    skew: ArrayLike = param(constraints.interval(-1.0, 1.0))
    scale: ArrayLike = param(constraints.positive, default=1.0)
    loc: ArrayLike = param(constraints.real, default=0.0)
    reparametrized_params = ("stability", "skew", "scale", "loc")

    def _draw(self, key, shape):
        a, b = self.stability, self.skew
        first, second = random.split(key)
        tiny = float(np.finfo(self.dtype).epsneg)
        v = math.pi * (np.clip(random.uniform(first, shape, self.dtype), tiny, 1.0 - tiny) - 0.5)
        w = random.exponential(second, shape, self.dtype)
        gap = 1.0 - a
        turn = gap * v
        sinc = np.sinc(turn / math.pi)
        y = 0.5 * math.pi * gap
        lean = b * (2 / math.pi) * np.cos(y) / np.sinc(y / math.pi)            # b (1 - a) tan(π a / 2)
        log_ratio = np.log((np.cos(turn) + lean * v * sinc) / (w * np.cos(v))) / a
        lift = np.exp(gap * log_ratio)
        # (lift cos(a v) / cos v - 1) / (1 - a)
        rise = (special.exprel(gap * log_ratio) * log_ratio * np.cos(turn)
                - v * np.sin(0.5 * turn) * np.sinc(0.5 * turn / math.pi) + np.tan(v) * v * sinc * lift)
        return np.sin(a * v) / np.cos(v) * lift + lean * rise

    def _log_density(self, z):
        shape = np.broadcast_shapes(np.shape(z), self.batch_shape)
        a, b, z = (np.broadcast_to(v, shape) for v in (self.stability, self.skew, z))
        d = np.asarray(z).dtype
        least = 1e-7 if d == _numpy.float64 else 1e-3
        a = a + stop_gradient(np.where(np.abs(1.0 - a) < least, (1.0 - least) - a, np.zeros_like(a)))
        gap = 1.0 - a
        bent = 1.0 / np.tan(0.5 * math.pi * gap)             # tan(π a / 2)
        normal = a == 2
        moved = z + b * bent                                 # z in the S1 parameters
        flip = moved < 0
        bent = np.where(flip, -b, b) * bent
        size = np.maximum(np.abs(moved), float(np.finfo(d).tiny) ** 0.25)
        start = np.arctan(bent) / a
        width = start + 0.5 * math.pi
        log_stretch = np.log(np.hypot(1.0, bent))
        a, gap, size, start, width, log_stretch = (v[..., None] for v in (a, gap, size, start, width, log_stretch))

        def level(t, rest):
            """The logarithm of the exponential number with which the angle t gives z."""
            log_sine = np.log(np.sin(rest))
            log_reach = np.log(np.sin(a * t)) - log_sine + log_stretch - np.log(size)
            return np.log(np.cos(gap * t - start)) + log_stretch - log_sine + (a / gap) * log_reach

        def angles(v):
            return width * special.expit(v), width * special.expit(-v)

        up, fixed = gap > 0, stop_gradient
        levels = np.asarray(_LEVELS, d)
        reach = 700.0 if d == _numpy.float64 else 84.0
        low = np.full((*shape, len(_LEVELS)), -reach, d)

        def halve(_, state):
            low, high = state
            middle = 0.5 * (low + high)
            below = (fixed(level(*angles(middle))) < levels) == up
            return np.where(below, middle, low), np.where(below, high, middle)
        low, high = fori_loop(0, 34, halve, (low, -low))
        first, peak, last = (v[..., None] for v in np.unstack(0.5 * (low + high), axis=-1))
        left = np.maximum(np.minimum(first, last), peak - 40.0)
        right = np.minimum(np.maximum(first, last), peak + 40.0)
        step = (right - left) * (1 / _NODES)
        t, rest = (fixed(v) for v in angles(left + step * np.arange(_NODES + 1, dtype=d)))
        g = level(t, rest + (width - fixed(width)))          # the nodes stay where they are, the end of the range moves
        terms = np.exp(g - np.exp(g)) * fixed(t * rest / width)
        total = np.sum(np.where(np.isfinite(terms), terms, 0.0), -1) * step[..., 0]
        result = np.log(total) + np.log(a / (np.abs(gap) * size))[..., 0] - math.log(math.pi)
        return np.where(normal, -0.25 * z * z - 0.5 * math.log(4 * math.pi), result)


StableWithLogProb = Stable                               # Pyro's name for the one with a density
