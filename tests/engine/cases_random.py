"""Rows for random bits. What the draws are distributed as is in test_random.py."""
import numpy as np

from chainrule.engine.ops.random_bits import threefry2x32
from tests.engine.cases import Case

WORDS = np.array([0, 1, 2 ** 32 - 1, 0x243F6A88], np.uint32)

CASES = [
    Case(lambda a, b, c, d: tuple(threefry2x32(a, b, c, d)), "threefry2x32", dtypes=("float64",),
         args=(WORDS, WORDS[::-1].copy(), WORDS[:1], WORDS)),
]
