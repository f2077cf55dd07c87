"""Mistakes of shapes in models: each is an error while the model is traced, with the site, the shapes and the line.

A row is a model, arguments that are wrong, arguments that are right, and the words that the error must have. With the
right ones the model must pass: a check that refuses too much fails here too.
"""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import cond, eval_shape, jit, random, scan, vmap
from chainrule.engine.errors import ChainruleError
from chainrule.inference import MCMC, NUTS, init_to_value, initialize_model
from chainrule.ppl import SiteError, log_density
from chainrule.ppl.handlers import block, condition, do, lift, mask, replay, scale, seed, substitute, trace
from tests.ppl.rows import MODELS

O, I = np.zeros, np.ones
BOOL = lambda *shape: np.ones(shape, bool)  # noqa: E731
ROWS = {}


def row(name, wrong, right, *words, error=SiteError):
    """A row: `wrong` and `right` are the arguments of the model that it decorates."""
    def keep(model):
        ROWS[name] = model, wrong, right, words, error
        return model
    return keep


def normal(name="x", loc=0.0, sd=1.0, **options):
    return cr.sample(name, dist.Normal(loc, sd), **options)


def school(y=None):
    with cr.plate("school", 8):
        normal("theta")
        normal("y", obs=y)


def pair(name, value=None, **options):
    with cr.plate("a", 3), cr.plate("b", 2):
        return normal(name, obs=value, **options)


# ---- observations ----

row("an observation too few", (O(7),), (O(8),), "'y'", "(7,)", "(8,)", "school=8")(school)
row("an observation for the whole plate, alone", (O(1),), (O(()),), "'y'", "(1,)", "(8,)", "school=8")(school)
row("a column in a plate", (O((8, 1)),), (O((3, 8)),), "'y'", "(8, 1)", "(8, 8)", "school=8")(school)
row("observations for one of two plates", ("y", O(3)), ("y", O((2, 3))), "'y'", "(3,)", "(2, 3)", "b=2, a=3")(pair)
row("two plates the wrong way round", ("y", O((3, 2))), ("y", O((2, 3))), "'y'", "(3, 2)", "(2, 3)")(pair)


@row("a column of parameters for a row of data", (O((7, 1)), I(7)), (O(7), I(7)), "'y'", "(7,)", "(7, 1)", "(7, 7)")
@row("a row of parameters for a column of data", (O(7), I((7, 1))), (O((7, 1)), I((7, 1))), "'y'", "(7, 1)", "(7, 7)")
def regression(loc, y):
    normal("y", loc, obs=y)


@row("a row and a column among the parameters", (O(7), I((7, 1))), (O(7), I(7)),
     "'y'", "obs has shape (7,)", "(7, 7)", "loc (7,), scale (7, 1)")
def two_parameters(loc, sd):
    normal("y", loc, sd, obs=O(7))


@row("a scale of another length", (O(3), I(4)), (O(3), I(3)), "loc of shape (3,)", "scale of shape (4,)",
     error=ChainruleError)
def parameters(loc, sd):
    normal("y", loc, sd)


@row("a probability short", (O(2),), (O(3),), "'p'", "(2,)", "(3,)")
def simplex(y):
    cr.sample("p", dist.Dirichlet(I(3)), obs=y + 1.0 / len(y))


@row("vectors with a component too many", (O((8, 3)),), (O((8, 2)),), "'v'", "(8, 3)", "batch (8,), event (2,)", "n=8")
@row("vectors along the wrong axis", (O((2, 8)),), (O((8, 2)),), "'v'", "(2, 8)", "batch (8,), event (2,)")
def vectors(y):
    with cr.plate("n", 8):
        cr.sample("v", dist.MultivariateNormal(O(2), np.eye(2)), obs=y)


@row("a covariance of another size", (O(3),), (O(2),), "(3,)", error=ChainruleError)
def covariance(loc):
    cr.sample("v", dist.MultivariateNormal(loc, np.eye(2)))


