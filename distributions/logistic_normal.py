"""Normal vectors, pushed onto the simplex."""
from .distribution import Distribution
from .normal import Normal
from .record import ArrayLike
from .transformed import TransformedDistribution
from .transforms import StickBreakingTransform


class LogisticNormal(TransformedDistribution):
    """StickBreakingTransform of n normal numbers: a vector of n + 1 on the simplex.

    loc, scale : float[*batch, n], scale > 0; or, in place of both, base_dist, a distribution of vectors (a
    MultivariateNormal gives weights that depend on one another)          sample : float[*shape, *batch, n + 1]
    Source: Aitchison & Shen (1980), "Logistic-normal distributions"; the map is Stan's, not the additive log-ratio.
    """

    def __init__(self, loc: ArrayLike = None, scale: ArrayLike = None, *, base_dist: Distribution | None = None,
                 validate_args=None):
        if base_dist is None:
            base_dist = Normal(loc, 1.0 if scale is None else scale, validate_args=validate_args).to_event(1)
        super().__init__(base_dist, StickBreakingTransform())
