"""Arithmetic, comparisons, logic and selection, element by element."""

from __future__ import annotations

from functools import reduce

from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.types import DType
from ..emitter import Emitter
from ..registry import binary, builtin, unary
from .common import Activation, ending_in


def _with_activation(name: str, table: str, op: type[arith.Add | arith.Sub | arith.Mul | arith.Div]) -> None:
    @builtin(name, table)
    def handler(emit: Emitter, a: Value, b: Value, *, fused_activation_function: Activation = "NONE") -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return ending_in(emit, lambda fused: op(a, b, fused), fused_activation_function)


_with_activation("ADD", "AddOptions", arith.Add)
_with_activation("SUB", "SubOptions", arith.Sub)
_with_activation("MUL", "MulOptions", arith.Mul)
_with_activation("DIV", "DivOptions", arith.Div)

binary("FLOOR_DIV", arith.FloorDiv, "FloorDivOptions", integers="raw")
binary("FLOOR_MOD", arith.Mod, "FloorModOptions", integers="raw")
binary("POW", arith.Pow, "PowOptions")
binary("MAXIMUM", arith.Max, "MaximumMinimumOptions")
binary("MINIMUM", arith.Min, "MaximumMinimumOptions")
binary("SQUARED_DIFFERENCE", arith.SquaredDifference, "SquaredDifferenceOptions")
binary("ATAN2", arith.Atan2, "ATan2Options")
binary("STABLEHLO_ADD", arith.Add, integers="raw")
binary("STABLEHLO_MULTIPLY", arith.Mul, integers="raw")
binary("STABLEHLO_MAXIMUM", arith.Max, integers="raw")
binary("STABLEHLO_MINIMUM", arith.Min, integers="raw")

unary("NEG", arith.Neg, "NegOptions", integers="raw")
unary("ABS", arith.Abs, "AbsOptions")
unary("SIGN", arith.Sign, "SignOptions")
unary("SQUARE", arith.Square, "SquareOptions")
unary("SQRT", arith.Sqrt)
unary("RSQRT", arith.Rsqrt)
unary("EXP", arith.Exp, "ExpOptions")
unary("LOG", arith.Log)
unary("FLOOR", arith.Floor)
unary("CEIL", arith.Ceil)
unary("ROUND", arith.Round)
unary("SIN", arith.Sin)
unary("COS", arith.Cos, "CosOptions")

binary("LESS", logic.Less, "LessOptions")
binary("LESS_EQUAL", logic.LessEqual, "LessEqualOptions")
binary("GREATER", logic.Greater, "GreaterOptions")
binary("GREATER_EQUAL", logic.GreaterEqual, "GreaterEqualOptions")
binary("EQUAL", logic.Equal, "EqualOptions")
binary("NOT_EQUAL", logic.NotEqual, "NotEqualOptions")
binary("LOGICAL_AND", logic.LogicalAnd, "LogicalAndOptions")
binary("LOGICAL_OR", logic.LogicalOr, "LogicalOrOptions")
unary("LOGICAL_NOT", logic.LogicalNot, "LogicalNotOptions")
binary("BITWISE_XOR", logic.BitwiseXor, "BitwiseXorOptions")
binary("RIGHT_SHIFT", logic.ShiftRight, "RightShiftOptions")
binary("STABLEHLO_SHIFT_LEFT", logic.ShiftLeft, "StablehloShiftLeftOptions")


@builtin("STABLEHLO_AND")
def stablehlo_and(emit: Emitter, a: Value, b: Value) -> Value:
    """STABLEHLO_AND: of bits for integers, of truth values for booleans."""
    return emit((logic.LogicalAnd if a.type.dtype is DType.BOOL else logic.BitwiseAnd)(a, b))


@builtin("ADD_N", "AddNOptions")
def add_n(emit: Emitter, first: Value, *others: Value) -> Value:
    """ADD_N: the sum of any number of tensors of one shape."""
    return reduce(lambda a, b: emit(arith.Add(a, b)), others, first)


@builtin("CAST", "CastOptions", integers="raw")
def cast(emit: Emitter, x: Value, *, in_data_type: DType = DType.F32, out_data_type: DType = DType.F32) -> Value:
    """The type is that of the result; the options may leave it out."""
    return emit.cast(x, emit.result_type(0))


@builtin("BITCAST", "BitcastOptions", integers="raw")
def bitcast(emit: Emitter, x: Value) -> Value:
    """The same bits; elements of another size are not read."""
    return emit(arith.BitCast(x, emit.result_type(0)))


@builtin("SELECT_V2", "SelectV2Options")
def select_v2(emit: Emitter, condition: Value, a: Value, b: Value) -> Value:
    """SELECT_V2: a choice by element, where all operands broadcast."""
    return emit(logic.Select(condition, a, b))


@builtin("SELECT", "SelectOptions")
def select(emit: Emitter, condition: Value, a: Value, b: Value) -> Value:
    """Choice by element, or, where the condition is a vector, by position along the first axis."""
    if condition.type.rank == 1 and a.type.rank > 1:
        condition = emit.reshape(condition, (*condition.type.shape, *[1] * (a.type.rank - 1)))
    return emit(logic.Select(condition, a, b))
