"""What the executor of TensorFlow.js runs of TensorFlow's operators: rows of a table of its own, in plain words.

Rows were read from the executor's list of operators and from the kernels for processors and WebGL of version 4.22;
a test compares the names with the list of the package that is installed.  ``BitwiseAnd`` is in that list, but the
executor asks for its operands by other names than the list gives them.  ``OneHot`` is in it, too, but its kernel for
WebAssembly writes integers into floats, and beyond the rows for positions that there are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...compiler.ir import Op, Value
from ...compiler.types import DType
from ...compiler.value_ranges import nonnegative
from ..common.table import Condition, Row, Table, show_ranks
from ..tensorflow.table import Call, Nested, Operand
from .elements import SMALL

RANKS = range(7)
"""Numbers of axes: shaders of WebGL have at most six coordinates."""

FLOAT, NUMBERS, ANY, LOGIC, INTEGERS = "f32", "f32 i32", "f32 i32 bool", "bool", "i32"


@dataclass(frozen=True)
class Operator:
    """An operator: element types of its ``data``, and numbers of axes that the operand with most of them may have.

    What only ``moves`` elements takes small integers and strings, too.  ``data`` is the place of the operand.
    """

    name: str
    types: frozenset[DType]
    ranks: range = RANKS
    moves: bool = False
    data: int = 0

    def why_not(self, inputs: Sequence[Operand]) -> str | None:
        """Return why it does not run on operands, None if it does."""
        types = [operand.type for operand in inputs]
        if not types:
            return None
        data = types[self.data]
        allowed = self.types | MOVED if self.moves else self.types
        if data.dtype not in allowed:
            return f"{self.name} does not take {data.dtype}, only {', '.join(sorted(allowed))}"
        if any(isinstance(v, Value) and v.type.dtype is DType.I64 for v in inputs):
            return f"{self.name} takes no integers of 64 bits"
        if self.name in COMPARED and 0 in data.shape:
            return f"{self.name} of nothing, which is not a number there"
        if self.name == "FloorMod" and data.dtype.is_float and not all(map(_is_nonnegative, inputs)):
            return "FloorMod of floats that may be negative, whose remainder by infinity is not a number there"
        rank = max(t.rank for t in types)
        return None if rank in self.ranks else f"{self.name} takes {show_ranks(self.ranks)}, not {rank}"


def _is_nonnegative(operand: Operand) -> bool:
    return isinstance(operand, Value) and nonnegative(operand)


MOVED = frozenset({*SMALL, DType.STRING})
"""Element types besides those that are computed with."""

COMPARED = ("Max", "Min")
"""Reductions that give NaN where there is nothing to reduce."""

OPERATORS: dict[str, Operator] = {}
"""All of them by name."""


def _run(names: str, types: str, ranks: range = RANKS, *, moves: bool = False, data: int = 0) -> None:
    """Declare operators, whose names stand side by side."""
    allowed = frozenset(map(DType, types.split()))
    OPERATORS.update({name: Operator(name, allowed, ranks, moves, data) for name in names.split()})


IMAGES, VOLUMES, MATRICES = range(4, 5), range(5, 6), range(2, 3)

_run("AddV2 Sub Mul Maximum Minimum FloorMod Pow Neg Abs Sign Square SquaredDifference Relu", NUMBERS)
_run("RealDiv Sqrt Rsqrt Reciprocal Exp Log Expm1 Log1p Erf Floor Ceil Round", FLOAT)
_run("Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Asinh Acosh Atanh", FLOAT)
_run("Tanh Sigmoid Softplus Relu6 LeakyRelu Elu Selu Softmax LogSoftmax IsNan IsInf", FLOAT)
_run("ClipByValue", NUMBERS)
_run("FloorDiv", INTEGERS)
_run("BiasAdd", FLOAT)
_run("Less LessEqual Greater GreaterEqual", NUMBERS)
_run("Equal NotEqual", ANY)
_run("LogicalAnd LogicalOr LogicalNot Any All", LOGIC)
_run("SelectV2", LOGIC)
_run("Cast Identity Shape", ANY)
_run("Sum Prod Max Min Cumsum Cumprod", NUMBERS)
_run("Mean", FLOAT)
_run("ArgMax ArgMin TopKV2", NUMBERS, range(1, 7))
_run("Conv2D DepthwiseConv2dNative", FLOAT, IMAGES)
_run("Conv2DBackpropInput", FLOAT, IMAGES, data=2)
_run("Conv3D AvgPool3D MaxPool3D", FLOAT, VOLUMES)
_run("MaxPool AvgPool LRN ResizeBilinear", FLOAT, IMAGES)
_run("ResizeNearestNeighbor DepthToSpace", NUMBERS, IMAGES)
_run("MatMul", FLOAT, MATRICES)
_run("BatchMatMulV2", FLOAT, range(2, 7))
_run("Reshape ExpandDims Squeeze", ANY, range(65), moves=True)
_run("Transpose ConcatV2 Split SplitV Slice StridedSlice ReverseV2 Tile", ANY, range(1, 7), moves=True)
_run("GatherV2", ANY, range(1, 7), moves=True)
_run("GatherNd", NUMBERS, range(1, 7))
_run("BroadcastTo", ANY, moves=True)
_run("Pad PadV2 MirrorPad", NUMBERS, range(1, 7))
_run("ScatterNd TensorScatterUpdate", NUMBERS, range(1, 7))
_run("Range", "i32", range(6))
_run("Where", ANY, range(1, 7))
_run("NonMaxSuppressionV4", FLOAT, MATRICES)
_run("RandomUniform RandomStandardNormal", INTEGERS)
_run("Multinomial", FLOAT, MATRICES)
_run("StatelessIf If StatelessWhile While", ANY, moves=True)


def calls(operator: str, call: Call) -> list[tuple[str, tuple[Operand, ...]]]:
    """Return the operators of a call, each with its operands."""
    found: list[tuple[str, tuple[Operand, ...]]] = [(call.operator or operator, call.inputs)]
    work = [v for v in call.inputs if isinstance(v, Nested)]
    while work:
        inner = work.pop()
        found.append((inner.operator, inner.inputs))
        work += [v for v in inner.inputs if isinstance(v, Nested)]
    return found


def why_not(operator: str, call: Call) -> str | None:
    """Return why a call does not run, None if it does."""
    for name, inputs in calls(operator, call):
        reason = OPERATORS[name].why_not(inputs) if name in OPERATORS else f"TensorFlow.js has no {name}"
        if reason is not None:
            return reason
    return None


def narrowed(table: Table[Call], title: str) -> Table[Call]:
    """Return the rows of a table whose operators run."""
    narrow: Table[Call] = Table(title, table.kind, table.ranks)
    for op, rows in table.rows.items():
        kept = [_narrowed(row) for row in rows if row.kernel in OPERATORS]
        if kept:
            narrow.rows[op] = kept
    return narrow


def _narrowed(row: Row[Call]) -> Row[Call]:
    own = OPERATORS[row.kernel]
    text = ", ".join(sorted(own.types))

    def reason(op: Op) -> str | None:
        return why_not(row.kernel, row.call(op))

    return replace(row, when=(*row.when[:-1], Condition(text, reason)))
