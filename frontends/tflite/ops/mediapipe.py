"""Custom operators of MediaPipe's networks, whose options are the fields of a C structure instead of a flexbuffer."""

from __future__ import annotations

import struct

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.arith import Mul
from ....compiler.ops.index import ArgMax
from ....compiler.ops.logic import Equal
from ....compiler.ops.shape import Concat
from ....compiler.ops.spatial import DepthToSpace
from ....compiler.ops.window import MaxPool
from ....compiler.types import DType
from ....compiler.weights import Weight
from ..emitter import Emitter
from ..registry import builtin
from .window import Padding, transposed_convolution

WORDS: dict[int, Padding] = {1: "SAME", 2: "VALID"}
"""What the number of a padding stands for."""


def _fields(emit: Emitter, count: int) -> tuple[int, ...]:
    """Return the first integers of the options."""
    told = emit.operator.info.custom_options or b""
    if len(told) < 4 * count:
        raise emit.fail(f"has {len(told)} bytes of options, not {4 * count}", code="F002")
    found = struct.unpack_from(f"<{count}i", told)
    if found[0] not in WORDS:
        raise emit.fail(f"has the padding {found[0]}", code="F002")
    for number in found[1:]:
        emit.positive(number, "stride or window")
    return found


def _pool(emit: Emitter, x: Value) -> tuple[int, int]:
    """Return the sizes of a window; windows lie side by side."""
    _, stride_w, stride_h, width, height = _fields(emit, 5)
    if (stride_h, stride_w) != (height, width) or x.type.rank != 4:
        raise emit.fail("has windows that overlap, or do not touch")
    return height, width


def _in_windows(emit: Emitter, x: Value, height: int, width: int) -> Value:
    """Give the positions within a window an axis of their own, the last one."""
    n, h, w, c = x.type.shape
    if not isinstance(h, int) or not isinstance(w, int) or h % height or w % width:
        raise emit.fail(f"cuts {x.type} into windows of {height} x {width}")
    split = emit.reshape(x, (n, h // height, height, w // width, width, c))
    moved = emit.transpose(split, (0, 1, 3, 5, 2, 4))
    return emit.reshape(moved, (n, h // height, w // width, c, height * width))


@builtin("MaxPoolingWithArgmax2D", integers="raw")
def max_pooling_with_argmax(emit: Emitter, x: Value, *, custom_options: Weight | None = None) -> tuple[Value, Value]:
    """The largest element of each window, and its position within the window, as a number."""
    height, width = _pool(emit, x)
    none = ((0, 0), (0, 0))
    best = emit(MaxPool(x, (height, width), (height, width), (1, 1), none, False, True))
    places = emit(ArgMax(_in_windows(emit, x, height, width), 4, False, False, DType.I32))
    return best, emit.cast(places, emit.result_type(1))


@builtin("MaxUnpooling2D", integers="raw")
def max_unpooling(emit: Emitter, x: Value, places: Value, *, custom_options: Weight | None = None) -> Value:
    """Elements put where the largest ones of windows were; zeros elsewhere."""
    height, width = _pool(emit, x)
    n, h, w, c = x.type.shape
    size = height * width
    if height != width:
        raise emit.fail(f"has windows of {height} x {width}")
    parts: list[Value] = []
    for place in range(size):
        hit = emit(Equal(places, emit.const(place, places.type.dtype)))
        parts.append(emit(Mul(x, emit.cast(hit, x.type.dtype))))
    found = emit(DepthToSpace(emit(Concat(tuple(parts), 3)), height, "dcr", True))
    return emit.reshape(found, (n, h * height, w * width, c))


@builtin("Convolution2DTransposeBias", integers="raw")
def convolution_2d_transpose_bias(
    emit: Emitter, x: Value, w: Value, bias: Value, *, custom_options: Weight | None = None
) -> Value:
    """A transposed convolution with a bias; filters are ``o h w i``."""
    padding, stride_w, stride_h = _fields(emit, 3)
    if x.type.rank != 4 or w.type.rank != 4:
        raise emit.fail(f"has the operands {x.type} and {w.type}", code="F006")
    strides = (stride_h, stride_w)
    word = WORDS[padding]
    fields = zip(x.type.shape[1:3], w.type.shape[1:3], strides, strict=True)
    sizes: list[Dim] = [n * s if word == "SAME" else (n - 1) * s + k for n, k, s in fields]
    return transposed_convolution(emit, (x, w, bias), sizes, word, strides, "NONE")
