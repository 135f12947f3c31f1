"""Convolutions whose windows have places of their own: DeformConv."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.deform import deform_conv as deformed
from ...common.padding import window
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("DeformConv", since=19)
def deform_conv(
    emit: Emitter,
    x: Value,
    w: Value,
    offset: Value,
    b: Value | None = None,
    mask: Value | None = None,
    *,
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    offset_group: int = 1,
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """A convolution whose window has a place of its own for each element at each position."""
    if x.type.rank != 4:
        raise emit.fail(f"convolves {x.type}; two spatial axes are supported")
    kernel = kernel_shape or tuple(d for d in w.type.shape[2:] if isinstance(d, int))
    found = window(emit, x, kernel, strides, dilations, "NOTSET", pads)
    return deformed(emit, x, w, offset, (b, mask), found, (group, offset_group))
