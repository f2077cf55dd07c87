"""What linear algebra calls on a CUDA device: the text alone, there is no device here. Targets and attributes are those
that the CUDA plugin of jaxlib registers; these programs compile for an H100, in float64 and complex128."""
import re

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import make_jaxpr
from chainrule.engine.errors import TransformError
from chainrule.engine.interpreters.lower import lower
from chainrule.engine.ops.qr import geqrf_p, ormqr_p

A, TALL, WIDE = np.ones((2, 4, 4)), np.ones((2, 5, 3)), np.ones((2, 3, 5))
BIG = np.ones((3, 1100))
COLUMNS = "dense<[1, 2, 0]> : tensor<3xindex>"

ROWS = {
    "cholesky": (cnp.linalg.cholesky, A, ["cusolver_potrf_ffi"], "{lower = true}"),
    "solve": (lambda a: cnp.linalg.solve(a, a), A, ["cusolver_getrf_ffi", "cu_lu_pivots_to_permutation"], "{}"),
    "slogdet": (lambda a: tuple(cnp.linalg.slogdet(a)), A, ["cusolver_getrf_ffi", "cu_lu_pivots_to_permutation"],
                "{}"),
    "qr": (lambda a: tuple(cnp.linalg.qr(a)), TALL, ["cusolver_geqrf_ffi", "cusolver_orgqr_ffi"], "{}"),
    "ormqr": (lambda a: ormqr_p.bind(*geqrf_p.bind(a), a, left=True, adjoint=False), A,
              ["cusolver_geqrf_ffi", "cusolver_ormqr_ffi"], "{left = true, transpose = false}"),
    "eigh": (lambda a: tuple(cnp.linalg.eigh(a)), A, ["cusolver_syevd_ffi"], "{algorithm = 0 : ui8, lower = true}"),
    "svd": (lambda a: tuple(cnp.linalg.svd(a)), WIDE, ["cusolver_gesvdj_ffi"],
            "{full_matrices = true, compute_uv = true}"),
    "svdvals": (cnp.linalg.svdvals, TALL, ["cusolver_gesvdj_ffi"], "{full_matrices = true, compute_uv = false}"),
    "svd of a large matrix": (lambda a: tuple(cnp.linalg.svd(a, full_matrices=False)), BIG, ["cusolver_gesvd_ffi"],
                              "{full_matrices = false, compute_uv = true, transposed = false}"),
    "tridiagonal": (lambda a: csl.tridiagonal_solve(a[:, 0], a[:, 1], a[:, 2], a), A, ["cusparse_gtsv2_ffi"], "{}"),
}


@pytest.mark.parametrize("kind", ["float64", "complex64"])
@pytest.mark.parametrize("name", ROWS)
def test_a_factor_calls_the_library_of_the_device(name, kind):
    f, a, targets, attributes = ROWS[name]
    text, callbacks = lower(make_jaxpr(f)(a.astype(kind)), platform="cuda")
    assert re.findall(r'call_target_name = "(\w+)"', text) == targets and not callbacks
    assert f"backend_config = {attributes}" in text
    if a.ndim == 3:
        assert f"operand_layouts = [{COLUMNS}" in text or "gtsv2" in targets[0]


def test_triangular_systems_are_xlas_own_operation():
    text, _ = lower(make_jaxpr(lambda a: csl.solve_triangular(a, a, trans=1, unit_diagonal=True))(A), platform="cuda")
    assert "transpose_a = #stablehlo<transpose TRANSPOSE>" in text and "unit_diagonal = true" in text
    assert "custom_call" not in text


def test_on_the_cpu_it_is_lapack():
    text, _ = lower(make_jaxpr(lambda a: tuple(cnp.linalg.eigh(a)))(A))
    assert re.findall(r'call_target_name = "(\w+)"', text) == ["lapack_dsyevd_ffi"]


@pytest.mark.parametrize("f", [csl.schur, csl.hessenberg, cnp.linalg.eigvals], ids=["schur", "hessenberg", "eigvals"])
def test_what_the_device_has_no_routine_for_is_done_on_the_host(f):
    text, callbacks = lower(make_jaxpr(f)(A), platform="cuda")
    assert re.findall(r'call_target_name = "(\w+)"', text) == ["xla_ffi_python_gpu_callback"]
    assert len(callbacks) == 1
    with pytest.raises(TransformError, match="cannot call Python"):
        lower(make_jaxpr(f)(A), platform="tpu")
