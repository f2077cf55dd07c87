"""After a fit: draws of the guide as draws of the model's posterior, for people, ArviZ and plots."""
import numpy as onp

from ...engine import numpy as np
from ...engine import random
from ...ppl.handlers import uncondition
from ...ppl.keys import one_key
from ...ppl.queries import Predictive, compute_deterministics
from ...ppl.queries.draws import OverDraws
from .. import groups
from ..arviz import to_arviz
from ..draws import named_dims
from .estimators import total
from .guides import AutoGuideList, AutoLaplaceApproximation
from .particles import Pair, given


def samples(svi, rng_key, params, args, kwargs, num_samples):
    """({site: [draw, *shape]} of latent and deterministic sites, {statistic: [draw]}).

    A guide that stands for a posterior after its fit alone, or whose model takes parts of plates, is asked itself.
    """
    if isinstance(num_samples, bool) or int(num_samples) != num_samples or num_samples < 1:
        raise ValueError(f"num_samples must be an integer of at least 1; got {num_samples!r}.")
    key, pair = one_key(rng_key, "get_samples"), svi.pair(args, kwargs)
    params = {k: np.asarray(x) for k, x in params.items()}
    parts = [k for k, s in pair.model.outline(pair.data).items() if s.kind == "plate"]
    if not parts and not isinstance(svi.guide, AutoLaplaceApproximation | AutoGuideList):
        over = svi.kept(pair, "guide draws", lambda: OverDraws(_draw(svi, pair.model, pair.guide)))
        return over(int(num_samples), {}, (random.key_data(key), params, pair.data, pair.guide_data))
    if not hasattr(svi.guide, "sample_posterior"):
        raise ValueError(f"get_samples: plate {parts[0]!r} is subsampled, and a guide written by hand draws for a part "
                         "of it alone.\nPredictive(guide, params=params, num_samples=n) has such draws.")
    drawn = svi.guide.sample_posterior(key, params, *args, sample_shape=(int(num_samples),), **kwargs)
    if not parts and any(s.kind == "deterministic" for s in pair.model.outline(pair.data).values()):
        drawn |= compute_deterministics(pair.model, {**drawn, **_repeated(pair, params, num_samples)}, *pair.data)
    return drawn, {}


def _draw(svi, model, guide):
    """The function of one draw, for `OverDraws`."""
    component, sums = svi.component, svi.loss.sums_model

    def one(number, row, shared):
        words, params, data, guide_data = shared
        key, pick = random.split(random.fold_in(random.wrap_key_data(words), number))
        pair = Pair(model, data, guide, guide_data, constrained=True, open=sums)
        particle = pair.draw(key, component(params, pick, number), {})
        known = given(particle.guide)
        out = {k: s.value for k, s in particle.model.items()
               if s.kind == "sample" and not s.observed and k in known or s.kind == "deterministic" and not sums}
        if sums or not svi.has_density:
            return out, {}
        lp = total(particle.model)
        return out, {"lp": lp, "log_weight": lp - total(particle.guide)}
    return one


def _repeated(pair, params, n):
    """{param of the model: [n, *shape]}: its value for each draw."""
    names = [k for k, s in pair.model.outline(pair.data).items() if s.kind == "param" and k in params]
    return {k: np.broadcast_to(params[k], (int(n), *params[k].shape)) for k in names}


def arviz(svi, rng_key, params, args, kwargs, num_samples, coords, dims, constant_data, *, log_likelihood, log_prior,
          posterior_predictive):
    """`SVI.to_arviz`."""
    key, predict = random.split(one_key(rng_key, "to_arviz"))
    drawn, stats = samples(svi, key, params, args, kwargs, num_samples)
    pair = svi.pair(args, kwargs)
    program, data = pair.model.describe(pair.data), pair.data
    params = {k: np.asarray(x) for k, x in params.items()}
    for v in program.latents:
        if v.name not in drawn and (log_likelihood or log_prior or posterior_predictive):
            raise ValueError(f"to_arviz: site {v.name!r} is summed out and has no draws, which log_likelihood, "
                             "log_prior and posterior_predictive need.")
    latent = {v.name: drawn[v.name] for v in program.latents if v.name in drawn}
    own = _repeated(pair, params, num_samples)
    made = {"observed_data": program.observed(data) or None}
    made["constant_data"] = groups.constants(program, data, made["observed_data"] or {}) if constant_data is None \
        else constant_data
    if log_likelihood or log_prior:
        made |= groups.densities(program, data, _chained(latent), log_likelihood, log_prior, _chained(own))
    if posterior_predictive and made["observed_data"]:
        opened = svi.kept(pair, "uncondition", lambda: uncondition(program))
        run = Predictive(opened, {**latent, **own}, return_sites=list(made["observed_data"]))
        made["posterior_predictive"] = _chained(run(predict, *data))
    return to_arviz(posterior=_chained(drawn), sample_stats=_chained(stats) or None,
                    coords={**program.coords, **(coords or {})}, dims={**named_dims(program), **(dims or {})},
                    attrs={"guide": getattr(svi.guide, "__name__", type(svi.guide).__name__)}, **made)


def _chained(arrays):
    """Draws as those of one chain."""
    return {k: onp.asarray(x)[None] for k, x in arrays.items()}


def plot_losses(losses, ax=None, window=None):
    """Draw losses [..., steps] and their running mean over `window` steps; returns matplotlib's axes."""
    import matplotlib.pyplot as plt

    rows = onp.atleast_2d(onp.asarray(losses))
    n = rows.shape[-1]
    window = max(1, n // 50) if window is None else int(window)
    if not 1 <= window <= n:
        raise ValueError(f"window must lie between 1 and the number of steps, {n}; got {window}.")
    ax = plt.subplots()[1] if ax is None else ax
    for row in rows:
        line, = ax.plot(onp.arange(1, n + 1), row, alpha=0.25, linewidth=0.8)
        sums = onp.cumsum(onp.insert(row, 0, 0.0))
        ax.plot(onp.arange(window, n + 1), (sums[window:] - sums[:-window]) / window, color=line.get_color())
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    return ax
