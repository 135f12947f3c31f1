"""Lowerings of products of stacks of matrices that broadcast."""

from __future__ import annotations

from ...compiler.dims import is_static, static
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.linear import MatMul
from ...compiler.ops.shape import Tile


def repeat_matrices(op: MatMul, e: Build) -> None:
    """As many matrices on either side as there are products."""
    batch = op.result.type.shape[:-2]
    if not is_static((*op.a.type.shape, *op.b.type.shape)) or op.a.type.shape[:-2] == op.b.type.shape[:-2]:
        return
    e.replace(e.clone(op, *(_repeated(x, static(batch), e) for x in (op.a, op.b))))


def _repeated(x: Value, batch: tuple[int, ...], e: Build) -> Value:
    own = static(x.type.shape)
    ones = (1,) * (len(batch) + 2 - len(own))
    whole = e.reshape(x, (*ones, *own))
    have = static(whole.type.shape)[:-2]
    times = tuple(1 if size == has else size // has for size, has in zip(batch, have, strict=True))
    return whole if set(times) <= {1} else e(Tile, whole, (*times, 1, 1))
