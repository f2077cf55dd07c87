"""The laws of reparameterisation: every row × every nesting of transformations, against densities written by hand."""
import itertools

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, vmap
from chainrule.inference.reparam import LocScaleReparam, ProjectedNormalReparam, core
from chainrule.ppl import log_density
from chainrule.ppl.handlers import condition, mask, reparam, replay, scale, scope, seed, substitute, trace
from chainrule.ppl.model import site_log_prob
from tests.ppl.reparam_rows import ROWS, within
from tests.ppl.rows import MODELS, TRANSFORMS, nested

pytestmark = pytest.mark.slow

X = 0.35
ALONE = [(m, ()) for m in ROWS]
SINGLE = [(m, (t,)) for m in ROWS for t in TRANSFORMS]
PAIRS = [(m, pair) for m in ("chain", "plates")
         for pair in itertools.product(("vmap", "scan", "cond", "jit"), repeat=2)]
DEEP = [("partly", ("vmap", "scan", "vmap")), ("chain", ("scan", "vmap", "scan")), ("plates", ("cond", "scan", "vmap")),
        ("chain", ("vmap", "vmap", "custom_vjp")), ("haar", ("vmap", "cond", "scan"))]
EVERY = ALONE + SINGLE + PAIRS + DEEP


def rows(cases):
    return pytest.mark.parametrize("name, transforms", cases, ids=["-".join((m, *t)) for m, t in cases])


@pytest.fixture(autouse=True)
def without_compilation():
    with config(disable_jit=True):
        yield


def changed(name, transforms):
    """(the reparameterised model around the transformations, its row)"""
    row = within(ROWS[name].row, transforms)
    return reparam(row.model, ROWS[name].config), row


def values(tr, kind="sample"):
    return {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] == kind and not s["is_observed"]}


def total(tr):
    return float(sum(cnp.sum(site_log_prob(k, s)) for k, s in tr.items() if s["type"] == "sample"))


def by_lane(f, given, lead, index=()):
    """f({site: value of one lane}) for each lane, stacked."""
    if not lead:
        return f({k: v[index] for k, v in given.items()})
    rows = [by_lane(f, given, lead[1:], (*index, i)) for i in range(lead[0])]
    return {k: np.stack([r[k] for r in rows]) for k in rows[0]}


@rows(EVERY)
def test_the_density_is_the_old_one_plus_the_log_determinant(name, transforms):
    model, row = changed(name, transforms)
    tr = trace(seed(model, 0)).get_trace(X)
    new = values(tr)
    assert not set(new) & set(ROWS[name].config) - {"c_base"}
    expected = row.score(X, new)
    assert total(tr) == pytest.approx(expected, rel=1e-11)
    assert float(log_density(model, (X,), {}, new)[0]) == pytest.approx(expected, rel=1e-11)
    alone = trace(seed(reparam(ROWS[name].model, ROWS[name].config), 0)).get_trace(X)
    assert list(tr) == list(alone)
    for k, s in tr.items():
        assert s["value"].shape == (*row.lead, *alone[k]["value"].shape), k


@rows(ALONE + [(m, t) for m, t in SINGLE if t[0] in ("jit", "checkpoint", "cond", "switch", "vmap of nothing")])
def test_the_old_sites_are_what_the_formula_makes_of_the_new(name, transforms):
    model, row = changed(name, transforms)
    tr = trace(seed(model, 0)).get_trace(X)
    expected = by_lane(lambda v: ROWS[name].sites(X, v), values(tr), row.lead)
    assert values(tr, "deterministic").keys() == {k for k in expected}
    for k, v in expected.items():
        np.testing.assert_allclose(tr[k]["value"], v, rtol=1e-12, atol=1e-13, err_msg=k)


@rows(ALONE + SINGLE + DEEP)
def test_around_a_transformation_it_is_what_it_is_inside(name, transforms):
    outside, row = changed(name, transforms)
    inner = ROWS[name].row._replace(model=reparam(ROWS[name].model, ROWS[name].config))
    models = outside, within(inner, transforms).model
    np.testing.assert_allclose(*[np.asarray(seed(m, 0)(X)) for m in models], rtol=1e-11, atol=1e-13)
    a, b = [trace(seed(m, 0)).get_trace(X) for m in models]
    assert list(a) == list(b)
    for k in a:
        np.testing.assert_allclose(a[k]["value"], b[k]["value"], rtol=1e-12, atol=1e-13, err_msg=k)
        assert a[k]["cond_indep_stack"] == b[k]["cond_indep_stack"], k
        assert a[k]["type"] == b[k]["type"]
        if a[k]["type"] == "sample":
            np.testing.assert_allclose(site_log_prob(k, a[k]), site_log_prob(k, b[k]), rtol=1e-11, atol=1e-13)


