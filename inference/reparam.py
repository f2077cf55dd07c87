"""The reparameterisations of `chainrule.ppl.reparam`, under the name at which inference looks for them."""
from ..ppl.reparam import (
    CircularReparam,
    DiscreteCosineReparam,
    ExplicitReparam,
    HaarReparam,
    LocScaleReparam,
    NeuTraReparam,
    ProjectedNormalReparam,
    Reparam,
    TransformReparam,
    UnitJacobianReparam,
    Unsuitable,
    as_transformed,
    core,
    inside,
)

__all__ = ["CircularReparam", "DiscreteCosineReparam", "ExplicitReparam", "HaarReparam", "LocScaleReparam",
           "NeuTraReparam", "ProjectedNormalReparam", "Reparam", "TransformReparam", "UnitJacobianReparam",
           "Unsuitable", "as_transformed", "core", "inside"]
