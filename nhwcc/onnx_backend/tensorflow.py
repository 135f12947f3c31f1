"""ONNX's backend protocol on SavedModels that were compiled: what runs them is TensorFlow."""

from __future__ import annotations

from functools import cache

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import FileInProcess
from nhwcc.runners.tensorflow_file import start
from nhwcc.runners.worker import Worker


@cache
def _runtime() -> Worker:
    """One process for the files of all models: it takes seconds to begin."""
    return start()


def _build(module: Module) -> Executable:
    return FileInProcess(module, "saved_model", _runtime())


class TensorflowBackend(NhwccBackend):
    """Compiles a model by the default pipeline and runs the SavedModel in a process of its own."""

    build = staticmethod(_build)


prepare = TensorflowBackend.prepare
run_model = TensorflowBackend.run_model
run_node = TensorflowBackend.run_node
supports_device = TensorflowBackend.supports_device
