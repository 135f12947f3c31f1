"""Rows for what open sizes decide about: repetition, places, ranges and shapes.

Functions of Keras take no sizes that are computed, only tensors; so a size is a vector of as many zeros, positions are
its running sum, and elements are taken by them.
"""

from __future__ import annotations

import numpy as np

from ....compiler.constants import elements
from ....compiler.dims import Dim, Sym, is_static
from ....compiler.ops import shape as ir
from ....compiler.types import DType, TensorType
from ....formats.keras.build import NAMES
from ..table import ANY, Call, Nested, Operand, Weight, Zeros, condition, count_up, emits, scalar, told
from .common import repetitions


@condition("open sizes that shapes tell, along axes of size one")
def _repeats_units(op: ir.BroadcastTo | ir.Tile) -> str | None:
    times = repetitions(op)
    given = (1,) * (len(times) - op.x.type.rank) + op.x.type.shape
    if any(isinstance(n, Sym) and d != 1 for n, d in zip(times, given, strict=True)):
        return "repetition of more than one element by an open size"
    return told(times)


def _taken(op: ir.BroadcastTo | ir.Tile) -> Call:
    """Repetition by known numbers, then the only element again and again along the axes that are open."""
    times = repetitions(op)
    shape = tuple(
        d * n if isinstance(n, int) else d
        for d, n in zip((1,) * (len(times) - op.x.type.rank) + op.x.type.shape, times, strict=True)
    )
    settings = {"repeats": tuple(n if isinstance(n, int) else 1 for n in times)}
    inner: Operand = Nested("ops.tile", op.x.type.with_shape(shape), (op.x,), settings)
    *first, last = [axis for axis, n in enumerate(times) if isinstance(n, Sym)]
    for axis in first:
        shape = (*shape[:axis], times[axis], *shape[axis + 1 :])
        inner = Nested("ops.take", op.x.type.with_shape(shape), (inner, Zeros(times[axis])), {"axis": axis})
    return Call((inner, Zeros(times[last])), {"axis": last}, function="ops.take")


@condition("an open number of repetitions")
def _open_times(op: ir.BroadcastTo | ir.Tile) -> str | None:
    return None if any(isinstance(n, Sym) for n in repetitions(op)) else "known numbers"


emits(ir.BroadcastTo, "ops.take", dtypes=ANY, when=(_open_times, _repeats_units))(_taken)
emits(ir.Tile, "ops.take", dtypes=ANY, when=(_open_times, _repeats_units))(_taken)


@condition("one axis cut at a known place, of a size that shapes tell")
def _one_axis(op: ir.Slice) -> str | None:
    fields = zip(op.x.type.shape, op.starts, op.sizes, op.steps, strict=True)
    cut = [(start, size) for whole, start, size, step in fields if (start, size, step) != (0, whole, 1)]
    if len(cut) != 1 or not isinstance(cut[0][0], int):
        return "several axes, or a place that open sizes decide about"
    return told((cut[0][1],))


@emits(ir.Slice, "ops.take", dtypes=ANY, when=(_one_axis,))
def take_range(op: ir.Slice) -> Call:
    """``ops.take`` of an open number of elements along one axis, at ``start + step * i``."""
    fields = zip(op.x.type.shape, op.starts, op.sizes, op.steps, strict=True)
    axis = next(a for a, (whole, *cut) in enumerate(fields) if tuple(cut) != (0, whole, 1))
    return Call((op.x, _positions(op.starts[axis], op.steps[axis], op.sizes[axis])), {"axis": axis})


def _positions(start: Dim, step: int, size: Dim) -> Nested:
    """Return an open number of positions."""
    assert isinstance(start, int)
    found = count_up(size)
    found = Nested("ops.multiply", found.type, (found, scalar(step, DType.I32)))
    found = Nested("ops.add", found.type, (found, scalar(start, DType.I32)))
    return found


@condition("known start and step of integers, and a size that shapes tell")
def _known_steps(op: ir.Range) -> str | None:
    if elements(op.start) is None or elements(op.step) is None or not isinstance(op.size, Sym):
        return "ends that are computed"
    return told((op.size,))


@emits(ir.Range, "ops.cast", dtypes="i32 i64", when=(_known_steps,))
def range_(op: ir.Range) -> Call:
    """A range of open length: ``start + step * i``, converted to the operation's type of integers."""
    start, step = elements(op.start), elements(op.step)
    assert start is not None and step is not None
    found = _positions(int(start), int(step), op.size)
    return Call((found,), {"dtype": NAMES[op.start.type.dtype]})


@condition("sizes that shapes tell")
def _told_sizes(op: ir.ShapeOf) -> str | None:
    sizes = tuple(op.x.type.shape[axis] for axis in op.dims)
    return "known sizes" if is_static(sizes) or not sizes else told(sizes)


@emits(ir.ShapeOf, "ops.cast", dtypes=ANY, when=(_told_sizes,))
def shape_of(op: ir.ShapeOf) -> Call:
    """The sizes of a tensor as a vector; an open size is the sum of a vector of as many ones."""
    parts = [_length(op.x.type.shape[axis]) for axis in op.dims]
    joined = Nested("ops.concatenate", TensorType(DType.I32, (len(parts),)), (tuple(parts),), {"axis": 0})
    return Call((joined,), {"dtype": NAMES[op.dtype]})


def _length(size: Dim) -> Operand:
    if isinstance(size, int):
        return ints(size)
    ones = Nested("ops.add", Zeros(size).type, (Zeros(size), scalar(1, DType.I32)))
    return Nested("ops.sum", TensorType(DType.I32, (1,)), (ones,), {"axis": (0,), "keepdims": True})


def ints(*values: int) -> Weight:
    """Return a constant vector of i32, as functions of Keras take sizes and positions."""
    return Weight.of(np.asarray(values, np.int32))
