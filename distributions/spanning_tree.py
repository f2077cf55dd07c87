"""Random spanning trees of a weighted complete graph."""
import itertools
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.control import scan
from ..engine.errors import ShapeError
from ..engine.numpy.linalg import det, qr
from . import constraints
from .counting import listed
from .determinantal import drawn_from_projection
from .distribution import Distribution
from .record import ArrayLike, param, static


def edges_of(n):
    """The edges v < w of the complete graph on n vertices, int[n (n - 1) / 2, 2]: (0, 1), (0, 2), (1, 2), (0, 3), …"""
    return _numpy.array([(v, w) for w in range(n) for v in range(w)], int).reshape((-1, 2))


def laplacian(weights, n):
    """diag(A 1) - A of the adjacency matrix A of edge weights float[*lead, n (n - 1) / 2], without the last vertex."""
    incidence = _numpy.zeros((n * (n - 1) // 2, n))
    for k, (v, w) in enumerate(edges_of(n)):
        incidence[k, v], incidence[k, w] = 1, -1
    b = incidence[:, :-1]
    return np.matmul(b.T, weights[..., None] * b)


class _Tree(constraints.Constraint):
    """Lists of n - 1 edges (v, w), v < w, in the order of `edges_of`, that connect all of n vertices."""
    num_vertices: int = static()
    event_dim, is_discrete = 2, True

    @property
    def words(self):
        return f"the {self.num_vertices - 1} edges (v, w), v < w, of a tree of {self.num_vertices} vertices, in order"

    def check(self, x):
        n, v, w = self.num_vertices, x[..., 0], x[..., 1]
        k = place_of(v, w)
        ok = np.all(np.logical_and(np.logical_and(0 <= v, v < w), w < n), -1)
        ok = np.logical_and(ok, np.all(k[..., 1:] > k[..., :-1], -1))
        present = np.any(k[..., None] == _numpy.arange(n * (n - 1) // 2), -2)
        trees = det(laplacian(np.astype(present, np.float64), n))            # how many of these edges there are: 0 or 1
        return np.logical_and(ok, trees > 0.5)

    def example(self, x):
        return _numpy.array([(0, w) for w in range(1, self.num_vertices)])


def place_of(v, w):
    """Where the edge (v, w), v < w, stands among all."""
    return v + w * (w - 1) // 2


class SpanningTree(Distribution):
    """A tree on n vertices, in proportion to the weights of its edges:  log p(T) = Σ_{edges of T} logits - log Z.

    edge_logits : float[*batch, n (n - 1) / 2], of the edges (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), …
    sample : int[*shape, *batch, n - 1, 2], the tree's edges (v, w), v < w, in that order. Draws are exact.
    Z, by Kirchhoff a determinant, is found by removing one vertex after the other without any difference of numbers, so
    that it keeps its digits where weak edges join strongly knit parts.
    Source: Kirchhoff's matrix-tree theorem; for the draws Burton & Pemantle (1993), "Local characteristics, entropy and
    limit theorems for spanning trees", theorem 1.1.

    >>> float(SpanningTree([0.0, 0.0, 0.0]).prob([[0, 1], [0, 2]])).__round__(6)
    0.333333
    """
    edge_logits: ArrayLike = param(constraints.real_vector)

    def __init__(self, edge_logits, *, validate_args=None):
        shape = np.shape(edge_logits)
        n = (1 + math.isqrt(1 + 8 * shape[-1])) // 2 if shape else 0
        if not shape or not shape[-1] or n * (n - 1) // 2 != shape[-1]:
            raise ShapeError("SpanningTree: edge_logits must have shape [..., n (n - 1) / 2], an element for each edge "
                             f"of n >= 2 vertices; it has shape {shape}.")
        super().__init__(edge_logits, validate_args=validate_args)

    @property
    def num_vertices(self):
        """n, the number of vertices."""
        return (1 + math.isqrt(1 + 8 * self.edge_logits.shape[-1])) // 2

    @property
    def support(self):
        return _Tree(self.num_vertices)

    @property
    def event_shape(self):
        return (self.num_vertices - 1, 2)

    @property
    def log_partition_function(self):
        """log Z, float[*batch]: a removed vertex of total weight s leaves a factor s, and between two neighbours the
        product of their weights over s."""
        n, shift = self.num_vertices, np.max(self.edge_logits, -1, keepdims=True)
        weights, places = np.exp(self.edge_logits - shift), _numpy.zeros((n, n), int)
        for k, (v, w) in enumerate(edges_of(n)):
            places[v, w] = places[w, v] = k
        vertices, tiny = _numpy.arange(n), float(np.finfo(self.dtype).tiny)

        def remove(w, v):
            row = np.where(vertices < v, np.take(w, v, -2), 0.0)
            s = np.maximum(np.sum(row, -1), tiny)
            return w + row[..., :, None] * (row / s[..., None])[..., None, :], np.log(s)
        _, logs = scan(remove, np.take(weights, places, -1), vertices[:0:-1].copy())
        return np.sum(logs, 0) + (n - 1) * shift[..., 0]

    def log_prob_inside(self, value):
        k = np.astype(place_of(value[..., 0], value[..., 1]), np.int64)
        shape = np.broadcast_shapes(k.shape[:-1], self.batch_shape)
        logits = np.broadcast_to(self.edge_logits, (*shape, self.edge_logits.shape[-1]))
        taken = np.take_along_axis(logits, np.broadcast_to(k, (*shape, k.shape[-1])), -1)
        return np.sum(taken, -1) - self.log_partition_function

    def sample(self, key, sample_shape=()):
        """The edges are a determinantal process, of the projection on the columns of a matrix of rows √w (eᵤ - eᵥ)."""
        n, lead = self.num_vertices, (*sample_shape, *self.batch_shape)
        half = np.exp(0.5 * (self.edge_logits - np.max(self.edge_logits, -1, keepdims=True)))
        ends = np.asarray(edges_of(n))[..., None] == _numpy.arange(n - 1)
        basis = qr(half[..., None] * (np.astype(ends[:, 0], self.dtype) - np.astype(ends[:, 1], self.dtype)))[0]
        basis = np.broadcast_to(basis, (*lead, *basis.shape[-2:]))
        return self._listed(drawn_from_projection(key, basis, n - 1))

    def _listed(self, drawn):
        """bool[*lead, edges] -> int[*lead, n - 1, 2]"""
        edges = drawn.shape[-1]
        k = np.sort(np.where(drawn, _numpy.arange(edges), edges), -1)[..., :self.num_vertices - 1]
        return np.take(edges_of(self.num_vertices), k, 0)

    @property
    def mode(self):
        """The tree with the largest weight, by Prim's algorithm."""
        n, ends = self.num_vertices, edges_of(self.num_vertices)

        def grow(state, _):
            reached, drawn = state
            across = np.take(reached, ends[:, 0], -1) != np.take(reached, ends[:, 1], -1)
            best = np.argmax(np.where(across, self.edge_logits, -math.inf), -1)[..., None]
            new = np.any(np.take(ends, best, 0)[..., None] == _numpy.arange(n), (-3, -2))
            return (np.logical_or(reached, new), np.logical_or(drawn, _numpy.arange(len(ends)) == best)), None
        start = (np.broadcast_to(_numpy.arange(n) == 0, (*self.batch_shape, n)),
                 np.zeros(self.edge_logits.shape, np.bool_))
        return self._listed(scan(grow, start, length=n - 1)[0][1])

    has_enumerate_support = True

    def enumerate_support(self, expand=True):
        """All n^(n - 2) trees, by their Prüfer codes."""
        n = self.num_vertices
        return listed([tree_of(code) for code in itertools.product(range(n), repeat=n - 2)], self.batch_shape, expand)


def tree_of(code):
    """The edges of the tree with this Prüfer code, in order."""
    n = len(code) + 2
    degree = [1 + code.count(v) for v in range(n)]
    edges = []
    for v in code:
        leaf = degree.index(1)
        edges.append((min(leaf, v), max(leaf, v)))
        degree[leaf] -= 1
        degree[v] -= 1
    edges.append(tuple(v for v in range(n) if degree[v] == 1))
    return sorted(edges, key=lambda edge: edge[::-1])
