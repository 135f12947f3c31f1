"""How builtins are called, one file per family; importing this fills the table."""

from . import (
    activation,
    arith,
    control,
    custom,
    index,
    linear,
    logic,
    quantize,
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
    "index",
    "linear",
    "logic",
    "quantize",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "window",
]
