"""How a chain uses each kernel of single chains: its state before a first evaluation, its step, and its warm-up."""
import math
from dataclasses import dataclass
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from . import adaptation as warmup
from . import barker, elliptical_slice, hmc, mala, mclmc, rwm, slices
from .base import Params, seed_of, uniform
from .chain import Draw
from .mclmc_adaptation import adapt as adapt_mclmc
from .running import Running, running
from .stepwise import Move

_JITTER = 1 << 32                  # a purpose that no kernel has
RESTART = 20.0                     # of `Noisy.age`
METRIC_SHARE = 0.75                # of warm-up, after which the step size alone is adapted


def bare(position):
    """The state of a kernel that needs no gradient."""
    return rwm.State(position, np.full((), -np.inf, position.dtype))


def with_gradient(position):
    """The state of one that does."""
    return hmc.State(*bare(position), np.zeros_like(position))


def stopped(params, still):
    """The parameters with a step size of 0 where `still` holds."""
    return params._replace(step_size=np.where(still, 0.0, params.step_size))


def draw_of(state, info):
    """What adaptation looks at of a transition. The estimator of a kernel without gradients does not look at them."""
    accept = getattr(info, "accept_prob", np.ones_like(state.logdensity))
    diverging = getattr(info, "diverging", np.asarray(False))
    return Draw(state.position, getattr(state, "grad", state.position), accept, accept, diverging)


class InMetric(Move):
    """A kernel with a step size and a metric, which `adaptation` adapts."""

    def begin(self, adaptation, state):
        """The first metric, by the first gradient."""
        return warmup.start(adaptation, getattr(state, "grad", state.position))

    def adapt(self, adaptation, transition, state, info):
        """Dual averaging of the step size, and the metric's estimator."""
        return warmup.update(adaptation, transition, draw_of(state, info))


class Noisy(NamedTuple):
    """Warm-up of a step size whose acceptance probabilities tell little, one by one: log ε moves by their distance from
    the target, less and less, and the end is a mean (Andrieu & Thoms 2008, Statistics and Computing 18).
    """
    params: Params
    metric: warmup.Adaptation      # of which the metric is used; it ends before the step size does
    num_warmup: Array
    log_step: Array
    log_average: Array             # with weights t^-¾, of the transitions since the metric began to hold
    since: Array                   # float[], how many they are
    age: Array                     # float[], by which log ε slows down; falls to RESTART with a new metric

    def update(self, transition, draw):
        """After a transition of warm-up."""
        metric = warmup.update(self.metric, transition, draw)
        anew = metric.dual.count == 0.0                                  # the metric is another
        age, since = self.age + 1.0, self.since + 1.0
        log_step = self.log_step + age ** -0.5 * (draw.accept_prob - metric.target)
        log_average = self.log_average + since ** -0.75 * (log_step - self.log_average)
        step_size = np.exp(np.where(transition == self.num_warmup, log_average, log_step))
        params = Params(np.where(metric.adapt_step, step_size, self.params.step_size), metric.params.metric)
        return Noisy(params, metric, self.num_warmup, log_step, log_average, np.where(anew, 0.0, since),
                     np.where(anew, np.minimum(age, RESTART), age))


def noisy(metric_of, num_warmup):
    """Before the first transition.   metric_of : (num_warmup) -> the adaptation of the metric"""
    metric = metric_of(int(METRIC_SHARE * num_warmup))
    log_step = np.log(metric.params.step_size)
    zero = np.zeros_like(log_step)
    return Noisy(metric.params, metric, np.asarray(int(num_warmup)), log_step, log_step, zero, zero)


@dataclass(frozen=True)
class Single(Move):
    """A kernel of one evaluation a transition: `rwm`, `mala` or `barker`."""
    name: str

    @property
    def kernel(self):
        """The module."""
        return {"rwm": rwm, "mala": mala, "barker": barker}[self.name]

    @property
    def fields(self):
        """The kernel's facts."""
        return self.kernel.Info._fields

    def blank(self, position):
        """With a gradient, if it needs one."""
        return bare(position) if self.kernel.State is rwm.State else with_gradient(position)

    def step(self, key, state, logdensity_fn, params, still):
        """One evaluation."""
        return *self.kernel.step(key, state, logdensity_fn, stopped(params, still)), 1

    def begin(self, adaptation, state):
        """The first metric, by the first gradient."""
        metric = warmup.start(adaptation.metric, getattr(state, "grad", state.position))
        return adaptation._replace(metric=metric, params=adaptation.params._replace(metric=metric.params.metric))

    def adapt(self, adaptation, transition, state, info):
        """The step size, and the metric's estimator."""
        draw = draw_of(state, info)
        return cond(transition <= adaptation.num_warmup, lambda a: a.update(transition, draw), lambda a: a,
                    adaptation)


