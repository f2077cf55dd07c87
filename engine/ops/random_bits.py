"""Random bits as a pure function of a key and a counter.

`threefry2x32` and `philox4x32` are block ciphers with 20 and 10 rounds of Salmon, Moraes, Dror & Shaw (2011), "Parallel
random numbers: as easy as 1, 2, 3": the reproducible streams. `hash_bits` is two rounds of a 64-bit finalizer: a few
integer operations, for the inner loops of samplers.
"""
import numpy as np

from ..avals import Aval, broadcast_shapes
from ..core import Primitive
from ..errors import DtypeError
from .elementwise import bitwise_xor, right_shift
from .structural import align, asvalue, cast

_U32, _U64 = np.dtype("uint32"), np.dtype("uint64")
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA                                     # of Threefish: keeps an all-zero key from being a fixed point
# up to this many words five short rounds in a loop compile faster
ROLLED = 4096


def _shape(*avals):
    if any(a.dtype != _U32 for a in avals):
        raise DtypeError(f"threefry2x32 takes four arrays of uint32; got {list(avals)}.")
    return [Aval(broadcast_shapes(*[a.shape for a in avals]), _U32)] * 2


def _impl(k0, k1, x0, x1):
    shape = np.broadcast_shapes(*[np.shape(v) for v in (k0, k1, x0, x1)])
    keys = (k0, k1, np.asarray(k0 ^ k1 ^ np.uint32(_PARITY)))
    x0, x1 = (np.array(np.broadcast_to(x + k, shape)) for x, k in ((x0, k0), (x1, k1)))
    for group in range(5):
        for r in _ROTATIONS[group % 2]:
            x0 += x1
            x1[...] = (x1 << np.uint32(r)) | (x1 >> np.uint32(32 - r))
            x1 ^= x0
        x0 += keys[(group + 1) % 3]
        x1 += keys[(group + 2) % 3] + np.uint32(group + 1)
    return [x0, x1]


def _lower(b, k0, k1, x0, x1):
    shape = b.out[0].shape
    add = lambda x, y: b.elementwise("stablehlo.add", x, y)                       # noqa: E731
    xor = lambda x, y: b.elementwise("stablehlo.xor", x, y)                       # noqa: E731
    keys = [k0, k1, xor(xor(k0, k1), b.constant(_PARITY, _U32))]
    x0, x1 = (b.broadcast_to(add(x, k), shape) for x, k in ((x0, k0), (x1, k1)))

    def rounds(x0, x1, rotations):
        for r in rotations:
            x0 = add(x0, x1)
            left, right = r if isinstance(r, tuple) else (b.constant(r, _U32), b.constant(32 - r, _U32))
            x1 = b.elementwise("stablehlo.or", b.elementwise("stablehlo.shift_left", x1, left),
                               b.elementwise("stablehlo.shift_right_logical", x1, right))
            x1 = xor(x1, x0)
        return x0, x1

    if b.out[0].size > ROLLED:                           # large arrays: straight code, no trip through memory
        for group in range(5):
            x0, x1 = rounds(x0, x1, _ROTATIONS[group % 2])
            x0 = add(x0, keys[(group + 1) % 3])
            x1 = add(x1, add(keys[(group + 2) % 3], b.constant(group + 1, _U32)))
        return [x0, x1]

    # a loop of five groups; keys and rotations change places as it goes
    key_shape = np.broadcast_shapes(k0.shape, k1.shape)
    keys = [b.broadcast_to(k, key_shape) for k in keys]
    turns = [b.constant(r, _U32) for group in _ROTATIONS for r in group]

    def body(i, x0, x1, a, c, d, *turns):
        pairs = [(r, b.elementwise("stablehlo.subtract", b.constant(32, _U32), r)) for r in turns[:4]]
        x0, x1 = rounds(x0, x1, pairs)
        i = add(i, b.constant(1, _U32))
        return [i, add(x0, c), add(x1, add(d, i)), c, d, a, *turns[4:], *turns[:4]]

    out = b.while_loop([b.constant(0, _U32), x0, x1, *keys, *turns],
                       lambda i, *_: b.compare("LT", i, b.constant(5, _U32)), body)
    return out[1:3]


threefry2x32_p = Primitive(
    "threefry2x32",                                      # (k0, k1, x0, x1) -> (y0, y1), element-wise
    multiple=True,
    shape=_shape,
    impl=_impl,
    lower=_lower,
    jvp=lambda xs, ts: (threefry2x32_p.bind(*xs), [None, None]),
    batch=lambda b, mine, *xs: (b.bind(*align(mine, xs)), [True, True]),
)


def threefry2x32(k0, k1, x0, x1):
    """The two output words of Threefry-2x32 with 20 rounds.   uint32[...] each, broadcast together

    Source: Salmon et al. (2011), section 5.1; the known answers of Random123.

    >>> [hex(int(v)) for v in threefry2x32(0, 0, 0, 0)]
    ['0x6b200159', '0x99ba4efe']
    """
    return threefry2x32_p.bind(*[_word(v) for v in (k0, k1, x0, x1)])


def _word(v):
    return cast(v, _U32) if hasattr(v, "dtype") else asvalue(np.asarray(v, _U32))

