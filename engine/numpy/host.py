"""What only the host can do: printing, files, buffers, and questions about memory. Values must be known."""
import contextlib

import numpy as _np

from ..array import Array, Value
from ..config import config
from ..core import Tracer
from ..errors import ParameterError, ShapeError
from ..ops import structural as st
from ..ops.structural import asvalue


def _known(x, what):
    return x.concrete(what) if isinstance(x, Value) else _np.asarray(x)


# ---- text ----

def array_repr(arr, max_line_width=None, precision=None, suppress_small=None):
    """An array as NumPy shows it: array([1, 2])."""
    return _np.array_repr(_known(arr, "text"), max_line_width, precision, suppress_small)


def array_str(a, max_line_width=None, precision=None, suppress_small=None):
    """The elements of an array as text, without its dtype: [1 2]."""
    return _np.array_str(_known(a, "text"), max_line_width, precision, suppress_small)


def array2string(a, *args, **kwargs):
    """The elements of an array as text, with the options of NumPy's array2string."""
    return _np.array2string(_known(a, "text"), *args, **kwargs)


base_repr, binary_repr, mintypecode = _np.base_repr, _np.binary_repr, _np.mintypecode
set_printoptions, get_printoptions, printoptions = _np.set_printoptions, _np.get_printoptions, _np.printoptions
format_float_positional, format_float_scientific = _np.format_float_positional, _np.format_float_scientific


# ---- buffers and files ----

def fromiter(iter, dtype, count=-1):
    """A vector of what an iterable gives; `count` elements unless -1."""
    return asvalue(_np.fromiter(iter, dtype, count))


def frombuffer(buffer, dtype=float, count=-1, offset=0):
    """A vector of the bytes of a buffer, copied."""
    return asvalue(_np.frombuffer(buffer, dtype, count, offset))


def fromstring(string, dtype=float, count=-1, *, sep):
    """A vector of the numbers in a text, with `sep` between them."""
    return asvalue(_np.fromstring(string, dtype, count, sep=sep))


def fromfile(file, dtype=float, count=-1, sep="", offset=0):
    """A vector of the numbers in a file."""
    return asvalue(_np.fromfile(file, dtype, count, sep, offset))


class Archive(dict):
    """The arrays of an .npz file by their names; `with load(file) as arrays` works too."""

    @property
    def files(self):
        return list(self)

    def close(self):
        """Nothing is open any more."""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None


def load(file, *args, **kwargs):
    """The array of an .npy file, or the arrays of an .npz file as a dict of arrays."""
    found = _np.load(file, *args, **kwargs)
    if isinstance(found, _np.ndarray):
        return asvalue(found)
    with found:
        return Archive({name: asvalue(found[name]) for name in found.files})


def save(file, arr, allow_pickle=False):
    """Write an array to an .npy file."""
    _np.save(file, _known(arr, "what is saved"), allow_pickle=allow_pickle)


def savez(file, *args, allow_pickle=False, **kwds):
    """Write arrays to an .npz file, under the names arr_0, arr_1, … and those of the keywords."""
    _savez(_np.savez, file, args, kwds, allow_pickle)


def savez_compressed(file, *args, allow_pickle=False, **kwds):
    """`savez`, compressed."""
    _savez(_np.savez_compressed, file, args, kwds, allow_pickle)


def _savez(write, file, args, kwds, allow_pickle):
    what = "what is saved"
    write(file, *[_known(a, what) for a in args], allow_pickle=allow_pickle,
          **{k: _known(v, what) for k, v in kwds.items()})


def loadtxt(fname, *args, **kwargs):
    """The numbers of a text file, with the options of NumPy's loadtxt."""
    return _from_text(_np.loadtxt(fname, *args, **kwargs))


def genfromtxt(fname, *args, **kwargs):
    """The numbers of a text file, some of which may be missing, with the options of NumPy's genfromtxt."""
    return _from_text(_np.genfromtxt(fname, *args, **kwargs))


