"""All operations, one module per family."""

from . import (
    activation,
    arith,
    control,
    core,
    custom,
    detection,
    index,
    linear,
    logic,
    norm,
    positions,
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
    "custom",
    "detection",
    "index",
    "linear",
    "logic",
    "norm",
    "positions",
    "reduce",
    "shape",
    "spatial",
    "window",
]
