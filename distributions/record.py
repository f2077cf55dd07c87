"""Frozen records that are pytrees: what distributions, constraints and transforms have in common.

A subclass lists its fields, and that is its constructor, its pytree and its printout:

    class Gamma(Distribution):
        concentration: ArrayLike = param(constraints.positive)
        rate: ArrayLike = param(constraints.positive, default=1.0)

`param` is an array with a constraint, `child` any pytree (another record, a number), `static` a hashable Python
value. Putting a record together again from leaves (what jit, vmap and tree.map do) converts nothing and checks nothing,
so leaves may be tracers, types or None.
"""
import dataclasses
import inspect
import typing
from typing import Any, ClassVar

from ..engine import tree
from ..engine.errors import ParameterError

ArrayLike = Any                          # goes in as anything array-like; is an array once the record is made
REQUIRED = inspect.Parameter.empty


class Field:
    """One field of a record: its kind, default and, for a parameter, the constraint it must satisfy."""
    __slots__ = ("name", "kind", "default", "constraint", "event_dim", "is_discrete", "depends")

    def __init__(self, kind, default=REQUIRED, constraint=None, event_dim=None, is_discrete=None):
        self.kind, self.default, self.constraint = kind, default, constraint
        self.depends = inspect.isfunction(constraint)
        self.is_discrete = getattr(constraint, "is_discrete", False) if is_discrete is None else is_discrete
        known = 0 if self.depends else getattr(constraint, "event_dim", 0)
        self.event_dim = known if event_dim is None else event_dim


def param(constraint, default: Any = REQUIRED, *, event_dim: int | None = None, is_discrete: bool | None = None) -> Any:
    """An array parameter. `constraint` may be a function of the record, for one that depends on other fields;
    event_dim and is_discrete are then said here, where they are not 0 and False."""
    return Field("param", default, constraint, event_dim, is_discrete)


def child(default: Any = REQUIRED) -> Any:
    """A field that is a pytree: another record, a tuple of them, an array or a number, kept as it is given."""
    return Field("child", default)


def static(default: Any = REQUIRED) -> Any:
    """A hashable Python value: part of the type of the record, not of its leaves."""
    return Field("static", default)


@typing.dataclass_transform(frozen_default=True, field_specifiers=(param, child, static, dataclasses.field))
class Record:
    """Base of the frozen pytrees; see the module."""
    _fields: ClassVar[tuple] = ()
    _leafy: ClassVar[tuple] = ()         # names of the fields that hold leaves
    _statics: ClassVar[tuple] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        own = [(name, f) for name, f in vars(cls).items() if isinstance(f, Field)]
        for name, field in own:
            field.name = name
            delattr(cls, name)
            if hasattr(cls, name):       # a property of a base class must not hide the field
                setattr(cls, name, None)
        names = {name for name, _ in own}
        cls._fields = (*[f for f in cls._fields if f.name not in names], *[f for _, f in own])
        cls._leafy = tuple(f.name for f in cls._fields if f.kind != "static")
        cls._statics = tuple(f.name for f in cls._fields if f.kind == "static")
        cls.__signature__ = cls._described()
        tree.register_pytree_node(cls, cls._flatten, cls._unflatten, cls._keys)

    @classmethod
    def _described(cls):
        """The signature: that of the nearest constructor of its own, else the fields and what else the base takes."""
        shown = list(inspect.signature(cls.__init__).parameters.values())[1:]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in shown):
            options = [p for p in shown if p.kind is inspect.Parameter.KEYWORD_ONLY]
            shown = [*[inspect.Parameter(f.name, kind, default=f.default) for f in cls._fields], *options]
        return inspect.Signature(shown)

    def __init__(self, *args, **kwargs):
        self._bind(args, kwargs)

    def _bind(self, args, kwargs):
        """Set the fields from the arguments of a call."""
        values = self.__dict__
        fields = self._fields
        if len(args) > len(fields):
            raise ParameterError(f"{type(self).__name__} takes {len(fields)} arguments "
                                 f"({', '.join(f.name for f in fields)}); got {len(args)}.")
        for field, value in zip(fields, args):
            values[field.name] = value
        for field in fields[len(args):]:
            value = kwargs.pop(field.name, field.default) if kwargs else field.default
            if value is REQUIRED:
                raise ParameterError(f"{type(self).__name__} needs a value for {field.name!r}.\n"
                                     f"Its parameters are {', '.join(f.name for f in fields)}.")
            values[field.name] = value
        if kwargs:
            name = next(iter(kwargs))
            problem = "was given twice" if name in values else "is not a parameter"
            raise ParameterError(f"{type(self).__name__}: {name!r} {problem}.\n"
                                 f"Its parameters are {', '.join(f.name for f in fields)}.")

    def _flatten(self):
        values = self.__dict__
        return [values[name] for name in self._leafy], tuple([values[name] for name in self._statics])

    @classmethod
    def _unflatten(cls, aux, children):
        made = object.__new__(cls)
        values = made.__dict__
        for name, value in zip(cls._leafy, children):
            values[name] = value
        for name, value in zip(cls._statics, aux):
            values[name] = value
        return made

    def _keys(self):
        return self._leafy

    def __setattr__(self, name, value):
        raise AttributeError(f"{type(self).__name__} is immutable, so {name!r} cannot be set.\n"
                             "Make a new one: "
                             f"{type(self).__name__}({', '.join(f'{f.name}=...' for f in self._fields)}).")

    def __delattr__(self, name):
        self.__setattr__(name, None)

    def __repr__(self):
        values = self.__dict__
        return f"{type(self).__name__}({', '.join(f'{f.name}={_short(values.get(f.name))}' for f in self._fields)})"


def _short(x):
    """A field's value as text: scalars as numbers, larger arrays by their type."""
    aval = getattr(x, "aval", None)
    if aval is None:
        return repr(x)
    if aval.shape == () and hasattr(x, "value") and hasattr(x, "recipe"):
        return repr(x.item())
    return repr(aval)
