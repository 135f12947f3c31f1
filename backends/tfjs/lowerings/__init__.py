"""What TensorFlow.js needs in another form, besides the lowerings that all targets share.

Importing this declares all of them.
"""

from . import arith, dtypes, index, linear, logic, spatial, window
from .lowering import LOWERINGS

__all__ = ["LOWERINGS", "arith", "dtypes", "index", "linear", "logic", "spatial", "window"]
