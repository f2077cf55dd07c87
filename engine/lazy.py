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


def on_demand(package, names):
    """The `__getattr__` of a package that imports these modules of it when they are asked for."""
    def getattribute(name):
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattribute


scipy_special = Lazy("scipy.special")
scipy_linalg = Lazy("scipy.linalg")
