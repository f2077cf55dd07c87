"""Export: a compiled function as bytes, which another process loads and calls without the Python that made it.

The file holds the program as a portable StableHLO artifact, the types and tree structures of its arguments and
results, and the arrays that it closes over. It begins with a version and a checksum, and loading it runs no code: there
is no pickle in it. Structures may hold tuples, lists, dicts, None, and classes that are registered (or handed) where it
is loaded.
"""
import hashlib
import io
import json
import zipfile
from collections import OrderedDict, defaultdict

import numpy as np

from . import tree, xla
from .array import Array
from .avals import Aval
from .core import Tracer
from .errors import ExportError
from .interpreters.evaluate import run_executable
from .interpreters.lower import lower
from .ops.structural import asvalue
from .passes import optimize
from .staged import name_of, stage_function
from .tree.structure import LEAF, REGISTRY, TreeDef

MAGIC = b"chainrule export 1\n"


class Exported:
    """A program with all that is needed to call it. Made by `export(f)(*args)` or `deserialize(bytes)`."""

    def __init__(self, name, artifact, in_tree, in_avals, out_tree, out_avals, consts):
        self.name, self.artifact, self.consts = name, artifact, consts
        self.in_tree, self.in_avals, self.out_tree, self.out_avals = in_tree, in_avals, out_tree, out_avals
        self._executable = None

    def mlir_module(self):
        """The StableHLO text."""
        return xla.from_portable(self.artifact)

    def call(self, *args, **kwargs):
        """The function's results for arguments of the types that it was exported for.

        Raises ExportError for arguments of another structure or type, and inside of a transformation: the program
        is opaque.
        """
        leaves, treedef = tree.flatten((args, kwargs))
        if treedef != self.in_tree:
            raise ExportError(f"{self.name} was exported for arguments of the structure {self.in_tree}; "
                              f"it got {treedef}.")
        leaves = [asvalue(x) for x in leaves]
        for (path, x), a in zip(tree.leaves_with_path((args, kwargs)), self.in_avals):
            if asvalue(x).aval != a:
                raise ExportError(f"{self.name} was exported for {a!r} as argument {path[1]}{tree.keystr(path[2:])}; "
                                  f"it got {asvalue(x).aval!r}.")
        if any(isinstance(x, Tracer) for x in leaves):
            raise ExportError(f"{self.name} is an exported program, which no transformation can look into.\n"
                              "Call it outside of jit, grad and vmap, or wrap it in pure_callback.")
        if self._executable is None:
            self._executable = xla.compile(self.mlir_module(), [(a.shape, a.dtype) for a in self.out_avals])
        out = run_executable(self._executable, [*[Array(c) for c in self.consts], *leaves], self.out_avals)
        return tree.unflatten(self.out_tree, out)

    def serialize(self):
        """The bytes that `deserialize` reads."""
        manifest = {
            "name": self.name, "in_tree": _write_tree(self.in_tree), "out_tree": _write_tree(self.out_tree),
            "in_avals": [_write_aval(a) for a in self.in_avals], "out_avals": [_write_aval(a) for a in self.out_avals],
            "consts": [_write_aval(Aval(c.shape, c.dtype)) for c in self.consts]}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("manifest.json", json.dumps(manifest))
            file.writestr("module.stablehlo", self.artifact)
            for i, c in enumerate(self.consts):
                file.writestr(f"const{i}", np.ascontiguousarray(c).tobytes())
        body = content.getvalue()
        return MAGIC + hashlib.sha256(body).digest() + body

    def __repr__(self):
        return f"<Exported {self.name}: {_listed(self.in_avals)} -> {_listed(self.out_avals)}>"


def _listed(avals):
    return ", ".join(map(repr, avals))


