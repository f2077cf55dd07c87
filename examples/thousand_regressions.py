"""A thousand regressions in one program: a whole fit is a function, so `vmap` maps it over data sets.

Each of 1,000 simulated clinics reports 40 patients: whether one recovered, the dose and the age. Every clinic gets
a logistic regression of its own, with its own warm-up, step size and metric. The clinics are simulated from the model's
prior, so the ranks of the true coefficients among the posterior draws must be uniform (Talts et al. 2018,
arXiv:1804.06788): a thousand fits are also a test of the sampler. (`fit` says what is quicker than `vmap` on the host.)

    python examples/thousand_regressions.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys
import time

import numpy as np
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import jit, random, vmap
from chainrule.inference import NUTS, fit

CLINICS, PATIENTS, DRAWS, KEPT = 1000, 40, 200, 50
PLOT = pathlib.Path(__file__).parent / "output" / "thousand_regressions.png"


def recovery(x, y=None):
    """Logistic regression of one clinic; without y it draws a clinic from the prior."""
    alpha = cr.sample("alpha", dist.Normal(0.0, 1.0))
    with cr.plate("column", x.shape[1]):
        beta = cr.sample("beta", dist.Normal(0.0, 1.0))
    with cr.plate("patient", len(x)):
        return alpha, beta, cr.sample("y", dist.Bernoulli(logits=alpha + x @ beta), obs=y)


@jit
def clinics(keys, x):
    """(alpha, beta, y) of each clinic."""
    return vmap(lambda key, x: cr.handlers.seed(recovery, key)(x))(keys, x)


@jit
def fits(keys, x, y):
    """The posterior draws of each clinic, the divergences, and the gradients of each chain."""
    def one(key, x, y):
        result = fit(NUTS(recovery), key, x, y, num_warmup=DRAWS, num_samples=DRAWS)
        every = DRAWS // KEPT                            # thinned for the ranks, which suppose independent draws
        kept = {name: value[0, ::every] for name, value in result.samples.items()}
        return kept, cnp.sum(result.stats["diverging"]), result.gradients[0]
    return vmap(one)(keys, x, y)


def plot(ranks, truth, draws, file):
    """Left: ranks, with the band of uniform ones. Right: posterior means against the truth."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, grey = "#2a6f97", "#8d99ae"
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    bins = 17
    expected = len(ranks) / bins
    for j, name in enumerate(("alpha", "dose", "age")):
        left.hist(ranks[:, j], bins=np.linspace(-0.5, KEPT + 0.5, bins + 1), histtype="step", lw=1.6, label=name)
    left.axhspan(*stats.binom.ppf([0.005, 0.995], len(ranks), 1 / bins), color=grey, alpha=0.3, label="99 % of uniform")
    left.axhline(expected, color="black", lw=0.6)
    left.set(xlabel=f"rank of the true coefficient among {KEPT} draws", ylabel="clinics", title="Is the sampler right?")
    mean, sd = draws[..., 1].mean(1), draws[..., 1].std(1)
    right.errorbar(truth[:, 1], mean, yerr=sd, fmt="o", ms=3, color=blue, ecolor=grey, elinewidth=0.5)
    limits = np.array([-3.5, 3.5])
    right.plot(limits, limits, color="black", lw=0.8)
    right.set(xlabel="true effect of the dose", ylabel="posterior mean and sd", title=f"{len(truth):,} clinics",
              xlim=limits, ylim=limits)
    left.legend(fontsize=8, framealpha=1)
    for axis in (left, right): axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Simulate, fit all clinics, print, plot, and assert that the ranks are uniform."""
    parser = argparse.ArgumentParser(description="A thousand regressions as one program.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)

    x = np.random.default_rng(0).normal(size=(CLINICS, PATIENTS, 2))
    alpha, beta, y = clinics(random.split(random.key(1), CLINICS), x)
    truth = np.column_stack([alpha, beta])
    began = time.perf_counter()
    kept, diverging, gradients = fits(random.split(random.key(2), CLINICS), x, y)
    gradients = np.asarray(gradients)
    seconds = time.perf_counter() - began
    print(f"{CLINICS:,} fits of {PATIENTS} rows, {DRAWS} + {DRAWS} transitions each: {seconds:.1f} s with compilation, "
          f"{1e3 * seconds / CLINICS:.1f} ms a fit")
    print(f"gradients of a chain: mean {gradients.mean():,.0f}, most {gradients.max():,}, which is what all of them "
          f"waited for; divergences {int(np.asarray(diverging).sum())}")
    draws = np.concatenate([np.asarray(kept["alpha"])[..., None], np.asarray(kept["beta"])], axis=-1)
    ranks = (draws < truth[:, None]).sum(1)
    print(f"\n{'':<8}{'p-value of uniform ranks':>26}{'rmse of the mean':>20}{'posterior sd':>15}")
    values = []
    for j, name in enumerate(("alpha", "dose", "age")):
        counts = np.bincount(ranks[:, j] * 17 // (KEPT + 1), minlength=17)
        values.append(stats.chisquare(counts).pvalue)
        error = np.sqrt(np.mean((draws[..., j].mean(1) - truth[:, j]) ** 2))
        print(f"{name:<8}{values[-1]:>26.3f}{error:>20.3f}{np.sqrt(draws[..., j].var(1).mean()):>15.3f}")
    if not options.no_plot: plot(ranks, truth, draws, options.plot)
    assert min(values) > 1e-4, values                    # false alarm: 3 · 10⁻⁴, and the keys are fixed
    return ranks


if __name__ == "__main__":
    main(sys.argv[1:])
