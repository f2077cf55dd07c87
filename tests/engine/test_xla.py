"""The layer above jaxlib: buffers, compilation, the two caches, threads, forks and errors."""
import os
import pathlib
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import fori_loop, jit, xla
from chainrule.engine.xla import store

SRC = pathlib.Path(xla.__file__).resolve().parents[2] / "src"


def elementwise(op="sine", n=3, dtype="f64"):
    return f"""module @m {{ func.func public @main(%a: tensor<{n}x{dtype}>) -> tensor<{n}x{dtype}> {{
  %0 = stablehlo.{op} %a : tensor<{n}x{dtype}>
  return %0 : tensor<{n}x{dtype}> }} }}"""


# a loop around a product of matrix and vector: it is outlined when the threshold exceeds the matrix
LOOP = """module @loop {
 func.func public @main(%m: tensor<40x40xf64>, %x: tensor<40xf64>, %n: tensor<i32>) -> tensor<40xf64> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %r:2 = stablehlo.while(%i = %zero, %a = %x) : tensor<i32>, tensor<40xf64>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %b = stablehlo.dot_general %m, %a, contracting_dims = [1] x [0]
      : (tensor<40x40xf64>, tensor<40xf64>) -> tensor<40xf64>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %b : tensor<i32>, tensor<40xf64>
  }
  return %r#1 : tensor<40xf64> } }"""

CALLBACK = """module @h { func.func public @main(%a: tensor<3xf64>) -> tensor<3xf64> {
  %0 = "stablehlo.custom_call"(%a) {call_target_name = "xla_ffi_python_cpu_callback", api_version = 4 : i32,
    backend_config = {index = 0 : ui64}, has_side_effect = true} : (tensor<3xf64>) -> tensor<3xf64>
  return %0 : tensor<3xf64> } }"""

CHOLESKY = """module @c { func.func public @main(%a: tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<i32>) {
  %0:2 = "stablehlo.custom_call"(%a) {call_target_name = "lapack_dpotrf_ffi", api_version = 4 : i32,
    backend_config = {uplo = 76 : ui8}, operand_layouts = [dense<[0, 1]> : tensor<2xindex>],
    result_layouts = [dense<[0, 1]> : tensor<2xindex>, dense<> : tensor<0xindex>]}
    : (tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<i32>)
  return %0#0, %0#1 : tensor<2x2xf64>, tensor<i32> } }"""

DONATE = """module @d { func.func public @main(%a: tensor<9xf64> {jax.buffer_donor = true}) -> tensor<9xf64> {
  %0 = stablehlo.negate %a : tensor<9xf64>
  return %0 : tensor<9xf64> } }"""


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Every test starts with empty caches and zero counts."""
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path))
    forget()
    xla.counters.reset()


def forget():
    for each in xla.client.state.forget:
        each()


def compiled(text=None, shape=(3,), dtype="f8", **options):
    return xla.compile(text or elementwise(), [(shape, dtype)], **options)


def run(executable, *values):
    return [xla.to_numpy(b) for b in executable([xla.put(np.asarray(v), executable.device) for v in values])]


def in_a_process(code, **environment):
    """Run code in a fresh Python that has imported xla; returns what it prints."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", "from chainrule.engine import xla\n" + code],
                          env={**os.environ, "PYTHONPATH": str(SRC), **environment}, capture_output=True, text=True,
                          timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("dtype", ["?", "i1", "u4", "i8", "f2", "f4", "f8", "c8", "c16", "bfloat16"])
@pytest.mark.parametrize("shape", [(), (0, 3), (4,), (2, 3, 2)])
def test_put_and_to_numpy_return_the_same_array(dtype, shape):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    x = (np.arange(np.prod(shape, dtype=int)) % 5).reshape(shape).astype(dtype)
    back = xla.to_numpy(xla.put(x))
    assert back.dtype == x.dtype and back.shape == x.shape and (back == x).all()


def test_put_copies_any_layout():
    x = np.arange(24.0).reshape(4, 6)
    for view in (x[::2, ::3], x.T, x[::-1]):
        assert (xla.to_numpy(xla.put(view)) == view).all()
    b = xla.put(x)
    x[:] = 0
    assert xla.to_numpy(b)[3, 5] == 23


