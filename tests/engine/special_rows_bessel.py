"""Rows of accuracy for the Bessel functions and the integrals of elementary functions."""
import mpmath as mp
import numpy as np

import chainrule.engine.scipy.special as cs
from tests.engine.accuracy import Row
from tests.engine.special_rows import between, both, near, one, spread
from tests.engine.special_rows_erf import less, minus, two

POSITIVE = both(spread(1e-8, 1), between(0.01, 12), between(10, 60), spread(1, 80))
SIGNED = both(POSITIVE, minus(POSITIVE))
WIDE = both(POSITIVE, spread(60, 1e5))
TO_ONE = both(between(-3, 1), less(spread(1e-15, 1)), minus(spread(1e-10, 1e10)))
AWAY = both(between(0.1, 60), spread(1, 1e4))
ORDERS = two(both(between(0, 3), between(0, 30), spread(1e-3, 500)), both(spread(1e-2, 100), between(0.1, 60)))


def scaled(f, sign):
    return lambda x: f(x) * mp.exp(sign * abs(x))


def size(order):
    """The amplitude of J and Y, against which errors near their zeros are measured."""
    return lambda x: abs(mp.hankel1(order, abs(x))) if abs(x) > max(3, order) else 0


def bessel_rows():
    for n in (0, 1):
        i, k = (lambda x, n=n: mp.besseli(n, x)), (lambda x, n=n: mp.besselk(n, x))
        j, y = (lambda x, n=n: mp.besselj(n, x)), (lambda x, n=n: mp.bessely(n, x))
        yield Row(f"i{n}", getattr(cs, f"i{n}"), i, SIGNED)
        yield Row(f"i{n}e", getattr(cs, f"i{n}e"), scaled(i, -1), both(SIGNED, WIDE))
        yield Row(f"k{n}", getattr(cs, f"k{n}"), k, POSITIVE)
        yield Row(f"k{n}e", getattr(cs, f"k{n}e"), scaled(k, 1), WIDE)
        yield Row(f"j{n}", getattr(cs, f"j{n}"), j, both(WIDE, minus(POSITIVE)), 5, size=size(n),
                  note="a sum of two waves")
        yield Row(f"y{n}", getattr(cs, f"y{n}"), y, WIDE, 5, size=size(n), note="a sum of two waves")
    for n in (2, 7, 30):
        yield Row(f"jn, {n}", lambda x, n=n: cs.jn(n, x), lambda x, n=n: mp.besselj(n, x), AWAY, 8 + n, size=size(n),
                  count=60, note="as many steps as the order")
        yield Row(f"yn, {n}", lambda x, n=n: cs.yn(n, x), lambda x, n=n: mp.bessely(n, x), AWAY, 8 + n, size=size(n),
                  count=60, note="as many steps as the order")


def log_ive(v, x):
    return mp.log(mp.besseli(v, x)) - x


def log_kve(v, x):
    return mp.log(mp.besselk(v, x)) + x


def expi(x):
    return mp.ei(x) if x > 0 else -mp.e1(-x)


def expn(n, x):
    return mp.expint(int(n), x)


def with_sizes(f):
    """(x, n) with an integer n."""
    return lambda rng, n: (rng.choice([0.0, 1, 2, 3, 7, 19, 40, 1000], n), f(rng, n)[0])


def spence(z):
    return mp.re(mp.polylog(2, 1 - z))



def three(rng, n):
    """a < b and any x, so that all terms are positive."""
    a, x = 10 ** rng.uniform(-1, 1, n), 10 ** rng.uniform(-3, 2.4, n) * rng.choice([-1, 1], n)
    return a, a * (1 + 10 ** rng.uniform(-1, 1, n)), x


def to_one(rng, n):
    """Parameters, and x < 1."""
    x = np.where(rng.random(n) < 0.5, 1 - 10 ** rng.uniform(-8, 0, n), -10 ** rng.uniform(-3, 4, n))
    return 10 ** rng.uniform(-1, 0.7, n), 10 ** rng.uniform(-1, 0.7, n), x


