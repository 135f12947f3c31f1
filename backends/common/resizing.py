"""How resizes are said: by ratios or by sizes, and in which words."""

from __future__ import annotations

import math

import numpy as np

from ...compiler.dims import Dim, exact_div
from ...compiler.ops import spatial as ir
from .table import condition

ENDS = ("align_corners", "half_pixel_symmetric")
"""Ways that depend on the size that ratios give, of which runtimes differ in how they round it."""


def words(op: ir.Resize) -> tuple[str, str]:
    """How positions are mapped and rounded: what lies half a pixel after, rounded down, is rounded up without that."""
    if op.coordinates == "half_pixel_floor" and op.mode == "nearest" and op.nearest == "floor":
        return "half_pixel", "round_prefer_ceil"
    return op.coordinates, op.nearest


def ratios(op: ir.Resize) -> tuple[float, ...] | None:
    """Return by how much each axis grows, if that gives its size whatever it is."""
    out: list[float] = []
    for place, (axis, after) in enumerate(zip(op.dims, op.sizes, strict=True)):
        before = op.x.type.shape[axis]
        if op.scales is not None:
            if not isinstance(before, int) or math.floor(before * float(np.float32(op.scales[place]))) != after:
                return None
            out.append(op.scales[place])
        else:
            ratio = _ratio(before, after)
            if ratio is None:
                return None
            out.append(ratio)
    return tuple(out)


def _ratio(before: Dim, after: Dim) -> float | None:
    """A whole ratio."""
    if before == after:
        return 1.0
    whole = exact_div(after, before)
    return float(whole) if isinstance(whole, int) else None


@condition("ratios that the sizes have, or that give them")
def said_by_numbers(op: ir.Resize) -> str | None:
    """Condition: the kernel computes the result's size from the ratios itself."""
    if op.scales is None:
        return None
    if op.coordinates in ENDS and not _are_whole(op):
        return "corners that are aligned to a size between two whole ones"
    return None if ratios(op) is not None else "ratios that do not give the sizes"


def _are_whole(op: ir.Resize) -> bool:
    pairs = zip(op.dims, op.sizes, op.scales or (), strict=True)
    return all(isinstance(n := op.x.type.shape[axis], int) and n * scale == size for axis, size, scale in pairs)
