"""Texts decoded from classes of steps, and images of video converted to colours."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Mul, Round, Sub
from ....compiler.ops.index import ArgMax, CumSum, ScatterElements
from ....compiler.ops.logic import Less, LogicalAnd, NotEqual, Select
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Slice
from ....compiler.ops.spatial import Resize
from ....compiler.types import DType
from ...slicing import cut
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("CTCGreedyDecoder")
def ctc_greedy_decoder(emit: Emitter, x: Value, mask: Value, *, ctc_merge_repeated: bool = True) -> Value:
    """The best class of each step but for blanks and repetitions, then -1; the last class is the blank."""
    steps, batch, classes = x.type.shape
    best = emit.transpose(emit(ArgMax(x, 2, keepdims=False)), (1, 0))
    valid = emit(NotEqual(emit.transpose(mask, (1, 0)), emit.number(0, mask)))
    if not isinstance(classes, int):
        raise emit.fail("has an open number of classes", code="F004")
    places, _ = _decoded(emit, best, valid, emit.const(classes - 1, DType.I64), merges=ctc_merge_repeated)
    return emit.reshape(emit.cast(places, x.type.dtype), (batch, steps, 1, 1))


@openvino_op("CTCGreedyDecoderSeqLen", since=6)
def ctc_greedy_decoder_of_lengths(
    emit: Emitter,
    x: Value,
    lengths: Value,
    blank: Value | None = None,
    *,
    merge_repeated: bool = True,
    classes_index_type: DType = DType.I32,
    sequence_length_type: DType = DType.I32,
) -> tuple[Value, Value]:
    """The best class of each step but for blanks and repetitions, then -1; and how many there are."""
    steps, classes = x.type.shape[1:]
    if not isinstance(steps, int) or not isinstance(classes, int):
        raise emit.fail(f"decodes {x.type}", code="F004")
    best = emit(ArgMax(x, 2, keepdims=False))
    numbers = emit.const(np.arange(steps)[None, :], lengths.type.dtype)
    valid = emit(Less(numbers, emit.reshape(lengths, (*lengths.type.shape, 1))))
    none = emit.const(classes - 1, DType.I64) if blank is None else emit.cast(emit.reshape(blank, ()), DType.I64)
    places, count = _decoded(emit, best, valid, none, merges=merge_repeated)
    return emit.cast(places, classes_index_type), emit.cast(count, sequence_length_type)


def _decoded(emit: Emitter, best: Value, valid: Value, blank: Value, *, merges: bool) -> tuple[Value, Value]:
    """Move what is kept of each row to its beginning, and count it."""
    batch, steps = best.type.shape
    kept = emit(LogicalAnd(valid, emit(NotEqual(best, blank))))
    if merges:
        first = emit.expand(emit.const(-1, DType.I64), (batch, 1))
        before = emit(Concat((first, cut(emit, best, {1: (0, -1, 1)})), 1))
        kept = emit(LogicalAnd(kept, emit(NotEqual(best, before))))
    ones = emit.cast(kept, DType.I64)
    counted = emit(Sub(emit(CumSum(ones, 1)), emit.const(1, DType.I64)))
    last = emit.reshape(emit.size(best, 1, DType.I64), ())
    places = emit(Select(kept, counted, last))
    empty = emit.expand(emit.const(-1, DType.I64), (batch, steps + 1))
    whole = emit(ScatterElements(empty, places, best, 1))
    found = emit(Slice(whole, (0, 0), (batch, steps), (1, 1)))
    return found, emit(Reduce(ones, "sum", (1,), False))


def _register(name: str, *, is_bgr: bool, planes: int) -> None:
    """Register the conversion of images whose brightness has a value for each pixel, and colours one for four."""

    @openvino_op(name, since=8)
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, y: Value, u: Value | None = None, v: Value | None = None
    ) -> Value:
        dtype = y.type.dtype
        wide = [emit.cast(p, DType.F32) for p in (y, u, v) if p is not None]
        if len(wide) == 1:
            wide = _split(emit, wide[0], planes)
        elif len(wide) == 2:
            wide = [wide[0], *_channels(emit, wide[1])]
        if len(wide) != 3:
            raise emit.fail(f"has {len(wide)} planes", code="F006")
        found = _colours(emit, wide, is_bgr=is_bgr)
        return emit.cast(found if dtype.is_float else emit(Round(found)), dtype)


def _channels(emit: Emitter, uv: Value) -> list[Value]:
    n, h, w, _ = uv.type.shape
    return [emit(Slice(uv, (0, 0, 0, c), (n, h, w, 1), (1,) * 4)) for c in (0, 1)]


def _split(emit: Emitter, x: Value, planes: int) -> list[Value]:
    """Return the planes of one image: brightness above, then colours side by side in pairs, or one after the other."""
    n, rows, w, _ = x.type.shape
    h = rows * 2 // 3
    y = emit(Slice(x, (0, 0, 0, 0), (n, h, w, 1), (1,) * 4))
    rest = emit(Slice(x, (0, h, 0, 0), (n, rows - h, w, 1), (1,) * 4))
    if planes == 2:
        return [y, *_channels(emit, emit.reshape(rest, (n, h // 2, w // 2, 2)))]
    both = emit.reshape(rest, (n, 2, h // 2, w // 2))
    parts = [emit(Slice(both, (0, c, 0, 0), (n, 1, h // 2, w // 2), (1,) * 4)) for c in (0, 1)]
    return [y, *(emit.reshape(p, (n, h // 2, w // 2, 1)) for p in parts)]


def _colours(emit: Emitter, planes: list[Value], *, is_bgr: bool) -> Value:
    """Return red, green and blue, or the other way round, by the matrix of BT.601."""
    y, u, v = planes
    sizes = y.type.shape[1:3]
    u, v = (emit(Resize(p, (1, 2), sizes, "nearest", "asymmetric", "floor")) for p in (u, v))
    c = emit(Mul(emit(Sub(y, emit.number(16, y))), emit.number(1.164, y)))
    d, e = (emit(Sub(p, emit.number(128, p))) for p in (u, v))
    red = emit(Add(c, emit(Mul(e, emit.number(1.596, e)))))
    green = emit(Sub(emit(Sub(c, emit(Mul(e, emit.number(0.813, e))))), emit(Mul(d, emit.number(0.391, d)))))
    blue = emit(Add(c, emit(Mul(d, emit.number(2.018, d)))))
    order = (blue, green, red) if is_bgr else (red, green, blue)
    return emit(Clip(emit(Concat(order, 3)), 0.0, 255.0))


for _name, _planes in (("NV12", 2), ("I420", 3)):
    _register(f"{_name}toBGR", is_bgr=True, planes=_planes)
    _register(f"{_name}toRGB", is_bgr=False, planes=_planes)
