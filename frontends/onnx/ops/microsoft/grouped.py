"""Attention in which several heads of queries share one of keys and values, over what is kept of earlier steps."""

from __future__ import annotations

from dataclasses import dataclass

from .....compiler.dims import Dim, exact_div
from .....compiler.ir import Value
from .....compiler.ops.arith import Add, Min, Sub
from .....compiler.ops.index import GatherElements
from .....compiler.ops.logic import Greater, GreaterEqual, Less, LogicalAnd, Select
from .....compiler.ops.shape import BroadcastTo, Slice, Split
from .....compiler.types import DType
from ....heads import repeat_heads
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT
from .heads import LOWEST, Rotation, Settings, after, attend, counted, hidden_where, join_heads, split_heads


@dataclass(frozen=True)
class Lengths:
    """How much of every sequence was there before this step: ``past`` of the kept positions count, ``[batch, 1]``."""

    past: Value
    kept: Dim
    new: Dim

    @property
    def total(self) -> Dim:
        """The number of keys: those that were kept, and those of this step."""
        return self.kept + self.new


@onnx_op("GroupQueryAttention", since=1, domain=MICROSOFT)
def group_query_attention(
    emit: Emitter,
    query: Value,
    key: Value | None,
    value: Value | None,
    past_key: Value | None,
    past_value: Value | None,
    seqlens_k: Value,
    total_sequence_length: Value,
    cos_cache: Value | None = None,
    sin_cache: Value | None = None,
    position_ids: Value | None = None,
    attention_bias: Value | None = None,
    head_sink: Value | None = None,
    k_scale: Value | None = None,
    v_scale: Value | None = None,
    q_norm_weight: Value | None = None,
    k_norm_weight: Value | None = None,
    *,
    causal: int = 1,
    do_rotary: int | None = None,
    k_quant_type: str = "NONE",
    kv_cache_bit_width: int | None = None,
    kv_num_heads: int,
    local_window_size: int = -1,
    num_heads: int,
    qk_norm_epsilon: float = 1e-6,
    qk_output: int = 0,
    rotary_interleaved: int | None = None,
    scale: float | None = None,
    sliding_window_cache: int = 0,
    smooth_softmax: int = -1,
    softcap: float | None = None,
    v_quant_type: str = "NONE",
) -> tuple[Value, ...]:
    """Projected queries attend to what was kept and to this step; kept positions of a sequence come first."""
    extras = (head_sink, k_scale, v_scale, q_norm_weight, k_norm_weight)
    flags = (kv_cache_bit_width, qk_output, sliding_window_cache, smooth_softmax > 0, not causal)
    if any(v is not None for v in extras) or any(flags) or (k_quant_type, v_quant_type) != ("NONE", "NONE"):
        text = "has sinks, norms, a quantized or sliding cache, a smooth softmax, or no causal order"
        raise emit.fail(text, help="Export it as plain causal attention.")
    q, k, v = _heads(emit, (query, key, value), num_heads, kv_num_heads)
    lengths = _lengths(emit, q, past_key, seqlens_k, total_sequence_length)
    if do_rotary:
        if cos_cache is None or sin_cache is None:
            raise emit.fail("rotates, but has no cosines and sines", code="F006")
        places = _places(emit, lengths) if position_ids is None else position_ids
        rotate = Rotation(cos_cache, sin_cache, bool(rotary_interleaved))
        q, k = (rotate(emit, part, places) for part in (q, k))
    k, v = (_kept(emit, old, new, lengths) for old, new in ((past_key, k), (past_value, v)))
    window = None if local_window_size < 0 else local_window_size
    mask = _mask(emit, lengths, window, q.type.dtype)
    groups = num_heads // kv_num_heads
    keys, values = (repeat_heads(emit, part, groups) for part in (k, v))
    found = attend(emit, q, keys, values, Settings(scale, softcap or 0.0), mask, attention_bias)
    return join_heads(emit, found), k, v


def _heads(
    emit: Emitter, given: tuple[Value, Value | None, Value | None], heads: int, shared: int
) -> tuple[Value, Value, Value]:
    """Return queries, keys and values in heads; without keys, queries hold all three side by side."""
    query, key, value = given
    if shared < 1 or heads % shared:
        raise emit.fail(f"has {heads} heads, of which {shared} are shared", code="F002")
    if key is None or value is None:
        width = exact_div(query.type.shape[-1], heads + 2 * shared)
        if width is None:
            raise emit.fail(f"has queries, keys and values in {query.type}", code="T001")
        query, key, value = emit.all(Split(query, 2, (width * heads, width * shared, width * shared)))
    return split_heads(emit, query, heads), split_heads(emit, key, shared), split_heads(emit, value, shared)


def _lengths(emit: Emitter, q: Value, past: Value | None, ends: Value, total: Value) -> Lengths:
    """Return how many positions of each sequence came before; in a first step none did, whatever its padding."""
    batch, _, new, _ = q.type.shape
    kept: Dim = 0 if past is None else past.type.shape[2]
    stated = emit.known.dim(total)
    if isinstance(stated, int) and isinstance(kept + new, int) and stated != kept + new:
        text = f"keeps {stated} positions in room for {kept} and {new} new ones: it shares its buffers between steps"
        raise emit.fail(text, help="Export without buffer sharing.")
    if kept == 0:
        return Lengths(emit(BroadcastTo(emit.const(0, DType.I32), (batch, 1))), 0, new)
    last = emit.reshape(emit.cast(ends, DType.I32), (batch, 1))
    return Lengths(emit(Sub(last, _size(emit, new - 1))), kept, new)


def _size(emit: Emitter, size: Dim) -> Value:
    """Return a size as ``[1, 1]``."""
    if isinstance(size, int):
        return emit.const([[size]], DType.I32)
    return emit(Slice(emit.reshape(counted(emit, size + 1), (1, size + 1)), (0, size), (1, 1), (1, 1)))


def _places(emit: Emitter, lengths: Lengths) -> Value:
    """Positions of the new elements, ``[batch, new]``."""
    return emit(Add(lengths.past, emit.reshape(counted(emit, lengths.new), (1, lengths.new))))


def _kept(emit: Emitter, past: Value | None, new: Value, lengths: Lengths) -> Value:
    """Put new elements after those of each sequence that count."""
    if past is None or lengths.kept == 0:
        return new
    joined = after(emit, past, new)
    batch, heads, _, width = joined.type.shape
    if batch == 1:
        return joined
    places = emit.reshape(counted(emit, lengths.total), (1, lengths.total))
    gap = emit(Sub(_size(emit, lengths.kept), lengths.past))
    moved = emit(Min(emit(Add(places, gap)), _size(emit, lengths.total - 1)))
    chosen = emit(Select(emit(Less(places, lengths.past)), places, moved))
    wide = emit(BroadcastTo(emit.reshape(chosen, (batch, 1, lengths.total, 1)), (batch, heads, lengths.total, width)))
    return emit(GatherElements(joined, wide, 2))


def _mask(emit: Emitter, lengths: Lengths, window: int | None, dtype: DType) -> Value:
    """Hide keys after their query, and those that lie too far before it."""
    batch = lengths.past.type.shape[0]
    ends = emit.reshape(_places(emit, lengths), (batch, 1, lengths.new, 1))
    keys = emit.reshape(counted(emit, lengths.total), (1, 1, 1, lengths.total))
    seen = emit(GreaterEqual(ends, keys))
    if window is not None:
        far = emit(Sub(ends, emit.const(window, DType.I32)))
        seen = emit(LogicalAnd(seen, emit(Greater(keys, far))))
    return hidden_where(emit, seen, LOWEST, dtype)
