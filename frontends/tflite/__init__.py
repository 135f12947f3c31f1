"""The frontend for TFLite files: from flatbuffers to the IR."""

from .reader import Program, import_tflite, read_tflite

__all__ = ["Program", "import_tflite", "read_tflite"]
