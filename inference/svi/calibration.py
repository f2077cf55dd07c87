"""Whether fits of a guide are biased, or too narrow, on data simulated from the model; and a verdict in plain words."""
import math
import sys
from functools import partial
from typing import NamedTuple

import numpy as onp

from ...engine import fori_loop, random, vmap
from ...engine import numpy as np
from ...ppl.handlers import seed, trace, uncondition
from ...ppl.keys import one_key
from ..diagnostics import khat_threshold
from .check import psis_diagnostic
from .particles import GuideRun, given
from .starts import first_params
from .svi import SVIState

LEVEL = 0.01                           # of the verdict, over all numbers of all sites


class Calibration(NamedTuple):
    """What `vsbc` gives; numbers of a site have its shape."""
    p_values: dict             # {site: float[simulations, *shape]}: the part of the guide's draws below the true value
    asymmetry: dict            # {site: probability of p values as asymmetric as these, were the fits unbiased}
    spread: dict               # {site: the variance of the p values over that of uniform ones, 1/12}
    failed: int                # simulations whose fit was not finite; they are left out of all others

    def verdict(self, level=LEVEL):
        """In words, a line for each site that is wrong in its worst number; see `vsbc`."""
        count, lines = sum(onp.size(x) for x in self.asymmetry.values()), []
        for name, chance in self.asymmetry.items():
            rows, at = self.p_values[name], onp.unravel_index(onp.argmin(chance), onp.shape(chance))
            n, where = len(rows), name + (str(list(map(int, at))) if at else "")
            if count * chance[at] < level:
                low = onp.mean(rows, 0)[at] < 0.5
                lines.append(f"{where}: fits are too {'high' if low else 'low'} on average (asymmetric p values, "
                             f"probability {chance[at]:.1g}).")
                continue                                         # of the width they say nothing then
            off = onp.asarray(self.spread[name]) - 1.0
            at = onp.unravel_index(onp.argmax(abs(off)), off.shape)
            where = name + (str(list(map(int, at))) if at else "")
            z = off[at] * math.sqrt(n / 0.8)                     # the variance of 12 (u - 1/2)² is 0.8
            if count * math.erfc(abs(z) / math.sqrt(2.0)) < level:
                lines.append(f"{where}: the guide is too {'narrow' if off[at] > 0 else 'wide'} (p values have "
                             f"{1 + off[at]:.2f} times the variance of uniform ones).")
        if self.failed:
            lines.append(f"{self.failed} fits were not finite.")
        good = f"no bias seen in {len(next(iter(self.p_values.values())))} fits of simulated data."
        return "\n".join(lines) or good


class Diagnosis(NamedTuple):
    """What `diagnose` found."""
    khat: float
    calibration: Calibration
    words: str


