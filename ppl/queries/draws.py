"""A function of one draw, run for many: in blocks of a width that bounds the memory, by one compiled program.

The width is decided by the size of one draw's program alone, and the last block is filled up. So a draw is computed by
the same instructions whether it is one of three or of a million, alone or beside others: its bits do not depend on
the number of draws, on how they are grouped, or on what runs in parallel.
"""
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as onp

from ...engine import jit, scan, tree, vmap
from ...engine import numpy as np
from ...engine.config import SETTINGS, config
from ...engine.core import Tracer
from ...engine.errors import ShapeError
from ...engine.staged import stage_function
from ...engine.xla import cores, default_device

HOST, ACCELERATOR = (1 << 18, 256), (1 << 26, 8192)      # (elements of a block's values, draws)


class OverDraws:
    """one(number, row, shared) for many draws: number int[], row a tree of the draw's own arrays, shared those of all.

    Kept with a model's program, it compiles once for the types of its arguments.
    """

    def __init__(self, one):
        self.one = one
        inner = jit(one)

        def block(width, first, rows, shared):
            return vmap(inner, in_axes=(0, 0, None))(first + np.arange(width), rows, shared)

        self.block = jit(block, static_argnums=0)

    def staged(self, rows, shared):
        """The program of one draw, on types alone."""
        row = tree.map(lambda x: onp.zeros(x.shape[1:], x.dtype), rows)
        return stage_function(self.one, (onp.asarray(0), row, shared), {})[0]

    def width(self, rows, shared):
        """How many draws go side by side: a power of two."""
        room, most = HOST if default_device().platform == "cpu" else ACCELERATOR
        size = max(1, _elements(self.staged(rows, shared).jaxpr))
        return min(most, 1 << max(0, (room // size).bit_length() - 1))

    def __call__(self, n, rows, shared, parallel=False):
        """The results for draws 0, …, n - 1, stacked; the leaves of `rows` have the draws in front.

        parallel : several blocks at a time, one on each core, which takes that many times the memory
        """
        width = self.width(rows, shared)
        if any(isinstance(x, Tracer) for x in tree.leaves((rows, shared))):
            return self._traced(n, width, rows, shared)
        rows = tree.map(onp.asarray, rows)

        def piece(first):
            part = tree.map(lambda x: _filled(x[first:first + width], width), rows)
            out = self.block(width, onp.asarray(first), part, shared)
            return tree.map(lambda x: onp.asarray(x)[:n - first], out)

        pieces = _in_turn(piece, range(0, n, width), parallel)
        return tree.map(lambda *xs: np.asarray(onp.concatenate(xs) if len(xs) > 1 else xs[0]), *pieces)

    def _traced(self, n, width, rows, shared):
        """The same inside of another transformation: a scan over the blocks."""
        count = -(-n // width)
        rows = tree.map(lambda x: np.reshape(_filled(np.asarray(x), count * width), (count, width, *x.shape[1:])), rows)
        firsts = np.arange(count) * width
        _, out = scan(lambda _, x: (None, self.block(width, x[0], x[1], shared)), None, (firsts, rows))
        return tree.map(lambda x: np.reshape(x, (count * width, *x.shape[2:]))[:n], out)


def _elements(jaxpr):
    """The number of elements of all values that a program makes; a loop's body counts once."""
    own = sum(v.aval.size for e in jaxpr.eqns for v in e.outs)
    return own + sum(_elements(p) for e in jaxpr.eqns if e.prim.inner for p in e.prim.programs(e.params))


def _filled(x, length):
    """The rows of x, the last one repeated up to a length."""
    if len(x) == length:
        return x
    module = onp if isinstance(x, onp.ndarray) else np
    return module.concatenate([x, module.broadcast_to(x[-1:], (length - len(x), *x.shape[1:]))])


def _in_turn(piece, firsts, parallel):
    """[piece(first)]; the first of them compiles the program that threads would share."""
    out = [piece(firsts[0])]
    if not parallel or len(firsts) < 3:
        return out + [piece(i) for i in firsts[1:]]
    settings = {name: getattr(config, name) for name in SETTINGS}

    def in_thread(first):
        with config(**settings):                         # a thread begins with the settings of the process
            return piece(first)

    with ThreadPoolExecutor(min(cores(), len(firsts) - 1), "draws") as pool:
        return out + list(pool.map(in_thread, firsts[1:]))


def grouped(samples, batch_ndims, what):
    """(batch shape, {name: [draw, ...]}) of samples with batch_ndims leading axes; None where there are no samples."""
    samples = {k: np.asarray(v) for k, v in (samples or {}).items()}
    for k, v in samples.items():
        if v.ndim < batch_ndims:
            raise ShapeError(f"{what}: the samples of {k!r} have shape {v.shape}, and batch_ndims={batch_ndims} axes "
                             "of draws should stand in front.")
    shapes = {v.shape[:batch_ndims] for v in samples.values()}
    if len(shapes) > 1:
        raise ShapeError(f"{what}: the posterior samples have different numbers of draws: "
                         f"{ {k: v.shape for k, v in samples.items()} }.")
    shape = shapes.pop() if shapes else None
    flat = {k: np.reshape(v, (math.prod(shape), *v.shape[batch_ndims:])) for k, v in samples.items()}
    return shape, flat
