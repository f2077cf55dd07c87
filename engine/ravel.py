"""A tree of arrays as one vector, and back."""
import math

from . import tree
from .avals import default_float, promote_types
from .errors import ShapeError
from .ops.shaping import concatenate, slice_in_dim
from .ops.structural import asvalue, cast, full, reshape


