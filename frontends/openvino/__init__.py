"""OpenVINO."""

from .reader import Program, import_openvino, read_openvino

__all__ = ["Program", "import_openvino", "read_openvino"]
