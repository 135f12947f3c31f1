"""Handlers, one module per family; importing this package registers them all."""

from . import (
    activation,
    creation,
    elementwise,
    floats,
    index,
    linear,
    norm,
    order,
    reduce,
    scan,
    shape,
    spatial,
    types,
    window,
)

__all__ = [
    "activation",
    "creation",
    "elementwise",
    "floats",
    "index",
    "linear",
    "norm",
    "order",
    "reduce",
    "scan",
    "shape",
    "spatial",
    "types",
    "window",
]
