"""The bound with the model's discrete sites summed out, against sums over all of their joint values."""
import itertools

import numpy as onp
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, random, scan, value_and_grad, vmap
from chainrule.inference import SVI, TraceEnum_ELBO
from chainrule.inference.autoguide import AutoDelta, AutoNormal
from chainrule.inference.optim import Adam
from chainrule.ppl.handlers import block, infer_config
from chainrule.ppl.sites import SiteError

Y = onp.array([[0.5, -1.0, 2.0], [1.0, 0.2, 3.0]])
W, MASK = onp.array([0.3, 0.1, 2.0]), onp.array([True, False, True])


def nested(y):
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    g = cr.sample("g", dist.Categorical(np.asarray([0.2, 0.3, 0.5])))
    with cr.plate("i", 3):
        k = cr.sample("k", dist.Bernoulli(0.2 + 0.2 * g), infer={"enumerate": "parallel"})
        with cr.handlers.mask(mask=MASK):
            m = cr.sample("m", dist.Bernoulli(0.4))
            cr.sample("w", dist.Normal(1.0 * m, 1.0), obs=np.asarray(W))
        with cr.plate("j", 2):
            h = cr.sample("h", dist.Bernoulli(0.3 + 0.4 * k))
            cr.sample("y", dist.Normal(a + 2.0 * h + g, 1.0), obs=y)


def point(y):
    cr.sample("a", dist.Delta(cr.param("at", 0.3)))


def coin(p, x):
    return p if x else 1 - p


def nested_density(a):
    total = 0.0
    for g, p in enumerate((0.2, 0.3, 0.5)):
        for i in range(3):
            row = 0.0
            for k in (0, 1):
                term = coin(0.2 + 0.2 * g, k)
                for j in range(2):
                    term *= sum(coin(0.3 + 0.4 * k, h) * stats.norm.pdf(Y[j, i], a + 2 * h + g) for h in (0, 1))
                row += term
            p *= row
            if MASK[i]:
                p *= sum(coin(0.4, m) * stats.norm.pdf(W[i], m) for m in (0, 1))
        total += p
    return onp.log(total) + stats.norm.logpdf(a)


def loss(model, guide, params, *args):
    value, slope = value_and_grad(lambda p: TraceEnum_ELBO().loss(random.key(0), p, model, guide, *args))(params)
    return -float(value), {k: -float(v) for k, v in slope.items()}


def test_sites_of_nested_plates_are_summed_index_by_index():
    value, slope = loss(nested, point, {"at": np.asarray(0.3)}, Y)
    assert value == pytest.approx(nested_density(0.3), rel=1e-12)
    assert slope["at"] == pytest.approx((nested_density(0.3001) - nested_density(0.2999)) / 2e-4, rel=1e-6)


def test_steps_of_a_scan_are_summed_over_their_joint_values():
    def chain(y):
        def step(k, y):
            k = cr.sample("k", dist.Bernoulli(0.2 + 0.6 * k))
            cr.sample("y", dist.Normal(1.5 * k, 1.0), obs=y)
            return k, None
        scan(step, np.asarray(0), y)

    total = 0.0
    for path in itertools.product((0, 1), repeat=3):
        p, before = 1.0, 0
        for k, y in zip(path, Y[0]):
            p, before = p * coin(0.2 + 0.6 * before, k) * stats.norm.pdf(y, 1.5 * k), k
        total += p
    assert loss(chain, lambda y: None, {}, Y[0])[0] == pytest.approx(onp.log(total), rel=1e-12)


@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_a_scale_multiplies_the_sum_s_logarithm(factor):
    def model(y):
        with cr.plate("i", 6, subsample_size=3), cr.handlers.scale(scale=factor):
            k = cr.sample("k", dist.Categorical(np.asarray([0.2, 0.3, 0.5])))
            cr.sample("y", dist.Normal(np.asarray([0.0, 1.0, 2.0])[k], 1.0), obs=y)

    each = onp.log((stats.norm.pdf(W[:, None], onp.arange(3.0)) * [0.2, 0.3, 0.5]).sum(1))
    assert loss(model, lambda y: None, {}, W)[0] == pytest.approx(2.0 * factor * each.sum(), rel=1e-12)


