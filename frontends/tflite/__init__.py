"""TFLite."""

from .reader import Program, import_tflite, read_tflite

__all__ = ["Program", "import_tflite", "read_tflite"]
