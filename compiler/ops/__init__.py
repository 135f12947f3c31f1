"""All operations, one module per family."""

from . import (
    activation,
    arith,
    control,
    core,
    detection,
    dynamic,
    index,
    linear,
    logic,
    norm,
    positions,
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
    "core",
    "detection",
    "dynamic",
    "index",
    "linear",
    "logic",
    "norm",
    "positions",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "window",
]
