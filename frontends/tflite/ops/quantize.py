"""Conversions between numbers and integers that stand for them, which the importer inserts; narrow floats."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.quantize import Dequantize
from ....compiler.types import DType
from ...common.quantize import rounded
from ..emitter import Emitter
from ..registry import builtin


@builtin("QUANTIZE", "QuantizeOptions")
def quantize(emit: Emitter, x: Value) -> Value:
    """The scale is the result's; integers get another one."""
    return x


@builtin("DEQUANTIZE", "DequantizeOptions")
def dequantize(emit: Emitter, x: Value) -> Value:
    """The scale is the operand's; constants of 16 bits stay as small as they are."""
    if x.type.dtype is DType.F16 and constant(x) is not None:
        return emit(Dequantize(x, emit.const(1.0, DType.F32), emit.const(0, DType.I32)))
    return emit.cast(x, DType.F32) if x.type.dtype.is_float else x


@builtin("DENSIFY", "DensifyOptions", integers="raw")
def densify(emit: Emitter, x: Value) -> Value:
    """DENSIFY: sparse constants are read with their zeros, so nothing is left to do."""
    if constant(x) is None:
        raise emit.fail("has an operand that is computed")
    return x


@builtin("FAKE_QUANT", "FakeQuantOptions")
def fake_quant(
    emit: Emitter, x: Value, *, min: float = 0.0, max: float = 0.0, num_bits: int = 0, narrow_range: bool = False
) -> Value:
    """Numbers rounded to those that integers stand for; the range is moved so that zero is one of them."""
    if not 2 <= num_bits <= 16 or not min < max:
        raise emit.fail(f"has the range {min} to {max} in {num_bits} bits", code="F002")
    return rounded(emit, x, (min, max), num_bits, narrow_range=narrow_range)
