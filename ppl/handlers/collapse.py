"""Integrating sites out by conjugacy."""
import difflib

from ...engine import numpy as np
from ...engine import tree
from .. import conjugacy, gaussian
from ..deferred import Deferred, Deferring
from ..sites import Arrays, Facts, Site, SiteError
from ..values import family

ADVICE = "Integrate other sites alone: collapse(model, sites=[...]) names those to integrate."
KNOWN = "Beta, Uniform(0, 1), Gamma, Exponential, InverseGamma, Dirichlet, Normal, MultivariateNormal"


class collapse(Deferring):
    """Integrate sites out of a model where the integral is known: collapse(model, sites=None).

    sites : the names of open sites to integrate; all of them unless given
    In place of a site and of the observations that depend on it stands the logarithm of their exact marginal density, a
    factor of the site's name. Pairs that are known, with any number of observations and sites of any shapes, joined by
    indexing, plates, vmap and (for normal means) any linear function:

        Beta, Uniform(0, 1)             probs of Bernoulli, Binomial, Geometric and NegativeBinomial
        Gamma, Exponential              rate of Poisson, Exponential, Gamma and InverseGamma, times any positive number;
                                        1 / sqrt of it scale of Normal; InverseGamma likewise for its reciprocal
        Dirichlet                       probs of Categorical, OneHotCategorical and Multinomial
        Normal, MultivariateNormal      loc of Normal and MultivariateNormal, of known scale; such priors in chains

    Masks and scales of the observations count. Within a scan, use it inside of the body. (In NumPyro values are
    funsors, all sites of the context are integrated, and a plate is the only way to join them.)
    Raises SiteError for a use that is not conjugate: it names both sites, the operation in between and its line.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     p = cr.sample("p", dist.Beta(2.0, 2.0))
    ...     cr.sample("y", dist.Binomial(10, p), obs=y)
    >>> total, tr = cr.log_density(collapse(model), (3,))
    >>> bool(abs(total - dist.BetaBinomial(2.0, 2.0, 10).log_prob(3)) < 1e-12), list(tr), tr["p"]["type"]
    (True, ['p'], 'factor')
    """

    def __init__(self, fn=None, sites=None):
        super().__init__(fn)
        if isinstance(sites, str):
            raise TypeError(f"collapse: sites is a list of names; write sites=[{sites!r}].")
        self.sites = None if sites is None else tuple(sites)

    def start(self):
        super().start()
        self.priors, self.uses, self.rows, self.names = {}, [], [], set()

    def meets(self, places):
        self.names.update(places)

    def site(self, site):
        self.names.add(site.name)
        return super().site(site)

    def defers(self, site):
        return self.sites is None or site.name in self.sites

    def defer(self, site):
        self._take(site)
        return super().defer(site)

    def _take(self, site):
        """Note the prior of a site that is left out."""
        if site.mask is not None or site.scale is not None:
            raise site.error(f"collapse: site {site.name!r} is masked or scaled, so its density is not one that can be "
                             f"integrated.\n{ADVICE}")
        rows = self._gaussian_use(site, site.name)
        if rows is not None:
            self.rows.append(rows)
            return
        prior = conjugacy.prior_of(site)
        if prior is None:
            raise self._not_conjugate(site) if self.mine(tree.leaves(site.fn)) else site.error(
                f"collapse: site {site.name!r} has the prior {family(site.fn)}, with which no integral is known; it is "
                f"with {KNOWN}.\n{ADVICE}")
        self.priors[site.name] = prior

    def use(self, site):
        if site.kind != "sample":
            root = min(self.mine(tree.leaves(site.arrays))[0].roots)
            raise site.error(f"collapse: {site.kind} {site.name!r} depends on site {root!r}, which is integrated out "
                             f"and has no value.\nTake the statement out, or integrate other sites alone: "
                             "collapse(model, sites=[...]).")
        if site.value is None and self.defers(site):
            return self.defer(site)
        if site.value is None or isinstance(site.value, Deferred) or self.inside:
            root = min(self.mine(tree.leaves(site.arrays))[0].roots)
            raise site.error(f"collapse: site {site.name!r} depends on site {root!r}, which is integrated out, and is "
                             f"not observed itself.\nCondition on it. {ADVICE}")
        use = self._gaussian_use(site) or conjugacy.use_of(site, self.priors)
        if use is None:
            raise self._not_conjugate(site)
        (self.rows if isinstance(use, gaussian.Rows) else self.uses).append(use)
        return [site.value, np.zeros(2, "uint32"), np.asarray(False)]

    def _gaussian_use(self, site, name=None):
        """The `Rows` of a site, or None where it is not a normal one whose mean is linear in normal sites."""
        rows = gaussian.rows_of(site, name)
        normal = {r.name for r in self.rows} | {name}
        return rows if rows is not None and rows.roots <= normal else None

    def _not_conjugate(self, site):
        """The error for a site whose distribution is not conjugate to the sites that it depends on."""
        p = conjugacy.parts(site)
        named = {f.name: getattr(p.family, f.name) for f in p.family._fields if f.kind != "static"}
        field, at = next((name, x) for name, x in named.items() if self.mine(tree.leaves(x)))
        at = self.mine(tree.leaves(at))[0]
        root = min(at.roots)
        prior = family(self.left_out[root].fn)
        through = f":\n  it goes through {at.blame}" if at.blame else "."
        return site.error(f"collapse: site {root!r} of {prior} cannot be integrated out: it is the {field} of site "
                          f"{site.name!r} of {family(site.fn)}, in a way that is not conjugate{through}\n{ADVICE}")

    def finish(self):
        unknown = [name for name in self.sites or () if name not in self.names]
        if unknown:
            near = difflib.get_close_matches(unknown[0], self.names, 1)
            raise SiteError(f"collapse: the model has no site named {unknown[0]!r}"
                            + (f"; did you mean {near[0]!r}?" if near else f"; its sites: {', '.join(self.names)}."))
        terms = conjugacy.log_marginals(self.priors, self.uses)
        for names, rows in gaussian.components(self.rows):
            first = next(name for name in self.left_out if name in names)
            terms[first] = terms.get(first, 0.0) + gaussian.log_marginal(rows)
        for name in self.left_out:
            if name in terms:
                facts = Facts("factor", name, False, (), (), self.left_out[name].source)
                Site(Arrays(None, np.asarray(terms[name]), None, None), facts).bind()
