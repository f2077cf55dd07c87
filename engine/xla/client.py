"""Devices and buffers: the XLA clients, made at first use, and arrays on them.

jaxlib is imported here, when the first device is asked for. All that differs between the versions of
jaxlib is met in this package. The client of the CPU is made first; those of GPUs and TPUs when their devices are
asked for, because making one takes a second and some of the card's memory.
"""
import dataclasses
import gc
import os
import re
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from . import accelerators

Buffer: TypeAlias = Any            # jaxlib's ArrayImpl; only the functions of this package look inside


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Device:
    """One device. `id` is XLA's number, `index` the place among the devices of its platform."""

    platform: str
    index: int
    id: int

    def __repr__(self):
        return f"{self.platform}:{self.index}"


class Aval:
    """Shape and dtype of an array, in the form that jaxlib's C++ reads."""

    __slots__ = ("shape", "dtype", "weak_type")

    def __init__(self, shape, dtype):
        self.shape, self.dtype, self.weak_type = tuple(shape), np.dtype(dtype), False

    def __repr__(self):
        return f"{self.dtype}{list(self.shape)}"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """What XLA wants to hear of one device: the same device in its three forms."""

    devices: list                  # [jaxlib Device]
    device_list: Any
    sharding: Any
    client: Any


class Runtime:
    """jaxlib's modules, the clients, and a `Place` for every device."""

    def __init__(self, cpu_devices: int):
        import jaxlib
        from jaxlib import _jax, cpu_feature_guard, utils, xla_client  # type: ignore[attr-defined]

        cpu_feature_guard.check_cpu_features()           # an error now instead of an illegal instruction later
        utils.absl_set_min_log_level(3)                  # below FATAL the same words arrive as exceptions
        self.xc, self.xj = xla_client, _jax
        self.version = jaxlib.version.__version__
        self.build = f"{self.version} {getattr(jaxlib.version, '_git_hash', '')}"
        self.old_handlers = tuple(int(p) for p in self.version.split(".")[:2]) < (0, 11)
        self.copy = xla_client.HostBufferSemantics.IMMUTABLE_ONLY_DURING_CALL
        self.places: dict[Device, Place] = {}
        self.places_of_many: dict[tuple, Place] = {}
        self.spreads: dict[Any, Any] = {}                # how arrays lie on several devices, in jaxlib's form
        self.by_id: dict[tuple, Device] = {}             # by jaxlib's platform and id
        self.clients: dict[str, Any] = {}
        self._add("cpu", _make_cpu_client(xla_client.make_cpu_client, cpu_devices))
        first = wanted_platforms()[0]
        default = self.first_of(first)
        if default is None:
            raise RuntimeError(no_device(first, list(self.places)))
        self.default = default

    def _add(self, platform, client):
        """A client and its devices."""
        self.clients[platform] = client
        for index, raw in enumerate(client.devices()):
            device = Device(platform, index, raw.id)
            one = self.xc.DeviceList((raw,))
            sharding = self.xc.GSPMDSharding(one, self.xc.HloSharding.replicate())
            self.places[device], self.by_id[raw.platform, raw.id] = Place([raw], one, sharding, client), device

    def discover(self, platform: str):
        """Make the client of an accelerator, if it is wanted and there; once."""
        with lock:
            if platform not in self.clients and platform in wanted_platforms():
                options = dict(state.gpu_memory) if platform == "gpu" else {}
                client = accelerators.client(platform, self, options, state.cluster)
                if client is None:
                    self.clients[platform] = None
                else:
                    self._add(platform, client)

    def first_of(self, platform: str) -> Device | None:
        """The first device of a platform in this process, or None."""
        self.discover(platform)
        return next((d for d in self.places if d.platform == platform and self.is_local(d)), None)

    @property
    def made(self):
        """The clients that there are."""
        return [c for c in self.clients.values() if c is not None]

    def place(self, device: "Device | tuple[Device, ...]") -> Place:
        if isinstance(device, tuple):
            found = self.places_of_many.get(device)
            if found is None:
                raw = [self.place(d).devices[0] for d in device]
                found = Place(raw, self.xc.DeviceList(tuple(raw)), None, self.place(device[0]).client)
                self.places_of_many[device] = found
            return found
        try:
            return self.places[device]
        except KeyError:
            raise ValueError(f"There is no device {device!r} here; there are {list(self.places)}.") from None

    def is_local(self, device: Device) -> bool:
        """Whether a device belongs to this process."""
        place = self.place(device)
        return place.devices[0].process_index == place.client.process_index()

    def handler(self, aval: Aval, sharding: Any):
        """C++ object that makes a buffer of one result (the keyword went away in 0.11)."""
        if self.old_handlers:
            return self.xc.array_result_handler(aval, sharding, True, _skip_checks=True)
        return self.xc.array_result_handler(aval, sharding, True)