@row("all data where a part is drawn", (O(10),), (O(5),), "'y'", "(10,)", "(5,)", "Plate 'n' has drawn 5 of 10")
def part(y):
    with cr.plate("n", 10, subsample_size=5):
        normal("y", obs=y)


# ---- plates ----

@row("a plate smaller than the parameters", (O(4),), (O(3),), "'x'", "(4,)", "plate 'a'", "size 3")
@row("a column in a plate of its size", (O((3, 1)),), (O((2, 1)),), "'x'", "(3, 3)", "plate 'a'", "axis -2")
@row("a square in a plate", (O((3, 3)),), (O((2, 3)),), "'x'", "(3, 3)", "plate 'a'", "to_event")
@row("to_event forgotten", (O((3, 2)),), (O((2, 3)),), "'x'", "(3, 2)", "plate 'a'", "to_event")
def in_plate(loc):
    with cr.plate("a", 3):
        normal("x", loc)


@row("a term for each pair", (O((7, 7)),), (O(7),), "'f'", "(7, 7)", "plate 'n'")
@row("too few terms", (O(6),), (O(7),), "'f'", "(6,)", "plate 'n'", "size 7")
def terms(value):
    with cr.plate("n", 7):
        cr.factor("f", value)


@row("parameters on the axis of the other plate", (O(3),), (O((3, 1)),), "'x'", "(3,)", "plate 'b'", "size 2")
def two_plates(loc):
    with cr.plate("a", 3, dim=-2), cr.plate("b", 2, dim=-1):
        normal("x", loc)


@row("to_event with an axis too many", (2,), (1,), "to_event(2)", "(3,)", error=ChainruleError)
def event(n):
    cr.sample("x", dist.Normal(O(3), 1.0).to_event(n))


@row("a plate without a size", (2.5,), (2,), "'a'", "integer", "2.5")
@row("a plate of negative size", (-1,), (1,), "'a'", "at least 0", "-1")
@row("a plate of a traced size", (cnp.sum,), (len,), "'a'", "traced", "y.shape[0]")
def sized(size):
    f = jit(lambda y: normal("x", O(cr.plate("a", size(y) if callable(size) else size).size)))
    f(I(3))


@row("a part larger than the plate", (4,), (3,), "'n'", "4", "size 3")
def drawn(count):
    with cr.plate("n", 3, subsample_size=count):
        normal()


@row("labels too few", ("ab",), ("abc",), "'n'", "size 3", "2 coords")
def labelled(coords):
    with cr.plate("n", 3, coords=coords):
        normal()


@row("two plates on one axis", ("b", -1), ("b", -2), "'b'", "'a'", "dim=-1")
@row("a plate in itself", ("a", -2), ("b", -2), "'a'", "same name")
@row("a plate counted from the left", ("b", 0), ("b", -2), "'b'", "dim", "got 0")
def nested(name, dim):
    with cr.plate("a", 3, dim=-1), cr.plate(name, 3, dim=dim):
        normal()


@row("one plate, two sizes", (4, None), (3, None), "plate 'n'", "size 3 (test_shape", "size 4 (test_shape")
@row("one plate, a whole and a part", (3, 2), (3, None), "plate 'n'", "size 3", "size 2 of 3")
def twice(size, count):
    with cr.plate("n", 3):
        normal("x")
    with cr.plate("n", size, subsample_size=count):
        normal("y")


@row("one plate, two sets of labels", ("abd",), ("abc",), "plate 'n'", "one set of coords", "another")
def twice_labelled(coords):
    with cr.plate("n", coords="abc"):
        normal("x")
    with cr.plate("n", coords=coords):
        normal("y")


@row("a number of plates", (3, -1), ((3,), -1), "'grid'", "list of sizes", "plate('grid', 3)")
@row("plates to the right", ((3,), 1), ((3,), -2), "'grid'", "rightmost_dim", "got 1")
def stacked(sizes, dim):
    with cr.plate_stack("grid", sizes, rightmost_dim=dim):
        normal()


