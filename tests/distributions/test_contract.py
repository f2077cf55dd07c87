"""Every promise of a distribution, on every row of cases.py.

Draws use fixed keys. Each random comparison has a false-alarm rate of 1e-6 per element: |z| < 4.9, p > 1e-6.
"""
import inspect
import math

import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.distributions import biject_to
from chainrule.engine import config, grad, jit, jvp, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError
from tests.distributions.cases import CASES, NO_ROW, label, rows

Z, P = 4.9, 1e-6
KEY = random.key(20)


def each(keep=lambda case: True, every=True):
    return pytest.mark.parametrize("case, i", rows(keep, every), ids=label)


def scalar(case):
    return hasattr(case.check(), "ppf")


def vector(case):
    return hasattr(case.check(), "points")


def points(case, i, n=7):
    """Values in the support: [n, *batch, *event]."""
    law = case.check(i)
    if hasattr(law, "points"):
        return law.points(n)
    shape = case.make(i).batch_shape
    if case.discrete and not hasattr(law, "ppf"):
        return everything(case, i)
    u = np.linspace(0.03, 0.97, n).reshape((n, *(1,) * len(shape)))
    return np.broadcast_to(law.ppf(u), (n, *shape))


def everything(case, i):
    """All values of a discrete distribution, as far as their mass counts: [n, *batch, *event]."""
    law, shape = case.check(i), case.make(i).batch_shape
    values = law.values if hasattr(law, "values") else np.arange(case.smallest, case.largest + 1)
    n, *event = values.shape
    return np.broadcast_to(values.reshape((n, *(1,) * len(shape), *event)), (n, *shape, *event))


def reference_log_prob(law, x):
    return law.logpmf(x) if hasattr(law, "logpmf") else law.logpdf(x)


def unconstrained_points(d, n):
    return np.random.default_rng(1).normal(size=(n, *d.shape()))


# ---- shapes ----

@each()
def test_shapes_are_sample_then_batch_then_event(case, i):
    d, law = case.make(i), case.check(i)
    batch = law.shape if vector(case) else np.shape(reference_log_prob(law, points(case, i)[0]))
    assert d.batch_shape == batch
    assert d.sample(KEY, (2, 3)).shape == (2, 3, *d.batch_shape, *d.event_shape) == d.shape((2, 3))
    x = points(case, i)
    assert d.log_prob(x).shape == (len(x), *d.batch_shape)
    assert d.log_prob(x[None]).shape == (1, len(x), *d.batch_shape)
    one = x[0].reshape((-1, *d.event_shape))[0]                    # one event, for all batch elements
    assert d.log_prob(one).shape == d.batch_shape
    assert d.event_dim == len(d.event_shape) == d.support.event_dim


# ---- the density ----

@each()
def test_log_prob_equals_the_reference(case, i):
    x = points(case, i)
    want = reference_log_prob(case.check(i), x)
    np.testing.assert_allclose(np.asarray(case.make(i).log_prob(x)), want, rtol=2e-12, atol=2e-12)
    np.testing.assert_allclose(np.asarray(case.make(i).log_prob_inside(x)), want, rtol=2e-12, atol=2e-12)


@each(lambda case: case.outside)
def test_log_prob_is_minus_infinity_outside_the_support_and_its_derivatives_are_finite(case, i):
    d = case.make(i)
    for value in case.outside:
        x = np.broadcast_to(np.asarray(value), d.shape())
        assert np.all(np.asarray(d.log_prob(x)) == -np.inf)
        slopes = grad(lambda d, x=x: cnp.sum(d.log_prob(x)))(floats_only(d))
        assert all(np.all(np.isfinite(np.asarray(g))) for g in tree.leaves(slopes))
        if not case.discrete:
            assert np.all(np.isfinite(np.asarray(grad(lambda x: cnp.sum(d.log_prob(x)))(x))))


def floats_only(d):
    """The distribution with floating leaves, so that grad takes it."""
    return tree.map(lambda x: x.astype(float), d)


def grid_of(d):
    """Unconstrained points for a trapezoidal rule, closer together near 0, and their weights."""
    real = biject_to(d.support)
    shape = real.inverse_shape(d.shape())
    size = 1 if not d.event_shape else shape[-1]
    if size == 1:
        t = np.linspace(-1, 1, 20001) * (24.0 if d.support.everything else 6.0)
        u, w = np.sinh(t), np.cosh(t) * (t[1] - t[0])
        return real, np.broadcast_to(u.reshape((-1, *(1,) * len(shape))), (len(u), *shape)), w
    t = np.linspace(-14, 14, 281)
    u = np.stack(np.meshgrid(t, t), -1).reshape((-1, *(1,) * len(d.batch_shape), 2))
    return real, np.broadcast_to(u, (len(u), *shape)), np.full(len(u), (t[1] - t[0]) ** 2)


