"""Handlers of activation functions and of normalised exponentials."""

from __future__ import annotations

from collections.abc import Callable

from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops import activation as act
from ....compiler.ops.arith import Mul
from ....compiler.ops.index import ArgMax, OneHot
from ....compiler.ops.shape import Reshape
from ..emitter import Emitter
from ..registry import binary, onnx_op, unary

for _name, _op, _since in (
    ("Relu", act.Relu, 7),
    ("Sigmoid", act.Sigmoid, 7),
    ("Softplus", act.Softplus, 7),
    ("Softsign", act.Softsign, 7),
    ("Tanh", act.Tanh, 7),
    ("HardSwish", act.HardSwish, 14),
    ("Mish", act.Mish, 18),
):
    unary(_name, _op, since=_since)

binary("PRelu", act.PRelu)


@onnx_op("LeakyRelu", since=7)
def leaky_relu(emit: Emitter, x: Value, *, alpha: float = 0.01) -> Value:
    """LeakyRelu: ``alpha * x`` where ``x`` is negative."""
    return emit(act.LeakyRelu(x, alpha))


@onnx_op("ThresholdedRelu", since=10)
def thresholded_relu(emit: Emitter, x: Value, *, alpha: float = 1.0) -> Value:
    """ThresholdedRelu: ``x`` where it exceeds ``alpha``, else 0."""
    return emit(act.ThresholdedRelu(x, alpha))


@onnx_op("Elu", since=7)
def elu(emit: Emitter, x: Value, *, alpha: float = 1.0) -> Value:
    """Elu: ``alpha * (exp(x) - 1)`` where ``x`` is negative."""
    return emit(act.Elu(x, alpha))


@onnx_op("Celu", since=12)
def celu(emit: Emitter, x: Value, *, alpha: float = 1.0) -> Value:
    """Celu: ``alpha * (exp(x / alpha) - 1)`` where ``x`` is negative."""
    return emit(act.Celu(x, alpha))


@onnx_op("Selu", since=7)
def selu(
    emit: Emitter, x: Value, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875
) -> Value:
    """Selu: an Elu that is scaled by ``gamma``."""
    return emit(act.Selu(x, alpha, gamma))


@onnx_op("Gelu", since=20)
def gelu(emit: Emitter, x: Value, *, approximate: str = "none") -> Value:
    """Gelu: exact, or approximated by a hyperbolic tangent, as an attribute says."""
    if approximate not in ("none", "tanh"):
        raise emit.fail(f"has the approximation {approximate!r}, neither none nor tanh", code="F002")
    return emit(act.Gelu(x, approximate == "tanh"))


@onnx_op("HardSigmoid", since=7)
def hard_sigmoid(emit: Emitter, x: Value, *, alpha: float = 0.2, beta: float = 0.5) -> Value:
    """HardSigmoid: ``alpha * x + beta``, clipped to 0 and 1."""
    return emit(act.HardSigmoid(x, alpha, beta))


@onnx_op("Swish", since=24)
def swish(emit: Emitter, x: Value, *, alpha: float = 1.0) -> Value:
    """Swish: ``x * sigmoid(alpha * x)``, which is SiLU for an ``alpha`` of 1."""
    if alpha == 1:
        return emit(act.Silu(x))
    return emit(Mul(x, emit(act.Sigmoid(emit(Mul(x, emit.const(alpha, x.type.dtype)))))))


@onnx_op("Shrink", since=9)
def shrink(emit: Emitter, input: Value, *, bias: float = 0.0, lambd: float = 0.5) -> Value:
    """Shrink: moves ``x`` by ``bias`` towards 0, which it is within ``lambd``."""
    return emit(act.Shrink(input, bias, lambd))


@onnx_op("Softmax", since=13)
def softmax(emit: Emitter, input: Value, *, axis: int = -1) -> Value:
    """Softmax over one axis, as since operator set 13."""
    return emit(act.Softmax(input, emit.axis(axis, input.type.rank)))


@onnx_op("LogSoftmax", since=13)
def log_softmax(emit: Emitter, input: Value, *, axis: int = -1) -> Value:
    """LogSoftmax over one axis, as since operator set 13."""
    return emit(act.LogSoftmax(input, emit.axis(axis, input.type.rank)))


@onnx_op("Hardmax", since=13)
def hardmax(emit: Emitter, input: Value, *, axis: int = -1) -> Value:
    """1 at the first largest element along an axis, 0 elsewhere."""
    return _hardmax(emit, input, emit.axis(axis, input.type.rank))


@onnx_op("Softmax", since=7, until=12)
def softmax_flattening(emit: Emitter, input: Value, *, axis: int = 1) -> Value:
    """Over all axes from ``axis`` on, as if they were one."""
    return _flattening(emit, input, axis, lambda x, i: emit(act.Softmax(x, i)))


@onnx_op("LogSoftmax", since=7, until=12)
def log_softmax_flattening(emit: Emitter, input: Value, *, axis: int = 1) -> Value:
    """Over all axes from ``axis`` on, as if they were one."""
    return _flattening(emit, input, axis, lambda x, i: emit(act.LogSoftmax(x, i)))


@onnx_op("Hardmax", since=7, until=12)
def hardmax_flattening(emit: Emitter, input: Value, *, axis: int = 1) -> Value:
    """Over all axes from ``axis`` on, as if they were one."""
    return _flattening(emit, input, axis, lambda x, i: _hardmax(emit, x, i))


def _flattening(emit: Emitter, x: Value, axis: int, along: Callable[[Value, int], Value]) -> Value:
    """Apply a function along the axes from ``axis`` on, taken as one; a reshape only where there are several."""
    shape = x.type.shape
    first = emit.axis(axis, len(shape))
    if all(d == 1 for d in shape[first + 1 :]):
        return along(x, first)
    if all(d == 1 for d in shape[first:-1]):
        return along(x, len(shape) - 1)
    flat = emit(Reshape(x, (product(shape[:first]), product(shape[first:]))))
    return emit(Reshape(along(flat, 1), shape))


def _hardmax(emit: Emitter, x: Value, axis: int) -> Value:
    places = emit(ArgMax(x, axis, keepdims=False))
    return emit(OneHot(places, emit.const([0, 1], x.type.dtype), x.type.shape[axis], axis))
