"""Arrays and other libraries: memory shared with NumPy and through DLPack, NumPy's functions, pickles, pandas."""
import ctypes
import io
import pickle

import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, jit
from chainrule.engine.errors import ImmutableError

X = np.arange(6.0).reshape(2, 3)
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
NARROW = {"bfloat16": (4, 16), "float8_e4m3fn": (10, 8), "float8_e5m2": (12, 8)}     # DLPack's code and bits


def compiled():
    return jit(lambda x: x * 1)(X)


def address(a):
    """Where the elements of a NumPy array are."""
    return a.__array_interface__["data"][0]


def frozen(a):
    a = np.array(a)
    a.flags.writeable = False
    return a


# ---- NumPy ----

def test_numpy_sees_the_memory_of_an_array_and_cannot_write_to_it():
    for a in (cnp.asarray(X), compiled()):
        view, again = np.asarray(a), np.asarray(a)
        assert address(view) == address(again) == address(a.value) and not view.flags.writeable
        with pytest.raises(ValueError):
            view[0, 0] = 1.0
        copy = np.array(a)
        assert address(copy) != address(view) and copy.flags.writeable
        assert np.asarray(a, np.float32).dtype == np.float32
        with pytest.raises(ValueError, match="share|avoid copy"):              # ours, or NumPy's own from 2.5 on
            np.asarray(a, np.float32, copy=False)


def test_what_nobody_can_write_to_is_shared_and_other_memory_is_copied():
    fixed, writeable = frozen(X), X.copy()
    of_writeable = writeable.view()
    of_writeable.flags.writeable = False                 # writeable itself can still change it
    of_fixed = fixed[:, 1:]
    assert address(cnp.asarray(fixed).value) == address(fixed)
    assert address(cnp.asarray(of_fixed).value) == address(of_fixed)
    for a in (writeable, of_writeable):
        assert address(cnp.asarray(a).value) != address(a)
    for a in (fixed, writeable):
        assert address(cnp.asarray(a, copy=True).value) != address(a)
        assert address(cnp.array(a).value) != address(a)


def test_copy_false_shares_memory_or_raises():
    data = X.copy()
    a = cnp.asarray(data, copy=False)
    assert address(a.value) == address(data)
    data[0, 0] = 9.0
    assert float(a[0, 0]) == 9.0                         # as the docstring says
    raw = bytearray(b"\x01\x02")
    assert address(cnp.asarray(memoryview(raw), copy=False).value) == address(np.frombuffer(raw, np.uint8))
    for bad in ([1.0, 2.0], 1.0):
        with pytest.raises(ValueError, match="memory"):
            cnp.asarray(bad, copy=False)
    with pytest.raises(ValueError, match="float32"):
        cnp.asarray(data, np.float32, copy=False)


def test_objects_with_the_array_protocol_or_a_buffer_keep_their_dtype():
    class Exporter:
        def __array__(self, dtype=None, copy=None):
            return np.ones(2, np.float32)
    assert cnp.asarray(Exporter()).dtype == np.float32
    assert cnp.asarray(memoryview(np.ones(2, np.int16))).dtype == np.int16
    assert cnp.asarray([np.float32(1), np.float32(2)]).dtype == np.float32
    assert cnp.asarray(pandas.Series([1.0, 2.0], dtype="float32")).dtype == np.float32


def test_numpys_functions_take_arrays():
    a = cnp.asarray(X)
    for f in (np.sin, np.sum, np.mean, np.std, np.var, np.max, np.min, np.prod, np.any, np.all, np.ptp, np.argmax,
              np.cumsum, np.sort, np.argsort, np.ravel, np.transpose, np.squeeze, np.round, np.nonzero, np.trace,
              np.diagonal, np.copy, np.median, np.unique, np.isnan, np.count_nonzero, np.cumprod, np.argmin):
        found, expected = np.asarray(f(a)), np.asarray(f(X))
        assert found.dtype == expected.dtype and found.tolist() == expected.tolist(), f
    for call in (lambda v: np.sum(v, axis=0, keepdims=True), lambda v: np.mean(v, 1), lambda v: np.clip(v, 1, 2),
                 lambda v: np.reshape(v, (3, 2)), lambda v: np.take(v, [0, 1]), lambda v: np.concatenate([v, v]),
                 lambda v: np.dot(v, v.T), lambda v: np.where(v > 1, v, 0), lambda v: np.std(v, ddof=1),
                 lambda v: np.sum(v, where=v > 2), lambda v: np.max(v, axis=1, initial=4.0), lambda v: np.repeat(v, 2)):
        assert np.asarray(call(a)).tolist() == call(X).tolist()
    with pytest.raises(ImmutableError, match="out"):
        np.sum(a, out=np.zeros(()))


