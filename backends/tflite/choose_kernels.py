"""choose-kernels: legal operations as others that the runtime has faster kernels for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import ClassVar

from ...compiler.dims import Shape, is_static, static
from ...compiler.fold import constant
from ...compiler.ir import Module, Value
from ...compiler.ops.arith import Add, Mul
from ...compiler.ops.core import Const
from ...compiler.ops.linear import MatMul
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Pad, Reshape, Slice
from ...compiler.ops.window import Conv
from ...compiler.options import Goal
from ...compiler.padding import known_pads, same_pads
from ...compiler.pipeline import Pass, register
from ...compiler.rewrite import Rewriter, pattern, rewrite
from ...compiler.types import DType
from ...compiler.weights import Weight

FAST_TAPS = 25
"""XNNPACK has kernels for depthwise filters of at most so many elements, whatever the processor.

Larger ones run as matrix products of one channel each: 3 to 10 times as long as parts of up to this size (x86 with
AVX-512, `benchmarks/kernels.py`).
"""

FEWEST_CHANNELS = 8
"""Of half as many, the fast kernels leave most of a vector unused: both forms take the same time."""


@pattern(Conv)
def split_depthwise(op: Conv, rw: Rewriter) -> None:
    """A depthwise filter that is too large for the fast kernels: a sum of smaller ones, each over its part of the data.

    Of the data every part reads what its own window covers.
    """
    filters = constant(op.w)
    kernel = op.w.type.shape[1:-1]
    if filters is None or not op.is_depthwise or not op.channels_last or len(kernel) != len("hw"):
        return
    taps = static(kernel)[0] * static(kernel)[1]
    is_slow = taps > FAST_TAPS and op.groups >= FEWEST_CHANNELS
    if not is_slow or op.w.type.shape[0] != op.groups or op.x.type.dtype is not DType.F32:
        return
    rw.require(is_static(op.x.type.shape), "sizes are open")
    pads = known_pads(op.pads)
    rw.require(pads is not None, "paddings depend on the shapes of inputs")
    assert pads is not None
    zeros = rw.emit(Const(Weight.splat(0, DType.F32, (op.groups,))))
    parts: list[Value] = []
    for block in _blocks_of(*static(kernel)):
        parts += _part(op, block, pads, zeros if parts or op.bias is None else op.bias, rw)
    rw.require(len(parts) > 1, "no more than one part of the filter reads any data")
    total = parts[0]
    for part in parts[1:-1]:
        total = rw.emit(Add(total, part))
    rw.replace(Add(total, parts[-1], op.activation))


def blocks(height: int, width: int) -> tuple[int, int]:
    """Return the size of the fewest blocks that cover a filter and are small enough; of equally few, the widest.

    >>> blocks(7, 7), blocks(31, 31), blocks(1, 60)
    ((3, 7), (3, 8), (1, 25))
    """
    sizes = [(min(FAST_TAPS // w, height), w) for w in range(1, min(width, FAST_TAPS) + 1)]
    return min(sizes, key=lambda size: (-(-height // size[0]) * -(-width // size[1]), -size[1]))


def _blocks_of(height: int, width: int) -> Iterator[tuple[range, range]]:
    """Return the rows and columns of each block of a filter."""
    rows, columns = blocks(height, width)
    return product(_parts_of(height, rows), _parts_of(width, columns))


def _parts_of(length: int, size: int) -> list[range]:
    """Cut a length into the fewest parts of at most a size; of an odd number the middle one in the middle.

    What reads around every element alike needs neither a part of the data nor paddings of its own.
    """
    count = -(-length // size)
    middle = size - (length - size) % 2
    side = (length - middle) // 2
    if count % 2 == 0 or count == 1 or middle <= 0 or side > size * (count // 2):
        return [range(first, min(first + size, length)) for first in range(0, length, size)]
    before = [side * i // (count // 2) for i in range(count // 2 + 1)]
    ends = [*before, *(length - e for e in reversed(before))]
    return [range(first, end) for first, end in pairwise(ends)]


def _part(op: Conv, block: tuple[range, range], pads: list[tuple[int, int]], bias: Value, rw: Rewriter) -> list[Value]:
    """Return what a block of a filter adds to the result, if it reads anything but paddings."""
    starts, sizes, around = [0, 0, 0, 0], list(static(op.x.type.shape)), [(0, 0), (0, 0)]
    for i, (places, pad) in enumerate(zip(block, pads, strict=True)):
        low = places[0] * op.dilations[i] - pad[0]
        reach = (static(op.result.type.shape)[i + 1] - 1) * op.strides[i] + (len(places) - 1) * op.dilations[i] + 1
        available = sizes[i + 1]
        starts[i + 1], end = max(low, 0), min(low + reach, available)
        sizes[i + 1] = end - starts[i + 1]
        around[i] = max(-low, 0), max(low + reach - available, 0)
    if min(sizes) <= 0:
        return []
    whole = tuple(sizes) == op.x.type.shape
    x = op.x if whole else rw.emit(Slice(op.x, tuple(starts), tuple(sizes), (1, 1, 1, 1)))
    first, shape = (0, *(places[0] for places in block), 0), (op.groups, *map(len, block), 1)
    w = rw.emit(Slice(op.w, first, shape, (1, 1, 1, 1)))
    fields = zip(sizes[1:3], map(len, block), op.strides, op.dilations, strict=True)
    if around not in ([(0, 0), (0, 0)], [same_pads(*f) for f in fields]):
        low, high = zip(*around, strict=True)
        x, around = rw.emit(Pad(x, (0, *low, 0), (0, *high, 0))), [(0, 0), (0, 0)]
    return [rw.emit(op.clone((x, w, bias), pads=tuple(around), activation="none"))]


ONE_ROW = 1 << 16
"""Elements of the other matrix from which a product with one row is faster without BATCH_MATMUL.

