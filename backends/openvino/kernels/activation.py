"""Rows for activation functions, Softmax and LogSoftmax, whose parameters are attributes or scalar operands."""

from __future__ import annotations

import math

from ....compiler.ops import activation as ir
from ..table import FLOATS, NUMBERS, Call, condition, emits
from .common import number, plainly, renamed, reshaped

plainly(
    {
        ir.Tanh: "Tanh",
        ir.Sigmoid: "Sigmoid",
        ir.HardSwish: "HSwish",
        ir.Silu: "Swish",
        ir.Softplus: "SoftPlus",
        ir.Softsign: "SoftSign",
        ir.Mish: "Mish",
    },
    FLOATS,
)
plainly({ir.Relu: "ReLU"}, NUMBERS)
renamed(
    {
        ir.Elu: ("Elu", {"alpha": "alpha"}),
        ir.Softmax: ("SoftMax", {"axis": "axis"}),
        ir.LogSoftmax: ("LogSoftmax", {"axis": "axis"}),
    },
    FLOATS,
)


@condition("two bounds that are numbers of the element type")
def _two_bounds(op: ir.Clip) -> str | None:
    low, high = ir.binding(op.min, op.max, op.x.type.dtype)
    return None if low is not None and high is not None and low <= high else "one bound only, or none"


@emits(ir.Clip, "Clamp", dtypes=FLOATS, when=(_two_bounds,))
def clamp(op: ir.Clip) -> Call:
    """Clamp between two numbers, of which neither may be missing: they are required attributes."""
    return Call((op.x,), {"min": float(op.min), "max": float(op.max)})


@emits(ir.LeakyRelu, "PReLU", dtypes=FLOATS)
def leaky_relu(op: ir.LeakyRelu) -> Call:
    """PReLU with a scalar slope, since OpenVINO has no operation of its own for one slope."""
    return Call((op.x, number(op.alpha, op.x)))


@condition("slopes that align with the data's axes")
def _aligned(op: ir.PRelu) -> str | None:
    return None if op.slope.type.rank <= op.x.type.rank else "slopes with more axes than the data"


@emits(ir.PRelu, "PReLU", dtypes=FLOATS, when=(_aligned,))
def prelu(op: ir.PRelu) -> Call:
    """PReLU with slopes of the operand's rank: OpenVINO takes a vector for one slope per channel."""
    missing = op.x.type.rank - op.slope.type.rank
    return Call((op.x, reshaped(op.slope, (*[1] * missing, *op.slope.type.shape))))


@emits(ir.Selu, "Selu", dtypes=FLOATS)
def selu(op: ir.Selu) -> Call:
    """Selu: ``alpha`` and ``lambda`` are operands in OpenVINO, here scalar constants."""
    return Call((op.x, number(op.alpha, op.x), number(op.gamma, op.x)))


@condition("a sixth and a half")
def _sixth(op: ir.HardSigmoid) -> str | None:
    is_sixth = math.isclose(op.alpha, 1 / 6, rel_tol=1e-6) and op.beta == 1 / 2
    return None if is_sixth else f"{op.alpha} and {op.beta}"


@emits(ir.HardSigmoid, "HSigmoid", dtypes=FLOATS, when=(_sixth,))
def h_sigmoid(op: ir.HardSigmoid) -> Call:
    """HSigmoid: ``clip(x + 3, 0, 6) / 6``, a hard sigmoid with a slope of a sixth and an offset of a half."""
    return Call((op.x,))


@emits(ir.HardSigmoid, "HardSigmoid", dtypes=FLOATS)
def hard_sigmoid(op: ir.HardSigmoid) -> Call:
    """HardSigmoid: ``clip(alpha * x + beta, 0, 1)``; both numbers are operands in OpenVINO."""
    return Call((op.x, number(op.alpha, op.x), number(op.beta, op.x)))


@emits(ir.Gelu, "Gelu", dtypes=FLOATS)
def gelu(op: ir.Gelu) -> Call:
    """Gelu, exact with the error function, or approximated by a hyperbolic tangent."""
    return Call((op.x,), {"approximation_mode": "TANH" if op.approximate else "ERF"})
