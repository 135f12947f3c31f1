"""The PyTorch frontend: modules and exported programs, read from the graph of ATen operators of torch.export."""

from .export import DynamicShapes, Exported, export, parameters
from .files import ModuleSpec, open_program
from .reader import import_torch, read
from .refusals import REFUSALS
from .tensors import TORCH_DTYPES, to_array

__all__ = [
    "REFUSALS",
    "TORCH_DTYPES",
    "DynamicShapes",
    "Exported",
    "ModuleSpec",
    "export",
    "import_torch",
    "open_program",
    "parameters",
    "read",
    "to_array",
]
