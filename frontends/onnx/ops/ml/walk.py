"""Going down all trees at once, one level after the other."""

from __future__ import annotations

import numpy as np

from .....compiler.ir import Value
from .....compiler.ops.arith import Add, Cast
from .....compiler.ops.index import Gather, GatherElements
from .....compiler.ops.logic import IsNan, LessEqual, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import BroadcastTo, Concat
from .....compiler.types import Array, DType
from ...emitter import Emitter
from .ensemble import Ensemble, Tables

REDUCTIONS = {"SUM": "sum", "AVERAGE": "mean", "MIN": "min", "MAX": "max"}


def combined(emit: Emitter, x: Value, ensemble: Ensemble, aggregate: str) -> Value:
    """Return what all trees together say about each sample: ``[samples, targets]``.

    Raises:
        CompileError: T001, a tree asks for a feature that the data does not have.
    """
    table, features = ensemble.table, x.type.shape[1]
    if isinstance(features, int) and table.feature.max() >= features:
        raise emit.fail(f"asks for feature {table.feature.max()} of {x.type}", code="T001")
    place, leaf = walk(emit, x, table), np.maximum(table.leaf, 0)
    if ensemble.targets == 1:
        found = emit(Gather(emit.const(ensemble.weights[leaf, 0]), place, 0))
        return emit(Reduce(found, REDUCTIONS[aggregate], (1,)))
    found = emit(Gather(emit.const(ensemble.weights), emit(Gather(emit.const(leaf), place, 0)), 0))
    return emit(Reduce(found, REDUCTIONS[aggregate], (1,), keepdims=False))


def walk(emit: Emitter, x: Value, table: Tables) -> Value:
    """Return the rows of the table in which each sample ends: ``[samples, trees]``."""
    x, features = _with_ways_of_nan(emit, x, table)
    if table.depth == 0:
        return emit(BroadcastTo(emit.const(np.arange(table.trees, dtype=np.int32)), (x.type.shape[0], table.trees)))
    roots = slice(0, table.trees)
    values = emit(Gather(x, emit.const(features[roots]), 1))
    place = _below(emit, values, emit.const(table.threshold[roots]), emit.const(table.base[roots]))
    columns = [emit.const(column) for column in (features, table.threshold, table.base)]
    for _ in range(table.depth - 1):
        feature, threshold, base = (emit(Gather(column, place, 0)) for column in columns)
        place = _below(emit, emit(GatherElements(x, feature, 1)), threshold, base)
    return place


def _below(emit: Emitter, values: Value, threshold: Value, base: Value) -> Value:
    return emit(Add(emit(Cast(emit(LessEqual(values, threshold)), DType.I32)), base))


def _with_ways_of_nan(emit: Emitter, x: Value, table: Tables) -> tuple[Value, Array]:
    """Return the features, once as they are and once with NaN as the smallest number, for splits that send it to yes.

    What no split asks for is left out.
    """
    is_split = table.leaf < 0
    if not (table.tracks & is_split).any():
        return x, table.feature
    low = emit(Select(emit(IsNan(x)), emit.const(-np.inf, x.type.dtype), x))
    if table.tracks[is_split].all():
        return low, table.feature
    return emit(Concat((low, x), 1)), np.where(table.tracks, table.feature, table.feature + x.type.shape[1])
