"""Handlers by operator and range of versions; a handler's signature is the operator's schema.

After the emitter, positional parameters are the inputs: ``Value``, or ``Value | None`` for an optional one, or
``*xs: Value`` for any number of them.  Keyword-only parameters are the attributes with the standard's defaults.
Parameters that only some of the handler's versions have say so: ``ceil_mode: Annotated[int, Since(10)] = 0``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeVar

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Value
from ...compiler.plugins import is_loaded
from ...compiler.weights import Weight
from ...formats.onnx.model import Attribute, Graph, Opaque
from ...formats.onnx.tensors import SparseTensor, Tensor
from ..common import schema
from ..common.schema import Since, Until
from .emitter import Emitter
from .lists import Imported, ValueList

Handler: TypeAlias = Callable[..., "Imported | tuple[Imported, ...]"]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[tuple[str, str], list[Entry]] = {}
"""All handlers by domain and operator."""


@dataclass(frozen=True)
class Parameter(schema.Parameter):
    """An input or an attribute of a handler, as its signature declares it."""

    def convert(self, value: Attribute) -> Any:
        """Return an attribute's value in the parameter's type, None if it is of another kind."""
        return next((v for kind in self.kinds if kind in _CONVERT and (v := _CONVERT[kind](value)) is not None), None)


@dataclass(frozen=True)
class Entry:
    """One handler, the versions of the operator set that it is for, and what its signature says."""

    name: str
    since: int
    until: int | None
    handler: Handler
    inputs: tuple[Parameter, ...]
    attributes: Mapping[str, Parameter]

    @property
    def is_users(self) -> bool:
        """Whether the handler is in a file that the user has loaded."""
        return is_loaded(self.handler)

    def covers(self, version: int) -> bool:
        """Say whether a version falls into the range."""
        return self.since <= version and (self.until is None or version <= self.until)

    def call(
        self, emit: Emitter, operands: Sequence[Imported | None], attributes: Mapping[str, Attribute]
    ) -> tuple[Imported, ...]:
        """Run the handler.

        Raises:
            CompileError: F002 or F006, the node does not fit the signature; or what the handler raises.
        """
        given = list(operands)
        while given and given[-1] is None:
            given.pop()
        inputs = [p for p in self.inputs if p.covers(emit.version)]
        operands_of = schema.Operands(self.name, "input", _describe)
        operands_of.check(given, inputs, lambda p, has: p.is_variadic and len(inputs) > 1 and not has)
        out = self.handler(emit, *given, **self._bind(attributes, emit.version))
        return out if isinstance(out, tuple) else (out,)

    def _bind(self, given: Mapping[str, Attribute], version: int) -> dict[str, Any]:
        """Check and convert a node's attributes."""
        known = {name: p for name, p in self.attributes.items() if p.covers(version)}
        bound: dict[str, Any] = {}
        for name, value in given.items():
            if name not in known:
                close = get_close_matches(name, known, 1)
                help = f"Did the exporter mean {close[0]!r}?" if close else f"It has: {', '.join(known) or 'none'}."
                raise error("F002", f"{self.name} has no attribute {name!r} at version {version}", help=help)
            bound[name] = known[name].convert(value)
            if bound[name] is None:
                raise error("F002", f"the attribute {name!r} of {self.name} has a value of the wrong kind: {value!r}")
        missing = [name for name, p in known.items() if p.is_required and name not in bound]
        if missing:
            raise error("F002", f"{self.name} lacks its attribute {missing[0]!r}")
        return bound


def _describe(operand: object) -> str:
    return "a sequence" if isinstance(operand, ValueList) else "a tensor or nothing"


def _tuple(value: Attribute, item: type | tuple[type, ...], make: type) -> tuple[Any, ...] | None:
    fits = isinstance(value, tuple) and all(isinstance(v, item) for v in value)
    return tuple(make(v) for v in value) if isinstance(value, tuple) and fits else None


_CONVERT: dict[Any, Callable[[Attribute], Any]] = {
    int: lambda v: v if isinstance(v, int) else None,
    float: lambda v: float(v) if isinstance(v, int | float) else None,
    str: lambda v: v if isinstance(v, str) else None,
    tuple[int, ...]: lambda v: _tuple(v, int, int),
    tuple[float, ...]: lambda v: _tuple(v, (int, float), float),
    tuple[str, ...]: lambda v: _tuple(v, str, str),
    Weight: lambda v: v.weight() if isinstance(v, Tensor | SparseTensor) else None,
    Graph: lambda v: v if isinstance(v, Graph) else None,
    Opaque: lambda v: v if isinstance(v, Opaque) else None,
}
"""What makes an attribute of a message one of a parameter's type; None if it is of another kind."""


def onnx_op(name: str, *, since: int, until: int | None = None, domain: str = "") -> Callable[[H], H]:
    """Register a handler for an operator at the versions from ``since`` to ``until`` of its operator set.

    Raises:
        TypeError: another handler has some of these versions already.
    """

    def wrap(fn: H) -> H:
        _, *parameters = inspect.signature(fn, eval_str=True).parameters.values()
        _check_signature(name, parameters)
        inputs = tuple(Parameter.of(p) for p in parameters if p.kind is not p.KEYWORD_ONLY)
        attributes = {p.name: Parameter.of(p) for p in parameters if p.kind is p.KEYWORD_ONLY}
        new = Entry(name, since, until, fn, inputs, attributes)
        entries = HANDLERS.setdefault((domain, name), [])
        if any(e.covers(since) or new.covers(e.since) for e in entries):
            raise TypeError(f"two handlers for {name} at version {since}")
        entries.append(new)
        return fn

    return wrap


def _check_signature(name: str, parameters: Sequence[inspect.Parameter]) -> None:
    """Refuse what no operand and no attribute can be.

    Raises:
        TypeError: a parameter lacks its type, or has one that attributes don't have.
    """
    for parameter in parameters:
        if parameter.annotation is parameter.empty:
            raise TypeError(f"the parameter {parameter.name!r} of the handler for {name} lacks its type")
        if parameter.kind is parameter.KEYWORD_ONLY and not any(k in _CONVERT for k in Parameter.of(parameter).kinds):
            kinds = ", ".join(getattr(k, "__name__", str(k)) for k in _CONVERT)
            raise TypeError(f"the attribute {parameter.name!r} of {name} has no type that attributes have: {kinds}")


def unary(name: str, op: type[Op], *, since: int = 7) -> None:
    """Register an operator of one input and no attributes that is an operation of the IR."""

    @onnx_op(name, since=since)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x))


def binary(name: str, op: type[Op], *, since: int = 7) -> None:
    """Register an operator of two inputs and no attributes that is an operation of the IR."""

    @onnx_op(name, since=since)
    def handler(emit: Emitter, a: Value, b: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(a, b))


def find(domain: str, name: str, version: int) -> Entry | None:
    """Return the handler of an operator, None if there is none for this version."""
    return next((e for e in HANDLERS.get((domain, name), ()) if e.covers(version)), None)


__all__ = ["HANDLERS", "Entry", "Parameter", "Since", "Until", "binary", "find", "onnx_op", "unary"]
