"""Modules that are imported at first use, so that `import chainrule` stays quick."""
import importlib


class Lazy:
    """Stands for a module until one of its attributes is asked for."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        if attribute.startswith("__"):                   # what Python's own tools ask of any object
            raise AttributeError(attribute)
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


scipy_special = Lazy("scipy.special")
scipy_linalg = Lazy("scipy.linalg")
