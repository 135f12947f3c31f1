"""Folding axes that broadcast alike, so that elementwise operations stay within the ranks that kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .dims import Dim, Shape, Sym, product
from .ir import Op
from .opdef import broadcast_shapes


def shapes_of(op: Op) -> list[Shape]:
    """Return the shapes of all operands that are present, in their order."""
    return [v.type.shape for v in op.operands if v is not None]


def broadcasts(shapes: Sequence[Shape]) -> bool:
    """Say whether operands differ in shape; numbers of one element do not count."""
    return len({s for s in shapes if s}) > 1


def folds(shapes: Sequence[Shape]) -> list[int]:
    """Return how many neighbouring axes of the result fold into one each.

    >>> folds([(2, 3, 4, 5, 6), (2, 1, 1, 5, 6)])
    [1, 2, 2]
    """
    result = broadcast_shapes(shapes)
    padded = [(1,) * (len(result) - len(s)) + s for s in shapes]
    kinds: list[object] = []
    for axis, size in enumerate(result):
        kind = _kind([p[axis] for p in padded], size, axis)
        kinds.append(kinds[-1] if size == 1 and kinds else kind)
    if len(kinds) > 1 and result[0] == 1:
        kinds[0] = kinds[1]
    return [len(list(run)) for _, run in groupby(kinds)]


def _kind(sizes: list[Dim], result: Dim, axis: int) -> object:
    """Which operands repeat along an axis; where that is open, the axis stays by itself."""
    if all(s == 1 or s == result for s in sizes):
        return tuple(s == 1 for s in sizes)
    return axis


def fold_shape(shape: Shape, runs: Sequence[int]) -> Shape:
    """Return an operand's shape after folding, aligned at the last axis, without leading ones.

    >>> fold_shape((5, 6), [1, 2, 2])
    (30,)
    """
    rank = sum(runs)
    padded = (1,) * (rank - len(shape)) + shape
    out: list[Dim] = []
    start = 0
    for run in runs:
        out.append(product(padded[start : start + run]))
        start += run
    first = next((i for i, d in enumerate(out) if d != 1), len(out))
    return tuple(out[first:]) if len(shape) < rank else tuple(out)


def needs_fold(op: Op, limit: int) -> bool:
    """Say whether folding brings an operation that broadcasts within ``limit`` axes."""
    shapes = shapes_of(op)
    rank = max((len(s) for s in shapes), default=0)
    if rank <= limit or not broadcasts(shapes):
        return False
    names = {d for s in shapes for d in s if isinstance(d, Sym)}
    return len(names) <= 1 and len(folds(shapes)) <= limit
