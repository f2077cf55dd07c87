"""Trigonometric and hyperbolic functions and real powers of matrices, by exponentials and logarithms."""
import operator

import numpy as np

from ..numpy.linalg import matrix_power, solve
from ..ops.complexes import imag, real
from ..ops.matrices import complex_dtype, square_matrix
from ..ops.structural import cast
from .matrix_functions import expm, logm

__all__ = ["cosm", "coshm", "fractional_matrix_power", "sinhm", "sinm", "tanhm", "tanm"]


def _turned(A, what):
    """(exp(iA), exp(-iA)); for a real A the second is not needed."""
    A = square_matrix(A, what, "A")
    turned = cast(A, complex_dtype(A.dtype)) * np.asarray(1j, complex_dtype(A.dtype))
    return (expm(turned), expm(-turned)) if A.dtype.kind == "c" else (expm(turned), None)


def cosm(A):
    """The matrix cosine (exp(iA) + exp(-iA)) / 2.   A : inexact[*batch, n, n]"""
    there, back = _turned(A, "cosm")
    return real(there) if back is None else (there + back) * np.asarray(0.5, there.dtype)


def sinm(A):
    """The matrix sine (exp(iA) - exp(-iA)) / 2i.   A : inexact[*batch, n, n]"""
    there, back = _turned(A, "sinm")
    return imag(there) if back is None else (there - back) * np.asarray(-0.5j, there.dtype)


def tanm(A):
    """The matrix tangent cos(A)⁻¹ sin(A).   A : inexact[*batch, n, n]"""
    return solve(cosm(A), sinm(A))


def coshm(A):
    """The hyperbolic cosine of matrices, (exp(A) + exp(-A)) / 2.   A : inexact[*batch, n, n]"""
    A = square_matrix(A, "coshm", "A")
    return (expm(A) + expm(-A)) * np.asarray(0.5, A.dtype)


def sinhm(A):
    """The hyperbolic sine of matrices, (exp(A) - exp(-A)) / 2.   A : inexact[*batch, n, n]"""
    A = square_matrix(A, "sinhm", "A")
    return (expm(A) - expm(-A)) * np.asarray(0.5, A.dtype)


def tanhm(A):
    """The hyperbolic tangent of matrices, cosh(A)⁻¹ sinh(A).   A : inexact[*batch, n, n]"""
    return solve(coshm(A), sinhm(A))


def fractional_matrix_power(A, t):
    """A to a real power: products for an integer t, else exp(t log A), complex.   A : inexact[*batch, n, n]"""
    if float(t).is_integer():
        return matrix_power(square_matrix(A, "fractional_matrix_power", "A"), operator.index(int(t)))
    A = logm(A)
    return expm(A * np.asarray(t, A.dtype))
