"""What the namespace can do, in the words of the array API: `np.__array_namespace_info__()`."""
import numpy as _np

from ..array import HOST
from ..avals import default_float, python_dtype
from ..sharding.place import on_device
from .dtypes import isdtype

API_VERSION = "2024.12"
API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
_DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
           "complex64", "complex128")


class __array_namespace_info__:                          # noqa: N801: the array API's name
    """Capabilities, devices and dtypes of the namespace."""

    def capabilities(self):
        """Boolean masks and results whose shape depends on data work outside of `jit`; arrays have at most 64 axes."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self):
        """The device of arrays that are made without one."""
        return HOST

    def devices(self):
        """The devices that arrays can be on."""
        return [HOST]

    def default_dtypes(self, *, device=None):
        """The dtypes of arrays that are made of Python numbers, and of indices."""
        on_device(None, device)
        return {"real floating": default_float(), "complex floating": python_dtype(0j), "integral": python_dtype(0),
                "indexing": _np.dtype("int64")}

    def dtypes(self, *, device=None, kind=None):
        """The standard's dtypes by name, those of a kind as `isdtype` takes it."""
        on_device(None, device)
        every = {name: _np.dtype(name) for name in _DTYPES}
        return every if kind is None else {name: d for name, d in every.items() if isdtype(d, kind)}
