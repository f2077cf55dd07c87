"""The closed forms of KL divergences, by family; importing this package puts them into the table of `kl`."""
from . import discrete, exponential_family, generalized_gamma, positive, real, supports, unit_interval, vectors, wrapped

__all__ = ["discrete", "exponential_family", "generalized_gamma", "positive", "real", "supports", "unit_interval",
           "vectors", "wrapped"]
