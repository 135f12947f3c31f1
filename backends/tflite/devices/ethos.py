"""Arm's Ethos-U: which operators its compiler (Vela) places on the NPU.

Read from the report that Vela 5.2 prints of what it supports, and tried with files of one operator and whole networks.
"""

from __future__ import annotations

import math
from typing import Literal

from ....compiler.dims import static
from ....compiler.types import DType
from ...common.table import Condition, condition
from .conditions import constants, index_type, quantized, static_sizes
from .table import Kernels
from .uses import Use

BYTES = "i8 u8"
WIDE = "i8 u8 i16"
ANY = "i8 u8 i16 i32"

I8, U8, I16, I32 = DType.I8, DType.U8, DType.I16, DType.I32

LARGEST_STRIDE = 3
LARGEST_FACTOR = 1024


def _strides(use: Use) -> tuple[int, int]:
    return use.option("stride_h", 1), use.option("stride_w", 1)


def _is_valid(use: Use) -> bool:
    return use.option("padding", "SAME") == "VALID"


@condition("constant weights of 8 bits")
def _bytes_as_weights(use: Use) -> str | None:
    weights = use.input(1)
    if weights is None or not weights.is_constant:
        return "weights that are computed"
    return None if weights.type.dtype in (I8, U8) else f"weights of {weights.type.dtype}"


@condition("strides of 3 at most, larger ones without dilations and paddings")
def _strides_of_conv(use: Use) -> str | None:
    dilated = (use.option("dilation_h_factor", 1), use.option("dilation_w_factor", 1)) != (1, 1)
    if max(_strides(use)) <= LARGEST_STRIDE or (_is_valid(use) and not dilated):
        return None
    return f"strides of {_strides(use)}"


@condition("strides of 3 at most")
def _small_strides(use: Use) -> str | None:
    return None if max(_strides(use)) <= LARGEST_STRIDE else f"strides of {_strides(use)}"


@condition("strides of 3 at most, larger ones without paddings")
def _strides_of_pool(use: Use) -> str | None:
    return None if max(_strides(use)) <= LARGEST_STRIDE or _is_valid(use) else f"strides of {_strides(use)}"


@condition("strides of 1 or 2 both ways, or along an axis of size one")
def _strides_of_transposed(use: Use) -> str | None:
    strides, filters = _strides(use), use.inputs[1]
    if strides in ((1, 1), (2, 2)) or filters is None or use.data is None:
        return None
    kernel, sizes = static(filters.type.shape)[1:3], static(use.data.type.shape)[1:3]
    lines = [s in (1, 2) and (s != 1 or (k == 1 and n == 1)) for s, k, n in zip(strides, kernel, sizes, strict=True)]
    return None if all(lines) else f"strides of {strides}"


@condition("a result as large as the strides and paddings say")
def _whole_transposed(use: Use) -> str | None:
    data, filters = use.data, use.inputs[1]
    if data is None or filters is None:
        return None
    sizes, kernel = static(data.type.shape)[1:3], static(filters.type.shape)[1:3]
    for n, k, s, out in zip(sizes, kernel, _strides(use), static(use.outputs[0].type.shape)[1:3], strict=True):
        if out != n * s + (max(k - s, 0) if _is_valid(use) else 0):
            return f"a result of {out} from {n}, with a stride of {s} and a filter of {k}"
    return None


@condition("windows up to 8x8 with paddings, of 256 rows and 65536 elements without")
def _window_of_mean(use: Use) -> str | None:
    height, width = use.option("filter_height", 1), use.option("filter_width", 1)
    if not _is_valid(use):
        return None if max(height, width) <= 8 else f"a window of {height}x{width} with paddings"
    return _window_size(height, width)


@condition("windows of 256 rows and 65536 elements at most")
def _window(use: Use) -> str | None:
    return _window_size(use.option("filter_height", 1), use.option("filter_width", 1))


def _window_size(height: int, width: int) -> str | None:
    return None if height <= 256 and height * width <= 1 << 16 else f"a window of {height}x{width}"


MAX_REDUCED, MAX_MEAN = 4096, {I8: 1 << 24, U8: 1 << 24, I16: 1 << 16}


