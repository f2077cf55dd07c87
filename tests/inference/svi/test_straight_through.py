"""The straight-through estimator: exact where the bound is linear in each draw; a site's estimator is chosen."""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, grad, random, scan
from chainrule.inference import Trace_ELBO
from chainrule.inference.svi.straight_through import StraightThrough
from chainrule.ppl.handlers import infer_config
from chainrule.ppl.sites import SiteError
from tests.inference.svi.rows import BY_NAME
from tests.inference.svi.test_objectives import assert_mean, many

STRAIGHT, SUM = {"grad": "straight_through"}, {"grad": "enumerate"}
LOGITS = {"logits": onp.array([0.4, -0.6, 1.0])}


def plate_model():
    with cr.plate("i", 3):
        k = cr.sample("k", dist.Bernoulli(0.4))
    cr.factor("pairs", 2.0 * k[0] * k[1] - k[1] * k[2])


def plate_guide():
    with cr.plate("i", 3):
        cr.sample("k", dist.Bernoulli(logits=cr.param("logits", np.zeros(3))))


def scan_model():
    def step(before, _):
        k = cr.sample("k", dist.Bernoulli(0.4))
        cr.factor("pairs", 1.5 * before * k)
        return 1.0 * k, None
    scan(step, 0.0, np.zeros(3))


def scan_guide():
    def step(c, logit):
        cr.sample("k", dist.Bernoulli(logits=logit))
        return c, None
    scan(step, 0.0, cr.param("logits", np.zeros(3)))


def cond_model():
    k = cr.sample("k", dist.Bernoulli(0.4))

    def taken(_):
        m = cr.sample("m", dist.OneHotCategorical(np.asarray([0.2, 0.3, 0.5])))
        return m @ np.asarray([1.0, -1.0, 0.5])
    cr.factor("cost", cond(cr.param("on", 1.0) > 0.0, taken, lambda _: 0.0, 0.0) * k)


def cond_guide():
    logits = cr.param("logits", np.zeros(3))
    cr.sample("k", dist.Bernoulli(logits=logits[0]))
    cond(logits[0] > -5.0, lambda _: 1.0 * cr.sample("m", dist.OneHotCategorical(logits=logits)),
         lambda _: np.zeros(3), 0.0)


@pytest.mark.parametrize("model, guide", [(plate_model, plate_guide), (scan_model, scan_guide),
                                          (cond_model, cond_guide)], ids=["plate", "scan", "cond"])
def test_it_is_exact_where_the_bound_is_linear_in_each_draw(model, guide):
    """Against the score function, which is unbiased, by 4.5 standard errors for each of four numbers; in the cond the
    second draw is independent of the first."""
    straight = infer_config(guide, {"k": STRAIGHT, "m": STRAIGHT})
    found, unbiased = (many(Trace_ELBO(), model, g, LOGITS, 4000, seed=s) for g, s in ((straight, 0), (guide, 1)))
    error = (unbiased.var(0) / 4000) ** 0.5
    z = (found.mean(0) - unbiased.mean(0)) / ((found.var(0) / 4000) + error ** 2) ** 0.5
    assert abs(z).max() < 4.5, z


def test_it_is_biased_where_a_cost_is_not_linear():
    row = BY_NAME["plate"]
    found = many(Trace_ELBO(), row.model, infer_config(row.guide, {"k": STRAIGHT}), row.params, 4000)
    exact = many(Trace_ELBO(), row.model, infer_config(row.guide, {"k": SUM}), row.params, 1)[0]
    assert_mean(found[:, :1], exact[:1])                                 # the value is that of a draw
    z = (found.mean(0) - exact)[1:] / (found.std(0)[1:] / 4000 ** 0.5)
    assert abs(z).max() > 8.0


def test_draws_are_0_or_1_with_the_derivative_of_the_mean():
    f = lambda x: StraightThrough(dist.Bernoulli(logits=x)).sample(random.key(0), (1000,))
    draws = onp.asarray(f(np.asarray(0.3)))
    assert set(draws) == {0.0, 1.0} and abs(draws.mean() - 0.574) < 4.5 * 0.5 / 1000 ** 0.5
    slope = grad(lambda x: f(x)[0])(np.asarray(0.3))
    p = 1 / (1 + onp.exp(-0.3))
    assert float(slope) == pytest.approx(p * (1 - p))
    for d in (dist.Bernoulli(probs=0.3), dist.OneHotCategorical(probs=np.asarray([0.2, 0.8])),
              dist.Bernoulli(probs=np.asarray([0.2, 0.4])).to_event(1)):
        x = np.astype(d.sample(random.key(0)), float)
        s = StraightThrough(d)
        assert float(s.log_prob(x)) == pytest.approx(float(d.log_prob(x)))
        slopes = onp.asarray(grad(s.log_prob)(x))
        step = [float(d.log_prob(e)) for e in onp.eye(2)] if d.event_shape else None
        if isinstance(d, dist.OneHotCategoricalProbs):
            assert slopes.tolist() == pytest.approx(step)
    assert float(grad(StraightThrough(dist.Bernoulli(0.3)).log_prob)(np.asarray(1.0))) == pytest.approx(
        onp.log(0.3 / 0.7))


def test_a_site_s_estimator_can_be_chosen_around_the_guide():
    row = BY_NAME["coin"]
    summed = many(Trace_ELBO(), row.model, infer_config(row.guide, {"k": SUM}), row.params, 500)
    also = many(Trace_ELBO(), row.model, infer_config(row.guide, lambda s: {"enumerate": "parallel"} if s["name"] == "k"
                                                      else {}), row.params, 500)
    drawn = many(Trace_ELBO(), row.model, row.guide, row.params, 500)
    assert onp.array_equal(summed, also) and summed.var(0).sum() < drawn.var(0).sum()


def test_other_families_and_integer_carries_are_refused():
    def guide():
        cr.sample("k", dist.Poisson(1.0), infer=STRAIGHT)

    with pytest.raises(SiteError, match="is for Bernoulli and OneHotCategorical; the site is Poisson"):
        Trace_ELBO().loss(random.key(0), {}, guide, guide)
    row = BY_NAME["scan"]
    with pytest.raises(SiteError, match="carries an int64 on.*\nCarry a floating-point number"):
        Trace_ELBO().loss(random.key(0), row.params, row.model, infer_config(row.guide, {"k": STRAIGHT}))
