"""Rows of NumPy's reductions, statistics, running sums, differences, polynomials and windows."""
import numpy as np

from tests.engine.numpy_rows import ANY, COMPLEX, FLOATS, INTS, NUMBER, Arr, call, calls, reduction

RNG = np.random.default_rng(12)
V = np.array([0.3, -1.2, 2.5, 0.7, -0.1])
P = np.abs(V) + 0.2
M, T = RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4))
W = RNG.random(T.shape)
I = np.array([[5, -3, 0, 12], [2, 2, 3, -5]])
F = M.astype("f4")
C = M + 1j * RNG.normal(size=M.shape)
Y = RNG.normal(size=(5, 3))
N = np.where(RNG.random((4, 5)) < 0.3, np.nan, RNG.normal(size=(4, 5)))
Q = np.array([0.0, 0.1, 0.25, 0.5, 0.95, 1.0])
METHODS = ("inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen weibull linear "
           "median_unbiased normal_unbiased lower higher midpoint nearest").split()
FINITE = (0.0, 1.0, -1.0, 0.5)
PLANE = [call(M[:, :2], M[:, :3]), call(M[:, :3], M[:, :2]), call(M[:, :2], M[:, 2:])]      # vectors that cross takes
if np.lib.NumpyVersion(np.__version__) >= "2.5.0":
    PLANE = []                                           # NumPy refuses them from here on
GAPS = (np.nan, 1.0, 0.5)
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])


def real(special=FINITE):
    return Arr((*FLOATS, *INTS, "bool"), -3, 3, special)


def ordered(special=FINITE):
    return Arr((*FLOATS, *INTS), -3, 3, special)


def gaps(dtypes=("float64", "float32", *INTS)):
    return Arr(dtypes, -3, 3, GAPS)