@condition("batch 1, rank 4 at most, fewer than 4096 elements along an axis, 2^24 in all (2^16 of i16)")
def _mean(use: Use) -> str | None:
    data, axes = use.data, use.input(1)
    if data is None or axes is None or axes.elements is None:
        return "axes that are computed"
    shape = static(data.type.shape)
    dims = [int(a) % len(shape) for a in axes.elements.reshape(-1)]
    if len(shape) > 4 or (len(shape) == 4 and shape[0] != 1):
        return f"data of the shape {list(shape)}"
    if any(shape[d] >= MAX_REDUCED for d in dims) or math.prod(shape[d] for d in dims) > MAX_MEAN[data.type.dtype]:
        return f"a mean of {[shape[d] for d in dims]} elements"
    image = shape[-3:]
    if len(shape) - 1 in dims and 1 not in image and len(image) == 3:
        return "a mean over channels of more than a line"
    return None


def _factors(use: Use) -> tuple[list[float], list[tuple[int, int]]]:
    """Return how many times as large the result of a resize is, and the sizes before and after."""
    assert use.data is not None
    before, after = static(use.data.type.shape)[1:3], static(use.outputs[0].type.shape)[1:3]
    pairs = list(zip(before, after, strict=True))
    less = 1 if use.option("align_corners", default=False) else 0
    return [(b - less) / (a - less) if a > less else float(b) for a, b in pairs], pairs


@condition("2, 4 or 8 times as large both ways; twice where pixels have their centres in the middle")
def _resize_small(use: Use) -> str | None:
    factors, pairs = _factors(use)
    if all(a == b for a, b in pairs) or all(a == 1 for a, _ in pairs):
        return None
    allowed = (2,) if use.option("half_pixel_centers", default=False) else (2, 4, 8)
    is_known = factors[0] == factors[1] and factors[0] in allowed
    return None if is_known else f"{factors[0]:g} and {factors[1]:g} times as large"


@condition("2, 4 or 8 times as large both ways")
def _nearest_small(use: Use) -> str | None:
    factors, pairs = _factors(use)
    if all(a == b for a, b in pairs) or all(a == 1 for a, _ in pairs):
        return None
    is_known = factors[0] == factors[1] and factors[0] in (2, 4, 8)
    return None if is_known else f"{factors[0]:g} and {factors[1]:g} times as large"


@condition("larger by powers of two up to 1024")
def _resize_large(use: Use) -> str | None:
    factors, _ = _factors(use)
    is_known = all(f == 1 or (f in [2**i for i in range(11)]) for f in factors)
    return None if is_known else f"{factors[0]:g} and {factors[1]:g} times as large"


@condition("larger by whole numbers up to 1024")
def _nearest_large(use: Use) -> str | None:
    factors, _ = _factors(use)
    is_known = all(f == int(f) and 1 <= f <= LARGEST_FACTOR for f in factors)
    return None if is_known else f"{factors[0]:g} and {factors[1]:g} times as large"


@condition("rows that are fewer than 65536")
def _rows(use: Use) -> str | None:
    shape = () if use.data is None else static(use.data.type.shape)
    return None if math.prod(shape[:-1][-2:]) < 1 << 16 else "65536 rows or more"


@condition("the same scale of all tensors")
def _same_scales(use: Use) -> str | None:
    scales = {t.quantization for t in use.tensors if t.quantization is not None}
    return None if len(scales) <= 1 else "different scales"


@condition("operands of the result's shape")
def _same_shape(use: Use) -> str | None:
    shapes = {t.type.shape for t in use.tensors}
    return None if len(shapes) == 1 else "different shapes"


@condition("positive steps")
def _forward(use: Use) -> str | None:
    strides = use.input(3)
    found = None if strides is None else strides.elements
    return "steps backwards" if found is not None and (found < 0).any() else None


MAX_DEPTH = 127


@condition("along the last axis, of 127 at most")
def _last_of_few(use: Use) -> str | None:
    data, axis = use.data, use.input(1)
    if data is None or axis is None or axis.elements is None:
        return "an axis that is computed"
    rank, depth = data.type.rank, data.type.shape[-1]
    is_last = int(axis.elements.reshape(-1)[0]) % rank == rank - 1
    return None if is_last and isinstance(depth, int) and depth <= MAX_DEPTH else "another axis, or more than 127"


@condition("along the first axis that is not a batch")
def _first_axis(use: Use) -> str | None:
    axis = use.option("axis", 0)
    return None if axis == use.option("batch_dims", 0) else f"along axis {axis}"


@condition("no truth values as inputs or outputs of the network")
def _inner_truths(use: Use) -> str | None:
    truths = [t for t in use.tensors if t.type.dtype is DType.BOOL and not t.is_constant]
    is_outside = any(t.is_output or t.writer() is None for t in truths)
    return "Vela fails at truth values that are inputs or outputs of the network" if is_outside else None


