"""What detectors find: boxes of what the networks compute, decoded as by those who publish them, and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from nhwcc.compiler.types import Array

OVERLAP = 0.5
"""How much two boxes overlap that are the same."""


@dataclass(frozen=True)
class Boxes:
    """Boxes of one picture: corners ``[n, 4]``, scores and classes."""

    corners: Array
    scores: Array
    classes: Array

    def best(self, least: float, overlap: float) -> Boxes:
        """Leave out boxes of low scores, and those that overlap with a better one of the same class."""
        order = [i for i in np.argsort(-self.scores) if self.scores[i] >= least]
        kept: list[int] = []
        for i in order:
            own = [k for k in kept if self.classes[k] == self.classes[i]]
            if all(iou(self.corners[i], self.corners[k]) <= overlap for k in own):
                kept.append(i)
        return Boxes(self.corners[kept], self.scores[kept], self.classes[kept])


def iou(a: Array, b: Array) -> float:
    """Return the area that two boxes share beside that of both."""
    shared = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
    return float(shared / max((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared, 1e-9))


def yolov8(outputs: Mapping[str, Array]) -> Boxes:
    """Decode one output ``[1, 4 + classes, places]``: centers and sizes in pixels beside scores, or two outputs."""
    found = np.concatenate([a[0].T if a.shape[1] < a.shape[2] else a[0] for a in outputs.values()], 1)
    middle, size, scores = found[:, :2], found[:, 2:4], found[:, 4:]
    corners = np.concatenate([middle - size / 2, middle + size / 2], 1)
    return Boxes(corners, scores.max(1), scores.argmax(1)).best(0.25, 0.45)


def yolox(outputs: Mapping[str, Array]) -> Boxes:
    """Decode one output ``[1, places, 6]``: offsets and logarithms of sizes on three grids, scores; or its parts."""
    found = np.concatenate([a[0] for a in outputs.values()], 1)
    side = round((len(found) * 64 / 84) ** 0.5)
    grids = [(side // s, 8 * s) for s in (1, 2, 4)]
    places = np.concatenate([_grid(n, n) for n, _ in grids])
    strides = np.concatenate([np.full((n * n, 1), s) for n, s in grids])
    middle, size = (found[:, :2] + places) * strides, np.exp(np.minimum(found[:, 2:4], 20)) * strides
    scores = found[:, 4] * found[:, 5]
    corners = np.concatenate([middle - size / 2, middle + size / 2], 1)
    return Boxes(corners, scores, np.zeros(len(scores), np.int64)).best(0.1, 0.45)


def picodet(outputs: Mapping[str, Array]) -> Boxes:
    """Decode scores and distributions of distances, ``[1, places, 4 * 8]``, on four grids of 800x608."""
    arrays = sorted(outputs.values(), key=lambda a: (a.shape[2], -a.shape[1]))
    parts: list[Boxes] = []
    for scores, spread in zip(arrays[:4], arrays[4:], strict=True):
        stride = 8 * round((7600 / scores.shape[1]) ** 0.5)
        middle = (_grid(-(-800 // stride), -(-608 // stride)) + 0.5) * stride
        shares = np.exp(spread[0].reshape(-1, 4, 8) - spread[0].reshape(-1, 4, 8).max(2, keepdims=True))
        distances = (shares * np.arange(8)).sum(2) / shares.sum(2) * stride
        corners = np.concatenate([middle - distances[:, :2], middle + distances[:, 2:]], 1)
        parts.append(Boxes(corners, scores[0].max(1), scores[0].argmax(1)))
    every = Boxes(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("corners", "scores", "classes")))
    return every.best(0.4, 0.5)


def _grid(rows: int, columns: int) -> Array:
    """The places ``[rows * columns, 2]`` of a grid, x before y."""
    return np.stack([np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)], 1)


Decode = Callable[[Mapping[str, Array]], Boxes]


def finding(decode: Decode) -> Callable[[Sequence[Mapping[str, Array]], Sequence[Mapping[str, Array]]], str]:
    """Return what says how many boxes are found again, at about the same place and of the same class."""

    def kept(want: Sequence[Mapping[str, Array]], got: Sequence[Mapping[str, Array]]) -> str:
        counts = np.zeros(3, int)
        for a, b in zip(want, got, strict=True):
            counts += _compared(decode(a), decode(b))
        return f"{counts[0]}/{counts[1]} boxes, {counts[2]} false"

    return kept


def _compared(want: Boxes, got: Boxes) -> tuple[int, int, int]:
    left = list(range(len(got.scores)))
    found = 0
    for box, label in zip(want.corners, want.classes, strict=True):
        near = {i: iou(box, got.corners[i]) for i in left if got.classes[i] == label}
        best = max(near, key=near.__getitem__, default=None)
        if best is not None and near[best] >= OVERLAP:
            left.remove(best)
            found += 1
    return found, len(want.scores), len(left)
