"""The dieharder battery on the random bits; its results are kept in reports/random_battery.md.

    python benchmarks/battery.py                        all streams, a few minutes each
    python benchmarks/battery.py --only philox-key      some of them; the report's other rows stay
    python benchmarks/battery.py --feed philox-key      the stream itself, raw words on standard output, for other tools

Needs the command `dieharder` (Debian has a package of that name). Each test reads the stream from its start.
"""
import argparse
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as onp

from chainrule.engine import jit, random, vmap
from chainrule.engine import numpy as np
from chainrule.engine.ops.structural import iota

REPORT = pathlib.Path(__file__).parent / "reports" / "random_battery.md"
CHUNK = 2 ** 18                                          # words at a time
LOW, HIGH = 1e-4, 1 - 1e-4
# (test, tuple size), 0 for the test's own
TESTS = [(0, 0), (8, 0), (11, 0), (3, 0), (4, 0), (15, 0), (12, 0), (203, 1), (202, 5), (1, 0), (16, 0), (200, 2),
         (205, 0), (207, 0), (208, 0), (209, 0), (100, 0), (101, 0), (13, 0), (206, 0), (200, 8), (10, 0), (201, 2),
         (201, 3)]
LEFT_OUT = """Of the tests that dieharder lists as good, all that need less than half a minute are run, with the tuple
sizes below. Left out for their time: the ranks of 32x32 matrices, counting the ones in bytes, the greatest common
divisor, the serial test, lagged sums with other lags; and those that dieharder lists as suspect."""

ABOUT = ["`-key`: the words of draws of 2¹⁸ from the keys fold_in(key(0), 0), fold_in(key(0), 1), …",
         "`-split`: four words of each of many keys that are split from one",
         "`-seeds`: the first word of the seeds 0, 1, 2, …",
         "`-uniform`: the 52 bits of uniform numbers: the upper 32 of two, and a word of their lowest bits",
         "`hash_bits`: the words of the counters 0, 1, 2, … of one seed"]


# ---- streams: number of the chunk -> uint32[about CHUNK] ----

def words_of_one_key(impl):
    """The words of a draw from one key, chunk by chunk: the draw of chunk i is that of the key folded with i."""
    return lambda i: random.bits(random.fold_in(random.key(0, impl), i), (CHUNK,))


