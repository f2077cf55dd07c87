"""Reproducing kernels between particles, points x, y of ℝᵈ.

    norm      k(x, y) : float[]           one number for all coordinates
    vector    k(x, y) : float[d]          one for each
    matrix    k(x, y) : float[d, d]

`compute` gives k for a set of particles, on whose spread its bandwidth may depend.
"""
import math

from ...distributions import biject_to
from ...engine import grad, random, vmap
from ...engine import numpy as np
from ...engine.array import Array
from ...engine.lax import stop_gradient
from ..svi.guides import AutoNormal


def _inverse_log(n):
    """1 / log n; 1 for a single particle."""
    return 1.0 / math.log(n) if n > 1 else 1.0


class SteinKernel:
    """Base. mode : "norm", "vector" or "matrix", what k gives; see the module."""
    mode = "norm"
    modes: tuple[str, ...] = ("norm",)

    def _take(self, mode):
        if mode not in self.modes:
            raise ValueError(f"{type(self).__name__}(mode={mode!r}): choose one of {', '.join(map(repr, self.modes))}.")
        self.mode = mode

    def init(self, rng_key, particles_shape):
        """What the kernel draws once for a fit, or None.   particles_shape : (particles, d)"""
        return None

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        """k, a function of two particles.

        particles : float[n, d]      particle_info : {param: (start, end)}, its coordinates      kept : what `init` gave
        loss_fn : the loss of a particle, for kernels that ask for it
        """
        raise NotImplementedError(f"{type(self).__name__} has no compute.")