def test_the_view_of_a_buffer_is_read_only_and_without_a_copy():
    b = xla.put(np.arange(1000.0))
    one, two = xla.to_numpy(b), xla.to_numpy(b)
    assert np.shares_memory(one, two) and not one.flags.writeable
    del b
    assert one[999] == 999


def test_a_donated_buffer_is_an_error_and_not_an_object_array():
    executable, b = compiled(DONATE, (9,)), xla.put(np.ones(9))
    (c,) = executable([b])
    assert xla.is_deleted(b) and not xla.is_deleted(c)
    with pytest.raises(RuntimeError, match="donated"):
        xla.to_numpy(b)
    with pytest.raises(RuntimeError, match="deleted or donated"):
        executable([b])


def test_there_is_one_cpu_device_a_core_and_buffers_know_theirs():
    found = xla.devices("cpu")
    assert len(found) == xla.client.cores() and repr(found[0]) == "cpu:0" == repr(xla.default_device())
    for device in found:
        assert xla.buffer_device(xla.put(np.ones(2), device)) == device
    assert len({*found, *xla.devices("cpu")}) == len(found)


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(RuntimeError, match="'tpu'.*cpu:0"):
        xla.devices("tpu")
    with pytest.raises(ValueError, match="cpu:99"):
        xla.put(np.ones(2), xla.Device("cpu", 99, 99))


def test_a_program_computes_what_it_says():
    x = np.linspace(-2, 2, 3)
    executable = compiled()
    np.testing.assert_allclose(run(executable, x)[0], np.sin(x), rtol=1e-15)
    assert executable.out_avals[0].shape == (3,) and executable.text == elementwise()
    assert xla.counters.snapshot() == dict(compilations=1, disk_cache_hits=0, memory_cache_hits=0, executions=1)


def test_an_executable_tells_its_cost_memory_and_code():
    executable = compiled()
    assert executable.cost_analysis()["transcendentals"] == 3
    assert executable.memory_stats()["argument_size_in_bytes"] == 24
    assert executable.optimized_hlo().startswith("HloModule m")


def test_the_same_program_is_compiled_once():
    assert compiled() is compiled()
    assert compiled(optimization_level=1) is not compiled()
    assert (xla.counters.compilations, xla.counters.memory_cache_hits) == (2, 2)


def test_threads_that_ask_for_one_program_compile_it_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(compiled())) for _ in range(6)]
    for each in threads: each.start()
    for each in threads: each.join()
    assert len(set(map(id, found))) == 1
    assert (xla.counters.compilations, xla.counters.memory_cache_hits) == (1, 5)


def test_memory_keeps_the_programs_last_used(monkeypatch):
    monkeypatch.setattr(xla.program, "PROGRAMS_IN_MEMORY", 2)
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", "off")
    for op in ("sine", "cosine", "sine", "tanh", "sine", "cosine"):
        compiled(elementwise(op))
    assert (xla.counters.compilations, xla.counters.memory_cache_hits) == (4, 2)


def test_outline_makes_one_function_of_a_loop(monkeypatch):
    m, x, n = np.eye(40) * 2, np.arange(40.0), np.int32(10)
    outlined = compiled(LOOP, (40,), outline=True)
    # what XLA does unasked depends on its version
    monkeypatch.setattr(xla.program, "OUTLINE_LOOPS", xla.program.loops_below(1))
    forget()
    plain = compiled(LOOP, (40,), outline=True)
    for executable in (plain, outlined):
        np.testing.assert_array_equal(run(executable, m, x, n)[0], x * 1024)
    assert "xla_cpu_small_call" in outlined.optimized_hlo()              # XLA's mark on a loop that it outlines
    assert "xla_cpu_small_call" not in plain.optimized_hlo()


def test_a_large_sum_in_a_loop_is_outlined_too_and_is_not_ynnpacks():
    """Which takes the whole loop out of line with it, and 100 MB."""
    add = lambda x: fori_loop(0, 10, lambda _, x: x + 1e-3 * cnp.sum(x * x), x)
    x = np.ones(20_000)
    hlo = jit(add).lower(x).compile().as_text()
    assert "xla_cpu_small_call" in hlo and "ynn" not in hlo


