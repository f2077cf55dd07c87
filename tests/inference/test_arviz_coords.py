"""Plates are named once: their names and labels are the dimensions and coordinates in ArviZ, with no further words."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import scan, vmap
from chainrule.inference import MCMC, NUTS, Predictive
from chainrule.ppl import SiteError
from chainrule.ppl.model import stage_model

SCHOOLS, YEARS = ["Choate", "Deerfield", "Exeter"], np.array([1998, 1999])


def model(y):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    with cr.plate("school", coords=SCHOOLS):
        theta = cr.sample("theta", dist.Normal(mu, 1.0))
        with cr.plate("year", coords=YEARS):
            effect = cr.deterministic("effect", theta + np.zeros((2, 1)))
            cr.sample("y", dist.Normal(effect, 1.0), obs=y)
    with cr.plate("other", 4):
        cr.sample("w", dist.Normal(np.zeros((4, 2)), 1.0).to_event(1), infer={"event_dims": ["side"]})
    vmap(lambda i: cr.sample("lane", dist.Normal(i, 1.0)), axis_name="player")(np.arange(5.0))
    scan(lambda c, _: (c, cr.sample("step", dist.Normal(0.0, 1.0))), 0.0, None, length=2)


@pytest.fixture(scope="module")
def mcmc():
    mcmc = MCMC(NUTS(model), num_warmup=20, num_samples=10, num_chains=2, progress_bar=False)
    mcmc.run(0, np.zeros((2, 3)))
    return mcmc


def test_coords_of_plates_reach_arviz_with_no_further_words(mcmc):
    data = mcmc.to_arviz()
    posterior = data["posterior"]
    assert posterior["theta"].dims == ("chain", "draw", "school")
    assert posterior["effect"].dims == ("chain", "draw", "year", "school")
    assert posterior["w"].dims == ("chain", "draw", "other", "side")
    assert posterior["lane"].dims == ("chain", "draw", "player")
    assert posterior["step"].dims == ("chain", "draw", "step_dim_0") and posterior["mu"].dims == ("chain", "draw")
    assert posterior["school"].values.tolist() == SCHOOLS and posterior["year"].values.tolist() == [1998, 1999]
    assert posterior["other"].values.tolist() == [0, 1, 2, 3] and posterior["player"].values.tolist() == list(range(5))
    observed = data["observed_data"]["y"]
    assert observed.dims == ("year", "school") and observed["school"].values.tolist() == SCHOOLS
    draws = np.asarray(mcmc.get_samples(group_by_chain=True)["effect"])
    np.testing.assert_array_equal(posterior["effect"].sel(school="Exeter", year=1999), draws[..., 1, 2])


def test_predictions_get_them_too_and_ones_given_by_hand_come_first(mcmc):
    y = Predictive(model, mcmc.get_samples())(1, None)["y"]
    data = mcmc.to_arviz(posterior_predictive={"y": y}, coords={"school": ["a", "b", "c"]}, dims={"step": ["time"]})
    assert data["posterior_predictive"]["y"].dims == ("chain", "draw", "year", "school")
    assert data["posterior_predictive"]["year"].values.tolist() == [1998, 1999]
    assert data["posterior"]["school"].values.tolist() == ["a", "b", "c"]
    assert data["posterior"]["step"].dims == ("chain", "draw", "time")


def described(model, *args):
    program, data = stage_model(model, args)
    program.describe(data)
    return program


def test_a_plate_entered_again_needs_its_labels_once():
    def again():
        with cr.plate("n", 2):
            x = cr.sample("x", dist.Normal(0.0, 1.0))
        with cr.plate("n", coords="ab"):
            cr.sample("y", dist.Normal(x, 1.0), obs=np.zeros(2))
    program = described(again)
    assert program.coords == {"n": ["a", "b"]} and program.dims == {"x": ["n"], "y": ["n"]}


def test_a_part_of_a_plate_has_no_labels():
    def part():
        with cr.plate("n", coords="abcd", subsample_size=2):
            cr.sample("x", dist.Normal(0.0, 1.0))
    assert described(part).coords == {}


def two_sizes():
    with cr.plate("n", 2):
        x = cr.sample("x", dist.Normal(0.0, 1.0))
    with cr.plate("n", 3):
        cr.sample("y", dist.Normal(cnp.sum(x), 1.0))


def test_two_plates_of_one_name_and_two_sizes_are_an_error_that_names_both_lines():
    with pytest.raises(SiteError) as caught:
        MCMC(NUTS(two_sizes), num_warmup=1, num_samples=1, progress_bar=False).run(0)
    text = str(caught.value)
    assert "plate 'n' has size 2" in text and "size 3" in text
    assert 'cr.plate("n", 2)' in text and 'cr.plate("n", 3)' in text and text.count("in two_sizes") == 3


def test_names_of_event_axes_must_fit():
    def model():
        cr.sample("w", dist.Normal(np.zeros(3), 1.0).to_event(1), infer={"event_dims": ["a", "b"]})
    with pytest.raises(SiteError, match="event_dims has 2 names"):
        described(model)
