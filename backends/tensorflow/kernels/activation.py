"""Rows of the table for activation functions and softmax."""

from __future__ import annotations

import math
from typing import Any

from ....compiler.ops import activation as ir
from ..table import Call, condition, emits
from .common import last_axis, plainly, precise, same

SOFTMAX_RANKS = range(1, 6)

plainly(
    {
        ir.Relu: "Relu",
        ir.Tanh: "Tanh",
        ir.Sigmoid: "Sigmoid",
        ir.Softplus: "Softplus",
        ir.Softsign: "Softsign",
    }
)


@condition("bounds 0 and 6")
def _six(op: ir.Clip) -> str | None:
    return None if (op.min, op.max) == (0, 6) else f"bounds {op.min} and {op.max}"


emits(ir.Clip, "Relu6", when=(_six,))(same)


@emits(ir.LeakyRelu, "LeakyRelu")
def leaky_relu(op: ir.LeakyRelu) -> Call:
    """LeakyRelu: one slope for negative numbers, an attribute."""
    return Call((op.x,), {"alpha": float(op.alpha)})


@condition("alpha 1")
def _alpha_one(op: ir.Elu) -> str | None:
    return None if op.alpha == 1 else "another alpha than 1"


emits(ir.Elu, "Elu", when=(_alpha_one,))(same)


@condition("the alpha and gamma that the function was defined with")
def _defined(op: Any) -> str | None:
    known = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}
    is_known = all(math.isclose(op.attributes[name], value, rel_tol=1e-6) for name, value in known.items())
    return None if is_known else "another alpha or gamma"


emits(ir.Selu, "Selu", when=(_defined,))(same)
emits(ir.Softmax, "Softmax", when=(last_axis, precise), ranks=SOFTMAX_RANKS)(same)
emits(ir.LogSoftmax, "LogSoftmax", when=(last_axis, precise), ranks=SOFTMAX_RANKS)(same)
