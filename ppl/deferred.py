"""Values that are not there: what a handler gives for a site whose value it integrates or sums out.

A `Deferred` is a tracer. It stands for a function of the sites that are left out, which can be evaluated at any values
of theirs (`evaluate`), and it knows what kind of function that is (`form`):

    PICK      each element is one element of one site's value: shapes, indexing, broadcasting
    SCALED    that times a number
    SPARSE    that plus a number
    LINEAR    a sum of such, plus a number
    POWER     SCALED, of a power of the value (`power`): square roots, reciprocals
    OTHER     anything else

`blame` is the operation that made the form what it is, with its line.

`Deferring` is the handler that gives them: it sees every operation on a deferred value, and each site that depends on
one. What it does with those is its subclass's matter. `collapse` integrates by conjugacy; sums over finitely many
values can be taken from the same record, which is why it holds functions and not formulas.
"""
from typing import NamedTuple

from ..engine import tree
from ..engine.avals import is_inexact
from ..engine.control.call import jit_p
from ..engine.control.remat import remat_p
from ..engine.core import Tracer, aval_of, source_line, world
from ..engine.errors import describe_location
from ..engine.interpreters.stage import eval_jaxpr
from ..engine.ops.structural import broadcast_to
from .handlers.base import Handler
from .programs import through_program
from .sites import Site, SiteError, closed, draw_type, repeated, site_p

PICK, SCALED, SPARSE, LINEAR, POWER, OTHER = range(6)


class Blame(NamedTuple):
    """An operation that a deferred value went through, and the user's line."""
    operation: str
    source: object

    def __str__(self):
        where = describe_location(self.source)
        return f"`{self.operation}`{f', at {where}' if where else ''}"


class Deferred(Tracer):
    """A value that depends on sites that are left out, `roots`; see the module.

    recipe : (primitive, operands, parameters, which result), or None for the value of a site itself
    whole : whether its last axis is that of the site's events, untouched
    """
    __slots__ = ("recipe", "roots", "form", "power", "whole", "blame")

    def __init__(self, trace, aval, recipe, roots, form=PICK, power=1.0, whole=True, blame=None):
        super().__init__(trace, aval)
        self.recipe, self.roots, self.form, self.power = recipe, roots, form, power
        self.whole, self.blame = whole, blame

    def trace_name(self):
        names = ", ".join(map(repr, sorted(self.roots)))
        return f"{type(self.trace).__name__}, which leaves out site {names}"

    @staticmethod
    def advice(what):
        return "Leave the site out of the handler's sites, so that it is drawn."


def evaluate(x, values, unscaled=False, memo=None):
    """A deferred value (or anything else, as it is) at {site: value}; `unscaled`, without factors and powers."""
    memo = {} if memo is None else memo
    if not isinstance(x, Deferred):
        return x
    if id(x) not in memo:
        if x.recipe is None:
            memo[id(x)] = values[next(iter(x.roots))]
        else:
            prim, args, params, which = x.recipe
            if unscaled and prim.name in _SCALINGS:
                arg = next(a for a in args if isinstance(a, Deferred))
                memo[id(x)] = broadcast_to(evaluate(arg, values, unscaled, memo), x.aval.shape)
            else:
                out = prim.bind(*[evaluate(a, values, unscaled, memo) for a in args], **params)
                memo[id(x)] = out if which is None else out[which]
    return memo[id(x)]


# ---- forms ----

_MOVES = ("reshape", "broadcast", "transpose", "slice", "reverse", "gather", "dynamic_slice")
_SCALINGS = ("mul", "div", "sqrt", "rsqrt", "pow", "integer_pow")


def form_of(prim, args, params):
    """(form, power) of an operation's result."""
    mine = [i for i, a in enumerate(args) if isinstance(a, Deferred)]
    worst, power = max(args[i].form for i in mine), args[mine[0]].power
    if any(args[i].power != power for i in mine):
        return OTHER, 1.0
    exponent = _exponent(prim, args, params, mine)
    if exponent is not None and worst in (PICK, SCALED, POWER):
        return (SCALED if power * exponent == 1.0 else POWER), power * exponent
    own = _own_form(prim, args, params, mine)
    if worst == POWER and own > SCALED:
        return OTHER, 1.0
    return max(worst, own), power


def _exponent(prim, args, params, mine):
    """The power that an operation raises its one deferred operand to, where it does and it is known."""
    name = prim.name
    if name in ("sqrt", "rsqrt"):
        return 0.5 if name == "sqrt" else -0.5
    if name == "integer_pow":
        return float(params["n"])
    if name == "div" and mine == [1]:
        return -1.0
    known = name == "pow" and mine == [0] and not isinstance(args[1], Tracer) and args[1].shape == ()
    return float(args[1]) if known else None


