"""fuse-batch-norm: per-channel scaling and shifting goes into the weights next to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..compiler.constants import is_weight
from ..compiler.dims import broadcast, static
from ..compiler.fold import constant
from ..compiler.ir import Module, Value
from ..compiler.ops.arith import Add, Div, Mul, Neg, Reciprocal, Rsqrt, Sub
from ..compiler.ops.core import Const
from ..compiler.ops.linear import Linear, MatMul
from ..compiler.ops.norm import BatchNorm, LayerNorm, RmsNorm
from ..compiler.ops.reduce import Reduce
from ..compiler.ops.shape import Reshape
from ..compiler.ops.window import Conv
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Pattern, Rewriter, pattern, rewrite
from ..compiler.types import Array
from ..compiler.weights import EAGER_BYTES, Weight
from .channels import Origin, Weighted, along_inputs, along_outputs, channel_axis, per_channel, readers


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
        rw.require(isinstance(op, Mul) or _divides(c), "it divides by zero")
        scale = per_channel(c, channel_axis(producer), x, rw)
        scale = rw.emit(Reciprocal(scale)) if isinstance(op, Div) else scale
        weights = rw.emit(Mul(producer.w, along_outputs(producer, scale, rw)))
        bias = None if producer.bias is None else rw.emit(Mul(producer.bias, scale))
        rw.replace(producer.clone((producer.x, weights, bias), activation=op.activation))
        return


def _divides(divisor: Value) -> bool:
    """Whether no element of a constant is zero: products with an infinite weight are not what quotients by zero are."""
    weight = constant(divisor)
    return weight is not None and bool(weight.array().all())


@pattern(Add, Sub)
def shift_into_bias(op: Add | Sub, rw: Rewriter) -> None:
    """A weighted operation, then a constant per output channel added or subtracted: it belongs into the bias."""
    for x, c in _constant_operand(op):
        producer = x.owner
        if not isinstance(producer, Weighted):
            continue
        _require_bias(producer, x, rw)
        shift = per_channel(c, channel_axis(producer), x, rw)
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
        factor = per_channel(c, channel_axis(op), x, rw)
        if not shifts:
            factor = rw.emit(Reciprocal(factor)) if isinstance(producer, Div) else factor
            rw.replace(op.clone((x, rw.emit(Mul(op.w, along_inputs(op, factor, rw))), op.bias)))
            return
        factor = rw.emit(Neg(factor)) if isinstance(producer, Sub) else factor
        moved = rw.emit(Mul(op.w, along_inputs(op, factor, rw)))
        sums = rw.emit(Reduce(moved, "sum", tuple(range(1, moved.type.rank)), keepdims=False))
        rw.replace(op.clone((x, op.w, sums if op.bias is None else rw.emit(Add(op.bias, sums)))))
        return


@pattern(Conv, Linear)
def factor_of_product(op: Conv | Linear, rw: Rewriter) -> None:
    """A constant per input channel in one factor of a product, then a weighted operation: it belongs into weights."""
    match op.x.owner:
        case Mul(a=a, b=b, activation="none") as product if constant(op.w) is not None:
            pairs = ((a, b), (b, a))
        case _:
            return
    for other, scaled in pairs:
        inner = scaled.owner
        if not isinstance(inner, Mul | Div) or inner.activation != "none":
            continue
        for y, c in _constant_operand(inner):
            rw.require(op.x.has_one_use and scaled.has_one_use, "the scaled value is used elsewhere too")
            rw.require(not isinstance(op, Conv) or op.groups == 1, "the convolution is grouped")
            factor = per_channel(c, channel_axis(op), op.x, rw)
            factor = rw.emit(Reciprocal(factor)) if isinstance(inner, Div) else factor
            whole = rw.emit(product.clone((other, y)))
            rw.replace(op.clone((whole, rw.emit(Mul(op.w, along_inputs(op, factor, rw))), op.bias)))
            return


def _constant_operand(op: Add | Sub | Mul | Div) -> list[tuple[Value, Value]]:
    """Pairs of the data and the constant; of a difference or quotient the constant must come second.

    Quotients of integers have none: they are rounded, so they are no products with an inverse.
    """
    if isinstance(op, Div) and not op.result.type.dtype.is_float:
        return []
    pairs = [(op.a, op.b)] if isinstance(op, Sub | Div) else [(op.a, op.b), (op.b, op.a)]
    return [(x, c) for x, c in pairs if constant(c) is not None and constant(x) is None and x.type == op.result.type]


def _require_weights(producer: Weighted, x: Value, rw: Rewriter) -> None:
    _require_bias(producer, x, rw)
    rw.require(constant(producer.w) is not None, "the weights are computed")


def _require_bias(producer: Weighted, x: Value, rw: Rewriter) -> None:
    """Demand that the bias can change: the weights may be integers, which stay what they are."""
    rw.require(x.has_one_use, "the result before it is used elsewhere too")
    rw.require(producer.activation == "none", "an activation comes between")
    is_constant = is_weight(producer.w) and (producer.bias is None or constant(producer.bias) is not None)
    rw.require(is_constant, "the weights are computed")


@pattern(Mul, Div, Add, Sub)
def into_weights_over_views(op: Mul | Div | Add | Sub, rw: Rewriter) -> None:
    """A constant per output channel after reshapes, transposes and splits of a weighted operation's result."""
    for x, c in _constant_operand(op):
        origin = Origin.of(x)
        if origin is None or not origin.steps or op.activation != "none":
            continue
        producer = origin.producer
        _require_weights(producer, producer.result, rw)
        rw.require(producer.w.has_one_use, "others share the weights")
        shifts = isinstance(op, Add | Sub)
        vector = origin.vector(c, x, 0.0 if shifts else 1.0, rw)
        vector = np.reciprocal(vector) if isinstance(op, Div) else -vector if isinstance(op, Sub) else vector
        _change_outputs(producer, vector, shifts=shifts)
        rw.replace(x)
        return