ROWS = [
    *bessel_rows(),
    Row("log_ive", cs.log_ive, log_ive, ORDERS, 16, size=one, count=60, note="terms of ten times its size, for x < 30"),
    Row("log_kve", cs.log_kve, log_kve, ORDERS, 8, size=one, count=60, note="a sum of logarithms"),
    Row("iv_ratio", cs.iv_ratio, lambda v, x: mp.besseli(v + 1, x) / mp.besseli(v, x), ORDERS, count=60),
    Row("kv_ratio", cs.kv_ratio, lambda v, x: mp.besselk(v + 1, x) / mp.besselk(v, x), ORDERS, count=60),
    Row("exp1", cs.exp1, mp.e1, POSITIVE),
    Row("expi", cs.expi, expi, both(SIGNED, near(0.3725074107813666, least=-6))),
    Row("expn", cs.expn, expn, with_sizes(both(spread(1e-5, 1), spread(1, 50)))),
    Row("sici, Si", lambda x: cs.sici(x)[0], mp.si, both(SIGNED, spread(1, 1e5))),
    Row("sici, Ci", lambda x: cs.sici(x)[1], mp.ci, both(WIDE, near(0.6165054856207163, least=-6)), 6,
        size=lambda x: 1 / x if x > 2 else 0, note="a logarithm against a polynomial before its second zero"),
    Row("shichi, Shi", lambda x: cs.shichi(x)[0], mp.shi, SIGNED, 5, note="as expi"),
    Row("shichi, Chi", lambda x: cs.shichi(x)[1], mp.chi, both(POSITIVE, near(0.5238225713898644, least=-6)), 5,
        note="as expi"),
    Row("fresnel, S", lambda x: cs.fresnel(x)[0], mp.fresnels, both(SIGNED, spread(1, 1e4))),
    Row("fresnel, C", lambda x: cs.fresnel(x)[1], mp.fresnelc, both(SIGNED, spread(1, 1e4))),
    Row("spence", cs.spence, spence, both(spread(1e-20, 1), between(0.1, 5), near(1, least=-6), spread(1, 1e20))),
    Row("lambertw", cs.lambertw, mp.lambertw, both(spread(1e-20, 1e30), minus(spread(1e-20, 0.367)),
                                                  between(-0.3678, 2))),
    Row("lambertw, -1", lambda z: cs.lambertw(z, -1), lambda z: mp.re(mp.lambertw(z, -1)),
        minus(both(spread(1e-30, 0.3678), between(0.01, 0.3678)))),
    Row("exprel", cs.exprel, lambda x: mp.expm1(x) / x, both(SIGNED, between(-1, 1))),
    Row("cosm1", cs.cosm1, lambda x: mp.cos(x) - 1, both(between(-3, 3), spread(1e-8, 1))),
    Row("powm1", cs.powm1, lambda x, y: mp.powm1(x, y), two(spread(0.01, 100), between(-3, 3)), 5, 5,
        note="expm1 of y log x"),
    Row("boxcox", cs.boxcox, lambda x, l: mp.powm1(x, l) / l, two(spread(0.01, 100), between(-3, 3)), 16, 20,
        note="exp of λ log x"),
    Row("boxcox1p", cs.boxcox1p, lambda x, l: mp.powm1(1 + x, l) / l, two(spread(1e-4, 100), between(-3, 3)), 16, 20,
        note="exp of λ log(1 + x)"),
    Row("pseudo_huber", cs.pseudo_huber, lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1),
        two(spread(0.01, 10), between(-3, 3))),
    Row("agm", cs.agm, mp.agm, two(spread(1e-15, 1e15), spread(1e-15, 1e15))),
    Row("ellipk", cs.ellipk, mp.ellipk, TO_ONE),
    Row("ellipkm1", cs.ellipkm1, lambda p: mp.pi / 2 / mp.agm(1, mp.sqrt(p)), spread(1e-300, 1)),
    Row("ellipe", cs.ellipe, mp.ellipe, TO_ONE, 24, 10, note="K times a difference that is 1/K where m is near 1"),
    Row("hyp0f1", cs.hyp0f1, mp.hyp0f1, two(spread(0.5, 10), both(spread(1e-3, 1e4), minus(spread(1e-3, 1)))), 64,
        note="hundreds of terms"),
    Row("hyp1f1", cs.hyp1f1, mp.hyp1f1, three, 64, note="hundreds of terms"),
    Row("hyp2f1", lambda a, b, x: cs.hyp2f1(a, b, a + b + 0.5, x),
        lambda a, b, x: mp.hyp2f1(a, b, a + b + 0.5, x), to_one, 1024, 64, count=30,
        note="thousands of terms; the parameter c is rounded; plain it is SciPy's"),
]
