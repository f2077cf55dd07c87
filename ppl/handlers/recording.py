"""Recording the sites of a model."""
from collections import OrderedDict

from ...engine.core import world
from ..sites import SCORED, check_plates, repeated
from .base import Handler


def message(site):
    """A site as the dict that NumPyro's traces hold."""
    return {"type": site.kind, "name": site.name, "fn": site.fn, "value": site.value, "is_observed": site.observed,
            "scale": site.scale, "mask": site.mask, "infer": site.infer, "cond_indep_stack": list(site.plates)}


class trace(Handler):
    """Record the sites: trace(model).get_trace(*args) is an ordered dict from name to site.

    Each entry has type, name, fn, value, is_observed, scale, mask, infer and cond_indep_stack. Sampled plates are
    entries too, prng_keys are not. Sites inside of vmap and
    scan are one entry with a leading axis. As a context it is itself such a dict: `with trace() as tr: model()`.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import seed
    >>> with trace() as tr, seed(rng_seed=0):
    ...     x = cr.sample("x", dist.Normal(0.0, 1.0))
    >>> tr["x"]["value"] is x
    True
    """

    kinds: tuple[str, ...] = (*SCORED, "deterministic", "param", "plate")

    def __init__(self, fn=None):
        super().__init__(fn)
        self.sites, self.plates = OrderedDict(), {}

    def start(self):
        self.sites, self.plates = OrderedDict(), {}

    def get_trace(self, *args, **kwargs):
        """Run the model and return the record."""
        if self.fn is None:
            raise TypeError("this trace has no model: write trace(model).get_trace(*args), "
                            "or `with trace() as tr:` and use tr itself.")
        use = self.fresh()
        with world(use):
            self.fn(*args, **kwargs)
        use.finish()
        return OrderedDict(use.items())

    def record(self, site):
        """Keep one site; a name may not repeat, but for a plate that is entered again."""
        if site.kind not in self.kinds:
            return
        if site.name in self.sites and not site.kind == self.sites[site.name].kind == "plate":
            raise repeated(site.name, site.source)
        check_plates(site.plates, self.plates)
        self.sites[site.name] = site

    def site(self, site):
        out = self.next(site)
        self.record(site.replace(value=out[0]))
        return out

    def enter(self, index):
        inner = super().enter(index)
        inner.sites, inner.plates = OrderedDict(), {}
        return inner

    def __getitem__(self, name):
        return message(self.sites[name])

    def __contains__(self, name):
        return name in self.sites

    def __iter__(self):
        return iter(self.sites)

    def __len__(self):
        return len(self.sites)

    def keys(self):
        """The names, in the order of the statements."""
        return self.sites.keys()

    def items(self):
        """(name, record) pairs."""
        return [(name, message(s)) for name, s in self.sites.items()]

    def taken(self):
        return ({name: s.arrays for name, s in self.sites.items()}, {name: s.facts for name, s in self.sites.items()})

    def absorb(self, made, how):
        for site in how.sites(made):
            self.record(site)
