"""Rows for integers that stand for numbers; the scales are part of the tensors."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ops import quantize as ir
from ....compiler.types import DType
from ..hybrid import is_block_weight, is_part
from ..quantization import QUANTIZED, integers_of, is_consistent, stated
from ..table import Call, condition, emits
from .common import by_type


@condition("constant scales, the same in all that read the integers")
def _constant(op: ir.Quantize | ir.Dequantize) -> str | None:
    found = stated(op)
    if found is None:
        return "scales and zero points must be constants that differ along one axis at most"
    integers = op.dtype if isinstance(op, ir.Quantize) else op.x.type.dtype
    if integers is DType.I16 and any(found.zeros):
        return "integers of 16 bits have no zero point"
    return None if is_consistent(op) else "another scale is stated for the same integers"


@condition("one scale for the tensor")
def _per_tensor(op: ir.Quantize) -> str | None:
    return None if op.scale.type.size == 1 else "QUANTIZE is called with one scale for the tensor"


@condition("integers that are dequantized before it")
def _requantizes(op: ir.Quantize) -> str | None:
    writer = op.x.owner
    if not isinstance(writer, ir.Dequantize) or writer.x.type.dtype not in QUANTIZED:
        return "no integers before it"
    if writer.x.type.dtype.bits != op.dtype.bits:
        return "integers of other bits before it"
    return "scales along an axis" if writer.scale.type.size != 1 else _constant(writer)


@emits(
    ir.Quantize,
    "QUANTIZE",
    dtypes={"x": "f32", "dtype": "i8 u8 i16"},
    when=(_per_tensor, _constant, _requantizes),
    kernel="quantize.cc",
)
def requantize(op: ir.Quantize) -> Call:
    """QUANTIZE of integers: from one scale to another one."""
    assert isinstance(op.x.owner, ir.Dequantize)
    return Call((integers_of(op.x.owner),), None, 2)


@emits(
    ir.Quantize,
    "QUANTIZE",
    dtypes={"x": "f32", "dtype": "i8 u8 i16"},
    when=(_per_tensor, _constant),
    kernel="quantize.cc",
)
def quantize(op: ir.Quantize) -> Call:
    """QUANTIZE of floats: the scale is stated by the result's tensor."""
    return Call((op.x,), None, 2 if op.dtype is DType.I16 else 1)


@condition("one scale for the tensor, or integers of 8 bits")
def _per_channel(op: ir.Dequantize) -> str | None:
    if op.scale.type.size == 1 or op.x.type.dtype is not DType.I16:
        return None
    return "the kernel knows one scale per channel for integers of 8 bits only"


@condition("constants of 16 bits, neither scaled nor moved")
def _as_they_are(op: ir.Dequantize) -> str | None:
    """XNNPACK unfolds them once, when it loads the file."""
    scale, zero = constant(op.scale), constant(op.zero)
    is_plain = scale is not None and zero is not None and (scale.array() == 1).all() and not zero.array().any()
    return None if is_plain and constant(op.x) is not None else "numbers that are computed, scaled or moved"


@emits(ir.Dequantize, "DEQUANTIZE", dtypes={"x": "f16"}, when=(_as_they_are,), kernel="dequantize.cc")
def widen(op: ir.Dequantize) -> Call:
    """DEQUANTIZE of f16: weights of 16 bits make a file half as large."""
    return Call((op.x,), None, 3)


@emits(ir.Dequantize, "DEQUANTIZE", dtypes={"x": "i8 u8 i16"}, when=(_per_channel, _constant), kernel="dequantize.cc")
def dequantize(op: ir.Dequantize) -> Call:
    """DEQUANTIZE: the scales are stated by the operand's tensor."""
    if op.scale.type.size != 1:
        return Call((integers_of(op),), None, 5)
    return Call((integers_of(op),), None, by_type(op.x, i8=2, i16=3))


@emits(ir.Dequantize, "FULLY_CONNECTED", dtypes={"x": "i8"}, when=(is_block_weight,), kernel="fully_connected.cc")
def weight_in_blocks(op: ir.Dequantize) -> Call:
    """What reads it takes the integers; DEQUANTIZE does not know blocks."""
    return Call((op.x,))


@emits(ir.RoundDynamic, "FULLY_CONNECTED", dtypes="f32", when=(is_part,), kernel="fully_connected.cc")
def part_of_a_product(op: ir.RoundDynamic) -> Call:
    """What reads it does it, FULLY_CONNECTED or CONV_2D."""
    return Call((op.x,))
