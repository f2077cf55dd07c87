"""Location and scale taken out of a site's prior."""
import numpy as onp

from ...distributions import ExGaussian, NormalInverseGaussian
from ...distributions.constraints import unit_interval
from ...distributions.location_scale import LocationScale
from ...engine import numpy as np
from ..handlers.replacing import Unsuitable
from ..statements import param, sample
from .base import Reparam, core, described, elements, inside

_OTHER = (ExGaussian, NormalInverseGaussian)             # their other parameters have the units of the scale


class LocScaleReparam(Reparam):
    """x = loc + scale^(1-c) (z - c loc) for a site {name}_decentered, z ~ F(c loc, scale^c), where x ~ F(loc, scale).

    centered c : 1 leaves the site as it is, 0 makes z standard, numbers between do a part; an array has one for each
        element of the site's event. None: a param {name}_centered in [0, 1], started at ½, to be optimised (or lifted)
    shape_params : names of other parameters to carry over; all of them are, so that it need not be given

    For the families on the real line with loc and scale (Normal, StudentT, Laplace, Cauchy, Gumbel, Logistic, …), and
    inside of expand, to_event and mask. log p(z) = log p(x) + (1-c) log scale.
    Source: Gorinova, Moore & Hoffman (2020), "Automatic reparameterisation of probabilistic programs", section 4.2.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     return cr.sample("x", dist.Normal(10.0, 2.0))
    >>> tr = trace(seed(reparam(model, {"x": LocScaleReparam(0.0)}), 0)).get_trace()
    >>> bool(tr["x"]["value"] == 10.0 + 2.0 * tr["x_decentered"]["value"])
    True
    """

    same_draw = True

    def __init__(self, centered=None, shape_params=()):
        if centered is not None:
            numbers = onp.asarray(centered)
            if numbers.dtype.kind not in "iuf" or not ((numbers >= 0) & (numbers <= 1)).all():
                raise ValueError("LocScaleReparam: centered must be None or lie between 0 and 1; got "
                                 f"{centered!r:.60}.")
            centered = float(numbers) if numbers.ndim == 0 else numbers
        self.centered, self.shape_params = centered, tuple(shape_params)

    def __call__(self, name, fn, obs):
        base = core(fn)
        self._check(fn, base)
        c = self.centered
        if type(c) is float and c == 1.0:
            return fn, None
        if c is None:
            c = param(f"{name}_centered", np.full(fn.event_shape, 0.5, fn.dtype), constraint=unit_interval)
        elif onp.ndim(c):
            c = np.asarray(c, fn.dtype)
        loc, scale = np.asarray(base.loc), np.asarray(base.scale)
        if type(c) is float and c == 0.0:
            z = sample(f"{name}_decentered", inside(fn, _with(np.zeros_like(loc), np.ones_like(scale))))
            return None, loc + scale * z
        z = sample(f"{name}_decentered", inside(fn, _with(c * loc, np.power(scale, c))))
        return None, loc + np.power(scale, 1.0 - c) * (z - c * loc)

    def _check(self, fn, base):
        fields = {f.name for f in base._fields}
        on_the_line = isinstance(base, LocationScale) or elements(base.support).everything
        if not {"loc", "scale"} <= fields or base.event_shape or not on_the_line or isinstance(base, _OTHER):
            raise Unsuitable(f"LocScaleReparam is for a location-scale family on the real line; the site has "
                             f"{described(fn)}.\nUse TransformReparam for a transformed distribution, or "
                             "ExplicitReparam with a transform of your own.")
        unknown = set(self.shape_params) - fields
        if unknown:
            raise Unsuitable(f"LocScaleReparam was given shape_params {sorted(unknown)}, which {type(base).__name__} "
                             f"does not have; its parameters are {', '.join(f.name for f in base._fields)}.")
        if onp.ndim(self.centered) and onp.shape(self.centered) != tuple(fn.event_shape):
            raise Unsuitable(f"LocScaleReparam: centered has shape {onp.shape(self.centered)}, and the site's event "
                             f"has shape {tuple(fn.event_shape)}.\nGive a number, or one for each element.")


def _with(loc, scale):
    """A function that gives a distribution this location and scale; nothing is checked again."""
    def change(d):
        values = [{"loc": loc, "scale": scale}.get(name, getattr(d, name)) for name in d._leafy]
        return d._unflatten([getattr(d, name) for name in d._statics], values)
    return change
