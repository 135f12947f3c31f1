"""ONNX's backend protocol on SavedModels that were compiled: what runs them is TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.pipelines import register_passes
from nhwcc.runners.tensorflow_file import TensorflowFileRunner, start
from nhwcc.runners.worker import Worker


@cache
def _runtime() -> Worker:
    """One process for the files of all models: TensorFlow takes seconds to begin."""
    return start()


class _File:
    """A compiled folder that lives as long as the object."""

    def __init__(self, module: Module) -> None:
        target = find_target("saved_model")
        register_passes()
        Pipeline(parse_pipeline(target.pipeline)).run(module)
        self._folder = TemporaryDirectory(prefix="nhwcc-")
        self._path = Path(self._folder.name) / "model"
        target.emit(module, self._path)
        self._names = [port.name for port in module.main.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        missing = [name for name in self._names if name not in inputs]
        if missing:
            raise error("R002", f"the input {missing[0]} is missing")
        return TensorflowFileRunner(self._path, _runtime()).run(inputs)


def _build(module: Module) -> Executable:
    return _File(module)


class TensorflowBackend(NhwccBackend):
    """Compiles a model by the default pipeline and runs the SavedModel in a process of its own."""

    build = staticmethod(_build)


prepare = TensorflowBackend.prepare
run_model = TensorflowBackend.run_model
run_node = TensorflowBackend.run_node
supports_device = TensorflowBackend.supports_device
