"""Single reparameterisations: families, learnt centring, one's own, mistakes, and the funnel by NUTS."""
import re

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
import chainrule.ppl.reparam as package
from chainrule.distributions import transforms
from chainrule.engine import cond, grad, jit, random, scan, vmap, while_loop
from chainrule.inference import MCMC, NUTS, Predictive, diagnostics
from chainrule.inference import reparam as exported
from chainrule.inference.reparam import (
    CircularReparam,
    DiscreteCosineReparam,
    HaarReparam,
    LocScaleReparam,
    NeuTraReparam,
    ProjectedNormalReparam,
    Reparam,
    TransformReparam,
    Unsuitable,
    as_transformed,
    core,
)
from chainrule.ppl import SiteError, log_density
from chainrule.ppl.handlers import block, condition, do, lift, mask, reparam, scale, seed, substitute, trace
from chainrule.ppl.model import site_log_prob, stage_model
from tests.distributions.cases import CASES
from tests.ppl.test_neutra import Affine, params


def recorded(model, *args, number=0):
    return trace(seed(model, number)).get_trace(*args)


def total(tr):
    return float(sum(cnp.sum(site_log_prob(k, s)) for k, s in tr.items() if s["type"] in ("sample", "factor")))


def test_the_names_are_exported():
    assert sorted(exported.__all__) == sorted(package.__all__)
    assert all(getattr(exported, name) is getattr(package, name) for name in package.__all__)


# ---- LocScaleReparam ----

def with_loc_and_scale():
    """{family: one of its distributions}"""
    found = {"Stable": dist.Stable(1.5, 0.5, 2.0, 1.0)}
    for case in CASES:
        try:
            d = core(case.make())
        except Exception:                                # a row whose family is a function of other arguments
            continue
        if {"loc", "scale"} <= {f.name for f in getattr(d, "_fields", ())} and type(d).__name__ not in found:
            found[type(d).__name__] = d
    return found


def test_every_family_is_accepted_where_the_law_holds_and_refused_where_it_does_not():
    """log p(z) = log p(x) + (1-c) log scale at draws, for each family with loc and scale."""
    accepted = set()
    for name, d in with_loc_and_scale().items():
        model = reparam(lambda d=d: cr.sample("x", d), {"x": LocScaleReparam(0.3)})
        try:
            tr = recorded(model)
        except SiteError:
            continue
        accepted.add(name)
        old = d.log_prob(tr["x"]["value"]) + 0.7 * cnp.log(d.scale)
        np.testing.assert_allclose(tr["x_decentered"]["fn"].log_prob(tr["x_decentered"]["value"]), old, rtol=1e-7,
                                   atol=1e-9, err_msg=name)
    assert accepted >= {"Normal", "StudentT", "Laplace", "Cauchy", "Gumbel", "Logistic", "SkewNormal", "JohnsonSU",
                        "Levy", "GeneralizedExtremeValue", "Stable"}
    assert not accepted & {"LogNormal", "LogitNormal", "ExGaussian", "NormalInverseGaussian", "AffineBeta"}


@pytest.mark.parametrize("c", [0.0, 0.3, 1.0])
def test_the_value_does_not_depend_on_the_centring(c):
    """The draw is loc + scale ε with ε of the key alone, whatever the part."""
    def model():
        return cr.sample("x", dist.Normal(np.array([1.0, -2.0]), np.array([0.5, 3.0])).to_event(1))
    tr = recorded(reparam(model, {"x": LocScaleReparam(c)}))
    names = ["x"] if c == 1.0 else ["x_decentered", "x"]
    assert list(tr) == names and tr["x"]["type"] == ("sample" if c == 1.0 else "deterministic")
    if c < 1.0:
        eps = (tr["x_decentered"]["value"] - c * np.array([1.0, -2.0])) / np.array([0.5, 3.0]) ** c
        np.testing.assert_allclose(tr["x"]["value"], np.array([1.0, -2.0]) + np.array([0.5, 3.0]) * eps, rtol=1e-12)


