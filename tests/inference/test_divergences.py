"""Where trajectories diverged: a wall at x = 1.5 that each step over it is thrown back by."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as enp
from chainrule.engine import random
from chainrule.inference import HMC, MCMC, NUTS
from chainrule.inference.divergences import ROWS


def walled(height):
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    with cr.plate("side", 2):
        y = cr.sample("y", dist.HalfNormal(1.0))
    cr.deterministic("sum", x + y)
    cr.factor("wall", -height * enp.maximum(x - 1.5, 0.0) ** 2)


def run(height=1e8, method="parallel", draws=400, kernel=NUTS, **options):
    kernel = kernel(walled, step_size=0.3, adapt_step_size=False)
    mcmc = MCMC(kernel, num_warmup=50, num_samples=draws, num_chains=2, progress_bar=False, warn=False,
                chain_method=method, **options)
    mcmc.run(random.key(0), height)
    return mcmc


@pytest.mark.parametrize("method", ["parallel", "vectorized"])
def test_they_begin_at_the_draw_before_and_end_behind_the_wall(method):
    mcmc = run(method=method)
    x, fields = mcmc.get_samples(group_by_chain=True), mcmc.get_extra_fields(group_by_chain=True)
    found, diverging = mcmc.divergences(), np.asarray(fields["diverging"])
    assert np.array_equal(found.count, diverging.sum(1)) and diverging.sum(1).min() > ROWS
    chain, draw = np.asarray(found.chain), np.asarray(found.draw)
    for c in range(2):
        assert np.array_equal(draw[chain == c], np.flatnonzero(diverging[c])[-ROWS:])
    assert np.all(np.asarray(found.end["x"]) > 1.5) and np.all(np.asarray(found.start["x"]) < 1.51)
    later = draw > 0
    for site in ("x", "y", "sum"):
        before = np.asarray(x[site])[chain[later], draw[later] - 1]
        np.testing.assert_allclose(np.asarray(found.start[site])[later], before, rtol=1e-12)
    assert found.end["y"].shape == (2 * ROWS, 2)
    np.testing.assert_allclose(found.end["sum"], np.asarray(found.end["x"])[:, None] + np.asarray(found.end["y"]))


def test_thinned_and_stored_and_exported(tmp_path):
    """Thinning leaves draws out, and no divergence; a run on disk has them too."""
    whole = run(draws=60).divergences()
    mcmc = run(draws=60, thinning=5, store=tmp_path / "run")
    loaded = MCMC.load(tmp_path / "run", MCMC(mcmc.sampler, num_warmup=50, num_samples=60, num_chains=2, thinning=5,
                                              chain_method="parallel"), 1e8)
    for found in (mcmc.divergences(), loaded.divergences()):
        for a, b in zip((whole.count, whole.draw, whole.end["x"]), (found.count, found.draw, found.end["x"])):
            np.testing.assert_array_equal(a, b)
    group = mcmc.to_arviz(divergences=True)["divergences"]
    assert group["x"].dims == ("divergence", "place") and group["y"].dims == ("divergence", "place", "side")
    np.testing.assert_array_equal(group["y"].sel(place="end").values, whole.end["y"])
    np.testing.assert_array_equal(group["draw"].values, whole.draw)


def test_none():
    mcmc = run(height=0.0, draws=20)
    found = mcmc.divergences()
    assert found.count.tolist() == [0, 0] and found.start["y"].shape == (0, 2)
    assert mcmc.to_arviz(divergences=True)["divergences"]["x"].shape == (0, 2)
    mcmc.post_warmup_state = run(draws=60).last_state
    mcmc.run(random.key(0), 0.0)
    assert mcmc.divergences().count.tolist() == [0, 0]                    # of this run alone
    with pytest.raises(ValueError, match="recorded by NUTS alone"):
        run(draws=5, kernel=HMC).divergences()
