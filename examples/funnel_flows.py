"""Neal's funnel by variational inference: what a normal guide misses, and how far normalising flows come.

    v ~ Normal(0, 3)      x_j ~ Normal(0, exp(v / 2)),  j = 1 … 9

There are no data, so the posterior is the prior, v is Normal(0, 3), and the negative ELBO is the divergence
KL(q ‖ posterior) itself. A normal guide with independent coordinates fits the middle of the funnel and stays there.
Flows make the width of x_j depend on v: inverse autoregressive ones (IAF), block neural autoregressive ones (BNAF) and
coupled splines. k-hat says whether importance weights can mend the rest (below 0.7 they can).

    python examples/funnel_flows.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys
import time

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import random
from chainrule.inference import SVI, Trace_ELBO, psis_diagnostic
from chainrule.inference.autoguide import AutoBNAFNormal, AutoIAFNormal, AutoNormal, AutoSplineCoupling
from chainrule.inference.optim import Adam, exponential_decay

STEPS, PARTICLES, DRAWS = 4000, 8, 4000
PLOT = pathlib.Path(__file__).parent / "output" / "funnel_flows.png"


def funnel():
    """The model."""
    v = cr.sample("v", dist.Normal(0.0, 3.0))
    with cr.plate("j", 9):
        cr.sample("x", dist.Normal(0.0, cnp.exp(v / 2)))


GUIDES = {"AutoNormal": (AutoNormal(funnel), 0.02),
          "AutoIAFNormal": (AutoIAFNormal(funnel, hidden_dims=(32, 32)), 0.01),
          "AutoBNAFNormal": (AutoBNAFNormal(funnel), 0.02),
          "AutoSplineCoupling": (AutoSplineCoupling(funnel, num_flows=4, bins=16, bound=8.0, init_scale=1.0), 0.01)}


def fit(guide, rate):
    """(draws, divergence, k-hat, seconds) of a guide whose step size falls to a twentieth."""
    began = time.perf_counter()
    svi = SVI(funnel, guide, Adam(exponential_decay(rate, STEPS, 0.05)), Trace_ELBO(PARTICLES))
    fitted = svi.run(random.key(0), STEPS, progress_bar=False)
    seconds = time.perf_counter() - began
    draws = guide.sample_posterior(random.key(1), fitted.params, sample_shape=(DRAWS,))
    khat = psis_diagnostic(random.key(2), fitted.params, funnel, guide, num_particles=DRAWS)
    return {k: np.asarray(x) for k, x in draws.items()}, float(np.mean(fitted.losses[-500:])), khat, seconds


def distance(v):
    """The largest distance of the draws' distribution function from that of Normal(0, 3) (Kolmogorov and Smirnov's)."""
    exact = np.asarray(dist.Normal(0.0, 3.0).cdf(np.sort(v)))
    rank = np.arange(len(v))
    return float(np.maximum(exact - rank / len(v), (rank + 1) / len(v) - exact).max())


def plot(fits, file):
    """Above, draws of v and x_1 with the funnel's own middle 90 %. Below, the draws of v and Normal(0, 3)."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(fits), figsize=(3.6 * len(fits), 6.4), layout="constrained", sharex="row",
                                sharey="row", height_ratios=(2, 1))
    v = np.linspace(-9.0, 9.0, 200)
    for (name, (draws, divergence, khat, _)), (above, below) in zip(fits.items(), axes.T):
        above.plot(draws["x"][:, 0], draws["v"], ".", ms=2, alpha=0.25, color="#2a6f97", rasterized=True)
        for sign in (-1, 1):
            above.plot(sign * 1.645 * np.exp(v / 2), v, color="#c1121f", lw=1, label="90 % of x given v" * (sign > 0))
        above.set(xlim=(-30, 30), ylim=(-9, 9), xlabel="x[0]", title=f"{name}\nKL {divergence:.2f}, k-hat {khat:.2f}")
        below.hist(draws["v"], np.linspace(-9, 9, 46), density=True, color="#2a6f97", alpha=0.6, label="draws")
        below.plot(v, np.exp(-v ** 2 / 18) / np.sqrt(18 * np.pi), color="#c1121f", label="Normal(0, 3)")
        below.set(xlabel="v")
        for axis in (above, below): axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set(ylabel="v")
    axes[1, 0].set(ylabel="density")
    axes[0, 0].legend(fontsize=8, loc="lower right", framealpha=1)
    axes[1, -1].legend(fontsize=8, framealpha=1)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit all guides, print, plot, and assert that each flow comes nearer than the normal guide."""
    parser = argparse.ArgumentParser(description="Neal's funnel by normalising flows.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)
    fits = {name: fit(guide, rate) for name, (guide, rate) in GUIDES.items()}
    print(f"Neal's funnel, 10 dimensions: {STEPS:,} steps of {PARTICLES} draws; v should be Normal(0, 3)\n")
    print(f"{'':<20}{'KL':>7}{'k-hat':>8}{'mean of v':>11}{'sd of v':>9}{'distance':>10}{'s':>7}")
    for name, (draws, divergence, khat, seconds) in fits.items():
        v = draws["v"]
        print(f"{name:<20}{divergence:>7.2f}{khat:>8.2f}{v.mean():>11.2f}{v.std():>9.2f}{distance(v):>10.3f}"
              f"{seconds:>7.1f}")
    if not options.no_plot: plot(fits, options.plot)
    normal, *flows = fits.values()
    for draws, divergence, *_ in flows:
        assert divergence < normal[1] - 0.8, (divergence, normal[1])
        assert distance(draws["v"]) < 0.7 * distance(normal[0]["v"])
    return fits


if __name__ == "__main__":
    main(sys.argv[1:])
