"""Iris: how petals widen as they lengthen, in three species; a plate, and the same plate as a plain `vmap`.

Fisher's (1936) 150 flowers, as scikit-learn ships them. Intercepts and slopes differ between the species and come from
common distributions:

    width_i ~ Normal(alpha_s + beta_s (length_i - mean length_s), sigma_s)
    alpha_s ~ Normal(mu_a, tau_a),  beta_s ~ Normal(mu_b, tau_b)

The plates are named and have coordinates, which reach ArviZ by themselves. The second model writes the plate over
species as `vmap` of a model of one species. Both are the same density, and the same draws, up to rounding.

    python examples/iris.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, vmap
from chainrule.inference import MCMC, NUTS, diagnostics
from chainrule.inference.reparam import LocScaleReparam

PLOT = pathlib.Path(__file__).parent / "output" / "iris.png"


def data():
    """(length from its species' mean, width) of the petals in cm, [flower, species], and the species' names."""
    from sklearn.datasets import load_iris
    shipped = load_iris()
    length, width = shipped.data[:, 2].reshape(3, 50).T, shipped.data[:, 3].reshape(3, 50).T
    return length - length.mean(0), width, tuple(str(name) for name in shipped.target_names)


def hyper():
    """Mean and spread of the intercepts and of the slopes."""
    return (cr.sample("mu_a", dist.Normal(1.0, 1.0)), cr.sample("tau_a", dist.Gamma(2.0, 2.0)),
            cr.sample("mu_b", dist.Normal(0.0, 0.5)), cr.sample("tau_b", dist.Gamma(2.0, 10.0)))


def with_plates(length, width, species):
    """Two plates: species, and the flowers of each."""
    mu_a, tau_a, mu_b, tau_b = hyper()
    with cr.plate("species", coords=species, dim=-1):
        alpha = cr.sample("alpha", dist.Normal(mu_a, tau_a))
        beta = cr.sample("beta", dist.Normal(mu_b, tau_b))
        sigma = cr.sample("sigma", dist.HalfNormal(0.5))
        with cr.plate("flower", len(length), dim=-2):
            cr.sample("width", dist.Normal(alpha + beta * length, sigma), obs=width)


def with_vmap(length, width, species):
    """One species as a function; vmap makes it three."""
    mu_a, tau_a, mu_b, tau_b = hyper()

    def one(length, width):
        alpha = cr.sample("alpha", dist.Normal(mu_a, tau_a))
        beta = cr.sample("beta", dist.Normal(mu_b, tau_b))
        sigma = cr.sample("sigma", dist.HalfNormal(0.5))
        with cr.plate("flower", len(length)):
            cr.sample("width", dist.Normal(alpha + beta * length, sigma), obs=width)

    vmap(one, in_axes=1, axis_name="species")(length, width)


def fit(model, *data, seed=0):
    """Four chains of NUTS; the slopes, of which the data say less than of the intercepts, are drawn as mu + tau z."""
    model = cr.handlers.reparam(model, config={"beta": LocScaleReparam(0.0)})
    mcmc = MCMC(NUTS(model, target_accept_prob=0.97), num_warmup=1000, num_samples=1000, num_chains=4,
                progress_bar=False)
    mcmc.run(random.key(seed), *data)
    return mcmc


def plot(length, width, species, draws, file):
    """Left: flowers and lines by species. Right: the slopes, pooled towards their mean."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = ("#2a6f97", "#c1121f", "#588157")
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    alpha, beta = (draws[k].reshape(-1, len(species)) for k in ("alpha", "beta"))
    for i, (name, colour) in enumerate(zip(species, colours)):
        x = np.linspace(length[:, i].min(), length[:, i].max(), 30)
        low, centre, high = np.quantile(alpha[:, i, None] + beta[:, i, None] * x, (0.05, 0.5, 0.95), axis=0)
        left.plot(length[:, i], width[:, i], "o", ms=4, color=colour, alpha=0.5, label=name)
        left.fill_between(x, low, high, color=colour, alpha=0.25)
        left.plot(x, centre, color=colour)
        right.hist(beta[:, i], bins=60, density=True, histtype="stepfilled", color=colour, alpha=0.4, label=name)
    right.hist(draws["mu_b"].reshape(-1), bins=60, density=True, histtype="step", color="black", label="mean of slopes")
    left.set(xlabel="petal length from its species' mean, cm", ylabel="petal width, cm", title="Fisher's irises")
    right.set(xlabel="slope, cm / cm", yticks=[], title="Slopes", xlim=(-0.3, 0.7))
    for axis in (left, right):
        axis.legend(fontsize=8, framealpha=1)
        axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit both models, print, plot, and assert that they are one."""
    parser = argparse.ArgumentParser(description="A regression of irises, by species.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    length, width, species = data()
    plates, lanes = fit(with_plates, length, width, species), fit(with_vmap, length, width, species)
    print("Irises: NUTS, 4 chains of 1,000 warm-up and 1,000 kept transitions\n")
    lanes.print_summary(exclude_deterministic=False)
    draws = {k: np.asarray(v) for k, v in lanes.get_samples(group_by_chain=True).items()}
    same = {k: np.asarray(v) for k, v in plates.get_samples(group_by_chain=True).items()}
    exported = plates.to_arviz()
    slope = exported["posterior"]["beta"]
    print(f"\nArviZ: beta has the dimensions {slope.dims}; of virginica the mean is "
          f"{float(slope.sel(species='virginica').mean()):.3f}")
    if not options.no_plot: plot(length, width, species, draws, options.plot)

    assert max(float(np.max(diagnostics.rhat(x))) for x in draws.values()) < 1.01
    squares = (length * (width - width.mean(0))).sum(0) / (length ** 2).sum(0)
    assert np.all(np.abs(draws["beta"].mean((0, 1)) - squares) < 2 * draws["beta"].std((0, 1)))      # pooled, not far
    for name, x in draws.items():
        error = np.hypot(diagnostics.mcse_mean(x), diagnostics.mcse_mean(same[name]))
        assert np.all(np.abs(x.mean((0, 1)) - same[name].mean((0, 1))) < 4.5 * error), name
    assert slope.dims == ("chain", "draw", "species")
    return plates, lanes


if __name__ == "__main__":
    main(sys.argv[1:])
