"""All operations, one module per family."""

from . import activation, arith, control, core, index, linear, logic, norm, reduce, shape, spatial, window

__all__ = [
    "activation",
    "arith",
    "control",
    "core",
    "index",
    "linear",
    "logic",
    "norm",
    "reduce",
    "shape",
    "spatial",
    "window",
]
