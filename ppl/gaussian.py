"""Normal sites that are linear in each other: the integral over those that are left out.

The log-density is quadratic in the left-out values z, so with ẑ where it is largest and Λ its curvature there,

    log ∫ p(z, x) dz = log p(ẑ, x) + ½ k log 2π - ½ log |Λ|         for k numbers z

Every site is a set of rows r(z) = (value - loc(z)) / scale, and Λ = J'J for the Jacobian J of all rows. Where each
observed number depends on one of z at most, and no prior on another, Λ is diagonal and the cost is linear in the data;
else it is that of a regression, n k² + k³.
Source: Bishop (2006), Pattern Recognition and Machine Learning, section 2.3.3; Lindley & Smith (1972).
"""
import math
from typing import Any, NamedTuple

from ..engine import numpy as np
from ..engine.api import jacfwd, vjp
from ..engine.numpy.linalg import cholesky
from ..engine.scipy.linalg import solve_triangular
from .conjugacy import Parts, parts, with_fields
from .deferred import LINEAR, SPARSE, Deferred, evaluate

FAMILIES = ("Normal", "MultivariateNormal")


class Rows(NamedTuple):
    """A normal site: observed (`value`), or left out (`name`)."""
    name: str | None
    parts: Parts
    value: Any
    shape: tuple

    @property
    def loc(self):
        """The mean, deferred or not."""
        return self.parts.family.loc

    @property
    def roots(self):
        """The left-out sites that it depends on, itself included."""
        others = self.loc.roots if isinstance(self.loc, Deferred) else frozenset()
        return others | ({self.name} if self.name else frozenset())

    @property
    def is_sparse(self):
        """Whether each of its numbers depends on one number of a left-out site at most."""
        if not isinstance(self.loc, Deferred):
            return True
        return self.name is None and self.parts.name == "Normal" and self.loc.form <= SPARSE

    def at(self, z):
        """(the distribution, the value) at z, {name: value}."""
        d = self.parts.family
        if isinstance(self.loc, Deferred):
            d = with_fields(d, {"loc": evaluate(self.loc, z)})
        return d, z[self.name] if self.name else self.parts.seen(self.value)

    def log_prob(self, z):
        """The log-density at z."""
        d, value = self.at(z)
        return self.parts.counted(d.log_prob(value))

    def residual(self, z):
        """L⁻¹ (value - loc) as a vector, times the root of the site's scale."""
        d, value = self.at(z)
        r, p = np.broadcast_to(value - d.loc, self.shape), self.parts
        p = p if p.scale is None else p._replace(scale=np.sqrt(p.scale))
        if p.name == "Normal":
            return np.ravel(p.weigh(r / d.scale))
        factor = np.broadcast_to(d.scale_tril, (*self.shape, self.shape[-1]))
        return np.ravel(p.weigh(solve_triangular(factor, r[..., None], lower=True)[..., 0], 1))


def rows_of(site, name=None):
    """The `Rows` of a site, or None where it is not a normal one with a known scale and a linear mean."""
    p = parts(site)
    if p.name not in FAMILIES:
        return None
    other = p.family.scale if p.name == "Normal" else p.family.scale_tril
    loc = p.family.loc
    if isinstance(other, Deferred) or isinstance(loc, Deferred) and loc.form > LINEAR:
        return None
    return Rows(name, p, site.value, tuple(site.fn.shape()))


def components(rows):
    """The rows in groups that share no left-out site: [(names, rows)]."""
    groups = []
    for row in rows:
        names, mine = set(row.roots), [row]
        rest = []
        for other_names, other in groups:
            if names & other_names:
                names |= other_names
                mine = [*other, *mine]
            else:
                rest.append((other_names, other))
        groups = [*rest, (names, mine)]
    return groups


def log_marginal(rows):
    """The log of the integral over the left-out sites of a group of rows."""
    shapes = {r.name: r.shape for r in rows if r.name}
    zero = {name: np.zeros(shape) for name, shape in shapes.items()}
    solve = _diagonal if all(r.is_sparse for r in rows) else _dense
    best, half_log_det = solve(rows, zero)
    k = sum(math.prod(shape) for shape in shapes.values())
    return sum(r.log_prob(best) for r in rows) + 0.5 * k * math.log(2 * math.pi) - half_log_det


def _diagonal(rows, zero):
    """(ẑ, ½ log |Λ|) where Λ is diagonal: each number has its own precision and weighted sum."""
    precision, total = dict(zero), dict(zero)
    for row in rows:
        d, p = row.parts.family, row.parts
        if p.name == "MultivariateNormal":
            return _dense(rows, zero)
        weight = p.weigh(1.0 / np.square(np.broadcast_to(d.scale, p.shape)))
        if row.name:
            precision[row.name] = precision[row.name] + weight
            total[row.name] = total[row.name] + weight * d.loc
        elif isinstance(row.loc, Deferred):
            roots = {name: zero[name] for name in row.loc.roots}

            def spread(z, row=row):
                return np.broadcast_to(evaluate(row.loc, z), row.shape)
            base, pull = vjp(spread, roots)
            slope = spread({name: np.ones_like(z) for name, z in roots.items()}) - base
            left = pull(weight * (p.seen(row.value) - base))[0]
            for name, add in pull(weight * slope)[0].items():
                precision[name] = precision[name] + add
                total[name] = total[name] + left[name]
    best = {name: total[name] / precision[name] for name in zero}
    return best, 0.5 * sum(np.sum(np.log(v)) for v in precision.values())


def _dense(rows, zero):
    """(ẑ, ½ log |Λ|) by the Cholesky factor of J'J."""
    sizes = [math.prod(z.shape) for z in zero.values()]

    def unflat(v):
        at, out = 0, {}
        for (name, z), n in zip(zero.items(), sizes):
            out[name] = np.reshape(v[at:at + n], z.shape)
            at += n
        return out

    def residuals(v):
        z = unflat(v)
        return np.concatenate([r.residual(z) for r in rows])
    start = np.zeros((sum(sizes),))
    jacobian, r = jacfwd(residuals)(start), residuals(start)
    factor = cholesky(np.matmul(jacobian.T, jacobian))
    half = solve_triangular(factor, -np.matmul(jacobian.T, r), lower=True)
    best = solve_triangular(factor, half, lower=True, trans=1)
    return unflat(best), np.sum(np.log(np.diagonal(factor)))
