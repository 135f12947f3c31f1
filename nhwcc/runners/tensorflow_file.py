"""SavedModels and graphs of the target TensorFlow as a runner: TensorFlow in a process of its own.

Without TensorFlow, the reference interpreter runs what is read of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import Remark, error, remark
from nhwcc.compiler.dims import parse_dim
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, TensorType
from nhwcc.formats.tensorflow.interface import stated_interface
from nhwcc.formats.tensorflow.saved_model import Port, read_contents
from nhwcc.runners import Traced
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tensorflow import SESSION, is_available
from nhwcc.runners.tensorflow_session import TensorflowSession
from nhwcc.runners.worker import InWorker, Worker
from nhwcc.targets import TargetRunner

MISSING = "TensorFlow is not installed (pip install 'nhwcc[tensorflow]')"


def start() -> Worker:
    """Start the runtime's process; it is ready when a file is."""
    return Worker(*(("tensorflow",) if is_available() else ()))


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a file in a runtime's process, or for the reference interpreter where there is no runtime."""
    del fast
    return TensorflowFileRunner(path, worker) if is_available() else InterpretedFile(path)


def in_process(path: Path) -> TensorflowFile:
    """Load a file into this process.

    Raises:
        CompileError: R017, TensorFlow is not installed; R018, it refuses the file.
    """
    if not is_available():
        raise error("R017", MISSING)
    return TensorflowFile(path)


@dataclass(frozen=True)
class StoredPort:
    """An input or output: its tensor, the source's name and type, and how the source's axes lie in the file."""

    tensor: str
    name: str
    type: TensorType
    perm: tuple[int, ...]


def ports_of(path: Path) -> tuple[list[StoredPort], list[StoredPort], tuple[str, ...]]:
    """Return the inputs and outputs of a file of ours, and its tags."""
    contents = read_contents(path)
    stated = stated_interface(contents.graph)
    if stated is None:
        raise error("R010", f"{path} was not written by nhwcc", help="nhwcc verify runs any model")
    sides = (("inputs", stated.inputs), ("outputs", stated.outputs))
    inputs, outputs = ([_port(n, p, stated.layout[side][n]) for n, p in ports.items()] for side, ports in sides)
    return inputs, outputs, contents.tags


def _port(name: str, port: Port, said: Mapping[str, Any]) -> StoredPort:
    shape = tuple(size if isinstance(size, int) else parse_dim(size) for size in said["shape"])
    return StoredPort(port.tensor, name, TensorType(port.element.known(name), shape), tuple(said["perm"]))


class TensorflowFile:
    """A file in TensorFlow's process: arrays go in and come out by the source's names, as they lie in the file."""

    def __init__(self, path: Path) -> None:
        self._inputs, self._outputs, tags = ports_of(path)
        self._session = TensorflowSession(path, tags)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, TensorFlow refuses them.
        """
        missing = [port.name for port in self._inputs if port.name not in inputs]
        if missing:
            raise error("R002", f"the input {missing[0]} is missing")
        fed = {port.tensor: inputs[port.name] for port in self._inputs}
        results = self._session.run([port.tensor for port in self._outputs], fed)
        return {port.name: np.asarray(array) for port, array in zip(self._outputs, results, strict=True)}


class TensorflowFileRunner(InWorker):
    """Runs a written file by TensorFlow, in the source's layout."""

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        self.path = path
        self._inputs, self._outputs, self._tags = ports_of(path)
        self._worker = worker or start()

    @cached_property
    def _runtime(self) -> Worker:
        """The process with the file loaded."""
        self._worker.make(*SESSION, self.path, self._tags)
        return self._worker

    @property
    def title(self) -> str:
        """TensorFlow with its version."""
        return f"TensorFlow {self._runtime.call('version')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout."""
        return {port.name: port.type for port in self._inputs}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(port.name for port in self._outputs)

    def allocate(self) -> None:
        """Nothing is left to do: TensorFlow takes any sizes."""

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        results = self._runtime.call("run", [port.tensor for port in self._outputs], self._fed(inputs))
        pairs = zip(self._outputs, results, strict=True)
        return {port.name: np.asarray(array).transpose(inverse(port.perm)) for port, array in pairs}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """TensorFlow is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run for the tensors of the graph itself; those inside of functions can't be asked for."""
        kinds: Mapping[str, str] = self._runtime.call("tensors")
        wanted = [name for name in kinds if only is None or name in only]
        results: list[Any] = self._runtime.call("run", [f"{name}:0" for name in wanted], self._fed(inputs))
        for name, array in zip(wanted, results, strict=True):
            yield Traced(name, kinds[name], array)

    def _fed(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        there = [port for port in self._inputs if port.name in inputs]
        return {port.tensor: _stored(inputs[port.name], port) for port in there}


def _stored(array: Array, port: StoredPort) -> Array:
    """Return an array as the file takes it, which may have another element type in the place of one that it lacks."""
    return np.asarray(array).transpose(port.perm).astype(port.type.dtype.numpy, copy=False)


class InterpretedFile(ReferenceRunner):
    """Runs what is read of a written file by the reference interpreter."""

    def __init__(self, path: Path) -> None:
        from nhwcc.frontends.tensorflow import import_tensorflow

        super().__init__(import_tensorflow(path))
        remark(Remark("warning", "verify", f"the file is run by the reference interpreter: {MISSING}"))

    def allocate(self) -> None:
        """Nothing is left to do."""