@pytest.mark.parametrize("change", [LocScaleReparam(0.0), LocScaleReparam(0.3), LocScaleReparam([0.0, 0.5, 1.0]),
                                    LocScaleReparam(), HaarReparam(), DiscreteCosineReparam(smooth=1.0)])
def test_single_precision_stays_single(change):
    loc, width = np.ones(3, np.float32), np.full(3, 2.0, np.float32)
    tr = recorded(reparam(lambda: cr.sample("x", dist.Normal(loc, width).to_event(1)), {"x": change}))
    assert {str(s["value"].dtype) for s in tr.values()} == {"float32"}


def hierarchy():
    tau = cr.sample("tau", dist.LogNormal(0.0, 1.0))
    with cr.plate("group", 4):
        return cr.sample("theta", dist.Normal(1.0, tau).expand((4, 3)).to_event(1))


def test_a_learnt_part_is_a_param_of_the_event():
    model = reparam(hierarchy, {"theta": LocScaleReparam(shape_params=["loc"])})
    tr = recorded(model)
    centring = tr["theta_centered"]
    assert (centring["type"], centring["value"].shape, centring["fn"].support) == (
        "param", (3,), dist.constraints.unit_interval)
    np.testing.assert_array_equal(centring["value"], 0.5)
    given = {"theta_centered": np.array([0.2, 0.5, 0.9]), "tau": 2.0, "theta_decentered": np.ones((4, 3))}
    lp, tr = log_density(model, (), {}, given)
    c = given["theta_centered"]
    expected = stats.norm(c, 2.0 ** c).logpdf(1.0).sum() * 4 + stats.lognorm(1.0).logpdf(2.0)
    assert float(lp) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(tr["theta"]["value"], np.tile(1.0 + 2.0 ** (1 - c) * (1.0 - c), (4, 1)), rtol=1e-13)

    def loss(c):
        return log_density(model, (), {}, {**given, "theta_centered": c})[0]
    h = 1e-6 * np.eye(3)
    slopes = [(float(loss(c + e)) - float(loss(c - e))) / 2e-6 for e in h]
    np.testing.assert_allclose(grad(loss)(c), slopes, rtol=1e-6, atol=1e-7)
    lifted = recorded(lift(model, {"theta_centered": dist.Uniform(0.0, 1.0)}))
    assert lifted["theta_centered"]["type"] == "sample"


def test_a_learnt_part_is_one_for_all_lanes_and_steps():
    def lane(x):
        return cr.sample("x", dist.Normal(x, 2.0))
    for model in (lambda: vmap(lane)(np.arange(3.0)),
                  lambda: scan(lambda c, x: (c, lane(x)), 0.0, np.arange(3.0))[1],
                  lambda: jit(vmap(lane))(np.arange(3.0))):
        tr = recorded(reparam(model, {"x": LocScaleReparam()}))
        assert tr["x_centered"]["value"].shape == () and tr["x"]["value"].shape == (3,)
        np.testing.assert_array_equal(np.asarray(tr["x_decentered"]["fn"].mean), 0.5 * np.arange(3.0))


def test_the_part_must_lie_between_0_and_1():
    for bad in (-0.1, 1.5, np.array([0.0, 2.0]), "half"):
        with pytest.raises(ValueError, match="between 0 and 1"):
            LocScaleReparam(bad)


# ---- where the new sites stand ----

