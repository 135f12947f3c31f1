"""Activations, and their fusions with biases."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.activation import Gelu
from ...emitter import Emitter
from ...registry import onnx_op
from ..activation import swish
from .domain import MICROSOFT, plus


@onnx_op("Gelu", since=1, domain=MICROSOFT)
def gelu(emit: Emitter, x: Value) -> Value:
    """Exact."""
    return emit(Gelu(x))


@onnx_op("BiasGelu", since=1, domain=MICROSOFT)
def bias_gelu(emit: Emitter, a: Value, b: Value) -> Value:
    """Exact, of a sum."""
    return emit(Gelu(plus(emit, a, b)))


@onnx_op("FastGelu", since=1, domain=MICROSOFT)
def fast_gelu(emit: Emitter, x: Value, bias: Value | None = None) -> Value:
    """Approximated through tanh."""
    return emit(Gelu(plus(emit, x, bias), True))


@onnx_op("QuickGelu", since=1, domain=MICROSOFT)
def quick_gelu(emit: Emitter, x: Value, *, alpha: float = 1.702) -> Value:
    """``x * sigmoid(alpha * x)``."""
    return swish(emit, x, alpha=alpha)
