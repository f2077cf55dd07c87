"""Memory shared with other libraries through DLPack, without copies.

NumPy writes and reads the capsules. Of the dtypes that NumPy's DLPack has no code for (bfloat16, float8) it is shown
the bits as unsigned integers, and the code in the capsule is exchanged: one byte of the structure
`DLTensor.dtype`, at a place that the version of the protocol fixes (dlpack.h, DLPack 1.1).
"""
import ctypes

import numpy as np

from .avals import NARROW

_BFLOAT, _UINT, CPU = 4, 1, 1                            # DLDataTypeCode, DLDataTypeCode, DLDeviceType
CODES = {NARROW[name]: code for name, code in {
    "bfloat16": _BFLOAT, "float8_e3m4": 7, "float8_e4m3": 8, "float8_e4m3b11fnuz": 9, "float8_e4m3fn": 10,
    "float8_e4m3fnuz": 11, "float8_e5m2": 12, "float8_e5m2fnuz": 13, "float8_e8m0fnu": 14}.items() if name in NARROW}
_DTYPES = {code: dtype for dtype, code in CODES.items()}


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class _Versioned(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32 * 2), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
                ("flags", ctypes.c_uint64), ("tensor", _Tensor)]


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_named = ctypes.pythonapi.PyCapsule_IsValid
_named.restype, _named.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]


def _tensor(capsule):
    """The description of the memory in a capsule."""
    if _named(capsule, b"dltensor_versioned"):
        return _Versioned.from_address(_pointer(capsule, b"dltensor_versioned")).tensor
    return _Tensor.from_address(_pointer(capsule, b"dltensor"))


def to_dlpack(value, *, stream=None, max_version=None, dl_device=None, copy=None):
    """A capsule with the memory of a NumPy array, marked read-only.

    max_version : the newest protocol that the consumer reads. Before (1, 0) a capsule cannot say that its memory is
        read-only, so the consumer gets a copy of its own; with copy=False that is a BufferError.
    """
    if stream is not None:
        raise BufferError(f"stream={stream!r}: memory of the host has no streams; it is None.")
    if dl_device is not None and tuple(dl_device) != (CPU, 0):
        raise BufferError(f"dl_device={tuple(dl_device)}: this array is in the memory of the host, {(CPU, 0)}.")
    old = max_version is None or max_version[0] < 1
    if old and copy is False:
        raise BufferError("the consumer asks for a DLPack capsule before version 1.0 without a copy: such a one cannot "
                          "say that the memory is read-only.\nPass max_version=(1, 0), or let it copy.")
    code = CODES.get(value.dtype)
    view = value.view(f"u{value.dtype.itemsize}") if code else value.view()
    view.flags.writeable = False
    if old or copy:
        view = view.copy()
    capsule = view.__dlpack__() if old else view.__dlpack__(max_version=max_version)
    if code:
        _tensor(capsule).code = code
    return capsule


class _Exporter:
    """What NumPy's reader asks for a capsule."""

    def __init__(self, capsule, device):
        self.capsule, self.device = capsule, device

    def __dlpack__(self, **kwargs):
        return self.capsule

    def __dlpack_device__(self):
        return self.device


def from_dlpack(x, copy=None):
    """A NumPy array over the memory of x, an object of any library that exports DLPack on the host."""
    kind = x.__dlpack_device__()
    if kind[0] != CPU:
        raise BufferError(f"from_dlpack of memory on the DLPack device {tuple(kind)}: move it to the host, {(CPU, 0)}, "
                          "first.")
    try:
        capsule, mine = x.__dlpack__(max_version=(1, 0), **({} if copy is None else {"copy": copy})), True
    except TypeError:                                    # an exporter from before DLPack 1.0 copies nothing
        capsule, mine = x.__dlpack__(), not copy
    tensor = _tensor(capsule)
    dtype = _DTYPES.get(tensor.code) if tensor.lanes == 1 else None
    if dtype is not None:
        tensor.code = _UINT
    out = np.from_dlpack(_Exporter(capsule, kind))
    out = out if dtype is None else out.view(dtype)
    return out if mine else out.copy()
