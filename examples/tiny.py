"""The whole idea in NumPy alone: an engine with grad and vmap, one distribution, three handlers, and HMC.

A primitive is a record of rules. An interpreter reads one of them. A rule runs in the world below. Derivatives, vmap,
drawing at random, conditioning and adding up a log-density are interpreters of a few lines each, and nest in any order.
The library adds primitives, pytrees, loops and a compiler; tests/test_tiny.py runs the same models under both.

    python examples/tiny.py
"""
import functools
import sys
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np

# ---- types ----

class Aval(NamedTuple):
    """What is known of an array before it exists."""
    shape: tuple
    dtype: np.dtype

def aval_of(x):
    if isinstance(x, Aval): return x
    if isinstance(x, Tracer): return x.aval
    return Aval(np.shape(x), np.asarray(x).dtype)

# ---- primitives ----

READER = {"shape": "every transformation", "impl": "plain evaluation", "jvp": "jvp and grad", "transpose": "grad",
          "batch": "vmap"}

class MissingRule(NotImplementedError):
    """A primitive met an interpreter that it has no rule for."""

class Primitive:
    """A name and its rules."""
    def __init__(self, name, **rules):
        assert set(rules) <= set(READER), f"unknown rules {set(rules) - set(READER)}"
        self.name, self.rules = name, rules

    def rule(self, kind):
        if kind in self.rules: return self.rules[kind]
        raise MissingRule(f"`{self.name}` has no {kind} rule, so {READER[kind]} cannot go through it.\n"
                          f"Give it one where it is defined: Primitive({self.name!r}, ..., {kind}=...).")

    def bind(self, *args, **params):              # arrays in args, static facts in params
        trace = WORLD[-1]
        with world(trace.below):
            return trace.process(self, args, params)

# ---- worlds: the stack of interpreters, the current one last ----

class Trace:
    """An interpreter. `process` is called in the world below, so it may use ordinary operations."""
    def __init__(self): self.below = WORLD[-1]
    def process(self, prim, args, params): raise NotImplementedError

class Evaluate(Trace):
    def __init__(self): self.below = self
    def process(self, prim, args, params): return prim.rule("impl")(*args, **params)

WORLD = [Evaluate()]

@contextmanager
def world(trace):
    WORLD.append(trace)
    try: yield trace
    finally: WORLD.pop()

class Tracer:
    """Stands for a value inside one interpreter; `aval` says of what type."""
    __array_ufunc__ = None                        # so that NumPy leaves `array * tracer` to us

    def __add__(a, b): return add(a, b)
    def __mul__(a, b): return mul(a, b)
    def __neg__(a): return mul(a, -1.0)
    def __sub__(a, b): return add(a, mul(b, -1.0))
    def __truediv__(a, b): return mul(a, reciprocal(b))
    __radd__, __rmul__ = __add__, __mul__

# ---- forward derivatives ----

class Dual(Tracer):
    def __init__(self, trace, x, t): self.trace, self.x, self.t, self.aval = trace, x, t, aval_of(x)

class Jvp(Trace):
    """Carries (value, tangent)."""
    def split(self, v):                           # a dual of another Jvp is a constant to this one
        return (v.x, v.t) if isinstance(v, Dual) and v.trace is self else (v, None)

    def process(self, prim, args, params):
        xs, ts = zip(*map(self.split, args))
        y = prim.bind(*xs, **params)
        if all(t is None for t in ts): return y
        parts = [push(t, y, *xs, **params) for push, t in zip(prim.rule("jvp"), ts)
                 if t is not None and push is not None]
        return Dual(self, y, functools.reduce(add, parts)) if parts else y

def jvp(f, x, t):
    """(f(x), the derivative of f at x along t)"""
    trace = Jvp()
    with world(trace): out = f(Dual(trace, x, t))
    y, ty = trace.split(out)
    return y, (np.zeros(aval_of(y).shape) if ty is None else ty)

# ---- vmap: the batch axis is axis 0 ----

