"""From probabilities of pairs of classes to those of all classes (Wu, Lin and Weng 2004, second method).

The iteration stops at a tolerance that shows in the results, so it is run as it is rather than solved exactly.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from .....compiler.ir import Region, Value
from .....compiler.ops.arith import Abs, Add, Div, Mul, Square, Sub
from .....compiler.ops.control import While
from .....compiler.ops.core import Return
from .....compiler.ops.linear import Linear, MatMul
from .....compiler.ops.logic import GreaterEqual, Less, LogicalAnd, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import BroadcastTo, Slice
from .....compiler.types import DType
from ...emitter import Emitter

ITERATIONS = 100

TOLERANCE = 0.005
"""Divided by the number of classes, what the gradient may differ from its mean by."""


def coupled(emit: Emitter, shares: Value, classes: int) -> Value:
    """Return probabilities of all classes; ``shares`` are those of the first of every pair."""
    matrix = _quadratic(emit, shares, classes)
    batch = shares.type.shape[0]
    start = emit(BroadcastTo(emit.const(np.float32(1 / classes)), (batch, classes)))
    carried = (emit.const(0, DType.I32), start, emit.const(True))
    condition, body = (Region([Value(v.type) for v in carried]) for _ in range(2))
    _continue(replace(emit, region=condition))
    _iterate(replace(emit, region=body), matrix, classes)
    return emit.all(While(carried, condition, body))[1]


def _quadratic(emit: Emitter, shares: Value, classes: int) -> Value:
    """Return ``Q[i][i] = sum r[j][i]^2`` and ``Q[i][j] = -r[j][i] r[i][j]`` for every row."""
    pairs = list(combinations(range(classes), 2))
    own = np.zeros((classes * classes, len(pairs)), np.float32)
    other, mixed = np.zeros_like(own), np.zeros_like(own)
    for pair, (i, j) in enumerate(pairs):
        own[j * classes + j, pair] = 1
        other[i * classes + i, pair] = 1
        mixed[[i * classes + j, j * classes + i], pair] = -1
    rest = emit(Sub(emit.const(np.float32(1)), shares))
    parts = [
        emit(Linear(x, emit.const(table)))
        for x, table in (
            (emit(Square(shares)), own),
            (emit(Square(rest)), other),
            (emit(Mul(shares, rest)), mixed),
        )
    ]
    flat = emit(Add(emit(Add(parts[0], parts[1])), parts[2]))
    return emit.reshape(flat, (shares.type.shape[0], classes, classes))


def _continue(emit: Emitter) -> None:
    count, _, going = emit.region.args
    limited = emit(Less(count, emit.const(ITERATIONS, DType.I32)))
    emit.region.insert(Return((emit(LogicalAnd(limited, going)),)))


def _iterate(emit: Emitter, matrix: Value, classes: int) -> None:
    """Go once through all classes; rows that have converged stay."""
    count, p, _ = emit.region.args
    batch = p.type.shape[0]
    column = emit(MatMul(matrix, emit.reshape(p, (batch, classes, 1))))
    gradient = emit.reshape(column, (batch, classes))
    mean = emit(Reduce(emit(Mul(p, gradient)), "sum", (1,)))
    worst = emit(Reduce(emit(Abs(emit(Sub(gradient, mean)))), "max", (1,)))
    active = emit(GreaterEqual(worst, emit.const(np.float32(TOLERANCE / classes))))
    new = p
    for i, here in enumerate(np.eye(classes, dtype=np.float32)):
        new, gradient, mean = _step(emit, matrix, (i, emit.const(here)), (new, gradient, mean))
    kept = emit(Select(active, new, p))
    again = emit(Reduce(active, "any", (0, 1), keepdims=False))
    emit.region.insert(Return((emit(Add(count, emit.const(1, DType.I32))), kept, again)))


def _step(
    emit: Emitter, matrix: Value, one: tuple[int, Value], state: tuple[Value, Value, Value]
) -> tuple[Value, Value, Value]:
    """Improve the probability of ``one`` class, given by its number and as a row that is hot there; normalise."""
    (i, here), (p, gradient, mean) = one, state
    batch, classes = p.type.shape
    row = emit.reshape(_column(emit, matrix, i), (batch, classes))
    diagonal, slope = _column(emit, row, i), _column(emit, gradient, i)
    step = emit(Div(emit(Sub(mean, slope)), diagonal))
    scale = emit(Add(step, emit.const(np.float32(1))))
    inner = emit(Add(emit(Mul(step, diagonal)), emit(Mul(slope, emit.const(np.float32(2))))))
    mean = emit(Div(emit(Div(emit(Add(mean, emit(Mul(step, inner)))), scale)), scale))
    gradient = emit(Div(emit(Add(gradient, emit(Mul(step, row)))), scale))
    p = emit(Div(emit(Add(p, emit(Mul(step, here)))), scale))
    return p, gradient, mean


def _column(emit: Emitter, x: Value, i: int) -> Value:
    """Position ``i`` along axis 1."""
    starts = tuple(i if axis == 1 else 0 for axis in range(x.type.rank))
    sizes = tuple(1 if axis == 1 else d for axis, d in enumerate(x.type.shape))
    return emit(Slice(x, starts, sizes, (1,) * x.type.rank))
