"""Random numbers from explicit keys, with the names and argument orders of `jax.random`.

    k = random.key(0);  a, b = random.split(k);  random.normal(a, (3,))
"""
from ..ops.random_bits import hash_bits, threefry2x32
from .bits import bits, normal, uniform
from .continuous import (
                         cauchy,
                         exponential,
                         gumbel,
                         laplace,
                         logistic,
                         lognormal,
                         multivariate_normal,
                         pareto,
                         rayleigh,
                         triangular,
                         truncated_normal,
                         weibull_min,
)
from .discrete import bernoulli, categorical, choice, geometric, permutation, rademacher, randint
from .hashed import hash_normal, hash_uniform
from .keys import Key, PRNGKey, fold_in, key, key_data, split, wrap_key_data
from .rejection import beta, binomial, chisquare, dirichlet, gamma, loggamma, poisson, t

__all__ = ["Key", "PRNGKey", "bernoulli", "beta", "binomial", "bits", "categorical", "cauchy", "chisquare", "choice",
           "dirichlet", "exponential", "fold_in", "gamma", "geometric", "gumbel", "hash_bits", "hash_normal",
           "hash_uniform",
           "key", "key_data", "laplace", "loggamma", "logistic", "lognormal", "multivariate_normal", "normal", "pareto",
           "permutation", "poisson", "rademacher", "randint", "rayleigh", "split", "t", "threefry2x32", "triangular",
           "truncated_normal", "uniform", "weibull_min", "wrap_key_data"]
