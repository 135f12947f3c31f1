"""Numbers that kernels round as they multiply them: rounded at the kernel, after what moves them."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.dims import Dim, product
from ....compiler.ops.quantize import RoundDynamic
from ....compiler.ops.shape import Reshape, Transpose
from ..lowering import Build, prepare


@prepare(Reshape, Transpose)
def move_before_rounding(op: Reshape | Transpose, e: Build) -> None:
    """Move numbers, and round them afterwards by the same ranges."""
    writer = op.x.owner
    if not isinstance(writer, RoundDynamic) or not op.x.has_one_use:
        return
    if isinstance(op, Transpose):
        dims = tuple(i for i, p in enumerate(op.perm) if p in writer.dims)
    else:
        found = _trailing(op.x.type.shape, writer.dims, op.result.type.shape)
        if found is None:
            return
        dims = found
    e.replace(e(RoundDynamic, e.clone(op, writer.x), dims))


def _trailing(before: Sequence[Dim], dims: Sequence[int], after: Sequence[Dim]) -> tuple[int, ...] | None:
    """Return the last dims of a reshaped tensor that hold the same elements together, None if none do.

    >>> _trailing((4, 3, 2), (1, 2), (2, 2, 6))
    (2,)
    """
    apart = [i for i, d in enumerate(before) if i not in dims and d != 1]
    together = [i for i in dims if before[i] != 1]
    if apart and together and max(apart) > min(together):
        return None
    count = product([before[i] for i in apart])
    fits = (k for k in reversed(range(len(after) + 1)) if product(after[:k]) == count)
    first = next(fits, None)
    return None if first is None else tuple(range(first, len(after)))
