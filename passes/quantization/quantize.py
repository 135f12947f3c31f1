"""Quantizing a function: integers where kernels compute with them, or weights only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from functools import reduce

from ...compiler.diagnostics import Remark, counted, error, remark
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Value
from ...compiler.ops.quantize import Dequantize, Quantize, RoundDynamic
from ...compiler.options import weight_bits
from ...compiler.rewrite import erase_dead
from ...compiler.scales import IntegerKernels, Range, Scale
from ...compiler.types import DType
from .integers import Integers
from .interface import check_moved, store_interface
from .names import value_names
from .ranges import constant_range
from .recipe import Recipe, check_keeps
from .split import check_outputs
from .storage import Storage
from .weights import BITS


def quantize(func: Func, recipe: Recipe, kernels: IntegerKernels) -> None:
    """Rewrite a function whose operations are all legal; legalize it once more afterwards.

    Raises:
        CompileError: Q001, ranges are needed and unknown; Q002, the calibration belongs to another function; Q005, an
            output of integers joins parts of too different ranges; Q006, what is to stay in floats is not there; Q007,
            nothing computes with an input of integers.
    """
    names = value_names(func)
    check_keeps(func, recipe.keeps, names)
    check_outputs(func, recipe, names)
    check_moved(func, recipe.io_dtypes, kernels.keeps_scales)
    static = Integers.of(func, recipe, kernels, names) if recipe.is_static else None
    rounds = recipe.mode in ("dynamic-int8", "int8") or weight_bits(recipe.mode) < BITS
    storage = Storage(func, recipe, kernels, names, rounds=rounds)
    storage.store(() if static is None else static.ops)
    corrected = storage.counts["biases"]
    text = str(storage)
    if static is not None:
        static.insert()
        corrected += static.counts["biases"]
        text = f"{counted(len(static.ops), 'operation')} on integers; {_floats(func, static.ops)}; of these, {text}"
    remark(Remark("note", "quantize", f"{text}; {counted(corrected, 'bias', 'biases')} corrected"))

    def scale_of(value: Value, dtype: DType) -> Scale:
        group = None if static is None else static.scales.groups.get(value)
        if group is not None:
            return group.scale(dtype)
        return Scale.of(_range(value, recipe, names, kernels), dtype)

    store_interface(func, recipe.io_dtypes, scale_of)
    erase_dead(*func.walk())


def _range(value: Value, recipe: Recipe, names: Mapping[Value, str], kernels: IntegerKernels) -> Range:
    """Return the range of an input or output, or of what it is moved from: splitting outputs makes new moves."""
    seen, weight, writer = recipe.calibration.get(names.get(value, "")), constant(value), value.owner
    if seen is not None:
        return seen.range()
    if weight is not None:
        return constant_range(weight)
    if writer is None or not kernels.keeps_scales(writer):
        raise error("Q001", "integers as inputs and outputs need the ranges of values", help="give data: --data")
    parts = [v for v in writer.operands if v is not None and v.type.dtype is DType.F32]
    return reduce(Range.join, (_range(v, recipe, names, kernels) for v in parts))


def _floats(func: Func, others: Container[Op]) -> str:
    """Count what computes in floats."""
    found = Counter(op.spec.name for op in func.ops if op not in others and op.results and _computes(op))
    return f"in floats: {', '.join(f'{count} {name}' for name, count in found.most_common()) or 'none'}"


def _computes(op: Op) -> bool:
    is_quantizing = isinstance(op, Quantize | Dequantize | RoundDynamic)
    return not is_quantizing and constant(op.results[0]) is None and op.results[0].type.dtype is DType.F32


__all__ = ["Recipe", "quantize"]
