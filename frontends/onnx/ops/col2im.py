"""Adding columns up to an image: the reverse of cutting an image into windows."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common.col2im import col2im as summed_columns
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("Col2Im", since=18)
def col2im(
    emit: Emitter,
    input: Value,
    image_shape: Value,
    block_shape: Value,
    *,
    dilations: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """Every window's elements go where they would have been cut from; what meets there is added."""
    image, block = emit.ints(image_shape, "image_shape"), emit.ints(block_shape, "block_shape")
    return summed_columns(emit, input, (image, block), (strides, dilations), pads)
