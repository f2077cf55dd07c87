"""Several processes as one: XLA's distributed runtime, its key-value store, and word of a process that is lost."""
import os
import pathlib
import select
import socket
import subprocess
import sys
import threading
import time
from typing import Any

from .client import give_up_clients, lock, state

COORDINATOR = pathlib.Path(__file__).with_name("coordinator.py")
LOST_EXIT = 113                    # the exit status of a process that waited for a lost one, deep in a library


class ProcessLost(RuntimeError):
    """A process of the run is gone. `process` is its number, None for the coordinator's; `host` its machine's name."""

    def __init__(self, process: int | None, host: str):
        who = "the coordinator, which process 0 started" if process is None else f"process {process}"
        super().__init__(
            f"{who} (on {host}) is gone: it was killed, or its machine or network failed.\nStart the run "
            "again; one with a store goes on from its last commit, with as many processes or fewer: MCMC.resume.")
        self.process, self.host = process, host


class Cluster:
    """This process among `num_nodes`. Made by `join`.

    client : XLA's, with the key-value store and barriers
    """

    def __init__(self, address: str, num_nodes: int, node_id: int, *, init_timeout: float, heartbeat: float,
                 grace: float, local_address: str | None):
        from jaxlib import _jax, utils  # type: ignore[attr-defined]

        utils.absl_set_min_log_level(3)
        self.address, self.num_nodes, self.node_id, self.grace = address, num_nodes, node_id, grace
        self.lost: ProcessLost | None = None
        self.told, self.left = False, threading.Event()
        self.service: Any = None
        port = self._start_service(heartbeat) if node_id == 0 else None
        self.client = _jax.get_distributed_runtime_client(
            address, node_id, init_timeout=int(init_timeout), heartbeat_timeout=86_400, shutdown_timeout=5,
            shutdown_on_destruction=False, use_compression=True)
        try:
            self.client.connect()
            if port is not None:
                self.client.key_value_set("chainrule/alive", str(port))
            found = self.client.blocking_key_value_get("chainrule/alive", int(1000 * init_timeout))
        except Exception as error:
            raise RuntimeError(
                f"process {node_id} of {num_nodes} did not meet the others at {address} in {init_timeout:g} s: "
                f"{str(error).splitlines()[0]}\nEach of them must call initialize with the same coordinator_address, "
                "which the first one's machine has, and a number of its own.") from error
        host, where = address.rsplit(":", 1)[0], int(found)
        self.link = socket.create_connection((host, where), timeout=init_timeout)
        self.local_address = local_address or self.link.getsockname()[0]
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(f"hello {node_id} {socket.gethostname()}")
        self.heartbeat, self.heard = heartbeat, time.monotonic()
        threading.Thread(target=self._watch, name="chainrule-alive", daemon=True).start()

    def _start_service(self, heartbeat) -> int:
        port = self.address.rsplit(":", 1)[1]
        self.service = subprocess.Popen(
            [sys.executable, str(COORDINATOR), f"0.0.0.0:{port}", str(self.num_nodes), str(heartbeat)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        line = self.service.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"the coordinator could not listen at {self.address}: choose another port.")
        return int(line)

    # ---- who is alive ----

    def _send(self, line):
        try:
            self.link.sendall(line.encode() + b"\n")
        except OSError:
            pass

    def _watch(self):
        """Hear of lost processes; beat; end this process where it waits for a lost one for longer than `grace`."""
        rest, beat, since = b"", time.monotonic(), None
        while not self.left.is_set():
            ready, _, _ = select.select([self.link], [], [], 0.25)
            now = time.monotonic()
            if ready:
                try:
                    data = self.link.recv(65536)
                except OSError:
                    data = b""
                if not data and not self.left.is_set():
                    self._lose(None, self.address)
                    self._end("cannot go on without it")             # XLA's client would abort it now
                self.heard = now
                *lines, rest = (rest + data).split(b"\n")
                for word, *names in [line.decode().split() for line in lines if line]:
                    if word == "lost":
                        since = since or now
                        self._lose(int(names[0]), names[1])
            if now - self.heard > self.heartbeat:
                self._lose(None, self.address)
                since = since or now
            if now - beat > 1.0:
                beat = now
                self._send("beat")
            if since is not None and now - since > self.grace:
                return self._end_if_stuck(since)

    def _lose(self, number, host):
        if self.lost is None:
            self.lost = ProcessLost(number, host)

    def _end_if_stuck(self, since):
        """Programs that wait for a lost process never return, nor can they be interrupted."""
        while not (self.told or self.left.is_set()) and time.monotonic() - since < self.grace:
            time.sleep(0.1)
        if not (self.told or self.left.is_set()):
            self._end("waited for it")

    def _end(self, why):
        sys.stderr.write(f"chainrule: {self.lost}\nThis process, number {self.node_id}, {why}, and ends.\n")
        sys.stderr.flush()
        os._exit(LOST_EXIT)

    def check(self, wait: float = 0.0):
        """Raise ProcessLost when a process is known to be gone; `wait` for word of that so many seconds."""
        end = time.monotonic() + wait
        while self.lost is None and time.monotonic() < end:
            time.sleep(0.02)
        if self.lost is not None:
            self.told = True
            raise self.lost

    # ---- what is shared ----

    def of_cpu(self) -> dict:
        """What the CPU's client is made with."""
        from jaxlib import _jax  # type: ignore[attr-defined]

        collectives = _jax.make_gloo_tcp_collectives(distributed_client=self.client, hostname=self.local_address)
        return {"distributed_client": self.client, "node_id": self.node_id, "num_nodes": self.num_nodes,
                "collectives": collectives}

    def barrier(self, name: str, timeout: float):
        """Wait until every process is here. Raises ProcessLost, or RuntimeError after `timeout` seconds."""
        done: list = []

        def wait():
            try:
                self.client.wait_at_barrier(name, int(1000 * timeout))
                done.append(None)
            except Exception as error:
                done.append(error)
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        while not done:
            thread.join(0.05)
            self.check()
        if done[0] is not None:
            self.check(1.0)
            raise RuntimeError(f"not every process came to the barrier {name!r} in {timeout:g} s.") from done[0]

    def leave(self):
        """Say goodbye: the others do not take it for a loss."""
        self._send(f"bye {self.node_id}")
        self.left.set()
        self.link.close()
        if self.service is not None:
            try:
                self.service.wait(2.0)
            except subprocess.TimeoutExpired:
                pass                                     # it ends when the last one has left


def join(address, num_nodes, node_id, **options) -> Cluster:
    """Make this process one of several, before it has used XLA. See `Cluster`.

    Raises RuntimeError when arrays or programs live already, or the others are not met.
    """
    with lock:
        if state.cluster is not None:
            raise RuntimeError("this process is one of several already: initialize is called once.")
        give_up_clients("become one of several processes", "initialize")
        state.cluster = cluster = Cluster(address, num_nodes, node_id, **options)
    return cluster


def cluster() -> Cluster | None:
    """The processes that this one is part of, or None."""
    return state.cluster


def check_processes():
    """Raise ProcessLost when one of several processes is gone."""
    if state.cluster is not None:
        state.cluster.check()


def leave():
    """Leave the others, at the end. The arrays and programs that there are stay usable in this process alone."""
    with lock:
        if state.cluster is not None:
            state.cluster.leave()
            state.cluster = None