def vsbc(svi, rng_key, num_steps, *args, num_simulations=300, num_draws=1000, simulate=None, **kwargs):
    """Variational simulation-based calibration: fits of data sets simulated from the model, as one program.

    A parameter is drawn from the prior, data from the model at it, and the guide is fitted to the data; p is the part
    of the guide's draws below the true parameter. Where fits are unbiased on average, p is symmetric about 1/2; where
    they are right, it is uniform, and too narrow guides have too many p near 0 and 1.
    svi : an `SVI`          num_steps : of each fit, as many as the fit to the real data needs
    args, kwargs : the model's, as in `SVI.run`; those that the model observes are replaced by simulated data
    num_simulations, num_draws : data sets, and draws of each fitted guide
    simulate : key -> ({site: true value}, the model's arguments), where data are more than arguments observed as they
        are (parts of plates, transformed data); a pure function
    The asymmetry test is the Kolmogorov-Smirnov test between p and 1 - p, with its exact distribution.
    Raises ValueError where an observed site is no argument of the model.
    Source: Yao, Vehtari, Simpson & Gelman (2018), "Yes, but did it work? Evaluating variational inference", section
    3.2; Butler (1969), "A test for symmetry using the sample distribution function".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.inference import SVI
    >>> from chainrule.inference.autoguide import AutoNormal
    >>> from chainrule.inference.optim import Adam
    >>> def model(y):
    ...     cr.sample("y", dist.Normal(cr.sample("mu", dist.Normal(0.0, 1.0)), 1.0), obs=y)
    >>> found = vsbc(SVI(model, AutoNormal(model), Adam(0.05)), random.key(0), 300, 1.0, num_simulations=100)
    >>> found.p_values["mu"].shape, found.verdict()
    ((100,), 'no bias seen in 100 fits of simulated data.')
    """
    for name, n, least in (("num_steps", num_steps, 1), ("num_simulations", num_simulations, 20),
                           ("num_draws", num_draws, 20)):
        if isinstance(n, bool) or int(n) != n or n < least:
            raise ValueError(f"{name} must be an integer of at least {least}; got {n!r}.")
    pair = svi.pair(args, kwargs)
    draw = partial(_from_model, _observed_arguments(pair)) if simulate is None else partial(_by_hand, svi, simulate)
    run = svi.compiled(pair, ("vsbc", int(num_draws), simulate), partial(_simulations, svi, draw, int(num_draws)))
    keys = random.split(one_key(rng_key, "vsbc"), int(num_simulations))
    p, sound = run(keys, pair.data, pair.guide_data, onp.asarray(int(num_steps)))
    sound = onp.asarray(sound)
    p = {name: onp.asarray(x)[sound] for name, x in p.items()}
    if not sound.any():
        raise ValueError("vsbc: none of the fits was finite.\nTake a smaller step size, or narrower priors.")
    tests = {name: _each(asymmetry, x) for name, x in p.items()}
    return Calibration(p, tests, {name: 12.0 * onp.mean((x - 0.5) ** 2, 0) for name, x in p.items()},
                       int((~sound).sum()))


def diagnose(svi, result, rng_key, *args, num_draws=4000, num_simulations=300, num_steps=None, simulate=None, file=None,
             **kwargs):
    """Print whether a fit can be used: Pareto's k-hat of this fit, and `vsbc` of fits like it. A `Diagnosis`.

    result : what `SVI.run` gave for args and kwargs          num_steps : of each simulated fit, as many as the run had
    file : where to print; the standard output unless given
    k-hat asks whether the guide is near this posterior in all sites together; calibration, whether each number of a
    site is right on average over data sets. A fit may pass one and fail the other.
    Source: Yao, Vehtari, Simpson & Gelman (2018), "Yes, but did it work? Evaluating variational inference".
    """
    one, two = random.split(one_key(rng_key, "diagnose"))
    k = psis_diagnostic(one, result.params, svi.model, svi.guide, *args, num_particles=num_draws,
                        **{**kwargs, **svi.static_kwargs})
    steps = onp.shape(result.losses)[-1] if num_steps is None else num_steps
    found = vsbc(svi, two, steps, *args, num_simulations=num_simulations, simulate=simulate, **kwargs)
    most = khat_threshold(num_draws)
    near = "the guide is near the posterior: use its draws" if k < 0.5 else \
        "the guide is usable if its draws are weighted" if k < most else \
        "the guide misses a part of the posterior: do not use its draws"
    words = f"k-hat {k:.2f}: {near}.\n{found.verdict()}"
    print(words, file=file or sys.stdout)
    return Diagnosis(k, found, words)


def asymmetry(p):
    """The probability of p values as asymmetric about 1/2 as these, were each as likely to be p as 1 - p.

    p : float[n]. The statistic is the largest distance between the distribution functions of p and 1 - p; with signs
    by the size of |p - 1/2| it is the largest sum of the first k signs, of which the null distribution is that of a
    random walk. Ties make the test conservative.

    >>> asymmetry([0.1, 0.9, 0.2, 0.8]), asymmetry([0.9] * 12) < 0.01
    (1.0, True)
    """
    x = onp.asarray(p, float) - 0.5
    x = x[x != 0]
    if not x.size:
        return 1.0
    size = onp.round(abs(x), 12)                                     # p and 1 - p are of one size, up to rounding
    order = onp.argsort(-size, kind="stable")
    sums, size = abs(onp.cumsum(onp.sign(x[order]))), size[order]
    ends = onp.append(size[1:] != size[:-1], True)                   # not between equal ones
    return _reaches(len(x), int(sums[ends].max()))


