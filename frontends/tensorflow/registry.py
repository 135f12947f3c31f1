"""Handlers by operator; a handler's signature is the operator's schema.

After the emitter, positional parameters are the operator's inputs: ``Value``, or ``tuple[Value, ...]`` for a list.
Keyword-only parameters are its attributes with the schema's defaults; those that name the types of inputs and the
lengths of lists are left out.  The registry checks and converts what a node gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args, get_origin

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Value
from ...compiler.plugins import is_loaded
from ...compiler.types import DType
from ...formats.tensorflow.model import FunctionName, StoredShape
from ...formats.tensorflow.tensors import ElementType, StoredTensor
from ..common import schema
from ..common.complex_numbers import Complex
from .emitter import Emitter
from .handles import Handle, Imported, TensorList

Handler: TypeAlias = Callable[..., "Imported | tuple[Imported, ...]"]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[str, Entry] = {}
"""All handlers by operator."""

NOT_TENSORS = {Handle: "a resource", TensorList: "a list of tensors", Complex: "complex numbers"}
"""What messages call operands that are no tensors."""


def _describe(operand: object) -> str:
    return next((text for kind, text in NOT_TENSORS.items() if isinstance(operand, kind)), "a tensor")


@dataclass(frozen=True)
class Parameter(schema.Parameter):
    """An input or an attribute of a handler; attributes are read from the graph's nodes."""

    @property
    def item(self) -> Parameter | None:
        """What an item of a list is; None if it is no list."""
        if get_origin(self.type) is not tuple:
            return None
        return Parameter(self.name, get_args(self.type)[0], schema.Parameter.required)

    def convert(self, value: Any) -> Any:
        """Return an attribute's value in the parameter's type, None if it is of another kind."""
        return next((v for kind in self.kinds if (v := _convert(kind, value)) is not None), None)


def _convert(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            return None
        found = tuple(_convert(get_args(kind)[0], item) for item in cast(tuple[Any, ...], value))
        return None if any(item is None for item in found) else found
    return _CONVERT[kind](value)


_CONVERT: dict[Any, Callable[[Any], Any]] = {
    bool: lambda v: v if isinstance(v, bool) else None,
    int: lambda v: v if isinstance(v, int) and not isinstance(v, bool) else None,
    float: lambda v: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None,
    str: lambda v: v if isinstance(v, str) else None,
    DType: lambda v: v.dtype if isinstance(v, ElementType) else None,
    ElementType: lambda v: v if isinstance(v, ElementType) else None,
    StoredTensor: lambda v: v if isinstance(v, StoredTensor) else None,
    StoredShape: lambda v: v if isinstance(v, StoredShape) else None,
    FunctionName: lambda v: v if isinstance(v, FunctionName) else None,
}
"""What makes the value of an attribute one of a parameter's type; None if it is of another kind."""


@dataclass(frozen=True)
class Entry:
    """A handler and what its signature says; ``outputs`` are the schema's names of results, where there are several."""

    name: str
    handler: Handler
    operands: tuple[Parameter, ...]
    attributes: Mapping[str, Parameter]
    outputs: tuple[str, ...]

    @property
    def is_users(self) -> bool:
        """Whether the handler is in a file that the user has loaded."""
        return is_loaded(self.handler)

    def call(self, emit: Emitter, operands: Sequence[Imported], attributes: Mapping[str, Any]) -> tuple[Imported, ...]:
        """Run the handler.

        Raises:
            CompileError: F002 or F006, the node does not fit the signature; or what the handler raises.
        """
        out = self.handler(emit, *self._grouped(operands), **self._bind(attributes))
        return out if isinstance(out, tuple) else (out,)

    def _grouped(self, operands: Sequence[Imported]) -> list[Imported | tuple[Imported, ...]]:
        """Give lists their items; two lists have the same number of them."""
        lists = sum(p.item is not None for p in self.operands)
        left = len(operands) - len(self.operands) + lists
        each = left // lists if lists else 0
        if left < 0 or (left % lists if lists else left):
            takes = len(self.operands) - lists
            raise error(
                "F006", f"{self.name} takes {takes} inputs{' and lists' * bool(lists)}, but has {len(operands)}"
            )
        parameters = [p for q in self.operands for p in ([q] if q.item is None else [q.item] * each)]
        schema.Operands(self.name, "input", _describe).check(operands, parameters, lambda _p, _has: False)
        given = iter(operands)
        return [next(given) if p.item is None else tuple(next(given) for _ in range(each)) for p in self.operands]

    def _bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check and convert a node's attributes."""
        bound: dict[str, Any] = {}
        for name, value in given.items():
            if name not in self.attributes:
                continue
            bound[name] = self.attributes[name].convert(value)
            if bound[name] is None:
                if isinstance(value, ElementType) and value.dtype is None:
                    raise error("F003", f"{self.name} has elements of type {value.name}")
                raise error("F002", f"the attribute {name!r} of {self.name} has the value {value!r}")
        missing = [name for name, p in self.attributes.items() if p.is_required and name not in bound]
        if missing:
            raise error("F002", f"{self.name} lacks its attribute {missing[0]!r}")
        return bound


def tf_op(*names: str, outputs: tuple[str, ...] = ()) -> Callable[[H], H]:
    """Register a handler for an operator, or for several with the same schema.

    Raises:
        TypeError: another handler has one already, or a parameter has a type that attributes don't have.
    """

    def wrap(fn: H) -> H:
        _, *parameters = inspect.signature(fn, eval_str=True).parameters.values()
        operands = tuple(Parameter.of(p) for p in parameters if p.kind is not p.KEYWORD_ONLY)
        attributes = {p.name: Parameter.of(p) for p in parameters if p.kind is p.KEYWORD_ONLY}
        for p in attributes.values():
            kinds = [get_args(k)[0] if get_origin(k) is tuple else k for k in p.kinds]
            if not all(k in _CONVERT or get_origin(k) is Literal for k in kinds):
                raise TypeError(f"the attribute {p.name!r} of {names[0]} has no type that attributes have")
        for name in names:
            if name in HANDLERS:
                raise TypeError(f"two handlers for {name}")
            HANDLERS[name] = Entry(name, fn, operands, attributes, outputs)
        return fn

    return wrap


def results_of(op: str) -> tuple[str, ...]:
    """Return the names of an operator's results; nothing if there is one alone, or a list."""
    return HANDLERS[op].outputs if op in HANDLERS else ()


def unary(names: str, op: type[Op]) -> None:
    """Register operators of one input that are an operation of the IR."""

    @tf_op(*names.split())
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x))


def binary(names: str, op: type[Op]) -> None:
    """Register operators of two inputs that are an operation of the IR."""

    @tf_op(*names.split())
    def handler(emit: Emitter, x: Value, y: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x, y))
