"""The one late binding of the engine: `Value`, the base of arrays and tracers, gets its operators and methods here."""
from . import numpy as np
from .array import Array, Value
from .indexing import At, getitem
from .ops import elementwise as ew
from .ops.structural import asvalue


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
METHODS = ("all any argmax argmin argsort astype clip conj cumprod cumsum diagonal dot flatten max mean min nonzero "
           "prod ptp ravel repeat reshape round searchsorted sort squeeze std sum swapaxes take trace transpose "
           "var").split()


def _method(f):
    return lambda self, *args, **kwargs: f(self, *args, **kwargs)


def _reshape(self, *shape, **kwargs):
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)


def _transpose(self, *axes):
    axes = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    return np.transpose(self, axes or None)


def _iterate(self):
    if not self.shape:
        raise TypeError("iteration over an array without dimensions")
    return (getitem(self, i) for i in range(self.shape[0]))


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
    Value.reshape, Value.transpose = _reshape, _transpose
    Value.__getitem__ = getitem
    Value.__iter__ = _iterate
    Value.__round__ = lambda self, ndigits=0: np.round(self, ndigits or 0)
    Value.T = property(np.transpose)
    Value.mT = property(np.matrix_transpose)
    Value.at = property(At)
    Value.real = property(np.real)
    Value.imag = property(np.imag)
    Value.copy = lambda self: self
    Value.__array_namespace__ = lambda self, api_version=None: np
    Value.device = property(lambda self: "cpu")


install()
