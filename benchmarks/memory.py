"""Memory of a run that streams to disk: the peaks on the device and of the process, from a thousand draws to a million.

    python benchmarks/memory.py [--chains 4] [--draws 1000 10000 100000 1000000]

Each number of draws is a process of its own: eight schools, so many draws a chain in a Zarr store, in a folder that is
removed. "device MB" are the most bytes that the client's live arrays had at a look between turns; "host MB" the peak of
the resident set; "disk MB" the store's. The last column is a run that keeps its draws in memory.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time


def one(draws, chains, stored):
    """The numbers of one run, printed as JSON."""
    from workloads import WORKLOADS

    from chainrule.engine.xla.client import start
    from chainrule.inference import MCMC, NUTS

    data = WORKLOADS["eight_schools_nc"].data(0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "run.zarr"
        mcmc = MCMC(NUTS(WORKLOADS["eight_schools_nc"].model), num_warmup=500, num_samples=draws, num_chains=chains,
                    store=path if stored else None, progress_bar=False, warn=False)
        peak, done = [0], threading.Event()

        def watch():
            while not done.wait(0.05):
                live = sum(x.on_device_size_in_bytes() for client in start().made for x in client.live_arrays()
                           if not x.is_deleted())
                peak[0] = max(peak[0], live)
        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.perf_counter()
        mcmc.run(0, **data)
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
        disk = sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if stored else 0
    print(json.dumps([peak[0] / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, disk / 1e6, seconds]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--draws", type=int, nargs="*", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return one(int(options.one[0]), options.chains, options.one[1] == "stored")
    print("| draws a chain | device MB | host MB | disk MB | s | host MB in memory |\n|---|---|---|---|---|---|")
    for draws in options.draws:
        found = []
        for kind in ("stored", "kept") if draws <= 100_000 else ("stored",):
            words = ["--chains", str(options.chains), "--one", str(draws), kind]
            done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            found.append(json.loads(done.stdout.splitlines()[-1]))
        device, host, disk, seconds = found[0]
        kept = f"{found[1][1]:.0f}" if len(found) > 1 else "-"
        print(f"| {draws:,} | {device:.3f} | {host:.0f} | {disk:.1f} | {seconds:.1f} | {kept} |", flush=True)


if __name__ == "__main__":
    main()
