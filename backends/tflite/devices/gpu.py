"""LiteRT's GPU accelerator (ML Drift): which operators it takes, and which of these it computes right.

Seen on a software implementation of Vulkan (LiteRT 2.3) and read in the accelerator's public sources.  It merges
paddings into what reads them without looking at the filling or the kind of pooling, so that wrong numbers come out of
files that are right elsewhere; such operators are refused here, too.
"""

from __future__ import annotations

import numpy as np

from ....compiler.types import DType
from ...common.table import condition
from .conditions import at_most, constants, distinct, index_type, option, static_sizes
from .table import Kernels
from .uses import Use

FLOATS = "f32 f16"
NUMBERS = "f32 f16 i8"
"""Integers that stand for numbers are computed with as numbers."""

WITH_I32 = f"{NUMBERS} i32"

MAX_RANK = 4

KERNELS = Kernels("the GPU", NUMBERS, ranks=range(MAX_RANK + 1), always=(static_sizes, at_most(MAX_RANK), distinct))
"""All rows."""

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


_run = KERNELS.run

_run("ADD MUL MAXIMUM MINIMUM DIV FLOOR_DIV FLOOR_MOD", WITH_I32)
_run("SUB", WITH_I32, version=3)
_run("LOGISTIC", version=3)
_run("EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL", WITH_I32)
_run("SQUARED_DIFFERENCE POW NEG EXP LOG SQRT RSQRT SIN COS FLOOR CEIL ROUND SQUARE ABS SIGN")
_run("ADD_N TANH ELU GELU HARD_SWISH RELU RELU6 RELU_N1_TO_1 LEAKY_RELU PRELU")
_run("CONCATENATION", WITH_I32, version=6)
_run("PACK UNPACK SPLIT SPLIT_V TILE")
_run("REVERSE_V2", when=(constants(1),))
_run("SLICE", when=(constants(1, 2),), version=2)
_run(
    "STRIDED_SLICE",
    version=2,
    when=(constants(1, 2, 3), _forward, option("new_axis_mask", 0, text="no new axes")),
)
_run("PAD PADV2", version=5, ranks=range(3, 5), when=(constants(1),))
_run(
    "MIRROR_PAD",
    ranks=range(3, 5),
    when=(constants(1), option("mode", "REFLECT", text="mode REFLECT")),
)
_run("RESHAPE", WITH_I32, when=(constants(1),))
_run("TRANSPOSE", version=4, when=(constants(1),))
_run("CAST", "f32 f16 i8 i32 bool")
_run("QUANTIZE DEQUANTIZE")
_run("DYNAMIC_UPDATE_SLICE", when=(index_type(2, DType.I32),))
_run("CONV_2D", version=6, when=(_padded_by_zeros, _whole_groups, _no_tanh))
_run("DEPTHWISE_CONV_2D", version=6, when=(_padded_by_zeros, _no_tanh))
_run("TRANSPOSE_CONV", version=3, when=(_aligned,))
_run("FULLY_CONNECTED", version=9, when=(option("weights_format", "DEFAULT", text="weights as they are"),))
_run("BATCH_MATMUL", when=(_computed_left,))
_run("SOFTMAX", version=2, when=(option("beta", 1.0, text="beta 1"),))
_run("AVERAGE_POOL_2D", version=2, when=(_mean_of_all,))
_run("MAX_POOL_2D", version=2, when=(_padded_by_least,))
_run("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD", when=(constants(1),))
_run("SELECT_V2 SELECT", version=1)
_run("RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR", version=3, when=(constants(1),))
_run("ARG_MAX", when=(constants(1),))
_run("GATHER", WITH_I32, ranks=range(1, 5), when=(index_type(1, DType.I32),))
_run("EMBEDDING_LOOKUP", when=(index_type(0, DType.I32),))
_run("SPACE_TO_DEPTH DEPTH_TO_SPACE CUMSUM TOPK_V2 ONE_HOT", WITH_I32)
_run("LOGICAL_AND LOGICAL_OR LOGICAL_NOT", "bool")
