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


LONG = onp.random.default_rng(0).normal(1.0, 1.0, 150)
STAY = onp.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def hidden(y, reverse=False, factor=1.0, mask=True):
    """A chain of three states whose means have a latent shift, with a coin at each step that no step hands on."""
    shift = cr.sample("a", dist.Normal(0.0, 1.0))

    def step(k, row):
        y, mask = row
        with cr.handlers.mask(mask=mask), cr.handlers.scale(scale=factor):
            k = cr.sample("k", dist.Categorical(np.asarray(STAY)[k]))
            with cr.plate("j", 2):
                h = cr.sample("h", dist.Bernoulli(0.2 + 0.1 * k))
                cr.sample("y", dist.Normal(shift + k + h, 1.0), obs=y)
        return k, None
    scan(step, np.asarray(0), (y, np.broadcast_to(np.asarray(mask), y.shape)), reverse=reverse)


def hidden_density(y, a):
    """By the forward algorithm in NumPy."""
    coins = [[0.2 + 0.1 * k, 0.8 - 0.1 * k] for k in range(3)]
    emit = onp.array([[sum(p * stats.norm.pdf(y, a + k + h) for h, p in zip((1, 0), coins[k])) ** 2] for k in range(3)])
    alpha, total = STAY[0] * emit[:, 0, 0], 0.0
    for t in range(1, len(y)):
        total, alpha = total + onp.log(alpha.sum()), alpha / alpha.sum()
        alpha = alpha @ STAY * emit[:, 0, t]
    return total + onp.log(alpha.sum())


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"factor": 1.5}, {"mask": onp.arange(150) < 90}],
                         ids=["plain", "reverse", "scaled", "masked"])
def test_chains_are_summed_by_the_forward_algorithm(options):
    y = LONG[::-1] if options.get("reverse") else LONG
    seen = y[:90] if "mask" in options else y
    exact = lambda a: options.get("factor", 1.0) * hidden_density(seen[::-1] if options.get("reverse") else seen, a
                                                                  ) + stats.norm.logpdf(a)
    value, slope = loss(lambda y: hidden(y, **options), lambda y: point(y), {"at": np.asarray(0.3)}, y)
    assert value == pytest.approx(exact(0.3), rel=1e-10)
    assert slope["at"] == pytest.approx((exact(0.3001) - exact(0.2999)) / 2e-4, rel=1e-6)


def test_a_chain_of_two_sites_has_their_joint_states():
    def model(y):
        def step(before, y):
            k = cr.sample("k", dist.Bernoulli(0.2 + 0.5 * before[0]))
            m = cr.sample("m", dist.Bernoulli(0.1 + 0.4 * before[1] + 0.3 * k))
            cr.sample("y", dist.Normal(1.0 * k - 2.0 * m, 1.0), obs=y)
            return (k, m), None
        scan(step, (np.asarray(0), np.asarray(0)), y)

    total = 0.0
    for path in itertools.product(itertools.product((0, 1), repeat=2), repeat=3):
        p, (k0, m0) = 1.0, (0, 0)
        for (k, m), y in zip(path, Y[0]):
            p *= coin(0.2 + 0.5 * k0, k) * coin(0.1 + 0.4 * m0 + 0.3 * k, m) * stats.norm.pdf(y, k - 2 * m)
            k0, m0 = k, m
        total += p
    assert loss(model, lambda y: None, {}, Y[0])[0] == pytest.approx(onp.log(total), rel=1e-12)


@pytest.mark.parametrize("last", [False, True])
def test_steps_that_remember_more_are_summed_over_their_joint_values(last):
    """All coins before a step, or the last state behind the scan."""
    def model(y):
        def step(before, y):
            k = cr.sample("k", dist.Bernoulli(0.2 + 0.2 * before))
            cr.sample("y", dist.Normal(1.5 * k, 1.0), obs=y)
            return k if last else k + before, None
        end, _ = scan(step, np.asarray(0), y)
        cr.sample("end", dist.Normal(1.0 * end if last else 0.0, 1.0), obs=0.7)

    total = 0.0
    for path in itertools.product((0, 1), repeat=3):
        p, before = 1.0, 0
        for k, y in zip(path, Y[0]):
            p *= coin(0.2 + 0.2 * before, k) * stats.norm.pdf(y, 1.5 * k)
            before = k if last else before + k
        total += p * stats.norm.pdf(0.7, before if last else 0.0)
    assert loss(model, lambda y: None, {}, Y[0])[0] == pytest.approx(onp.log(total), rel=1e-12)


def test_a_site_in_a_branch_counts_once_where_it_is_not_taken():
    def model(y):
        def step(c, y):
            def taken(_):
                k = cr.sample("k", dist.Bernoulli(0.3))
                return 2.0 * k
            cr.sample("y", dist.Normal(cond(y > 0.0, taken, lambda _: 0.5, 0.0), 1.0), obs=y)
            return c, None
        scan(step, 0.0, y)

    def one(y):
        def taken(_):
            return cr.sample("k", dist.Bernoulli(0.3)) * 2.0
        cr.sample("y", dist.Normal(cond(y > 0.0, taken, lambda _: 0.5, 0.0), 1.0), obs=y)

    each = [onp.log(0.7 * stats.norm.pdf(y) + 0.3 * stats.norm.pdf(y, 2.0)) if y > 0 else stats.norm.logpdf(y, 0.5)
            for y in Y[0]]
    assert loss(model, lambda y: None, {}, Y[0])[0] == pytest.approx(sum(each), rel=1e-12)
    for y, exact in zip(Y[0], each):
        assert loss(one, lambda y: None, {}, y)[0] == pytest.approx(exact, rel=1e-12)


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
        cond(cr.param("on", 1.0) > 0.0, lambda: cr.sample("k", dist.Categorical(0.25 * np.ones(4))),
             lambda: cr.sample("k", dist.Bernoulli(0.5)))

    def long():                                          # each coin depends on all before it
        scan(lambda c, y: (c + cr.sample("k", dist.Bernoulli(0.3 / (1.0 + c))), None), np.asarray(0), np.ones(20))

    def counts():
        cr.sample("k", dist.Poisson(1.0))

    for model, error, words in ((across, ValueError, "not index by index of the plate i"),
                                (crossed, ValueError, "depends on sites of other plates"),
                                (branch, SiteError, "that depend on data or other sites or the branch"),
                                (long, SiteError, "has 1048576 joint values"),
                                (counts, SiteError, "the guide has no site of that name")):
        with pytest.raises(error, match=words):
            TraceEnum_ELBO().loss(random.key(0), {}, model, lambda: None)