def test_numpy_arrays_meet_arrays_in_both_orders():
    a, m = cnp.asarray(X), X + 1
    for f in (lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / q, lambda p, q: p // q,
              lambda p, q: p % q, lambda p, q: p ** q, lambda p, q: p < q, lambda p, q: p == q, lambda p, q: p != q,
              lambda p, q: p >= q, lambda p, q: p @ q.T, lambda p, q: divmod(p, q)[0]):
        for found, expected in ((f(a, m), f(X, m)), (f(m + 0.5, a + 1), f(m + 0.5, X + 1))):
            assert type(found) is Array and np.allclose(np.asarray(found), expected)
    assert type(np.float32(2) * a) is Array and (np.float32(2) * a).dtype == np.float64
    out = np.zeros(3)
    out[:] = cnp.arange(3.0)
    out[0] = cnp.asarray(5.0)
    assert out.tolist() == [5.0, 1.0, 2.0] and np.arange(5)[cnp.asarray([1, 2])].tolist() == [1, 2]


# ---- DLPack ----

class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", DLTensor)]


def consume(capsule, name=b"dltensor_versioned"):
    """What another library reads in a capsule."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return (Versioned if b"versioned" in name else DLTensor).from_address(get(capsule, name))


class Library:
    """An array of another library: NumPy's memory with a DLPack code of its own."""

    def __init__(self, array, code, old=False):
        self.array, self.code, self.old = array, code, old

    def __dlpack__(self, **kwargs):
        if self.old and kwargs:
            raise TypeError("__dlpack__() got an unexpected keyword argument")
        capsule = self.array.__dlpack__(**kwargs)
        tensor = consume(capsule, b"dltensor") if self.old else consume(capsule).tensor
        tensor.code = self.code
        return capsule

    def __dlpack_device__(self):
        return 1, 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_shares_memory_with_numpy_both_ways(dtype):
    for a in (cnp.asarray(X.astype(dtype)), jit(lambda x: x + x)(X.astype(dtype))):
        out = np.from_dlpack(a)
        assert (out.dtype, out.tolist()) == (a.dtype, a.tolist()) and address(out) == address(a.value)
        assert not out.flags.writeable
    data = X.astype(dtype).T
    back = cnp.from_dlpack(data)
    assert type(back) is Array and back.dtype == dtype and back.tolist() == data.tolist()
    assert address(back.value) == address(data)
    assert address(cnp.from_dlpack(data, copy=True).value) != address(data)
    assert address(cnp.from_dlpack(data, copy=False, device="cpu").value) == address(data)
    assert cnp.from_dlpack(back) is back


def test_a_capsule_says_what_the_memory_is():
    a = cnp.asarray(X)
    capsule = a.__dlpack__(max_version=(1, 0))
    seen = consume(capsule)
    t = seen.tensor
    assert seen.major == 1 and seen.flags & 1            # read-only
    assert (t.device_type, t.device_id) == a.__dlpack_device__() == (1, 0)
    assert (t.ndim, t.code, t.bits, t.lanes, t.shape[0], t.shape[1]) == (2, 2, 64, 1, 2, 3)
    assert (ctypes.c_double * 6).from_address(t.data + t.byte_offset)[:] == X.ravel().tolist()
    assert t.data == address(a.value)


def test_a_consumer_that_cannot_see_what_is_read_only_gets_a_copy():
    a = cnp.asarray(X)
    capsule = a.__dlpack__()
    assert consume(capsule, b"dltensor").data != address(a.value)
    copied = a.__dlpack__(max_version=(1, 0), copy=True)
    assert consume(copied).tensor.data != address(a.value)
    with pytest.raises(BufferError, match="max_version"):
        a.__dlpack__(copy=False)
    for bad in ({"stream": 1}, {"dl_device": (2, 0)}):
        with pytest.raises(BufferError):
            a.__dlpack__(**bad)
    assert consume(a.__dlpack__(max_version=(1, 0), dl_device=(1, 0), stream=None)).tensor.data == address(a.value)


