"""Why there is no start: the sites whose log-density, or its gradient, is not finite at a point."""
from typing import Any, NamedTuple

import numpy as onp

from ...distributions import Vmapped, biject_to
from ...distributions.wrappers import Wrapper
from ...engine import grad
from ...engine import numpy as np
from ...engine.errors import describe_location
from ..model import Points
from ..values import family

SHOWN = 5                            # sites in a message


class Blame(NamedTuple):
    """A site whose term is not finite at a point, or has a gradient that is not."""
    name: str
    site: Any                  # the Site
    log_density: Any           # [*batch]
    log_det: float             # of the bijection into its support; 0 of a site that is not latent
    gradient: dict             # {latent site: derivative of the term's sum}
    parameters: dict           # {name: array} of the distribution


def blame(program, z, data):
    """The guilty sites at an unconstrained point {latent: value}: those whose term is not finite, else those whose
    gradient is not."""
    z = {k: np.asarray(v) for k, v in z.items()}
    sites = program.record(Points(None, z, True), data)
    scored = {k: s for k, s in sites.items() if s.scored}
    guilty = [k for k, s in scored.items() if not onp.isfinite(_term(s, z))]
    gradients = {k: _gradient(program, k, z, data) for k in guilty[:SHOWN] or scored}
    guilty = guilty or [k for k in scored if not all(onp.isfinite(g).all() for g in gradients[k].values())]
    return [Blame(k, scored[k], onp.asarray(scored[k].log_prob()), float(_log_det(scored[k], z)),
                  gradients.get(k, {}), _parameters(scored[k].fn)) for k in guilty]


def _log_det(site, z):
    if site.name not in z:
        return 0.0
    return np.sum(biject_to(site.fn.support).log_abs_det_jacobian(z[site.name], site.value))


def _term(site, z):
    """What a site adds to the log-density of an unconstrained point."""
    return np.sum(site.log_prob()) + _log_det(site, z)


def _gradient(program, name, z, data):
    slope = grad(lambda z: _term(program.record(Points(None, z, True), data)[name], z))(z)
    return {k: onp.asarray(g) for k, g in slope.items()}


def _parameters(fn):
    """{name: array} of a distribution's own parameters; of vmapped ones, as they lie side by side."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    named = {k: getattr(fn, k) for k in getattr(fn, "arg_constraints", {})}
    return {k: onp.asarray(v) for k, v in named.items() if hasattr(v, "shape")}


def _broken(parameters):
    """The first parameter that is not finite, in words; or nothing."""
    for name, x in parameters.items():
        if x.dtype.kind == "f" and not onp.isfinite(x).all():
            return [f"its parameter {name} is {_first(x, ~onp.isfinite(x))}"]
    return []


def _first(x, where):
    """The first element of x where it says so, with its index."""
    x, where = onp.asarray(x), onp.broadcast_to(where, onp.shape(x))
    if not x.ndim:
        return f"{x.item():.6g}"
    at = onp.argwhere(where)[0] if where.any() else onp.zeros(x.ndim, int)
    return f"{x[tuple(at)].item():.6g} at {at.tolist()}"


def describe(guilty):
    """A paragraph for each guilty site: its value, log-density and gradient, and the user's line."""
    out = [_paragraph(b) for b in guilty[:SHOWN]]
    if len(guilty) > SHOWN:
        out.append(f"  … and {len(guilty) - SHOWN} more: {', '.join(repr(b.name) for b in guilty[SHOWN:])}.")
    return "\n".join(out)


def _paragraph(b):
    bad = ~onp.isfinite(b.log_density)
    at = tuple(onp.argwhere(bad)[0]) if bad.any() else None          # the element to look at, if there is one
    index = f" at {[int(i) for i in at]}" if at else ""
    value, density = onp.asarray(b.site.value), onp.asarray(b.log_density)
    parts = [f"value {_shown(value if at is None else value[at])}{index}",
             f"log-density {(density.sum() if at is None else density[at]).item():.6g}"]
    parts += [] if onp.isfinite(b.log_det) else [f"log-determinant of its bijection {b.log_det:.6g}"]
    steep = {k: g for k, g in b.gradient.items() if not onp.isfinite(g).all()}
    parts += [f"gradient {_first(g, ~onp.isfinite(g))} with respect to {k!r}" for k, g in list(steep.items())[:2]]
    parts += ["gradient finite"] if b.gradient and not steep else []
    text = "; ".join(parts + _broken(b.parameters))
    where = describe_location(b.site.source)
    return (f"  site {b.name!r} ({_kind(b, at)}, shape {tuple(value.shape)}): {text}"
            + (f"\n    at {where}" if where else ""))


def _kind(b, at):
    """What the site is: observed, its family, its parameters at the element to look at."""
    if b.site.kind == "factor":
        return "a factor"
    shape, shown = onp.shape(b.log_density), []
    for name, x in b.parameters.items():
        try:
            x = onp.broadcast_to(x, shape)
        except ValueError:                               # it has event axes
            continue
        if at is not None or x.ndim == 0:
            shown.append(f"{name}={x[at or ()].item():.6g}")
    return f"{'observed, ' if b.site.observed else ''}{family(b.site.fn)}" + (f"({', '.join(shown)})" if shown else "")


def _shown(x):
    if x.size == 1:
        return f"{x.item():.6g}"
    text = onp.array2string(x.ravel()[:3], precision=4, separator=", ")
    return f"{text[:-1]}, …]" if x.size > 3 else text


def no_start(what, program, z, data):
    """The text of the error for a model that has no start: `what` says how it was looked for, z is the last point."""
    guilty = blame(program, z, data)
    text = describe(guilty)
    if not guilty:
        text = "  each site's term and gradient is finite, and their sum is not: the numbers are too large."
    return (f"{what}: the log-density or its gradient is not finite.\nAt the last point:\n{text}\n{_advice(guilty)}")


def _advice(guilty):
    """What to do about it."""
    if any(_broken(b.parameters) for b in guilty):
        return "Keep the parameters finite: look for nan in the data, a division by zero, or an exp that overflows."
    if any(b.site.kind == "factor" and not onp.isfinite(b.log_density).all() for b in guilty):
        return ("Look for the logarithm of a number that is not positive, a division by zero, or an exp that "
                "overflows; or start elsewhere, with init_strategy=init_to_median or init_to_value.")
    if any(onp.isneginf(b.log_density).any() for b in guilty):
        return ("A log-density of -inf is a value that the support or the parameters rule out: start elsewhere, with "
                "init_strategy=init_to_median or init_to_value, or choose a prior that allows it.")
    return ("Write the model so that it is smooth there, or start elsewhere: init_strategy=init_to_median, "
            "init_to_value, or a smaller radius.")
