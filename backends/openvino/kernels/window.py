"""Rows for convolutions and poolings over signals, images and volumes, with channels on axis 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....compiler.dims import Dim, exact_div, static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.types import DType, TensorType
from ...common.windows import known_pads, narrow_pads
from ..table import FLOATS, Call, Nested, Operand, condition, emits
from .common import channels_first, plain, reshaped

IMAGES = range(3, 6)
"""Ranks of signals, images and volumes."""


def _edges(pads: Sequence[tuple[Dim, Dim]]) -> dict[str, Any]:
    return {name: static(tuple(pair[side] for pair in pads)) for side, name in enumerate(("pads_begin", "pads_end"))}


def _steps(op: Any) -> dict[str, Any]:
    return {"strides": op.strides, "dilations": op.dilations, **_edges(op.pads), "auto_pad": "explicit"}


def _per_channel(bias: Value, rank: int) -> Operand:
    """Return one number for each channel in a shape that broadcasts to images."""
    return reshaped(bias, (1, bias.type.shape[0], *[1] * (rank - 2)))


@condition("no bias")
def _no_bias(op: Any) -> str | None:
    return None if op.bias is None else "a bias"


@condition("one group")
def _one_group(op: Any) -> str | None:
    return None if op.groups == 1 else f"{op.groups} groups"


@condition("a known number of filters in each group")
def _equal_groups(op: ir.Conv | ir.ConvTranspose) -> str | None:
    return None if exact_div(op.w.type.shape[0], op.groups) is not None else "an open number of filters"


def _in_groups(op: ir.Conv | ir.ConvTranspose) -> Operand:
    """Return the filters with an axis for the groups in front."""
    first, *rest = op.w.type.shape
    each = exact_div(first, op.groups)
    assert each is not None
    return reshaped(op.w, (op.groups, each, *rest))


_WHEN = (channels_first, plain, known_pads)
_GROUPS = (*_WHEN, _equal_groups)


def _convolution(op: ir.Conv) -> tuple[str, tuple[Operand, ...], dict[str, Any]]:
    if op.groups == 1:
        return "Convolution", (op.x, op.w), _steps(op)
    return "GroupConvolution", (op.x, _in_groups(op)), _steps(op)


def _conv(op: ir.Conv) -> Call:
    _, inputs, attributes = _convolution(op)
    return Call(inputs, attributes)


emits(ir.Conv, "Convolution", dtypes=FLOATS, when=(*_WHEN, _no_bias, _one_group), ranks=IMAGES)(_conv)
emits(ir.Conv, "GroupConvolution", dtypes=FLOATS, when=(*_GROUPS, _no_bias), ranks=IMAGES)(_conv)


@emits(ir.Conv, "Add", dtypes=FLOATS, when=_GROUPS, ranks=IMAGES)
def conv_and_bias(op: ir.Conv) -> Call:
    """Convolution or GroupConvolution, then Add of a bias for each channel."""
    operator, inputs, attributes = _convolution(op)
    assert op.bias is not None
    return Call((Nested(operator, op.result.type, inputs, attributes), _per_channel(op.bias, op.x.type.rank)))


def _transposed(op: ir.ConvTranspose) -> tuple[str, tuple[Operand, ...], dict[str, Any]]:
    attributes = {**_steps(op), "output_padding": static(op.output_pads)}
    if op.groups == 1:
        return "ConvolutionBackpropData", (op.x, op.w), attributes
    return "GroupConvolutionBackpropData", (op.x, _in_groups(op)), attributes


@condition("known paddings of the result, smaller than the strides")
def _known_output_pads(op: ir.ConvTranspose) -> str | None:
    small = all(
        isinstance(p, int) and p < max(s, d) for p, s, d in zip(op.output_pads, op.strides, op.dilations, strict=True)
    )
    return None if small else f"paddings {list(op.output_pads)} of the result"


_BACK = (*_GROUPS, _known_output_pads)


def _conv_transpose(op: ir.ConvTranspose) -> Call:
    _, inputs, attributes = _transposed(op)
    return Call(inputs, attributes)


_ALONE = (*_BACK, _no_bias)
emits(ir.ConvTranspose, "ConvolutionBackpropData", dtypes=FLOATS, when=(*_ALONE, _one_group), ranks=IMAGES)(
    _conv_transpose
)
emits(ir.ConvTranspose, "GroupConvolutionBackpropData", dtypes=FLOATS, when=_ALONE, ranks=IMAGES)(_conv_transpose)


@emits(ir.ConvTranspose, "Add", dtypes=FLOATS, when=_BACK, ranks=IMAGES)
def conv_transpose_and_bias(op: ir.ConvTranspose) -> Call:
    """A transposed convolution, with or without groups, then Add of a bias for each channel."""
    operator, inputs, attributes = _transposed(op)
    assert op.bias is not None
    return Call((Nested(operator, op.result.type, inputs, attributes), _per_channel(op.bias, op.x.type.rank)))


@condition("windows without gaps")
def _dense(op: ir.AveragePool) -> str | None:
    return None if all(d == 1 for d in op.dilations) else f"dilations {list(op.dilations)}"


def _window(op: Any) -> dict[str, Any]:
    rounding = "ceil_torch" if op.ceil else "floor"
    fields = {"strides": op.strides, **_edges(op.pads), "kernel": op.kernel}
    return {**fields, "rounding_type": rounding, "auto_pad": "explicit"}


@emits(ir.AveragePool, "AvgPool", dtypes=FLOATS, when=(channels_first, narrow_pads, _dense), ranks=IMAGES)
def average_pool(op: ir.AveragePool) -> Call:
    """AvgPool; whether paddings count as zeros in the mean is the attribute ``exclude-pad``."""
    return Call((op.x,), {**_window(op), "exclude-pad": not op.count_pads})


DILATED = 16
"""The operation set from which on averages of windows with gaps are there."""


@emits(ir.AveragePool, "AvgPool", dtypes=FLOATS, when=(channels_first, narrow_pads), ranks=IMAGES)
def dilated_average(op: ir.AveragePool) -> Call:
    """AvgPool with dilations, which the operation has since operation set 16."""
    attributes = {**_window(op), "dilations": op.dilations, "exclude-pad": not op.count_pads}
    return Call((op.x,), attributes, opset=DILATED)


def _largest(op: ir.MaxPool | MaxPoolPositions) -> dict[str, Any]:
    return {**_window(op), "dilations": op.dilations, "index_element_type": DType.I64, "axis": 0}


@emits(ir.MaxPool, "MaxPool", dtypes=FLOATS, when=(channels_first, narrow_pads), ranks=IMAGES)
def max_pool(op: ir.MaxPool) -> Call:
    """MaxPool, in which paddings never win; its second result, the positions, is not read."""
    return Call((op.x,), _largest(op), unread=(TensorType(DType.I64, op.result.type.shape),))


@condition("positions counted row by row")
def _row_major(op: MaxPoolPositions) -> str | None:
    return None if not op.column_major else "positions counted column by column"


@emits(MaxPoolPositions, "MaxPool", dtypes=FLOATS, when=(narrow_pads, _row_major), ranks=IMAGES)
def max_pool_positions(op: MaxPoolPositions) -> Call:
    """MaxPool's second result: positions of the largest elements, counted in the whole operand."""
    return Call((op.x,), _largest(op))
