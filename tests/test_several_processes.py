"""Several processes on this machine, which meet on the loopback device: what they compute together, and that the loss
of one ends the others, with its name, and the run goes on. Every process has two minutes."""
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from chainrule.engine.xla import LOST_EXIT

WORKER = pathlib.Path(__file__).parent / "several" / "worker.py"
ROOT = WORKER.parents[2]
pytestmark = pytest.mark.slow


def run(task, count, *more):
    """[(status, output)] of the processes."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    words = [str(count), str(port), *map(str, more)]
    started = [subprocess.Popen([sys.executable, str(WORKER), task, str(number), *words],
                                env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for number in range(count)]
    try:
        return [(p.wait(), out) for p, out in [(p, p.communicate(timeout=120)[0]) for p in started]]
    finally:
        for p in started:
            p.kill()


def result(status, out):
    assert status == 0, out
    return next(line.split()[1] for line in out.splitlines() if line.startswith("result:"))


@pytest.mark.parametrize("task, count", [("collectives", 2), ("collectives", 4), ("regression", 2), ("regression", 4)])
def test_programs_of_all_devices(task, count):
    assert [result(*each) for each in run(task, count)] == ["ok"] * count


@pytest.mark.parametrize("count", [2, 4])
def test_chains_are_those_of_one_process(count):
    alone = result(*run("chains", 1)[0])
    assert [result(*each) for each in run("chains", count)] == [alone] * count


def test_a_lost_process_is_named_and_the_run_goes_on(tmp_path):
    alone = result(*run("chains", 1, tmp_path / "alone.zarr")[0])
    path = tmp_path / "run.zarr"
    (status, out), (killed, _) = run("killed", 2, path)
    assert killed < 0 and status == 0 and "lost: 1 process 1 (on " in out, out
    (status, out), = run("resume", 3, path)[:1]
    assert "is that of 2 processes, and these are 3" in out, out
    assert [result(*each) for each in run("resume", 1, path)] == [alone]                   # of both parts
    assert [result(*each) for each in run("resume", 2, path)] == [alone, alone]


def test_a_lost_coordinator_is_named():
    for status, out in run("orphaned", 2):
        assert status in (LOST_EXIT, -signal.SIGABRT), out                # XLA's client aborts, if it is quicker
        assert "the coordinator, which process 0 started (on 127.0.0.1:" in out, out


def test_a_process_that_waits_for_a_lost_one_ends():
    others = run("stuck", 3)
    for status, out in (others[0], others[2]):
        assert status in (0, LOST_EXIT) and "process 1 (on " in out, out
