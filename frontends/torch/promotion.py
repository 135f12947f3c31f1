"""Element types of mixed operands: tensors with axes decide before tensors without, and those before numbers."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from ...compiler.dims import Sym
from ...compiler.ir import Value
from ...compiler.types import DType
from .tensors import DTYPES, TORCH_DTYPES

Number = int | float | bool | Sym
"""A Python number in a graph; a symbolic one is an integer."""

Operand = Value | int | float | bool | Sym
"""A tensor, or a number in the place of one."""


def number_type(value: Number) -> DType:
    """Return the element type that a number has on its own."""
    return DType.BOOL if isinstance(value, bool) else DType.F32 if isinstance(value, float) else DType.I64


def promote(operands: Iterable[Operand]) -> DType:
    """Return the element type in which PyTorch computes with operands of different ones."""
    by_priority: list[list[torch.dtype]] = [[], [], []]
    for x in operands:
        is_value = isinstance(x, Value)
        level = (0 if x.type.rank else 1) if is_value else 2
        by_priority[level].append(TORCH_DTYPES[x.type.dtype if is_value else number_type(x)])
    result: torch.dtype | None = None
    for level in by_priority:
        for dtype in _joined(level):
            if result is None:
                result = dtype
            elif _category(dtype) > _category(result):
                result = torch.promote_types(result, dtype)
    assert result is not None
    return DTYPES[result]


def _joined(dtypes: list[torch.dtype]) -> list[torch.dtype]:
    if not dtypes:
        return []
    out = dtypes[0]
    for dtype in dtypes[1:]:
        out = torch.promote_types(out, dtype)
    return [out]


def _category(dtype: torch.dtype) -> int:
    """Bool, integer, real, complex."""
    return 3 if dtype.is_complex else 2 if dtype.is_floating_point else 0 if dtype is torch.bool else 1
