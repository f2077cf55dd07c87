"""How processes were started: what SLURM, Open MPI and Kubernetes say of it in the environment."""
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

PORTS = range(20_000, 28_000)      # of which a job takes one by its number, so that jobs on a machine differ


class Launch(NamedTuple):
    """coordinator_address : "host:port" of the first process          num_processes, process_id : ints"""
    coordinator_address: str
    num_processes: int
    process_id: int


def found(env: Mapping[str, str] = os.environ) -> Launch | None:
    """What the environment says, or None where it says nothing."""
    for look in (_slurm, _open_mpi, _kubernetes):
        launch = look(env)
        if launch is not None:
            return launch
    return None


def _port(job: str) -> int:
    digits = re.sub(r"\D", "", job) or "0"
    return PORTS.start + int(digits) % len(PORTS)


def _slurm(env):
    """srun: one process a task; the first host of the list has the coordinator."""
    if not {"SLURM_JOB_ID", "SLURM_PROCID", "SLURM_NTASKS"} <= env.keys():
        return None
    hosts = env.get("SLURM_STEP_NODELIST") or env.get("SLURM_JOB_NODELIST") or "localhost"
    step = "" if env.get("SLURM_STEP_ID") in (None, "0") else env["SLURM_STEP_ID"]
    return Launch(f"{first_host(hosts)}:{_port(env['SLURM_JOB_ID'] + step)}", int(env["SLURM_NTASKS"]),
                  int(env["SLURM_PROCID"]))


def first_host(hosts: str) -> str:
    """Of SLURM's list: "gpu[03-05,7],cpu1" -> "gpu03"."""
    head, numbers, tail = re.findall(r"([^,\[]*)(?:\[([^\]]*)\])?([^,\[]*)", hosts)[0]
    return head + re.split("[-,]", numbers)[0] + tail


def _open_mpi(env):
    """mpirun: the coordinator's host stands in the address of the runtime's first process."""
    if not {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"} <= env.keys():
        return None
    address = env.get("OMPI_MCA_orte_hnp_uri") or env.get("PMIX_SERVER_URI41") or env.get("PMIX_SERVER_URI4") or ""
    match = re.search(r"tcp4?://([0-9a-zA-Z_.\-]+)", address)
    host = match[1] if match else "localhost"
    job = re.match(r"\D*(\d+)", address)
    return Launch(f"{host}:{_port(job[1] if job else '0')}", int(env["OMPI_COMM_WORLD_SIZE"]),
                  int(env["OMPI_COMM_WORLD_RANK"]))


def _kubernetes(env):
    """An indexed job whose pods reach one another by a headless service.

    The size and the service's name are not in the environment by themselves: the job's manifest passes them as
    CHAINRULE_NUM_PROCESSES and CHAINRULE_COORDINATOR (host, or host:port).
    """
    if not {"JOB_COMPLETION_INDEX", "CHAINRULE_NUM_PROCESSES", "CHAINRULE_COORDINATOR"} <= env.keys():
        return None
    host = env["CHAINRULE_COORDINATOR"]
    return Launch(host if ":" in host else f"{host}:{PORTS.start}", int(env["CHAINRULE_NUM_PROCESSES"]),
                  int(env["JOB_COMPLETION_INDEX"]))
