"""Effect handlers: interpreters that have an opinion about `sample`, and let every other operation through.

A handler overrides `site`: it gets a `Site`, may change it, and hands it down with `self.next(site)`:

    class shout(Handler):
        def site(self, site):
            print(site.name)
            return self.next(site)

It is used as a wrapper, `shout(model)(x)`, or as a context, `with shout(): model(x)`. A wrapper makes a fresh copy of
itself for each call, so no traced value outlives its world. Handlers nest innermost first, and with grad, vmap, jit,
scan and cond in any order.

What happens at a scan, cond, while or jit whose program has sites is written once, in `ppl/programs.py`; a handler says
only what it puts into the program (`puts`), what it threads through it (`carried`) and what it takes out (`taken`):

    class count(Handler):                          # how many sites there are, each step of a loop counted
        def start(self): self.total = np.asarray(0)
        def carried(self): return self.total
        def carry(self, value): self.total = value
        def site(self, site):
            self.total = self.total + 1
            return self.next(site)

Sharp edges: a site inside of vmap is one site with a leading axis for the handlers around the vmap, and one per lane
for those inside of it. A handler around a jit, scan or cond runs while the program is staged, so what it does in Python
happens once.
"""
from . import by_hand as _by_hand
from .base import Handler
from .collapse import collapse
from .giving import condition, do, replay, seed, substitute, uncondition
from .recording import message, trace
from .replacing import reparam
from .shaping import block, infer_config, lift, mask, scale, scope

__all__ = [
    "Handler",
    "block",
    "collapse",
    "condition",
    "do",
    "infer_config",
    "lift",
    "mask",
    "message",
    "reparam",
    "replay",
    "scale",
    "scope",
    "seed",
    "substitute",
    "trace",
    "uncondition",
]
