"""Where a fit starts: the params of guide and model as their statements say, at draws with finite log-densities."""
import numpy as onp

from ...distributions import biject_to
from ...engine import numpy as np
from ...engine import random
from ...engine.avals import is_inexact
from ...engine.core import Tracer
from ...ppl.sites import SiteError

MAX_TRIES = 100


def first_params(pair, key, init_params):
    """({name: unconstrained value}, {name: set}) of the params of a guide and a model.

    init_params : {name: value} of those that start elsewhere
    """
    pair = pair._replace(constrained=True)
    for number in range(MAX_TRIES):
        sites, bad = _drawn(pair, random.fold_in(key, number), init_params)
        if bad is None:
            break
    else:
        raise bad.error(f"the log-density of site {bad.name!r} was not finite in {MAX_TRIES} draws of the guide at its "
                        "first params.\nStart elsewhere (init_params, or the guide's init_loc_fn), or check the data.")
    unknown = [name for name in init_params if name not in sites]
    if unknown:
        raise SiteError(f"init_params has a value for {unknown[0]!r}, and model and guide have no param of that name.\n"
                        f"Their params are: {', '.join(sites) or '(none)'}.")
    params = {name: biject_to(s.fn.support)._inverse(np.asarray(s.value)) for name, s in sites.items()}
    return params, {name: s.fn.support for name, s in sites.items()}


def _drawn(pair, key, init_params):
    """({name: Site} of the params, a site whose log-density is not finite or None)."""
    guide, model = pair.draw(key, {k: np.asarray(x) for k, x in init_params.items()})
    found = {}
    for name, site in [*guide.items(), *model.items()]:
        if site.kind != "param" or name in found:
            continue
        if not is_inexact(site.value.dtype):
            raise site.error(f"param {name!r} starts at {site.value!r:.60}, of dtype {site.value.dtype}: it cannot be "
                             "optimised.\nStart it at floating-point numbers.")
        found[name] = site
    for site in [*guide.values(), *model.values()]:
        if site.scored:
            lp = np.sum(site.log_prob())
            if not isinstance(lp, Tracer) and not onp.isfinite(onp.asarray(lp)):
                return found, site
    return found, None