# ---- Philox ----

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)                         # the golden ratio, √3 - 1
_LOW = 0xFFFFFFFF


def _philox_shape(*avals):
    if any(a.dtype != _U32 for a in avals):
        raise DtypeError(f"philox4x32 takes six arrays of uint32; got {list(avals)}.")
    return [Aval(broadcast_shapes(*[a.shape for a in avals]), _U32)] * 4


def _philox_impl(k0, k1, *counter):
    shape = np.broadcast_shapes(*[np.shape(v) for v in (k0, k1, *counter)])
    c0, c1, c2, c3 = counter
    for turn in range(10):
        p0, p1 = (c.astype(_U64) * np.uint64(m) for c, m in zip((c0, c2), _MULTIPLIERS))
        r0, r1 = (k + np.array(turn * w & 0xFFFFFFFF, _U32) for k, w in zip((k0, k1), _WEYL))
        c0, c1, c2, c3 = ((p1 >> np.uint64(32)).astype(_U32) ^ c1 ^ r0, p1.astype(_U32),
                          (p0 >> np.uint64(32)).astype(_U32) ^ c3 ^ r1, p0.astype(_U32))
    return [np.array(np.broadcast_to(c, shape)) for c in (c0, c1, c2, c3)]


def _philox_lower(b, k0, k1, *counter):
    """In 64-bit lanes: a product's high half is a shift, its low half is masked only where it is multiplied again."""
    def do(name, x, y):
        return b.elementwise("stablehlo." + name, x, y)

    def number(n):
        return b.constant(n, _U64)

    def turn(c0, c1, c2, c3, k0, k1):
        p0, p1 = (do("multiply", do("and", c, number(_LOW)), number(m)) for c, m in zip((c0, c2), _MULTIPLIERS))
        high0, high1 = (do("shift_right_logical", p, number(32)) for p in (p0, p1))
        keys = [do("and", do("add", k, number(w)), number(_LOW)) for k, w in zip((k0, k1), _WEYL)]
        return [do("xor", do("xor", high1, c1), k0), p1, do("xor", do("xor", high0, c3), k1), p0, *keys]

    shape = b.out[0].shape
    state = [*[b.convert(b.broadcast_to(c, shape), _U64) for c in counter], b.convert(k0, _U64), b.convert(k1, _U64)]
    if b.out[0].size > ROLLED:
        for _ in range(10):
            state = turn(*state)
    else:
        state = b.while_loop([b.constant(0, _U32), *state], lambda i, *_: b.compare("LT", i, b.constant(10, _U32)),
                             lambda i, *state: [do("add", i, b.constant(1, _U32)), *turn(*state)])[1:]
    return [b.convert(c, _U32) for c in state[:4]]


philox4x32_p = Primitive(
    "philox4x32",                                        # (k0, k1, x0, x1, x2, x3) -> four words, element-wise
    multiple=True,
    shape=_philox_shape,
    impl=_philox_impl,
    lower=_philox_lower,
    jvp=lambda xs, ts: (philox4x32_p.bind(*xs), [None] * 4),
    batch=lambda b, mine, *xs: (b.bind(*align(mine, xs)), [True] * 4),
)


def philox4x32(k0, k1, x0, x1, x2, x3):
    """The four output words of Philox-4x32 with 10 rounds.   uint32[...] each, broadcast together

    Source: Salmon et al. (2011), section 5.2; the known answers of Random123.

    >>> [hex(int(v)) for v in philox4x32(0, 0, 0, 0, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    return philox4x32_p.bind(*[_word(v) for v in (k0, k1, x0, x1, x2, x3)])


# ---- two words out of one ----

unpack_words_p = Primitive(
    "unpack_words",                                      # uint64[*s] -> uint32[*s, 2], low half first
    shape=lambda a: Aval((*a.shape, 2), _U32),
    impl=lambda x: np.stack([x.astype(_U32), (x >> np.uint64(32)).astype(_U32)], -1),
    lower=lambda b, x: b.op("stablehlo.bitcast_convert", [x], b.out[0]),
    jvp=(None,),
    batch=lambda b, mine, x: b.bind(x),
)


# ---- a hash ----

def _mix(z):
    """The finalizer of SplitMix64: each input bit flips each output bit with probability near a half."""
    z = bitwise_xor(z, right_shift(z, np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = bitwise_xor(z, right_shift(z, np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bitwise_xor(z, right_shift(z, np.uint64(31)))


def hash_bits(seed, counter):
    """64 random bits for a seed and a counter.   uint64[...], uint64[...] -> uint64[...]

    The counter steps along the Weyl sequence of SplitMix64, starting at the mixed seed. Quick and good (the same
    finalizer passes BigCrush), but not made for adversaries, as threefry is.
    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", fig. 17.

    >>> hex(int(hash_bits(0, 0)))
    '0xe220a8397b1dcdaf'
    """
    seed, counter = (asvalue(cast(v, _U64)) if hasattr(v, "dtype") else asvalue(np.asarray(v & (2 ** 64 - 1), _U64))
                     for v in (seed, counter))
    return _mix(_mix(seed) + (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
