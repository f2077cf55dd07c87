"""The modified Bessel functions of real order v >= 0, in logarithms, with derivatives in the order too.

Order 20 and above: the uniform expansions of Debye (DLMF 10.41.3-6), 16 terms, which leave 2⁻⁵⁶. Below, I is a power
series for x < 20 (10.25.2) and otherwise comes down from order 20 by the recurrence, in which all terms are positive
(10.29.1); K goes up from an order of [-1/2, 1/2], where it is Temme's series for x <= 2 and Steed's continued fraction
above (Temme 1975, J. Comput. Phys. 19; Thompson and Barnett 1987, Comput. Phys. Commun. 47).
"""
import functools
import math
from fractions import Fraction

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from .elementwise import abs as abs_
from .elementwise import eq, exp, where
from .formula import differentiated, plain, polynomial
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_JOIN, _STEPS, _TERMS, _DEBYE = 20.0, 20, 44, 16
_LOG_2PI = math.log(2 * math.pi)

# (1/Γ(1-μ) - 1/Γ(1+μ)) / 2μ and (1/Γ(1-μ) + 1/Γ(1+μ)) / 2 in μ² <= 1/4
_GAMMA_1 = (-0.5772156649015329, 0.04200263503409524, 0.04219773455554433, -0.007218943246663104,
            0.00021524167411508002, 2.0134854778861344e-05, -1.1330272144632618e-06, -6.116193702854624e-09,
            1.1816100935403409e-09, -8.41519851509704e-12)
_GAMMA_2 = (1.0, -0.6558780715202539, 0.16653861138229148, -0.00962197152787701, -0.0011651675918581115,
            0.00012805028237388227, -1.2504933528238786e-06, -2.0563456874735207e-07, 5.0044771240376e-09,
            9.970190814917018e-11)

