"""Modules that are imported at first use, so that `import chainrule` stays quick."""
import importlib


class Lazy:
    """Stands for a module until one of its attributes is asked for."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        module = importlib.import_module(self._name)
        self.__dict__.update(vars(module))
        return getattr(module, attribute)


scipy_special = Lazy("scipy.special")
scipy_linalg = Lazy("scipy.linalg")
