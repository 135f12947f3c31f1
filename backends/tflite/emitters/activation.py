"""Rows of the table for activation functions and softmax."""

from __future__ import annotations

import math

from ....compiler.fold import constant
from ....compiler.ir import Op
from ....compiler.ops import activation as ir
from ....compiler.scales import WIDE
from ....compiler.types import DType
from ..table import FAST_RANKS, Call, Condition, Quantizable, condition, emits, options


def _plain(op: Op) -> Call:
    return Call(op.operands)


_SHARES = Quantizable(result=(1 / 256, -128), types=WIDE)

emits(ir.Relu, "RELU", dtypes=Quantizable(types=WIDE), kernel="activations.cc")(_plain)
emits(ir.Tanh, "TANH", dtypes=Quantizable(result=(1 / 128, 0), types=WIDE), kernel="activations.cc")(_plain)
emits(ir.Sigmoid, "LOGISTIC", dtypes=_SHARES, kernel="activations.cc")(_plain)
emits(ir.HardSwish, "HARD_SWISH", dtypes=Quantizable(version=1, is_slow=True), kernel="activations.cc")(_plain)


CLAMPS = {"RELU": (0.0, math.inf), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
"""Builtins that clamp. RELU_0_TO_1 is left out: XNNPACK does not run it, MINIMUM and MAXIMUM it does."""


def _clamps_into(low: float, high: float) -> Condition:
    bounds = f"{low:g} and {high:g}"
    return Condition(
        f"bounds {bounds}", lambda op: None if (op.min, op.max) == (low, high) else f"bounds other than {bounds}"
    )


for _builtin, _bounds in CLAMPS.items():
    emits(
        ir.Clip,
        _builtin,
        dtypes=Quantizable(version=1) if _builtin == "RELU_N1_TO_1" else Quantizable(types=WIDE),
        when=(_clamps_into(*_bounds),),
        kernel="activations.cc",
    )(_plain)


@emits(ir.LeakyRelu, "LEAKY_RELU", dtypes=Quantizable(types=WIDE, version16=2), kernel="activations.cc")
def leaky_relu(op: ir.LeakyRelu) -> Call:
    """LEAKY_RELU: one slope for negative numbers, an option."""
    return Call((op.x,), options("LeakyReluOptions", alpha=op.alpha))


@condition("constant slopes along the last axis")
def _per_channel(op: ir.PRelu) -> str | None:
    """The kernel's own limit; XNNPACK also wants a constant."""
    if constant(op.slope) is None:
        return "slopes that are computed"
    shape = op.slope.type.shape
    if any(d != 1 for d in shape[:-1]) or not shape or shape[-1] != op.x.type.shape[-1]:
        return "slopes other than one per position along the last axis"
    return None


@emits(ir.PRelu, "PRELU", dtypes="f32", ranks=range(1, 7), when=(_per_channel,), kernel="activations.cc")
def prelu(op: ir.PRelu) -> Call:
    """PRELU: slopes are an operand that broadcasts, such as one per channel."""
    return Call((op.x, op.slope))


@condition("alpha 1")
def _alpha_one(op: ir.Elu) -> str | None:
    return None if op.alpha == 1 else "ELU has an alpha of one"


@emits(
    ir.Elu,
    "ELU",
    dtypes=Quantizable(version=1, types=frozenset({DType.I8}), is_slow=True),
    when=(_alpha_one,),
    kernel="activations.cc",
)
def elu(op: ir.Elu) -> Call:
    """ELU: an exponential below zero, with an ``alpha`` of 1."""
    return Call((op.x,))


@emits(ir.Gelu, "GELU", dtypes=Quantizable(is_slow=True), kernel="gelu.cc")
def gelu(op: ir.Gelu) -> Call:
    """GELU: exact or by a hyperbolic tangent, as an option says."""
    return Call((op.x,), options("GeluOptions", approximate=op.approximate))


@condition("along the last axis")
def _last_axis(op: ir.Softmax | ir.LogSoftmax) -> str | None:
    return None if op.axis == op.x.type.rank - 1 else "it normalises along the last axis"


@emits(
    ir.Softmax,
    "SOFTMAX",
    dtypes=_SHARES,
    ranks=FAST_RANKS[1:],
    when=(_last_axis,),
    kernel="activations.cc",
)
def softmax(op: ir.Softmax) -> Call:
    """SOFTMAX: the kernel works along the last axis only."""
    return Call((op.x,), options("SoftmaxOptions", beta=1.0))


@emits(
    ir.LogSoftmax,
    "LOG_SOFTMAX",
    dtypes=Quantizable(result=(16 / 256, 127), is_slow=True),
    ranks=FAST_RANKS[1:],
    when=(_last_axis,),
    kernel="activations.cc",
)
def log_softmax(op: ir.LogSoftmax) -> Call:
    """LOG_SOFTMAX: the kernel works along the last axis only."""
    return Call((op.x,))
