"""Pytrees: nested tuples, lists, dicts, named tuples, None, and classes that were registered.

`flatten` takes a tree apart into leaves and a hashable structure (`TreeDef`), `unflatten` puts it
together again. Dict keys are taken in sorted order, those of an OrderedDict in their own; None has no leaves.
"""
from .classes import Partial, register_dataclass, register_static
from .functions import (
    all,
    broadcast,
    flatten_with_path,
    keystr,
    leaves_with_path,
    map,
    map_with_path,
    reduce,
    transpose,
)
from .structure import (
    Field,
    TreeDef,
    flatten,
    flatten_up_to,
    leaves,
    register_pytree_node,
    register_pytree_node_class,
    structure,
    unflatten,
)
