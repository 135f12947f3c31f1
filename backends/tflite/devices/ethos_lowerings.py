"""What NPUs have no kernels for, by others that they have."""

from __future__ import annotations

from ....compiler.dims import is_static, static
from ....compiler.lowering import Build, Lowerings
from ....compiler.ops import arith
from ....compiler.ops.activation import Softmax
from ....compiler.ops.spatial import DepthToSpace, SpaceToDepth
from ....compiler.types import DType
from .common_lowerings import softmax_along_the_last

LOWERINGS = Lowerings()
"""Tried before TFLite's own and the shared ones."""

lower = LOWERINGS.lower


@lower(DepthToSpace)
def spread_rows(op: DepthToSpace, e: Build) -> None:
    """Blocks become rows and columns by one transpose of four axes."""
    if op.mode != "dcr" or not op.channels_last or not is_static(op.x.type.shape):
        return
    n, h, w, c = static(op.x.type.shape)
    rows = e.reshape(op.x, (n * h, w, op.block, c // op.block))
    e.replace(e.reshape(e.transpose(rows, (0, 2, 1, 3)), op.result.type.shape))


@lower(SpaceToDepth)
def gather_rows(op: SpaceToDepth, e: Build) -> None:
    """Rows and columns become blocks by one transpose of four axes."""
    if not op.channels_last or not is_static(op.x.type.shape):
        return
    n, h, w, c = static(op.x.type.shape)
    rows = e.reshape(op.x, (n * h // op.block, op.block, w // op.block, op.block * c))
    e.replace(e.reshape(e.transpose(rows, (0, 2, 1, 3)), op.result.type.shape))


lower(Softmax, benefit=2)(softmax_along_the_last)


@lower(arith.Square)
def square_by_product(op: arith.Square, e: Build) -> None:
    """The NPU has no SQUARE: multiply by itself."""
    if op.x.type.dtype is DType.F32:
        e.replace(e(arith.Mul, op.x, op.x))
