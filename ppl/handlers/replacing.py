"""The handler that puts other sites in the place of a site.

A reparameterisation makes sites with the ordinary statements. They are bound in a world of their own (`_Place`), which
gives them the plates, the mask, the scale and the source line of the site that they replace. Where that site came from
a vmap, all of this happens for one lane inside of a vmap, so a reparameterisation never sees a stacked distribution.
"""
import difflib
from collections.abc import Mapping

from ...distributions import Vmapped
from ...engine import numpy as np
from ...engine import tree
from ...engine.core import world
from ..sites import SiteError
from .base import Handler
from .recording import message


class Unsuitable(ValueError):
    """Raised by a reparameterisation that cannot treat a distribution; `reparam` adds the site and its line."""


class reparam(Handler):
    """Put other sites in the place of latent sites: reparam(model, config={name: Reparam}).

    config : {site name: reparameterisation}, or a function from a site's record (the dict that `trace` shows, with the
        distribution of one lane where the site stands in vmap) to a reparameterisation or None
    The reparameterisations stand in `chainrule.inference.reparam`. Each draws sites with names of its own, e.g.
    x_decentered, and the site x becomes deterministic; its `infer` names the reparameterisation. The new sites have the
    plates, the mask and the scale of the old one. The config is asked about them too, so that reparameterisations can
    follow one another; where a function gives a new site one of the class that made it, the site stays as it is.

    A derivative taken inside of the model, around the site, is what it is without reparam: at a value that is given,
    the value is constant; a draw moves with the distribution's parameters.
    Raises SiteError for a name that the model does not have, and, with the site's line, for a site that is observed or
    whose distribution does not suit.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.inference.reparam import LocScaleReparam
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def model():
    ...     scale = cr.sample("scale", dist.LogNormal(0.0, 3.0))
    ...     cr.sample("x", dist.Normal(0.0, scale))
    >>> tr = trace(seed(reparam(model, {"x": LocScaleReparam(0.0)}), 0)).get_trace()
    >>> [(name, site["type"]) for name, site in tr.items()]
    [('scale', 'sample'), ('x_decentered', 'sample'), ('x', 'deterministic')]
    """

    def __init__(self, fn=None, config=None):
        super().__init__(fn)
        if not isinstance(config, Mapping) and not callable(config):
            raise TypeError("reparam needs config: {site name: reparameterisation}, or a function from a site's record "
                            f"to one; got {type(config).__name__}.")
        self.config = dict(config) if isinstance(config, Mapping) else config
        self.seen = set()

    def start(self):
        self.seen = set()

    def meets(self, places):
        self.seen.update(places)

    def site(self, site):
        return self.treat(site, ())

    def treat(self, site, classes):
        """One site; `classes` are those of the reparameterisations that it comes from."""
        self.seen.add(site.name)
        if site.kind != "sample" or isinstance(self.config, dict) and self.config.get(site.name) is None:
            return self.next(site)
        place = _Place(self, site, classes).fresh()
        with world(place):
            fn, value = _by_lane(place.one_lane, site.fn)
        out = self.next(place.result(fn, value))
        return out if place.draw is None else [out[0], *place.draw]

    def choose(self, site, classes):
        """The reparameterisation of a site, or None."""
        if isinstance(self.config, dict):
            chosen = self.config[site.name]
        else:
            chosen = self.config(message(site))
            if type(chosen) in classes:
                return None
        if chosen is not None and not callable(chosen):
            advice = "Call its reparam(model) instead." if hasattr(chosen, "reparam") else (
                "Take one from chainrule.inference.reparam.")
            raise site.error(f"reparam: the config gives site {site.name!r} a {type(chosen).__name__}, which does not "
                             f"treat single sites.\n{advice}")
        return chosen

    def finish(self):
        unknown = [k for k in self.config if k not in self.seen] if isinstance(self.config, dict) else []
        if unknown:
            near = difflib.get_close_matches(unknown[0], self.seen, 1)
            raise SiteError(f"reparam was given a reparameterisation for {unknown[0]!r}, and the model has no site of "
                            f"that name.\n{f'Did you mean {near[0]!r}? ' if near else ''}Its sites are: "
                            f"{', '.join(sorted(self.seen)) or '(none)'}.")


