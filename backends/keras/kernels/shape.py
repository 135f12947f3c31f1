"""Rows for operations that move, cut and join data."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from ....compiler.dims import Dim, is_static, static
from ....compiler.ops import shape as ir
from ...common.shapes import cuts_of, unknown, within
from ...common.unit_axes import inserted_axis, removed_axes
from ..table import ANY, FLOATS, NUMBERS, Call, Condition, condition, emits, is_constant
from .common import computed, dtype_of, repetitions

MAX_PAD_RANK, MAX_MIRROR_RANK, MAX_SLICE_RANK = 6, 5, 8

BEGIN, END = -(1 << 62), 1 << 62
"""Numbers that stand for the beginning and the end of any axis."""


@condition("the first axis stays where it is")
def _keeps_batch(op: ir.Transpose) -> str | None:
    return None if op.perm[:1] == (0,) and len(op.perm) > 1 else "the first axis moves"


@emits(ir.Transpose, "layers.Permute", when=(_keeps_batch, computed))
def permute(op: ir.Transpose) -> Call:
    """``layers.Permute``, which counts axes from 1 and leaves the batch, axis 0, where it is."""
    return Call((op.x,), {"dims": op.perm[1:], **dtype_of(op)})


@emits(ir.Transpose, "ops.transpose", dtypes=ANY)
def transpose(op: ir.Transpose) -> Call:
    """``ops.transpose`` by any permutation, also one that moves the batch axis."""
    return Call((op.x,), {"axes": op.perm})


@condition("the first axis stays, and the others become one")
def _flattens(op: ir.Reshape) -> str | None:
    before, after = op.x.type.shape, op.shape
    is_flat = len(before) > len(after) == 2 and before[0] == after[0]
    return None if is_flat and 0 not in after else "another shape"


@emits(ir.Reshape, "layers.Flatten", when=(_flattens, computed))
def flatten(op: ir.Reshape) -> Call:
    """``layers.Flatten``: all axes but the first one become one, in row-major order."""
    return Call((op.x,), dtype_of(op))


@condition("the first axis stays, and one other size is open at most")
def _reshapes_rows(op: ir.Reshape) -> str | None:
    before, after = op.x.type.shape, op.shape
    is_plain = len(before) > 1 and len(after) > 1 and before[0] == after[0]
    return None if is_plain and unknown(after[1:]) <= 1 and 0 not in after else "another first axis, or open sizes"


def _remaining(shape: tuple[Dim, ...]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else -1 for d in shape)


@emits(ir.Reshape, "layers.Reshape", when=(_reshapes_rows, computed))
def reshape_rows(op: ir.Reshape) -> Call:
    """``layers.Reshape``, whose target is the shape after the batch axis; -1 stands for an open size."""
    return Call((op.x,), {"target_shape": _remaining(op.shape[1:]), **dtype_of(op)})


@condition("at most one open size")
def _one_open(op: ir.Reshape) -> str | None:
    return None if unknown(op.shape) <= 1 and (0 not in op.shape or not unknown(op.shape)) else "several open sizes"


@emits(ir.Reshape, "ops.reshape", dtypes=ANY, when=(_one_open,))
def reshape(op: ir.Reshape) -> Call:
    """``ops.reshape`` to a shape in which -1 stands for the only open size."""
    return Call((op.x,), {"newshape": _remaining(op.shape)})


@condition("one new axis of size 1")
def _inserts(op: ir.Reshape) -> str | None:
    return None if inserted_axis(op) is not None else "more than a new axis of size one"


@emits(ir.Reshape, "ops.expand_dims", dtypes=ANY, when=(_inserts,))
def expand_dims(op: ir.Reshape) -> Call:
    """``ops.expand_dims``: one new axis of size 1, which needs no other size to be known."""
    return Call((op.x,), {"axis": inserted_axis(op)})


@condition("only axes of size 1 vanish")
def _removes(op: ir.Reshape) -> str | None:
    return None if removed_axes(op) is not None else "more than axes of size one vanish"


@emits(ir.Reshape, "ops.squeeze", dtypes=ANY, when=(_removes,))
def squeeze(op: ir.Reshape) -> Call:
    """``ops.squeeze``: axes of size 1 are removed, which needs no other size to be known."""
    return Call((op.x,), {"axis": removed_axes(op)})


@emits(ir.Reshape, "layers.Reshape", dtypes=ANY, when=(_reshapes_rows, computed))
def reshape_rows_of_integers(op: ir.Reshape) -> Call:
    """All axes but the first one, of any elements: an open first size and another one."""
    return Call((op.x,), {"target_shape": _remaining(op.shape[1:])})


@condition("known sizes")
def _static_shape(op: ir.BroadcastTo) -> str | None:
    return None if is_static(op.shape) else "sizes that are open"


@emits(ir.BroadcastTo, "ops.broadcast_to", dtypes=ANY, when=(_static_shape,))
def broadcast_to(op: ir.BroadcastTo) -> Call:
    """``ops.broadcast_to`` a shape that is known, since Keras takes no computed one."""
    return Call((op.x,), {"shape": static(op.shape)})


@condition("open sizes that stay")
def _open_stay(op: ir.BroadcastTo) -> str | None:
    return None if is_static(repetitions(op)) else "repetition by an open size"


@emits(ir.BroadcastTo, "ops.tile", dtypes=ANY, when=(_open_stay,))
def repeated(op: ir.BroadcastTo) -> Call:
    """``ops.tile``: broadcasting whose open sizes stay what they are, so that it repeats by known numbers."""
    return Call((op.x,), {"repeats": static(repetitions(op))})


@condition("another axis than the first one, of parts that are computed")
def _beside(op: ir.Concat) -> str | None:
    is_plain = op.axis > 0 and len(op.xs) > 1 and not any(map(is_constant, op.xs))
    return None if is_plain else "the first axis, a single part, or constant parts"


@emits(ir.Concat, "layers.Concatenate", dtypes=FLOATS, when=(_beside,), ranks=range(2, 64))
def concatenate(op: ir.Concat) -> Call:
    """``layers.Concatenate`` of two or more computed float tensors, along another axis than the batch."""
    return Call((op.xs,), {"axis": op.axis, **dtype_of(op)})


@emits(ir.Concat, "ops.concatenate", dtypes=ANY, ranks=range(1, 64))
def concat(op: ir.Concat) -> Call:
    """``ops.concatenate`` along any axis, also of constants and of a single tensor."""
    return Call((op.xs,), {"axis": op.axis})


@condition("known sizes but for the last one")
def _known_parts(op: ir.Split) -> str | None:
    is_cut = len(op.sizes) > 1 and is_static(op.sizes[:-1])
    return None if is_cut else "a single part, or parts whose sizes are open"


@emits(ir.Split, "ops.split", dtypes=ANY, ranks=range(1, 64), when=(_known_parts,))
def split(op: ir.Split) -> Call:
    """``ops.split`` at the positions where parts end; the size of the last part may be open."""
    sizes = [int(size) for size in op.sizes[:-1] if isinstance(size, int)]
    return Call((op.x,), {"indices_or_sections": tuple(accumulate(sizes)), "axis": op.axis})


def _slices(op: ir.Slice) -> tuple[slice, ...] | None:
    """Return what is cut along each axis; None if that needs a size that is open."""
    starts, stops, steps, axes = cuts_of(op, (BEGIN, END))
    if not is_static((*starts, *stops)):
        return None
    found = [slice(None)] * op.x.type.rank
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=False):
        first, last = (None if e in (BEGIN, END) else e for e in (start, stop))
        found[axis] = slice(first, last, step)
    return tuple(found)


@condition("places that are known from either end")
def _known_places(op: ir.Slice) -> str | None:
    return None if _slices(op) is not None else "places that open sizes decide about"


@emits(ir.Slice, "ops.get_item", dtypes=ANY, ranks=range(1, MAX_SLICE_RANK + 1), when=(_known_places,))
def get_item(op: ir.Slice) -> Call:
    """``ops.get_item`` with Python's slices: starts and ends may count from either end, and steps be negative."""
    return Call((op.x,), {"key": _slices(op)})


