"""A density given by its values at points."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Interpolated(Distribution):
    """Interpolated(x_points, pdf_points): a density of straight lines between points, scaled to integrate to 1.

    x_points, pdf_points : float[*batch, n], x increasing, pdf >= 0 (its integral need not be 1), n >= 2
    sample : float[*shape, *batch], by inversion; differentiable in both
    """
    x_points: ArrayLike = param(constraints.ordered_vector)
    pdf_points: ArrayLike = param(constraints.independent(constraints.nonnegative, 1))
    reparametrized_params = ("x_points", "pdf_points")

    @property
    def support(self):
        return constraints.interval(self.x_points[..., 0], self.x_points[..., -1])

    def _lines(self):
        """Ends of the pieces, the density at them, the widths and the probabilities; each [*batch, n - 1]."""
        x, p = self.x_points, self.pdf_points
        width = x[..., 1:] - x[..., :-1]
        mass = 0.5 * (p[..., 1:] + p[..., :-1]) * width
        total = np.sum(mass, -1, keepdims=True)
        return x[..., :-1], p[..., :-1] / total, p[..., 1:] / total, width, mass / total

    def _piece(self, place, edges, parts):
        """Of each part the element for the piece in which `place` lies, the edges being where later ones begin."""
        at = np.sum(np.asarray(place)[..., None] >= edges, -1)
        shape = np.broadcast_shapes(at.shape, self.batch_shape)
        at = np.broadcast_to(at, shape)[..., None]
        return [np.take_along_axis(np.broadcast_to(part, (*shape, part.shape[-1])), at, -1)[..., 0] for part in parts]

    def _lower(self, mass):
        """The probability before each piece."""
        return np.cumsum(mass, -1) - mass

    def sample(self, key, sample_shape=()):
        return self.icdf(random.uniform(key, self.shape(sample_shape), self.dtype))

    def log_prob_inside(self, value):
        x, p, q, width, _ = self._lines()
        x, p, q, width = self._piece(value, self.x_points[..., 1:-1], (x, p, q, width))
        t = (value - x) / width
        return np.log(p + (q - p) * t)

    def log_prob(self, value):
        value = np.asarray(value)
        inside = self.support(value)
        x, p, q, width, _ = self._lines()
        x, p, q, width = self._piece(value, self.x_points[..., 1:-1], (x, p, q, width))
        density = p + (q - p) * ((value - x) / width)
        good = np.logical_and(inside, density > 0)
        return np.where(good, np.log(np.where(good, density, 1.0)), -np.inf)

    def _moments(self):
        """The mean, and E X² about it."""
        x, p, q, width, _ = self._lines()
        mean = np.sum(width * (x * (p + q) / 2.0 + width * (p + 2.0 * q) / 6.0), -1)
        x = x - mean[..., None]
        square = x * x * (p + q) / 2.0 + x * width * (p + 2.0 * q) / 3.0 + width * width * (p + 3.0 * q) / 12.0
        return mean, np.sum(width * square, -1)

    @property
    def mean(self):
        return self._moments()[0]

    @property
    def variance(self):
        return self._moments()[1]

    @property
    def mode(self):
        x = np.broadcast_to(self.x_points, (*self.batch_shape, self.x_points.shape[-1]))
        return np.take_along_axis(x, np.argmax(self.pdf_points + 0.0 * x, -1)[..., None], -1)[..., 0]

    def cdf(self, value):
        x, p, q, width, mass = self._lines()
        value = np.clip(value, self.x_points[..., 0], self.x_points[..., -1])
        x, p, q, width, below = self._piece(value, self.x_points[..., 1:-1], (x, p, q, width, self._lower(mass)))
        run = value - x
        return below + run * (p + 0.5 * (q - p) * (run / width))

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log1p(-self.cdf(value))

    def icdf(self, q):
        x, p, r, width, mass = self._lines()
        lower, level = self._lower(mass), np.asarray(q)
        x, p, r, width, below = self._piece(level, lower[..., 1:], (x, p, r, width, lower))
        rest = np.maximum(level - below, 0.0)
        root = np.sqrt(np.maximum(p * p + 2.0 * rest * (r - p) / width, 0.0))     # the density at the quantile
        denominator = p + root
        return x + 2.0 * rest / np.where(denominator > 0, denominator, 1.0)
