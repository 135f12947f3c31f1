"""Handlers of ``com.microsoft``: what onnxruntime's optimizer and quantizer put into models."""

from . import (
    activation,
    attention,
    bias,
    blocks,
    distance,
    fused,
    gated,
    grouped,
    integer,
    matrix,
    norm,
    quantize,
    recurrent,
    regions,
    shape,
)

__all__ = [
    "activation",
    "attention",
    "bias",
    "blocks",
    "distance",
    "fused",
    "gated",
    "grouped",
    "integer",
    "matrix",
    "norm",
    "quantize",
    "recurrent",
    "regions",
    "shape",
]
