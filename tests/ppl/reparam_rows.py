"""The rows of the laws of reparameterisation: a model, its config, and by hand, with NumPy and SciPy, what the sites
become and the log-density in the new coordinates: that of the old ones plus the log-determinant.

A row is a function of one number, as in `rows`, so that the transformations there apply.
"""
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import fft, stats
from scipy.special import expit

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import transforms
from chainrule.inference.reparam import (
    CircularReparam,
    DiscreteCosineReparam,
    ExplicitReparam,
    HaarReparam,
    LocScaleReparam,
    ProjectedNormalReparam,
    TransformReparam,
    UnitJacobianReparam,
)
from tests.ppl.rows import TRANSFORMS, Row

S = np.array([0.5, 1.0, 2.0])
PART = np.array([0.0, 0.4, 1.0])
MASK = np.array([True, False, True])
TRIL = np.array([[1.0, 0.0, 0.0], [0.3, 2.0, 0.0], [-0.5, 0.2, 0.7]])
HAAR = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [math.sqrt(2), -math.sqrt(2), 0, 0],
                 [0, 0, math.sqrt(2), -math.sqrt(2)]]) / 2


class Changed(NamedTuple):
    model: Callable            # float -> the sum of the site x
    config: dict               # {site name: reparameterisation}
    score: Callable            # (x0, {new site: value}) -> the log-density in the new coordinates
    sites: Callable            # (x0, {new site: value}) -> {old site: value}

    @property
    def row(self):
        return Row(self.model, self.score)


def one(make, reparam, value, score):
    """A model of one site x ~ make(number): value(number, new) is what it becomes, score its density there."""
    def model(x):
        return cnp.sum(cr.sample("x", make(x)))
    return Changed(model, {"x": reparam}, lambda x, v: float(np.sum(score(x, value(x, v), v))),
                   lambda x, v: {"x": value(x, v)})


def loc_scale(make, frozen, scale, c=0.0, shape=None):
    """x ~ frozen(loc) of SciPy, whose location is that number and whose scale is `scale`."""
    def value(x, v):
        return x + scale ** (1 - c) * (v["x_decentered"] - c * x)
    def score(x, value, v):
        return frozen(x).logpdf(value) + (1 - c) * np.log(scale)
    return one(make, LocScaleReparam(c), value, score)


def affine(x):
    return dist.TransformedDistribution(dist.Normal(np.zeros(3), 1.0), transforms.AffineTransform(x, S))


def stretched(x):
    return dist.TransformedDistribution(dist.Gamma(2.0, 1.0 + x ** 2).expand((3,)).to_event(1),
                                        [transforms.ExpTransform(), transforms.AffineTransform(1.0, 2.0)])


def stretched_score(x, value, v):
    z = v["x_base"]
    return stats.gamma(2.0, scale=1 / (1 + x ** 2)).logpdf(z)


def walk(x):
    return dist.GaussianRandomWalk(1.0 + x ** 2, 4)


def walk_score(x, value, v):
    return stats.norm.logpdf(np.diff(value, prepend=0.0), 0.0, 1.0 + x ** 2)


def smoothed(y, s):
    """The inverse of cosine coefficients that were weighted."""
    log_weight = s * np.log(np.arange(4) + 0.5)
    return fft.idct(y / np.exp(log_weight - log_weight.mean()), norm="ortho")


def turned(y):
    return np.arctan2(np.sin(y), np.cos(y))


def chain(x):
    """A funnel with an observation, and a site that is transformed and then decentred."""
    a = cr.sample("a", dist.Normal(x, 1.5))
    b = cr.sample("b", dist.Laplace(a, cnp.exp(0.5 * a)))
    c = cr.sample("c", dist.LogNormal(b, 0.5))
    cr.sample("y", dist.Normal(c, 1.0), obs=0.3)
    return a + c


def chain_sites(x, v):
    a = x + 1.5 * v["a_decentered"]
    b = a + np.exp(0.5 * a) * v["b_decentered"]
    return {"a": a, "b": b, "c_base": b + 0.5 * v["c_base_decentered"], "c": np.exp(b + 0.5 * v["c_base_decentered"])}


