"""Activation functions in forms that TensorFlow does not take for others.

Its optimiser joins factors, and then fuses what looks like a function whose factor is near enough: within 0.01.
"""

from __future__ import annotations

import math

from ....compiler.constants import elements
from ....compiler.ir import Value
from ....compiler.ops.activation import Clip, Gelu, HardSigmoid, HardSwish, Tanh
from ....compiler.ops.arith import Add, Div, Erf, Mul
from .lowering import Build, improve, lower, prepare

SIXTH = 1 / 6

NEAR = 0.02
"""How near a factor is to a sixth that is taken for one."""


@lower(HardSigmoid, benefit=2)
def clipped_line(op: HardSigmoid, e: Build) -> None:
    """A line between bounds: a sixth of a RELU6 becomes a part of a hard swish, whatever else it is multiplied by."""
    e.replace(e(Clip, e(Add, e(Mul, op.x, op.alpha), op.beta), min=0.0, max=1.0))


@lower(HardSwish, benefit=2)
def times_clipped_line(op: HardSwish, e: Build) -> None:
    """Hard swish is a product of ``x`` with its hard sigmoid."""
    e.replace(e(Mul, op.x, e(HardSigmoid, op.x, alpha=SIXTH, beta=0.5)))


@improve(Mul)
def scale_before_clipping(op: Mul, e: Build) -> None:
    """About a sixth of a RELU6: the same between other bounds."""
    for clipped, factor in ((op.a, op.b), (op.b, op.a)):
        number, writer = _number(factor), clipped.owner
        if (
            number is None
            or not isinstance(writer, Clip)
            or (writer.min, writer.max) != (0, 6)
            or op.activation != "none"
        ):
            continue
        if abs(number - SIXTH) < NEAR and op.result.type == clipped.type:
            e.replace(e(Clip, e(Mul, writer.x, factor), min=0.0, max=6 * number))
            return


@prepare(Mul, Div)
def scaled_gelu(op: Mul | Div, e: Build) -> None:
    """By half of the error function plus a half, where a factor could be joined with the half of its definition."""
    inner, factor = (op.a, op.b) if isinstance(op, Div) or _number(op.b) is not None else (op.b, op.a)
    writer = inner.owner
    if _number(factor) is None or not isinstance(writer, Gelu) or not inner.has_one_use:
        return
    x = writer.x
    if writer.approximate:
        cube = e(Mul, e(Mul, e(Mul, x, x), x), 0.044715)
        normal = e(Tanh, e(Mul, e(Add, x, cube), math.sqrt(2 / math.pi)))
    else:
        normal = e(Erf, e(Mul, x, math.sqrt(0.5)))
    e.replace(e.clone(op, e(Mul, x, e(Add, e(Mul, normal, 0.5), 0.5)), factor))


def _number(value: Value) -> float | None:
    """The only element of a constant."""
    array = elements(value)
    return float(array.reshape(-1)[0]) if array is not None and array.size == 1 and array.dtype.kind == "f" else None
