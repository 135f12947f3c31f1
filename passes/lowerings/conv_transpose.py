"""Lowerings of transposed convolutions to those that kernels run."""

from __future__ import annotations

from typing import Any

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.shape import Pad, Reverse, Slice, Transpose
from ...compiler.ops.window import Conv, ConvTranspose
from ...compiler.padding import is_valid
from .groups import group_by_group
from .registry import lower, refuse

IMAGES, VOLUMES = 4, 5
MAX_SPLIT = 8
"""More groups than this are faster as one convolution of spread-out data than one by one."""


@lower(ConvTranspose)
def dilate_filter(op: ConvTranspose, e: Build) -> None:
    """Zeros between the filter's elements: the kernel knows no dilation."""
    if not op.channels_last or all(d == 1 for d in op.dilations):
        return
    o, *kernel, c = op.w.type.shape
    spread = [(k - 1) * d + 1 for k, d in zip(kernel, op.dilations, strict=True)]
    filters = op.w
    for axis, dilation in enumerate(op.dilations, 1):
        filters = _spread(filters, axis, dilation, e)
    wide = e(Slice, filters, (0,) * len(op.w.type.shape), (o, *spread, c), (1,) * len(op.w.type.shape))
    e.replace(e.clone(op, op.x, wide, op.bias, dilations=(1,) * len(spread)))


@lower(ConvTranspose)
def split_groups(op: ConvTranspose, e: Build) -> None:
    """The kernel has no groups: a few of them are computed one by one."""
    if op.channels_last and op.groups > 1 and (op.groups <= MAX_SPLIT or op.x.type.rank != IMAGES):
        group_by_group(op, op.x.type.rank - 1, e)


@lower(ConvTranspose)
def spread_data(op: ConvTranspose, e: Build) -> None:
    """Zeros between the data's elements make it an ordinary convolution with the mirrored filter.

    For many groups, and for volumes whose filter is computed.
    """
    is_sought = op.groups > MAX_SPLIT if op.x.type.rank == IMAGES else _is_computed_volume(op)
    if not op.channels_last or not is_sought or any(d != 1 for d in op.dilations):
        return
    x = op.x
    for axis, stride in enumerate(op.strides, 1):
        x = _spread(x, axis, stride, e)
    kernel = static(op.w.type.shape[1:-1])
    pads = [
        (k - 1 - p[0], k - s - p[1] + o) for k, s, p, o in zip(kernel, op.strides, op.pads, op.output_pads, strict=True)
    ]
    x = _pad_or_cut(x, pads, e)
    filters = _as_ordinary(op, e)
    ones, none = (1,) * len(kernel), ((0, 0),) * len(kernel)
    given: dict[str, Any] = {"strides": ones, "dilations": ones, "pads": none, "channels_last": True}
    e.replace(e(Conv, x, filters, op.bias, groups=op.groups, activation=op.activation, **given))


def _is_computed_volume(op: ConvTranspose) -> bool:
    return op.x.type.rank == VOLUMES and op.groups == 1 and constant(op.w) is None


def _spread(x: Value, axis: int, stride: int, e: Build) -> Value:
    """``stride - 1`` zeros after every position along an axis."""
    if stride == 1:
        return x
    before, size, behind = e.product(x.type.shape[:axis]), x.type.shape[axis], e.product(x.type.shape[axis + 1 :])
    apart = e.reshape(x, (before * size, 1, behind))
    padded = e(Pad, apart, (0, 0, 0), (0, stride - 1, 0))
    return e.reshape(padded, (*x.type.shape[:axis], size * stride, *x.type.shape[axis + 1 :]))


def _pad_or_cut(x: Value, pads: list[tuple[Dim, Dim]], e: Build) -> Value:
    """Negative paddings cut."""
    known = [(_number(a, e), _number(b, e)) for a, b in pads]
    low, high = [0, *(max(a, 0) for a, _ in known), 0], [0, *(max(b, 0) for _, b in known), 0]
    x = e(Pad, x, tuple(low), tuple(high)) if any(low + high) else x
    if all(a >= 0 and b >= 0 for a, b in known):
        return x
    starts = (0, *(max(-a, 0) for a, _ in known), 0)
    cut = (0, *(max(-a, 0) + max(-b, 0) for a, b in known), 0)
    sizes = tuple(d - c for d, c in zip(x.type.shape, cut, strict=True))
    return e(Slice, x, starts, sizes, (1,) * x.type.rank)


def _number(size: Dim, e: Build) -> int:
    e.require(isinstance(size, int), "paddings that are not known")
    assert isinstance(size, int)
    return size


def _as_ordinary(op: ConvTranspose, e: Build) -> Value:
    """From ``o k... (g c)`` to ``(g o) k... c``, mirrored."""
    o, *kernel, c = op.w.type.shape
    last = len(kernel) + 1
    mirrored = op.w
    for axis in range(1, last):
        mirrored = e(Reverse, mirrored, dims=(axis,))
    per_group = c // op.groups
    grouped = e.reshape(mirrored, (o, *kernel, op.groups, per_group))
    permuted = e(Transpose, grouped, (last, *range(last), last + 1))
    return e.reshape(permuted, (op.groups * o, *kernel, per_group))


@lower(ConvTranspose)
def cut_result(op: ConvTranspose, e: Build) -> None:
    """Paddings of a transposed convolution cut its result: compute all of it, then slice.

    Where the result begins before the data's, or ends a stride after it, zeros around the filter reach so far.
    """
    rank, wide = op.x.type.rank, [o for o, s in zip(op.output_pads, op.strides, strict=True) if _is_beyond(o, s)]
    if not op.channels_last or rank not in (IMAGES, VOLUMES) or op.groups != 1 or (is_valid(op) and not wide):
        return
    after = [_number(o - p[1], e) for p, o in zip(op.pads, op.output_pads, strict=True)]
    low = [max(-p[0], 0) if isinstance(p[0], int) else 0 for p in op.pads]
    high = [max(more - s + 1, 0) for more, s in zip(after, op.strides, strict=True)]
    filters = op.w
    if any(low + high):
        if any(d != 1 for d in op.dilations):
            return
        filters = e(Pad, op.w, (0, *low, 0), (0, *high, 0))
    more = tuple(max(a, 0) - h for a, h in zip(after, high, strict=True))
    whole = e.clone(op, op.x, filters, op.bias, pads=((0, 0),) * len(op.pads), output_pads=more)
    starts = (0, *(p[0] + n for p, n in zip(op.pads, low, strict=True)), 0)
    e.replace(e(Slice, whole, starts, op.result.type.shape, (1,) * rank))


def _is_beyond(output_pad: Dim, stride: int) -> bool:
    return isinstance(output_pad, int) and output_pad >= stride


@refuse(ConvTranspose)
def refuse_conv_transpose(op: ConvTranspose) -> str | None:
    """Say what no form of transposed convolution can do."""
    axes = op.x.type.rank - 2
    if op.x.type.rank <= VOLUMES:
        return None
    return f"a transposed convolution over {counted(axes, 'spatial axis', 'spatial axes')}; at most 3"