def _reaches(n, bound):
    """The probability that a walk of n steps of ±1 reaches bound or -bound."""
    if bound <= 0:
        return 1.0
    at, there = onp.zeros(2 * bound + 1), 0.0
    at[bound] = 1.0
    for _ in range(n):
        moved = onp.zeros_like(at)
        moved[1:] += 0.5 * at[:-1]
        moved[:-1] += 0.5 * at[1:]
        there += moved[0] + moved[-1]
        moved[0] = moved[-1] = 0.0
        at = moved
    return float(there)


def _each(test, x):
    """A test of each number of a site.   x : float[n, *shape] -> float[*shape]"""
    rows = x.reshape(len(x), -1)
    return onp.array([test(rows[:, i]) for i in range(rows.shape[1])]).reshape(x.shape[1:])


# ---- the simulations ----

def _simulations(svi, draw, num_draws, pair, keys, num_steps):
    """({site: p values}, bool: whether the fit was finite), for each key."""
    def one(key):
        first, start, keep, steps, last = random.split(key, 5)
        truth, mine = draw(pair, first)
        attempt = lambda f: partial(f, mine)
        params, _ = first_params(mine._replace(open=svi.loss.sums_model), start, {}, attempt)
        state = SVIState(svi.optim.init(params), svi.loss.init_state(keep, params, mine), steps)
        state = fori_loop(0, num_steps, lambda _, s: svi.step(mine, s)[0], state)
        params = svi.optim.get_params(state.optim_state)
        finite = [np.all(np.isfinite(x)) for x in params.values()]

        def posterior(key):
            values = given(mine.guide.record(GuideRun(key, params, forced={}), mine.guide_data))
            return {k: values[k] for k in truth if k in values}

        drawn = vmap(posterior)(random.split(last, num_draws))
        p = {k: np.mean((x < truth[k]) + 0.5 * (x == truth[k]), 0) for k, x in drawn.items()}
        return p, np.all(np.stack(finite)) if finite else np.asarray(True)

    return vmap(one)(keys)


def _from_model(places, pair, key):
    """(the latent sites' values, the pair with simulated data)"""
    sites = trace(seed(uncondition(pair.model), key)).get_trace(*pair.data)
    truth = {k: s["value"] for k, s in sites.items() if s["type"] == "sample" and k not in places}
    data, guide_data = list(pair.data), list(pair.guide_data)
    for name, i in places.items():
        data[i] = np.reshape(np.astype(sites[name]["value"], data[i].dtype), data[i].shape)
        guide_data[i] = data[i] if len(guide_data) == len(data) else guide_data[i]
    return truth, pair._replace(data=data, guide_data=guide_data)


def _by_hand(svi, simulate, pair, key):
    truth, args = simulate(key)
    return {k: np.asarray(x) for k, x in truth.items()}, svi.pair(args, {})


def _observed_arguments(pair):
    """{observed site: the number of the argument that it observes}"""
    program, out = pair.model, {}
    parts = [k for k, s in program.outline(pair.data).items() if s.kind == "plate"]
    if parts:
        raise ValueError(f"vsbc: plate {parts[0]!r} is subsampled, so that data are simulated in part only.\n"
                         "Pass simulate=, a function from a key to ({site: true value}, the model's arguments).")
    for name, value in program.observed(pair.data).items():
        found = [i for i, x in enumerate(pair.data)
                 if x.size == value.size and onp.array_equal(onp.ravel(x), onp.ravel(value), equal_nan=True)]
        if len(found) != 1:
            raise ValueError(f"vsbc: site {name!r} observes {'none' if not found else 'several'} of the model's "
                             "arguments as it stands, so that it is not known where simulated data go.\n"
                             "Pass simulate=, a function from a key to ({site: true value}, the model's arguments).")
        out[name] = found[0]
    if not out:
        raise ValueError("vsbc: the model observes none of its arguments, so there are no data to simulate.")
    return out
