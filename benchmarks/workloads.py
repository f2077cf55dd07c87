"""The models that are timed, each with its data (datasets.py).

A model of the table has `data(seed)`, which gives the arguments of the model by name. The models that peers have too
stand in shared_models.py. Models of posteriordb (posteriors/) have synthetic data here; posteriordb.py fits its own.
"""
from collections.abc import Callable
from typing import NamedTuple

from datasets import DATA
from posteriors import MODELS, SHARED

import chainrule as cr
import chainrule.distributions as dist


class Workload(NamedTuple):
    """One row."""
    model: Callable
    data: Callable                 # seed -> the model's arguments by name
    about: str


def normal_50(precision):
    """Five strong factors."""
    with cr.plate("i", 50):
        x = cr.sample("x", dist.ImproperUniform(dist.constraints.real))
    cr.factor("density", -0.5 * x @ (precision @ x))


ABOUT = {
    "eight_schools_nc": "eight schools, non-centred",
    "eight_schools_c": "eight schools, centred",
    "radon_nc": "hierarchy, 919 rows in 85 groups, synthetic",
    "logit_1k": "logistic regression, 1,000 x 25, synthetic",
    "logit_1k_correlated": "the same, columns correlated 0.95",
    "logit_10k": "logistic regression, 10,000 x 25, synthetic",
    "logit_100k": "logistic regression, 100,000 x 50, synthetic",
    "funnel": "Neal's funnel, 10 dimensions",
    "irt_500": "item responses, 500 parameters, 20,000 answers, synthetic",
    "normal_50": "normal, 50 dimensions, five strong factors",
    "arK": "autoregression of order 5, 200 steps, synthetic",
    "garch": "GARCH(1,1), 200 steps through scan, synthetic",
    "hmm": "hidden Markov model, 100 steps, synthetic",
    "gp_regr": "Gaussian process, 11 points, synthetic",
    "gp_200": "Gaussian process, 200 points, synthetic",
}
OURS = {"hmm": MODELS["hmm_example-hmm_example"], "normal_50": normal_50, "logit_1k_correlated": SHARED["logit_1k"]}
WORKLOADS = {name: Workload(OURS.get(name) or SHARED[name], DATA[name], about) for name, about in ABOUT.items()}
TRANSITIONS = {"logit_100k": 200}    # of warm-up, and as many draws, where it is not 1,000
