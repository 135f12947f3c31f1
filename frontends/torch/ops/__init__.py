"""Handlers, one module per family; importing this package registers them all."""

from . import (
    activation,
    attention,
    creation,
    elementwise,
    floats,
    index,
    linear,
    norm,
    order,
    recurrent,
    reduce,
    scan,
    shape,
    spatial,
    types,
    window,
)

__all__ = [
    "activation",
    "attention",
    "creation",
    "elementwise",
    "floats",
    "index",
    "linear",
    "norm",
    "order",
    "recurrent",
    "reduce",
    "scan",
    "shape",
    "spatial",
    "types",
    "window",
]
