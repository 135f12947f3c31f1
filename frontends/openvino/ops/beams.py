"""The end of a beam search: the steps of each beam, found by walking back from its last one."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.index import CumSum, GatherElements
from ....compiler.ops.logic import Equal, Greater, Less, Select
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import DType
from ...common.grid_sample import known_size
from ..emitter import Emitter
from ..registry import openvino_op
from .control import MAX_STEPS


@openvino_op("GatherTree")
def gather_tree(emit: Emitter, steps: Value, parents: Value, lengths: Value, end: Value) -> Value:
    """What each beam was at each step, ``[steps, batch, beams]``; after the first end there are ends only."""
    count = known_size(emit, steps.type.shape[0])
    if count > MAX_STEPS:
        raise emit.fail(f"walks back through {count} steps, more than {MAX_STEPS}")
    _, batch, beams = steps.type.shape
    shape = (batch, known_size(emit, beams))
    own = emit.expand(emit.const(np.arange(shape[1]).reshape(1, -1), DType.I64), shape)
    most = emit.reshape(emit(arith.Min(emit.cast(lengths, DType.I64), emit.const(count, DType.I64))), (batch, 1))
    last = emit.reshape(end, (1, 1))
    beam, rows = own, list[Value]()
    for step in reversed(range(count)):
        number = emit.const(step, DType.I64)
        starts = emit(Less(emit(arith.Add(number, emit.const(1, DType.I64))), most))
        beam = emit(Select(starts, beam, own))
        found, parent = (emit(GatherElements(_step(emit, v, step), beam, 1)) for v in (steps, parents))
        rows.insert(0, emit.reshape(emit(Select(emit(Less(number, most)), found, last)), (1, *shape)))
        beam = emit.cast(parent, DType.I64)
    whole = emit(Concat(tuple(rows), 0))
    ends = emit.cast(emit(Equal(whole, emit.reshape(end, (1, 1, 1)))), DType.I32)
    is_over = emit(Greater(emit(CumSum(ends, 0)), emit.const(0, DType.I32)))
    return emit(Select(is_over, emit.reshape(end, (1, 1, 1)), whole))


def _step(emit: Emitter, x: Value, step: int) -> Value:
    """Return one row."""
    _, batch, beams = x.type.shape
    return emit.reshape(emit(Slice(x, (step, 0, 0), (1, batch, beams), (1, 1, 1))), (batch, beams))
