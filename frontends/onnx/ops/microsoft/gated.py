"""Normalisations and sums under gates, as networks with several residual streams or linear attention have them."""

from __future__ import annotations

from .....compiler.dims import Dim, exact_div
from .....compiler.ir import Value
from .....compiler.ops.activation import Sigmoid, Silu, Softplus
from .....compiler.ops.arith import Add, Mul
from .....compiler.ops.norm import RmsNorm
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT

GATES = {"silu": Silu, "swish": Silu, "sigmoid": Sigmoid}


@onnx_op("GatedRMSNorm", since=1, domain=MICROSOFT)
def gated_rms_norm(
    emit: Emitter, x: Value, scale: Value, gate: Value, *, activation: str = "silu", epsilon: float = 1e-5
) -> Value:
    """Divided by the root of the mean square of as many features as the scale has, times an activated gate."""
    if activation not in GATES:
        raise emit.fail(f"has the activation {activation!r}, none of {', '.join(GATES)}", code="F002")
    normal = _by_groups(emit, x, exact_div(x.type.shape[-1], scale.type.size), scale, epsilon)
    return emit(Mul(normal, emit(GATES[activation](gate))))


def _by_groups(emit: Emitter, x: Value, count: Dim | None, scale: Value | None, epsilon: float) -> Value:
    """Normalise groups of the last axis; the scale is for one group or for all of them.

    Raises:
        CompileError: T001, the features are no multiple of the groups.
    """
    *batch, features = x.type.shape
    width = exact_div(features, count) if count else None
    if count is None or width is None:
        raise emit.fail(f"normalises {x.type} in groups that don't divide its features", code="T001")
    split = emit.reshape(x, (*batch, count, width))
    ones = emit.expand(emit.const(1, x.type.dtype), (width,))
    own = scale is not None and scale.type.shape == (width,)
    normal = emit(RmsNorm(split, scale if scale is not None and own else ones, (len(batch) + 1,), epsilon))
    if scale is not None and not own:
        normal = emit(Mul(normal, emit.reshape(scale, (count, width))))
    return emit.reshape(normal, x.type.shape)


@onnx_op("BranchwiseRMSNorm", since=1, domain=MICROSOFT)
def branchwise_rms_norm(
    emit: Emitter, x: Value, scale: Value | None = None, *, epsilon: float = 1e-5, num_branches: int = 0
) -> Value:
    """Each branch divided by the root of its mean square; branches are an axis, or lie side by side in the last one."""
    given = None if scale is None else emit.cast(scale, x.type.dtype)
    if num_branches:
        return _by_groups(emit, x, num_branches, given, epsilon)
    *batch, branches, width = x.type.shape
    flat = emit.reshape(x, (*batch, branches * width))
    return emit.reshape(_by_groups(emit, flat, branches, given, epsilon), x.type.shape)


@onnx_op("GatedAdd", since=1, domain=MICROSOFT)
def gated_add(emit: Emitter, x: Value, y: Value, gate: Value) -> Value:
    """GatedAdd: ``x + y * gate``, where the gate broadcasts."""
    return emit(Add(x, emit(Mul(y, gate))))


@onnx_op("ScaledSiLU", since=1, domain=MICROSOFT)
def scaled_silu(emit: Emitter, x: Value, scale: Value | None = None, *, alpha: float = 1.0) -> Value:
    """SiLU of data that is scaled by a number first."""
    factor = emit.const(alpha, x.type.dtype) if scale is None else emit.cast(scale, x.type.dtype)
    return emit(Silu(emit(Mul(x, emit.reshape(factor, ())))))


@onnx_op("LinearAttentionGate", since=1, domain=MICROSOFT)
def linear_attention_gate(
    emit: Emitter, a: Value, dt_bias: Value, decay_scale: Value, b: Value | None = None
) -> tuple[Value, ...]:
    """How fast each head forgets, and how fast it learns."""
    decay = emit(Mul(emit(Softplus(emit(Add(a, dt_bias)))), decay_scale))
    return (decay,) if b is None else (decay, emit(Sigmoid(b)))