# √x exp(x) K_μ(x), and the same of (K_{μ+1}(x) + K_{μ-1}(x)) / 2, for x >= 1: a row is a polynomial in 8μ² - 1, the
# rows are the coefficients of one in t = 4/(1 + x) - 1
_K_MU = (
    (1.2307471196953568, 0.022376797534310093, 0.0001892148951353289, 1.0014215087092052e-06, 3.758435451748012e-09,
     1.0729367239686033e-11, 2.4378498422178062e-14, 4.5514807781871455e-17),
    (-0.026382533069219186, 0.02594872695415389, 0.0004304456719670095, 3.3439887695703173e-06, 1.639674829782427e-08,
     5.742618130389243e-11, 1.539081951187575e-13, 3.299702727061075e-16),
    (-0.004837014620054822, 0.004519734358235741, 0.00031305860007326214, 4.192664332883894e-06, 2.886771108871968e-08,
     1.2928088064811897e-10, 4.199123322816948e-13, 1.0538134825125074e-15),
    (-0.0012694507458814051, 0.0011695963508822145, 9.72467846674345e-05, 2.5805068668253987e-06,
     2.6941377928315487e-08, 1.614304480666802e-10, 6.545906390400151e-13, 1.9636527910051663e-15),
    (-0.0003203348923312385, 0.00028628358772983607, 3.300925287441741e-05, 1.0263052024043632e-06,
     1.5618463535841592e-08, 1.274001577504858e-10, 6.584838422689874e-13, 2.4031787971126117e-15),
    (-9.153125003245476e-05, 8.099240223030738e-05, 1.0132799027350873e-05, 3.9893708700559705e-07,
     7.038636341591081e-09, 7.257853050707761e-11, 4.708241819320544e-13, 2.094565361366786e-15),
    (-2.5068524715179236e-05, 2.1621995252617477e-05, 3.3027623433729345e-06, 1.407745339371794e-07,
     2.9573869128093766e-09, 3.4929626474859904e-11, 2.6730154771578423e-13, 1.4107713297751384e-15),
    (-7.522282606860791e-06, 6.454979559503959e-06, 1.0158454881192713e-06, 5.029609577510204e-08,
     1.14588671959433e-09, 1.544266645703072e-11, 1.33276325213492e-13, 8.000543893370655e-16),
    (-2.1271605569150122e-06, 1.7785301425972055e-06, 3.3114757851231173e-07, 1.7039864567479668e-08,
     4.3653067925079044e-10, 6.379045553207386e-12, 6.110619602396616e-14, 4.069996967877564e-16),
    (-6.643177947573477e-07, 5.565500565101752e-07, 1.0168388820747139e-07, 5.9223067112078665e-09,
     1.58967460126333e-10, 2.54928826596671e-12, 2.6388404082852248e-14, 1.9168878338909782e-16),
    (-1.8866929853870928e-07, 1.5307015780128938e-07, 3.357779087163707e-08, 1.9623311804888344e-09,
     5.802724738737095e-11, 9.804036783314671e-13, 1.0948786625546258e-14, 8.543779298197128e-17),
    (-6.177329424170105e-08, 5.088100888954941e-08, 1.0194161193996204e-08, 6.773321940066682e-10,
     2.0415264348244494e-11, 3.722746587599229e-13, 4.388609326214998e-15, 3.653068153111497e-17),
    (-1.705333548571036e-08, 1.3366996991486595e-08, 3.458881562996016e-09, 2.2001213104979528e-10,
     7.305706026385336e-12, 1.3735675830336644e-13, 1.7222770539894311e-15, 1.511543897930291e-17),
    (-6.02391813137973e-09, 4.926271087805811e-09, 1.0185681661983615e-09, 7.652067937839749e-11,
     2.506853167797647e-12, 5.067888385734673e-14, 6.598459399749934e-16, 6.099237184708518e-18),
    (-1.526542180576835e-09, 1.1372841993361352e-09, 3.6415112942215876e-10, 2.4196727662564625e-11,
     8.91692667222934e-13, 1.8178868787077726e-14, 2.5021173723770164e-16),
    (-6.537504329517377e-10, 5.48134361055254e-10, 9.653913546209387e-11, 8.773748842316232e-12, 2.964584678856847e-13,
     6.63521042909428e-15, 9.297535042907167e-17),
    (-1.0939001466366399e-10, 6.491365527887174e-11, 4.183707481424268e-11, 2.528416491070107e-12,
     1.085310535576581e-13, 2.3020300837592946e-15, 3.463775236181643e-17),
    (-4.2420646357174926e-11, 2.9050276827175317e-11, 1.2473487101926586e-11, 8.595486099597266e-13,
     3.651712508115479e-14, 8.040695482760223e-16, 1.2491060655569334e-17),
    (-2.4221947873491228e-11, 2.118794059222344e-11, 2.6832552990881648e-12, 3.39082666123711e-13,
     1.1368542748540892e-14, 2.9628930131059986e-16, 4.4339176204751385e-18),
    (-3.8465740850276135e-11, 4.079272664332404e-11, -2.5772899767096286e-12, 2.482112178932173e-13,
     1.9544691614054213e-15, 1.3681806620927395e-16),
    (1.7314991634670576e-11, -1.9882149594121725e-11, 2.6103229001063365e-12, -4.6192636341448417e-14,
     3.0034717696666964e-15, 2.3470996958437145e-17),
    (1.2806723749783047e-11, -1.437437937290019e-11, 1.6162179209457358e-12, -4.988991576208556e-14,
     1.3313041533291747e-15),
    (-7.936599528466817e-12, 8.784828763672368e-12, -8.840550758870076e-13, 3.6340346830235657e-14,
     -5.23435352798132e-16, 8.932060585980101e-18),
    (-4.256409038540158e-12, 4.692216611451557e-12, -4.558630108554317e-13, 2.0254147799483586e-14,
     -2.0522823593026657e-16, 6.479364837469647e-18),
    (2.3777624421637234e-12, -2.6565479601003964e-12, 2.881135787679107e-13, -9.554278933865185e-15,
     2.2702241800844644e-16),
)
_K_SLOPE = (
    (1.4292760063772783, 0.03259344552856692, 0.0003283621289829694, 2.0043222858866545e-06, 8.48402843482871e-09,
     2.687414043894072e-11, 6.691863027223036e-14, 1.3559317725542457e-16),
    (0.22710996417357546, 0.05048036711033216, 0.0009159865077894969, 7.892184895438968e-06, 4.259697725223191e-08,
     1.6273504632823514e-10, 4.71887268765471e-13, 1.0869715974901953e-15),
    (0.06727574851410623, 0.024581061103564183, 0.0009685106519130343, 1.2672771383568207e-05, 9.0774052349613e-08,
     4.2909409768015375e-10, 1.4752377171720376e-12, 3.915192901368388e-15),
    (0.02123561973225983, 0.009144101224036517, 0.0005549887271279099, 1.120812152762365e-05, 1.0961841528779467e-07,
     6.557695913649434e-10, 2.7193314427933924e-12, 8.426239820332726e-15),
    (0.006756891861117588, 0.003304588378912098, 0.0002471159230133976, 6.658841458238771e-06, 8.702391018642126e-08,
     6.621858644555783e-10, 3.3452420926443146e-12, 1.2223962053245623e-14),
    (0.0021811914750815304, 0.0011525026033541114, 0.00010144756066720278, 3.253245303483786e-06,
     5.2187351310950605e-08, 4.898790328993738e-10, 2.9923112562573783e-12, 1.2907765021906979e-14),
    (0.0007058773916303785, 0.0003995646357155523, 3.9233827238768475e-05, 1.44623909666135e-06,
     2.6798342129661212e-08, 2.9407088752359757e-10, 2.1089877610162834e-12, 1.0598093457038862e-14),
    (0.00023010400184111858, 0.00013656360251741397, 1.4767194553857578e-05, 6.022362100906859e-07,
     1.2537910068763862e-08, 1.552414301411472e-10, 1.2623437672700402e-12, 7.21110774273049e-15),
    (7.503437236222826e-05, 4.665540349370212e-05, 5.413238592404312e-06, 2.4131943241965305e-07, 5.50012740178569e-09,
     7.5158380121344e-11, 6.770140734102362e-13, 4.294471465701416e-15),
    (2.4597968990805155e-05, 1.5794711326261695e-05, 1.9612999018155307e-06, 9.364419754511506e-08,
     2.3098647944305247e-09, 3.4219098694589475e-11, 3.3559472678288566e-13, 2.3243544915021848e-15),
    (8.05381100665135e-06, 5.360154284578683e-06, 6.994341068852309e-07, 3.563787614004147e-08, 9.372870205574483e-10,
     1.4893316384703125e-11, 1.569829025659041e-13, 1.1713968450030537e-15),
    (2.650727542063675e-06, 1.8040005763344274e-06, 2.482626224656632e-07, 1.3300432452528105e-08,
     3.711959950782299e-10, 6.258747758569901e-12, 7.023763475776679e-14, 5.590638162914655e-16),
    (8.69679953206185e-07, 6.104319367000091e-07, 8.705267939063945e-08, 4.911856598987826e-09, 1.4388288100409087e-10,
     2.560241064988468e-12, 3.0345123153275635e-14, 2.5559217612363127e-16),
    (2.8723187515153095e-07, 2.0445387015428003e-07, 3.0526446183874105e-08, 1.7883700678057773e-09,
     5.4949829450714863e-11, 1.023821241273468e-12, 1.2744626998570863e-14, 1.1286222433468873e-16),
    (9.427287382177989e-08, 6.916674582292578e-08, 1.0576874560751363e-08, 6.479417822792324e-10,
     2.067237452493679e-11, 4.023798831852689e-13, 5.231281565915644e-15, 4.846405056955159e-17),
    (3.131426168308712e-08, 2.3022318712314367e-08, 3.690576009383537e-09, 2.320164541791061e-10, 7.72118014089028e-12,
     1.5594988962179415e-13, 2.1125700633645473e-15, 2.04024771830952e-17),
    (1.0228884977798773e-08, 7.84501072657235e-09, 1.2624122508564809e-09, 8.314079590137178e-11,
     2.841479160924006e-12, 5.963207097976598e-14, 8.36574638488721e-16, 8.386766980167664e-18),
    (3.3614489770255923e-09, 2.594765263151608e-09, 4.3110998724049914e-10, 2.906104727821086e-11,
     1.0227885859283463e-12, 2.2074387733904008e-14, 3.1834808685705084e-16),
    (1.1220622729548026e-09, 8.569997400365611e-10, 1.4949600226866954e-10, 1.0204062152681243e-11,
     3.7302635761747323e-13, 8.258155735623837e-15, 1.2319710555359523e-16),
    (4.3115237920302116e-10, 2.7395719477179273e-10, 5.963292959072126e-11, 3.839854493087481e-12,
     1.5385628022874273e-13, 3.5024659203149533e-15, 5.55227560165235e-17),
    (1.1037284566861551e-10, 1.2769195397793532e-10, 1.66485231350058e-11, 1.47919283039311e-12, 5.27449056012148e-14,
     1.3094564378827727e-15, 2.076851979904809e-17),
    (1.1984667302922862e-11, 3.6189518661054556e-11, 1.922988235014044e-12, 3.04072823664563e-13,
     7.718356513830254e-15, 1.9750830577990727e-16),
    (1.701594162086952e-11, -2.447588460243942e-12, 2.1801418264140744e-12, 5.070042706707869e-14,
     3.7948519596379635e-15, 6.382472543165099e-17),
    (1.3576685419489665e-11, 2.655575091554064e-12, 1.993491901276943e-12, 9.941631436306739e-14,
     5.307820248174746e-15, 1.2674080058553087e-16),
    (4.2624783819004694e-13, 5.424828355811288e-12, 2.0600990184299515e-13, 5.1500370710527085e-14,
     1.5662118948614118e-15, 4.8360145365438073e-17),
)