def chain_score(x, v):
    s = chain_sites(x, v)
    return (stats.norm.logpdf(s["a"], x, 1.5) + np.log(1.5)
            + stats.laplace.logpdf(s["b"], s["a"], np.exp(0.5 * s["a"])) + 0.5 * s["a"]
            + stats.lognorm(0.5, scale=np.exp(s["b"])).logpdf(s["c"]) + np.log(s["c"]) + np.log(0.5)
            + stats.norm.logpdf(0.3, s["c"], 1.0))


def plates(x):
    """Plates, with a mask and a scale around the sites."""
    with cr.plate("i", 3):
        a = cr.sample("a", dist.Normal(x, S))
        with cr.plate("j", 2), cr.handlers.scale(scale=2.0), cr.handlers.mask(mask=MASK):
            b = cr.sample("b", dist.LogNormal(a, 0.5))
    return cnp.sum(b)


def plates_sites(x, v):
    return {"a": x + S * v["a_decentered"], "b": np.exp(v["b_base"])}


def plates_score(x, v):
    s = plates_sites(x, v)
    b = stats.lognorm(0.5, scale=np.exp(s["a"])).logpdf(s["b"]) + np.log(s["b"])
    return np.sum(stats.norm.logpdf(s["a"], x, S) + np.log(S)) + 2.0 * np.sum(b[:, MASK])


