"""Inputs and outputs of integers: given already quantized, read with the scale that the file states."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.scales import OFFSET, Scale
from ...compiler.types import DType
from .names import is_number
from .weights import const


def store_interface(func: Func, dtypes: Mapping[str, DType], scale_of: Callable[[Value, DType], Scale]) -> None:
    """Give inputs and outputs, by name or under an empty one all others, an element type of integers.

    ``scale_of`` says which numbers integers of a type with a sign stand for.
    """
    first = next(iter(func.ops))
    for port, arg in zip(func.inputs, func.args, strict=True):
        dtype = dtypes.get(port.name, dtypes.get("", DType.F32))
        if dtype.is_int and is_number(arg):
            _store_input(arg, _as(scale_of(arg, _signed(dtype)), dtype), func.body, first)
    terminator = func.body.terminator
    for slot, port in enumerate(func.outputs):
        value = terminator.operands[slot]
        dtype = dtypes.get(port.name, dtypes.get("", DType.F32))
        if value is not None and dtype.is_int and is_number(value):
            scale = _own(value, _signed(dtype)) or scale_of(value, _signed(dtype))
            terminator.set_operand(slot, _rounded(value, _as(scale, dtype), func.body, terminator))


def _signed(dtype: DType) -> DType:
    """The type with a sign of as many bits."""
    return DType.I8 if dtype is DType.U8 else dtype


def _as(scale: Scale, dtype: DType) -> Scale:
    """Return the scale of the same numbers in another type."""
    return Scale(scale.scale, scale.zero + OFFSET, dtype) if dtype is DType.U8 else scale


def _parts(scale: Scale, region: Region, before: Op) -> tuple[Value, Value]:
    numbers = np.asarray(scale.scale, np.float32), np.asarray(scale.zero, np.int32)
    return const(region, before, numbers[0]), const(region, before, numbers[1])


def _store_input(arg: Value, scale: Scale, region: Region, first: Op) -> None:
    readers = arg.uses
    arg.type = arg.type.with_dtype(scale.dtype)
    read = Dequantize(arg, *_parts(scale, region, first))
    region.insert(read, first)
    for use in readers:
        use.op.set_operand(use.slot, read.result)


def _own(value: Value, dtype: DType) -> Scale | None:
    """Return the scale of the integers of a type that a value stands for, if it is just read from such."""
    read = value.owner
    if not isinstance(read, Dequantize) or read.x.type.dtype is not dtype:
        return None
    scale, zero = constant(read.scale), constant(read.zero)
    if scale is None or zero is None or scale.type.size != 1:
        return None
    return Scale(float(scale.array()), int(zero.array()), dtype)


def _rounded(value: Value, scale: Scale, region: Region, before: Op) -> Value:
    rounds = Quantize(value, *_parts(scale, region, before), dtype=scale.dtype)
    region.insert(rounds, before)
    return rounds.result