class _State:
    """What this process has: a runtime or none yet, and whether it is a fork of one that had it."""

    runtime: "Runtime | None" = None
    forked = False
    hooked = False
    wanted_cpu_devices: int | None = None
    platforms: "tuple[str, ...] | None" = None           # those that may be used, the default one first
    gpu_memory: dict = {"preallocate": False}            # options of the GPU's client
    cluster: Any = None                                  # of several processes; see `cluster`
    forget: list[Callable] = []    # called before a client is given up: they let go of its programs


state = _State()
lock = threading.RLock()


def cores() -> int:
    """Cores that this process may use, not those of the machine."""
    if hasattr(os, "process_cpu_count"):                 # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wanted_platforms() -> tuple[str, ...]:
    """The platforms that may be used, the default one first: those of `set_platforms`, or of CHAINRULE_PLATFORMS, or
    all, the CPU first."""
    if state.platforms is None:
        return _platforms(os.environ.get("CHAINRULE_PLATFORMS") or "cpu,gpu,tpu", "CHAINRULE_PLATFORMS")
    return state.platforms


def _platforms(text: str, what: str) -> tuple[str, ...]:
    names = tuple(["gpu" if name == "cuda" else name for name in text.lower().replace(" ", "").split(",") if name])
    if not names or not set(names) <= {"cpu", "gpu", "tpu"}:
        raise ValueError(f"{what}={text!r}: give one or more of cpu, gpu, tpu with commas between, the default first.")
    return names


def no_device(platform: str, there: list[Device]) -> str:
    """Why there is no device of a platform, in words.   there : those that there are"""
    why = f"There is no device of platform {platform!r}; there are {there}."
    if platform in ("gpu", "tpu") and platform not in wanted_platforms():
        return f"{why} The platforms that may be used are {', '.join(wanted_platforms())}; see set_platforms."
    if platform == "gpu" and accelerators.has_nvidia_gpu():
        return f"{why} The machine has an NVIDIA GPU: {accelerators.INSTALL['gpu']}."
    return why


def _make_cpu_client(make: Callable, cpu_devices: int):
    """A client whose thread pool suits its devices.

    Collectives of jaxlib before 0.12 hang when the pool has fewer than two threads for a device. More
    threads than cores slow matrix products, so the pool is left alone where no number of devices was
    asked for. XLA reads the variable while it makes the client.
    """
    together = {} if state.cluster is None else state.cluster.of_cpu()
    if state.wanted_cpu_devices is None or 2 * cpu_devices <= cores() or "NPROC" in os.environ:
        return make(num_devices=cpu_devices, **together)
    os.environ["NPROC"] = str(2 * cpu_devices)
    try:
        return make(num_devices=cpu_devices, **together)
    finally:
        del os.environ["NPROC"]


def start() -> Runtime:
    """The runtime, made at the first call."""
    if state.forked:
        refuse()
    if state.runtime is None:
        with lock:
            if state.runtime is None:
                state.runtime = Runtime(state.wanted_cpu_devices or cores())
                _hook(state.runtime)
    return state.runtime


def _hook(runtime: Runtime):
    """Once a process: mark forked children, and let C++ drop its Python references when Python collects."""
    if state.hooked:
        return
    state.hooked = True
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_mark_forked)
    collect = runtime.xj.collect_garbage
    gc.callbacks.append(lambda phase, info: collect() if phase == "stop" and not state.forked else None)


def _mark_forked():
    state.forked = True


