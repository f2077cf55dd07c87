"""Products: einsum in each of its forms, matmul and its kin, in every kind of dtype, against NumPy."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, make_jaxpr, vmap
from chainrule.engine.errors import ShapeError

RNG = np.random.default_rng(66)
DTYPES = ["float64", "float32", "complex128", "int64", "int32", "uint8", "bool"]


def array(*shape, dtype="float64"):
    x = RNG.normal(size=shape) * 3
    return (x + 1j * RNG.normal(size=shape) if dtype[0] == "c" else np.abs(x)).astype(dtype)


def same(found, expected, rtol=None):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    if expected.dtype.kind in "fc":
        eps = np.finfo(expected.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=0, atol=100 * eps * max(1, np.abs(expected).max(initial=0)))
    else:
        assert np.array_equal(found, expected)


CALLS = {
    "matmul": lambda np, d: np.matmul(array2(d, 2, 3, 4), array2(d, 2, 4, 2)),
    "matmul vector": lambda np, d: np.matmul(array2(d, 4), array2(d, 2, 4, 2)),
    "dot": lambda np, d: np.dot(array2(d, 2, 3, 4), array2(d, 5, 4, 2)),
    "vdot": lambda np, d: np.vdot(array2(d, 3, 4), array2(d, 3, 4)),
    "inner": lambda np, d: np.inner(array2(d, 2, 3), array2(d, 4, 3)),
    "outer": lambda np, d: np.outer(array2(d, 2, 3), array2(d, 4)),
    "kron": lambda np, d: np.kron(array2(d, 2, 3), array2(d, 2, 1, 2)),
    "kron vectors": lambda np, d: np.kron(array2(d, 2), array2(d, 3)),
    "tensordot": lambda np, d: np.tensordot(array2(d, 2, 3, 4), array2(d, 4, 3, 2), axes=([1, -1], [1, 0])),
    "trace": lambda np, d: np.trace(array2(d, 3, 4, 2), 1),
    "vecdot": lambda np, d: np.vecdot(array2(d, 2, 3), array2(d, 4, 1, 3)),
    "vecdot axis": lambda np, d: np.vecdot(array2(d, 3, 2), array2(d, 3, 2), axis=0),
    "matvec": lambda np, d: np.matvec(array2(d, 2, 4, 3), array2(d, 3)),
    "vecmat": lambda np, d: np.vecmat(array2(d, 5, 1, 4), array2(d, 2, 4, 3)),
    "einsum": lambda np, d: np.einsum("ij,jk", array2(d, 2, 3), array2(d, 3, 4)),
    "einsum three": lambda np, d: np.einsum("ij,jk,k->i", array2(d, 2, 3), array2(d, 3, 4), array2(d, 4)),
    "einsum diagonal": lambda np, d: np.einsum("ii->i", array2(d, 3, 3)),
    "einsum sum": lambda np, d: np.einsum("ij->j", array2(d, 3, 2)),
}


def array2(dtype, *shape):
    """The same numbers for us and for NumPy."""
    x = np.random.default_rng(sum(shape) + len(shape)).normal(size=shape) * 3
    return (x + 1j * x[::-1] if dtype[0] == "c" else np.abs(x)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_products_are_numpys_in_every_dtype(name, dtype):
    f = CALLS[name]
    expected = f(np, dtype)
    same(f(cnp, dtype), expected)
    same(jit(lambda one: f(Traced(one), dtype))(np.ones((), dtype)), expected)


class Traced:
    """Our functions with the array arguments multiplied by a traced one, so that nothing is known while compiling."""

    def __init__(self, one):
        self.one = one

    def __getattr__(self, name):
        def call(*args, **kwargs):
            return getattr(cnp, name)(*[a if isinstance(a, (str, int)) else self.one * a for a in args], **kwargs)
        return call


FORMS = ["ij,jk->ki", "ij,jk", "ij , jk -> ik", "ij,kl", "ij->ji", "ij->", "ij", "ba", "...j,jk->...k", "i...,j...",
         "ij,ij->ij", "i...->...", "...", "...ij->...ji", "ij,ij", "iJ,Jk"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_subscripts(form):
    xs = [array(3, 3) for _ in form.split("->")[0].split(",")]
    expected = np.einsum(form, *xs)
    same(cnp.einsum(form, *xs), expected)
    same(jit(lambda *xs: cnp.einsum(form, *xs))(*xs), expected)
    same(vmap(lambda *xs: cnp.einsum(form, *xs))(*[np.stack([x, 2 * x]) for x in xs])[0], expected)


@pytest.mark.parametrize("form, shapes", [
    ("iij->j", [(2, 2, 3)]), ("iii->i", [(3, 3, 3)]), ("ii,ij->j", [(3, 3), (3, 2)]), ("iijj->ij", [(2, 2, 3, 3)]),
    ("...ii->...", [(2, 3, 3)]), ("...a,...b->...ab", [(4, 2), (3, 1, 5)]),
    ("a...,b...->ab...", [(2, 3, 1), (4, 1, 5)]),
    ("ij,jk,kl,lm->im", [(2, 3), (3, 4), (4, 5), (5, 2)]), ("ijk,jil->kl", [(2, 3, 4), (3, 2, 5)]),
    ("i,j,k,l,m,n->", [(2,)] * 6), ("bij,bjk,bkl->bil", [(2, 3, 4), (2, 4, 5), (2, 5, 3)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 3), (2, 3), (3, 3, 3, 3), (2, 3), (2, 3)]), (",ij,->ij", [(), (2, 3), ()]),
    ("ij,j->i", [(3, 0), (0,)]), ("ij,jk->ik", [(2, 1), (3, 4)]), ("ij,ij->j", [(1, 3), (4, 3)]),
    ("...ij,...jk->...ik", [(2, 3), (5, 3, 2)]), ("...,...->...", [(2, 1), (3,)])])
def test_harder_einsums(form, shapes):
    xs = [array(*shape) for shape in shapes]
    expected = np.einsum(form, *xs)
    same(cnp.einsum(form, *xs), expected)
    for optimize in (False, "greedy", "optimal"):
        same(cnp.einsum(form, *xs, optimize=optimize), expected)


def test_lists_of_labels():
    a, b, t = array(2, 3), array(3, 4), array(5, 2, 3)
    same(cnp.einsum(a, [0, 1], b, [1, 2], [0, 2]), np.einsum(a, [0, 1], b, [1, 2], [0, 2]))
    same(cnp.einsum(a, [7, 30], b, [30, 2]), np.einsum(a, [7, 30], b, [30, 2]))
    same(cnp.einsum(t, [..., 1], b, [1, 2], [..., 2]), np.einsum(t, [..., 1], b, [1, 2], [..., 2]))
    with pytest.raises(ValueError, match="labels from 0"):
        cnp.einsum(a, [0, 99])


def test_dtypes_and_paths():
    a, b, c = array(2, 30), array(30, 3), array(3, 20)
    assert cnp.einsum("ij,jk", a, b, dtype="float32").dtype == np.float32
    assert cnp.matmul(a.astype("float32"), b.astype("float32"), preferred_element_type="float64").dtype == np.float64
    for f in (cnp.dot, cnp.inner, cnp.vdot, cnp.tensordot):
        assert f(a, a.T if f is cnp.dot else a, preferred_element_type="float32").dtype == np.float32
    assert cnp.vecdot(a, a, dtype="complex128").dtype == np.complex128
    assert cnp.trace(np.ones((2, 2), bool)).dtype == np.trace(np.ones((2, 2), bool)).dtype
    path = np.einsum_path("ij,jk,kl->il", a, b, c, optimize="optimal")[0]
    assert cnp.einsum_path("ij,jk,kl->il", a, b, c, optimize="optimal")[0] == path
    same(cnp.einsum("ij,jk,kl->il", a, b, c, optimize=path), a @ b @ c)
    same(cnp.einsum("ij,jk,kl->il", a, b, c, optimize=["einsum_path", (1, 2), (0, 1)]), a @ b @ c)


def test_products_of_more_than_two_are_taken_in_a_cheap_order():
    """A matrix chain with a thin end: no 200 x 200 matrix is in between in the right order."""
    a, b, v = np.ones((200, 200)), np.ones((200, 200)), np.ones((200, 1))
    program = str(make_jaxpr(lambda a, b, v: cnp.einsum("ij,jk,kl->il", a, b, v))(a, b, v))
    assert "f64[200,200]\n" not in program and program.count("dot_general") == 2
    assert "f64[200,200] = dot_general" not in program




def test_gradients_of_einsum_are_those_of_its_formula():
    a, b, c = array(2, 3), array(3, 4), array(4)
    found = grad(lambda a, b, c: cnp.einsum("ij,jk,k->", a, b, c), argnums=(0, 1, 2))(a, b, c)
    for f, e in zip(found, (np.outer(np.ones(2), b @ c), np.outer(a.sum(0), c), a.sum(0) @ b)):
        np.testing.assert_allclose(f, e, rtol=1e-13)
    np.testing.assert_allclose(grad(lambda a: cnp.einsum("ii->", a))(np.ones((3, 3))), np.eye(3))


@pytest.mark.parametrize("call", [
    lambda: cnp.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((4, 2))), lambda: cnp.einsum("ij", np.ones(2)),
    lambda: cnp.einsum("ij,j->i", np.ones((2, 2))), lambda: cnp.einsum("ii->i", np.ones((2, 3))),
    lambda: cnp.einsum("ij->ik", np.ones((2, 2))), lambda: cnp.einsum("ij->ii", np.ones((2, 2))),
    lambda: cnp.einsum("...i->i", np.ones((2, 2))), lambda: cnp.einsum("...ij", np.ones(2)),
    lambda: cnp.vecdot(np.ones(2), np.ones(3)), lambda: cnp.vecdot(1.0, np.ones(3)),
    lambda: cnp.tensordot(np.ones((2, 2)), np.ones((2, 2)), 3), lambda: cnp.matmul(1.0, np.ones(2)),
    lambda: cnp.tensordot(np.ones((2, 2)), np.ones((2, 2)), ([0, 1], [0])), lambda: cnp.vdot(np.ones(2), np.ones(3)),
    lambda: cnp.matvec(np.ones((2, 3)), np.ones(2))])
def test_what_does_not_fit_raises(call):
    with pytest.raises(ShapeError):
        call()


def test_subscripts_that_are_not_letters_are_refused():
    for subscripts in ("i1->i", "i.j", "ij->->"):
        with pytest.raises(ValueError):
            cnp.einsum(subscripts, np.ones((2, 2)))
