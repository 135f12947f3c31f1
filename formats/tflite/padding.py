"""Paddings in the format's words: VALID adds nothing, SAME what makes the result's size that of the data by stride."""

from __future__ import annotations

from ...compiler.dims import Dim, ceil_div, maximum


def same_pads(size: Dim, kernel: int, stride: int, dilation: int) -> tuple[Dim, Dim]:
    """Return what SAME adds before and behind.

    >>> same_pads(8, 3, 2, 1), same_pads(7, 3, 2, 1)
    ((0, 1), (1, 1))
    """
    span = dilation * (kernel - 1) + 1
    if stride == 1:
        total: Dim = span - 1
    else:
        total = maximum((ceil_div(size, stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
