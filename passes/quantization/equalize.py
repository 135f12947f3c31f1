"""Channels of small numbers are made as large as those of large ones, where the weights around them can take it back.

A tensor of integers has one scale, which its largest channel decides about; a channel of a tenth of that range has a
tenth of the integers, and ten times the relative error.  A factor per channel goes into the weights that compute it,
and out of those that read it: the network stays what it is.  After Nagel et al., "Data-Free Quantization Through Weight
Equalization and Bias Correction", 2019, section 4.1, with ranges of activations in place of those of weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...compiler.diagnostics import at
from ...compiler.fold import constant
from ...compiler.ir import Func, Value
from ...compiler.types import Array
from .channel_factors import ChannelFactors, scale_weights
from .names import value_names
from .statistics import Calibration
from .weights import const

LARGEST_FACTOR = 32.0
"""How much larger a channel may get: weights that read it get smaller by that, beside others of the same output."""

MARGIN = 1.25
"""How far below the bound of an activation a channel's largest number stays."""


def equalize(func: Func, calibration: Calibration, strength: float) -> int:
    """Scale channels and the weights around them; return how many channels of all values got a factor.

    ``strength`` is the share of the difference to the largest channel that goes, on a logarithmic scale: 1 gives all
    the same range.  Above the bounds of activations such as ReLU6, results differ from those before.
    """
    found = ChannelFactors.of(func)
    factors = _factors(found, value_names(func), calibration, strength)
    count = 0
    for op in found.weighted:
        read, made = (_of(found, v, factors) for v in (op.x, op.result))
        if (read == 1).all() and (made == 1).all():
            continue
        weight, bias = constant(op.w), constant(op.bias)
        assert weight is not None and op.parent is not None
        with at(op.location):
            scaled = scale_weights(op, weight.array(), read, made).astype(np.float32)
            op.set_operand(1, const(op.parent, op, scaled))
            if bias is not None:
                op.set_operand(2, const(op.parent, op, (bias.array() * made).astype(np.float32)))
        count += int((made != 1).sum())
    return count


def _of(found: ChannelFactors, value: Value, factors: Mapping[int, float]) -> Array:
    return np.array([factors.get(int(n), 1.0) for n in found.numbers(value)])


def _factors(
    found: ChannelFactors, names: Mapping[Value, str], calibration: Calibration, strength: float
) -> dict[int, float]:
    """Return the factor of each number of channels: as large as the range of no value grows by it."""
    shares: dict[int, float] = {}
    most: dict[int, float] = {}
    for value in found.channels:
        seen = calibration.get(names.get(value, ""))
        numbers = found.numbers(value)
        if seen is None or len(seen.highs) != len(numbers):
            continue
        highs = np.maximum(seen.highs, 0.0)
        ranges = highs - np.minimum(seen.lows, 0.0)
        ceiling = found.ceilings.get(value)
        for number, share, high in zip(numbers, ranges / max(float(ranges.max()), 1e-30), highs, strict=True):
            shares[int(number)] = max(shares.get(int(number), 0.0), float(share))
            if ceiling is not None:
                bound = ceiling / max(float(high) * MARGIN, 1e-30)
                most[int(number)] = min(most.get(int(number), LARGEST_FACTOR), max(bound, 1.0))
    return {
        number: min(max(share, 1e-30) ** -strength, most.get(number, LARGEST_FACTOR), LARGEST_FACTOR)
        for number, share in shares.items()
        if number not in found.fixed
    }