def test_options_are_rewritten_in_one_place():
    options = xla.client.start().xc.CompileOptions()
    said, seen = options.SerializeAsString(), []
    path = xla.program.FUSED_BY_YNNPACK
    assert xla.program._rewritten(said, path, lambda kinds: seen.append(kinds) or kinds) == said
    made = xla.program._rewritten(said, path, lambda kinds: kinds[:1])
    assert len(said) - len(made) == sum(len(kinds) - 1 for kinds in seen)
    assert type(options).ParseFromString(made).SerializeAsString() == made


def test_another_device_gets_the_program_without_a_compilation():
    out, _ = in_a_process(f"""
import numpy as np
xla.set_cpu_device_count(3)
first = xla.compile({elementwise()!r}, [((3,), "f8")])
second = first.on(xla.devices()[2])
(y,) = second([xla.put(np.zeros(3), second.device)])
print(xla.devices(), xla.buffer_device(y), second.device, second.on(first.device) is first, xla.counters.compilations)
""")
    assert out.strip() == "[cpu:0, cpu:1, cpu:2] cpu:2 cpu:2 True 1"


def test_the_device_count_may_change_until_something_lives_on_a_device():
    out, _ = in_a_process("""
import numpy as np
xla.devices(); xla.set_cpu_device_count(3); print(len(xla.devices()))
xla.set_cpu_device_count(3)
b = xla.put(np.ones(2))
try: xla.set_cpu_device_count(4)
except RuntimeError as error: print(error)
del b
xla.set_cpu_device_count(4); print(len(xla.devices()))
""")
    first, error, last = out.splitlines()
    assert first == "3" and last == "4" and "too late to make 4" in error
    with pytest.raises(ValueError, match="positive"):
        xla.set_cpu_device_count(0)


def test_xla_is_quiet_and_jaxlib_waits_for_its_first_use():
    out, err = in_a_process("""
import sys
import numpy as np
print("jaxlib" in sys.modules)
before = "scipy" in sys.modules
try: xla.compile("module @m {}", [])
except RuntimeError: pass
xla.put(np.ones(2))
print(("scipy" in sys.modules) != before, "jax" in sys.modules)
""")
    assert out.split() == ["False"] * 3 and err == ""


# ---------------------------------------------------------------------------------- the cache on disk

def files(tmp_path):
    return sorted(tmp_path.rglob("*.xla"))


def test_another_process_finds_the_program_on_disk(tmp_path):
    code = f"""
e = xla.compile({elementwise()!r}, [((3,), "f8")], outline=True, optimization_level=1,
                extra_options=dict(xla_cpu_enable_fast_math=False, xla_llvm_disable_expensive_passes=True))
import numpy as np
print(xla.to_numpy(e([xla.put(np.zeros(3))])[0]).tolist(), xla.counters.compilations, xla.counters.disk_cache_hits)
"""
    assert in_a_process(code)[0].strip() == "[0.0, 0.0, 0.0] 1 0"
    assert in_a_process(code)[0].strip() == "[0.0, 0.0, 0.0] 0 1"
    assert len(files(tmp_path)) == 1


@pytest.mark.slow
def test_two_processes_may_write_at_once(tmp_path):
    code = f"""
from chainrule.engine import xla
for op in ("sine", "cosine", "tanh"):
    xla.compile({elementwise()!r}.replace("sine", op), [((3,), "f8")])
"""
    both = [subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SRC)})
            for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    for op in ("sine", "cosine", "tanh"):
        compiled(elementwise(op))
    assert xla.counters.disk_cache_hits == len(files(tmp_path)) == 3
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: b"", lambda data: b"?" * len(data),
                                    lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:]],
                         ids=["truncated", "empty", "other bytes", "one bit"])
