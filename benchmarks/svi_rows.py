"""The rows of svi_speed.py and numpyro_svi.py: models and guides in the words that both libraries have.

`models(library, dist, np, scan)` has those of shared_models.py, and an autoencoder. The data are those of datasets.py,
and of `digits` here.
"""
import time
from typing import NamedTuple

import numpy as onp
import shared_models

PIXELS, HIDDEN, CODES, BATCH = 784, 400, 20, 128


class Row(NamedTuple):
    """How a workload is fitted."""
    steps: int                     # of a run
    target: float                  # mean loss of a hundred steps to reach
    rate: float                    # Adam's
    dtype: str = "float64"


ROWS = {
    "eight_schools_nc": Row(5000, 32.5, 0.01),
    "radon_nc": Row(5000, 1125.0, 0.01),
    "logit_1k": Row(5000, 452.0, 0.01),
    "logit_10k": Row(2000, 3820.0, 0.01),
    "vae": Row(300, 35_500.0, 1e-3, "float32"),
}


def models(library, dist, np, scan):
    """{name: (model, guide)}; a guide of None is AutoNormal(model)."""
    sample, plate, param = library.sample, library.plate, library.param
    plain = shared_models.models(library, dist, np, scan)

    def layer(name, x, outputs):
        rng = onp.random.default_rng(len(name) + outputs)
        start = rng.normal(size=(x.shape[-1], outputs)) / onp.sqrt(x.shape[-1])
        weights = param(f"{name}_weights", start.astype("float32"))
        return x @ weights + param(f"{name}_bias", onp.zeros(outputs, "float32"))

    def vae(images):
        with plate("image", BATCH):
            z = sample("z", dist.Normal(np.zeros(CODES, "float32"), onp.float32(1.0)).to_event(1))
            hidden = np.tanh(layer("decoder_hidden", z, HIDDEN))
            sample("x", dist.Bernoulli(logits=layer("decoder_out", hidden, PIXELS)).to_event(1), obs=images)

    def vae_guide(images):
        hidden = np.tanh(layer("encoder_hidden", images, HIDDEN))
        loc, log_scale = layer("encoder_loc", hidden, CODES), layer("encoder_scale", hidden, CODES)
        with plate("image", BATCH):
            sample("z", dist.Normal(loc, np.exp(log_scale)).to_event(1))

    return {**{name: (model, None) for name, model in plain.items()}, "vae": (vae, vae_guide)}


def digits(seed):
    """{"images"}: 128 binary images of 784 pixels, each a noisy mixture of ten patterns."""
    rng = onp.random.default_rng(seed)
    patterns = onp.random.default_rng(99).normal(size=(10, PIXELS))
    logits = 2.0 * patterns[rng.integers(10, size=BATCH)] + rng.normal(size=(BATCH, 1))
    return {"images": (rng.random((BATCH, PIXELS)) < 1 / (1 + onp.exp(-logits))).astype("float32")}


def reached(losses, target, window=100):
    """The step at which the mean of a window of losses is at most a target; None where it never is."""
    sums = onp.cumsum(onp.concatenate([[0.0], onp.asarray(losses, float)]))
    below = onp.flatnonzero((sums[window:] - sums[:-window]) / window <= target)
    return int(below[0]) + window if below.size else None


def least(run, calls=5):
    """The least seconds of some calls."""
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)
