"""Profiles: the file is a trace, and our names stand in it."""
import gzip
import json

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import annotate, jit, profile


def potential(x):
    return cnp.sin(x @ x).sum()


@pytest.mark.parametrize("ending,opened", [("json.gz", gzip.open), ("json", open)])
def test_a_profile_is_a_trace_with_our_names(tmp_path, ending, opened):
    f, x = jit(potential), np.ones((300, 300))
    f(x).block_until_ready()
    file = tmp_path / f"trace.{ending}"
    with profile(file), annotate("second call"):
        f(x).block_until_ready()
    with opened(file, "rt") as text:
        events = json.load(text)["traceEvents"]
    spans = [e for e in events if e.get("ph") == "X"]
    assert all({"ts", "dur", "pid", "name"} <= set(e) for e in spans)
    (ours,) = [e for e in spans if e["name"] == "second call"]
    inside = [e for e in spans if e.get("args", {}).get("hlo_module") == "potential"]
    assert inside and all(ours["ts"] <= e["ts"] <= ours["ts"] + ours["dur"] for e in inside)


def test_a_profile_is_written_when_its_block_fails(tmp_path):
    with pytest.raises(KeyError), profile(tmp_path / "a.json"):
        raise KeyError
    assert "traceEvents" in json.loads((tmp_path / "a.json").read_text())
    with profile(tmp_path / "b.json"):                   # the one before has ended
        pass


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"json.gz or .json"), profile(tmp_path / "trace.pb"):
        pass


def test_annotations_cost_nothing_outside():
    with annotate("alone"):
        assert float(jit(lambda x: x + 1)(1.0)) == 2.0