@rows(ALONE + [(m, ("vmap",)) for m in ROWS])
def test_the_value_is_the_draw_with_the_new_key(name, transforms):
    """What `same_draw` says, so that derivatives of draws inside of the model are the old ones."""
    model, row = changed(name, transforms)
    names = list(ROWS[name].config)
    if len(names) > 1:
        return
    first = seed(model, 0).fresh()
    new, old = trace(seed(model, 0)).get_trace(X), trace(seed(row.model, 0)).get_trace(X)
    drawn, = [k for k, s in new.items() if s["type"] == "sample"]
    np.testing.assert_allclose(old["x"]["fn"].sample(first.key_of(drawn)), new["x"]["value"], rtol=1e-12, atol=1e-13)


@rows(ALONE + [(m, (t,)) for m in ("partly", "chain", "plates", "explicit", "haar") for t in TRANSFORMS if t != "grad"])
def test_the_gradient_is_the_difference(name, transforms):
    model, row = changed(name, transforms)
    params = values(trace(seed(model, 0)).get_trace(X))
    gx, gp = grad(lambda x, p: log_density(model, (x,), {}, p)[0], argnums=(0, 1))(X, params)
    h = 1e-6
    slope = (row.score(X + h, params) - row.score(X - h, params)) / (2 * h)
    assert float(gx) == pytest.approx(slope, rel=1e-6, abs=1e-7)
    for k, v in params.items():
        index = tuple(n - 1 for n in v.shape)
        up, down = v.copy(), v.copy()
        up[index] += h
        down[index] -= h
        slope = (row.score(X, {**params, k: up}) - row.score(X, {**params, k: down})) / (2 * h)
        assert float(gp[k][index]) == pytest.approx(slope, rel=1e-6, abs=1e-7), k


@rows([(m, t) for m in ("normal", "chain", "plates") for t in ((), ("vmap",), ("scan",), ("jit",))])
def test_handlers_around_it_see_the_new_sites(name, transforms):
    model, row = changed(name, transforms)
    tr = trace(seed(model, 0)).get_trace(X)
    new = values(tr)
    plain = row.score(X, new)
    assert float(log_density(scale(model, scale=3.0), (X,), {}, new)[0]) == pytest.approx(3.0 * plain, rel=1e-11)
    assert float(log_density(mask(model, mask=False), (X,), {}, new)[0]) == 0.0
    for again in (replay(model, tr), substitute(model, new), condition(model, new)):
        second = trace(again).get_trace(X)
        for k in tr:
            np.testing.assert_array_equal(second[k]["value"], tr[k]["value"], err_msg=k)
    assert list(trace(seed(scope(model, prefix="p"), 0)).get_trace(X)) == [f"p/{k}" for k in tr]


@rows([(m, t) for m in ("chain", "plates") for t in ((), ("vmap",), ("scan",))])
def test_mapping_and_compiling_a_reparameterised_model(name, transforms):
    model, row = changed(name, transforms)
    xs = np.array([0.2, 0.4])

    def one(x):
        tr = trace(seed(model, 0)).get_trace(x)
        new = {k: s["value"] for k, s in tr.items() if s["type"] == "sample" and not s["is_observed"]}
        return {k: s["value"] for k, s in tr.items()}, log_density(model, (x,), {}, new)[0]

    mapped, densities = vmap(one)(xs)
    with config(disable_jit=False):
        compiled, density = jit(one)(0.2)
    for i in range(2):
        expected, lp = one(xs[i])
        for k in expected:
            np.testing.assert_allclose(mapped[k][i], expected[k], rtol=1e-12, atol=1e-14, err_msg=k)
            if i == 0:
                np.testing.assert_allclose(compiled[k], expected[k], rtol=1e-11, atol=1e-13, err_msg=k)
        np.testing.assert_allclose(densities[i], lp, rtol=1e-11)
    np.testing.assert_allclose(density, one(0.2)[1], rtol=1e-11)


@pytest.mark.parametrize("transforms", [(), ("vmap",), ("scan",), ("vmap", "scan"), ("cond",), ("custom_vjp",)],
                         ids="-".join)
