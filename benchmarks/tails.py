"""How accurate log-probabilities are far in the tails, at the edges of supports and for extreme parameters.

    python benchmarks/tails.py [--only NAME ...] [--json]

For each family the largest error of `log_prob` against mpmath with 60 digits, relative to max(1, |log p|), over all
pairs of the parameters and values listed here and at values near the mode for large parameters (NEAR), plain and
compiled, float64 and float32 (whose parameters and values are rounded to float32 first, and left out where that makes
them 0 or infinite). With --json the last line has the numbers.
"""
import argparse
import json
import os
import warnings

os.environ["CHAINRULE_CACHE_DIR"] = "off"
import mpmath  # noqa: E402
import numpy as np  # noqa: E402

import chainrule.distributions as dist  # noqa: E402
from chainrule.engine import jit  # noqa: E402

mp = mpmath.mp
log, pi, gammaln = mpmath.log, mpmath.pi, mpmath.loggamma
REAL = [0.0, *[s * x for s in (1, -1) for x in (1e-30, 1e-8, 0.1, 1.0, 3.7, 12.5, 40.0, 1e3, 1e6, 1e10, 1e18, 1e25)]]
POSITIVE = [1e-30, 1e-12, 1e-4, 0.1, 0.9999, 1.0, 1.0001, 3.7, 12.5, 40.0, 1e3, 1e6, 1e10, 1e18, 1e25]
UNIT = [1e-30, 1e-12, 1e-4, 0.1, 0.5, 0.7, 0.999, 1.0 - 2.0 ** -20]
COUNTS = [0, 1, 2, 7, 40, 1000, 10 ** 5, 10 ** 6]
SCALES = [(m, s) for m in (0.0, 1.5) for s in (1e-6, 0.3, 1.0, 1e6)]
SHAPES = [(a, b) for a in (1e-5, 0.3, 1.0, 2.5, 40.0, 1e4, 1e8) for b in (1e-3, 1.0, 1e3)]
PAIRS = [(a, b) for a in (1e-5, 0.3, 1.0, 2.5, 40.0, 1e4) for b in (1e-5, 0.3, 1.0, 2.5, 40.0, 1e4)]
ONE = [(s,) for s in (1e-6, 0.3, 1.0, 40.0, 1e6)]


def located(f):
    """The log density of loc + scale Z for the log density f of Z."""
    return lambda x, m, s, *rest: f((x - m) / s, *rest) - log(s)


def softplus(y):
    return mpmath.log1p(mpmath.exp(y)) if y < 0 else y + mpmath.log1p(mpmath.exp(-y))


def normal(z):
    return -z * z / 2 - log(2 * pi) / 2


def gamma(x, a, b):
    return a * log(b) + (a - 1) * log(x) - b * x - gammaln(a)


def beta(x, a, b):
    return (a - 1) * log(x) + (b - 1) * mpmath.log1p(-x) + gammaln(a + b) - gammaln(a) - gammaln(b)


def student(z, n):
    return gammaln((n + 1) / 2) - gammaln(n / 2) - log(n * pi) / 2 - (n + 1) / 2 * mpmath.log1p(z * z / n)


def log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def binomial(k, n, p):
    return log_choose(n, k) + k * log(p) + (n - k) * mpmath.log1p(-p)


def negative_binomial(k, r, eta):
    return gammaln(r + k) - gammaln(r) - gammaln(k + 1) - k * softplus(-eta) - r * softplus(eta)


def beta_binomial(k, a, b, n):
    return (log_choose(n, k) + gammaln(k + a) + gammaln(n - k + b) - gammaln(n + a + b)
            - gammaln(a) - gammaln(b) + gammaln(a + b))


def inside(low, high, f):
    """f(x, *parameters) where low <= x <= high, else -inf; each end a function of the parameters."""
    return lambda x, *p: f(x, *p) if low(*p) <= x <= high(*p) else -mpmath.inf