def _own_form(prim, args, params, mine):
    """What form an operation makes of a PICK."""
    name, all_mine = prim.name, len(mine) == len(args)
    if name in _MOVES or name == "convert":
        return PICK if mine == [0] and (name != "convert" or is_inexact(params["dtype"])) else OTHER
    if name in ("mul", "div"):
        return OTHER if all_mine or name == "div" and mine == [1] else SCALED
    if name in ("neg", "pad"):
        return SPARSE if mine == [0] else OTHER
    if name in ("add", "sub"):
        return LINEAR if all_mine else SPARSE
    if name == "concatenate":
        return PICK if all_mine else SPARSE
    if name == "where":
        return OTHER if 0 in mine else PICK if len(mine) == len(args) - 1 else SPARSE
    linear = prim.transpose
    if prim.inner or prim.multiple or len(mine) > 1 or not isinstance(linear, tuple) or linear[mine[0]] is None:
        return OTHER
    return LINEAR


def keeps_events(prim, args, params):
    """Whether the last axis of an operation's result is the last one of its operand, untouched."""
    x, name = args[0], prim.name
    if any(isinstance(a, Deferred) and not a.whole for a in args) or not isinstance(x, Deferred) or not x.aval.shape:
        return False
    n, rank = x.aval.shape[-1], len(x.aval.shape)
    kept = {
        "convert": lambda: True,
        "reshape": lambda: params["shape"][-1:] == (n,),
        "broadcast": lambda: params["shape"][-1:] == (n,) and params["dims"][-1] == len(params["shape"]) - 1,
        "transpose": lambda: params["permutation"][-1] == rank - 1,
        "slice": lambda: (params["starts"][-1], params["limits"][-1], params["strides"][-1]) == (0, n, 1),
        "reverse": lambda: rank - 1 not in params["axes"],
        "gather": lambda: args[1].shape[-1] < rank,
        "dynamic_slice": lambda: params["sizes"][-1] == n,
        "concatenate": lambda: params["axis"] != rank - 1,
    }.get(name)
    return kept is not None and kept()


# ---- the handler ----

class Deferring(Handler):
    """Give deferred values for the sites that `defers` picks, and hand those that depend on them to `use`."""
    transparent = False                                  # it sees every operation
    inside = False                                       # of a loop or a branch

    def start(self):
        self.left_out = {}                               # {name: site}

    def defers(self, site):
        """Whether an open site is left out."""
        raise NotImplementedError

    def use(self, site):
        """Take a site whose distribution or value is deferred; returns its results."""
        raise NotImplementedError

    def defer(self, site):
        """The results of a site that is left out."""
        if site.name in self.left_out:
            raise repeated(site.name, site.source)
        self.left_out[site.name] = site
        return closed(Deferred(self, draw_type(site.fn), None, frozenset([site.name])))

    def enter(self, index):
        inner = super().enter(index)
        inner.inside = True
        return inner

    def mine(self, args):
        """The deferred values among some arrays."""
        return [a for a in args if isinstance(a, Deferred) and a.trace is self]

    def site(self, site):
        kind = type(self).__name__
        chosen = site.kind == "sample" and site.value is None and self.defers(site)
        if chosen and self.inside:
            raise site.error(f"{kind}: site {site.name!r} stands in a loop or a branch, whose steps it cannot see "
                             f"together.\nUse a plate or vmap in place of the loop, or put {kind} inside of its body.")
        depends = bool(self.mine(tree.leaves(site.arrays)))
        if not (depends or chosen):
            return self.next(site)
        with world(self):                                # where operations on deferred values are seen
            return self.use(site) if depends else self.defer(site)

    def process(self, prim, args, params):
        mine = self.mine(args)
        if prim is site_p:
            return self.site(Site.rebuild(args, params))
        has_sites = "site" in prim.effects(params)
        if prim in (jit_p, remat_p) and (mine or has_sites):
            with world(self):
                return eval_jaxpr(params["jaxpr"], args)
        if has_sites and mine:
            raise SiteError(f"{type(self).__name__}: site {min(mine[0].roots)!r}, which is left out, is used in a "
                            f"`{prim.name}` that has sites.\nUse a plate, vmap or np.where in its place.",
                            source_line())
        if has_sites:
            return through_program(self, prim, args, params)
        return self.noted(prim, args, params) if mine else prim.bind(*args, **params)

    def noted(self, prim, args, params):
        """The deferred results of an operation."""
        mine = self.mine(args)
        roots = frozenset().union(*[a.roots for a in mine])
        (form, power), whole = form_of(prim, args, params), keeps_events(prim, args, params)
        blame = max(mine, key=lambda a: a.form).blame
        if form > max(a.form for a in mine):
            blame = Blame(prim.name, source_line())
        avals = prim.out_avals([aval_of(a) for a in args], params)
        made = [Deferred(self, aval, (prim, args, params, i if prim.multiple else None), roots, form, power,
                         whole, blame)
                for i, aval in enumerate(avals)]
        return made if prim.multiple else made[0]

    def __call__(self, *args, **kwargs):
        out = super().__call__(*args, **kwargs)
        left = [x for x in tree.leaves(out) if isinstance(x, Deferred)] if self.fn is not None else []
        if left:
            raise SiteError(f"{type(self).__name__}: the model returns a value that depends on site "
                            f"{min(left[0].roots)!r}, which is left out and has no value.\nReturn something else, or "
                            "leave the site in.")
        return out
