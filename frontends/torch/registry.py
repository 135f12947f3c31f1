"""Handlers by ATen overload; a handler's signature is the overload's schema.

After the emitter come the schema's arguments under their names (``self`` is called ``x``), with the schema's defaults;
the annotation says in which form the handler takes an argument.  A handler for several overloads takes the arguments
of the longest one.  In-place overloads need no handler: ``relu_`` is ``relu``, and its operand gets a new value.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_origin

from ...compiler.diagnostics import error
from ...compiler.dims import Dim, Sym
from ...compiler.ir import Op, Value
from .complex import ByParts, Complex
from .emitter import Emitter

Handler: TypeAlias = "Callable[..., Value | Complex | tuple[Value | None, ...] | list[Value] | Dim | None]"

H = TypeVar("H", bound=Handler)

IMPLIED = frozenset({"dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "copy"})
"""Keyword arguments that a handler may leave out: they speak of memory, or show in the type of the result."""

HANDLERS: dict[str, Entry] = {}
"""All handlers by the name of the overload."""

COMPLEX: dict[str, Entry] = {}
"""Those that run instead where there are complex numbers among arguments or results."""

BY_PARTS: dict[str, bool] = {}
"""Overloads that do the same to the parts of complex numbers as to real ones; whether all their tensors are numbers."""


@dataclass(frozen=True)
class Parameter:
    """An argument of a handler, and what makes a node's argument one; ``default`` is ``empty`` where there is none."""

    name: str
    type: Any
    default: Any
    is_keyword: bool

    @property
    def is_required(self) -> bool:
        """Whether the parameter has no default, so that every node has to give it."""
        return self.default is inspect.Parameter.empty

    @staticmethod
    def of(parameter: inspect.Parameter) -> Parameter:
        """Read a parameter of a handler's signature: its name, its annotation, its default and its kind."""
        is_keyword = parameter.kind is parameter.KEYWORD_ONLY
        return Parameter(parameter.name, parameter.annotation, parameter.default, is_keyword)