def export(f, *, static_argnums=(), static_argnames=()):
    """A function that gives the `Exported` form of f for the types of its arguments.

    static_argnums, static_argnames : arguments that are written into the program and are no arguments of it any more
    Raises ExportError for programs that call Python, or whose structures have classes that are not registered.

    >>> from chainrule.engine import jit
    >>> data = export(jit(lambda x: x * 2))(3.0).serialize()
    >>> float(deserialize(data).call(5.0))
    10.0
    """
    statics = ((static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)) + (
        (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames))

    def made(*args, **kwargs):
        staged, leaves = stage_function(f, args, kwargs, statics)
        jaxpr = staged.jaxpr
        program = optimize(jaxpr)
        text, callbacks = lower(program) if not jaxpr.effects else ("", [True])
        if callbacks or any(isinstance(c, Tracer) for c in staged.consts):
            raise ExportError(f"{name_of(f)} cannot be exported: it calls Python (a callback, a print), or depends on "
                              "a value that is being traced.\nExport a function of its arguments alone.")
        fixed = {i % len(args) for i in statics if isinstance(i, int)} if args else set()
        in_tree = tree.structure((tuple([a for i, a in enumerate(args) if i not in fixed]),
                                  {k: v for k, v in kwargs.items() if k not in statics}))
        _write_tree(in_tree), _write_tree(staged.out_tree)
        return Exported(name_of(f), xla.to_portable(text), in_tree, [x.aval for x in leaves], staged.out_tree,
                        jaxpr.out_avals, [np.asarray(c) for c in staged.consts])
    return made


def deserialize(data, *, types=()):
    """The `Exported` program in these bytes.

    types : named tuples and other classes in its structures that are not registered as pytrees
    Raises ExportError when the bytes are damaged, of another version, or name an unknown class.
    """
    if not data.startswith(b"chainrule export "):
        raise ExportError("these bytes are not an exported program.")
    if not data.startswith(MAGIC):
        found = data[:40].splitlines()[0].decode(errors="replace")
        raise ExportError(f"this program was exported in the format {found!r}, and this version reads "
                          f"{MAGIC.decode().strip()!r}.\nExport it again.")
    digest, body = data[len(MAGIC):len(MAGIC) + 32], data[len(MAGIC) + 32:]
    if hashlib.sha256(body).digest() != digest:
        raise ExportError("the bytes of this exported program are damaged: the checksum does not fit.")
    known = {_class_name(t): t for t in (*types, *REGISTRY)}
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        manifest = json.loads(file.read("manifest.json"))
        avals = {k: [_read_aval(a) for a in manifest[k]] for k in ("in_avals", "out_avals", "consts")}
        consts = [np.frombuffer(file.read(f"const{i}"), a.dtype).reshape(a.shape)
                  for i, a in enumerate(avals["consts"])]
        return Exported(manifest["name"], file.read("module.stablehlo"), _read_tree(manifest["in_tree"], known),
                        avals["in_avals"], _read_tree(manifest["out_tree"], known), avals["out_avals"], consts)


def _write_aval(a):
    return [list(a.shape), a.dtype.name]


def _read_aval(a):
    return Aval(tuple(a[0]), np.dtype(a[1]))


# ---- structures as JSON ----

_PLAIN = {"tuple": tuple, "list": list, "dict": dict, "None": type(None), "OrderedDict": OrderedDict}
_PLAIN_NAMES = {t: n for n, t in _PLAIN.items()}


def _class_name(cls):
    return f"{cls.__module__}:{cls.__qualname__}"


def _write_tree(t):
    if t.kind is None:
        return "*"
    if t.kind is defaultdict:
        raise ExportError("a defaultdict holds a function, which cannot be written down; pass a dict.")
    name = _PLAIN_NAMES.get(t.kind) or _class_name(t.kind)
    return [name, _write_aux(t.aux, t.kind), [_write_tree(c) for c in t.children]]


def _write_aux(aux, kind):
    if aux is None or isinstance(aux, (bool, int, float, str)):
        return aux
    if isinstance(aux, tuple):
        return [_write_aux(v, kind) for v in aux]
    raise ExportError(f"{kind.__name__} has {aux!r:.60} in its structure, which cannot be written down: numbers, "
                      "strings and tuples of them can.")


def _read_aux(aux):
    return tuple([_read_aux(v) for v in aux]) if isinstance(aux, list) else aux


def _read_tree(t, known):
    if t == "*":
        return LEAF
    kind = _PLAIN.get(t[0]) or known.get(t[0])
    if kind is None:
        raise ExportError(f"this program's structures have the class {t[0]}, which is not known here.\n"
                          "Import the module that registers it, or pass it: deserialize(data, types=[...]).")
    return TreeDef(kind, _read_aux(t[1]), tuple([_read_tree(c, known) for c in t[2]]))
