"""Programs: StableHLO text in, executables out, kept in memory and on disk."""
from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from . import store
from .client import Aval, Buffer, Device, Place, Runtime, cores, default_device, explained, lock, refuse, start, state
from .spread import spread_of

Devices = Device | tuple[Device, ...]                    # one, or those of a program that runs on several

PROGRAMS_IN_MEMORY = 1024          # the least recently used are forgotten beyond that many


# Options that the Python interface has no way to: bytes that, joined to those of CompileOptions, add to its fields,
# because serialized protos merge when joined. The path is executable_build_options (3), debug_options (3).

def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _debug_options(content: bytes) -> bytes:
    return _field(3, _field(3, content))


def _rewritten(message: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """A serialized proto with the content of the field at the end of a path changed."""
    def varint(i):
        n = shift = 0
        while True:
            byte, i = message[i], i + 1
            n, shift = n | (byte & 127) << shift, shift + 7
            if byte < 128:
                return n, i

    out, i = bytearray(), 0
    while i < len(message):
        start = i
        tag, i = varint(i)
        if tag & 7 == 2:
            size, i = varint(i)
            i += size
            if tag >> 3 == path[0]:
                inner = message[i - size:i]
                out += _field(path[0], _rewritten(inner, path[1:], change) if path[1:] else change(inner))
                continue
        else:
            i = i + {1: 8, 5: 4}[tag & 7] if tag & 7 else varint(i)[1]
        out += message[start:i]
    return bytes(out)


def loops_below(size: int) -> bytes:
    """Outline loops of at most so many bytes: an entry of xla_backend_extra_options (500), a map."""
    entry = _field(1, b"xla_cpu_small_while_loop_byte_threshold") + _field(2, str(size).encode())
    return _debug_options(_field(500, entry))


OUTLINE_LOOPS = loops_below(1 << 60)
# xla_cpu_experimental_ynn_fusion_type (422) lists what YNNPACK computes. Its sums (REDUCE), by several threads, are
# quick on large arrays; but they keep the loops that they stand in from being outlined, and take 100 MB.
FUSED_BY_YNNPACK, REDUCE = (3, 3, 422), 3
# xla_gpu_enable_command_buffer (258) has WHILE (6) too, xla_gpu_graph_min_graph_size (259) is 1
CUDA_GRAPHS = _debug_options(_field(258, _varint(6)) + _varint(259 << 3) + _varint(1))


class CompileError(RuntimeError):
    """XLA refused a program. `text` is the whole module that it was given."""

    def __init__(self, message: str, text: str):
        super().__init__(message)
        self.text = text


class Counters:
    """What has been done since the start or the last `reset`: promises of speed are tested with it.

    `executions` is counted without a lock: threads that call at the same instant may count once.
    """

    names = ("compilations", "disk_cache_hits", "memory_cache_hits", "executions")

    def __init__(self):
        self.reset()

    def reset(self):
        """Set every count to zero."""
        self.compilations = self.disk_cache_hits = self.memory_cache_hits = self.executions = 0

    def snapshot(self) -> dict[str, int]:
        """The counts now, by name."""
        return {name: getattr(self, name) for name in self.names}


counters = Counters()


class Executable:
    """A compiled program for one device. Call it with a list of buffers, get a list of buffers.

    `text` is its StableHLO, `out_avals` the shapes and dtypes of the results, `device` where it runs.
    Made by `compile`.
    """

    __slots__ = ("text", "device", "out_avals", "_program", "_loaded", "_execute", "_handlers", "__weakref__")

    def __init__(self, program: _Program, loaded, device: Devices):
        self.text, self.out_avals, self.device = program.text, program.out_avals, device
        self._program, self._loaded, self._execute = program, loaded, loaded.execute_sharded
        self._handlers = self._result_handlers(start(), device)

    def _result_handlers(self, runtime, device):
        sharding = runtime.place(device).sharding
        return [runtime.handler(aval, sharding) for aval in self.out_avals]

    def __call__(self, buffers: Sequence[Buffer]) -> list[Buffer]:
        """Run once. Small and outlined programs have ended when this returns, others may still run.

        Shapes and dtypes must be the program's: XLA compares sizes in bytes alone. Raises RuntimeError with its
        message when the number of buffers, a size or a device is wrong, or a buffer was donated.
        """
        if state.forked:
            refuse()
        counters.executions += 1
        try:
            return self._execute(buffers).consume_with_handlers(self._handlers)
        except RuntimeError as error:
            raise explained(error, self.device) from error

    def __repr__(self):
        return f"<Executable on {self.device!r} -> {self.out_avals}>"

    def on(self, device: Device) -> Executable:
        """The same program for another device: loaded from this one's bytes, not compiled again."""
        return self._program.on(device)[0]

    def serialize(self) -> bytes:
        """The machine code and all that is needed to load it again, with this version of jaxlib."""
        return self._loaded.serialize()

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimates for one run: 'flops', 'transcendentals', 'bytes accessed', …"""
        return dict(self._loaded.cost_analysis())

    def memory_stats(self) -> dict[str, int]:
        """Bytes by use: argument, output, alias, temp, generated code, …, as XLA planned them."""
        stats = self._loaded.get_compiled_memory_stats()
        return {name: getattr(stats, name) for name in dir(stats) if name.endswith("_in_bytes")}

    def optimized_hlo(self) -> str:
        """XLA's own intermediate code after its optimisations."""
        return "\n".join(module.to_string() for module in self._loaded.hlo_modules())


class SpreadExecutable(Executable):
    """A program of several devices, `device` being the tuple of them. `out_spreads` says how the results lie.

    On the CPU it returns when the results are there. XLA's collectives, before jaxlib 0.12, wait for one another for
    ever when the results of a call are dropped while it runs.
    """

    __slots__ = ("out_spreads",)
    device: tuple[Device, ...]

    def _result_handlers(self, runtime, device):
        found = self._loaded.get_output_shardings() if self.out_avals else []
        self.out_spreads = [spread_of(sharding, device) for sharding in found]
        return [runtime.handler(aval, spread.sharding()) for aval, spread in zip(self.out_avals, self.out_spreads)]

    def __call__(self, buffers: Sequence[Buffer]) -> list[Buffer]:
        out = super().__call__(buffers)
        if self.device[0].platform == "cpu":
            try:
                for buffer in out:
                    buffer.block_until_ready()
            except RuntimeError as error:
                raise explained(error, self.device) from error
        return out


class _CallbackExecutable(Executable):
    """A program that calls Python. It waits for its end, so that an error in Python is raised as it was."""

    __slots__ = ()

    def __call__(self, buffers):
        errors = self._program.callback_errors
        errors.clear()
        try:
            out = super().__call__(buffers)
            for buffer in out:
                buffer.block_until_ready()
            return out
        except RuntimeError:
            if errors:
                raise errors.pop(0) from None
            raise


def _remembering(fn: Callable, errors: list[BaseException]) -> Callable:
    """XLA turns an exception into text: keep the object, to raise it again.

    C++ holds this function unseen by Python's collector, so it must not lead back to the program.
    """
    def run(*args):
        try:
            return fn(*args)
        except BaseException as error:
            errors.append(error)
            raise
    return run


class _Program:
    """One module with its options, and its executables by device, or by tuple of devices."""

    def __init__(self, text, out_specs, outline, flags, lapack, callbacks, whole, graphs):
        self.text, self.whole, self.graphs = text, whole, graphs
        self.out_avals = [Aval(*spec) for spec in out_specs]
        self.outline, self.flags, self.lapack = outline, flags, lapack
        self.callback_errors: list[BaseException] = []
        self.callbacks = [_remembering(fn, self.callback_errors) for fn in callbacks]
        self.executables: dict[Devices, Executable] = {}
        self.compiled_for: list[Devices] = []
        self.lock = threading.RLock()

    def on(self, device: Devices) -> tuple[Executable, bool]:
        """The executable for a device, and whether it was there already."""
        runtime = start()
        with self.lock:                                  # a second thread waits here for the first one's compilation
            found = self.executables.get(device)
            if found is not None:
                return found, True
            kind = (SpreadExecutable if type(device) is tuple else _CallbackExecutable if self.callbacks
                    else Executable)
            found = self.executables[device] = kind(self, self._load(runtime, device), device)
            return found, False

    def _load(self, runtime: Runtime, device: Devices):
        """From the disk, else from an executable for a sister device, else by compiling.

        Only one that was compiled here can be written down: of one that was loaded, XLA loses functions.
        """
        if self.lapack:
            lapack_ready()
        place = runtime.place(device)
        options = self._options(runtime, place)
        file = store.file_of(self._identity(runtime, place))
        loaded = file and store.read(file, lambda code: self._from_bytes(runtime, code, place, options))
        if loaded:
            with lock:
                counters.disk_cache_hits += 1
            return loaded
        for sister in self.compiled_for:
            if _alike(sister, device):
                try:
                    return self._from_bytes(runtime, self.executables[sister].serialize(), place, options)
                except Exception:                        # not every program can be written down
                    break
        loaded = self._compile(runtime, place, options)
        self.compiled_for.append(device)
        with lock:
            counters.compilations += 1
        if file:
            store.write(file, loaded.serialize)
        return loaded

    def _identity(self, runtime, place):
        """All that the machine code depends on, but for the processor. The flags as text: protobuf has no order."""
        return (self.text, self._options(runtime, None).SerializeAsString(), repr(self.flags), str(len(self.callbacks)),
                runtime.build, place.client.platform_version, place.devices[0].platform,
                place.devices[0].device_kind, str(len(place.devices)), str(len(runtime.places)),
                str(cores()), str(self.whole), os.environ.get("XLA_FLAGS", ""), os.environ.get("NPROC", ""))

    def _from_bytes(self, runtime, code, place, options):
        return place.client.deserialize_executable(code, place.device_list, options, self.callbacks)

    def _compile(self, runtime, place, options):
        compile_and_load = place.client.compile_and_load
        try:
            if not self.callbacks:
                return compile_and_load(self.text, place.device_list, options)
            with mlir_context():                        # with callbacks only a parsed module is accepted
                from jaxlib.mlir import ir
                return compile_and_load(ir.Module.parse(self.text), place.device_list, options, self.callbacks)
        except Exception as error:
            raise CompileError(_explain(str(error), self.text), self.text) from error

    def _options(self, runtime: Runtime, place: Place | None):
        """XLA's options; without a place those that are the same for every device."""
        options = runtime.xc.CompileOptions()
        options.num_replicas, options.num_partitions = 1, len(place.devices) if place else 1
        if place:
            ids = np.array([[d.id for d in place.devices]], np.int32)
            assignment = runtime.xc.DeviceAssignment.create(ids)
            build = options.executable_build_options
            options.device_assignment = build.device_assignment = assignment
            options.env_option_overrides = list(self.flags)
            if ids.size > 1:
                build.num_partitions, build.use_spmd_partitioning, build.use_shardy_partitioner = ids.size, True, True
                build.allow_spmd_sharding_propagation_to_output = [not self.whole] * len(self.out_avals)
        if not self.outline and not self.graphs:
            return options
        said = options.SerializeAsString() + OUTLINE_LOOPS * self.outline + CUDA_GRAPHS * self.graphs
        if self.outline:
            said = _rewritten(said, FUSED_BY_YNNPACK, lambda kinds: bytes([k for k in kinds if k != REDUCE]))
        return runtime.xc.CompileOptions.ParseFromString(said)


def _alike(one, other):
    """Whether a program for these devices, or this one, can be loaded for those others."""
    ones, others = [d if type(d) is tuple else (d,) for d in (one, other)]
    return type(one) is type(other) and [d.platform for d in ones] == [d.platform for d in others]


def mlir_context():
    """A context that can parse StableHLO and CHLO."""
    from jaxlib.mlir import ir
    from jaxlib.mlir._mlir_libs import _jax_mlir_ext
    from jaxlib.mlir.dialects import chlo, stablehlo

    context, registry = ir.Context(), ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(registry)
    context.append_dialect_registry(registry)
    context.load_all_available_dialects()
    for dialect in (stablehlo, chlo):
        dialect.register_dialect(context)
    return context


def _explain(message: str, text: str) -> str:
    """XLA's first line, with the line of the module that it speaks of."""
    first = next((line for line in message.splitlines() if line.strip()), "no message")
    where = re.search(r":(\d+):\d+: error", message)
    lines = text.splitlines()
    quoted = ""
    if where and 0 < int(where[1]) <= len(lines):
        quoted = f"\n  line {where[1]}: {lines[int(where[1]) - 1].strip()}"
    return f"XLA could not compile a program: {first}{quoted}\nThe whole module is in this exception's `text`."


_programs: OrderedDict[tuple, _Program] = OrderedDict()
_programs_lock = threading.Lock()
state.forget.append(_programs.clear)


def compile(text: str, out_specs: Sequence[tuple[tuple[int, ...], Any]], *,
            device: Devices | None = None,
            outline: bool = False, optimization_level: int | None = None, needs_lapack: bool = False,
            extra_options: Mapping[str, Any] | None = None,
            host_callbacks: Sequence[Callable] = (), whole: bool = False,
            cuda_graphs: bool = False) -> Executable:
    """The executable of a StableHLO module, from memory, from the disk, or compiled.

    text : a module whose public function `main` takes and returns tensors
    out_specs : (shape, dtype) of every result
    device : one device, or the tuple of the devices of a program in as many partitions
    outline : turn loops on the CPU into one native function each, whatever their size
    optimization_level : 0 to 3 of LLVM; XLA's default is 3
    needs_lapack : LAPACK targets are called (seen in the text too: a missed one would end the process)
    extra_options : XLA debug options by name
    host_callbacks : functions of read-only NumPy arrays that return a tuple of C-contiguous arrays. XLA copies
        their bytes unchecked: shapes and dtypes must be those of the custom call
        (`xla_ffi_python_cpu_callback`, `index` into this sequence). Such programs are not shared in memory.
    whole : of several devices each gets whole results; unless it is set XLA chooses how they lie
    cuda_graphs : make CUDA graphs of loops too, not of straight pieces of a program alone

    Raises CompileError (a RuntimeError) with XLA's first line; its `text` is the module.
    """
    by_name = dict(extra_options or {})
    if optimization_level is not None:
        by_name["xla_backend_optimization_level"] = optimization_level
    flags = tuple(sorted(by_name.items()))
    lapack = needs_lapack or "lapack_" in text
    device = device or default_device()
    specs = tuple((tuple(shape), np.dtype(dtype)) for shape, dtype in out_specs)
    if host_callbacks:
        return _Program(text, specs, outline, flags, lapack, host_callbacks, whole, cuda_graphs).on(device)[0]
    key = (text, specs, outline, flags, whole, cuda_graphs)
    with _programs_lock:
        program = _programs.get(key)
        if program is None:
            program = _programs[key] = _Program(text, specs, outline, flags, lapack, (), whole, cuda_graphs)
            while len(_programs) > PROGRAMS_IN_MEMORY:
                _programs.popitem(last=False)
        _programs.move_to_end(key)
    executable, hit = program.on(device)
    if hit:
        with lock:
            counters.memory_cache_hits += 1
    return executable


_lapack_done = False


def lapack_ready():
    """Make LAPACK callable from compiled programs, once. Imports SciPy (half a second).

    Without it, compiling or loading a program that calls LAPACK ends the process.
    """
    global _lapack_done
    with lock:
        if _lapack_done:
            return
        runtime = start()
        from jaxlib import lapack
        from jaxlib.cpu import _lapack
        for name, capsule, api in lapack.registrations()["cpu"]:
            runtime.xc.register_custom_call_target(name, capsule, platform="cpu", api_version=api)
        _lapack.initialize()
        _lapack_done = True


_pool: ThreadPoolExecutor | None = None


def _started_pool():
    """A pool whose threads all run: an interrupt that comes while Python starts a thread would leave it unknown to the
    interpreter's exit, which then waits for it for ever."""
    n = cores()
    pool, gate = ThreadPoolExecutor(n, thread_name_prefix="chainrule-xla"), threading.Barrier(n)
    for arrival in [pool.submit(gate.wait) for _ in range(n)]:
        arrival.result()
    return pool


def call_many(calls: Sequence[tuple[Executable, Sequence[Buffer]]]) -> list[list[Buffer]]:
    """Run independent calls `(executable, buffers)` side by side, one thread each, as many as there are cores.

    Returns their results in order, all ready. From one thread, outlined programs run one after the other, on
    however many devices; from several they run in parallel, and one device is enough. The calling thread
    only waits, so Ctrl-C is heard within 0.2 s; a call that has begun still runs to its end, and calls that
    have not begun are dropped. Raises the first call's error once all have ended.
    """
    global _pool
    start()
    with lock:
        if _pool is None:
            _pool = _started_pool()
    futures = [_pool.submit(_call_and_wait, executable, buffers) for executable, buffers in calls]
    try:
        while wait(futures, timeout=0.2).not_done:       # a signal that another thread took is heard at the next turn
            pass
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return [future.result() for future in futures]


def _call_and_wait(executable, buffers):
    out = executable(buffers)
    for buffer in out:
        buffer.block_until_ready()
    return out
