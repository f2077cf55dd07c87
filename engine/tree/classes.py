"""Classes that are trees: dataclasses, static objects, and functions with some arguments filled in."""
import dataclasses
import functools

from .structure import register_pytree_node


def register_dataclass(cls=None, data_fields=None, meta_fields=None):
    """Make a dataclass a tree: its data fields are the children, its meta fields belong to the structure.

    Without lists, a field is meta when it is declared `field(metadata={"static": True})`, else data. Meta values
    must be hashable and comparable. A tree is put together without `__init__` and `__post_init__`, so those may
    check their arguments: they never see a tracer or a placeholder.
    Raises ValueError where the lists and the fields differ.

    >>> @register_dataclass
    ... @dataclasses.dataclass(frozen=True)
    ... class Line:
    ...     slope: float
    ...     name: str = dataclasses.field(metadata={"static": True})
    >>> from chainrule.engine import grad
    >>> grad(lambda line: line.slope ** 2)(Line(3.0, "l")).name
    'l'
    """
    if cls is None:
        return functools.partial(register_dataclass, data_fields=data_fields, meta_fields=meta_fields)
    if not dataclasses.is_dataclass(cls):
        raise ValueError(f"{cls.__name__} is not a dataclass; put @dataclass under @register_dataclass.")
    fields = dataclasses.fields(cls)
    if meta_fields is None:
        meta_fields = [f.name for f in fields if (f.metadata.get("static") if data_fields is None
                                                  else f.name not in data_fields)]
    if data_fields is None:
        data_fields = [f.name for f in fields if f.name not in meta_fields]
    data, meta = tuple(data_fields), tuple(meta_fields)
    named = {f.name for f in fields}
    if set(data) & set(meta) or set(data) | set(meta) != named:
        raise ValueError(f"{cls.__name__} has the fields {sorted(named)}; each must be in data_fields {list(data)} "
                         f"or in meta_fields {list(meta)}, and in one of them only.")

    def flatten(x):
        return [getattr(x, k) for k in data], tuple([getattr(x, k) for k in meta])

    def unflatten(aux, children):
        made = object.__new__(cls)
        for k, v in zip(data, children):
            object.__setattr__(made, k, v)
        for k, v in zip(meta, aux):
            object.__setattr__(made, k, v)
        return made

    register_pytree_node(cls, flatten, unflatten, lambda x: data)
    return cls


def register_static(cls):
    """Make instances of a hashable class trees without leaves: part of the structure, as a static argument is.

    >>> @register_static
    ... class Mode(str): pass
    >>> from chainrule.engine import jit
    >>> float(jit(lambda x, mode: x * 2 if mode == "double" else x)(3.0, Mode("double")))
    6.0
    """
    register_pytree_node(cls, lambda x: ((), x), lambda x, _: x)
    return cls


class _Whole:
    """A functools.partial as one function: functools would open it and mix the arguments of the two."""
    __slots__ = ("f",)

    def __init__(self, f):
        self.f = f

    def __call__(self, *args, **kwargs):
        return self.f(*args, **kwargs)

    def __eq__(self, other):
        return isinstance(other, _Whole) and self.f is other.f

    def __hash__(self):
        return hash(self.f)


class Partial(functools.partial):
    """functools.partial that is a tree: the arguments filled in are its children, the function its structure.

    It can be an argument of a transformed function, where a plain function cannot.

    >>> from chainrule.engine import jit
    >>> apply = jit(lambda f, x: f(x))
    >>> float(apply(Partial(lambda a, x: a * x, 2.0), 3.0))
    6.0
    """
    __slots__ = ()

    def __new__(cls, f, /, *args, **kwargs):
        if isinstance(f, functools.partial) and not isinstance(f, Partial):
            f = _Whole(f)
        return super().__new__(cls, f, *args, **kwargs)


register_pytree_node(Partial, lambda p: ((p.args, p.keywords), p.func), lambda f, c: Partial(f, *c[0], **c[1]),
                     lambda p: ("args", "keywords"))
