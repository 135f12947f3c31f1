"""Handlers, one module per family; importing this package registers them all."""

from . import activation, creation, elementwise, index, linear, norm, recurrent, reduce, shape, spatial, types, window

__all__ = [
    "activation",
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
