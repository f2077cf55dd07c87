"""Diabetes: which of ten measurements tell how the disease goes on in the following year?

The data are those of Efron, Hastie, Johnstone & Tibshirani (2004), 442 patients, as scikit-learn ships them. Some of
the blood serum measurements s1 to s6 nearly repeat each other, so least squares cannot tell their coefficients apart
and gives them large values of opposite signs. Here the size of the coefficients is itself estimated, and that draws
them together:

    y_i ~ Normal(alpha + x_i · beta, sigma)       beta_k ~ Normal(0, tau),  tau ~ HalfCauchy(1)

with y and the columns of x standardised. A quarter of the patients, chosen at random, is held out to judge predictions.

    python examples/diabetes.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, Predictive, diagnostics

PLOT = pathlib.Path(__file__).parent / "output" / "diabetes.png"


def regression(x, y=None):
    """A linear regression whose coefficients have a common, unknown size."""
    patients, columns = x.shape
    alpha = cr.sample("alpha", dist.Normal(0.0, 1.0))
    tau = cr.sample("tau", dist.HalfCauchy(1.0))
    sigma = cr.sample("sigma", dist.HalfNormal(1.0))
    with cr.plate("column", columns):
        beta = cr.sample("beta", dist.Normal(0.0, tau))
    with cr.plate("patient", patients):
        cr.sample("y", dist.Normal(alpha + x @ beta, sigma), obs=y)


class Data:
    """The patients in random order, standardised by the first three quarters, with which the model is fitted."""

    def __init__(self):
        from sklearn.datasets import load_diabetes
        shipped = load_diabetes(scaled=False)
        order = np.random.default_rng(0).permutation(len(shipped.target))
        x, y = shipped.data[order], shipped.target[order]
        self.columns, n = list(shipped.feature_names), 3 * len(y) // 4
        self.y_mean, self.y_sd = y[:n].mean(), y[:n].std()
        x, y = (x - x[:n].mean(0)) / x[:n].std(0), (y - self.y_mean) / self.y_sd
        self.x, self.y, self.x_held, self.y_held = x[:n], y[:n], x[n:], y[n:]

    def error(self, predicted):
        """Root mean square error on the patients held out, in the units of the target."""
        return self.y_sd * np.sqrt(np.mean((predicted - self.y_held) ** 2))


def others(data):
    """{name: (coefficients, predictions)} by least squares and by ridge regression with a cross-validated penalty."""
    from sklearn.linear_model import LinearRegression, RidgeCV
    fitted = {"least squares": LinearRegression(), "ridge": RidgeCV(np.logspace(-2, 4, 61))}
    fitted = {name: model.fit(data.x, data.y) for name, model in fitted.items()}
    return {name: (model.coef_, model.predict(data.x_held)) for name, model in fitted.items()}


def plot(data, beta, rivals, replicated, held, file):
    """Left: coefficients with their uncertainty. Middle: a predictive check. Right: predictions for new patients."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, grey, red = "#2a6f97", "#8d99ae", "#c1121f"
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 5), layout="constrained")
    rows = np.arange(len(data.columns))[::-1]
    low, inner_low, centre, inner_high, high = np.quantile(beta, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    left.hlines(rows, low, high, color=blue, lw=1.6, label="posterior, 90 %")
    left.hlines(rows, inner_low, inner_high, color=blue, lw=5, label="posterior, 50 %")
    left.plot(centre, rows, "o", ms=6, mfc="white", mec=blue)
    left.plot(rivals["least squares"][0], rows + 0.25, "x", color=red, label="least squares")
    left.plot(rivals["ridge"][0], rows + 0.25, "d", ms=5, color=grey, label="ridge, cross-validated")
    left.axvline(0, color="black", lw=0.6)
    left.set(yticks=rows, yticklabels=data.columns, xlabel="standardised coefficient", title="Coefficients")
    left.set_ylim(-0.7, 11.2)
    left.legend(loc="upper left", fontsize=8, ncols=2, framealpha=1)

    units = lambda y: data.y_mean + data.y_sd * y
    bins = np.linspace(-125, 475, 31)
    counts = np.array([np.histogram(units(each), bins)[0] for each in replicated[::10]])
    low, high = np.quantile(counts, (0.05, 0.95), axis=0)
    middle.stairs(high, bins, baseline=low, fill=True, color=blue, alpha=0.3, label="replicated, 90 %")
    middle.stairs(np.median(counts, axis=0), bins, color=blue, lw=1.2, label="replicated, median")
    middle.stairs(np.histogram(units(data.y), bins)[0], bins, color=red, lw=1.8, label="observed")
    middle.set(xlabel="progression of the disease", ylabel="patients", title="Can the model make such data?")
    middle.legend(loc="upper right", fontsize=8, framealpha=1)

    low, centre, high = units(np.stack([*np.quantile(held, (0.05, 0.95), axis=0), held.mean(0)])[[0, 2, 1]])
    right.errorbar(centre, units(data.y_held), xerr=(centre - low, high - centre), fmt="o", ms=4, color=blue,
                   ecolor=grey, elinewidth=0.6, label="prediction, 90 %")
    limits = (-70, 420)
    right.plot(limits, limits, color="black", lw=0.8)
    right.set(xlabel="predicted", ylabel="observed", xlim=limits, ylim=limits, aspect="equal",
              title=f"{len(data.y_held)} patients held out, RMSE {data.error(held.mean(0)):.1f}")
    right.legend(loc="upper left", fontsize=8, framealpha=1)
    for axis in (left, middle, right): axis.spines[["top", "right"]].set_visible(False)

    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Fit, print, compare with least squares and ridge, predict, export, plot, and assert that all of it is sound."""
    parser = argparse.ArgumentParser(description="A regression on the diabetes data with NUTS.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    data = Data()
    print(f"Diabetes: {len(data.y)} patients fitted, {len(data.y_held)} held out, {len(data.columns)} columns: NUTS, "
          "4 chains of 1,000 warm-up and 1,000 kept transitions\n")
    mcmc = MCMC(NUTS(regression), num_warmup=1000, num_samples=1000, num_chains=4, progress_bar=False)
    mcmc.run(random.key(0), data.x, y=data.y)
    draws = {name: np.asarray(x) for name, x in mcmc.get_samples(group_by_chain=True).items()}
    mcmc.print_summary()
    divergences = int(np.asarray(mcmc.get_extra_fields()["diverging"]).sum())
    print(f"run() took {mcmc.seconds:.2f} s: {mcmc.gradients:,} gradients")

    predict = Predictive(regression, mcmc.get_samples(), return_sites=["y"])
    replicated = np.asarray(predict(random.key(1), data.x)["y"])
    held = np.asarray(predict(random.key(2), data.x_held)["y"])
    covered = np.mean((np.quantile(held, 0.05, axis=0) < data.y_held) & (data.y_held < np.quantile(held, 0.95, axis=0)))
    beta, rivals = draws["beta"].reshape(-1, len(data.columns)), others(data)

    rows = {"NUTS": (beta.mean(0), held.mean(0)), **rivals}
    print(f"\n{'':<15}{'RMSE':>8}  coefficients")
    print(f"{'':<15}{'held out':>8} " + "".join(f"{name:>7}" for name in data.columns))
    for name, (coefficients, predicted) in rows.items():
        print(f"{name:<15}{data.error(predicted):>8.2f} " + "".join(f"{each:7.2f}" for each in coefficients))
    print(f"\n90 % intervals hold {covered:.0%} of the patients held out")
    smallest = data.y_mean + data.y_sd * np.append(replicated.min(axis=1), data.y.min())
    print(f"the smallest value observed is {smallest[-1]:.0f}; {np.mean(smallest[:-1] < 0):.0%} of the replicated sets "
          "have negative ones, which a normal likelihood does not exclude")
    exported = mcmc.to_arviz(coords={"column": data.columns}, posterior_predictive={"y": replicated})
    print(f"ArviZ: beta has the dimensions {exported['posterior']['beta'].dims}; of bmi the mean is "
          f"{float(exported['posterior']['beta'].sel(column='bmi').mean()):.2f}")
    if not options.no_plot: plot(data, beta, rivals, replicated, held, options.plot)

    worst = max(float(np.max(diagnostics.rhat(x))) for x in draws.values())
    assert worst < 1.01, f"R-hat is {worst:.3f}"
    assert divergences <= 4, f"{divergences} divergences"
    assert data.error(held.mean(0)) < 1.05 * data.error(rivals["ridge"][1])
    assert 0.8 < covered < 0.98, covered
    distance = np.abs(beta.mean(0) - rivals["ridge"][0]) / beta.std(0)
    assert distance.max() < 1, distance          # ridge is the posterior's mode at one value of tau
    assert exported["posterior"]["beta"].dims == ("chain", "draw", "column")
    return mcmc


if __name__ == "__main__":
    main(sys.argv[1:])
