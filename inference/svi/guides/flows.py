"""Guides that push a normal vector through a normalising flow: z = T(ε), ε ~ N(0, I)."""
from ....distributions import Delta, Normal, constraints
from ....distributions.flows import (
    BlockNeuralAutoregressiveTransform,
    InverseAutoregressiveTransform,
    SplineCouplingTransform,
)
from ....distributions.transformed import TransformedDistribution
from ....distributions.transforms import AffineTransform, ComposeTransform, IndependentTransform, PermuteTransform
from ....engine import eval_shape, random, tree
from ....engine import numpy as np
from ....ppl.queries import init_to_uniform
from ....ppl.sites import SiteError
from ....ppl.statements import drawn_param, param, sample
from .base import AUXILIARY
from .joint import AutoContinuous


class AutoFlow(AutoContinuous):
    """Base of guides made of flows: a subclass writes `flow(key, n, i)`, the random start of the i-th of num_flows.

    Params: {prefix}_flow_{i}/{j}, the arrays of the i-th flow; {prefix}_loc and {prefix}_scale, float[n], which follow
    the flows: z = loc + scale T(ε). The draw of ε is the site _{prefix}_base, whose image is the site _{prefix}_latent:
    log q(z) = log N(ε) - log |det dT/dε| needs no inverse of T.
    """
    minimum = 1                                          # of the numbers of the latent sites

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, num_flows,
                 create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if not init_scale > 0:
            raise ValueError(f"init_scale must be positive; got {init_scale!r}.")
        if isinstance(num_flows, bool) or int(num_flows) != num_flows or num_flows < 1:
            raise ValueError(f"num_flows must be an integer of at least 1; got {num_flows!r}.")
        self.init_scale, self.num_flows = float(init_scale), int(num_flows)

    def flow(self, key, n, i):
        """The i-th flow of vectors of n numbers, at random parameters near the identity."""
        raise NotImplementedError(f"{type(self).__name__} has no flow(key, n, i).")

    def check(self, latents):
        super().check(latents)
        if latents.size < self.minimum:
            raise SiteError(f"{type(self).__name__} needs at least {self.minimum} latent numbers; the model has "
                            f"{latents.size}.\nTake AutoDiagonalNormal.")

    def _forms(self, n):
        """For each flow: the types of its arrays and their structure."""
        return [tree.flatten(eval_shape(lambda key, i=i: self.flow(key, n, i), random.key(0)))
                for i in range(self.num_flows)]

    def params(self, latents):
        n, out = latents.size, {}
        for i, (avals, _) in enumerate(self._forms(n)):
            for j, aval in enumerate(avals):
                name = self.name(f"flow_{i}/{j}")
                draw = lambda key, i=i, j=j: tree.leaves(self.flow(key, n, i))[j]
                out[name] = drawn_param(name, draw, aval)
        start = latents.ravel(latents.free_start(self.init_loc_fn, self.start_key(latents)))
        out[self.name("loc")] = param(self.name("loc"), start)
        out[self.name("scale")] = param(self.name("scale"), np.full((n,), self.init_scale),
                                        constraint=constraints.softplus_positive)
        return out

    def sites(self, latents):
        self.check(latents)
        params = self.params(latents)
        base = Normal(0.0, 1.0).expand((latents.size,)).to_event(1)
        x = sample(f"_{self.prefix}_base", base, infer=AUXILIARY)
        z, log_det = self.transform(params, latents.size).forward_and_log_det(x)
        z = sample(f"_{self.prefix}_latent", Delta(z, -log_det, 1), infer=AUXILIARY)
        return self.placed(latents, latents.unravel(z), {})

    def transform(self, params, n):
        """T, of the params."""
        parts = []
        for i, (avals, form) in enumerate(self._forms(n)):
            if i:
                parts.append(PermuteTransform(np.arange(n)[::-1]))
            leaves = [np.asarray(params[self.name(f"flow_{i}/{j}")]) for j in range(len(avals))]
            parts.append(tree.unflatten(form, leaves))
        last = AffineTransform(*self.values(params, "loc", "scale"))
        return ComposeTransform((*parts, IndependentTransform(last, 1)))

    def get_transform(self, params):
        """T, which takes N(0, I) to the posterior in unconstrained space."""
        return self.transform(params, self.latents.size)

    def get_posterior(self, params):
        """The distribution of the latent vector."""
        return TransformedDistribution(self.get_base_dist(), self.get_transform(params))

    def draw_free(self, key, params):
        return self.latents.unravel(self.get_transform(params)(self.get_base_dist().sample(key)))

    def median(self, params):
        raise NotImplementedError(f"{type(self).__name__}: the medians of a flow have no formula.\n"
                                  "Take those of draws: sample_posterior(rng_key, params, sample_shape=(1000,)).")

    def quantiles(self, params, quantiles):
        raise NotImplementedError(f"{type(self).__name__}: the quantiles of a flow have no formula.\n"
                                  "Take those of draws: sample_posterior(rng_key, params, sample_shape=(1000,)).")


class AutoIAFNormal(AutoFlow):
    """Inverse autoregressive flows, with the order turned round between them.

    num_flows : how many          hidden_dims : the widths of each network's hidden layers, [n, n] unless given
    Source: Kingma et al. (2016), "Improving variational inference with inverse autoregressive flow".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("a", dist.Normal(cr.sample("b", dist.Normal(0.0, 1.0)), 1.0))
    >>> list(cr.handlers.trace(cr.handlers.seed(AutoIAFNormal(model, num_flows=1), 0)).get_trace())[-4:]
    ['_auto_base', '_auto_latent', 'b', 'a']
    """
    minimum = 2

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, num_flows=3,
                 hidden_dims=None, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale, num_flows=num_flows,
                         create_plates=create_plates)
        self.hidden_dims = None if hidden_dims is None else tuple(hidden_dims)

    def flow(self, key, n, i):
        return InverseAutoregressiveTransform.init(key, n, self.hidden_dims or (n, n))


class AutoBNAFNormal(AutoFlow):
    """Block neural autoregressive flows, with the order turned round between them.

    num_flows : how many          hidden_factors : hidden units a layer for each number
    Their inverse has no formula: get_posterior(params).log_prob bisects, draws and fits do not need it.
    Source: De Cao, Titov & Aziz (2019), "Block neural autoregressive flow".
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, num_flows=1,
                 hidden_factors=(8, 8), create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale, num_flows=num_flows,
                         create_plates=create_plates)
        self.hidden_factors = tuple(hidden_factors)

    def flow(self, key, n, i):
        return BlockNeuralAutoregressiveTransform.init(key, n, self.hidden_factors)


class AutoSplineCoupling(AutoFlow):
    """Couplings of rational-quadratic splines: half of the numbers say how the other half moves, by turns.

    num_flows : how many couplings         hidden_dims : the widths of their networks          bins : of each spline
    bound : splines move what lies within [-bound, bound]
    Source: Durkan, Bekasov, Murray & Papamakarios (2019), "Neural spline flows".
    """
    minimum = 2

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, num_flows=2,
                 hidden_dims=(32, 32), bins=8, bound=4.0, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, init_scale=init_scale, num_flows=num_flows,
                         create_plates=create_plates)
        self.hidden_dims, self.bins, self.bound = tuple(hidden_dims), int(bins), float(bound)

    def flow(self, key, n, i):
        return SplineCouplingTransform.init(key, n, hidden=self.hidden_dims, bins=self.bins, bound=self.bound)
