"""What is wrong with the draws of a run, and what to do about it: the warnings after MCMC.

Each is one `SamplingWarning`, with numbers and names. None of them says that the draws are good: a mode that no chain
has found leaves no trace.

Source: Vehtari et al. (2021), Bayesian Analysis 16(2), for the limits of R-hat and ESS; Betancourt (2016),
arXiv:1604.00695, for that of E-BFMI.
"""
import math
import sys
import warnings

import numpy as np

from . import diagnostics
from .diagnostics.convergence import rank_rhat
from .diagnostics.sites import over_sites

MAX_RHAT, ESS_PER_CHAIN, ENOUGH, MIN_BFMI, DEEP = 1.01, 100, 1000, 0.3, 0.01
MOST = 1_000_000                   # numbers that are looked at, about half a second's work


class SamplingWarning(UserWarning):
    """Draws that may not be what they should be: divergences, chains that disagree, too few draws.

    MCMC(..., warn=False) gives none; warnings.filterwarnings("error", category=SamplingWarning) makes them errors.
    """


def warn(problems):
    """One SamplingWarning for each text, at the line outside of the library that led here."""
    frame, level, library = sys._getframe(), 1, __name__.split(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == library:
        frame, level = frame.f_back, level + 1
    for text in problems:
        warnings.warn(text, SamplingWarning, stacklevel=level)


def problems(draws, stats, values=None, max_tree_depth=None, target_accept_prob=None):
    """The texts for a run: what is wrong, where, and what to write instead; none where nothing was found.

    draws : {site: float[chain, draw, *shape]} of the latent sites, on any scale
    stats : {ArviZ's name: [chain, draw]}, those that the kernel has
    values : a function that gives the draws as the model has them, where `draws` are not; called for divergences
    Of very many parameters some are looked at, evenly spaced, so that this takes about half a second.
    """
    names, table, count = _table(draws)
    found = [_divergences(stats, values or (lambda: draws), target_accept_prob)]
    stuck = _stuck(table)
    found.append(stuck)
    if not stuck:
        found += [_rhat(names, table, count), _ess(names, table, count)]
    found += [_energy(stats), _depth(stats, max_tree_depth)]
    return [text for text in found if text]


# ---- names and numbers ----

def _table(draws):
    """(names, float[chain, draw, parameters], how many parameters there are) of the parameters that are looked at."""
    arrays = {name: np.asarray(x) for name, x in draws.items()}
    sizes = [math.prod(x.shape[2:]) for x in arrays.values()]
    total = sum(sizes)
    chains, length = next(iter(arrays.values())).shape[:2]
    chosen = np.unique(np.linspace(0, total - 1, min(total, max(MOST // (chains * length), 1))).astype(int))
    names, columns, at = [], [], 0
    for (name, x), size in zip(arrays.items(), sizes):
        mine = chosen[(chosen >= at) & (chosen < at + size)] - at
        columns.append(x.reshape(chains, length, size)[..., mine])
        names += [_label(name, x.shape[2:], i) for i in mine]
        at += size
    return names, np.concatenate(columns, -1), total


def _label(name, shape, i):
    return f"{name}[{','.join(map(str, np.unravel_index(i, shape)))}]" if shape else name


def _worst(names, values, largest, form, n):
    """The n worst parameters, at most three, with their values, as words."""
    order = np.argsort(-values if largest else values, kind="stable")[:min(n, 3)]
    return ", ".join(f"{names[i]!r} ({form(values[i])})" for i in order)


def _of(n, seen, total):
    """So many parameters of those there are."""
    looked = "" if seen == total else f" looked at (of {total:,})"
    return f"{n:,} of {seen:,} parameters{looked}" if seen > 1 else "the parameter"


def _percent(n, total):
    share = 100 * n / total
    return f"{share:.0f}%" if share >= 9.5 else f"{share:.2g}%"


# ---- one function a problem: the text, or None ----

def _divergences(stats, values, target):
    diverging = stats.get("diverging")
    if diverging is None or not diverging.any():
        return None
    n = int(diverging.sum())
    text = (f"{n} of {diverging.size} transitions ({_percent(n, diverging.size)}) diverged: the posterior is too steep "
            "there for the step size, and draws are missing where it is.")
    names, table, _ = _table(values())
    difference = diagnostics.divergences_by_site({"all": table}, diverging)["all"]
    marked = np.abs(np.nan_to_num(difference))
    clear = np.flatnonzero((marked > max(0.75, marked.max() / 2)) & (marked * math.sqrt(n) > 5))
    clear = clear[np.argsort(-marked[clear], kind="stable")][:3]
    if len(clear):
        text += " Compared with the other draws, they have " + ", ".join(
            f"{'low' if difference[i] < 0 else 'high'} {names[i]!r} ({difference[i]:+.1f} sd)" for i in clear) + "."
    other = f"; or raise target_accept_prob, which is {target:g}." if target else "."
    if len(clear):
        return text + (" If that is the scale of other sites, write those non-centred (handlers.reparam with "
                       "LocScaleReparam)") + other
    return text + " Write sites whose scale is drawn too non-centred (handlers.reparam with LocScaleReparam)" + other


def _stuck(table):
    if table.shape[1] < 4:
        return None
    still = np.flatnonzero((table == table[:, :1]).all((1, 2)))
    if not len(still):
        return None
    which = f"chain {still[0]}" if len(still) == 1 else f"chains {', '.join(map(str, still[:8]))}"
    return (f"{which} never moved: no proposal was accepted. Warm-up found no step size: give a smaller step_size, "
            "another start (init_strategy), or more num_warmup.")


def _rhat(names, table, total):
    rhat = over_sites(rank_rhat, table)
    high = np.flatnonzero(rhat > MAX_RHAT)
    if not len(high):
        return None
    what = "the halves of the chain disagree" if len(table) == 1 else "the chains disagree, or drift"
    form = lambda x: f"{x:.3f}" if x < 10 else f"{x:.0f}"
    worst = _worst(names, np.where(np.isnan(rhat), 0, rhat), True, form, len(high))
    return (f"R-hat is above {MAX_RHAT} for {_of(len(high), len(names), total)}: {worst}; {what}. Take more num_warmup "
            "and num_samples. If that changes nothing, compare the chains (az.plot_trace): where they stay in "
            "different places there are several modes, or parameters that the data cannot tell apart.")


def _ess(names, table, total):
    chains, length = table.shape[:2]
    least = min(ESS_PER_CHAIN * chains, ENOUGH)
    ess = np.fmin(diagnostics.ess_bulk(table), diagnostics.ess_tail(table))
    low = np.flatnonzero(ess < least)
    if not len(low):
        return None
    needed = least / np.nanmin(ess) * length
    digits = 10 ** max(math.floor(math.log10(needed)) - 1, 0)
    worst = _worst(names, np.where(np.isnan(ess), np.inf, ess), False, lambda x: f"{x:.0f}", len(low))
    text = (f"The effective sample size is below {least} for {_of(len(low), len(names), total)}: {worst}; means are "
            "noisy, intervals more so. ")
    if np.nanmin(ess) < 0.02 * chains * length:
        return text + ("The draws are strongly correlated: rather than drawing many more, write the model so that its "
                       "parameters are less so, or give NUTS a dense_mass of the sites that are.")
    return text + f"About {math.ceil(needed / digits) * digits:,} draws of each chain would do (num_samples)."


def _energy(stats):
    if stats.get("energy") is None:
        return None
    bfmi = diagnostics.bfmi(stats["energy"])
    low = np.flatnonzero(bfmi < MIN_BFMI)
    if not len(low):
        return None
    return (f"E-BFMI is below {MIN_BFMI} in {len(low)} of {len(bfmi)} chains, {np.nanmin(bfmi):.2f} at the least: the "
            "posterior has more energies than a new momentum reaches, so its tails are explored slowly. Scales that "
            "are drawn too want a non-centred form (handlers.reparam), heavy tails a tighter prior or another scale.")


def _depth(stats, max_tree_depth):
    reached = stats.get("reached_max_treedepth")
    if reached is None or reached.mean() < DEEP:
        return None
    n = int(reached.sum())
    return (f"{n} of {reached.size} transitions ({_percent(n, reached.size)}) were cut short at max_tree_depth="
            f"{max_tree_depth}, {2 ** max_tree_depth - 1:,} steps: each costs that many gradients and still moves "
            "little. Bring the parameters to scales alike, give NUTS a dense_mass of those that are correlated, or "
            "raise it.")
