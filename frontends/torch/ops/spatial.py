"""Resampling, padding, and moving positions into channels and back."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.dims import Dim, exact_div, product
from ....compiler.ir import Value
from ....compiler.ops import spatial as ir
from ...slicing import pad as pad_by
from ..emitter import Emitter
from ..registry import aten

Scales = Sequence[float | None] | None
"""Ratios by which positions are mapped, where the caller states them."""


def resize(emit: Emitter, x: Value, mode: str, coordinates: str, scales: Scales, antialias: bool = False) -> Value:
    """Resample the spatial axes to the sizes that PyTorch has worked out; stated ratios decide about positions.

    With antialiasing, pixels outside have no weight, and the cubic kernel is another one.
    """
    before, after = x.type.shape[2:], emit.shape[2:]
    ratios = [None] * len(after) if scales is None or coordinates == "align_corners" else list(scales)
    if all(r is None or _is_ratio(r, d, n) for r, d, n in zip(ratios, before, after, strict=True)):
        ratios = [None] * len(after)
    dims = tuple(
        i + 2 for i, (d, n, r) in enumerate(zip(before, after, ratios, strict=True)) if d != n or r is not None
    )
    if not dims:
        return x
    factors = [ratios[a - 2] for a in dims]
    known = tuple(f for f in factors if f is not None)
    sizes = tuple(after[a - 2] for a in dims)
    stated = known if len(known) == len(dims) else None
    fields = (dims, sizes, mode, coordinates, "floor", stated)
    if antialias:
        return emit(ir.Resize(x, *fields, cubic=-0.5, antialias=True, exclude_outside=True))
    return emit(ir.Resize(x, *fields))


def _is_ratio(ratio: float, before: Dim, after: Dim) -> bool:
    """Whether a stated ratio is that of the sizes."""
    if isinstance(before, int) and isinstance(after, int):
        return before * ratio == after
    return float(ratio).is_integer() and before * int(ratio) == after


@aten("upsample_linear1d.vec", "upsample_bilinear2d.vec", "upsample_trilinear3d.vec")
def upsample_linear(
    emit: Emitter,
    input: Value,
    output_size: tuple[Dim, ...] | None,
    align_corners: bool,
    scale_factors: tuple[float, ...] | None,
) -> Value:
    """Linear, bilinear and trilinear ``upsample``, by output sizes or scale factors."""
    return resize(emit, input, "linear", _corners(align_corners), scale_factors)


@aten("upsample_bicubic2d.vec")
def upsample_cubic(
    emit: Emitter,
    input: Value,
    output_size: tuple[Dim, ...] | None,
    align_corners: bool,
    scale_factors: tuple[float, ...] | None,
) -> Value:
    """Bicubic ``upsample``, by output sizes or scale factors, with PyTorch's coefficient of -0.75."""
    return resize(emit, input, "cubic", _corners(align_corners), scale_factors)


@aten("_upsample_bilinear2d_aa.vec", "_upsample_bicubic2d_aa.vec")
def upsample_antialiased(
    emit: Emitter,
    input: Value,
    output_size: tuple[Dim, ...] | None,
    align_corners: bool,
    scale_factors: tuple[float, ...] | None,
) -> Value:
    """Bilinear and bicubic ``upsample`` with ``antialias``: the filter widens by the factor of shrinking."""
    return _antialiased(emit, input, align_corners, scale_factors)


