"""The parts of a run of several processes, taken up as one."""
from types import SimpleNamespace

import pytest

from chainrule.inference.shared import Parts


class Part(SimpleNamespace):
    """A part that writes down what is asked of it, and fails where it is told to."""
    warmup = thinning = 1
    constrain, done = None, (0,)

    def close(self):
        self.seen.append(self.name)
        if self.fails: raise OSError(f"no room for {self.name}")


def test_each_part_is_closed_where_one_before_it_fails():
    seen = []
    parts = Parts([Part(name=name, seen=seen, fails=name == "b") for name in "abc"])
    with pytest.raises(OSError, match="no room for b"):
        parts.close()
    assert seen == ["a", "b", "c"]