@functools.cache
def _debye_tables():
    """The polynomials Uₖ(p)/pᵏ and Vₖ(p)/pᵏ in p², k = 0 … 15, by their recurrences (DLMF 10.41.9-11)."""
    u, tables = {0: Fraction(1)}, []
    v = u
    for k in range(_DEBYE):
        tables.append([[float(w.get(k + 2 * j, 0)) for j in range(k + 1)] for w in (u, v)])
        following, v = {}, {}
        for power, c in u.items():
            up, slope = c / (8 * (power + 1)), c * power
            for e, a, b in ((power + 1, slope / 2 + up, -slope - c / 2),
                            (power + 3, -slope / 2 - 5 * c / (8 * (power + 3)), slope + c / 2)):
                following[e] = following.get(e, 0) + a
                v[e] = v.get(e, 0) + b
        for e, a in following.items():
            v[e] = v.get(e, 0) + a
        u = following
    return tables


def _debye(v, w, which, sign):
    """Σ (±1)ᵏ Uₖ(v/w)/vᵏ, or with Vₖ; w = √(v² + x²)."""
    p = v / w
    square, inverse = p * p, 1.0 / w * sign
    out = None
    for pair in _debye_tables()[::-1]:
        row = pair[which]
        term = polynomial(square, row) if len(row) > 1 else square * 0.0 + row[0]
        out = term if out is None else out * inverse + term
    return out