@each(lambda case: not case.discrete and not hasattr(case, "structured"))      # those: test_multivariate.py
def test_the_density_integrates_to_one(case, i):
    d = case.make(i)
    real, u, w = grid_of(d)
    x = real(cnp.asarray(u))
    with np.errstate(all="ignore"):
        p = np.exp(np.asarray(d.log_prob(x) + real.log_abs_det_jacobian(cnp.asarray(u), x)))
    total = np.tensordot(w, np.nan_to_num(p), 1)
    np.testing.assert_allclose(total, np.ones(d.batch_shape), rtol=2e-4)


@each(lambda case: case.discrete)
def test_the_mass_sums_to_one(case, i):
    d = case.make(i)
    mass = np.exp(np.asarray(d.log_prob(everything(case, i))))
    np.testing.assert_allclose(mass.sum(0), np.ones(d.batch_shape), rtol=1e-10)


# ---- draws ----

@each()
def test_samples_lie_in_the_support_and_follow_the_law(case, i):
    d, law, n = case.make(i), case.check(i), 1500
    x = np.asarray(d.sample(KEY, (n,)))
    assert np.all(np.asarray(d.support(x)))
    if case.discrete:
        k = everything(case, i)
        mass = np.exp(reference_log_prob(law, k))
        for at in np.ndindex(d.batch_shape):
            at = (slice(None), *at)
            assert chi_square(places(x[at], k[at]), mass[at]) > P
        return
    if hasattr(law, "statistics"):                                 # functions of draws whose distributions are known
        assert all(stats.kstest(draws, cdf).pvalue > P for draws, cdf in law.statistics(x))
        return
    marginal = law.marginal if vector(case) else law
    for at in np.ndindex(x.shape[1:]):
        def cdf(v, at=at):
            p = marginal.cdf(v.reshape((-1, *(1,) * (x.ndim - 1))))
            return np.broadcast_to(p, (len(v), *x.shape[1:]))[(slice(None), *at)]
        assert stats.kstest(x[(slice(None), *at)], cdf).pvalue > P


def places(draws, values):
    """Where in a list of values each draw is, past its end if nowhere; vectors by their elements."""
    if values.ndim == 1:
        return np.minimum((draws - values[0]).astype(int), len(values))
    same = (draws[:, None] == values).reshape((len(draws), len(values), -1)).all(-1)
    return np.where(same.any(1), same.argmax(1), len(values))


def chi_square(draws, mass):
    """The p-value of counts of places against a mass function, cells with few expected counts pooled."""
    expected = mass * len(draws)
    counts = np.bincount(draws, minlength=len(mass))[:len(mass)]
    large = expected >= 5
    f = np.append(counts[large], len(draws) - counts[large].sum())
    e = np.append(expected[large], len(draws) - expected[large].sum())
    keep = e > 1e-9
    return stats.chisquare(f[keep], e[keep] * f[keep].sum() / e[keep].sum()).pvalue if keep.sum() > 1 else 1.0


@each(lambda case: hasattr(case.check(), "var"))
def test_moments_equal_the_reference_and_those_of_draws(case, i):
    d, law, n = case.make(i), case.check(i), 1500
    if isinstance(d, dist.TransformedDistribution):                # no closed form
        return
    mean, var = np.broadcast_to(law.mean(), d.shape()), np.broadcast_to(law.var(), d.shape())
    np.testing.assert_allclose(np.asarray(d.stddev) ** 2, np.asarray(d.variance))
    if not np.all(np.isfinite(mean)):
        assert not np.any(np.isfinite(np.asarray(d.mean)))
        return
    np.testing.assert_allclose(np.asarray(d.mean), mean, rtol=1e-10)
    finite = np.isfinite(var)
    np.testing.assert_allclose(np.asarray(d.variance), var, rtol=1e-10)
    x = np.asarray(d.sample(KEY, (n,)))
    z = (x.mean(0) - mean)[finite] / np.sqrt(var[finite] / n)
    assert np.all(np.abs(z) < Z)


