"""Normalisations of transformers, fused with what is added before."""

from __future__ import annotations

import numpy as np

from .....compiler.dims import exact_div
from .....compiler.ir import Value
from .....compiler.ops.activation import Silu
from .....compiler.ops.arith import Add, Cast
from .....compiler.ops.index import Gather
from .....compiler.ops.logic import NotEqual
from .....compiler.ops.norm import GroupNorm, RmsNorm
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import BroadcastTo, Range
from .....compiler.types import DType
from ...emitter import Emitter
from ...registry import onnx_op
from ..norm import layer_norm, rms_norm
from ..quantize import dequantize_linear
from .domain import MICROSOFT, plus


@onnx_op("SkipLayerNormalization", since=1, domain=MICROSOFT)
def skip_layer_norm(
    emit: Emitter,
    input: Value,
    skip: Value,
    gamma: Value,
    beta: Value | None = None,
    bias: Value | None = None,
    *,
    epsilon: float = 1e-12,
) -> tuple[Value, ...]:
    """A sum, normalised; the sum is the fourth result."""
    _check_statistics(emit)
    total = plus(emit, input, skip, bias)
    (normal, *_) = layer_norm(emit, total, gamma, beta, epsilon=epsilon)
    return normal, normal, normal, total


@onnx_op("SkipSimplifiedLayerNormalization", since=1, domain=MICROSOFT)
def skip_rms_norm(
    emit: Emitter, input: Value, skip: Value, gamma: Value, bias: Value | None = None, *, epsilon: float = 1e-12
) -> tuple[Value, ...]:
    """A sum, divided by the root of its mean square; the sum is the fourth result."""
    _check_statistics(emit)
    total = plus(emit, input, skip, bias)
    normal = emit(RmsNorm(total, gamma, (total.type.rank - 1,), epsilon))
    return normal, normal, normal, total


def _check_statistics(emit: Emitter) -> None:
    """The second and third result are for training; onnxruntime does not compute them either."""
    if emit.needed & {1, 2}:
        raise emit.fail("gives mean and deviation, which are for training", help="Export the model for inference.")


