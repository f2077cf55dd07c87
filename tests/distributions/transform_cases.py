"""One row for each transform of numbers and vectors: how to make it, and points of its domain.

`free` says which elements of a result are free, where not all are: an index, "area" (the log-det is with respect to
surface area), or "coefficients" (complex results, some of which follow from others). `moves` says in which directions
an argument may move: any, or those of a "simplex", a "triangle", a "symmetric" matrix or a "correlation". Every law of
test_transforms.py holds for every row; `collected` adds the rows of matrices and of flows, from the files beside this.
"""
import dataclasses
import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule.distributions as dist
from chainrule.distributions import transforms as t

RNG = np.random.default_rng(0)


@dataclasses.dataclass
class Row:
    name: str
    make: Callable
    points: Any                          # [batch, *event], or a function that gives them
    free: Any = None
    moves: str | None = None
    bijective: bool = True
    loop: bool = False                   # a loop is compiled for it
    pieces: bool = False                 # its result is a list of arrays

    @property
    def x(self):
        return np.asarray(self.points, float)


LINE = [-9.0, -0.4, 0.5, 3.0]            # numbers
SOME = [0.1, 0.7, 1.0, 3.0]              # positive numbers
FOUR = [[0.3, -1.0, 2.0, 0.1], [0.0, 0.2, -4.0, 1.0]]
WIDE = RNG.normal(size=(2, 3, 4))
MATRIX = 0.5 * RNG.normal(size=(4, 4))
LOWER = np.tril(MATRIX) + 2.0 * np.eye(4)


SHARES = np.exp(FOUR) / np.exp(FOUR).sum(-1, keepdims=True)


