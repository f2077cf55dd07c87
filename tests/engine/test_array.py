"""Arrays: immutable, NumPy's in every other way, and convertible both ways."""
import copy
import pickle

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, jit
from chainrule.engine.errors import ImmutableError

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture(params=["plain", "compiled", "recipe"])
def array(request):
    """The same array: made of NumPy's, made by XLA, and not made yet."""
    return {"plain": lambda: cnp.asarray(X), "compiled": lambda: jit(lambda x: x * 1)(X),
            "recipe": lambda: cnp.reshape(cnp.arange(6.0), (2, 3))}[request.param]()


def test_an_array_cannot_be_changed_in_place(array):
    with pytest.raises(ImmutableError, match=r"x.at\[0\].set"):
        array[0] = 1.0
    with pytest.raises(ImmutableError, match=r"x\[0, 1\]"):
        array[0, 1] = 1.0
    with pytest.raises(ImmutableError):
        array[array > 1] += 1.0
    with pytest.raises((AttributeError, TypeError)):
        array.shape = (6,)


def test_what_an_array_gives_to_numpy_cannot_change_it(array):
    view = np.asarray(array)
    try:
        view[0, 0] = 100.0
    except ValueError:                                   # read-only
        pass
    assert float(array[0, 0]) == 0.0
    mine = np.array(array)
    mine[0, 0] = 100.0
    assert float(array[0, 0]) == 0.0


def test_an_array_made_of_a_numpy_array_is_a_copy():
    data = X.copy()
    a = cnp.asarray(data)
    data[:] = 9.0
    assert a.tolist() == X.tolist()


def test_in_place_operators_bind_a_new_array(array):
    x = before = array
    x += 1
    x *= 2
    x -= 1
    x /= 4
    assert x.tolist() == (((X + 1) * 2 - 1) / 4).tolist() and before.tolist() == X.tolist() and x is not before


@pytest.mark.parametrize("name,f", [
    ("+", lambda a, b: a + b), ("-", lambda a, b: a - b), ("*", lambda a, b: a * b), ("/", lambda a, b: a / b),
    ("//", lambda a, b: a // b), ("%", lambda a, b: a % b),
    ("**", lambda a, b: a ** b), ("@", lambda a, b: a @ b), ("<", lambda a, b: a < b), ("<=", lambda a, b: a <= b),
    (">", lambda a, b: a > b), (">=", lambda a, b: a >= b),
    ("==", lambda a, b: a == b), ("!=", lambda a, b: a != b)])
def test_operators_take_numpy_arrays_and_scalars_on_either_side(name, f):
    m = np.array([[1.5, 2.0], [3.0, 0.5]])
    for other in (m + 1, 2.0, 2, np.float64(1.5)):
        if name == "@" and np.ndim(other) == 0:
            continue
        for found, expected in ((f(cnp.asarray(m), other), f(m, other)), (f(other, cnp.asarray(m)), f(other, m)),
                                (jit(lambda v, other=other: f(other, v))(m), f(other, m))):
            assert isinstance(found, Array) and found.dtype == expected.dtype
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-15)


def test_bit_operators_are_numpys():
    i, k = np.array([5, 3, 12]), np.array([1, 2, 0])
    for f in (lambda a, b: a & b, lambda a, b: a | b, lambda a, b: a ^ b, lambda a, b: a << b, lambda a, b: a >> b):
        for found in (f(cnp.asarray(i), k), f(i, cnp.asarray(k))):
            assert isinstance(found, Array) and found.tolist() == f(i, k).tolist()
    assert (~cnp.asarray(i)).tolist() == (~i).tolist() and (-cnp.asarray(i)).tolist() == (-i).tolist()
    assert abs(-cnp.asarray(i)).tolist() == i.tolist() and (+cnp.asarray(i)).tolist() == i.tolist()
    q, r = divmod(cnp.asarray(i), 2)
    assert (q.tolist(), r.tolist()) == ([2, 1, 6], [1, 1, 0])


