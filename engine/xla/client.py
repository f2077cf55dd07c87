"""Devices and buffers: the XLA client, made at first use, and arrays on it.

jaxlib is imported here, when the first device is asked for. All that differs between the versions of
jaxlib is met in this package.
"""
import dataclasses
import gc
import os
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

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


class Runtime:
    """jaxlib's modules, the client, and a `Place` for every device."""

    def __init__(self, cpu_devices: int):
        import jaxlib
        from jaxlib import _jax, cpu_feature_guard, utils, xla_client  # type: ignore[attr-defined]

        cpu_feature_guard.check_cpu_features()           # an error now instead of an illegal instruction later
        utils.absl_set_min_log_level(3)                  # below FATAL the same words arrive as exceptions
        self.xc, self.xj = xla_client, _jax
        self.version = jaxlib.version.__version__
        self.build = f"{self.version} {getattr(jaxlib.version, '_git_hash', '')}"
        self.old_handlers = tuple(int(p) for p in self.version.split(".")[:2]) < (0, 11)
        self.client = _make_cpu_client(xla_client.make_cpu_client, cpu_devices)
        self.copy = xla_client.HostBufferSemantics.IMMUTABLE_ONLY_DURING_CALL
        self.places: dict[Device, Place] = {}
        self.places_of_many: dict[tuple, Place] = {}
        self.spreads: dict[Any, Any] = {}                # how arrays lie on several devices, in jaxlib's form
        self.by_id: dict[int, Device] = {}
        for index, raw in enumerate(self.client.devices()):
            device = Device("cpu", index, raw.id)
            one = xla_client.DeviceList((raw,))
            sharding = xla_client.GSPMDSharding(one, xla_client.HloSharding.replicate())
            self.places[device], self.by_id[raw.id] = Place([raw], one, sharding), device
        self.default = next(iter(self.places))

    def place(self, device: "Device | tuple[Device, ...]") -> Place:
        if type(device) is tuple:
            found = self.places_of_many.get(device)
            if found is None:
                raw = [self.place(d).devices[0] for d in device]
                found = self.places_of_many[device] = Place(raw, self.xc.DeviceList(tuple(raw)), None)
            return found
        try:
            return self.places[device]
        except KeyError:
            raise ValueError(f"There is no device {device!r} here; there are {list(self.places)}.") from None

    def is_local(self, device: Device) -> bool:
        """Whether a device belongs to this process."""
        return self.place(device).devices[0].process_index == self.client.process_index()

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


def _make_cpu_client(make: Callable, cpu_devices: int):
    """A client whose thread pool suits its devices.

    Collectives of jaxlib before 0.12 hang when the pool has fewer than two threads for a device. More
    threads than cores slow matrix products, so the pool is left alone where no number of devices was
    asked for. XLA reads the variable while it makes the client.
    """
    if state.wanted_cpu_devices is None or 2 * cpu_devices <= cores() or "NPROC" in os.environ:
        return make(num_devices=cpu_devices)
    os.environ["NPROC"] = str(2 * cpu_devices)
    try:
        return make(num_devices=cpu_devices)
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
    """The devices of a platform ('cpu', 'gpu', 'tpu'), or all. Makes the client at the first call.

    Raises RuntimeError where the platform has none.
    """
    found = [d for d in start().places if platform in (None, d.platform)]
    if not found:
        raise RuntimeError(f"There is no device of platform {platform!r}; there are {devices()}.")
    return found


def default_device() -> Device:
    """The device that is meant where none is given: the first one."""
    return start().default


def set_cpu_device_count(n: int):
    """Ask for `n` CPU devices instead of one a core. Best called before anything is compiled.

    Raises RuntimeError when the client exists with another count and buffers or programs of it live.
    """
    if n != int(n) or n < 1:
        raise ValueError(f"The number of CPU devices must be a positive integer, not {n!r}.")
    with lock:
        if state.runtime is not None and sum(d.platform == "cpu" for d in state.runtime.places) != n:
            for forget in state.forget:
                forget()
            gc.collect()
            if state.runtime.client.live_executables() or state.runtime.client.live_arrays():
                raise RuntimeError(
                    f"There are {len(state.runtime.places)} CPU devices, with arrays or compiled programs on "
                    f"them: it is too late to make {n}. Call set_cpu_device_count({n}) first of all.")
            state.runtime = None
        state.wanted_cpu_devices = int(n)


def put(value: np.ndarray, device: Device | None = None) -> Buffer:
    """A copy of `value` (any shape and dtype) on `device`. `value` may change after the return."""
    runtime = state.runtime
    if runtime is None or state.forked:
        runtime = start()
    place = runtime.place(device or runtime.default)
    return runtime.xc.batched_device_put(Aval(value.shape, value.dtype), place.sharding, [value], place.devices,
                                         True, False, runtime.copy, True)


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
    return start().by_id[buffer._sharding._internal_device_list[0].id]