@pytest.mark.parametrize("name", MODELS)
def test_a_config_that_gives_nothing_changes_nothing(name, transforms):
    model = nested(name, transforms).model
    plain = trace(seed(model, 0)).get_trace(X)

    def centred(site):
        latent_normal = isinstance(core(site["fn"]), dist.Normal) and not site["is_observed"]
        return LocScaleReparam(1.0) if latent_normal else None

    for nothing in ({}, lambda site: None, centred):
        tr = trace(seed(reparam(model, nothing), 0)).get_trace(X)
        assert list(tr) == list(plain)
        for k, s in plain.items():
            np.testing.assert_array_equal(tr[k]["value"], s["value"], err_msg=k)
            assert (tr[k]["type"], tr[k]["cond_indep_stack"]) == (s["type"], s["cond_indep_stack"])
            assert type(tr[k]["fn"]) is type(s["fn"])


# ---- draws ----

MARGINALS = {                                            # of x at X, elementwise; S = (0.5, 1, 2)
    "partly": lambda i: stats.norm(X, [0.5, 1.0, 2.0][i]),
    "student": lambda i: stats.t(4.0, X, [0.5, 1.0, 2.0][i]),
    "cauchy": lambda i: stats.cauchy(X, 2.0),
    "affine": lambda i: stats.norm(X, [0.5, 1.0, 2.0][i]),
    "log-normal": lambda i: stats.lognorm([0.5, 1.0, 2.0][i], scale=np.exp(X)),
    "multivariate": lambda i: stats.norm([0.175, 0.35, 0.7][i], [1.0, np.hypot(0.3, 2.0), np.sqrt(0.78)][i]),
    "explicit": lambda i: stats.gamma([0.5, 1.0, 2.0][i], scale=1 / (1 + X ** 2)),
    "haar": lambda i: stats.norm(0.0, (1 + X ** 2) * np.sqrt(i + 1)),
    "smooth cosines": lambda i: stats.norm(0.0, (1 + X ** 2) * np.sqrt(i + 1)),
    "circular": lambda i: stats.vonmises([0.5, 1.0, 2.0][i], X),
}


@pytest.mark.parametrize("name", MARGINALS)
def test_draws_have_the_old_distribution(name):
    """Kolmogorov-Smirnov at level 1e-4 for each of 30 margins, 2,000 draws by vmap: false alarm 3e-3, the key fixed."""
    model = reparam(lambda x: vmap(ROWS[name].model)(x * np.ones(2000)), ROWS[name].config)
    x = np.asarray(trace(seed(model, 5)).get_trace(X)["x"]["value"])
    for i in range(3):
        draws, law = x[:, i], MARGINALS[name](i)
        cdf = law.cdf
        if name == "circular":                           # angles count from -π, and SciPy's from loc - π
            cdf = lambda a, law=law: law.cdf(a) - law.cdf(-np.pi)  # noqa: E731
        assert stats.kstest(draws, cdf).pvalue > 1e-4


def test_a_direction_has_the_old_distribution():
    """The angle of a projected normal, against its distribution function by quadrature; level 1e-4, the key fixed."""
    law = dist.ProjectedNormal([1.0, 0.5])
    model = reparam(lambda: vmap(lambda i: cr.sample("x", law))(np.arange(2000)), {"x": ProjectedNormalReparam()})
    x = np.asarray(seed(model, 7)())
    angles = np.linspace(-np.pi, np.pi, 4001)
    density = np.exp(np.asarray(law.log_prob(np.stack([np.cos(angles), np.sin(angles)], -1))))
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(angles))])
    assert stats.kstest(np.arctan2(x[:, 1], x[:, 0]), lambda a: np.interp(a, angles, cumulative)).pvalue > 1e-4


def test_the_config_may_be_a_function_of_one_lane():
    """A rule in place of names: it sees the family in vmap too, and is not asked again about what it made."""
    asked = []

    def rule(site):
        asked.append((site["name"], type(site["fn"]).__name__))
        return LocScaleReparam(0.0) if isinstance(site["fn"], dist.Normal) and not site["is_observed"] else None

    for transforms in ((), ("vmap",), ("vmap", "vmap")):
        row = within(ROWS["chain"].row, transforms)
        asked.clear()
        tr = trace(seed(reparam(row.model, rule), 0)).get_trace(X)
        assert list(tr) == ["a_decentered", "a", "b", "c", "y"]
        assert asked == [("a", "Normal"), ("a_decentered", "Normal"), ("b", "Laplace"), ("c", "LogNormal"),
                         ("y", "Normal")]
