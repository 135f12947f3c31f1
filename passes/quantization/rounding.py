"""Rounding the weights of a sum of products together: what one loses, those that are not rounded yet make up for.

To round each weight to its nearest integer is best if the numbers that they are multiplied with are independent.  They
are not: neighbours in pictures are alike, and channels depend on each other.  What matters is the error of the sums,
``(w - q) H (w - q)^T``, with the covariance ``H`` of what is multiplied.  Weights are rounded one after the other; the
error of each is spread over those that follow, so that this grows least.  Frantar et al., "GPTQ: Accurate Post-Training
Quantization for Generative Pre-trained Transformers", 2022, section 3; the mean is left to the bias (:mod:`.weights`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.ir import Op
from ...compiler.ops.linear import Linear
from ...compiler.ops.window import Conv
from ...compiler.scales import lowest, spread_scales
from ...compiler.types import Array
from .statistics import LARGEST

DAMPING = 0.01
"""What is added to each variance, as a share of their mean: as many samples as there are say no more."""

BLOCK = 128
"""So many weights of a row are rounded before the rest of the row is told."""

Pads: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Factors:
    """Which numbers of an operand the weights of each output are multiplied with.

    ``kernel``, ``strides``, ``dilations`` and ``pads`` are those of windows over the axes between the first and the
    last one; without windows, each position of the last axis has its weight.  ``groups`` of channels have outputs of
    their own.
    """

    kernel: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    pads: Pads = ()
    groups: int = 1

    @staticmethod
    def of(op: Op) -> Factors | None:
        """Return what an operation multiplies with its weight, None if it is no sum of products with channels last."""
        if isinstance(op, Linear):
            return Factors() if op.is_along_last else None
        if not (isinstance(op, Conv) and op.channels_last):
            return None
        kernel = tuple(d for d in op.w.type.shape[1:-1] if isinstance(d, int))
        pads = tuple((a, b) for a, b in op.pads if isinstance(a, int) and isinstance(b, int))
        if not len(kernel) == len(pads) == op.x.type.rank - 2:
            return None
        return Factors(kernel, op.strides, op.dilations, pads, op.groups)

    def draw(self, x: Array, count: int, rng: np.random.Generator) -> Array:
        """Return what ``count`` sums multiply, or all of them if they are fewer: ``[groups, count, weights]``.

        ``x`` is ``[..., channels]``, or ``[batch, spatial..., channels]`` where windows move over it.
        """
        if not self.kernel:
            rows = x.reshape(-1, x.shape[-1])
            drawn = rows if len(rows) <= count else rows[rng.choice(len(rows), count, replace=False)]
            return np.asarray(drawn, np.float64).reshape(1, -1, x.shape[-1])
        counts = [x.shape[0], *(self._positions(axis, size) for axis, size in enumerate(x.shape[1:-1]))]
        total = int(np.prod(counts))
        flat = np.arange(total) if total <= count else rng.choice(total, count, replace=False)
        batch, *places = np.unravel_index(flat, counts)
        found = np.zeros((len(flat), *self.kernel, x.shape[-1]))
        for tap in product(*map(range, self.kernel)):
            index, inside = self._tap(tap, places, x.shape[1:-1])
            found[(slice(None), *tap)] = np.where(inside[:, None], x[(batch, *index)], 0)
        by_group = found.reshape(len(flat), -1, self.groups, x.shape[-1] // self.groups)
        return by_group.transpose(2, 0, 1, 3).reshape(self.groups, len(flat), -1)

    def _positions(self, axis: int, size: int) -> int:
        low, high = self.pads[axis]
        span = self.dilations[axis] * (self.kernel[axis] - 1) + 1
        return max((size + low + high - span) // self.strides[axis] + 1, 0)

    def _tap(self, tap: tuple[int, ...], places: list[Array], sizes: tuple[int, ...]) -> tuple[list[Array], Array]:
        """Return where in ``x`` one place of the windows lies, and which of these are no padding."""
        index: list[Array] = []
        inside = np.ones(len(places[0]), np.bool_)
        for axis, (place, size) in enumerate(zip(places, sizes, strict=True)):
            at = place * self.strides[axis] + tap[axis] * self.dilations[axis] - self.pads[axis][0]
            inside &= (at >= 0) & (at < size)
            index.append(np.clip(at, 0, size - 1))
        return index, inside


@dataclass
class Products:
    """The weights of one operation, and the covariances of what they are multiplied with, as far as they were seen.

    ``weight`` has its outputs on axis 0; ``scales`` are one per output, one for all, or of blocks of each output's
    weights; integers have ``bits``.
    """

    factors: Factors
    weight: Array
    scales: Array
    bits: int
    _middle: Array | None = None
    _sums: Array = field(default_factory=lambda: np.zeros(()))
    _squares: Array = field(default_factory=lambda: np.zeros(()))
    _count: int = 0

    @property
    def size(self) -> int:
        """How many weights, and products, one sum has."""
        return self.weight[0].size

    @property
    def bytes(self) -> int:
        """How much memory the covariances of all groups take."""
        return self.factors.groups * self.size**2 * 8

    def see(self, x: Array, count: int, rng: np.random.Generator) -> None:
        """Add ``count`` of the sums that an operand takes part in."""
        drawn = self.factors.draw(x, count, rng)
        rows = np.where(np.abs(drawn) < LARGEST, drawn, 0)
        if self._middle is None:  # squares of numbers far from zero would leave no digits for what varies
            self._middle = rows.mean(1, keepdims=True)
        rows -= self._middle
        self._sums = self._sums + rows.sum(1)
        self._squares = self._squares + np.matmul(rows.transpose(0, 2, 1), rows)
        self._count += rows.shape[1]

    def rounded(self) -> Array:
        """Return integers in the weight's shape, i8."""
        covariances = self._covariances()
        groups, ends = self.factors.groups, (lowest(self.scales, self.bits), (1 << (self.bits - 1)) - 1)
        scales = spread_scales(self.scales.astype(np.float64), self.weight.shape)
        by_group = self.weight.reshape(groups, -1, self.size).astype(np.float64)
        spread = np.broadcast_to(scales, self.weight.shape).reshape(by_group.shape)
        integers = round_together(by_group, spread, covariances, ends)
        return integers.reshape(self.weight.shape).astype(np.int8)

    def _covariances(self) -> Array:
        means = self._sums / max(self._count, 1)
        found = self._squares / max(self._count, 1) - means[:, :, None] * means[:, None, :]
        variances = np.diagonal(found, axis1=1, axis2=2)
        floor = DAMPING * variances.mean(1) + np.finfo(np.float32).tiny
        return found + floor[:, None, None] * np.eye(self.size)