@pytest.mark.parametrize("name", NARROW)
def test_narrow_types_go_through_dlpack_under_their_own_codes(name):
    d, (code, bits) = getattr(cnp, name), NARROW[name]
    a = cnp.asarray([[0.5, 1.0], [2.0, -1.5]]).astype(d)
    capsule = a.__dlpack__(max_version=(1, 0))
    t = consume(capsule).tensor
    assert (t.code, t.bits, t.data) == (code, bits, address(a.value.view(f"u{bits // 8}")))
    assert consume(a.__dlpack__(), b"dltensor").code == code
    words = a.value.view(f"u{bits // 8}").copy()
    for library in (Library(words, code), Library(words, code, old=True)):
        back = cnp.from_dlpack(library)
        assert back.dtype == d and back.tolist() == a.tolist()
        assert address(back.value.view(words.dtype)) == address(words)
        fresh = cnp.from_dlpack(library, copy=True)
        assert fresh.tolist() == a.tolist() and address(fresh.value.view(words.dtype)) != address(words)
    assert cnp.asarray(Library(words, code)).dtype == d  # it has no __array__
    again = cnp.from_dlpack(a.__array__().view(words.dtype))
    assert again.dtype == words.dtype


def test_memory_of_other_devices_is_refused():
    class OnGpu:
        def __dlpack_device__(self):
            return 2, 0

        def __dlpack__(self, **kwargs):
            raise AssertionError("not reached")
    with pytest.raises(BufferError, match="host"):
        cnp.from_dlpack(OnGpu())
    for f in (cnp.zeros, cnp.ones, cnp.arange, cnp.eye, cnp.asarray,
              lambda n, device: cnp.linspace(0, 1, n, device=device)):
        assert f(3, device=cnp.ones(1).device).device == cnp.ones(1).device
        with pytest.raises(ValueError, match="cpu:0"):
            f(3, device="gpu")
    x = cnp.ones(2)
    assert x.to_device("cpu") is x and x.devices() == {x.device} and str(x.device) == "cpu:0"
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=3)


# ---- the memory itself ----

def test_the_memory_of_an_array_can_be_read():
    a = compiled()
    assert a.tobytes() == X.tobytes() and bytes(a.data) == X.tobytes() and a.data.readonly
    assert list(a.flat) == X.ravel().tolist() and a.flat[4] == 4.0 and a.strides == X.strides and a.base is None
    assert not a.flags.writeable and a.flags.c_contiguous
    assert (ctypes.c_double * 6).from_address(a.ctypes.data)[:] == X.ravel().tolist()
    assert bytes(memoryview(np.asarray(a))) == X.tobytes()
    if hasattr(bytes, "__buffer__"):                     # Python 3.12: classes in Python have buffers
        assert bytes(memoryview(a)) == X.tobytes() and memoryview(a).readonly
    assert bytes(a.__buffer__(0)) == X.tobytes()
    with pytest.raises(BufferError, match="read-only"):
        a.__buffer__(1)


def test_an_array_is_written_to_files(tmp_path):
    a = cnp.asarray(X)
    a.tofile(tmp_path / "raw")
    assert np.fromfile(tmp_path / "raw").tolist() == X.ravel().tolist()
    np.save(tmp_path / "a.npy", a)
    assert np.load(tmp_path / "a.npy").tolist() == X.tolist()
    a.dump(tmp_path / "pickled")
    file = io.BytesIO()
    a.dump(file)
    for stored in (a.dumps(), file.getvalue(), (tmp_path / "pickled").read_bytes()):
        assert pickle.loads(stored).tolist() == X.tolist()


@pytest.mark.parametrize("name", [*DTYPES, *NARROW, "int4"])
def test_every_dtype_is_pickled_and_shown(name):
    d = getattr(cnp, name)
    a = cnp.asarray([1, 0, 2]).astype(d)
    b = pickle.loads(pickle.dumps(a))
    assert type(b) is Array and b.dtype == d and b.tolist() == a.tolist()
    assert repr(a).startswith("Array([")
    assert (f"dtype={name}" in repr(a).replace("'", "")) == (name not in ("bool", "int64", "float64", "complex128"))


