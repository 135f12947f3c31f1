"""Handlers of activation functions, softmax, and other normalisations."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops import activation as ir
from ....compiler.ops.arith import Div, Max, Mul, Sqrt, Square
from ....compiler.ops.norm import LocalResponseNorm
from ....compiler.ops.reduce import Reduce
from ..emitter import Emitter
from ..registry import builtin, unary
from .common import Activation, activated

unary("RELU", ir.Relu)
unary("TANH", ir.Tanh)
unary("LOGISTIC", ir.Sigmoid)
unary("HARD_SWISH", ir.HardSwish, "HardSwishOptions")
unary("ELU", ir.Elu)


def _clamp(name: str, low: float, high: float) -> None:
    @builtin(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(ir.Clip(x, low, high))


_clamp("RELU6", 0.0, 6.0)
_clamp("RELU_N1_TO_1", -1.0, 1.0)
_clamp("RELU_0_TO_1", 0.0, 1.0)


@builtin("LEAKY_RELU", "LeakyReluOptions")
def leaky_relu(emit: Emitter, x: Value, *, alpha: float = 0.0) -> Value:
    """LEAKY_RELU: one slope for negative numbers, an option."""
    return emit(ir.LeakyRelu(x, alpha))


@builtin("PRELU")
def prelu(emit: Emitter, x: Value, slope: Value) -> Value:
    """PRELU: slopes are an operand, which broadcasts to the data."""
    return emit(ir.PRelu(x, slope))


@builtin("GELU", "GeluOptions")
def gelu(emit: Emitter, x: Value, *, approximate: bool = False) -> Value:
    """GELU: exact or by a hyperbolic tangent, as an option says."""
    return emit(ir.Gelu(x, approximate))


@builtin("SOFTMAX", "SoftmaxOptions")
def softmax(emit: Emitter, x: Value, *, beta: float = 0.0) -> Value:
    """Along the last axis, of ``beta`` times the operand."""
    scaled = x if beta == 1 else emit(Mul(x, emit.const(beta, x.type.dtype)))
    return emit(ir.Softmax(scaled, emit.axis(-1, x.type.rank)))


@builtin("LOG_SOFTMAX", "LogSoftmaxOptions")
def log_softmax(emit: Emitter, x: Value) -> Value:
    """LOG_SOFTMAX: along the last axis, as the kernel does."""
    return emit(ir.LogSoftmax(x, emit.axis(-1, x.type.rank)))


@builtin("L2_NORMALIZATION", "L2NormOptions")
def l2_normalization(emit: Emitter, x: Value, *, fused_activation_function: Activation = "NONE") -> Value:
    """Divided by the root of the sum of squares along the last axis, which counts as a millionth at least."""
    axis = emit.axis(-1, x.type.rank)
    norm = emit(Sqrt(emit(Reduce(emit(Square(x)), "sum", (axis,), True))))
    least = emit.const(np.float32(1e-6), x.type.dtype)
    return activated(emit, emit(Div(x, emit(Max(norm, least)))), fused_activation_function)


@builtin("LOCAL_RESPONSE_NORMALIZATION", "LocalResponseNormalizationOptions")
def local_response_normalization(
    emit: Emitter, x: Value, *, radius: int = 0, bias: float = 0.0, alpha: float = 0.0, beta: float = 0.0
) -> Value:
    """Along the last axis; ``alpha`` is not divided by the number of neighbours."""
    size = 2 * radius + 1
    axis = emit.axis(-1, x.type.rank)
    if size < 1 or not all(map(math.isfinite, (bias, alpha, beta))):
        raise emit.fail(f"has the radius {radius}", code="F002")
    return emit(LocalResponseNorm(x, size, alpha * size, beta, bias, axis))
