"""What rows of windows ask for in several targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compiler.dims import is_static
from ...compiler.ops import window as ir
from ...compiler.padding import geometry, is_same, is_valid
from ...compiler.types import Array
from .table import condition


@condition("known paddings")
def known_pads(op: Any) -> str | None:
    """Condition: paddings are numbers, none of them open."""
    return None if all(is_static(pair) for pair in op.pads) else "symbolic paddings"


@condition("paddings smaller than the window")
def narrow_pads(op: Any) -> str | None:
    """Condition: paddings are narrower than the window, so that no window has paddings only."""
    wide = [p for pair, k in zip(op.pads, op.kernel, strict=True) for p in pair if not isinstance(p, int) or p >= k]
    return f"a padding of {wide[0]}" if wide else None


@condition("paddings that are known, or those of SAME")
def known_padding(op: Any) -> str | None:
    """Condition: paddings can be stated in the file."""
    is_known = is_same(op) or is_static(tuple(n for pair in op.pads for n in pair))
    return None if is_known else "paddings that are not known"


@condition("no paddings, or those of SAME")
def none_or_same(op: Any) -> str | None:
    """Condition: TensorFlow has a word for the paddings."""
    return None if is_valid(op) or is_same(op) else f"paddings {show_pads(op.pads)}, neither none nor those of SAME"


@condition("no negative paddings")
def no_cuts(op: Any) -> str | None:
    """Condition: paddings are not negative, so they add and never cut."""
    is_cut = any(isinstance(n, int) and n < 0 for pair in op.pads for n in pair)
    return f"paddings {show_pads(op.pads)}, of which some cut" if is_cut else None


def show_pads(pads: ir.Pads) -> str:
    """Return paddings as messages show them, such as ``1+1, 0+2``."""
    return ", ".join(f"{a}+{b}" for a, b in pads)


@condition("no dilations")
def undilated(op: Any) -> str | None:
    """Condition: the dilation is 1 along all axes."""
    return None if all(d == 1 for d in op.dilations) else f"dilations {list(op.dilations)}"


@condition("one group")
def ungrouped(op: ir.Conv | ir.ConvTranspose) -> str | None:
    """Condition: there is one group, so that every filter reads all channels."""
    return None if op.groups == 1 else "groups"


@condition("equal strides")
def equal_strides(op: ir.Conv) -> str | None:
    """Condition: the stride is the same along all axes."""
    return None if len(set(op.strides)) == 1 else "strides that differ"


@condition("filters for every channel by itself")
def depthwise_filters(op: ir.Conv) -> str | None:
    """Condition: there are as many groups as input channels."""
    return None if op.is_depthwise else "other than filters for every channel by itself"


@condition("filters and channels that are there")
def is_something(op: ir.Conv | ir.ConvTranspose) -> str | None:
    """Condition: no axis but the batch is empty."""
    return "no filters, channels or elements" if 0 in (*op.w.type.shape, *op.x.type.shape[1:]) else None


def by_channel(filters: Array, groups: int) -> Array:
    """Return depthwise filters ``(g m) s... 1`` as ``s... g m``."""
    outputs, *spatial, _ = filters.shape
    apart = filters.reshape(groups, outputs // groups, *spatial)
    return np.moveaxis(apart, (0, 1), (-2, -1))


@condition("output paddings smaller than the stride")
def within_reach(op: ir.ConvTranspose) -> str | None:
    """Condition: the result is no larger than a convolution backwards can give."""
    wide = [o for o, s in zip(op.output_pads, op.strides, strict=True) if not isinstance(o, int) or o >= s]
    return f"an output padding of {wide[0]}" if wide else None


def is_cut_as_same(op: ir.ConvTranspose) -> bool:
    """Whether each axis grows by its stride and the kernel is cut as SAME does: the larger half after the data."""
    fields = zip(geometry(op), op.pads, op.output_pads, strict=True)
    return all(k >= s and p[0] == (k - s) // 2 and k - s - p[0] == p[1] - o for (_, k, s, _), p, o in fields)


@condition("windows within the data")
def fitting(op: Any) -> str | None:
    """Windows that hang over the end only count where the result has more positions than whole windows give."""
    data = ir.Spatial.of(op.x.type.rank, op.channels_last)
    whole = [ir.whole_windows(n, k, s, d, p) for (n, k, s, d), p in zip(geometry(op), op.pads, strict=True)]
    return None if [op.result.type.shape[a] for a in data.axes] == whole else "windows that hang over the end"


@condition("paddings that do not count")
def pads_left_out(op: ir.AveragePool) -> str | None:
    """Condition: the mean is that of the data in each window."""
    return None if is_valid(op) or not op.count_pads else "paddings that count"
