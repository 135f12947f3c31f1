"""How each operation of MIL is called, one file per family. Importing this fills the table."""

from . import activation, arith, control, index, linear, logic, norm, random, recurrent, reduce, shape, spatial, window

__all__ = [
    "activation",
    "arith",
    "control",
    "index",
    "linear",
    "logic",
    "norm",
    "random",
    "recurrent",
    "reduce",
    "shape",
    "spatial",
    "window",
]