def test_the_new_sites_have_the_plates_mask_and_scale_of_the_old():
    keep = np.array([True, False, True])

    def model():
        with cr.plate("i", 9, subsample_size=3), scale(scale=0.5), mask(mask=keep):
            return cr.sample("x", dist.Normal(1.0, 2.0).expand((3, 2)).to_event(1), infer={"a": 1})

    def around_the_plate():
        return reparam(model, {"x": LocScaleReparam(0.0)})()

    def inside_of_the_plate():
        with cr.plate("i", 9, subsample_size=3), reparam(config={"x": LocScaleReparam(0.0)}):
            with scale(scale=0.5), mask(mask=keep):
                return cr.sample("x", dist.Normal(1.0, 2.0).expand((3, 2)).to_event(1), infer={"a": 1})

    for changed in (around_the_plate, inside_of_the_plate):
        tr = recorded(changed)
        new, old = tr["x_decentered"], recorded(model)["x"]
        assert new["cond_indep_stack"] == old["cond_indep_stack"] and new["infer"] == {"a": 1}
        np.testing.assert_array_equal(new["mask"], keep)
        assert float(new["scale"]) == 1.5 and tr["x"]["scale"] is None and tr["x"]["mask"] is None
        assert total(tr) == pytest.approx(1.5 * stats.norm.logpdf(new["value"])[keep].sum(), rel=1e-13)


def test_the_dimensions_of_the_old_site_keep_their_names():
    program, data = stage_model(reparam(hierarchy, {"theta": LocScaleReparam(0.0)}))
    program.describe(data)
    assert program.dims == {"tau": [], "theta_decentered": ["group", None], "theta": ["group", None]}
    assert [v.name for v in program.latents] == ["tau", "theta_decentered"]


def test_the_function_runs_once():
    calls = []

    def model(y):
        calls.append(1)
        mu = cr.sample("mu", dist.Normal(0.0, 10.0))
        cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    program, data = stage_model(reparam(model, {"mu": LocScaleReparam(0.0)}), (np.ones(3),))
    program.describe(data)
    z = {"mu_decentered": np.asarray(0.1)}
    assert float(program.constrained(z, data)["mu"]) == 1.0
    expected = stats.norm.logpdf(0.1) + stats.norm.logpdf(1.0, 1.0, 1.0) * 3
    assert float(program.log_joint(z, data, True)) == pytest.approx(expected, rel=1e-13)
    assert calls == [1]


def test_it_is_a_context_and_a_decorator():
    config = {"x": LocScaleReparam(0.0)}

    @reparam(config=config)
    def decorated():
        return cr.sample("x", dist.Normal(1.0, 2.0))
    with trace() as tr, seed(rng_seed=0), reparam(config=config):
        x = cr.sample("x", dist.Normal(1.0, 2.0))
    assert list(tr) == ["x_decentered", "x"] and float(x) == float(seed(decorated, 0)())


def test_intervening_on_a_reparameterised_site():
    def model():
        x = cr.sample("x", dist.Normal(1.0, 2.0))
        return cr.sample("y", dist.Normal(x, 1.0))
    changed = reparam(model, {"x": LocScaleReparam(0.0)})
    free = recorded(changed)
    for cut in (do(changed, {"x": 50.0}), reparam(do(model, {"x": 50.0}), {"x": LocScaleReparam(0.0)})):
        cut = recorded(cut)
        assert float(cut["x"]["value"]) == float(free["x"]["value"]) and float(cut["y"]["fn"].loc) == 50.0
        assert cut["x"]["infer"] == {"reparam": "LocScaleReparam"}


def test_reparameterisations_follow_one_another_in_handlers_too():
    def model():
        return cr.sample("x", dist.LogNormal(1.0, 2.0))
    twice = reparam(reparam(model, {"x": TransformReparam()}), {"x_base": LocScaleReparam(0.0)})
    once = reparam(model, {"x": TransformReparam(), "x_base": LocScaleReparam(0.0)})
    a, b = recorded(twice), recorded(once)
    assert list(a) == list(b) == ["x_base_decentered", "x_base", "x"]
    assert all(float(a[k]["value"]) == float(b[k]["value"]) for k in a)


def test_draws_from_the_posterior_predictive_use_the_new_sites():
    def model():
        mu = cr.sample("mu", dist.Normal(0.0, 10.0))
        cr.sample("y", dist.Normal(mu, 1e-6))
    out = Predictive(reparam(model, {"mu": LocScaleReparam(0.0)}), {"mu_decentered": np.array([1.0, -2.0])})(0)
    np.testing.assert_allclose(out["mu"], [10.0, -20.0])
    np.testing.assert_allclose(out["y"], [10.0, -20.0], atol=1e-4)


