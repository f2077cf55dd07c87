"""A million rows on disk: logistic regression by stochastic variational inference on a memory-mapped file.

The rows are simulated and written to a file, which is mapped and never read whole. Each step sees the next few thousand
of them in a random order; `scale` makes them stand for all. The posterior of the ten coefficients is compared with the
normal approximation at the maximum of the likelihood of all rows, which with a million of them is as good as exact.

    python examples/rows_on_disk.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import SVI, Trace_ELBO
from chainrule.inference.autoguide import AutoMultivariateNormal
from chainrule.inference.optim import adam, exponential_decay

ROWS, COLUMNS, PART, STEPS = 1_000_000, 10, 5_000, 6000
PLOT = pathlib.Path(__file__).parent / "output" / "rows_on_disk.png"


def regression(x, y):
    """A part of the rows, which stands for all of them."""
    alpha = cr.sample("alpha", dist.Normal(0.0, 3.0))
    beta = cr.sample("beta", dist.Normal(np.zeros(COLUMNS), 1.0).to_event(1))
    with cr.handlers.scale(scale=ROWS / PART), cr.plate("row", len(x)):
        cr.sample("y", dist.Bernoulli(logits=alpha + x @ beta), obs=y)


def write(folder):
    """Simulated rows [y, x_1, …] as float32 on disk; the coefficients that made them."""
    rng = np.random.default_rng(0)
    truth = np.append(-0.5, rng.normal(size=COLUMNS) * 0.5)
    rows = np.lib.format.open_memmap(pathlib.Path(folder) / "rows.npy", "w+", np.float32, (ROWS, COLUMNS + 1))
    for start in range(0, ROWS, 100_000):
        x = rng.normal(size=(100_000, COLUMNS))
        p = 1.0 / (1.0 + np.exp(-(truth[0] + x @ truth[1:])))
        rows[start:start + 100_000, 0] = rng.random(100_000) < p
        rows[start:start + 100_000, 1:] = x
    rows.flush()
    return truth


def parts(rows, steps):
    """(x, y) of each step: a run of rows from a random place, of which the file gives one page after another."""
    rng = np.random.default_rng(1)
    for _ in range(steps):
        start = rng.integers(0, ROWS - PART)
        part = np.asarray(rows[start:start + PART], float)
        yield part[:, 1:], part[:, 0]


def best(rows):
    """The maximum of the likelihood of all rows and the covariance there, by Newton's method over the file."""
    b = np.zeros(COLUMNS + 1)
    for _ in range(6):
        gradient, curvature = np.zeros(COLUMNS + 1), np.zeros((COLUMNS + 1, COLUMNS + 1))
        for start in range(0, ROWS, 100_000):
            part = np.asarray(rows[start:start + 100_000], float)
            x = np.column_stack([np.ones(len(part)), part[:, 1:]])
            p = 1.0 / (1.0 + np.exp(-x @ b))
            gradient += x.T @ (part[:, 0] - p)
            curvature += (x * (p * (1 - p))[:, None]).T @ x
        b = b + np.linalg.solve(curvature, gradient)
    return b, np.linalg.inv(curvature)


def plot(mean, sd, exact, exact_sd, losses, file):
    """Left: coefficients less their maximum. Right: the loss."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
    at = np.arange(COLUMNS + 1)
    left.errorbar(at - 0.1, np.zeros_like(exact), yerr=1.645 * exact_sd, fmt="s", ms=4, color="#8d99ae",
                  label="all rows, normal approximation")
    left.errorbar(at + 0.1, mean - exact, yerr=1.645 * sd, fmt="o", ms=4, color="#2a6f97", label="by parts")
    left.set(xlabel="coefficient", ylabel="difference from the maximum, 90 %", xticks=at, title="The posterior",
             ylim=1.5 * np.array([-1, 1]) * np.abs(np.abs(mean - exact) + 1.645 * sd).max())
    left.legend(fontsize=8, framealpha=1, ncols=2, loc="upper center")
    smooth = np.convolve(losses / ROWS, np.ones(50) / 50, "valid")
    right.semilogx(np.arange(50, len(losses) + 1), smooth, color="#2a6f97")
    right.set(xlabel="step", ylabel="loss of a row, mean of 50 steps", title="The negative ELBO")
    for axis in (left, right): axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Write, fit, compare, plot, and assert that both posteriors agree."""
    parser = argparse.ArgumentParser(description="Logistic regression on a million rows of a file.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        rows = np.load(pathlib.Path(folder) / "rows.npy", mmap_mode="r")
        guide = AutoMultivariateNormal(regression, init_scale=0.003)
        svi = SVI(regression, guide, adam(exponential_decay(0.01, STEPS, 0.002)), Trace_ELBO(num_particles=4))
        began = time.perf_counter()
        result = svi.run_batches(random.key(0), parts(rows, STEPS), progress_bar=False)
        seconds = time.perf_counter() - began
        exact, covariance = best(rows)
    posterior = guide.get_posterior(result.params)
    mean, sd = np.asarray(posterior.mean), np.sqrt(np.asarray(posterior.variance))
    exact_sd, losses = np.sqrt(np.diag(covariance)), np.asarray(result.losses)
    print(f"{ROWS:,} rows on disk, {STEPS:,} steps of {PART:,}: {seconds:.1f} s with compilation")
    print(f"{'':<10}{'mean':>9}{'maximum':>9}{'sd':>9}{'exact sd':>10}")
    for i, name in enumerate(["alpha", *[f"beta[{k}]" for k in range(COLUMNS)]]):
        print(f"{name:<10}{mean[i]:>9.4f}{exact[i]:>9.4f}{sd[i]:>9.4f}{exact_sd[i]:>10.4f}")
    if not options.no_plot: plot(mean, sd, exact, exact_sd, losses, options.plot)
    assert np.abs((mean - exact) / exact_sd).max() < 4.0
    assert np.all((0.5 < sd / exact_sd) & (sd / exact_sd < 2.0)), sd / exact_sd
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
