"""The frontend for ONNX models: from plain data to the IR."""

from .reader import import_onnx

__all__ = ["import_onnx"]
