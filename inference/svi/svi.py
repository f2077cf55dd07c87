"""Stochastic variational inference: fit a guide's params to a model by steps along estimates of a gradient.

    svi = SVI(model, guide, optim, Trace_ELBO())
    result = svi.run(random.key(0), 2000, y)             # result.params, result.losses, result.state

`init`, `update` and `evaluate` are pure functions of a state, which holds all there is: params in unconstrained space
(in the optimiser's state), running averages and a key. Data are arguments of the compiled program, so another run on
data of the same shapes compiles nothing; the Python of model and guide runs once for the types of their data.
"""
from functools import partial
from typing import Any, NamedTuple

from ...distributions import biject_to
from ...engine import P, jacfwd, jit, random, tree, value_and_grad
from ...engine import numpy as np
from ...engine.core import Tracer
from ...ppl.keys import one_key
from ..mesh import HERE, mesh_of, rows_of, unpadded
from .export import arviz, plot_losses, samples
from .fit import fit, fit_batches
from .guides import AutoGuide
from .objectives import Objective, Trace_ELBO, stage_pair
from .optimizers import as_optimizer
from .particles import Pair
from .starts import first_params


class SVIState(NamedTuple):
    """All that a fit is between two steps."""
    optim_state: Any
    mutable_state: Any         # what the objective keeps: running averages, or None
    rng_key: random.Key


class _Result(NamedTuple):
    params: dict
    state: SVIState
    losses: Any


class SVIRunResult(_Result):
    """What a run gives.

    params : {name: value}, each in its param's set          losses : float[steps]
    state : to go on from: run(..., init_state=state)
    restarts : of a run with num_restarts, the same of all of them, with an axis of restarts in front; else None
    """
    restarts = None

    def plot(self, ax=None, window=None):
        """Draw the losses and their running mean over `window` steps (a fiftieth of the run); matplotlib's axes."""
        return plot_losses(self.losses, ax, window)


