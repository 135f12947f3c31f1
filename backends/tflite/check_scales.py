"""The format's rules for scales, checked before a file is written: runtimes accept what breaks them, wrong as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...compiler.diagnostics import CompileError, Diagnostic
from ...compiler.scales import Demands
from ...compiler.types import DType
from ...formats.tflite.model import Model, Operator, Quantization, Subgraph, Tensor

SAME = frozenset(
    {
        "AVERAGE_POOL_2D",
        "BATCH_TO_SPACE_ND",
        "BROADCAST_TO",
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "DYNAMIC_UPDATE_SLICE",
        "EXPAND_DIMS",
        "GATHER",
        "GATHER_ND",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "MIRROR_PAD",
        "PACK",
        "PAD",
        "PADV2",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "REVERSE_SEQUENCE",
        "REVERSE_V2",
        "SELECT",
        "SELECT_V2",
        "SLICE",
        "SPACE_TO_BATCH_ND",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TRANSPOSE",
        "UNPACK",
    }
)
"""Builtins that neither scale nor round: all integers have the same scale."""

FIXED = {
    "L2_NORMALIZATION": (1 / 128, 0),
    "LOGISTIC": (1 / 256, -128),
    "LOG_SOFTMAX": (16 / 256, 127),
    "SOFTMAX": (1 / 256, -128),
    "TANH": (1 / 128, 0),
}
"""The scale and the zero point of results of i8; those of u8 have a zero point that is 128 larger."""


@dataclass(frozen=True)
class Products:
    """Where a builtin has its data, its weight and its bias, and along which axis of the weight outputs lie."""

    data: int = 0
    weight: int = 1
    bias: int = 2
    axis: int = 0


PRODUCTS = {
    "CONV_2D": Products(),
    "DEPTHWISE_CONV_2D": Products(axis=3),
    "FULLY_CONNECTED": Products(),
    "TRANSPOSE_CONV": Products(2, 1, 3),
}

SCALED = (DType.I8, DType.U8, DType.I16)

BIASES = {DType.I8: {DType.I32}, DType.U8: {DType.I32}, DType.I16: {DType.I32, DType.I64}}
"""By the type of the data: what a bias may be."""

TOLERANCE = 1e-5
"""Relative, of a bias's scale: it is the product of two scales, rounded to f32."""


def check_scales(model: Model) -> None:
    """Check all operators of a file that read or give integers with scales.

    Raises:
        CompileError: I007, one breaks a rule.
    """
    problems = [p for graph in model.subgraphs for op in graph.operators for p in _problems(graph, op)]
    if problems:
        raise CompileError(*(Diagnostic("error", "I007", text) for text in problems))


def _problems(graph: Subgraph, op: Operator) -> Iterator[str]:
    inputs = [None if i < 0 else graph.tensors[i] for i in op.inputs]
    outputs = [graph.tensors[i] for i in op.outputs]
    scaled = [t for t in (*inputs, *outputs) if t is not None and t.type.dtype in SCALED]
    for tensor in scaled:
        yield from _wrong_numbers(op, tensor)
    if op.builtin in SAME and len({t.quantization for t in scaled}) > 1:
        yield f"{op.builtin} reads and gives integers of different scales: {_names(scaled)}"
    if op.builtin in FIXED and outputs[0].type.dtype in SCALED:
        yield from _not_fixed(op, outputs[0])
    if op.builtin in PRODUCTS and outputs[0].type.dtype in SCALED:
        yield from _wrong_products(op, PRODUCTS[op.builtin], inputs, outputs[0])


def _names(tensors: list[Tensor]) -> str:
    return ", ".join(str(t.name or t.type) for t in tensors)


def _wrong_numbers(op: Operator, tensor: Tensor) -> Iterator[str]:
    found = tensor.quantization
    if found is None:
        return
    low, high = tensor.type.dtype.bounds
    if not all(np.isfinite(s) and s > 0 for s in found.scales):
        yield f"{op.builtin} has a scale that is not a positive number: {_names([tensor])}"
    if not all(low <= z <= high for z in found.zeros) or (tensor.type.dtype is DType.I16 and any(found.zeros)):
        yield f"{op.builtin} has a zero point that {tensor.type.dtype} does not hold: {_names([tensor])}"


def _not_fixed(op: Operator, result: Tensor) -> Iterator[str]:
    fixed = Demands(result=FIXED[op.builtin]).result_of(result.type.dtype)
    assert fixed is not None
    scale, zero = fixed
    if result.quantization != Quantization((scale,), (zero,)):
        yield f"{op.builtin} gives integers of the scale {scale:g} and the zero point {zero} only: {_names([result])}"


def _wrong_products(op: Operator, places: Products, inputs: list[Tensor | None], result: Tensor) -> Iterator[str]:
    data, weight = inputs[places.data], inputs[places.weight]
    bias = inputs[places.bias] if len(inputs) > places.bias else None
    if any(t is None or t.quantization is None for t in (data, weight, result)):
        yield f"{op.builtin} computes with integers that have no scale"
        return
    assert data is not None and weight is not None and data.quantization is not None and weight.quantization is not None
    per_channel = len(weight.quantization.scales) > 1
    sizes = weight.type.shape
    if per_channel and (
        weight.quantization.axis != places.axis or len(weight.quantization.scales) != sizes[places.axis]
    ):
        yield f"{op.builtin} has scales of a weight along another axis than {places.axis}"
    if weight.type.dtype is DType.I8 and any(weight.quantization.zeros):
        yield f"{op.builtin} has a weight with zero points other than 0"
    if bias is not None:
        if bias.type.dtype not in BIASES[data.type.dtype]:
            yield f"{op.builtin} has a bias of {bias.type.dtype} beside data of {data.type.dtype}"
        yield from _wrong_bias(op, data.quantization, weight.quantization, bias)


def _wrong_bias(op: Operator, data: Quantization, weight: Quantization, bias: Tensor) -> Iterator[str]:
    wanted = np.asarray(weight.scales) * data.scales[0]
    found = bias.quantization
    if found is None or any(found.zeros) or len(found.scales) != len(wanted):
        yield f"{op.builtin} has a bias without the scale of the products: {_names([bias])}"
    elif not np.allclose(found.scales, wanted, rtol=TOLERANCE, atol=0):
        yield f"{op.builtin} has a bias of another scale than that of the products: {_names([bias])}"