@dataclass(frozen=True)
class Entry:
    """One handler and what its signature says; ``sizes_by_data`` if elements decide about the sizes of its result."""

    name: str
    handler: Handler
    parameters: tuple[Parameter, ...]
    sizes_by_data: bool = False

    def call(self, emit: Emitter, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run the handler.

        Raises:
            CompileError: F002 or F004, an argument can't be taken; or what the handler raises.
        """
        positional = [p for p in self.parameters if not p.is_keyword]
        by_name = {p.name: p for p in self.parameters}
        wanted = {k: v for k, v in kwargs.items() if k in by_name or k not in IMPLIED}
        strange = [*map(str, args[len(positional) :]), *(k for k in wanted if k not in by_name)]
        if strange:
            raise error("F002", f"{self.name} has the argument {strange[0]}, which its handler does not know")
        absent = [p.name for p in positional[len(args) :] if p.is_required and p.name not in kwargs]
        if absent:
            text = f"its handler wants the argument {absent[0]!r}, which the operator does not have"
            raise error("F002", f"{self.name}: {text}", help="Give the handler the operator's own arguments.")
        given = [convert(p.type, v, p.name) for p, v in zip(positional, args, strict=False)]
        named = {k: convert(by_name[k].type, v, k) for k, v in wanted.items()}
        return self.handler(emit, *given, **named)


def convert(type: Any, value: Any, name: str) -> Any:
    """Return a node's argument in the form that a handler asks for.

    Raises:
        CompileError: F004, a number was asked for, but a size is symbolic; F002, the argument is of another kind.
    """
    if type is object or type is Any:
        return value
    if get_origin(type) in (typing.Union, types.UnionType):
        kinds = get_args(type)
        if value is None and types.NoneType in kinds:
            return None
        found = next((k for k in kinds if k is not types.NoneType and _fits(k, value)), None)
        if found is not None:
            return convert(found, value, name)
        type = next(k for k in kinds if k is not types.NoneType)
    if get_origin(type) is tuple:
        items = cast(Sequence[Any], value) if isinstance(value, list | tuple) else [value]
        return tuple(convert(get_args(type)[0], v, name) for v in items)
    if type is float and isinstance(value, int):
        return float(value)
    if not _fits(type, value):
        raise _unfit(type, value, name)
    return value


def _fits(type: Any, value: Any) -> bool:
    if get_origin(type) is tuple:
        return isinstance(value, list | tuple)
    if type is float:
        return isinstance(value, int | float)
    if type is bool or type is int:
        return isinstance(value, int)
    return isinstance(value, type)


def _unfit(type: Any, value: Any, name: str) -> Exception:
    if isinstance(value, Sym):
        names = ", ".join(sorted(value.names))
        return error("F004", f"its argument {name!r} is {value}, but must be a number", help=f"Fix the size {names}.")
    what = getattr(type, "__name__", str(type))
    return error("F002", f"its argument {name!r} is {value!r}, which is not of the type {what}")


def aten(*names: str, sizes_by_data: bool = False) -> Callable[[H], H]:
    """Register a handler for overloads of ATen: ``relu`` or ``add.Tensor``; other libraries' with their namespace.

    With ``sizes_by_data`` the handler makes operations that name the sizes of their results.

    Raises:
        TypeError: another handler has one of them already.
    """
    return _registering(HANDLERS, names, sizes_by_data)


def complex_aten(*names: str) -> Callable[[H], H]:
    """Register a handler for overloads of ATen that are called with complex numbers, or give some.

    Raises:
        TypeError: another handler has one of them already.
    """
    return _registering(COMPLEX, names, False)


def _registering(table: dict[str, Entry], names: Sequence[str], sizes_by_data: bool) -> Callable[[H], H]:
    def wrap(fn: H) -> H:
        _, *parameters = inspect.signature(fn, eval_str=True).parameters.values()
        untyped = [p.name for p in parameters if p.annotation is p.empty]
        if untyped:
            raise TypeError(f"the parameter {untyped[0]!r} of the handler for {names[0]} lacks its type")
        for name in map(full_name, names):
            if name in table:
                raise TypeError(f"two handlers for {name}")
            table[name] = Entry(name, fn, tuple(map(Parameter.of, parameters)), sizes_by_data)
        return fn

    return wrap


def full_name(name: str) -> str:
    """Complete the name of an overload.

    >>> full_name("relu"), full_name("add.Tensor"), full_name("torchvision::nms")
    ('aten::relu.default', 'aten::add.Tensor', 'torchvision::nms.default')
    """
    name = name if "::" in name else f"aten::{name}"
    return name if "." in name else f"{name}.default"


def functional(name: str) -> str:
    """Return the overload that computes what an in-place overload writes.

    >>> functional("aten::relu_.default"), functional("aten::__and__.Tensor")
    ('aten::relu.default', 'aten::__and__.Tensor')
    """
    base, _, overload = name.partition(".")
    return f"{base[:-1]}.{overload}" if base.endswith("_") and not base.endswith("__") else name


def find(name: str) -> Entry | None:
    """Return the handler of an overload, None if there is none."""
    return HANDLERS.get(name) or HANDLERS.get(functional(name))


def find_complex(name: str) -> Entry | ByParts | None:
    """Return what runs an overload where there are complex numbers, None if there is nothing."""
    entry = COMPLEX.get(name) or COMPLEX.get(functional(name))
    if entry is not None:
        return entry
    real, key = find(name), name if name in BY_PARTS else functional(name)
    return ByParts(real.call, BY_PARTS[key]) if real is not None and key in BY_PARTS else None


def unary(name: str, op: type[Op]) -> None:
    """Register a function of one tensor that is an operation of the IR, in the element type that PyTorch gives it."""

    @aten(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(emit.cast(x, emit.dtype)))
