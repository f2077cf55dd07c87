"""The only part of the library that knows jaxlib: devices, buffers, programs compiled from StableHLO text.

jaxlib is imported, and the XLA client made, at the first use of a device, never at import: NumPy work
needs neither. Compiled programs are kept in memory and, between processes, in a directory on disk.

Sharp edges. A program whose loops are outlined runs on the thread that calls it, and the call returns
at its end: nothing runs side by side, and Ctrl-C waits, unless threads are used (`call_many`). XLA does
not survive a fork: in a forked child every call here raises. It checks arguments by their size in
bytes alone, not by shape or dtype. On the CPU it flushes denormal numbers to zero, NumPy does not.
"""
from .client import (
    Aval,
    Buffer,
    Device,
    OutOfMemory,
    accelerator,
    block_until_ready,
    buffer_device,
    cores,
    default_device,
    devices,
    is_deleted,
    local_devices,
    may_have_accelerator,
    memory_stats,
    process_index,
    put,
    set_cpu_device_count,
    set_gpu_memory,
    set_platforms,
    to_numpy,
)
from .cluster import LOST_EXIT, Cluster, ProcessLost, check_processes, cluster, join, leave
from .portable import from_portable, to_portable
from .profiler import Recording, annotation
from .program import CompileError, Executable, SpreadExecutable, call_many, compile, counters, lapack_ready
from .spread import Spread, gathered, is_local, put_shards, put_spread, shards
from .store import cache_dir
