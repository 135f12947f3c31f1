"""Handlers of activation functions, softmax and log_softmax, also in the forms that decompositions leave."""

from __future__ import annotations

import math

from ....compiler.dims import exact_div
from ....compiler.ir import Value
from ....compiler.ops import activation as ir
from ....compiler.ops import arith, logic
from ....compiler.ops.shape import Split
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Number
from ..registry import aten, unary

unary("sigmoid", ir.Sigmoid)
unary("tanh", ir.Tanh)
unary("mish", ir.Mish)
unary("silu", ir.Silu)
unary("hardswish", ir.HardSwish)
unary("relu", ir.Relu)
unary("selu", ir.Selu)


@aten("relu6")
def relu6(emit: Emitter, x: Value) -> Value:
    """``relu6``: a clip from 0 to 6, which later passes may fuse into the operation before it."""
    return emit(ir.Clip(x, 0.0, 6.0))


@aten("hardtanh")
def hardtanh(emit: Emitter, x: Value, min_val: float = -1, max_val: float = 1) -> Value:
    """``hardtanh``: a clip between two numbers, by default -1 and 1."""
    return clamp(emit, x, min_val, max_val)


@aten("clamp", "clip")
def clamp(emit: Emitter, x: Value, min: float | None = None, max: float | None = None) -> Value:
    """``clamp`` and ``clip`` between numbers; where they cross, the upper one counts; NaN as a bound makes all NaN."""
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    x = emit.cast(x, emit.dtype)
    if math.isnan(low) or math.isnan(high):
        return emit(arith.Add(x, emit.const(math.nan, emit.dtype)))
    return emit(ir.Clip(x, low, high))


@aten("leaky_relu")
def leaky_relu(emit: Emitter, x: Value, negative_slope: float = 0.01) -> Value:
    """``leaky_relu``: ``negative_slope * x`` where ``x`` is negative, 0.01 by default."""
    return emit(ir.LeakyRelu(x, negative_slope))


@aten("prelu", "_prelu_kernel")
def prelu(emit: Emitter, x: Value, weight: Value) -> Value:
    """A slope for every channel, which is axis 1; for all of them if there is one."""
    rank = x.type.rank
    if weight.type.rank == 1 and rank > 1:
        weight = emit.reshape(weight, (weight.type.shape[0], *[1] * (rank - 2)))
    return emit(ir.PRelu(x, weight))


