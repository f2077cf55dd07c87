"""Predictions of a mixture of guides."""
from ...engine import numpy as np
from ...engine import random
from ...ppl.keys import one_key
from ...ppl.queries import Predictive


class MixtureGuidePredictive:
    """MixtureGuidePredictive(model, guide, params, guide_sites, num_samples=n)(rng_key, *args): {site: [n, *shape]}.

    Each draw takes one of the guides at random, draws the latent sites from it, and runs the model.
    params : of a fit          guide_sites : the mixture's params, `SteinVI.guide_sites`
    return_sites : names to return; unless given, the model's sites that the guide does not have
    mixture_assignment_sitename : the name under which the result says which guide a draw came from
    """

    def __init__(self, model, guide, params, guide_sites, num_samples=None, return_sites=None,
                 mixture_assignment_sitename="mixture_assignments"):
        if isinstance(num_samples, bool) or num_samples is None or int(num_samples) != num_samples or num_samples < 1:
            raise ValueError(f"num_samples must be an integer of at least 1; got {num_samples!r}.")
        missing = [name for name in guide_sites if name not in params]
        if missing or not guide_sites:
            raise ValueError(f"guide_sites names the mixture's params; {missing or 'none'} of them are not in params.")
        self.model, self.guide, self.num_samples = model, guide, int(num_samples)
        self.mixed = {k: np.asarray(params[k]) for k in guide_sites}
        self.shared = {k: x for k, x in params.items() if k not in self.mixed}
        self.return_sites, self.name = return_sites, mixture_assignment_sitename

    def __call__(self, rng_key, *args, **kwargs):
        """{site: [n, *shape]}, and which guide each draw came from, int[n]."""
        pick, draw = random.split(one_key(rng_key, "MixtureGuidePredictive"))
        n = next(iter(self.mixed.values())).shape[0]
        chosen = random.randint(pick, (self.num_samples,), 0, n)
        rows = {k: x[chosen] for k, x in self.mixed.items()}
        predictive = Predictive(self.model, rows, guide=self.guide, params=self.shared, return_sites=self.return_sites)
        return {self.name: chosen, **predictive(draw, *args, **kwargs)}
