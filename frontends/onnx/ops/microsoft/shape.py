"""Earlier forms of operators that the standard has as well, and other moves of data."""

from __future__ import annotations

import numpy as np

from .....compiler.budget import reserve
from .....compiler.ir import Value
from .....compiler.ops.index import Gather
from .....compiler.ops.shape import Transpose
from ...emitter import Emitter
from ...registry import onnx_op
from ..constant import range_ as range_of_standard
from ..index import gather_nd as gather_nd_of_standard
from ..index import trilu as trilu_of_standard
from ..index import unique as unique_of_standard
from ..sampling import grid_sample as grid_sample_of_standard
from ..shape import pad_
from ..shape import unsqueeze as unsqueeze_of_standard
from .domain import MICROSOFT


@onnx_op("Pad", since=1, domain=MICROSOFT)
def pad(emit: Emitter, data: Value, pads: Value, value: Value | None = None, *, mode: str = "constant") -> Value:
    """Pad of onnxruntime: pads all axes, by an operand."""
    return pad_(emit, data, pads, value, mode=mode)


@onnx_op("Trilu", since=1, domain=MICROSOFT)
def trilu(emit: Emitter, x: Value, k: Value | None = None, *, upper: int = 1) -> Value:
    """Trilu of onnxruntime: the upper or lower triangle of matrices."""
    return trilu_of_standard(emit, x, k, upper=upper)


@onnx_op("GatherND", since=1, domain=MICROSOFT)
def gather_nd(emit: Emitter, data: Value, indices: Value) -> Value:
    """GatherND: slices at coordinates along the first axes."""
    return gather_nd_of_standard(emit, data, indices)


@onnx_op("ExpandDims", since=1, domain=MICROSOFT)
def expand_dims(emit: Emitter, x: Value, axis: Value) -> Value:
    """ExpandDims: one more axis of size one, at a constant position."""
    return unsqueeze_of_standard(emit, x, axis)


@onnx_op("Range", since=1, domain=MICROSOFT)
def range_(emit: Emitter, start: Value, limit: Value, delta: Value | None = None) -> Value:
    """Numbers from ``start`` up to, not including, ``limit``; by default one by one."""
    step = emit.const(1, start.type.dtype) if delta is None else delta
    return range_of_standard(emit, start, limit, step)


@onnx_op("Unique", since=1, domain=MICROSOFT)
def unique(emit: Emitter, x: Value) -> tuple[Value, ...]:
    """Different elements as they come, where each one is, and how often."""
    found, _, where, often = unique_of_standard(emit, x, sorted=0)
    return found, where, often


@onnx_op("GridSample", since=1, domain=MICROSOFT)
def grid_sample(
    emit: Emitter, x: Value, grid: Value, *, align_corners: int = 0, mode: str = "bilinear", padding_mode: str = "zeros"
) -> Value:
    """GridSample of onnxruntime: images interpolated at the positions of a grid."""
    return grid_sample_of_standard(emit, x, grid, align_corners=align_corners, mode=mode, padding_mode=padding_mode)


@onnx_op("UnfoldTensor", since=1, domain=MICROSOFT)
def unfold(emit: Emitter, input: Value, *, dim: int = -1, size: int, step: int = 1) -> Value:
    """Windows along an axis, whose elements lie along a new last one."""
    rank = input.type.rank
    axis = emit.axis(dim, rank)
    length = input.type.shape[axis]
    if not isinstance(length, int):
        raise emit.fail(f"cuts {length} positions, whose number is not known, into windows", code="F004")
    if not 0 < size <= length or step < 1:
        raise emit.fail(f"cuts {length} positions into windows of {size}, {step} apart", code="F002")
    reserve((length - size) // step + 1, size, what="the positions in all windows")
    places = np.arange(0, length - size + 1, step)[:, None] + np.arange(size)
    windows = emit(Gather(input, emit.const(places), axis))
    return emit(Transpose(windows, (*(i for i in range(rank + 1) if i != axis + 1), axis + 1)))
