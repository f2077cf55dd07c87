"""One particle: a draw from the guide, and the model run at it.

Guide and model are staged programs, each run under one handler that gives the params their values, draws what is open
and records every site. A site of a loop or a branch comes out as one site (stacked over steps, joined over branches),
so an objective sees plain sites wherever they stand.
"""
from typing import Any, NamedTuple

from ...distributions import biject_to
from ...engine import random
from ...engine.lax import stop_gradient
from ...ppl.handlers import seed
from ...ppl.values import with_value
from .estimators import ENUMERATE, SCORE, STRAIGHT, core, estimator
from .straight_through import straight_through


class _Run(seed):
    """Draw what is open, and give the params their values.

    params : {name: point of ℝⁿ}, which a bijection takes into the param's set; with `constrained`, points of the set
    """

    def __init__(self, key, params, constrained=False):
        super().__init__(None, key)
        self.params, self.constrained = params, constrained

    def site(self, site):
        if site.kind != "param" or site.name not in self.params:
            return super().site(site)
        x = self.params[site.name]
        x = x if self.constrained else biject_to(site.fn.support)(x)
        return self.next(with_value(site, x, "the value given for the param", grows=False))


class GuideRun(_Run):
    """A guide drawn; a draw that has no pathwise derivative, or is not to have it, is a constant.

    forced : {name: value} of sites that are not drawn, by objectives that sum over their values; None for others
    """

    def __init__(self, key, params, constrained=False, forced=None):
        super().__init__(key, params, constrained)
        self.forced = forced

    def puts(self, names):
        return {k: v for k, v in (self.forced or {}).items() if k in names}

    def put(self, values):
        self.forced = {**self.forced, **values} if values else self.forced

    def site(self, site):
        if site.kind == "sample" and site.value is None:
            if site.name in (self.forced or {}):
                return self.next(with_value(site, self.forced[site.name], "the value summed over", grows=False))
            if estimator(site) == STRAIGHT:
                site = site.replace(fn=straight_through(site.fn))
        return super().site(site)

    def draw(self, site, key):
        how = estimator(site) if site.kind == "sample" else None
        if how == ENUMERATE and self.forced is None:
            raise site.error(f'site {site.name!r}: infer={{"grad": "enumerate"}} is for Trace_ELBO and '
                             "TraceMeanField_ELBO.\nTake one of them, or leave it out.")
        value = super().draw(site, key)
        return stop_gradient(value) if how == SCORE else value


class AtValues(_Run):
    """A program at given values of its latent sites and subsampled plates.

    straight : the names of sites whose values pass derivatives straight through
    strict : a latent site without a value is an error; otherwise it is drawn
    """
    strict = True

    def __init__(self, key, params, values, constrained=False, straight=frozenset()):
        super().__init__(key, params, constrained)
        self.values, self.straight = values, straight

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        if site.value is not None or site.kind not in ("sample", "plate"):
            return super().site(site)
        if site.name in self.values:
            if site.name in self.straight and not site.fn.has_rsample:
                site = site.replace(fn=straight_through(site.fn))
            return self.next(with_value(site, self.values[site.name], "the guide's value", grows=False))
        if site.kind == "sample" and self.strict:
            raise site.error(f"site {site.name!r} of the model is latent, and the guide has no site of that name.\n"
                             f"The guide has: {', '.join(sorted(self.values)) or '(none)'}. Give it a sample statement "
                             f"for {site.name!r}, or observe the site.")
        return super().site(site)


class Drawn(AtValues):
    """A program at given values, with what has none drawn."""
    strict = False


class Rescored(AtValues):
    """A guide at values drawn before. A Delta is drawn again: its value follows from the others."""
    strict = False

    def site(self, site):
        if site.kind == "sample" and site.value is None and core(site.fn) == "Delta":
            return _Run.site(self, site)
        return super().site(site)


class Particle(NamedTuple):
    """{name: Site} of the guide and of the model, all with values."""
    guide: dict
    model: dict


class Pair(NamedTuple):
    """A model and a guide, staged, with their data.

    constrained : params are given as points of their sets
    open : latent sites of the model that the guide lacks are drawn, in place of an error
    """
    model: Any
    data: list
    guide: Any
    guide_data: list
    constrained: bool = False
    open: bool = False

    def draw(self, key, params, forced=None, at=None):
        """A `Particle`; `forced` as for `GuideRun`.   at : guide's sites -> what stands for the model's; `at` unless
        given"""
        mine, others = random.split(key)
        guide = self.guide.record(GuideRun(mine, params, self.constrained, forced), self.guide_data)
        return Particle(guide, self.at(others, params, guide) if at is None else at(guide))

    def at(self, key, params, guide):
        """The model's sites at the guide's values."""
        kind = Drawn if self.open else AtValues
        model = self.model.record(kind(key, params, given(guide), self.constrained, straight_sites(guide)), self.data)
        self.check_names(guide, model)
        return model

    def check_names(self, guide, model):
        """Raise SiteError where a site of the guide is not in the model, {name: Site}."""
        for name, site in guide.items():
            if site.kind == "sample" and not site.observed and name not in model and not auxiliary(site):
                raise site.error(f"site {name!r} of the guide is not in the model, whose sites are: "
                                 f"{', '.join(k for k, s in model.items() if s.kind == 'sample') or '(none)'}.\n"
                                 "Check the name. A site that other sites of the guide are made of says so: "
                                 'sample(..., infer={"is_auxiliary": True}).')


def straight_sites(guide):
    """The names of the guide's sites whose draws pass derivatives straight through."""
    return frozenset(k for k, s in guide.items() if s.infer.get("grad") == STRAIGHT)


def given(guide):
    """{name: value} of what the guide draws for the model."""
    return {name: s.value for name, s in guide.items() if s.kind in ("sample", "plate") and not s.observed}


def auxiliary(site):
    """Whether a site of the guide stands for none of the model's."""
    return bool(site.infer.get("is_auxiliary"))
