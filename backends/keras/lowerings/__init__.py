"""What Keras needs in another form, besides the lowerings that all targets share, and TensorFlow's.

Importing this declares all of them.
"""

from . import arith, index, recurrent, shape, spatial, window
from .lowering import LOWERINGS

__all__ = ["LOWERINGS", "arith", "index", "recurrent", "shape", "spatial", "window"]
