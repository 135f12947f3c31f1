"""Comparison, logic, bits and selection."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import logic
from ..emitter import Emitter
from ..registry import binary, onnx_op, unary

unary("Not", logic.LogicalNot)
unary("IsNaN", logic.IsNan, since=9)
unary("BitwiseNot", logic.BitwiseNot, since=18)

for _name, _op, _since in (
    ("And", logic.LogicalAnd, 7),
    ("Or", logic.LogicalOr, 7),
    ("Xor", logic.LogicalXor, 7),
    ("Equal", logic.Equal, 7),
    ("Greater", logic.Greater, 7),
    ("GreaterOrEqual", logic.GreaterEqual, 12),
    ("Less", logic.Less, 7),
    ("LessOrEqual", logic.LessEqual, 12),
    ("BitwiseAnd", logic.BitwiseAnd, 18),
    ("BitwiseOr", logic.BitwiseOr, 18),
    ("BitwiseXor", logic.BitwiseXor, 18),
):
    binary(_name, _op, since=_since)


@onnx_op("IsInf", since=10)
def is_inf(emit: Emitter, x: Value, *, detect_negative: int = 1, detect_positive: int = 1) -> Value:
    """Whether elements are infinite, of the signs asked for."""
    return emit(logic.IsInf(x, bool(detect_negative), bool(detect_positive)))


@onnx_op("BitShift", since=11)
def bit_shift(emit: Emitter, x: Value, y: Value, *, direction: str) -> Value:
    """Shift to the left or to the right."""
    if direction not in ("LEFT", "RIGHT"):
        raise emit.fail(f"has the direction {direction!r}, neither LEFT nor RIGHT", code="F002")
    return emit(logic.ShiftLeft(x, y) if direction == "LEFT" else logic.ShiftRight(x, y))


@onnx_op("Where", since=9)
def where(emit: Emitter, condition: Value, x: Value, y: Value) -> Value:
    """Choose by a condition."""
    return emit(logic.Select(condition, x, y))