def _mode(*modes: str) -> Condition:
    return Condition(f"mode {' or '.join(modes)}", lambda op: None if op.mode in modes else f"mode {op.mode}")


@condition("known widths that are not negative")
def _known_widths(op: ir.Pad) -> str | None:
    widths = (*op.low, *op.high)
    return None if is_static(widths) and min(static(widths)) >= 0 else "widths that are open, or cut"


@condition("zeros before and after the axes between the first and the last one")
def _around_images(op: ir.Pad) -> str | None:
    ends = (op.low[0], op.low[-1], op.high[0], op.high[-1])
    return None if op.value == 0 and not any(ends) else "other axes, or another filling than zero"


def _zero_padding(op: ir.Pad) -> Call:
    pairs = tuple(zip(op.low, op.high, strict=True))[1:-1]
    settings: dict[str, Any] = {"padding": pairs[0] if len(pairs) == 1 else pairs}
    if len(pairs) > 1:
        settings["data_format"] = "channels_last"
    return Call((op.x,), {**settings, **dtype_of(op)})


for _rank in (1, 2, 3):
    emits(
        ir.Pad,
        f"layers.ZeroPadding{_rank}D",
        ranks=range(_rank + 2, _rank + 3),
        when=(_mode("constant"), _known_widths, _around_images, computed),
    )(_zero_padding)


def _pairs(op: ir.Pad) -> tuple[Any, ...]:
    return tuple(zip(op.low, op.high, strict=True))


@emits(ir.Pad, "ops.pad", dtypes=ANY, ranks=range(1, MAX_PAD_RANK + 1), when=(_mode("constant"), _known_widths))
def pad(op: ir.Pad) -> Call:
    """``ops.pad`` with one number, on any axes, by widths that are known."""
    kind = op.x.type.dtype
    value = bool(op.value) if kind.value == "bool" else float(op.value) if kind.is_float else int(op.value)
    return Call((op.x,), {"pad_width": _pairs(op), "mode": "constant", "constant_values": value})


@emits(
    ir.Pad,
    "ops.pad",
    dtypes=NUMBERS,
    ranks=range(1, MAX_MIRROR_RANK + 1),
    when=(_mode("reflect", "symmetric"), _known_widths, within),
)
def mirror_pad(op: ir.Pad) -> Call:
    """``ops.pad`` that mirrors the tensor, without its edge (``reflect``) or with it (``symmetric``)."""
    return Call((op.x,), {"pad_width": _pairs(op), "mode": op.mode})


@condition("known numbers of repetitions")
def _known_repeats(op: ir.Tile) -> str | None:
    return None if is_static(op.repeats) else "repetitions that open sizes decide about"


@emits(ir.Tile, "ops.tile", dtypes=f"bool {FLOATS} i8 i16 i32 i64 u8 u32 u64", when=(_known_repeats,))
def tile(op: ir.Tile) -> Call:
    """``ops.tile``: the whole tensor repeated along each axis, by known numbers of times."""
    return Call((op.x,), {"repeats": static(op.repeats)})


@emits(ir.Reverse, "ops.flip", dtypes=ANY, ranks=range(1, 9))
def flip(op: ir.Reverse) -> Call:
    """``ops.flip``: reverses the order of elements along several axes at once."""
    return Call((op.x,), {"axis": op.dims})
