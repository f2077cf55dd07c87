"""Reparameterisations: what the handler `reparam` puts in the place of a latent site.

    from chainrule.inference.reparam import LocScaleReparam

    model = handlers.reparam(model, config={"theta": LocScaleReparam(0.0)})

A centred site whose scale is itself unknown makes a funnel, which no step size fits (Betancourt & Girolami 2015); the
same model in other coordinates is easy. Which reparameterisations there are:

    LocScaleReparam          x = loc + scale z, all the way or a part of it; the part can be learnt
    TransformReparam         x = t(z) for the base z of a transformed distribution
    ExplicitReparam          any bijection of one's own
    UnitJacobianReparam      a bijection that keeps volumes; HaarReparam, DiscreteCosineReparam for series
    CircularReparam          an angle as a number of the whole line
    ProjectedNormalReparam   a direction as a vector
    NeuTraReparam            all latent sites through a trained bijection

The law of them all: where x = g(z) is one to one, the new density at z is p(g(z)) |det dg/dz|, so that posteriors are
the same. A mask or scale on the site acts on that density as a whole, s (log p(x) + log |det dg/dz|), as if the model
had been written with z.

To choose for all sites by a rule, pass a function as config: it gets a site's record and returns a reparameterisation
or None. One of one's own is a subclass of `Reparam` with `__call__`; see there.
"""
from ..handlers.replacing import Unsuitable
from .base import Reparam, core, inside
from .directions import CircularReparam, ProjectedNormalReparam
from .loc_scale import LocScaleReparam
from .neutra import NeuTraReparam
from .series import DiscreteCosineReparam, HaarReparam
from .transformed import ExplicitReparam, TransformReparam, UnitJacobianReparam, as_transformed

__all__ = ["CircularReparam", "DiscreteCosineReparam", "ExplicitReparam", "HaarReparam", "LocScaleReparam",
           "NeuTraReparam", "ProjectedNormalReparam", "Reparam", "TransformReparam", "UnitJacobianReparam",
           "Unsuitable", "as_transformed", "core", "inside"]
