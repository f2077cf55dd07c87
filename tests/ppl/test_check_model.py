"""The check of models: each rule finds what it is for, and nothing where nothing is wrong."""
import importlib.util
import pathlib
import re

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import constraints
from chainrule.engine import jit, scan, vmap, while_loop
from chainrule.engine.scipy import special
from chainrule.ppl import check_model
from chainrule.ppl.handlers import mask, scope
from tests.ppl.rows import MODELS

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
Y = np.array([0.3, -0.2, 1.5])
COUNTS = np.array([3, 0, 2])


def normal(name, loc=0.0, sd=1.0, **options):
    return cr.sample(name, dist.Normal(loc, sd), **options)


def found(model, *args):
    return [(f.rule, f.site) for f in check_model(model, args)]


def likelihood(prior, use):
    """A model that gives a site's value to a likelihood."""
    def model():
        x = cr.sample("x", prior)
        cr.sample("y", use(x), obs=1.0)
    return model


POSITIVE = dist.Gamma(2.0, 1.0)
REAL = dist.Normal(0.0, 1.0)
MISMATCHES = {
    "a scale that may be negative": (REAL, lambda x: dist.Normal(0.0, x)),
    "a rate that may be negative": (REAL, lambda x: dist.Poisson(x)),
    "a probability that may be negative": (REAL, lambda x: dist.Bernoulli(probs=x)),
    "a probability above one": (POSITIVE, lambda x: dist.Bernoulli(probs=x)),
    "an odds ratio for a probability": (REAL, lambda x: dist.Bernoulli(probs=cnp.exp(x))),
    "a negated scale": (POSITIVE, lambda x: dist.Normal(0.0, -x)),
    "a shifted scale": (POSITIVE, lambda x: dist.Normal(0.0, x - 1.0)),
    "a logarithm for a scale": (POSITIVE, lambda x: dist.Normal(0.0, cnp.log(x))),
    "a scaled uniform": (dist.Uniform(-1.0, 1.0), lambda x: dist.Normal(0.0, 3.0 * x)),
    "a scale in the corner of a wrapper": (REAL, lambda x: dist.Normal(0.0, x).expand((1,)).mask(np.array([True]))),
    "a scale inside of a transform": (REAL, lambda x: dist.LogNormal(0.0, x)),
    "a scale under a truncation": (REAL, lambda x: dist.TruncatedNormal(0.0, x, low=0.0)),
    "a tanh for a probability": (REAL, lambda x: dist.Bernoulli(probs=cnp.tanh(x))),
    "a cube for a scale": (REAL, lambda x: dist.Normal(0.0, x ** 3)),
}
MATCHES = {
    "exp": (REAL, lambda x: dist.Normal(0.0, cnp.exp(x))),
    "abs": (REAL, lambda x: dist.Normal(0.0, cnp.abs(x))),
    "square": (REAL, lambda x: dist.Normal(0.0, x ** 2 + 1e-6)),
    "a product with itself": (REAL, lambda x: dist.Normal(0.0, x * x)),
    "softplus": (REAL, lambda x: dist.Normal(0.0, cnp.logaddexp(x, 0.0))),
    "a sum of dependent terms": (REAL, lambda x: dist.Normal(0.0, x - x + 1.0)),
    "a polynomial without roots": (REAL, lambda x: dist.Normal(0.0, x ** 2 - x + 1.0)),
    "expit": (REAL, lambda x: dist.Bernoulli(probs=special.expit(x))),
    "logits": (REAL, lambda x: dist.Bernoulli(logits=x)),
    "half of one plus tanh": (REAL, lambda x: dist.Bernoulli(probs=0.5 * (1.0 + cnp.tanh(x)))),
    "one minus a probability": (dist.Beta(2.0, 2.0), lambda x: dist.Bernoulli(probs=1.0 - x)),
    "a reciprocal": (POSITIVE, lambda x: dist.Normal(0.0, 1.0 / x)),
    "a root of a reciprocal": (POSITIVE, lambda x: dist.Normal(0.0, 1.0 / cnp.sqrt(x))),
    "clipped": (REAL, lambda x: dist.Normal(0.0, cnp.maximum(x, 0.1))),
    "chosen": (REAL, lambda x: dist.Normal(0.0, cnp.where(x > 0, x, 1.0))),
    "a positive uniform": (dist.Uniform(1.0, 2.0), lambda x: dist.Normal(0.0, 3.0 * x - 2.0)),
    "a location": (REAL, lambda x: dist.Normal(x, 1.0)),
    "an element of a simplex": (dist.Dirichlet(np.ones(3)), lambda x: dist.Bernoulli(probs=x[1])),
    "a concentration": (POSITIVE, lambda x: dist.Beta(x, 1.0).mask(False)),
    "a bound": (POSITIVE, lambda x: dist.Uniform(0.0, x + 5.0)),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_a_parameter_that_leaves_its_set_is_found(name):
    findings = check_model(likelihood(*MISMATCHES[name]))
    assert [(f.rule, f.site) for f in findings if f.rule != "data-outside"] == [("support-mismatch", "y")]
    text = str(findings)
    assert "'x' ~ " in text and "must be" in text and "at test_check_model.py" in text
    assert "Give it a" in text


@pytest.mark.parametrize("name", MATCHES)
def test_a_parameter_that_stays_in_its_set_is_not(name):
    assert found(likelihood(*MATCHES[name])) == []


def test_supports_of_vectors_and_matrices():
    def weights():
        w = cr.sample("w", dist.Normal(np.zeros(3), 1.0).to_event(1))
        cr.sample("k", dist.Categorical(probs=w), obs=1)
    assert found(weights) == [("support-mismatch", "k")]
    assert "Dirichlet" in str(check_model(weights))

    def fine():
        w = cr.sample("w", dist.Normal(np.zeros(3), 1.0).to_event(1))
        p = cr.sample("p", dist.Dirichlet(np.ones(3)))
        cr.sample("k", dist.Categorical(probs=p), obs=1)
        cr.sample("l", dist.Categorical(logits=w), obs=1)
        c = cr.sample("c", dist.LKJCholesky(2, 1.0))
        cr.sample("v", dist.MultivariateNormal(np.zeros(2), scale_tril=2.0 * c), obs=np.zeros(2))
    assert found(fine) == []


def test_a_regression_without_a_link_is_found():
    def counts(x, y):
        a, b = normal("a"), normal("b")
        with cr.plate("n", len(y)):
            cr.sample("y", dist.Poisson(a + b * x), obs=y)

    def matrix(x, y):
        b = cr.sample("b", dist.Normal(np.zeros(2), 1.0).to_event(1))
        with cr.plate("n", len(y)):
            cr.sample("y", dist.Poisson(cnp.exp(x @ b) if x.shape[0] == 2 else x @ b), obs=y)

    assert found(counts, Y, COUNTS) == [("support-mismatch", "y")]
    assert found(matrix, np.ones((3, 2)), COUNTS) == [("support-mismatch", "y")]
    assert found(matrix, np.ones((2, 2)), COUNTS[:2]) == []


def test_supports_are_followed_through_programs_params_and_deterministic_sites():
    def model():
        s = normal("s")
        d = cr.deterministic("d", 2.0 * s)
        normal("y", 0.0, jit(lambda x: x + 1.0)(d), obs=0.0)
        vmap(lambda y: normal("z", 0.0, d, obs=y))(Y)
        scan(lambda c, y: (c, normal("w", 0.0, d, obs=y)), 0.0, Y)
        free = cr.param("free", 1.0)
        normal("v", 0.0, free, obs=0.0)
        normal("u", 0.0, cr.param("held", 1.0, constraint=constraints.positive), obs=0.0)
    assert found(model) == [("support-mismatch", name) for name in "yzwv"]


# ---- the other rules ----

def unused():
    normal("y", normal("mu"), obs=0.0)
    normal("spare")


def missing_plate():
    with cr.plate("a", 3):
        x = normal("x", np.zeros((2, 3)))
    normal("y", cnp.sum(x), obs=0.0)


def improper():
    normal("y", cr.sample("m", dist.ImproperUniform(constraints.real, (), ())), obs=0.0)


def offset(y):
    with cr.plate("n", len(y)):
        normal("y", normal("mu"), obs=y)


def narrow():
    normal("y", normal("mu", 1e6, 1e-3), obs=0.0)


def tiny():
    normal("y", normal("mu"), 1e-42, obs=0.0)


def counted(y):
    with cr.plate("n", len(y)):
        cr.sample("y", dist.Poisson(cr.sample("rate", POSITIVE)), obs=y)


def axes():
    with cr.plate("a", 3):
        x = normal("x")
        with cr.plate("b", 2):
            y = normal("y", x)
    with cr.plate("b", 2):
        normal("z", cnp.sum(y), obs=np.zeros(2))


def discrete():
    normal("y", cr.sample("k", dist.Bernoulli(0.5)), obs=0.0)


def enumerated():
    normal("y", cr.sample("k", dist.Bernoulli(0.5), infer={"enumerate": "parallel"}), obs=0.0)


def named(name):
    def model():
        with cr.plate("a", 2):
            normal("y", normal(name), obs=np.zeros(2))
    return model


def outside(y):
    with cr.plate("n", len(y)):
        cr.sample("y", dist.Exponential(cr.sample("rate", POSITIVE)), obs=y)


def outside_in_a_scan(y):
    rate = cr.sample("rate", POSITIVE)
    scan(lambda c, y: (c, cr.sample("y", dist.Exponential(rate), obs=y)), 0.0, y)


def from_data(sd):
    with cr.plate("n", len(sd)):
        normal("y", normal("mu"), sd, obs=np.zeros(len(sd)))


def masked(y):
    with cr.plate("n", len(y)), mask(mask=y > 0):
        cr.sample("y", dist.Exponential(cr.sample("rate", POSITIVE)), obs=y)


def masked_scales(sd):
    with cr.plate("n", len(sd)), mask(mask=sd > 0):
        normal("y", normal("mu"), sd, obs=np.zeros(len(sd)))


def looping():
    x = normal("x")
    while_loop(lambda s: s < 3.0, lambda s: s + cr.sample("w", dist.Exponential(cnp.exp(x))), 0.0)


def sizes(y):
    with cr.plate("n", 3):
        normal("y", normal("mu"), obs=y)


YEARS = 1.7e9 + np.arange(4.0)
RULES = {
    "unused": (unused, (), [("unused-site", "spare")]),
    "missing plate": (missing_plate, (), [("missing-plate", "x")]),
    "improper": (improper, (), [("improper-prior", "m")]),
    "large offset": (offset, (YEARS,), [("float32", "y")]),
    "years": (offset, (np.arange(1990.0, 2020.0),), []),
    "narrow prior": (narrow, (), [("float32", "mu")]),
    "tiny scale": (tiny, (), [("float32", "y")]),
    "large counts": (counted, (np.array([2 ** 25, 1, 3]),), [("float32", "y")]),
    "counts": (counted, (COUNTS,), []),
    "one plate on two axes": (axes, (), [("plate-axes", "b")]),
    "discrete": (discrete, (), [("discrete-latent", "k")]),
    "enumerated": (enumerated, (), []),
    "the name of a plate": (named("a"), (), [("arviz-name", "a")]),
    "the name of ArviZ": (named("draw"), (), [("arviz-name", "draw")]),
    "a name with a slash": (scope(named("x"), prefix="s"), (), [("arviz-name", "s/x"), ("arviz-name", "s/y")]),
    "a name with a dot": (scope(named("x"), prefix="s", divider="."), (), []),
    "data outside": (outside, (np.array([1.0, -2.0]),), [("data-outside", "y")]),
    "data outside in a scan": (outside_in_a_scan, (np.array([1.0, -2.0]),), [("data-outside", "y")]),
    "data inside": (outside, (np.array([1.0, 2.0]),), []),
    "data outside under a mask": (masked, (np.array([1.0, -2.0]),), []),
    "a scale of zero from data": (from_data, (np.array([1.0, 0.0]),), [("parameter-outside", "y")]),
    "a scale of zero under a mask": (masked_scales, (np.array([1.0, 0.0]),), []),
    "scales from data": (from_data, (np.array([1.0, 2.0]),), []),
    "a while loop": (looping, (), [("error", "w")]),
    "wrong shapes": (sizes, (np.zeros(4),), [("error", "y")]),
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_finds_what_it_is_for(name):
    model, args, expected = RULES[name]
    findings = check_model(model, args)
    assert [(f.rule, f.site) for f in findings] == expected
    for f in findings:
        assert "at test_check_model.py:" in f.message and repr(f.site) in f.message
        assert len(f.message.splitlines()) >= 3, "what, what to write, the line"


def test_every_rule_has_a_row():
    listed = [line.split()[0] for line in check_model.__doc__.splitlines() if re.match(r"    [a-z]\S*   ", line)]
    shown = {rule for _, _, expected in RULES.values() for rule, _ in expected} | {"support-mismatch"}
    assert set(listed) == shown


def test_findings_print_one_below_the_other():
    assert str(check_model(enumerated)) == repr(check_model(enumerated)) == "nothing found"
    text = str(check_model(scope(named("x"), prefix="s")))
    assert text.startswith("1. arviz-name: site 's/x'") and "\n\n2. arviz-name: site 's/y'" in text


# ---- no false alarm (tests/test_examples.py checks every model that an example fits) ----

def example(name):
    spec = importlib.util.spec_from_file_location(f"checked_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schools():
    module = example("eight_schools")
    return module.schools, (module.ERROR,), {"y": module.EFFECT}


def diabetes():
    pytest.importorskip("sklearn")
    module = example("diabetes")
    data = module.Data()
    return module.regression, (data.x, data.y), {}


def nile():
    module = example("nile")
    return module.levels, (module.FLOW,), {}


def nile_filtered():
    module = example("nile")
    return module.filtered, (module.FLOW,), {}


@pytest.mark.parametrize("model", [schools, diabetes, nile, nile_filtered], ids=lambda f: f.__name__)
def test_no_alarm_on_the_examples(model):
    assert check_model(*model()) == []


@pytest.mark.parametrize("name, expected", [("plates", set()), ("chain", set()), ("lanes", set()),
                                            ("plain", {"missing-plate"}), ("vectors", {"missing-plate"}),
                                            ("observed", {"missing-plate", "discrete-latent"})])
def test_alarms_on_the_models_of_the_laws_are_those_that_they_earn(name, expected):
    assert {rule for rule, _ in found(MODELS[name].model, 0.35)} == expected
