"""Profiles: where the time of compiled programs goes, as a trace for https://ui.perfetto.dev or chrome://tracing."""
import gzip
import pathlib
from contextlib import contextmanager

from . import xla


@contextmanager
def profile(path, *, python=False):
    """Record what runs inside, and write a trace to `path` (.json.gz, or .json) that Perfetto opens.

    python : record the calls of Python functions too, which slows them
    Operations carry the name of their program (the function's) and of the `named_scope`s around them. A loop that is
    compiled into one native function is one operation. Work that still runs at the end is cut off: wait for it
    with block_until_ready inside. One profile at a time.

    >>> from chainrule.engine import jit
    >>> with profile(getfixture("tmp_path") / "trace.json.gz"):
    ...     with annotate("first call"):
    ...         y = jit(lambda x: x + 1)(1.0).block_until_ready()
    """
    path = pathlib.Path(path)
    if not path.name.endswith((".json", ".json.gz")):
        raise ValueError(f"a profile is written as .json.gz or .json, not as {path.name!r}.")
    recording = xla.Recording(python)
    try:
        yield
    finally:
        data = recording.stop()
        path.write_bytes(data if path.suffix == ".gz" else gzip.decompress(data))


def annotate(name):
    """`with annotate("warm-up"):` names a stretch of time in a profile; outside of one it does nothing."""
    return xla.annotation(name)