ROWS = [
    reduction("prod", Arr((*FLOATS, *INTS, "bool", *COMPLEX), -2, 2, FINITE), ulps=16),
    reduction("min", NUMBER()), reduction("amax", NUMBER()), reduction("amin", NUMBER()),
    reduction("max", Arr(COMPLEX), label="complex"), reduction("ptp", ordered()),
    reduction("all", ANY(), grad=()), reduction("any", ANY(), grad=()),
    *[reduction(name, NUMBER(), axes=False, grad=()) for name in ("argmax", "argmin")],
    reduction("argmax", Arr(COMPLEX), axes=False, label="complex"),
    reduction("mean", Arr((*FLOATS, *INTS, "bool", *COMPLEX), -3, 3, FINITE), ulps=16),
    *[reduction(name, Arr((*FLOATS, *INTS, *COMPLEX), -3, 3), {"ddof": [0]}, ulps=32,
          grad=(0,) if name == "var" else ())
      for name in ("std", "var")],
    *[calls(name, call(T, axis=1, ddof=1), call(T, ddof=2, keepdims=True), call(T, axis=(0, 2), correction=1),
          call(V, ddof=7),
            call(M, axis=1, mean=M.mean(1, keepdims=True)), call(M, axis=0, where=M > -0.2), call(I, axis=0),
                  call(F, dtype="f8"),
            call(V, ddof=1, correction=1), label="options", grad=(0,)) for name in ("std", "var")],
    *[calls(name, call(M, axis=1, where=M > -0.4), call(I, where=I > 0), label="options", grad=(0,))
      for name in ("sum", "prod", "mean")],
    *[calls(name, call(M, 0, np.float32), call(I, dtype="f4"), label="dtype")
      for name in ("sum", "prod", "mean", "cumsum", "cumprod", "nansum")],
    *[calls(name, call(V, dtype=np.float32), label="dtype") for name in ("cumulative_sum", "cumulative_prod")],
    *[calls(name, call(T, axis=1, initial=2.0), call(T, None, None, None, True, 0.5), call(I, initial=3),
          label="initial", grad=(0,))
      for name in ("sum", "prod")],
    *[calls(name, call(M, axis=1, where=M > 0.2, initial=0.1), call(I, initial=3), call(M, where=M > 0),
          call(np.zeros((0, 3))),
            label="options", grad=(0,)) for name in ("max", "min")],
    *[calls(name, call(M > 0, axis=1, where=M > -0.5), call(I, where=I > 0), label="options") for name in ("all",
          "any")],
    calls("allclose", call(V, V + 1e-9), call(V, P), call(N, N), call(N, N, equal_nan=True),
          call(V, V * 1.01, rtol=0.1)),
    calls("average", call(V), call(V, weights=P), call(M, axis=1, weights=P[:4]), call(T, axis=(0, 2), weights=W[:, 0]),
          call(T, axis=(2, 0), weights=W[:, 0].T), call(T, weights=W, returned=True),
                call(I, axis=1, weights=np.arange(4)),
          call(T, axis=0, returned=True, keepdims=True), call(F, axis=1, weights=P[:4]), call(T, weights=P[:4]),
          call(T, axis=1, weights=P[:4]), grad=(0,)),

    *[reduction(name, gaps(), grad=(), ulps=16) for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean",
          "nanvar", "nanstd")],
    *[calls(name, call(N, axis=0, where=N < 0.7), call(N, axis=1, keepdims=True), call(N[:, :2], None), label="options")
      for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd")],
    *[calls(name, call(N, axis=0, where=N < 0.5, initial=0.1), call(N, initial=0.3), label="options")
          for name in ("nanmax", "nanmin")],
    *[calls(name, call(M), call(np.where(M > 1, np.nan, M), axis=1), call(I, axis=0, keepdims=True),
          call(M, 0, keepdims=True))
      for name in ("nanargmax", "nanargmin")],
    *[calls(name, call(N, ddof=1), call(N, axis=0, ddof=3), label="ddof") for name in ("nanvar", "nanstd")],
    *[reduction(name, gaps(), axes=False, keepdims=False, grad=(), ulps=16) for name in ("nancumsum", "nancumprod")],

    *[reduction(name, real(), axes=False, keepdims=False, ulps=16) for name in ("cumsum", "cumprod")],
    *[calls(name, call(V), call(T, axis=1, include_initial=True), call(I, axis=0, include_initial=True), call(T),
            grad=(0,)) for name in ("cumulative_sum", "cumulative_prod")],

    reduction("median", ordered(), ulps=16), reduction("nanmedian", gaps(("float64", "float32", "int64")), ulps=16,
          grad=()),
    calls("median", call(N, axis=0), call(np.array([1.0, np.inf, np.inf, np.inf])), label="nan"),
    *[calls("quantile", *[call(x, q, axis=axis, method=method)
          for x, axis in ((M, 1), (I, 0), (M, None), (np.arange(10.0), 0))
                          for q in (0.3, 0.0, 1.0, Q, Q[:4].reshape(2, 2))],
            call(T, 0.6, axis=(0, 2), keepdims=True, method=method), label=method, grad=(0,), traced=(0,))
      for method in METHODS],
    calls("quantile", *[call(N, 0.2, axis=1, method=method) for method in METHODS], label="nan", traced=(0,)),
    *[calls("nanquantile", *[call(N, q, axis=axis, method=method, keepdims=axis is None) for axis in (0, None)
          for q in (0.3, Q)],
            label=method, traced=(0,)) for method in METHODS],
    calls("quantile", *[call(T, q, axis=1, method="inverted_cdf", weights=w) for q in (0.3, 0.0, Q)
          for w in (W, P[:3])],
          call(V, 0.3, weights=P), call(V, 0.3, method="mean"),
                call(I, Q, axis=1, method="inverted_cdf", weights=np.arange(4)),
          label="weights", traced=(0,)),
    calls("percentile", call(M, 30, axis=0), call(M, 100 * Q, axis=1), call(F, 30.0),
          call(I, 25, axis=0, method="lower"),
          call(V, 100 * Q, method="inverted_cdf", weights=P), grad=(0,), traced=(0,)),
    calls("nanpercentile", call(N, 30, axis=0), call(N, 100 * Q, axis=1), call(M, 40, keepdims=True), traced=(0,)),

    calls("diff", call(V), call(M, 2, 0), call(M > 0), call(V, prepend=0.0, append=P), call(T, axis=1, prepend=0.0),
          call(V, 9),
          call(V, -1), call(I, prepend=1), call(np.uint8([3, 200, 1])), call(V, 0), call(2.0), grad=(0,)),
    calls("ediff1d", call(M), call(I, to_end=5, to_begin=np.array([1, 2])), call(V, to_end=[1.0, 2.0]), grad=(0,)),
    calls("gradient", call(V), call(V, 2.0), call(V, P.cumsum()), call(V, P.cumsum(), edge_order=2), call(T),
          call(T, axis=1),
          call(T, 0.5, P[:4].cumsum(), axis=(1, 2)), call(T, 1.0, 2.0, 3.0), call(T, axis=(1, 2), edge_order=2),
                call(I),
          call(F, axis=0), call(V, 2.0, edge_order=2), call(T, 1.0, 2.0), call(C), call(V[:1]), grad=(0,), ulps=32),
    calls("trapezoid", call(V), call(M, P[:4].cumsum(), axis=1), call(T, P[:3], axis=1), call(T, T + 1, axis=1),
          call(M, dx=0.5, axis=0),
          call(I), grad=(0,)),
    calls("unwrap", call(3 * V), call(9 * T), call(9 * T, axis=0), call(3 * V, period=2), call(3 * V, discont=4.0),
          call(I, period=4), call(I, period=5), call(F * 9), ulps=16),
    calls("cov", call(M), call(V, P), call(M, ddof=0), call(V), call(M, rowvar=False), call(T[0], T[1]),
          call(T[0], T[1], rowvar=False),
          call(M, bias=True), call(M, fweights=np.array([1, 2, 3, 1])), call(M, aweights=WEIGHTS),
                call(M, aweights=WEIGHTS, ddof=0),
          call(M, aweights=WEIGHTS, fweights=np.array([1, 2, 3, 1])), call(C), call(I), call(F), call(M, dtype="f4"),
                call(T),
          call(V[None], rowvar=False), grad=(0,), ulps=32),
    calls("corrcoef", call(M), call(V, P), call(M, rowvar=False), call(C), call(V), call(F), grad=(0,), ulps=32),
    calls("cross", call(M[:, :3], M[:, 1:]), call(M, M[::-1], axis=0), call(M[:, :3], V[:3]),
          call(M, M[:, :3], axisa=0, axisc=0), call(I[:, :3], I[:, 1:]), call(V, V), *PLANE, grad=(0, 1)),

    calls("polyval", call(V, 0.3), call(V, M), call(I[0], I[1]), call(V, 1j), grad=(0, 1)),
    *[calls(name, call(V, P), call(V, P[:2]), call(P[:2], V), call(I[0], V), call(2.0, V), grad=(0, 1))
          for name in ("polyadd", "polysub")],
    calls("polymul", call(V, P), call(V, P[:2]), call(I[0], I[1]), call(2.0, V), call([0.0, 0.0, 1.0], V),
          call(C[0], V), grad=(0, 1)),
    calls("polydiv", call(V, P), call(V, P[:3]), call(P[:2], V), call(I[0], P[:2]), call(V, 2.0),
          grad=(0, 1), ulps=64),
    calls("polydiv", call(np.polymul(V, P), P), call(np.polymul(V, P[:3]), V), label="exact", compiled=False,
          vmap=False,
          ulps=None),
    calls("polyder", call(V), call(V, 2), call(V, 9), call(I[0]), call(V, 0), call(V, -1), grad=(0,)),
    calls("polyint", call(V), call(V, 2), call(V, 2, [1.0, 2.0]), call(I[0], k=3), call(V, 0), call(V, 3, [1.0, 2.0]),
          grad=(0,)),
    calls("roots", call([1.0, -6.0, 11.0, -6.0]), call([0.0, 2.0, 1.0, 0.0]), call([3.0]), call([0.0, 0.0]),
          call([1.0, 0.0, 1.0]),
          numpy=lambda p: np.asarray(np.roots(p), complex), ulps=64, compiled=False, vmap=False),
    calls("poly", call(V), call(P), ulps=64, grad=(0,)),
    calls("poly", call([1j, -1j, 2.0]), call(M[:, :3]), call(I[0]), call(C), ulps=64, label="other", compiled=False,
          vmap=False),
    calls("polyfit", call(V, P, 2), call(V, Y, 1), call(V, P, 1, w=P), call(V, P, 1, cov=True),
          call(V, P, 1, cov="unscaled"), call(V, Y, 1, cov=True),
                call(V, P, 2, full=True),
          call(V, P, -1), call(V, P, 3, cov=True), ulps=2000, grad=(1,)),
    *[calls(name, call(0), call(1), call(7), call(8), compiled=False, vmap=False) for name in ("bartlett", "blackman",
          "hamming", "hanning")],
    calls("kaiser", call(7, 4.0), call(8, 0.0), call(1, 2.0), compiled=False, vmap=False),
]

