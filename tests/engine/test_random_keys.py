"""Keys and bits of both generators: known answers, structure, and the independence of streams.

The statistical tests use fixed keys, so they are reproducible; over keys each would raise a false alarm once in a
million (LEVEL), and there are about twenty.
"""
import pickle

import numpy as np
import pytest
import scipy.stats as stats

from chainrule.engine import cond, jit, random, scan, tree, vmap
from chainrule.engine.errors import DtypeError, ShapeError
from chainrule.engine.random.generators import GENERATORS

LEVEL = 1e-6
IMPLS = pytest.mark.parametrize("impl", list(GENERATORS))
KEY = random.key(2024)


def words_of(key):
    """The words of keys as one number each."""
    data = np.asarray(random.key_data(key)).astype(np.uint64)
    return data[..., 0] << np.uint64(32) | data[..., 1]


# ---- bits ----

ONES, PI = (0xFFFFFFFF,), (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)
KNOWN = [                                                # cipher, counter and key, answer
    ("threefry2x32", (0,) * 2, (0,) * 2, (0x6B200159, 0x99BA4EFE)),
    ("threefry2x32", ONES * 2, ONES * 2, (0x1CB996FC, 0xBB002BE7)),
    ("threefry2x32", PI[:2], PI[2:4], (0xC4923A9C, 0x483DF7A0)),
    ("philox4x32", (0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ("philox4x32", ONES * 4, ONES * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ("philox4x32", PI[:4], PI[4:], (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


@pytest.mark.parametrize("cipher, counter, key, answer", KNOWN)
def test_the_ciphers_give_the_known_answers_of_random123(cipher, counter, key, answer):
    f = getattr(random, cipher)
    args = [np.asarray(v, np.uint32) for v in (*key, *counter)]
    for g in (f, jit(lambda *a: f(*a))):
        assert tuple(int(v) for v in g(*args)) == answer
    many = jit(lambda *a: f(*a))(*[np.full(5000, v) for v in args])                  # straight code, not a loop
    assert [set(np.asarray(y).tolist()) for y in many] == [{v} for v in answer]


@IMPLS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_a_word_does_not_depend_on_the_shape_around_it_nor_on_how_it_is_computed(impl, dtype):
    key = random.key(3, impl)
    many = np.asarray(random.bits(key, (10_001,), dtype))
    for shape in ((), (1,), (7,), (100,), (33, 2)):
        n = int(np.prod(shape))
        for draw in (random.bits, jit(lambda k, shape, dtype: random.bits(k, shape, dtype), static_argnums=(1, 2))):
            np.testing.assert_array_equal(np.asarray(draw(key, shape, dtype)).reshape(-1), many[:n])
    np.testing.assert_array_equal(jit(lambda k: random.bits(k, (10_001,), dtype))(key), many)
    assert many.dtype == dtype and random.bits(key, (0, 3), dtype).shape == (0, 3)
    counts = np.bincount(many.astype(np.uint64) >> np.uint64(8 * many.dtype.itemsize - 4), minlength=16)
    assert stats.chisquare(counts).pvalue > LEVEL


def test_words_of_philox_are_its_blocks_in_their_order():
    """Word 2i and 2i + 1 are the first two of block i; a word of 64 bits is those two."""
    key, n = random.key(0x1234567890, "philox4x32"), 6
    a, b = np.asarray(random.key_data(key))
    x, y, _, _ = random.philox4x32(a, b, np.arange(n, dtype=np.uint32), 0, 0, 0)
    x, y = np.asarray(x), np.asarray(y)
    np.testing.assert_array_equal(random.bits(key, (2 * n,)), np.stack([x, y], -1).reshape(-1))
    np.testing.assert_array_equal(random.bits(key, (n,), np.uint64), x.astype(np.uint64) | y.astype(np.uint64) << 32)


def test_hash_bits_is_splitmix64():
    assert [int(v) for v in random.hash_bits(0, np.arange(3, dtype=np.uint64))] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("draw", [random.hash_uniform, lambda s, c, n: stats.norm.cdf(random.hash_normal(s, c, n))],
                         ids=["uniform", "normal"])
def test_hashed_draws_are_uniform_and_independent_over_counters_and_places(draw):
    x = np.stack([np.asarray(draw(np.uint64(7), np.uint64(c), (20,))) for c in range(200)])
    assert stats.kstest(x.ravel(), "uniform").pvalue > LEVEL
    for a, b in ((x[:-1], x[1:]), (x[:, :-1], x[:, 1:])):
        assert stats.pearsonr(a.ravel(), b.ravel()).pvalue > LEVEL


# ---- keys ----

@IMPLS
def test_a_seed_is_its_64_bits(impl):
    for seed, expected in ((5, (0, 5)), (-1, (0xFFFFFFFF, 0xFFFFFFFF)), (2 ** 40 + 3, (256, 3)),
                           (2 ** 64 - 1, (0xFFFFFFFF,) * 2)):
        assert tuple(random.key_data(random.key(seed, impl)).tolist()) == expected
    for seed in (7, -7):
        for array in (np.int64(seed), np.asarray(seed, np.int32)):
            found = jit(lambda s: random.key(s, impl=impl))(array)
            assert bool(found == random.key(seed, impl)) and random.key_impl(found) == impl
    with pytest.raises(DtypeError, match="64 bits"):
        random.key(2 ** 64)


@IMPLS
def test_a_key_is_a_pytree_that_can_be_indexed_and_iterated(impl):
    key = random.key(2024, impl)
    keys = random.split(key, (2, 3))
    assert keys.shape == (2, 3) and len(keys) == 2 and keys[1].shape == (3,) and keys[..., 0].shape == (2,)
    assert keys.reshape(-1).shape == (6,) and [k.shape for k in keys[0]] == [(), (), ()]
    assert {random.key_impl(k) for k in (keys, keys[0], keys.reshape(3, 2), random.fold_in(key, 1))} == {impl}
    (data,), structure = tree.flatten(keys)
    again = tree.unflatten(structure, [data])
    assert again.shape == (2, 3) and impl in repr(keys) and again.dtype == f"key<{impl}>" == keys.dtype.name
    assert random.wrap_key_data(data, impl).dtype == keys.dtype
    with pytest.raises(IndexError):
        keys[0, 0, 0]


@IMPLS
def test_keys_are_equal_where_their_words_are(impl):
    keys = random.split(random.key(1, impl), 3)
    assert (keys == keys).tolist() == [True] * 3 and (keys != keys[1]).tolist() == [True, False, True]
    assert bool(random.clone(keys[0]) == keys[0]) and not bool(keys[0] == keys[1])
    other = next(name for name in GENERATORS if name != impl)
    assert not bool(random.wrap_key_data(keys.data, other)[0] == keys[0]) and keys != "a word"
    with pytest.raises(TypeError):
        hash(keys)


@IMPLS
def test_keys_survive_pickling(impl):
    keys = random.split(random.key(1, impl), 3)
    again = pickle.loads(pickle.dumps(keys))
    assert (again == keys).all() and random.key_impl(again) == impl
    np.testing.assert_array_equal(random.normal(again[2], (4,)), random.normal(keys[2], (4,)))


@IMPLS
def test_keys_go_through_the_transformations(impl):
    keys = random.split(random.key(5, impl), 4)
    loop = np.stack([np.asarray(random.bits(k, (3,))) for k in keys])
    np.testing.assert_array_equal(vmap(lambda k: random.bits(k, (3,)))(keys), loop)
    np.testing.assert_array_equal(scan(lambda c, k: (c, random.bits(k, (3,))), 0.0, keys)[1], loop)
    np.testing.assert_array_equal(jit(lambda t: random.bits(t["key"][1], (3,)))({"key": keys}), loop[1])
    chosen = cond(True, lambda a, b: a, lambda a, b: b, keys[0], keys[1])
    assert random.key_impl(chosen) == impl and bool(chosen == keys[0])
    folded = vmap(lambda i: random.fold_in(keys[0], i))(np.arange(3))
    assert bool(folded[2] == random.fold_in(keys[0], 2)) and bool(folded[2] == jit(random.fold_in)(keys[0], 2))
    twice = vmap(lambda k: random.split(k, 2))(keys)
    assert (twice[3] == random.split(keys[3], 2)).all() and random.key_impl(twice) == impl
    assert (random.split(keys[0], 2) == random.split(keys[0], 5)[:2]).all()


def test_an_unknown_generator_is_refused_with_the_list_of_the_known():
    for make in (lambda: random.key(0, impl="rbg"), lambda: random.wrap_key_data(np.zeros(2, np.uint32), "fry"),
                 lambda: random.key(0, impl=3)):
        with pytest.raises(ValueError, match="'threefry2x32', 'philox4x32'"):
            make()


def test_a_draw_says_what_is_wrong_with_its_key_or_shape():
    with pytest.raises(DtypeError, match="random.key"):
        random.normal(0, (3,))
    with pytest.raises(ShapeError, match="vmap"):
        random.normal(random.split(KEY, 3))
    with pytest.raises(ShapeError, match="whole result"):
        random.gamma(KEY, np.ones(3), (4,))
    with pytest.raises(DtypeError, match="unsigned"):
        random.bits(KEY, (3,), np.int32)


# ---- independence ----

@pytest.mark.slow
@IMPLS
def test_a_million_splits_give_no_key_twice(impl):
    """By chance once in 4e7 for philox4x32; threefry2x32 is a permutation, so never within one split."""
    key = random.key(9, impl)
    derived = np.concatenate([words_of(random.split(key, 1_000_000)), words_of(key)[None],
                              words_of(vmap(lambda i: random.fold_in(key, i))(np.arange(100_000)))])
    assert len(np.unique(derived)) == len(derived)


@IMPLS
@pytest.mark.parametrize("family", ["seeds", "split", "folded", "split of split"])
def test_streams_of_neighbouring_keys_are_independent(impl, family):
    """64 words of 64 bits of each of 1001 keys: each bit is set half of the time, neighbouring streams agree in half
    of the bits, nothing comes twice, and uniform numbers of neighbours are uncorrelated in pairs."""
    n, root = 1001, random.key(12, impl)
    keys = {"seeds": lambda: random.key(np.arange(n), impl), "split": lambda: random.split(root, n),
            "folded": lambda: vmap(lambda i: random.fold_in(root, i))(np.arange(n)),
            "split of split": lambda: vmap(lambda k: random.split(k, 1)[0])(random.split(root, n))}[family]()
    words = np.asarray(vmap(lambda k: random.bits(k, (64,), np.uint64))(keys))
    assert len(np.unique(words)) == words.size
    single = [np.bitwise_count(words & np.uint64(1 << bit)).sum() for bit in range(64)]
    statistic = sum((m - words.size / 2) ** 2 / (words.size / 4) for m in single)
    assert 2 * min(stats.chi2.cdf(statistic, 64), stats.chi2.sf(statistic, 64)) > LEVEL
    for lag in (1, 2, 256):
        same = np.bitwise_count(words[lag:] ^ words[:-lag]).sum(dtype=int)
        assert stats.binomtest(same, (n - lag) * 64 * 64).pvalue > LEVEL
        a, b = words[lag:] / 2.0 ** 64, words[:-lag] / 2.0 ** 64
        assert stats.pearsonr(a.ravel(), b.ravel()).pvalue > LEVEL
        cells = np.bincount((np.floor(a * 16) * 16 + np.floor(b * 16)).astype(int).ravel(), minlength=256)
        assert stats.chisquare(cells).pvalue > LEVEL
    for byte in range(8):
        counts = np.bincount((words >> np.uint64(8 * byte)).astype(np.uint8).ravel(), minlength=256)
        assert stats.chisquare(counts).pvalue > LEVEL


@IMPLS
def test_words_of_one_stream_are_independent(impl):
    """Bits, pairs of nibbles at lags, and the spacings of birthdays, of 2¹⁸ words."""
    words = np.asarray(random.bits(random.key(77, impl), (2 ** 18,)))
    ones = np.bitwise_count(words).sum(dtype=int)
    assert stats.binomtest(ones, 32 * words.size).pvalue > LEVEL
    for lag in (1, 2, 3, 64, 4096):
        for shift in (0, 28):
            nibbles = (words >> np.uint32(shift)) & np.uint32(15)
            cells = np.bincount(nibbles[lag:] * np.uint32(16) + nibbles[:-lag], minlength=256)
            assert stats.chisquare(cells).pvalue > LEVEL
    # 512 birthdays in a year of 2²⁴ days: equal spacings are Poisson with mean 512³ / (4 · 2²⁴) = 2
    days = np.sort((words >> np.uint32(8)).reshape(-1, 512), -1)
    spacings = np.sort(np.diff(days, axis=-1), -1)
    equal = (np.diff(spacings, axis=-1) == 0).sum()
    mean = 2.0 * len(days)
    assert 2 * min(stats.poisson.cdf(equal, mean), stats.poisson.sf(equal - 1, mean)) > LEVEL


@IMPLS
def test_draws_splits_folds_and_inner_keys_do_not_meet(impl):
    key = random.key(4, impl)
    stream = random.keys.single(key, "")
    numbers = np.arange(1000)
    groups = [words_of(random.split(key, 1000)), words_of(vmap(lambda i: random.fold_in(key, i))(numbers)),
              np.asarray(random.bits(key, (1000,), np.uint64)),
              *[np.asarray(w) for turn in range(2) for w in stream.pairs(np.uint32(turn), numbers.astype(np.uint32),
                                                                           np.dtype("uint64"))],
              np.asarray([int(a) << 32 | int(b) for _, a, b in map(stream.inner, range(50))], np.uint64)]
    everything = np.concatenate(groups)
    assert len(np.unique(everything)) == len(everything)
