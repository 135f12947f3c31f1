"""Reshapes that do nothing but insert or drop axes of size one."""

from __future__ import annotations

from ...compiler.ops.shape import Reshape


def inserted_axis(op: Reshape) -> int | None:
    """The axis of size one that makes the operand's shape the result's; None if there is no such axis."""
    before, after = op.x.type.shape, op.shape
    if len(after) != len(before) + 1:
        return None
    return next((i for i, d in enumerate(after) if d == 1 and after[:i] + after[i + 1 :] == before), None)


def removed_axes(op: Reshape) -> tuple[int, ...] | None:
    """The axes of size one without which the operand's shape is the result's; None if there is no such choice."""
    kept = iter(op.shape)
    wanted = next(kept, None)
    out: list[int] = []
    for axis, size in enumerate(op.x.type.shape):
        if wanted is not None and size == wanted:
            wanted = next(kept, None)
        elif size == 1:
            out.append(axis)
        else:
            return None
    return tuple(out) if wanted is None and out else None
