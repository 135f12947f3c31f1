"""PyTorch."""

from .export import REFUSALS, DynamicShapes, Exported, export
from .files import open_program
from .reader import Names, import_torch, read
from .tensors import to_array

__all__ = [
    "REFUSALS",
    "DynamicShapes",
    "Exported",
    "Names",
    "export",
    "import_torch",
    "open_program",
    "read",
    "to_array",
]
