"""Operations with programs inside: jit, cond and switch, while_loop, scan. They stand above both the primitives and the
interpreters, because their rules run interpreters over the programs inside."""
from .call import jit_p
from .cond import cond, switch
from .loops import fori_loop, while_loop
from .scan import scan, scan_p

__all__ = ["cond", "fori_loop", "jit_p", "scan", "scan_p", "switch", "while_loop"]
