"""search-integers: looks for the largest among integers, not among the numbers that these stand for."""

from __future__ import annotations

from ..compiler.ir import Module
from ..compiler.ops.index import ArgMax, ArgMin
from ..compiler.ops.quantize import Dequantize
from ..compiler.pipeline import Pass, register
from ..compiler.types import DType

BYTES = (DType.I8, DType.U8)
"""Integers among which kernels search."""


@register("search-integers")
class SearchIntegers(Pass):
    """Let searches for the largest or smallest read integers of one scale: a larger one stands for a larger number.

    Runs after quantization: NPUs search among integers only, and no other operation reads the numbers.
    """

    def run(self, module: Module) -> None:
        """Look at all operations of the main function."""
        for op in module.main.ops:
            numbers = op.x.owner if isinstance(op, ArgMax | ArgMin) else None
            if isinstance(numbers, Dequantize) and numbers.x.type.dtype in BYTES and numbers.scale.type.size == 1:
                op.set_operand(0, numbers.x)
