"""Loops around the cell of a recurrent layer, read as the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....compiler.ir import Op, Region, Value
from ....compiler.ops.core import Const
from ....compiler.ops.quantize import Dequantize
from ....compiler.ops.recurrent import Recurrent
from ....compiler.ops.shape import Reshape
from ....compiler.types import TensorType
from ....formats.openvino.model import Link
from ..emitter import Emitter
from .iteration import Iteration

WEIGHTS = (Const, Dequantize)
"""Operations of a body that the weights of a cell are made by."""


def as_sequence(emit: Emitter, loop: Iteration) -> tuple[Value, ...] | None:
    """Return the results of a recurrent layer that does what a loop does; None if the loop does more.

    The body is a cell that reads one position of the sequence, begins with what is carried, and gives its output.
    """
    sliced = [n for n, (_, link, _) in enumerate(loop.parameters) if link is not None and link.axis is not None]
    if len(sliced) != 1:
        return None
    types = [_type(emit, loop, n) for n in range(len(loop.parameters))]
    region, out = emit.around.region(loop.body, types)
    cells = [op for op in region.ops if isinstance(op, Recurrent)]
    others = [op for op in region.ops if not isinstance(op, (*WEIGHTS, Reshape, Recurrent))]
    if len(cells) != 1 or others or any(link.part != 1 for link, _ in loop.results if link.axis is not None):
        return None
    return _Layer(emit, loop, region, out, cells[0]).build(sliced[0])


def _type(emit: Emitter, loop: Iteration, n: int) -> TensorType:
    """Return the type of what a Parameter gets in an iteration."""
    _, link, value = loop.parameters[n]
    if value is None or link is None:
        return emit.const(0).type
    if link.axis is None:
        return value.type
    axis, shape = emit.axis(link.axis, value.type.rank), value.type.shape
    return value.type.with_shape((*shape[:axis], link.part, *shape[axis + 1 :]))


class _Layer:
    """The cell of a body, and how the loop's operands and results are those of the layer."""

    def __init__(self, emit: Emitter, loop: Iteration, region: Region, out: list[Value], cell: Recurrent) -> None:
        self.emit = emit
        self.loop = loop
        self.numbers = {arg: n for n, arg in enumerate(region.args)}
        self.out = out
        self.cell = cell

    def build(self, source: int) -> tuple[Value, ...] | None:
        """Insert the layer; None if the body does more than the cell."""
        _, link, x = self.loop.parameters[source]
        assert link is not None and x is not None and link.axis is not None
        axis = self.emit.axis(link.axis, x.type.rank)
        if self._argument(self.cell.x) != source or x.type.rank != 3 or axis > 1 or not _is_whole(link):
            return None
        states = [self._argument(v) for v in self._states()]
        last = dict(enumerate(self.cell.results[1:]))
        for slot, number in enumerate(states):
            place = None if number is None else self.loop.carried.get(number)
            if place is None or _source(self.out[place]) is not last[slot]:
                return None
        if len(self.loop.carried) != len(states) or not all(self._is_result(r) for r in self.loop.results):
            return None
        starts = [self._start(n) for n in states if n is not None]
        made = self._insert(x, starts, {"batch_first": axis == 1, "reverse": link.stride < 0})
        return tuple(self._result(r, made, axis) for r in self.loop.results)

    def _states(self) -> list[Value]:
        found = [self.cell.h0, *([c0] if (c0 := getattr(self.cell, "c0", None)) is not None else [])]
        return [v for v in found if v is not None]

    def _argument(self, value: Value) -> int | None:
        return self.numbers.get(_source(value))

    def _start(self, number: int) -> Value:
        value = self.loop.parameters[number][2]
        assert value is not None
        return value

    def _is_result(self, result: tuple[Link, int]) -> bool:
        """Whether a result of the loop is the layer's outputs side by side, or a state at the end."""
        link, place = result
        source = _source(self.out[place])
        if link.axis is None:
            return source in self.cell.results[1:] or source is self.cell.results[0]
        own = self.loop.parameters[self._argument(self.cell.x) or 0][1]
        is_output = source in self.cell.results[:2]
        return own is not None and is_output and _is_whole(link) and (link.axis, link.stride) == (own.axis, own.stride)

    def _insert(self, x: Value, starts: Sequence[Value], how: dict[str, Any]) -> tuple[Value, ...]:
        """Insert the layer, its weights before it."""
        slots = {"h0": 0, "c0": 1}
        operands: list[Value | None] = []
        for name, value in zip(self.cell.spec.operands, self.cell.operands, strict=True):
            if name == "x":
                operands.append(x)
            elif name in slots and value is not None:
                start = starts[slots[name]]
                operands.append(self.emit.reshape(start, value.type.shape))
            else:
                operands.append(None if value is None else self._outside(value))
        layer = self.cell.spec.build(type(self.cell), operands, {**self.cell.attributes, **how})
        return self.emit.all(layer)

    def _outside(self, value: Value) -> Value:
        """Return a weight outside of the body: an operand of the loop, or built again."""
        if value in self.numbers:
            found = self.loop.parameters[self.numbers[value]][2]
            assert found is not None
            return found
        op = value.owner
        assert op is not None
        return self.emit(_again(op, [None if v is None else self._outside(v) for v in op.operands]))

    def _result(self, result: tuple[Link, int], made: tuple[Value, ...], axis: int) -> Value:
        link, place = result
        value = self.out[place]
        if link.axis is not None:
            return made[0]
        source = _source(value)
        number = 1 if source is self.cell.results[0] else self.cell.results.index(source)
        return self.emit.reshape(made[number], value.type.shape)


def _again(op: Op, operands: Sequence[Value | None]) -> Op:
    return op.spec.build(type(op), operands, op.attributes)


def _source(value: Value) -> Value:
    """Return what a value is before it was reshaped."""
    while isinstance(value.owner, Reshape):
        value = value.owner.x
    return value


def _is_whole(link: Link) -> bool:
    """Whether pieces are single positions, all of them, in their order or backwards."""
    ends = (link.start, link.end)
    return link.part == 1 and ((link.stride == 1 and ends == (0, -1)) or (link.stride == -1 and ends == (-1, 0)))
