"""Images pixel by pixel: what the network may see, masses that sum to one, draws, contexts, learning."""
import itertools

import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jacfwd, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ParameterError, ShapeError

KEY = random.key(6)


def made(shape, high=2, **options):
    """A small network whose weights are far from 0, so that pixels depend on each other."""
    options = {"num_resnet": 1, "num_hierarchies": 1, "num_filters": 3, "num_logistic_mix": 2, **options}
    d = dist.PixelCNN.init(random.key(0), shape, high=high, **options)
    return tree.map(lambda w: 2.5 * w + 0.1, d)


def all_images(shape, high):
    return np.array(list(itertools.product(range(high + 1), repeat=int(np.prod(shape))))).reshape(-1, *shape)


@pytest.mark.parametrize("options", [dict(), dict(num_hierarchies=3, num_resnet=2), dict(receptive_field_dims=(2, 5)),
                                     dict(receptive_field_dims=(4, 3), num_hierarchies=2)], ids=str)
def test_a_pixel_depends_on_all_pixels_before_it_and_on_no_others(options):
    height, width = 5, 6
    d = made((height, width, 2), **options)
    x = np.random.default_rng(0).normal(size=(1, height, width, 2))
    slopes = np.abs(np.asarray(jacfwd(lambda x: d.layout(d.weights, x))(x))).sum((3, 7))[0, :, :, 0]
    depends = slopes.reshape(height * width, -1) > 1e-9
    assert not np.triu(depends).any()
    if not options:
        assert depends[-1].sum() > 5                             # what one block sees
    if options.get("num_resnet") == 2:
        assert depends.sum() == 30 * 29 / 2


@pytest.mark.parametrize("shape, high", [((2, 2, 1), 2), ((1, 2, 2), 2), ((2, 1, 3), 1)], ids=str)
def test_the_masses_of_all_images_sum_to_one(shape, high):
    d = made(shape, high)
    mass = np.exp(np.asarray(d.log_prob(all_images(shape, high))))
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-12)
    assert mass.max() / mass.min() > 20
    assert float(d.log_prob(np.full(shape, high + 1))) == -np.inf


@pytest.mark.parametrize("shape", [(2, 2, 1), (1, 2, 2)], ids=str)
def test_draws_follow_the_mass(shape):
    """χ² over all 16 images; false-alarm rate 1e-6."""
    d = made(shape, 1)
    images = all_images(shape, 1)
    mass = np.exp(np.asarray(d.log_prob(images)))
    drawn = np.asarray(d.sample(KEY, (40, 50)))
    assert drawn.shape == (40, 50, *shape) and np.all(np.asarray(d.support(drawn)))
    counts = np.bincount(drawn.reshape(2000, -1) @ 2 ** np.arange(4)[::-1], minlength=16)
    large = 2000 * mass > 5
    f, e = np.append(counts[large], counts[~large].sum()), 2000 * np.append(mass[large], mass[~large].sum())
    keep = e > 1e-9
    assert stats.chisquare(f[keep], e[keep] * f[keep].sum() / e[keep].sum()).pvalue > 1e-6


def test_a_context_changes_the_images_and_is_a_batch():
    d = made((2, 2, 1), context_size=3)
    contexts = np.random.default_rng(1).normal(size=(2, 3))
    x = all_images((2, 2, 1), 2)
    both = d.given(contexts)
    assert both.batch_shape == (2,) and both.sample(KEY, (3,)).shape == (3, 2, 2, 2, 1)
    got = np.asarray(both.log_prob(x[:, None]))
    for i in range(2):
        np.testing.assert_allclose(got[:, i], np.asarray(d.given(contexts[i]).log_prob(x)), rtol=1e-10)
    np.testing.assert_allclose(np.exp(got).sum(0), 1.0, rtol=1e-12)
    assert np.abs(got[:, 0] - got[:, 1]).max() > 0.1
    mapped = vmap(lambda c: d.given(c).log_prob(x[5]))(contexts)
    np.testing.assert_allclose(np.asarray(mapped), got[5], rtol=1e-10)
    for wrong, error in ((lambda: d.log_prob(x), ParameterError), (lambda: d.given(np.zeros(2)), ShapeError)):
        with pytest.raises(error, match="ontext"):
            wrong()


def test_many_levels_have_masses_at_the_ends_and_between():
    d = made((1, 1, 1), 255)
    mass = np.exp(np.asarray(d.log_prob(np.arange(256).reshape(-1, 1, 1, 1))))
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-10)
    log_weights, loc, log_scale, _ = (np.asarray(x)[0, 0, 0] for x in d._parameters(cnp.zeros((1, 1, 1, 1))))
    edges = np.array([-np.inf, *(2 * (np.arange(255) + 0.5) / 255 - 1), np.inf])
    cdf = sum(np.exp(w) * stats.logistic(m, np.exp(s)).cdf(edges) for w, m, s in zip(log_weights, loc[:, 0],
                                                                                    log_scale[:, 0]))
    np.testing.assert_allclose(mass, np.diff(cdf), rtol=1e-9, atol=1e-15)


@pytest.mark.slow
def test_a_network_learns_and_stays_in_single_precision():
    """Images of one colour each, in float32: log 2 of information, against 8 log 2 of noise."""
    d = dist.PixelCNN.init(random.key(1), (2, 4, 1), num_resnet=1, num_hierarchies=1, num_filters=6,
                           num_logistic_mix=2, high=1)
    d = tree.map(lambda w: w.astype(np.float32), d)
    x = np.array([0, 1, 1, 0]).reshape(4, 1, 1, 1) * np.ones((4, 2, 4, 1))
    assert d.log_prob(x).dtype == np.float32

    @jit
    def step(d, m):
        slopes = grad(lambda d: -cnp.mean(d.log_prob(x)))(d)
        m = tree.map(lambda a, b: 0.9 * a + b, m, slopes)
        return tree.map(lambda w, g: w - cnp.asarray(0.03, g.dtype) * g, d, m), m
    m = tree.map(cnp.zeros_like, d)
    for _ in range(150):
        d, m = step(d, m)
    assert -float(cnp.mean(d.log_prob(x))) < 2 * np.log(2)
    drawn = np.asarray(d.sample(KEY, (20,)))
    assert np.mean(drawn.reshape(20, -1).std(-1) == 0) > 0.5


def test_mistaken_shapes_are_explained():
    with pytest.raises(ShapeError, match="height, width, channels"):
        dist.PixelCNN.init(KEY, (2, 2))
    with pytest.raises(ParameterError, match="odd number"):
        dist.PixelCNN.init(KEY, (2, 2, 1), receptive_field_dims=(3, 4))
