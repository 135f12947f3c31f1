"""Rows of the table for normalisations of batches, layers, groups and channels."""

from __future__ import annotations

from typing import Any

from ....compiler.dims import is_static, static
from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ....compiler.types import DType
from ....compiler.weights import Weight
from ..table import Call, Operand, condition, emits


@condition("channels on axis 1")
def _on_axis_one(op: Any) -> str | None:
    return None if op.axis == 1 else f"channels on axis {op.axis}"


@emits(ir.BatchNorm, "BatchNormalization", when=(_on_axis_one,))
def batch_norm(op: ir.BatchNorm) -> Call:
    """BatchNormalization with the mean and the variance that are operands."""
    return Call(op.operands, {"epsilon": op.epsilon})


@condition("along the last axes, with known sizes or a scale")
def _last_axes(op: ir.LayerNorm | ir.RmsNorm) -> str | None:
    rank = op.x.type.rank
    if tuple(sorted(d % rank for d in op.dims)) != tuple(range(rank - len(op.dims), rank)) or not op.dims:
        return f"axes {list(op.dims)}, which are not the last ones"
    is_known = op.scale is not None or is_static(op.x.type.shape[rank - len(op.dims) :])
    return None if is_known else "sizes that are not known, without a scale"


@condition("parameters in the shape of what is normalised")
def _whole_parameters(op: ir.LayerNorm | ir.RmsNorm) -> str | None:
    shape = op.x.type.shape[op.x.type.rank - len(op.dims) :]
    given = [v for v in op.operands[1:] if v is not None]
    return None if all(v.type.shape == shape for v in given) else "parameters of another shape than what is normalised"


def _scale(op: ir.LayerNorm | ir.RmsNorm) -> Operand:
    """The scale; ones if there is none."""
    if op.scale is not None:
        return op.scale
    return Weight.splat(1, op.x.type.dtype, static(op.x.type.shape[op.x.type.rank - len(op.dims) :]))


@emits(ir.LayerNorm, "LayerNormalization", when=(_last_axes, _whole_parameters))
def layer_norm(op: ir.LayerNorm) -> Call:
    """LayerNormalization: moments are computed in f32, as in the IR."""
    bias: tuple[Value, ...] = () if op.bias is None else (op.bias,)
    return Call((op.x, _scale(op), *bias), {"axis": -len(op.dims), "epsilon": op.epsilon})


@emits(ir.RmsNorm, "RMSNormalization", when=(_last_axes, _whole_parameters))
def rms_norm(op: ir.RmsNorm) -> Call:
    """RMSNormalization: the mean square is computed in f32, as in the IR."""
    return Call((op.x, _scale(op)), {"axis": -len(op.dims), "epsilon": op.epsilon})


@condition("as many groups as channels")
def _instances(op: ir.GroupNorm) -> str | None:
    return None if op.x.type.shape[1] == op.groups else "fewer groups than channels"


@emits(ir.GroupNorm, "InstanceNormalization", when=(_on_axis_one, _instances), ranks=range(3, 64))
def instance_norm(op: ir.GroupNorm) -> Call:
    """InstanceNormalization: each channel of each sample is normalised by itself."""
    return Call(op.operands, {"epsilon": op.epsilon})


@emits(ir.GroupNorm, "GroupNormalization", when=(_on_axis_one,), ranks=range(3, 64))
def group_norm(op: ir.GroupNorm) -> Call:
    """GroupNormalization: channels are normalised in groups of equal size."""
    return Call(op.operands, {"epsilon": op.epsilon, "num_groups": op.groups})


@condition("an odd number of neighbours, in images of up to 32 bits")
def _odd(op: ir.LocalResponseNorm) -> str | None:
    """What onnxruntime takes of what the standard has."""
    if op.x.type.dtype is DType.F64:
        return "numbers of 64 bits"
    return None if op.size % 2 else "an even number of neighbours"


@emits(ir.LocalResponseNorm, "LRN", when=(_on_axis_one, _odd), ranks=range(4, 5))
def local_response_norm(op: ir.LocalResponseNorm) -> Call:
    """LRN: divides by a norm over neighbouring channels."""
    return Call((op.x,), {"size": op.size, "alpha": op.alpha, "beta": op.beta, "bias": op.bias})
