"""TensorFlow."""

from .reader import Program, import_tensorflow, read_tensorflow

__all__ = ["Program", "import_tensorflow", "read_tensorflow"]
