"""Random numbers from explicit keys, with the names and argument orders of `jax.random`.

    k = random.key(0);  a, b = random.split(k);  random.normal(a, (3,))
"""
from ..ops.random_bits import hash_bits, philox4x32, threefry2x32
from .bits import bits, normal, uniform
from .continuous import (
                         cauchy,
                         double_sided_maxwell,
                         exponential,
                         gumbel,
                         laplace,
                         logistic,
                         lognormal,
                         maxwell,
                         pareto,
                         rayleigh,
                         triangular,
                         truncated_normal,
                         wald,
                         weibull_min,
)
from .counts import binomial, hypergeometric, multinomial, negative_binomial, poisson, zipf
from .directions import ball, multivariate_normal, orthogonal, von_mises
from .discrete import bernoulli, categorical, choice, geometric, permutation, rademacher, randint
from .gammas import beta, chisquare, dirichlet, f, gamma, generalized_normal, loggamma, t
from .hashed import hash_normal, hash_uniform
from .keys import Key, PRNGKey, clone, fold_in, key, key_data, key_impl, split, wrap_key_data

__all__ = ["Key", "PRNGKey", "ball", "bernoulli", "beta", "binomial", "bits", "categorical", "cauchy", "chisquare",
           "choice", "clone", "dirichlet", "double_sided_maxwell", "exponential", "f", "fold_in", "gamma",
           "generalized_normal", "geometric", "gumbel", "hash_bits", "hash_normal", "hash_uniform", "hypergeometric",
           "key", "key_data", "key_impl", "laplace", "loggamma", "logistic", "lognormal", "maxwell", "multinomial",
           "multivariate_normal", "negative_binomial", "normal", "orthogonal", "pareto", "permutation", "philox4x32",
           "poisson", "rademacher", "randint", "rayleigh", "split", "t", "threefry2x32", "triangular",
           "truncated_normal", "uniform", "von_mises", "wald", "weibull_min", "wrap_key_data", "zipf"]
