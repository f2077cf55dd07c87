"""The No-U-Turn sampler as a state machine: one step is one leapfrog step, and one gradient.

A transition doubles a trajectory, forwards or backwards at random, until it turns round; the next position is drawn
from it by multinomial weights (Betancourt 2017, appendix A). Usually that is a loop inside of a loop. Here the two are
one: the state says where in the tree the machine is, and `advance` takes one leapfrog step. When that completes a
subtree, `resolve` merges it; when that completes the tree, the transition ends and `begin` draws a new momentum. So one
place in the program evaluates the gradient, and in a vectorised run no chain waits for another's tree.

Subtrees are built iteratively with O(log n) checkpoints: leaf n of a subtree checks for a U-turn against the leaves
that begin the balanced subtrees that it ends (Phan, Pradhan & Jankowiak 2019, appendix A).

`init`, `advance`, `resolve` and `begin` are pure functions that know a log-density and nothing of models. The
randomness of transition i of a chain is a function of the chain's seed and of i alone.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import cond, random, value_and_grad, while_loop
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .base import Params as Params

MAX_ENERGY_ERROR = 1000.0
MAX_TRIES = 100


class Info(NamedTuple):
    """What a person looks at: facts of the last transition that ended."""
    logdensity: Array              # float[], at the new position
    energy: Array                  # float[], potential plus kinetic, at the new position's momentum
    accept_prob: Array             # float[], the mean over the tree
    num_steps: Array               # float[], leapfrog steps
    tree_depth: Array              # float[], doublings begun
    diverging: Array               # float[], 0 or 1
    step_size: Array               # float[], the one used
    max_energy_error: Array        # float[], the largest in size, with its sign
    symmetric_accept: Array        # float[], the mean over the tree of 2 min(1, w) / (1 + w), w = exp(energy lost)


class Point(NamedTuple):
    """A place of phase space."""
    q: Array                       # float[d]
    p: Array                       # float[d]
    grad: Array                    # float[d], of the log-density at q


class State(NamedTuple):
    """The machine between two leapfrog steps."""
    seed: Array                    # uint64[], of the chain
    starting: Array                # bool[]: a start point is being looked for
    tries: Array                   # int[], start points looked at
    transition: Array              # int[], transitions that ended
    position: Array                # float[d], where the chain is
    logdensity: Array              # float[]
    grad: Array                    # float[d]
    # the tree of the transition under way
    left: Point
    right: Point
    moving: Point                  # the end that is being extended
    forwards: Array                # bool[]
    depth: Array                   # int[], doublings done
    energy: Array                  # float[], at the start of the transition
    log_weight: Array              # float[], log Σ exp(energy at the start - energy) over the tree
    momentum_sum: Array            # float[d], over the tree
    proposal: Array                # float[d]
    proposal_logdensity: Array     # float[]
    proposal_grad: Array           # float[d]
    proposal_energy: Array         # float[]
    # the subtree that doubles it
    leaf: Array                    # int[], leaves done
    sub_log_weight: Array
    sub_momentum_sum: Array
    sub_proposal: Array
    sub_logdensity: Array
    sub_grad: Array
    sub_energy: Array
    checkpoint_p: Array            # float[max_tree_depth, d]
    checkpoint_sum: Array          # float[max_tree_depth, d]
    # statistics of the tree
    steps: Array                   # int[]
    accept_sum: Array              # float[]
    symmetric_sum: Array           # float[]
    worst: Array                   # float[]
    info: Info


# ---- randomness: purposes have counters of their own ----

_MOMENTUM, _LEAF, _DIRECTION, _MERGE, _START = (onp.uint64(k << 40) for k in range(5))


def _transition_seed(seed, transition):
    return random.hash_bits(seed, np.astype(transition, onp.uint64))


def _uniform(state, purpose, count):
    """A number in (0, 1) for a purpose and a count within the transition under way."""
    return random.hash_uniform(_transition_seed(state.seed, state.transition), np.astype(count, onp.uint64) + purpose)


def start_point(seed, tries, d, radius):
    """A draw from Uniform(-radius, radius)^d, for the first position."""
    u = random.hash_uniform(seed, np.astype(tries, onp.uint64) + _START, (d,))
    return (2.0 * u - 1.0) * radius


def init(seed, position=None, *, num_dims=None, radius=2.0, max_tree_depth=10):
    """The machine before its first step.

    seed : uint64[], of this chain          position : float[d], or None for Uniform(-radius, radius)^d
    The first step evaluates the log-density at the position. A random position where it or its gradient is not finite
    is drawn again, up to MAX_TRIES in all; then `failed` says so and the machine stays where it is. A position that
    was given has one try.
    """
    float_type = default_float()
    given = position is not None
    q = np.asarray(position) if given else start_point(seed, onp.asarray(0), num_dims, radius)
    q = np.astype(q, float_type)
    d = q.shape[0]
    zero, vector, count = np.zeros((), float_type), np.zeros(d, float_type), np.asarray(0)
    yes, tries = np.asarray(True), np.asarray(MAX_TRIES - 1 if given else 0)
    point, checkpoints = Point(q, vector, vector), np.zeros((max_tree_depth, d), float_type)
    return State(
        seed, yes, tries, transition=count, position=q, logdensity=zero, grad=vector,
        left=point, right=point, moving=point,
        forwards=yes, depth=count, energy=zero, log_weight=zero, momentum_sum=vector,
        proposal=q, proposal_logdensity=zero, proposal_grad=vector, proposal_energy=zero,
        leaf=count, sub_log_weight=zero, sub_momentum_sum=vector,
        sub_proposal=q, sub_logdensity=zero, sub_grad=vector, sub_energy=zero,
        checkpoint_p=checkpoints, checkpoint_sum=checkpoints,
        steps=count, accept_sum=zero, symmetric_sum=zero, worst=zero, info=Info(*[zero] * len(Info._fields)))


def failed(state):
    """Whether no start point with a finite log-density was found."""
    return np.logical_and(state.starting, state.tries >= MAX_TRIES)


def restart(state, position):
    """A machine that found no start, at another position, which has one try."""
    q = np.astype(np.asarray(position), state.position.dtype)
    zero = np.zeros_like(q)
    return state._replace(tries=np.asarray(MAX_TRIES - 1), position=q, moving=Point(q, zero, zero))


# ---- one step ----

class Event(NamedTuple):
    """What a leapfrog step brought about."""
    logdensity: Array              # float[], at the new point
    stop: Array                    # bool[]: the subtree turned round or diverged, so it is thrown away
    diverging: Array               # bool[]
    happened: Array                # bool[]: a subtree is complete, or a start point was looked at


def advance(state, logdensity_fn, params):
    """(state, event): one leapfrog step, added to the subtree. Where the event happened, `resolve` it."""
    new, logdensity, delta = leapfrog(state, logdensity_fn, params)
    log_weight = np.logaddexp(state.sub_log_weight, delta)               # -inf before the first leaf
    take = np.log(_uniform(state, _LEAF, state.steps)) < delta - log_weight
    momentum_sum = state.sub_momentum_sum + new.p
    turning, ckpt_p, ckpt_sum = check_subtrees(state, new.p, momentum_sum, params.metric)
    diverging = delta < -MAX_ENERGY_ERROR
    stop = np.logical_or(turning, diverging)
    full = state.leaf + 1 == np.left_shift(onp.asarray(1), state.depth)
    choose = lambda a, b: np.where(take, a, b)
    accept = np.exp(np.minimum(delta, 0.0))
    state = state._replace(
        moving=new, leaf=state.leaf + 1, sub_log_weight=log_weight, sub_momentum_sum=momentum_sum,
        sub_proposal=choose(new.q, state.sub_proposal), sub_grad=choose(new.grad, state.sub_grad),
        sub_logdensity=choose(logdensity, state.sub_logdensity),
        sub_energy=choose(state.energy - delta, state.sub_energy),
        checkpoint_p=ckpt_p, checkpoint_sum=ckpt_sum, steps=state.steps + 1,
        accept_sum=state.accept_sum + accept, symmetric_sum=state.symmetric_sum + 2.0 * accept / (1.0 + np.exp(delta)),
        worst=np.where(np.abs(delta) > np.abs(state.worst), -delta, state.worst))
    return state, Event(logdensity, stop, diverging, np.logical_or(np.logical_or(stop, full), state.starting))


def leapfrog(state, logdensity_fn, params):
    """One step of the leapfrog integrator from the moving end: (point, log-density, energy at the start - energy here).

    An energy that is not finite, of either sign, counts as infinite: the trajectory diverges there.
    """
    q, p, g = state.moving
    eps = np.where(state.starting, 0.0, np.where(state.forwards, params.step_size, -params.step_size))
    p = p + 0.5 * eps * g
    q = q + eps * params.metric.velocity(p)
    logdensity, g = value_and_grad(logdensity_fn)(q)
    p = p + 0.5 * eps * g
    delta = state.energy - (kinetic(p, params) - logdensity)
    return Point(q, p, g), logdensity, np.where(np.isfinite(delta), delta, -np.inf)


def kinetic(p, params):
    """½ pᵀ M⁻¹ p"""
    return 0.5 * np.sum(params.metric.velocity(p) * p)


def check_subtrees(state, p, momentum_sum, metric):
    """(turning, checkpoints): leaf n, if even, is kept as the beginning of subtrees; if odd, the balanced subtrees that
    it ends are checked.

    Checkpoint k holds the beginning of the subtree with k set bits in n >> 1; leaf n ends as many subtrees as it has
    trailing ones.
    """
    n = state.leaf
    ones = lambda bits: np.astype(np.bitwise_count(bits), n.dtype)       # signed: the loop below counts to -1
    slot = ones(np.right_shift(n, onp.asarray(1)))
    ends = ones(np.bitwise_and(n, np.invert(n + 1)))                      # the trailing ones of n
    even = np.bitwise_and(n, onp.asarray(1)) == 0
    put = lambda old, new: old.at[slot].set(np.where(even, new, old[slot]))
    ckpt_p, ckpt_sum = put(state.checkpoint_p, p), put(state.checkpoint_sum, momentum_sum)

    def unfinished(c):
        k, turning = c
        return np.logical_and(k > slot - ends, np.logical_not(turning))

    def check(c):
        k, _ = c
        begin = ckpt_p[k]
        return k - 1, turns(begin, p, momentum_sum - ckpt_sum[k] + begin, metric)

    _, turning = while_loop(unfinished, check, (slot, np.asarray(False)))
    return turning, ckpt_p, ckpt_sum


def turns(p_left, p_right, momentum_sum, metric):
    """Whether a trajectory has turned round: the velocity at either end points against the sum ρ of the momenta.

        v_left · (ρ - (p_left + p_right) / 2) <= 0   or   v_right · (ρ - (p_left + p_right) / 2) <= 0,   v = M⁻¹ p

    With the ends half-weighted a regular trajectory is not found to turn because of its last half step.
    """
    rho = metric.velocity(momentum_sum - 0.5 * (p_left + p_right))
    return np.logical_or(np.sum(p_left * rho) <= 0.0, np.sum(p_right * rho) <= 0.0)


def resolve(state, event, params, *, max_tree_depth=10, radius=2.0):
    """(state, ended): what follows a complete subtree, or a look at a start point.

    `ended` says that a transition ended (see `state.info`) or that the start was found; `begin` must follow.
    """
    return cond(state.starting, lambda s: _try_start(s, event, radius),
                lambda s: _merge(s, event, params, max_tree_depth), state)


def _try_start(state, event, radius):
    """Begin here if the log-density and its gradient are finite, else draw another point."""
    new = state.moving
    found = np.logical_and(np.isfinite(event.logdensity), np.all(np.isfinite(new.grad)))
    tries = state.tries + 1
    again = np.astype(start_point(state.seed, tries, new.q.shape[0], radius), new.q.dtype)
    again = np.where(tries < MAX_TRIES, again, new.q)
    zero = np.zeros_like(new.q)
    q = np.where(found, new.q, again)
    return state._replace(starting=np.logical_not(found), tries=tries, position=q, logdensity=event.logdensity,
                          grad=new.grad, moving=Point(q, zero, zero)), found


def _merge(state, event, params, max_tree_depth):
    """Double the tree by its complete subtree: biased progressive sampling, and the check over the whole."""
    keep = np.logical_not(event.stop)
    pick = lambda c, a, b: Point(*[np.where(c, x, y) for x, y in zip(a, b)])
    left = pick(state.forwards, state.left, state.moving)
    right = pick(state.forwards, state.moving, state.right)
    u = _uniform(state, _MERGE, state.depth)
    take = np.logical_and(keep, np.log(u) < state.sub_log_weight - state.log_weight)
    choose = lambda a, b: np.where(take, a, b)
    momentum_sum = state.momentum_sum + state.sub_momentum_sum
    depth = state.depth + 1
    ended = np.logical_or(np.logical_or(event.stop, depth >= max_tree_depth),
                          turns(left.p, right.p, momentum_sum, params.metric))
    q = choose(state.sub_proposal, state.proposal)
    logdensity = choose(state.sub_logdensity, state.proposal_logdensity)
    grad = choose(state.sub_grad, state.proposal_grad)
    energy = choose(state.sub_energy, state.proposal_energy)
    as_float = lambda x: np.astype(x, q.dtype)
    info = Info(logdensity, energy, state.accept_sum / as_float(state.steps), as_float(state.steps), as_float(depth),
                as_float(event.diverging), params.step_size, state.worst, state.symmetric_sum / as_float(state.steps))
    arrived = lambda a, b: np.where(ended, a, b)
    state = state._replace(
        left=left, right=right, momentum_sum=momentum_sum, depth=depth,
        log_weight=np.where(keep, np.logaddexp(state.log_weight, state.sub_log_weight), state.log_weight),
        proposal=q, proposal_logdensity=logdensity, proposal_grad=grad, proposal_energy=energy,
        transition=state.transition + np.astype(ended, onp.int64),
        position=arrived(q, state.position), logdensity=arrived(logdensity, state.logdensity),
        grad=arrived(grad, state.grad), info=Info(*[arrived(a, b) for a, b in zip(info, state.info)]))
    return begin_subtree(state), ended


def begin_subtree(state):
    """Choose the direction of the next doubling and start from that end."""
    forwards = _uniform(state, _DIRECTION, state.depth) < 0.5
    moving = Point(*[np.where(forwards, r, le) for le, r in zip(state.left, state.right)])
    return state._replace(forwards=forwards, moving=moving, leaf=np.zeros_like(state.leaf),
                          sub_log_weight=np.full_like(state.log_weight, -np.inf),
                          sub_momentum_sum=np.zeros_like(state.momentum_sum))


def begin(state, params):
    """Begin a transition from the position: draw a momentum p ~ N(0, M)."""
    q, d = state.position, state.position.shape[0]
    z = random.hash_normal(_transition_seed(state.seed, state.transition), _MOMENTUM, (d,))
    p = params.metric.momentum(np.astype(z, q.dtype))
    energy = kinetic(p, params) - state.logdensity
    zero = np.zeros_like(energy)
    point = Point(q, p, state.grad)
    return begin_subtree(state._replace(
        left=point, right=point, depth=np.zeros_like(state.depth), energy=energy, log_weight=zero, momentum_sum=p,
        proposal=q, proposal_logdensity=state.logdensity, proposal_grad=state.grad, proposal_energy=energy,
        steps=np.zeros_like(state.steps), accept_sum=zero, symmetric_sum=zero, worst=zero))
