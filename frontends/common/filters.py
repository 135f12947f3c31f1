"""Constant operands: their elements, and filters whose axes lie otherwise in the source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compiler.dims import static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.quantize import Dequantize
from ...compiler.types import Array
from ..emitter import BaseEmitter


def transposed_weight(emit: BaseEmitter, w: Value, perm: Sequence[int]) -> Value:
    """Permute the axes of a filter; of a constant now, of integers that stand for numbers before that.

    Scales have one number for all or one per position of an axis.
    """
    order = tuple(perm)
    if order == tuple(range(len(order))):
        return w
    weight = constant(w)
    if weight is not None:
        shape = [weight.type.shape[p] for p in order]

        def permuted(array: Array) -> Array:
            return np.transpose(array, order)

        return emit.const(weight.derive(weight.type.with_shape(shape), permuted))
    writer = w.owner
    if isinstance(writer, Dequantize) and constant(writer.x) is not None:
        scale, zero = (
            v if v.type.size == 1 else transposed_weight(emit, _ranked(emit, v, len(order)), order)
            for v in (writer.scale, writer.zero)
        )
        return emit(Dequantize(transposed_weight(emit, writer.x, order), scale, zero))
    return emit.transpose(w, order)


def _ranked(emit: BaseEmitter, v: Value, rank: int) -> Value:
    """Give what broadcasts to a tensor as many axes."""
    weight = constant(v)
    shape = (*[1] * (rank - v.type.rank), *v.type.shape)
    if weight is None:
        return emit.reshape(v, shape)

    def ranked(array: Array) -> Array:
        return np.reshape(array, static(shape))

    return emit.const(weight.derive(weight.type.with_shape(shape), ranked))


def known(value: Value | None) -> Array | None:
    """The elements of a constant, None if it is computed."""
    weight = constant(value)
    return None if weight is None else weight.array()
