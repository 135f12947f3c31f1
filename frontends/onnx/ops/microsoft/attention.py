"""Attention, whole: with its projections, masks, and what is kept between steps."""

from __future__ import annotations

from .....compiler.dims import Dim, exact_div
from .....compiler.ir import Value
from .....compiler.ops.arith import Add
from .....compiler.ops.linear import MatMul
from .....compiler.ops.shape import Concat, Split, Transpose
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT, plus
from .heads import Rotation, Settings, after, attend, causal, join_heads, padding, positions_of, split_heads
from .integer import matmul_integer_to_float

UNSHARED = "Export without buffer sharing."


@onnx_op("RotaryEmbedding", since=1, domain=MICROSOFT)
def rotary_embedding(
    emit: Emitter,
    input: Value,
    position_ids: Value,
    cos_cache: Value,
    sin_cache: Value,
    *,
    interleaved: int | None = None,
    is_packed_batching: int | None = None,
    num_heads: int | None = None,
    rotary_embedding_dim: int | None = None,
    scale: float | None = None,
) -> Value:
    """Pairs of features rotated by angles that grow with the position."""
    if is_packed_batching:
        raise emit.fail("has sequences of a batch packed into one")
    rotate = Rotation(cos_cache, sin_cache, bool(interleaved))
    if input.type.rank == 4:
        return rotate(emit, input, positions_of(emit, position_ids, input.type.shape[2]))
    heads = num_heads if rotary_embedding_dim else exact_div(input.type.shape[-1], cos_cache.type.shape[-1] * 2)
    if not isinstance(heads, int):
        raise emit.fail(f"divides {input.type} into {heads} heads", code="T001")
    split = split_heads(emit, input, heads)
    return join_heads(emit, rotate(emit, split, positions_of(emit, position_ids, input.type.shape[1])))


@onnx_op("MultiHeadAttention", since=1, domain=MICROSOFT)
def multi_head_attention(
    emit: Emitter,
    query: Value,
    key: Value | None = None,
    value: Value | None = None,
    bias: Value | None = None,
    key_padding_mask: Value | None = None,
    attention_bias: Value | None = None,
    past_key: Value | None = None,
    past_value: Value | None = None,
    past_sequence_length: Value | None = None,
    cache_indirection: Value | None = None,
    *,
    mask_filter_value: float | None = None,
    num_heads: int,
    scale: float | None = None,
    unidirectional: int = 0,
) -> tuple[Value, ...]:
    """Queries, keys and values are projected already; the latter are also what is kept."""
    if past_sequence_length is not None or cache_indirection is not None or 3 in emit.needed:
        raise emit.fail("shares its buffers between steps, or gives its products", help=UNSHARED)
    q, k, v = _given(emit, (query, key, value), bias, num_heads)
    k, v = after(emit, past_key, k), after(emit, past_value, v)
    settings = _settings(scale, mask_filter_value)
    masks = _masks(emit, key_padding_mask, (q, k), settings, bool(unidirectional))
    return join_heads(emit, attend(emit, q, k, v, settings, *masks, attention_bias)), k, v


def _settings(scale: float | None, filter: float | None) -> Settings:
    return Settings(scale) if filter is None else Settings(scale, filter=filter)


def _masks(
    emit: Emitter, mask: Value | None, ends: tuple[Value, Value], settings: Settings, is_causal: bool
) -> tuple[Value | None, Value | None]:
    """Return what hides padding, and what hides keys after their queries."""
    q, k = ends
    batch, dtype, keys = q.type.shape[0], q.type.dtype, k.type.shape[2]
    hidden = None if mask is None else padding(emit, mask, batch, keys, settings.filter, dtype)
    return hidden, causal(emit, q.type.shape[2], keys, dtype) if is_causal else None


def _given(
    emit: Emitter, given: tuple[Value, Value | None, Value | None], bias: Value | None, heads: int
) -> tuple[Value, Value, Value]:
    """Return queries, keys and values in heads: each for itself, keys with values, or all in one."""
    query, key, value = given
    if key is None:
        parts = _unpacked(emit, query, 3, bias)
        return parts[0], parts[1], parts[2]
    if value is None:
        first = split_heads(emit, query, heads)
        if bias is not None:
            raise emit.fail("has a bias for keys and values in one", help="Export them apart.")
        parts = _unpacked(emit, key, 2, None)
        return first, parts[0], parts[1]
    if key.type.rank == 4:
        if bias is not None:
            raise emit.fail("has a bias for keys that are in heads already", help="Export them without heads.")
        return split_heads(emit, query, heads), key, value
    parts = (query, key, value)
    if bias is not None:
        biases = emit.all(Split(bias, 0, tuple(v.type.shape[-1] for v in parts)))
        parts = tuple(emit(Add(v, b)) for v, b in zip(parts, biases, strict=True))
    q, k, v = (split_heads(emit, part, heads) for part in parts)
    return q, k, v


