"""What handlers work with: inserting operations, and asking what the operator and its tensors say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Dim, Sym
from ...compiler.ir import Region, Value
from ...compiler.ops.quantize import RoundDynamic
from ...compiler.types import DType, TensorType
from ...formats.tflite.constants import element_type
from ...formats.tflite.contents import StoredOperator, StoredTensor
from ..common.operands import OperandEmitter
from .handles import Handle, Imported


class Surroundings(Protocol):
    """What lies around an operator: other subgraphs, and resources."""

    def call(self, graph: int, operands: Sequence[Imported]) -> list[Imported]:
        """Import a subgraph at this point, applied to given operands."""
        ...

    def region(self, graph: int, operands: Sequence[Imported], types: Sequence[TensorType]) -> Region:
        """Import a subgraph as a region whose arguments have the given types; handles are passed in as they are.

        The region has no arguments, and reads the operands themselves, where no types are given.
        """
        ...

    def read(self, variable: Handle) -> Value | None:
        """Return what a resource holds, None if nothing was stored yet."""
        ...

    def write(self, variable: Handle, value: Value) -> None:
        """Store a value into a resource, such as a variable."""
        ...

    def run_once(self, graph: int) -> None:
        """Import a subgraph that runs before everything else."""
        ...

    def fresh(self) -> Sym:
        """Return a size with a name that is not in use."""
        ...


@dataclass(frozen=True)
class Emitter(OperandEmitter):
    """Builds the operations of one operator.

    ``inputs`` are the tensors that it reads (None: left out), ``outputs`` those that it writes.  ``is_raw`` says that
    operands are integers as stored, ``rounds`` that the kernel rounds what it multiplies.  ``left`` is what the
    operator leaves in variables that it reads, by operand.
    """

    operator: StoredOperator
    inputs: tuple[StoredTensor | None, ...]
    outputs: tuple[StoredTensor, ...]
    around: Surroundings
    is_raw: bool = False
    rounds: bool = False
    left: dict[int, Value] = field(default_factory=lambda: dict[int, Value]())

    def fresh(self) -> Sym:
        """Return the name of a size that data decides about."""
        return self.around.fresh()

    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this operator can't be imported; by default because of its variant."""
        return error(code, f"{self.operator.name} {message}", help=help)

    def rounded(self, x: Value, dims: Sequence[int]) -> Value:
        """Return the numbers that the kernel multiplies: rounded by ranges along ``dims`` if it does so."""
        return self(RoundDynamic(x, tuple(dims))) if self.rounds else x

    def result_type(self, number: int) -> DType:
        """Return the element type that the file states for a result; of integers that stand for numbers, f32.

        Raises:
            CompileError: F003, the IR has no such type; F006, there is no such result.
        """
        if number >= len(self.outputs):
            raise self.fail(f"lacks its result {number}", code="F006")
        tensor = self.outputs[number]
        if tensor.quantization is not None and not self.is_raw:
            return DType.F32
        return element_type(tensor)

    def stated(self, number: int) -> tuple[Dim, ...]:
        """Return the shape that the file states for a result; open sizes get new names."""
        return tuple(d if d >= 0 else self.around.fresh() for d in self.outputs[number].info.shape)
