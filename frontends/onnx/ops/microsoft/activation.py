"""Handlers of onnxruntime's activations, and of their fusions with biases."""

from __future__ import annotations

from .....compiler.dims import exact_div
from .....compiler.ir import Value
from .....compiler.ops.activation import Gelu
from .....compiler.ops.arith import Add, Mul
from .....compiler.ops.linear import MatMul
from .....compiler.ops.shape import Split
from ...emitter import Emitter
from ...registry import onnx_op
from ..activation import softmax_flattening, swish
from .domain import MICROSOFT, plus


@onnx_op("Gelu", since=1, domain=MICROSOFT)
def gelu(emit: Emitter, x: Value) -> Value:
    """Gelu: that of onnxruntime, which is always the exact one."""
    return emit(Gelu(x))


@onnx_op("BiasGelu", since=1, domain=MICROSOFT)
def bias_gelu(emit: Emitter, a: Value, b: Value) -> Value:
    """BiasGelu: the exact Gelu of a sum with a bias."""
    return emit(Gelu(plus(emit, a, b)))


@onnx_op("FastGelu", since=1, domain=MICROSOFT)
def fast_gelu(emit: Emitter, x: Value, bias: Value | None = None) -> Value:
    """FastGelu: Gelu approximated by a hyperbolic tangent, of a sum if there is a bias."""
    return emit(Gelu(plus(emit, x, bias), True))


@onnx_op("QuickGelu", since=1, domain=MICROSOFT)
def quick_gelu(emit: Emitter, x: Value, *, alpha: float = 1.702) -> Value:
    """QuickGelu: ``x * sigmoid(alpha * x)``, an approximation of Gelu."""
    return swish(emit, x, alpha=alpha)


@onnx_op("GemmFastGelu", since=1, domain=MICROSOFT)
def gemm_fast_gelu(emit: Emitter, x: Value, w: Value, bias: Value | None = None) -> Value:
    """GemmFastGelu: FastGelu of the product of two matrices."""
    return emit(Gelu(plus(emit, emit(MatMul(x, w)), bias), True))


@onnx_op("BiasSplitGelu", since=1, domain=MICROSOFT)
def bias_split_gelu(emit: Emitter, x: Value, bias: Value) -> Value:
    """The first half of the features of a sum, times the exact activation of the second."""
    half = exact_div(x.type.shape[-1], 2)
    if half is None:
        raise emit.fail(f"halves the features of {x.type}", code="T001")
    value, gate = emit.all(Split(plus(emit, x, bias), x.type.rank - 1, (half, half)))
    return emit(Mul(value, emit(Gelu(gate))))


@onnx_op("BiasAdd", since=1, domain=MICROSOFT)
def bias_add(emit: Emitter, x: Value, bias: Value, skip: Value) -> Value:
    """BiasAdd: the data, a bias per channel, and a skip connection are added."""
    return plus(emit, x, bias, skip)


@onnx_op("BiasSoftmax", since=1, domain=MICROSOFT)
def bias_softmax(emit: Emitter, data: Value, bias: Value, *, axis: int = 1, is_inner_broadcast: int) -> Value:
    """Of a sum, over all axes from ``axis`` on; how the bias broadcasts is plain from its shape."""
    return softmax_flattening(emit, emit(Add(data, bias)), axis=axis)
