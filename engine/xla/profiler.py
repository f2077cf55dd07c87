"""XLA's profiler: what the runtime and the compiled programs did, as a trace."""
import pathlib
import tempfile

from .client import start


class Recording:
    """A profile that is being taken; one at a time in a process."""

    def __init__(self, python: bool = False):
        start()
        from jaxlib import _profiler  # type: ignore[attr-defined]

        options = _profiler.ProfileOptions()
        options.python_tracer_level = int(python)
        self._session = _profiler.ProfilerSession(options)

    def stop(self) -> bytes:
        """The trace in the gzipped JSON that Chrome and Perfetto read."""
        planes = self._session.stop()
        with tempfile.TemporaryDirectory() as folder:
            self._session.export(planes, folder)
            (found,) = pathlib.Path(folder).rglob("*.trace.json.gz")
            return found.read_bytes()


def annotation(name: str):
    """A context manager that names a stretch of time in a profile."""
    start()
    from jaxlib import _profiler  # type: ignore[attr-defined]

    return _profiler.TraceMe(name)
