"""Objectives: values and gradients are unbiased, against sums and quadrature.

A row compares the mean of thousands of independent estimates with the exact number, by 4.5 standard errors for each of
at most eight numbers: a false alarm in 18,000 rows.
"""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import random, value_and_grad, vmap
from chainrule.inference import IWAE, RenyiELBO, Trace_ELBO, TraceGraph_ELBO, TraceMeanField_ELBO
from chainrule.inference.svi.mean_field import unstacked
from chainrule.inference.svi.objectives import stage_pair
from chainrule.inference.svi.structure import sites_of
from chainrule.ppl.sites import SiteError
from tests.inference.svi.rows import BY_NAME, NODES, ROWS, SUMMED, WEIGHTS, norm

OBJECTIVES = [Trace_ELBO(), Trace_ELBO(num_particles=3), TraceMeanField_ELBO(), TraceGraph_ELBO(num_particles=2)]


def many(objective, model, guide, params, n, *args, seed=0):
    """float[n, 1 + numbers]: n estimates of the loss and its gradient."""
    def one(key):
        loss, grads = value_and_grad(lambda p: objective.loss(key, p, model, guide, *args))(params)
        return np.concatenate([loss[None], *[np.reshape(grads[k], (-1,)) for k in sorted(grads)]])
    return onp.asarray(vmap(one)(random.split(random.key(seed), n)))


def slopes(f, params, step=1e-4):
    """f and its derivatives by central differences, in the order of `many`."""
    out = [f(params)]
    for name in sorted(params):
        for i in onp.ndindex(onp.shape(params[name])):
            ends = []
            for sign in (1, -1):
                x = onp.array(params[name], float)
                x[i] += sign * step
                ends.append(f({**params, name: x}))
            out.append((ends[0] - ends[1]) / (2 * step))
    return onp.array(out)


def assert_mean(estimates, exact):
    error = estimates.std(0, ddof=1) / onp.sqrt(len(estimates))
    z = (estimates.mean(0) - exact) / onp.maximum(error, 1e-7 * (1 + abs(exact)))
    assert abs(z).max() < 4.5, (z, estimates.mean(0), exact)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: f"{type(o).__name__}-{o.num_particles}")
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_the_bound_and_its_gradient_are_unbiased(row, objective):
    estimates = many(objective, row.model, row.guide, row.params, 4000)
    assert_mean(estimates, -slopes(row.exact, row.params))


