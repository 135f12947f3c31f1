"""Handlers of activation functions, and of Softmax and LogSoftmax along the last axis."""

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
    """Relu6: a clip from 0 to 6, which later passes may fuse into the operation before it."""
    return emit(ir.Clip(features, 0.0, 6.0))


@tf_op("LeakyRelu")
def leaky_relu(emit: Emitter, features: Value, *, alpha: float = 0.2) -> Value:
    """LeakyRelu: ``alpha * x`` where ``x`` is negative, 0.2 by default."""
    return emit(ir.LeakyRelu(features, alpha))


@tf_op("Softmax")
def softmax(emit: Emitter, logits: Value) -> Value:
    """Softmax along the last axis; the operator has no other, so others come with transposes around."""
    return emit(ir.Softmax(logits, emit.axis(-1, logits.type.rank)))


@tf_op("LogSoftmax")
def log_softmax(emit: Emitter, logits: Value) -> Value:
    """LogSoftmax along the last axis; the operator has no other, so others come with transposes around."""
    return emit(ir.LogSoftmax(logits, emit.axis(-1, logits.type.rank)))


@tf_op("L2Loss")
def l2_loss(emit: Emitter, t: Value) -> Value:
    """L2Loss: half the sum of the squares of all elements, a scalar."""
    total = emit(Reduce(t, "sum_square", tuple(range(t.type.rank)), keepdims=False))
    return emit(Div(total, emit.const(2, t.type.dtype)))
