"""Weights of few bits, a scale for every block of them: integers where these are products' alone, else numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from .....compiler.dims import ceil_div, static
from .....compiler.fold import constant
from .....compiler.ir import Value
from .....compiler.ops.index import Gather
from .....compiler.ops.linear import Linear, MatMul
from .....compiler.ops.quantize import Dequantize
from .....compiler.types import Array, DType, TensorType
from .....compiler.weights import Weight
from ....common.quantize import repeated
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT

BITS = (2, 4, 8)

_FP4 = (0.0, 1 / 192, 2 / 3, 1.0, 1 / 3, 1 / 2, 1 / 6, 1 / 4)
_NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
CODEBOOKS = {0: (*_FP4, *(-v for v in _FP4)), 1: _NF4}
"""Numbers that 4 bits stand for: a sign and a float of 3 bits, or quantiles of the normal distribution."""


@onnx_op("MatMulNBits", since=1, domain=MICROSOFT)
def matmul_nbits(
    emit: Emitter,
    a: Value,
    b: Value,
    scales: Value,
    zero_points: Value | None = None,
    g_idx: Value | None = None,
    bias: Value | None = None,
    *,
    K: int,
    N: int,
    accuracy_level: int = 0,
    bits: int = 4,
    block_size: int,
    weight_prepacked: int = 0,
) -> Value:
    """Product with weights of 2, 4 or 8 bits; rows of the weight are cut into blocks."""
    if bits not in BITS or block_size < 1 or weight_prepacked:
        raise emit.fail(f"has weights of {bits} bits in blocks of {block_size}, prepacked={weight_prepacked}")
    if g_idx is not None:
        raise emit.fail("has weights whose blocks are permuted (g_idx)", help="Export without act-order.")
    given = [_weight(emit, v, n) for v, n in ((b, "B"), (scales, "scales"), (zero_points, "zero_points")) if v]
    blocks = ceil_div(K, block_size)
    if given[0].type.size * 8 != N * blocks * block_size * bits or given[1].type.size != N * blocks:
        raise emit.fail(f"has weights {b.type} and scales {scales.type} for {N} rows of {K}", code="T001")
    if len(given) < 3 or given[2].type.dtype is DType.U8:
        return emit(Linear(a, _dequantized(emit, given, a.type.dtype, (N, K), bits, block_size), bias))
    unpack = partial(_matrix, rows=N, columns=K, bits=bits, block_size=block_size)
    weight = given[0].derive(TensorType(a.type.dtype, (N, K)), unpack, *given[1:])
    return emit(Linear(a, emit.const(weight), bias))


def _dequantized(
    emit: Emitter, given: list[Weight], dtype: DType, shape: tuple[int, int], bits: int, block_size: int
) -> Value:
    """Return a weight as integers around 0 with scales and zero points of blocks; files that can keep them so."""
    rows, columns = shape
    blocks = -(-columns // block_size)
    integers = partial(_integers, rows=rows, columns=columns, bits=bits)
    weight = given[0].derive(TensorType(DType.I8, shape), integers)
    scales = given[1].derive(TensorType(dtype, (rows, blocks)), partial(_as_table, rows=rows))
    zero = emit.const(0, DType.I32)
    if len(given) > 2:
        counted = partial(_points, rows=rows, blocks=blocks, bits=bits)
        points = given[2].derive(TensorType(DType.I32, (rows, blocks)), counted)
        zero = emit.const(repeated(points, shape, 1, block_size))
    return emit(Dequantize(emit.const(weight), emit.const(repeated(scales, shape, 1, block_size)), zero))


def _integers(packed: Array, *, rows: int, columns: int, bits: int) -> Array:
    whole = _unpacked(packed.reshape(rows, -1), bits)[:, :columns]
    return whole.astype(np.int16) - (1 << bits - 1)


def _as_table(scales: Array, *, rows: int) -> Array:
    return scales.reshape(rows, -1)


def _points(zeros: Array, *, rows: int, blocks: int, bits: int) -> Array:
    return _unpacked(zeros.reshape(rows, -1), bits)[:, :blocks].astype(np.int32) - (1 << bits - 1)


def _weight(emit: Emitter, value: Value, what: str) -> Weight:
    found = constant(value)
    if found is None:
        raise emit.fail(f"needs its input {what!r} as a constant", code="F004")
    return found


def _unpacked(packed: Array, bits: int) -> Array:
    """Return one number per byte; the last axis grows."""
    parts = np.stack([packed >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)], -1)
    return parts.reshape(*packed.shape[:-1], packed.shape[-1] * (8 // bits))


def _matrix(
    packed: Array, scales: Array, zeros: Array, *, rows: int, columns: int, bits: int, block_size: int
) -> Array:
    """Return the rows of a weight whose zero points are numbers between the integers."""
    blocks = -(-columns // block_size)
    whole = _unpacked(packed.reshape(rows, blocks, -1), bits).astype(np.float32)
    offset, scale = (a.reshape(rows, blocks, 1).astype(np.float32) for a in (zeros, scales))
    plain = (whole - offset) * scale
    return plain.reshape(rows, -1)[:, :columns]


@onnx_op("GatherBlockQuantized", since=1, domain=MICROSOFT)
def gather_block_quantized(
    emit: Emitter,
    data: Value,
    indices: Value,
    scales: Value,
    zero_points: Value | None = None,
    *,
    bits: int = 4,
    block_size: int = 128,
    gather_axis: int = 0,
    quantize_axis: int = 1,
) -> Value:
    """Slices of a table of few bits; bytes hold several numbers along the last axis."""
    rank = data.type.rank
    axis = emit.axis(quantize_axis, rank)
    packed = data.type.dtype is DType.U8 and bits < 8
    if bits not in BITS or (packed and axis != rank - 1):
        raise emit.fail(f"has a table {data.type} of {bits} bits in blocks along axis {axis}")
    given = [_weight(emit, v, n) for v, n in ((data, "data"), (scales, "scales"), (zero_points, "zero_points")) if v]
    shape = list(static(data.type.shape))
    shape[-1] *= 8 // bits if packed else 1
    plain = partial(_table, axis=axis, block_size=block_size, bits=bits if packed else None, default=1 << bits - 1)
    table = given[0].derive(TensorType(scales.type.dtype, tuple(shape)), plain, *given[1:])
    return emit(Gather(emit.const(table), indices, emit.axis(gather_axis, rank)))


def _table(
    data: Array,
    scales: Array,
    zeros: Array | None = None,
    *,
    axis: int,
    block_size: int,
    bits: int | None,
    default: int,
) -> Array:
    """Return a table as plain numbers; unsigned ones of few bits lie around the middle of their range."""
    whole = data if bits is None else _unpacked(data, bits)
    is_unsigned = bits is not None or data.dtype.name.startswith("u")
    offset = np.float32(default if bits is not None and is_unsigned else 0)
    if zeros is not None:
        offset = _spread(zeros if bits is None else _unpacked(zeros, bits), whole, axis, block_size)
    return (whole.astype(np.float32) - offset) * _spread(scales, whole, axis, block_size)


def _spread(blocks: Array, whole: Array, axis: int, block_size: int) -> Array:
    """Repeat what belongs to blocks for every number in them."""
    cut = tuple(slice(whole.shape[axis]) if i == axis else slice(None) for i in range(whole.ndim))
    return np.repeat(blocks.astype(np.float32), block_size, axis)[cut]


@onnx_op("MatMulBnb4", since=1, domain=MICROSOFT)
def matmul_bnb4(
    emit: Emitter,
    a: Value,
    b: Value,
    absmax: Value,
    *,
    K: int,
    N: int,
    block_size: int,
    quant_type: int,
    training_mode: int = 0,
    transB: int = 1,
) -> Value:
    """Product with weights of 4 bits that are numbers of a table, times the largest of their block."""
    if quant_type not in CODEBOOKS:
        raise emit.fail(f"has the codebook {quant_type}, neither 0 (FP4) nor 1 (NF4)", code="F002")
    given = [_weight(emit, v, n) for v, n in ((b, "B"), (absmax, "absmax"))]
    if given[0].type.size != ceil_div(N * K, 2) or given[1].type.size != ceil_div(N * K, block_size):
        raise emit.fail(f"has weights {b.type} and scales {absmax.type} for {N} rows of {K}", code="T001")
    plain = partial(_looked_up, shape=(N, K), codebook=CODEBOOKS[quant_type], block_size=block_size)
    weight = emit.const(given[0].derive(TensorType(a.type.dtype, (N, K)), plain, given[1]))
    return emit(Linear(a, weight)) if transB else emit(MatMul(a, weight))


def _looked_up(
    packed: Array, largest: Array, *, shape: tuple[int, int], codebook: tuple[float, ...], block_size: int
) -> Array:
    """Return a matrix as plain numbers; the first of two in a byte lies in its high bits."""
    size = shape[0] * shape[1]
    codes = np.stack([packed.reshape(-1) >> 4, packed.reshape(-1) & 15], -1).reshape(-1)[:size]
    scales = np.repeat(largest.reshape(-1).astype(np.float32), block_size)[:size]
    return (np.asarray(codebook, np.float32)[codes] * scales).reshape(shape)
