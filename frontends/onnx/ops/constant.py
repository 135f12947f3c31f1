"""Tensors made from nothing but their shape or their elements."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ....compiler.diagnostics import counted
from ....compiler.dims import is_static, static
from ....compiler.ir import Value
from ....compiler.ops.arith import Cast
from ....compiler.ops.logic import Equal
from ....compiler.ops.shape import BroadcastTo, Range, Reshape
from ....compiler.types import DType
from ....compiler.weights import Weight
from ....formats.onnx.tensors import element_type
from ...common.ranges import counted_range
from ..emitter import Emitter
from ..registry import Since, onnx_op


@onnx_op("Constant", since=7, until=10)
def constant_tensor(emit: Emitter, *, value: Weight) -> Value:
    """Constant before operator set 11: the tensor that an attribute holds."""
    return emit.const(value)


@onnx_op("Constant", since=11)
def constant(
    emit: Emitter,
    *,
    value: Weight | None = None,
    sparse_value: Weight | None = None,
    value_int: Annotated[int | None, Since(12)] = None,
    value_ints: Annotated[tuple[int, ...] | None, Since(12)] = None,
    value_float: Annotated[float | None, Since(12)] = None,
    value_floats: Annotated[tuple[float, ...] | None, Since(12)] = None,
    value_string: Annotated[str | None, Since(12)] = None,
    value_strings: Annotated[tuple[str, ...] | None, Since(12)] = None,
) -> Value:
    """A constant, in exactly one of many forms."""
    if value_string is not None or value_strings is not None:
        raise emit.fail("holds strings: the element type STRING is not supported", code="F003")
    integers = value_int if value_int is not None else value_ints
    floats = value_float if value_float is not None else value_floats
    forms = [
        value,
        sparse_value,
        None if integers is None else Weight.of(np.asarray(integers, np.int64)),
        None if floats is None else Weight.of(np.asarray(floats, np.float32)),
    ]
    given = [form for form in forms if form is not None]
    if len(given) != 1:
        raise emit.fail(f"has {counted(len(given), 'value')} instead of one", code="F002")
    return emit.const(given[0])


@onnx_op("ConstantOfShape", since=9)
def constant_of_shape(emit: Emitter, input: Value, *, value: Weight | None = None) -> Value:
    """ConstantOfShape: one element repeated to a shape that is an operand."""
    weight = Weight.of(np.zeros(1, np.float32)) if value is None else value
    if weight.type.size != 1:
        raise emit.fail(f"repeats {counted(weight.type.size, 'element')} instead of one", code="F002")
    shape, element = emit.dims(input, "input"), weight.array().reshape(())
    if any(isinstance(d, int) and d < 0 for d in shape):
        raise emit.fail(f"has the shape {list(shape)}", code="F002")
    if is_static(shape):
        return emit.const(Weight.splat(element, weight.type.dtype, static(shape)))
    return emit(BroadcastTo(emit.const(element), shape))


@onnx_op("Range", since=11)
def range_(
    emit: Emitter, start: Value, limit: Value, delta: Value, *, stash_type: Annotated[int, Since(27)] = 1
) -> Value:
    """Numbers from ``start`` up to, not including, ``limit``."""
    return counted_range(emit, start, limit, delta)


@onnx_op("EyeLike", since=9)
def eye_like(emit: Emitter, input: Value, *, dtype: int | None = None, k: int = 0) -> Value:
    """1 on a diagonal, 0 elsewhere: where the numbers of row and column are ``k`` apart."""
    if input.type.rank != 2:
        raise emit.fail(f"makes a matrix of {input.type}", code="T001")
    rows, columns = input.type.shape
    one = emit.const(1, DType.I64)
    down = emit(Range(emit.const(k, DType.I64), one, rows))
    right = emit(Range(emit.const(0, DType.I64), one, columns))
    hit = emit(Equal(emit(Reshape(down, (rows, 1))), right))
    return emit(Cast(hit, input.type.dtype if dtype is None else element_type(dtype)))