# ---- one's own ----

class Log(Reparam):
    """The whole of a user's own: a positive site by its logarithm."""
    same_draw = True

    def __call__(self, name, fn, obs):
        if not core(fn).support == dist.constraints.positive:
            raise Unsuitable("Log is for positive numbers.")
        z = cr.sample(f"{name}_log", dist.TransformedDistribution(fn, transforms.ExpTransform().inv))
        return None, cnp.exp(z)


class Other(Reparam):
    """Draw from another distribution."""
    def __call__(self, name, fn, obs):
        return dist.Uniform(0.0, 1.0).expand(fn.batch_shape), None


class Steps(Reparam):
    """One with a program of its own: a sum of steps, in a scan inside of a jit."""
    def __call__(self, name, fn, obs):
        def step(total, _):
            return total + cr.sample(f"{name}_step", dist.Normal(0.0, fn.scale * np.sqrt(0.25))), None
        return None, jit(lambda start: scan(step, start, None, length=4)[0])(fn.loc)


def gammas(x):
    with cr.plate("i", 2):
        return cr.sample("x", dist.Gamma(2.0, x))


def test_one_of_ones_own_goes_through_everything():
    for model, shape in ((gammas, (2,)), (lambda x: vmap(gammas)(x * np.ones(3)), (3, 2)),
                         (lambda x: scan(lambda c, _: (c, gammas(x)), 0.0, None, length=3)[1], (3, 2)),
                         (lambda x: jit(lambda x: cond(x > 0, gammas, lambda x: x * np.ones(2), x))(x), (2,))):
        tr = recorded(reparam(model, {"x": Log()}), 1.5)
        assert list(tr) == ["x_log", "x"] and tr["x"]["value"].shape == shape
        z = np.asarray(tr["x_log"]["value"])
        expected = np.sum(stats.gamma(2.0, scale=1 / 1.5).logpdf(np.exp(z)) + z)
        assert total(tr) == pytest.approx(expected, rel=1e-12)
        assert tr["x_log"]["cond_indep_stack"] == recorded(model, 1.5)["x"]["cond_indep_stack"]
    tr = recorded(reparam(gammas, {"x": Other()}), 1.5)
    assert list(tr) == ["x"] and type(core(tr["x"]["fn"])).__name__ == "Uniform"


def test_one_of_ones_own_may_have_loops():
    def model():
        return vmap(lambda m: cr.sample("x", dist.Normal(m, 2.0)))(np.array([0.0, 100.0]))
    tr = recorded(reparam(model, {"x": Steps()}))
    steps = np.asarray(tr["x_step"]["value"])
    assert steps.shape == (2, 4)
    np.testing.assert_allclose(tr["x"]["value"], [0.0, 100.0] + steps.sum(1), rtol=1e-13)
    assert total(tr) == pytest.approx(stats.norm.logpdf(steps, 0.0, 1.0).sum(), rel=1e-13)


def test_sites_in_a_while_loop_are_drawn_by_the_new_ones():
    def model(spread):
        return while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] + normal("x", dist.Normal(0.0, spread))),
                          (0, 0.0))[1]
    changed = reparam(model, {"x": LocScaleReparam(0.0)})
    one, five = float(seed(changed, 0)(1.0)), float(seed(changed, 0)(5.0))
    key = seed(model, 0).fresh()
    z = [float(random.normal(random.fold_in(key.key_of("x_decentered"), i))) for i in range(3)]
    assert (one, five) == (pytest.approx(sum(z), rel=1e-13), pytest.approx(5.0 * sum(z), rel=1e-13))


