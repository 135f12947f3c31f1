"""Handlers, one module per family; importing this package registers them all."""

from . import activation, constant, elementwise, index, legacy, linear, logic, norm, reduce, shape, spatial, window

__all__ = [
    "activation",
    "constant",
    "elementwise",
    "index",
    "legacy",
    "linear",
    "logic",
    "norm",
    "reduce",
    "shape",
    "spatial",
    "window",
]