def _change_outputs(producer: Weighted, vector: Array, *, shifts: bool) -> None:
    """Add a constant to every output channel, or multiply by it, in place: the values after stay what they are."""
    assert producer.parent is not None
    at = Rewriter(producer, producer.parent)
    amount = at.emit(Const(Weight.of(vector)))
    if shifts:
        producer.set_operand(2, amount if producer.bias is None else at.emit(Add(producer.bias, amount)))
        return
    producer.set_operand(1, at.emit(Mul(producer.w, along_outputs(producer, amount, at))))
    if producer.bias is not None:
        producer.set_operand(2, at.emit(Mul(producer.bias, amount)))


@pattern(Mul)
def factor_before_product(op: Mul, rw: Rewriter) -> None:
    """A number times a product of matrices scales one of them, if that comes from weights."""
    for x, c in _constant_operand(op):
        match x.owner:
            case MatMul(a=a, b=b) as product if c.type.size == 1 and op.activation == "none":
                rw.require(x.has_one_use, "the product is used elsewhere too")
                number = rw.emit(Reshape(c, ()))
                if Origin.of(a) is not None:
                    rw.replace(product.clone((rw.emit(Mul(a, number)), b)))
                elif Origin.of(b) is not None:
                    rw.replace(product.clone((a, rw.emit(Mul(b, number)))))
                return
            case _:
                continue


@pattern(LayerNorm, RmsNorm)
def affine_into_readers(op: LayerNorm | RmsNorm, rw: Rewriter) -> None:
    """What a normalisation multiplies by and adds per channel belongs into the weights of all that read it."""
    bias = op.bias if isinstance(op, LayerNorm) else None
    parameters = [p for p in (op.scale, bias) if p is not None]
    if not parameters or len(op.dims) != 1 or any(constant(p) is None for p in parameters):
        return
    axis = op.dims[0] % op.x.type.rank
    found = readers(op.result, axis)
    rw.require(bool(found), "not only matrix products and convolutions without padding read it")
    rw.require(all(r.w.has_one_use for r in found or ()), "others share the weights of what reads it")
    scale, shift = (None if p is None else per_channel(p, axis, op.x, rw) for p in (op.scale, bias))
    for reader in found or ():
        _change_inputs(reader, scale, shift)
    rw.replace(op.clone((op.x, *(None for _ in op.operands[1:]))))


def _change_inputs(op: Conv | Linear, scale: Value | None, shift: Value | None) -> None:
    """Give an operation the weights with which it reads its input before ``input * scale + shift``, in place."""
    assert op.parent is not None
    at = Rewriter(op, op.parent)
    if shift is not None:
        moved = at.emit(Mul(op.w, along_inputs(op, shift, at)))
        sums = at.emit(Reduce(moved, "sum", tuple(range(1, moved.type.rank)), keepdims=False))
        op.set_operand(2, sums if op.bias is None else at.emit(Add(op.bias, sums)))
    if scale is not None:
        op.set_operand(1, at.emit(Mul(op.w, along_inputs(op, scale, at))))


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
            rw.require(not _grow(b, c), "both constants together have more elements than each alone")
            rw.replace(type(op)(y, rw.emit(type(op)(b, c)), op.activation))
            return


def _grow(a: Value, b: Value) -> bool:
    """Whether constants that broadcast against each other are much larger together: the file would hold all of it."""
    apart, together = (a.type.size, b.type.size), math.prod(static(broadcast(a.type.shape, b.type.shape)))
    return together > sum(static(apart)) and together * a.type.dtype.bits // 8 > EAGER_BYTES


PATTERNS: Sequence[Pattern] = (
    split_batch_norm,
    scale_into_weights,
    shift_into_bias,
    into_weights_over_views,
    scale_before_shift,
    merge_constants,
)


@register("fuse-batch-norm")
class FuseBatchNorm(Pass):
    """Fold batch normalisations, and any constant factor or term per channel, into the weights and biases around them.

    What follows a convolution, transposed convolution or matrix product is folded first, then what precedes
    one that does not pad, also as a factor of the product that it reads.  A normalisation with nothing to go into
    becomes one product and one sum.  Reshapes, transposes, splits and concats on the way don't matter where channels
    stay whole; so the scale of attention and what layer normalisations end in vanish, too.
    """

    def run(self, module: Module) -> None:
        """Outputs first: what can go either way should not keep a later one from its own convolution."""
        rewrite(module, PATTERNS)
        rewrite(module, [factor_before_product, *PATTERNS])
        rewrite(module, [scale_from_input, factor_of_product, affine_into_readers])
