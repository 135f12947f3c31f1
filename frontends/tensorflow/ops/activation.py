"""Activation functions and normalised exponentials."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import activation as ir
from ....compiler.ops.arith import Div
from ....compiler.ops.reduce import Reduce
from ..emitter import Emitter
from ..registry import tf_op, unary

unary("Relu", ir.Relu)
unary("Tanh", ir.Tanh)
unary("Sigmoid", ir.Sigmoid)
unary("Elu", ir.Elu)
unary("Selu", ir.Selu)
unary("Softplus", ir.Softplus)
unary("Softsign", ir.Softsign)


@tf_op("Relu6")
def relu6(emit: Emitter, features: Value) -> Value:
    """Clamp from 0 to 6."""
    return emit(ir.Clip(features, 0.0, 6.0))


@tf_op("LeakyRelu")
def leaky_relu(emit: Emitter, features: Value, *, alpha: float = 0.2) -> Value:
    """One slope."""
    return emit(ir.LeakyRelu(features, alpha))


@tf_op("Softmax")
def softmax(emit: Emitter, logits: Value) -> Value:
    """Along the last axis."""
    return emit(ir.Softmax(logits, emit.axis(-1, logits.type.rank)))


@tf_op("LogSoftmax")
def log_softmax(emit: Emitter, logits: Value) -> Value:
    """Along the last axis."""
    return emit(ir.LogSoftmax(logits, emit.axis(-1, logits.type.rank)))


@tf_op("L2Loss")
def l2_loss(emit: Emitter, t: Value) -> Value:
    """Half the sum of squares."""
    total = emit(Reduce(t, "sum_square", tuple(range(t.type.rank)), keepdims=False))
    return emit(Div(total, emit.const(2, t.type.dtype)))