@aten("elu")
def elu(emit: Emitter, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    """``elu``: ``scale * alpha * (exp(x) - 1)`` below zero, ``scale * x`` above; an ``input_scale`` is refused."""
    if input_scale != 1:
        raise emit.fail("scales its operand below zero")
    y = emit(ir.Elu(x, alpha))
    return y if scale == 1 else emit(arith.Mul(y, emit.const(scale, x.type.dtype)))


@aten("celu")
def celu(emit: Emitter, x: Value, alpha: float = 1.0) -> Value:
    """``celu``: ``alpha * (exp(x / alpha) - 1)`` below zero, whose slope at zero is 1 for every ``alpha``."""
    return emit(ir.Celu(x, alpha))


@aten("gelu")
def gelu(emit: Emitter, x: Value, *, approximate: str = "none") -> Value:
    """``gelu``: exact with the error function, or approximated by a hyperbolic tangent."""
    return emit(ir.Gelu(x, approximate == "tanh"))


@aten("hardsigmoid")
def hardsigmoid(emit: Emitter, x: Value) -> Value:
    """``hardsigmoid``: ``clip(x / 6 + 1 / 2, 0, 1)``, whose slope is not that of ONNX's default."""
    return emit(ir.HardSigmoid(x, 1 / 6, 0.5))


@aten("softplus")
def softplus(emit: Emitter, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    """A smooth ReLU, sharper with ``beta``; a line beyond the threshold, which it is anyway beyond the usual ones."""
    dtype = x.type.dtype
    scaled = x if beta == 1 else emit(arith.Mul(x, emit.const(beta, dtype)))
    y = emit(ir.Softplus(scaled))
    y = y if beta == 1 else emit(arith.Mul(y, emit.const(1 / beta, dtype)))
    if threshold >= 16:
        return y
    return emit(logic.Select(emit(logic.Greater(scaled, emit.const(threshold, dtype))), x, y))


@aten("log_sigmoid")
def log_sigmoid(emit: Emitter, x: Value) -> Value:
    """``log_sigmoid``: ``-softplus(-x)``, which does not overflow as the logarithm of a sigmoid would."""
    return emit(arith.Neg(emit(ir.Softplus(emit(arith.Neg(x))))))


@aten("softshrink")
def softshrink(emit: Emitter, x: Value, lambd: float = 0.5) -> Value:
    """``softshrink``: ``x`` moved towards 0 by ``lambd``, and 0 within that distance; NaN stays."""
    return emit(arith.Sub(x, emit(ir.Clip(x, -lambd, lambd))))


@aten("hardshrink")
def hardshrink(emit: Emitter, x: Value, lambd: float = 0.5) -> Value:
    """``hardshrink``: ``x`` as it is, but 0 where its absolute value is at most ``lambd``; NaN stays."""
    dtype = x.type.dtype
    near = emit(logic.LessEqual(emit(arith.Abs(x)), emit.const(lambd, dtype)))
    return emit(logic.Select(near, emit.const(0.0, dtype), x))


@aten("threshold")
def threshold_(emit: Emitter, x: Value, threshold: Number, value: Number) -> Value:
    """``threshold``: a given value, in the element type of ``x``, up to the threshold, else ``x``; so NaN stays."""
    dtype = x.type.dtype
    below = emit(logic.LessEqual(x, emit.value(threshold, dtype)))
    return emit(logic.Select(below, emit.value(value, dtype), x))


@aten("glu")
def glu(emit: Emitter, x: Value, dim: int = -1) -> Value:
    """``glu``: an axis is halved, and the first half is multiplied by the sigmoid of the second one."""
    axis = emit.axis(dim, x.type.rank)
    half = exact_div(x.type.shape[axis], 2)
    if half is None:
        raise emit.fail(f"halves a size of {x.type.shape[axis]}", code="T001")
    a, b = emit.all(Split(x, axis, (half, half)))
    return emit(arith.Mul(a, emit(ir.Sigmoid(b))))


@aten("softmax.int")
def softmax(emit: Emitter, x: Value, dim: int, dtype: DType | None = None) -> Value:
    """``softmax`` along one axis, in the element type of the result, to which ``dtype`` may convert first."""
    return _along(emit, ir.Softmax, x, dim)


@aten("log_softmax.int")
def log_softmax(emit: Emitter, x: Value, dim: int, dtype: DType | None = None) -> Value:
    """``log_softmax`` along one axis, in the element type of the result, to which ``dtype`` may convert first."""
    return _along(emit, ir.LogSoftmax, x, dim)


@aten("_softmax")
def softmax_kernel(emit: Emitter, x: Value, dim: int, half_to_float: bool) -> Value:
    """``_softmax``, which softmax becomes by decomposition; ``half_to_float`` shows in the result's type."""
    return _along(emit, ir.Softmax, x, dim)


@aten("_log_softmax")
def log_softmax_kernel(emit: Emitter, x: Value, dim: int, half_to_float: bool) -> Value:
    """``_log_softmax``, which log_softmax becomes by decomposition; ``half_to_float`` shows in the result's type."""
    return _along(emit, ir.LogSoftmax, x, dim)


def _along(emit: Emitter, op: type[ir.Softmax | ir.LogSoftmax], x: Value, dim: int) -> Value:
    data = emit.reshape(emit.cast(x, emit.dtype), x.type.shape or (1,))
    return emit.reshape(emit(op(data, emit.axis(dim, x.type.rank))), x.type.shape)


@aten("rrelu")
def rrelu(
    emit: Emitter,
    x: Value,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: object = None,
) -> Value:
    """The mean slope below zero; in training it is drawn at random."""
    if training:
        raise emit.fail("draws slopes, as in training", code="F031", help="Call .eval() on the model.")
    return emit(ir.LeakyRelu(x, (lower + upper) / 2))
