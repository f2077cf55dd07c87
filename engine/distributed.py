"""Several processes, on one machine or many, as one run.

    chainrule.distributed.initialize()                   # first of all, in each process
    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=1000, num_chains=64, store="run.zarr")
    mcmc.run(random.key(0), y=y)                         # each runs its share of the chains

Under SLURM (srun), Open MPI (mpirun) and in an indexed job of Kubernetes the processes find one another; elsewhere each
is told the address of the first, how many there are, and its own number. `devices()` are then those of all processes,
`local_devices()` one's own; a program over a mesh of them runs when every process calls it. Collectives go by gloo
between CPUs and by NCCL between NVIDIA GPUs. When a process is lost, the others raise `ProcessLost`, which names it.
"""
import itertools

import numpy as onp

from . import launchers, xla
from .compiled import jit
from .errors import TransformError
from .sharding.mesh import Mesh
from .sharding.place import make_array_from_process_local_data
from .sharding.specs import NamedSharding, P
from .tree import map as tree_map
from .xla import ProcessLost

__all__ = ["ProcessLost", "broadcast_one_to_all", "initialize", "is_initialized", "process_allgather", "process_count",
           "process_index", "shutdown", "sync_global_devices"]


def initialize(coordinator_address=None, num_processes=None, process_id=None, *, local_address=None,
               initialization_timeout=300.0, heartbeat_timeout=10.0, grace=5.0):
    """Make this process one of several. Call it in each, before anything is compiled or put on a device.

    coordinator_address : "host:port", a free port of the machine of process 0, which serves the others there
    num_processes, process_id : how many there are, and which this one is, from 0 on
        Unless given, all three come from the environment of SLURM, Open MPI or Kubernetes; see `launchers`.
    local_address : this machine's address for the others; unless given, the one that it reaches the coordinator from
    initialization_timeout : seconds to wait for the others
    heartbeat_timeout : seconds of silence after which a machine counts as lost; a process that ends is noticed at once
    grace : seconds after which a process that waits for a lost one inside of XLA is ended, with a message and the
        exit status 113, because such a wait cannot be interrupted
    Raises ValueError where the three are not known, RuntimeError where the others are not met in time.
    """
    given = (coordinator_address, num_processes, process_id)
    if any(x is None for x in given):
        launch = launchers.found()
        if launch is None:
            raise ValueError("initialize: nothing in the environment says how this process was started (SLURM, Open "
                             "MPI, Kubernetes).\nGive coordinator_address='host:port', num_processes= and process_id=.")
        given = [known if x is None else x for x, known in zip(given, launch)]
    address, count, number = str(given[0]), int(given[1]), int(given[2])
    if ":" not in address or not 0 <= number < count:
        raise ValueError(f"initialize: coordinator_address={address!r} is host:port, and process_id={number} lies "
                         f"between 0 and num_processes - 1 = {count - 1}.")
    xla.join(address, count, number, init_timeout=float(initialization_timeout), heartbeat=float(heartbeat_timeout),
             grace=float(grace), local_address=local_address)


def shutdown():
    """Leave the others, so that they do not take this process for lost. Call it at the end."""
    xla.leave()


def is_initialized():
    """Whether this process is one of several."""
    return xla.cluster() is not None


def process_index():
    """The number of this process."""
    cluster = xla.cluster()
    return 0 if cluster is None else cluster.node_id


def process_count():
    """How many processes there are."""
    cluster = xla.cluster()
    return 1 if cluster is None else cluster.num_nodes


_numbers = itertools.count()


def sync_global_devices(name="sync", timeout=600.0):
    """Wait until every process has come to this call. Raises ProcessLost, or RuntimeError after `timeout` seconds."""
    cluster = xla.cluster()
    if cluster is not None:
        cluster.barrier(f"{name}/{next(_numbers)}", timeout)


def _one_each():
    """The mesh of the first device of each process."""
    first = {}
    for d in xla.devices(xla.default_device().platform):
        first.setdefault(xla.process_index(d), d)
    devices = onp.empty(len(first), dtype=object)
    devices[:] = [first[i] for i in sorted(first)]
    return Mesh(devices, ("processes",))


def process_allgather(x, tiled=False):
    """A tree of arrays, of one shape in every process, as NumPy arrays with a first axis of processes.

    tiled : put them one behind the other along their own first axis instead
    Every process must call it.
    """
    if process_count() == 1:
        return tree_map(lambda a: onp.asarray(a) if tiled else onp.asarray(a)[None], x)
    sharding = NamedSharding(_one_each(), P("processes"))

    def one(a):
        a = onp.asarray(a)
        whole = _whole(make_array_from_process_local_data(sharding, a[None]))
        made = onp.asarray(whole)
        return made.reshape(-1, *made.shape[2:]) if tiled else made
    return tree_map(one, x)


_whole = jit(lambda x: x, out_shardings=P())


def broadcast_one_to_all(x, is_source=None):
    """Process 0's tree of arrays, in every process, which must have the same shapes. Every process must call it.

    is_source : whether this process is the one whose arrays count; unless given, process 0
    """
    mine = process_index() == 0 if is_source is None else bool(is_source)
    sources = process_allgather(onp.asarray(mine))
    if sources.sum() != 1:
        raise TransformError(f"broadcast_one_to_all has {int(sources.sum())} sources; there must be one.")
    return tree_map(lambda a: a[int(sources.argmax())], process_allgather(x))
