"""Compilers for devices that are not here: an H100 and a TPU, described to XLA's plugins."""
from collections.abc import Callable

from . import accelerators
from .client import start
from .program import mlir_context

H100 = """gpu_device_info {
 threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
 block_dim_limit_z: 65535 memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
 device_memory_size: 84978434048 shared_memory_per_block_optin: 232448
 cuda_compute_capability { major: 9 minor: 0 } registers_per_core_limit: 65536 registers_per_block_limit: 65536 }
platform_name: "CUDA" dnn_version_info { major: 9 minor: 12 } runtime_version { major: 13 }"""
TPU = "v5e:2x2"                    # a topology by libtpu's name


def compiler(platform: str) -> Callable[[str], object]:
    """A function that compiles a StableHLO module for "cuda" (an H100) or "tpu" (a v5e).

    Raises RuntimeError where the plugin is not installed; the function raises what XLA does.
    """
    runtime = start()
    xc = runtime.xc
    if platform == "cuda":
        api = accelerators.cuda_plugin(runtime)
        topology = api and xc.make_c_api_device_topology(api, "any", topology="1x1x1", target_config=H100)
    else:
        api = accelerators.tpu_plugin(runtime)
        topology = api and xc.make_c_api_device_topology(api, TPU)
    if api is None:
        name = "gpu" if platform == "cuda" else platform
        raise RuntimeError(f"the plugin for {platform} is not installed: {accelerators.INSTALL[name]}")
    device = topology._make_compile_only_devices()[0]

    def compile(text):
        from jaxlib.mlir import ir
        with mlir_context():
            module = ir.Module.parse(text)
            return device.client.compile(module, xc.DeviceList((device,)), xc.CompileOptions())
    return compile