@row("data of another plate", (O(4), 0), (O(5), 0), "(4,)", "plate 'n'", "5 (a part of 2")
@row("event axes that are not there", (O(5), 2), (O((5, 3)), 1), "(5,)", "event_dim is 2")
def subsampled(data, event_dim):
    with cr.plate("n", 5, subsample_size=2):
        normal("x", cr.subsample(data, event_dim) if event_dim == 0 else cr.subsample(data, event_dim)[:, 0])


@row("data of another size in a whole plate", (O(4),), (O(5),), "(4,)", "plate 'n'", "5")
def whole(data):
    with cr.plate("n", 5):
        cr.subsample(data, 0)


@row("a param of another size than its plate", (O((4, 2)),), (O((5, 2)),), "param 'w'", "(4, 2)", "plate 'n'", "5")
def param_in_plate(start):
    with cr.plate("n", 5):
        cr.param("w", start, event_dim=1)


# ---- values from handlers ----

@row("condition with too few values", (O(7),), (O(8),), "'y'", "(7,)", "(8,)", "condition", "school=8")
def conditioned(y):
    condition(school, {"y": y})()


@row("substitute with too few values", (O(7),), (O(8),), "'theta'", "(7,)", "(8,)", "substitute", "school=8")
@row("one value in brackets for all", (O(1),), (O(()),), "'theta'", "(1,)", "(8,)", "substitute")
@row("all draws at once for one site", (O((100, 8)),), (O(8),), "'theta'", "(100, 8)", "(8,)", "vmap")
def substituted(theta):
    substitute(school, {"theta": theta})()


@row("values of log_density too few", (O(2),), (O(8),), "'theta'", "(2,)", "(8,)", "the value given")
@row("all draws at once in log_density", (O((4, 8)),), (O(8),), "'theta'", "(4, 8)", "(8,)")
def scored(theta):
    log_density(school, (O(8),), {}, {"theta": theta})


@row("a trace of another size", (4,), (3,), "'x'", "(4,)", "(3,)", "replay", "n=3")
def replayed(size):
    def model(n):
        with cr.plate("n", n):
            normal()
    replay(model, block(trace(seed(model, 0)).get_trace)(size))(3)


@row("an intervention of another shape", (O(3),), (O(()),), "'theta'", "(3,)", "(8,)", "do", "school=8")
def intervened(value):
    do(school, {"theta": value})()


@row("a value for a deterministic of another shape", (O(3),), (O(2),), "'d'", "(3,)", "(2,)", "substitute")
def determined(value):
    substitute(lambda: cr.deterministic("d", O(2)), {"d": value})()


@row("a param of another shape", (O(4),), (O(3),), "'w'", "(4,)", "(3,)")
@row("many params for one", (O((5, 3)),), (O(3),), "'w'", "(5, 3)", "(3,)")
def given_param(value):
    substitute(lambda: cr.param("w", O(3)), {"w": value})()


@row("a prior of another shape", (O(2),), (O(3),), "'w'", "(3,)", "(2,)", "prior")
def lifted(loc):
    lift(lambda: cr.param("w", O(3)), {"w": dist.Normal(loc, 1.0)})()


@row("starts of another shape", (O(7),), (O(8),), "'theta'", "(7,)", "(8,)", error=ChainruleError)
def started(theta):
    chain = MCMC(NUTS(lambda: school(O(8))), num_warmup=1, num_samples=1, progress_bar=False)
    chain.run(0, init_params={"theta": theta})


@row("a start by init_to_value of another shape", (O(7),), (O(8),), "'theta'", "(7,)", "(8,)", "school=8")
@row("many starts by init_to_value for one site", (O((2, 8)),), (O(8),), "'theta'", "(2, 8)", "(8,)", "school=8")
def valued(theta):
    strategy = init_to_value(values={"theta": theta})
    initialize_model(random.key(0), lambda: school(O(8)), init_strategy=strategy, validate_grad=False)


# ---- masks and scales ----

def weighted(handler):
    def model(weight):
        with handler(None, weight):
            with cr.plate("n", 3):
                normal("x", obs=O(3))
    return model