def _by_lane(f, fn):
    """f(fn), which gives (distribution or None, value or None); run for one lane where fn is stacked."""
    if type(fn) is not Vmapped:
        return f(fn)
    made, value = fn.lanes.each(lambda one: _by_lane(f, one))
    if made is not None:
        made = Vmapped(made, (True,) * len(tree.leaves(made)), fn.lanes.size)
    return made, value


class _Place(Handler):
    """Where a site is reparameterised: the sites that are made here get its plates, mask, scale and source line."""
    hides_plates = True
    context = "reparam"                                  # a program that is staged here has no plates in it

    def __init__(self, owner, site, classes):
        super().__init__()
        self.owner, self.old, self.classes, self.kept = owner, site, classes, False
        self.draw = None                                 # [key, drawn] of the new site, where it is the old one's draw

    def one_lane(self, fn):
        """What the reparameterisation makes of one lane's distribution."""
        old = self.old
        chosen = self.owner.choose(old.replace(fn=fn), self.classes)
        if chosen is None:
            self.kept = True
            return None, None
        if old.value is not None:
            raise old.error(f"site {old.name!r} is reparameterised and has a value already "
                            f"({'it is observed' if old.observed else 'a handler inside of reparam gave it one'}).\n"
                            "Only latent sites can be: leave it out of the config, or give the value to the new sites, "
                            "in a handler around reparam.")
        self.classes, self.same_draw = (*self.classes, type(chosen)), getattr(chosen, "same_draw", False)
        try:
            new, value = chosen(old.name, fn, None)
        except Unsuitable as e:
            raise old.error(f"site {old.name!r}: {e}") from None
        self.kept = new is fn and value is None
        return new, None if value is None else np.asarray(value)

    def result(self, fn, value):
        """The old site as the handlers outside see it."""
        old = self.old
        if self.kept:
            return old
        if fn is None and value is None:
            raise old.error(f"site {old.name!r}: {self.classes[-1].__name__} gave no distribution and no value.\n"
                            "A reparameterisation returns (None, value), or (distribution, None).")
        if value is not None and value.shape != old.fn.shape():
            raise old.error(f"site {old.name!r}: {self.classes[-1].__name__} gave a value of shape {value.shape}; the "
                            f"site has shape {old.fn.shape()}.")
        if fn is not None:
            return old.replace(fn=fn, value=value, observed=value is not None)
        n = len(old.fn.event_shape)                      # a deterministic site has batch axes alone
        plates = tuple([f if f.dim is None else f._replace(dim=f.dim - n) for f in old.plates])
        return old.replace(kind="deterministic", fn=None, value=value, mask=None, scale=None, plates=plates,
                           infer={"reparam": self.classes[-1].__name__})

    def site(self, site):
        out = self.owner.treat(self.placed(site), self.classes)
        if self.same_draw and site.kind == "sample":
            self.draw = out[1:]
        return out

    def placed(self, new):
        """A new site with the facts of the old one."""
        old = self.old
        new = new.replace(source=old.source)
        if new.kind not in ("sample", "factor", "deterministic"):
            return new
        lanes = sum(f.dim is None for f in old.plates)
        own = [f for f in new.plates if f.dim is None]
        axes = [f for f in new.plates if f.dim is not None]
        first = [f._replace(loops=f.loops + g.loops) for f, g in zip(old.plates, own[:lanes])]
        new = new.replace(plates=(*first, *own[lanes:], *old.plates[lanes:], *axes))
        if not new.scored:
            return new
        self._check(new)
        mask = old.mask if new.mask is None else new.mask if old.mask is None else np.logical_and(new.mask, old.mask)
        scale = old.scale if new.scale is None else new.scale if old.scale is None else new.scale * old.scale
        return new.replace(mask=mask, scale=scale, infer={**old.infer, **new.infer})

    def _check(self, new):
        old = self.old
        shape, batch = new.value.shape if new.fn is None else new.fn.batch_shape, old.fn.batch_shape
        bound = old.plates or old.mask is not None or old.scale is not None
        if bound and shape[:len(batch)] != batch:
            raise old.error(f"site {old.name!r}: {self.classes[-1].__name__} made site {new.name!r} with batch shape "
                            f"{tuple(shape)}; the site has {tuple(batch)}, from its plates, mask or scale.\n"
                            "Give the new site the same batch shape.")