def test_a_damaged_file_is_a_miss_and_is_replaced(tmp_path, damage):
    compiled()
    (file,) = files(tmp_path)
    good = file.read_bytes()
    file.write_bytes(damage(good))
    forget()
    assert run(compiled(), np.zeros(3))[0].tolist() == [0, 0, 0]
    assert (xla.counters.compilations, xla.counters.disk_cache_hits) == (2, 0)
    assert len(file.read_bytes()) == len(good)
    forget()
    compiled()
    assert xla.counters.disk_cache_hits == 1


def test_bytes_that_are_whole_but_no_program_are_a_miss(tmp_path):
    compiled()
    (file,) = files(tmp_path)
    store.write(file, lambda: b"not a program")
    forget()
    compiled()
    assert (xla.counters.compilations, xla.counters.disk_cache_hits) == (2, 0)


@pytest.mark.parametrize("change", [dict(outline=True), dict(optimization_level=0),
                                    dict(extra_options={"xla_cpu_enable_fast_math": True})], ids=repr)
def test_options_are_part_of_the_name_on_disk(tmp_path, change):
    compiled()
    compiled(**change)
    assert len(files(tmp_path)) == xla.counters.compilations == 2


def test_xla_flags_and_the_processor_are_part_of_the_name_on_disk(tmp_path, monkeypatch):
    compiled()
    monkeypatch.setattr(store, "_machine", lambda: "another")
    forget(), compiled()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    forget(), compiled()
    assert len(files(tmp_path)) == 3


def test_the_directory_stays_under_its_limit(tmp_path, monkeypatch):
    paths = [tmp_path / f"{name}.xla" for name in "abcd"]
    for age, path in enumerate(paths[:3]):
        store.write(path, lambda: bytes(1000))
        os.utime(path, (100 + age, 100 + age))
    os.utime(paths[0], (200, 200))                       # the first was used last
    leftover = tmp_path / "of a process that died.tmp"
    leftover.write_bytes(b"")
    os.utime(leftover, (1, 1))
    monkeypatch.setattr(store, "CACHE_LIMIT", 2500)
    store.write(paths[3], lambda: bytes(1000))
    assert [path.exists() for path in paths] == [True, False, False, True] and not leftover.exists()


