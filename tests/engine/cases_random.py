"""Rows for random bits. What the draws are distributed as is in test_random*.py."""
import numpy as np

from chainrule.engine.ops.elementwise import exp, stop_gradient
from chainrule.engine.ops.paths import beta_path_p, known_exp_p, von_mises_path_p
from chainrule.engine.ops.random_bits import philox4x32, threefry2x32, unpack_words_p
from tests.engine.cases import Case

WORDS = np.array([0, 1, 2 ** 32 - 1, 0x243F6A88], np.uint32)
LONG = np.array([0, 2 ** 63 + 5, 2 ** 64 - 1, 0x243F6A8885A308D3], np.uint64)

CASES = [
    Case(lambda a, b, c, d: tuple(threefry2x32(a, b, c, d)), "threefry2x32", dtypes=("float64",),
         args=(WORDS, WORDS[::-1].copy(), WORDS[:1], WORDS)),
    Case(lambda *words: tuple(philox4x32(*words)), "philox4x32", dtypes=("float64",),
         args=(WORDS, WORDS[::-1].copy(), WORDS[:1], WORDS, WORDS, WORDS[1:2])),
    Case(unpack_words_p.bind, "unpack_words", lambda x: x.view(np.uint32).reshape(*x.shape, 2), dtypes=("float64",),
         args=(LONG,)),
    Case(lambda x: known_exp_p.bind(exp(stop_gradient(x)), x), "known_exp", np.exp, domain=((-1, 1),)),
    # its derivative is that of a draw, which no function of (x, k) has: see test_random_paths.py; here only the form
    Case(lambda y, a, b: beta_path_p.bind(y, a, b) * 0 + y * a * b, "beta_path", lambda y, a, b: y * a * b,
         domain=((-1, 1), (0.5, 2), (0.5, 2))),
    Case(lambda x, k: von_mises_path_p.bind(x, k) * 0 + x * k, "von_mises_path", lambda x, k: x * k,
         domain=((0.5, 2), (0.5, 2))),
]
