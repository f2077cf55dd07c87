"""The rows of the law tables: models, each with its density written out by hand, and ways to put a model inside of a
transformation, each with what the loop that it stands for does to the density.

A row is a function of one number; `score(x, values)` is its log-density at the sites' values, with NumPy and one
distribution at a time. The transformations nest: `nested(row, names)`.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import (
    checkpoint,
    cond,
    custom_jvp,
    custom_vjp,
    grad,
    jit,
    jvp,
    scan,
    switch,
    value_and_grad,
    vmap,
)

OFFSETS = np.array([-0.4, 0.3, 0.9])
COUNTS = np.array([3.0, 0.0, 1.0])
MATRIX = np.array([[1.0, 0.3], [0.3, 2.0]])
PARTS = np.array([0.5, np.nan, -0.2])


class Row(NamedTuple):
    model: Callable            # float -> float
    score: Callable            # (x, {site: value}) -> log-density
    lead: tuple = ()           # the axes in front of each site's own shape, which the transformations made


def lp(d, value):
    """The sum of a log-density, as a Python number."""
    return float(np.sum(np.asarray(d.log_prob(np.asarray(value)))))


# ---- models ----

def plain(x):
    a = cr.sample("a", dist.Normal(x, 1.0))
    b = cr.sample("b", dist.Normal(cnp.stack([a, 2.0 * a]), 2.0))
    cr.deterministic("d", a + b)
    cr.factor("f", -0.1 * a ** 2)
    return cnp.sum(b) + a


def plain_score(x, v):
    return (lp(dist.Normal(x, 1.0), v["a"]) + lp(dist.Normal(np.array([1.0, 2.0]) * v["a"], 2.0), v["b"])
            - 0.1 * v["a"] ** 2)


def observed(x):
    g = cr.sample("g", dist.Gamma(2.0, 1.0 + x ** 2))
    cr.sample("y", dist.Poisson(g * cnp.array([1.0, 0.5, 2.0])), obs=COUNTS)
    k = cr.sample("k", dist.Bernoulli(0.3))
    cr.sample("z", dist.Normal(cnp.where(k == 1, x, -x), 1.0), obs=0.2)
    return g


def observed_score(x, v):
    return (lp(dist.Gamma(2.0, 1.0 + x ** 2), v["g"]) + lp(dist.Poisson(v["g"] * np.array([1.0, 0.5, 2.0])), COUNTS)
            + lp(dist.Bernoulli(0.3), v["k"]) + lp(dist.Normal(x if v["k"] == 1 else -x, 1.0), 0.2))


def vectors(x):
    w = cr.sample("w", dist.MultivariateNormal(cnp.stack([x, 0.0 * x]), MATRIX))
    p = cr.sample("p", dist.Dirichlet(np.array([1.0, 2.0, 3.0])))
    e = cr.sample("e", dist.Normal(x, 1.0).expand((2, 3)).to_event(1))
    m = cr.sample("m", dist.Normal(x * np.ones(2), 1.5).mask(np.array([True, False])))
    return cnp.sum(w) + p[0] + cnp.sum(e) + cnp.sum(m)


def vectors_score(x, v):
    return (lp(dist.MultivariateNormal(np.array([x, 0.0]), MATRIX), v["w"])
            + lp(dist.Dirichlet(np.array([1.0, 2.0, 3.0])), v["p"])
            + lp(dist.Normal(x, 1.0), v["e"]) + lp(dist.Normal(x, 1.5), v["m"][0]))


def plates(x):
    with cr.plate("i", 3):
        a = cr.sample("a", dist.Normal(x, 1.0))
        with cr.plate("j", 2):
            b = cr.sample("b", dist.Normal(a, 0.5))
            with cr.handlers.scale(scale=2.0), cr.handlers.mask(mask=np.array([True, True, False])):
                cr.sample("y", dist.Normal(b, 1.0), obs=np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]))
    return cnp.sum(b)


def plates_score(x, v):
    y = np.array([[0.1, 0.2], [0.4, 0.5]])
    return (lp(dist.Normal(x, 1.0), v["a"]) + lp(dist.Normal(v["a"], 0.5), v["b"])
            + 2.0 * lp(dist.Normal(v["b"][:, :2], 1.0), y))


def chain(x):
    """A site in the carry of a scan, with observations along the way."""
    def step(state, y):
        state = cr.sample("s", dist.Normal(0.5 * state + x, 1.0))
        cr.sample("y", dist.Normal(state, 0.7), obs=y)
        return state, cr.deterministic("twice", 2.0 * state)
    return cnp.sum(scan(step, 0.1, OFFSETS)[1])


def chain_score(x, v):
    before = np.concatenate([[0.1], v["s"][:-1]])
    return lp(dist.Normal(0.5 * before + x, 1.0), v["s"]) + lp(dist.Normal(v["s"], 0.7), OFFSETS)


def lanes(x):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))

    def one(offset):
        u = cr.sample("u", dist.Normal(offset * x + mu, cnp.exp(offset)))
        shared = cr.sample("shared", dist.HalfNormal(2.0))
        return u * shared
    return cnp.sum(vmap(one)(OFFSETS))


def lanes_score(x, v):
    return (lp(dist.Normal(0.0, 1.0), v["mu"]) + lp(dist.Normal(OFFSETS * x + v["mu"], np.exp(OFFSETS)), v["u"])
            + lp(dist.HalfNormal(2.0), v["shared"]))


def choice(x):
    """Branches with a site of one name and two distributions, and one with a site of its own."""
    def low(x):
        with cr.handlers.scale(scale=3.0):
            return cr.sample("s", dist.Normal(x, 1.0)) + cr.sample("only", dist.Normal(0.0, 2.0))

    def high(x):
        cr.factor("f", -x)
        return cr.sample("s", dist.Gamma(2.0, 1.0 + x))
    return jit(lambda x: cond(x < 0.5, low, high, x))(x)


def choice_score(x, v):
    if x < 0.5:
        return 3.0 * (lp(dist.Normal(x, 1.0), v["s"]) + lp(dist.Normal(0.0, 2.0), v["only"]))
    return lp(dist.Gamma(2.0, 1.0 + x), v["s"]) - x


def missing(x):
    """Observations of which some are missing: whole events, and an element of a vector."""
    y = cr.sample("y", dist.Normal(x, 2.0), obs=PARTS, obs_mask=~np.isnan(PARTS))
    w = cr.sample("w", dist.MultivariateNormal(cnp.stack([x, 2.0 * x]), MATRIX), obs=np.array([np.nan, 0.4]),
                  obs_mask=np.array([False, True]))
    return cnp.sum(y) + w[0]


def missing_score(x, v):
    slope = MATRIX[0, 1] / MATRIX[1, 1]
    given = dist.Normal(x + slope * (0.4 - 2.0 * x), np.sqrt(MATRIX[0, 0] - slope * MATRIX[0, 1]))
    u, w, aside = v["y_unobserved"], v["w_unobserved"], dist.Normal(0.0, 1.0)
    return (lp(dist.Normal(x, 2.0), PARTS[[0, 2]]) + lp(dist.Normal(x, 2.0), u[1]) + lp(aside, u[[0, 2]])
            + lp(dist.Normal(2.0 * x, np.sqrt(MATRIX[1, 1])), 0.4) + lp(given, w[0]) + lp(aside, w[1]))


MODELS = {
    "plain": Row(plain, plain_score),
    "observed": Row(observed, observed_score),
    "vectors": Row(vectors, vectors_score),
    "plates": Row(plates, plates_score),
    "chain": Row(chain, chain_score),
    "lanes": Row(lanes, lanes_score),
    "choice": Row(choice, choice_score),
    "missing": Row(missing, missing_score),
}


# ---- transformations ----

def lane(values, i):
    return {name: value[i] for name, value in values.items()}


def over_offsets(row, model):
    """The row of a loop over OFFSETS."""
    def score(x, values):
        return sum(row.score(x + o, lane(values, i)) for i, o in enumerate(OFFSETS))
    return Row(model, score, (len(OFFSETS), *row.lead))


def in_vmap(row):
    return over_offsets(row, lambda x: cnp.sum(vmap(row.model)(x + OFFSETS)))


def in_vmap_of_nothing(row):
    """Lanes that share all that they are given: still independent sites."""
    def score(x, values):
        return sum(row.score(x, lane(values, i)) for i in range(2))
    return Row(lambda x: cnp.sum(vmap(lambda _: row.model(x))(np.arange(2))), score, (2, *row.lead))


def in_scan(row):
    return over_offsets(row, lambda x: scan(lambda total, o: (total + row.model(x + o), None), 0.0, OFFSETS)[0])


def in_reverse_scan(row):
    def model(x):
        return cnp.sum(scan(lambda c, o: (c, row.model(x + o)), None, OFFSETS, reverse=True)[1])
    return over_offsets(row, model)


def in_jit(row):
    return row._replace(model=jit(lambda x: row.model(x)))


def in_checkpoint(row):
    return row._replace(model=checkpoint(lambda x: row.model(x)))


def in_cond(row):
    """Taken always, by a predicate that depends on the argument, so on the lane."""
    return row._replace(model=jit(lambda x: cond(x > -50.0, row.model, lambda x: x * 2.0, x)))


def in_switch(row):
    """Taken always, by an index that no lane changes."""
    def model(x):
        return jit(lambda i, x: switch(i, [lambda x: x, row.model, lambda x: -x], x))(1, x)
    return row._replace(model=model)


def in_custom_jvp(row):
    """With a rule of its own, which meets the sites again."""
    f = custom_jvp(lambda x: row.model(x))
    f.defjvp(lambda primals, tangents: jvp(lambda x: row.model(x), primals, tangents))
    return row._replace(model=lambda x: f(x))


def in_custom_vjp(row):
    f = custom_vjp(lambda x: row.model(x))
    f.defvjp(lambda x: value_and_grad(lambda u: row.model(u))(x * 1.0), lambda slope, c: (c * slope,))
    return row._replace(model=lambda x: f(x))


def in_grad(row):
    return row._replace(model=lambda x: grad(lambda u: row.model(u))(x * 1.0))


TRANSFORMS = {"vmap": in_vmap, "vmap of nothing": in_vmap_of_nothing, "scan": in_scan, "reverse scan": in_reverse_scan,
              "jit": in_jit, "checkpoint": in_checkpoint, "cond": in_cond, "switch": in_switch, "grad": in_grad,
              "custom_jvp": in_custom_jvp, "custom_vjp": in_custom_vjp}


def nested(name, transforms):
    """The row `name` inside of the transformations, the first of them innermost."""
    row = MODELS[name]
    for t in transforms:
        row = TRANSFORMS[t](row)
    return row
