"""Conditions and operands that kernels of several families share."""

from __future__ import annotations

from typing import Any

from ....compiler.broadcasting import broadcasts, folds, shapes_of
from ....compiler.ir import Op
from ....compiler.types import DType
from ..table import Call, condition, emits

BROADCAST_RANK = 5
"""Kernels merge neighbouring axes that broadcast alike; they know as many groups of them."""


@condition("no activation at its end")
def plain(op: Any) -> str | None:
    """TensorFlow's operators have no fused activations; its runtime fuses them."""
    return None if op.activation == "none" else f"{op.activation} at its end"


@condition(f"axes that broadcast in at most {BROADCAST_RANK} groups")
def broadcasting(op: Op) -> str | None:
    """Condition: operands broadcast over no more axes than the kernel takes."""
    shapes = shapes_of(op)
    if not broadcasts(shapes) or max(map(len, shapes)) <= BROADCAST_RANK or len(folds(shapes)) <= BROADCAST_RANK:
        return None
    return f"axes that broadcast in more than {BROADCAST_RANK} groups"


@condition("channels last")
def channels_last(op: Any) -> str | None:
    """Condition: on other axes, kernels for processors don't take them."""
    return None if op.channels_last else "channels on axis 1; kernels for processors have them last"


@condition("along the last axis")
def last_axis(op: Any) -> str | None:
    """Condition: the axis is the last one, since the operator has no other."""
    return None if op.axis == op.operands[0].type.rank - 1 else "along another axis than the last"


@condition("no numbers of 16 bits, in which kernels would round sums")
def precise(op: Op) -> str | None:
    """Condition: sums of many elements are not rounded one by one."""
    dtype = op.results[0].type.dtype
    return f"sums that are rounded to {dtype} one by one" if dtype in (DType.F16, DType.BF16) else None


def same(op: Op) -> Call:
    """Call an operator with the operands as they are, without attributes."""
    return Call(tuple(v for v in op.operands if v is not None))


def plainly(rows: dict[type[Op], str]) -> None:
    """Declare operators that take the operands as they are."""
    for op, operator in rows.items():
        when = (plain,) if "activation" in op.spec.attributes else ()
        if len(op.spec.operands) > 1:
            when = (*when, broadcasting)
        emits(op, operator, when=when)(same)
