"""Optimisers under NumPyro's names: the parameters stand in the state.

    optimiser = Adam(1e-3)
    state = optimiser.init(params)
    (loss, aux), state = optimiser.eval_and_update(lambda p: (f(p), None), state)
    params = optimiser.get_params(state)

step_size is a number or a schedule. The state is (number of updates, (parameters, state of the transformation)): a
tree of arrays. An object holds no state of its own.
"""
from ...engine import jacfwd, tree, value_and_grad
from ...engine import numpy as np
from ...engine.ravel import ravel_pytree
from .clipping import clip
from .minimization import minimize
from .optimisers import adam, rmsprop, sgd
from .scaling import ema, scale_by_rss, scale_by_sm3
from .transformation import GradientTransformation, apply_updates, chain, scale_by_learning_rate
from .wrappers import all_finite


class Optimizer:
    """A gradient transformation with its parameters; see the module.

    >>> optimiser = SGD(0.1)
    >>> state = optimiser.init({"w": 1.0})
    >>> (loss, _), state = optimiser.eval_and_update(lambda p: (p["w"] ** 2, None), state)
    >>> float(loss), float(optimiser.get_params(state)["w"])
    (1.0, 0.8)
    """

    def __init__(self, transformation):
        if not isinstance(transformation, GradientTransformation) and not (
                hasattr(transformation, "init") and hasattr(transformation, "update")):
            raise TypeError(f"an optimiser is made of a pair (init, update); got a {type(transformation).__name__}.")
        self.transformation = transformation

    def init(self, params):
        """The state at the first parameters."""
        params = tree.map(np.asarray, params)
        return np.zeros((), "int64"), (params, self.transformation.init(params))

    def get_params(self, state):
        """The parameters of a state."""
        return state[1][0]

    def update(self, g, state, value=None):
        """The state after one step with gradient g; `value`, the loss, is there for those who look at it."""
        count, (params, inner) = state
        updates, inner = self.transformation.update(g, inner, params)
        return count + 1, (apply_updates(params, updates), inner)

    def eval_and_update(self, fn, state, forward_mode_differentiation=False):
        """((value, aux), state after one step).   fn : params -> (value to minimise, aux)"""
        (value, aux), g = _evaluate(fn, self.get_params(state), forward_mode_differentiation)
        return (value, aux), self.update(g, state, value)

    def eval_and_stable_update(self, fn, state, forward_mode_differentiation=False):
        """As eval_and_update, but the state stays where the value or its gradient is not finite."""
        (value, aux), g = _evaluate(fn, self.get_params(state), forward_mode_differentiation)
        ok = np.logical_and(np.isfinite(value), all_finite(g))
        return (value, aux), tree.map(lambda new, old: np.where(ok, new, old), self.update(g, state, value), state)


def _evaluate(fn, params, forward):
    """((value, aux), gradient) of fn: params -> (value, aux)."""
    if not forward:
        return value_and_grad(fn, has_aux=True)(params)
    return fn(params), jacfwd(lambda p: fn(p)[0])(params)


def optax_to_numpyro(transformation):
    """A gradient transformation, a pair (init, update), as an optimiser of this form."""
    return Optimizer(transformation)


class Adam(Optimizer):
    """-step_size · m̂ / (√v̂ + eps); see `adam`."""

    def __init__(self, step_size, b1=0.9, b2=0.999, eps=1e-8):
        super().__init__(adam(step_size, b1, b2, eps))


class ClippedAdam(Optimizer):
    """Adam of gradients whose elements are held to [-clip_norm, clip_norm]."""

    def __init__(self, step_size, b1=0.9, b2=0.999, eps=1e-8, clip_norm=10.0):
        super().__init__(chain(clip(clip_norm), adam(step_size, b1, b2, eps)))


class Adagrad(Optimizer):
    """-step_size times the decaying mean of g / √Σ g², whose sums begin at 0."""

    def __init__(self, step_size, momentum=0.9):
        super().__init__(chain(scale_by_rss(0.0, 0.0), ema(momentum, debias=False), scale_by_learning_rate(step_size)))


class Momentum(Optimizer):
    """v ← mass · v + g, step -step_size · v."""

    def __init__(self, step_size, mass):
        super().__init__(sgd(step_size, mass))


class RMSProp(Optimizer):
    """-step_size · g / √(v + eps), v the decaying mean of g²."""

    def __init__(self, step_size, gamma=0.9, eps=1e-8):
        super().__init__(rmsprop(step_size, gamma, eps))


class RMSPropMomentum(Optimizer):
    """u ← momentum · u + step_size · g / √(v + eps), step -u."""

    def __init__(self, step_size, gamma=0.9, eps=1e-8, momentum=0.9):
        super().__init__(rmsprop(step_size, gamma, eps, momentum=momentum))


class SGD(Optimizer):
    """-step_size · g"""

    def __init__(self, step_size):
        super().__init__(sgd(step_size))


class SM3(Optimizer):
    """-step_size times the decaying mean of g / √s; see `scale_by_sm3`."""

    def __init__(self, step_size, momentum=0.9):
        super().__init__(chain(scale_by_sm3(momentum, eps=0.0), scale_by_learning_rate(step_size)))


class Minimize(Optimizer):
    """The whole minimisation in one update, by `minimize`: its step is the way from the start to the minimum.

    method : "BFGS" or "L-BFGS"         tol, options : those of `minimize`
    The value to minimise must not be random.

    >>> optimiser = Minimize()
    >>> state = optimiser.init({"w": 1.0, "b": 0.0})
    >>> fn = lambda p: ((p["w"] - 3.0) ** 2 + (p["b"] + p["w"]) ** 2, None)
    >>> _, state = optimiser.eval_and_update(fn, state)
    >>> {k: float(x).__round__(4) for k, x in optimiser.get_params(state).items()}
    {'b': -3.0, 'w': 3.0}
    """

    def __init__(self, method="BFGS", tol=None, options=None):
        self.method, self.tol, self.options = method, tol, options

    def init(self, params):
        """The state at the first parameters."""
        return np.zeros((), "int64"), (tree.map(np.asarray, params), ())

    def update(self, g, state, value=None):
        """Not there: a minimisation asks for gradients itself."""
        raise TypeError("Minimize evaluates gradients itself: call eval_and_update(fn, state).")

    def eval_and_update(self, fn, state, forward_mode_differentiation=False):
        """((value at the minimum, aux there), the state with the minimum as its parameters)."""
        count, (params, _) = state
        start, unravel = ravel_pytree(params)
        result = minimize(lambda z: fn(unravel(z))[0], start, method=self.method, tol=self.tol, options=self.options)
        found = unravel(result.x)
        return fn(found), (count + 1, (found, ()))

    def eval_and_stable_update(self, fn, state, forward_mode_differentiation=False):
        """As eval_and_update, but the state stays where the value found is not finite."""
        (value, aux), new = self.eval_and_update(fn, state)
        ok = np.logical_and(np.isfinite(value), all_finite(self.get_params(new)))
        return (value, aux), tree.map(lambda a, b: np.where(ok, a, b), new, state)
