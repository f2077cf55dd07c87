"""Models and guides whose bound is known exactly, by sums over discrete values and quadrature over continuous ones.

Each row's `exact(params)` is the evidence lower bound in plain NumPy.
"""
import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as onp
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, scan, vmap


class Row(NamedTuple):
    """A model, a guide, the guide's params, and the bound."""
    name: str
    model: Callable
    guide: Callable
    params: dict
    exact: Callable                        # params -> float
    pathwise: bool = False                 # all draws have derivatives


NODES, WEIGHTS = onp.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
norm = stats.norm.logpdf


def expit(x):
    return 1 / (1 + onp.exp(-onp.asarray(x)))


def coin(k, logit):
    """The log mass of 0 or 1."""
    return onp.where(k == 1, onp.log(expit(logit)), onp.log(expit(-onp.asarray(logit))))


# ---- continuous, in a plate with a mask and a scale ----

Y = onp.array([0.5, -1.0, 2.0])
MASK = onp.array([True, False, True])


def nonlinear_model():
    with cr.plate("i", 3):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        with cr.handlers.mask(mask=MASK), cr.handlers.scale(scale=2.0):
            cr.sample("y", dist.Normal(np.sin(z), 0.7), obs=Y)


def nonlinear_guide():
    with cr.plate("i", 3):
        cr.sample("z", dist.Normal(cr.param("m", np.zeros(3)), np.exp(cr.param("s", 0.0))))


def nonlinear_exact(params):
    total = 0.0
    for i in range(3):
        s = onp.exp(params["s"])
        z = params["m"][i] + s * NODES
        term = norm(z) - norm(z, params["m"][i], s) + 2.0 * MASK[i] * norm(Y[i], onp.sin(z), 0.7)
        total += WEIGHTS @ term
    return total


# ---- a coin that decides where a continuous site lies ----

def coin_model():
    k = cr.sample("k", dist.Bernoulli(0.3))
    z = cr.sample("z", dist.Normal(2.0 * k, 1.0))
    cr.sample("y", dist.Normal(z, 0.5), obs=1.2)


def coin_guide():
    k = cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)))
    cr.sample("z", dist.Normal(np.where(k == 1, cr.param("m1", 0.0), cr.param("m0", 0.0)), 0.6))


def coin_exact(params):
    total = 0.0
    for k in (0, 1):
        z = params[f"m{k}"] + 0.6 * NODES
        term = norm(z, 2.0 * k, 1.0) + norm(1.2, z, 0.5) - norm(z, params[f"m{k}"], 0.6)
        total += expit(params["logit"] if k else -params["logit"]) * (
            onp.log(0.3 if k else 0.7) - coin(k, params["logit"]) + WEIGHTS @ term)
    return total


# ---- coins in a plate, with a site that depends on all of them ----

def plate_model():
    with cr.plate("i", 3):
        k = cr.sample("k", dist.Bernoulli(0.4))
        cr.sample("y", dist.Normal(2.0 * k, 1.0), obs=Y)
    cr.sample("sum", dist.Normal(np.sum(k), 1.0), obs=2.0)


def plate_guide():
    with cr.plate("i", 3):
        cr.sample("k", dist.Bernoulli(logits=cr.param("logits", np.zeros(3))))


def plate_exact(params):
    total = 0.0
    for k in itertools.product((0, 1), repeat=3):
        k = onp.array(k)
        log_q = coin(k, params["logits"]).sum()
        log_p = onp.where(k, onp.log(0.4), onp.log(0.6)).sum() + norm(Y, 2.0 * k, 1.0).sum() + norm(2.0, k.sum(), 1.0)
        total += onp.exp(log_q) * (log_p - log_q)
    return total


# ---- a Markov chain of coins in a scan, and a continuous site beside each ----

def chain_model():
    def step(k, y):
        k = cr.sample("k", dist.Bernoulli(0.2 + 0.6 * k))
        z = cr.sample("z", dist.Normal(1.5 * k, 1.0))
        cr.sample("y", dist.Normal(z, 0.8), obs=y)
        return k, None

    scan(step, np.asarray(0), Y)


def chain_guide():
    stay, logits, m = cr.param("stay", 0.0), cr.param("logits", np.zeros(3)), cr.param("m", np.zeros(3))

    def step(k, row):
        logit, m = row
        k = cr.sample("k", dist.Bernoulli(logits=logit + stay * k))
        cr.sample("z", dist.Normal(m + 0.5 * k, 0.7))
        return k, None

    scan(step, np.asarray(0), (logits, m))