class Batched(Tracer):
    def __init__(self, trace, x):
        self.trace, self.x = trace, x
        self.aval = Aval(aval_of(x).shape[1:], aval_of(x).dtype)

class Vmap(Trace):
    """Carries arrays with one more axis."""
    def process(self, prim, args, params):
        mine = [isinstance(a, Batched) and a.trace is self for a in args]
        if not any(mine): return prim.bind(*args, **params)
        xs = [a.x if m else a for a, m in zip(args, mine)]
        return Batched(self, prim.rule("batch")(prim.bind, mine, *xs, **params))

def vmap(f):
    """f over the leading axis of its arguments."""
    def mapped(*xs):
        trace = Vmap()
        with world(trace): out = f(*[Batched(trace, x) for x in xs])
        if isinstance(out, Batched) and out.trace is trace: return out.x
        return np.broadcast_to(out, (aval_of(xs[0]).shape[0], *aval_of(out).shape))
    return mapped

# ---- reverse derivatives: stage the tangent's linear program, then transpose it ----

class Var(Tracer):
    def __init__(self, trace, aval): self.trace, self.aval = trace, aval

class Eqn(NamedTuple):
    prim: Primitive
    args: tuple
    params: dict
    out: Var

class Stage(Trace):
    """Writes down what is done to its own variables."""
    def __init__(self): self.below, self.eqns = WORLD[-1], []
    def mine(self, a): return isinstance(a, Var) and a.trace is self
    def process(self, prim, args, params):
        if not any(map(self.mine, args)): return prim.bind(*args, **params)
        out = Var(self, prim.rule("shape")(*map(aval_of, args), **params))
        self.eqns.append(Eqn(prim, args, params, out))
        return out

def vjp(f, x):
    """(f(x), the map from a cotangent of f(x) to one of x)"""
    linear = Stage()
    with world(linear):
        trace, t_in = Jvp(), Var(linear, aval_of(x))
        with world(trace): out = f(Dual(trace, x, t_in))
    y, t_out = trace.split(out)

    def pull(c):
        cotangents = {id(t_out): c}
        for eqn in reversed(linear.eqns):
            if id(eqn.out) not in cotangents: continue
            known = [aval_of(a) if linear.mine(a) else a for a in eqn.args]
            for a, back in zip(eqn.args, eqn.prim.rule("transpose")):
                if not linear.mine(a): continue
                part = back(cotangents[id(eqn.out)], *known, **eqn.params)
                cotangents[id(a)] = add(cotangents[id(a)], part) if id(a) in cotangents else part
        return cotangents.get(id(t_in), np.zeros(aval_of(x).shape))
    return y, pull

def value_and_grad(f):
    def both(x):
        y, pull = vjp(f, x)
        return y, pull(np.ones(()))
    return both

def grad(f): return lambda x: value_and_grad(f)(x)[1]

# ---- operations: each with all of its rules ----

def elementwise(*avals, **_):
    return Aval(np.broadcast_shapes(*[a.shape for a in avals]), np.result_type(*[a.dtype for a in avals]))

def elementwise_batch(bind, mine, *xs, **params):
    """Axes of size 1 behind the batch axis, so that the other axes meet from the right."""
    rank = max(len(aval_of(x).shape) - m for x, m in zip(xs, mine))

    def align(x):
        n, *rest = aval_of(x).shape
        return reshape(x, (n, *[1] * (rank - len(rest)), *rest))
    return bind(*[align(x) if m else x for x, m in zip(xs, mine)], **params)

def spread(x, like): return add(x, np.zeros(aval_of(like).shape))
def unbroadcast(c, like):
    """Sum a cotangent over the axes that broadcasting made."""
    shape, want = aval_of(c).shape, aval_of(like).shape
    padded = (1,) * (len(shape) - len(want)) + want
    axes = tuple(i for i, (n, w) in enumerate(zip(shape, padded)) if n != w)
    return c if shape == want else reshape(reduce_sum(c, axes), want)

