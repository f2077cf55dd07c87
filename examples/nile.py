"""The Nile: a local level model whose `sample` statements stand in a plain `scan`.

The yearly volume of the Nile at Aswan, 1871 to 1970, in 10⁸ m³ (Cobb 1978, Biometrika 65). Its level drifts, and is
seen with noise:

    level_t ~ Normal(level_{t-1}, drift)          y_t ~ Normal(level_t, noise)

A site in the body of a scan is one site with a leading time axis, and the observations are sliced along it. Given the
two scales everything is normal, so the levels can be summed out: the second model leaves them to a Kalman filter, and
its posterior of the scales must be that of the first.

    python examples/nile.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, scan
from chainrule.inference import MCMC, NUTS, diagnostics

FLOW = np.array([
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740]) / 100.0
YEARS = np.arange(1871, 1971)
PLOT = pathlib.Path(__file__).parent / "output" / "nile.png"


def scales():
    """The two unknown scales, in 10¹⁰ m³."""
    return cr.sample("drift", dist.HalfNormal(1.0)), cr.sample("noise", dist.HalfNormal(2.0))


def levels(y):
    """Every year's level is a latent variable: its step z is standard normal, the level adds the steps up."""
    drift, noise = scales()
    first = cr.sample("first", dist.Normal(10.0, 5.0))

    def year(level, flow):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        level = cr.deterministic("level", level + drift * z)
        cr.sample("y", dist.Normal(level, noise), obs=flow)
        return level, None

    scan(year, first, y)


def filtered(y):
    """The same with the levels summed out by a Kalman filter."""
    drift, noise = scales()
    one = np.ones((1, 1))
    first = np.array([10.0]), 25.0 * one + drift ** 2 * one
    cr.sample("y", dist.LinearGaussianStateSpace(first, one, drift ** 2 * one, one, noise ** 2 * one, len(y)),
              obs=y[:, None])


def fit(model, y, seed=0):
    """Four chains of NUTS."""
    mcmc = MCMC(NUTS(model, target_accept_prob=0.97), num_warmup=1000, num_samples=1000, num_chains=4,
                progress_bar=False)
    mcmc.run(random.key(seed), y)
    return mcmc


def plot(draws, summed, file):
    """Left: the flow and its level. Right: the two scales, with the levels drawn and with the levels summed out."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, grey, red = "#2a6f97", "#8d99ae", "#c1121f"
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), width_ratios=(1.6, 1), layout="constrained")
    low, centre, high = np.quantile(draws["level"].reshape(-1, len(FLOW)), (0.05, 0.5, 0.95), axis=0)
    left.plot(YEARS, FLOW, "o", ms=4, color=grey, label="observed")
    left.fill_between(YEARS, low, high, color=blue, alpha=0.25, label="level, 90 %")
    left.plot(YEARS, centre, color=blue, label="level, median")
    left.axvline(1898.5, color=red, lw=1, ls="--", label="the first Aswan dam is begun")
    left.set(xlabel="year", ylabel="flow, 10¹⁰ m³", title="The Nile at Aswan")
    left.legend(fontsize=8, framealpha=1)
    for samples, colour, label in ((draws, blue, "levels drawn, in a scan"), (summed, red, "levels summed out")):
        right.plot(samples["drift"].reshape(-1), samples["noise"].reshape(-1), ".", ms=2.5, alpha=0.3, color=colour,
                   label=label, rasterized=True)
    right.set(xlabel="drift", ylabel="noise", title="The two scales")
    right.legend(fontsize=8, framealpha=1, markerscale=4)
    for axis in (left, right): axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit both models, print, plot, and assert that they agree."""
    parser = argparse.ArgumentParser(description="A local level model of the Nile.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    fits = {"levels drawn": fit(levels, FLOW), "levels summed out": fit(filtered, FLOW)}
    print("The Nile: NUTS, 4 chains of 1,000 warm-up and 1,000 kept transitions\n")
    print(f"{'':<20}{'parameters':>10}{'drift':>8}{'sd':>6}{'noise':>8}{'sd':>6}{'ESS':>7}{'seconds':>9}")
    draws = {}
    for name, mcmc in fits.items():
        d = draws[name] = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
        size = sum(v.shape[2:] == () or v.shape[2] for k, v in d.items() if k != "level")
        ess = min(float(diagnostics.ess_bulk(d[k])) for k in ("drift", "noise"))
        print(f"{name:<20}{int(size):>10}{d['drift'].mean():>8.3f}{d['drift'].std():>6.2f}{d['noise'].mean():>8.3f}"
              f"{d['noise'].std():>6.2f}{ess:>7.0f}{mcmc.seconds:>9.2f}")
    drawn, summed = draws.values()
    before, after = (drawn["level"][..., years].mean() for years in (slice(0, 27), slice(29, 100)))
    print(f"\nmean level until 1897 {before:.2f}, from 1900 {after:.2f} · 10¹⁰ m³")
    if not options.no_plot: plot(drawn, summed, options.plot)

    for name in ("drift", "noise"):
        error = np.hypot(diagnostics.mcse_mean(drawn[name]), diagnostics.mcse_mean(summed[name]))
        assert abs(drawn[name].mean() - summed[name].mean()) < 4.5 * error, name
        assert max(float(diagnostics.rhat(d[name])) for d in draws.values()) < 1.02, name
    assert before - after > 1.5
    return fits


if __name__ == "__main__":
    main(sys.argv[1:])
