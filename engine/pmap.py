"""pmap: vmap with a device for each lane."""
import functools

import numpy as np

from . import tree, xla
from .api import _axes_of, _batch_size, _sequences
from .compiled import jit
from .control.shard_map import shard_map
from .errors import ShapeError, TransformError
from .ops.structural import moveaxis, reshape
from .sharding.mesh import MORE_DEVICES, Mesh
from .sharding.specs import P
from .staged import as_argument, as_result, name_of


def pmap(f=None, axis_name=None, *, in_axes=0, out_axes=0, static_broadcasted_argnums=(), devices=None, axis_size=None,
         donate_argnums=(), backend=None):
    """f applied to each slice of its arguments on a device of its own, all at once: `vmap` with devices for lanes.

    axis_name : the name of the axis for collectives inside (psum, all_gather, ppermute, …)
    in_axes : the axis of each argument to run over, None for those that every device gets whole; an int or a tree
        prefix of the positional arguments. Keyword arguments run over axis 0.
    out_axes : where the axis of the devices stands in the results; None for a result that is the same on every device
    static_broadcasted_argnums : arguments that stay Python values; a new program for each value
    devices : the devices, as many as there are slices; the first ones of the default platform when they are not given
    backend : the platform whose devices are taken ('cpu', 'gpu', 'tpu')
    donate_argnums : arguments whose memory the results may take
    The results stay where they were made, so that the next call moves nothing. It nests with grad, vmap, jit, scan and
    itself; inside of another pmap the lanes of the inner one share its device.

    Raises ShapeError when an axis is longer than there are devices, naming the argument.

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import lax
    >>> pmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(4.0 * np.ones(1)).tolist()
    [1.0]
    """
    if f is None:
        return functools.partial(pmap, axis_name=axis_name, in_axes=in_axes, out_axes=out_axes, axis_size=axis_size,
                                 static_broadcasted_argnums=static_broadcasted_argnums, devices=devices,
                                 donate_argnums=donate_argnums, backend=backend)
    name = axis_name if axis_name is not None else f"lanes of {name_of(f)}"
    statics = ((static_broadcasted_argnums,) if isinstance(static_broadcasted_argnums, int)
               else tuple(static_broadcasted_argnums))

    @functools.wraps(f)
    def mapped(*args, **kwargs):
        fixed = {i % len(args): args[i % len(args)] for i in statics}
        spec = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        if isinstance(spec, tuple) and len(spec) != len(args):
            raise TransformError(f"pmap of {name_of(f)}: in_axes has {len(spec)} entries and there are {len(args)} "
                                 "positional arguments.\nGive one entry for each: an axis, or None.")
        mine = [i for i in range(len(args)) if i not in fixed]
        rest = tuple([_sequences(args[i]) for i in mine])
        if isinstance(spec, tuple):
            spec = tuple([spec[i] for i in mine])
        axes = _axes_of(spec, rest, f, "in_axes") + [0] * len(tree.leaves(kwargs))
        pairs, treedef = tree.flatten_with_path((rest, kwargs))
        leaves = [as_argument(x, f) for _, x in pairs]
        size = _batch_size(f, [p for p, _ in pairs], leaves, axes, axis_size)
        mesh = _mesh_of(f, size, devices, backend, name, leaves)
        moved = [x if a is None else moveaxis(x, a, 0) for x, a in zip(leaves, axes)]
        trees = []

        def on_one(*values):
            values = [v if a is None else reshape(v, v.shape[1:]) for v, a in zip(values, axes)]
            own, named = tree.unflatten(treedef, values)
            own = iter(own)
            out, out_tree = tree.flatten(f(*[fixed[i] if i in fixed else next(own) for i in range(len(args))], **named))
            out = [as_result(o, f) for o in out]
            places = _axes_of(out_axes, tree.unflatten(out_tree, out), f, "out_axes")
            trees.append((out_tree, places))
            return ([reshape(o, (1, *o.shape)) for o, p in zip(out, places) if p is not None],
                    [o for o, p in zip(out, places) if p is None])

        on_one.__name__ = name_of(f)
        cut, whole = shard_map(on_one, mesh=mesh, in_specs=tuple([P() if a is None else P(name) for a in axes]),
                               out_specs=(P(name), P()))(*moved)
        out_tree, places = trees[0]
        cut, whole = iter(cut), iter(whole)
        return tree.unflatten(out_tree, [next(whole) if p is None else _moved(f, next(cut), p) for p in places])

    run = jit(mapped, static_argnums=statics, donate_argnums=donate_argnums)
    return run


def _moved(f, out, axis):
    if not -out.ndim <= axis < out.ndim:
        raise TransformError(f"pmap of {name_of(f)}: out_axes={axis} is out of range for a result with {out.ndim} "
                             "axes.")
    return moveaxis(out, 0, axis)


def _mesh_of(f, size, devices, backend, name, leaves):
    here = list(devices) if devices is not None else xla.local_devices(backend or xla.default_device().platform)
    if size > len(here):
        raise ShapeError(f"pmap of {name_of(f)}: the mapped axis has {size} entries, and there are {len(here)} devices "
                         f"({', '.join(map(repr, here[:4]))}{', …' if len(here) > 4 else ''}).\nRun over "
                         f"{len(here)} and vmap within, pmap(vmap(f)) of x.reshape({len(here)}, -1, …), or make more: "
                         + MORE_DEVICES.format(size))
    given = np.empty(size, dtype=object)
    given[:] = here[:size]
    return Mesh(given, (name,))


