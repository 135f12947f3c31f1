"""Rows for operations that resample or rearrange images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....compiler.dims import is_static
from ....compiler.ops import spatial as ir
from ....compiler.weights import Weight
from ...common.resizing import ratios as ratios_of
from ...common.resizing import said_by_numbers, words
from ..table import Call, Dims, Operand, condition, emits
from .common import channels_first

COORDINATES = {
    "half_pixel": 1,
    "half_pixel_symmetric": 19,
    "pytorch_half_pixel": 1,
    "align_corners": 1,
    "asymmetric": 1,
}
"""Ways to map positions, and since which opset they are there."""


@condition("positions that ONNX can map")
def _known_words(op: ir.Resize) -> str | None:
    coordinates, _ = words(op)
    return None if coordinates in COORDINATES else f"positions as {op.coordinates} gives them"


RESAMPLED = {"linear": {2: (0, 1), 3: (0, 1, 2), 5: (2, 3, 4)}, "cubic": {2: (0, 1), 4: (2, 3)}}
"""By rank: which axes onnxruntime resamples by weights."""


def _along_all(op: ir.Resize) -> tuple[float, ...] | None:
    """Return by how much each axis grows, also those that stay."""
    found = ratios_of(op)
    if found is None:
        return None
    own = dict(zip(op.dims, found, strict=True))
    return tuple(own.get(axis, 1.0) for axis in range(op.x.type.rank))


@condition("axes that runtimes resample: those after batch and channels, or between them")
def _axes_of_images(op: ir.Resize) -> str | None:
    """The standard allows any axes; onnxruntime's kernels take these."""
    dims, rank = set(op.dims), op.x.type.rank
    if op.mode == "nearest" or dims <= set(RESAMPLED[op.mode].get(rank, ())):
        return None
    is_image = op.mode == "linear" and rank == IMAGES and (dims <= {1, 2} or dims <= {2, 3})
    return None if is_image else f"axes {list(op.dims)} of rank {rank} in mode {op.mode}"


IMAGES = 4
"""Rank of a batch of images."""


@emits(ir.Resize, "Resize", when=(_known_words, said_by_numbers, _axes_of_images))
def resize(op: ir.Resize) -> Call:
    """By ratios where these are stated or the only ones that are known, else to sizes."""
    ratios = _along_all(op)
    others = [d for i, d in enumerate(op.x.type.shape) if i not in op.dims]
    inputs: tuple[Operand, ...]
    attributes = _attributes(op)
    if ratios is not None and (op.scales is not None or not is_static((*op.sizes, *others))):
        inputs = (op.x, None, Weight.of(np.asarray(ratios, np.float32)))
    elif is_static((*op.sizes, *others)):
        new = dict(zip(op.dims, op.sizes, strict=True))
        inputs = (op.x, None, None, Dims(tuple(new.get(i, d) for i, d in enumerate(op.x.type.shape))))
    else:
        inputs = (op.x, None, None, Dims(op.sizes))
        attributes["axes"] = op.dims
    return Call(inputs, attributes, since=COORDINATES[words(op)[0]])


def _attributes(op: ir.Resize) -> dict[str, Any]:
    coordinates, nearest = words(op)
    given: dict[str, Any] = {"mode": op.mode, "coordinate_transformation_mode": coordinates}
    if op.mode == "nearest":
        given["nearest_mode"] = nearest
    if op.mode == "cubic":
        given["cubic_coeff_a"] = op.cubic
    flags = {"antialias": op.antialias, "exclude_outside": op.exclude_outside}
    return given | {name: 1 for name, is_set in flags.items() if is_set and op.mode != "nearest"}


@emits(ir.DepthToSpace, "DepthToSpace", when=(channels_first,))
def depth_to_space(op: ir.DepthToSpace) -> Call:
    """DepthToSpace: an attribute says in which order channels are counted."""
    return Call((op.x,), {"blocksize": op.block, "mode": op.mode.upper()})


@emits(ir.SpaceToDepth, "SpaceToDepth", when=(channels_first,))
def space_to_depth(op: ir.SpaceToDepth) -> Call:
    """SpaceToDepth: moves blocks of spatial positions to channels."""
    return Call((op.x,), {"blocksize": op.block})
