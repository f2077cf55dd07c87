"""Switches under the names that NumPyro gives them."""
from contextlib import contextmanager

from ..distributions import Distribution
from ..engine.config import config


def enable_x64(use_x64=True):
    """Whether floats are of 64 bits (the default) or, with False, of 32: `config.update(default_float=...)`.

    >>> from chainrule.engine import config
    >>> enable_x64()
    >>> config.default_float
    'float64'
    """
    config.update(default_float="float64" if use_x64 else "float32")


def enable_validation(is_validate=True):
    """Whether distributions check their parameters when they are made (they do, unless told otherwise)."""
    Distribution.set_default_validate_args(is_validate)


@contextmanager
def validation_enabled(is_validate=True):
    """The same for a block of code.

    >>> import chainrule.distributions as dist
    >>> with validation_enabled(False):
    ...     wrong = dist.Normal(0.0, -1.0)
    """
    before = Distribution.validates_by_default()
    enable_validation(is_validate)
    try:
        yield
    finally:
        enable_validation(before)
