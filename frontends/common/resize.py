"""Resampling of images, to sizes or by factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, Sym
from ...compiler.ir import Value
from ...compiler.ops import spatial as ir
from .operands import OperandEmitter

MODES = ("nearest", "linear", "cubic")
"""Interpolations; the IR calls them the same."""

Scale = float | Dim
"""By what a size is multiplied; symbolic if it was computed from symbolic sizes."""


def by_scales(emit: OperandEmitter, x: Value, scales: Mapping[int, Scale], **fields: Any) -> Value:
    """Resize by factors; the positions follow them even where the new size is not exactly so many times the old one."""
    fitting(emit, tuple(range(x.type.rank)) if len(scales) > x.type.rank else tuple(scales), scales)
    new = {axis: scaled_size(emit, x.type.shape[axis], scale) for axis, scale in scales.items() if scale != 1}
    exact = all(_is_exact(x.type.shape[a], size, scales[a]) for a, size in new.items())
    numbers = {a: float(s) for a, s in scales.items() if not isinstance(s, Sym)}
    return resize(emit, x, new, None if exact else numbers, **fields)


def scaled_size(emit: OperandEmitter, size: Dim, scale: Scale) -> Dim:
    """Return the size after a scale, rounded down."""
    if isinstance(scale, Sym):
        product = size * scale
        return product if isinstance(product, int) else product.floor()
    if not scale > 0:
        raise emit.fail(f"scales by {scale}", code="F002")
    if isinstance(size, int):
        return floor(float(np.float32(size) * np.float32(scale)))
    ratio = _ratio(scale)
    return size * ratio.numerator // ratio.denominator


def _ratio(scale: float) -> Fraction:
    """Return the simplest fraction that a float of 32 bits stands for."""
    simple = Fraction(scale).limit_denominator(1 << 10)
    return simple if np.float32(float(simple)) == np.float32(scale) else Fraction(scale)


def _is_exact(before: Dim, after: Dim, scale: Scale) -> bool:
    """Say whether the ratio of two sizes is the scale."""
    if isinstance(scale, Sym):
        return True  # computed from sizes in order to get the wanted size
    ratio = _ratio(scale)
    return before * ratio.numerator == after * ratio.denominator


def resize(
    emit: OperandEmitter, x: Value, new: Mapping[int, Dim], scales: Mapping[int, float] | None, **fields: Any
) -> Value:
    """Resize to sizes by axis; ``scales`` are the factors that positions follow where these differ from the ratio."""
    mode = interpolation(emit, fields["mode"], fields["nearest"])
    dims = tuple(a for a in sorted(new) if new[a] != x.type.shape[a] or (scales is not None and scales[a] != 1))
    if not dims:
        return x
    factors = None if scales is None else tuple(scales[a] for a in dims)
    settings: dict[str, Any] = fields | {"mode": mode, "scales": factors}
    return emit(ir.Resize(x, dims, tuple(new[a] for a in dims), **settings))


def interpolation(emit: OperandEmitter, mode: str, nearest: str) -> str:
    """Return the IR's name of an interpolation mode of the source."""
    mode = {"bilinear": "linear", "trilinear": "linear"}.get(mode, mode)
    if mode not in MODES or nearest not in ir.ROUND:
        raise emit.fail(f"has the mode {mode!r} and rounds by {nearest!r}", code="F002")
    return mode


def fitting(
    emit: OperandEmitter, axes: tuple[int, ...], values: Sequence[object] | Mapping[int, object]
) -> tuple[int, ...]:
    """Return the axes, for each of which there must be a size or scale."""
    if len(axes) != len(values):
        raise emit.fail(
            f"has {counted(len(values), 'size')} or scales for {counted(len(axes), 'axis', 'axes')}", code="F002"
        )
    return axes
