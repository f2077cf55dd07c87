"""Rows of the Fourier transforms: complex numbers go in and come out as their real and imaginary parts."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops.complexes import complex_p
from chainrule.engine.ops.fft import fft
from tests.engine.cases import Case

RNG = np.random.default_rng(8)
X = RNG.normal(size=(2, 5, 6))
Y = RNG.normal(size=(2, 5, 6))
HALF = RNG.normal(size=(2, 5, 4))
OTHER = RNG.normal(size=(2, 5, 4))


def parts(z):
    return z.real, z.imag


def row(kind, lengths, *args, name):
    """A transform of trailing axes, against NumPy's."""
    reference = {"FFT": np.fft.fftn, "IFFT": np.fft.ifftn, "RFFT": np.fft.rfftn, "IRFFT": np.fft.irfftn}[kind]
    axes = tuple(range(-len(lengths), 0))

    def ours(x, y=None):
        z = fft(cnp.asarray(x) if y is None else complex_p.bind(cnp.asarray(x), cnp.asarray(y)), kind, lengths)
        return z if kind == "IRFFT" else parts(z)

    def numpys(x, y=None):
        z = reference(x if y is None else x + 1j * y, lengths, axes)
        return z if kind == "IRFFT" else parts(z)
    return Case(ours, "fft", numpys, args=args, name=f"fft-{name}", ulps=16)


CASES = [
    row("FFT", (6,), X, Y, name="forward"),
    row("IFFT", (5, 6), X, Y, name="inverse-2d"),
    row("FFT", (2, 5, 6), X, Y, name="forward-3d"),
    row("RFFT", (6,), X, name="real-even"),
    row("RFFT", (5,), X[..., :5], name="real-odd"),
    row("RFFT", (5, 6), X, name="real-2d"),
    row("IRFFT", (6,), HALF, OTHER, name="to-real-even"),
    row("IRFFT", (7,), HALF, OTHER, name="to-real-odd"),
    row("IRFFT", (2, 5, 7), HALF, OTHER, name="to-real-3d"),
]
