"""The cache on disk: compiled programs that outlive the process. It knows bytes and files, not XLA.

A file is written under another name and renamed, so any number of processes may share the directory;
whatever is wrong with a file makes it a miss, and the next write replaces it.
"""
import hashlib
import os
import pathlib
import platform
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

Loaded = TypeVar("Loaded")
CACHE_LIMIT = 1 << 30              # bytes that the directory of compiled programs may take
_MAGIC = b"chainrule executable 1\n"
_written = 0                                             # bytes since the directory was last tidied


def cache_dir() -> pathlib.Path | None:
    """Where compiled programs are kept between processes, or None if they are not.

    The environment's CHAINRULE_CACHE_DIR ('' or 'off': nowhere), else `chainrule` in the user's cache.
    """
    chosen = os.environ.get("CHAINRULE_CACHE_DIR")
    if chosen is not None:
        return None if chosen.strip().lower() in ("", "off") else pathlib.Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (pathlib.Path(base) if base else pathlib.Path.home() / ".cache") / "chainrule"
    except RuntimeError:                                 # a user without a home
        return None


@cache
def _machine() -> str:
    """The processor: code made for one may use instructions that another lacks."""
    lines = []
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.split(":")[0].strip() in ("model name", "flags", "Features", "CPU part", "CPU implementer"):
                    lines.append(line.strip())
                if not line.strip():                     # the first core's block is enough
                    break
    except OSError:
        pass
    return "\n".join([platform.machine(), platform.processor(), platform.system(), *lines])


def file_of(identity: Iterable[str | bytes]) -> pathlib.Path | None:
    """The file of a program, named by the digest of `identity` and of the processor. None if nothing is kept."""
    folder = cache_dir()
    if folder is None:
        return None
    digest = hashlib.sha256()
    for part in (*identity, _machine()):
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return folder / "executables" / f"{digest.hexdigest()}.xla"


def read(file: pathlib.Path, load: Callable[[bytes], Loaded]) -> Loaded | None:
    """What `load` makes of the file's content; None if there is none, or if anything is wrong with it."""
    try:
        data = file.read_bytes()
        head, code = data[:len(_MAGIC) + 32], data[len(_MAGIC) + 32:]
        if head != _MAGIC + hashlib.sha256(code).digest():    # XLA checks nothing: bad bytes could crash
            return None
        loaded = load(code)
        os.utime(file)                                   # so that the oldest file is the least used
        return loaded
    except Exception:
        return None


def write(file: pathlib.Path, serialize: Callable[[], bytes]):
    """Write what `serialize` returns, whole or not at all. A disk that is full or read-only is no error."""
    global _written
    temporary = None
    try:
        code = serialize()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as out:
            out.write(_MAGIC + hashlib.sha256(code).digest() + code)
        os.replace(temporary, file)                      # readers see the old file or the new one
        first, _written = _written == 0, _written + len(code)
        if first or _written > CACHE_LIMIT // 16:
            _written = 1
            _tidy(file.parent)
    except Exception:
        if temporary:
            pathlib.Path(temporary).unlink(missing_ok=True)


def _tidy(folder: pathlib.Path):
    """Remove the oldest files until the rest fits CACHE_LIMIT, and leftovers of processes that died."""
    files = []
    for path in folder.iterdir():
        try:
            stat = path.stat()
            if path.suffix == ".tmp" and stat.st_mtime < time.time() - 3600:
                path.unlink()
            elif path.suffix == ".xla":
                files.append((stat.st_mtime, stat.st_size, path))
        except FileNotFoundError:                        # another process is tidying too
            continue
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= CACHE_LIMIT:
            break
        path.unlink(missing_ok=True)
        total -= size
