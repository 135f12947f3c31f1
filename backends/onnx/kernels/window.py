"""Rows of the table for convolutions and poolings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....compiler.dims import Dim, ceil_div, static
from ....compiler.ops import window as ir
from ....compiler.ops.integer import ConvInteger
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.types import DType
from ...common.windows import known_pads, narrow_pads
from ..table import Call, condition, emits
from .common import channels_first, plain


def _pads(pads: Sequence[tuple[Dim, Dim]]) -> tuple[int, ...]:
    """All paddings before, then all after, as the standard counts them."""
    return static(tuple(pair[side] for side in range(2) for pair in pads))


def kernel_of(op: ir.Conv | ir.ConvTranspose | ConvInteger) -> tuple[int, ...]:
    """The sizes of a filter with channels first."""
    return static(op.w.type.shape[2:])


def window_attributes(op: Any, kernel: tuple[int, ...], **others: int) -> dict[str, Any]:
    """What all windows have, as far as it differs from the standard's defaults."""
    plain_ones = (1,) * len(kernel)
    given: dict[str, Any] = {"kernel_shape": kernel}
    if op.strides != plain_ones:
        given["strides"] = op.strides
    if op.dilations != plain_ones:
        given["dilations"] = op.dilations
    if any(_pads(op.pads)):
        given["pads"] = _pads(op.pads)
    return given | {name: value for name, value in others.items() if value}


@emits(ir.Conv, "Conv", when=(channels_first, plain, known_pads))
def conv(op: ir.Conv) -> Call:
    """Conv: any number of spatial axes, and any number of groups."""
    groups = {} if op.groups == 1 else {"group": op.groups}
    return Call(op.operands if op.bias is not None else (op.x, op.w), window_attributes(op, kernel_of(op)) | groups)


@emits(ir.ConvTranspose, "ConvTranspose", when=(channels_first, plain, known_pads))
def conv_transpose(op: ir.ConvTranspose) -> Call:
    """ConvTranspose: any number of spatial axes, and any number of groups."""
    more: dict[str, Any] = {} if op.groups == 1 else {"group": op.groups}
    if any(p != 0 for p in op.output_pads):
        more["output_padding"] = static(op.output_pads)
    return Call(op.operands if op.bias is not None else (op.x, op.w), window_attributes(op, kernel_of(op)) | more)


@condition("windows that all start before the trailing paddings")
def _starting_inside(op: Any) -> str | None:
    """Where the last one would not, the standard's shapes have it, and the IR's have not."""
    if not op.ceil:
        return None
    result = op.results[0].type.shape[2:]
    for size, out, k, s, d, pads in zip(
        op.x.type.shape[2:], result, op.kernel, op.strides, op.dilations, op.pads, strict=True
    ):
        if ceil_div(size + pads[0] + pads[1] - d * (k - 1) - 1, s) + 1 != out:
            return "a last window that would start in the paddings"
    return None


_POOL = (channels_first, narrow_pads, _starting_inside)


@emits(ir.MaxPool, "MaxPool", when=_POOL)
def max_pool(op: ir.MaxPool) -> Call:
    """MaxPool: paddings are smaller than every number and never win."""
    return Call((op.x,), window_attributes(op, op.kernel, ceil_mode=int(op.ceil)))


@emits(ir.AveragePool, "AveragePool", when=_POOL)
def average_pool(op: ir.AveragePool) -> Call:
    """AveragePool: an attribute says whether paddings count in the average."""
    return Call((op.x,), window_attributes(op, op.kernel, ceil_mode=int(op.ceil), count_include_pad=int(op.count_pads)))


@condition("up to 32 bits")
def _single(op: ir.LpPool) -> str | None:
    """What onnxruntime takes of what the standard has."""
    return None if op.x.type.dtype is not DType.F64 else "numbers of 64 bits"


@emits(ir.LpPool, "LpPool", when=(*_POOL, _single))
def lp_pool(op: ir.LpPool) -> Call:
    """LpPool: the norm of each window, for any whole ``p``."""
    return Call((op.x,), window_attributes(op, op.kernel, ceil_mode=int(op.ceil)) | ({} if op.p == 2 else {"p": op.p}))


@emits(MaxPoolPositions, "MaxPool", when=(narrow_pads, _starting_inside))
def max_pool_positions(op: MaxPoolPositions) -> Call:
    """MaxPool with positions: counted row by row, or column by column."""
    flags = {"ceil_mode": int(op.ceil), "storage_order": int(op.column_major)}
    return Call((op.x,), window_attributes(op, op.kernel, **flags))
