"""Handlers of onnxruntime's own products of integer matrices."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.arith import Add, Mul
from .....compiler.ops.linear import MatMul
from .....compiler.types import DType
from ....common.quantize import spread
from ...emitter import Emitter
from ...registry import onnx_op
from ..quantize import dequantize_linear, dynamic_quantize_linear, matmul_integer, quantize_linear
from .domain import MICROSOFT, plus


@onnx_op("MatMulInteger16", since=1, domain=MICROSOFT)
def matmul_integer_16(emit: Emitter, a: Value, b: Value) -> Value:
    """MatMulInteger16: products of i16 that are summed up in i32."""
    return emit(MatMul(emit.cast(a, DType.I32), emit.cast(b, DType.I32)))


@onnx_op("MatMulIntegerToFloat", since=1, domain=MICROSOFT)
def matmul_integer_to_float(
    emit: Emitter,
    a: Value,
    b: Value,
    a_scale: Value,
    b_scale: Value,
    a_zero_point: Value | None = None,
    b_zero_point: Value | None = None,
    bias: Value | None = None,
) -> Value:
    """MatMulIntegerToFloat: the product of the floats that quantized matrices represent."""
    total = emit.cast(matmul_integer(emit, a, b, a_zero_point, b_zero_point), a_scale.type.dtype)
    scale = emit(Mul(spread(emit, a_scale, total, -2), spread(emit, b_scale, total, -1)))
    return plus(emit, emit(Mul(total, scale)), bias)


@onnx_op("DynamicQuantizeMatMul", since=1, domain=MICROSOFT)
def dynamic_quantize_matmul(
    emit: Emitter,
    a: Value,
    b: Value,
    b_scale: Value,
    b_zero_point: Value | None = None,
    bias: Value | None = None,
) -> Value:
    """The product of data, rounded to the 256 steps that its range needs, and of quantized weights."""
    whole, scale, zero = dynamic_quantize_linear(emit, a)
    total = emit.cast(matmul_integer(emit, whole, b, zero, b_zero_point), DType.F32)
    return plus(emit, emit(Mul(total, emit(Mul(scale, spread(emit, b_scale, total, -1))))), bias)


@onnx_op("QGemm", since=1, domain=MICROSOFT)
def qgemm(
    emit: Emitter,
    a: Value,
    a_scale: Value,
    a_zero_point: Value,
    b: Value,
    b_scale: Value,
    b_zero_point: Value,
    c: Value | None = None,
    y_scale: Value | None = None,
    y_zero_point: Value | None = None,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Value:
    """``alpha * a @ b + c`` of quantized matrices, where ``c`` has the scale of the products."""
    left = dequantize_linear(emit, a, a_scale, a_zero_point)
    right = dequantize_linear(emit, b, b_scale, b_zero_point, axis=0 if transB else 1)
    total = emit(MatMul(left, right, bool(transA), bool(transB)))
    if alpha != 1:
        total = emit(Mul(total, emit.const(alpha, DType.F32)))
    if c is not None:
        scale = emit(Mul(emit(Mul(a_scale, b_scale)), emit.const(alpha, DType.F32)))
        total = emit(Add(total, emit(Mul(emit.cast(c, DType.F32), scale))))
    if y_scale is None:
        return total
    zero = emit.const(0, a.type.dtype) if y_zero_point is None else y_zero_point
    return quantize_linear(emit, total, y_scale, zero)