class SVI:
    """Fits a guide to a model; see the module.

    model, guide : functions of the same arguments; an automatic guide (`chainrule.inference.autoguide`) is one
    optim : an optimiser of `chainrule.inference.optim`, of either form: Adam(1e-3), or a pair with init(params) ->
        state and update(grads, state, params) -> (updates, state), such as chain(clip(1.0), adam(1e-3))
    loss : an objective, Trace_ELBO() and its siblings
    static_kwargs : keyword arguments of model and guide that are the same at every call
    mesh : {"data": b}, or a `Mesh` with that axis: b devices that share the rows of the data, so that each step's
        gradient is the sum of those of their parts; see `MCMC`. Fits agree with those on one device up to rounding

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> from chainrule.inference.optim import Adam
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> def guide(y):
    ...     cr.sample("mu", dist.Normal(cr.param("loc", 0.0), 0.5 ** 0.5))
    >>> svi = SVI(model, guide, Adam(0.05), Trace_ELBO())
    >>> result = svi.run(random.key(0), 500, 3.0, progress_bar=False)
    >>> result.losses.shape, bool(abs(result.params["loc"] - 1.5) < 0.5)            # the posterior's mean
    ((500,), True)
    """

    def __init__(self, model, guide, optim, loss=None, *, mesh=None, **static_kwargs):
        loss = Trace_ELBO() if loss is None else loss
        if not isinstance(loss, Objective):
            raise TypeError(f"SVI takes an objective, such as Trace_ELBO(); got {loss!r:.60}.")
        for name, f in (("model", model), ("guide", guide)):
            if not callable(f):
                raise TypeError(f"SVI takes a {name}, a function of the data; got {f!r:.60}.")
        self.model, self.guide, self.optim, self.loss = model, guide, as_optimizer(optim), loss
        self.static_kwargs = static_kwargs
        self.row = HERE if mesh is None else rows_of(mesh_of(mesh, axes=("data",)))[0]
        self._held = None                                # the data that lie on the mesh, and what they were made of
        self.supports = {}                               # {param: its set}
        self._kept = {}                                  # compiled functions

    def pair(self, args, kwargs):
        """The staged model and guide for these arguments, and their data."""
        call = (args, {**kwargs, **self.static_kwargs})
        if isinstance(self.guide, AutoGuide):            # it wants to know the data, which its program does not see
            self.guide.meet(*call)
        return stage_pair(self.model, self.guide, *call)

    # ---- pure functions ----

    def init(self, rng_key, *args, init_params=None, **kwargs):
        """The `SVIState` to begin with.

        init_params : {name: value} of params that start elsewhere than their statements say
        Guide and model are drawn until all log-densities are finite, up to 100 times, each time under another key.
        Raises SiteError, naming a site to blame, where they never are. Under jit or vmap the first draw stands.
        """
        pair = self.pair(args, kwargs)._replace(open=self.loss.sums_model)
        key, first, keep = random.split(one_key(rng_key, "SVI.init"), 3)
        params, supports = first_params(pair, first, dict(init_params or {}), self._start(pair))
        if not any(isinstance(x, Tracer) for x in tree.leaves(supports)):
            self.supports.update(supports)
        return SVIState(self.optim.init(params), self.loss.init_state(keep, params, pair), key)

    def _start(self, pair):
        """f -> f compiled, for `first_params`."""
        def compiled(f):
            run = self.compiled(pair, (f.__name__, "start"), lambda pair, _, *rest: f(pair, *rest))
            return partial(run, None, pair.data, pair.guide_data)
        return compiled

    def update(self, svi_state, *args, forward_mode_differentiation=False, **kwargs):
        """(state, loss) after one step; compiled for the types of the data."""
        return self._call("update", svi_state, args, kwargs, forward_mode_differentiation)

    def stable_update(self, svi_state, *args, forward_mode_differentiation=False, **kwargs):
        """`update`, but a step whose loss or params are not finite leaves the params and averages as they were."""
        return self._call("stable_update", svi_state, args, kwargs, forward_mode_differentiation)

    def evaluate(self, svi_state, *args, **kwargs):
        """An estimate of the loss at the state's params; the state's next step has the same draws."""
        return self._call("evaluate", svi_state, args, kwargs)

    def get_params(self, svi_state):
        """{name: value} of the params, each in its set. Of a state with axes in front (restarts), likewise."""
        z = self.optim.get_params(svi_state.optim_state)
        return {name: _constrained(self.supports.get(name), x) for name, x in z.items()}

    # ---- running ----

    def run(self, rng_key, num_steps, *args, progress_bar=True, stable_update=False, forward_mode_differentiation=False,
            init_state=None, init_params=None, num_restarts=1, tol=None, window=100, store=None, resume=False,
            **kwargs):
        """num_steps updates, compiled in chunks: an `SVIRunResult`.

        rng_key : a key; or several, [n]: that many fits side by side in one program, axes of n in front of the results
        stable_update : skip steps that are not finite
        init_state : a state to go on from, in place of a new one
        num_restarts : so many fits side by side, of which the one with the lowest mean loss in its last tenth is given;
            the result's `restarts` are all of them
        tol : stop when the mean loss of the last `window` steps is less than tol · max(|mean|, 1) below that of the
            window before (of all fits, where there are several)
        store : a path, or Store(path, every=seconds): the state and the losses go there every ten seconds and at the
            end, each time whole or not at all
        resume : whether to go on with the fit at that path, to num_steps in all, by what it would have been, bit for
            bit; where there is none, it begins there
        An interrupt from the keyboard ends the run; what it has is given. Raises StoreError for a path that has
        something already, is damaged, or has a fit of another model, data, setting or version, which it names.
        """
        call = (args, kwargs, forward_mode_differentiation, stable_update)
        return fit(self, rng_key, num_steps, call, init_state, init_params, num_restarts, tol, window, progress_bar,
                   store, resume)

    def run_batches(self, rng_key, batches, num_steps=None, *, progress_bar=True, stable_update=False, init_state=None,
                    init_params=None, store=None, resume=False, **kwargs):
        """One update for each batch of data: an `SVIRunResult`.

        batches : an iterable of batches, each an array or the tuple of the model's arguments. All of one shape compile
            one program. In the model, a plate with subsample_size weighs a batch as a part of the whole.
        num_steps : unless given, one pass; a list or another iterable that can be gone through again begins anew
        store, resume : as in `run`; the batches that the fit has had are gone through without a step
        Other arguments are those of `run`. Raises ValueError where an iterator ends before num_steps.
        """
        return fit_batches(self, rng_key, batches, num_steps, kwargs, stable_update, init_state, init_params,
                           progress_bar, store, resume)

    @property
    def settings(self):
        """{name: value}: what a step depends on beside model, guide, objective and optimiser."""
        return {}

    def result(self, state, losses):
        """What a run gives, of its last state."""
        return SVIRunResult(self.get_params(state), state, losses)

    # ---- after the fit ----

    has_density = True         # whether the log-density of the guide's draws is known

    def component(self, params, key, number):
        """The params that draw number `number` of the guide has."""
        return params

    def get_samples(self, rng_key, params, *args, num_samples=1000, **kwargs):
        """{site: [draw, *shape]}: draws of the guide, in the sites' supports, and the model's deterministic sites.

        params : {name: value} of a fit          args, kwargs : the model's
        Runs in blocks by one compiled program, as `Predictive` does. Sites that an objective sums out are left out.
        """
        return samples(self, rng_key, params, args, kwargs, num_samples)[0]

    def to_arviz(self, rng_key, params, *args, num_samples=1000, coords=None, dims=None, log_likelihood=False,
                 log_prior=False, posterior_predictive=False, constant_data=None, **kwargs):
        """Draws of the guide as ArviZ's InferenceData (DataTree with ArviZ 1), one chain; see `MCMC.to_arviz`.

        params : {name: value} of a fit          args, kwargs : the model's
        log_likelihood, log_prior, posterior_predictive : True computes these groups at every draw
        sample_stats has lp = log p(z, x), and log_weight = log p(z, x) - log q(z) for importance weights.

        >>> import chainrule as cr, chainrule.distributions as dist
        >>> from chainrule.inference.autoguide import AutoNormal
        >>> from chainrule.inference.optim import Adam
        >>> def model(x, y):
        ...     slope = cr.sample("slope", dist.HalfNormal(1.0))
        ...     with cr.plate("row", len(y)):
        ...         cr.sample("y", dist.Normal(slope * x, 1.0), obs=y)
        >>> svi, data = SVI(model, AutoNormal(model), Adam(0.05)), ([1.0, 2.0], [0.5, 1.5])
        >>> params = svi.run(random.key(0), 50, *data, progress_bar=False).params
        >>> made = svi.to_arviz(random.key(1), params, *data, posterior_predictive=True)
        >>> made["posterior_predictive"]["y"].dims, sorted(made["sample_stats"].data_vars)
        (('chain', 'draw', 'row'), ['log_weight', 'lp'])
        """
        return arviz(self, rng_key, params, args, kwargs, num_samples, coords, dims, constant_data,
                     log_likelihood=log_likelihood, log_prior=log_prior, posterior_predictive=posterior_predictive)

    # ---- the compiled functions ----

    def kept(self, pair, what, make):
        """make(), kept for a pair's programs."""
        key = (pair.model, pair.guide, what)
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _call(self, what, state, args, kwargs, forward=False):
        pair = self.pair(args, kwargs)
        f = self.compiled(pair, (what, forward), lambda pair, state: (
            self.estimate(pair, state) if what == "evaluate" else
            self.step(pair, state, what == "stable_update", forward)))
        return f(state, pair.data, pair.guide_data)

    def compiled(self, pair, key, f):
        """f(pair, state, *more) compiled as g(state, data, guide's data, *more); kept for a pair's programs."""
        model, guide, opened = pair.model, pair.guide, pair.open
        lengths, n = self.row.lengths([*pair.data, *pair.guide_data], "SVI"), len(pair.data)

        def run(state, data, guide_data, *more):
            pair = Pair(model, unpadded(data, lengths[:n]), guide, unpadded(guide_data, lengths[n:]), open=opened)
            return f(pair, state, *more)
        run.__name__ = f"svi_{key[0]}"
        made = self.kept(pair, key, lambda: jit(run, out_shardings=P()))
        if self.row == HERE:
            return made

        def on_mesh(state, data, guide_data, *more):
            held = self._put([*data, *guide_data], lengths)
            return made(state, held[:n], held[n:], *more)
        return on_mesh

    def _put(self, data, lengths):
        """The data of model and guide on the mesh; kept, so that a run puts them there once."""
        if any(isinstance(x, Tracer) for x in data):
            return data
        if self._held is None or len(data) != len(self._held[0]) or any(
                a is not b for a, b in zip(data, self._held[0])):
            self._held = data, self.row.put_data(data, lengths)
        return self._held[1]

    def estimate(self, pair, state):
        """The loss at a state, with the draws of its next step."""
        params = self.optim.get_params(state.optim_state)
        return self.loss.estimate(random.split(state.rng_key)[1], params, pair, state.mutable_state)[0]

    def step(self, pair, state, stable=False, forward=False):
        """(state, loss) after one step; a pure function."""
        key, now = random.split(state.rng_key)

        def f(params):
            return self.loss.estimate(now, params, pair, state.mutable_state)

        if hasattr(self.optim, "eval_and_update") and not forward:
            (loss, kept), optim_state = self.optim.eval_and_update(f, state.optim_state)
        else:
            (loss, kept), grads = _derivative(f, forward)(self.optim.get_params(state.optim_state))
            optim_state = self.optim.update(grads, state.optim_state)
        new = SVIState(optim_state, kept, key)
        return self.kept_if_finite(new, state, loss) if stable else new, loss

    def kept_if_finite(self, new, state, loss):
        """The new state, or the old one with a new key where loss or params are not finite."""
        ok = np.isfinite(loss)
        for x in tree.leaves(self.optim.get_params(new.optim_state)):
            ok = np.logical_and(ok, np.all(np.isfinite(x)))
        return SVIState(*tree.map(lambda a, b: np.where(ok, a, b), new[:2], state[:2]), new.rng_key)

    def begin(self, state, num_steps):
        """The state at the beginning of a run of so many steps."""
        return state


def _derivative(f, forward):
    """value_and_grad of a function with an auxiliary result, in forward mode if asked for."""
    if not forward:
        return value_and_grad(f, has_aux=True)
    return lambda params: (f(params), jacfwd(lambda p: f(p)[0])(params))


def _constrained(support, x):
    """A point of ℝⁿ in a param's set."""
    return x if support is None else biject_to(support)(x)
