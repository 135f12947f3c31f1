"""ONNX's backend protocol on graph models that were compiled for TensorFlow.js: what runs them is node."""

from __future__ import annotations

from functools import cache

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.onnx_backend.written import FileInProcess
from nhwcc.runners.tfjs_file import start
from nhwcc.runners.worker import Worker


@cache
def _runtime() -> Worker:
    """One process for the folders of all models."""
    return start()


def _build(module: Module) -> Executable:
    return FileInProcess(module, "tfjs", _runtime())


class TfjsBackend(NhwccBackend):
    """Compiles a model by the default pipeline and runs the graph model in a process of its own."""

    build = staticmethod(_build)


prepare = TfjsBackend.prepare
run_model = TfjsBackend.run_model
run_node = TfjsBackend.run_node
supports_device = TfjsBackend.supports_device
