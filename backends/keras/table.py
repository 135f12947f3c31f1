"""The table of what Keras runs: one row per operation and layer or function, with how that is called.

Rows of layers come before those of functions, since a file in HDF5 holds layers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from ...compiler.dims import Dim, Sym
from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.keras.program import LAYERS, Setting
from ..common.operands import scalar
from ..common.table import ANY_RANK, Condition, Row, Table, condition
from ..tensorflow.operators import operators

O = TypeVar("O", bound=Op)

FLOATS = "f16 f32 f64"
INTEGERS = "i8 i16 i32 i64 u8 u16 u32 u64"
NUMBERS = f"{FLOATS} {INTEGERS}"
ANY = f"bool {NUMBERS}"

DOCS = "https://keras.io/api/{}"


@dataclass(frozen=True)
class Nested:
    """An operand that another call computes: a function, the type of its result, its inputs and its settings."""

    function: str
    type: TensorType
    inputs: tuple[Operand, ...]
    settings: Mapping[str, Setting] = field(default_factory=lambda: dict[str, Setting](), hash=False)


@dataclass(frozen=True)
class Zeros:
    """A vector of as many integers as an open size says, all of them zero: how functions of Keras learn a size."""

    size: Dim

    @property
    def type(self) -> TensorType:
        """Its type."""
        return TensorType(DType.I32, (self.size,))


Operand: TypeAlias = "Value | Weight | Nested | Zeros | tuple[Operand, ...]"
"""What is called with: values, constants, other calls, sizes, and lists of these."""


@dataclass(frozen=True)
class Call:
    """How a layer or function is called for one operation; results are the operation's own, in its order.

    ``weights`` are the layer's. ``function`` is the one that gives the results, where it is not the row's: that is
    nested in it then.
    """

    inputs: tuple[Operand, ...]
    settings: Mapping[str, Setting] = field(default_factory=lambda: dict[str, Setting]())
    weights: tuple[Weight, ...] = ()
    function: str | None = None


TABLE: Table[Call] = Table("Keras", "layer or function")
"""Which layers and functions of Keras operations become, layers first."""


def emits(
    op: type[O], function: str, *, dtypes: str = FLOATS, when: tuple[Condition, ...] = (), ranks: range = ANY_RANK
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``function`` is called."""
    kind = "layers/" if function.startswith(LAYERS) else "ops/"
    return TABLE.emits(op, function, dtypes=dtypes, ranks=ranks, when=when, source=DOCS.format(kind))


def kernels(operator: str) -> str:
    """Return the element types for which TensorFlow has kernels, as far as Keras computes in them.

    Of two numbers of 64 bits without sign it makes one of 32 bits.
    """
    found = operators()[operator]
    types = next(iter(found.types.values()), frozenset[DType]())
    known = {DType(name) for name in ANY.split()} - {DType.U64}
    return " ".join(sorted(types & known if types else known))


def calls(operand: Operand) -> Iterator[Operand]:
    """Yield an operand and, if it is a call or a list, all of its parts."""
    yield operand
    parts = operand.inputs if isinstance(operand, Nested) else operand if isinstance(operand, tuple) else ()
    for part in parts:
        yield from calls(part)


def told(sizes: Any) -> str | None:
    """Return why sizes can't be computed in a file; each must be known, or linear in one name."""
    bad = next((d for d in sizes if isinstance(d, Sym) and linear(d) is None), None)
    return None if bad is None else f"the size {bad}"


def linear(size: Sym) -> tuple[str, int, int] | None:
    """Return the name, the positive factor and the number that is added, of a size of this form."""
    if len(size.names) != 1:
        return None
    (name,) = size.names
    expr: Any = size.expr
    (symbol,) = expr.free_symbols
    added = expr.subs(symbol, 0)
    factor = expr.subs(symbol, 1) - added
    is_linear = factor.is_Integer and added.is_Integer and expr.diff(symbol) == factor and factor > 0
    return (name, int(factor), int(added)) if is_linear else None


def count_up(size: Dim) -> Nested:
    """Return the numbers 0, 1, 2 and so on below an open size, as a running sum of ones minus one."""
    type = Zeros(size).type
    ones = Nested("ops.add", type, (Zeros(size), scalar(1, DType.I32)))
    return Nested("ops.subtract", type, (Nested("ops.cumsum", type, (ones,)), scalar(1, DType.I32)))


def layers_only(table: Table[Call]) -> Table[Call]:
    """Return the table of files in HDF5: rows of layers, then rows that say which function would be needed."""
    found: Table[Call] = Table("Keras in HDF5", table.kind)
    for op, rows in table.rows.items():
        layers = [row for row in rows if row.kernel.startswith(LAYERS)]
        functions = [row for row in rows if not row.kernel.startswith(LAYERS)]
        found.rows[op] = [replace(row, when=(*row.when, _only_layers(row))) for row in layers]
        if functions:
            refuses = _needs_function(functions)
            found.rows[op].append(Row(op, "keras.ops", {}, ANY_RANK, (refuses,), None, functions[0].call))
    return found


def _only_layers(row: Row[Call]) -> Condition:
    """The call of a row has no functions and no constants in it."""

    def why_not(op: Any) -> str | None:
        call = row.call(op)
        parts = [part for given in call.inputs for part in calls(given)]
        used = [call.function or row.kernel, *(part.function for part in parts if isinstance(part, Nested))]
        other = next((name for name in used if not name.startswith(LAYERS)), None)
        if other is not None:
            return f"keras.{other}, {IN_KERAS_FILES}"
        if any(isinstance(part, Zeros) or is_constant(part) for part in parts):
            return f"a constant operand or a computed size, {IN_KERAS_FILES}"
        return None

    return Condition("layers only", why_not)


IN_KERAS_FILES = "which .keras files hold, and .h5 files don't"


def _needs_function(rows: Sequence[Row[Call]]) -> Condition:
    """No function will do: the reason names the one that would in the other format."""

    def why_not(op: Any) -> str:
        name = next((row.kernel for row in rows if row.reason(op) is None), None)
        return f"no layer does it, but keras.{name}, {IN_KERAS_FILES}" if name else "no layer does it"

    return Condition("never", why_not)


def is_constant(operand: Operand) -> bool:
    """Whether an operand is a constant of the program, given as a weight or as a value of the IR."""
    return isinstance(operand, Weight) or (isinstance(operand, Value) and constant(operand) is not None)


__all__ = [
    "ANY",
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "TABLE",
    "Call",
    "Condition",
    "Nested",
    "Operand",
    "Weight",
    "Zeros",
    "condition",
    "count_up",
    "emits",
    "is_constant",
    "kernels",
    "layers_only",
    "linear",
    "scalar",
    "told",
]