def _hypotenuse(m, v, x):
    """√(v² + x²), and √(v² + x²) - x - v arsinh(v/x), the exponent of Debye's expansions less x."""
    more = plain(x) > plain(v)
    big, small = m.where(more, x, v), m.where(more, v, x)
    r = small / big
    w = big * m.sqrt(r * r + 1.0)
    over = v * (v / (w + x))
    return w, over - v * m.log1p((v + over) / x)


def _series(m, v, x):
    """(log Iᵥ(x), Iᵥ₊₁(x)/Iᵥ(x)) for x < 20."""
    q = x * x * 0.25
    first = second = None
    for k in range(_TERMS, 0, -1):
        a, b = q / ((v + float(k)) * float(k)), q / ((v + (k + 1.0)) * float(k))
        first = a + 1.0 if first is None else first * a + 1.0
        second = b + 1.0 if second is None else second * b + 1.0
    log_i = v * m.log(x * 0.5) - m.special("lgamma", v + 1.0) + m.log(first)
    return log_i, x * 0.5 / (v + 1.0) * (second / first)


def _i_pair(m, v, x):
    """(log(exp(-x) Iᵥ(x)), Iᵥ₊₁(x)/Iᵥ(x))"""
    near = (plain(v) < _JOIN) & (plain(x) < _JOIN)
    small = m.where(near, x, 1.0)
    low, low_ratio = _series(m, m.where(near, v, 1.0), small)
    v, x = m.where(near, 30.0, v), m.where(near, 30.0, x)
    base = _base(m)
    steps = base.maximum(_JOIN - base.floor(plain(v)), 1.0)
    top = v + steps
    w, exponent = _hypotenuse(m, top, x)
    u = _debye(top, w, 0, 1.0)
    rho = (w * (_debye(top, w, 1, 1.0) / u) + top) / x       # I(top - 1) / I(top)
    product = rho
    for i in range(1, _STEPS):
        here = steps > i + 0.5
        rho = m.where(here, (top - float(i)) * 2.0 / x + 1.0 / rho, rho)
        product = m.where(here, product * rho, product)
    high = exponent + m.log(u * product) - (m.log(w) + _LOG_2PI) * 0.5
    return m.where(near, low - small, high), m.where(near, low_ratio, 1.0 / rho)


def _base(m):
    """The reading without derivatives."""
    return _base(m.m) if hasattr(m, "m") else m


