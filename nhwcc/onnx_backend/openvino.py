"""ONNX's backend protocol on files that were read, rewritten and written as OpenVINO's IR, which OpenVINO runs."""

from __future__ import annotations

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import WrittenFile


def _build(module: Module) -> Executable:
    return WrittenFile(module, "openvino")


class OpenvinoBackend(NhwccBackend):
    """Compiles a model to OpenVINO by the default pipeline, and runs the file."""

    build = staticmethod(_build)


prepare = OpenvinoBackend.prepare
run_model = OpenvinoBackend.run_model
run_node = OpenvinoBackend.run_node
supports_device = OpenvinoBackend.supports_device
