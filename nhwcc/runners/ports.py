"""What runs written files under the source's names: inputs and outputs, and how the source's axes lie in a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import parse_dim
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.formats.tensorflow.interface import stated_interface
from nhwcc.formats.tensorflow.model import Graph
from nhwcc.runners import Traced
from nhwcc.runners.worker import InWorker, Worker


@dataclass(frozen=True)
class StoredPort:
    """An input or output: the source's name and type, how its axes lie in the file, and what the runtime calls it."""

    name: str
    type: TensorType
    perm: tuple[int, ...]
    tensor: str

    @staticmethod
    def of(name: str, dtype: DType, said: Mapping[str, Any], tensor: str) -> StoredPort:
        """Return what a file says, sizes with names included.

        Raises:
            ValueError, KeyError, TypeError, CompileError: it is damaged.
        """
        shape = tuple(size if isinstance(size, int) else parse_dim(size) for size in said["shape"])
        perm: tuple[int, ...] = tuple(said["perm"])
        if not isinstance(said.get("name", ""), str) or sorted(perm) != list(range(len(shape))):
            raise ValueError(f"the axes {perm} of a tensor of {len(shape)}")
        return StoredPort(name, TensorType(dtype, shape), perm, tensor)

    def stored(self, array: Array) -> Array:
        """Return an array of the source's layout as the file takes it, in the type that it has there."""
        return np.asarray(array).transpose(self.perm).astype(self.type.dtype.numpy, copy=False)

    def restored(self, array: Array) -> Array:
        """Return what comes out in the source's layout."""
        return np.asarray(array).transpose(inverse(self.perm))


@dataclass(frozen=True)
class Ports:
    """The inputs and the outputs of a file: names, types, and layouts."""

    inputs: Sequence[StoredPort]
    outputs: Sequence[StoredPort]

    def given(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays that lie as in the file by what the runtime calls them.

        Raises:
            CompileError: R002, one is missing.
        """
        missing = next((port.name for port in self.inputs if port.name not in inputs), None)
        if missing is not None:
            raise error("R002", f"the input {missing} is missing")
        return {p.tensor: np.asarray(inputs[p.name]).astype(p.type.dtype.numpy, copy=False) for p in self.inputs}

    def named(self, results: Sequence[Array]) -> dict[str, Array]:
        """Return what comes out by the source's names.

        Raises:
            CompileError: R010, the network has others than the file says, or of other ranks.
        """
        return {port.name: np.asarray(array) for port, array in self.paired(results)}

    def paired(self, results: Sequence[Array]) -> Iterator[tuple[StoredPort, Array]]:
        """Yield every output with its array.

        Raises:
            CompileError: R010, as :meth:`named`.
        """
        if [len(port.perm) for port in self.outputs] != [np.ndim(array) for array in results]:
            raise error("R010", "the file says of other outputs in which layout they are", help="write it again")
        yield from zip(self.outputs, results, strict=True)


def ports_of_graph(graph: Graph, path: Path, signature: str | None = None) -> Ports:
    """Return the inputs and outputs of a graph of ours, which was read of a path, or those of a signature of it.

    Raises:
        CompileError: R010, somebody else has written it.
    """
    stated = stated_interface(graph, signature)
    if stated is None:
        raise not_ours(path)
    inputs, outputs = (
        [StoredPort.of(n, p.element.known(n), stated.layout[side][n], p.tensor) for n, p in own.items()]
        for side, own in (("inputs", stated.inputs), ("outputs", stated.outputs))
    )
    return Ports(inputs, outputs)


def not_ours(path: Path) -> CompileError:
    """Build the error about a file that does not say how its axes lie."""
    return error("R010", f"{path} was not written by nhwcc", help="nhwcc verify runs any model")


class FileRunner(InWorker):
    """Runs a written file in a process of its own, in the source's layout.

    The process makes the ``session``, a class of a module, of the arguments ``made_of``.  It has ``version``,
    ``tensors`` with the kinds of what can be asked for, and ``run``, which takes names of results, and arrays by name.
    ``inner`` is the method that gives what :meth:`trace` asks for, under names such as ``wanted``.
    """

    title_of_runtime: str
    session: tuple[str, str]
    inner = "run"
    wanted = "{}"

    def __init__(self, path: Path, ports: Ports, worker: Worker, made_of: tuple[object, ...]) -> None:
        self.path = path
        self._ports = ports
        self._worker = worker
        self._made_of = made_of

    @cached_property
    def _runtime(self) -> Worker:
        """The process with the file loaded."""
        self._worker.make(*self.session, *self._made_of)
        return self._worker

    @property
    def title(self) -> str:
        """Name and version of the runtime, for reports."""
        return f"{self.title_of_runtime} {self._runtime.call('version')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout."""
        return {port.name: port.type for port in self._ports.inputs}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(port.name for port in self._ports.outputs)

    def allocate(self) -> None:
        """Load the file, which the runtime may refuse."""
        self._runtime.call("version")

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        results = self._runtime.call("run", [port.tensor for port in self._ports.outputs], self._fed(inputs))
        return {port.name: port.restored(array) for port, array in self._ports.paired(results)}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """The runtime is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run for what the file itself computes; what functions compute can't be asked for."""
        kinds: Mapping[str, str] = self._runtime.call("tensors")
        names = [name for name in kinds if only is None or name in only]
        results: list[Any] = self._runtime.call(self.inner, [self.wanted.format(n) for n in names], self._fed(inputs))
        for name, array in zip(names, results, strict=True):
            yield Traced(name, kinds[name], array)

    def _fed(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {port.tensor: port.stored(inputs[port.name]) for port in self._ports.inputs if port.name in inputs}
