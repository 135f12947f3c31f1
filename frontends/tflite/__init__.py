"""TFLite."""

from .reader import Imported, import_tflite, read_tflite

__all__ = ["Imported", "import_tflite", "read_tflite"]
