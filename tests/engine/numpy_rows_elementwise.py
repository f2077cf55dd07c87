"""Rows of NumPy's element-wise functions."""
import numpy as np

from tests.engine.numpy_rows import ANY, BOOL, FLOAT, INTEGER, NUMBER, reduction, ufunc

ROWS = [
    ufunc("exp", FLOAT()),
    ufunc("add", ANY(), ANY()),
    ufunc("multiply", ANY(), ANY()),
    ufunc("divide", NUMBER(0.5, 3), NUMBER(1, 3)),
    ufunc("bitwise_and", INTEGER(), INTEGER()),
    ufunc("logical_and", BOOL(), NUMBER(), grad=()),
    reduction("sum", ANY(), {"dtype": [np.float64]}),
    reduction("max", NUMBER()),
]
