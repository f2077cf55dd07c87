"""The settings: one table, each with its type, default, environment name and meaning.

A setting is read with `config.name`, changed with `config.update(name=value)` and for a block of code
with `with config(name=value):`. Values are per thread inside a block, and part of every compilation key.
"""
import os
import threading
from contextlib import contextmanager
from typing import NamedTuple


class Setting(NamedTuple):
    """One row of the table."""
    default: object
    choices: tuple
    environment: str
    meaning: str


SETTINGS = {
    "default_float": Setting("float64", ("float64", "float32"), "CHAINRULE_DEFAULT_FLOAT",
                             "dtype of Python floats and of arrays created without a dtype"),
    "disable_jit": Setting(False, (False, True), "CHAINRULE_DISABLE_JIT",
                           "run jit, scan, cond and while operation by operation in NumPy"),
    "check_programs": Setting(False, (False, True), "CHAINRULE_CHECK_PROGRAMS",
                              "verify every program after it is staged"),
    "debug_nans": Setting(False, (False, True), "CHAINRULE_DEBUG_NANS",
                          "raise where an operation makes the first nan, naming it and the user's line"),
    "explain_retraces": Setting(False, (False, True), "CHAINRULE_EXPLAIN_RETRACES",
                                "log one sentence whenever a function is traced again, saying what has changed"),
    "matmul_precision": Setting("highest", ("highest", "high", "default"), "CHAINRULE_MATMUL_PRECISION",
                                "matrix products and convolutions in float32 on GPUs and TPUs: with all of float32's "
                                "digits, or with fewer and faster (TF32, bfloat16)"),
    "cuda_graphs": Setting(True, (False, True), "CHAINRULE_CUDA_GRAPHS",
                           "compile loops for GPUs into CUDA graphs, so that the device goes round without the host"),
    "check_leaks": Setting(False, (False, True), "CHAINRULE_CHECK_LEAKS",
                           "raise when a tracer outlives the transformation that made it"),
}


def _from_environment(setting):
    text = os.environ.get(setting.environment)
    if text is None:
        return setting.default
    for choice in setting.choices:
        if text.lower() == str(choice).lower() or (isinstance(choice, bool) and text == str(int(choice))):
            return choice
    raise ValueError(f"{setting.environment}={text!r}: choose one of {[str(c) for c in setting.choices]}")


class Config(threading.local):
    """The values in force; attributes are the names of the table."""

    _shared = {name: _from_environment(s) for name, s in SETTINGS.items()}

    def __init__(self):
        self.__dict__.update(self._shared)

    def update(self, **values):
        """Change settings for this thread and for threads started later."""
        self._check(values)
        self._shared.update(values)
        self.__dict__.update(values)

    @contextmanager
    def __call__(self, **values):
        self._check(values)
        before = {name: getattr(self, name) for name in values}
        self.__dict__.update(values)
        try:
            yield self
        finally:
            self.__dict__.update(before)

    @staticmethod
    def _check(values):
        for name, value in values.items():
            if name not in SETTINGS:
                raise ValueError(f"no setting {name!r}; there are {sorted(SETTINGS)}")
            if value not in SETTINGS[name].choices:
                raise ValueError(f"{name}={value!r}: choose one of {SETTINGS[name].choices}")


config = Config()