@each(lambda case: hasattr(case.check(), "entropy"))
def test_entropy_equals_the_reference(case, i):
    d = case.make(i)
    try:
        got = np.asarray(d.entropy())
    except NotImplementedError:
        return
    np.testing.assert_allclose(got, np.broadcast_to(case.check(i).entropy(), d.batch_shape), rtol=1e-6, atol=1e-8)


@each(lambda case: hasattr(case.check(), "cdf"))
def test_cdf_equals_the_reference_and_icdf_is_its_inverse(case, i):
    d, law = case.make(i), case.check(i)
    x = points(case, i)
    if case.discrete:
        x = np.concatenate([x - 1, x, x + 0.5])
    outside = np.reshape(case.outside, (-1, *(1,) * len(d.batch_shape)))
    x = np.concatenate([x, np.broadcast_to(outside, (len(outside), *d.batch_shape))])
    try:
        p = d.cdf(x)
    except NotImplementedError:
        return
    np.testing.assert_allclose(np.asarray(p), law.cdf(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.asarray(d.log_cdf(x[:1])), law.logcdf(x[:1]), rtol=1e-8)
    try:
        back = d.icdf(d.cdf(points(case, i)))
    except NotImplementedError:
        return
    np.testing.assert_allclose(np.asarray(back), points(case, i), rtol=1e-7, atol=1e-9)


# ---- derivatives ----

def slope(f, x, e, h=1e-5):
    """Fourth-order finite difference of f at x along e."""
    at = [float(f(x + k * h * e)) for k in (-2, -1, 1, 2)]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


def direction(x, seed=3):
    return np.random.default_rng(seed).uniform(0.5, 1.0, np.shape(x)) * np.maximum(np.abs(x), 0.1)


@each()
def test_gradients_of_log_prob_are_finite_differences(case, i):
    d = case.make(i)
    x = points(case, i)
    if not case.discrete:
        e = direction(x)
        t = jvp(lambda x: cnp.sum(d.log_prob_inside(x)), (x,), (e,))[1]
        np.testing.assert_allclose(float(t), slope(lambda x: cnp.sum(d.log_prob_inside(x)), x, e), rtol=1e-6, atol=1e-7)
        g = grad(lambda x: cnp.sum(d.log_prob_inside(x)))(x)
        np.testing.assert_allclose(float(cnp.sum(g * e)), float(t), rtol=1e-9)
    leaves, treedef = tree.flatten(d)
    for k, leaf in enumerate(leaves):
        leaf = np.asarray(leaf)
        if leaf.dtype.kind != "f":
            continue

        def total(v, k=k):
            return cnp.sum(tree.unflatten(treedef, [*leaves[:k], cnp.asarray(v), *leaves[k + 1:]]).log_prob_inside(x))
        e = direction(leaf)
        g = np.asarray(grad(total)(leaf))
        np.testing.assert_allclose((g * e).sum(), slope(total, leaf, e), rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@each(lambda case: scalar(case) and not case.discrete, every=False)
def test_draws_carry_the_derivative_of_expectations(case, i):
    """The mean of d f(x) / dθ over draws estimates dE f / dθ, for f = tanh, by quadrature over quantiles."""
    if not case.make(i).has_rsample:
        return
    u = (np.arange(4000) + 0.5) / 4000
    for name in case.params[i]:
        def expectation(v, name=name):
            law = case.reference(**{**{k: np.asarray(w, float) for k, w in case.params[i].items()}, name: v})
            shape = np.shape(law.ppf(0.5))
            return np.tanh(law.ppf(u.reshape((-1, *(1,) * len(shape))))).mean(0)

        def draw(v, name=name):
            return cnp.tanh(case.family(**{**case.params[i], name: v}).sample(KEY, (2000,)))
        at = np.asarray(case.params[i][name], float)
        h = 1e-4
        want = (expectation(at + h) - expectation(at - h)) / (2 * h)
        got = np.asarray(jvp(draw, (at,), (np.ones_like(at),))[1])
        z = (got.mean(0) - want) / (got.std(0) / math.sqrt(len(got)) + 1e-3 * np.abs(want) / Z)
        assert np.all(np.abs(z) < Z), name


# ---- transformations ----

@pytest.mark.slow
@each(every=False)
def test_jit_gives_the_eager_result(case, i):
    """A log_prob that is inherited is log_prob_inside in the support. A sampler that another row compiles is staged,
    then evaluated by NumPy."""
    d, x = case.make(i), points(case, i)
    own = type(d).log_prob is not dist.Distribution.log_prob

    def densities(d, x):
        return (d.log_prob(x), d.log_prob_inside(x)) if own else (d.log_prob(x),)

    def draws(d, key):
        return d.sample(key, (3,))
    if case.drawn_as:
        with config(disable_jit=True):
            drawn = jit(draws)(d, KEY)
        found = (*jit(densities)(d, x), drawn)
    else:
        found = jit(lambda d, key, x: (*densities(d, x), draws(d, key)))(d, KEY, x)
    for got, want in zip(found, (*densities(d, x), draws(d, KEY)), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@each(every=False)
def test_vmap_of_a_distribution_is_a_loop(case, i):
    d, x = case.make(i), points(case, i)
    keep = case.name == "CategoricalProbs"               # they must still sum to one
    lanes = [tree.map(lambda v, s=s: v if keep or v.dtype.kind != "f" else v * s, d) for s in (1.0, 0.9)]
    stacked = tree.map(lambda a, b: cnp.stack([a, b]), *lanes)
    got = vmap(lambda d: d.log_prob(x))(stacked)
    want = np.stack([np.asarray(each.log_prob(x)) for each in lanes])
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12)
    wrapped = dist.Vmapped(stacked, (True,) * len(tree.leaves(d)), 2)
    assert wrapped.batch_shape == (2, *d.batch_shape)
    both = np.stack([x, x], 1)
    np.testing.assert_allclose(np.asarray(wrapped.log_prob(both)), np.moveaxis(want, 0, 1), rtol=1e-12)
    inside = np.stack([np.broadcast_to(np.asarray(lane.support(x)), want.shape[1:]) for lane in lanes], 1)
    np.testing.assert_array_equal(np.broadcast_to(np.asarray(wrapped.support(both)), inside.shape), inside)
    with config(disable_jit=bool(case.drawn_as)):                  # another row compiles its loops
        drawn = np.asarray(wrapped.sample(KEY, (3,)))
    for lane in range(2):
        want = lanes[lane].sample(random.fold_in(KEY, lane), (3,))
        np.testing.assert_allclose(drawn[:, lane], np.asarray(want), rtol=1e-9)


@each()
def test_a_distribution_is_a_pytree(case, i):
    d = case.make(i)
    leaves, treedef = tree.flatten(d)
    back = tree.unflatten(treedef, leaves)
    assert type(back) is type(d) and back.batch_shape == d.batch_shape and tree.structure(back) == treedef
    hash(treedef)
    tree.unflatten(treedef, [None] * len(leaves))                  # nothing is asked of the leaves
    assert repr(d).startswith(type(d).__name__)


def single(case, i):
    """The distribution with float32 parameters, or None where it has no real ones."""
    d = tree.map(lambda x: x.astype(np.float32) if x.dtype.kind == "f" else x, case.make(i))
    return d if any(x.dtype.kind == "f" for x in tree.leaves(d)) else None


@each(lambda case: single(case, 0) is not None, every=False)
def test_float32_parameters_give_float32(case, i):
    d, x = single(case, i), points(case, i)
    x = x if case.discrete else x.astype(np.float32)
    assert d.log_prob(x).dtype == np.float32
    assert case.discrete or d.sample(KEY).dtype == np.float32


@each(lambda case: single(case, 0) is not None, every=False)
def test_moments_and_tails_of_float32_parameters_are_float32(case, i):
    """Of the ones that there are; the mode and the quantiles of counts are integers."""
    d, x = single(case, i), points(case, i)
    x = x if case.discrete else x.astype(np.float32)
    q = np.full(d.batch_shape, 0.3, np.float32)
    calls = {name: (lambda name=name: getattr(d, name)) for name in ("mean", "variance", "stddev", "mode")}
    calls["entropy"] = d.entropy
    if not d.event_shape:
        tails = ("cdf", "log_cdf", "survival_function", "log_survival", "icdf", "isf")
        calls |= {name: (lambda name=name: getattr(d, name)(q if name in ("icdf", "isf") else x)) for name in tails}
    for name, call in calls.items():
        try:
            got = call()
        except NotImplementedError:
            continue
        assert got.dtype == np.float32 or case.discrete and got.dtype.kind == "i", name


def test_parameters_have_the_names_of_other_systems_too():
    """PyMC's and Stan's; a name that a family has for another parameter stays its own."""
    pairs = [(dist.Normal(mu=1.0, sigma=2.0), dist.Normal(1.0, 2.0)),
             (dist.HalfNormal(sigma=2.0), dist.HalfNormal(2.0)),
             (dist.StudentT(nu=3.0, sigma=2.0), dist.StudentT(3.0, 0.0, 2.0)),
             (dist.Uniform(lower=1.0, upper=2.0), dist.Uniform(1.0, 2.0)),
             (dist.Truncated(dist.Normal(), lower=0.5), dist.Truncated(dist.Normal(), 0.5))]
    for theirs, ours in pairs:
        assert float(theirs.log_prob(1.5)) == float(ours.log_prob(1.5)) > -math.inf
    assert dist.Rice(nu=1.0, sigma=2.0).nu == 1.0
    with pytest.raises(ChainruleError, match="'mu' is not a parameter"):
        dist.Normal(loc=1.0, mu=2.0)


def test_a_constructor_shows_its_parameters():
    assert list(inspect.signature(dist.Normal).parameters) == ["loc", "scale", "validate_args"]
    assert list(inspect.signature(dist.Independent).parameters) == ["base_dist", "reinterpreted_batch_ndims",
                                                                    "validate_args"]
    assert list(inspect.signature(dist.Wishart).parameters)[:4] == ["concentration", "scale_matrix", "rate_matrix",
                                                                    "scale_tril"]
    assert list(inspect.signature(dist.transforms.AffineTransform).parameters) == ["loc", "scale", "domain"]


def test_a_python_number_takes_the_dtype_of_the_arrays_beside_it():
    x = np.float32(0.5)
    for d in (dist.Normal(x, 2), dist.Normal(x), dist.Gamma(2.0, x), dist.StudentT(x, 0, 1.0), dist.Delta(x)):
        assert d.dtype == d.log_prob(x).dtype == d.sample(KEY).dtype == np.float32
    for d in (dist.Normal(0.5, 2), dist.Normal(x, np.float64(2.0)), dist.Normal(np.arange(3), 2.0)):
        assert d.dtype == d.log_prob(0.5).dtype == np.float64


# ---- constructors ----

@pytest.mark.parametrize("case, name", [(c, name) for c in CASES for name in c.bad], ids=label)
def test_a_bad_parameter_is_named(case, name):
    params = {**case.params[0], name: case.bad[name]}
    with pytest.raises(ChainruleError, match=rf"{name}.* must be"):
        case.family(**params)
    if name not in ("covariance_matrix",):
        case.family(**params, validate_args=False)


@each(lambda case: inspect.isclass(case.family) and len(case.params[0]) > 1 and not vector(case), every=False)
def test_parameters_that_do_not_broadcast_are_named(case, i):
    first, second = list(case.params[i])[:2]
    params = {**case.params[i], first: np.full(2, case.params[i][first]), second: np.full(3, case.params[i][second])}
    with pytest.raises(ChainruleError, match=rf"{first} of shape \(2,\) and {second} of shape \(3,\)"):
        case.family(**params)


# ---- wrapped ----

@each(every=False)
def test_expand_to_event_and_mask_keep_their_laws(case, i):
    d = case.make(i)
    x = points(case, i)[:3]
    log_p = np.asarray(d.log_prob(x))
    wide = d.expand_by((3,))
    assert wide.batch_shape == (3, *d.batch_shape) and wide.sample(KEY, (2,)).shape == (2, 3, *d.shape())
    np.testing.assert_allclose(np.asarray(wide.log_prob(x)), log_p, rtol=1e-12)
    event = wide.to_event(1)
    assert event.batch_shape == d.batch_shape[:0] + wide.batch_shape[:-1]
    np.testing.assert_allclose(np.asarray(wide.to_event().log_prob(x)), log_p.sum(), rtol=1e-12)
    mask = np.array([True, False, True]).reshape((3, *(1,) * len(d.batch_shape)))
    np.testing.assert_allclose(np.asarray(wide.mask(mask).log_prob(x)), np.where(mask, log_p, 0.0), rtol=1e-12)
    assert d.expand(d.batch_shape) is d and d.to_event(0) is d and d.mask(True) is d


def test_every_distribution_has_a_row():
    offered = [getattr(dist, name) for name in dist.__all__]
    classes = {c for c in offered if inspect.isclass(c) and issubclass(c, dist.Distribution)}
    assert classes - {dist.Distribution} == {c for case in CASES for c in case.covers} | set(NO_ROW)
