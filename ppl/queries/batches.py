"""Values with batch axes in front: which of them have the axes, and how a query is mapped over them.

A value has either its site's own number of axes, and is then shared, or `batch_ndims` more, which come first. So the
model says what is batch and what is site.
"""
from ...engine import numpy as np
from ...engine import vmap
from ...engine.errors import ShapeError


def over_batch(run, values, own, batch_ndims):
    """run(values), mapped over the batch axes of the values.

    values : {site: array}        own : {site: its shape}; names that are not there are shared
    Raises ShapeError for a value with another number of axes, for batch axes that differ, and where nothing has any.
    """
    values = {k: np.asarray(v) for k, v in (values or {}).items()}
    if batch_ndims == 0:
        return run(values)
    mapped = [k for k, v in values.items() if _has_batch(k, v, own, batch_ndims)]
    shapes = {k: values[k].shape[:batch_ndims] for k in mapped}
    if len(set(shapes.values())) > 1:
        raise ShapeError(f"batch_ndims={batch_ndims}: the leading axes differ: {shapes}.\nGive all values the same.")
    if not mapped:
        raise ShapeError(f"batch_ndims={batch_ndims}, and no value has batch axes in front of its site's shape.\n"
                         "Leave batch_ndims out.")
    axes = {k: 0 if k in mapped else None for k in values}
    for _ in range(batch_ndims):
        run = vmap(run, in_axes=(axes,))
    return run(values)


def _has_batch(name, value, own, batch_ndims):
    """Whether a value has the batch axes."""
    if name not in own or value.ndim == len(own[name]):
        return False
    if value.ndim == len(own[name]) + batch_ndims:
        return True
    shape = tuple(own[name])
    text = ", ".join(["…"] * batch_ndims + [str(n) for n in shape])
    raise ShapeError(f"site {name!r}: the value has shape {value.shape}, and the site has shape {shape}; with "
                     f"batch_ndims={batch_ndims} a value has shape ({text}), or {shape} for all.")
