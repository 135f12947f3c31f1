"""Rows of the table for clipping and conversions."""

from __future__ import annotations

from ....compiler.ops import activation
from ....compiler.ops import arith as ir
from ....compiler.types import DType, TensorType
from ...tensorflow.kernels.common import broadcasting, same
from ...tensorflow.table import Call, Nested, Operand, condition, scalar
from ..elements import NUMBERS, SMALL
from ..table import converts, emits, leave_out


@condition("the lower bound below the upper one")
def _ordered(op: activation.Clip) -> str | None:
    return None if op.min <= op.max else f"bounds {op.min} and {op.max}"


@condition("floats, or bounds of integers that are such")
def _of_its_type(op: activation.Clip) -> str | None:
    whole = all(float(bound).is_integer() and abs(bound) < 1 << 31 for bound in (op.min, op.max))
    return None if op.x.type.dtype is DType.F32 or whole else f"bounds {op.min} and {op.max} of {op.x.type.dtype}"


@emits(activation.Clip, "ClipByValue", when=(_ordered, _of_its_type))
def clip(op: activation.Clip) -> Call:
    """ClipByValue: any two bounds, which are constants of the graph."""
    return Call((op.x, *(scalar(bound, op.x.type.dtype) for bound in (op.min, op.max))))


emits(ir.SquaredDifference, "SquaredDifference", when=(broadcasting,))(same)
leave_out(ir.Cast)


@condition("to integers of 32 bits and more that hold all numbers")
def _keeps(op: ir.Cast) -> str | None:
    source, to = op.x.type.dtype, op.to
    is_kept = source in NUMBERS and to in NUMBERS and NUMBERS[source] == NUMBERS[to]
    return None if is_kept and (to not in SMALL or to.holds(source)) else "a conversion that changes what is stored"


@converts("Identity", _keeps)
def keep(op: ir.Cast) -> Call:
    """All integers are of 32 bits in a file."""
    return Call((op.x,))


@condition("to few bits")
def _cuts(op: ir.Cast) -> str | None:
    return None if op.to in SMALL and op.x.type.dtype in NUMBERS else "a conversion to more bits"


@converts("FloorMod", _cuts)
def cut(op: ir.Cast) -> Call:
    """What is left of a division by the number of different values."""
    low, high = (int(bound) for bound in op.to.bounds)
    whole = TensorType(DType.I32, op.x.type.shape)
    x: Operand = op.x if NUMBERS[op.x.type.dtype] == NUMBERS[DType.I32] else _converted(op)
    span = scalar(high - low + 1, DType.I32)
    if low == 0:
        return Call((x, span))
    offset = scalar(low, DType.I32)
    rest = Nested("FloorMod", whole, (Nested("Sub", whole, (x, offset)), span))
    return Call((rest, offset), operator="AddV2")


def _converted(op: ir.Cast) -> Nested:
    return Nested("Cast", TensorType(DType.I32, op.x.type.shape), (op.x,))


@condition("between types that are computed in")
def _known(op: ir.Cast) -> str | None:
    is_known = op.x.type.dtype in NUMBERS and op.to in NUMBERS and op.to not in SMALL
    return None if is_known else f"a conversion of {op.x.type.dtype} to {op.to}"


@converts("Cast", _known)
def cast(op: ir.Cast) -> Call:
    """Cast: a conversion that cuts floats towards zero on the way to integers."""
    return Call((op.x,))
