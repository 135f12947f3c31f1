"""How builtins are called, one file per family; importing this fills the table."""

from . import (
    activation,
    arith,
    control,
    custom,
    detection,
    index,
    linear,
    logic,
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
    "quantize",
    "random",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "window",
]
