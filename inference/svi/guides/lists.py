"""Guides joined to one: AutoGuideList."""
from ....engine import random
from ....ppl.keys import one_key
from ....ppl.queries import init_to_uniform
from .base import AutoGuide


class AutoGuideList(AutoGuide):
    """Guides of parts of a model, one after the other.

        guide = AutoGuideList(model)
        guide.append(AutoNormal(block(seed(model, 0), hide=["w"])))
        guide.append(AutoDelta(block(seed(model, 0), expose=["w"])))

    `append(part)` takes an automatic guide, of the model with other sites hidden (as above), or a function of the
    model's arguments with sample statements. Two guides of whole vectors need different prefixes.
    """

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        self.parts = ()

    def append(self, part):
        """Add a guide."""
        if not callable(part):
            raise TypeError(f"AutoGuideList.append takes a guide, a function of the data; got {part!r:.60}.")
        self.parts = (*self.parts, part)

    def __call__(self, *args, **kwargs):
        out = {}
        for part in self.parts:
            out.update(part(*args, **kwargs) or {})
        return out

    def meet(self, args, kwargs):
        """Let the parts note the data."""
        for part in self.parts:
            if isinstance(part, AutoGuide):
                part.meet(args, kwargs)

    def _each(self, f):
        """The results of f(part, its number), joined."""
        out = {}
        for i, part in enumerate(self.parts):
            if not isinstance(part, AutoGuide):
                raise NotImplementedError("this AutoGuideList has a guide written by hand, whose draws need a key and "
                                          "the data.\nTake Predictive(guide, params=params, num_samples=n).")
            out.update(f(part, i))
        return out

    def sample_posterior(self, rng_key, params, *args, sample_shape=(), **kwargs):
        """{site: [*sample_shape, *shape]}: draws of all parts."""
        key = one_key(rng_key, "sample_posterior")
        return self._each(lambda part, i: part.sample_posterior(random.fold_in(key, i), params, *args,
                                                                sample_shape=sample_shape, **kwargs))

    def median(self, params):
        """{site: value} of all parts."""
        return self._each(lambda part, i: part.median(params))

    def quantiles(self, params, quantiles):
        """{site: values} of all parts."""
        return self._each(lambda part, i: part.quantiles(params, quantiles))
