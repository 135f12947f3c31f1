"""Rows for images that are resized along rows and columns, with channels last."""

from __future__ import annotations

from typing import Any

from ....compiler.dims import is_static
from ....compiler.ops import spatial as ir
from ....passes.lowerings.resampling import kernel_mode
from ..table import Call, Condition, condition, emits
from .common import computed, dtype_of

IMAGES = range(4, 5)


@condition("axes 1 and 2")
def _rows_and_columns(op: ir.Resize) -> str | None:
    return None if op.dims == (1, 2) else f"axes {list(op.dims)}; images are resized along axes 1 and 2"


def _mode(name: str) -> Condition:
    return Condition(f"mode {name}", lambda op: None if op.mode == name else f"mode {op.mode}")


@condition("centres of pixels at half positions")
def _half_pixel(op: ir.Resize) -> str | None:
    return None if kernel_mode(op) == "half_pixel" else f"positions as {op.coordinates} and {op.nearest} give them"


@condition("whole factors")
def _whole_factors(op: ir.Resize) -> str | None:
    return None if _factors(op) is not None else "factors that are not whole"


def _factors(op: ir.Resize) -> tuple[int, ...] | None:
    """The factors by which both axes grow; None if one is no whole number."""
    found: list[int] = []
    for axis, size in zip(op.dims, op.sizes, strict=True):
        before = op.x.type.shape[axis]
        if isinstance(size, int) and isinstance(before, int):
            factor = size // before if before and size % before == 0 else 0
        else:
            factor = next((f for f in range(1, MAX_FACTOR + 1) if before * f == size), 0)
        found.append(factor)
    return tuple(found) if all(found) else None


MAX_FACTOR = 64
"""Factors that are tried where sizes are open."""


@condition("elements that are repeated")
def _repeats(op: ir.Resize) -> str | None:
    """A whole factor repeats in both modes that agree with it."""
    return None if kernel_mode(op) in ("half_pixel", "asymmetric") else "other positions"


def _upsampled(op: ir.Resize) -> Call:
    factors = _factors(op)
    assert factors is not None
    word = "nearest" if op.mode == "nearest" else "bilinear"
    settings: dict[str, Any] = {"size": factors, "interpolation": word, "data_format": "channels_last"}
    return Call((op.x,), {**settings, **dtype_of(op)})


emits(
    ir.Resize,
    "layers.UpSampling2D",
    ranks=IMAGES,
    when=(_mode("nearest"), _rows_and_columns, _whole_factors, _repeats, computed),
)(_upsampled)
emits(
    ir.Resize,
    "layers.UpSampling2D",
    dtypes="f32",
    ranks=IMAGES,
    when=(_mode("linear"), _rows_and_columns, _whole_factors, _half_pixel, computed),
)(_upsampled)


@condition("known sizes")
def _static(op: ir.Resize) -> str | None:
    return None if is_static(op.sizes) else "sizes that are open"


def _resized(op: ir.Resize) -> Call:
    word = "nearest" if op.mode == "nearest" else "bilinear"
    sizes = tuple(int(size) for size in op.sizes if isinstance(size, int))
    return Call((op.x,), {"size": sizes, "interpolation": word, "data_format": "channels_last"})


emits(
    ir.Resize,
    "ops.image.resize",
    dtypes="f32",
    ranks=IMAGES,
    when=(_mode("linear"), _rows_and_columns, _half_pixel, _static),
)(_resized)
emits(
    ir.Resize,
    "ops.image.resize",
    ranks=IMAGES,
    when=(_mode("nearest"), _rows_and_columns, _half_pixel, _static),
)(_resized)
