"""ONNX's backend protocol on files that were read, rewritten and written: what runs them is onnxruntime."""

from __future__ import annotations

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import WrittenFile


def _build(module: Module) -> Executable:
    return WrittenFile(module, "onnx")


class OnnxBackend(NhwccBackend):
    """Compiles a model to ONNX by the default pipeline, and runs the file."""

    build = staticmethod(_build)


prepare = OnnxBackend.prepare
run_model = OnnxBackend.run_model
run_node = OnnxBackend.run_node
supports_device = OnnxBackend.supports_device