@pytest.mark.parametrize("objective", [Trace_ELBO(), TraceMeanField_ELBO(2)], ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("row", SUMMED, ids=lambda r: r.name)
def test_sums_over_values_are_unbiased_and_have_less_noise(row, objective):
    estimates = many(objective, row.model, row.guide, row.params, 4000)
    assert_mean(estimates, -slopes(row.exact, row.params))
    drawn = many(objective, row.model, BY_NAME[row.name].guide, row.params, 2000)
    assert 1.1 * estimates.var(0).sum() < drawn.var(0).sum()


def test_a_guide_that_is_summed_over_has_no_noise():
    row = SUMMED[1]
    estimates = many(Trace_ELBO(), row.model, row.guide, row.params, 3)
    assert onp.ptp(estimates, axis=0).max() < 1e-12
    assert onp.allclose(estimates[0], -slopes(row.exact, row.params), atol=1e-6)


def test_a_loop_over_particles_gives_what_particles_side_by_side_give():
    row = ROWS[2]
    a, b = (many(Trace_ELBO(3, vectorize), row.model, row.guide, row.params, 5) for vectorize in (True, False))
    assert onp.allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name, factor", [("plate", 3.0), ("subsample", 1.6)])
def test_costs_of_their_own_have_less_variance_than_the_whole_bound(name, factor):
    row = BY_NAME[name]
    whole, own = (many(o, row.model, row.guide, row.params, 2000)[:, 1:4].var(0).sum()           # the logits'
                  for o in (Trace_ELBO(), TraceGraph_ELBO()))
    assert own < whole / factor


def test_what_depends_index_by_index_is_read_off_the_program():
    row = BY_NAME["across"]
    pair = stage_pair(row.model, row.guide, (), {})
    sites, plate = sites_of(pair.model, pair.data), {("i", -1)}
    assert sites.link("k", "k") == sites.link("k", "own") == plate and sites.link("k", "others") == frozenset()
    deep = BY_NAME["vmap of scan of plate"]
    pair = stage_pair(deep.model, deep.guide, (), {})
    sites = sites_of(pair.model, pair.data)
    assert sites.link("k", "k") == {("j", -1)} and sites.link("k", "y") == frozenset()


def test_running_averages_leave_the_gradient_unbiased():
    row = BY_NAME["plate"]
    objective, pair = TraceGraph_ELBO(), stage_pair(row.model, row.guide, (), {})
    state = objective.init_state(random.key(0), row.params, pair)
    assert state["k"].total.shape == (3,)
    for i in range(20):
        _, state = objective.estimate(random.key(i), row.params, pair, state)
    assert bool(np.all(state["k"].value != 0.0))

    def one(key):
        g = value_and_grad(lambda p: objective.estimate(key, p, pair, state)[0])(row.params)
        return np.concatenate([g[0][None], g[1]["logits"]])
    estimates = onp.asarray(vmap(one)(random.split(random.key(1), 4000)))
    assert_mean(estimates, -slopes(row.exact, row.params))
    plain = many(objective, row.model, row.guide, row.params, 4000, seed=1)
    assert estimates[:, 1:].var(0).sum() < plain[:, 1:].var(0).sum()


# ---- importance weights ----

def curved_model():
    z = cr.sample("z", dist.Normal(cr.param("theta", 0.0), 1.0))
    cr.sample("y", dist.Normal(np.sin(z), 0.5), obs=0.8)


def curved_guide():
    cr.sample("z", dist.Normal(cr.param("m", 0.0), np.exp(cr.param("s", 0.0))))


CURVED = {"m": onp.array(0.4), "s": onp.array(-0.5), "theta": onp.array(0.3)}


def two_draws(alpha):
    """The bound for two draws of `curved_guide`, by quadrature in the plane."""
    def exact(params):
        s = onp.exp(params["s"])
        z = params["m"] + s * NODES
        log_w = norm(z, params["theta"], 1.0) + norm(0.8, onp.sin(z), 0.5) - norm(z, params["m"], s)
        w = onp.exp((1 - alpha) * log_w)
        values = onp.log(0.5 * (w[:, None] + w[None, :])) / (1 - alpha)
        return WEIGHTS @ values @ WEIGHTS
    return exact


@pytest.mark.parametrize("objective, alpha", [(RenyiELBO(0.5, 2), 0.5), (RenyiELBO(-1.0, 2), -1.0), (IWAE(2), 0.0),
                                              (IWAE(2, False), 0.0), (IWAE(2, doubly_reparameterized=False), 0.0)])
def test_weighted_bounds_and_their_gradients_are_unbiased(objective, alpha):
    estimates = many(objective, curved_model, curved_guide, CURVED, 4000)
    assert_mean(estimates, -slopes(two_draws(alpha), CURVED))


def test_renyi_takes_the_score_of_discrete_sites():
    row = BY_NAME["plate"]

    def exact(params):
        states = onp.array([[i >> b & 1 for b in range(3)] for i in range(8)])
        p = 1 / (1 + onp.exp(-params["logits"]))
        log_q = onp.log(onp.where(states, p, 1 - p)).sum(1)
        y = onp.array([0.5, -1.0, 2.0])
        log_p = (onp.log(onp.where(states, 0.4, 0.6)).sum(1) - 0.5 * ((y - 2 * states) ** 2).sum(1)
                 - 0.5 * (2.0 - states.sum(1)) ** 2 - 4 * 0.5 * onp.log(2 * onp.pi))
        w = onp.exp(0.5 * (log_p - log_q))
        values = onp.log(0.5 * (w[:, None] + w[None, :])) / 0.5
        return onp.exp(log_q) @ values @ onp.exp(log_q)

    estimates = many(RenyiELBO(0.5, 2), row.model, row.guide, row.params, 4000)
    assert_mean(estimates, -slopes(exact, row.params))


def test_doubly_reparameterised_gradients_vanish_at_the_posterior():
    def model():
        cr.sample("y", dist.Normal(cr.sample("z", dist.Normal(0.0, 1.0)), 1.0), obs=2.0)

    def guide():
        cr.sample("z", dist.Normal(cr.param("m", 0.0), np.exp(cr.param("s", 0.0))))

    at = {"m": onp.array(1.0), "s": onp.log(onp.sqrt(0.5))}
    doubly, plain = (many(IWAE(5, doubly_reparameterized=d), model, guide, at, 10) for d in (True, False))
    assert abs(doubly[:, 1:]).max() < 1e-12 < abs(plain[:, 1:]).max()


# ---- closed forms ----

def test_a_divergence_in_closed_form_has_no_noise():
    def model():
        with cr.plate("i", 2):
            cr.sample("z", dist.Normal(1.0, 2.0))

    def guide():
        with cr.plate("i", 2):
            cr.sample("z", dist.Normal(cr.param("m", 0.0), 1.0))

    estimates = many(TraceMeanField_ELBO(), model, guide, {"m": onp.array(0.5)}, 4)
    assert onp.ptp(estimates, axis=0).max() == 0.0
    assert estimates[0, 0] == pytest.approx(2 * (onp.log(2.0) + (1.0 + 0.25) / 8 - 0.5))


def test_divergences_in_a_scan_are_in_closed_form_where_the_guide_lets_them():
    def guide():
        def step(c, m):
            cr.sample("z", dist.Normal(m, 0.5))
            return c, None
        cr.engine.scan(step, 0.0, cr.param("m", np.zeros(3)))

    def model():
        def step(c, y):
            z = cr.sample("z", dist.Normal(0.0, 1.0))
            return c, z
        cr.engine.scan(step, 0.0, np.zeros(3))

    def vector():
        cr.sample("z", dist.Normal(cr.param("m", np.zeros(3)), 0.5))

    for g in (guide, vector):
        estimates = many(TraceMeanField_ELBO(), model, g, {"m": onp.array([0.0, 1.0, 2.0])}, 3)
        assert onp.ptp(estimates, axis=0).max() == 0.0
        assert estimates[0] == pytest.approx([3 * (onp.log(2.0) - 0.375) + 2.5, 0.0, 1.0, 2.0])


def test_a_distribution_of_a_loop_is_one_of_its_family():
    stacked = dist.Vmapped(dist.Normal(onp.arange(3.0), onp.array([[1.0, 2.0, 3.0]] * 3)), (True, True), 3)
    made = unstacked(stacked)
    x = onp.array([[0.5, 1.0, -1.0], [0.0, 2.0, 0.3], [1.0, 1.0, 1.0]])
    assert type(made) is dist.Normal and made.batch_shape == stacked.batch_shape == (3, 3)
    assert onp.allclose(made.log_prob(x), stacked.log_prob(x))
    shared = dist.Vmapped(dist.Dirichlet(onp.array([1.0, 2.0])), (False,), 4)
    assert unstacked(shared).batch_shape == (4,)


def test_a_rule_that_turns_out_not_to_hold_is_not_taken():
    def shifted(loc, scale):
        return dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(loc, scale))

    def model():
        cr.sample("z", shifted(0.0, 2.0))

    def guide():
        cr.sample("z", shifted(cr.param("m", 0.0), 1.0))

    truth, ours = (many(o, model, guide, {"m": onp.array(0.4)}, 3) for o in (Trace_ELBO(), TraceMeanField_ELBO()))
    assert onp.allclose(ours, truth, rtol=1e-12)


