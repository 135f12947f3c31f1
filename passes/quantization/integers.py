"""Kernels on integers: quantize and dequantize around what they compute, by scales that were chosen before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...compiler.diagnostics import at
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.scales import IntegerKernels, Scale
from ...compiler.weights import Weight
from .ranges import Scales, constant_range, split_outputs
from .recipe import Recipe
from .regions import Kernel, data_operands, integer_ops, slot_of, weight_of
from .weights import Rounded, const, correct_bias


@dataclass
class Integers:
    """Lets the operations ``ops`` of ``func`` compute with integers."""

    func: Func
    recipe: Recipe
    names: Mapping[Value, str]
    ops: Mapping[Op, Kernel]
    scales: Scales
    counts: Counter[str] = field(default_factory=lambda: Counter[str]())

    @staticmethod
    def of(func: Func, recipe: Recipe, kernels: IntegerKernels, names: Mapping[Value, str]) -> Integers:
        """Choose the operations and their scales.

        Raises:
            CompileError: Q002, the calibration belongs to another function.
        """
        apart: set[Op] = set()

        def is_kept(op: Op) -> bool:
            return op in apart or recipe.is_kept(op, names) or recipe.is_free(op, names)

        ops = integer_ops(func, kernels, is_kept, recipe.dtype)
        apart.update(split_outputs(ops, names, recipe.calibration))
        if apart:
            ops = integer_ops(func, kernels, is_kept, recipe.dtype)
        scales = Scales(func, ops, names, recipe.calibration, recipe.method, recipe.dtype)
        scales.choose()
        return Integers(func, recipe, names, ops, scales)

    def insert(self) -> None:
        """Insert what quantizes and dequantizes around the operations ``ops``."""
        ops, scales = self.ops, self.scales
        made: dict[Value, Value] = {}
        for op, kernel in ops.items():
            region = op.parent
            assert region is not None
            with at(op.location):
                for slot, value in data_operands(op, kernel):
                    op.set_operand(slot, self._read(op, kernel, value, scales, made, region))
                if kernel.is_weighted:
                    self._round(op, kernel, scales)
                self._write(op, kernel, scales, region)

    def _read(
        self, op: Op, kernel: Kernel, value: Value, scales: Scales, made: dict[Value, Value], region: Region
    ) -> Value:
        """Return the numbers that integers stand for in place of an operand."""
        weight = constant(value)
        if weight is not None:
            return self._rounded_constant(op, kernel, weight, scales, region)
        if _original(value) is not value or value.owner in scales.ops:
            return value  # written as integers, or moved from these
        if value not in made:
            made[value] = _rounded(value, scales.groups[value].scale(self.recipe.dtype), region, op)
        return made[value]

    def _rounded_constant(self, op: Op, kernel: Kernel, weight: Weight, scales: Scales, region: Region) -> Value:
        is_joined = kernel.demands is None or kernel.demands.keeps_scale
        dtype = self.recipe.dtype
        found = scales.groups[op.results[0]].scale(dtype) if is_joined else Scale.of(constant_range(weight), dtype)
        integers = weight.derive(weight.type.with_dtype(dtype), _Round(found))
        parts = (np.asarray(found.scale, np.float32), np.asarray(found.zero, np.int32))
        read = Dequantize(const(region, op, integers), *(const(region, op, p) for p in parts))
        region.insert(read, op)
        return read.result

    def _round(self, op: Op, kernel: Kernel, scales: Scales) -> None:
        """Replace the weight by integers, whose error the bias makes up for."""
        assert kernel.demands is not None and kernel.demands.weight is not None and op.parent is not None
        weight = constant(weight_of(op, kernel.demands))
        x = _original(op.operands[0])
        assert weight is not None and x is not None
        rounded = Rounded.of(weight, per_channel=self.recipe.per_channel)
        rounded = rounded.with_integers(self.recipe.rounded.get(self.names.get(op.results[0], "")))
        bias = None if kernel.demands.bias is None else constant(getattr(op, kernel.demands.bias))
        if bias is not None:
            dtype = self.recipe.dtype
            rounded = rounded.with_room_for(bias.array(), scales.groups[x].scale(dtype).scale, dtype)
        found = self.recipe.calibration.get(self.names.get(x, ""))
        if self.recipe.corrects_bias and found is not None and kernel.demands.bias is not None:
            slot = slot_of(op, kernel.demands.bias)
            self.counts["biases"] += correct_bias(op, rounded.error(), found.means, slot)
        op.set_operand(slot_of(op, kernel.demands.weight), rounded.insert(op.parent, op))
        self.counts["weights"] += 1

    def _write(self, op: Op, kernel: Kernel, scales: Scales, region: Region) -> None:
        """Quantize what an operation computes; what is only moved from one scale needs nothing."""
        data = [v for _, v in data_operands(op, kernel)]
        if kernel.demands is None or kernel.demands.keeps_scale:
            groups = {id(scales.groups.get(_original(v) or v)) for v in data if constant(v) is None}
            if groups == {id(scales.groups[op.results[0]])} and kernel.demands is None:
                return
        for result in op.results:
            readers = result.uses
            after = op.after
            assert after is not None
            read = _rounded(result, scales.groups[result].scale(self.recipe.dtype), region, after)
            for use in readers:
                use.op.set_operand(use.slot, read)


def _original(value: Value | None) -> Value | None:
    """Return the numbers that were rounded to integers before they are read."""
    while value is not None and isinstance(value.owner, Dequantize) and isinstance(value.owner.x.owner, Quantize):
        value = value.owner.x.owner.x
    return value


def _rounded(value: Value, scale: Scale, region: Region, before: Op) -> Value:
    """Insert what rounds numbers to integers, and gives the numbers that these stand for."""
    parts = [const(region, before, p) for p in (np.asarray(scale.scale, np.float32), np.asarray(scale.zero, np.int32))]
    rounds = Quantize(value, *parts, dtype=scale.dtype)
    rounds.result.name = None if value.name is None else f"{value.name}_quantized"
    region.insert(rounds, before)
    read = Dequantize(rounds.result, *parts)
    region.insert(read, before)
    return read.result


@dataclass(frozen=True)
class _Round:
    scale: Scale

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Round to integers."""
        zero = np.asarray(self.scale.zero)
        return Quantize.evaluate(numbers, np.asarray(self.scale.scale, np.float32), zero, dtype=self.scale.dtype)
