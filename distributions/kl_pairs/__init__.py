"""The closed forms of KL divergences, by family; importing this package puts them into the table of `kl`, whose public
names come from here, so that the rules are there when they are asked for."""
from ..kl import cross_entropy, kl_divergence, kl_divergence_monte_carlo, register_kl
from . import discrete, exponential_family, generalized_gamma, positive, real, supports, unit_interval, vectors, wrapped

__all__ = ["cross_entropy", "discrete", "exponential_family", "generalized_gamma", "kl_divergence",
           "kl_divergence_monte_carlo", "positive", "real", "register_kl", "supports", "unit_interval", "vectors",
           "wrapped"]
