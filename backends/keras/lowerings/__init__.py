"""What Keras needs in another form, besides the lowerings that all targets share, and TensorFlow's.

Importing this declares all of them.
"""

from . import recurrent, shape
from .lowering import LOWERINGS

__all__ = ["LOWERINGS", "recurrent", "shape"]