def refuse():
    raise RuntimeError(
        "XLA was used in this process's parent before the fork, and its threads did not come along: a "
        "call would never return. Start workers with multiprocessing.get_context('spawn'), or fork "
        "before the first compiled call.")


def devices(platform: str | None = None) -> list[Device]:
    """The devices of a platform ('cpu', 'gpu', 'tpu'), or all, the default one's first. Makes the client at the first
    call.

    Raises RuntimeError where the platform has none, with what to install.
    """
    runtime, platform = start(), "gpu" if platform == "cuda" else platform
    for each in wanted_platforms() if platform is None else [platform]:
        runtime.discover(each)
    order = [p for p in wanted_platforms() if p in runtime.clients] if platform is None else [platform]
    found = [d for p in order for d in runtime.places if d.platform == p]
    if not found:
        raise RuntimeError(no_device(platform or "cpu", list(runtime.places)))
    return found


def default_device() -> Device:
    """The device that is meant where none is given: the first one of the first platform."""
    return start().default


def may_have_accelerator() -> bool:
    """Whether a GPU or TPU may be used and seems to be there; loads nothing."""
    return any(accelerators.may_be(p) for p in ("gpu", "tpu") if p in wanted_platforms())


def local_devices(platform: str | None = None) -> list[Device]:
    """The devices that belong to this process; `devices` has those of all processes of a run."""
    return [d for d in devices(platform) if start().is_local(d)]


def process_index(device: Device) -> int:
    """The number of the process that a device belongs to."""
    return start().place(device).devices[0].process_index


def accelerator() -> Device | None:
    """The first GPU or TPU of this process that may be used, or None."""
    first_of = start().first_of
    return first_of("gpu") or first_of("tpu")


def set_platforms(*names: str):
    """Which platforms may be used, the default one first: set_platforms("gpu", "cpu").

    The same as the environment's CHAINRULE_PLATFORMS="gpu,cpu". Unless set, all are found, and the CPU is the default.
    Raises RuntimeError when arrays or programs live already.
    """
    given = _platforms(",".join(names), "set_platforms")
    with lock:
        if given != wanted_platforms():
            give_up_clients("choose platforms", "set_platforms")
        state.platforms = given


def set_gpu_memory(*, fraction: float | None = None, preallocate: bool = False, allocator: str | None = None):
    """How a GPU's memory is taken; call it before the GPU is used. Unless called, it is taken as it is needed.

    fraction : the part of the card's memory that may be taken, 0.75 unless given
    preallocate : take that part at once, which keeps memory from falling to pieces in long runs
    allocator : "default", "bfc", "cuda_async" or "platform" (each array by a call of its own, slow, gives all back)
    Raises RuntimeError when the GPU's client is there already.
    """
    if fraction is not None and not 0 < fraction <= 1:
        raise ValueError(f"fraction={fraction!r}: it is the part of the card's memory, above 0 and at most 1.")
    if allocator not in (None, "default", "bfc", "cuda_async", "platform"):
        raise ValueError(f"allocator={allocator!r}: choose one of 'default', 'bfc', 'cuda_async', 'platform'.")
    with lock:
        if state.runtime is not None and state.runtime.clients.get("gpu") is not None:
            raise RuntimeError("The GPU is in use: it is too late to say how its memory is taken. Call set_gpu_memory "
                               "first of all.")
        chosen = {"memory_fraction": fraction, "allocator": allocator}
        state.gpu_memory = {"preallocate": bool(preallocate), **{k: v for k, v in chosen.items() if v is not None}}


def memory_stats(device: Device | None = None) -> dict[str, int]:
    """Bytes on a device, {"bytes_in_use": …, "peak_bytes_in_use": …, "bytes_limit": …, …}; {} where it keeps no count,
    as the CPU."""
    runtime = start()
    return dict(runtime.place(device or runtime.default).devices[0].memory_stats() or {})


class OutOfMemory(RuntimeError):
    """A device has too little memory. `device` is it, `stats` what its `memory_stats` said at that moment."""

    def __init__(self, message: str, device, stats: dict):
        super().__init__(message)
        self.device, self.stats = device, stats


