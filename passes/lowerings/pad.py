"""Lowerings of paddings: by mirroring, by repeating the edge, around."""

from __future__ import annotations

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import Dim, maximum
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.arith import Min, Mod, Sub
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Concat, Pad, Range, Slice, Tile
from ...compiler.types import DType
from .registry import lower, simplify

MAX_PAD_RANK = 5


@simplify(Pad)
def drop_empty_pads(op: Pad, e: Build) -> None:
    """A padding that adds nothing is an identity, so it is dropped."""
    if all(w == 0 for w in (*op.low, *op.high)):
        e.replace(op.x)


@lower(Pad)
def fold_around_pads(op: Pad, e: Build) -> None:
    """More axes than the kernel takes: neighbours without paddings become one."""
    shape = op.x.type.shape
    if len(shape) <= MAX_PAD_RANK or op.mode != "constant":
        return
    runs: list[list[int]] = []
    for axis in range(len(shape)):
        is_plain = op.low[axis] == 0 and op.high[axis] == 0
        if runs and is_plain and op.low[runs[-1][0]] == 0 and op.high[runs[-1][0]] == 0:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    if len(runs) > MAX_PAD_RANK:
        first = next(a for a, ends in enumerate(zip(op.low, op.high, strict=True)) if ends != (0, 0))
        others = {a for a in range(len(shape)) if a != first}
        e.replace(_pad_some(op, _pad_some(op, op.x, {first}, e), others, e))
        return
    x = e.reshape(op.x, [e.product([shape[a] for a in run]) for run in runs])
    low, high = (tuple(w[run[0]] for run in runs) for w in (op.low, op.high))
    e.replace(e.reshape(e(Pad, x, low, high, value=op.value), op.result.type.shape))


def _pad_some(op: Pad, x: Value, axes: set[int], e: Build) -> Value:
    """Pad ``x`` as the operation says, along some axes only."""
    low, high = (tuple(w if a in axes else 0 for a, w in enumerate(ws)) for ws in (op.low, op.high))
    return e(Pad, x, low, high, value=op.value)


@lower(Pad)
def repeat_edges(op: Pad, e: Build) -> None:
    """The first and the last position, as often as needed, beside the data."""
    if op.mode != "edge":
        return
    out = op.x
    for axis, (low, high) in enumerate(zip(op.low, op.high, strict=True)):
        end = out.type.shape[axis] - 1
        parts = [_edge(out, axis, 0, low, e), out, _edge(out, axis, end, high, e)]
        present = tuple(p for p in parts if p is not None)
        out = e.rw.emit(Concat(present, axis)) if len(present) > 1 else out
    e.replace(out)


def _edge(x: Value, axis: int, position: Dim, times: Dim, e: Build) -> Value | None:
    if times == 0:
        return None
    starts: list[Dim] = [0] * x.type.rank
    repeats: list[Dim] = [1] * x.type.rank
    sizes = list(x.type.shape)
    starts[axis], sizes[axis], repeats[axis] = position, 1, times
    return e(Tile, e(Slice, x, tuple(starts), tuple(sizes), (1,) * x.type.rank), tuple(repeats))


@lower(Pad)
def take_repeated_positions(op: Pad, e: Build) -> None:
    """Periodic data, and mirrors that may show more than the whole: positions are gathered, one axis after the other.

    For sizes that are open, the positions are computed when the network runs.
    """
    if op.mode not in ("wrap", "reflect", "symmetric"):
        return
    axis = next((a for a, (low, high) in enumerate(zip(op.low, op.high, strict=True)) if low != 0 or high != 0), None)
    if axis is None:
        return
    size, low, high = op.x.type.shape[axis], op.low[axis], op.high[axis]
    if isinstance(size, int) and isinstance(low, int) and isinstance(high, int):
        mode = "wrap" if op.mode == "wrap" else "reflect" if op.mode == "reflect" else "symmetric"
        reserve(size + low + high, bits=32, what="the positions")
        places = e.constant(np.pad(np.arange(size, dtype=np.int32), (low, high), mode))
    else:
        places = _repeated(op.mode, size, (low, high), e)
    padded = e(Gather, op.x, places, axis=axis)
    rest = [tuple(0 if a == axis else w for a, w in enumerate(ws)) for ws in (op.low, op.high)]
    e.replace(e(Pad, padded, *rest, mode=op.mode))


def _repeated(mode: str, size: Dim, widths: tuple[Dim, Dim], e: Build) -> Value:
    """Compute which positions padded data shows: they go up, or up and down again, as often as there is room."""
    low, high = widths
    start = e(Sub, e.number(0, DType.I32), e.size(low, DType.I32))
    places = e(Range, start, e.number(1, DType.I32), low + size + high)
    if mode == "wrap":
        return e(Mod, places, e.size(size, DType.I32))
    edge = 1 if mode == "reflect" else 0
    period = e.size(maximum(2 * size - 2 * edge, 1), DType.I32)
    up = e(Mod, places, period)
    return e(Min, up, e(Sub, period, up) if edge else e(Sub, e(Sub, period, up), e.number(1, DType.I32)))
