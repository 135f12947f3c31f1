"""Poolings that say where their elements come from."""

from __future__ import annotations

from typing import cast

import numpy as np

from ..attributes import Positive
from ..axes import PerSpatial
from ..dims import Dim
from ..ir import Op
from ..opdef import Pure, op
from ..operands import Numbers
from ..types import Array, DType, TensorType
from .window import Spatial, all_hold_elements, pool_windows, window_size


@op("max_pool_positions", Pure)
class MaxPoolPositions(Op):
    """The largest element of every window, and its position in the whole flattened operand, channels first.

    With ``column_major`` the last spatial axis counts before the others, in reverse order.
    """

    x: Numbers
    kernel: PerSpatial[Positive]
    strides: PerSpatial[Positive]
    dilations: PerSpatial[Positive]
    pads: PerSpatial[tuple[Dim, Dim]]
    ceil: bool = False
    column_major: bool = False

    def infer(self) -> tuple[TensorType, TensorType]:
        """Windows per spatial axis, twice."""
        shape = self.x.type.shape
        fields = (self.kernel, self.strides, self.dilations, self.pads)
        Spatial.of(len(shape), False)
        sizes = [window_size(n, k, s, d, p, ceil=self.ceil) for n, k, s, d, p in zip(shape[2:], *fields, strict=True)]
        if not all_hold_elements(shape[2:], fields, ceil=self.ceil):
            raise ValueError("some windows hold nothing but paddings: there is no position of the largest element")
        out = (*shape[:2], *sizes)
        return self.x.type.with_shape(out), TensorType(DType.I64, out)

    @staticmethod
    def evaluate(
        x: Array,
        *,
        kernel: tuple[int, ...],
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        ceil: bool,
        column_major: bool,
    ) -> tuple[Array, Array]:
        """Look up the numbers of the elements in the same windows; no integer is less than the padding."""
        x = x if x.dtype.kind == "f" else x.astype(np.float64)
        spatial = x.shape[2:]
        numbers = np.arange(int(np.prod(spatial)))
        numbers = numbers.reshape(spatial[::-1]).T if column_major else numbers.reshape(spatial)
        settings = (kernel, strides, dilations, pads, ceil)
        view = pool_windows(x, -np.inf, *settings)
        places = pool_windows(numbers[None, None].astype(np.int64), 0.0, *settings)
        best = view.argmax(-1)[..., None]
        found = np.take_along_axis(np.broadcast_to(places, view.shape), best, -1)[..., 0]
        images = cast(Array, np.arange(x.shape[0] * x.shape[1]))
        starts = images.reshape(*x.shape[:2], *[1] * len(spatial)) * numbers.size
        return np.take_along_axis(view, best, -1)[..., 0], found + starts