def chain_exact(params):
    total = 0.0
    for path in itertools.product((0, 1), repeat=3):
        log_q, cost, before = 0.0, 0.0, 0
        for t, k in enumerate(path):
            log_q = log_q + (now := coin(k, params["logits"][t] + params["stay"] * before))
            loc = params["m"][t] + 0.5 * k
            z = loc + 0.7 * NODES
            p = 0.2 + 0.6 * before
            cost = cost + onp.log(p if k else 1 - p) - now + WEIGHTS @ (
                norm(z, 1.5 * k, 1.0) + norm(Y[t], z, 0.8) - norm(z, loc, 0.7))
            before = k
        total += onp.exp(log_q) * cost
    return total


# ---- a site in one branch, of another family than that in the other ----

def branch_model():
    k = cr.sample("k", dist.Bernoulli(0.5))

    def near(_):
        return cr.sample("z", dist.Normal(0.0, 1.0))

    def far(_):
        cr.sample("extra", dist.Bernoulli(0.7))
        return cr.sample("z", dist.Normal(3.0, 2.0))

    cr.sample("y", dist.Normal(cond(k == 0, near, far, 0.0), 1.0), obs=1.0)


def branch_guide():
    m, logit = cr.param("m", 0.0), cr.param("extra_logit", 0.0)
    k = cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)))

    def near(_):
        return cr.sample("z", dist.Normal(m, 0.8))

    def far(_):
        cr.sample("extra", dist.Bernoulli(logits=logit))
        return cr.sample("z", dist.Normal(2.0 * m, 1.2))

    cond(k == 0, near, far, 0.0)


def branch_exact(params):
    m, total = params["m"], 0.0
    for k, (loc, sd), (prior, width) in ((0, (m, 0.8), (0.0, 1.0)), (1, (2 * m, 1.2), (3.0, 2.0))):
        z = loc + sd * NODES
        cost = onp.log(0.5) - coin(k, params["logit"]) + WEIGHTS @ (
            norm(z, prior, width) + norm(1.0, z, 1.0) - norm(z, loc, sd))
        if k:
            q = expit(params["extra_logit"])
            cost += q * (onp.log(0.7) - onp.log(q)) + (1 - q) * (onp.log(0.3) - onp.log(1 - q))
        total += onp.exp(coin(k, params["logit"])) * cost
    return total


# ---- a subsampled plate, whose guide draws the part ----

def part_model():
    with cr.plate("i", 3, subsample_size=2) as i:
        k = cr.sample("k", dist.Bernoulli(0.4))
        z = cr.sample("z", dist.Normal(1.0 * k, 1.0))
        cr.sample("y", dist.Normal(z, 1.0), obs=np.asarray(Y)[i])


def part_guide():
    with cr.plate("i", 3, subsample_size=2):
        k = cr.sample("k", dist.Bernoulli(logits=cr.param("logits", np.zeros(3), event_dim=0)))
        cr.sample("z", dist.Normal(cr.param("m", np.zeros(3), event_dim=0) + k, 0.8))


def part_exact(params):
    total = 0.0
    for i in range(3):
        for k in (0, 1):
            loc = params["m"][i] + k
            z = loc + 0.8 * NODES
            log_q = coin(k, params["logits"][i])
            total += onp.exp(log_q) * (onp.log(0.4 if k else 0.6) - log_q + WEIGHTS @ (
                norm(z, k, 1.0) + norm(Y[i], z, 1.0) - norm(z, loc, 0.8)))
    return total


# ---- a plate left and entered again, whose sites depend on others' indices ----

LOCS = onp.array([-0.5, 1.5])


def across_model():
    with cr.plate("i", 3):
        k = cr.sample("k", dist.Bernoulli(0.4))
    with cr.plate("i", 3):
        cr.sample("own", dist.Normal(np.asarray(LOCS)[k], 1.0), obs=Y)
        cr.sample("others", dist.Normal(1.5 * k[::-1] + 0.5 * np.sum(k), 1.0), obs=Y)


def across_exact(params):
    total = 0.0
    for k in itertools.product((0, 1), repeat=3):
        k = onp.array(k)
        log_q = coin(k, params["logits"]).sum()
        log_p = onp.where(k, onp.log(0.4), onp.log(0.6)).sum() + norm(Y, LOCS[k], 1.0).sum() + norm(
            Y, 1.5 * k[::-1] + 0.5 * k.sum(), 1.0).sum()
        total += onp.exp(log_q) * (log_p - log_q)
    return total


# ---- coins in a plate in a scan in a vmap ----

DEEP = onp.array([[[0.5, -1.0], [2.0, 0.3]], [[1.5, 0.0], [-0.5, 1.0]]])


def deep_model():
    def lane(rows):
        def step(c, row):
            with cr.plate("j", 2):
                k = cr.sample("k", dist.Bernoulli(0.4))
                cr.sample("y", dist.Normal(2.0 * k + 0.5 * c, 1.0), obs=row)
            return np.sum(k), None
        scan(step, np.asarray(0), rows)
    vmap(lane)(np.asarray(DEEP))