ROWS = {                                                 # name: family, formula, parameters, values
    "Normal": (dist.Normal, located(normal), SCALES, REAL),
    "HalfNormal": (dist.HalfNormal, lambda x, s: normal(x / s) - log(s / 2), ONE, POSITIVE),
    "LogNormal": (dist.LogNormal, lambda x, m, s: normal((log(x) - m) / s) - log(s) - log(x), SCALES, POSITIVE),
    "LogitNormal": (dist.LogitNormal, lambda x, m, s: normal((log(x) - mpmath.log1p(-x) - m) / s) - log(s) - log(x)
                    - mpmath.log1p(-x), SCALES, UNIT),
    "StudentT": (lambda n, m, s: dist.StudentT(n, m, s), lambda x, n, m, s: student((x - m) / s, n) - log(s),
                 [(n, *ms) for n in (0.1, 1.0, 4.0, 30.0, 1e4, 1e10) for ms in SCALES], REAL),
    "HalfStudentT": (dist.HalfStudentT, lambda x, n, s: student(x / s, n) - log(s / 2),
                     [(n, *s) for n in (0.1, 1.0, 4.0, 1e4) for s in ONE], POSITIVE),
    "Cauchy": (dist.Cauchy, located(lambda z: -log(pi) - mpmath.log1p(z * z)), SCALES, REAL),
    "HalfCauchy": (dist.HalfCauchy, lambda x, s: log(2 / pi) - mpmath.log1p((x / s) ** 2) - log(s), ONE, POSITIVE),
    "Laplace": (dist.Laplace, located(lambda z: -abs(z) - log(2)), SCALES, REAL),
    "Logistic": (dist.Logistic, located(lambda z: -z - 2 * softplus(-z)), SCALES, REAL),
    "Gumbel": (dist.Gumbel, located(lambda z: -z - mpmath.exp(-z)), SCALES, [x for x in REAL if x > -1e-4]),
    "Moyal": (dist.Moyal, located(lambda z: -(z + mpmath.exp(-z)) / 2 - log(2 * pi) / 2), SCALES,
              [x for x in REAL if x > -1e-4]),
    "SoftLaplace": (dist.SoftLaplace, located(lambda z: log(2 / pi) - abs(z) - mpmath.log1p(mpmath.exp(-2 * abs(z)))),
                    SCALES, REAL),
    "Uniform": (dist.Uniform, inside(lambda a, b: a, lambda a, b: b, lambda x, a, b: -log(b - a)),
                [(0.0, 1.0), (-1e6, 1e-6), (1.0, 1.0 + 2.0 ** -20)], REAL),
    "Exponential": (dist.Exponential, lambda x, b: log(b) - b * x, ONE, POSITIVE),
    "Gamma": (dist.Gamma, gamma, SHAPES, POSITIVE),
    "InverseGamma": (dist.InverseGamma, lambda x, a, b: gamma(1 / x, a, b) - 2 * log(x), SHAPES, POSITIVE),
    "ExpGamma": (dist.ExpGamma, lambda x, a, b: gamma(mpmath.exp(x), a, b) + x, SHAPES,
                 [-1e6, -40.0, -3.7, -0.1, 0.0, 0.1, 3.7, 12.5, 80.0]),
    "Chi2": (dist.Chi2, lambda x, k: gamma(x, k / 2, mpmath.mpf(0.5)), ONE, POSITIVE),
    "InvChi2": (dist.InvChi2, lambda x, k: gamma(1 / x, k / 2, mpmath.mpf(0.5)) - 2 * log(x), ONE, POSITIVE),
    "Chi": (dist.Chi, lambda x, k: gamma(x * x, k / 2, mpmath.mpf(0.5)) + log(2 * x), ONE, POSITIVE),
    "Rayleigh": (dist.Rayleigh, lambda x, s: log(x / s) - (x / s) ** 2 / 2 - log(s), ONE, POSITIVE),
    "Weibull": (dist.Weibull, lambda x, s, k: log(k / s) + (k - 1) * log(x / s) - (x / s) ** k,
                [(s, k) for s in (1e-3, 1.0, 1e3) for k in (0.1, 1.0, 2.5, 4.0)],
                [x for x in POSITIVE if x < 1e4]),
    "Frechet": (dist.Frechet, lambda x, s, k: log(k / s) - (k + 1) * log(x / s) - (x / s) ** -k,
                [(s, k) for s in (1e-3, 1.0, 1e3) for k in (0.1, 1.0, 2.5)], [x for x in POSITIVE if x > 1e-5]),
    "Pareto": (dist.Pareto, inside(lambda s, b: s, lambda s, b: mpmath.inf,
                                   lambda x, s, b: log(b / s) - (b + 1) * log(x / s)), SHAPES[:9], POSITIVE),
    "LogLogistic": (dist.LogLogistic, lambda x, s, k: log(k / s) + (k - 1) * log(x / s)
                    - 2 * softplus(k * log(x / s)), SHAPES[:15], POSITIVE),
    "InverseGaussian": (dist.InverseGaussian, lambda x, m, k: log(k / (2 * pi * x ** 3)) / 2
                        - k * (x - m) ** 2 / (2 * m * m * x), [(m, k) for m in (1e-3, 1.0, 1e3) for k in (0.1, 40.0)],
                        [x for x in POSITIVE if 1e-13 < x < 1e11]),
    "Levy": (dist.Levy, lambda x, m, s: log(s / (2 * pi)) / 2 - s / (2 * (x - m)) - log(x - m) * 3 / 2,
             [(0.0, s) for s in (1e-6, 1.0, 1e6)], POSITIVE),
    "Beta": (dist.Beta, beta, PAIRS, UNIT),
    "Kumaraswamy": (dist.Kumaraswamy, lambda x, a, b: log(a * b) + (a - 1) * log(x) + (b - 1) * mpmath.log1p(-x ** a),
                    PAIRS, UNIT),
    "ContinuousBernoulli": (dist.ContinuousBernoulli, lambda x, y: y * x - log(mpmath.expm1(y) / y),
                            [(y,) for y in (-700.0, -40.0, -1e-4, 1e-4, 1.0, 700.0)], UNIT),
    "VonMises": (dist.VonMises, lambda x, m, k: k * mpmath.cos(x - m) - log(2 * pi * mpmath.besseli(0, k)),
                 [(0.5, k) for k in (1e-5, 1.0, 40.0, 1e4)], [-3.0, -1.0, 0.0, 0.4999, 0.5, 1.0, 3.0]),
    "Bernoulli, logits": (lambda y: dist.Bernoulli(logits=y), lambda k, y: k * y - softplus(y),
                          [(y,) for y in (-1e3, -40.0, -1e-4, 0.0, 1.0, 40.0, 1e3)], [0, 1]),
    "Binomial": (lambda n, p: dist.Binomial(n, probs=p),
                 inside(lambda n, p: 0, lambda n, p: n, binomial),
                 [(n, p) for n in (1, 50, 10 ** 4, 10 ** 6) for p in (1e-12, 0.1, 0.5, 1 - 2.0 ** -20)], COUNTS),
    "Geometric": (dist.Geometric, lambda k, p: log(p) + k * mpmath.log1p(-p),
                  [(p,) for p in (1e-12, 0.1, 0.5, 1 - 2.0 ** -20)], COUNTS),
    "NegativeBinomial, logits": (lambda r, y: dist.NegativeBinomial(r, logits=y), negative_binomial,
                                 [(r, y) for r in (1e-5, 0.3, 4.0, 1e4, 1e8) for y in (-20.0, 0.0, 20.0)], COUNTS),
    "NegativeBinomialProbs": (dist.NegativeBinomialProbs,
                              lambda k, r, p: log_choose(r + k - 1, k) + k * log(p) + r * mpmath.log1p(-p),
                              [(r, p) for r in (0.3, 4.0, 1e4, 1e8) for p in (1e-12, 0.3, 1 - 2.0 ** -20)], COUNTS),
    "NegativeBinomial2": (dist.NegativeBinomial2, lambda k, m, c: negative_binomial(k, c, log(m / c)),
                          [(m, c) for m in (1e-3, 0.3, 40.0, 1e6) for c in (1e-3, 1.0, 1e4, 1e8)], COUNTS),
    "BetaBinomial": (lambda a, b, n: dist.BetaBinomial(a, b, n),
                     inside(lambda a, b, n: 0, lambda a, b, n: n, beta_binomial),
                     [(a, b, n) for a in (1e-3, 1.0, 40.0, 1e4) for b in (0.3, 1e4) for n in (7, 1000)], COUNTS),
    "Poisson": (dist.Poisson, lambda k, r: k * log(r) - r - gammaln(k + 1),
                [(r,) for r in (1e-12, 0.3, 1.0, 40.0, 1e3, 1e6)], COUNTS),
    "GammaPoisson": (dist.GammaPoisson, lambda k, a, b: negative_binomial(k, a, -log(b)), SHAPES, COUNTS),
    "Skellam": (dist.Skellam, lambda k, a, b: k * log(a / b) / 2 - a - b
                + log(mpmath.besseli(k, 2 * mpmath.sqrt(a * b))), [(0.3, 0.7), (2.0, 3.0), (40.0, 30.0)],
                [0, 1, 7, 40]),
    "ZeroInflatedPoisson": (dist.ZeroInflatedPoisson, lambda k, g, r: log((g if k == 0 else 0) + (1 - g) * mpmath.exp(
        k * log(r) - r - gammaln(k + 1))), [(g, r) for g in (1e-12, 0.5) for r in (0.3, 40.0, 1e3)], COUNTS[:6]),
    "GeneralizedPareto": (dist.GeneralizedPareto,
                          lambda x, m, s, c: -log(s) - (1 + 1 / c) * mpmath.log1p(c * (x - m) / s),
                          [(0.0, s, c) for s in (1e-6, 1.0, 1e6) for c in (1e-8, 0.3, 2.0)],
                          [x for x in POSITIVE if x < 1e4]),
    "AsymmetricLaplace": (dist.AsymmetricLaplace, lambda x, m, s, k: -log(s * (k + 1 / k)) - abs(x - m) / s
                          * (k if x >= m else 1 / k), [(0.5, s, k) for s in (1e-6, 1.0, 1e6) for k in (0.1, 3.0)],
                          REAL),
}


