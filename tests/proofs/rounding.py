"""Rewrites that round again: the integers that they give, beside those that were there, at the place of the rewrite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from nhwcc.compiler.ir import Module, Op, Value
from nhwcc.compiler.ops.quantize import Quantize
from nhwcc.compiler.rewrite import Pattern
from nhwcc.compiler.types import Array

from .equivalence import outputs


@dataclass
class Rounded:
    """What every quantization of a module gives, and which operands of what it is."""

    results: dict[Quantize, tuple[Array, list[tuple[Op, int]]]]

    @staticmethod
    def of(module: Module, inputs: Sequence[Array], patterns: Iterable[Pattern]) -> Rounded:
        """Take it down, where one of the patterns may round otherwise."""
        ops = [op for op in module.walk() if isinstance(op, Quantize)]
        if not ops or not any(p.steps for p in patterns):
            return Rounded({})
        values = _values(module, inputs)
        readers = {op: [(use.op, use.slot) for use in op.result.uses] for op in ops}
        return Rounded({op: (values[op.result], readers[op]) for op in ops if op.result in values})

    def steps_apart(self, module: Module, inputs: Sequence[Array]) -> float:
        """By how much integers differ from what those are now that have taken their places; infinity if none have."""
        values = _values(module, inputs)
        gone = [known for op, known in self.results.items() if op.parent is None]
        pairs = [(was, op.operands[slot]) for was, uses in gone for op, slot in uses if op.parent is not None]
        return max((_distance(was, values.get(now)) for was, now in pairs), default=np.inf)


def _distance(was: Array, now: Array | None) -> float:
    if now is None or (was.shape, was.dtype) != (now.shape, now.dtype):
        return np.inf
    return float(np.abs(was.astype(np.int64) - now.astype(np.int64)).max(initial=0))


def _values(module: Module, inputs: Sequence[Array]) -> dict[Value | None, Array]:
    """What all operations give."""
    values: dict[Value | None, Array] = {}
    outputs(module, inputs, lambda op, results: values.update(zip(op.results, results, strict=True)))
    return values
