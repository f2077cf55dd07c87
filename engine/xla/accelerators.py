"""Clients of GPUs and TPUs: XLA's plugins, found where their packages are installed, and loaded without setting
anything up."""
import ctypes
import functools
import glob
import importlib
import importlib.util
import pathlib
import warnings

# In the order in which they need one another; what the plugin links against lies in NVIDIA's own packages.
NVIDIA_LIBRARIES = ("libcudart.so", "libnvrtc.so", "libnvJitLink.so", "libcublasLt.so", "libcublas.so", "libnccl.so",
                    "libcupti.so", "libcusparse.so", "libcusolver.so", "libcufft.so", "libcudnn.so",
                    "libnvshmem_host.so")
CUDA_VERSIONS = (13, 12)
INSTALL = {"gpu": "pip install 'chainrule[cuda13]'", "tpu": "pip install 'chainrule[tpu]'"}


def has_nvidia_gpu() -> bool:
    """Whether NVIDIA's driver is there and sees a device. Makes no context on it."""
    try:
        cuda, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
        return cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


def may_be(platform: str) -> bool:
    """Whether there is such a device with its plugin, as far as can be seen without loading anything."""
    if platform == "gpu":
        return any(package(f"jax_plugins.xla_cuda{v}") for v in CUDA_VERSIONS) and has_nvidia_gpu()
    return package("libtpu") is not None and bool(glob.glob("/dev/accel*") + glob.glob("/dev/vfio/[0-9]*"))


def package(name: str) -> pathlib.Path | None:
    """The folder of an installed package, which is not imported; None where there is none."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    where = list(found.submodule_search_locations or ()) if found else []
    return pathlib.Path(where[0]) if where else None


def client(platform: str, runtime, options: dict, distributed=None):
    """The client of "gpu" or "tpu", or None where the machine has no such device or its plugin is not installed.

    options : of the plugin, e.g. {"preallocate": False, "memory_fraction": 0.75}
    distributed : the `Cluster` of a process that is not alone
    A plugin that is there and does not work is told of in a warning: the machine's CPU still computes.
    """
    try:
        return {"gpu": _gpu, "tpu": _tpu}[platform](runtime, options, distributed)
    except Exception as error:
        warnings.warn(f"The plugin for {platform.upper()}s could not be loaded, so programs run on the CPU: "
                      f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}\n"
                      f"Install the one that belongs to jaxlib {runtime.version}: {INSTALL[platform]}.",
                      RuntimeWarning, stacklevel=2)
        return None


def cuda_plugin(runtime):
    """The CUDA plugin, loaded once; None where it is not installed."""
    if "cuda" in _loaded:
        return _loaded["cuda"]
    for version in CUDA_VERSIONS:
        folder = package(f"jax_plugins.xla_cuda{version}")
        if folder is not None and (folder / "xla_cuda_plugin.so").exists():
            break
    else:
        return None
    _load_nvidia(version)
    api = runtime.xc.load_pjrt_plugin_dynamically("cuda", str(folder / "xla_cuda_plugin.so"))
    _register(runtime, api, version)
    runtime.xc.initialize_pjrt_plugin("cuda")
    return _loaded.setdefault("cuda", api)


def tpu_plugin(runtime):
    """libtpu, loaded once; None where it is not installed."""
    if "tpu" in _loaded or package("libtpu") is None:
        return _loaded.get("tpu")
    library = importlib.import_module("libtpu").get_library_path()
    api = runtime.xc.load_pjrt_plugin_dynamically("tpu", library)
    runtime.xc.initialize_pjrt_plugin("tpu")
    return _loaded.setdefault("tpu", api)


_loaded: dict = {}                                       # plugins by name: a process loads one once


def _gpu(runtime, options, distributed):
    if not may_be("gpu") or cuda_plugin(runtime) is None:
        return None
    xc = runtime.xc
    node = {} if distributed is None else {"node_id": distributed.node_id, "num_nodes": distributed.num_nodes}
    options = {"platform_name": "cuda", **options, **node}
    return xc.make_c_api_client("cuda", options, distributed and distributed.client)


def _register(runtime, api, version):
    """Make the plugin's own functions (cuSOLVER, cuSPARSE, Python) callable from programs."""
    xc = runtime.xc
    own = importlib.import_module(f"jax_cuda{version}_plugin.cuda_plugin_extension")
    xc.register_custom_type_handler("CUDA", functools.partial(own.register_custom_type, api))
    xc.register_custom_call_handler("CUDA", functools.partial(own.register_custom_call_target, api))
    for name, value in own.ffi_types().items():
        xc.register_custom_type(name, value, platform="CUDA")
    for name, value in own.ffi_handlers().items():
        xc.register_custom_call_target(name, value, platform="CUDA", api_version=1)
    for part in ("gpu_solver", "gpu_linalg", "gpu_prng", "gpu_sparse"):
        for name, value, kind in importlib.import_module(f"jaxlib.{part}").registrations()["CUDA"]:
            xc.register_custom_call_target(name, value, platform="CUDA", api_version=kind)


def _load_nvidia(version):
    """Load the libraries of NVIDIA's packages, so that the plugin finds them in the process."""
    root = package("nvidia")
    folders = [] if root is None else [f for f in [root / f"cu{version}" / "lib", *sorted(root.glob("*/lib"))]
                                       if f.is_dir()]
    for name in NVIDIA_LIBRARIES:
        for file in [file for folder in folders for file in sorted(folder.glob(f"{name}*"))]:
            try:
                ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue


def _tpu(runtime, options, distributed):
    if not may_be("tpu") or tpu_plugin(runtime) is None:
        return None
    return runtime.xc.make_c_api_client("tpu", {}, distributed and distributed.client)
