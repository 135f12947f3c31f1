"""Operations that resample or rearrange spatial axes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..axes import Axes, AxisTuple, Form, letters
from ..dims import Dim
from ..ir import Op, Value
from ..opdef import Pure, op
from ..types import Array, TensorType

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

    x: Value
    dims: AxisTuple
    sizes: tuple[Dim, ...]
    mode: str = "nearest"
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    scales: tuple[float, ...] | None = None
    cubic: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False

    def infer(self) -> TensorType:
        """The sizes."""
        if self.mode not in ("nearest", "linear", "cubic") or self.coordinates not in COORDINATES:
            raise ValueError(f"unknown mode {self.mode!r} or coordinates {self.coordinates!r}")
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


@op("depth_to_space", Pure)
class DepthToSpace(Op):
    """Spread channels over blocks of ``block`` by ``block`` positions.

    Channels count (row, column, channel) with mode "dcr" and (channel, row, column) with "crd",
    which is PyTorch's pixel shuffle.
    """

    x: Value
    block: int
    mode: str = "dcr"
    channels_last: bool = False

    def infer(self) -> TensorType:
        """Fewer channels, more positions."""
        if self.x.type.rank != 4:
            raise ValueError(f"{self.x.type} is not a batch of images")
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        b = self.block
        if b < 1 or (isinstance(c, int) and c % (b * b)):
            raise ValueError(f"{c} channels don't fill blocks of {b} x {b}")
        return self.x.type.with_shape(_from_nchw((n, c // (b * b), h * b, w * b), self.channels_last))

    @staticmethod
    def evaluate(x: Array, *, block: int, mode: str, channels_last: bool) -> Array:
        """Reshape, permute, reshape."""
        x = np.moveaxis(x, -1, 1) if channels_last else x
        n, c, h, w = x.shape
        depth = c // (block * block)
        if mode == "dcr":
            y = x.reshape(n, block, block, depth, h, w).transpose(0, 3, 4, 1, 5, 2)
        else:
            y = x.reshape(n, depth, block, block, h, w).transpose(0, 1, 4, 2, 5, 3)
        y = y.reshape(n, depth, h * block, w * block)
        return np.moveaxis(y, 1, -1) if channels_last else y

    def axes(self) -> Axes:
        """Images; channels that count (channel, row, column) may be stored as (row, column, channel)."""
        c = _nchw(self.x.type.shape, self.channels_last)[1]
        b = self.block
        names = ("n", "s0", "s1", "c") if self.channels_last else ("n", "c", "s0", "s1")
        results = ("n", "t0", "t1", "e") if self.channels_last else ("n", "e", "t0", "t1")
        first = Form((("n", "c", "s0", "s1"),), (("n", "e", "t0", "t1"),), {"channels_last": False}, "first")
        last = Form((("n", "s0", "s1", "c"),), (("n", "t0", "t1", "e"),), {"channels_last": True}, "last")
        forms = [first, last]
        if self.mode == "crd" and isinstance(c, int):
            digits = {"c": ((c // (b * b), b, b), (1, 2, 0))}
            forms = [
                Form(f.operands, f.results, {**f.attributes, "mode": "dcr"}, f.channels, digits) for f in (first, last)
            ] + [Form(f.operands, f.results, f.attributes, f.channels, penalty=2) for f in (first, last)]
        return Axes((names,), (results,), frozenset({"s0", "s1", "c", "t0", "t1", "e"}), tuple(forms))


@op("space_to_depth", Pure)
class SpaceToDepth(Op):
    """Gather blocks of ``block`` by ``block`` positions into channels, which count (row, column, channel)."""

    x: Value
    block: int
    channels_last: bool = False

    def infer(self) -> TensorType:
        """More channels, fewer positions."""
        if self.x.type.rank != 4:
            raise ValueError(f"{self.x.type} is not a batch of images")
        n, c, h, w = _nchw(self.x.type.shape, self.channels_last)
        b = self.block
        if b < 1 or any(isinstance(d, int) and d % b for d in (h, w)):
            raise ValueError(f"{h} x {w} positions don't fill blocks of {b} x {b}")
        return self.x.type.with_shape(_from_nchw((n, c * b * b, h // b, w // b), self.channels_last))

    @staticmethod
    def evaluate(x: Array, *, block: int, channels_last: bool) -> Array:
        """Reshape, permute, reshape."""
        x = np.moveaxis(x, -1, 1) if channels_last else x
        n, c, h, w = x.shape
        y = x.reshape(n, c, h // block, block, w // block, block).transpose(0, 3, 5, 1, 2, 4)
        y = y.reshape(n, c * block * block, h // block, w // block)
        return np.moveaxis(y, 1, -1) if channels_last else y

    def axes(self) -> Axes:
        """Images."""
        names = ("n", "s0", "s1", "c") if self.channels_last else ("n", "c", "s0", "s1")
        results = ("n", "t0", "t1", "e") if self.channels_last else ("n", "e", "t0", "t1")
        forms = (
            Form((("n", "c", "s0", "s1"),), (("n", "e", "t0", "t1"),), {"channels_last": False}, "first"),
            Form((("n", "s0", "s1", "c"),), (("n", "t0", "t1", "e"),), {"channels_last": True}, "last"),
        )
        return Axes((names,), (results,), frozenset({"s0", "s1", "c", "t0", "t1", "e"}), forms)


def _nchw(shape: tuple[Dim, ...], channels_last: bool) -> tuple[Dim, Dim, Dim, Dim]:
    n, *rest = shape
    c, h, w = (rest[2], rest[0], rest[1]) if channels_last else rest
    return n, c, h, w


def _from_nchw(shape: tuple[Dim, Dim, Dim, Dim], channels_last: bool) -> tuple[Dim, ...]:
    n, c, h, w = shape
    return (n, h, w, c) if channels_last else (n, c, h, w)
