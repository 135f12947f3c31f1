"""The TensorFlow frontend: SavedModel folders and frozen graphs, read without TensorFlow."""

from .reader import Program, import_tensorflow, read_tensorflow

__all__ = ["Program", "import_tensorflow", "read_tensorflow"]