ROWS = {
    "normal": loc_scale(lambda x: dist.Normal(x, S), lambda x: stats.norm(x, S), S),
    "partly": loc_scale(lambda x: dist.Normal(x, S), lambda x: stats.norm(x, S), S, 0.3),
    "each its part": loc_scale(lambda x: dist.Normal(x, S).to_event(1), lambda x: stats.norm(x, S), S, PART),
    "student": loc_scale(lambda x: dist.StudentT(4.0, x, S).to_event(1), lambda x: stats.t(4.0, x, S), S, 0.25),
    "laplace": loc_scale(lambda x: dist.Laplace(x, S), lambda x: stats.laplace(x, S), S, 0.5),
    "cauchy": loc_scale(lambda x: dist.Cauchy(x, 2.0).expand((3,)), lambda x: stats.cauchy(x, 2.0), np.array(2.0)),
    "gumbel": loc_scale(lambda x: dist.Gumbel(x, 2.0).expand((2, 3)).to_event(1), lambda x: stats.gumbel_r(x, 2.0),
                        np.array(2.0), 0.75),
    "logistic": one(lambda x: dist.Logistic(x, S).mask(MASK), LocScaleReparam(0.0),
                    lambda x, v: x + S * v["x_decentered"],
                    lambda x, value, v: MASK * (stats.logistic.logpdf(value, x, S) + np.log(S))),
    "affine": one(affine, TransformReparam(), lambda x, v: x + S * v["x_base"],
                  lambda x, value, v: stats.norm.logpdf(value, x, S) + np.log(S)),
    "stretched": one(stretched, TransformReparam(), lambda x, v: 1.0 + 2.0 * np.exp(v["x_base"]), stretched_score),
    "log-normal": one(lambda x: dist.LogNormal(x, S).to_event(1), TransformReparam(), lambda x, v: np.exp(v["x_base"]),
                      lambda x, value, v: stats.lognorm(S, scale=np.exp(x)).logpdf(value) + np.log(value)),
    "logit-normal": one(lambda x: dist.LogitNormal(x, S), TransformReparam(), lambda x, v: expit(v["x_base"]),
                        lambda x, value, v: stats.norm(x, S).logpdf(v["x_base"])),
    "log-uniform": one(lambda x: dist.LogUniform(S, 3.0 + x), TransformReparam(), lambda x, v: np.exp(v["x_base"]),
                       lambda x, value, v: stats.loguniform(S, 3.0 + x).logpdf(value) + np.log(value)),
    "inverse gamma": one(lambda x: dist.InverseGamma(S, 3.0 + x), TransformReparam(), lambda x, v: 1 / v["x_base"],
                         lambda x, value, v: stats.invgamma(S, scale=3.0 + x).logpdf(value) + 2 * np.log(value)),
    "pareto": one(lambda x: dist.Pareto(3.0 + x, S), TransformReparam(), lambda x, v: (3.0 + x) * np.exp(v["x_base"]),
                  lambda x, value, v: stats.pareto(S, scale=3.0 + x).logpdf(value) + np.log(value)),
    "multivariate": one(lambda x: dist.MultivariateNormal(x * S, scale_tril=TRIL), TransformReparam(),
                        lambda x, v: x * S + TRIL @ v["x_base"],
                        lambda x, value, v: stats.multivariate_normal(x * S, TRIL @ TRIL.T).logpdf(value)
                        + np.log(np.diag(TRIL)).sum()),
    "explicit": one(lambda x: dist.Gamma(S, 1.0 + x ** 2), ExplicitReparam(transforms.SoftplusTransform().inv),
                    lambda x, v: np.logaddexp(v["x_base"], 0.0),
                    lambda x, value, v: stats.gamma(S, scale=1 / (1 + x ** 2)).logpdf(value)
                    + np.log(expit(v["x_base"]))),
    "explicit, masked": one(lambda x: dist.Gamma(S, 1.0 + x ** 2).mask(MASK).to_event(1),
                            ExplicitReparam([transforms.ExpTransform().inv, transforms.AffineTransform(0.0, 2.0)]),
                            lambda x, v: np.exp(0.5 * v["x_base"]),
                            lambda x, value, v: MASK * (stats.gamma(S, scale=1 / (1 + x ** 2)).logpdf(value)
                                                        + np.log(0.5 * value))),
    "permuted": one(lambda x: dist.Normal(x, S).to_event(1), UnitJacobianReparam(
        transforms.PermuteTransform((1, 2, 0)), "turned"), lambda x, v: v["x_turned"][[2, 0, 1]],
        lambda x, value, v: stats.norm.logpdf(value, x, S)),
    "positive, permuted": one(lambda x: dist.LogNormal(x, S).to_event(1), UnitJacobianReparam(
        transforms.PermuteTransform((1, 2, 0))), lambda x, v: np.exp(v["x_transformed"][[2, 0, 1]]),
        lambda x, value, v: stats.lognorm(S, scale=np.exp(x)).logpdf(value) + np.log(value)),
    "haar": one(walk, HaarReparam(), lambda x, v: HAAR.T @ v["x_haar"], walk_score),
    "haar, flipped": one(walk, HaarReparam(flip=True), lambda x, v: (HAAR.T @ v["x_haar"])[::-1], walk_score),
    "cosines": one(walk, DiscreteCosineReparam(), lambda x, v: fft.idct(v["x_dct"], norm="ortho"), walk_score),
    "smooth cosines": one(walk, DiscreteCosineReparam(smooth=1.5), lambda x, v: smoothed(v["x_dct"], 1.5), walk_score),
    "cosines of an inner axis": one(
        lambda x: dist.Normal(x, 2.0).expand((4, 3)).to_event(2), DiscreteCosineReparam(dim=-2, smooth=-1.0),
        lambda x, v: np.apply_along_axis(smoothed, 0, v["x_dct"], -1.0),
        lambda x, value, v: stats.norm.logpdf(value, x, 2.0)),
    "circular": one(lambda x: dist.VonMises(x, S), CircularReparam(), lambda x, v: turned(v["x_unwrapped"]),
                    lambda x, value, v: stats.vonmises(S, x).logpdf(value)),
    "direction": one(lambda x: dist.ProjectedNormal(x * np.ones((2, 3))), ProjectedNormalReparam(),
                     lambda x, v: (x + v["x_normal"]) / np.linalg.norm(x + v["x_normal"], axis=-1, keepdims=True),
                     lambda x, value, v: stats.norm.logpdf(v["x_normal"])),
    "chain": Changed(chain, {"a": LocScaleReparam(0.0), "b": LocScaleReparam(0.0), "c": TransformReparam(),
                             "c_base": LocScaleReparam(0.0)}, chain_score, chain_sites),
    "plates": Changed(plates, {"a": LocScaleReparam(0.0), "b": TransformReparam()}, plates_score, plates_sites),
}


def within(row, names):
    """The row inside of the transformations, the first of them innermost."""
    for name in names:
        row = TRANSFORMS[name](row)
    return row
