"""Rows for normalizations: over batches, layers, groups of channels and neighbouring channels."""

from __future__ import annotations

from typing import Any

from ....compiler.ops import norm as ir
from ..table import FLOATS, Call, Nested, Operand, condition, emits, ints


@condition("channels on axis 1")
def _on_axis_one(op: Any) -> str | None:
    return None if op.axis == 1 else f"channels on axis {op.axis}"


@emits(ir.BatchNorm, "BatchNormInference", dtypes=FLOATS, when=(_on_axis_one,), ranks=range(2, 6))
def batch_norm(op: ir.BatchNorm) -> Call:
    """BatchNormInference: ``scale * (x - mean) / sqrt(variance + epsilon) + bias`` for each channel."""
    return Call(op.operands, {"epsilon": op.epsilon})


def _normal(op: ir.LayerNorm) -> tuple[tuple[Operand, ...], dict[str, Any]]:
    axes = ints(*sorted(d % op.x.type.rank for d in op.dims))
    return (op.x, axes), {"normalize_variance": True, "eps": op.epsilon, "eps_mode": "INSIDE_SQRT"}


@condition("some axes, and neither scale nor bias")
def _no_parameters(op: ir.LayerNorm) -> str | None:
    return None if op.scale is None and op.bias is None and op.dims else "a scale or a bias, or no axes"


@condition("some axes, and no bias")
def _no_bias(op: ir.LayerNorm) -> str | None:
    return None if op.bias is None and op.dims else "a bias, or no axes"


@condition("some axes")
def _axes(op: ir.LayerNorm) -> str | None:
    return None if op.dims else "no axes"


@emits(ir.LayerNorm, "MVN", dtypes=FLOATS, when=(_no_parameters,))
def mean_and_variance(op: ir.LayerNorm) -> Call:
    """MVN: mean 0 and variance 1 along any axes, with epsilon inside the square root."""
    return Call(*_normal(op))


@emits(ir.LayerNorm, "Multiply", dtypes=FLOATS, when=(_no_bias,))
def scaled(op: ir.LayerNorm) -> Call:
    """MVN, then Multiply by the scale: a layer normalization without a bias."""
    return Call((Nested("MVN", op.x.type, *_normal(op)), op.scale))


@emits(ir.LayerNorm, "Add", dtypes=FLOATS, when=(_axes,))
def moved(op: ir.LayerNorm) -> Call:
    """Then a product with the scale and a sum with the bias."""
    out = Nested("MVN", op.x.type, *_normal(op))
    out = out if op.scale is None else Nested("Multiply", op.x.type, (out, op.scale))
    return Call((out, op.bias))


@emits(ir.GroupNorm, "GroupNormalization", dtypes=FLOATS, when=(_on_axis_one,), ranks=range(3, 6))
def group_norm(op: ir.GroupNorm) -> Call:
    """GroupNormalization: mean and variance over groups of channels and all positions, then scale and bias."""
    return Call(op.operands, {"epsilon": op.epsilon, "num_groups": op.groups})


@condition("an odd number of neighbours")
def _odd(op: ir.LocalResponseNorm) -> str | None:
    return None if op.size % 2 else "an even number of neighbours"


@emits(ir.LocalResponseNorm, "LRN", dtypes=FLOATS, when=(_on_axis_one, _odd), ranks=range(3, 6))
def local_response_norm(op: ir.LocalResponseNorm) -> Call:
    """LRN over neighbouring channels, of which an odd number counts, so that a channel is in the middle."""
    attributes = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "bias": op.bias}
    return Call((op.x, ints(1)), attributes)