def words_of_split_keys(impl):
    """The first four words of each of many keys that are split from one."""
    def chunk(i):
        keys = random.split(random.fold_in(random.key(1, impl), i), CHUNK // 4)
        return vmap(lambda k: random.bits(k, (4,)))(keys).reshape(-1)
    return chunk


def words_of_seeds(impl):
    """The first word of each of the seeds 0, 1, 2, …"""
    def chunk(i):
        return vmap(lambda s: random.bits(random.key(s, impl), ()))(iota(CHUNK, onp.dtype("uint64")) + i * CHUNK)
    return chunk


def bits_of_uniforms(impl):
    """The 52 bits of uniform numbers of float64, no bit twice: the upper 32 of two of them, and then a word of the 20
    lowest of the first and the 12 lowest of the second."""
    def chunk(i):
        u = random.uniform(random.fold_in(random.key(2, impl), i), (CHUNK // 4, 2))
        whole = np.asarray(u * 2.0 ** 52).astype("uint64")
        low = (whole[:, 0] & onp.uint64(2 ** 20 - 1)) << onp.uint64(12) | whole[:, 1] & onp.uint64(2 ** 12 - 1)
        high = whole >> onp.uint64(20)
        return np.stack([high[:, 0], high[:, 1], low], -1).astype("uint32").reshape(-1)
    return chunk


def hashed(i):
    """The lower and upper halves of hash_bits of one seed and the counters 0, 1, 2, …"""
    word = random.hash_bits(onp.uint64(0), iota(CHUNK // 2, onp.dtype("uint64")) + i * (CHUNK // 2))
    return np.stack([word & onp.uint64(0xFFFFFFFF), word >> onp.uint64(32)], -1).astype("uint32").reshape(-1)


STREAMS = {f"{name.split('2x')[0].split('4x')[0]}-{kind}": make(name)
           for kind, make in (("key", words_of_one_key), ("split", words_of_split_keys), ("seeds", words_of_seeds),
                              ("uniform", bits_of_uniforms))
           for name in ("threefry2x32", "philox4x32")} | {"hash_bits": hashed}


def feed(name):
    """Write the stream until the reader has had enough."""
    chunk = jit(STREAMS[name])
    out = sys.stdout.buffer
    try:
        for i in itertools.count():
            out.write(onp.asarray(chunk(onp.uint64(i))).tobytes())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- the battery ----

def run_test(name, test, size):
    """[(test, size, p)] as dieharder gives them."""
    source = subprocess.Popen([sys.executable, __file__, "--feed", name], stdout=subprocess.PIPE)
    command = ["dieharder", "-g", "200", "-d", str(test)] + (["-n", str(size)] if size else [])
    try:
        out = subprocess.run(command, stdin=source.stdout, capture_output=True, text=True, check=True).stdout
    finally:
        source.stdout.close()
        source.terminate()
        source.wait()
    found = re.findall(r"^\s*(\w+)\|\s*(\d+)\|\s*\d+\|\s*\d+\|\s*([\d.]+)\|", out, re.M)
    return [(label, int(n), float(p)) for label, n, p in found]


def verdict(ps):
    """What the p-values say, allowing for their number."""
    worst = min(min(p, 1 - p) for p in ps)
    chance = 1 - (1 - 2 * worst) ** len(ps)
    return "pass" if chance > 1e-3 else "FAIL"


def summary(rows):
    """The report: a line a stream, and all p-values."""
    lines = ["# The random bits under dieharder", "",
             "Written by `python benchmarks/battery.py` (see its beginning; dieharder 3.31.1). A p-value is",
             f"suspicious outside of [{LOW:g}, 1 - {LOW:g}]; a stream fails if chance alone would give a p-value as",
             "extreme as its most extreme one, among as many, with probability below 1e-3.", "",
             "| stream | p-values | suspicious | smallest | largest | verdict |",
             "| --- | --- | --- | --- | --- | --- |"]
    for name, found in rows.items():
        ps = [p for _, _, p in found]
        odd = sum(not LOW <= p <= HIGH for p in ps)
        lines.append(f"| {name} | {len(ps)} | {odd} | {min(ps):.2g} | {max(ps):.8g} | {verdict(ps)} |")
    lines += ["", "Streams:", "", *[f"- {line}" for line in ABOUT], "", *LEFT_OUT.splitlines(), "",
              "| test | size | " + " | ".join(rows) + " |", "| --- | --- |" + " --- |" * len(rows)]
    keys = list(dict.fromkeys([(label, n) for found in rows.values() for label, n, _ in found]))
    for label, n in keys:
        cells = [", ".join([f"{p:.4f}" for a, m, p in found if (a, m) == (label, n)]) for found in rows.values()]
        lines.append(f"| {label} | {n} | " + " | ".join(cells) + " |")
    if any(len(found) < max(map(len, rows.values())) for found in rows.values()):
        lines += ["", "Empty cells were not run."]
    return "\n".join(lines) + "\n\n<!-- " + json.dumps(rows) + " -->\n"


def kept():
    """The rows of the report that is there."""
    if not REPORT.exists():
        return {}
    return json.loads(re.search(r"<!-- (.*) -->", REPORT.read_text())[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(STREAMS), default=list(STREAMS))
    parser.add_argument("--first", type=int, default=len(TESTS), help="only so many tests, the quickest first")
    parser.add_argument("--feed", choices=list(STREAMS))
    options = parser.parse_args()
    if options.feed:
        return feed(options.feed)
    for name in options.only:
        found = []
        for test, size in TESTS[:options.first]:
            results = run_test(name, test, size)
            print(name, results, flush=True)
            found += results
            rows = kept() | {name: found}
            REPORT.parent.mkdir(exist_ok=True)
            REPORT.write_text(summary({n: rows[n] for n in STREAMS if n in rows}))


if __name__ == "__main__":
    main()