def test_sites_of_the_guide_and_of_the_model_are_summed_together():
    """Unbiased, with the guide's site summed (no noise at all) or drawn (by 4.5 standard errors)."""
    def model():
        k = cr.sample("k", dist.Bernoulli(0.3))
        m = cr.sample("m", dist.Bernoulli(0.2 + 0.5 * k))
        cr.sample("y", dist.Normal(1.0 * k + 2.0 * m, 1.0), obs=1.2)

    def guide():
        cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)))

    def exact(logit):
        q = 1 / (1 + onp.exp(-logit))
        each = [onp.log(coin(0.3, k)) + onp.log(sum(coin(0.2 + 0.5 * k, m) * stats.norm.pdf(1.2, k + 2 * m)
                                                   for m in (0, 1))) - onp.log(coin(q, k)) for k in (0, 1)]
        return (1 - q) * each[0] + q * each[1]

    true = [exact(0.4), (exact(0.4001) - exact(0.3999)) / 2e-4]
    params = {"logit": np.asarray(0.4)}
    value, slope = loss(model, infer_config(guide, {"k": {"grad": "enumerate"}}), params)
    assert [value, slope["logit"]] == pytest.approx(true, rel=1e-6)

    def one(key):
        value, slope = value_and_grad(lambda p: TraceEnum_ELBO().loss(key, p, model, guide))(params)
        return np.stack([-value, -slope["logit"]])
    found = onp.asarray(vmap(one)(random.split(random.key(0), 4000)))
    assert (abs(found.mean(0) - true) < 4.5 * found.std(0) / 4000 ** 0.5).all() and found.std(0).min() > 0


def test_a_mixture_is_fitted_by_guides_of_its_continuous_sites():
    rng = onp.random.default_rng(0)
    x = onp.concatenate([rng.normal(-3.0, 1.0, 60), rng.normal(2.0, 1.0, 140)])

    def model(x):
        w = cr.sample("w", dist.Dirichlet(np.ones(2)))
        with cr.plate("part", 2):
            loc = cr.sample("loc", dist.Normal(np.asarray([-1.0, 1.0]), 5.0))
        with cr.plate("row", len(x)):
            k = cr.sample("k", dist.Categorical(w))
            cr.sample("x", dist.Normal(loc[k], 1.0), obs=x)

    for kind in (AutoDelta, AutoNormal):
        guide = kind(block(cr.handlers.seed(model, 0), hide=["k"]))
        svi = SVI(model, guide, Adam(0.05), TraceEnum_ELBO())
        params = svi.run(random.key(0), 600, x, progress_bar=False).params
        found = guide.median(params)
        order = onp.argsort(onp.asarray(found["loc"]))
        assert onp.asarray(found["loc"])[order].tolist() == pytest.approx([-3.0, 2.0], abs=0.4)
        assert onp.asarray(found["w"])[order].tolist() == pytest.approx([0.3, 0.7], abs=0.1)


def test_what_cannot_be_summed_is_refused():
    def across():
        with cr.plate("i", 4):
            k = cr.sample("k", dist.Bernoulli(0.3))
        cr.sample("y", dist.Normal(np.sum(k), 1.0), obs=1.0)

    def crossed():
        with cr.plate("i", 2, dim=-1):
            k = cr.sample("k", dist.Bernoulli(0.3))
        with cr.plate("j", 2, dim=-2):
            m = cr.sample("m", dist.Bernoulli(0.3))
            with cr.plate("i", 2, dim=-1):
                cr.sample("y", dist.Normal(1.0 * k + m, 1.0), obs=np.ones((2, 2)))

    def branch():
        cond(cr.param("on", 1.0) > 0.0, lambda: cr.sample("k", dist.Bernoulli(0.3)), lambda: np.asarray(0))

    def long():
        scan(lambda c, y: (cr.sample("k", dist.Bernoulli(0.3)), None), np.asarray(0), np.ones(20))

    def counts():
        cr.sample("k", dist.Poisson(1.0))

    for model, error, words in ((across, ValueError, "not index by index of the plate i"),
                                (crossed, ValueError, "depends on sites of other plates"),
                                (branch, SiteError, "in a branch of a cond"),
                                (long, SiteError, "has 1048576 joint values"),
                                (counts, SiteError, "the guide has no site of that name")):
        with pytest.raises(error, match=words):
            TraceEnum_ELBO().loss(random.key(0), {}, model, lambda: None)
