"""Weights that are stored in fewer bits, and what is multiplied by them: as it is, or rounded as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from ...compiler.diagnostics import at, counted
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Value
from ...compiler.ops.index import Gather
from ...compiler.ops.quantize import RoundDynamic
from ...compiler.options import block_size, weight_bits
from ...compiler.scales import IntegerKernels
from ...compiler.types import DType
from ...compiler.weights import Weight
from .recipe import Recipe
from .regions import slot_of
from .weights import BITS, Rounded, correct_bias, insert_halves

MANY = 1024
"""How many elements a weight has at least that is worth being stored in fewer bits."""


@dataclass
class Storage:
    """Stores weights of ``func``; ``rounds`` lets kernels round what they multiply by weights of 8 bits."""

    func: Func
    recipe: Recipe
    kernels: IntegerKernels
    names: Mapping[Value, str]
    rounds: bool
    counts: Counter[str] = field(default_factory=lambda: Counter[str]())

    def store(self, others: Container[Op] = ()) -> None:
        """Store large weights of sums of products, and tables, but those of ``others``."""
        for op in list(self.func.ops):
            slot = self._weight_slot(op)
            weight = None if slot is None else constant(op.operands[slot])
            if slot is None or weight is None or op in others or self.recipe.is_kept(op, self.names):
                continue
            if weight.type.dtype is DType.F32 and _size(weight) >= MANY:
                with at(op.location):
                    self._store(op, slot, weight)

    def __str__(self) -> str:
        rounding = f", {counted(self.counts['rounding'], 'product')} round what they multiply" if self.rounds else ""
        size = block_size(self.recipe.mode)
        blocks = f", {self.counts['blocks']} of them with a scale for every {size} weights" if size else ""
        return f"{counted(self.counts['weights'], 'weight')} stored in fewer bits{blocks}{rounding}"

    def _block(self, op: Op) -> int:
        """Return how many weights of an operation have a scale, 0 if no kernel takes blocks of the size asked for."""
        size = block_size(self.recipe.mode)
        return size if size and self.kernels.takes_blocks(op, size) else 0

    def _weight_slot(self, op: Op) -> int | None:
        if isinstance(op, Gather):
            return 0
        demands = self.kernels.demands(op)
        return None if demands is None or demands.weight is None else slot_of(op, demands.weight)

    def _store(self, op: Op, slot: int, weight: Weight) -> None:
        region = op.parent
        assert region is not None
        rounds = self.rounds and slot != 0 and not self.recipe.is_stored(op, self.names)
        dims = self.kernels.rounded_dims(op) if rounds else None
        if self.recipe.mode == "float16":
            stored = insert_halves(weight, region, op)
        else:
            is_table = isinstance(op, Gather)
            per_channel = op.axis % weight.type.rank == 0 if is_table else self.recipe.per_channel
            few = dims is not None and per_channel
            bits = weight_bits(self.recipe.mode) if few else BITS
            rounded = Rounded.of(weight, per_channel=per_channel, bits=bits, block=self._block(op) if few else 0)
            self.counts["blocks"] += rounded.scales.ndim > 1
            rounded = rounded.with_integers(self.recipe.rounded.get(self.names.get(op.results[0], "")))
            self._correct(op, rounded)
            stored = rounded.insert(region, op)
        if stored is None:
            return
        op.set_operand(slot, stored)
        self.counts["weights"] += 1
        if dims is not None:
            x = op.operands[0]
            assert x is not None
            op.set_operand(0, region.insert(RoundDynamic(x, dims), op).results[0])
            self.counts["rounding"] += 1

    def _correct(self, op: Op, rounded: Rounded) -> None:
        """Correct the bias by the means of the input, if these are known."""
        demands = self.kernels.demands(op)
        x = op.operands[0]
        found = self.recipe.calibration.get(self.names.get(x, "")) if x is not None else None
        if self.recipe.corrects_bias and found is not None and demands is not None and demands.bias is not None:
            self.counts["biases"] += correct_bias(op, rounded.error(), found.means, slot_of(op, demands.bias))


def _size(weight: Weight) -> int:
    size = weight.type.size
    return size if isinstance(size, int) else 0
