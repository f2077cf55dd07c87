"""Queries of many draws over random models: each draw is that of a run alone, its terms those of plain Python loops."""
import numpy as np
import pytest
from hypothesis import given, settings

from chainrule.engine import config, random
from chainrule.inference import Predictive, compute_log_prior, init_to_sample, initialize_model, log_likelihood
from chainrule.ppl import log_density
from chainrule.ppl.handlers import seed, trace
from chainrule.ppl.queries import draws
from tests.ppl.test_random_models import MODELS, by_hand, kept, run

pytestmark = pytest.mark.slow

KEY, X = random.key(2), 0.3


@pytest.fixture(autouse=True, scope="module")
def narrow_blocks():
    with pytest.MonkeyPatch.context() as patch, config(disable_jit=True):
        patch.setattr(draws, "HOST", (1 << 18, 2))
        yield


@settings(max_examples=40)
@given(MODELS)
def test_many_draws_are_the_runs_alone(body):
    def model(x):
        run(body, x)

    many = Predictive(model, num_samples=3)(KEY, X)
    alone = [trace(seed(model, random.fold_in(KEY, i))).get_trace(X) for i in range(3)]
    assert set(many) == set(kept(alone[0], False))
    for i, tr in enumerate(alone):
        for k, v in kept(tr, False).items():
            np.testing.assert_allclose(many[k][i], v, rtol=1e-11, atol=1e-13, err_msg=k)
    if not many:
        return
    values = [{k: np.asarray(v) for k, v in kept(tr, True).items()} for tr in alone]
    expected = [by_hand(body, X, v)[1] for v in values]
    total, recorded = log_density(model, (X,), {}, many, batch_ndims=1)
    np.testing.assert_allclose(total, expected, rtol=1e-9, atol=1e-9)
    terms = {**log_likelihood(model, many, X), **compute_log_prior(model, many, X)}
    factors = [s for s in recorded.values() if s["type"] == "factor"]
    if not factors:
        both = sum(np.asarray(v).reshape(3, -1).sum(1) for v in terms.values())
        np.testing.assert_allclose(both, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=25)
@given(MODELS)
def test_a_start_from_the_prior_is_a_run_of_the_model(body):
    def model(x):
        run(body, x)

    tr = trace(seed(model, random.fold_in(KEY, 0))).get_trace(X)
    latent = kept(tr, False)
    if any(np.asarray(v).dtype.kind != "f" for v in latent.values()):
        return
    info = initialize_model(KEY, model, init_strategy=init_to_sample, model_args=(X,))
    values = info.postprocess_fn(info.param_info.z)
    for k, v in latent.items():
        np.testing.assert_allclose(values[k], v, rtol=1e-9, atol=1e-12, err_msg=k)
