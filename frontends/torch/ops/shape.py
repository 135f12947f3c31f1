"""Operators that move, cut and join data."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import shape as ir
from ..emitter import Emitter
from ..registry import aten


@aten("view", "reshape", "_unsafe_view", "view_copy")
def view(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """PyTorch has worked out what -1 stands for."""
    return emit.reshape(x, emit.shape)


@aten("flatten.using_ints")
def flatten(emit: Emitter, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """Merge neighbouring axes."""
    return emit.reshape(x, emit.shape)


@aten("cat")
def cat(emit: Emitter, tensors: tuple[Value, ...], dim: int = 0) -> Value:
    """Join along an axis; vectors without elements, whatever the others' rank, are left out."""
    parts = [emit.cast(t, emit.dtype) for t in tensors if t.type.shape != (0,)] or list(tensors[:1])
    return parts[0] if len(parts) == 1 else emit(ir.Concat(tuple(parts), emit.axis(dim, parts[0].type.rank)))
