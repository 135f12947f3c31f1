"""ONNX's backend protocol on files of Keras that were compiled: what runs them is Keras itself."""

from __future__ import annotations

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import WrittenFile


def _build(module: Module) -> Executable:
    return WrittenFile(module, "keras")


class KerasBackend(NhwccBackend):
    """Compiles a model by the default pipeline and runs the file as stock Keras loads it."""

    build = staticmethod(_build)


prepare = KerasBackend.prepare
run_model = KerasBackend.run_model
run_node = KerasBackend.run_node
supports_device = KerasBackend.supports_device
