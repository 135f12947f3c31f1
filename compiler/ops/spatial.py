"""Operations that resample images or move elements between channels and spatial axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np

from ..attributes import Finite, OneOf, Positive
from ..axes import Axes, AxisTuple, Form, letters
from ..dims import Dim, exact_div, static
from ..ir import Op, Value
from ..opdef import Pure, View, op
from ..operands import Numbers
from ..order import Order
from ..traits import KeepsSign, Moves
from ..types import Array, TensorType
from .shape import inverse

Coordinates = Callable[[Array, float, int, int], Array]


def _align_corners(i: Array, scale: float, size: int, _out: int) -> Array:
    last = scale * size - 1
    return i * ((size - 1) / last) if last > 0 else np.zeros_like(i)


def _half_pixel_symmetric(i: Array, scale: float, size: int, out: int) -> Array:
    adjustment = out / (scale * size)
    return size / 2 * (1 - adjustment) + (i + 0.5) / scale - 0.5


COORDINATES: dict[str, Coordinates] = {
    "half_pixel": lambda i, scale, size, out: (i + 0.5) / scale - 0.5,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": lambda i, scale, size, out: (i + 0.5) / scale - 0.5 if out > 1 else np.zeros_like(i),
    "align_corners": _align_corners,
    "asymmetric": lambda i, scale, size, out: i / scale,
    "half_pixel_floor": lambda i, scale, size, out: (i + 0.5) / scale,
}
"""Where result position ``i`` lies in the operand: ``scale`` is the stated ratio, sizes are before and after."""

ROUND: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@op("resize", Pure)
class Resize(Op):
    """Resample the axes ``dims`` to ``sizes``: "nearest", "linear" or "cubic".

    ``scales`` are the ratios by which the source maps positions where they differ from the ratio of the sizes;
    ``coordinates`` is a key of ``COORDINATES``, ``nearest`` one of ``ROUND``.  ``antialias`` widens the filter when
    shrinking; ``exclude_outside`` gives no weight to positions outside.
    """

    x: Numbers
    dims: AxisTuple
    sizes: tuple[Dim, ...]
    mode: Annotated[str, OneOf("nearest", "linear", "cubic")] = "nearest"
    coordinates: Annotated[str, OneOf(*COORDINATES)] = "half_pixel"
    nearest: Annotated[str, OneOf(*ROUND)] = "round_prefer_floor"
    scales: tuple[Finite, ...] | None = None
    cubic: Finite = -0.75
    antialias: bool = False
    exclude_outside: bool = False

    def infer(self) -> TensorType:
        """The sizes."""
        if len(self.sizes) != len(self.dims) or (self.scales and len(self.scales) != len(self.dims)):
            raise ValueError(f"{len(self.sizes)} sizes for {len(self.dims)} axes, or another number of scales")
        if any(self.x.type.shape[a] == 0 for a in self.dims) or 0 in self.sizes:
            raise ValueError(f"{self.x.type} can't be resampled to {list(self.sizes)}: there is nothing on one side")
        if self.scales and min(self.scales) <= 0:
            raise ValueError(f"scales {list(self.scales)}, but all must be positive")
        new = dict(zip(self.dims, self.sizes, strict=True))
        return self.x.type.with_shape([new.get(i, d) for i, d in enumerate(self.x.type.shape)])

    @staticmethod
    def evaluate(
        x: Array,
        *,
        dims: tuple[int, ...],
        sizes: tuple[int, ...],
        mode: str,
        coordinates: str,
        nearest: str,
        scales: tuple[float, ...] | None,
        cubic: float,
        antialias: bool,
        exclude_outside: bool,
    ) -> Array:
        """One axis after the other: all modes are separable."""
        for i, (axis, out) in enumerate(zip(dims, sizes, strict=True)):
            size = x.shape[axis]
            scale = scales[i] if scales else out / size
            at = COORDINATES[coordinates](np.arange(out, dtype=np.float64), scale, size, out)
            if mode == "nearest":
                x = np.take(x, np.clip(ROUND[nearest](at), 0, size - 1).astype(np.int64), axis)
            else:
                matrix = interpolation_matrix(
                    at,
                    size,
                    1 if mode == "linear" else 2,
                    cubic,
                    min(scale, 1.0) if antialias else 1.0,
                    exclude_outside,
                )
                x = np.moveaxis(np.tensordot(matrix.astype(x.dtype), x, (1, axis)), 0, axis)
        return x

    def axes(self) -> Axes:
        """The first axis that is not resized outermost, the other ones innermost: ``n s... c`` for images."""
        names = letters(self.x.type.rank)
        rigid = frozenset(names[a] for a in self.dims)
        fixed = tuple(n for n in names if n not in rigid)
        first, last = (*fixed[:2], ..., *fixed[2:]), (*fixed[:1], ..., *fixed[1:])
        forms = (Form((first,), (first,), channels="first"), Form((last,), (last,), channels="last"))
        return Axes((names,), (names,), rigid, forms)


def interpolation_matrix(at: Array, size: int, reach: int, cubic: float, shrink: float, exclude: bool) -> Array:
    """Weights ``[out, size]`` of a piecewise linear (reach 1) or cubic (reach 2) interpolation at positions ``at``.

    ``shrink`` below 1 stretches the kernel by its inverse (antialiasing); weights outside go to the edge, or nowhere.
    The cubic kernel is that of Keys (1981) with parameter ``cubic``.
    """
    span = math.ceil(reach / shrink)
    base = np.floor(at).astype(np.int64)
    taps = base[:, None] + np.arange(-span + 1, span + 1)[None, :]
    distance = np.abs((at[:, None] - taps) * shrink)
    weights = np.maximum(1 - distance, 0) if reach == 1 else _keys(distance, cubic)
    if exclude:
        weights = np.where((taps < 0) | (taps >= size), 0, weights)
    weights = weights / weights.sum(1, keepdims=True)
    out = np.zeros((len(at), size))
    np.add.at(out, (np.arange(len(at))[:, None], np.clip(taps, 0, size - 1)), weights)
    return out


def _keys(d: Array, a: float) -> Array:
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


class _Blocks(Op):
    """Channels over blocks of positions: a transpose between two reshapes, which a kernel can run, too."""

    def cut(self) -> tuple[tuple[Dim, ...], tuple[int, ...]] | None:
        """The operand's shape with blocks as axes, and how the result permutes them; None if that is not known."""
        raise NotImplementedError

    def view(self, order: Order) -> Order | None:
        """The result's order when no byte moves."""
        found = self.cut()
        return None if found is None else order.transposed(*found)

    def view_back(self, order: Order) -> Order | None:
        """The operand's order when no byte moves."""
        found = self.cut()
        if found is None:
            return None
        shape, perm = found
        return order.transposed(tuple(shape[p] for p in perm), inverse(perm))


