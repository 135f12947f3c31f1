"""Coral's Edge TPU: which operators its compiler maps.

Read in the documents of Coral and Axis; the compiler itself could not be tried.  It makes one part of a network only:
the first operator that it does not map and all after it run on the processor.
"""

from __future__ import annotations

from ....compiler.dims import static
from ...common.table import condition
from .conditions import constants, no_activation, quantized, static_sizes
from .table import Kernels
from .uses import Use

MAX_AXES = 3
MAX_SOFTMAX = 16_000


@condition("three axes of a size larger than one at most, the last ones")
def _few_axes(use: Use) -> str | None:
    bad = [t.type for t in use.tensors if not t.is_constant and any(d != 1 for d in t.type.shape[:-MAX_AXES])]
    return f"a tensor of the shape [{','.join(map(str, bad[0].shape))}]" if bad else None


@condition("constant weights")
def _constant_weights(use: Use) -> str | None:
    weights = use.input(1)
    return None if weights is None or weights.is_constant else "weights that are computed"


@condition("the same dilation both ways")
def _even_dilation(use: Use) -> str | None:
    rows, columns = use.option("dilation_h_factor", 1), use.option("dilation_w_factor", 1)
    return None if rows == columns else f"dilations {rows} and {columns}"


@condition("results of one row")
def _one_row(use: Use) -> str | None:
    shape = use.outputs[0].type.shape
    return None if all(d == 1 for d in shape[:-1]) else f"a result of the shape [{','.join(map(str, shape))}]"


@condition("one row of 16,000 at most")
def _short_row(use: Use) -> str | None:
    last = static(use.outputs[0].type.shape)[-1]
    return _one_row.why_not(use) or (None if last <= MAX_SOFTMAX else f"a row of {last}")


@condition("not over the batch; channels, if over these, a multiple of 4")
def _not_over_batch(use: Use) -> str | None:
    data, axes = use.data, use.input(1)
    if data is None or axes is None or axes.elements is None:
        return "axes that are computed"
    shape = static(data.type.shape)
    dims = {int(a) % len(shape) for a in axes.elements.reshape(-1)}
    if 0 in dims and len(shape) > MAX_AXES:
        return "the batch"
    is_odd = use.builtin == "MEAN" and len(shape) - 1 in dims and shape[-1] % 4 != 0
    return f"{shape[-1]} channels" if is_odd else None


@condition("steps of one, no new axes")
def _plain_steps(use: Use) -> str | None:
    steps = use.input(3)
    found = None if steps is None else steps.elements
    return None if found is not None and (found == 1).all() and not use.option("new_axis_mask") else "other steps"


KERNELS = Kernels(
    "the Edge TPU", "i8 u8", always=(static_sizes, quantized, _few_axes), parts="first", only_integers=True
)
"""What the Edge TPU runs: one row for each builtin and group of element types."""

_run = KERNELS.run

_run("ADD SUB MUL MAXIMUM MINIMUM LOGISTIC TANH RELU RELU6 RELU_N1_TO_1 L2_NORMALIZATION QUANTIZE EXPAND_DIMS")
_run("SPACE_TO_DEPTH SLICE SPLIT RESHAPE")
_run("CONV_2D DEPTHWISE_CONV_2D", when=(_constant_weights, constants(2), _even_dilation))
_run("TRANSPOSE_CONV", when=(_constant_weights, constants(3)))
_run("AVERAGE_POOL_2D MAX_POOL_2D", when=(no_activation,))
_run("CONCATENATION", when=(no_activation,))
_run("FULLY_CONNECTED", when=(_constant_weights, constants(2), _one_row))
_run("MEAN REDUCE_MAX REDUCE_MIN", when=(constants(1), _not_over_batch))
_run("PACK PAD", when=(constants(1),))
_run("PRELU")
_run("RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR", when=(constants(1),))
_run("SOFTMAX", when=(_short_row,))
_run("SQUEEZE")
_run("STRIDED_SLICE", when=(constants(1, 2, 3), _plain_steps))
_run("UNIDIRECTIONAL_SEQUENCE_LSTM")