def test_a_family_is_registered_as_transformed():
    @as_transformed.register
    def _(fn: dist.Weibull):
        return dist.Exponential(1.0).expand(fn.batch_shape), transforms.ComposeTransform([
            transforms.PowerTransform(1.0 / fn.concentration),
            transforms.AffineTransform(0.0, fn.scale, dist.constraints.positive)])
    tr = recorded(reparam(lambda: cr.sample("x", dist.Weibull(2.0, 3.0)), {"x": TransformReparam()}))
    z, x = tr["x_base"]["value"], tr["x"]["value"]
    assert float(x) == pytest.approx(2.0 * float(z) ** (1 / 3.0), rel=1e-13)
    expected = stats.weibull_min(3.0, scale=2.0).logpdf(x) + np.log(2.0 / 3.0 * float(z) ** (1 / 3.0 - 1))
    assert total(tr) == pytest.approx(expected, rel=1e-12)


# ---- mistakes ----

def normal(name="x", fn=None, **options):
    return cr.sample(name, fn or dist.Normal(0.0, 1.0), **options)


def gamma_in_vmap():
    return vmap(lambda r: cr.sample("x", dist.Gamma(r, 1.0)))(np.ones(3))


class Nothing(Reparam):
    def __call__(self, name, fn, obs):
        return None, None


class Short(Reparam):
    def __call__(self, name, fn, obs):
        return None, cnp.sum(cr.sample(f"{name}_part", dist.Normal(0.0, 1.0).expand(fn.batch_shape)))


class Shared(Reparam):
    def __call__(self, name, fn, obs):
        return None, cr.sample(f"{name}_one", dist.Normal(0.0, 1.0)) * cnp.ones(fn.batch_shape)


def in_plate():
    with cr.plate("i", 3):
        return normal()


def neutra_of_another_size():
    def model(n):
        return cr.sample("x", dist.Normal(np.zeros(n), 1.0))
    return NeuTraReparam(Affine(model, 3), params(3)).reparam(model)(4)


