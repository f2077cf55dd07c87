"""The coordinator of several processes, a program of its own: XLA's coordination service, and who is alive.

    python coordinator.py ADDRESS PROCESSES HEARTBEAT

The first process starts it and speaks to it as the others do, so whichever process dies, this one tells the rest. It
prints the port of its second service and goes when all have left, or half a minute after one was lost.

That second service holds a connection to each process. Lines: `hello 3 HOST` and `bye 3` from a process, `beat` from
both sides each second, `lost 3 HOST` to all when a connection breaks, or is silent for HEARTBEAT seconds.
"""
import os
import selectors
import socket
import sys
import time

GRACE = 30.0                       # seconds that the others have to end after a loss


class Alive:
    """The connections, and who has left or was lost."""

    def __init__(self, processes, heartbeat):
        self.processes, self.heartbeat = processes, heartbeat
        self.poll, self.members, self.gone, self.lost_at = selectors.DefaultSelector(), {}, set(), None
        self.door = socket.create_server(("0.0.0.0", 0), backlog=max(processes, 8))
        self.door.setblocking(False)
        self.poll.register(self.door, selectors.EVENT_READ)

    @property
    def port(self):
        return self.door.getsockname()[1]

    def run(self):
        """Until all have left."""
        last, parent = time.monotonic(), os.getppid()
        while True:
            for key, _ in self.poll.select(0.25):
                if key.fileobj is self.door:
                    self._enter()
                else:
                    self._read(key.fileobj)
            now = time.monotonic()
            if os.getppid() != parent and self.lost_at is None:
                self.lost_at = now
            if now - last > 1.0:
                last = now
                for sock in list(self.members):
                    self._send(sock, "beat")
                    if now - self.members[sock]["heard"] > self.heartbeat:
                        self._leave(sock)
            if len(self.gone) == self.processes or self.lost_at is not None and now - self.lost_at > GRACE:
                return

    def _enter(self):
        sock, _ = self.door.accept()
        sock.setblocking(False)
        self.members[sock] = {"name": None, "heard": time.monotonic(), "rest": b""}
        self.poll.register(sock, selectors.EVENT_READ)

    def _read(self, sock):
        member = self.members[sock]
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            return self._leave(sock)
        member["heard"] = time.monotonic()
        *lines, member["rest"] = (member["rest"] + data).split(b"\n")
        for word, *rest in [line.decode().split() for line in lines if line]:
            if word == "hello":
                member["name"] = rest
            elif word == "bye":
                member["said bye"] = True

    def _leave(self, sock):
        member = self.members.pop(sock)
        self.poll.unregister(sock)
        sock.close()
        if member["name"] is None:                       # not one of ours
            return
        self.gone.add(member["name"][0])
        if "said bye" not in member:
            self.lost_at = time.monotonic() if self.lost_at is None else self.lost_at
            for other in list(self.members):
                self._send(other, "lost " + " ".join(member["name"]))

    def _send(self, sock, line):
        try:
            sock.sendall(line.encode() + b"\n")
        except OSError:
            pass                                         # its own end is noticed when it is read


def main(address, processes, heartbeat):
    from jaxlib import _jax, utils  # type: ignore[attr-defined]

    utils.absl_set_min_log_level(3)
    service = _jax.get_distributed_runtime_service(address, processes, heartbeat_timeout=86_400, shutdown_timeout=5,
                                                   recoverable=True)
    alive = Alive(processes, heartbeat)
    print(alive.port, flush=True)
    alive.run()
    del service


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