row("a mask of another length", (BOOL(4),), (BOOL(3),), "'x'", "mask", "(4,)", "(3,)", "n=3")(weighted(mask))
row("a mask with an axis too many", (BOOL(5, 3),), (BOOL(1),), "'x'", "mask", "(5, 3)", "(3,)")(weighted(mask))
row("a scale of another length", (O(4),), (O(3),), "'x'", "scale", "(4,)", "(3,)", "n=3")(weighted(scale))


@row("a mask over one value", (BOOL(4),), (BOOL(),), "'x'", "mask", "(4,)", "()")
def masked(keep):
    with mask(mask=keep):
        normal("x", obs=0.0)


@row("a scale over one value", (O(4),), (O(()),), "'x'", "scale", "(4,)", "()")
def scaled(weight):
    with scale(scale=weight):
        normal("x", obs=0.0)


@row("a mask over one factor", (BOOL(4),), (BOOL(),), "'f'", "mask", "(4,)", "()")
def masked_factor(keep):
    with mask(mask=keep):
        cr.factor("f", -1.0)


@row("a mask over the steps, from outside", (BOOL(5),), (BOOL(),), "'x'", "mask", "(5,)", "scan")
def masked_scan(keep):
    with mask(mask=keep):
        scan(lambda c, y: (c, normal("x", obs=y)), 0.0, O(5))


@row("a mask over the lanes, of another length", (BOOL(4),), (BOOL(5),), "'x'", "mask", "(4,)", "(5,)")
def masked_lanes(keep):
    with mask(mask=keep):
        vmap(lambda y: normal("x", obs=y))(O(5))


@row("a mask of a distribution, of another length", (BOOL(2),), (BOOL(3),), "(2,)", "(3,)", error=ChainruleError)
def masked_distribution(keep):
    cr.sample("x", dist.Normal(O(3), 1.0).mask(keep))


# ---- copies and keys ----

@row("a number for a shape", (3,), ((3,),), "'x'", "sample_shape", "3")
@row("a shape with a negative size", ((-1,),), ((1,),), "'x'", "sample_shape", "(-1,)")
def copies(shape):
    normal(sample_shape=shape)


@row("many keys for one site", (3,), (None,), "'x'", "(3,)", "key")
def keyed(count):
    key = random.key(0)
    normal(rng_key=key if count is None else random.split(key, count))


# ---- vmap, scan and branches ----

@row("values for a scan of another length", (O(4),), (O(5),), "'x'", "(4,)", "5 steps")
@row("one value for all steps of a scan", (O(()),), (O(5),), "'x'", "()", "5 steps")
@row("a column for a scan", (O((5, 2)),), (O(5),), "'x'", "(2,)")
def scanned(values):
    substitute(lambda: scan(lambda c, _: (c, normal("x")), 0.0, None, length=5), {"x": values})()


@row("values for another number of lanes", (O(4),), (O(5),), "'x'", "(4,)", "(5,)")
@row("values for lanes with an axis too many", (O((2, 5)),), (O(5),), "'x'", "(2, 5)", "(5,)", "vmap")
def mapped(values):
    substitute(lambda: vmap(lambda i: normal("x"))(np.arange(5)), {"x": values})()


@row("an observation of the whole in each lane", (O(5),), (O(3),), "'y'", "(5,)", "(3,)", "n=3")
def lane(y):
    def one(mu):
        with cr.plate("n", 3):
            return normal("y", mu, obs=y)
    vmap(one)(O(4))


@row("vmap over axes of different sizes", (O(4), O(5)), (O(4), O(4)), "4", "5", error=ChainruleError)
def mapped_over(a, b):
    vmap(lambda a, b: normal("x", a, obs=b))(a, b)


@row("scan over rows of different lengths", (O(4), O(5)), (O(4), O(4)), "4", "5", error=ChainruleError)
def scanned_over(a, b):
    scan(lambda c, row: (c, normal("x", row[0], obs=row[1])), 0.0, (a, b))


