"""What backends share whose networks become files: compiled by a target's default pipeline, run by its runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.pipelines import register_passes
from nhwcc.targets import InProcess, runners_of


class WrittenFile:
    """A file of a target that lives as long as the object."""

    def __init__(self, module: Module, target: str) -> None:
        self._target = find_target(target)
        register_passes()
        Pipeline(parse_pipeline(self._target.pipeline)).run(module)
        self._folder = TemporaryDirectory(prefix="nhwcc-")
        self._path = Path(self._folder.name) / f"model{self._target.suffix}"
        self._target.emit(module, self._path)
        self._file: InProcess | None = None
        self._names = [port.name for port in module.main.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the file, which is loaded when it first runs."""
        self._file = self._file or runners_of(self._target).in_process(self._path)
        missing = [name for name in self._names if name not in inputs]
        if missing:
            raise error("R002", f"the input {missing[0]} is missing")
        return self._file.run(inputs)
