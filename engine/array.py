"""Arrays: `Value` is what arrays and tracers share, `Array` is a concrete one.

An `Array` is immutable. It wraps a NumPy array, a device buffer, or both; one is made from the other
when it is asked for. The operators of `Value` are given to it once, in `engine/operators.py`.

Memory is shared with NumPy in both directions. What NumPy is shown of an array is read-only. A NumPy array becomes an
`Array` without a copy when nobody can write to it, and with copy=False; see `asarray`. NumPy's methods that would
change an array in place raise `ImmutableError` with what to write instead; `sort` gives a sorted array.
"""
import pickle

import numpy as np

from . import xla
from .avals import Aval
from .errors import ImmutableError
from .exchange import CPU, to_dlpack

HOST = xla.Device("cpu", 0, 0)                           # where arrays are, as the array API has it


def _as_written(index):
    """An index as it stands in the source: `1:, 0`."""
    if isinstance(index, tuple):
        return ", ".join([_as_written(i) for i in index])
    if isinstance(index, slice):
        parts = [index.start, index.stop] + ([index.step] if index.step is not None else [])
        return ":".join(["" if p is None else str(p) for p in parts])
    return "..." if index is Ellipsis else repr(index) if isinstance(index, (int, str)) or index is None else "index"


class Value:
    """What arrays and tracers share: shape, dtype, operators and methods."""
    __slots__ = ()
    __array_priority__ = 1000       # NumPy leaves `ndarray * Value` to us

    @property
    def shape(self):
        return self.aval.shape

    @property
    def dtype(self):
        return self.aval.dtype

    @property
    def ndim(self):
        return len(self.aval.shape)

    @property
    def size(self):
        return self.aval.size

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __setitem__(self, index, value):
        shown = _as_written(index)
        raise ImmutableError(f"arrays are immutable, so x[{shown}] = ... cannot change one in place.\n"
                             f"Write x = x.at[{shown}].set(...): it returns a new array.")

    @property
    def device(self):
        """Where the array is: `cpu:0`, the memory of the host; for an array of several devices, its sharding."""
        return HOST

    def devices(self):
        """The set of the devices that hold the array."""
        return {HOST}

    @property
    def nbytes(self):
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def base(self):
        """None: no other array can change this one."""
        return None


def _in_place(name, instead):
    """A method of NumPy's that would change the array."""
    def method(self, *args, **kwargs):
        call = "del x[...]" if name == "__delitem__" else f"x.{name}(...)"
        raise ImmutableError(f"arrays are immutable, so {call} cannot change one in place.\nWrite {instead}.")
    method.__name__, method.__doc__ = name, f"Raises `ImmutableError`; write {instead}."
    return method


IN_PLACE = {
    "fill": "x = np.full_like(x, value)", "put": "x = x.ravel().at[indices].set(values).reshape(x.shape)",
    "itemset": "x = x.at[index].set(value)", "resize": "x = np.resize(x, shape)",
    "setfield": "x = x.at[index].set(value)",
    "partition": "x = np.partition(x, kth)", "setflags": "np.array(x, copy=True) of NumPy's for an array to write to",
    "__delitem__": "x = np.delete(x, index)",
}
for _name, _instead in IN_PLACE.items():
    setattr(Value, _name, _in_place(_name, _instead))


