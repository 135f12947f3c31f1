"""Inputs and outputs of integers: given already quantized, read with the scale that the file states."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Port, Region, Value
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
        dtype = _asked(port, dtypes)
        if dtype.is_int and is_number(arg):
            _store_input(arg, _as(scale_of(arg, _signed(dtype)), dtype), func.body, first)
    terminator = func.body.terminator
    for slot, port in enumerate(func.outputs):
        value = terminator.operands[slot]
        dtype = _asked(port, dtypes)
        if value is not None and dtype.is_int and is_number(value):
            scale = _own(value, _signed(dtype)) or scale_of(value, _signed(dtype))
            terminator.set_operand(slot, _rounded(value, _as(scale, dtype), func.body, terminator))


def check_moved(func: Func, dtypes: Mapping[str, DType], keeps_scale: Callable[[Op], bool]) -> None:
    """Refuse inputs of integers with which nothing computes: files state the scales of what is rounded or read.

    Raises:
        CompileError: Q007, all that is done with one is to move it to outputs of the same integers.
    """
    for port, arg in zip(func.inputs, func.args, strict=True):
        dtype = _asked(port, dtypes)
        if not dtype.is_int or not is_number(arg):
            continue
        moved, has_others = _moved_together(arg, func.body.terminator, keeps_scale)
        ends = zip(func.outputs, func.returns, strict=True)
        if not has_others and all(_asked(end, dtypes) is dtype for end, value in ends if value in moved):
            text = f"nothing computes with {port.name}, and no file says what numbers its integers stand for"
            raise error("Q007", text, help=f"leave it in floats: --io-dtype {port.name}=float32")


def _asked(port: Port, dtypes: Mapping[str, DType]) -> DType:
    return dtypes.get(port.name, dtypes.get("", DType.F32))


def _moved_together(arg: Value, end: Op, keeps_scale: Callable[[Op], bool]) -> tuple[set[Value], bool]:
    """Return the numbers that stand for the same integers as an input, and whether others compute with some of them."""
    found, work, has_others = {arg}, [arg], False
    while work:
        value = work.pop()
        for op in (value.owner, *value.users):
            if op is None or op is end:
                continue
            if not keeps_scale(op):
                has_others = True
                continue
            new = {v for v in (*op.operands, *op.results) if v is not None and is_number(v)} - found
            found |= new
            work += new
    return found, has_others


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
