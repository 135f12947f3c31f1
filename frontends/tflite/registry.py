"""Handlers by builtin; a handler's signature is the builtin's schema.

After the emitter, positional parameters are the operands: ``Value``, or ``Value | None`` for one that may be left out,
or ``*xs: Value`` for any number of them.  Keyword-only parameters are the fields of the builtin's options table with
the schema's defaults.  The registry checks and converts what an operator gives.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args, get_origin

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Value
from ...compiler.plugins import is_loaded
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.tflite.constants import DTYPES
from ..common import schema
from .emitter import Emitter
from .handles import Complex, Handle, Imported, Piece

Handler: TypeAlias = Callable[..., "Imported | tuple[Imported, ...]"]
H = TypeVar("H", bound=Handler)

Integers = Literal["real", "moved", "raw"]
"""What a handler gets of integers that stand for real numbers, by the scales of their tensors.

``real``: the numbers that they stand for; its results are quantized as the file states.  ``moved``: the same, of a
builtin that only moves elements, so that complex ones can be moved part by part.  ``raw``: the integers as stored.
"""

HANDLERS: dict[str, Entry] = {}
"""All handlers by builtin, or by the name of a custom operator."""

HOW = frozenset({"asymmetric_quantize_inputs", "pot_scale_int16", "quantized_bias_type", "quant_spec"})
"""Options that say how a kernel computes with integers, not what it computes."""


@dataclass(frozen=True)
class Parameter(schema.Parameter):
    """An operand or an option of a handler."""

    def convert(self, value: Any) -> Any:
        """Return an option's value in the parameter's type, None if it is of another kind."""
        return next((v for kind in self.kinds if (v := _convert(kind, value)) is not None), None)


def _convert(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if kind is types.NoneType:
        return None
    return _CONVERT[kind](value)


_CONVERT: dict[Any, Callable[[Any], Any]] = {
    bool: lambda v: v if isinstance(v, bool) else None,
    int: lambda v: v if isinstance(v, int) and not isinstance(v, bool) else None,
    float: lambda v: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None,
    str: lambda v: v if isinstance(v, str) else None,
    DType: lambda v: DTYPES.get(v) if isinstance(v, str) else None,
    tuple[int, ...]: lambda v: cast(tuple[int, ...], v) if isinstance(v, tuple) else None,
    tuple[float, ...]: lambda v: cast(tuple[float, ...], v) if isinstance(v, tuple) else None,
    Weight: lambda v: v if isinstance(v, Weight) else None,
}
"""What makes the value of an option one of a parameter's type; None if it is of another kind."""


NOT_TENSORS = {Handle: "a resource", Complex: "complex numbers", Piece: "a part whose size depends on data"}
"""What messages call operands that are no tensors."""


def _describe(operand: object) -> str:
    return next((text for kind, text in NOT_TENSORS.items() if isinstance(operand, kind)), "a tensor")


@dataclass(frozen=True)
class Entry:
    """A handler, what its signature says, and the schema's name of its options.

    ``rounds`` says that it inserts the rounding of kernels that multiply numbers by weights of 8 bits.
    """

    name: str
    table: str | None
    integers: Integers
    handler: Handler
    rounds: bool
    operands: tuple[Parameter, ...]
    options: Mapping[str, Parameter]

    @property
    def is_users(self) -> bool:
        """Whether the handler is in a file that the user has loaded."""
        return is_loaded(self.handler)

    def call(
        self, emit: Emitter, operands: Sequence[Imported | None], options: Mapping[str, Any]
    ) -> tuple[Imported, ...]:
        """Run the handler.

        Raises:
            CompileError: F002 or F006, the operator does not fit the signature; or what the handler raises.
        """
        given = list(operands)
        while given and given[-1] is None:
            given.pop()
        operands_of = schema.Operands(self.name, "operand", _describe)
        operands_of.check(given, self.operands, lambda p, has: p.is_variadic and (not has or types.NoneType in p.kinds))
        out = self.handler(emit, *given, **self._bind(options))
        return out if isinstance(out, tuple) else (out,)

    def _bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check and convert an operator's options."""
        bound: dict[str, Any] = {}
        for name, value in given.items():
            if name not in self.options or value is None:
                continue
            bound[name] = self.options[name].convert(value)
            if bound[name] is None:
                raise error("F002", f"the option {name!r} of {self.name} has the value {value!r}")
        missing = [name for name, p in self.options.items() if p.is_required and name not in bound]
        if missing:
            raise error("F002", f"{self.name} lacks its option {missing[0]!r}")
        return bound


def builtin(
    name: str, table: str | None = None, *, integers: Integers = "real", rounds: bool = False
) -> Callable[[H], H]:
    """Register a handler for a builtin whose options the schema calls ``table``.

    With ``rounds`` it calls :meth:`~.emitter.Emitter.rounded` for what the builtin multiplies by a weight.

    Raises:
        TypeError: another handler has it already, or a parameter has a type that options don't have.
    """

    def wrap(fn: H) -> H:
        _, *parameters = inspect.signature(fn, eval_str=True).parameters.values()
        operands = tuple(Parameter.of(p) for p in parameters if p.kind is not p.KEYWORD_ONLY)
        options = {p.name: Parameter.of(p) for p in parameters if p.kind is p.KEYWORD_ONLY}
        if name in HANDLERS:
            raise TypeError(f"two handlers for {name}")
        for p in options.values():
            if not any(k in _CONVERT or get_origin(k) is Literal for k in p.kinds):
                raise TypeError(f"the option {p.name!r} of {name} has no type that options have")
        HANDLERS[name] = Entry(name, table, integers, fn, rounds, operands, options)
        return fn

    return wrap


def unary(name: str, op: type[Op], table: str | None = None, *, integers: Integers = "real") -> None:
    """Register a builtin of one operand and no options that is an operation of the IR."""

    @builtin(name, table, integers=integers)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(x))


def binary(name: str, op: type[Op], table: str | None = None, *, integers: Integers = "real") -> None:
    """Register a builtin of two operands and no options that is an operation of the IR."""

    @builtin(name, table, integers=integers)
    def handler(emit: Emitter, a: Value, b: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(op(a, b))
