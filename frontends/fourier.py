"""Discrete Fourier transforms as products with constant matrices."""

from __future__ import annotations

import math

import numpy as np

from ..compiler.budget import reserve
from ..compiler.types import Array


def fourier_matrix(size: int, parts: int, length: int, *, inverse: bool, onesided: bool) -> Array:
    """Return ``[size, parts, results, parts of results]``; positions after ``length`` count nothing.

    Of ``size`` numbers that have one part (real) or two, the transform of ``length``; the inverse one divides by that.
    ``onesided`` leaves out, or the inverse one takes as given, the half that is the conjugate of the other.
    """
    n = np.arange(size)[:, None]
    outs = length if not onesided or inverse else length // 2 + 1
    reserve(size, max(outs, 0), 4, what="the matrix of the transform")
    angle = 2 * math.pi * (n * np.arange(outs)[None, :] % length) / length
    cos, sin = np.cos(angle), np.sin(angle) * (1 if inverse else -1)
    if inverse and onesided:  # the other half is the conjugate of the one that is given
        twice = np.where((n == 0) | (2 * n == length), 1, 2) / length
        table = np.stack([cos * twice, -sin * twice], 1)[..., None]
    else:
        scale = 1 / length if inverse else 1
        table = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], 1) * scale
    table[length // 2 + 1 if inverse and onesided else length :] = 0
    return table[:, :parts]
