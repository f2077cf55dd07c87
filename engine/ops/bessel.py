"""The modified Bessel functions I and K of orders 0 and 1, plain and scaled by exp(∓x).

I is a power series below 8 and √x e⁻ˣ I(x) a polynomial in 1/x above (DLMF 10.25.2, 10.40.1); K has -log(x) I(x) split
off below 1 (10.31), and √x eˣ K(x) is a polynomial in 1/(1 + x) above. All terms of a sum have one sign.
"""
import numpy as np

from .elementwise import _floating, _unary, div, eq, sign, where
from .formula import polynomial
from .readings import numpy_impl, scipy_impl, xla_lower

_JOIN = 8.0
# I₀(x) and I₁(x) / (x/2) in x²/4 <= 16
_I0 = (1.0, 1.0, 0.25, 0.027777777777777776, 0.0017361111111111112, 6.944444444444436e-05, 1.9290123456790645e-06,
       3.936759889138518e-08, 6.151187326857943e-10, 7.594058426302191e-12, 7.594058461629167e-14,
       6.276080874261755e-16, 4.358394920164562e-18, 2.5788866322197336e-20, 1.3160459459294984e-22,
       5.835463138191533e-25, 2.3261942698780893e-27, 6.956135192472546e-30, 3.7083673331713694e-32)
_I1 = (1.0, 0.5, 0.08333333333333333, 0.006944444444444445, 0.00034722222222222196, 1.1574074074074299e-05,
       2.7557319223973204e-07, 4.920949861476153e-09, 6.834652583882281e-11, 7.594058458444663e-13,
       6.903688997316025e-15, 5.2300736107170654e-17, 3.35255437560049e-19, 1.8424569560103177e-21,
       8.753399595292974e-24, 3.7215794375522944e-26, 1.1827522120067012e-28, 6.675772217304018e-31)
# √x exp(-x) I₀(x) and the same of I₁ in t = 16/x - 1, x >= 8
_I0_FAR = (0.4021765094450081, 0.0033605519836678844, 0.00013621607439240856, 1.1143033788559087e-05,
           1.4838475391383468e-06, 2.9735993216471474e-07, 8.872278303607728e-08, 3.9324793517123454e-08,
           2.1541699603632043e-08, 7.563107589679047e-09, -6.7023325619894366e-09, -1.3450608319883882e-08,
           -5.6022211783247e-09, 7.687473295440412e-09, 8.006764881281122e-09, -3.799241020140616e-09,
           -7.1046429701883025e-09, 1.9518431205146255e-09, 5.2159872385826355e-09, -9.961827005971165e-10,
           -3.0791787996480336e-09, 4.1991218209463363e-10, 1.3291938884143105e-09, -1.1746991110551324e-10,
           -3.6353603909526465e-10, 1.556423962829591e-11, 4.655655751294525e-11)
_I1_FAR = (0.38939845902587233, -0.009749577193235758, -0.00021923576383438729, -1.5038547198351201e-05,
           -1.8349101048965518e-06, -3.483856445811428e-07, -1.000134929730233e-07, -4.312819645562664e-08,
           -2.336697227282623e-08, -8.435630024967513e-09, 6.687257309165881e-09, 1.4073201407347145e-08,
           6.180080050252965e-09, -7.768471997806944e-09, -8.488549054437278e-09, 3.7003762012994875e-09,
           7.441519822394391e-09, -1.842354234931444e-09, -5.438072168110142e-09, 9.265252428334351e-10,
           3.2055586346236238e-09, -3.8986710944632543e-10, -1.3834389708637022e-09, 1.0940884042721056e-10,
           3.784510012514866e-10, -1.4553819054184817e-11, -4.848238653363404e-11)
# K₀(x) + log(x) I₀(x) and (K₁(x) - 1/x - log(x) I₁(x)) / x in x²/4 <= 1/4
_K0 = (0.11593151565841245, 1.1159315156584124, 0.4039828789146031, 0.054146245805326274, 0.0038181681406106696,
       0.00016661561451331437, 4.9497135718871065e-06, 1.0663850527672554e-07, 1.7431170319090872e-09,
       2.2362122225667658e-11, 2.3395267405344235e-13)
_K1 = (-0.3079657578292062, -0.3414828789146031, -0.07427492426354497, -0.007202308503443562, -0.0003991779251721753,
       -1.436688762923717e-05, -3.6339286876866715e-07, -6.8186883710041014e-09, -9.87311827210395e-11,
       -1.1505813913036831e-12)
# √x exp(x) K₀(x) and the same of K₁ in t = 4/(1 + x) - 1, x >= 1
_K0_FAR = (1.2085585393824039, -0.05190414200069995, -0.00904785430370095, -0.0023443540383625114,
           -0.0005746200406777097, -0.0001627828238061989, -4.3525609282081264e-05, -1.301058207219738e-05,
           -3.591154264768326e-06, -1.1249506691021663e-06, -3.100583765168069e-07, -1.0311396002889544e-07,
           -2.720542013830896e-08, -1.0014823762541936e-08, -2.2485764425697697e-09, -1.0980514288305175e-09,
           -2.534962611131572e-10, -7.756865906652488e-11, 8.171677671415756e-11, -6.955546197094687e-11,
           -4.333435952253373e-11, 2.381136777868482e-11, 1.4206264802595551e-11, -8.544687974527335e-12)
