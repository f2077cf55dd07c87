"""Modules that are imported at first use, so that `import chainrule` stays quick."""
import ast
import importlib
import pathlib
import sys


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


def from_stub(package, file):
    """(`__getattr__`, names) of a package that imports its names when they are asked for.

    file : the package's __init__.py; the stub beside it (.pyi) says where each name comes from, to type checkers also
    """
    stub = ast.parse(pathlib.Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    home = {alias.asname or alias.name: (node.module, alias.name) for node in stub.body
            if isinstance(node, ast.ImportFrom) and node.level == 1 for alias in node.names}

    def getattribute(name):
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, real = home[name]
        found = importlib.import_module(f"{package}.{module or real}")
        value = found if module is None else getattr(found, real)
        setattr(sys.modules[package], name, value)
        return value
    return getattribute, sorted(home)


scipy_special = Lazy("scipy.special")
scipy_linalg = Lazy("scipy.linalg")
