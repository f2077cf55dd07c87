"""The one late binding of the engine: `Value`, the base of arrays and tracers, gets its operators and methods here."""
from . import numpy as np
from .array import Array, Value
from .avals import as_dtype
from .errors import ImmutableError, ShapeError
from .indexing import At, getitem
from .numpy.inspection import API_VERSIONS
from .ops import elementwise as ew
from .ops.complexes import complex_p
from .ops.structural import asvalue
from .sharding.place import on_device
from .sharding.put import sharding_of_array, shards_of


def _backward(f):
    return lambda self, other: f(other, self)


def _guarded(method):
    """Leave operands that are not array-like to Python (NotImplemented)."""
    def operator(self, other):
        if type(other) is not Array and (other is None or isinstance(other, (str, dict, set))):
            return NotImplemented
        return method(self, other)
    return operator


BINARY = {
    "add": ew.add, "sub": ew.sub, "mul": ew.mul, "truediv": ew.div, "floordiv": np.floor_divide, "mod": np.remainder,
    "pow": ew.power, "matmul": np.matmul, "and": ew.bitwise_and, "or": ew.bitwise_or, "xor": ew.bitwise_xor,
    "lshift": ew.left_shift, "rshift": ew.right_shift, "divmod": np.divmod,
}
COMPARE = {"eq": ew.eq, "ne": ew.ne, "lt": ew.lt, "le": ew.le, "gt": ew.gt, "ge": ew.ge}
UNARY = {"neg": ew.neg, "pos": asvalue, "abs": ew.abs, "invert": ew.invert}
IN_PLACE = ("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift").split()
METHODS = ("all any argmax argmin argpartition argsort astype choose clip conj conjugate cumprod cumsum diagonal "
           "dot max mean min nonzero prod ptp repeat round searchsorted sort squeeze std sum swapaxes take trace "
           "var").split()


def _method(f):
    """The function as a method. NumPy's own functions call the methods of other arrays with out=None."""
    def method(self, *args, out=None, **kwargs):
        if out is not None:
            raise ImmutableError(f"{f.__name__} cannot write its result into `out`: arrays are immutable.\n"
                                 "Use the array that it returns.")
        return f(self, *args, **kwargs)
    method.__name__, method.__doc__ = f.__name__, f.__doc__
    return method


def _reshape(self, *shape, **kwargs):
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)


def _transpose(self, *axes):
    axes = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    return np.transpose(self, axes or None)


def _flatten(self, order="C"):
    """The array as a vector."""
    return np.ravel(self, order)


def _compress(self, condition, axis=None, out=None):
    """The slices along an axis where the condition holds."""
    return np.compress(condition, self, axis)


def _view(self, dtype=None):
    """The same bytes read as another dtype; of another width, the last axis changes its length."""
    d = self.dtype if dtype is None else as_dtype(dtype)
    old, new = self.dtype.itemsize, d.itemsize
    if d == self.dtype:
        return self
    if old != new and (not self.shape or (self.shape[-1] * old) % new):
        raise ShapeError(f"view as {d} of an array of shape {self.shape} and dtype {self.dtype}: the bytes of its last "
                         f"axis must be a multiple of {new}.")
    if self.dtype.kind == "c":
        parts = np.stack([np.real(self), np.imag(self)], -1)
        return _view(np.reshape(parts, (*self.shape[:-1], -1)), d) if self.shape else np.reshape(_view(parts, d), ())
    if d.kind == "c":
        parts = _view(self if self.shape else np.reshape(self, (1,)), f"f{new // 2}")
        parts = np.reshape(parts, (*parts.shape[:-1], -1, 2))
        out = complex_p.bind(parts[..., 0], parts[..., 1])
        return out if self.shape else np.reshape(out, ())
    if old >= new:
        out = ew.bitcast(self, d)
        return np.reshape(out, (*self.shape[:-1], -1)) if old > new else out
    return ew.bitcast(np.reshape(self, (*self.shape[:-1], -1, new // old)), d)


def _byteswap(self):
    """The array with the bytes of each element (of the parts of a complex one) turned round."""
    if self.dtype.itemsize == 1:
        return self
    if self.dtype.kind == "c":
        return complex_p.bind(_byteswap(np.real(self)), _byteswap(np.imag(self)))
    return ew.bitcast(np.flip(ew.bitcast(self, "uint8"), -1), self.dtype)


def _iterate(self):
    if not self.shape:
        raise TypeError("iteration over an array without dimensions")
    return (getitem(self, i) for i in range(self.shape[0]))


def _contains(self, value):
    return bool(np.any(ew.eq(self, value)))


def _namespace(self, *, api_version=None):
    """The namespace of the array API that the array belongs to, `chainrule.engine.numpy`."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise ValueError(f"api_version={api_version!r}: the versions of the array API here are {API_VERSIONS}.")
    return np


def _to_device(self, device, *, stream=None):
    """The array on a device; see `device_put`."""
    if stream is not None:
        raise ValueError(f"stream={stream!r}: the host has no streams; it is None.")
    return on_device(self, device)


def install():
    """Give `Value` its operators and methods."""
    for name, f in BINARY.items():
        setattr(Value, f"__{name}__", _guarded(f))
        setattr(Value, f"__r{name}__", _guarded(_backward(f)))
    for name, f in COMPARE.items():
        setattr(Value, f"__{name}__", _guarded(f))
    for name, f in UNARY.items():
        setattr(Value, f"__{name}__", lambda self, f=f: f(self))
    for name in METHODS:
        setattr(Value, name, _method(getattr(np, name)))
    for name in IN_PLACE:                                # `x += 1` binds x to a new array
        setattr(Value, f"__i{name}__", getattr(Value, f"__{name}__"))
    Value.reshape, Value.transpose = _reshape, _transpose
    Value.flatten = Value.ravel = _flatten
    Value.compress, Value.view, Value.byteswap = _compress, _view, _byteswap
    Value.__getitem__, Value.__iter__, Value.__contains__ = getitem, _iterate, _contains
    Value.__round__ = lambda self, ndigits=0: np.round(self, ndigits or 0)
    Value.T = property(np.transpose)
    Value.mT = property(np.matrix_transpose)
    Value.at = property(At)
    Value.real = property(np.real)
    Value.imag = property(np.imag)
    Value.copy = lambda self, order="C": self
    Value.__array_namespace__ = _namespace
    Value.to_device = _to_device
    Array.sharding = property(sharding_of_array)
    Array.addressable_shards = property(shards_of)


install()
