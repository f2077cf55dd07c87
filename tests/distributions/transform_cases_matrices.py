"""Rows of the transforms of triangular, symmetric and positive definite matrices."""
import numpy as np

from chainrule.distributions import transforms as t
from tests.distributions.transform_cases import LOWER, Row

SIX = [[0.3, -1.0, 2.0, 0.1, 0.2, -0.4], [-0.2, 0.5, 0.4, -1.5, 1.2, 0.8]]
TRIANGLE, BELOW = np.tril_indices(3), np.tril_indices(4, -1)
TRIANGLE4, BELOW3 = np.tril_indices(4), np.tril_indices(3, -1)
FACTORS = np.stack([np.tril(LOWER), LOWER @ np.diag([1.0, 0.5, 2.0, 0.3])])
CORRELATION = np.linalg.cholesky(np.array([[1.0, 0.5, -0.2], [0.5, 1.0, 0.3], [-0.2, 0.3, 1.0]]))[None]


def gram(factors):
    return factors @ np.swapaxes(factors, -1, -2)


CASES = [
    Row("lower cholesky", t.LowerCholeskyTransform, SIX, TRIANGLE),
    Row("softplus lower cholesky", t.SoftplusLowerCholeskyTransform, SIX, TRIANGLE),
    Row("scaled unit lower cholesky", t.ScaledUnitLowerCholeskyTransform, SIX, TRIANGLE),
    Row("unit lower cholesky", t.UnitLowerCholeskyTransform, SIX, BELOW),
    Row("correlation cholesky", t.CorrCholeskyTransform, SIX, BELOW),
    Row("symmetric", t.SymmetricTransform, SIX, TRIANGLE),
    Row("fill triangular", t.FillTriangularTransform, SIX, TRIANGLE),
    Row("fill scale triangular", t.FillScaleTriLTransform, SIX, TRIANGLE),
    Row("fill scale triangular by exp", lambda: t.FillScaleTriLTransform(t.ExpTransform(), 0.5), SIX, TRIANGLE),
    Row("cholesky", t.CholeskyTransform, gram(FACTORS), TRIANGLE4, "symmetric"),
    Row("cholesky of a correlation", t.CorrMatrixCholeskyTransform, gram(CORRELATION), BELOW3, "correlation"),
    Row("outer product", t.CholeskyOuterProductTransform, FACTORS, TRIANGLE4, "triangle"),
    Row("inverse of a triangle", t.MatrixInverseTriLTransform, FACTORS, TRIANGLE4, "triangle"),
    Row("cholesky of the inverse", t.CholeskyToInvCholeskyTransform, FACTORS, TRIANGLE4, "triangle"),
    Row("positive definite", lambda: t.ComposeTransform([t.LowerCholeskyTransform(), t.CholeskyTransform().inv]),
        SIX, TRIANGLE),
]
