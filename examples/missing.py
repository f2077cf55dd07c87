"""Missing data: a fifth of the iris measurements are deleted, and come back as draws with their uncertainty.

Four measurements of 150 flowers, of three species (Fisher 1936, as scikit-learn ships them). One flower's are a normal
vector around its species' mean, with a covariance common to all:

    y_i ~ MultivariateNormal(mu_{s(i)}, Sigma)      Sigma = diag(sd) C diag(sd),  C ~ LKJ(2)

`obs_mask` says which of the four are known. Those that are not are drawn given those that are: a petal's width follows
from its length. What the model says of the deleted values is compared with the values themselves.

    python examples/missing.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, diagnostics

MEASUREMENTS = ("sepal length", "sepal width", "petal length", "petal width")
PLOT = pathlib.Path(__file__).parent / "output" / "missing.png"


def flowers(species, y, known):
    """Four measurements of each flower, some of them unknown."""
    with cr.plate("species", 3):
        mu = cr.sample("mu", dist.Normal(0.0, 2.0).expand((4,)).to_event(1))
        sd = cr.sample("sd", dist.HalfNormal(1.0).expand((4,)).to_event(1))
        correlation = cr.sample("correlation", dist.LKJCholesky(4, 2.0))
    with cr.plate("flower", len(species)):
        scale = sd[:, :, None] * correlation
        cr.sample("y", dist.MultivariateNormal(mu[species], scale_tril=scale[species]), obs=y, obs_mask=known)


def data():
    """(species, standardised measurements, which of them are kept)."""
    from sklearn.datasets import load_iris
    shipped = load_iris()
    y = (shipped.data - shipped.data.mean(0)) / shipped.data.std(0)
    return shipped.target, y, np.random.default_rng(0).random(y.shape) > 0.2


def plot(y, known, mean, sd, file):
    """Each measurement: the deleted values against what the model says of them."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(15, 4), layout="constrained")
    for j, (axis, name) in enumerate(zip(axes, MEASUREMENTS)):
        gone = ~known[:, j]
        axis.errorbar(mean[gone, j], y[gone, j], xerr=1.645 * sd[gone, j], fmt="o", ms=4, color="#2a6f97",
                      ecolor="#8d99ae", elinewidth=0.8)
        axis.plot([-3, 3], [-3, 3], color="black", lw=0.7)
        axis.set(title=name, xlabel="imputed, with 90 %", ylabel="deleted value", xlim=(-3, 3), ylim=(-3, 3))
        axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit, print, compare with the deleted values, plot, and assert that the model did better than means."""
    parser = argparse.ArgumentParser(description="Iris with a fifth of the measurements deleted.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    species, y, known = data()
    gone = ~known
    mcmc = MCMC(NUTS(flowers), num_warmup=500, num_samples=500, num_chains=4, progress_bar=False)
    mcmc.run(random.key(0), species, np.where(known, y, np.nan), known)
    draws = {name: np.asarray(x) for name, x in mcmc.get_samples(group_by_chain=True).items()}
    imputed = draws["y"].reshape(-1, *y.shape)
    mean, sd = imputed.mean(0), imputed.std(0)
    low, high = np.quantile(imputed, (0.05, 0.95), axis=0)
    print(f"{gone.sum()} of {y.size} measurements deleted; NUTS, 4 chains of 500 + 500 transitions, "
          f"{mcmc.seconds:.1f} s\n")
    print(f"{'root mean square error':<24}{'of the mean':>14}{'of the species mean':>22}{'of the model':>14}"
          f"{'in 90 % intervals':>19}")
    errors = []
    for j, name in enumerate(MEASUREMENTS):
        rows, kept = gone[:, j], known[:, j]
        truth = y[rows, j]
        by_species = np.array([y[kept & (species == s), j].mean() for s in range(3)])[species[rows]]
        error = [np.sqrt(np.mean((guess - truth) ** 2)) for guess in (y[kept, j].mean(), by_species, mean[rows, j])]
        covered = np.mean((low[rows, j] < truth) & (truth < high[rows, j]))
        errors.append(error)
        print(f"{name:<24}{error[0]:>14.2f}{error[1]:>22.2f}{error[2]:>14.2f}{covered:>19.0%}")
    if not options.no_plot: plot(y, known, mean, sd, options.plot)

    covered = np.mean((low < y)[gone] & (y < high)[gone])
    assert max(float(np.max(diagnostics.rhat(draws[name]))) for name in ("mu", "sd")) < 1.02
    assert np.all(np.isfinite(imputed)) and np.array_equal(imputed[0][known], y[known])
    model, means = (np.sqrt(np.mean(np.array(errors)[:, k] ** 2)) for k in (2, 1))
    assert model < 0.95 * means
    assert 0.8 < covered < 0.98, covered
    return mcmc


if __name__ == "__main__":
    main(sys.argv[1:])