def _temme(m, mu, x):
    """(log(exp(x) K_μ(x)), K_{μ+1}(x)/K_μ(x)) for x <= 1, |μ| <= 1/2."""
    log_half = -m.log(x * 0.5)
    s, square = mu * log_half, mu * mu
    g1, g2 = polynomial(square, _GAMMA_1), polynomial(square, _GAMMA_2)
    minus, plus = g2 - mu * g1, g2 + mu * g1             # 1/Γ(1 + μ), 1/Γ(1 - μ)
    e = m.exp(s)
    close = (plain(s) < 1.0) & (plain(s) > -1.0)
    near, away = m.where(close, s, 0.0), m.where(close, 1.0, s)
    sinhc = m.where(close, polynomial(near * near, [1 / math.factorial(2 * k + 1) for k in range(10)]),
                    (e - 1.0 / e) / (away * 2.0))
    f = ((e + 1.0 / e) * 0.5 * g1 + sinhc * log_half * g2) / (minus * plus)
    p, q = e * 0.5 / minus, 0.5 / (e * plus)
    c, quarter, total, other = 1.0, x * x * 0.25, f, p
    for k in range(1, 11):
        inverse = 1.0 / (k * k - square)
        f = (f * float(k) + p + q) * inverse
        p, q = p * (mu + float(k)) * inverse, q * (k - mu) * inverse
        c = quarter * c * (1 / k)
        total, other = total + c * f, other + c * (p - f * float(k))
    return m.log(total) + x, other / (total * x) * 2.0


def _two_variables(u, t, table):
    out = None
    for row in table[::-1]:
        value = polynomial(u, row)
        out = value if out is None else out * t + value
    return out


def _k_pair(m, v, x):
    """(log(exp(x) Kᵥ(x)), Kᵥ₊₁(x)/Kᵥ(x))"""
    far = plain(v) >= _JOIN
    top = m.where(far, v, 30.0)
    w, exponent = _hypotenuse(m, top, x)
    u = _debye(top, w, 0, -1.0)
    high = m.log(u) - exponent - m.log(w * (2 / math.pi)) * 0.5
    high_ratio = (w * (_debye(top, w, 1, -1.0) / u) + top) / x

    v = m.where(far, 0.0, v)
    base = _base(m)
    steps = base.floor(plain(v) + 0.5)
    mu = v - steps
    small = plain(x) < 1.0
    near, away = m.where(small, x, 1.0), m.where(small, 1.0, x)
    low, ratio = _temme(m, mu, near)
    place, t = mu * mu * 8.0 - 1.0, 4.0 / (away + 1.0) - 1.0
    value, slope = _two_variables(place, t, _K_MU), _two_variables(place, t, _K_SLOPE)
    low = m.where(small, low, m.log(value) - m.log(away) * 0.5)
    ratio = m.where(small, ratio, slope / value + mu / away)
    rho, product = ratio * near, None                    # times x where that is below 1
    for k in range(1, _STEPS + 1):
        product = rho if product is None else m.where(steps > k - 0.5, product * rho, product)
        rho = m.where(steps > k - 0.5, (mu + float(k)) * 2.0 / away + near * near / rho, rho)
    some = steps > 0.5
    low = low + m.where(some, m.log(m.where(some, product, 1.0)) - m.log(near) * steps, 0.0)
    return m.where(far, high, low), m.where(far, high_ratio, rho / near)


def _formula(pair, ratio):
    """The logarithm, or the ratio, with its limits at x = 0 and ∞."""
    first = pair is _i_pair

    def f(m, v, x):
        pv, px = plain(v), plain(x)
        ok = (pv >= 0.0) & (pv < 1e15) & (px > 1e-307) & (px < 1e290)
        out = pair(m, m.where(ok, v, 1.0), m.where(ok, x, 1.0))[ratio]
        bad = ~(pv >= 0.0) | ~(px >= 0.0) | (pv >= 1e15)
        if ratio:
            at_zero, at_end = (0.0, 1.0) if first else (np.inf, 1.0)
        else:
            at_zero, at_end = (_base(m).where(pv > 0.0, -np.inf, 0.0), -np.inf) if first else (np.inf, -np.inf)
        out = m.where((px <= 1e-307) & ~bad, at_zero, out)
        out = m.where((px >= 1e290) & ~bad, at_end, out)
        return m.where(bad, np.nan, out)
    return f


_ORDERS = 2


@functools.cache
def _differentiated(name, order):
    pair, ratio = {"log_ive": (_i_pair, 0), "iv_ratio": (_i_pair, 1),
                   "log_kve": (_k_pair, 0), "kv_ratio": (_k_pair, 1)}[name]
    return differentiated(_formula(pair, ratio), (order, 0))


