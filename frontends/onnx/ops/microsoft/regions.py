"""Handlers of onnxruntime's operators on regions of images."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from .....compiler.budget import reserve
from .....compiler.ir import Value
from .....compiler.ops.arith import Add, Floor, Mul, Sub
from .....compiler.ops.logic import GreaterEqual, LessEqual, LogicalAnd, Select
from .....compiler.ops.shape import Transpose
from .....compiler.types import DType
from ....common.grid_sample import known_size, pixels
from ....common.regions import Cells, column, spread
from ....sampling import Tap, weighted
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT

MODES = {"bilinear": "linear", "nearest": "nearest"}


@onnx_op("CropAndResize", since=1, domain=MICROSOFT)
def crop_and_resize(
    emit: Emitter,
    x: Value,
    rois: Value,
    batch_indices: Value,
    crop_size: Value,
    *,
    extrapolation_value: float = 0.0,
    mode: str = "bilinear",
) -> Value:
    """Regions ``y1, x1, y2, x2``, of which 1 is the last pixel, resampled to one size; corners fall on corners."""
    crop = emit.ints(crop_size, "crop_size")
    if mode not in MODES or x.type.rank != 4 or rois.type.rank != 2 or len(crop) != 2:
        raise emit.fail(f"crops {x.type} by {rois.type} to {list(crop)} in the mode {mode!r}", code="F002")
    shape = (rois.type.shape[0], *crop)
    taps: list[list[Tap]] = []
    seen: list[Value] = []
    for axis, count in enumerate(crop):
        size = known_size(emit, x.type.shape[2 + axis])
        reserve(count, what="the cells of each region")
        at = _grid(emit, rois, axis, count, size).at(emit, emit.const(np.arange(count), rois.type.dtype))
        zero, last = (emit.const(v, at.type.dtype) for v in (0, size - 1))
        inside = emit(LogicalAnd(emit(GreaterEqual(at, zero)), emit(LessEqual(at, last))))
        seen.append(spread(emit, inside, axis, shape))
        if mode == "nearest":
            at = emit(Floor(emit(Add(at, emit.const(0.5, at.type.dtype)))))
        found = pixels(emit, at, size, (MODES[mode], "border"), align_corners=True)
        taps.append([(spread(emit, p, axis, shape), w and spread(emit, w, axis, shape), None) for p, w, _ in found])
    images = emit(Transpose(x, (0, 2, 3, 1)))
    batch = emit.cast(batch_indices, DType.I64)
    total = reduce(lambda a, b: emit(Add(a, b)), [weighted(emit, images, c, batch) for c in product(*taps)])
    both = emit.reshape(emit(LogicalAnd(*seen)), (*shape, 1))
    cropped = emit(Select(both, total, emit.const(extrapolation_value, x.type.dtype)))
    return emit(Transpose(cropped, (0, 3, 1, 2)))


def _grid(emit: Emitter, rois: Value, axis: int, count: int, size: int) -> Cells:
    """Return where the samples of each region lie along an axis; a single one lies in its middle."""
    dtype = rois.type.dtype
    first, last = column(emit, rois, axis), column(emit, rois, axis + 2)
    if count == 1:
        middle = emit(Mul(emit(Add(first, last)), emit.const(0.5 * (size - 1), dtype)))
        return Cells(middle, emit.const(0, dtype), count)
    low = emit(Mul(first, emit.const(size - 1, dtype)))
    step = emit(Mul(emit(Sub(last, first)), emit.const((size - 1) / (count - 1), dtype)))
    return Cells(low, step, count)