add_p = Primitive(
    "add", shape=elementwise, impl=np.add, batch=elementwise_batch,
    jvp=(lambda t, y, a, b: spread(t, y), lambda t, y, a, b: spread(t, y)),
    transpose=(lambda c, a, b: unbroadcast(c, a), lambda c, a, b: unbroadcast(c, b)),
)
mul_p = Primitive(
    "mul", shape=elementwise, impl=np.multiply, batch=elementwise_batch,
    jvp=(lambda t, y, a, b: mul(t, b), lambda t, y, a, b: mul(a, t)),
    transpose=(lambda c, a, b: unbroadcast(mul(c, b), a), lambda c, a, b: unbroadcast(mul(a, c), b)),
)
reciprocal_p = Primitive("reciprocal", shape=elementwise, impl=np.reciprocal, batch=elementwise_batch,
                         jvp=(lambda t, y, x: mul(t, mul(y, mul(y, -1.0))),))
log_p = Primitive("log", shape=elementwise, impl=np.log, batch=elementwise_batch,
                  jvp=(lambda t, y, x: mul(t, reciprocal(x)),))
exp_p = Primitive("exp", shape=elementwise, impl=np.exp, batch=elementwise_batch, jvp=(lambda t, y, x: mul(t, y),))
reduce_sum_p = Primitive(
    "reduce_sum",
    shape=lambda a, *, axes: Aval(tuple(n for i, n in enumerate(a.shape) if i not in axes), a.dtype),
    impl=lambda x, *, axes: np.sum(x, axes),
    jvp=(lambda t, y, x, *, axes: reduce_sum(t, axes),),
    transpose=(lambda c, x, *, axes: spread(
        reshape(c, tuple(1 if i in axes else n for i, n in enumerate(x.shape))), x),),
    batch=lambda bind, mine, x, *, axes: bind(x, axes=tuple(i + 1 for i in axes)),
)
reshape_p = Primitive(
    "reshape",
    shape=lambda a, *, shape: Aval(shape, a.dtype),
    impl=lambda x, *, shape: np.reshape(x, shape),
    jvp=(lambda t, y, x, *, shape: reshape(t, shape),),
    transpose=(lambda c, x, *, shape: reshape(c, x.shape),),
    batch=lambda bind, mine, x, *, shape: bind(x, shape=(aval_of(x).shape[0], *shape)),
)
add, mul, reciprocal, log, exp = add_p.bind, mul_p.bind, reciprocal_p.bind, log_p.bind, exp_p.bind
def reshape(x, shape): return reshape_p.bind(x, shape=tuple(shape))
def reduce_sum(x, axes=None):
    return reduce_sum_p.bind(x, axes=tuple(range(len(aval_of(x).shape))) if axes is None else axes)

# ---- one distribution, and the statement ----

class Normal(NamedTuple):
    """log p(x) = -½ ((x - loc) / scale)² - log scale - ½ log 2π"""
    loc: object
    scale: object

    def draw(self, rng):
        shape = np.broadcast_shapes(aval_of(self.loc).shape, aval_of(self.scale).shape)
        return add(self.loc, mul(self.scale, rng.normal(size=shape)))

    def log_prob(self, x):
        z = mul(add(x, mul(self.loc, -1.0)), reciprocal(self.scale))
        return add(mul(mul(z, z), -0.5), add(mul(log(self.scale), -1.0), -0.5 * np.log(2 * np.pi)))

def _bottom(*args, name):
    if len(args) == 3: return np.broadcast_arrays(*args)[2]
    raise LookupError(f"the site {name!r} was reached, and no handler gave it a value.\n"
                      f"Run the model under one that does: seed(0) draws it, condition({{{name!r}: ...}}) fixes it.")

sample_p = Primitive("sample", shape=elementwise, impl=_bottom, batch=elementwise_batch,
                     jvp=(None, None, lambda t, y, *_, name: spread(t, y)))   # operands: loc, scale, perhaps a value

