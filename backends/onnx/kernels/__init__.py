"""How operations are called in ONNX; one file per family. Importing this fills the table."""

from . import (
    activation,
    arith,
    control,
    custom,
    detection,
    index,
    linear,
    logic,
    norm,
    quantize,
    random,
    recurrent,
    reduce,
    shape,
    spatial,
    window,
)

__all__ = [
    "activation",
    "arith",
    "control",
    "custom",
    "detection",
    "index",
    "linear",
    "logic",
    "norm",
    "quantize",
    "random",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "window",
]
