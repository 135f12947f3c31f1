"""Handlers of elementwise operations: arithmetic, comparison, logic, bits, selection and conversions."""

from __future__ import annotations

from typing import Literal

from ....compiler.ir import Op, Value
from ....compiler.ops import arith, logic
from ....compiler.ops.activation import Clip
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import openvino_op, unary
from .weights import scaled_integers

AutoBroadcast = Literal["numpy", "none", "pdpd"]
"""How shapes are made equal; pdpd aligns the second operand at an axis, where numpy aligns at the last one."""

for _name, _op in {
    "Abs": arith.Abs,
    "Acos": arith.Acos,
    "Acosh": arith.Acosh,
    "Asin": arith.Asin,
    "Asinh": arith.Asinh,
    "Atan": arith.Atan,
    "Atanh": arith.Atanh,
    "Ceiling": arith.Ceil,
    "Cos": arith.Cos,
    "Cosh": arith.Cosh,
    "Erf": arith.Erf,
    "Exp": arith.Exp,
    "Floor": arith.Floor,
    "IsNaN": logic.IsNan,
    "Log": arith.Log,
    "LogicalNot": logic.LogicalNot,
    "Negative": arith.Neg,
    "Sign": arith.Sign,
    "Sin": arith.Sin,
    "Sinh": arith.Sinh,
    "Sqrt": arith.Sqrt,
    "Tan": arith.Tan,
}.items():
    unary(_name, _op)


def _binary(name: str, op: type[Op], *, since: int = 1, until: int | None = None) -> None:
    """Register an operation of two operands that is one of the IR."""

    @openvino_op(name, since=since, until=until)
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy"
    ) -> Value:
        _check_broadcast(emit, auto_broadcast, a, b)
        return emit(op(a, b))


def _check_broadcast(emit: Emitter, how: str, a: Value, b: Value) -> None:
    """Refuse alignment at another axis than the last one, unless it is the same.

    Raises:
        CompileError: F005.
    """
    if how == "pdpd" and a.type.rank != b.type.rank:
        raise emit.fail(f"broadcasts {a.type} and {b.type} as PaddlePaddle does")


for _name, _op in {
    "Add": arith.Add,
    "Equal": logic.Equal,
    "Greater": logic.Greater,
    "GreaterEqual": logic.GreaterEqual,
    "Less": logic.Less,
    "LessEqual": logic.LessEqual,
    "LogicalAnd": logic.LogicalAnd,
    "LogicalOr": logic.LogicalOr,
    "LogicalXor": logic.LogicalXor,
    "Maximum": arith.Max,
    "Minimum": arith.Min,
    "NotEqual": logic.NotEqual,
    "Power": arith.Pow,
    "SquaredDifference": arith.SquaredDifference,
    "Subtract": arith.Sub,
}.items():
    _binary(_name, _op)

for _name, _op in {
    "BitwiseAnd": logic.BitwiseAnd,
    "BitwiseOr": logic.BitwiseOr,
    "BitwiseXor": logic.BitwiseXor,
}.items():
    _binary(_name, _op, since=13)

_binary("Xor", logic.LogicalXor, until=3)


