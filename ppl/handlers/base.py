"""The base of effect handlers: how one is used, and what a user overrides to write one."""
import copy

from ...engine.core import Trace, enclosing, state, world
from ..programs import through_program
from ..sites import Site, site_p


class Handler(Trace):
    """The base of handlers; see the text of `handlers`."""
    transparent = True
    context = "handler"

    def __init__(self, fn=None):
        self.fn, self.parent, self._worlds = fn, None, []

    # -- what a handler overrides --

    def site(self, site):
        """Treat one site; returns what `self.next` returns."""
        return self.next(site)

    def enter(self, index):
        """The handler for one run of a program inside (a loop's body at step `index`, a branch): a copy, usually."""
        inner = copy.copy(self)
        inner.parent, inner._worlds = state.trace, []
        return inner

    def meets(self, places):
        """Called before the handler goes through a program: {site name: Place} of the program's sites."""

    def puts(self, names):
        """{site name: value} that a loop must slice, step by step, for its sites."""
        return {}

    def put(self, values):
        """Take the slices of this step."""

    def carried(self):
        """A tree of arrays that is threaded through loops and branches (a running total), or None."""
        return None

    def carry(self, value):
        """Take the threaded tree."""

    def taken(self):
        """({site name: Arrays}, {site name: Facts}) to come out of a program, or None."""
        return None

    def absorb(self, made, how):
        """Receive what came out: `how.sites(made)` are the sites, stacked along steps or joined over branches."""

    def finish(self):
        """Called when the handler's use ends without an error."""

    # -- the machinery --

    def next(self, site):
        """Hand the site to the world below: [value, key, drawn]."""
        return site.bind()

    def process(self, prim, args, params):
        if prim is site_p:
            return self.site(Site.rebuild(args, params))
        if "site" in prim.effects(params):
            return through_program(self, prim, args, params)
        return prim.bind(*args, **params)

    def fresh(self):
        """A copy for one use, standing on the current world."""
        made = copy.copy(self)
        made.parent, made._worlds = state.trace, []
        made.start()
        return made

    def start(self):
        """Set up what one use needs."""

    def __call__(self, *args, **kwargs):
        if self.fn is None:
            if len(args) == 1 and callable(args[0]) and not kwargs:
                made = copy.copy(self)                   # used as a decorator with options
                made.fn = args[0]
                return made
            name = type(self).__name__
            raise TypeError(f"{name} was called without a model: write {name}(model, ...)(*args).")
        use = self.fresh()
        with world(use):
            out = self.fn(*args, **kwargs)
        use.finish()
        return out

    def __enter__(self):
        if any(t is self for t in enclosing()):
            raise RuntimeError(f"this {type(self).__name__} is in use already; make another one.")
        self.parent = state.trace
        self.start()
        self._worlds = [*self._worlds, world(self)]
        self._worlds[-1].__enter__()
        return self

    def __exit__(self, kind, *rest):
        self._worlds.pop().__exit__(kind, *rest)
        if kind is None:
            self.finish()

    @property
    def __name__(self):
        return getattr(self.fn, "__name__", type(self).__name__)
