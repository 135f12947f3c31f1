"""Handlers of Fourier transforms, which become products with constant matrices of sines and cosines."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.dims import minimum, static
from ....compiler.ir import Value
from ....compiler.ops.arith import Div, Mul
from ....compiler.ops.logic import NotEqual, Select
from ....compiler.ops.shape import Slice
from ...common.fourier import transformed
from ...common.frames import longer, overlapped, spectra
from ...slicing import pad
from ..emitter import Emitter
from ..registry import openvino_op


def _plan(emit: Emitter, rank: int, axes: Value, sizes: Value | None) -> list[tuple[int, int | None]]:
    """Return the axes of the signal with the lengths that are stated for them; -1 and none say the data's own."""
    along = emit.axes(emit.ints(axes, "axes"), rank)
    lengths = (-1,) * len(along) if sizes is None else emit.ints(sizes, "signal_size")
    if len(lengths) != len(along):
        raise emit.fail(f"has lengths {list(lengths)} for the axes {list(along)}", code="F006")
    return [(axis, None if n == -1 else n) for axis, n in zip(along, lengths, strict=True)]


def _all_axes(emit: Emitter, x: Value, plan: Sequence[tuple[int, int | None]], *, inverse: bool) -> Value:
    for axis, length in plan:
        x = transformed(emit, x, length, axis, inverse=inverse, onesided=False)
    return x


@openvino_op("DFT", since=7)
def dft(emit: Emitter, x: Value, axes: Value, sizes: Value | None = None) -> Value:
    """The discrete Fourier transform; the last axis holds real and imaginary parts."""
    return _all_axes(emit, x, _plan(emit, x.type.rank - 1, axes, sizes), inverse=False)


@openvino_op("IDFT", since=7)
def idft(emit: Emitter, x: Value, axes: Value, sizes: Value | None = None) -> Value:
    """IDFT: the inverse of the discrete Fourier transform; the last axis holds real and imaginary parts."""
    return _all_axes(emit, x, _plan(emit, x.type.rank - 1, axes, sizes), inverse=True)


@openvino_op("RDFT", since=9)
def rdft(emit: Emitter, x: Value, axes: Value, sizes: Value | None = None) -> Value:
    """The transform of real numbers: half of the last axis, since the other half is its conjugate."""
    *others, (last, length) = _plan(emit, x.type.rank, axes, sizes)
    parts = emit.reshape(x, (*x.type.shape, 1))
    found = transformed(emit, parts, length, last, inverse=False, onesided=True)
    return _all_axes(emit, found, others, inverse=False)


@openvino_op("IRDFT", since=9)
def irdft(emit: Emitter, x: Value, axes: Value, sizes: Value | None = None) -> Value:
    """The inverse transform of half of an axis, whose result is real."""
    *others, (last, length) = _plan(emit, x.type.rank - 1, axes, sizes)
    found = transformed(emit, _all_axes(emit, x, others, inverse=True), length, last, inverse=True, onesided=True)
    shape = found.type.shape
    real = emit(Slice(found, (0,) * len(shape), (*shape[:-1], 1), (1,) * len(shape)))
    return emit.reshape(real, shape[:-1])


@openvino_op("STFT", since=15)
def stft(
    emit: Emitter, x: Value, window: Value, frame_size: Value, frame_step: Value, *, transpose_frames: bool
) -> Value:
    """Fourier transforms of frames of a signal, under a window that lies in the middle of each."""
    size, step = emit.int(frame_size, "frame_size"), emit.int(frame_step, "frame_step")
    rows = x if x.type.rank == 2 else emit.reshape(x, (1, *x.type.shape))
    with emit.typed():
        (own,) = static(window.type.shape)
    length = rows.type.shape[1]
    if size < 1 or step < 1 or own > size or (isinstance(length, int) and size > length):
        raise emit.fail(f"cuts frames of {size} in steps of {step} from {x.type} under {window.type}", code="F002")
    before = (size - own) // 2
    wide = pad(emit, window, (before,), (size - own - before,), "constant")
    parts = emit.reshape(rows, (*rows.type.shape, 1))
    found = spectra(emit, parts, wide, (size, step), onesided=True)
    found = emit.transpose(found, (0, 2, 1, 3)) if transpose_frames else found
    return found if x.type.rank == 2 else emit.reshape(found, found.type.shape[1:])


@openvino_op("ISTFT", since=16)
def istft(
    emit: Emitter,
    x: Value,
    window: Value,
    frame_size: Value,
    frame_step: Value,
    length: Value | None = None,
    *,
    center: bool,
    normalized: bool,
) -> Value:
    """The signal of which these are the transforms of overlapping frames; zeros where no window reaches."""
    size, step = emit.int(frame_size, "frame_size"), emit.int(frame_step, "frame_step")
    rows = x if x.type.rank == 4 else emit.reshape(x, (1, *x.type.shape))
    with emit.typed():
        (own,) = static(window.type.shape)
    if size < 1 or step < 1 or own > size:
        raise emit.fail(f"adds up frames of {size} in steps of {step} under {window.type}", code="F002")
    parts = transformed(emit, rows, size, 1, inverse=True, onesided=True)
    n, _, count, _ = parts.type.shape
    real = emit(Slice(parts, (0,) * 4, (n, size, count, 1), (1,) * 4))
    frames = emit.transpose(emit.reshape(real, (n, size, count)), (0, 2, 1))
    before = (size - own) // 2
    wide = pad(emit, window, (before,), (size - own - before,), "constant")
    total = overlapped(emit, emit(Mul(frames, wide)), step)
    squares = overlapped(emit, emit.expand(emit.reshape(emit(Mul(wide, wide)), (1, 1, size)), (1, count, size)), step)
    none = emit.number(0, squares)
    reached = emit(NotEqual(squares, none))
    signal = emit(Select(reached, emit(Div(total, emit(Select(reached, squares, emit.number(1, squares))))), none))
    signal = emit(Mul(signal, emit.number(size**0.5, signal))) if normalized else signal
    start, whole = size // 2 if center else 0, signal.type.shape[1]
    wanted = whole - 2 * start if length is None else emit.dim(length, "length")
    taken = minimum(wanted, whole - start)
    cut = emit(Slice(signal, (0, start), (n, taken), (1, 1)))
    found = longer(emit, cut, 1, (0, wanted - taken))
    return found if x.type.rank == 4 else emit.reshape(found, found.type.shape[1:])