def bandwidth(particles, factor, each=False):
    """med² · factor(n), med the median distance of two particles; `each` has one for every coordinate."""
    n = particles.shape[0]
    if n == 1:
        return np.ones(particles.shape[1:] if each else ())
    square = np.square(particles[:, None] - particles[None])
    square = square if each else np.sum(square, -1)
    pairs = np.reshape(square, (n * n, *square.shape[2:]))
    middle = np.sort(pairs, axis=0)[n + (n * n - n) // 2]                # n of the pairs are of a particle with itself
    return stop_gradient(np.where(middle > 0, middle, 1.0) * factor(n))


class RBFKernel(SteinKernel):
    """exp(-|x - y|² / h), h = med² · bandwidth_factor(n), med the median distance of two of n particles.

    mode : "vector" has a kernel for each coordinate, "matrix" the diagonal of either: matrix_mode "norm_diag", or
        "vector_diag"
    Source: Liu & Wang (2016), "Stein variational gradient descent: a general purpose Bayesian inference algorithm".

    >>> from chainrule.engine import random
    >>> k = RBFKernel().compute(random.key(0), np.asarray([[0.0], [1.0], [2.0]]), {})
    >>> float(k(np.asarray([0.0]), np.asarray([1.0]))).__round__(4)                     # 1 / 3
    0.3333
    """
    modes = ("norm", "vector", "matrix")

    def __init__(self, mode="norm", matrix_mode="norm_diag", bandwidth_factor=_inverse_log):
        self._take(mode)
        if matrix_mode not in ("norm_diag", "vector_diag"):
            raise ValueError(f"RBFKernel(matrix_mode={matrix_mode!r}): choose 'norm_diag' or 'vector_diag'.")
        self.each = mode == "vector" or mode == "matrix" and matrix_mode == "vector_diag"
        self.bandwidth_factor = bandwidth_factor

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        h = bandwidth(particles, self.bandwidth_factor, self.each)

        def kernel(x, y):
            square = np.square(x - y)
            k = np.exp(-(square if self.each else np.sum(square)) / h)
            if self.mode != "matrix":
                return k
            return np.diag(k) if self.each else k * np.eye(x.shape[0])
        return kernel


class IMQKernel(SteinKernel):
    """(c² + |x - y|²)^β, c = const > 0 and β = expon in (-1, 0); "vector" has one for each coordinate.

    Source: Gorham & Mackey (2017), "Measuring sample quality with kernels", theorem 8.
    """
    modes = ("norm", "vector")

    def __init__(self, mode="norm", const=1.0, expon=-0.5):
        self._take(mode)
        if not const > 0 or not -1 < expon < 0:
            raise ValueError(f"IMQKernel: const must be positive and expon in (-1, 0); got {const!r} and {expon!r}.")
        self.const, self.expon = float(const), float(expon)

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        def kernel(x, y):
            square = np.square(x - y)
            return (self.const ** 2 + (square if self.mode == "vector" else np.sum(square))) ** self.expon
        return kernel


class LinearKernel(SteinKernel):
    """xᵀy + 1: particles of a normal posterior have its mean and covariance, if there are more of them than d.

    Source: Liu & Wang (2018), "Stein variational gradient descent as moment matching", theorem 3.3.
    """

    def __init__(self, mode="norm"):
        self._take(mode)

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        return lambda x, y: np.dot(x, y) + 1.0


class RandomFeatureKernel(SteinKernel):
    """1/n Σ_l φ(x, w_l) φ(y, w_l), φ(x, w) = √2 cos(w₁ᵀx / √(h / 2) + w₀), w₁ ~ N(0, I), w₀ ~ U(0, 2π).

    An unbiased estimate of the kernel exp(-|x - y|² / h) by n random features, drawn once for a fit, as many as there
    are particles. bandwidth_subset : so many particles, the first ones, have the median that makes h
    Source: Rahimi & Recht (2007), "Random features for large-scale kernel machines"; Liu & Wang (2018), eq. 5.
    """

    def __init__(self, mode="norm", bandwidth_subset=None, bandwidth_factor=_inverse_log):
        self._take(mode)
        if bandwidth_subset is not None and bandwidth_subset < 1:
            raise ValueError(f"RandomFeatureKernel: bandwidth_subset must be positive; got {bandwidth_subset!r}.")
        self.bandwidth_subset, self.bandwidth_factor = bandwidth_subset, bandwidth_factor

    def init(self, rng_key, particles_shape):
        one, two = random.split(rng_key)
        return (random.normal(one, tuple(particles_shape)),
                random.uniform(two, (particles_shape[0],), minval=0.0, maxval=2 * math.pi))

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        if kept is None:
            raise ValueError("RandomFeatureKernel.compute needs kept=, the features that init drew.")
        weights, shifts = kept
        h = bandwidth(particles[:self.bandwidth_subset], self.bandwidth_factor)
        feature = lambda x: math.sqrt(2.0) * np.cos(weights @ x / np.sqrt(0.5 * h) + shifts)
        return lambda x, y: np.mean(feature(x) * feature(y))


class MixtureKernel(SteinKernel):
    """Σ wᵢ kᵢ(x, y), of positive weights and kernels of one mode.

    Source: Ai et al. (2023), "Stein variational gradient descent with multiple kernels", eq. 1.
    """
    modes = ("norm", "vector", "matrix")

    def __init__(self, ws, kernel_fns, mode="norm"):
        if len(ws) != len(kernel_fns) or not kernel_fns or not all(w > 0 for w in ws):
            raise ValueError(f"MixtureKernel needs a positive weight for each kernel; got {ws!r} for "
                             f"{len(kernel_fns)} kernels.")
        self._take(mode)
        if any(k.mode != mode for k in kernel_fns):
            raise ValueError(f"MixtureKernel(mode={mode!r}): its kernels have the modes "
                             f"{', '.join(repr(k.mode) for k in kernel_fns)}.")
        self.ws, self.kernel_fns = tuple(ws), tuple(kernel_fns)

    def init(self, rng_key, particles_shape):
        keys = random.split(rng_key, len(self.kernel_fns))
        return tuple(k.init(key, particles_shape) for k, key in zip(self.kernel_fns, keys))

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        kept = kept or (None,) * len(self.kernel_fns)
        made = [k.compute(rng_key, particles, particle_info, loss_fn, mine) for k, mine in zip(self.kernel_fns, kept)]
        return lambda x, y: sum(w * k(x, y) for w, k in zip(self.ws, made))


class GraphicalKernel(SteinKernel):
    """A block diagonal matrix with a kernel of its own for each param's coordinates.

    local_kernel_fns : {param: kernel}          default_kernel_fn : that of the others
    Source: Wang, Zeng & Liu (2018), "Stein variational message passing for continuous graphical models", theorem 1.
    """
    modes = ("matrix",)

    def __init__(self, mode="matrix", local_kernel_fns=None, default_kernel_fn=None):
        self._take(mode)
        self.local_kernel_fns = dict(local_kernel_fns or {})
        self.default_kernel_fn = RBFKernel() if default_kernel_fn is None else default_kernel_fn
        for k in (*self.local_kernel_fns.values(), self.default_kernel_fn):
            if isinstance(k, RandomFeatureKernel | ProbabilityProductKernel):
                raise ValueError(f"GraphicalKernel: {type(k).__name__} is a kernel of whole particles.")

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        unknown = [name for name in self.local_kernel_fns if name not in particle_info]
        if unknown:
            raise ValueError(f"GraphicalKernel: there is no param {unknown[0]!r}; the particles have "
                             f"{', '.join(particle_info)}.")
        parts = []
        for name, (start, end) in particle_info.items():
            fn = self.local_kernel_fns.get(name, self.default_kernel_fn)
            parts.append((fn.mode, start, end, fn.compute(rng_key, particles[:, start:end], {name: (0, end - start)})))

        def kernel(x, y):
            out = np.zeros((x.shape[0], x.shape[0]))
            for mode, start, end, k in parts:
                v = k(x[start:end], y[start:end])
                block = v if mode == "matrix" else np.diag(v) if mode == "vector" else v * np.eye(end - start)
                out = out.at[start:end, start:end].set(block)
            return out
        return kernel


class ProbabilityProductKernel(SteinKernel):
    """∫ q_x(z)^ρ q_y(z)^ρ dz of the normals that two particles of an AutoNormal guide stand for, ρ = scale.

    The integral is over the guide's unconstrained space; its determinants are counted, so that the kernel is positive
    definite. ρ = 1/2 is Bhattacharyya's coefficient.
    Source: Jebara, Kondor & Howard (2004), "Probability product kernels", eq. 5.
    """

    def __init__(self, guide, scale=1.0, mode="norm"):
        self._take(mode)
        if not isinstance(guide, AutoNormal):
            raise TypeError(f"ProbabilityProductKernel takes an AutoNormal guide; got {guide!r:.60}.")
        if not scale > 0:
            raise ValueError(f"ProbabilityProductKernel: scale must be positive; got {scale!r}.")
        self.guide, self.scale = guide, float(scale)

    def compute(self, rng_key, particles, particle_info, loss_fn=None, kept=None):
        to_scale, rho = biject_to(self.guide.scale_constraint), self.scale
        ends = {what: [i for name, i in particle_info.items() if name.endswith(f"_{self.guide.prefix}_{what}")]
                for what in ("loc", "scale")}
        part = lambda x, what: np.concatenate([x[start:end] for start, end in ends[what]])

        def kernel(x, y):
            (m, s), (n, t) = [(part(v, "loc"), to_scale(part(v, "scale"))) for v in (x, y)]
            both = s * s + t * t
            log_k = (0.5 * math.log(2 * math.pi / rho) - rho * math.log(2 * math.pi) + (1.0 - rho) * np.log(s * t)
                     - 0.5 * np.log(both) - 0.5 * rho * np.square(m - n) / both)
            return np.exp(np.sum(log_k))
        return kernel


# ---- what a fit needs of them ----

def times(mode, k: Array, v):
    """k(x, y) applied to a vector."""
    return k @ v if mode == "matrix" else k * v


def repulsion(mode, kernel, x, y):
    """The derivative of k(x, y) in x that pushes y: ∇k; ∂ᵢkᵢ; Σ_b ∂_b k_ab."""
    if mode == "norm":
        return grad(lambda x: kernel(x, y))(x)
    axes = np.arange(x.shape[0])
    if mode == "vector":
        return vmap(lambda i: grad(lambda x: kernel(x, y)[i])(x)[i])(axes)
    return vmap(lambda a: np.sum(vmap(lambda b: grad(lambda x: kernel(x, y)[a, b])(x)[b])(axes)))(axes)