def explained(error: Exception, device) -> Exception:
    """The error to raise for one of XLA's: `ProcessLost`, `OutOfMemory` with what was asked and was free, or itself."""
    text = str(error)
    if state.cluster is not None:
        try:
            state.cluster.check(3.0)
        except RuntimeError as lost:
            return lost
    if "RESOURCE_EXHAUSTED" not in text and "out of memory" not in text.lower():
        return error
    one = device[0] if type(device) is tuple else device or default_device()
    try:
        stats = memory_stats(one)
    except Exception:
        stats = {}
    asked = re.search(r"allocat\w* (?:of )?([\d.]+ ?[KMGT]?i?B|\d+ bytes)", text)
    free = stats.get("bytes_limit", 0) - stats.get("bytes_in_use", 0)
    known = (f" {_size(free)} were free of the {_size(stats['bytes_limit'])} that may be used (set_gpu_memory), "
             f"{_size(stats.get('bytes_in_use', 0))} in use.") if stats.get("bytes_limit") else ""
    return OutOfMemory(
        f"{one!r} is out of memory: {f'{asked[1]} were asked for' if asked else text.splitlines()[0]}.{known}\n"
        "Use 32 bits (enable_x64(False)), fewer chains or particles at once, arrays deleted when they are no longer "
        "needed, or donate_argnums.", one, stats)


def _size(n):
    return f"{n / 2 ** 30:.2f} GiB" if n >= 2 ** 29 else f"{n / 2 ** 20:.1f} MiB"


def set_cpu_device_count(n: int):
    """Ask for `n` CPU devices instead of one a core. Best called before anything is compiled.

    Raises RuntimeError when the client exists with another count and buffers or programs of it live.
    """
    if n != int(n) or n < 1:
        raise ValueError(f"The number of CPU devices must be a positive integer, not {n!r}.")
    with lock:
        if state.runtime is not None and sum(d.platform == "cpu" for d in state.runtime.places) != n:
            give_up_clients(f"make {n} of the CPU", f"set_cpu_device_count({n})")
        state.wanted_cpu_devices = int(n)


def give_up_clients(what: str, call: str):
    """Forget the clients, so that the next use makes them anew. Raises RuntimeError when something lives on them."""
    if state.runtime is None:
        return
    for forget in state.forget:
        forget()
    gc.collect()
    if any(c.live_executables() or c.live_arrays() for c in state.runtime.made):
        raise RuntimeError(f"There are {len(state.runtime.places)} devices, with arrays or compiled programs on them: "
                           f"it is too late to {what}. Call {call} first of all.")
    state.runtime = None


def put(value: np.ndarray, device: Device | None = None) -> Buffer:
    """A copy of `value` (any shape and dtype) on `device`. `value` may change after the return."""
    runtime = state.runtime
    if runtime is None or state.forked:
        runtime = start()
    place = runtime.place(device or runtime.default)
    try:
        return runtime.xc.batched_device_put(Aval(value.shape, value.dtype), place.sharding, [value], place.devices,
                                             True, False, runtime.copy, True)
    except RuntimeError as error:
        raise explained(error, device) from error


def to_numpy(buffer: Buffer) -> np.ndarray:
    """The buffer's values, after waiting for them: on the CPU a read-only view, elsewhere a copy.

    Raises RuntimeError when the buffer was deleted or donated, or when its computation failed.
    """
    if state.forked:
        refuse()
    if buffer.is_deleted():                              # NumPy would wrap the dead object, silently
        raise RuntimeError("This array was deleted, or given away (donated) to a compiled call: its values are gone.")
    value = np.asarray(buffer)                           # 1 us; the method below takes 35
    if value.dtype.hasobject:                            # not a NumPy dtype (bfloat16), or an error to raise
        return buffer._single_device_array_to_np_array_did_copy()[0]
    return value


def is_deleted(buffer: Buffer) -> bool:
    """Whether the buffer's memory was freed or donated."""
    return buffer.is_deleted()


def block_until_ready(buffer: Buffer) -> Buffer:
    """Wait for the buffer's values; returns the buffer. Raises what its computation raised."""
    if state.forked:
        refuse()
    buffer.block_until_ready()
    return buffer


def buffer_device(buffer: Buffer) -> Device:
    """The device that holds the buffer: of several the first."""
    raw = buffer._sharding._internal_device_list[0]
    return start().by_id[raw.platform, raw.id]
