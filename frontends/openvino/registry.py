"""Handlers by operation and range of operator sets; a handler's signature is the operation's schema.

After the emitter, positional parameters are the operands: ``Value``, or ``Value | None`` for one that may be left out,
or ``*xs: Value`` for any number of them.  Keyword-only parameters are the attributes with the specification's defaults;
the registry makes values of their types out of the strings that files hold.  Parameters that only some of the
handler's operator sets have say so: ``dilations: Annotated[tuple[int, ...], Since(16)] = ()``.  Attributes that no
parameter has are ignored, as OpenVINO does.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_origin

from ...compiler.attributes import INTEGERS
from ...compiler.diagnostics import error
from ...compiler.ir import Op, Value
from ...compiler.plugins import is_loaded
from ...compiler.types import DType
from ...formats.openvino.weights import ELEMENTS
from ..common import schema
from .emitter import Emitter

Handler: TypeAlias = Callable[..., "Value | tuple[Value, ...]"]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[str, list[Entry]] = {}
"""All handlers by operation, in lower case: OpenVINO itself ignores the case of types."""

NEWEST = 16
"""The last operator set that is complete."""


@dataclass(frozen=True)
class Parameter(schema.Parameter):
    """An operand or an attribute of a handler; attributes are read from the XML's text."""

    def convert(self, text: str) -> Any:
        """Return an attribute's value in the parameter's type.

        Raises:
            ValueError: it is none of that type.
        """
        kind = next(k for k in self.kinds if k is not types.NoneType)
        if get_origin(kind) is not Literal:
            return _CONVERT[kind](text.strip())
        if text.strip().lower() not in get_args(kind):
            raise ValueError(f"none of {', '.join(get_args(kind))}")
        return text.strip().lower()


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _integer(text: str) -> int:
    number = int(text)
    if number not in INTEGERS:
        raise ValueError(f"{number} has more than 64 bits")
    return number


def _items(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


_CONVERT: dict[Any, Callable[[str], Any]] = {
    bool: _truth,
    int: _integer,
    float: float,
    str: str,
    DType: lambda text: ELEMENTS[text.lower()],
    tuple[int, ...]: lambda text: tuple(map(_integer, _items(text))),
    tuple[float, ...]: lambda text: tuple(map(float, _items(text))),
    tuple[str, ...]: lambda text: tuple(_items(text)),
}
"""What makes the string of an attribute a value of a parameter's type."""


@dataclass(frozen=True)
class Entry:
    """One handler, the operator sets that it is for, and what its signature says."""

    name: str
    since: int
    until: int | None
    handler: Handler
    operands: tuple[Parameter, ...]
    attributes: Mapping[str, Parameter]

    @property
    def is_users(self) -> bool:
        """Whether the handler is in a file that the user has loaded."""
        return is_loaded(self.handler)

    def covers(self, opset: int) -> bool:
        """Say whether the handler reads the operation in this version of its operation set."""
        return self.since <= opset and (self.until is None or opset <= self.until)

    def at(self, opset: int) -> Entry:
        """Return the handler with the parameters that one operator set has."""
        operands = tuple(p for p in self.operands if p.covers(opset))
        return replace(
            self, operands=operands, attributes={n: p for n, p in self.attributes.items() if p.covers(opset)}
        )

    def call(self, emit: Emitter, operands: Sequence[Value | None], attributes: Mapping[str, str]) -> tuple[Value, ...]:
        """Run the handler.

        Raises:
            CompileError: F002 or F006, the layer does not fit the signature; or what the handler raises.
        """
        given = list(operands)
        while given and given[-1] is None:
            given.pop()
        schema.Operands(self.name, "operand", lambda _: "what is not a tensor").check(
            given, self.operands, lambda p, has: p.is_variadic and not has
        )
        out = self.handler(emit, *given, **self._bind(attributes))
        return out if isinstance(out, tuple) else (out,)

    def _bind(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Convert a layer's attributes."""
        bound: dict[str, Any] = {}
        for stated, text in given.items():
            name = stated.replace("-", "_")
            if name not in self.attributes:
                continue
            try:
                bound[name] = self.attributes[name].convert(text)
            except (ValueError, KeyError, OverflowError):
                raise error("F002", f"the attribute {name!r} of {self.name} has the value {text[:60]!r}") from None
        missing = [name for name, p in self.attributes.items() if p.is_required and name not in bound]
        if missing:
            raise error("F002", f"{self.name} lacks its attribute {missing[0]!r}")
        return bound


def openvino_op(name: str, *, since: int = 1, until: int | None = None) -> Callable[[H], H]:
    """Register a handler for an operation in the operator sets from ``since`` to ``until``.

    Raises:
        TypeError: another handler has some of these already, or a parameter has a type that attributes don't have.
    """

    def wrap(fn: H) -> H:
        _, *parameters = inspect.signature(fn, eval_str=True).parameters.values()
        operands = tuple(Parameter.of(p) for p in parameters if p.kind is not p.KEYWORD_ONLY)
        attributes = {p.name: Parameter.of(p) for p in parameters if p.kind is p.KEYWORD_ONLY}
        for p in attributes.values():
            if not any(k in _CONVERT or get_origin(k) is Literal for k in p.kinds):
                raise TypeError(f"the attribute {p.name!r} of {name} has no type that attributes have")
        new = Entry(name, since, until, fn, operands, attributes)
        entries = HANDLERS.setdefault(name.lower(), [])
        if any(e.covers(since) or new.covers(e.since) for e in entries):
            raise TypeError(f"two handlers for {name} in operator set {since}")
        entries.append(new)
        return fn

    return wrap


def unary(name: str, op: type[Op], *, since: int = 1) -> None:
    """Register an operation of one operand and no attributes that is one of the IR."""

    @openvino_op(name, since=since)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x))


def find(name: str, opset: str) -> Entry | None:
    """Return the handler of an operation in an operator set such as ``opset8``, None if there is none.

    Of sets that are not OpenVINO's, such as ``extension``, only users know what they hold.
    """
    stated = re.fullmatch(r"opset(\d{1,3})", opset.lower())
    if stated is None:
        return next((e for e in HANDLERS.get(name.lower(), ()) if e.is_users), None)
    number = int(stated[1])
    return next((e.at(number) for e in HANDLERS.get(name.lower(), ()) if e.covers(number)), None)