def _from_text(found):
    return [asvalue(v) for v in found] if isinstance(found, (list, tuple)) else asvalue(found)


def savetxt(fname, X, *args, **kwargs):
    """Write a vector or matrix to a text file, with the options of NumPy's savetxt."""
    _np.savetxt(fname, _known(X, "what is saved"), *args, **kwargs)


# ---- arrays as they lie in memory ----

def copy(a, order="K", subok=False):
    """`a` as an array. Arrays are immutable, so it may be the same one."""
    return asvalue(a)


def asanyarray(a, dtype=None, order=None, *, copy=None):
    """`a` as an array; there are no subclasses, so it is `asarray`."""
    return asvalue(a, dtype)


def ascontiguousarray(a, dtype=None):
    """`a` as an array with at least one axis; all arrays are contiguous."""
    x = asvalue(a, dtype)
    return x if x.ndim else st.reshape(x, (1,))


def asfortranarray(a, dtype=None):
    """`a` as an array with at least one axis; the order in memory is always C, which no result depends on."""
    return ascontiguousarray(a, dtype)


def require(a, dtype=None, requirements=None):
    """`a` as an array of a dtype. Of NumPy's requirements, C order and alignment always hold, and "W" never."""
    wanted = [requirements] if isinstance(requirements, str) else list(requirements or ())
    if {str(r).upper() for r in wanted} & {"W", "WRITEABLE"}:
        raise ShapeError("require(..., 'W'): arrays are immutable. Use x.at[...].set(...), or NumPy's array(x).")
    return asvalue(a, dtype)


def asarray_chkfinite(a, dtype=None, order=None):
    """`a` as an array; an error if it holds nan or an infinity. The values must be known."""
    x = asvalue(a, dtype)
    if x.dtype.kind in "fc" and not _np.isfinite(x.concrete("whether all values are finite")).all():
        raise ParameterError("asarray_chkfinite: the array holds nan or an infinity.")
    return x


def may_share_memory(a, b, max_work=None):
    """Whether two arrays may lie in one memory. Arrays are immutable, so it never matters."""
    return a is b or (not _traced(a, b) and _np.may_share_memory(_memory(a), _memory(b), max_work))


def shares_memory(a, b, max_work=-1):
    """Whether two arrays lie in one memory. Arrays are immutable, so it never matters."""
    return (a is b and (a.size > 0 if hasattr(a, "size") else True)) or (
        not _traced(a, b) and _np.shares_memory(_memory(a), _memory(b), max_work))


def _traced(*xs):
    return any([isinstance(x, Tracer) for x in xs])


def _memory(x):
    return x.value if isinstance(x, Array) else x


# ---- errors of floating-point arithmetic ----

class errstate(contextlib.ContextDecorator):
    """`with errstate(invalid="raise"):` raises where an operation makes a nan of operands without one: it is
    config(debug_nans=True); any other value for `invalid` (or `all`) turns that off.

    There is no switch for the others of NumPy's conditions: `divide`, `over` and `under` give ±inf and 0 silently,
    and asking them to raise is an error here.
    """

    def __init__(self, **kwargs):
        strange = set(kwargs) - {"all", "divide", "over", "under", "invalid", "call"}
        if strange:
            raise ShapeError(f"errstate takes all, divide, over, under, invalid; got {sorted(strange)}.")
        loud = [k for k in ("divide", "over", "under") if kwargs.get(k) == "raise"]
        if loud:
            raise ShapeError(f"errstate: {loud[0]}='raise' is not known; only invalid='raise' is, which stops at the "
                             "first nan.")
        self.invalid = kwargs.get("invalid", kwargs.get("all"))
        self.inside = []

    def __enter__(self):
        settings = {} if self.invalid is None else {"debug_nans": self.invalid == "raise"}
        self.inside.append(config(**settings))
        self.inside[-1].__enter__()

    def __exit__(self, *exc):
        self.inside.pop().__exit__(*exc)
