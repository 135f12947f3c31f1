"""Fourier transforms, as products with constant matrices, and what goes with them."""

from __future__ import annotations

import math

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Value
from ....formats.onnx.tensors import element_type
from ...common.axes_by_data import along_axis
from ...common.fourier import transformed
from ...common.frames import spectra
from ...common.operands import OperandEmitter
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("DFT", since=17, until=19)
def dft_along_attribute(
    emit: Emitter, input: Value, dft_length: Value | None = None, *, axis: int = 1, inverse: int = 0, onesided: int = 0
) -> Value:
    """The discrete Fourier transform; the last axis holds real and imaginary parts."""
    length = None if dft_length is None else emit.int(dft_length, "dft_length")
    return transformed(emit, input, length, axis, inverse=bool(inverse), onesided=bool(onesided))


@onnx_op("DFT", since=20)
def dft(
    emit: Emitter,
    input: Value,
    dft_length: Value | None = None,
    axis: Value | None = None,
    *,
    inverse: int = 0,
    onesided: int = 0,
) -> Value:
    """The discrete Fourier transform; the last axis holds real and imaginary parts."""
    length = None if dft_length is None else emit.int(dft_length, "dft_length")

    def build(inner: OperandEmitter, at: int) -> Value:
        return transformed(inner, input, length, at, inverse=bool(inverse), onesided=bool(onesided))

    return build(emit, -2) if axis is None else along_axis(emit, axis, input.type.rank, build, but_last=1)


@onnx_op("STFT", since=17)
def stft(
    emit: Emitter,
    signal: Value,
    frame_step: Value,
    window: Value | None = None,
    frame_length: Value | None = None,
    *,
    onesided: int = 1,
) -> Value:
    """STFT: Fourier transforms of overlapping frames of a signal."""
    step, size = emit.int(frame_step, "frame_step"), signal.type.shape[1]
    stated = window.type.shape[0] if window is not None else None
    length = stated if frame_length is None else emit.int(frame_length, "frame_length")
    if not isinstance(length, int) or step < 1 or (isinstance(size, int) and length > size):
        raise emit.fail(f"cuts {signal.type} into frames of {length}", code="F002")
    x = signal if signal.type.rank == 3 else emit.reshape(signal, (*signal.type.shape, 1))
    if x.type.shape[2] not in (1, 2):
        raise emit.fail(f"transforms {signal.type}, which are neither real nor complex", code="F002")
    return spectra(emit, x, window, (length, step), onesided=bool(onesided))


@onnx_op("MelWeightMatrix", since=17)
def mel_weight_matrix(
    emit: Emitter,
    num_mel_bins: Value,
    dft_length: Value,
    sample_rate: Value,
    lower_edge_hertz: Value,
    upper_edge_hertz: Value,
    *,
    output_datatype: int = 1,
) -> Value:
    """Triangles at equal distances on the mel scale."""
    bins, length = emit.int(num_mel_bins, "num_mel_bins"), emit.int(dft_length, "dft_length")
    rate = emit.int(sample_rate, "sample_rate")
    edges = [float(emit.scalar(v, "edge")) for v in (lower_edge_hertz, upper_edge_hertz)]
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in edges)
    reserve(max(bins, 0), max(length, 0) // 2 + 1, what="the matrix")
    mels = low + np.arange(bins + 2) * (high - low) / (bins + 2)
    points = ((length + 1) * 700 * (10 ** (mels / 2595) - 1) // rate).astype(np.int64)
    left, centre, right = points[:-2], points[1:-1], points[2:]
    j = np.arange(length // 2 + 1)[:, None]
    rising = np.where(centre == left, j == centre, (j - left) / np.maximum(centre - left, 1))
    falling = (right - j) / np.maximum(right - centre, 1)
    table = np.where((j >= left) & (j <= centre), rising, 0)
    table = np.where((j >= centre) & (j < right), falling, table)
    return emit.const(table, element_type(output_datatype))
