"""Handlers of convolutions and poolings, with their paddings."""

from __future__ import annotations

from typing import Annotated

from ....compiler.diagnostics import counted
from ....compiler.dims import Dim, at_least, maximum, product, static
from ....compiler.ir import Value
from ....compiler.ops import window as ir
from ....compiler.ops.arith import Abs, Pow
from ....compiler.ops.index import ScatterElements
from ....compiler.ops.positions import MaxPoolPositions
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import BroadcastTo, Reshape
from ...common.padding import cut_negative, halves, window
from ...slicing import pad as pad_sides
from ..emitter import Emitter
from ..registry import Since, onnx_op


@onnx_op("Conv", since=7)
def conv(
    emit: Emitter,
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """One to one; the filter knows its size."""
    found = window(emit, x, _kernel(emit, w, kernel_shape), strides, dilations, auto_pad, pads)
    x, rest = cut_negative(emit, x, found.pads)
    return emit(ir.Conv(x, w, b, found.strides, found.dilations, rest, group))


def _kernel(emit: Emitter, w: Value, stated: tuple[int, ...]) -> tuple[int, ...]:
    with emit.typed():
        kernel = static(w.type.shape[2:])
    if stated and stated != kernel:
        raise emit.fail(f"states the kernel {list(stated)}, but the filter is {w.type}", code="F002")
    return kernel


@onnx_op("ConvTranspose", since=7)
def conv_transpose(
    emit: Emitter,
    x: Value,
    w: Value,
    b: Value | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] = (),
    group: int = 1,
    kernel_shape: tuple[int, ...] = (),
    output_padding: tuple[int, ...] = (),
    output_shape: tuple[int, ...] = (),
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """Paddings cut the result; a stated shape of the result decides about them, as do the SAME rules."""
    rank = x.type.rank - 2
    rule = auto_pad if auto_pad in ("SAME_UPPER", "SAME_LOWER") else ""
    found = window(emit, x, _kernel(emit, w, kernel_shape), strides, dilations, "VALID" if rule else auto_pad, pads)
    extra: tuple[Dim, ...] = output_padding or (0,) * rank
    sizes: tuple[Dim, ...] = output_shape[-rank:]
    if rule and not sizes:
        sizes = tuple(d * s for d, s in zip(x.type.shape[2:], found.strides, strict=True))
    if len(extra) != rank or (sizes and len(sizes) != rank):
        given = f"{counted(len(extra), 'output padding')} and {counted(len(sizes), 'size')}"
        raise emit.fail(f"has {given} for {counted(rank, 'axis', 'axes')}", code="F002")
    cuts = found.pads
    if sizes:
        natural = (
            (d - 1) * stride + span + more
            for d, stride, span, more in zip(x.type.shape[2:], found.strides, found.spans, extra, strict=True)
        )
        totals = [n - size for n, size in zip(natural, sizes, strict=True)]
        cuts = tuple(halves(maximum(t, 0), upper=rule == "SAME_UPPER") for t in totals)
        extra = tuple(e + maximum(-t, 0) for e, t in zip(extra, totals, strict=True))
    return emit(ir.ConvTranspose(x, w, b, found.strides, found.dilations, cuts, extra, group))


@onnx_op("MaxPool", since=7)
def max_pool(
    emit: Emitter,
    x: Value,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: Annotated[int, Since(10)] = 0,
    dilations: Annotated[tuple[int, ...], Since(10)] = (),
    kernel_shape: tuple[int, ...],
    pads: tuple[int, ...] = (),
    storage_order: Annotated[int, Since(8)] = 0,
    strides: tuple[int, ...] = (),
) -> tuple[Value, ...]:
    """The largest elements, and their positions if they are asked for."""
    found = window(emit, x, kernel_shape, strides, dilations, auto_pad, pads)
    if 1 in emit.needed:
        if any(not at_least(p, 0) for pair in found.pads for p in pair):
            raise emit.fail("gives positions in data that a negative padding cuts")
        fields = (found.kernel, found.strides, found.dilations, found.pads, bool(ceil_mode), bool(storage_order))
        return emit.all(MaxPoolPositions(x, *fields))
    x, rest = cut_negative(emit, x, found.pads)
    return (emit(ir.MaxPool(x, found.kernel, found.strides, found.dilations, rest, bool(ceil_mode))),)


@onnx_op("AveragePool", since=6)
def average_pool(
    emit: Emitter,
    x: Value,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: Annotated[int, Since(10)] = 0,
    count_include_pad: Annotated[int, Since(7)] = 0,
    dilations: Annotated[tuple[int, ...], Since(19)] = (),
    kernel_shape: tuple[int, ...],
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """AveragePool: the mean of each window, with or without paddings in it."""
    found = window(emit, x, kernel_shape, strides, dilations, auto_pad, pads)
    x, rest = cut_negative(emit, x, found.pads)
    fields = (found.kernel, found.strides, found.dilations, rest, bool(ceil_mode), bool(count_include_pad))
    return emit(ir.AveragePool(x, *fields))


@onnx_op("LpPool", since=7)
def lp_pool(
    emit: Emitter,
    x: Value,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: Annotated[int, Since(18)] = 0,
    dilations: Annotated[tuple[int, ...], Since(18)] = (),
    kernel_shape: tuple[int, ...],
    p: int = 2,
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """LpPool: the ``p``-norm of each window, which a padding of zero keeps."""
    found = window(emit, x, kernel_shape, strides, dilations, auto_pad, pads)
    x, rest = cut_negative(emit, x, found.pads)
    return emit(ir.LpPool(x, found.kernel, found.strides, found.dilations, rest, p, bool(ceil_mode)))


def _global(emit: Emitter, x: Value, kind: str) -> Value:
    if x.type.rank < 2:
        raise emit.fail(f"pools {x.type}, which has no spatial axes", code="T001")
    return emit(Reduce(x, kind, tuple(range(2, x.type.rank))))


@onnx_op("GlobalAveragePool", since=7)
def global_average_pool(emit: Emitter, x: Value) -> Value:
    """GlobalAveragePool: the mean over all positions of each channel."""
    return _global(emit, x, "mean")


@onnx_op("GlobalMaxPool", since=7)
def global_max_pool(emit: Emitter, x: Value) -> Value:
    """GlobalMaxPool: the largest element of each channel, over all positions."""
    return _global(emit, x, "max")


@onnx_op("GlobalLpPool", since=7)
def global_lp_pool(emit: Emitter, x: Value, *, p: int = 2) -> Value:
    """GlobalLpPool: the ``p``-norm over all positions of each channel."""
    if p in (1, 2):
        return _global(emit, x, f"l{p}")
    if p < 1:
        raise emit.fail(f"has the norm p={p}", code="F002")
    dtype = x.type.dtype
    total = _global(emit, emit(Pow(emit(Abs(x)), emit.const(p, dtype))), "sum")
    return emit(Pow(total, emit.const(1 / p, dtype)))


@onnx_op("MaxUnpool", since=9)
def max_unpool(
    emit: Emitter,
    x: Value,
    i: Value,
    output_shape: Value | None = None,
    *,
    kernel_shape: tuple[int, ...],
    pads: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
) -> Value:
    """Put elements back where a max pooling took them from.

    Positions count in the stated shape, by the standard in the smallest one that the pooling can have had.
    """
    found = window(emit, x, kernel_shape, strides, (), "NOTSET", pads)
    sizes = [
        (d - 1) * stride + kernel - low - high
        for d, stride, kernel, (low, high) in zip(
            x.type.shape[2:], found.strides, found.kernel, found.pads, strict=True
        )
    ]
    shape: tuple[Dim, ...] = (*x.type.shape[:2], *sizes)
    wanted = shape if output_shape is None else emit.dims(output_shape, "output_shape")
    if len(wanted) != len(shape):
        raise emit.fail(f"gives {x.type} the shape {list(wanted)}", code="F002")
    shape = shape if emit.by_standard else tuple(wanted)
    empty = emit(BroadcastTo(emit.const(0, x.type.dtype), (product(shape),)))
    places, elements = (emit(Reshape(v, (product(x.type.shape),))) for v in (i, x))
    smallest = emit(Reshape(emit(ScatterElements(empty, places, elements, 0)), shape))
    behind = [w - d for w, d in zip(wanted, shape, strict=True)]
    return pad_sides(emit, smallest, [0] * len(shape), behind, "constant")