@onnx_op("SimplifiedLayerNormalization", since=1)
def simplified_layer_norm(
    emit: Emitter, x: Value, scale: Value, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Value:
    """Divided by the root of the mean square; onnxruntime has it in the standard's domain."""
    return rms_norm(emit, x, scale, axis=axis, epsilon=epsilon, stash_type=stash_type)


@onnx_op("EmbedLayerNormalization", since=1, domain=MICROSOFT)
def embed_layer_norm(
    emit: Emitter,
    input_ids: Value,
    segment_ids: Value | None,
    word_embedding: Value,
    position_embedding: Value,
    segment_embedding: Value | None,
    gamma: Value,
    beta: Value,
    mask: Value | None = None,
    position_ids: Value | None = None,
    *,
    epsilon: float = 1e-12,
    mask_index_type: int | None = None,
) -> tuple[Value, ...]:
    """Embeddings of words, positions and segments, added and normalised; then the lengths that the mask says."""
    batch, length = input_ids.type.shape
    if position_ids is None:
        zero, one = (emit.const(n, DType.I32) for n in (0, 1))
        position_ids = emit(Range(zero, one, length))
    segment = None
    if segment_ids is not None and segment_embedding is not None:
        segment = emit(Gather(segment_embedding, segment_ids, 0))
    words, places = emit(Gather(word_embedding, input_ids, 0)), emit(Gather(position_embedding, position_ids, 0))
    total = plus(emit, words, places, segment)
    (normal, *_) = layer_norm(emit, total, gamma, beta, epsilon=epsilon)
    if mask is None:
        lengths = emit(BroadcastTo(emit.const(np.int32(0)), (batch,)))
    else:
        present = emit(Cast(emit(NotEqual(mask, emit.const(0, mask.type.dtype))), DType.I32))
        lengths = emit(Reduce(present, "sum", (1,), keepdims=False))
    return normal, lengths, total


@onnx_op("QEmbedLayerNormalization", since=1, domain=MICROSOFT)
def qembed_layer_norm(
    emit: Emitter,
    input_ids: Value,
    segment_ids: Value | None,
    word_embedding_quant: Value,
    position_embedding_quant: Value,
    segment_embedding: Value | None,
    gamma_quant: Value,
    beta_quant: Value,
    mask: Value | None,
    word_embedding_scale: Value,
    position_embedding_scale: Value,
    segment_embedding_scale: Value | None,
    gamma_scale: Value,
    beta_scale: Value,
    word_embedding_zero_point: Value,
    position_embedding_zero_point: Value,
    segment_embedding_zero_point: Value | None,
    gamma_zero_point: Value,
    beta_zero_point: Value,
    *,
    epsilon: float = 1e-12,
) -> tuple[Value, ...]:
    """As ``EmbedLayerNormalization``, with tables and parameters of 8 bits."""
    segments = None
    if segment_embedding is not None and segment_embedding_scale is not None:
        segments = dequantize_linear(emit, segment_embedding, segment_embedding_scale, segment_embedding_zero_point)
    normal, lengths, _ = embed_layer_norm(
        emit,
        input_ids,
        segment_ids,
        dequantize_linear(emit, word_embedding_quant, word_embedding_scale, word_embedding_zero_point),
        dequantize_linear(emit, position_embedding_quant, position_embedding_scale, position_embedding_zero_point),
        segments,
        dequantize_linear(emit, gamma_quant, gamma_scale, gamma_zero_point),
        dequantize_linear(emit, beta_quant, beta_scale, beta_zero_point),
        mask,
        epsilon=epsilon,
    )
    return normal, lengths


@onnx_op("GroupNorm", since=1, domain=MICROSOFT)
def group_norm(
    emit: Emitter,
    x: Value,
    gamma: Value,
    beta: Value,
    *,
    activation: int,
    channels_last: int = 1,
    epsilon: float = 1e-5,
    groups: int,
) -> Value:
    """Over groups of channels and all positions, then a SiLU if ``activation`` is 1."""
    if activation not in (0, 1):
        raise emit.fail(f"has the activation {activation}, neither 0 (none) nor 1 (SiLU)", code="F002")
    scale, bias = (emit.cast(v, x.type.dtype) for v in (gamma, beta))
    axis = x.type.rank - 1 if channels_last else 1
    if exact_div(x.type.shape[axis], groups) is None:
        raise emit.fail(f"divides the channels of {x.type} into {groups} groups", code="T001")
    normal = emit(GroupNorm(x, scale, bias, groups, epsilon, axis))
    return emit(Silu(normal)) if activation else normal


@onnx_op("SkipGroupNorm", since=1, domain=MICROSOFT)
def skip_group_norm(
    emit: Emitter,
    x: Value,
    gamma: Value,
    beta: Value,
    skip: Value,
    bias: Value | None = None,
    *,
    activation: int,
    channels_last: int = 1,
    epsilon: float = 1e-5,
    groups: int,
) -> tuple[Value, Value]:
    """A sum, normalised; the sum is the second result. What is added counts images and channels at least."""
    total = x
    for term in (skip, bias):
        if term is not None:
            total = emit(Add(total, _per_channel(emit, term, x, channels_last)))
    normal = group_norm(
        emit, total, gamma, beta, activation=activation, channels_last=channels_last, epsilon=epsilon, groups=groups
    )
    return normal, total


def _per_channel(emit: Emitter, term: Value, x: Value, channels_last: int) -> Value:
    """Shape ``[c]`` or ``[n, c]`` to broadcast to ``x``."""
    if term.type.rank == x.type.rank:
        return term
    if term.type.rank not in (1, 2):
        raise emit.fail(f"adds {term.type} to {x.type}", code="T001")
    ones, shape = (1,) * (x.type.rank - 2), (1, *term.type.shape)[-2:]
    return emit.reshape(term, (shape[0], *ones, shape[1]) if channels_last else (*shape, *ones))
