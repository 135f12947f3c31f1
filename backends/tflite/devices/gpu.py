"""LiteRT's GPU accelerator (ML Drift): which operators it takes, and which of these it computes right.

Seen on a software implementation of Vulkan (LiteRT 2.3) and read in the accelerator's public sources.  It merges
paddings into what reads them without looking at the filling or the kind of pooling, so that wrong numbers come out of
files that are right elsewhere; such operators are refused here, too.
"""

from __future__ import annotations

import math

import numpy as np

from ....compiler.diagnostics import counted
from ....compiler.types import DType
from ...common.table import condition
from .conditions import at_most, constants, distinct, index_type, option, result_type, static_sizes
from .table import Kernels
from .uses import Use

FLOATS = "f32 f16"
NUMBERS = "f32 f16 i8"
"""Integers that stand for numbers are computed with as numbers."""

WITH_I32 = f"{NUMBERS} i32"
ANYTHING = f"{WITH_I32} bool"

MAX_RANK = 4

CHANNELS = 4
"""How many channels lie side by side."""


def padding_before(use: Use) -> float | None:
    """Return what is filled in by a padding of images right before an operator, None if there is none."""
    data = use.data
    pad = None if data is None else data.writer()
    if pad is None or pad.builtin not in ("PAD", "PADV2"):
        return None
    widths = pad.inputs[1]
    if widths is None or (known := widths.elements) is None or known.shape[0] != MAX_RANK or known[[0, 3]].any():
        return None
    filling = pad.input(2)
    return 0.0 if filling is None or filling.elements is None else float(filling.elements.reshape(()))


@condition("no other padding than of zeros before it")
def _padded_by_zeros(use: Use) -> str | None:
    filling = padding_before(use)
    return None if not filling else f"it would take the padding with {filling:g} before it for one with zeros"


@condition("no padding before it, which would be left out of the mean")
def _mean_of_all(use: Use) -> str | None:
    return None if padding_before(use) is None else "it would leave the padding before it out of the mean"


@condition("no other padding before it than with what never wins")
def _padded_by_least(use: Use) -> str | None:
    filling = padding_before(use)
    if filling is None or filling <= np.finfo(np.float32).min:
        return None
    return f"it would leave out the padding with {filling:g} before it, which may be the largest"


@condition("one group, or groups whose channels are multiples of 4")
def _whole_groups(use: Use) -> str | None:
    data, filters = use.data, use.inputs[1]
    assert data is not None and filters is not None
    channels, depth, outputs = data.type.shape[-1], filters.type.shape[-1], filters.type.shape[0]
    if channels == depth:
        return None
    assert isinstance(channels, int) and isinstance(depth, int) and isinstance(outputs, int)
    inner, outer = depth, outputs // (channels // depth)
    if inner % CHANNELS == 0 and outer % CHANNELS == 0:
        return None
    return f"groups of {inner} to {outer} channels, which are no multiples of {CHANNELS}, come out wrong"


@condition("no padding with infinity, unless MAX_POOL_2D alone reads it")
def _finite_filling(use: Use) -> str | None:
    """It would be written into the kernel's text as it is; a pool that reads it takes its place."""
    filling = use.input(2)
    if filling is None or filling.elements is None or np.isfinite(filling.elements).all():
        return None
    readers = [reader.builtin for reader in use.outputs[0].readers()]
    is_merged = bool(readers) and all(reader == "MAX_POOL_2D" for reader in readers)
    return None if is_merged else f"a padding with {float(filling.elements.reshape(())):g}, which no kernel can state"


@condition("no padding of the batch")
def _same_batch(use: Use) -> str | None:
    widths = use.input(1)
    known = None if widths is None else widths.elements
    is_padded = known is not None and known.shape[0] == MAX_RANK and known[0].any()
    return "a padding of the batch, which comes out wrong" if is_padded else None


@condition("no fused TANH")
def _no_tanh(use: Use) -> str | None:
    return "a fused TANH" if use.option("fused_activation_function", "NONE") == "TANH" else None


@condition("no SAME with strides of 3")
def _aligned(use: Use) -> str | None:
    is_same = use.option("padding", "SAME") == "SAME"
    strides = (use.option("stride_h", 1), use.option("stride_w", 1))
    return "SAME with a stride of 3 comes out wrong" if is_same and 3 in strides else None


