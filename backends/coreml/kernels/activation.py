"""Rows of the table for activation functions, by their own operations in MIL."""

from __future__ import annotations

import math

from ....compiler.constants import elements
from ....compiler.fold import constant
from ....compiler.ops import activation as ir
from ....compiler.types import Array
from ..table import Call, Condition, Nested, condition, emits, number
from .common import plainly

plainly(
    {
        ir.Relu: "relu",
        ir.Tanh: "tanh",
        ir.Sigmoid: "sigmoid",
        ir.Silu: "silu",
        ir.Softplus: "softplus",
        ir.Softsign: "softsign",
    },
    "f16 f32",
)


@condition("0 and 6 as bounds")
def _to_six(op: ir.Clip) -> str | None:
    return None if (op.min, op.max) == (0, 6) else f"the bounds {op.min} and {op.max}"


@emits(ir.Clip, "relu6", when=(_to_six,))
def relu6(op: ir.Clip) -> Call:
    """MIL's ``relu6``, which clamps elements to the range from 0 to 6."""
    return Call({"x": op.x})


@condition("two bounds that are numbers of the element type")
def _two_bounds(op: ir.Clip) -> str | None:
    low, high = ir.binding(op.min, op.max, op.x.type.dtype)
    return None if low is not None and high is not None and low <= high else "one bound only, or none"


@emits(ir.Clip, "clip", when=(_two_bounds,))
def clip(op: ir.Clip) -> Call:
    """Clamp between two bounds, which are numbers of the element type."""
    return Call({"x": op.x, "alpha": number(op.min, op.x), "beta": number(op.max, op.x)})


def _below(bound: str) -> Condition:
    def why_not(op: ir.Clip) -> str | None:
        other = op.max if bound == "min" else op.min
        return None if math.isinf(other) and math.isfinite(getattr(op, bound)) else "two bounds, or none"

    return Condition("one bound", why_not)


@emits(ir.Clip, "maximum", when=(_below("min"),))
def at_least(op: ir.Clip) -> Call:
    """Clamp by a lower bound only, as a maximum with it."""
    return Call({"x": op.x, "y": number(op.min, op.x)})


@emits(ir.Clip, "minimum", when=(_below("max"),))
def at_most(op: ir.Clip) -> Call:
    """Clamp by an upper bound only, as a minimum with it."""
    return Call({"x": op.x, "y": number(op.max, op.x)})


@emits(ir.LeakyRelu, "leaky_relu")
def leaky_relu(op: ir.LeakyRelu) -> Call:
    """The identity above zero, one slope below it for all channels."""
    return Call({"x": op.x, "alpha": number(op.alpha, op.x)})


@emits(ir.Elu, "elu")
def elu(op: ir.Elu) -> Call:
    """The identity above zero, ``alpha (e^x - 1)`` below it."""
    return Call({"x": op.x, "alpha": number(op.alpha, op.x)})


@condition("constant slopes, one for each channel on axis 1 of an image")
def _of_channels(op: ir.PRelu) -> str | None:
    array = elements(op.slope)
    if array is None or constant(op.slope) is None:
        return "slopes that are computed"
    channels = op.x.type.shape[1]
    shape = (1,) * (op.x.type.rank - array.ndim) + array.shape
    return None if shape == (1, channels, 1, 1) else "slopes of another shape"


@emits(ir.PRelu, "prelu", ranks=range(4, 5), when=(_of_channels,))
def prelu(op: ir.PRelu) -> Call:
    """The identity above zero, one slope per channel below it."""
    weight = constant(op.slope)
    assert weight is not None
    return Call({"x": op.x, "alpha": weight.derive(weight.type.with_shape((op.x.type.shape[1],)), _flat)})


def _flat(array: Array) -> Array:
    return array.reshape(-1)


@emits(ir.HardSigmoid, "sigmoid_hard")
def hard_sigmoid(op: ir.HardSigmoid) -> Call:
    """``min(max(alpha x + beta, 0), 1)``, with alpha and beta as parameters."""
    return Call({"x": op.x, "alpha": number(op.alpha, op.x), "beta": number(op.beta, op.x)})


@emits(ir.Gelu, "gelu")
def gelu(op: ir.Gelu) -> Call:
    """GELU by the error function, or its approximation by tanh."""
    return Call({"x": op.x, "mode": "TANH_APPROXIMATION" if op.approximate else "EXACT"})


@emits(ir.Softmax, "softmax", ranks=range(1, 6))
def softmax(op: ir.Softmax) -> Call:
    """Exponentials that sum up to one along any single axis."""
    return Call({"x": op.x, "axis": op.axis})


@emits(ir.LogSoftmax, "sub", ranks=range(1, 6))
def log_softmax(op: ir.LogSoftmax) -> Call:
    """Less the logarithm of the sum of exponentials, which is computed without overflow."""
    shape = tuple(1 if a == op.axis else d for a, d in enumerate(op.x.type.shape))
    total = {"x": op.x, "axes": (op.axis,), "keep_dims": True}
    return Call({"x": op.x, "y": Nested("reduce_log_sum_exp", op.x.type.with_shape(shape), total)})
