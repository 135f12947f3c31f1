"""Files of the targets of Keras as a runner: Keras in a process of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import parse_dim
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.formats.keras.build import check_installed
from nhwcc.formats.keras.interface import is_annotated, stated_ports
from nhwcc.formats.keras.refusals import STANDARD
from nhwcc.runners import Traced
from nhwcc.runners.tensorflow import is_available
from nhwcc.runners.worker import InWorker, Worker
from nhwcc.targets import TargetRunner

SESSION = ("nhwcc.runners.keras_session", "KerasSession")


def start() -> Worker:
    """Start the process; Keras gets ready in it."""
    return Worker(*(("tensorflow", "keras") if is_available() else ()))


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a file in the process."""
    del fast
    return KerasFileRunner(path, worker)


def in_process(path: Path) -> KerasFile:
    """Load a file into this process.

    Raises:
        CompileError: R017, Keras is not installed; R018, it refuses the file.
    """
    check_installed()
    return KerasFile(path)


@dataclass(frozen=True)
class StoredPort:
    """An input or output: the source's name and type, and how the source's axes lie in the file."""

    name: str
    type: TensorType
    perm: tuple[int, ...]

    @staticmethod
    def read(said: Mapping[str, Any]) -> StoredPort:
        """Return what a file says.

        Raises:
            ValueError, KeyError, TypeError, CompileError: it is damaged.
        """
        shape = tuple(size if isinstance(size, int) else parse_dim(size) for size in said["shape"])
        perm = tuple(said["perm"])
        if not isinstance(said["name"], str) or sorted(perm) != list(range(len(shape))):
            raise ValueError(f"the axes {perm} of a tensor of {len(shape)}")
        return StoredPort(said["name"], TensorType(DType(said["dtype"]), shape), perm)


def ports_of(path: Path) -> tuple[list[StoredPort], list[StoredPort]]:
    """Return the inputs and outputs of a file of ours.

    Raises:
        CompileError: R010, somebody else has written it, or what it says is damaged.
    """
    try:
        said = stated_ports(path)
        if said is not None:
            inputs, outputs = ([StoredPort.read(port) for port in said[side]] for side in ("inputs", "outputs"))
            return inputs, outputs
    except (*STANDARD, CompileError) as bad:
        text = f"{path}: what it says of its inputs and outputs is damaged"
        raise error("R010", text, help="write it again") from bad
    raise error("R010", f"{path} was not written by nhwcc", help="nhwcc verify runs any model")


def written_file(path: Path, stack: ExitStack) -> KerasFileRunner | None:
    """Return what runs a file that says in which layout it has its inputs and outputs, None for any other file."""
    return stack.enter_context(KerasFileRunner(path)) if is_annotated(path) else None


class KerasFile:
    """A file in this process: arrays go in and come out by the source's names, as they lie in the file."""

    def __init__(self, path: Path) -> None:
        from nhwcc.runners.keras_session import KerasSession

        self._inputs, self._outputs = ports_of(path)
        self._session = KerasSession(path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, Keras refuses them.
        """
        results = self._session.run([_given(inputs, port) for port in self._inputs])
        return {port.name: array for port, array in _pairs(self._outputs, results)}


def _pairs(ports: Sequence[StoredPort], results: Sequence[Array]) -> Iterator[tuple[StoredPort, Array]]:
    """Yield every output with its array.

    Raises:
        CompileError: R010, the network has others than the file says, or of other ranks.
    """
    if [len(port.perm) for port in ports] != [array.ndim for array in results]:
        raise error("R010", "the file says of other outputs in which layout they are", help="write it again")
    yield from zip(ports, results, strict=True)


def _given(inputs: Mapping[str, Array], port: StoredPort) -> Array:
    if port.name not in inputs:
        raise error("R002", f"the input {port.name} is missing")
    return np.asarray(inputs[port.name]).astype(port.type.dtype.numpy, copy=False)


class KerasFileRunner(InWorker):
    """Runs a written file by Keras, in the source's layout."""

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        self.path = path
        self._inputs, self._outputs = ports_of(path)
        self._worker = worker or start()

    @cached_property
    def _runtime(self) -> Worker:
        """The process with the file loaded."""
        self._worker.make(*SESSION, self.path)
        return self._worker

    @property
    def title(self) -> str:
        """Keras with its version."""
        return f"Keras {self._runtime.call('version')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout."""
        return {port.name: port.type for port in self._inputs}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(port.name for port in self._outputs)

    def allocate(self) -> None:
        """Load the file, which Keras may refuse."""
        self._runtime.call("version")

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        results: list[Array] = self._runtime.call("run", self._fed(inputs))
        return {port.name: array.transpose(inverse(port.perm)) for port, array in _pairs(self._outputs, results)}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """Keras is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run for what layers and operations give."""
        kinds: Mapping[str, str] = self._runtime.call("tensors")
        wanted = [name for name in kinds if only is None or name in only]
        results: list[Any] = self._runtime.call("inner", wanted, self._fed(inputs))
        for name, array in zip(wanted, results, strict=True):
            yield Traced(name, kinds[name], array)

    def _fed(self, inputs: Mapping[str, Array]) -> list[Array]:
        return [_given(inputs, port).transpose(port.perm) for port in self._inputs]