@condition("a left operand that is computed")
def _computed_left(use: Use) -> str | None:
    left = use.inputs[0]
    return "a constant left operand" if left is not None and left.is_constant else None


@condition("positive steps")
def _forward(use: Use) -> str | None:
    strides = use.input(3)
    found = None if strides is None else strides.elements
    return "steps backwards" if found is not None and (found < 0).any() else None


@condition("rank 4, or one along the first axis")
def _one_image(use: Use) -> str | None:
    """Of fewer axes, the first one is taken for the batch, which comes out wrong."""
    data = use.data
    if data is None or data.type.rank == MAX_RANK or data.type.shape[0] == 1:
        return None
    return f"{data.type.rank} axes, of which the first one would be taken for the batch, come out wrong"


@condition("one row")
def _one_row(use: Use) -> str | None:
    data = use.data
    rows = 1 if data is None else math.prod(d for d in data.type.shape[:-1] if isinstance(d, int))
    return None if rows == 1 else f"{rows} rows, whose positions come out wrong"


@condition("another axis than the last, or channels that are a multiple of 4")
def _whole_channels(use: Use) -> str | None:
    """Channels are filled up to a multiple of four with zeros, which count as well."""
    data, axis = use.data, use.input(1)
    if data is None or axis is None or axis.elements is None or not data.type.rank:
        return None
    size, rank = data.type.shape[-1], data.type.rank
    along_last = int(axis.elements.reshape(-1)[0]) % rank == rank - 1
    is_whole = isinstance(size, int) and size % CHANNELS == 0
    return f"{size} channels, no multiple of {CHANNELS}, come out wrong" if along_last and not is_whole else None


@condition("constants of rank 4, of fewer axes than the result, or with one along the first axis")
def _constants_of_one_image(use: Use) -> str | None:
    """Of a constant with fewer than four axes, the first one would be taken for the batch."""
    rank = use.outputs[0].type.rank
    for tensor in use.inputs:
        shape = () if tensor is None or not tensor.is_constant else tensor.type.shape
        if len(shape) == rank < MAX_RANK and shape and shape[0] != 1:
            return f"a constant of {rank} axes, of which the first one would be taken for the batch"
    return None


@condition("constant integers of one element or of all axes of the result")
def _integers_of_all_axes(use: Use) -> str | None:
    rank = use.outputs[0].type.rank
    for tensor in use.inputs:
        if tensor is None or not tensor.is_constant or tensor.type.dtype is not DType.I32:
            continue
        if tensor.type.size != 1 and tensor.type.rank < rank:
            return f"a constant of integers with {counted(tensor.type.rank, 'axis', 'axes')}; the result has {rank}"
    return None


@condition("one image")
def _single(use: Use) -> str | None:
    data = use.data
    return None if data is None or data.type.shape[0] == 1 else "several images, which come out wrong"


@condition("sums from the first on, each with its own element")
def _plain_sums(use: Use) -> str | None:
    is_other = use.option("exclusive", default=False) or use.option("reverse", default=False)
    return "exclusive sums, or sums from the end, which come out wrong" if is_other else None


@condition("a computed start")
def _computed_start(use: Use) -> str | None:
    start = use.input(2)
    return "a constant start" if start is not None and start.is_constant else None


@condition("a condition of the result's shape; choices, too, or single constants")
def _equal_shapes(use: Use) -> str | None:
    whole = use.outputs[0].type.shape
    chosen = [t for t in use.inputs[1:] if t is not None and not (t.is_constant and t.type.size == 1)]
    shapes = [t.type.shape for t in (use.inputs[0], *chosen) if t is not None]
    return None if all(shape == whole for shape in shapes) else "a choice between tensors of different shapes"


@condition("matrices as many on either side")
def _equal_batches(use: Use) -> str | None:
    left, right = use.inputs[0], use.inputs[1]
    if left is None or right is None or left.type.shape[:-2] == right.type.shape[:-2]:
        return None
    return "broadcast matrices, which come out wrong"


@condition("positions in one row")
def _in_one_row(use: Use) -> str | None:
    indices = use.input(1)
    return None if indices is None or indices.type.rank == 1 else f"positions of rank {indices.type.rank}, not 1"


@condition("along the last axis, which is said by -1")
def _last_axis(use: Use) -> str | None:
    return None if use.option("axis", -1) == -1 else "another axis than the last"


