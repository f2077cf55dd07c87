"""Calls of LAPACK on the CPU, and of cuSOLVER and cuSPARSE on a CUDA device, from lowering rules.

Also the care that a matrix with a nan or infinity in it gives nan, and neither an error nor an endless loop.
"""
import functools

import numpy as np

from ..avals import Aval
from ..errors import TransformError
from ..lazy import scipy_linalg
from .complexes import lower_conj
from .matrices import I32, PREFIX, real_dtype


@functools.lru_cache(256)
def scipy_lapack(name, dtype):
    """SciPy's routine of LAPACK for a dtype."""
    return scipy_linalg.get_lapack_funcs((name,), dtype=dtype)[0]


# ---- calls ----

def lapack(b, target, operands, outs, **attributes):
    """A call of a LAPACK routine by its name without the prefix; attributes as on the CPU, (text of the value).

    On a CUDA device the library's routine that does the same, from the table CUDA; on a TPU what XLA has, from TPU.
    """
    if b.platform == "cpu":
        return library_call(b, f"lapack_{PREFIX[operands[0].dtype.name]}{target}_ffi", operands, outs, attributes)
    rule = {"cuda": CUDA, "tpu": TPU}.get(b.platform, {}).get(target)
    if rule is None:
        raise TransformError(f"LAPACK's {target} has no counterpart on the platform {b.platform!r}; run this part on "
                             "the CPU.")
    return rule(b, operands, outs, attributes)


def on_host(b, impl, a, outs):
    """What no library of a device has: the operation's meaning in NumPy, on the host.   impl : a -> arrays like outs"""
    return b.callback(lambda a: tuple(map(np.ascontiguousarray, impl(a))), [a], outs, False)


def library_call(b, target, operands, outs, attributes, vectors=False):
    """A custom call: matrices column by column, leading axes are batch; with `vectors` there are no matrices."""
    rank = None if vectors else max([len(v.shape) for v in operands])

    def layout(aval):
        n = len(aval.shape)
        order = [n - 2, n - 1, *range(n - 3, -1, -1)] if n == rank else range(n - 1, -1, -1)
        return f"dense<[{', '.join(map(str, order))}]> : tensor<{n}xindex>" if n else "dense<> : tensor<0xindex>"

    config = ", ".join(f"{k} = {v}" for k, v in attributes.items())
    return b.emit_many(outs, f'"stablehlo.custom_call"({", ".join(v.name for v in operands)}) '
                             f'{{call_target_name = "{target}", '
                             f'api_version = 4 : i32, backend_config = {{{config}}}, operand_layouts = '
                             f'[{", ".join(layout(v.aval) for v in operands)}], '
                             f'result_layouts = [{", ".join(layout(a) for a in outs)}]}} : '
                             f'({", ".join(v.type for v in operands)}) -> ({", ".join(b.type_text(a) for a in outs)})')


# ---- CUDA ----

def _is(attributes, name, letter):
    return "true" if attributes[name].startswith(str(ord(letter))) else "false"


def _same(target, keep=()):
    """cuSOLVER's routine with the operands and results of LAPACK's."""
    return lambda b, operands, outs, attributes: library_call(
        b, f"cusolver_{target}_ffi", operands, outs, {name: attributes[name] for name in keep})


def _potrf(b, operands, outs, attributes):
    return library_call(b, "cusolver_potrf_ffi", operands, outs, {"lower": _is(attributes, "uplo", "L")})


def _syevd(b, operands, outs, attributes):
    return library_call(b, "cusolver_syevd_ffi", operands, outs,
                        {"algorithm": "0 : ui8", "lower": _is(attributes, "uplo", "L")})


def _trsm(b, operands, outs, attributes):
    transpose = "TRANSPOSE" if _is(attributes, "trans_x", "T") == "true" else "NO_TRANSPOSE"
    return [b.op("stablehlo.triangular_solve", operands, outs[0],
                 f"left_side = true, lower = {_is(attributes, 'uplo', 'L')}, "
                 f"transpose_a = #stablehlo<transpose {transpose}>, unit_diagonal = {_is(attributes, 'diag', 'U')}")]


