"""Rows for products of integers of 8 bits, and for what makes such integers of numbers while a network runs."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.integer import ConvInteger, MatMulInteger
from ....compiler.ops.quantize import DynamicQuantize
from ...common.windows import known_pads
from ..table import Call, Operand, condition, emits
from .common import channels_first, plainly
from .window import kernel_of, window_attributes


@condition("a vector of zero points beside one matrix only")
def _one_matrix(op: MatMulInteger) -> str | None:
    """What onnxruntime takes of what the standard has."""
    return "zero points of columns beside several matrices" if op.b_zero.type.rank and op.b.type.rank > 2 else None


def _operands(op: MatMulInteger | ConvInteger) -> tuple[Operand, ...]:
    """Return operands as operators take them: zero points that are 0 need not be given."""
    first, second, *zeros = op.operands
    given = [_unless_zero(zero) for zero in zeros]
    while given and given[-1] is None:
        given.pop()
    return first, second, *given


def _unless_zero(value: Value | None) -> Operand:
    weight = constant(value)
    return value if weight is None or weight.array().any() else None


@emits(MatMulInteger, "MatMulInteger", when=(_one_matrix,))
def matmul_integer(op: MatMulInteger) -> Call:
    """MatMulInteger: one zero point of the first matrix, one or a vector of the second."""
    return Call(_operands(op))


@emits(ConvInteger, "ConvInteger", when=(channels_first, known_pads))
def conv_integer(op: ConvInteger) -> Call:
    """ConvInteger: any number of spatial axes, and any number of groups."""
    groups = {} if op.groups == 1 else {"group": op.groups}
    return Call(_operands(op), window_attributes(op, kernel_of(op)) | groups)


plainly({DynamicQuantize: "DynamicQuantizeLinear"})
