"""What ONNX has no operator for, in terms of what it has; one file per family, then what all targets share.

Importing this declares all patterns.
"""

from . import activation, arith, index, linear, logic, norm, recurrent, reduce, shape, simplify
from .lowering import OWN
from .shared import SHARED

__all__ = [
    "OWN",
    "SHARED",
    "activation",
    "arith",
    "index",
    "linear",
    "logic",
    "norm",
    "recurrent",
    "reduce",
    "shape",
    "simplify",
]
