"""Convolutions, poolings and resampling of MIL on arrays of numpy, position by position."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = Any


def _pads(pad_type: str, pad: Any, rank: int) -> list[tuple[int, int]]:
    if pad_type == "valid":
        return [(0, 0)] * rank
    assert pad_type == "custom"
    return [(int(pad[2 * i]), int(pad[2 * i + 1])) for i in range(rank)]


def conv(x, weight, strides, pad_type, pad, dilations, groups, bias=None) -> Array:
    """Sum over the positions of the filter: shifted data times one column of weights each."""
    rank = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *_pads(pad_type, pad, rank)])
    spans = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilations, strict=True)]
    sizes = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, strides, strict=True)]
    outputs, inputs = weight.shape[:2]
    out = np.zeros((x.shape[0], outputs, *sizes), np.result_type(x, weight))
    each = outputs // int(groups)
    for place in itertools.product(*map(range, weight.shape[2:])):
        cut = [
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(place, dilations, sizes, strides, strict=True)
        ]
        seen = x[(slice(None), slice(None), *cut)]
        for g in range(int(groups)):
            own, filters = (
                slice(g * each, (g + 1) * each),
                weight[(slice(g * each, (g + 1) * each), slice(None), *place)],
            )
            data = seen[:, g * inputs : (g + 1) * inputs]
            out[:, own] += np.moveaxis(np.tensordot(filters, data, axes=([1], [1])), 0, 1)
    return out if bias is None else out + np.asarray(bias).reshape([-1] + [1] * rank)


def conv_transpose(x, weight, strides, pad_type, pad, dilations, groups, bias=None, output_shape=None) -> Array:
    """Every element adds a scaled filter to the whole result, of which the paddings are cut."""
    assert output_shape is None
    rank = x.ndim - 2
    inputs, each = weight.shape[0] // int(groups), weight.shape[1]
    zipped = zip(x.shape[2:], weight.shape[2:], strides, dilations, strict=True)
    whole = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zipped]
    out = np.zeros((x.shape[0], each * int(groups), *whole), x.dtype)
    for place in itertools.product(*map(range, weight.shape[2:])):
        cut = [
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(place, dilations, x.shape[2:], strides, strict=True)
        ]
        for g in range(int(groups)):
            filters = weight[(slice(g * inputs, (g + 1) * inputs), slice(None), *place)]
            data = x[:, g * inputs : (g + 1) * inputs]
            own = slice(g * each, (g + 1) * each)
            out[(slice(None), own, *cut)] += np.moveaxis(np.tensordot(filters, data, axes=([0], [1])), 0, 1)
    pads = _pads(pad_type, pad, rank)
    out = out[(slice(None), slice(None), *(slice(a, n - b) for (a, b), n in zip(pads, whole, strict=True)))]
    return out if bias is None else out + np.asarray(bias).reshape([-1] + [1] * rank)


def _windows(x, kernel_sizes, strides, pads, fill) -> tuple[list[Array], Array]:
    """Return the data of all windows by position in them, and how many elements of each are no padding."""
    ones = np.pad(np.ones_like(x), [(0, 0), (0, 0), *pads])
    x = np.pad(x, [(0, 0), (0, 0), *pads], constant_values=fill)
    sizes = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel_sizes, strides, strict=True)]
    parts, counts = [], []
    for place in itertools.product(*map(range, kernel_sizes)):
        cut = (
            slice(None),
            slice(None),
            *(slice(p, p + (n - 1) * s + 1, s) for p, n, s in zip(place, sizes, strides, strict=True)),
        )
        parts.append(x[cut])
        counts.append(ones[cut])
    return parts, np.sum(counts, axis=0)


def max_pool(x, kernel_sizes, strides, pad_type, pad, ceil_mode) -> Array:
    """Paddings never win."""
    assert not ceil_mode
    parts, _ = _windows(x, kernel_sizes, strides, _pads(pad_type, pad, x.ndim - 2), -np.inf)
    return np.max(parts, axis=0)


def avg_pool(x, kernel_sizes, strides, pad_type, pad, ceil_mode, exclude_padding_from_average) -> Array:
    """Paddings are zeros, which count or don't."""
    assert not ceil_mode
    parts, counts = _windows(x, kernel_sizes, strides, _pads(pad_type, pad, x.ndim - 2), 0)
    return np.sum(parts, axis=0) / (counts if exclude_padding_from_average else float(np.prod(kernel_sizes)))


def _sampled(x: Array, points: Array, axis: int) -> Array:
    low = np.floor(points).astype(int)
    high = np.minimum(low + 1, x.shape[axis] - 1)
    part = (points - low).reshape([-1] + [1] * (x.ndim - 1 - axis % x.ndim))
    return np.take(x, low, axis) * (1 - part) + np.take(x, high, axis) * part


def _grid(before: int, after: int, mode: str) -> Array:
    """The points of the formulas in the description of resize_bilinear."""
    i = np.arange(after)
    if mode == "STRICT_ALIGN_CORNERS":
        points = i * ((before - 1) / (after - 1))
    elif mode == "DEFAULT":
        points = i * ((before - before / after) / (after - 1))
    else:
        assert mode == "UNALIGN_CORNERS"
        spacing = before / after
        points = i * spacing + 0.5 * spacing - 0.5
    return np.minimum(before - 1, np.maximum(0, points))


def resize_bilinear(x, target_size_height, target_size_width, sampling_mode) -> Array:
    """To stated sizes, along the last two axes."""
    for axis, after in ((x.ndim - 2, target_size_height), (x.ndim - 1, target_size_width)):
        x = _sampled(x, _grid(x.shape[axis], int(after), sampling_mode), axis)
    return x


def upsample_bilinear(x, scale_factor_height, scale_factor_width, align_corners, half_pixel_centers) -> Array:
    """By factors, along the last two axes."""
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS" if half_pixel_centers else "DEFAULT"
    sizes = x.shape[-2] * int(scale_factor_height), x.shape[-1] * int(scale_factor_width)
    return resize_bilinear(x, *sizes, mode)


def upsample_nearest(x, scale_factor_height, scale_factor_width) -> Array:
    """Every element as often as the factors say."""
    assert float(scale_factor_height).is_integer() and float(scale_factor_width).is_integer()
    return x.repeat(int(scale_factor_height), x.ndim - 2).repeat(int(scale_factor_width), x.ndim - 1)
