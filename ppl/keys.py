"""The keys that users pass."""
import numpy as onp

from ..engine import numpy as np
from ..engine import random


def one_key(rng_key, what):
    """One key, of a key, its words, or a seed; `what` is the name of the function that it was passed to.

    Raises TypeError for anything else.
    """
    if isinstance(rng_key, int | onp.integer) and not isinstance(rng_key, bool):
        return random.key(rng_key)
    key = rng_key if isinstance(rng_key, random.Key) else None
    if getattr(rng_key, "dtype", None) == onp.uint32 and rng_key.shape == (2,):
        key = random.wrap_key_data(np.asarray(rng_key))
    if key is None or key.shape != ():
        got = f"keys of shape {key.shape}" if key is not None else f"a {type(rng_key).__name__}"
        raise TypeError(f"{what} takes a key first, random.key(0), and then the model's arguments; got {got}.")
    return key