@aten("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa")
def upsample_antialiased_sizes(
    emit: Emitter,
    x: Value,
    output_size: tuple[Dim, ...],
    align_corners: bool,
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> Value:
    """Antialiased ``upsample`` in the form that decompositions leave: sizes, and a scale for each axis."""
    return _antialiased(emit, x, align_corners, (scales_h, scales_w))


def _antialiased(emit: Emitter, x: Value, align_corners: bool, scales: Scales) -> Value:
    if align_corners:
        raise emit.fail("aligns corners and widens the filter")
    mode = "cubic" if "bicubic" in str(emit.node.target) else "linear"
    return resize(emit, x, mode, "half_pixel", scales, antialias=True)


def _corners(align_corners: bool) -> str:
    return "align_corners" if align_corners else "half_pixel"


@aten("upsample_nearest1d.vec", "upsample_nearest2d.vec", "upsample_nearest3d.vec")
def upsample_nearest(
    emit: Emitter, input: Value, output_size: tuple[Dim, ...] | None, scale_factors: tuple[float, ...] | None
) -> Value:
    """Nearest ``upsample``: ``floor(i * before / after)``, so that the corner of a pixel decides."""
    return resize(emit, input, "nearest", "asymmetric", scale_factors)


@aten("_upsample_nearest_exact1d.vec", "_upsample_nearest_exact2d.vec", "_upsample_nearest_exact3d.vec")
def upsample_nearest_exact(
    emit: Emitter, input: Value, output_size: tuple[Dim, ...] | None, scale_factors: tuple[float, ...] | None
) -> Value:
    """Nearest-exact ``upsample``: ``floor((i + 0.5) * before / after)``, so that the centre of a pixel decides."""
    return resize(emit, input, "nearest", "half_pixel_floor", scale_factors)


@aten("upsample_bilinear2d")
def upsample_linear_sizes(
    emit: Emitter,
    x: Value,
    output_size: tuple[Dim, ...],
    align_corners: bool,
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> Value:
    """``upsample_bilinear2d`` in the form that decompositions leave: sizes, and a scale for each axis."""
    return resize(emit, x, "linear", _corners(align_corners), (scales_h, scales_w))


@aten("upsample_bicubic2d")
def upsample_cubic_sizes(
    emit: Emitter,
    x: Value,
    output_size: tuple[Dim, ...],
    align_corners: bool,
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> Value:
    """``upsample_bicubic2d`` in the form that decompositions leave: sizes, and a scale for each axis."""
    return resize(emit, x, "cubic", _corners(align_corners), (scales_h, scales_w))


@aten("upsample_nearest2d")
def upsample_nearest_sizes(
    emit: Emitter,
    x: Value,
    output_size: tuple[Dim, ...],
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> Value:
    """``upsample_nearest2d`` in the form that decompositions leave: sizes, and a scale for each axis."""
    return resize(emit, x, "nearest", "asymmetric", (scales_h, scales_w))


@aten("pixel_shuffle")
def pixel_shuffle(emit: Emitter, x: Value, upscale_factor: int) -> Value:
    """``pixel_shuffle``: depth to space of the last three axes, channels counted (channel, row, column)."""
    data = emit.reshape(x, (product(x.type.shape[:-3]), *x.type.shape[-3:]))
    return emit.reshape(emit(ir.DepthToSpace(data, upscale_factor, "crd")), emit.shape)


@aten("pixel_unshuffle")
def pixel_unshuffle(emit: Emitter, x: Value, downscale_factor: int) -> Value:
    """``pixel_unshuffle``: blocks become channels, counted (channel, row, column), any number of leading axes."""
    b = downscale_factor
    *batch, c, h, w = x.type.shape
    rows, columns = exact_div(h, b), exact_div(w, b)
    if rows is None or columns is None:
        raise emit.fail(f"cuts {h} x {w} positions into blocks of {b} x {b}", code="T001")
    n = len(batch)
    split = emit.reshape(x, (*batch, c, rows, b, columns, b))
    moved = emit.transpose(split, [*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return emit.reshape(moved, (*batch, c * b * b, rows, columns))


@aten("channel_shuffle")
def channel_shuffle(emit: Emitter, x: Value, groups: Dim) -> Value:
    """``channel_shuffle``: channels split into groups, these exchanged with what is in one, and merged again."""
    n, c, *rest = x.type.shape
    split = emit.reshape(x, (n, groups, c // groups, *rest))
    return emit.reshape(emit.transpose(split, [0, 2, 1, *range(3, len(rest) + 3)]), x.type.shape)


@aten("constant_pad_nd")
def constant_pad(emit: Emitter, x: Value, pad: tuple[Dim, ...], value: float = 0) -> Value:
    """``constant_pad_nd``: a number before and after the last axes; negative paddings cut."""
    return _padded(emit, x, pad, "constant", value)


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""The IR's names for what stands outside."""


@aten("pad")
def pad_mode(
    emit: Emitter, x: Value, pad: tuple[Dim, ...], mode: str = "constant", value: float | None = None
) -> Value:
    """Pad the last axes, the very last one first in the list."""
    return _padded(emit, x, pad, MODES[mode], value or 0.0)


@aten("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
def reflection_pad(emit: Emitter, x: Value, padding: tuple[Dim, ...]) -> Value:
    """``reflection_pad``: the last axes mirrored at their ends, without the edge."""
    return _padded(emit, x, padding, "reflect", 0.0)


@aten("replication_pad1d", "replication_pad2d", "replication_pad3d")
def replication_pad(emit: Emitter, x: Value, padding: tuple[Dim, ...]) -> Value:
    """``replication_pad``: the last axes continued by the elements at their ends."""
    return _padded(emit, x, padding, "edge", 0.0)


def _padded(emit: Emitter, x: Value, pad: Sequence[Dim], mode: str, value: float) -> Value:
    rank, count = x.type.rank, len(pad) // 2
    low: list[Dim] = [0] * (rank - count) + [pad[2 * i] for i in reversed(range(count))]
    high: list[Dim] = [0] * (rank - count) + [pad[2 * i + 1] for i in reversed(range(count))]
    return pad_by(emit, x, low, high, mode, value)