def _gesdd(b, operands, outs, attributes):
    """Jacobi's method up to 1024 rows and columns, which gives all vectors, and V where LAPACK gives V*; then
    gesvd, which wants m >= n."""
    a, s, u, vh, info = outs
    (m, n), lead, axes = a.shape[-2:], a.shape[:-2], len(a.shape)
    mode, swap = attributes["mode"], (*range(len(lead)), axes - 1, axes - 2)
    vectors = "false" if mode.startswith(str(ord("N"))) else "true"
    if max(m, n) <= 1024:
        wide = [Aval((*lead, m, m), a.dtype), Aval((*lead, n, n), a.dtype)]
        made = library_call(b, "cusolver_gesvdj_ffi", operands, [a, s, *wide, info],
                            {"full_matrices": "true", "compute_uv": vectors})
        right = b.transpose(made[3], swap)
        right = lower_conj(b, right) if a.dtype.kind == "c" else right
        return [made[0], made[1], b.slice(made[2], [0] * axes, u.shape), b.slice(right, [0] * axes, vh.shape), made[4]]
    flags = {"full_matrices": "true" if mode.startswith(str(ord("A"))) else "false", "compute_uv": vectors,
             "transposed": "false"}
    if m >= n:
        return library_call(b, "cusolver_gesvd_ffi", operands, outs, flags)
    flip = [Aval((*lead, x.shape[-1], x.shape[-2]), x.dtype) for x in (a, vh, u)]
    made = library_call(b, "cusolver_gesvd_ffi", [b.transpose(operands[0], swap)], [flip[0], s, *flip[1:], info], flags)
    return [operands[0], made[1], b.transpose(made[3], swap), b.transpose(made[2], swap), made[4]]


def _gtsv(b, operands, outs, attributes):
    """cuSPARSE's solver; it has no info, and what a singular matrix gives is what it finds."""
    made = library_call(b, "cusparse_gtsv2_ffi", operands, [outs[3]], {})[0]
    return [*operands[:3], made, b.constant(0, I32, outs[4].shape)]


CUDA = {
    "potrf": _potrf, "trsm": _trsm, "getrf": _same("getrf"), "geqrf": _same("geqrf"), "orgqr": _same("orgqr"),
    "ungqr": _same("orgqr"), "ormqr": _same("ormqr", ("left", "transpose")),
    "unmqr": _same("ormqr", ("left", "transpose")), "syevd": _syevd, "heevd": _syevd, "gesdd": _gesdd, "gtsv": _gtsv,
}


def _cholesky(b, operands, outs, attributes):
    """XLA's own; what is not positive definite gives nan, and needs no info."""
    lower = f"lower = {_is(attributes, 'uplo', 'L')}"
    return [b.op("stablehlo.cholesky", operands, outs[0], lower), b.constant(0, I32, outs[1].shape)]


TPU = {"potrf": _cholesky, "trsm": _trsm}


# ---- matrices that a routine cannot take ----

def lower_usable(b, a):
    """(a with zeros for the matrices that hold a nan or infinity, whether each does): LAPACK may fail at those."""
    parts = [a]
    if a.dtype.kind == "c":
        aval = Aval(a.shape, real_dtype(a.dtype))
        parts = [b.op("stablehlo.real", [a], aval), b.op("stablehlo.imag", [a], aval)]
    finite = None
    for part in parts:
        ok = b.op("stablehlo.is_finite", [part], Aval(a.shape, np.dtype(bool)))
        finite = ok if finite is None else b.op("stablehlo.and", [finite, ok], ok.aval)
    n = len(a.shape)
    finite = b.reduce("stablehlo.and", finite, True, [n - 2, n - 1])
    full = b.broadcast(finite, a.shape, range(n - 2))
    return b.select(full, a, b.like(a, 0)), b.op("stablehlo.not", [finite], finite.aval)


def lower_spoiled(b, outs, bad, info=None):
    """The results with nan for the matrices that are `bad` or whose `info` is not 0."""
    if info is not None:
        bad = b.op("stablehlo.or", [bad, b.compare("NE", info, b.like(info, 0))], bad.aval)
    return [b.select(b.broadcast(bad, x.shape, range(len(bad.shape))), b.like(x, np.nan), x) for x in outs]


def lower_identity(b, shape, dtype):
    """Ones on the diagonal of the last two axes."""
    i, j = (b.op("stablehlo.iota", [], Aval(shape, I32), f"iota_dimension = {len(shape) - k} : i64") for k in (2, 1))
    return b.convert(b.compare("EQ", i, j), dtype)
