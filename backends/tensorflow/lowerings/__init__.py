"""What TensorFlow's kernels need in another form, besides the lowerings that all targets share.

Importing this declares all of them.
"""

from . import activation, arith, conv, dtypes
from .lowering import LOWERINGS

__all__ = ["LOWERINGS", "activation", "arith", "conv", "dtypes"]
