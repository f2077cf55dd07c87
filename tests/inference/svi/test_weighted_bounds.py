"""Bounds by importance weights, in loops and branches, of sites of both kinds, against sums and quadrature.

A row compares 4,000 independent estimates with the exact bound of two draws, by 4.5 standard errors for each of at most
eight numbers: a false alarm in 18,000 rows.
"""
import itertools

import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, random, scan, vmap
from chainrule.inference import IWAE, RenyiELBO, Trace_ELBO, TraceGraph_ELBO
from tests.inference.svi.rows import BY_NAME, NODES, WEIGHTS, Y, coin, norm
from tests.inference.svi.test_objectives import assert_mean, many, slopes


def of_two_draws(states, alpha):
    """The bound's expectation, of `states(params)`: (probability, log weight) of each value of a draw."""
    def exact(params):
        p, log_w = states(params)
        w = onp.exp((1 - alpha) * log_w)
        return p @ onp.log(0.5 * (w[:, None] + w[None, :])) @ p / (1 - alpha)
    return exact


# ---- continuous sites, in the branches of a scan ----

ROWS_OF_LOOP = onp.array([0.8, -1.5])
STARTS = {"m": onp.array([0.4, -0.6]), "s": onp.array(-0.4)}


def loop_model():
    def step(x, y):
        near = lambda x: cr.sample("x", dist.Normal(0.8 * x, 1.0))
        far = lambda x: cr.sample("x", dist.Normal(x - 1.0, 0.7))
        x = cond(y > 0, near, far, x)
        cr.sample("y", dist.Normal(np.sin(x), 0.6), obs=y)
        return x, None
    scan(step, 0.5, np.asarray(ROWS_OF_LOOP))


def loop_guide():
    m, s = cr.param("m", np.zeros(2)), cr.param("s", 0.0)

    def step(x, row):
        y, m = row
        near = lambda x: cr.sample("x", dist.Normal(m + 0.5 * x, np.exp(s)))
        far = lambda x: cr.sample("x", dist.Normal(m, 2.0 * np.exp(s)))
        return cond(y > 0, near, far, x), None
    scan(step, 0.5, (np.asarray(ROWS_OF_LOOP), m))


def loop_states(params, count=16):
    nodes, weights = onp.polynomial.hermite_e.hermegauss(count)
    weights, s = weights / weights.sum(), onp.exp(params["s"])
    x1 = (params["m"][0] + 0.25 + s * nodes)[:, None]
    x2 = params["m"][1] + 2.0 * s * nodes[None, :]
    log_w = (norm(x1, 0.4, 1.0) + norm(0.8, onp.sin(x1), 0.6) - norm(x1, params["m"][0] + 0.25, s)
             + norm(x2, x1 - 1.0, 0.7) + norm(-1.5, onp.sin(x2), 0.6) - norm(x2, params["m"][1], 2.0 * s))
    return onp.outer(weights, weights).ravel(), log_w.ravel()


@pytest.mark.parametrize("objective, alpha", [
    (IWAE(2), 0.0), (IWAE(2, doubly_reparameterized=False), 0.0), (RenyiELBO(0.5, 2), 0.5)],
    ids=["doubly", "plainly", "renyi"])
def test_continuous_sites_in_branches_of_a_loop(objective, alpha):
    """The doubly reparameterised gradient has the expectation of the plain one."""
    estimates = many(objective, loop_model, loop_guide, STARTS, 4000)
    assert_mean(estimates, -slopes(of_two_draws(loop_states, alpha), STARTS))


# ---- discrete sites ----

def coin_states(params):
    p, log_w = [], []
    for k in (0, 1):
        z = params[f"m{k}"] + 0.6 * NODES
        p.append(onp.exp(coin(k, params["logit"])) * WEIGHTS)
        log_w.append(onp.log(0.3 if k else 0.7) + norm(z, 2.0 * k, 1.0) + norm(1.2, z, 0.5)
                     - coin(k, params["logit"]) - norm(z, params[f"m{k}"], 0.6))
    return onp.concatenate(p), onp.concatenate(log_w)


