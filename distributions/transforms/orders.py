"""Bijections onto vectors in order: increasing, positive increasing, partially ordered."""
import functools

from ...engine import numpy as np
from ...engine.errors import ParameterError
from .. import constraints
from ..record import static
from .base import Transform, biject_to


class OrderedTransform(Transform):
    """Numbers onto increasing ones: y₀ = x₀, yₖ = yₖ₋₁ + exp(xₖ).   log |dy/dx| = Σ_{k>0} xₖ"""
    domain, codomain = constraints.real_vector, constraints.ordered_vector

    def __call__(self, x):
        x = np.asarray(x)
        return np.cumsum(np.concatenate([x[..., :1], np.exp(x[..., 1:])], -1), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.concatenate([y[..., :1], np.log(y[..., 1:] - y[..., :-1])], -1)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(np.asarray(x)[..., 1:], -1)


class PositiveOrderedTransform(Transform):
    """Numbers onto positive increasing ones: yₖ = Σ_{j<=k} exp(xⱼ).   log |dy/dx| = Σ xₖ"""
    domain, codomain = constraints.real_vector, constraints.positive_ordered_vector

    def __call__(self, x):
        return np.cumsum(np.exp(x), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.log(np.concatenate([y[..., :1], y[..., 1:] - y[..., :-1]], -1))

    def log_abs_det_jacobian(self, x, y):
        return np.sum(x, -1)


class PartiallyOrderedTransform(Transform):
    """Numbers onto vectors with yᵢ < yⱼ for each (i, j) in `below`.

    yⱼ = xⱼ where nothing is below it, else exp(xⱼ) more than the largest of those that are.
    log |dy/dx| = Σ xⱼ over the j that have something below them
    """
    below: tuple = static()
    domain = constraints.real_vector

    @property
    def codomain(self):
        return constraints.partially_ordered(self.below)

    def __call__(self, x):
        x = np.asarray(x)
        y = [x[..., j] for j in range(x.shape[-1])]
        for j, parents in _sorted(self.below):
            y[j] = functools.reduce(np.maximum, [y[i] for i in parents]) + np.exp(x[..., j])
        return np.stack(y, -1)

    def _inverse(self, y):
        y = np.asarray(y)
        x = [y[..., j] for j in range(y.shape[-1])]
        for j, parents in _sorted(self.below):
            x[j] = np.log(y[..., j] - functools.reduce(np.maximum, [y[..., i] for i in parents]))
        return np.stack(x, -1)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(np.asarray(x)[..., [j for j, _ in _sorted(self.below)]], -1)


@functools.cache
def _sorted(below):
    """(j, what is below j) for each j that has something below it, after all that are below it."""
    parents, out = {}, []
    for i, j in below:
        parents.setdefault(j, []).append(i)
    while parents:
        ready = [j for j, under in parents.items() if not any(i in parents for i in under)]
        if not ready:
            raise ParameterError(f"partially_ordered: {sorted(parents)} lie on a circle, each below itself.")
        out += [(j, tuple(parents.pop(j))) for j in ready]
    return tuple(out)


biject_to.register(constraints.ordered_vector, lambda c: OrderedTransform())
biject_to.register(constraints.positive_ordered_vector, lambda c: PositiveOrderedTransform())
biject_to.register(constraints.PartiallyOrdered, lambda c: PartiallyOrderedTransform(c.below))
