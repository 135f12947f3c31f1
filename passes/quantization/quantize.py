"""Quantizing a function: integers where kernels compute with them, or weights only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from ...compiler.diagnostics import Remark, at, counted, remark
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ops.index import Gather
from ...compiler.ops.linear import Linear
from ...compiler.ops.quantize import Dequantize, Quantize, RoundDynamic
from ...compiler.ops.window import Conv
from ...compiler.options import QuantizationMode, RangeMethod
from ...compiler.rewrite import erase_dead
from ...compiler.scales import IntegerKernels, Scale
from ...compiler.types import DType
from ...compiler.weights import Weight
from .names import value_names
from .ranges import Scales, constant_range, split_outputs
from .regions import Kernel, data_operands, integer_ops, weight_of
from .statistics import Calibration
from .weights import Rounded, const, correct_bias, insert_halves

PICTURES = 4
"""How many axes a batch of pictures has."""

MANY = 1024
"""How many elements a weight has at least that is worth being stored in fewer bits."""


@dataclass(frozen=True)
class Recipe:
    """How to quantize.

    ``corrects_bias`` makes up for what rounding weights changes on average, as far as ``calibration`` knows inputs.
    ``per_channel`` gives every output channel of a weight a scale.  ``keeps`` are patterns of the names of operations,
    or of what they compute, that stay in floats.
    """

    mode: QuantizationMode
    calibration: Calibration = field(default_factory=lambda: Calibration())
    method: RangeMethod = "minmax"
    corrects_bias: bool = True
    per_channel: bool = True
    keeps: tuple[str, ...] = ()

    def is_kept(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether an operation stays in floats because the user wants it."""
        own = [names[r] for r in op.results if r in names]
        words = [op.spec.name, *own, *([op.location.node] if op.location is not None else [])]
        return any(fnmatchcase(word, pattern) for pattern in self.keeps for word in words)


def quantize(func: Func, recipe: Recipe, kernels: IntegerKernels) -> None:
    """Rewrite a function whose operations are all legal; legalize it once more afterwards.

    Raises:
        CompileError: Q002, the calibration belongs to another function.
    """
    names = value_names(func)
    work = _Quantizer(func, recipe, kernels, names)
    if recipe.mode == "int8":
        work.integers()
    else:
        work.weights()
    erase_dead(*func.walk())