def branch_states(params):
    m, extra, p, log_w = params["m"], params["extra_logit"], [], []
    for k, e in ((0, None), (1, 0), (1, 1)):
        (loc, sd), (prior, width) = ((2 * m, 1.2), (3.0, 2.0)) if k else ((m, 0.8), (0.0, 1.0))
        z = loc + sd * NODES
        log_q = coin(k, params["logit"]) + (coin(e, extra) if k else 0.0)
        log_p = onp.log(0.5) + (onp.log(0.7 if e else 0.3) if k else 0.0)
        p.append(onp.exp(log_q) * WEIGHTS)
        log_w.append(log_p - log_q + norm(z, prior, width) + norm(1.0, z, 1.0) - norm(z, loc, sd))
    return onp.concatenate(p), onp.concatenate(log_w)


def chain_states(params, count=6):
    nodes, weights = onp.polynomial.hermite_e.hermegauss(count)
    grids = onp.array(list(itertools.product(range(count), repeat=3)))
    p, log_w = [], []
    for path in itertools.product((0, 1), repeat=3):
        log_q, rest, before = 0.0, 0.0, 0
        for t, k in enumerate(path):
            now, start = coin(k, params["logits"][t] + params["stay"] * before), 0.2 + 0.6 * before
            loc = params["m"][t] + 0.5 * k
            z = loc + 0.7 * nodes[grids[:, t]]
            rest = rest + onp.log(start if k else 1 - start) - now + (
                norm(z, 1.5 * k, 1.0) + norm(Y[t], z, 0.8) - norm(z, loc, 0.7))
            log_q, before = log_q + now, k
        p.append(onp.exp(log_q) * (weights / weights.sum())[grids].prod(1))
        log_w.append(rest)
    return onp.concatenate(p), onp.concatenate(log_w)


@pytest.mark.parametrize("name, states", [("coin", coin_states), ("cond", branch_states), ("scan", chain_states)],
                         ids=["coin", "cond", "scan"])
def test_discrete_sites_in_loops_and_branches(name, states):
    row = BY_NAME[name]
    estimates = many(RenyiELBO(0.5, 2), row.model, row.guide, row.params, 4000)
    assert_mean(estimates, -slopes(of_two_draws(states, 0.5), row.params))


# ---- what ties the bounds together ----

@pytest.mark.parametrize("name", ["nonlinear", "coin"])
def test_renyis_bound_tends_to_the_evidence_lower_bound(name):
    """In each estimate, gradient and all, as α → 1."""
    row = BY_NAME[name]
    limit, elbo = (many(o, row.model, row.guide, row.params, 20) for o in (RenyiELBO(1 - 1e-6, 3), Trace_ELBO(3)))
    onp.testing.assert_allclose(limit, elbo, rtol=1e-3, atol=1e-3)


def test_a_bound_of_more_draws_is_tighter_and_stays_below_the_evidence():
    """A finite number of draws is biased, downwards for α < 1, by less the more there are."""
    def model():
        cr.sample("y", dist.Normal(cr.sample("z", dist.Normal(0.0, 1.0)), 1.0), obs=2.0)

    def guide():
        cr.sample("z", dist.Normal(0.3, 1.0))

    evidence, means, errors = norm(2.0, 0.0, 2.0 ** 0.5), [], []
    for objective in (Trace_ELBO(1), IWAE(4), IWAE(64)):
        x = -onp.asarray(vmap(lambda key, o=objective: o.loss(key, {}, model, guide))(
            random.split(random.key(0), 4000)))
        means.append(x.mean())
        errors.append(x.std(ddof=1) / len(x) ** 0.5)
    assert means[0] + 4.5 * errors[0] < means[1] and means[1] + 4.5 * errors[1] < means[2]
    assert means[2] < evidence and means[2] > evidence - 0.05


@pytest.mark.parametrize("kind", [TraceGraph_ELBO, lambda *a: RenyiELBO(0.5, *a)], ids=["graph", "renyi"])
def test_a_loop_over_particles_gives_what_particles_side_by_side_give(kind):
    row = BY_NAME["coin"]
    a, b = (many(kind(3, vectorize), row.model, row.guide, row.params, 5) for vectorize in (True, False))
    assert onp.allclose(a, b, rtol=1e-12)
