"""A Bayesian neural network: what it knows, and where it knows nothing.

Forty noisy points of a curve, with a gap in the middle. Every weight of a network with one hidden layer gets a normal
prior (`random_module`), and its posterior is found twice: by NUTS, and by variational inference with a diagonal normal
guide. Both follow the curve where there are data; in the gap, where the data say nothing, both grow wider.

    y_i ~ Normal(net(x_i), sigma)      weights ~ Normal(0, 1), of the output layer Normal(0, 1/√hidden)

    python examples/network.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import nn, random
from chainrule.inference import MCMC, NUTS, SVI, Predictive, Trace_ELBO
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam

HIDDEN = 16
NETWORK = nn.serial(nn.Dense(HIDDEN), nn.Tanh, nn.Dense(1))
PRIOR = {"0/kernel": dist.Normal(0.0, 2.0), "0/bias": dist.Normal(0.0, 2.0),
         "2/kernel": dist.Normal(0.0, 1.5 / HIDDEN ** 0.5), "2/bias": dist.Normal(0.0, 1.0)}
PLOT = pathlib.Path(__file__).parent / "output" / "network.png"


def curve(x, y=None):
    """The network at points x, and noise."""
    net = cr.random_module("net", NETWORK, PRIOR, (len(x), 1))
    f = cr.deterministic("f", net(x[:, None])[:, 0])
    sigma = cr.sample("sigma", dist.HalfNormal(0.5))
    with cr.plate("point", len(x)):
        cr.sample("y", dist.Normal(f, sigma), obs=y)


def data():
    """Points on both sides of a gap."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-2.0, -0.7, 20), rng.uniform(0.9, 2.0, 20)])
    return x, np.sin(2.5 * x) + 0.1 * rng.normal(size=40)


def plot(x, y, grid, curves, file):
    """The two posteriors of the curve."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
    for axis, (name, f) in zip(axes, curves.items()):
        for level, alpha in ((0.9, 0.2), (0.5, 0.45)):
            low, high = np.quantile(f, ((1 - level) / 2, (1 + level) / 2), axis=0)
            axis.fill_between(grid, low, high, color="#2a6f97", alpha=alpha, lw=0, label=f"{level:.0%}")
        axis.plot(grid, np.median(f, 0), color="#2a6f97", label="median")
        axis.plot(grid, np.sin(2.5 * grid), color="black", lw=0.8, ls="--", label="the curve")
        axis.plot(x, y, "o", ms=4, color="#c1121f", label="data")
        axis.set(xlabel="x", ylabel="f", title=name, ylim=(-1.6, 1.9))
        axis.legend(fontsize=8, framealpha=1, ncols=5, loc="upper center")
        axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit both ways, print, plot, and assert that the gap is wider and the data are met."""
    parser = argparse.ArgumentParser(description="A Bayesian neural network.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)
    x, y = data()
    grid = np.linspace(-2.5, 2.5, 101)

    mcmc = MCMC(NUTS(curve, max_tree_depth=8), num_warmup=400, num_samples=400, num_chains=2, progress_bar=False,
                warn=False)
    mcmc.run(random.key(0), x, y)
    guide = AutoNormal(curve, init_scale=0.02)
    fitted = SVI(curve, guide, Adam(0.01), Trace_ELBO(num_particles=4)).run(random.key(1), 6000, x, y,
                                                                           progress_bar=False)
    weights = {name: value for name, value in mcmc.get_samples().items() if name not in ("f", "y")}
    curves = {
        "NUTS": Predictive(curve, weights, return_sites=["f"])(random.key(2), grid)["f"],
        "variational, diagonal normal": Predictive(curve, guide=guide, params=fitted.params, num_samples=800,
                                                   return_sites=["f"])(random.key(3), grid)["f"],
    }
    curves = {name: np.asarray(f) for name, f in curves.items()}
    near, gap = np.abs(grid[:, None] - x).min(1) < 0.1, np.abs(grid - 0.1) < 0.4
    print(f"{40} points, {sum(np.prod(v.shape[1:], dtype=int) for v in weights.values())} unknowns; "
          f"NUTS {mcmc.seconds:.1f} s, {mcmc.gradients:,} gradients\n")
    print(f"{'':<30}{'error near the data':>21}{'sd near the data':>18}{'sd in the gap':>15}")
    for name, f in curves.items():
        error = np.sqrt(np.mean((f.mean(0) - np.sin(2.5 * grid))[near] ** 2))
        print(f"{name:<30}{error:>21.3f}{f.std(0)[near].mean():>18.3f}{f.std(0)[gap].mean():>15.3f}")
        assert error < 0.15, (name, error)
        assert f.std(0)[gap].mean() > 1.5 * f.std(0)[near].mean(), name
    if not options.no_plot: plot(x, y, grid, curves, options.plot)
    return mcmc


if __name__ == "__main__":
    main(sys.argv[1:])
