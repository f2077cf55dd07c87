"""Plates: named batch axes of a model."""
import numpy as onp

from ..engine import numpy as np
from ..engine.core import Trace, Tracer, world
from .sites import Frame, SiteError, active_plates


class PlateWorld(Trace):
    """A mark in the world; statements read it, operations pass through."""
    __slots__ = ("context",)
    transparent = True

    def __init__(self, frame):
        super().__init__()
        self.context = frame

    def process(self, prim, args, params):
        return prim.bind(*args, **params)


class plate:
    """Conditional independence: inside `with plate("N", n):` every site gets a batch axis of size n.

    name : also the name of the dimension in ArviZ          size : a Python integer
    dim : the axis, counted from the right (-1 is the last); the next free one unless given
    Yields the indices 0, …, n - 1.

    Raises SiteError when two plates share a name or an axis.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with cr.handlers.seed(rng_seed=0), plate("row", 2):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> x.shape
    (2,)
    """

    def __init__(self, name, size, subsample_size=None, dim=None):
        if isinstance(size, Tracer):
            raise SiteError(f"plate {name!r}: its size must be a Python integer, because it decides shapes; "
                            "got a traced value.\nTake it from the data, e.g. y.shape[0].")
        if not isinstance(size, (int, onp.integer)) or isinstance(size, bool) or size < 0:
            raise SiteError(f"plate {name!r}: its size must be a Python integer of at least 0; got {size!r:.60}.")
        if subsample_size not in (None, size):
            raise SiteError(f"plate {name!r}: subsampling is not known yet; leave subsample_size out.")
        if dim is not None and dim >= 0:
            raise SiteError(f"plate {name!r}: dim counts from the right and is negative; got {dim}.")
        self.name, self.size, self.dim = name, int(size), dim

    def __enter__(self):
        taken = {f.dim for f in active_plates()}
        dim = self.dim
        if dim is None:
            dim = -1
            while dim in taken:
                dim -= 1
        frame = Frame(self.name, dim, self.size)
        for other in active_plates():
            if other.name == self.name or other.dim == dim:
                what = "name" if other.name == self.name else f"axis (dim={dim})"
                raise SiteError(f"plate {self.name!r} stands inside of plate {other.name!r} and has the same {what}.\n"
                                "Give it another one.")
        self._world = world(PlateWorld(frame))
        self._world.__enter__()
        return np.arange(self.size)

    def __exit__(self, *exc):
        return self._world.__exit__(*exc)
