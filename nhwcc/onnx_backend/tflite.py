"""ONNX's backend protocol on compiled files: what the TFLite runtime computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.pipelines import register_passes
from nhwcc.runners.tflite import TfliteRunner, start
from nhwcc.runners.worker import Worker


class _Runtime:
    """One process for the files of all models: it holds one at a time, and is replaced when a kernel has ended it."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._path: Path | None = None
        self._runner: TfliteRunner | None = None

    def run(self, path: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
        try:
            if self._runner is None or self._path != path:
                self._worker = self._worker or start()
                self._path, self._runner = None, TfliteRunner(path, self._worker)
                self._path = path
            return self._runner.run(inputs)
        except CompileError as bad:
            if any(d.code == "R019" for d in bad.diagnostics) and self._worker is not None:
                self._worker.close()
                self._worker = self._path = self._runner = None
            raise


_RUNTIME = _Runtime()


class _File:
    """A compiled file that lives as long as the object."""

    def __init__(self, module: Module) -> None:
        target = find_target("tflite")
        register_passes()
        Pipeline(parse_pipeline(target.pipeline)).run(module)
        self._folder = TemporaryDirectory(prefix="nhwcc-")
        self._path = Path(self._folder.name) / "model.tflite"
        target.emit(module, self._path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return _RUNTIME.run(self._path, inputs)


def _build(module: Module) -> Executable:
    return _File(module)


class TfliteBackend(NhwccBackend):
    """Compiles a model by the default pipeline and runs the file in a process of its own."""

    build = staticmethod(_build)


prepare = TfliteBackend.prepare
run_model = TfliteBackend.run_model
run_node = TfliteBackend.run_node
supports_device = TfliteBackend.supports_device
