"""fuse-batch-norm: per-channel scaling and shifting goes into the weights next to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..compiler.fold import constant
from ..compiler.ir import Module, Value
from ..compiler.ops.arith import Add, Div, Mul, Neg, Reciprocal, Rsqrt, Sub
from ..compiler.ops.core import Const
from ..compiler.ops.linear import Linear
from ..compiler.ops.norm import BatchNorm
from ..compiler.ops.reduce import Reduce
from ..compiler.ops.shape import Reshape
from ..compiler.ops.window import Conv, ConvTranspose, Spatial
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Pattern, Rewriter, pattern, rewrite
from ..compiler.weights import Weight

Weighted = Conv | ConvTranspose | Linear
"""Operations that multiply by constant weights and add a bias."""


@pattern(BatchNorm)
def split_batch_norm(op: BatchNorm, rw: Rewriter) -> None:
    """With constant parameters, a batch normalisation is a product and a sum per channel."""
    parameters = (op.scale, op.bias, op.mean, op.variance)
    rw.require(all(constant(p) is not None for p in parameters), "its parameters are computed")
    epsilon = rw.emit(Const(Weight.of(np.asarray(op.epsilon, op.variance.type.dtype.numpy))))
    factor = rw.emit(Mul(op.scale, rw.emit(Rsqrt(rw.emit(Add(op.variance, epsilon))))))
    shift = rw.emit(Sub(op.bias, rw.emit(Mul(op.mean, factor))))
    shape = [op.x.type.shape[op.axis] if i == op.axis else 1 for i in range(op.x.type.rank)]
    product = rw.emit(Mul(op.x, rw.emit(Reshape(factor, tuple(shape)))))
    rw.replace(Add(product, rw.emit(Reshape(shift, tuple(shape)))))


@pattern(Mul, Div)
def scale_into_weights(op: Mul | Div, rw: Rewriter) -> None:
    """A weighted operation, then a constant per output channel: scale weights and bias instead."""
    for x, c in _constant_operand(op):
        producer = x.owner
        if not isinstance(producer, Weighted):
            continue
        _require_weights(producer, x, rw)
        scale = _per_channel(c, _channel_axis(producer), x, rw)
        scale = rw.emit(Reciprocal(scale)) if isinstance(op, Div) else scale
        weights = rw.emit(Mul(producer.w, _along_outputs(producer, scale, rw)))
        bias = None if producer.bias is None else rw.emit(Mul(producer.bias, scale))
        rw.replace(producer.clone((producer.x, weights, bias), activation=op.activation))
        return


@pattern(Add, Sub)
def shift_into_bias(op: Add | Sub, rw: Rewriter) -> None:
    """A weighted operation, then a constant per output channel added or subtracted: it belongs into the bias."""
    for x, c in _constant_operand(op):
        producer = x.owner
        if not isinstance(producer, Weighted):
            continue
        _require_weights(producer, x, rw)
        shift = _per_channel(c, _channel_axis(producer), x, rw)
        shift = rw.emit(Neg(shift)) if isinstance(op, Sub) else shift
        bias = shift if producer.bias is None else rw.emit(Add(producer.bias, shift))
        rw.replace(producer.clone((producer.x, producer.w, bias), activation=op.activation))
        return


@pattern(Conv, Linear)
def scale_from_input(op: Conv | Linear, rw: Rewriter) -> None:
    """A constant per input channel, then a weighted operation without padding: it belongs into weights and bias."""
    producer = op.x.owner
    if not isinstance(producer, Mul | Add | Sub | Div) or producer.activation != "none" or constant(op.w) is None:
        return
    for x, c in _constant_operand(producer):
        rw.require(op.x.has_one_use, "the scaled value is used elsewhere too")
        grouped = isinstance(op, Conv) and op.groups != 1
        rw.require(not grouped, "the convolution is grouped")
        shifts = isinstance(producer, Add | Sub)
        padded = isinstance(op, Conv) and any(p != (0, 0) for p in op.pads)
        rw.require(not (shifts and padded), "padding comes between: it would be shifted, too")
        factor = _per_channel(c, _channel_axis(op), x, rw)
        if not shifts:
            factor = rw.emit(Reciprocal(factor)) if isinstance(producer, Div) else factor
            rw.replace(op.clone((x, rw.emit(Mul(op.w, _along_inputs(op, factor, rw))), op.bias)))
            return
        factor = rw.emit(Neg(factor)) if isinstance(producer, Sub) else factor
        moved = rw.emit(Mul(op.w, _along_inputs(op, factor, rw)))
        sums = rw.emit(Reduce(moved, "sum", tuple(range(1, moved.type.rank)), keepdims=False))
        rw.replace(op.clone((x, op.w, sums if op.bias is None else rw.emit(Add(op.bias, sums)))))
        return


def _constant_operand(op: Add | Sub | Mul | Div) -> list[tuple[Value, Value]]:
    """Pairs of the data and the constant; of a difference or quotient the constant must come second."""
    pairs = [(op.a, op.b)] if isinstance(op, Sub | Div) else [(op.a, op.b), (op.b, op.a)]
    return [(x, c) for x, c in pairs if constant(c) is not None and constant(x) is None and x.type == op.result.type]


def _require_weights(producer: Weighted, x: Value, rw: Rewriter) -> None:
    rw.require(x.has_one_use, "the result before it is used elsewhere too")
    rw.require(producer.activation == "none", "an activation comes between")
    constants = constant(producer.w) is not None and (producer.bias is None or constant(producer.bias) is not None)
    rw.require(constants, "the weights are computed")


def _channel_axis(op: Weighted) -> int:
    if isinstance(op, Linear):
        return op.x.type.rank - 1
    return Spatial.of(op.x.type.rank, op.channels_last).channel


def _per_channel(value: Value, axis: int, data: Value, rw: Rewriter) -> Value:
    """A constant that depends on the channel only, as a vector with one element per channel."""
    rank, shape = data.type.rank, value.type.shape
    channels = data.type.shape[axis]
    padded = (1,) * (rank - len(shape)) + shape
    rw.require(all(d == 1 for i, d in enumerate(padded) if i != axis), "the constant differs within a channel")
    rw.require(isinstance(channels, int), "the number of channels is not known")
    assert isinstance(channels, int)
    weight = constant(value)
    assert weight is not None
    spread = np.broadcast_to(weight.array().reshape(-1), (channels,))
    return rw.emit(Const(Weight.of(spread)))


def _along_outputs(op: Weighted, vector: Value, rw: Rewriter) -> Value:
    """The vector in a shape that broadcasts over the weights' output channels."""
    rank = op.w.type.rank
    if isinstance(op, ConvTranspose):
        outputs, groups = op.filter_shape[1], op.groups
        if groups == 1:
            axis = 0 if op.channels_last else 1
            return rw.emit(Reshape(vector, _unit_shape(rank, axis, outputs)))
        rw.require(not op.channels_last, "the transposed convolution is grouped")
        inputs = op.filter_shape[0]
        assert isinstance(inputs, int)
        assert isinstance(outputs, int)
        weight = constant(vector)
        assert weight is not None
        spread = np.repeat(weight.array().reshape(groups, outputs), inputs // groups, axis=0)
        return rw.emit(Const(Weight.of(spread.reshape(inputs, outputs, *[1] * (rank - 2)))))
    return rw.emit(Reshape(vector, _unit_shape(rank, 0, op.w.type.shape[0])))


def _along_inputs(op: Conv | Linear, vector: Value, rw: Rewriter) -> Value:
    """The vector in a shape that broadcasts over the weights' input channels."""
    rank = op.w.type.rank
    axis = 1 if isinstance(op, Linear) else Spatial.of(rank, op.channels_last).channel
    return rw.emit(Reshape(vector, _unit_shape(rank, axis, op.w.type.shape[axis])))


def _unit_shape(rank: int, axis: int, size: object) -> tuple[int, ...]:
    assert isinstance(size, int)
    return tuple(size if i == axis else 1 for i in range(rank))


@pattern(Mul)
def scale_before_shift(op: Mul, rw: Rewriter) -> None:
    """``(x + b) * c`` with constants is ``x * c + b * c``: so chains of normalisations meet."""
    for x, c in _constant_operand(op):
        match x.owner:
            case Add(activation="none") as inner if op.activation == "none":
                for y, b in _constant_operand(inner):
                    rw.require(x.has_one_use, "the sum is used elsewhere too")
                    rw.replace(Add(rw.emit(Mul(y, c)), rw.emit(Mul(b, c))))
                    return
            case _:
                continue


@pattern(Mul, Add)
def merge_constants(op: Mul | Add, rw: Rewriter) -> None:
    """``x * a * b`` and ``x + a + b`` with constants take one operation."""
    for x, c in _constant_operand(op):
        inner = x.owner
        if type(inner) is not type(op) or not isinstance(inner, Mul | Add) or inner.activation != "none":
            continue
        for y, b in _constant_operand(inner):
            rw.require(x.has_one_use, "the inner result is used elsewhere too")
            rw.replace(type(op)(y, rw.emit(type(op)(b, c)), op.activation))
            return


PATTERNS: Sequence[Pattern] = (
    split_batch_norm,
    scale_into_weights,
    shift_into_bias,
    scale_before_shift,
    merge_constants,
)


@register("fuse-batch-norm")
class FuseBatchNorm(Pass):
    """Fold batch normalisations, and any constant factor or term per channel, into the weights and biases around them.

    What stands behind a convolution, transposed convolution or matrix product is folded first, then what stands before
    one that does not pad.  A normalisation with nothing to go into becomes one product and one sum.
    """

    def run(self, module: Module) -> None:
        """Outputs first: what can go either way should not keep a later one from its own convolution."""
        rewrite(module, PATTERNS)
        rewrite(module, [scale_from_input])