def round_together(weight: Array, scales: Array, covariances: Array, ends: tuple[int, int]) -> Array:
    """Return integers between two ``ends`` for weights ``[groups, outputs, weights]``, as floats.

    ``scales`` are one per weight, ``covariances`` ``[groups, weights, weights]`` of what is multiplied, positive
    definite.  The weights whose factors vary most come first: most others can make up for their errors.
    """
    order = np.argsort(-np.diagonal(covariances, axis1=1, axis2=2), axis=1, kind="stable")
    rest, steps = (np.take_along_axis(a, order[:, None, :], 2) for a in (weight, scales))
    sorted_rows = np.take_along_axis(covariances, order[:, :, None], 1)
    inverse = np.linalg.inv(np.take_along_axis(sorted_rows, order[:, None, :], 2))
    spread = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
    found = np.zeros_like(rest)
    for start in range(0, rest.shape[2], BLOCK):
        end = min(start + BLOCK, rest.shape[2])
        errors = np.zeros((*rest.shape[:2], end - start))
        for place in range(start, end):
            own, step = rest[:, :, place], steps[:, :, place]
            found[:, :, place] = np.clip(np.rint(own / step), *ends)
            lost = (own - found[:, :, place] * step) / spread[:, place, place][:, None]
            rest[:, :, place:end] -= lost[:, :, None] * spread[:, None, place, place:end]
            errors[:, :, place - start] = lost
        rest[:, :, end:] -= np.matmul(errors, spread[:, start:end, end:])
    out = np.zeros_like(found)
    np.put_along_axis(out, order[:, None, :], found, 2)
    return out


ProductsByName: TypeAlias = Mapping[str, Mapping[str, Products]]
"""By the name of what is multiplied, by the name of what is computed."""


def save(rounded: Mapping[str, Array], path: Path) -> None:
    """Write integers of weights by the names of what their operations compute."""
    arrays = {str(number): array for number, array in enumerate(rounded.values())}
    np.savez(path, allow_pickle=False, names=np.array([*rounded], np.str_), **arrays)


def load(path: Path) -> dict[str, Array]:
    """Read what :func:`save` has written.

    Raises:
        CompileError: R010, it is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            return {str(name): found[str(number)] for number, name in enumerate(found["names"])}
    except (OSError, KeyError, ValueError, BadZipFile) as bad:
        raise error("R010", f"can't read {path}: it holds no rounded weights", help="leave `rounded` out") from bad
