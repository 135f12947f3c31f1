"""Normalisations of transformers, fused with what is added before."""

from __future__ import annotations

import numpy as np

from .....compiler.ir import Value
from .....compiler.ops.arith import Cast
from .....compiler.ops.index import Gather
from .....compiler.ops.logic import NotEqual
from .....compiler.ops.norm import RmsNorm
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import BroadcastTo, Range
from .....compiler.types import DType
from ...emitter import Emitter
from ...registry import onnx_op
from ..norm import layer_norm, rms_norm
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
