"""All latent sites of a model through one bijection that was trained beforehand."""
import math

from ...distributions import Distribution, biject_to, constraints
from ...distributions.distribution import sum_rightmost
from ...distributions.record import child, static
from ...distributions.transforms import Transform
from ...engine import numpy as np
from ...engine import random
from ..handlers.base import Handler
from ..sites import SiteError
from ..statements import sample


class Warped(Distribution):
    """The vector z of ℝⁿ whose image T(z) has density 1: log p(z) = log |det dT/dz|. Draws, to start, are N(0, I)."""
    transform: Transform = child()
    size: int = static()

    def __init__(self, transform, size, *, validate_args=None):
        self._bind((transform, size), {})

    batch_shape = property(lambda self: ())
    event_shape = property(lambda self: (self.size,))
    support = property(lambda self: constraints.real_vector)

    def sample(self, key, sample_shape=()):
        return random.normal(key, self.shape(sample_shape))

    def log_prob(self, value):
        return self.transform.log_abs_det_jacobian(value, self.transform(value))


class NeuTraReparam:
    """The latent sites of a model as functions of one vector: x = S(T(z)), T trained, S the bijections of the supports.

    guide : an object with
        get_transform(params)   the bijection T of ℝⁿ
        prototype_trace         what `trace` makes of the model: its latent sites, in this order, ravelled and in
                                unconstrained form, are the n numbers
        prefix                  (optional) a name, "auto" unless given
    params : what get_transform takes

    `reparam(model)` is the model in z, the site {prefix}_shared_latent; the sites are deterministic under their own
    names, so that samples hold them, and each has a factor _{name}_log_prob. The joint density is that of the model at
    x times |det dS/dT| |det dT/dz|. Near a T that fits the posterior, that of z is near N(0, I), whatever the shape of
    the posterior. Draws of z by `seed` are N(0, I), not the prior.
    Source: Hoffman et al. (2019), "NeuTra-lizing bad geometry in Hamiltonian Monte Carlo using neural transport".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.distributions.transforms import LowerCholeskyAffine
    >>> from chainrule.ppl.handlers import seed, trace
    >>> def model():
    ...     cr.sample("x", dist.Normal(5.0, 0.1))
    >>> class Guide:
    ...     prototype_trace = trace(seed(model, 0)).get_trace()
    ...     def get_transform(self, params):
    ...         return LowerCholeskyAffine(params["loc"], params["scale_tril"])
    >>> neutra = NeuTraReparam(Guide(), {"loc": [5.0], "scale_tril": [[0.1]]})
    >>> list(trace(seed(neutra.reparam(model), 0)).get_trace())
    ['auto_shared_latent', '_x_log_prob', 'x']
    >>> neutra.transform_sample([0.0])
    {'x': Array(5.)}
    """

    def __init__(self, guide, params):
        for name in ("get_transform", "prototype_trace"):
            if not hasattr(guide, name):
                raise TypeError(f"NeuTraReparam needs a guide with {name}; {type(guide).__name__} has none.")
        self.guide, self.params = guide, params
        self.transform = guide.get_transform(params)
        self.name = f"{getattr(guide, 'prefix', 'auto')}_shared_latent"
        latent = {name: s for name, s in guide.prototype_trace.items()
                  if s["type"] == "sample" and not s["is_observed"]}
        whole = [name for name, s in latent.items() if s["fn"].is_discrete]
        if whole:
            raise ValueError(f"NeuTraReparam: site {whole[0]!r} of the guide has integers: no bijection leads there.")
        self.supports = {name: biject_to(s["fn"].support) for name, s in latent.items()}
        self.shapes = {name: tuple(self.supports[name].inverse_shape(np.shape(s["value"])))
                       for name, s in latent.items()}
        self.size = sum(map(math.prod, self.shapes.values()))

    def reparam(self, fn=None):
        """The model with its latent sites made of the shared one; without a model, a context."""
        return _Shared(fn, self)

    def unpack(self, x):
        """{site: unconstrained value} of vectors [*, n]."""
        out, at, lead = {}, 0, np.shape(x)[:-1]
        for name, shape in self.shapes.items():
            n = math.prod(shape)
            out[name] = np.reshape(x[..., at:at + n], (*lead, *shape))
            at += n
        return out

    def transform_sample(self, latent):
        """{site: values} at vectors z [*, n], by the supports of the guide's trace. Where a support depends on other
        sites, take the values that the samples hold under the sites' names instead."""
        x = self.unpack(self.transform(np.asarray(latent)))
        return {name: self.supports[name](value) for name, value in x.items()}


class _Shared(Handler):
    """Draw the shared vector first, then give each site its part."""

    def __init__(self, fn, neutra):
        super().__init__(fn)
        self.neutra = neutra

    def start(self):
        neutra = self.neutra
        x = neutra.transform(sample(self.neutra.name, Warped(neutra.transform, neutra.size)))
        if x.shape != (neutra.size,):
            raise SiteError(f"NeuTraReparam: the guide's latent sites have {neutra.size} unconstrained numbers, and "
                            f"its transform makes shape {x.shape} of them.")
        self.values = neutra.unpack(x)

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        if site.kind != "sample" or site.name not in self.values or site.observed:
            return self.next(site)
        if site.value is not None:
            raise site.error(f"site {site.name!r} has a value already, and NeuTraReparam gives it one.\nPut handlers "
                             "that give values around the reparameterised model.")
        t = biject_to(site.fn.support)
        z = self.values[site.name]
        want = tuple(t.inverse_shape(site.fn.shape()))
        if z.shape != want:
            raise site.error(f"site {site.name!r} takes unconstrained values of shape {want}; the guide's have shape "
                             f"{z.shape}.\nThe guide must be trained for the same model and the same data shapes.")
        x = t(z)
        stretch = t.log_abs_det_jacobian(z, x)
        term = site.replace(value=x).log_prob() + sum_rightmost(stretch, stretch.ndim - len(site.fn.batch_shape))
        name = f"_{site.name}_log_prob"
        self.next(site.replace(kind="factor", name=name, fn=None, value=term, mask=None, scale=None))
        n = len(site.fn.event_shape)
        plates = tuple([f if f.dim is None else f._replace(dim=f.dim - n) for f in site.plates])
        return self.next(site.replace(kind="deterministic", fn=None, value=x, mask=None, scale=None, plates=plates,
                                      infer={"reparam": "NeuTraReparam"}))
