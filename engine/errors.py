"""Every exception the engine raises, and the way to the user's own line.

Each message has three parts: what happened (with names, shapes and the argument), why that cannot
be, and what to write instead. Messages end with the user's own line where there is one.
"""
import linecache
import os
import sys

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PACKAGE_REAL = os.path.dirname(os.path.dirname(os.path.realpath(__file__))) + os.sep
_OURS = tuple(root + part + os.sep for root in {_PACKAGE, _PACKAGE_REAL}
              for part in ("engine", "distributions", "ppl", "inference"))
_IS_OURS: dict = {}


def _is_ours(filename):
    known = _IS_OURS.get(filename)
    if known is None:
        known = (filename.startswith(_OURS) or filename.startswith("<frozen")
                 or filename.endswith((os.sep + "functools.py", os.sep + "contextlib.py")))
        _IS_OURS[filename] = known
    return known


def user_location():
    """(code, line number) of the innermost frame outside the library, or None."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not _is_ours(code.co_filename):
            return code, frame.f_lineno
        frame = frame.f_back
    return None


def describe_location(location):
    """'file.py:12, in f: the source text', or '' when the location is not known."""
    if location is None:
        return ""
    code, line = location
    text = linecache.getline(code.co_filename, line).strip()
    where = f"{os.path.basename(code.co_filename)}:{line}, in {code.co_name}"
    return f"{where}: {text}" if text else where


def at_user_line(message, location=None):
    """`message` with the user's own line under it."""
    where = describe_location(location or user_location())
    return f"{message}\n  at {where}" if where else message


class ChainruleError(Exception):
    """Base of all errors of this library; the text names the user's own line."""

    def __init__(self, message, location=None):
        super().__init__(at_user_line(message, location))


class ShapeError(ChainruleError, ValueError):
    """Shapes that do not fit.

        np.ones(3) + np.ones(4)      # fails: (3,) and (4,) do not broadcast
        np.ones((3, 1)) + np.ones(4) # works: (3, 4)
    """


class AxisError(ShapeError, IndexError):
    """An axis that the array does not have.

        np.sum(np.ones((2, 3)), axis=2)  # fails: the axes are 0 and 1
        np.sum(np.ones((2, 3)), axis=-1) # works
    """


class DtypeError(ChainruleError, TypeError):
    """A dtype, or a type of argument, that the operation does not take."""


class ConcretizationError(ChainruleError, TypeError):
    """Python asked for the number in a traced value: `if x > 0`, `float(x)`, `range(n)`.

        jit(lambda x: x if x > 0 else -x)(1.0)       # fails: the value is not known while tracing
        jit(lambda x: np.where(x > 0, x, -x))(1.0)   # works; `cond` and `while_loop` do too
    """


class ImmutableError(ChainruleError, TypeError):
    """An in-place write to an array.

        x[0] = 5           # fails: arrays are immutable
        x = x.at[0].set(5) # works: a new array
    """


class LeakedTracerError(ChainruleError, TypeError):
    """A traced value was used after the transformation that made it had ended.

        kept = []
        jit(lambda x: kept.append(x) or x)(1.0)
        kept[0] + 1        # fails: return the value from the function instead
    """


class IndexOutOfRange(ChainruleError, IndexError):
    """An index that is known while tracing lies outside of its axis, or there are too many of them."""


class MissingRule(ChainruleError, NotImplementedError):
    """A primitive has no rule for the transformation that met it."""


class TreeError(ChainruleError, ValueError):
    """Two pytrees that should have the same structure do not."""


class TransformError(ChainruleError, ValueError):
    """A transformation was asked for what it cannot do (`grad` of a vector, `in_axes` out of range)."""


class PlacementError(ChainruleError, ValueError):
    """Arrays or meshes that lie on different devices in one operation, or a device that is not there."""


class RetraceError(ChainruleError, RuntimeError):
    """A function was traced again inside of `no_retrace()`.

        f = jit(lambda x: x * 2)
        f(np.ones(3))
        with no_retrace():
            f(np.ones(3))  # works: its program is there
            f(np.ones(4))  # fails: another shape is another program
    """


class ExportError(ChainruleError, ValueError):
    """A program could not be exported, loaded or called after it was loaded."""


class ParameterError(ChainruleError, ValueError):
    """A parameter of a distribution, constraint or transform that cannot be.

        Normal(0.0, -1.0)         # fails: the scale must be positive
        Normal(0.0, np.exp(-1.0)) # works
    """


class NanError(ChainruleError, FloatingPointError):
    """An operation made a nan while `config.debug_nans` was on."""
