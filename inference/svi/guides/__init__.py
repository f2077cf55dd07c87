"""Automatic guides."""
from .base import AutoGuide
from .batched import AutoBatchedLowRankMultivariateNormal, AutoBatchedMultivariateNormal
from .by_site import AutoDelta, AutoNormal
from .dais import AutoDAIS, AutoSurrogateLikelihoodDAIS
from .flows import AutoBNAFNormal, AutoIAFNormal, AutoSplineCoupling
from .joint import (
    AutoContinuous,
    AutoDiagonalNormal,
    AutoLaplaceApproximation,
    AutoLowRankMultivariateNormal,
    AutoMultivariateNormal,
)
from .lists import AutoGuideList
from .semi_dais import AutoSemiDAIS

__all__ = [
    "AutoBNAFNormal",
    "AutoBatchedLowRankMultivariateNormal",
    "AutoBatchedMultivariateNormal",
    "AutoContinuous",
    "AutoDAIS",
    "AutoDelta",
    "AutoDiagonalNormal",
    "AutoGuide",
    "AutoGuideList",
    "AutoIAFNormal",
    "AutoLaplaceApproximation",
    "AutoLowRankMultivariateNormal",
    "AutoMultivariateNormal",
    "AutoNormal",
    "AutoSemiDAIS",
    "AutoSplineCoupling",
    "AutoSurrogateLikelihoodDAIS",
]
