"""Resampling, and moving positions into channels and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Annotated, Any, TypeGuard

from ....compiler.diagnostics import counted
from ....compiler.dims import Dim, is_by_data, static
from ....compiler.ir import Value
from ....compiler.ops import spatial as ir
from ...bound import Bounds
from ...common.blocks import space_to_channels
from ...common.resize import Scale, by_scales, fitting, interpolation, scaled_size
from ...common.resize import resize as resize_to
from ...common.resize_by_data import (
    Filter,
    bound_targets,
    by_factors,
    common_factor,
    cropped,
    rounded_sizes,
    scaled_sizes,
)
from ..emitter import Emitter
from ..registry import Since, onnx_op
from .crop import Sampling, crop_and_resize

COORDINATES = {
    "half_pixel": "half_pixel",
    "half_pixel_symmetric": "half_pixel_symmetric",
    "pytorch_half_pixel": "pytorch_half_pixel",
    "align_corners": "align_corners",
    "asymmetric": "asymmetric",
    "tf_half_pixel_for_nn": "half_pixel_floor",
}
"""The IR's names of the ways in which positions are mapped."""

POLICIES = ("stretch", "not_larger", "not_smaller")
"""What the stated sizes mean."""


@onnx_op("Upsample", since=7, until=8)
def upsample_attributes(emit: Emitter, x: Value, *, mode: str = "nearest", scales: tuple[float, ...]) -> Value:
    """Scale from the corner; positions are cut to whole ones."""
    return by_scales(emit, x, dict(enumerate(scales)), mode=mode, coordinates="asymmetric", nearest="floor")


@onnx_op("Upsample", since=9)
def upsample(emit: Emitter, x: Value, scales: Value, *, mode: str = "nearest") -> Value:
    """Scale from the corner; positions are cut to whole ones."""
    return _from_corner(emit, x, scales, mode)


@onnx_op("Resize", since=10, until=10)
def resize_from_corner(emit: Emitter, x: Value, scales: Value, *, mode: str = "nearest") -> Value:
    """Scale from the corner; positions are cut to whole ones."""
    return _from_corner(emit, x, scales, mode)


def _from_corner(emit: Emitter, x: Value, scales: Value, mode: str) -> Value:
    along = tuple(range(x.type.rank))
    fields: dict[str, Any] = {"mode": mode, "coordinates": "asymmetric", "nearest": "floor"}
    defaults = {"cubic": -0.75, "antialias": False, "exclude_outside": False}
    data = _by_data(emit, x, (scales, None), along, "stretch", fields | defaults)
    return by_scales(emit, x, _scales(emit, scales), **fields) if data is None else data


