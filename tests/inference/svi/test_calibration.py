"""Variational simulation-based calibration, on a model whose posterior is known: y ~ N(mu, 1), mu ~ N(0, 1)."""
import io
import itertools

import numpy as onp
import pytest
from scipy import stats as sp

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import random, stats
from chainrule.inference import SVI, Trace_ELBO, diagnose, vsbc
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam
from chainrule.inference.svi.calibration import asymmetry

RIGHT = 0.5 ** 0.5


def model(y, shift=0.0, scale=RIGHT):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    cr.sample("y", dist.Normal(mu, 1.0), obs=y)


def off(y, shift=0.0, scale=RIGHT):
    """The posterior, moved and of another width; the guide's only param does nothing to it."""
    cr.sample("mu", dist.Normal(0.5 * y + shift + 0.0 * cr.param("unused", 0.0), scale))


def test_the_asymmetry_test_is_exact():
    sizes = onp.array([0.4, 0.31, 0.3, 0.22, 0.17, 0.1, 0.06, 0.01])
    signs = onp.array(list(itertools.product((-1, 1), repeat=8)))
    found = onp.array([asymmetry(0.5 + s * sizes) for s in signs])
    distances = onp.array([sp.ks_2samp(0.5 + s * sizes, 0.5 - s * sizes).statistic for s in signs])
    exact = (distances[None] >= distances[:, None] - 1e-9).mean(1)
    assert onp.allclose(found, exact)
    assert asymmetry([0.5, 0.5]) == 1.0 and asymmetry(onp.repeat([0.2, 0.8], 50)) == 1.0


@pytest.fixture(scope="module")
def right():
    svi = SVI(model, AutoNormal(model, init_scale=0.5), Adam(0.03), Trace_ELBO(5))
    return svi, vsbc(svi, random.key(0), 400, 1.0, num_simulations=300, num_draws=400)


def test_fits_that_are_right_have_uniform_p_values(right):
    """A KS test at 10⁻⁴; the verdict's two tests have 10⁻² each."""
    svi, found = right
    assert found.p_values["mu"].shape == (300,) and found.failed == 0
    assert sp.kstest(found.p_values["mu"], "uniform").pvalue > 1e-4
    assert found.verdict() == "no bias seen in 300 fits of simulated data."
    before = stats().compilations
    again = vsbc(svi, random.key(1), 300, 2.0, num_simulations=300, num_draws=400)
    assert stats().compilations == before and not onp.array_equal(again.p_values["mu"], found.p_values["mu"])


def test_guides_that_are_wrong_are_named():
    svi = SVI(model, off, Adam(0.01))
    for shift, scale, words in ((0.5, RIGHT, "mu: fits are too high on average"),
                                (-0.5, RIGHT, "mu: fits are too low on average"),
                                (0.0, 0.3, "mu: the guide is too narrow"), (0.0, 1.5, "mu: the guide is too wide"),
                                (0.0, RIGHT, "no bias seen in 300 fits")):
        found = vsbc(svi, random.key(0), 1, 1.0, shift, scale, num_simulations=300, num_draws=200).verdict()
        assert found.startswith(words) and len(found.splitlines()) == 1


def test_the_worst_number_of_a_site_is_named():
    def model(y):
        with cr.plate("i", 3):
            z = cr.sample("z", dist.Normal(0.0, 1.0))
            cr.sample("y", dist.Normal(z, 1.0), obs=y)

    def guide(y):
        with cr.plate("i", 3):
            loc = 0.5 * y + np.asarray([0.0, 0.0, 0.5]) + 0.0 * cr.param("unused", 0.0)
            cr.sample("z", dist.Normal(loc, 0.5 ** 0.5))

    found = vsbc(SVI(model, guide, Adam(0.01)), random.key(0), 1, np.zeros(3), num_simulations=300, num_draws=200)
    assert found.asymmetry["z"].shape == (3,) and found.verdict().startswith("z[2]: fits are too high")


def test_data_that_are_no_argument_are_simulated_by_hand():
    def part(x):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(mu, 1.0), obs=2.0 * x)

    def simulate(key):
        one, two = random.split(key)
        mu = random.normal(one)
        return {"mu": mu}, (0.5 * (mu + random.normal(two)),)

    svi = SVI(part, lambda x: off(2.0 * x), Adam(0.01))
    with pytest.raises(ValueError, match="site 'y' observes none of the model's arguments"):
        vsbc(svi, random.key(0), 1, 1.0)
    found = vsbc(svi, random.key(0), 1, 1.0, simulate=simulate, num_simulations=300, num_draws=200)
    assert found.verdict().startswith("no bias seen")


def test_a_diagnosis_says_both(right):
    svi, _ = right
    result = svi.run(random.key(0), 600, 1.0, progress_bar=False)
    file = io.StringIO()
    said = diagnose(svi, result, random.key(1), 1.0, num_simulations=300, num_steps=400, file=file)
    assert said.khat < 0.7 and file.getvalue() == f"{said.words}\n"
    assert said.words.startswith("k-hat") and said.words.splitlines()[1].startswith("no bias seen")


def test_wrong_arguments_are_named():
    svi = SVI(model, off, Adam(0.1))
    with pytest.raises(ValueError, match="num_simulations must be an integer of at least 20"):
        vsbc(svi, random.key(0), 1, 1.0, num_simulations=3)
    with pytest.raises(ValueError, match="plate 'i' is subsampled"):
        def model2(y):
            with cr.plate("i", 4, subsample_size=2):
                z = cr.sample("z", dist.Normal(0.0, 1.0))
                cr.sample("y", dist.Normal(z, 1.0), obs=y)
        vsbc(SVI(model2, AutoNormal(model2), Adam(0.1)), random.key(0), 1, np.zeros(2))
    with pytest.raises(ValueError, match="observes none of its arguments, so there are no data"):
        def prior():
            cr.sample("mu", dist.Normal(0.0, 1.0))
        vsbc(SVI(prior, AutoNormal(prior), Adam(0.1)), random.key(0), 1)
