"""Schedules: functions from the number of updates made, int[], to a number such as a step size.

They are made of array operations, so a compiled loop needs no new program as the count goes on. Names and argument
orders are Optax's.
"""
import numpy as onp

from ...engine import numpy as np


def constant_schedule(value):
    """The same value always."""
    return lambda count: np.asarray(value)


def polynomial_schedule(init_value, end_value, power, transition_steps, transition_begin=0):
    """(a - b) (1 - t)ᵖ + b,   t = (count - transition_begin) / transition_steps, held to [0, 1].

    a = init_value, b = end_value, p = power

    >>> rate = polynomial_schedule(1.0, 0.0, 1, 4)
    >>> [float(rate(n)) for n in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]
    """
    _at_least("transition_steps", transition_steps, 1)
    _at_least("transition_begin", transition_begin, 0)

    def schedule(count):
        left = 1.0 - np.clip((count - transition_begin) / transition_steps, 0.0, 1.0)
        return (init_value - end_value) * left ** power + end_value

    return schedule


def linear_schedule(init_value, end_value, transition_steps, transition_begin=0):
    """A straight line from init_value to end_value."""
    return polynomial_schedule(init_value, end_value, 1, transition_steps, transition_begin)


def exponential_decay(init_value, transition_steps, decay_rate, transition_begin=0, staircase=False, end_value=None):
    """init_value · decay_rate^((count - transition_begin) / transition_steps), from transition_begin on.

    staircase : the exponent is rounded down
    end_value : where the decay stops: a lower bound where decay_rate < 1, else an upper one

    >>> rate = exponential_decay(1.0, 10, 0.5, staircase=True)
    >>> [float(rate(n)) for n in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    _at_least("transition_steps", transition_steps, 1)
    _at_least("transition_begin", transition_begin, 0)
    if not isinstance(decay_rate, int | float) or decay_rate <= 0:
        raise ValueError(f"decay_rate must be a positive number; got {decay_rate!r}.")

    def schedule(count):
        power = np.maximum(count - transition_begin, 0) / transition_steps
        value = init_value * np.power(decay_rate, np.floor(power) if staircase else power)
        if end_value is not None:
            value = np.maximum(value, end_value) if decay_rate < 1 else np.minimum(value, end_value)
        return value

    return schedule


def cosine_decay_schedule(init_value, decay_steps, alpha=0.0, exponent=1.0):
    """init_value ((1 - α) (½ (1 + cos π t))ᵉ + α),   t = count / decay_steps, at most 1.

    alpha : the share of init_value that is left at the end
    Source: Loshchilov & Hutter (2017), SGDR, equation 5, without restarts.

    >>> rate = cosine_decay_schedule(2.0, 10)
    >>> [float(rate(n)).__round__(6) for n in (0, 5, 10, 11)]
    [2.0, 1.0, 0.0, 0.0]
    """
    _at_least("decay_steps", decay_steps, 1)

    def schedule(count):
        t = np.minimum(count / decay_steps, 1.0)
        return init_value * ((1.0 - alpha) * (0.5 * (1.0 + np.cos(onp.pi * t))) ** exponent + alpha)

    return schedule


def warmup_cosine_decay_schedule(init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0):
    """A straight line from init_value to peak_value in warmup_steps, then a cosine to end_value.

    decay_steps : all steps, those of the warm-up among them

    >>> rate = warmup_cosine_decay_schedule(0.0, 1.0, 10, 30)
    >>> [float(rate(n)).__round__(6) for n in (0, 5, 10, 20, 30)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if decay_steps <= warmup_steps:
        raise ValueError(f"decay_steps counts the warm-up too and must exceed warmup_steps={warmup_steps}; got "
                         f"{decay_steps}.")
    alpha = 0.0 if peak_value == 0.0 else end_value / peak_value
    decay = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha, exponent)
    return _warmed_up(init_value, peak_value, warmup_steps, decay)


def warmup_exponential_decay_schedule(init_value, peak_value, warmup_steps, transition_steps, decay_rate,
                                      transition_begin=0, staircase=False, end_value=None):
    """A straight line from init_value to peak_value in warmup_steps, then `exponential_decay`."""
    decay = exponential_decay(peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return _warmed_up(init_value, peak_value, warmup_steps, decay)


def _warmed_up(init_value, peak_value, warmup_steps, decay):
    if warmup_steps == 0:
        return decay
    return join_schedules([linear_schedule(init_value, peak_value, warmup_steps), decay], [warmup_steps])


def piecewise_constant_schedule(init_value, boundaries_and_scales=None):
    """init_value times all the scales whose boundaries were passed.

    boundaries_and_scales : {count: factor from then on}

    >>> rate = piecewise_constant_schedule(1.0, {10: 0.1, 20: 0.5})
    >>> [float(rate(n)) for n in (9, 10, 25)]
    [1.0, 0.1, 0.05]
    """
    steps = sorted((boundaries_and_scales or {}).items())
    if bad := [s for _, s in steps if s < 0]:
        raise ValueError(f"piecewise_constant_schedule takes factors that are not negative; got {bad[0]!r}.")

    def schedule(count):
        value = np.asarray(init_value)
        for boundary, factor in steps:
            value = value * np.where(count >= boundary, factor, 1.0)
        return value

    return schedule


def join_schedules(schedules, boundaries):
    """One schedule after the other, each counting from 0 at its beginning.

    boundaries : where each but the first begins

    >>> rate = join_schedules([constant_schedule(1.0), linear_schedule(1.0, 0.0, 2)], [5])
    >>> [float(rate(n)) for n in (4, 5, 6, 7)]
    [1.0, 1.0, 0.5, 0.0]
    """
    schedules, boundaries = list(schedules), list(boundaries)
    if len(boundaries) != len(schedules) - 1:
        raise ValueError(f"join_schedules takes a boundary between any two schedules: {len(schedules)} schedules have "
                         f"{len(schedules) - 1}; got {len(boundaries)}.")

    def schedule(count):
        value = schedules[0](count)
        for boundary, following in zip(boundaries, schedules[1:]):
            value = np.where(count < boundary, value, following(count - boundary))
        return value

    return schedule


def _at_least(name, value, least):
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value!r}.")
