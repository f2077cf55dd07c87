"""The engine: composable transformations of pure functions of arrays, compiled with XLA.

    from chainrule.engine import grad, jit, vmap, lax, random
    import chainrule.engine.numpy as np
"""
if __name__ == "engine":
    raise ImportError("import chainrule.engine: the bare name would load a second copy")

from . import config as _config_module  # noqa: E402
from . import debug, numpy, operators, random, scipy, tree
from .api import (  # noqa: E402
    ShapeDtype,
    eval_shape,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linear_transpose,
    linearize,
    make_jaxpr,
    value_and_grad,
    vjp,
    vmap,
)
from .array import Array  # noqa: E402
from .compiled import jit  # noqa: E402
from .control import cond, fori_loop, scan, switch, while_loop  # noqa: E402
from .control.callback import io_callback, pure_callback  # noqa: E402
from .control.custom import custom_gradient, custom_jvp, custom_vjp  # noqa: E402
from .control.remat import checkpoint, checkpoint_policies, remat  # noqa: E402
from .control.shard_map import shard_map  # noqa: E402
from .core import named_scope  # noqa: E402
from .drawing import draw  # noqa: E402
from .export import deserialize, export  # noqa: E402
from .lazy import on_demand as _on_demand  # noqa: E402
from .pmap import pmap  # noqa: E402
from .profile import annotate, profile  # noqa: E402
from .ravel import ravel_pytree  # noqa: E402
from .retrace import no_retrace  # noqa: E402
from .sharding import Mesh, NamedSharding, P, PartitionSpec, SingleDeviceSharding, make_mesh  # noqa: E402
from .sharding.constraint import with_sharding_constraint  # noqa: E402
from .sharding.place import (  # noqa: E402
    default_device,
    device_get,
    device_put,
    make_array_from_callback,
    make_array_from_process_local_data,
    make_array_from_single_device_arrays,
)
from .sharding.show import visualize_array_sharding, visualize_sharding  # noqa: E402
from .stats import stats  # noqa: E402
from .xla import (  # noqa: E402
    OutOfMemory,
    devices,
    memory_stats,
    set_cpu_device_count,
    set_gpu_memory,
    set_platforms,
)

config = _config_module.config
__getattr__ = _on_demand(__name__, ["lax", "nn"])        # imported when they are first used
del _config_module