def _in_order(name):
    def jvp(t, y, v, x, *, order):
        if order == _ORDERS:
            raise TransformError(f"{name} is differentiated at most {_ORDERS} times in its order.")
        return t * _PRIMITIVES[name].bind(v, x, order=order + 1)
    return jvp


def _quotient(v, x):
    """v/x, 0 where v is."""
    zero = eq(v, 0)
    return where(zero, np.zeros((), x.dtype), v / where(zero, np.ones((), x.dtype), x))


def _log_slope(name, ratio, sign):
    """(log ive)' = R + v/x - 1, (log kve)' = 1 + v/x - R, R = I(v+1)/I(v) or K(v+1)/K(v); and its derivatives in v."""
    def jvp(t, y, v, x, *, order):
        r = _PRIMITIVES[ratio].bind(v, x, order=order) * sign
        if order == 0:
            r = (r - sign) + _quotient(v, x)
        return t * (r + 1 / x if order == 1 else r)
    return jvp


def _ratio_slope(name, sign):
    """R' = ±(1 - R²) - (2v + 1)/x R, and its derivative in v."""
    def jvp(t, y, v, x, *, order):
        if order == 0:
            return t * (sign * (1 - y * y) - (2 * v + 1) / x * y)
        if order == 1:
            r = _PRIMITIVES[name].bind(v, x, order=0)
            return t * (-2 * sign * r * y - ((2 * v + 1) * y + 2 * r) / x)
        raise TransformError(f"{name} is differentiated at most {_ORDERS} times in its order, and not in x after that.")
    return jvp


def _primitive(name, slope):
    return Primitive(
        name,                                            # order: how often it is differentiated in v
        shape=elementwise,
        uniform=True,
        impl=lambda v, x, *, order: numpy_impl(_differentiated(name, order))(v, x),
        lower=lambda b, v, x, *, order: xla_lower(_differentiated(name, order))(b, v, x),
        jvp=(_in_order(name), slope),
        batch=elementwise_batch,
    )


log_ive_p = _primitive("log_ive", _log_slope("log_ive", "iv_ratio", 1.0))
iv_ratio_p = _primitive("iv_ratio", _ratio_slope("iv_ratio", 1.0))
log_kve_p = _primitive("log_kve", _log_slope("log_kve", "kv_ratio", -1.0))
kv_ratio_p = _primitive("kv_ratio", _ratio_slope("kv_ratio", -1.0))
_PRIMITIVES = {p.name: p for p in (log_ive_p, iv_ratio_p, log_kve_p, kv_ratio_p)}


def log_ive(v, x):
    """log(exp(-x) Iᵥ(x)), the modified Bessel function of the first kind where it over- or underflows.

    v : float[*batch], >= 0      x : float[*batch], >= 0      Both have derivatives, v at most two.

    >>> float(log_ive(1000.0, 1.0)).__round__(3)
    -6606.326
    """
    return log_ive_p.bind(*promote_inexact(v, x), order=0)


def log_kve(v, x):
    """log(exp(x) Kᵥ(x)), the modified Bessel function of the second kind.   v : any      x >= 0"""
    return log_kve_p.bind(*_even(v, x), order=0)


def iv_ratio(v, x):
    """Iᵥ₊₁(x)/Iᵥ(x): with v = d/2 - 1 the mean length of a von Mises-Fisher vector in d dimensions.   v, x >= 0"""
    return iv_ratio_p.bind(*promote_inexact(v, x), order=0)


def kv_ratio(v, x):
    """Kᵥ₊₁(x)/Kᵥ(x).   v, x >= 0"""
    return kv_ratio_p.bind(*promote_inexact(v, x), order=0)


def _even(v, x):
    v, x = promote_inexact(v, x)
    return abs_(v), x


def ive(v, x):
    """exp(-x) Iᵥ(x); the error is that of its logarithm.   v, x >= 0"""
    return exp(log_ive(v, x))


def iv(v, x):
    """Iᵥ(x), the modified Bessel function of the first kind, of real order.   v, x >= 0"""
    v, x = promote_inexact(v, x)
    return exp(log_ive(v, x) + x)


def kve(v, x):
    """exp(x) Kᵥ(x); the error is that of its logarithm.   v : any      x >= 0"""
    return exp(log_kve(v, x))


def kv(v, x):
    """Kᵥ(x), the modified Bessel function of the second kind, of real order.   v : any      x >= 0"""
    v, x = promote_inexact(v, x)
    return exp(log_kve(v, x) - x)
