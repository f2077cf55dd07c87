"""What a saved run is of: version, settings, model and data, in a form that can be kept and compared.

A run that goes on must give the draws that it would have given, so all that they depend on has to be the same. Each
part is kept such that a difference can be named.
"""
import inspect
import json
import platform
import re
import sys
from importlib import metadata

import numpy as onp

from ..engine.array import Array
from ..engine.avals import default_float
from ..engine.tree import leaves_with_path
from ..engine.xla import default_device
from ..ppl.arguments import is_data, is_numbers
from .layout import StoreError, digest

_PLACES = re.compile(r"(, )?source=\(<code object .*?>, \d+\)|, line=<.*?>(?=\))|(?<=\w) at 0x[0-9a-f]+")


def identity(program, sampler, vectorized, args, kwargs, platform=None, **settings):
    """{part: {name: text}}, and the program's text: all that the draws depend on."""
    kernel = {f"{type(sampler).__name__}.{k}": text(v) for k, v in vars(sampler).items() if k != "model"}
    return {"version": versions(platform), "settings": {**{k: text(v) for k, v in settings.items()}, **kernel,
                                                 "vectorized": text(vectorized), "default_float": str(default_float())},
            "data": data_text(sampler.model, args, kwargs)}, program_text(program)


def versions(where=None):
    """{what: version or kind} of what computes.   where : the platform, unless it is the default one"""
    def version(package):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:            # run from a clone that was not installed
            return "unknown"
    return {"chainrule": version("chainrule"), "jaxlib": version("jaxlib"), "processor": platform.machine(),
            "platform": where or default_device().platform}


def text(x):
    """A value as text that is the same in another process; arrays by their digest."""
    if isinstance(x, Array | onp.ndarray | onp.generic):
        x = onp.asarray(x)
        return f"{x.dtype}{list(x.shape)}:{digest(onp.ascontiguousarray(x).tobytes())}"
    if isinstance(x, list | tuple):
        return f"[{', '.join(map(text, x))}]"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k!r}: {text(v)}' for k, v in x.items())}}}"
    if x is None or isinstance(x, bool | int | float | complex | str | bytes):
        return repr(x)
    return getattr(x, "__name__", None) or type(x).__name__


def data_text(model, args, kwargs):
    """{argument: its values as text} of a model's arguments, leaf by leaf."""
    try:
        bound = inspect.signature(model).bind(*args, **kwargs).arguments
        named = {**{k: v for k, v in bound.items() if k not in kwargs}, **kwargs}
    except (TypeError, ValueError):                      # it has no signature
        named = {**{str(i): v for i, v in enumerate(args)}, **kwargs}
    out = {}
    for name, value in named.items():
        for path, leaf in leaves_with_path(value, is_leaf=is_numbers):
            where = name + "".join(f"[{getattr(p, 'key', getattr(p, 'idx', p))!r}]" for p in path)
            out[where] = text(onp.asarray(leaf)) if is_data(leaf) else text(leaf)
    return out


def program_text(program):
    """The staged model as text, the same in another process, with digests of the arrays that it closes over."""
    with onp.printoptions(threshold=sys.maxsize, floatmode="unique"):
        lines = _PLACES.sub("", program.jaxpr.to_text()).splitlines()
    return "\n".join([*lines, *[f"closes over {text(onp.asarray(c))}" for c in program.consts]])


def check(path, there, here, model_there, model_here):
    """Raise StoreError, naming the first difference between the run on disk and what it is to go on with."""
    for part, what in {"version": "by another version", "settings": "with another setting",
                       "data": "on other data"}.items():
        a, b = there[part], here[part]
        for name in [*a, *[k for k in b if k not in a]]:
            if a.get(name) != b.get(name):
                raise StoreError(f"the run at {path} was made {what}: {name} is {_shown(a, name)} there and "
                                 f"{_shown(b, name)} here.\n"
                                 "Go on with what it was made with, or run anew at another path.")
    if model_there != model_here:
        a, b = model_there.splitlines(), model_here.splitlines()
        i = _first_difference(a, b)
        x, y = [lines[i].strip() if i < len(lines) else "(nothing)" for lines in (a, b)]
        at = max(0, _first_difference(x, y) - 100)       # what is before it, is left out
        line = lambda words: _clipped("…" * (at > 0) + words[at:])
        raise StoreError(f"the run at {path} was made of another model; its program differs at line {i + 1}:\n"
                         f"  there: {line(x)}\n  here:  {line(y)}\n"
                         "Go on with the model it was made of, or run anew at another path.")


def _first_difference(a, b):
    """The first index where two sequences differ."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def _shown(part, name):
    return _clipped(part[name]) if name in part else "not there"


def _clipped(words):
    return words if len(words) <= 200 else words[:197] + "…"


def canonical(x):
    """JSON of it, always the same."""
    return json.dumps(x, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