@op("depth_to_space", View, Moves, KeepsSign)
class DepthToSpace(_Blocks):
    """Spread channels over blocks of ``block`` by ``block`` positions.

    Channels count (row, column, channel) with mode "dcr" and (channel, row, column) with "crd",
    which is PyTorch's pixel shuffle.
    """

    x: Value
    block: Positive
    mode: Annotated[str, OneOf("dcr", "crd")] = "dcr"
    channels_last: bool = False

    def infer(self) -> TensorType:
        """Fewer channels, more positions."""
        if self.x.type.rank != 4:
            raise ValueError(f"{self.x.type} is not a batch of images")
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        b = self.block
        if isinstance(c, int) and c % (b * b):
            raise ValueError(f"{c} channels don't fill blocks of {b} x {b}")
        return self.x.type.with_shape(_from_nchw((n, c // (b * b), h * b, w * b), self.channels_last))

    @staticmethod
    def evaluate(x: Array, *, block: int, mode: str, channels_last: bool) -> Array:
        """Reshape, permute, reshape."""
        n, c, h, w = static(_nchw(x.shape, channels_last))
        shape, perm = _spread(n, c // (block * block), h, w, block, mode, channels_last)
        y = x.reshape(static(shape)).transpose(perm)
        return y.reshape(static(_from_nchw((n, c // (block * block), h * block, w * block), channels_last)))

    def cut(self) -> tuple[tuple[Dim, ...], tuple[int, ...]] | None:
        """Blocks as two axes of the channels."""
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        depth = exact_div(c, self.block * self.block)
        return None if depth is None else _spread(n, depth, h, w, self.block, self.mode, self.channels_last)

    def axes(self) -> Axes:
        """Images; kernels count channels (row, column, channel): those that count otherwise may be stored so."""
        c, b = _nchw(self.x.type.shape, self.channels_last)[1], self.block
        names = ("n", "s0", "s1", "c") if self.channels_last else ("n", "c", "s0", "s1")
        results = ("n", "t0", "t1", "e") if self.channels_last else ("n", "e", "t0", "t1")
        crd = self.mode == "crd"
        if crd and not isinstance(c, int):
            return Axes((names,), (results,))
        digits = {"c": ((c // (b * b), b, b), (1, 2, 0))} if crd and isinstance(c, int) else {}
        forms = tuple(
            Form((x,), (y,), {"channels_last": last, "mode": "dcr"}, "last" if last else "first", digits, penalty=1)
            for last, x, y in (
                (False, ("n", "c", "s0", "s1"), ("n", "e", "t0", "t1")),
                (True, ("n", "s0", "s1", "c"), ("n", "t0", "t1", "e")),
            )
        )
        return Axes((names,), (results,), frozenset({"s0", "s1", "c", "t0", "t1", "e"}), forms)


def _spread(
    n: Dim, c: Dim, h: Dim, w: Dim, block: int, mode: str, channels_last: bool
) -> tuple[tuple[Dim, ...], tuple[int, ...]]:
    """The shape and the permutation that spread ``c * block * block`` channels over blocks of positions."""
    if channels_last:
        return (
            ((n, h, w, block, block, c), (0, 1, 3, 2, 4, 5))
            if mode == "dcr"
            else ((n, h, w, c, block, block), (0, 1, 4, 2, 5, 3))
        )
    return (
        ((n, block, block, c, h, w), (0, 3, 4, 1, 5, 2))
        if mode == "dcr"
        else ((n, c, block, block, h, w), (0, 1, 4, 2, 5, 3))
    )


@op("space_to_depth", View, Moves, KeepsSign)
class SpaceToDepth(_Blocks):
    """Gather blocks of ``block`` by ``block`` positions into channels, which count (row, column, channel)."""

    x: Value
    block: Positive
    channels_last: bool = False

    def infer(self) -> TensorType:
        """More channels, fewer positions."""
        if self.x.type.rank != 4:
            raise ValueError(f"{self.x.type} is not a batch of images")
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        b = self.block
        if any(isinstance(d, int) and d % b for d in (h, w)):
            raise ValueError(f"{h} x {w} positions don't fill blocks of {b} x {b}")
        return self.x.type.with_shape(_from_nchw((n, c * b * b, h // b, w // b), self.channels_last))

    @staticmethod
    def evaluate(x: Array, *, block: int, channels_last: bool) -> Array:
        """Reshape, permute, reshape."""
        n, c, h, w = static(_nchw(x.shape, channels_last))
        shape, perm = _gather(n, c, h // block, w // block, block, channels_last)
        y = x.reshape(static(shape)).transpose(perm)
        return y.reshape(static(_from_nchw((n, c * block * block, h // block, w // block), channels_last)))

    def cut(self) -> tuple[tuple[Dim, ...], tuple[int, ...]] | None:
        """Blocks as two axes of the positions."""
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        rows, columns = exact_div(h, self.block), exact_div(w, self.block)
        if rows is None or columns is None:
            return None
        return _gather(n, c, rows, columns, self.block, self.channels_last)

    def axes(self) -> Axes:
        """Images."""
        names = ("n", "s0", "s1", "c") if self.channels_last else ("n", "c", "s0", "s1")
        results = ("n", "t0", "t1", "e") if self.channels_last else ("n", "e", "t0", "t1")
        first, last = (("n", "c", "s0", "s1"), ("n", "e", "t0", "t1")), (("n", "s0", "s1", "c"), ("n", "t0", "t1", "e"))
        forms = (
            Form(first[:1], first[1:], {"channels_last": False}, "first", penalty=1),
            Form(last[:1], last[1:], {"channels_last": True}, "last", penalty=1),
        )
        return Axes((names,), (results,), frozenset({"s0", "s1", "c", "t0", "t1", "e"}), forms)


def _gather(n: Dim, c: Dim, h: Dim, w: Dim, block: int, channels_last: bool) -> tuple[tuple[Dim, ...], tuple[int, ...]]:
    """The shape and the permutation that gather blocks around ``h`` by ``w`` positions into channels."""
    if channels_last:
        return (n, h, block, w, block, c), (0, 1, 3, 2, 4, 5)
    return (n, c, h, block, w, block), (0, 3, 5, 1, 2, 4)


def _nchw(shape: tuple[Dim, ...], channels_last: bool) -> tuple[Dim, Dim, Dim, Dim]:
    n, *rest = shape
    c, h, w = (rest[2], rest[0], rest[1]) if channels_last else rest
    return n, c, h, w


def _from_nchw(shape: tuple[Dim, Dim, Dim, Dim], channels_last: bool) -> tuple[Dim, ...]:
    n, c, h, w = shape
    return (n, h, w, c) if channels_last else (n, c, h, w)
