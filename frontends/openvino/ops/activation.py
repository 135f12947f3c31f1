"""Handlers of activation functions, and of Softmax and LogSoftmax in all operation sets."""

from __future__ import annotations

import math
from typing import Literal

from ....compiler.ir import Value
from ....compiler.ops import activation as act
from ....compiler.ops.arith import Max, Min, Mul
from ....compiler.ops.special import Special
from ..emitter import Emitter
from ..registry import openvino_op, unary

for _name, _op, _since in (
    ("Relu", act.Relu, 1),
    ("Sigmoid", act.Sigmoid, 1),
    ("Tanh", act.Tanh, 1),
    ("SoftPlus", act.Softplus, 4),
    ("SoftSign", act.Softsign, 9),
    ("HSwish", act.HardSwish, 4),
    ("Mish", act.Mish, 4),
):
    unary(_name, _op, since=_since)


@openvino_op("PRelu")
def prelu(emit: Emitter, x: Value, slope: Value) -> Value:
    """PRelu: a slope for negative numbers, broadcast; a vector has one for each channel, which is axis 1."""
    rank, size = x.type.rank, slope.type.size
    if slope.type.rank == 1 and size != 1 and rank > 1 and size == x.type.shape[1]:
        slope = emit.reshape(slope, (size, *[1] * (rank - 2)))
    return emit(act.PRelu(x, slope))


@openvino_op("Elu")
def elu(emit: Emitter, x: Value, *, alpha: float = 1.0) -> Value:
    """Elu: ``alpha * (exp(x) - 1)`` where ``x`` is negative."""
    return emit(act.Elu(x, alpha))


@openvino_op("Selu")
def selu(emit: Emitter, x: Value, alpha: Value, gamma: Value) -> Value:
    """Selu: an Elu that is scaled by ``lambda``; both numbers are operands and have to be constants."""
    return emit(act.Selu(x, float(emit.scalar(alpha, "alpha")), float(emit.scalar(gamma, "lambda"))))


@openvino_op("HardSigmoid")
def hard_sigmoid(emit: Emitter, x: Value, alpha: Value, beta: Value) -> Value:
    """HardSigmoid: ``clip(alpha * x + beta, 0, 1)``; both numbers are operands and have to be constants."""
    return emit(act.HardSigmoid(x, float(emit.scalar(alpha, "alpha")), float(emit.scalar(beta, "beta"))))


@openvino_op("HSigmoid", since=5)
def h_sigmoid(emit: Emitter, x: Value) -> Value:
    """HSigmoid: ``clip(x + 3, 0, 6) / 6``, in the IR a hard sigmoid with a slope of a sixth."""
    return emit(act.HardSigmoid(x, 1 / 6, 0.5))


@openvino_op("Swish", since=4)
def swish(emit: Emitter, x: Value, beta: Value | None = None) -> Value:
    """Swish: ``x * sigmoid(beta * x)``, which is SiLU for a ``beta`` of 1; others become products."""
    known = 1.0 if beta is None else emit.known(beta)
    if known is not None and float(known) == 1:
        return emit(act.Silu(x))
    assert beta is not None
    return emit(Mul(x, emit(act.Sigmoid(emit(Mul(x, emit.reshape(beta, ())))))))


@openvino_op("Gelu", since=2, until=6)
def gelu_exact(emit: Emitter, x: Value) -> Value:
    """Gelu before operation set 7, which has no approximation: ``x / 2 * (1 + erf(x / sqrt(2)))``."""
    return emit(act.Gelu(x))


@openvino_op("Gelu", since=7)
def gelu(emit: Emitter, x: Value, *, approximation_mode: Literal["erf", "tanh"] = "erf") -> Value:
    """Gelu: exact with the error function, or approximated by a hyperbolic tangent, as an attribute says."""
    return emit(act.Gelu(x, approximation_mode == "tanh"))


@openvino_op("Clamp")
def clamp(emit: Emitter, x: Value, *, min: float, max: float) -> Value:
    """Clamp between two numbers; integers between the integers within, and only where their type exceeds the bounds."""
    if x.type.dtype.is_float:
        return emit(act.Clip(x, min, max))
    least, most = x.type.dtype.bounds
    if min > least:
        x = emit(Max(x, emit.number(math.ceil(min), x)))
    return emit(Min(x, emit.number(math.floor(max), x))) if max < most else x


@openvino_op("Softmax")
def softmax(emit: Emitter, x: Value, *, axis: int = 1) -> Value:
    """Softmax over one axis, by default axis 1, which may be counted from the end."""
    return emit(act.Softmax(x, emit.axis(axis, x.type.rank)))


@openvino_op("LogSoftmax", since=5)
def log_softmax(emit: Emitter, x: Value, *, axis: int = 1) -> Value:
    """LogSoftmax over one axis, which is axis 1 unless it is stated."""
    return emit(act.LogSoftmax(x, emit.axis(axis, x.type.rank)))


@openvino_op("ErfInv", since=17)
def erf_inv(emit: Emitter, x: Value) -> Value:
    """ErfInv: the inverse of the error function, for elements between -1 and 1."""
    return emit(Special(x, "erfinv"))