@condition("no single number that is computed")
def _has_axes(use: Use) -> str | None:
    computed = [t for t in use.inputs if t is not None and not t.is_constant]
    return "a single number that is computed" if any(t.type.rank == 0 for t in computed) else None


_COMBINED = (_constants_of_one_image, _integers_of_all_axes)

KERNELS = Kernels(
    "the GPU",
    NUMBERS,
    ranks=range(MAX_RANK + 1),
    always=(static_sizes, at_most(MAX_RANK), distinct, _has_axes),
    parts="largest",
)
"""What the GPU accelerator runs: one row for each builtin and group of element types."""

_run = KERNELS.run

_run("ADD MUL MAXIMUM MINIMUM DIV FLOOR_DIV FLOOR_MOD", WITH_I32, when=_COMBINED)
_run("NEG ABS SIGN", WITH_I32)
_run("SUB", WITH_I32, version=3, when=_COMBINED)
_run("LOGISTIC", version=3)
_run("EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL", WITH_I32, when=_COMBINED)
_run("SQUARED_DIFFERENCE ATAN2 POW", when=(_constants_of_one_image,))
_run("EXP LOG SQRT RSQRT SIN COS FLOOR CEIL ROUND SQUARE")
_run("ADD_N TANH ELU GELU HARD_SWISH RELU RELU6 RELU_N1_TO_1 LEAKY_RELU PRELU")
_run("CONCATENATION", ANYTHING, version=6)
_run("TILE", WITH_I32)
_run("PACK UNPACK SPLIT SPLIT_V")
_run("REVERSE_V2", ANYTHING, when=(constants(1), _whole_channels, _one_image))
_run("SLICE", ANYTHING, when=(constants(1, 2),), version=2)
_run(
    "STRIDED_SLICE",
    WITH_I32,
    version=2,
    when=(constants(1, 2, 3), _forward, option("new_axis_mask", 0, text="no new axes")),
)
_run("PAD PADV2", version=5, ranks=range(3, 5), when=(constants(1), _one_image, _same_batch, _finite_filling))
_run(
    "MIRROR_PAD",
    ranks=range(3, 5),
    when=(constants(1), option("mode", "REFLECT", text="mode REFLECT"), _one_image, _same_batch),
)
_run("RESHAPE", ANYTHING, when=(constants(1),))
_run("TRANSPOSE", ANYTHING, version=4, when=(constants(1),))
_run("CAST", ANYTHING, when=(result_type(DType.F32, DType.F16, DType.I8, DType.I32, DType.BOOL),))
_run("QUANTIZE DEQUANTIZE")
_run("DYNAMIC_UPDATE_SLICE", when=(index_type(2, DType.I32), _computed_start))
_run("CONV_2D", version=6, when=(constants(2), _padded_by_zeros, _whole_groups, _no_tanh))
_run("DEPTHWISE_CONV_2D", version=6, when=(constants(2), _padded_by_zeros, _no_tanh))
_run("TRANSPOSE_CONV", version=3, when=(constants(3), _aligned))
_run("FULLY_CONNECTED", version=9, when=(option("weights_format", "DEFAULT", text="weights as they are"),))
_run("BATCH_MATMUL", when=(_computed_left, _equal_batches))
_run("SOFTMAX", version=2, when=(option("beta", 1.0, text="beta 1"),))
_run("AVERAGE_POOL_2D", version=2, when=(_mean_of_all,))
_run("MAX_POOL_2D", version=2, when=(_padded_by_least,))
_run("MEAN REDUCE_PROD", when=(constants(1),))
_run("SUM REDUCE_MAX REDUCE_MIN", WITH_I32, when=(constants(1),))
_run("SELECT_V2 SELECT", ANYTHING, version=1, when=(_equal_shapes,))
_run("RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR", version=3, when=(constants(1),))
_run("ARG_MAX", when=(constants(1), _whole_channels))
_run("GATHER", WITH_I32, ranks=range(1, 5), when=(index_type(1, DType.I32), _in_one_row))
_run("EMBEDDING_LOOKUP", when=(index_type(0, DType.I32),))
_run("CUMSUM", when=(_plain_sums, _one_image))
_run("SPACE_TO_DEPTH DEPTH_TO_SPACE", when=(_single,))
_run("TOPK_V2", when=(_one_row,))
_run("ONE_HOT", "i32", when=(_last_axis,))
_run("LOGICAL_AND LOGICAL_OR LOGICAL_NOT", "bool")
