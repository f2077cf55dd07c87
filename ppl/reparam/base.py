"""The base of reparameterisations, and how they look through expand, to_event and mask."""
from ...distributions.constraints import Independent as IndependentSet
from ...distributions.wrappers import Expanded, Independent, Masked


class Reparam:
    """Base: a subclass writes `__call__(name, fn, obs)`, which returns (None, value), a function of new sites.

    name : the site's                        fn : its distribution; in a vmap that of one lane
    obs : None, since only latent sites are reparameterised
    The new sites are ordinary statements, drawn with the batch shape of fn; they get the old site's plates, mask and
    scale. Returning (fn, None) leaves the site as it is, (another distribution, None) draws it from that one instead.
    `raise Unsuitable("...")` refuses a distribution, with the site and its line. `core(fn)` is what stands inside of
    expand, to_event and mask; `inside(fn, change)` is fn with change(core(fn)) there.
    same_draw : True where there is one new site and the value is what fn.sample(key) is with that site's key, so that
        it moves with the parameters as a draw of fn does, for a derivative that is taken inside of the model

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import numpy as np
    >>> class Halves(Reparam):
    ...     def __call__(self, name, fn, obs):
    ...         if core(fn) is not fn or not isinstance(fn, dist.Normal):
    ...             raise Unsuitable("Halves is for a Normal.")
    ...         half = dist.Normal(0.0, fn.scale * np.sqrt(0.5)).expand(fn.batch_shape)
    ...         return None, fn.loc + cr.sample(f"{name}_1", half) + cr.sample(f"{name}_2", half)
    >>> def model():
    ...     return cr.sample("x", dist.Normal(0.0, 1.0))
    >>> with cr.handlers.trace() as tr, cr.handlers.seed(rng_seed=0):
    ...     x = cr.handlers.reparam(model, {"x": Halves()})()
    >>> list(tr), bool(x == tr["x_1"]["value"] + tr["x_2"]["value"])
    (['x_1', 'x_2', 'x'], True)
    """

    same_draw = False

    def __call__(self, name, fn, obs):
        raise NotImplementedError(f"{type(self).__name__} has no __call__(name, fn, obs).")


def core(fn):
    """The distribution inside of expand, to_event and mask."""
    while isinstance(fn, (Expanded, Independent, Masked)):
        fn = fn.base_dist
    return fn


def inside(fn, change):
    """`fn` with change(core(fn)) in the place of its core."""
    if isinstance(fn, Expanded):
        return Expanded(inside(fn.base_dist, change), fn.expanded_shape)
    if isinstance(fn, Independent):
        return Independent(inside(fn.base_dist, change), fn.reinterpreted_batch_ndims)
    if isinstance(fn, Masked):
        return Masked(inside(fn.base_dist, change), fn.mask_array)
    return change(fn)


def elements(support):
    """The set of one element, or vector, of a support that is a product."""
    while isinstance(support, IndependentSet):
        support = support.base
    return support


def described(fn):
    """A distribution in an error's text."""
    shape = f" with event shape {tuple(fn.event_shape)}" if fn.event_shape else ""
    return f"{type(core(fn)).__name__}{shape}"
