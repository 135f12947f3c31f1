"""Rows for convolutions and poolings over lines, images and volumes, with channels last."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ....compiler.dims import static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.padding import geometry, is_same, is_valid
from ...common.windows import (
    by_channel,
    depthwise_filters,
    equal_strides,
    fitting,
    is_cut_as_same,
    is_something,
    known_padding,
    no_cuts,
    none_or_same,
    pads_left_out,
    show_pads,
    undilated,
    ungrouped,
)
from ..table import Call, Condition, Nested, Operand, Weight, condition, emits
from .common import channels_last, computed, constant_weights, dtype_of, ending, plain, precise, weight_of

RANKS = {1: range(3, 4), 2: range(4, 5), 3: range(5, 6)}
"""Axes of the data by how many of them windows have."""


@condition("strides or dilations, not both")
def _either(op: Any) -> str | None:
    is_both = any(s > 1 for s in op.strides) and any(d > 1 for d in op.dilations)
    return "strides and dilations at once" if is_both else None


def _is_word(op: Any) -> bool:
    return is_valid(op) or is_same(op)


def _word(op: Any) -> str:
    return "same" if is_same(op) and not is_valid(op) else "valid"


def _padded(op: Any) -> Operand:
    """Return the data with the paddings that layers have no word for."""
    if _is_word(op):
        return op.x
    n, *sizes, c = op.x.type.shape
    pads = tuple((int(a), int(b)) for a, b in op.pads)
    type = op.x.type.with_shape((n, *(d + a + b for d, (a, b) in zip(sizes, pads, strict=True)), c))
    settings: dict[str, Any] = {"padding": pads[0] if len(pads) == 1 else pads, **dtype_of(op)}
    if len(pads) > 1:
        settings["data_format"] = "channels_last"
    return Nested(f"layers.ZeroPadding{len(pads)}D", type, (op.x,), settings)


def _filter(w: Value, perm: tuple[int, ...]) -> Weight:
    type = w.type.with_shape(tuple(w.type.shape[p] for p in perm))
    return weight_of(w).derive(type, partial(np.transpose, axes=perm))


def _settings(op: Any) -> dict[str, Any]:
    """What convolutions have in common."""
    axes = [a + 1 for a in range(op.x.type.rank - 2)]
    kernel = tuple(op.w.type.shape[a] for a in axes)
    activation = {} if op.activation == "none" else {"activation": op.activation}
    return {
        "kernel_size": kernel,
        "strides": op.strides,
        "data_format": "channels_last",
        "use_bias": op.bias is not None,
        **activation,
        **dtype_of(op),
    }


def _bias(op: ir.Conv | ir.ConvTranspose) -> tuple[Weight, ...]:
    return () if op.bias is None else (weight_of(op.bias),)


_LAYER: tuple[Condition, ...] = (computed, constant_weights, ending, precise, channels_last, is_something)
_CONV: tuple[Condition, ...] = (*_LAYER, known_padding, no_cuts, _either)


def _depthwise(op: ir.Conv) -> Call:
    """One filter or several for each channel."""
    outputs, *sizes, _ = op.w.type.shape
    each = int(outputs) // op.groups if isinstance(outputs, int) else 0
    type = op.w.type.with_shape((*sizes, op.groups, each))
    filters = weight_of(op.w).derive(type, partial(by_channel, groups=op.groups))
    settings = {**_settings(op), "depth_multiplier": each, "dilation_rate": op.dilations, "padding": _word(op)}
    return Call((_padded(op),), settings, (filters, *_bias(op)))


def _conv(op: ir.Conv) -> Call:
    """Any number of groups, the filter with its inputs and outputs last."""
    rank = op.w.type.rank
    settings = {
        **_settings(op),
        "filters": static(op.w.type.shape[:1])[0],
        "groups": op.groups,
        "dilation_rate": op.dilations,
        "padding": _word(op),
    }
    return Call((_padded(op),), settings, (_filter(op.w, (*range(1, rank), 0)), *_bias(op)))


for _rank in (1, 2):
    emits(
        ir.Conv,
        f"layers.DepthwiseConv{_rank}D",
        ranks=RANKS[_rank],
        when=(*_CONV, depthwise_filters, equal_strides),
    )(_depthwise)


@condition("groups over lines and images only")
def _few_groups(op: ir.Conv) -> str | None:
    return "groups over volumes" if op.groups > 1 and op.x.type.rank in RANKS[3] else None


@condition("no dilations over volumes")
def _dense_volumes(op: ir.Conv) -> str | None:
    return undilated(op) if op.x.type.rank in RANKS[3] else None


for _rank in (1, 2, 3):
    emits(ir.Conv, f"layers.Conv{_rank}D", ranks=RANKS[_rank], when=(*_CONV, _few_groups, _dense_volumes))(_conv)


def _conv_by_computed(op: ir.Conv) -> Call:
    """A filter that is computed; then the bias."""
    rank = op.w.type.rank
    perm = (*range(1, rank), 0)
    type = op.w.type.with_shape(tuple(op.w.type.shape[p] for p in perm))
    moved = Nested("ops.transpose", type, (op.w,), {"axes": perm})
    settings: dict[str, Any] = {
        "strides": op.strides,
        "padding": _word(op),
        "data_format": "channels_last",
        "dilation_rate": op.dilations,
    }
    if op.bias is None:
        return Call((_padded(op), moved), settings)
    return Call((Nested("ops.conv", op.result.type, (_padded(op), moved), settings), op.bias), function="ops.add")


_COMPUTED: tuple[Condition, ...] = (plain, precise, channels_last, is_something, known_padding, no_cuts, _either)
for _rank in (1, 2, 3):
    emits(ir.Conv, "ops.conv", ranks=RANKS[_rank], when=(*_COMPUTED, ungrouped, _dense_volumes))(_conv_by_computed)


@condition("no paddings and nothing added at the end, or over images those by which SAME cuts the result")
def _cuts(op: ir.ConvTranspose) -> str | None:
    pairs = zip(geometry(op), op.output_pads, strict=True)
    is_plain = is_valid(op) and all(o == max(s - k, 0) for (_, k, s, _), o in pairs)
    is_known = is_plain or (op.x.type.rank in RANKS[2] and is_cut_as_same(op))
    return None if is_known else f"paddings {show_pads(op.pads)}, or what is added at the end"


def _conv_transpose(op: ir.ConvTranspose) -> Call:
    """The filter as positions, outputs, inputs."""
    rank = op.w.type.rank
    settings = {
        **_settings(op),
        "filters": static(op.w.type.shape[:1])[0],
        "padding": "valid" if is_valid(op) else "same",
    }
    return Call((op.x,), settings, (_filter(op.w, (*range(1, rank - 1), 0, rank - 1)), *_bias(op)))


for _rank in (1, 2, 3):
    emits(
        ir.ConvTranspose,
        f"layers.Conv{_rank}DTranspose",
        ranks=RANKS[_rank],
        when=(*_LAYER, undilated, ungrouped, _cuts),
    )(_conv_transpose)


def _pool(op: Any) -> Call:
    settings: dict[str, Any] = {"pool_size": op.kernel, "strides": op.strides, "padding": _word(op)}
    return Call((op.x,), {**settings, "data_format": "channels_last", **dtype_of(op)})


_POOL: tuple[Condition, ...] = (computed, channels_last, undilated, fitting, no_cuts)

for _rank in (1, 2, 3):
    emits(ir.MaxPool, f"layers.MaxPooling{_rank}D", ranks=RANKS[_rank], when=(*_POOL, none_or_same))(_pool)
    emits(
        ir.AveragePool,
        f"layers.AveragePooling{_rank}D",
        ranks=RANKS[_rank],
        when=(*_POOL, none_or_same, pads_left_out, precise),
    )(_pool)
