"""ONNX's backend protocol on files that were read, rewritten and written: what runs them is onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.pipelines import register_passes
from nhwcc.runners.onnx_file import OnnxFile


class _File:
    """A written file that lives as long as the object."""

    def __init__(self, module: Module) -> None:
        target = find_target("onnx")
        register_passes()
        Pipeline(parse_pipeline(target.pipeline)).run(module)
        self._folder = TemporaryDirectory(prefix="nhwcc-")
        self._path = Path(self._folder.name) / "model.onnx"
        target.emit(module, self._path)
        self._file: OnnxFile | None = None
        self._names = [port.name for port in module.main.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        self._file = self._file or OnnxFile(self._path)
        missing = [name for name in self._names if name not in inputs]
        if missing:
            raise error("R002", f"the input {missing[0]} is missing")
        return self._file.run(inputs)


def _build(module: Module) -> Executable:
    return _File(module)


class OnnxBackend(NhwccBackend):
    """Compiles a model to ONNX by the default pipeline, and runs the file."""

    build = staticmethod(_build)


prepare = OnnxBackend.prepare
run_model = OnnxBackend.run_model
run_node = OnnxBackend.run_node
supports_device = OnnxBackend.supports_device
