"""Rows of the table for activation functions and softmax."""

from __future__ import annotations

from ....compiler.ops import activation as ir
from ..table import Call, emits, scalar
from .common import plainly, renamed

plainly(
    {
        ir.Relu: "Relu",
        ir.PRelu: "PRelu",
        ir.Tanh: "Tanh",
        ir.Sigmoid: "Sigmoid",
        ir.HardSwish: "HardSwish",
        ir.Silu: "Swish",
        ir.Softplus: "Softplus",
        ir.Softsign: "Softsign",
        ir.Mish: "Mish",
    }
)
renamed(
    {
        ir.LeakyRelu: ("LeakyRelu", {"alpha": "alpha"}),
        ir.Elu: ("Elu", {"alpha": "alpha"}),
        ir.Selu: ("Selu", {"alpha": "alpha", "gamma": "gamma"}),
        ir.Celu: ("Celu", {"alpha": "alpha"}),
        ir.ThresholdedRelu: ("ThresholdedRelu", {"alpha": "alpha"}),
        ir.Shrink: ("Shrink", {"bias": "bias", "lambd": "threshold"}),
        ir.HardSigmoid: ("HardSigmoid", {"alpha": "alpha", "beta": "beta"}),
    }
)


@emits(ir.Clip, "Clip")
def clip(op: ir.Clip) -> Call:
    """Bounds as far as there are numbers beyond them."""
    bounds = ir.binding(op.min, op.max, op.x.type.dtype)
    return Call((op.x, *(None if b is None else scalar(b, op.x.type.dtype) for b in bounds)))


@emits(ir.Gelu, "Gelu")
def gelu(op: ir.Gelu) -> Call:
    """Gelu: exact or by a hyperbolic tangent, as an attribute says."""
    return Call((op.x,), {"approximate": "tanh"} if op.approximate else {})


ALONG_ONE = 13
"""The opset from which on softmax is along one axis; before, along all from that one on."""


def _normalised(op: ir.Softmax | ir.LogSoftmax) -> Call:
    is_last = all(d == 1 for d in op.x.type.shape[op.axis + 1 :])
    return Call((op.x,), {"axis": op.axis}, since=1 if is_last else ALONG_ONE)


emits(ir.Softmax, "Softmax")(_normalised)
emits(ir.LogSoftmax, "LogSoftmax")(_normalised)
