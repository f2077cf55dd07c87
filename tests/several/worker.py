"""One process of tests/test_several_processes.py: python worker.py TASK NUMBER PROCESSES PORT [FOLDER]."""
import hashlib
import os
import signal
import sys
import threading
import time

import numpy as onp

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import (
    NamedSharding,
    P,
    devices,
    distributed,
    grad,
    jit,
    lax,
    make_array_from_process_local_data,
    make_mesh,
    random,
    set_cpu_device_count,
    shard_map,
    xla,
)
from chainrule.engine import numpy as np
from chainrule.inference import MCMC, NUTS, Store

ROWS = onp.random.default_rng(0).normal(size=(48, 3))
LABELS = (ROWS @ [1.0, -1.0, 0.5] + 0.3 > 0).astype(float)


def collectives(number, count):
    """What each collective gives on all devices, two a process, is what it gives by hand."""
    n = 2 * count
    mesh = make_mesh((n,), ("i",))
    assert len(devices()) == n and distributed.process_count() == count and distributed.process_index() == number
    x = make_array_from_process_local_data(NamedSharding(mesh, P("i")), onp.arange(2.0) + 2 * number)
    ring = [(k, (k + 1) % n) for k in range(n)]

    def f(x):
        wide = x[0] * np.arange(1.0, n + 1)
        return (lax.psum(x, "i"), lax.pmax(x, "i"), lax.all_gather(x[0], "i"), lax.ppermute(x, "i", ring),
                lax.psum_scatter(wide, "i")[None], lax.axis_index("i") + 0 * x)
    out = jit(shard_map(f, mesh=mesh, in_specs=P("i"), out_specs=(P(), P(), P(), P("i"), P("i"), P("i"))))(x)
    whole = [onp.asarray(o) for o in out[:3]]
    assert whole[0] == n * (n - 1) / 2 and whole[1] == n - 1 and whole[2].tolist() == list(range(n))
    for got, want in zip(out[3:], ([n - 1, *range(n - 1)], n * (n - 1) / 2 * onp.arange(1.0, n + 1), range(n))):
        for part in got.addressable_shards:
            assert onp.asarray(part.data).tolist() == onp.asarray(list(want), float)[part.index].tolist()
    assert "parts in other processes" in repr(out[3])
    assert distributed.process_allgather(onp.asarray(number)).tolist() == list(range(count))
    assert distributed.broadcast_one_to_all(onp.asarray(number + 5.0)) == 5.0
    distributed.sync_global_devices()
    return "ok"


def regression(number, count):
    """Gradient descent on rows that lie with all processes is that on all of them here."""
    mesh = make_mesh((2 * count,), ("rows",))

    def loss(w, x, y):
        z = x @ w[:3] + w[3]
        return np.mean(np.logaddexp(0.0, z) - y * z) + 0.01 * np.sum(w * w)

    def fit(x, y):
        step = jit(lambda w, x, y: w - 0.5 * grad(loss)(w, x, y), out_shardings=P())
        w = np.zeros(4)
        for _ in range(20):
            w = step(w, x, y)
        return onp.asarray(w)
    mine = slice(number * 48 // count, (number + 1) * 48 // count)
    x, y = [make_array_from_process_local_data(NamedSharding(mesh, P("rows")), a[mine]) for a in (ROWS, LABELS)]
    onp.testing.assert_allclose(fit(x, y), fit(np.asarray(ROWS), np.asarray(LABELS)), rtol=1e-12)
    return "ok"


def model(y):
    mu, scale = cr.sample("mu", dist.Normal(0.0, 1.0)), cr.sample("scale", dist.HalfNormal(1.0))
    cr.sample("y", dist.Normal(mu, scale), obs=y)


def chains(number, count, folder=None, killed=False, resume=False):
    """A digest of all chains' draws."""
    data, n = onp.array([0.3, -1.0, 2.0, 0.5]), 60_000 if folder else 200
    store = Store(folder, every=0.1, block=500) if folder and not resume else None
    mcmc = MCMC(NUTS(model), num_warmup=200, num_samples=n, num_chains=4, store=store, progress_bar=False, warn=False)
    if resume:
        mcmc = MCMC.resume(folder, mcmc, data)
    else:
        if killed and number == 1:
            threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        mcmc.run(random.key(3), data)
    draws = onp.asarray(mcmc.get_samples(group_by_chain=True)["mu"])
    assert draws.shape == (4, n) and mcmc.to_arviz()["posterior"].sizes["chain"] == 4
    assert mcmc.divergences().count.shape == (4,)
    return hashlib.md5(draws.tobytes()).hexdigest()


def stuck(number, count):
    """A process is killed while the others are in a collective."""
    mesh = make_mesh((2 * count,), ("i",))
    x = make_array_from_process_local_data(NamedSharding(mesh, P("i")), onp.arange(2.0))
    f = jit(shard_map(lambda x: lax.psum(x, "i"), mesh=mesh, in_specs=P("i"), out_specs=P()))
    if number == 1:
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        f(x)
    return "never stopped"


def orphaned(number, count):
    """The coordinator is killed."""
    distributed.sync_global_devices()
    if number == 0:
        xla.cluster().service.kill()
    time.sleep(60.0)
    return "never stopped"


def main(task, number, count, port, folder=None):
    set_cpu_device_count(2)
    if count > 1:
        distributed.initialize(f"127.0.0.1:{port}", count, number, initialization_timeout=60, grace=2.0)
    try:
        print("result:", {
            "collectives": lambda: collectives(number, count), "regression": lambda: regression(number, count),
            "stuck": lambda: stuck(number, count), "orphaned": lambda: orphaned(number, count),
            "chains": lambda: chains(number, count, folder),
            "killed": lambda: chains(number, count, folder, killed=True),
            "resume": lambda: chains(number, count, folder, resume=True)}[task](), flush=True)
    except distributed.ProcessLost as lost:
        print("lost:", lost.process, str(lost).splitlines()[0], flush=True)
    distributed.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], *sys.argv[5:])