CASES = [
    # ---- numbers ----
    Row("identity", t.IdentityTransform, LINE),
    Row("identity of matrices", lambda: t.IdentityTransform(2), WIDE),
    Row("exp", t.ExpTransform, LINE),
    Row("softplus", t.SoftplusTransform, [*LINE, 30.0]),
    Row("sigmoid", t.SigmoidTransform, LINE),
    Row("interval", lambda: t.IntervalTransform(-1.0, 3.0), LINE),
    Row("open interval", lambda: t.OpenIntervalTransform(-1.0, 3.0), LINE),
    Row("affine", lambda: t.AffineTransform(1.0, -2.0), LINE),
    Row("power", lambda: t.PowerTransform(-1.5), SOME),
    Row("abs", t.AbsTransform, SOME, bijective=False),
    Row("tanh", t.TanhTransform, [-4.0, -0.4, 0.5, 3.0]),
    Row("softsign", t.SoftsignTransform, LINE),
    Row("elu", lambda: t.ELUTransform(0.7), LINE),
    Row("leaky relu", lambda: t.LeakyReLUTransform(0.1), LINE),
    Row("expm1", t.Expm1Transform, LINE),
    Row("log1p", t.Log1pTransform, [-0.7, 0.1, 4.0]),
    Row("reciprocal", t.ReciprocalTransform, SOME),
    Row("positive power", lambda: t.PositivePowerTransform(2.5), LINE),
    Row("sinh arcsinh", lambda: t.SinhArcsinhTransform(0.3, 0.7), LINE),
    Row("soft clip", lambda: t.SoftClipTransform(-1.0, 2.0), [-4.0, -0.4, 0.5, 3.0]),
    Row("soft clip below", lambda: t.SoftClipTransform(-1.0, hinge_softness=0.5), [-4.0, -0.4, 0.5, 3.0]),
    Row("soft clip above", lambda: t.SoftClipTransform(high=1.0), LINE),
    Row("softfloor", lambda: t.SoftfloorTransform(0.3), [-2.7, -0.4, 0.25, 3.9]),
    Row("soft clip nowhere", t.SoftClipTransform, LINE),
    Row("distribution function", lambda: t.CDFTransform(dist.Normal(0.5, 2.0)), [-3.0, -0.4, 0.5, 3.0]),
    Row("distribution function on a half line", lambda: t.CDFTransform(dist.Exponential(0.5)), SOME),
    Row("spline", lambda: t.RationalQuadraticSplineTransform(
        np.array([0.5, 1.0, 0.5]), np.array([1.0, 0.6, 0.4]), np.array([0.5, 2.0])), [-1.5, -0.9, -0.2, 0.4, 0.8, 3.0]),
    Row("inverse", lambda: t.ExpTransform().inv, SOME),

    # ---- made of others ----
    Row("compose", lambda: t.ComposeTransform([t.AffineTransform(1.0, 0.5), t.ExpTransform()]), LINE),
    Row("independent", lambda: t.IndependentTransform(t.ExpTransform(), 1), FOUR),
    Row("a vector's, then a number's", lambda: t.ComposeTransform([t.OrderedTransform(), t.ExpTransform()]), FOUR),
    Row("cat", lambda: t.CatTransform([t.ExpTransform(), t.TanhTransform()], lengths=[1, 3]), [[2.0, 0.3, -1.0, 0.5]]),
    Row("cat of a simplex", lambda: t.CatTransform([t.ExpTransform(), t.StickBreakingTransform()], lengths=[1, 3]),
        FOUR, slice(0, -1)),
    Row("cat along rows", lambda: t.CatTransform([t.ExpTransform(), t.OrderedTransform()], -2, [1, 2]), WIDE),
    Row("stack", lambda: t.StackTransform([t.ExpTransform(), t.SoftplusTransform()]), [[0.3, -1.0], [2.0, 0.1]]),
    Row("stack of vectors", lambda: t.StackTransform([t.ExpTransform(), t.OrderedTransform()], -2), WIDE[:, :2]),

    # ---- vectors ----
    Row("stick breaking", t.StickBreakingTransform, FOUR, slice(0, -1)),
    Row("softmax", t.SoftmaxTransform, FOUR, bijective=False),
    Row("softmax centered", t.SoftmaxCenteredTransform, FOUR, slice(0, -1)),
    Row("isometric log ratios", t.IsometricLogRatioTransform, FOUR, slice(0, -1)),
    Row("simplex to ordered", lambda: t.SimplexToOrderedTransform(0.5), SHARES, moves="simplex"),
    Row("columns of a matrix", t.ColumnStochasticTransform, WIDE, slice(0, -1)),
    Row("ordered", t.OrderedTransform, FOUR),
    Row("positive ordered", t.PositiveOrderedTransform, FOUR),
    Row("partially ordered", lambda: t.PartiallyOrderedTransform(((2, 0), (0, 1), (3, 1))), FOUR),
    Row("l1 ball", t.L1BallTransform, [[0.3, -1.0, 2.0, 0.1], [0.4, 0.2, -3.0, 1.0]]),
    Row("sphere", t.StereographicTransform, FOUR, "area"),
    Row("normalize", t.NormalizeTransform, FOUR, bijective=False),
    Row("zero sum", t.ZeroSumTransform, FOUR, "area"),
    Row("zero sum of matrices", lambda: t.ZeroSumTransform(2), WIDE, "area"),
    Row("permute", lambda: t.PermuteTransform(np.array([2, 0, 3, 1])), FOUR),
    Row("reshape", lambda: t.ReshapeTransform((2, 6), (3, 4)), WIDE),
    Row("pad", lambda: t.PadTransform([(1, 2)], 0.7), FOUR, slice(1, 5)),
    Row("pad matrices", lambda: t.PadTransform(((1, 0), (2, 1))), WIDE, (slice(1, None), slice(2, -1))),
    Row("split", lambda: t.SplitTransform([1, 3]), FOUR, pieces=True),
    Row("split rows", lambda: t.SplitTransform(3, -2), WIDE, pieces=True),
    Row("cumsum", t.CumsumTransform, FOUR),
    Row("cumsum along rows", lambda: t.CumsumTransform(-2), WIDE),
    Row("complex", t.ComplexTransform, [[0.3, -1.0], [2.0, 0.1]], "coefficients"),
    Row("cosine", t.DiscreteCosineTransform, FOUR),
    Row("cosine along rows", lambda: t.DiscreteCosineTransform(-2), WIDE),
    Row("haar", t.HaarTransform, FOUR),
    Row("cosine, smooth", lambda: t.DiscreteCosineTransform(-2, 1.5), WIDE),
    Row("haar, flipped", lambda: t.HaarTransform(-1, True), FOUR),
    Row("exp of increasing vectors", lambda: t.ExpTransform(dist.constraints.ordered_vector), [[-1.0, 0.2, 0.9]]),
    Row("haar along rows", lambda: t.HaarTransform(-2), RNG.normal(size=(2, 7, 2))),
    Row("fourier, even", lambda: t.RealFastFourierTransform((4,)), FOUR, "coefficients"),
    Row("fourier, odd", lambda: t.RealFastFourierTransform(5), RNG.normal(size=(2, 5)), "coefficients"),
    Row("fourier of matrices", lambda: t.RealFastFourierTransform((3, 4)), WIDE, "coefficients"),
    Row("packed coefficients, even", lambda: t.PackRealFastFourierCoefficientsTransform(4), FOUR, "coefficients"),
    Row("packed coefficients, odd", lambda: t.PackRealFastFourierCoefficientsTransform((5,)),
        RNG.normal(size=(2, 5)), "coefficients"),
    Row("circulant, even", lambda: t.CirculantTransform(6), FOUR, slice(0, 4)),
    Row("circulant, odd", lambda: t.CirculantTransform(7), FOUR, slice(0, 4)),

    Row("unpack", lambda: t.UnpackTransform(lambda x: x.reshape((*x.shape[:-1], 2, 2)), lambda y: y.reshape((-1, 4))),
        FOUR),

    # ---- linear maps ----
    Row("diagonal matrix", lambda: t.ScaleMatvecDiagTransform(np.array([1.0, -2.0, 0.5, 3.0])), FOUR),
    Row("batch normalisation", lambda: t.BatchNormTransform(
        np.array([0.5, -1.0, 0.0, 2.0]), np.array([1.0, 0.2, 4.0, 0.1]), np.array([1.0, -2.0, 0.5, 1.0]), 0.3), FOUR),
    Row("triangular matrix", lambda: t.ScaleMatvecTriLTransform(LOWER), FOUR),
    Row("triangular matrices", lambda: t.ScaleMatvecTriLTransform(np.stack([LOWER, 2.0 * LOWER])), FOUR),
    Row("triangular affine", lambda: t.LowerCholeskyAffine(np.arange(4.0), LOWER), FOUR),
    Row("pieces of an LU", lambda: t.ScaleMatvecLUTransform(MATRIX + 2.0 * np.eye(4), np.array([2, 0, 3, 1])), FOUR),
    Row("channels", lambda: t.GeneralizedChannelPermuteTransform(MATRIX[:2, :2] + 2.0 * np.eye(2), [1, 0]),
        RNG.normal(size=(2, 2, 1, 3))),
    Row("matrix exponential", lambda: t.MatrixExponentialTransform(MATRIX), FOUR),
    Row("reflections", lambda: t.HouseholderTransform(MATRIX[:2]), FOUR),
    Row("recursion", lambda: t.RecursiveLinearTransform(MATRIX), WIDE, loop=True),
    Row("recursion from a start", lambda: t.RecursiveLinearTransform(MATRIX, np.arange(4.0)), WIDE, loop=True),
    Row("recursions side by side", lambda: t.RecursiveLinearTransform(np.stack([MATRIX, 0.5 * MATRIX])), WIDE,
        loop=True),
]


def collected():
    """The rows of this file and of the files transform_cases_*.py beside it."""
    stems = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("transform_cases_*.py"))
    return [*CASES, *[row for stem in stems for row in importlib.import_module(f"tests.distributions.{stem}").CASES]]