@openvino_op("Multiply")
def multiply(emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """Product; of a constant of few bits and its scale, the numbers that it stands for."""
    _check_broadcast(emit, auto_broadcast, a, b)
    numbers = scaled_integers(emit, a, b) or scaled_integers(emit, b, a)
    return numbers or emit(arith.Mul(a, b))


@openvino_op("Divide")
def divide(
    emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy", m_pythondiv: bool = True
) -> Value:
    """Quotient; of integers, rounded towards zero: what kernels do, whatever ``m_pythondiv`` says."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(arith.Div(a, b))


@openvino_op("Mod")
def mod(emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """Mod: the remainder with the sign of the dividend, as C's ``%`` has it."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(arith.Mod(a, b, True))


@openvino_op("FloorMod")
def floor_mod(emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """FloorMod: the remainder with the sign of the divisor, as Python's ``%`` has it."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(arith.Mod(a, b))


@openvino_op("Round", since=5)
def round_(emit: Emitter, x: Value, *, mode: Literal["half_to_even", "half_away_from_zero"] = "half_to_even") -> Value:
    """Round: halfway between two integers to the even one, or away from 0 as ``sign(x) * floor(abs(x) + 0.5)``."""
    if mode == "half_to_even" or not x.type.dtype.is_float:
        return emit(arith.Round(x))
    return emit(
        arith.Mul(emit(arith.Sign(x)), emit(arith.Floor(emit(arith.Add(emit(arith.Abs(x)), emit.number(0.5, x))))))
    )


@openvino_op("IsInf", since=10)
def is_inf(emit: Emitter, x: Value, *, detect_negative: bool = True, detect_positive: bool = True) -> Value:
    """IsInf: whether an element is infinite, of either sign or of one, as attributes say."""
    return emit(logic.IsInf(x, detect_negative, detect_positive))


@openvino_op("IsFinite", since=10)
def is_finite(emit: Emitter, x: Value) -> Value:
    """IsFinite: whether an element is neither infinite nor NaN, by the IR's tests for both."""
    odd = emit(logic.LogicalOr(emit(logic.IsInf(x)), emit(logic.IsNan(x))))
    return emit(logic.LogicalNot(odd))


@openvino_op("BitwiseNot", since=13)
def bitwise_not(emit: Emitter, x: Value) -> Value:
    """BitwiseNot: all bits inverted, which for booleans is the logical operation."""
    return emit((logic.LogicalNot if x.type.dtype is DType.BOOL else logic.BitwiseNot)(x))


@openvino_op("BitwiseLeftShift", since=15)
def shift_left(emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """BitwiseLeftShift: the bits of ``a`` shifted by ``b`` places, zeros filled in from below."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(logic.ShiftLeft(a, b))


@openvino_op("BitwiseRightShift", since=15)
def shift_right(emit: Emitter, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """BitwiseRightShift: the bits of ``a`` shifted down by ``b`` places; the sign of negative numbers is kept."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(logic.ShiftRight(a, b))


@openvino_op("Select")
def select(emit: Emitter, condition: Value, a: Value, b: Value, *, auto_broadcast: AutoBroadcast = "numpy") -> Value:
    """Select: elements of ``a`` where the condition holds, else of ``b``; all three are broadcast."""
    _check_broadcast(emit, auto_broadcast, a, b)
    return emit(logic.Select(condition, a, b))


@openvino_op("Convert")
def convert(emit: Emitter, x: Value, *, destination_type: DType) -> Value:
    """Convert the element type; what is stored in 16 bits is computed with in 32."""
    return _converted(emit, x, destination_type)


@openvino_op("ConvertLike")
def convert_like(emit: Emitter, x: Value, like: Value) -> Value:
    """ConvertLike: a conversion to the element type of another tensor, whose elements are not read."""
    return _converted(emit, x, like.type.dtype)


def _converted(emit: Emitter, x: Value, to: DType) -> Value:
    """Convert; only zero is false."""
    if to is DType.BOOL and x.type.dtype.is_float:
        return emit(logic.NotEqual(x, emit.number(0, x)))
    limit = LARGEST.get(to)
    return emit.convert(x if limit is None else emit(Clip(emit.convert(x, DType.F32), -limit, limit)), to)


LARGEST = {DType.F8E4M3FN: 448.0, DType.F8E5M2: 57344.0}
"""The largest numbers of types of eight bits, which conversions don't leave."""


@openvino_op("ConvertPromoteTypes", since=14)
def convert_promote_types(
    emit: Emitter,
    a: Value,
    b: Value,
    *,
    promote_unsafe: bool = False,
    pytorch_scalar_promotion: bool = False,
    u64_integer_promotion_target: DType = DType.F32,
) -> tuple[Value, Value]:
    """Convert both operands to one element type that has the numbers of both."""
    first, second = a.type, b.type
    to = _promoted(first.dtype, second.dtype, u64_integer_promotion_target)
    if pytorch_scalar_promotion and first.dtype.is_float == second.dtype.is_float:
        if first.rank == 0 and second.rank:
            to = second.dtype
        elif second.rank == 0 and first.rank:
            to = first.dtype
    elif first.dtype.is_float != second.dtype.is_float:
        to = first.dtype if first.dtype.is_float else second.dtype
    return emit.convert(a, to), emit.convert(b, to)


def _promoted(a: DType, b: DType, of_u64: DType) -> DType:
    if a is b or b is DType.BOOL:
        return a
    if a is DType.BOOL:
        return b
    if a.is_float or b.is_float:
        floats = [d for d in (a, b) if d.is_float]
        return max(floats, key=lambda d: d.bits)
    if a.value[0] == b.value[0]:
        return max(a, b, key=lambda d: d.bits)
    signed, unsigned = (a, b) if a.value[0] == "i" else (b, a)
    if signed.bits > unsigned.bits:
        return signed
    return of_u64 if unsigned is DType.U64 else DType(f"i{2 * unsigned.bits}")