@pytest.mark.slow
def test_bytes_are_read_as_another_dtype_as_in_numpy():
    i = np.arange(4, dtype=np.int32) * 77
    c = np.array([1 + 2j, -3j])
    cases = [(i, "float32"), (i, "int64"), (i, "uint8"), (i.reshape(2, 2), "int16"), (c, "float64"),
             (X[0, :2], "complex128"), (np.uint8([0, 1, 1]), "bool"), (np.array([True, False]), "uint8"),
             (c, "complex128"), (i, "complex64"), (c, "uint16")]
    for x, d in cases:
        for found in (cnp.asarray(x).view(d), jit(lambda v, d=d: v.view(d))(x)):
            expected = x.view(d)
            assert found.dtype == expected.dtype and found.shape == expected.shape
            assert np.array_equal(np.asarray(found).view(np.uint8), expected.view(np.uint8))
    for x in (i, X, c, np.int8([3]), np.asarray(7)):
        for found in (cnp.asarray(x).byteswap(), jit(lambda v: v.byteswap())(x)):
            assert np.asarray(found).tobytes() == x.byteswap().tobytes() and found.shape == x.shape
    with pytest.raises(ValueError, match="multiple"):
        cnp.arange(3, dtype="int32").view("int64")
    assert cnp.asarray(X).view().tolist() == X.tolist()


@pytest.mark.parametrize("name,instead", [
    ("fill", "full_like"), ("put", r"\.at\["), ("itemset", r"\.at\["), ("resize", "np.resize"),
    ("partition", "np.partition"), ("setfield", r"\.at\["), ("setflags", "copy=True")])
def test_methods_that_change_an_array_say_what_to_write_instead(name, instead):
    for x in (cnp.ones(3), compiled()):
        with pytest.raises(ImmutableError, match=instead):
            getattr(x, name)(0)
    with pytest.raises(ImmutableError, match=instead):
        jit(lambda x: getattr(x, name)(0))(np.ones(3))


def test_deleting_an_element_says_what_to_write_instead():
    x = cnp.ones(3)
    with pytest.raises(ImmutableError, match="np.delete"):
        del x[0]


def test_sort_gives_a_sorted_array_and_leaves_the_other():
    x = cnp.asarray([3.0, 1.0, 2.0])
    assert x.sort().tolist() == [1.0, 2.0, 3.0] and x.tolist() == [3.0, 1.0, 2.0]
    assert 2.0 in x and 5.0 not in x and x.copy() is x


def test_pandas_and_matplotlib_take_arrays():
    x = compiled()
    frame = pandas.DataFrame({"a": x[0], "b": cnp.arange(3)})
    assert frame["a"].tolist() == [0.0, 1.0, 2.0] and frame.dtypes.tolist() == [np.float64, np.int64]
    assert pandas.DataFrame(x).shape == (2, 3) and pandas.Series(x[0]).mean() == 1.0
    assert cnp.asarray(frame).tolist() == frame.to_numpy().tolist()
    axes = Figure().subplots()
    assert axes.plot(x[0], x[1])[0].get_ydata().tolist() == [3.0, 4.0, 5.0]
    assert axes.imshow(x).get_array().shape == (2, 3) and axes.hist(x[0])[0].sum() == 3.0
    assert axes.scatter(x[0], x[1], c=x[0]).get_offsets().shape == (3, 2)


def test_methods_of_numpys_arrays_are_there():
    x = np.array([[2, 0, 1], [1, 1, 0]])
    calls = {"argpartition": (1,), "choose": (np.arange(9).reshape(3, 3),), "compress": ([True, False, True], 1),
             "searchsorted": None, "take": ([0, 1], 1), "repeat": (2, 0), "round": (), "clip": (0, 1), "dot": (x.T,),
             "swapaxes": (0, 1), "diagonal": (), "trace": (), "conjugate": (), "ptp": (1,), "nonzero": (), "tolist": ()}
    for name, args in calls.items():
        if args is None:
            found, expected = cnp.asarray([1, 2]).searchsorted(x), np.array([1, 2]).searchsorted(x)
        else:
            found = getattr(cnp.asarray(x), name)(*args)
            expected = getattr(x, name)(*args) if hasattr(x, name) else getattr(np, name)(x, *args)
        assert np.array_equal(np.asarray(found), np.asarray(expected)), name
    missing = {name for name in dir(np.ndarray) if not name.startswith("_")} - set(dir(Array))
    assert missing == {"getfield"}                       # fields of records, which there are none of
