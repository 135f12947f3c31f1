"""The OpenVINO frontend: models in OpenVINO IR, an XML file with the elements of constants beside it."""

from .reader import Program, import_openvino, read_openvino

__all__ = ["Program", "import_openvino", "read_openvino"]
