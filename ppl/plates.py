"""Plates: named batch axes of a model, whole or subsampled."""
import contextlib
import math

import numpy as onp

from ..engine import numpy as np
from ..engine.core import Trace, Tracer, enclosing, world
from ..engine.errors import user_location
from .sites import Arrays, Coords, Facts, Frame, Line, Site, SiteError
from .sources import Subsample


class PlateWorld(Trace):
    """A mark in the world; statements read it, operations pass through."""
    __slots__ = ("context", "indices")
    transparent = True

    def __init__(self, frame, indices):
        super().__init__()
        self.context, self.indices = frame, indices

    def process(self, prim, args, params):
        return prim.bind(*args, **params)


def plate_worlds():
    """The plates around the current statement, innermost first."""
    found = []
    for t in enclosing():
        if getattr(t, "hides_plates", False):            # what is bound here gets its plates from another site
            break
        if type(t) is PlateWorld:
            found.append(t)
    return found


def active_plates():
    """The frames of the plates around the current statement, innermost first."""
    return [t.context for t in plate_worlds()]


def plate_scale(frames):
    """What a log-density is multiplied by, so that a subsample stands for the whole; None for 1."""
    part = [f for f in frames if f.full is not None and f.full != f.size]
    return onp.asarray(math.prod([f.full / f.size for f in part])) if part else None


class plate:
    """Conditional independence: inside `with plate("N", n):` every site gets a batch axis of size n.

    name : also the name of the dimension in ArviZ
    size : a Python integer; unless given, the number of coords
    subsample_size : with it, a random part of that size is taken without replacement, the sites' axis has that size,
        and their log-density is multiplied by size / subsample_size
    dim : the axis, counted from the right (-1 is the last); the next free one unless given
    coords : labels along the plate, which ArviZ gets
    Yields the indices: 0, …, n - 1, or those of the part.

    Raises SiteError when two plates share a name or an axis.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with cr.handlers.seed(rng_seed=0), plate("row", 2):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> x.shape
    (2,)
    """

    def __init__(self, name, size=None, subsample_size=None, dim=None, *, coords=None):
        if coords is not None:
            coords = Coords([c.item() if isinstance(c, onp.generic) else c for c in coords])
            size = len(coords) if size is None else size
        _check_size(name, "size", size)
        if subsample_size is not None:
            _check_size(name, "subsample_size", subsample_size)
            if not 0 < subsample_size <= size:
                raise SiteError(f"plate {name!r}: subsample_size is {subsample_size}, and the plate has size {size}.\n"
                                "Give a number between 1 and the size.")
        if coords is not None and len(coords) != size:
            raise SiteError(f"plate {name!r} has size {size} and {len(coords)} coords.\nGive one label for each.")
        if dim is not None and dim >= 0:
            raise SiteError(f"plate {name!r}: dim counts from the right and is negative; got {dim}.")
        self.name, self.size, self.dim, self.coords = name, int(size), dim, coords
        self.subsample_size = int(size if subsample_size is None else subsample_size)
        self.line = Line(user_location() or ())
        self._worlds = []

    def __enter__(self):
        taken = {f.dim for f in active_plates()}
        dim = self.dim
        if dim is None:
            dim = -1
            while dim in taken:
                dim -= 1
        whole = self.subsample_size == self.size
        frame = Frame(self.name, dim, self.subsample_size, full=None if whole else self.size, coords=self.coords,
                      line=self.line)
        for other in active_plates():
            if other.name == self.name or other.dim == dim:
                what = "name" if other.name == self.name else f"axis (dim={dim})"
                raise SiteError(f"plate {self.name!r} stands inside of plate {other.name!r} and has the same {what}.\n"
                                "Give it another one.")
        indices = np.arange(self.size) if whole else self._drawn()
        self._worlds.append(world(PlateWorld(frame, indices)))
        self._worlds[-1].__enter__()
        return indices

    def _drawn(self):
        """The indices of a random part: a site of its own, so that handlers can draw, replay and give them."""
        facts = Facts("plate", self.name, False, (), (), user_location())
        return Site(Arrays(Subsample(self.size, self.subsample_size), None, None, None), facts).bind()[0]

    def __exit__(self, *exc):
        return self._worlds.pop().__exit__(*exc)


def _check_size(name, what, size):
    if isinstance(size, Tracer):
        raise SiteError(f"plate {name!r}: its {what} must be a Python integer, because it decides shapes; "
                        "got a traced value.\nTake it from the data, e.g. y.shape[0].")
    if not isinstance(size, (int, onp.integer)) or isinstance(size, bool) or size < 0:
        raise SiteError(f"plate {name!r}: its {what} must be a Python integer of at least 0; got {size!r:.60}.")


@contextlib.contextmanager
def plate_stack(prefix, sizes, rightmost_dim=-1):
    """Plates named prefix_0, prefix_1, … around a block, one for each of `sizes`, the last of them at rightmost_dim.

    Sites inside get the batch shape `sizes` (with rightmost_dim=-1).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> with cr.handlers.seed(rng_seed=0), plate_stack("grid", (2, 3)):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> x.shape
    (2, 3)
    """
    if not isinstance(rightmost_dim, int) or rightmost_dim >= 0:
        raise SiteError(f"plate_stack {prefix!r}: rightmost_dim counts from the right and is negative; "
                        f"got {rightmost_dim!r}.")
    if isinstance(sizes, (int, onp.integer)) or not hasattr(sizes, "__iter__"):
        raise SiteError(f"plate_stack {prefix!r}: sizes must be a list of sizes, one for each plate; got {sizes!r}.\n"
                        f"For a single plate write plate({prefix!r}, {sizes!r}).")
    with contextlib.ExitStack() as stack:
        for i, size in enumerate(reversed(tuple(sizes))):
            stack.enter_context(plate(f"{prefix}_{i}", size, dim=rightmost_dim - i))
        yield


def subsample(data, event_dim):
    """The part of `data` that the subsampled plates around the statement have drawn.

    data : array [*batch, *event], whose batch axes are counted from the right as a site's are; an axis of a subsampled
        plate has the size of the whole plate, or of the part already taken, or 1
    event_dim : the number of event axes
    Raises SiteError where an axis has another size.

    >>> import chainrule as cr
    >>> with cr.handlers.seed(rng_seed=0), cr.plate("N", 5, subsample_size=2):
    ...     part = subsample([10, 20, 30, 40, 50], event_dim=0)
    >>> part.shape
    (2,)
    """
    return _part(np.asarray(data), event_dim, "subsample: the data have")


def _part(data, event_dim, what):
    """`subsample`, with words for its error."""
    if not 0 <= event_dim <= data.ndim:
        raise SiteError(f"{what} shape {data.shape}, and event_dim is {event_dim}.\n"
                        f"Give the number of event axes, from 0 to {data.ndim}.", user_location())
    for t in plate_worlds():
        f = t.context
        axis = f.dim - event_dim
        if -axis > data.ndim or data.shape[axis] in (1, f.size):
            continue
        if data.shape[axis] != f.full:
            size = f.size if f.full is None else f"{f.full} (a part of {f.size} is drawn)"
            raise SiteError(f"{what} shape {data.shape}, and axis {axis} stands for plate {f.name!r}, whose size is "
                            f"{size}.\nPass the whole data, or the part alone.", user_location())
        data = np.take(data, t.indices, axis=axis)
    return data
