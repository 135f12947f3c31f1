"""The rows of the table, one file per family of operations."""

from . import activation, arith, index, linear, logic, norm, recurrent, reduce, shape, sizes, spatial, window

__all__ = [
    "activation",
    "arith",
    "index",
    "linear",
    "logic",
    "norm",
    "recurrent",
    "reduce",
    "shape",
    "sizes",
    "spatial",
    "window",
]
