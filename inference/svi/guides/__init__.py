"""Automatic guides."""
from .base import AutoGuide
from .by_site import AutoDelta, AutoNormal
from .dais import AutoDAIS
from .flows import AutoBNAFNormal, AutoIAFNormal, AutoSplineCoupling
from .joint import (
    AutoContinuous,
    AutoDiagonalNormal,
    AutoLaplaceApproximation,
    AutoLowRankMultivariateNormal,
    AutoMultivariateNormal,
)
from .lists import AutoGuideList

__all__ = ["AutoBNAFNormal", "AutoContinuous", "AutoDAIS", "AutoDelta", "AutoDiagonalNormal", "AutoGuide",
           "AutoGuideList", "AutoIAFNormal", "AutoLaplaceApproximation", "AutoLowRankMultivariateNormal",
           "AutoMultivariateNormal", "AutoNormal", "AutoSplineCoupling"]