LARGE = (10.0, 1e3, 1e5, 1e7)
NEAR = {                                                 # name: parameters, mean and standard deviation, about
    "Gamma": [((a, b), a / b, a ** 0.5 / b) for a in LARGE for b in (0.7, 1e3)],
    "InverseGamma": [((a, b), b / a, 0.5 * b * a ** -1.5) for a in LARGE for b in (0.7, 1e3)],
    "Chi2": [((a,), a, (2 * a) ** 0.5) for a in LARGE],
    "Chi": [((a,), a ** 0.5, 0.7) for a in LARGE],
    "Beta": [((a, b), a / (a + b), (a * b) ** 0.5 * (a + b) ** -1.5) for a in LARGE for b in LARGE],
    "Binomial": [((int(n), p), n * p, (n * p * (1 - p)) ** 0.5) for n in LARGE for p in (0.1, 0.5, 0.9)],
    "Poisson": [((a,), a, a ** 0.5) for a in LARGE],
    "GammaPoisson": [((a, b), a / b, (a + a / b) ** 0.5 / b) for a in LARGE for b in (0.7, 30.0)],
    "NegativeBinomial2": [((m, c), m, (m + m * m / c) ** 0.5) for m in LARGE for c in LARGE],
    "BetaBinomial": [((a, b, int(n)), n * a / (a + b), n * (a * b) ** 0.5 * (a + b) ** -1.5)
                     for a in LARGE for b in LARGE for n in (1e3, 1e6)],
}
AWAY = (-4.0, -1.0, 0.0, 1e-3, 0.5, 3.0)                 # standard deviations from the mean
NEAR["InvChi2"] = [((2 * a,), 0.5 * mean, 0.5 * sd) for (a, b), mean, sd in NEAR["InverseGamma"] if b == 0.7]
NEAR["NegativeBinomialProbs"] = [((a, 1 / (1 + b)), mean, sd) for (a, b), mean, sd in NEAR["GammaPoisson"]]