_K1_FAR = (1.3970089271126294, 0.1775377338208504, 0.04365061563750093, 0.012635408079179747, 0.00369284692882528,
           0.0011269348875547968, 0.0003441268502886614, 0.00010771774144596948, 3.355631501557472e-05,
           1.0673190325449988e-05, 3.3583677698746134e-06, 1.0820501474861638e-06, 3.415583323004056e-07,
           1.1158059949245672e-07, 3.4987990689600544e-08, 1.1739811597314177e-08, 3.6733507860279804e-09,
           1.1902632799323938e-09, 2.916260216601199e-10, 1.9865303899308486e-10, 7.335982989734298e-11,
           -1.6755274747471858e-11, -7.31017112741015e-12, 1.1803034312397926e-11)


def _i(order, scaled):
    """I₀ or I₁ of any x; scaled by exp(-|x|)."""
    near_table, far_table = (_I1, _I1_FAR) if order else (_I0, _I0_FAR)

    def f(m, x):
        size = m.abs(x)
        near = m.where(size < _JOIN, size, 0.0) * 0.5
        small = polynomial(near * near, near_table)
        small = small * near if order else small
        far = m.maximum(size, _JOIN)
        large = polynomial(16.0 / far - 1.0, far_table) / m.sqrt(far)
        if scaled:
            small = small * m.exp(near * -2.0)
        else:                                            # exp(x/2) twice: exp(x) overflows before I does
            half = m.exp(far * 0.5)
            large = half * large * half
        out = m.where(size < _JOIN, small, large)
        return m.where(x < 0.0, -out, out) if order else out
    return f


def _k(order, scaled):
    """K₀ or K₁ of x > 0; scaled by exp(x). inf at 0, nan below."""
    def f(m, x):
        near = m.where(x < 1.0, m.maximum(x, 0.0), 1.0)
        q, logarithm = near * near * 0.25, m.log(near)
        if order:
            small = polynomial(q, _K1) * near + polynomial(q, _I1) * near * 0.5 * m.where(near > 0.0, logarithm, 0.0)
            small = small + 1.0 / near
        else:
            small = polynomial(q, _K0) - logarithm * polynomial(q, _I0)
        far = m.maximum(x, 1.0)
        large = polynomial(4.0 / (far + 1.0) - 1.0, _K1_FAR if order else _K0_FAR) / m.sqrt(far)
        if scaled:
            small = small * m.exp(near)
        else:
            large = large * m.exp(-far)
        return m.where(x < 0.0, np.nan, m.where(x < 1.0, small, large))
    return f


def _over(y, x, at_zero):
    """y / x, with its limit at x = 0."""
    zero = eq(x, 0)
    return where(zero, np.asarray(at_zero, x.dtype), div(y, where(zero, np.ones((), x.dtype), x)))


def _made(name, formula, derivative):
    return _unary(name, numpy_impl(formula), xla_lower(formula), derivative)


i0_p = _unary("i0", scipy_impl("i0"), xla_lower(_i(0, False)), lambda t, y, x: t * i1(x))
i1_p = _made("i1", _i(1, False), lambda t, y, x: t * (i0(x) - _over(y, x, 0.5)))
i0e_p = _made("i0e", _i(0, True), lambda t, y, x: t * (i1e(x) - sign(x) * y))
i1e_p = _made("i1e", _i(1, True), lambda t, y, x: t * (i0e(x) - sign(x) * y - _over(y, x, 0.5)))
k0_p = _made("k0", _k(0, False), lambda t, y, x: -t * k1(x))
k1_p = _made("k1", _k(1, False), lambda t, y, x: -t * (k0(x) + y / x))
k0e_p = _made("k0e", _k(0, True), lambda t, y, x: t * (y - k1e(x)))
k1e_p = _made("k1e", _k(1, True), lambda t, y, x: t * (y - k0e(x) - y / x))

i0 = _floating(i0_p, "I₀(x), the modified Bessel function of the first kind.")
i1 = _floating(i1_p, "I₁(x), the modified Bessel function of the first kind.")
i0e = _floating(i0e_p, "exp(-|x|) I₀(x).")
i1e = _floating(i1e_p, "exp(-|x|) I₁(x).")
k0 = _floating(k0_p, "K₀(x), the modified Bessel function of the second kind; inf at 0, nan below.")
k1 = _floating(k1_p, "K₁(x), the modified Bessel function of the second kind; inf at 0, nan below.")
k0e = _floating(k0e_p, "exp(x) K₀(x).")
k1e = _floating(k1e_p, "exp(x) K₁(x).")
