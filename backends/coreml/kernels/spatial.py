"""Rows for operations that resample or rearrange images."""

from __future__ import annotations

from ....compiler.dims import exact_div, is_static
from ....compiler.ops import spatial as ir
from ....passes.lowerings.resampling import kernel_mode
from ..table import FLOATS, Call, Condition, condition, emits
from .common import channels_first

IMAGES = range(3, 6)


def _mode(name: str) -> Condition:
    return Condition(f"mode {name}", lambda op: None if op.mode == name else f"mode {op.mode}")


@condition("the last two axes")
def _last_two(op: ir.Resize) -> str | None:
    rank = op.x.type.rank
    return None if op.dims == (rank - 2, rank - 1) else f"axes {list(op.dims)} of {rank}"


@condition("whole factors")
def _whole_factors(op: ir.Resize) -> str | None:
    return None if _factors(op) is not None else "factors that are not whole"


def _factors(op: ir.Resize) -> tuple[int, ...] | None:
    """The factors by which both axes grow; None if one is no whole number."""
    found = [exact_div(size, op.x.type.shape[axis]) for axis, size in zip(op.dims, op.sizes, strict=True)]
    return tuple(f for f in found if isinstance(f, int)) if all(isinstance(f, int) for f in found) else None


@condition("elements that are repeated")
def _repeats(op: ir.Resize) -> str | None:
    """A whole factor repeats in both modes that agree with it."""
    return None if kernel_mode(op) in ("half_pixel", "asymmetric") else "other positions"


@emits(
    ir.Resize, "upsample_nearest_neighbor", ranks=IMAGES, when=(_mode("nearest"), _last_two, _whole_factors, _repeats)
)
def upsample(op: ir.Resize) -> Call:
    """Nearest-neighbour resizing by whole factors: every element several times."""
    factors = _factors(op)
    assert factors is not None
    return Call({"x": op.x, "scale_factor_height": factors[0], "scale_factor_width": factors[1]})


SAMPLING = {"half_pixel": "UNALIGN_CORNERS", "align_corners": "STRICT_ALIGN_CORNERS", "asymmetric": "DEFAULT"}
"""Ways to map positions, in MIL's words."""


@condition("known sizes")
def _known(op: ir.Resize) -> str | None:
    return None if is_static(op.sizes) else "sizes that are open"


@condition("more than one position along each axis, mapped in a way that Core ML has")
def _mapped(op: ir.Resize) -> str | None:
    """Some ways divide by the number of positions less one."""
    mode = kernel_mode(op)
    is_known = mode == "half_pixel" or (mode in SAMPLING and 1 not in op.sizes)
    return None if is_known else f"positions as {op.coordinates} gives them"


@emits(ir.Resize, "resize_bilinear", ranks=IMAGES, when=(_mode("linear"), _last_two, _known, _mapped))
def resize(op: ir.Resize) -> Call:
    """Linear resizing to known sizes, by one of MIL's sampling modes."""
    height, width = (int(s) for s in op.sizes if isinstance(s, int))
    words = {"target_size_height": height, "target_size_width": width, "sampling_mode": SAMPLING[kernel_mode(op) or ""]}
    return Call({"x": op.x, **words})


@condition("centres of pixels at half positions, or aligned corners of axes that grow")
def _upsampled(op: ir.Resize) -> str | None:
    """An axis of one position that stays so has no corners to align."""
    mode, factors = kernel_mode(op), _factors(op) or ()
    is_known = mode == "half_pixel" or (mode == "align_corners" and 1 not in factors)
    return None if is_known else f"positions as {op.coordinates} gives them"


@emits(ir.Resize, "upsample_bilinear", ranks=IMAGES, when=(_mode("linear"), _last_two, _whole_factors, _upsampled))
def upsample_bilinear(op: ir.Resize) -> Call:
    """By whole factors, of sizes that are open."""
    factors, is_aligned = _factors(op), kernel_mode(op) == "align_corners"
    assert factors is not None
    words = {"align_corners": is_aligned, "half_pixel_centers": not is_aligned}
    return Call({"x": op.x, "scale_factor_height": factors[0], "scale_factor_width": factors[1], **words})


def _order(mode: str) -> Condition:
    return Condition(f"mode {mode}", lambda op: None if op.mode == mode else f"mode {op.mode}")


@condition("blocks of several elements")
def _blocks(op: ir.DepthToSpace | ir.SpaceToDepth) -> str | None:
    return None if op.block > 1 else "blocks of one element"


_WHEN = (channels_first, _blocks)


@emits(ir.DepthToSpace, "depth_to_space", dtypes=FLOATS, ranks=range(4, 5), when=(*_WHEN, _order("dcr")))
def depth_to_space(op: ir.DepthToSpace) -> Call:
    """Blocks of pixels from channels, the depth varying fastest in each block."""
    return Call({"x": op.x, "block_size": op.block})


@emits(ir.DepthToSpace, "pixel_shuffle", dtypes=FLOATS, ranks=range(4, 5), when=(*_WHEN, _order("crd")))
def pixel_shuffle(op: ir.DepthToSpace) -> Call:
    """Blocks of pixels from channels, the place in the block varying fastest."""
    return Call({"x": op.x, "upscale_factor": op.block})


@emits(ir.SpaceToDepth, "space_to_depth", dtypes=FLOATS, ranks=range(4, 5), when=_WHEN)
def space_to_depth(op: ir.SpaceToDepth) -> Call:
    """Channels from blocks of pixels, the inverse of depth to space."""
    return Call({"x": op.x, "block_size": op.block})
