"""Rows of normal vectors with other derivatives or other parameters, and of accepted proposals."""
import numpy as np
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import numpy as cnp
from tests.distributions.cases import Case
from tests.distributions.laws import part
from tests.distributions.structured_laws import FACTOR, LOC, Structured, normal


def r2d2(output_sigma, input_sigma, r2, variance_explained, positive_probs=0.5):
    """Σ by hand: second moments φ r2 t² / s², and means that make ψ the probability above 0."""
    q = stats.norm.ppf(np.broadcast_to(positive_probs, np.shape(input_sigma)))
    second = (np.asarray(r2) * np.square(output_sigma))[..., None] * np.asarray(variance_explained)
    second = second / np.square(input_sigma)
    sd = np.sqrt(second / (1 + q ** 2))
    return normal(q * sd, sd[..., None] * np.eye(sd.shape[-1]) * sd[..., None, :], sd.shape[:-1])


def damped(scale, rate):
    """A normal number, accepted with probability exp(-½ rate x²): normal again."""
    scale, rate = np.asarray(scale), np.asarray(rate)
    return dist.Rejector(dist.Normal(0.0, scale), lambda x, rate: -0.5 * rate * cnp.square(x),
                         -0.5 * cnp.log1p(rate * scale ** 2), (rate,))


CONTROL = np.random.default_rng(8).normal(size=(2, 2, 3))

CASES = [
    Structured("AVFMultivariateNormal", dist.AVFMultivariateNormal,
               [dict(loc=LOC, scale_tril=FACTOR, control_var=CONTROL)],
               lambda loc, scale_tril, control_var: normal(loc, scale_tril @ scale_tril.T),
               (dist.AVFMultivariateNormal,), bad=dict(scale_tril=-FACTOR, control_var=CONTROL * np.nan)),
    Structured("R2D2M2CP", dist.R2D2M2CP,
               [dict(output_sigma=[2.0, 1.0], input_sigma=[1.0, 0.5, 2.0], r2=[0.3, 0.8],
                     variance_explained=[0.5, 0.3, 0.2], positive_probs=[0.5, 0.9, 0.2]),
                dict(output_sigma=2.0, input_sigma=[1.0, 0.5], r2=0.4, variance_explained=[0.6, 0.4])],
               r2d2, (dist.R2D2M2CP,), bad=dict(r2=1.0, variance_explained=[0.5, 0.6, 0.2], output_sigma=0.0,
                                                input_sigma=[1.0, -1.0, 1.0], positive_probs=[0.5, 0.0, 0.5])),
    Case("Rejector", damped, [dict(scale=1.5, rate=0.7), dict(scale=[[0.5], [2.0]], rate=[0.2, 1.0])],
         lambda scale, rate: part(stats.norm(0.0, scale / np.sqrt(1 + rate * scale ** 2)), "logpdf", "cdf", "ppf"),
         (dist.Rejector,), slow=True),
]
NO_ROW = (dist.ExponentialFamily,                        # a base: test_exponential_family.py
          dist.PixelCNN)                                 # a network: test_pixel_cnn.py
