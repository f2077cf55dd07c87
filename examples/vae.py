"""A variational autoencoder of handwritten digits: networks in a model and its guide, in plates of random parts.

The 1,797 digits of 8 x 8 pixels that scikit-learn ships. Each is explained by two numbers z, from which a network makes
the probabilities of the pixels; another network guesses z from the digit (Kingma & Welling 2014, arXiv:1312.6114):

    z_i ~ Normal(0, 1)²      pixel_ij ~ Binomial(16, logits = decoder(z_i)_j)      q(z_i) = Normal(encoder(pixels_i))

Both networks are `module`s: functions whose weights are params of the model and of the guide. Each step looks at a
random part of the digits, which the plate draws and whose log-density it scales up.

    python examples/vae.py [--plot FILE | --no-plot]
"""
import argparse
import pathlib
import sys
import time

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import nn, random
from chainrule.inference import SVI, TraceMeanField_ELBO
from chainrule.inference.optim import Adam

LATENT, HIDDEN, PART, STEPS = 2, 64, 128, 4000
PLOT = pathlib.Path(__file__).parent / "output" / "vae.png"
ENCODER = nn.serial(nn.Dense(HIDDEN), nn.Tanh, nn.Dense(2 * LATENT))
DECODER = nn.serial(nn.Dense(HIDDEN), nn.Tanh, nn.Dense(64))


def model(digits):
    """Digits from pairs of numbers."""
    decode = cr.module("decoder", DECODER, (LATENT,))
    with cr.plate("digit", len(digits), subsample_size=PART):
        part = cr.subsample(digits, event_dim=1)
        z = cr.sample("z", dist.Normal(np.zeros(LATENT), 1.0).to_event(1))
        cr.sample("pixels", dist.Binomial(16, logits=decode(z)).to_event(1), obs=part)


def guide(digits):
    """Pairs of numbers from digits."""
    encode = cr.module("encoder", ENCODER, (64,))
    with cr.plate("digit", len(digits), subsample_size=PART):
        part = cr.subsample(digits, event_dim=1)
        loc, log_scale = cnp.split(encode(part / 8.0 - 1.0), 2, axis=-1)
        cr.sample("z", dist.Normal(loc, cnp.exp(log_scale)).to_event(1))


def network(name, nn_, params, shape):
    """A trained network as a function of NumPy arrays."""
    return cr.handlers.substitute(lambda x: cr.module(name, nn_, shape)(x), params)


def plot(z, labels, decode, losses, file):
    """Left: where the digits lie. Middle: what the decoder makes of a grid. Right: the loss."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.8), layout="constrained")
    points = left.scatter(*z.T, c=labels, cmap="tab10", s=8)
    left.legend(*points.legend_elements(), fontsize=7, ncols=2, framealpha=1, title="digit", title_fontsize=8)
    left.set(xlabel="z[0]", ylabel="z[1]", title="Where the digits lie")
    grid = np.linspace(-3.3, 3.3, 12)                    # 0.6 apart
    pairs = np.stack(np.meshgrid(grid, grid[::-1]), -1).reshape(-1, 2)
    pixels = 1.0 / (1.0 + np.exp(-np.asarray(decode(pairs)))).reshape(12, 12, 8, 8)
    tiles = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 1, 3).reshape(120, 120)
    middle.imshow(tiles, cmap="gray_r", extent=(-3.6, 3.6, -3.6, 3.6), interpolation="nearest")
    middle.set(xlabel="z[0]", ylabel="z[1]", title="What the decoder makes of them")
    right.plot(np.convolve(losses, np.ones(50) / 50, "valid"), color="#2a6f97")
    right.set(xlabel="step", ylabel="loss of a digit, mean of 50 steps", title="The negative ELBO")
    for axis in (left, right): axis.spines[["top", "right"]].set_visible(False)
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"plot: {file}")


def main(arguments=()):
    """Train, print, plot, and assert that two numbers tell the digits apart."""
    parser = argparse.ArgumentParser(description="A variational autoencoder of digits.")
    parser.add_argument("--plot", metavar="FILE", default=PLOT, help="where to save the plot")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(arguments)
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier
    shipped = load_digits()
    digits, labels = shipped.data, shipped.target

    svi = SVI(model, guide, Adam(3e-3), TraceMeanField_ELBO())
    began = time.perf_counter()
    result = svi.run(random.key(0), STEPS, digits, progress_bar=False)
    seconds = time.perf_counter() - began
    losses = np.asarray(result.losses) / len(digits)
    params = {name: np.asarray(value) for name, value in result.params.items()}
    encode, decode = network("encoder", ENCODER, params, (64,)), network("decoder", DECODER, params, (LATENT,))
    z = np.asarray(encode(digits / 8.0 - 1.0))[:, :LATENT]
    train = np.arange(len(z)) % 2 == 0
    right = KNeighborsClassifier(15).fit(z[train], labels[train]).score(z[~train], labels[~train])
    weights = sum(v.size for v in params.values())
    print(f"{len(digits):,} digits, {weights:,} weights; {STEPS:,} steps of {PART} digits: "
          f"{seconds:.1f} s with compilation")
    print(f"negative ELBO of a digit: {losses[:50].mean():.1f} at first, {losses[-200:].mean():.1f} at last")
    print(f"of the digits held out, {right:.0%} are told by the labels of their neighbours in two dimensions")
    if not options.no_plot: plot(z, labels, decode, losses, options.plot)
    assert losses[-200:].mean() < 0.75 * losses[:50].mean()
    assert right > 0.6, right
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