def test_a_divergence_is_not_taken_where_the_guide_draws_the_other_way_round():
    def model():
        a = cr.sample("a", dist.Normal(0.0, 1.0))
        b = cr.sample("b", dist.Normal(a, 1.0))
        cr.sample("y", dist.Normal(b, 1.0), obs=1.0)

    def guide():
        b = cr.sample("b", dist.Normal(cr.param("m", 0.0), 0.7))
        cr.sample("a", dist.Normal(0.5 * b, 0.5))

    at = {"m": onp.array(0.4)}
    truth, ours = (many(o, model, guide, at, 4000) for o in (Trace_ELBO(), TraceMeanField_ELBO()))
    difference = ours - truth
    assert_mean(difference, onp.zeros(2))


# ---- errors ----

def raises(message, model, guide, objective=None, **params):
    with pytest.raises(SiteError, match=message):
        (objective or Trace_ELBO()).loss(random.key(0), params, model, guide)


def test_sites_that_do_not_match_are_refused():
    def one():
        cr.sample("z", dist.Normal(0.0, 1.0))

    def two():
        cr.sample("z", dist.Normal(0.0, 1.0))
        cr.sample("w", dist.Normal(0.0, 1.0))

    raises("site 'w' of the model is latent, and the guide has no site of that name", two, one)
    raises("site 'w' of the guide is not in the model", one, two)


def test_estimators_that_are_not_there_are_refused():
    def guide(grad, fn):
        return lambda: cr.sample("z", fn, infer={"grad": grad})

    raises("is no estimator of a gradient", lambda: None, guide("magic", dist.Normal(0.0, 1.0)))
    raises("draws of Poisson have no derivative", lambda: None, guide("pathwise", dist.Poisson(1.0)))
    raises("have no pathwise derivative", lambda: cr.sample("z", dist.Poisson(1.0)), guide(None, dist.Poisson(1.0)),
           IWAE())
    plate = SUMMED[1]
    raises("is for Trace_ELBO and TraceMeanField_ELBO", plate.model, plate.guide, TraceGraph_ELBO())
    raises("the values of Normal cannot be listed", lambda: None, guide("enumerate", dist.Normal(0.0, 1.0)))
    many_coins = dist.Bernoulli(0.5 * onp.ones(20))
    raises("sums over joint values, 1048576", lambda: cr.sample("z", many_coins), guide("enumerate", many_coins))
    with pytest.raises(ValueError, match="take Trace_ELBO"):
        RenyiELBO(alpha=1)
    with pytest.raises(ValueError, match="num_particles"):
        Trace_ELBO(num_particles=0)


def test_objectives_with_equal_settings_are_equal():
    assert Trace_ELBO() == Trace_ELBO(num_particles=1) != Trace_ELBO(2) and hash(Trace_ELBO()) == hash(Trace_ELBO())
