"""Convolutions over volumes as sums of ones over images; each target says which of them it needs that for."""

from __future__ import annotations

from functools import reduce

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.activation import Clip
from ...compiler.ops.shape import Pad, Slice
from ...compiler.ops.window import Conv, Pads
from ...compiler.padding import geometry, same_pads

VOLUME = 5
"""Rank of a batch of volumes."""


def sum_over_depth(op: Conv, e: Build) -> None:
    """Replace a convolution by a sum of ones over images, one per layer of the filter, if that has any."""
    if 0 in op.w.type.shape:
        return  # it has no layers, or none that adds anything
    x, pads = _padded(op, e)
    layers = [_layer(op, x, pads, i, e) for i in range(geometry(op)[0][1])]
    total = reduce(lambda a, b: e(arith.Add, a, b), layers)
    low, high = arith.ACTIVATIONS[op.activation]
    total = total if op.activation == "none" else e(Clip, total, min=low, max=high)
    e.replace(total)


def _padded(op: Conv, e: Build) -> tuple[Value, Pads]:
    """The volumes with the paddings that convolutions of images can't add, and those that they can.

    Of one volume its images, so that what is cut out of it is a batch as it stands.
    """
    x = e.reshape(op.x, op.x.type.shape[1:]) if op.x.type.shape[0] == 1 else op.x
    same = all(p == same_pads(*g) for p, g in zip(op.pads[1:], geometry(op)[1:], strict=True))
    inside = op.pads[1:] if same else ((0, 0),) * 2
    around = (op.pads[0], *(((0, 0),) * 2 if same else op.pads[1:]))
    if all(p == (0, 0) for p in around):
        return x, inside
    batch = (0,) * (x.type.rank - 4)
    return e(Pad, x, (*batch, *(p[0] for p in around), 0), (*batch, *(p[1] for p in around), 0)), inside


def _layer(op: Conv, x: Value, pads: Pads, i: int, e: Build) -> Value:
    """What one layer of the filter adds, batch and depth folded; the first one adds the bias, too."""
    n, out, depth = op.x.type.shape[0], op.result.type.shape[1], x.type.rank - 4
    starts, sizes, steps = [0] * x.type.rank, list(x.type.shape), [1] * x.type.rank
    starts[depth], sizes[depth], steps[depth] = i * op.dilations[0], out, op.strides[0]
    images = e.reshape(e(Slice, x, tuple(starts), tuple(sizes), tuple(steps)), (n * out, *x.type.shape[-3:]))
    o, _, *kernel, per_group = op.w.type.shape
    filters = e(Slice, op.w, (0, i, 0, 0, 0), (o, 1, *kernel, per_group), (1,) * VOLUME)
    given = {
        "strides": op.strides[1:],
        "dilations": op.dilations[1:],
        "pads": pads,
        "groups": op.groups,
        "channels_last": True,
    }
    return e(Conv, images, e.reshape(filters, (o, *kernel, per_group)), op.bias if i == 0 else None, **given)
