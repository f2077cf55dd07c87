"""What the timing scripts share; the standard library alone, for they run in several environments."""
import resource
import sys
import time


def bare(loop, seconds=0.3):
    """Microseconds a turn: the least of six calls of loop(n), which takes n turns."""
    loop(1)                                              # compiles
    measured, n = [], 1
    while len(measured) < 6:
        began = time.perf_counter()
        loop(n)
        spent = time.perf_counter() - began
        if spent < seconds / 10: n *= 4
        else: measured.append(1e6 * spent / n)
    return min(measured)


def peak():
    """The most memory, in MB, that the process had at a time, or the largest of those that it started."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (1 if sys.platform == "darwin" else 1024) * most / 1e6
