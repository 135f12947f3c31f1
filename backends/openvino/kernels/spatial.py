"""Rows for operations that resample or rearrange images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....compiler.dims import is_static
from ....compiler.ops import spatial as ir
from ....compiler.weights import Weight
from ...common.resizing import ratios as numbers_of
from ...common.resizing import said_by_numbers, words
from ..table import ANY, FLOATS, Call, Dims, Operand, condition, emits, ints
from .common import channels_first

COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
"""Ways to map positions that are called the same."""


@condition("positions that OpenVINO can map")
def _known_words(op: ir.Resize) -> str | None:
    coordinates, _ = words(op)
    return None if coordinates in COORDINATES else f"positions as {op.coordinates} gives them"


@condition("weights that nothing changes")
def _plain_weights(op: ir.Resize) -> str | None:
    if op.mode == "nearest":
        return None
    return "antialiasing, or no weight outside" if op.antialias or op.exclude_outside else None


AXES = {"linear": {3: ((2,),), 4: ((2, 3),), 5: ((2, 3, 4),)}, "cubic": {4: ((2, 3),)}}
"""By rank: which axes are resampled by weights, all of them together."""


@condition("axes that kernels resample: all after batch and channels")
def _axes_of_images(op: ir.Resize) -> str | None:
    if op.x.type.rank in range(3, 6) and op.mode == "nearest" and set(op.dims) <= set(range(2, op.x.type.rank)):
        return None
    known = AXES.get(op.mode, {}).get(op.x.type.rank, ())
    return None if op.dims in known else f"axes {list(op.dims)} of rank {op.x.type.rank} in mode {op.mode}"


MODES = {"nearest": "nearest", "linear": "linear_onnx", "cubic": "cubic"}


@emits(ir.Resize, "Interpolate", dtypes=FLOATS, when=(_known_words, _plain_weights, said_by_numbers, _axes_of_images))
def resize(op: ir.Resize) -> Call:
    """By ratios where these are stated or the only ones that are known, else to sizes."""
    ratios = numbers_of(op)
    by_ratios = ratios is not None and (op.scales is not None or not is_static(op.sizes))
    target: Operand = Weight.of(np.asarray(ratios, np.float32)) if by_ratios else Dims(op.sizes)
    coordinates, nearest = words(op)
    attributes: dict[str, Any] = {
        "mode": MODES[op.mode],
        "shape_calculation_mode": "scales" if by_ratios else "sizes",
        "coordinate_transformation_mode": coordinates,
        "nearest_mode": nearest,
        "antialias": False,
        "pads_begin": (0,),
        "pads_end": (0,),
        "cube_coeff": op.cubic,
    }
    return Call((op.x, target, ints(*op.dims)), attributes)


BLOCKS = {"dcr": "blocks_first", "crd": "depth_first"}


@emits(ir.DepthToSpace, "DepthToSpace", dtypes=ANY, when=(channels_first,))
def depth_to_space(op: ir.DepthToSpace) -> Call:
    """DepthToSpace: channels become blocks of positions; they are split with the block's axes first or last."""
    return Call((op.x,), {"block_size": op.block, "mode": BLOCKS[op.mode]})


@emits(ir.SpaceToDepth, "SpaceToDepth", dtypes=ANY, when=(channels_first,))
def space_to_depth(op: ir.SpaceToDepth) -> Call:
    """SpaceToDepth: blocks of positions become channels, those of one position next to each other."""
    return Call((op.x,), {"block_size": op.block, "mode": "blocks_first"})
