"""Activation functions and normalised exponentials."""

from __future__ import annotations

import math

from ....compiler.ir import Value
from ....compiler.ops import activation as ir
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import aten, unary

unary("sigmoid", ir.Sigmoid)
unary("tanh", ir.Tanh)
unary("mish", ir.Mish)
unary("silu", ir.Silu)
unary("hardswish", ir.HardSwish)


@aten("relu")
def relu(emit: Emitter, x: Value) -> Value:
    """Clamp from below."""
    return emit(ir.Relu(x))


@aten("relu6")
def relu6(emit: Emitter, x: Value) -> Value:
    """Clamp from both sides."""
    return emit(ir.Clip(x, 0.0, 6.0))


@aten("hardtanh")
def hardtanh(emit: Emitter, x: Value, min_val: float = -1, max_val: float = 1) -> Value:
    """Clamp from both sides."""
    return clamp(emit, x, min_val, max_val)


@aten("clamp")
def clamp(emit: Emitter, x: Value, min: float | None = None, max: float | None = None) -> Value:
    """Clamp into bounds that are numbers; the upper one wins."""
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    return emit(ir.Clip(emit.cast(x, emit.dtype), low, high))


@aten("leaky_relu")
def leaky_relu(emit: Emitter, x: Value, negative_slope: float = 0.01) -> Value:
    """Another slope below zero."""
    return emit(ir.LeakyRelu(x, negative_slope))


@aten("gelu")
def gelu(emit: Emitter, x: Value, *, approximate: str = "none") -> Value:
    """Exact, or through tanh."""
    return emit(ir.Gelu(x, approximate == "tanh"))


@aten("hardsigmoid")
def hardsigmoid(emit: Emitter, x: Value) -> Value:
    """A line between two bounds."""
    return emit(ir.HardSigmoid(x, 1 / 6, 0.5))


@aten("softmax.int")
def softmax(emit: Emitter, x: Value, dim: int, dtype: DType | None = None) -> Value:
    """Normalised exponentials along one axis."""
    return emit(ir.Softmax(emit.cast(x, emit.dtype), emit.axis(dim, x.type.rank)))
