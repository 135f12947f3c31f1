"""What backends share whose networks become files: compiled by a target's default pipeline, run by its runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from nhwcc.backends.common.target import Target
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.pipelines import register_passes
from nhwcc.runners.worker import Worker
from nhwcc.targets import InProcess, open_runner, runners_of


class WrittenFile:
    """A file of a target that lives as long as the object."""

    def __init__(self, module: Module, target: str) -> None:
        self._target = find_target(target)
        self._folder, self._path = _write(module, self._target)
        self._file: InProcess | None = None
        self._names = [port.name for port in module.main.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the file, which is loaded when it first runs."""
        self._file = self._file or runners_of(self._target).in_process(self._path)
        _check_given(self._names, inputs)
        return self._file.run(inputs)


class FileInProcess:
    """A file of a target that lives as long as the object, and is run in a process that files of all models share."""

    def __init__(self, module: Module, target: str, runtime: Worker) -> None:
        self._target, self._runtime = find_target(target), runtime
        self._folder, self._path = _write(module, self._target)
        self._names = [port.name for port in module.main.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Load the file in the process, and run it."""
        _check_given(self._names, inputs)
        return open_runner(self._target, self._path, self._runtime).run(inputs)


def _write(module: Module, target: Target) -> tuple[TemporaryDirectory[str], Path]:
    register_passes()
    Pipeline(parse_pipeline(target.pipeline)).run(module)
    folder = TemporaryDirectory(prefix="nhwcc-")
    path = Path(folder.name) / f"model{target.suffix}"
    target.emit(module, path)
    return folder, path


def _check_given(names: Sequence[str], inputs: Mapping[str, Array]) -> None:
    missing = [name for name in names if name not in inputs]
    if missing:
        raise error("R002", f"the input {missing[0]} is missing")