def near(name, counts):
    """The values near the mode with their parameters."""
    top = {"Beta": lambda p: 1.0 - 2.0 ** -20, "Binomial": lambda p: p[0], "BetaBinomial": lambda p: p[2]}
    for p, mean, sd in NEAR.get(name, ()):
        for x in (mean + t * sd for t in AWAY):
            if 0 < x <= top.get(name, lambda p: np.inf)(p):
                yield (int(x) if counts else x), p


def points(name, dtype):
    """The pairs of all parameters and values, as numbers of the dtype, without those that it cannot tell from 0."""
    _, _, parameters, values = ROWS[name]
    counts = all(isinstance(x, int) for x in values)
    out = []
    for x, p in [*((x, p) for p in parameters for x in values), *near(name, counts)]:
        q = tuple(x if isinstance(x, int) else float(dtype(x)) for x in p)
        y = x if counts else float(dtype(x))
        if np.isfinite(y) and all((a == 0) == (b == 0) for a, b in zip((x, *p), (y, *q))):
            out.append((y, q))
    return out


def errors(name, dtype):
    """The largest error of the plain and of the compiled log_prob, the point of the latter, and the number of points
    where one is infinite or nan and the true value is not (or the reverse)."""
    family, formula, parameters, _ = ROWS[name]
    listed = points(name, dtype)
    columns = [np.asarray([p[i] for _, p in listed]) for i in range(len(parameters[0]))]
    columns = [c if c.dtype.kind == "i" else c.astype(dtype) for c in columns]
    x = np.asarray([y for y, _ in listed])
    x = x if x.dtype.kind == "i" else x.astype(dtype)
    want = [formula(*(a if isinstance(a, int) else mpmath.mpf(a) for a in (y, *p))) for y, p in listed]
    limit = mpmath.mpf(float(np.finfo(dtype).max))
    want = [-mpmath.inf if w < -limit else w for w in want]
    worst = []
    for f in (lambda x, *p: family(*p).log_prob(x), jit(lambda x, *p: family(*p).log_prob(x))):
        got = np.asarray(f(x, *columns))
        found, lost = [0.0], 0
        for g, w in zip(got.tolist(), want):
            finite = np.isfinite(g) and mpmath.isfinite(w)
            lost += not finite and not (g == w)
            found.append(float(abs(mpmath.mpf(g) - w) / max(1, abs(w))) if finite else 0.0)
        at = int(np.argmax(found)) - 1
        worst.append((max(found), lost, listed[max(at, 0)]))
    (plain, _, _), (compiled, lost, at) = worst
    return plain, compiled, lost, at


def figures(name):
    """Errors plain and compiled, points lost and the worst place: float64, then float32."""
    out = []
    for dtype in (np.float64, np.float32):
        plain, compiled, lost, (x, p) = errors(name, dtype)
        out += [plain, compiled, lost, f"x={x:.6g}; " + ", ".join(f"{q:.6g}" for q in p)]
    return out


COLUMNS = {"f64 plain": ".1e", "f64 compiled": ".1e", "lost": "d", "f64 worst at": "",
           "f32 plain": ".1e", "f32 compiled": ".1e", "lost f32": "d", "f32 worst at": ""}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", nargs="+", help="rows whose names begin so")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    mp.dps = 60
    out = {}
    if not options.json: print("| | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (len(COLUMNS) + 1))
    for name in ROWS:
        if options.only and not name.startswith(tuple(options.only)): continue
        out[name] = figures(name)
        if not options.json:
            cells = [format(x, spec) for x, spec in zip(out[name], COLUMNS.values())]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    if options.json: print(json.dumps(out))


if __name__ == "__main__":
    main()
