"""One model in three coordinates: the funnel of eight schools, and what is best where.

The centred model of Rubin's eight schools (1981),

    mu ~ Normal(0, 5)      tau ~ HalfCauchy(5)      theta_j ~ Normal(mu, tau)      y_j ~ Normal(theta_j, sigma_j)

has a funnel: where tau is small, all theta_j are held together, and no step size fits both its neck and its mouth. In
z_j = (theta_j - mu) / tau there is none, as long as the data say little of each theta_j. With errors a twentieth of the
size it is the other way around: the data hold each theta_j, and in z_j there is a ridge. The handler `reparam` changes
the coordinates and leaves the model as it is written.

    python examples/funnel.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, diagnostics
from chainrule.inference.reparam import LocScaleReparam

EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
REFERENCE = {"mu": (4.41052, 3.3093), "tau": (3.60206, 3.19848)}     # mean, sd of 10,000 reference draws of posteriordb
DATA = {"errors as reported": ERROR, "errors a twentieth": ERROR / 20}
CENTERED = {"centred": 1.0, "half": 0.5, "non-centred": 0.0}
PLOT = pathlib.Path(__file__).parent / "output" / "funnel.png"


def schools(sigma, y):
    """The model, centred."""
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", len(sigma)):
        theta = cr.sample("theta", dist.Normal(mu, tau))
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


def fit(centered, sigma):
    """Four chains of NUTS in coordinates that are centred, or a part of the way."""
    model = cr.handlers.reparam(schools, config={"theta": LocScaleReparam(centered)})
    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=2000, num_chains=4, progress_bar=False,
                warn=False)                              # which coordinates diverge is what is shown here
    mcmc.run(random.key(0), sigma, EFFECT)
    return mcmc


def summary(mcmc):
    """The draws, divergences, and the smallest effective sample size for a thousand gradients."""
    draws = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    sites = [draws["mu"], np.log(draws["tau"]), *np.moveaxis(draws["theta"], -1, 0)]
    ess = min(float(diagnostics.ess_bulk(x)) for x in sites)
    return draws, int(np.sum(mcmc.get_extra_fields()["diverging"])), 1000 * ess / mcmc.gradients


def plot(fits, file):
    """Each data set a row, each coordinate a column: log tau against the coordinate of the first school."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(DATA), len(CENTERED), figsize=(12, 7), layout="constrained")
    for row, data in zip(axes, DATA):
        for axis, name in zip(row, CENTERED):
            draws, divergences, speed = fits[data, name]
            x = draws.get("theta_decentered", draws["theta"])[..., 0].reshape(-1)
            axis.plot(x, np.log(draws["tau"]).reshape(-1), ".", ms=2, alpha=0.2, color="#2a6f97", rasterized=True)
            axis.set(title=f"{name}, {data}", xlabel="the coordinate of school A", ylabel="log tau")
            axis.text(0.02, 0.03, f"{divergences} divergences\nESS {speed:.1f} per 1,000 gradients",
                      transform=axis.transAxes, fontsize=8, color="#c1121f")
            axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit both data sets in three coordinates, print, plot, and assert that the posteriors are right."""
    parser = argparse.ArgumentParser(description="The funnel of eight schools in three coordinates.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    fits = {(data, name): summary(fit(c, sigma)) for data, sigma in DATA.items() for name, c in CENTERED.items()}
    print("Eight schools: NUTS, 4 chains of 1,000 warm-up and 2,000 kept transitions\n")
    print(f"{'':<20}{'coordinates':<14}{'mu':>7}{'tau':>7}{'divergences':>13}{'ESS per 1,000 gradients':>25}")
    for (data, name), (draws, divergences, speed) in fits.items():
        print(f"{data:<20}{name:<14}{draws['mu'].mean():>7.2f}{draws['tau'].mean():>7.2f}{divergences:>13}{speed:>25.1f}")
    if not options.no_plot: plot(fits, options.plot)

    weak, strong = DATA
    for site, (mean, sd) in REFERENCE.items():
        x, a, b = [fits[k][0][site] for k in ((weak, "non-centred"), (strong, "centred"), (strong, "non-centred"))]
        assert abs(x.mean() - mean) < 4.5 * np.hypot(diagnostics.mcse_mean(x), sd / np.sqrt(10_000)), site
        assert abs(a.mean() - b.mean()) < 4.5 * np.hypot(diagnostics.mcse_mean(a), diagnostics.mcse_mean(b)), site
    assert fits[weak, "non-centred"][2] > 2 * fits[weak, "centred"][2]
    assert fits[strong, "centred"][2] > 2 * fits[strong, "non-centred"][2]
    return fits


if __name__ == "__main__":
    main(sys.argv[1:])
