"""Rows of the table for convolutions and poolings over spatial axes."""

from __future__ import annotations

from typing import Any

from ....compiler.dims import static
from ....compiler.ops import window as ir
from ...common.windows import fitting, is_something, known_pads, narrow_pads, no_cuts, undilated
from ..table import Call, Nested, Operand, condition, emits, given, is_constant, sizes
from .common import channels_first, constant_parameters, plain

IMAGES = range(3, 6)
"""Ranks of signals, images and volumes."""


def _edges(pads: ir.Pads) -> dict[str, Operand]:
    """Return paddings as MIL has them: before and after, axis by axis."""
    flat = static(tuple(p for pair in pads for p in pair))
    return {"pad_type": "custom", "pad": flat} if any(flat) else {"pad_type": "valid"}


def _steps(op: ir.Conv | ir.ConvTranspose) -> dict[str, Operand]:
    return {"strides": op.strides, "dilations": op.dilations, "groups": op.groups}


_WHEN = (channels_first, plain, is_something, known_pads, no_cuts)


def _conv(op: ir.Conv) -> Call:
    return Call({**given(x=op.x, weight=op.w, bias=op.bias), **_steps(op), **_edges(op.pads)})


emits(ir.Conv, "conv", ranks=IMAGES, when=(*_WHEN, constant_parameters))(_conv)


@condition("a constant bias, or none")
def _constant_bias(op: ir.Conv) -> str | None:
    return None if is_constant(op.bias) else "a bias that is computed"


emits(ir.Conv, "conv", ranks=IMAGES, when=(*_WHEN, undilated, _constant_bias))(_conv)


@emits(ir.Conv, "add", ranks=IMAGES, when=(*_WHEN, undilated))
def conv_and_bias(op: ir.Conv) -> Call:
    """By filters that are computed, then a bias that is."""
    assert op.bias is not None
    shape = (1, op.bias.type.shape[0], *[1] * (op.x.type.rank - 2))
    bias = Nested("reshape", op.bias.type.with_shape(shape), {"x": op.bias, "shape": sizes(*shape)})
    product: dict[str, Operand] = {"x": op.x, "weight": op.w, **_steps(op), **_edges(op.pads)}
    return Call({"x": Nested("conv", op.result.type, product), "y": bias})


@condition("nothing added to the result that the paddings do not cut")
def _cuts_enough(op: ir.ConvTranspose) -> str | None:
    return None if _cut(op) is not None else f"{list(op.output_pads)} positions more than there are"


def _cut(op: ir.ConvTranspose) -> ir.Pads | None:
    """Return by how much the whole result is cut: less at its end where something is added there."""
    pairs = tuple((low, high - more) for (low, high), more in zip(op.pads, op.output_pads, strict=True))
    return None if any(isinstance(high, int) and high < 0 for _, high in pairs) else pairs


@condition("known numbers at the end of the result")
def _known_ends(op: ir.ConvTranspose) -> str | None:
    return None if all(isinstance(n, int) for n in op.output_pads) else "open output paddings"


@emits(ir.ConvTranspose, "conv_transpose", ranks=IMAGES, when=(*_WHEN, constant_parameters, _known_ends, _cuts_enough))
def conv_transpose(op: ir.ConvTranspose) -> Call:
    """A transposed convolution with constant filters, cropped by paddings at both ends."""
    pads = _cut(op)
    assert pads is not None
    return Call({**given(x=op.x, weight=op.w, bias=op.bias), **_steps(op), **_edges(pads)})


def _window(op: ir.MaxPool | ir.AveragePool) -> dict[str, Operand]:
    return {"x": op.x, "kernel_sizes": op.kernel, "strides": op.strides, **_edges(op.pads), "ceil_mode": False}


_POOL: tuple[Any, ...] = (channels_first, known_pads, narrow_pads, undilated, fitting)


@emits(ir.MaxPool, "max_pool", ranks=IMAGES, when=_POOL)
def max_pool(op: ir.MaxPool) -> Call:
    """The largest element of each window; paddings are never the largest."""
    return Call(_window(op))


@emits(ir.AveragePool, "avg_pool", ranks=IMAGES, when=_POOL)
def average_pool(op: ir.AveragePool) -> Call:
    """The mean of each window, in which paddings count or do not."""
    return Call({**_window(op), "exclude_padding_from_average": not op.count_pads})
