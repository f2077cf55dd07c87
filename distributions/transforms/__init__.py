"""Bijections between sets, with the logarithm of the volume they stretch by; and `biject_to`.

A transform t has t(x), t.inv(y) and t.log_abs_det_jacobian(x, y), for x in `domain` and y in `codomain`. Its log-det
has the batch shape that is left when the event axes of the domain are taken away. Where the set has fewer dimensions
than the array (simplex, symmetric matrix), it is that of the elements that are free, the first ones or the lower
triangle; for the sphere and for sums of zero it is with respect to surface area.

    biject_to(constraint)    the transform from unconstrained numbers to a continuous set

    >>> from chainrule.distributions import biject_to, constraints
    >>> t = biject_to(constraints.positive)
    >>> float(t(0.0)), float(t.inv(1.0))
    (1.0, 0.0)
"""
from .base import (
    ComposeTransform,
    IdentityTransform,
    IndependentTransform,
    Inverse,
    Registry,
    Transform,
    biject_to,
)
from .channels import GeneralizedChannelPermuteTransform
from .functions import (
    CDFTransform,
    CumulativeDistributionTransform,
    ELUTransform,
    Expm1Transform,
    LeakyReLUTransform,
    Log1pTransform,
    PositivePowerTransform,
    ReciprocalTransform,
    SinhArcsinhTransform,
    SoftClipTransform,
    SoftfloorTransform,
    SoftsignTransform,
    TanhTransform,
)
from .linear import (
    CumsumTransform,
    HouseholderTransform,
    LowerCholeskyAffine,
    MatrixExponentialTransform,
    PermuteTransform,
    RecursiveLinearTransform,
    ScaleMatvecDiagTransform,
    ScaleMatvecLUTransform,
    ScaleMatvecTriLTransform,
)
from .matrices import (
    CholeskyOuterProductTransform,
    CholeskyToInvCholeskyTransform,
    CholeskyTransform,
    CorrMatrixCholeskyTransform,
    MatrixInverseTriLTransform,
)
from .normalization import BatchNormTransform
from .numbers import (
    AbsTransform,
    AffineTransform,
    ExpTransform,
    IntervalTransform,
    OpenIntervalTransform,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
)
from .orders import OrderedTransform, PartiallyOrderedTransform, PositiveOrderedTransform
from .padding import PadTransform
from .shapes import CatTransform, ComplexTransform, ReshapeTransform, StackTransform, UnpackTransform
from .simplexes import (
    ColumnStochasticTransform,
    IsometricLogRatioTransform,
    SimplexToOrderedTransform,
    SoftmaxCenteredTransform,
    SoftmaxTransform,
    StickBreakingTransform,
)
from .spectral import (
    CirculantTransform,
    DiscreteCosineTransform,
    HaarTransform,
    PackRealFastFourierCoefficientsTransform,
    RealFastFourierTransform,
)
from .splines import RationalQuadraticSplineTransform
from .splitting import SplitTransform
from .triangles import (
    CorrCholeskyTransform,
    CorrLCholeskyTransform,
    FillScaleTriLTransform,
    FillTriangularTransform,
    LowerCholeskyTransform,
    ScaledUnitLowerCholeskyTransform,
    SoftplusLowerCholeskyTransform,
    SymmetricTransform,
    UnitLowerCholeskyTransform,
)
from .vectors import (
    L1BallTransform,
    NormalizeTransform,
    StereographicTransform,
    ZeroSumTransform,
)

__all__ = [
    "AbsTransform", "AffineTransform", "BatchNormTransform", "CDFTransform", "CatTransform",
    "CholeskyOuterProductTransform", "CholeskyToInvCholeskyTransform", "CholeskyTransform", "CirculantTransform",
    "ColumnStochasticTransform", "ComplexTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CorrLCholeskyTransform", "CorrMatrixCholeskyTransform", "CumsumTransform", "CumulativeDistributionTransform",
    "DiscreteCosineTransform", "ELUTransform", "ExpTransform", "Expm1Transform", "FillScaleTriLTransform",
    "FillTriangularTransform", "GeneralizedChannelPermuteTransform", "HaarTransform", "HouseholderTransform",
    "IdentityTransform", "IndependentTransform", "IntervalTransform", "Inverse", "IsometricLogRatioTransform",
    "L1BallTransform", "LeakyReLUTransform", "Log1pTransform", "LowerCholeskyAffine", "LowerCholeskyTransform",
    "MatrixExponentialTransform", "MatrixInverseTriLTransform", "NormalizeTransform", "OpenIntervalTransform",
    "OrderedTransform", "PackRealFastFourierCoefficientsTransform", "PadTransform", "PartiallyOrderedTransform",
    "PermuteTransform", "PositiveOrderedTransform", "PositivePowerTransform", "PowerTransform",
    "RationalQuadraticSplineTransform", "RealFastFourierTransform", "ReciprocalTransform",
    "RecursiveLinearTransform", "Registry", "ReshapeTransform", "ScaleMatvecDiagTransform",
    "ScaleMatvecLUTransform", "ScaleMatvecTriLTransform", "ScaledUnitLowerCholeskyTransform", "SigmoidTransform",
    "SimplexToOrderedTransform", "SinhArcsinhTransform", "SoftClipTransform", "SoftfloorTransform",
    "SoftmaxCenteredTransform",
    "SoftmaxTransform", "SoftplusLowerCholeskyTransform", "SoftplusTransform", "SoftsignTransform",
    "SplitTransform", "StackTransform", "StereographicTransform", "StickBreakingTransform", "SymmetricTransform",
    "TanhTransform", "Transform", "UnitLowerCholeskyTransform", "UnpackTransform", "ZeroSumTransform", "biject_to",
]