def _unpacked(emit: Emitter, packed: Value, count: int, bias: Value | None) -> tuple[Value, ...]:
    """From ``[batch, time, heads, count, width]``; a bias has the count first."""
    if packed.type.rank != 5 or packed.type.shape[3] != count:
        raise emit.fail(f"has {packed.type} instead of {count} in one", code="T001")
    batch, time, heads, _, width = packed.type.shape
    if bias is not None:
        rows = emit(Transpose(emit.reshape(bias, (count, heads, width)), (1, 0, 2)))
        packed = emit(Add(packed, rows))
    parts = emit.all(Split(packed, 3, (1,) * count))
    return tuple(emit(Transpose(emit.reshape(p, (batch, time, heads, width)), (0, 2, 1, 3))) for p in parts)


@onnx_op("Attention", since=1, domain=MICROSOFT)
def attention(
    emit: Emitter,
    input: Value,
    weights: Value,
    bias: Value | None = None,
    mask_index: Value | None = None,
    past: Value | None = None,
    attention_bias: Value | None = None,
    past_sequence_length: Value | None = None,
    *,
    do_rotary: int | None = None,
    mask_filter_value: float | None = None,
    num_heads: int,
    past_present_share_buffer: int | None = None,
    qkv_hidden_sizes: tuple[int, ...] = (),
    rotary_embedding_dim: int | None = None,
    scale: float | None = None,
    unidirectional: int = 0,
) -> tuple[Value, ...]:
    """Attention: projects the input, attends, and returns keys and values for the next call."""
    if do_rotary or past_present_share_buffer or past_sequence_length is not None:
        raise emit.fail("rotates, or shares its buffers between steps", help=UNSHARED)
    projected = plus(emit, emit(MatMul(input, weights)), bias)
    settings = _settings(scale, mask_filter_value)
    sizes = qkv_hidden_sizes or _thirds(emit, projected)
    optional = (mask_index, past, attention_bias)
    return _attend(emit, projected, (sizes, num_heads), settings, optional, bool(unidirectional))


def _thirds(emit: Emitter, projected: Value) -> tuple[Dim, ...]:
    size = exact_div(projected.type.shape[-1], 3)
    if size is None:
        raise emit.fail(f"has queries, keys and values in {projected.type}", code="T001")
    return (size,) * 3


def _attend(
    emit: Emitter,
    projected: Value,
    division: tuple[tuple[Dim, ...], int],
    settings: Settings,
    optional: tuple[Value | None, Value | None, Value | None],
    is_causal: bool,
) -> tuple[Value, ...]:
    """Divide what was projected by sizes and into heads; return the result and what is kept."""
    (sizes, heads), (mask, past, bias) = division, optional
    q, k, v = (split_heads(emit, part, heads) for part in emit.all(Split(projected, 2, sizes)))
    if past is not None:
        shape = past.type.shape[1:]
        earlier = (emit.reshape(part, shape) for part in emit.all(Split(past, 0, (1, 1))))
        k, v = (after(emit, old, new) for old, new in zip(earlier, (k, v), strict=True))
    masks = _masks(emit, mask, (q, k), settings, is_causal)
    found = join_heads(emit, attend(emit, q, k, v, settings, *masks, bias))
    if 1 not in emit.needed:
        return (found,)
    return found, emit(Concat(tuple(emit.reshape(part, (1, *part.type.shape)) for part in (k, v)), 0))


@onnx_op("QAttention", since=1, domain=MICROSOFT)
def qattention(
    emit: Emitter,
    input: Value,
    weight: Value,
    bias: Value,
    input_scale: Value,
    weight_scale: Value,
    mask_index: Value | None = None,
    input_zero_point: Value | None = None,
    weight_zero_point: Value | None = None,
    past: Value | None = None,
    *,
    do_rotary: int | None = None,
    mask_filter_value: float | None = None,
    num_heads: int,
    past_present_share_buffer: int | None = None,
    scale: float | None = None,
    unidirectional: int = 0,
) -> tuple[Value, ...]:
    """QAttention: projects in integers, then attends in floats."""
    if do_rotary or past_present_share_buffer:
        raise emit.fail("rotates, or shares its buffers between steps", help=UNSHARED)
    projected = matmul_integer_to_float(
        emit, input, weight, input_scale, weight_scale, input_zero_point, weight_zero_point, bias
    )
    settings = _settings(scale, mask_filter_value)
    division = (_thirds(emit, projected), num_heads)
    return _attend(emit, projected, division, settings, (mask_index, past, None), bool(unidirectional))
