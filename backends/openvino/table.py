"""The table of what OpenVINO runs: one row per operation and operation of its sets, with how that is called.

Element types are those that the kernels for processors compute right: they were measured, since the specification
allows all, and kernels compute integers of 64 bits in 32, and floats of any kind in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ...compiler.ir import Op, Region
from ...compiler.types import TensorType
from ..common.operands import Attribute, Dims, Inline, Nested, Operand, ints, scalar
from ..common.table import Condition, Table, condition

O = TypeVar("O", bound=Op)

DOCS = "https://docs.openvino.ai/2026/documentation/openvino-ir-format/operation-sets/available-opsets/opset16.html"

FLOATS = "f16 bf16 f32 f64"
INTEGERS = "i32 i64"
SMALL = "i8 u8"
NUMBERS = f"{FLOATS} {INTEGERS}"
ANY = f"bool {SMALL} i16 u16 u32 u64 {NUMBERS}"
"""Element types by what kernels do with them; what only moves takes all."""

EXTENSION = "*"
"""The operation of a row that stands for those of no operation set, of any name."""

SINCE = {
    "AdaptiveAvgPool": 8,
    "AvgPool": 14,
    "BatchNormInference": 5,
    "BitwiseAnd": 13,
    "BitwiseLeftShift": 15,
    "BitwiseNot": 13,
    "BitwiseOr": 13,
    "BitwiseRightShift": 15,
    "BitwiseXor": 13,
    "Broadcast": 3,
    "CumSum": 3,
    "Gather": 8,
    "GatherElements": 6,
    "GatherND": 8,
    "Gelu": 7,
    "GRUSequence": 5,
    "GroupNormalization": 12,
    "HSigmoid": 5,
    "HSwish": 4,
    "If": 8,
    "Interpolate": 11,
    "Inverse": 14,
    "IsInf": 10,
    "IsNaN": 10,
    "LogSoftmax": 5,
    "Loop": 5,
    "LSTMSequence": 5,
    "MVN": 6,
    "MaxPool": 14,
    "Mish": 4,
    "Multinomial": 13,
    "NonMaxSuppression": 9,
    "NonZero": 3,
    "OneHot": 16,
    "Pad": 12,
    "RandomUniform": 8,
    "Range": 4,
    "ReduceL1": 4,
    "ReduceL2": 4,
    "RNNSequence": 5,
    "Round": 5,
    "ScaledDotProductAttention": 13,
    "ScatterElementsUpdate": 12,
    "ScatterNDUpdate": 15,
    "ScatterUpdate": 3,
    "ShapeOf": 3,
    "Slice": 8,
    "SoftPlus": 4,
    "SoftSign": 9,
    "SoftMax": 8,
    "Swish": 4,
    "TopK": 11,
    "Unique": 10,
    "Acosh": 4,
    "Asinh": 4,
    "Atanh": 4,
}
"""The operation set that has the version of an operation that is written; all others are in the first one."""


@dataclass(frozen=True)
class Call:
    """How an operation of OpenVINO is called for one of the IR; results are the operation's own.

    ``units`` are axes of size one, one for each result, which it gives and the operation does not have.  ``unread`` are
    the types of results that it has besides.  Where it stands for several ``layers``, its units have their number.
    ``opset`` is the set that is stated where the usual version of the operation does not do; ``extension`` is one that
    is none of OpenVINO's, with the operation of it that is called.
    """

    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute]())
    units: tuple[int, ...] = ()
    unread: tuple[TensorType, ...] = ()
    layers: tuple[Op, ...] = ()
    opset: int = 0
    extension: tuple[str, str] | None = None

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions among the attributes, which become networks inside of the layer."""
        return tuple(v for v in self.attributes.values() if isinstance(v, Region))


TABLE: Table[Call] = Table("OpenVINO", "operation")


def emits(
    op: type[O],
    operator: str,
    *,
    dtypes: str | Mapping[str, str],
    when: tuple[Condition, ...] = (),
    ranks: range | None = None,
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``operator`` is called."""
    return TABLE.emits(op, operator, dtypes=dtypes, ranks=ranks, when=when, source=DOCS)


def opset_of(operator: str, opset: int = 0) -> str:
    """Return the operation set that is stated for an operation: a given one, or the usual."""
    return f"opset{opset or SINCE.get(operator, 1)}"


__all__ = [
    "ANY",
    "EXTENSION",
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "SMALL",
    "TABLE",
    "Call",
    "Condition",
    "Dims",
    "Inline",
    "Nested",
    "Operand",
    "condition",
    "emits",
    "ints",
    "scalar",
]