def test_operators_leave_what_is_not_array_like_to_python():
    x = cnp.ones(2)
    assert (x == None) is False and (x != None) is True  # noqa: E711
    for bad in ("a", {}, None):
        with pytest.raises(TypeError):
            x + bad
        with pytest.raises(TypeError):
            bad * x


def test_conversions_to_python_numbers():
    x = cnp.asarray(2.5)
    assert (float(x), int(x), bool(x), complex(x), x.item(), x.tolist()) == (2.5, 2, True, 2.5 + 0j, 2.5, 2.5)
    assert [10, 20, 30][cnp.asarray(1)] == 20 and list(range(cnp.asarray(3))) == [0, 1, 2]
    assert round(x) == 2.0 and f"{x:.2f}" == "2.50"
    assert cnp.asarray([[1, 2]]).tolist() == [[1, 2]] and cnp.asarray([7]).item() == 7
    with pytest.raises(ValueError):
        bool(cnp.ones(2))
    with pytest.raises(TypeError):
        float(cnp.ones(2))
    with pytest.raises(TypeError):
        len(x)


def test_attributes_are_numpys(array):
    assert (array.shape, array.ndim, array.size, array.dtype, len(array), array.nbytes,
            array.itemsize) == ((2, 3), 2, 6, np.float64, 2, 48, 8)
    assert array.T.shape == (3, 2) and array.mT.tolist() == X.T.tolist() and array.real.tolist() == X.tolist()
    assert np.asarray(array, np.float32).dtype == np.float32 and np.sum(np.asarray(array)) == 15.0


@pytest.mark.parametrize("name", "all any argmax argmin argsort cumprod cumsum max mean min prod ptp ravel sort std "
                                 "sum var squeeze".split())
def test_methods_are_numpys(name):
    m = np.array([[0.5, 2.0, -1.0], [3.0, 0.1, 0.2]])
    expected = getattr(np, name)(m)
    np.testing.assert_allclose(np.asarray(getattr(cnp.asarray(m), name)()), expected)


def test_reshape_and_transpose_take_a_tuple_or_numbers(array):
    assert array.reshape(3, 2).tolist() == array.reshape((3, 2)).tolist() == X.reshape(3, 2).tolist()
    assert array.reshape(-1).tolist() == array.flatten().tolist() == X.ravel().tolist()
    assert array.transpose(1,
                           0).tolist() == array.transpose((1, 0)).tolist() == array.transpose().tolist() == X.T.tolist()


def test_arrays_pickle_and_copy(array):
    for other in (pickle.loads(pickle.dumps(array)), copy.copy(array), copy.deepcopy(array)):
        assert isinstance(other, Array) and other.tolist() == X.tolist() and other.dtype == np.float64
        with pytest.raises(ImmutableError):
            other[0] = 1.0


def test_numpys_own_functions_take_arrays_and_give_numpys(array):
    out = np.sin(array)
    assert type(out) is np.ndarray and out.tolist() == np.sin(X).tolist()
    assert np.concatenate([array, array]).shape == (4, 3)


def test_arrays_are_handed_over_by_dlpack(array):
    assert np.from_dlpack(array).tolist() == X.tolist()


def test_arrays_are_not_hashable_and_say_so():
    with pytest.raises(TypeError, match="tolist"):
        hash(cnp.ones(2))


def test_an_array_shows_its_values():
    assert repr(cnp.asarray([1.0, 2.0])) == "Array([1., 2.])" and repr(cnp.asarray(1.5)) == "Array(1.5)"
    assert repr(cnp.asarray([1.0], np.float32)) == "Array([1.], dtype=float32)" and str(cnp.arange(3)) == "[0 1 2]"


def test_lists_of_arrays_and_of_traced_values_are_arrays():
    one = cnp.asarray(1.5)
    assert cnp.asarray([one, 2.0]).tolist() == [1.5, 2.0] and cnp.asarray([[one, 2], [3, one]]).shape == (2, 2)
    assert jit(lambda x: cnp.asarray([x, 2.0 * x, 3]))(1.5).tolist() == [1.5, 3.0, 3.0]


def test_waiting_gives_the_array_back():
    x = jit(lambda x: x + 1)(X)
    assert x.block_until_ready() is x
