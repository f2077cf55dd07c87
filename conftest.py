"""What every test shares: the fixture `golden`, XLA's quicker code generator, Hypothesis without clocks and chance."""
import gc
import os
import pathlib
import sys
from importlib import metadata

import hypothesis
import pytest

# Most programs of the tests run once, so they are compiled the quicker way, which takes half the time. Flags are known
# to one version of XLA only. `make matrix` has XLA as users have it.
if metadata.version("jaxlib").startswith("0.10."):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1")

# Many tests start processes, which import the library again: its bytecode is kept, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

GOLDEN = pathlib.Path(__file__).parent / "tests" / "golden"

hypothesis.settings.register_profile("chainrule", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("chainrule")


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="rewrite the files in tests/golden instead of comparing")


@pytest.fixture
def golden(request):
    """`golden(name, text)` asserts that tests/golden/<name> holds this text; `make golden` rewrites the file."""
    def check(name, text):
        path, text = GOLDEN / name, text.rstrip("\n") + "\n"
        if request.config.getoption("--golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"tests/golden/{name} is not there: `make golden` writes it"
        assert text == path.read_text(encoding="utf-8")
    return check


@pytest.fixture
def few_objects():
    """What is there already is left out of collections, which `check_leaks` makes at every trace: it is quick then."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