MISTAKES = {
    "reparam of an unknown site": lambda: reparam(normal, {"y": LocScaleReparam(0.0), "x": LocScaleReparam(0.0)})(),
    "reparam of an observed site": lambda: reparam(normal, {"x": LocScaleReparam(0.0)})(obs=1.0),
    "reparam of a site that is conditioned inside": lambda: reparam(condition(normal, {"x": 1.0}),
                                                                   {"x": LocScaleReparam(0.0)})(),
    "reparam of a site with a value": lambda: reparam(substitute(normal, {"x": 1.0}), {"x": LocScaleReparam(0.0)})(),
    "condition on a reparameterised site": lambda: condition(reparam(normal, {"x": LocScaleReparam(0.0)}),
                                                             {"x": 1.0})(),
    "a gamma decentered": lambda: reparam(gamma_in_vmap, {"x": LocScaleReparam(0.0)})(),
    "a part for each element of another event": lambda: reparam(in_plate, {"x": LocScaleReparam([0.1, 0.2, 0.3])})(),
    "unknown shape_params": lambda: reparam(normal, {"x": LocScaleReparam(0.0, ["df"])})(),
    "a normal as transformed": lambda: reparam(normal, {"x": TransformReparam()})(),
    "a transform over plates": lambda: reparam(in_plate, {"x": HaarReparam()})(),
    "a normal as circular": lambda: reparam(normal, {"x": CircularReparam()})(),
    "a normal as a direction": lambda: reparam(normal, {"x": ProjectedNormalReparam()})(),
    "neutra as a config": lambda: reparam(normal, {"x": NeuTraReparam(Affine(normal), params(1))})(),
    "neutra of another size": lambda: seed(neutra_of_another_size, 0)(),
    "neutra without a prototype": lambda: NeuTraReparam(object(), {}),
    "neutra of integers": lambda: NeuTraReparam(Affine(lambda: normal("k", dist.Poisson(1.0))), params(1)),
    "reparam without a config": lambda: reparam(normal),
    "a reparameterisation that gives nothing": lambda: reparam(normal, {"x": Nothing()})(),
    "a reparameterisation of another shape": lambda: reparam(in_plate, {"x": Short()})(),
    "a new site without the plates": lambda: reparam(in_plate, {"x": Shared()})(),
    "an unknown part of the way": lambda: LocScaleReparam(1.5),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_text_of_each_mistake(name, golden):
    with pytest.raises((SiteError, TypeError, ValueError)) as caught:
        seed(MISTAKES[name], 0)()
    text = re.sub(r"(\w+\.py):\d+", r"\1:NN", str(caught.value))
    if isinstance(caught.value, SiteError):
        assert "at test_reparam.py:NN" in text
    golden(f"ppl/{name.replace(' ', '_')}.txt", f"{type(caught.value).__name__}: {text}")


def test_what_is_no_mistake():
    seed(reparam(normal, lambda site: None if site["is_observed"] else LocScaleReparam(0.0)), 0)(obs=1.0)
    seed(reparam(in_plate, {"x": None}), 0)()
    seed(reparam(lambda: normal("x", dist.Uniform(-np.pi, np.pi)), {"x": CircularReparam()}), 0)()
    hidden = block(seed(reparam(normal, {"x": LocScaleReparam(0.0)}), 0), hide=["x_decentered"])
    assert list(trace(hidden).get_trace()) == ["x"]


# ---- posteriors ----

def funnel():
    """Neal's funnel: v ~ N(0, 3), x ~ N(0, exp(v / 2)) in nine dimensions, with nothing observed."""
    v = cr.sample("v", dist.Normal(0.0, 3.0))
    with cr.plate("i", 9):
        cr.sample("x", dist.Normal(0.0, cnp.exp(0.5 * v)))


@pytest.mark.slow
def test_nuts_has_the_margin_of_the_funnel():
    """v is N(0, 3) exactly: mean and standard deviation within 4 standard errors at the effective sample size, and the
    tails are reached. False alarm 1e-4, the key fixed."""
    mcmc = MCMC(NUTS(reparam(funnel, {"x": LocScaleReparam(0.0)})), num_warmup=500, num_samples=2000, num_chains=2,
                progress_bar=False)
    mcmc.run(random.key(0))
    samples = mcmc.get_samples()
    v, x = np.asarray(samples["v"]), np.asarray(samples["x"])
    n = float(diagnostics.effective_sample_size(np.asarray(mcmc.get_samples(group_by_chain=True)["v"])))
    assert n > 1000
    assert abs(v.mean()) < 4 * 3.0 / np.sqrt(n)
    assert abs(v.std() - 3.0) < 4 * 3.0 / np.sqrt(2 * n)
    assert v.min() < -6.0 and v.max() > 6.0
    standard = x / np.exp(0.5 * v)[:, None]
    assert abs(standard.mean()) < 4 / np.sqrt(9 * n) and abs(standard.std() - 1.0) < 4 / np.sqrt(2 * 9 * n)


def angles():
    """An angle whose posterior lies across the seam at ±π."""
    a = cr.sample("a", dist.VonMises(0.5, 2.0))
    cr.sample("y", dist.VonMises(a, 5.0), obs=np.array([3.0, -3.1, 3.1]))


@pytest.mark.slow
def test_nuts_goes_around_the_circle():
    """E cos and E sin of the angle against quadrature, within 4 Monte Carlo standard errors. False alarm 1e-4, the key
    fixed."""
    mcmc = MCMC(NUTS(reparam(angles, {"a": CircularReparam()})), num_warmup=500, num_samples=2000, num_chains=2,
                progress_bar=False)
    mcmc.run(random.key(0))
    a = np.asarray(mcmc.get_samples(group_by_chain=True)["a"])
    grid = np.linspace(-np.pi, np.pi, 20001)
    weight = stats.vonmises(2.0, 0.5).pdf(grid)
    for y in (3.0, -3.1, 3.1):
        weight = weight * stats.vonmises(5.0, y).pdf(grid)
    for f in (np.cos, np.sin):
        expected = np.sum(weight * f(grid)) / np.sum(weight)
        assert abs(f(a).mean() - expected) < 4 * float(diagnostics.mcse_mean(f(a)))
    assert (a < -3.0).any() and (a > 3.0).any()
