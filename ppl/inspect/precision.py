"""What float32 does to the known numbers of a site: 24 bits, from 1.2e-38 to 3.4e38."""
import numpy as onp

from .walk import Fact

SHARE = 1e-3                   # of a scale or a spread: steps of float32 larger than that blur the density
LIMITS = onp.finfo(onp.float32)


def in_float32(node, fn, value):
    """Texts on the parameters of a site and on its data, whose leaves are Facts."""
    for name, x in _numbers(fn).items():
        size = onp.abs(x[x != 0])
        if size.size and onp.isfinite(size).all() and (size.max() > LIMITS.max or size.min() < LIMITS.tiny):
            yield (f"{name} has values from {size.min():g} to {size.max():g} in size, and float32 holds "
                   f"{LIMITS.tiny:.2g} to {LIMITS.max:.2g}.\nRescale the model, or keep to float64.")
    known = _numbers(fn)
    if "loc" in known and "scale" in known:
        step, scale = step_at(known["loc"]), float(known["scale"].min(initial=onp.inf))
        if step > SHARE * scale:
            yield _text(f"loc is {_size(known['loc']):g} and scale {scale:g}", step, "Subtract the offset.")
    y = None if value is None else value.rows if value.number is None else value.number
    if y is not None and node.observed:
        yield from _data(onp.asarray(y), node.fn.is_discrete)


def _data(y, is_discrete):
    y = y[onp.isfinite(y)] if y.dtype.kind == "f" else y
    if not y.size or y.dtype.kind not in "fiu":
        return
    if is_discrete:
        if _size(y) > 2 ** 24:
            yield _text(f"the data reach {_size(y):g}", step_at(y), "Count in larger units.")
    elif y.std() > 0 and step_at(y) > SHARE * y.std():
        yield _text(f"the data reach {_size(y):g} and spread by {y.std():.3g}", step_at(y),
                    "Subtract an offset from the data, and rescale them.")


def _text(what, step, advice):
    return (f"{what}; float32 has steps of {step:.2g} there and does not tell the values apart.\n"
            f"{advice} Or keep to float64.")


def _numbers(fn):
    """{name: array} of the parameters that are known numbers."""
    facts = {f.name: getattr(fn, f.name) for f in fn._params}
    known = {name: onp.asarray(f.number) for name, f in facts.items() if isinstance(f, Fact) and f.number is not None}
    return {name: x for name, x in known.items() if x.dtype.kind in "fiu" and x.size}


def _size(x):
    return float(onp.abs(onp.asarray(x, float)).max())


def step_at(x):
    """The distance from the largest of the numbers to the next one of float32."""
    return float(onp.spacing(onp.float32(min(_size(x), float(LIMITS.max)))))