def test_a_hit_makes_a_file_young_again(tmp_path):
    compiled()
    (file,) = files(tmp_path)
    os.utime(file, (1, 1))
    forget(), compiled()
    assert file.stat().st_mtime > 1


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path / "file"))
    assert run(compiled(), np.zeros(3))[0].tolist() == [0, 0, 0]


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert xla.cache_dir() == tmp_path
    for off in ("", "off", "OFF"):
        monkeypatch.setenv("CHAINRULE_CACHE_DIR", off)
        assert xla.cache_dir() is None
    monkeypatch.delenv("CHAINRULE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert xla.cache_dir() == pathlib.Path("/somewhere/chainrule")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert xla.cache_dir() == pathlib.Path.home() / ".cache" / "chainrule"


# ---------------------------------------------------------------------------------- callbacks, LAPACK, errors

def test_a_callback_runs_and_is_fresh_when_the_program_comes_from_disk():
    first = compiled(CALLBACK, host_callbacks=[lambda v: (np.sin(v),)])
    second = compiled(CALLBACK, host_callbacks=[lambda v: (np.cos(v),)])
    x = np.arange(3.0)
    assert (run(first, x)[0] == np.sin(x)).all() and (run(second, x)[0] == np.cos(x)).all()
    assert (xla.counters.compilations, xla.counters.disk_cache_hits) == (1, 1)


def test_an_exception_in_a_callback_comes_back_as_itself():
    def fail(v):
        raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"):
        run(compiled(CALLBACK, host_callbacks=[fail]), np.ones(3))


def test_a_program_with_a_callback_is_let_go():
    def callback(v): return (v + 1,)
    executable = compiled(CALLBACK, host_callbacks=[callback])
    run(executable, np.ones(3))
    gone = weakref.ref(callback)
    del callback, executable
    xla.client.gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_lapack_is_made_ready_before_compiling_and_before_loading():
    code = f"""
import numpy as np
e = xla.compile({CHOLESKY!r}, [((2, 2), "f8"), ((), "i4")])
low, info = map(xla.to_numpy, e([xla.put(np.diag([4.0, 9.0]))]))
print(np.diag(low).tolist(), int(info), xla.counters.disk_cache_hits)
"""
    assert in_a_process(code)[0].strip() == "[2.0, 3.0] 0 0"
    assert in_a_process(code)[0].strip() == "[2.0, 3.0] 0 1"


def test_a_refused_program_quotes_its_line_and_keeps_its_text():
    text = elementwise().replace("sine %a", "sine %b")
    with pytest.raises(xla.CompileError, match="undeclared SSA value") as caught:
        compiled(text)
    assert "line 2: %0 = stablehlo.sine %b" in str(caught.value) and caught.value.text == text
    with pytest.raises(RuntimeError, match="no_such_flag"):
        compiled(extra_options={"no_such_flag": 1})


def test_wrong_arguments_are_errors():
    executable = compiled()
    with pytest.raises(RuntimeError, match="supplied 2 arguments"):
        run(executable, np.ones(3), np.ones(3))
    with pytest.raises(RuntimeError, match="parameter 0 of size 24"):
        run(executable, np.ones(4))


# ---------------------------------------------------------------------------------- threads and forks

def test_call_many_returns_results_in_order():
    executable = compiled()
    calls = [(executable, [xla.put(np.full(3, float(i)))]) for i in range(20)]
    out = xla.call_many(calls)
    np.testing.assert_allclose([xla.to_numpy(y)[0] for (y,) in out], np.sin(np.arange(20)), rtol=1e-15)
    assert xla.call_many([]) == []


@pytest.mark.skipif(xla.client.cores() < 2, reason="needs two cores")
def test_call_many_runs_side_by_side():
    both = threading.Barrier(2, timeout=30)              # either call ends only while the other one runs
    def meet(v):
        both.wait()
        return (v + 1,)
    executable = compiled(CALLBACK, host_callbacks=[meet])
    b = xla.put(np.zeros(3))
    assert [xla.to_numpy(y).tolist() for (y,) in xla.call_many([(executable, [b])] * 2)] == [[1, 1, 1]] * 2


def test_call_many_raises_what_a_call_raised():
    good, b = compiled(), xla.put(np.ones(3))
    with pytest.raises(RuntimeError, match="supplied 0 arguments"):
        xla.call_many([(good, [b]), (good, []), (good, [b])])


def test_an_interrupt_is_heard_while_a_program_runs():
    out, _ = in_a_process(f"""
import os, signal, threading
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler) # a shell's background jobs start without it
free = threading.Event()
def block(v):
    os.kill(os.getpid(), signal.SIGINT)                  # as Ctrl-C does, while XLA runs
    free.wait(60)
    return (v,)
e = xla.compile({CALLBACK!r}, [((3,), "f8")], host_callbacks=[block])
try: xla.call_many([(e, [xla.put(np.ones(3))])])
except KeyboardInterrupt: print("heard", free.is_set())
free.set()
""")
    assert out.strip() == "heard False"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("use", ["xla.put(x)", "e([b])", "xla.to_numpy(b)", "xla.devices()", "xla.block_until_ready(b)",
                                 "xla.compile('', [])", "e.on(xla.Device('cpu', 0, 0))", "xla.call_many([(e, [b])])"])
def test_a_forked_child_is_refused(use, forked_children):
    assert "before the fork" in forked_children[use]


@pytest.fixture(scope="module")
def forked_children(request):
    """What each use says in a child of a process that has used XLA."""
    marks = test_a_forked_child_is_refused.pytestmark
    uses = next(mark.args[1] for mark in marks if mark.name == "parametrize")
    out, _ = in_a_process(f"""
import os, sys, warnings
import numpy as np
warnings.simplefilter("ignore")                          # newer Pythons warn of a fork with threads
x = np.ones(3)
e, b = xla.compile({elementwise()!r}, [((3,), "f8")]), xla.put(x)
for use in {uses!r}:
    if (child := os.fork()) == 0:
        try: eval(use)
        except RuntimeError as error: print(use, error, sep="|", flush=True)
        finally: os._exit(0)
    os.waitpid(child, 0)
""")
    return dict(line.split("|") for line in out.splitlines())
