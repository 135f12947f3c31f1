"""Resampling: by the kernels where they agree with the source, by gathers and constant matrices elsewhere."""

from __future__ import annotations

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.index import Gather
from ...compiler.ops.linear import MatMul
from ...compiler.ops.spatial import Resize, interpolation_matrix
from ...compiler.types import Array, TensorType
from .registry import lower, simplify
from .resampling import ResizedAxis


@simplify(Resize, benefit=2)
def drop_noop_resize(op: Resize, e: Build) -> None:
    """A resize to the size that the data has changes nothing, so it is dropped."""
    if not _moved(op):
        e.replace(op.x)


@lower(Resize, benefit=2)
def drop_noop_axes(op: Resize, e: Build) -> None:
    """An axis that keeps its size and its positions is not resized."""
    moved = _moved(op)
    if 0 < len(moved) < len(op.dims):
        e.replace(e.clone(op, op.x, **_choose(op, moved)))


def _moved(op: Resize) -> list[int]:
    """The resized axes whose size or positions change."""
    if op.coordinates == "half_pixel_floor" and (op.mode, op.nearest) != ("nearest", "floor"):
        return list(range(len(op.dims)))
    sizes = [op.x.type.shape[axis] for axis in op.dims]
    scales = op.scales or (1.0,) * len(op.dims)
    return [i for i, (a, b, s) in enumerate(zip(sizes, op.sizes, scales, strict=True)) if a != b or s != 1]


def runs_as_image(op: Resize, e: Build) -> bool:
    """Whether the target resizes one axis, or two neighbouring ones, once they are those of an image."""
    if not 1 <= len(op.dims) <= 2 or op.dims[-1] - op.dims[0] != len(op.dims) - 1:
        return False
    image = Value(TensorType(op.x.type.dtype, _image_shape(op, e)))
    return e.target.is_legal(op.clone((image,), **_on_image(op)))


def _image_shape(op: Resize, e: Build) -> tuple[Dim, ...]:
    """All axes before the resized ones as the batch, all after them as channels; a single one is a column."""
    shape, first, last = op.x.type.shape, op.dims[0], op.dims[-1]
    width = shape[last] if len(op.dims) == 2 else 1
    return e.product(shape[:first]), shape[first], width, e.product(shape[last + 1 :])


def _on_image(op: Resize) -> dict[str, object]:
    """The attributes on an image; in every mode a size of one stays what it is."""
    if len(op.dims) == 2:
        return {"dims": (1, 2)}
    return {"dims": (1, 2), "sizes": (*op.sizes, 1), "scales": None if op.scales is None else (*op.scales, 1.0)}


def _choose(op: Resize, kept: list[int]) -> dict[str, object]:
    """The attributes of some of the resized axes."""
    scales = None if op.scales is None else tuple(op.scales[i] for i in kept)
    return {"dims": tuple(op.dims[i] for i in kept), "sizes": tuple(op.sizes[i] for i in kept), "scales": scales}


@lower(Resize)
def sort_axes(op: Resize, e: Build) -> None:
    """All modes are separable: the order of the axes does not matter."""
    order = sorted(range(len(op.dims)), key=lambda i: op.dims[i])
    if order != list(range(len(order))):
        e.replace(e.clone(op, op.x, **_choose(op, order)))


@lower(Resize)
def as_image(op: Resize, e: Build) -> None:
    """One or two neighbouring axes are those of an image; all before are its batch, all after its channels."""
    if (op.x.type.rank == 4 and op.dims == (1, 2)) or not runs_as_image(op, e):
        return
    e.replace(e.clone(op, e.reshape(op.x, _image_shape(op, e)), **_on_image(op)))


@lower(Resize)
def one_run_after_the_other(op: Resize, e: Build) -> None:
    """More axes, or some apart: the last two or one first, then the rest."""
    if len(op.dims) < 2 or runs_as_image(op, e):
        return
    count = len(op.dims)
    pair = count > 2 and op.dims[-1] == op.dims[-2] + 1
    cut = count - (2 if pair else 1)
    inner = e.clone(op, op.x, **_choose(op, list(range(cut, count))))
    e.replace(e.clone(op, inner, **_choose(op, list(range(cut)))))


@lower(Resize)
def one_axis_by_constants(op: Resize, e: Build) -> None:
    """What no kernel does, for sizes that are known: take the nearest elements, or multiply by a constant matrix."""
    if len(op.dims) != 1 or runs_as_image(op, e):
        return
    (axis,), (out,), size = op.dims, op.sizes, op.x.type.shape[op.dims[0]]
    if not (isinstance(size, int) and isinstance(out, int)):
        return
    if op.mode == "nearest":
        e.replace(e(Gather, op.x, e.constant(ResizedAxis.of(op, 0).nearest_positions().astype("int32")), axis=axis))
        return
    e.replace(_along_axis(op.x, _matrix(op, size, out).astype(op.x.type.dtype.numpy), axis, e))


def _matrix(op: Resize, size: int, out: int) -> Array:
    """Weights of the operand's positions for each of the result's."""
    scale = op.scales[0] if op.scales else out / size
    shrink = min(scale, 1.0) if op.antialias else 1.0
    reach = 1 if op.mode == "linear" else 2
    return interpolation_matrix(ResizedAxis.of(op, 0).positions(), size, reach, op.cubic, shrink, op.exclude_outside)


def _along_axis(x: Value, matrix: Array, axis: int, e: Build) -> Value:
    """Multiply along an axis: from the left with all that lies after it as columns."""
    shape = x.type.shape
    before, behind = e.product(shape[:axis]), e.product(shape[axis + 1 :])
    out: list[Dim] = [*shape[:axis], len(matrix), *shape[axis + 1 :]]
    if behind == 1:
        rows = e.reshape(x, (before, shape[axis]))
        return e.reshape(e(MatMul, rows, e.constant(matrix), transpose_b=True), out)
    columns = e.reshape(x, (before, shape[axis], behind))
    return e.reshape(e(MatMul, e.constant(matrix[None]), columns), out)