@onnx_op("Resize", since=11)
def resize(
    emit: Emitter,
    x: Value,
    roi: Value | None = None,
    scales: Value | None = None,
    sizes: Value | None = None,
    *,
    antialias: Annotated[int, Since(18)] = 0,
    axes: Annotated[tuple[int, ...], Since(18)] = (),
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: Annotated[str, Since(18)] = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Value:
    """Resample to sizes or by scales; ``roi`` and ``extrapolation_value`` belong to ``tf_crop_and_resize``."""
    if coordinate_transformation_mode == "tf_crop_and_resize":
        how = Sampling(
            interpolation(emit, mode, nearest_mode),
            nearest_mode,
            cubic_coeff_a,
            bool(exclude_outside),
            extrapolation_value,
        )
        return _crop(emit, x, (roi, scales, sizes), axes, how)
    if coordinate_transformation_mode not in COORDINATES:
        raise emit.fail(f"maps positions by {coordinate_transformation_mode!r}")
    fields: dict[str, Any] = {
        "mode": mode,
        "coordinates": COORDINATES[coordinate_transformation_mode],
        "nearest": nearest_mode,
        "cubic": cubic_coeff_a,
        "antialias": bool(antialias),
        "exclude_outside": bool(exclude_outside),
    }
    along = emit.axes(axes, x.type.rank) if axes else tuple(range(x.type.rank))
    data = _by_data(emit, x, (scales, sizes), along, keep_aspect_ratio_policy, fields)
    if data is not None:
        return data
    if _is_given(scales):
        factors = _scales(emit, scales)
        by_axis = {a: factors[i] for i, a in enumerate(fitting(emit, along, factors))}
        if coordinate_transformation_mode == "align_corners" and not emit.by_standard:
            new = {a: scaled_size(emit, x.type.shape[a], factor) for a, factor in by_axis.items() if factor != 1}
            return resize_to(emit, x, new, None, **fields)  # the corners of what there is, not of the exact product
        return by_scales(emit, x, by_axis, **fields)
    if not _is_given(sizes):
        raise emit.fail("has neither sizes nor scales", code="F006")
    target = _sizes(emit, x, sizes, along)
    new = dict(zip(fitting(emit, along, target), target, strict=True))
    if keep_aspect_ratio_policy == "stretch":
        return resize_to(emit, x, new, None, **fields)
    return _keep_ratio(emit, x, new, keep_aspect_ratio_policy, fields)


def _by_data(
    emit: Emitter,
    x: Value,
    given: tuple[Value | None, Value | None],
    along: tuple[int, ...],
    policy: str,
    fields: dict[str, Any],
) -> Value | None:
    """Resample by factors that data decides about, or that keep the ratio of sizes; None if all factors are known."""
    scales, sizes = given
    operand = scales if _is_given(scales) else sizes if policy in POLICIES[1:] else None
    if operand is None or not _is_open(emit, operand) or fields["antialias"]:
        return None
    fitting(emit, along, range(operand.type.size if isinstance(operand.type.size, int) else 0))
    how = Filter(
        interpolation(emit, fields["mode"], fields["nearest"]),
        *(fields[name] for name in ("coordinates", "nearest", "cubic", "exclude_outside")),
    )
    if operand is scales:
        new = scaled_sizes(emit, x, operand, along)
        if how.coordinates == "align_corners" and not emit.by_standard:
            targets = bound_targets(emit, x, new, along)  # the corners of what there is, not of the exact product
            return resize_to(emit, x, dict(zip(along, targets, strict=True)), None, **fields)
        return by_factors(emit, x, along, (operand, new), how)
    factors = common_factor(emit, x, operand, along, largest=policy == "not_smaller")
    return by_factors(emit, x, along, (factors, rounded_sizes(emit, x, factors, along)), how)


def _is_open(emit: Emitter, value: Value) -> bool:
    """Say whether data decides about elements of an operand."""
    found = emit.known(value)
    return found is None or (found.dtype == object and any(map(is_by_data, found.flat)))


def _crop(
    emit: Emitter,
    x: Value,
    given: tuple[Value | None, Value | None, Value | None],
    axes: tuple[int, ...],
    how: Sampling,
) -> Value:
    """Resize the part of the image that the region of interest names: starts of all axes, then ends."""
    roi, scales, sizes = given
    along = emit.axes(axes, x.type.rank) if axes else tuple(range(x.type.rank))
    if not _is_given(roi) or not (_is_given(scales) or _is_given(sizes)):
        raise emit.fail("has no region of interest, or neither sizes nor scales", code="F006")
    if _is_given(sizes) and (_is_open(emit, roi) or _is_open(emit, sizes)) and roi.type.size == 2 * len(along):
        rules = Filter(how.mode, "", how.nearest, how.cubic, how.exclude_outside)
        return cropped(emit, x, along, (roi, _sizes(emit, x, sizes, along)), rules, how.outside)
    corners = emit.numbers(roi, "roi")
    if corners.size != 2 * len(along):
        has = counted(corners.size, "number")
        raise emit.fail(f"has {has} in its region of interest for {counted(len(along), 'axis', 'axes')}", code="F002")
    edges = corners.reshape(2, -1).astype(float).tolist()
    if _is_given(sizes):
        target: Sequence[Dim] = emit.dims(sizes, "sizes")
    else:
        assert scales is not None
        factors = _scales(emit, scales)
        fitting(emit, along, factors)
        target = [
            scaled_size(emit, x.type.shape[a], factors[i] * (edges[1][i] - edges[0][i])) for i, a in enumerate(along)
        ]
    fitting(emit, along, target)
    with emit.typed():
        new = dict(zip(along, static(tuple(target)), strict=True))
    return crop_and_resize(emit, x, new, dict(zip(along, zip(*edges, strict=True), strict=True)), how)


def _sizes(emit: Emitter, x: Value, sizes: Value, along: Sequence[int]) -> tuple[Dim, ...]:
    """Return the sizes that are stated; of images, data decides about rows and columns, not about what they are."""
    shape = x.type.shape
    if sizes.type.size != len(along) or len(along) != len(shape) or len(shape) < 3:
        return emit.dims(sizes, "sizes")
    kept = [axis < 2 and emit.known(sizes) is None for axis in along]
    bounds = [Bounds(shape[a], shape[a]) if k else Bounds(1) for a, k in zip(along, kept, strict=True)]
    stated = emit.dims(sizes, "sizes", bounds)
    return tuple(shape[a] if k and is_by_data(d) else d for a, k, d in zip(along, kept, stated, strict=True))


def _is_given(value: Value | None) -> TypeGuard[Value]:
    """An empty tensor stands for an absent one."""
    return value is not None and value.type.size != 0


def _scales(emit: Emitter, scales: Value) -> dict[int, Scale]:
    return dict(enumerate(emit.array(scales, "scales").reshape(-1).tolist()))


def _keep_ratio(emit: Emitter, x: Value, sizes: Mapping[int, Dim], policy: str, fields: dict[str, Any]) -> Value:
    """Resize all axes by one factor, that of the axis which allows the least or needs the most."""
    if policy not in POLICIES:
        raise emit.fail(f"has the policy {policy!r}, none of {', '.join(POLICIES)}", code="F002")
    ratios = [
        Fraction(size, before)
        for axis, size in sizes.items()
        if isinstance(size, int) and isinstance(before := x.type.shape[axis], int)
    ]
    if len(ratios) < len(sizes):
        raise emit.fail("keeps the ratio of sizes that depend on the shapes of inputs", code="F004")
    factor = min(ratios) if policy == "not_larger" else max(ratios)
    new = {axis: floor(x.type.shape[axis] * factor + Fraction(1, 2)) for axis in sizes}
    return resize_to(emit, x, new, dict.fromkeys(sizes, float(factor)), **fields)


@onnx_op("DepthToSpace", since=7)
def depth_to_space(emit: Emitter, input: Value, *, blocksize: int, mode: Annotated[str, Since(11)] = "DCR") -> Value:
    """DepthToSpace: moves channels to blocks of positions, in either order."""
    if mode not in ("DCR", "CRD"):
        raise emit.fail(f"has the mode {mode!r}, neither DCR nor CRD", code="F002")
    return emit(ir.DepthToSpace(input, blocksize, mode.lower()))


@onnx_op("SpaceToDepth", since=7)
def space_to_depth(emit: Emitter, input: Value, *, blocksize: int, mode: Annotated[str, Since(28)] = "DCR") -> Value:
    """Gather blocks into channels: by default all channels of a position stay together."""
    if mode not in ("DCR", "CRD"):
        raise emit.fail(f"has the mode {mode!r}, neither DCR nor CRD", code="F002")
    return space_to_channels(emit, input, blocksize, channels_outermost=mode == "CRD")
