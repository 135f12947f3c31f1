"""Handlers of comparisons, logic, bit operations and selection."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import logic
from ....compiler.ops.arith import Max, Min
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
    """Shift to the left or to the right; by a negative number, or by all bits and more, everything is shifted out."""
    if direction not in ("LEFT", "RIGHT"):
        raise emit.fail(f"has the direction {direction!r}, neither LEFT nor RIGHT", code="F002")
    op = logic.ShiftLeft if direction == "LEFT" else logic.ShiftRight
    last = x.type.dtype.bits - 1
    known = emit.known(y)
    if known is not None and known.dtype != object and ((known >= 0) & (known <= last)).all():
        return emit(op(x, y))
    zero, most = (emit.const(n, y.type.dtype) for n in (0, last))
    inside = emit(Min(emit(Max(y, zero)), most))
    nothing = emit.const(0, x.type.dtype)
    is_signed = x.type.dtype.value.startswith("i")
    rest = emit(logic.ShiftRight(x, most)) if op is logic.ShiftRight and is_signed else nothing
    return emit(logic.Select(emit(logic.Equal(inside, y)), emit(op(x, inside)), rest))


@onnx_op("Where", since=9)
def where(emit: Emitter, condition: Value, x: Value, y: Value) -> Value:
    """Where: a choice between two tensors by a condition; all broadcast."""
    return emit(logic.Select(condition, x, y))
