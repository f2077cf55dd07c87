"""GPUs and TPUs as far as a machine without them shows: which platforms are wanted, what is said, what is lowered."""
import os
import pathlib
import re
import subprocess
import sys

import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import OutOfMemory, config, devices, lax, make_jaxpr, memory_stats, set_gpu_memory, vmap, xla
from chainrule.engine.interpreters.lower import lower
from chainrule.engine.xla import accelerators, client

ROOT = pathlib.Path(__file__).parents[2]
HERE = accelerators.has_nvidia_gpu()


@pytest.mark.parametrize("text, names", [
    ("cpu", ("cpu",)), ("gpu, cpu", ("gpu", "cpu")), ("CUDA", ("gpu",)), ("cpu,gpu,tpu", ("cpu", "gpu", "tpu"))])
def test_platforms_are_named_with_the_default_first(text, names, monkeypatch):
    monkeypatch.setattr(client.state, "platforms", None)
    monkeypatch.setenv("CHAINRULE_PLATFORMS", text)
    assert client.wanted_platforms() == names


@pytest.mark.parametrize("text", ["rocm", ",", "cpu;gpu"])
def test_unknown_platforms(text, monkeypatch):
    monkeypatch.setattr(client.state, "platforms", None)
    monkeypatch.setenv("CHAINRULE_PLATFORMS", text)
    with pytest.raises(ValueError, match=re.escape(f"CHAINRULE_PLATFORMS={text!r}: give one or more of cpu, gpu, tpu")):
        client.wanted_platforms()


def test_what_is_not_wanted_is_not_there(monkeypatch):
    monkeypatch.setattr(client.state, "platforms", ("cpu",))
    with pytest.raises(RuntimeError, match="The platforms that may be used are cpu; see set_platforms"):
        devices("gpu")


@pytest.mark.skipif(HERE, reason="there is a GPU")
def test_without_a_gpu_nothing_is_loaded_and_the_host_computes():
    code = ("from chainrule.engine import devices, jit, xla; import sys; print([d.platform for d in devices()], "
            "xla.accelerator(), xla.may_have_accelerator(), float(jit(lambda x: x + 1)(1.0)), 'jax' in sys.modules)")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    found = done.stdout.split("] ")
    assert set(re.findall(r"\w+", found[0])) == {"cpu"} and found[1].split() == ["None", "False", "2.0", "False"], done


@pytest.mark.skipif(HERE, reason="there is a GPU")
def test_the_check_of_a_gpu_says_that_there_is_none():
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "gpu_check.py")], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("gpu-check: There is no device of platform 'gpu'"), done


def test_a_plugin_that_fails_is_told_of(monkeypatch):
    def broken(*args):
        raise ImportError("libcublas.so.13: cannot open shared object file\nmore")
    monkeypatch.setattr(accelerators, "_gpu", broken)
    with pytest.warns(RuntimeWarning, match=r"could not be loaded, so programs run on the CPU: ImportError: libcublas"):
        assert accelerators.client("gpu", client.start(), {}) is None


@pytest.mark.parametrize("given, words", [({"fraction": 0.0}, "fraction=0.0"), ({"fraction": 1.5}, "fraction=1.5"),
                                          ({"allocator": "malloc"}, "allocator='malloc'")])
def test_wrong_settings_of_memory(given, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        set_gpu_memory(**given)


def test_settings_of_memory_are_kept(monkeypatch):
    monkeypatch.setattr(client.state, "gpu_memory", {})
    set_gpu_memory(fraction=0.5, allocator="bfc")
    assert client.state.gpu_memory == {"preallocate": False, "memory_fraction": 0.5, "allocator": "bfc"}
    assert memory_stats() == {}


def test_out_of_memory_says_what_was_asked_and_what_was_free(monkeypatch):
    stats = {"bytes_limit": 60 * 2 ** 30, "bytes_in_use": 59 * 2 ** 30}
    monkeypatch.setattr(client, "memory_stats", lambda device: stats)
    error = RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8.00GiB.")
    found = client.explained(error, xla.devices()[0])
    assert type(found) is OutOfMemory and found.stats == stats and found.device == xla.devices()[0]
    assert "cpu:0 is out of memory: 8.00GiB were asked for. 1.00 GiB were free of the 60.00 GiB" in str(found)
    other = RuntimeError("INVALID_ARGUMENT: no")
    assert client.explained(other, None) is other


# ---- what is lowered ----

def text_of(f, *args, platform="cuda", precision="highest"):
    return lower(make_jaxpr(f)(*args), platform=platform, precision=precision)[0]


def test_products_have_the_precision_that_is_set():
    a = onp.ones((2, 3, 3), onp.float32)
    long = onp.ones(200, onp.float32)
    for f in (lambda a: a @ a, lambda a: lax.conv_general_dilated(a[None], a[None], (1, 1), "SAME"),
              lambda a: np.convolve(a[0, 0, 0] * long, long)):
        assert "HIGHEST" in text_of(f, a) and "HIGHEST" not in text_of(f, a, precision="default")
    assert config.matmul_precision == "highest"


@pytest.mark.parametrize("how, unique", [("set", "true"), ("add", "false"), ("max", "false")])
def test_updates_are_made_at_once_on_a_device(how, unique):
    """On the host they are a loop, which the lanes of a vmap would go through one by one."""
    def f(x, i, u):
        return getattr(x.at[i], how)(u)
    args = onp.zeros((4, 5)), onp.arange(4), onp.ones(4)
    text = text_of(vmap(f), *args)
    assert text.count('"stablehlo.scatter"(') == 1 and f"unique_indices = {unique}" in text
    assert "stablehlo.while" not in text
    assert "stablehlo.while" in text_of(vmap(f), *args, platform="cpu")


def test_of_updates_that_meet_the_last_one_stays_on_a_device():
    text = text_of(lambda x, i, u: x.at[i].set(u), onp.zeros(5), onp.array([1, 1, 3]), onp.ones(3))
    assert text.count('"stablehlo.scatter"(') == 2 and "stablehlo.maximum" in text