@row("branches with sites of different shapes", (O(2),), (O(()),), "'x'", "()", "(2,)")
def branches(loc):
    jit(lambda t: cond(t, lambda: cnp.sum(normal("x", loc)), lambda: normal("x")))(True)


# ---- the promises ----

def run(model, args):
    """The model on types alone: nothing is drawn or compiled."""
    def all_of_it():
        trace(seed(model, 0)).get_trace(*args)
        return 0.0
    eval_shape(all_of_it)


@pytest.mark.parametrize("name", ROWS)
def test_a_mistake_is_found_while_tracing(name):
    model, wrong, _, words, error = ROWS[name]
    before = cr.stats().compilations
    with pytest.raises(error) as caught:
        run(model, wrong)
    text = str(caught.value)
    for word in words:
        assert word in text, text
    assert "at test_shape_mistakes.py:" in text, text
    assert cr.stats().compilations == before


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name][0] not in (started, valued)])
def test_the_same_with_the_right_shapes_passes(name):
    model, _, right, _, _ = ROWS[name]
    run(model, right)


def test_there_are_fifty():
    assert len(ROWS) >= 50


@pytest.mark.parametrize("name", MODELS)
def test_no_alarm_on_the_models_of_the_laws(name):
    run(MODELS[name].model, (0.35,))


# ---- reported against other systems ----

def logistic(x, y):
    beta = cr.sample("beta", dist.Normal(O(2), 1.0).to_event(1))
    cr.sample("y", dist.Bernoulli(logits=x @ beta), obs=y)


def test_observations_in_a_column_make_no_square_of_terms():
    """Data of shape (n, 1) against logits of shape (n,): n² terms instead of n."""
    x, y = O((7, 2)), O((7, 1))
    queries = [lambda: log_density(logistic, (x, y), {}, {"beta": O(2)}), lambda: seed(logistic, 0)(x, y),
               lambda: condition(seed(logistic, 0), {"y": y})(x, None),
               lambda: MCMC(NUTS(logistic), num_warmup=1, num_samples=1, progress_bar=False).run(0, x, y)]
    for query in queries:
        with pytest.raises(SiteError, match=r"site 'y': .* has shape \(7, 1\)(.|\n)*\(7, 7\), one term for each pair"):
            query()
    total, tr = log_density(logistic, (x, y[:, 0]), {}, {"beta": O(2)})
    assert tr["y"]["fn"].log_prob(tr["y"]["value"]).shape == (7,)
    assert float(total) == pytest.approx(7 * np.log(0.5) - np.log(2 * np.pi), rel=1e-12)


def stack_beside_a_plate(prefix):
    with cr.plate("outer", 3), cr.plate("inner_0", 2, dim=-3):
        a = cr.sample("a", dist.Exponential(0.2))
    with cr.plate("outer", 3), cr.plate_stack(prefix, [2, 4], rightmost_dim=-2):
        return a * cr.sample("fraction", dist.Beta(1.0, 1.0))


def test_a_plate_of_a_stack_with_the_name_of_another_plate_is_refused_with_both_lines():
    with pytest.raises(SiteError) as caught:
        trace(seed(stack_beside_a_plate, 0)).get_trace("inner")
    text = str(caught.value)
    assert "plate 'inner_0' has size 2" in text and "size 4" in text
    assert 'cr.plate("inner_0", 2, dim=-3)' in text and "cr.plate_stack(prefix, [2, 4]" in text
    assert seed(stack_beside_a_plate, 0)("other").shape == (2, 4, 3)


def test_a_plate_on_two_axes_keeps_the_shapes_that_its_dims_say_and_is_found_by_the_check():
    def model():
        with cr.plate("n", 3, dim=-1):
            x = normal("x")
        with cr.plate("n", 3, dim=-2), cr.plate("m", 2, dim=-1):
            normal("y", x[:, None], obs=O((3, 2)))
    tr = trace(seed(model, 0)).get_trace()
    assert tr["x"]["value"].shape == (3,) and tr["y"]["fn"].batch_shape == (3, 2)
    assert [(f.rule, f.site) for f in cr.check_model(model)] == [("plate-axes", "n")]
