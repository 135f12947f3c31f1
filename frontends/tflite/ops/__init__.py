"""Handlers, one file per family; importing this registers them."""

from . import (
    activation,
    arith,
    control,
    detection,
    index,
    linear,
    quantize,
    random,
    recurrent,
    reduce,
    shape,
    spatial,
    strided_slice,
    variables,
    window,
)

__all__ = [
    "activation",
    "arith",
    "control",
    "detection",
    "index",
    "linear",
    "quantize",
    "random",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "strided_slice",
    "variables",
    "window",
]