That packs the other matrix, element by element, to use it once: 1.1 to 1.4 times as long as a product and a sum.
"""

MAX_RANK = 4
"""Axes of operands whose product and sum XNNPACK runs at full speed."""


@pattern(MatMul)
def row_times_matrix(op: MatMul, rw: Rewriter) -> None:
    """One row times a matrix, both computed: a product of all elements, and sums. So attention looks for one token."""
    row, matrix, shape = op.a, op.b, op.result.type.shape
    size = matrix.type.size
    is_one = shape[-2] == 1 and row.type.shape[:-2] == matrix.type.shape[:-2] and len(shape) <= MAX_RANK
    if not is_one or op.result.type.dtype is not DType.F32 or constant(row) or constant(matrix):
        return
    rw.require(isinstance(size, int), "sizes are open")
    rw.require(isinstance(size, int) and size >= ONE_ROW, "the matrix is too small for this to be faster")
    batch, depth = row.type.shape[:-2], row.type.shape[-2 if op.transpose_a else -1]
    if op.transpose_b:
        products = rw.emit(Mul(_reshaped(row, (*batch, 1, depth), rw), matrix))
        rw.replace(_reshaped(rw.emit(Reduce(products, "sum", (len(batch) + 1,))), shape, rw))
        return
    products = rw.emit(Mul(_reshaped(row, (*batch, depth, 1), rw), matrix))
    rw.replace(rw.emit(Reduce(products, "sum", (len(batch),))))


def _reshaped(x: Value, shape: Shape, rw: Rewriter) -> Value:
    return x if x.type.shape == shape else rw.emit(Reshape(x, shape))


@register("choose-kernels")
class ChooseKernels(Pass):
    """Replace operations by what the TFLite runtime has faster kernels for; run legalize before.

    A depthwise filter of more than 25 elements becomes a sum of smaller ones, one row times a large matrix products and
    sums. ``optimize`` is ``balanced``, which does
    what is worth its bytes, or ``size``, which does nothing that adds operations.
    """

    after_quantization: ClassVar[bool] = True
    optimize: Goal = "balanced"

    def run(self, module: Module) -> None:
        """Rewrite into legal operations again."""
        if self.optimize != "size":
            rewrite(module, [split_depthwise, row_times_matrix])