class Array(Value):
    """A concrete, immutable array.

    `recipe` is (primitive, params) for arrays such as zeros and arange, which a program that closes
    over them makes again instead of taking them as an argument.
    """
    __slots__ = ("_value", "_buffer", "_aval", "recipe", "_sharding", "_copy", "__weakref__")

    def __init__(self, value=None, buffer=None, aval=None, recipe=None, sharding=None):
        self._value = value
        self._buffer = buffer
        self._aval = aval
        self.recipe = recipe
        self._sharding = sharding                        # where it was put; None: in the host's memory, for any device

    @property
    def aval(self):
        a = self._aval
        if a is None:
            v = self._value
            a = self._aval = Aval(v.shape, v.dtype)
        return a

    @property
    def shape(self):
        return self.aval.shape

    @property
    def value(self):
        """The NumPy array, read-only."""
        v = self._value
        if v is None:
            if self._sharding is not None:
                return self._on_host()
            if self._buffer is not None:
                v = xla.to_numpy(self._buffer)
            else:
                prim, params = self.recipe
                v = prim.impl(**params)
            self._value = v
        return v

    def _on_host(self):
        """The values of an array that was put on devices, in the host's memory.

        `_value` stays empty: operations run where the array lies.
        """
        try:
            return self._copy
        except AttributeError:
            self._copy = xla.gathered(self._buffer, self._sharding.spread(self.shape))
            return self._copy

    @property
    def buffer(self):
        """The device buffer, on the default device."""
        b = self._buffer
        if b is None:
            b = self._buffer = xla.put(self.value)
        return b

    @property
    def device(self):
        s = self._sharding
        return HOST if s is None else s.devices[0] if len(s.devices) == 1 else s

    def devices(self):
        """The set of the devices that hold the array."""
        return {HOST} if self._sharding is None else self._sharding.device_set

    @property
    def committed(self):
        """Whether the array was put on its devices: programs run where such arguments lie."""
        return self._sharding is not None

    @property
    def is_fully_replicated(self):
        """Whether each of its devices holds the whole array."""
        return self._sharding is None or self._sharding.is_fully_replicated

    @property
    def is_fully_addressable(self):
        """Whether all of the array's parts lie on this process's devices."""
        return self._sharding is None or all([xla.is_local(d) for d in self._sharding.devices])

    @property
    def _readable(self):
        """Whether this process's devices have all of the values."""
        return self.is_fully_addressable or self.is_fully_replicated

    def addressable_data(self, index):
        """The array that one of this process's devices holds."""
        return self.addressable_shards[index].data

    def block_until_ready(self):
        """Wait until the value has been computed; returns the array itself."""
        if self._buffer is not None:
            xla.block_until_ready(self._buffer)
        return self

    def concrete(self, what="a number"):
        return self.value

    def __array__(self, dtype=None, copy=None):
        v = self.value
        if dtype is not None and np.dtype(dtype) != v.dtype:
            if copy is False:
                raise ValueError(f"a NumPy array of dtype {np.dtype(dtype)} cannot share the memory of {v.dtype}.")
            return v.astype(dtype)
        if copy:
            return v.copy()
        v = v.view()
        v.flags.writeable = False                        # what NumPy is shown must not change the array
        return v

    def __buffer__(self, flags):
        """The buffer protocol, from Python 3.12 on: `memoryview(x)`. Before, it is `memoryview(np.asarray(x))`."""
        if flags & 1:                                    # PyBUF_WRITABLE
            raise BufferError("arrays are immutable: their buffer is read-only.")
        return memoryview(self.__array__())

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return to_dlpack(self.value, stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self):
        return CPU, 0

    def __bool__(self):
        return bool(self.value)

    def __int__(self):
        return int(self.value)

    def __float__(self):
        return float(self.value)

    def __complex__(self):
        return complex(self.value)

    def __index__(self):
        return self.value.__index__()

    def __hash__(self):
        raise TypeError("arrays are not hashable; use their values, e.g. float(x) or x.tolist()")

    def __format__(self, spec):
        return format(self.value.item() if not self.shape else self.value, spec)

    def item(self, *args):
        """The value of a one-element array as a Python scalar."""
        return self.value.item(*args)

    def tolist(self):
        """The values as nested lists."""
        return self.value.tolist()

    def __reduce__(self):
        return _from_numpy, (np.array(self.value),)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        if not self._readable:
            return f"Array(shape={self.shape}, dtype={self.dtype}, parts in other processes: {self._sharding!r})"
        text = repr(self.value)
        return "Array" + text[len("array"):] if text.startswith("array") else f"Array({text})"

    def __str__(self):
        return str(self.value) if self._readable else repr(self)

    # ---- what only memory has ----

    @property
    def flat(self):
        """NumPy's flat iterator; indexing it reads."""
        return self.__array__().flat

    @property
    def flags(self):
        """NumPy's flags of the memory; it is not writeable."""
        return self.__array__().flags

    @property
    def strides(self):
        """The bytes from one element to the next along each axis."""
        return self.value.strides

    @property
    def data(self):
        """The memory, read-only."""
        return memoryview(self.__array__())

    @property
    def ctypes(self):
        """The memory for ctypes, as NumPy has it. It must not be written to."""
        return self.__array__().ctypes

    def tobytes(self, order="C"):
        """The bytes of the elements."""
        return self.value.tobytes(order)

    def tofile(self, fid, sep="", format="%s"):
        """Write the elements to a file, as NumPy does."""
        self.value.tofile(fid, sep, format)

    def dumps(self):
        """The pickled array."""
        return pickle.dumps(self)

    def dump(self, file):
        """Pickle the array into a file: a path or an open file."""
        if hasattr(file, "write"):
            pickle.dump(self, file)
        else:
            with open(file, "wb") as f:
                pickle.dump(self, f)


def _from_numpy(value):
    value.flags.writeable = False
    return Array(value)
