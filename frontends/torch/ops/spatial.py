"""Resampling, and moving positions into channels and back."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import spatial as ir
from ..emitter import Emitter
from ..registry import aten


@aten("upsample_linear1d.vec", "upsample_bilinear2d.vec", "upsample_trilinear3d.vec")
def upsample_linear(
    emit: Emitter,
    input: Value,
    output_size: tuple[Dim, ...] | None,
    align_corners: bool,
    scale_factors: tuple[float, ...] | None,
) -> Value:
    """Linear along every spatial axis."""
    return resize(emit, input, "linear", "align_corners" if align_corners else "half_pixel", scale_factors)


def resize(
    emit: Emitter, x: Value, mode: str, coordinates: str, scales: Sequence[float] | None, nearest: str = "floor"
) -> Value:
    """Resample the spatial axes to the sizes that PyTorch has worked out; stated factors decide about positions."""
    new = emit.shape[2:]
    if coordinates == "align_corners" or scales is None:
        scales = None
    dims = tuple(a for a in range(2, x.type.rank) if new[a - 2] != x.type.shape[a] or scales is not None)
    if scales is not None and all(
        isinstance(d, int) and d * s == n for d, s, n in zip(x.type.shape[2:], scales, new, strict=True)
    ):
        scales, dims = None, tuple(a for a in dims if new[a - 2] != x.type.shape[a])
    if not dims:
        return x
    sizes = tuple(new[a - 2] for a in dims)
    return emit(ir.Resize(x, dims, sizes, mode, coordinates, nearest, tuple(scales) if scales else None))
