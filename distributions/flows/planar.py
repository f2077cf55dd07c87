"""Planar and radial flows: one plane or one point from which space is stretched."""
from ...engine import numpy as np
from ...engine import random
from ...engine.ops.elementwise import softplus
from .. import constraints
from ..record import ArrayLike, child
from ..transforms.base import Transform
from .roots import increasing_root


class PlanarTransform(Transform):
    """y = x + u tanh(w·x + b), with u = direction + (softplus(w·direction) - 1 - w·direction) w / |w|².

    That u has w·u > -1, which makes it invertible. log |dy/dx| = log(1 + w·u (1 - tanh(w·x + b)²)). The inverse is the
    root of one increasing function of w·x.
    direction, weight : float[*batch, n]      bias : b, float[*batch]
    Source: Rezende & Mohamed (2015), Variational Inference with Normalizing Flows, section 4.1 and appendix A.1.
    """
    direction: ArrayLike = child()
    weight: ArrayLike = child()
    bias: ArrayLike = child()
    domain = codomain = constraints.real_vector

    @classmethod
    def init(cls, key, dim, scale=0.1):
        """A random one for vectors of `dim` elements."""
        a, b, c = random.split(key, 3)
        return cls(scale * random.normal(a, (dim,)), random.normal(b, (dim,)), scale * random.normal(c, ()))

    def _parts(self):
        """w, u and w·u."""
        w, u = np.asarray(self.weight), np.asarray(self.direction)
        product = np.sum(w * u, -1, keepdims=True)
        wanted = softplus(product) - 1.0
        return w, u + (wanted - product) * w / np.sum(w * w, -1, keepdims=True), wanted[..., 0]

    def __call__(self, x):
        w, u, _ = self._parts()
        x = np.asarray(x)
        return x + u * np.tanh(np.sum(w * x, -1) + self.bias)[..., None]

    def _inverse(self, y):
        w, u, product = self._parts()
        y = np.asarray(y)
        along = np.sum(w * y, -1)
        spread = np.broadcast_to(np.abs(product), along.shape)
        root = increasing_root(lambda a: a + product * np.tanh(a + self.bias) - along, along - spread, along + spread)
        return y - u * np.tanh(root + self.bias)[..., None]

    def log_abs_det_jacobian(self, x, y):
        w, _, product = self._parts()
        t = np.tanh(np.sum(w * np.asarray(x), -1) + self.bias)
        return np.log1p(product * (1.0 - t * t))


class RadialTransform(Transform):
    """y = x + β (x - center) / (α + r), r = |x - center|, α = softplus(width), β = softplus(strength) - α.

    log |dy/dx| = (n - 1) log(1 + β / (α + r)) + log(1 + α β / (α + r)²). The inverse solves a quadratic equation for r.
    center : float[*batch, n]      width, strength : float[*batch]
    Source: Rezende & Mohamed (2015), Variational Inference with Normalizing Flows, section 4.1 and appendix A.2.
    """
    center: ArrayLike = child()
    width: ArrayLike = child()
    strength: ArrayLike = child()
    domain = codomain = constraints.real_vector

    @classmethod
    def init(cls, key, dim):
        """A random one for vectors of `dim` elements."""
        a, b, c = random.split(key, 3)
        return cls(random.normal(a, (dim,)), random.normal(b, ()), random.normal(c, ()))

    def _parts(self):
        a = softplus(np.asarray(self.width))
        return a, softplus(np.asarray(self.strength)) - a

    def _away(self, x):
        """x - center and its length."""
        off = np.asarray(x) - self.center
        return off, np.sqrt(np.maximum(np.sum(off * off, -1), float(np.finfo(off.dtype).tiny)))

    def __call__(self, x):
        a, b = self._parts()
        off, r = self._away(x)
        return x + (b / (a + r))[..., None] * off

    def _inverse(self, y):
        a, b = self._parts()
        off, far = self._away(y)
        half = 0.5 * (a + b - far)
        r = np.sqrt(half * half + a * far) - half
        return self.center + off / (1.0 + b / (a + r))[..., None]

    def log_abs_det_jacobian(self, x, y):
        a, b = self._parts()
        off, r = self._away(x)
        return (off.shape[-1] - 1) * np.log1p(b / (a + r)) + np.log1p(a * b / ((a + r) * (a + r)))