@dataclass(frozen=True)
class Trajectories(InMetric):
    """`hmc`. num_steps, or ⌈u trajectory_length / step_size⌉ with u uniform on (1 - jitter, 1)."""
    num_steps: int | None
    trajectory_length: float
    jitter: float
    multinomial: bool
    fields = hmc.Info._fields

    def blank(self, position):
        """With a gradient."""
        return with_gradient(position)

    def step(self, key, state, logdensity_fn, params, still):
        """A trajectory; where `still` holds, one step."""
        if self.num_steps is None:
            u = 1.0 - self.jitter * uniform(seed_of(key), _JITTER, state.position.dtype)
            steps = hmc.steps_of(u * self.trajectory_length, params.step_size)
        else:
            steps = np.asarray(self.num_steps)
        state, info = hmc.step(key, state, logdensity_fn, stopped(params, still), num_steps=np.where(still, 1, steps),
                               multinomial=self.multinomial)
        return state, info, info.num_steps


@dataclass(frozen=True)
class Lines(InMetric):
    """`slices`, along coordinates, or in so many random directions."""
    directions: int | None
    max_steps: int
    fields = slices.Info._fields

    def blank(self, position):
        """Without a gradient."""
        return bare(position)

    def step(self, key, state, logdensity_fn, params, still):
        """All lines; where `still` holds, they are points."""
        params = stopped(params, still)
        if self.directions is None:
            state, info = slices.step(key, state, logdensity_fn, params, max_steps=self.max_steps)
        else:
            state, info = slices.hit_and_run(key, state, logdensity_fn, params, directions=self.directions,
                                             max_steps=self.max_steps)
        return state, info, info.num_steps


# ---- ellipses ----

SPREAD = 1.5                       # standard deviations of the normal distribution, in those of the draws
FIRST_WINDOW = 25


class Ellipse(NamedTuple):
    """Warm-up of the normal distribution: that of the draws of windows which double, the last one if it is a quarter of
    warm-up.
    """
    params: elliptical_slice.Params
    draws: Running
    window_end: Array              # int[]
    num_warmup: Array              # int[]
    adapts: Array                  # bool[]


def ellipse(params, d, num_warmup, adapts):
    """Before the first transition."""
    return Ellipse(params, running(d), np.asarray(FIRST_WINDOW), np.asarray(int(num_warmup)), np.asarray(adapts))


@dataclass(frozen=True)
class Ellipses(Move):
    """`elliptical_slice`, for a density that is written as its quotient by a normal one, times that."""
    fields = elliptical_slice.Info._fields

    def blank(self, position):
        """Without a gradient."""
        return bare(position)

    def step(self, key, state, logdensity_fn, params, still):
        """An ellipse; where `still` holds, a point of it."""
        prior = lambda x: elliptical_slice.log_prior(x, params)
        inner = state._replace(logdensity=state.logdensity - prior(state.position))
        new, info = elliptical_slice.step(key, inner, lambda x: logdensity_fn(x) - prior(x), params,
                                          arc=np.where(still, 0.0, 2 * math.pi))
        new = new._replace(logdensity=new.logdensity + prior(new.position))
        return new, info._replace(logdensity=new.logdensity), info.num_steps

    def adapt(self, adaptation, transition, state, info):
        """The mean and the variances of a window's draws, where it ends."""
        s = adaptation
        warm = np.logical_and(s.adapts, transition <= s.num_warmup)
        draws = s.draws.add(state.position).where(warm, s.draws)
        last = np.logical_and(transition == s.num_warmup, draws.count >= 0.25 * s.num_warmup)
        closes = np.logical_and(warm, np.logical_or(transition == s.window_end, last))
        sd = SPREAD * np.sqrt(draws.covariance())
        sound = np.logical_and(closes, np.all(np.logical_and(np.isfinite(sd), sd > 0)))
        mean = np.where(sound, draws.mean, s.params.mean)
        root = s.params.root if s.params.root.ndim == 2 else np.where(sound, sd, s.params.root)
        return s._replace(params=elliptical_slice.Params(mean, root), draws=draws.cleared().where(closes, draws),
                          window_end=np.where(closes, 2 * s.window_end + FIRST_WINDOW, s.window_end))


# ---- particles of constant speed ----

@dataclass(frozen=True)
class Particles(Move):
    """`mclmc`, adjusted or not. num_steps, or ⌈L / step_size⌉; of adjusted ones ⌈2 u L / step_size⌉ with u uniform."""
    num_steps: int | None
    adjusted: bool
    fields = mclmc.Info._fields

    def blank(self, position):
        """With a gradient, and no direction yet."""
        return mclmc.State(*with_gradient(position), np.zeros_like(position))

    def step(self, key, state, logdensity_fn, params, still):
        """Some steps; where `still` holds, one of size 0."""
        times = 2.0 * uniform(seed_of(key), _JITTER, state.position.dtype) if self.adjusted else 1.0
        steps = hmc.steps_of(times * params.length, params.step_size) if self.num_steps is None else self.num_steps
        kernel = mclmc.adjusted_step if self.adjusted else mclmc.step
        state, info = kernel(key, state, logdensity_fn, stopped(params, still), num_steps=np.where(still, 1, steps))
        return state, info, info.num_steps

    def begin(self, adaptation, state):
        """The first metric, by the first gradient."""
        metric = warmup.start(adaptation.metric, state.grad)
        params = adaptation.params._replace(metric=metric.params.metric)
        return adaptation._replace(metric=metric, params=params)

    def adapt(self, adaptation, transition, state, info):
        """Step size, length, metric."""
        return adapt_mclmc(adaptation, transition, draw_of(state, info), info, self.adjusted)