def sample(name, fn, value=None):
    """A draw from fn, or the value that a handler gives to this name."""
    return sample_p.bind(*fn, *([] if value is None else [value]), name=name)

# ---- handlers: interpreters with an opinion about that one primitive ----

class Handler(Trace):
    def __init__(self): pass                      # its world below is known when it is used
    def process(self, prim, args, params):
        if prim is not sample_p: return prim.bind(*args, **params)
        return self.site(params["name"], Normal(*args[:2]), *args[2:])

class seed(Handler):
    """Draw what has no value. The numbers depend on the seed and the site's name alone."""
    def __init__(self, number): self.number = number
    def site(self, name, fn, value=None):
        rng = np.random.default_rng([self.number, *name.encode()])
        return sample(name, fn, fn.draw(rng) if value is None else value)

class condition(Handler):
    """Give sites of these names their values."""
    def __init__(self, values): self.values = values
    def site(self, name, fn, value=None): return sample(name, fn, self.values.get(name, value))

class log_joint(Handler):
    """Add up log p."""
    def __init__(self): self.total = 0.0
    def site(self, name, fn, value=None):
        value = sample(name, fn, value)
        self.total = add(self.total, reduce_sum(fn.log_prob(value)))
        return value

@contextmanager
def under(*handlers):
    """Run under these handlers; the last one meets a site first."""
    with ExitStack() as stack:
        for handler in handlers:
            handler.below = WORLD[-1]
            stack.enter_context(world(handler))
        yield

def log_density(model, values, *args):
    """log p of a model at values of all its sites."""
    joint = log_joint()
    with under(condition(values), joint): model(*args)
    return joint.total

# ---- Hamiltonian Monte Carlo (Neal 2011, §5.3) ----

def hmc(logdensity, position, *, rng, step_size, num_steps, num_draws):
    """float[num_draws, d], and how many of them were new."""
    f, draws, accepted = value_and_grad(logdensity), [], 0
    value, slope = f(position)
    for _ in range(num_draws):
        q, p, value_q, slope_q = position, rng.normal(size=np.shape(position)), value, slope
        energy = value - 0.5 * np.sum(p * p)
        for _ in range(num_steps):
            p = p + 0.5 * step_size * slope_q
            q = q + step_size * p
            value_q, slope_q = f(q)
            p = p + 0.5 * step_size * slope_q
        if np.log(rng.random()) < value_q - 0.5 * np.sum(p * p) - energy:
            position, value, slope, accepted = q, value_q, slope_q, accepted + 1
        draws.append(position)
    return np.stack(draws), accepted

def main(arguments=()):
    """The mean of a normal from ten measurements, whose posterior is known exactly."""
    y = np.array([2.1, 1.4, 2.8, 1.9, 2.3, 1.2, 2.6, 1.7, 2.0, 2.5])

    def model():
        mu = sample("mu", Normal(0.0, 1.0))
        sample("y", Normal(mu * np.ones(len(y)), 0.8))

    draws, accepted = hmc(lambda mu: log_density(model, {"mu": mu, "y": y}), np.zeros(()), rng=np.random.default_rng(0),
                          step_size=0.3, num_steps=4, num_draws=600)
    precision = 1 + len(y) / 0.8 ** 2
    mean, sd = y.sum() / 0.8 ** 2 / precision, precision ** -0.5
    print(f"HMC: mean {draws.mean():.3f}, sd {draws.std():.3f}, {accepted / len(draws):.0%} accepted")
    print(f"exact: mean {mean:.3f}, sd {sd:.3f}")
    second = grad(grad(lambda mu: log_density(model, {"mu": mu, "y": y})))(0.3)
    print(f"minus the second derivative of log p: {-second:.3f}; exact {precision:.3f}")
    assert abs(draws.mean() - mean) < 0.05 and abs(draws.std() - sd) < 0.05 and np.isclose(-second, precision)

if __name__ == "__main__":
    main(sys.argv[1:])
