"""What transformers add to products of queries and keys, by their distance."""

from __future__ import annotations

import math

import numpy as np

from .....compiler.budget import reserve
from .....compiler.ir import Value
from .....compiler.ops.activation import Sigmoid
from .....compiler.ops.arith import Add, Mul, Sub
from .....compiler.ops.index import Gather
from .....compiler.ops.linear import MatMul
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import Split, Transpose
from .....compiler.types import Array
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT
from .heads import split_heads


@onnx_op("RelativePositionBias", since=1, domain=MICROSOFT)
def relative_position_bias(
    emit: Emitter,
    bias_table: Value,
    query_length: Value,
    key_length: Value,
    *,
    is_bidirectional: int = 0,
    max_distance: int,
) -> Value:
    """A row of the table for every distance: near ones have one each, far ones share, as in T5; ``[1, h, q, k]``."""
    count, heads = bias_table.type.shape
    if not isinstance(count, int):
        raise emit.fail(f"has a table {bias_table.type}, whose number of rows is not known", code="F004")
    queries, keys = emit.int(query_length, "query_length"), emit.int(key_length, "key_length")
    reserve(max(queries, 0), max(keys, 0), what="the distances")
    distances = np.arange(keys)[None, :] - np.arange(queries)[:, None]
    rows = _rows(distances, count, max_distance, both_ways=bool(is_bidirectional))
    found = emit(Gather(bias_table, emit.const(rows), 0))
    return emit.reshape(emit(Transpose(found, (2, 0, 1))), (1, heads, queries, keys))


def _rows(distances: Array, count: int, farthest: int, *, both_ways: bool) -> Array:
    """Return the row of each distance: half of the rows are for one distance each, half grow by a constant factor."""
    behind = np.zeros_like(distances)
    if both_ways:
        count //= 2
        behind = np.where(distances > 0, count, 0)
    far = np.abs(distances) if both_ways else np.maximum(-distances, 0)
    exact = count // 2
    share = np.log(np.maximum(far, 1).astype(np.float32) / exact) / np.float32(math.log(farthest / exact))
    shared = np.minimum(exact + (share * (count - exact)).astype(np.int64), count - 1)
    return behind + np.where(far < exact, far, shared)


@onnx_op("GatedRelativePositionBias", since=1, domain=MICROSOFT)
def gated_relative_position_bias(
    emit: Emitter,
    query_layer: Value,
    query_bias: Value,
    rel_pos: Value,
    weight: Value,
    bias: Value,
    eco_a: Value,
    token_offset: Value | None = None,
    *,
    num_heads: int,
) -> Value:
    """A bias times a gate that each query computes: ``u * (r * eco_a - 1) + 2``, as in WavLM."""
    if token_offset is not None:
        raise emit.fail("has queries without padding (token_offset)", help="Export with padded sequences.")
    query = split_heads(emit, emit(Add(query_layer, query_bias)), num_heads)
    gates = emit(Add(emit(MatMul(query, weight)), bias))
    *shape, width = gates.type.shape
    summed = emit(Reduce(emit.reshape(gates, (*shape, 2, width // 2)), "sum", (4,), keepdims=False))
    u, r = emit.all(Split(emit(Sigmoid(summed)), 3, (1, 1)))
    one, two = (emit.const(n, gates.type.dtype) for n in (1, 2))
    gate = emit(Add(emit(Mul(u, emit(Sub(emit(Mul(r, eco_a)), one)))), two))
    return emit(Mul(gate, rel_pos))
