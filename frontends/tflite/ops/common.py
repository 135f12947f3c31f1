"""What handlers of several families share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops import activation as act
from ....compiler.ops.quantize import Dequantize
from ....compiler.types import Array
from ..emitter import Emitter

Activation: TypeAlias = Literal["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"]
"""What an operator may end in."""

FUSED = {"NONE": "none", "RELU": "relu", "RELU_N1_TO_1": "relu_n1_to_1", "RELU6": "relu6"}
"""Activations that operations of the IR may end in, too."""

CLAMPS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def activated(emit: Emitter, x: Value, activation: str) -> Value:
    """Apply an activation as an operation of its own.

    Raises:
        CompileError: F005, it is none that any kernel computes.
    """
    match activation:
        case "NONE":
            return x
        case "RELU":
            return emit(act.Relu(x))
        case "RELU6" | "RELU_N1_TO_1":
            return emit(act.Clip(x, *CLAMPS[activation]))
        case "TANH":
            return emit(act.Tanh(x))
        case _:
            raise emit.fail(f"ends in {activation}, which no kernel computes")


def ending_in(emit: Emitter, build: Callable[[str], Op], activation: str) -> Value:
    """Insert an operation that may end in an activation; one that it can't end in follows it."""
    if activation in FUSED:
        return emit(build(FUSED[activation]))
    return activated(emit, emit(build("none")), activation)


def transposed_weight(emit: Emitter, w: Value, perm: Sequence[int]) -> Value:
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


def _ranked(emit: Emitter, v: Value, rank: int) -> Value:
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
