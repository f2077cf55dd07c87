"""Counters that users and benchmarks ask for first."""
from typing import NamedTuple

from . import xla


class Stats(NamedTuple):
    """A snapshot: what the engine has done so far in this process."""
    traces: int            # Python functions run to record a program
    compilations: int      # programs compiled by XLA
    cache_hits: int        # compiled programs found again in memory
    disk_cache_hits: int   # compiled programs loaded from disk
    executions: int        # compiled programs run


class _Counters:
    __slots__ = ("traces", "cache_hits", "executions")

    def __init__(self):
        self.traces = self.cache_hits = self.executions = 0

    def __call__(self):
        """The counters so far, as a `Stats` tuple; subtract two snapshots to measure a stretch of code.

        >>> before = stats().compilations
        """
        c = xla.counters
        return Stats(self.traces, c.compilations, self.cache_hits + c.memory_cache_hits, c.disk_cache_hits,
                     self.executions)


stats = _Counters()
