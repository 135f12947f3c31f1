"""What OpenVINO has no operation for, in terms of what it has; one file per family, then what targets share.

Importing this declares all patterns.
"""

from . import attention, empty, index, masks, random, recurrent, shape
from .lowering import OWN
from .shared import SHARED

__all__ = ["OWN", "SHARED", "attention", "empty", "index", "masks", "random", "recurrent", "shape"]