@dataclass
class _Quantizer:
    func: Func
    recipe: Recipe
    kernels: IntegerKernels
    names: Mapping[Value, str]
    counts: Counter[str] = field(default_factory=lambda: Counter[str]())

    def weights(self) -> None:
        """Store large weights of sums of products, and tables, in fewer bits."""
        for op in list(self.func.ops):
            slot = self._weight_slot(op)
            weight = None if slot is None else constant(op.operands[slot])
            if weight is None or slot is None or weight.type.dtype is not DType.F32 or _size(weight) < MANY:
                continue
            if self.recipe.is_kept(op, self.names):
                continue
            with at(op.location):
                self._store(op, slot, weight)
        text = f"{counted(self.counts['weights'], 'weight')} stored in fewer bits, {_corrected(self.counts)}"
        remark(Remark("note", "quantize", text))

    def _weight_slot(self, op: Op) -> int | None:
        if isinstance(op, Gather):
            return 0
        demands = self.kernels.demands(op)
        return None if demands is None or demands.weight is None else _slot(op, demands.weight)

    def _store(self, op: Op, slot: int, weight: Weight) -> None:
        region = op.parent
        assert region is not None
        if self.recipe.mode == "float16":
            stored = insert_halves(weight, region, op)
        else:
            rounded = Rounded.of(weight, per_channel=self.recipe.per_channel and not isinstance(op, Gather))
            self._correct(op, rounded)
            stored = rounded.insert(region, op)
        if stored is not None:
            op.set_operand(slot, stored)
            if self.recipe.mode == "dynamic-int8":
                self._round_dynamically(op)
            self.counts["weights"] += 1

    def _round_dynamically(self, op: Op) -> None:
        """Round what is multiplied by ranges of its own, where a kernel on integers of 8 bits does so."""
        x, region = op.operands[0], op.parent
        assert x is not None and region is not None
        rank = x.type.rank
        if isinstance(op, Linear) and op.is_along_last and rank > 1:
            dims: tuple[int, ...] = (rank - 1,)
        elif isinstance(op, Conv) and op.groups == 1 and not op.is_depthwise and op.channels_last and rank == PICTURES:
            dims = tuple(range(1, rank))
        else:
            return
        rounds = RoundDynamic(x, dims)
        region.insert(rounds, op)
        op.set_operand(0, rounds.result)

    def _correct(self, op: Op, rounded: Rounded) -> None:
        """Correct the bias by the means of the input, if these are known."""
        demands = self.kernels.demands(op)
        x = op.operands[0]
        found = self.recipe.calibration.get(self.names.get(x, "")) if x is not None else None
        if not self.recipe.corrects_bias or found is None or demands is None or demands.bias is None:
            return
        self.counts["biases"] += correct_bias(op, rounded.error(), found.means, _slot(op, demands.bias))

    def integers(self) -> None:
        """Let kernels compute with integers of 8 bits."""
        ops, scales = self._scales()
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
        self._report(ops)

    def _scales(self) -> tuple[dict[Op, Kernel], Scales]:
        recipe = self.recipe
        apart: set[Op] = set()
        ops = integer_ops(self.func, self.kernels, lambda op: recipe.is_kept(op, self.names))
        apart.update(split_outputs(ops, self.names, recipe.calibration))
        if apart:
            ops = integer_ops(self.func, self.kernels, lambda op: op in apart or recipe.is_kept(op, self.names))
        scales = Scales(self.func, ops, self.names, recipe.calibration, recipe.method, DType.I8)
        scales.choose()
        return ops, scales

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
            made[value] = _rounded(value, scales.groups[value].scale(DType.I8), region, op)
        return made[value]

    def _rounded_constant(self, op: Op, kernel: Kernel, weight: Weight, scales: Scales, region: Region) -> Value:
        is_joined = kernel.demands is None or kernel.demands.keeps_scale
        found = scales.groups[op.results[0]].scale(DType.I8) if is_joined else Scale.of(constant_range(weight))
        integers = weight.derive(weight.type.with_dtype(DType.I8), _Round(found))
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
        bias = None if kernel.demands.bias is None else constant(getattr(op, kernel.demands.bias))
        if bias is not None:
            rounded = rounded.with_room_for(bias.array(), scales.groups[x].scale(DType.I8).scale)
        found = self.recipe.calibration.get(self.names.get(x, ""))
        if self.recipe.corrects_bias and found is not None and kernel.demands.bias is not None:
            slot = _slot(op, kernel.demands.bias)
            self.counts["biases"] += correct_bias(op, rounded.error(), found.means, slot)
        op.set_operand(_slot(op, kernel.demands.weight), rounded.insert(op.parent, op))
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
            read = _rounded(result, scales.groups[result].scale(DType.I8), region, after)
            for use in readers:
                use.op.set_operand(use.slot, read)

    def _report(self, ops: Mapping[Op, Kernel]) -> None:
        others = Counter(op.spec.name for op in self.func.ops if op not in ops and op.results and _computes(op))
        floats = ", ".join(f"{count} {name}" for name, count in others.most_common())
        text = f"{counted(len(ops), 'operation')} on integers, {_corrected(self.counts)}"
        remark(Remark("note", "quantize", f"{text}; in floats: {floats or 'none'}"))


def _corrected(counts: Counter[str]) -> str:
    return f"{counted(counts['biases'], 'bias', 'biases')} corrected"


def _computes(op: Op) -> bool:
    is_quantizing = isinstance(op, Quantize | Dequantize)
    return not is_quantizing and constant(op.results[0]) is None and op.results[0].type.dtype is DType.F32


def _original(value: Value | None) -> Value | None:
    """Return the numbers that were rounded to integers before they are read."""
    while value is not None and isinstance(value.owner, Dequantize) and isinstance(value.owner.x.owner, Quantize):
        value = value.owner.x.owner.x
    return value


def _rounded(value: Value, scale: Scale, region: Region, before: Op) -> Value:
    """Insert what rounds numbers to integers, and gives the numbers that these stand for."""
    parts = [const(region, before, p) for p in (np.asarray(scale.scale, np.float32), np.asarray(scale.zero, np.int32))]
    rounds = Quantize(value, *parts, dtype=scale.dtype)
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


def _slot(op: Op, name: str) -> int:
    """Return where the operand of a name stands; all before it are single ones."""
    return op.spec.operands.index(name)


def _size(weight: Weight) -> int:
    size = weight.type.size
    return size if isinstance(size, int) else 0
