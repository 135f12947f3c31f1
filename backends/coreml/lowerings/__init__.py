"""What MIL has no operation for, in terms of what it has; one file per family, then what targets share.

Importing this declares all patterns.
"""

from . import arith, dtypes, index, recurrent
from .lowering import OWN
from .shared import SHARED

__all__ = ["OWN", "SHARED", "arith", "dtypes", "index", "recurrent"]
