"""Intervals, and the table of a posterior."""
from collections.abc import Mapping
from itertools import product

import numpy as np

from .convergence import rank_rhat
from .effective import ess_bulk, ess_tail
from .sites import over_sites


def hpdi(x, prob=0.9, axis=0):
    """The narrowest interval with `prob` of the draws along `axis`.   x : float[..., n, ...] -> float[..., 2, ...]

    Raises ValueError unless 0 < prob ≤ 1; nan where a draw is nan.
    Source: Chen & Shao (1999), Journal of Computational and Graphical Statistics 8(1).

    >>> hpdi([0, 1, 2, 3, 9], prob=0.6).tolist()
    [0.0, 3.0]
    """
    if not 0 < prob <= 1:
        raise ValueError(f"prob={prob} is no probability mass: give a number above 0 and at most 1.")
    x = np.sort(np.moveaxis(np.asarray(x, dtype=float), axis, 0), axis=0)
    if not len(x):
        raise ValueError(f"there are no draws along axis {axis}, so they have no interval.")
    held = min(int(prob * len(x)), len(x) - 1)
    with np.errstate(invalid="ignore"):
        start = (x[held:] - x[:len(x) - held]).argmin(0)[None]
    ends = [np.take_along_axis(x, index, axis=0) for index in (start, start + held)]
    return np.moveaxis(np.where(np.isnan(x[-1]), np.nan, np.concatenate(ends)), 0, axis)


def _chains_of(samples, group_by_chain):
    """name -> float[chains, draws, *shape]; arrays without names become Param:0, Param:1, …, as in NumPyro."""
    if not isinstance(samples, Mapping):
        each = samples if isinstance(samples, list | tuple) else [samples]
        samples = {f"Param:{i}": x for i, x in enumerate(each)}
    arrays = {name: np.asarray(x, dtype=float) for name, x in samples.items()}
    return arrays if group_by_chain else {name: x[None] for name, x in arrays.items()}


def _columns(x, prob):
    diagnostics = {"ess_bulk": ess_bulk(x), "ess_tail": ess_tail(x), "r_hat": over_sites(rank_rhat, x)}
    draws = x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
    with np.errstate(all="ignore"):
        low, high = hpdi(draws, prob)
        std = np.sqrt(((draws - draws.mean(0))**2).sum(0) / np.float64(len(draws) - 1))
        return {"mean": draws.mean(0), "std": std, "median": np.median(draws, axis=0),
                f"{50 * (1 - prob):.1f}%": low, f"{50 * (1 + prob):.1f}%": high, **diagnostics}


def summary(samples, prob=0.9, group_by_chain=True):
    """name -> {mean, std, median, 5.0%, 95.0%, ess_bulk, ess_tail, r_hat}, each float[*shape].

    samples : a dict of float[chains, draws, *shape], or of float[draws, *shape] with group_by_chain=False
    The two columns with a percent sign are the ends of the narrowest interval of mass `prob`, see `hpdi`. With one
    chain r_hat compares its halves.

    >>> table = summary({"x": np.random.default_rng(0).normal(size=(4, 1000))})
    >>> list(table["x"])
    ['mean', 'std', 'median', '5.0%', '95.0%', 'ess_bulk', 'ess_tail', 'r_hat']
    """
    return {name: _columns(x, prob) for name, x in _chains_of(samples, group_by_chain).items()}


def _cell(column, value):
    if column.startswith("ess"): return f"{value:.0f}"
    if column == "r_hat": return f"{value:.3f}"
    return f"{value:.2f}" if value == 0 or 0.1 <= abs(value) < 1e6 else f"{value:.3g}"


def print_summary(samples, prob=0.9, group_by_chain=True):
    """Prints the `summary` as a table, one row a number: name, name[i], name[i,j].   samples : see `summary`

    >>> print_summary({"x": [[0, 1, 2, 3], [3, 1, 0, 2]]})
       mean   std  median  5.0%  95.0%  ess_bulk  ess_tail  r_hat
    x  1.50  1.20    1.50  0.00   3.00         7         7  1.080
    """
    rows = [[""]]
    for name, columns in summary(samples, prob, group_by_chain).items():
        rows[0] = ["", *columns]
        for index in product(*map(range, np.shape(columns["mean"]))):
            label = f"{name}[{','.join(map(str, index))}]" if index else name
            rows.append([label, *(_cell(column, values[index]) for column, values in columns.items())])
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