@condition("integers of 8 bits")
def _bytes_only(use: Use) -> str | None:
    dtype = None if use.data is None else use.data.type.dtype
    return None if dtype in (I8, U8) else f"Vela fails at {use.builtin} of {dtype}"


REWRITTEN = frozenset({"SQUARE", "LOG_SOFTMAX", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH"})
"""Builtins of which others do the work."""


def kernels(version: Literal["U55", "U65", "U85"]) -> Kernels:
    """Return the table of the operators that one of the NPUs runs."""
    made = Kernels(f"Ethos-{version}", ANY, always=(static_sizes, quantized), only_integers=True, rewritten=REWRITTEN)
    is_large = version == "U85"
    _products(made, is_large=is_large)
    _windows(made, is_large=is_large)
    _moves(made, is_large=is_large)
    _functions(made, is_large=is_large)
    made.stop("HARD_SWISH ARG_MAX", _bytes_only)
    if not is_large:
        made.stop("EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL SELECT SELECT_V2", _inner_truths)
    return made


def _products(made: Kernels, *, is_large: bool) -> None:
    strides: tuple[Condition, ...] = () if is_large else (_strides_of_conv,)
    made.run("CONV_2D", WIDE, when=(_bytes_as_weights, constants(2), *strides))
    small: tuple[Condition, ...] = () if is_large else (_small_strides,)
    made.run("DEPTHWISE_CONV_2D", WIDE, when=(_bytes_as_weights, constants(2), *small))
    few: tuple[Condition, ...] = () if is_large else (_strides_of_transposed,)
    made.run("TRANSPOSE_CONV", WIDE, when=(constants(0), _bytes_as_weights, constants(3), *few, _whole_transposed))
    made.run("FULLY_CONNECTED", WIDE, when=(_bytes_as_weights, constants(2)))
    made.run("BATCH_MATMUL", "i8 i16" if is_large else "i8")


def _windows(made: Kernels, *, is_large: bool) -> None:
    strides: tuple[Condition, ...] = () if is_large else (_strides_of_pool,)
    made.run("AVERAGE_POOL_2D", WIDE, when=(_window_of_mean, *strides))
    made.run("MAX_POOL_2D", WIDE, when=(_window, *strides))
    made.run("MEAN", WIDE, when=(constants(1), _mean))
    made.run("SUM REDUCE_MAX REDUCE_MIN", WIDE, when=(constants(1),))
    made.run("RESIZE_BILINEAR", WIDE, when=(constants(1), _resize_large if is_large else _resize_small))
    made.run("RESIZE_NEAREST_NEIGHBOR", WIDE, when=(constants(1), _nearest_large if is_large else _nearest_small))
    if is_large:
        made.run("REDUCE_ALL REDUCE_ANY", "bool", when=(constants(1),))


def _moves(made: Kernels, *, is_large: bool) -> None:
    made.run("TRANSPOSE", ANY if is_large else WIDE, when=(constants(1),))
    made.run("RESHAPE SQUEEZE EXPAND_DIMS CONCATENATION PACK UNPACK SPLIT SPLIT_V")
    made.run("SLICE", when=(constants(1, 2),))
    made.run("STRIDED_SLICE", when=(constants(1, 2, 3), _forward))
    made.run("TILE PAD PADV2 MIRROR_PAD", when=(constants(1),))
    made.run("QUANTIZE", WIDE)
    if is_large:
        made.run("REVERSE_V2", WIDE, when=(constants(1),))
        made.run("GATHER", ANY, when=(index_type(1, I32), _first_axis))
        made.run("CAST SELECT SELECT_V2", f"{ANY} bool")


def _functions(made: Kernels, *, is_large: bool) -> None:
    made.run("ADD SUB MUL NEG ABS SQUARED_DIFFERENCE")
    made.run("MAXIMUM MINIMUM", when=(_same_scales,))
    made.run("RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU PRELU LOGISTIC TANH EXP LOG RSQRT", "i8 i16")
    made.run("HARD_SWISH", BYTES, when=(_same_shape,))
    made.run("ELU GELU", "i8", when=(_same_shape,))
    made.run("SOFTMAX", "i8 i16", when=(_rows,))
    made.run("ARG_MAX", BYTES, when=() if is_large else (_last_of_few,))
    made.run("UNIDIRECTIONAL_SEQUENCE_LSTM", "i8 i16")
    if is_large:
        made.run("DIV")
        made.run("EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL", ANY)
        made.run("LOGICAL_AND LOGICAL_OR LOGICAL_NOT", "bool")
