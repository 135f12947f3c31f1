"""Handlers, one module per family; importing this package registers them all."""

from . import (
    activation,
    attention,
    creation,
    elementwise,
    index,
    linear,
    norm,
    recurrent,
    reduce,
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
    "index",
    "linear",
    "norm",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "types",
    "window",
]
