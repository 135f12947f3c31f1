"""ONNX's backend protocol on files of Keras that were compiled: what runs them is Keras itself."""

from __future__ import annotations

from functools import cache

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import FileInProcess
from nhwcc.runners.keras_file import start
from nhwcc.runners.worker import Worker


@cache
def _runtime() -> Worker:
    """One process for the files of all models: it takes seconds to begin."""
    return start()


def _build(module: Module) -> Executable:
    return FileInProcess(module, "keras", _runtime())


class KerasBackend(NhwccBackend):
    """Compiles a model by the default pipeline, and runs the file as stock Keras loads it in a process of its own."""

    build = staticmethod(_build)


prepare = KerasBackend.prepare
run_model = KerasBackend.run_model
run_node = KerasBackend.run_node
supports_device = KerasBackend.supports_device
