"""The rows of densities.py and jax_densities.py: distributions by the names and parameters that both libraries have."""
import time

ELEMENTS = 100_000
ROWS = {
    "Normal": {"loc": 0.3, "scale": 1.2}, "HalfNormal": {"scale": 1.2}, "LogNormal": {"loc": 0.3, "scale": 1.2},
    "StudentT": {"df": 4.5, "loc": 0.3, "scale": 1.2}, "Cauchy": {"loc": 0.3, "scale": 1.2},
    "HalfCauchy": {"scale": 1.2},
    "Laplace": {"loc": 0.3, "scale": 1.2}, "Logistic": {"loc": 0.3, "scale": 1.2}, "Gumbel": {"loc": 0.3, "scale": 1.2},
    "Uniform": {"low": -0.3, "high": 1.2}, "Exponential": {"rate": 1.3}, "Gamma": {"concentration": 2.5, "rate": 1.3},
    "InverseGamma": {"concentration": 2.5, "rate": 1.3}, "Weibull": {"scale": 1.3, "concentration": 2.5},
    "Beta": {"concentration1": 2.5, "concentration0": 1.3}, "VonMises": {"loc": 0.3, "concentration": 2.5},
    "BernoulliProbs": {"probs": 0.3}, "BinomialLogits": {"logits": 0.3, "total_count": 20},
    "Poisson": {"rate": 3.2}, "NegativeBinomial2": {"mean": 3.2, "concentration": 2.5},
}


def least(f, *arguments):
    """Nanoseconds an element of f, which waits for its result: the least of the calls of a third of a second.

    Nine calls at least, after a warm-up.
    """
    f(*arguments)
    times, end = [], time.perf_counter() + 1 / 3
    while len(times) < 9 or time.perf_counter() < end:
        began = time.perf_counter()
        f(*arguments)
        times.append(time.perf_counter() - began)
    return 1e9 * min(times) / ELEMENTS
