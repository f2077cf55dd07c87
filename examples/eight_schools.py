"""Eight schools: does coaching raise test scores, and does it in every school alike?

Eight schools each ran a trial and reported an estimated effect with its standard error (Rubin 1981). The model lets the
schools share strength: their true effects come from one normal distribution, whose mean and spread are estimated too.

    mu ~ Normal(0, 5)      tau ~ HalfCauchy(5)      theta_j = mu + tau z_j,  z_j ~ Normal(0, 1)
    y_j ~ Normal(theta_j, sigma_j)

The true effects are written as mu + tau z, "non-centred": when tau is small, NUTS moves more easily in z than in theta.

    python examples/eight_schools.py [--plot FILE | --no-plot]
"""
# ruff: noqa: E402
import time

STARTED = time.perf_counter()                    # before the imports, so that the time printed holds them

import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, Predictive, diagnostics

EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCHOOLS = list("ABCDEFGH")
REFERENCE = {"mu": (4.41052, 3.3093), "tau": (3.60206, 3.19848)}     # mean, sd of 10,000 reference draws of posteriordb
PLOT = pathlib.Path(__file__).parent / "output" / "eight_schools.png"


def schools(sigma, y=None):
    """The model; without y it is the prior, or with posterior samples the posterior predictive distribution."""
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", len(sigma)):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        theta = cr.deterministic("theta", mu + tau * z)
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


def fit(seed, y):
    """Four chains of NUTS."""
    mcmc = MCMC(NUTS(schools), num_warmup=1000, num_samples=1000, num_chains=4, progress_bar=False)
    mcmc.run(random.key(seed), ERROR, y=y)
    return mcmc


def compare(draws):
    """{site: distance of its mean from the reference's, in Monte Carlo standard errors of the difference}."""
    columns = f"{'mean':>8}{'reference':>11}{'sd':>8}{'reference':>11}{'MCSE':>8}{'distance':>11}"
    print(f"\n{'against posteriordb':<22}{columns}")
    distances = {}
    for name, (mean, sd) in REFERENCE.items():
        x = draws[name]
        error = np.hypot(diagnostics.mcse_mean(x), sd / np.sqrt(10_000))
        distances[name] = (x.mean() - mean) / error
        print(f"{name:<22}{x.mean():8.2f}{mean:11.2f}{x.std():8.2f}{sd:11.2f}{error:8.3f}{distances[name]:+6.1f} MCSE")
    return distances


def plot(draws, replicated, file):
    """Left: each school's reported effect and estimate. Middle: mu against tau. Right: can the model make such data?"""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, grey, red = "#2a6f97", "#8d99ae", "#c1121f"
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 5), width_ratios=(1.3, 1, 1), layout="constrained")
    theta = draws["theta"].reshape(-1, len(SCHOOLS))
    mu, tau = draws["mu"].reshape(-1), draws["tau"].reshape(-1)

    rows = np.arange(len(SCHOOLS))[::-1]
    low, inner_low, centre, inner_high, high = np.quantile(theta, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    left.errorbar(EFFECT, rows + 0.16, xerr=1.645 * ERROR, fmt="s", ms=5, color=grey, lw=1.2,
                  label="reported effect, 90 %")
    left.hlines(rows - 0.16, low, high, color=blue, lw=1.6, label="posterior of theta, 90 %")
    left.hlines(rows - 0.16, inner_low, inner_high, color=blue, lw=5, label="posterior of theta, 50 %")
    left.plot(centre, rows - 0.16, "o", ms=6, mfc="white", mec=blue)
    left.axvline(mu.mean(), color=red, ls="--", lw=1.2, label=f"mean of mu, {mu.mean():.1f}")
    left.axvline(0, color="black", lw=0.6)
    left.set(yticks=rows, yticklabels=SCHOOLS, ylabel="school", xlabel="effect of coaching, points", ylim=(-0.7, 9.6),
             title="The schools share strength")
    left.legend(loc="upper right", fontsize=8, ncols=2, framealpha=1)

    middle.plot(mu, tau, ".", ms=3, alpha=0.25, color=blue, rasterized=True)
    middle.plot(REFERENCE["mu"][0], REFERENCE["tau"][0], "+", ms=14, mew=2.5, color=red, label="reference means")
    middle.plot(mu.mean(), tau.mean(), "o", ms=6, mfc="white", mec="black", label="means of these draws")
    middle.set(xlabel="mu, the mean effect", ylabel="tau, the spread between schools",
               ylim=(0, np.quantile(tau, 0.995)), title=f"{len(mu):,} posterior draws")
    middle.legend(loc="upper left", fontsize=8, framealpha=1)

    largest = replicated.max(axis=1)
    right.hist(largest, bins=40, range=tuple(np.quantile(largest, (0, 0.995))), color=blue, alpha=0.6, density=True)
    right.axvline(EFFECT.max(), color=red, lw=1.8,
                  label=f"reported: {EFFECT.max():.0f}\n{np.mean(largest >= EFFECT.max()):.0%} are larger")
    right.set(xlabel="largest of the eight effects in replicated data", ylabel="density", yticks=[],
              title="Can the model make such data?")
    right.legend(loc="upper right", fontsize=8, framealpha=1)
    for axis in (left, middle, right): axis.spines[["top", "right"]].set_visible(False)

    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit, print, compare, predict, export, plot, and assert that the posterior is right."""
    parser = argparse.ArgumentParser(description="Fit the eight schools with NUTS.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    print("Eight schools (Rubin 1981), non-centred: NUTS, 4 chains of 1,000 warm-up and 1,000 kept transitions\n")
    mcmc = fit(0, EFFECT)
    draws = {name: np.asarray(x) for name, x in mcmc.get_samples(group_by_chain=True).items()}
    since_start = time.perf_counter() - STARTED

    mcmc.print_summary(exclude_deterministic=False)
    print(f"\nfirst line of this file to the draws {since_start:.2f} s, of which run() {mcmc.seconds:.2f} s: "
          f"{mcmc.gradients:,} gradients; {cr.stats().compilations} programs compiled, "
          f"{cr.stats().disk_cache_hits} found on disk")
    again = fit(1, EFFECT + 1.0)
    print(f"the same on other data: {again.seconds:.3f} s, {1e6 * again.seconds / again.gradients:.2f} µs a gradient, "
          "on all cores")
    distances = compare(draws)

    replicated = np.asarray(Predictive(schools, mcmc.get_samples())(random.key(2), ERROR)["y"])
    print(f"\nposterior predictive: {len(replicated):,} replications of the data; the largest effect is at least "
          f"{EFFECT.max():.0f} in {np.mean(replicated.max(axis=1) >= EFFECT.max()):.0%} of them")
    exported = mcmc.to_arviz(coords={"school": SCHOOLS}, posterior_predictive={"y": replicated})
    print(f"ArviZ: posterior theta has the dimensions {exported['posterior']['theta'].dims}")
    if not options.no_plot: plot(draws, replicated, options.plot)

    worst = max(float(np.max(diagnostics.rhat(x))) for x in draws.values())
    assert worst < 1.01, f"R-hat is {worst:.3f}"
    assert all(abs(distance) < 3 for distance in distances.values()), distances
    assert exported["posterior"]["theta"].dims == ("chain", "draw", "school")
    return mcmc


if __name__ == "__main__":
    main(sys.argv[1:])
