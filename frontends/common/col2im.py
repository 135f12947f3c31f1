"""Adding columns up to an image: the reverse of cutting an image into windows."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.ir import Value
from ...compiler.ops.index import ScatterElements
from ...compiler.ops.shape import BroadcastTo, Slice
from ...compiler.types import Array
from ..emitter import BaseEmitter

Sizes = tuple[int, ...]


def col2im(
    emit: BaseEmitter, input: Value, shapes: tuple[Sizes, Sizes], steps: tuple[Sizes, Sizes], pads: Sizes
) -> Value:
    """Put every window's elements where they would have been cut from; what meets there is added.

    ``shapes`` are those of the image and of the window, ``steps`` strides and dilations.

    Raises:
        CompileError: F002 or T001, the numbers don't fit.
    """
    (image, block), (strides, dilations) = shapes, steps
    rank = len(image)
    sides = pads or (0,) * (2 * rank)
    ones = (1,) * rank
    lengths = {len(block), len(sides) / 2, len(strides or ones), len(dilations or ones)}
    if input.type.rank != 3 or lengths != {rank} or min((*block, *strides, *dilations, *ones)) < 1:
        raise emit.fail(f"adds {input.type} up to an image of {list(image)}", code="F002")
    whole = [d + sides[i] + sides[i + rank] for i, d in enumerate(image)]
    places = _places(whole, block, strides or ones, dilations or ones)
    batch, columns, _ = input.type.shape
    size = int(np.prod(block))
    if not isinstance(columns, int) or columns % size or places.size != size * int(np.prod(places.shape[rank:])):
        raise emit.fail(f"has {columns} rows of columns for blocks of {list(block)}", code="T001")
    channels = columns // size
    rows = batch * channels
    with emit.typed():
        flat = emit.reshape(input, (rows, places.size))
    at = emit(BroadcastTo(emit.const(places.reshape(1, -1)), (rows, places.size)))
    empty = emit(BroadcastTo(emit.const(0, input.type.dtype), (rows, int(np.prod(whole)))))
    total = emit.reshape(emit(ScatterElements(empty, at, flat, 1, "add")), (batch, channels, *whole))
    if tuple(whole) == tuple(image):
        return total
    return emit(Slice(total, (0, 0, *sides[:rank]), (batch, channels, *image), (1,) * (rank + 2)))


def _places(whole: list[int], block: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]) -> Array:
    """Return the numbers of the padded image's elements, ``[block..., windows...]``."""
    rank = len(whole)
    total = np.zeros((1,) * (2 * rank), np.int64)
    for i, (size, k, s, d) in enumerate(zip(whole, block, strides, dilations, strict=True)):
        count = (size - d * (k - 1) - 1) // s + 1
        inner = (np.arange(k) * d).reshape([-1 if j == i else 1 for j in range(2 * rank)])
        outer = (np.arange(max(count, 0)) * s).reshape([-1 if j == rank + i else 1 for j in range(2 * rank)])
        reserve(*total.shape, k, max(count, 1), what="the positions of the blocks")
        total = total * size + inner + outer
    return total