def deep_guide():
    logits = cr.param("logits", np.zeros((2, 2)))

    def lane(shift):
        def step(c, row):
            with cr.plate("j", 2):
                cr.sample("k", dist.Bernoulli(logits=row + shift))
            return c, None
        scan(step, 0.0, logits)
    vmap(lane)(np.asarray([0.0, 0.5]))


def deep_exact(params):
    total = 0.0
    for lane, shift in enumerate((0.0, 0.5)):
        logits = params["logits"] + shift
        for k in itertools.product((0, 1), repeat=4):
            k = onp.reshape(k, (2, 2))
            before = onp.array([0, k[0].sum()])[:, None]
            log_q = coin(k, logits).sum()
            log_p = onp.where(k, onp.log(0.4), onp.log(0.6)).sum() + norm(DEEP[lane], 2.0 * k + 0.5 * before, 1.0).sum()
            total += onp.exp(log_q) * (log_p - log_q)
    return total


# ---- a score where there is a pathwise derivative ----

def forced_guide():
    with cr.plate("i", 3):
        cr.sample("z", dist.Normal(cr.param("m", np.zeros(3)), np.exp(cr.param("s", 0.0))), infer={"grad": "score"})


# ---- sums over values in place of draws ----

SUM = {"grad": "enumerate"}


def summed_coin_guide():
    k = cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)), infer=SUM)
    cr.sample("z", dist.Normal(np.where(k == 1, cr.param("m1", 0.0), cr.param("m0", 0.0)), 0.6))


def summed_plate_guide():
    with cr.plate("i", 3):
        cr.sample("k", dist.Bernoulli(logits=cr.param("logits", np.zeros(3))), infer=SUM)


def summed_chain_guide():
    stay, logits, m = cr.param("stay", 0.0), cr.param("logits", np.zeros(3)), cr.param("m", np.zeros(3))

    def step(k, row):
        logit, m = row
        k = cr.sample("k", dist.Bernoulli(logits=logit + stay * k), infer=SUM)
        cr.sample("z", dist.Normal(m + 0.5 * k, 0.7))
        return k, None

    scan(step, np.asarray(0), (logits, m))


def half_summed_guide():
    m, logit = cr.param("m", 0.0), cr.param("extra_logit", 0.0)
    k = cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)), infer=SUM)

    def near(_):
        return cr.sample("z", dist.Normal(m, 0.8))

    def far(_):
        cr.sample("extra", dist.Bernoulli(logits=logit))
        return cr.sample("z", dist.Normal(2.0 * m, 1.2))

    cond(k == 0, near, far, 0.0)


def summed_branch_guide():
    m, logit = cr.param("m", 0.0), cr.param("extra_logit", 0.0)
    k = cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)), infer=SUM)

    def near(_):
        return cr.sample("z", dist.Normal(m, 0.8))

    def far(_):
        cr.sample("extra", dist.Bernoulli(logits=logit), infer=SUM)
        return cr.sample("z", dist.Normal(2.0 * m, 1.2))

    cond(k == 0, near, far, 0.0)


WHERE = {"m": onp.array([0.3, -0.2, 0.8]), "s": onp.array(-0.4)}
ROWS = [
    Row("nonlinear", nonlinear_model, nonlinear_guide, WHERE, nonlinear_exact, pathwise=True),
    Row("forced score", nonlinear_model, forced_guide, WHERE, nonlinear_exact),
    Row("coin", coin_model, coin_guide, {"logit": onp.array(0.4), "m0": onp.array(0.5), "m1": onp.array(1.1)},
        coin_exact),
    Row("plate", plate_model, plate_guide, {"logits": onp.array([0.4, -0.6, 1.0])}, plate_exact),
    Row("scan", chain_model, chain_guide, {"stay": onp.array(0.7), "logits": onp.array([0.2, -0.5, 0.4]),
                                           "m": onp.array([0.3, -0.4, 1.0])}, chain_exact),
    Row("cond", branch_model, branch_guide, {"logit": onp.array(-0.3), "extra_logit": onp.array(0.4),
                                             "m": onp.array(0.9)}, branch_exact),
    Row("subsample", part_model, part_guide, {"logits": onp.array([0.4, -0.6, 1.0]), "m": onp.array([0.3, -0.4, 1.0])},
        part_exact),
    Row("across", across_model, plate_guide, {"logits": onp.array([0.4, -0.6, 1.0])}, across_exact),
    Row("vmap of scan of plate", deep_model, deep_guide, {"logits": onp.array([[0.4, -0.6], [1.0, 0.2]])}, deep_exact),
]
BY_NAME = {r.name: r for r in ROWS}
SUMMED = [BY_NAME["coin"]._replace(guide=summed_coin_guide), BY_NAME["plate"]._replace(guide=summed_plate_guide),
          BY_NAME["scan"]._replace(guide=summed_chain_guide), BY_NAME["cond"]._replace(guide=half_summed_guide),
          BY_NAME["cond"]._replace(guide=summed_branch_guide)]
