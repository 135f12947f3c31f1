"""Complex tensors: the IR has real ones, so that one is a pair of them until a network takes its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ...compiler.ir import Value
from ...compiler.types import DType, TensorType
from .emitter import Emitter

PARTS = {DType.C64: DType.F32, DType.C128: DType.F64}
"""The element types of the parts of complex numbers."""


@dataclass(frozen=True)
class Complex:
    """A complex tensor: its real and its imaginary part have one type."""

    real: Value
    imag: Value

    @property
    def parts(self) -> tuple[Value, Value]:
        """The tensors of real and of imaginary parts, in this order."""
        return self.real, self.imag

    def map(self, function: Callable[[Value], Value]) -> Complex:
        """Apply a function to the real and to the imaginary parts, as linear operators with real weights do."""
        return Complex(function(self.real), function(self.imag))


ComplexOperand = Complex | Value | complex | float | int
"""What can be one of several numbers of which one is complex."""


def part_type(type: TensorType) -> TensorType:
    """Return the type of the parts of a complex tensor, a real one as it is."""
    return type.with_dtype(PARTS.get(type.dtype, type.dtype))


def part_dtype(emit: Emitter) -> DType:
    """Return the real element type in which a complex result's parts are computed, such as f32 of c64."""
    return part_type(emit.type).dtype


def parts(emit: Emitter, x: ComplexOperand, dtype: DType) -> Complex:
    """Return a number or tensor as a complex one whose parts have an element type."""
    if isinstance(x, Complex):
        return x.map(lambda v: emit.cast(v, dtype))
    if isinstance(x, Value):
        return Complex(emit.cast(x, dtype), emit.full(0, x.type.with_dtype(dtype)))
    return Complex(emit.const(np.real(x), dtype), emit.const(np.imag(x), dtype))


@dataclass(frozen=True)
class ByParts:
    """Runs a handler of real tensors on both parts, for operators that don't mix them.

    With ``joins`` all tensors among the arguments are numbers of the result, whose imaginary part is zero if they are
    real; else only the complex ones are, and others are positions, for example.
    """

    call_real: Callable[[Emitter, Sequence[Any], Mapping[str, Any]], Any]
    joins: bool

    def call(self, emit: Emitter, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run the handler on the real parts, then on the imaginary parts.

        Raises:
            CompileError: what the handler raises.
        """
        types = tuple(t and part_type(t) for t in emit.types)
        inner = replace(emit, types=types)
        real, imag = (
            self.call_real(
                inner,
                [self._part(emit, a, i) for a in args],
                {k: self._part(emit, v, i) for k, v in kwargs.items()},
            )
            for i in range(2)
        )
        if isinstance(real, Value):
            return Complex(real, imag)
        return tuple(Complex(a, b) for a, b in zip(real, imag, strict=True))

    def _part(self, emit: Emitter, given: Any, number: int) -> Any:
        if isinstance(given, list | tuple):
            return [self._part(emit, v, number) for v in cast(Sequence[Any], given)]
        if isinstance(given, Complex):
            return given.parts[number]
        if self.joins and number and isinstance(given, Value):
            return emit.full(0, given.type)
        return PARTS.get(given, given) if isinstance(given, DType) else given
