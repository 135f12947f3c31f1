"""Files of the target OpenVINO as a runner, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.dims import symbol
from nhwcc.compiler.types import Array, TensorType
from nhwcc.formats.layout import KEY, RENAMED, Layout, read_layout
from nhwcc.formats.openvino.model import Layer
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.formats.openvino.weights import element_type, stated_type
from nhwcc.runners import Traced
from nhwcc.runners.openvino import RUNTIME, OpenvinoModel, is_available
from nhwcc.runners.stored_interface import StoredInterface
from nhwcc.runners.worker import InWorker, Worker

INSTALL = "pip install 'nhwcc[openvino]'"


def start() -> Worker:
    """Start the runtime's process; it is ready when a file is."""
    return Worker(*(["openvino"] if is_available() else []), RUNTIME[0])


def open_file(path: Path, worker: Worker, *, fast: bool) -> OpenvinoFileRunner:
    """Open an OpenVINO model in the process of a worker, and return its runner."""
    return OpenvinoFileRunner(path, worker, fast=fast)


def in_process(path: Path) -> OpenvinoFile:
    """Load an OpenVINO model into this process, where a crash of the runtime would end it."""
    return OpenvinoFile(path)


def written_file(path: Path, stack: ExitStack) -> OpenvinoFileRunner | None:
    """Return what runs a file that says in which layout it has its inputs and outputs, None for any other file."""
    return stack.enter_context(OpenvinoFileRunner(path)) if _Ends(path).layout is not None else None


class OpenvinoFile:
    """A loaded file; inputs and outputs have the names that it states."""

    def __init__(self, path: Path) -> None:
        self._ends = _Ends(path)
        self._model = OpenvinoModel(path, None, {})
        self._states: dict[str, Array] = {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays; states go on where the last call ended.

        Raises:
            CompileError: R002, an input is missing; R018, the runtime refuses.
        """
        missing = [name for name in self._ends.inputs if name not in inputs]
        if missing:
            raise error("R002", f"the input {missing[0]!r} is missing")
        given = {n: np.asarray(inputs[n]) for n in self._ends.inputs}
        found, self._states = self._model.run(given, self._states)
        return {self._ends.outputs[layer]: array for layer, array in found.items()}


class _Ends:
    """What a file says of its inputs, outputs and states: types, ranks, names by layers, and its metadata."""

    def __init__(self, path: Path) -> None:
        contents = read_contents(path)
        network = contents.network
        self.metadata = {name.replace("/", "."): text for name, text in contents.metadata.items()}
        self.renamed: dict[str, str] = json.loads(self.metadata.get(RENAMED, "{}"))
        self.inputs = {layer.name: _type(layer) for layer in network.of_type("Parameter")}
        reads = network.of_type("ReadValue")
        self.states = {layer.data["variable_id"]: _port_type(layer) for layer in reads if "variable_id" in layer.data}
        self.outputs: dict[str, str] = {}
        self.ranks: dict[str, int] = {}
        for layer in network.of_type("Result"):
            name = layer.output_names[0] if layer.output_names else layer.name
            self.outputs[layer.name] = self.renamed.get(name, name)
            self.ranks[self.outputs[layer.name]] = len(layer.inputs[0].dims)

    @property
    def layout(self) -> Layout | None:
        """In which layout inputs and outputs lie, if the file says so."""
        text = self.metadata.get(KEY)
        ranks = {"inputs": {n: t.rank for n, t in self.inputs.items()}, "outputs": self.ranks}
        return None if text is None else read_layout(text.encode(), ranks)


def _port_type(layer: Layer) -> TensorType:
    """Return the type of the result of a layer; open sizes get names of their own."""
    port = layer.outputs[0]
    dims = tuple(d if d >= 0 else symbol(f"{layer.name}_{axis}") for axis, d in enumerate(port.dims))
    return TensorType(element_type(stated_type(port.precision)), dims)


def _type(layer: Layer) -> TensorType:
    """Return the type of a Parameter; open sizes get names of their own."""
    shape = layer.data.get("shape", "")
    sizes = [part.strip() for part in shape.split(",") if part.strip()]
    named = [int(s) if s.isdecimal() else symbol(f"{layer.name}_{axis}") for axis, s in enumerate(sizes)]
    return TensorType(element_type(layer.data.get("element_type", "")), tuple(named))


class OpenvinoFileRunner(InWorker):
    """Runs a written file; layouts are those that its metadata states, else the file's own.

    ``fast`` says that it will run: without OpenVINO a file that is only to be opened is taken for right.
    """

    def __init__(self, path: Path, worker: Worker | None = None, *, fast: bool = True) -> None:
        self.path = path
        self._worker = worker or start()
        self._ends = _Ends(path)
        self._interface = StoredInterface(self._ends.inputs, self._ends.layout)
        if is_available():
            self._worker.make(*RUNTIME, path, None, {})
        elif fast:
            self._worker.close()
            text = f"OpenVINO is not installed, which runs what is written ({INSTALL})"
            raise error("R017", text, help="install it, or write without verifying: --no-verify")

    @property
    def title(self) -> str:
        """The runtime with its version."""
        return f"OpenVINO {version('openvino')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout, and of the states that the file keeps."""
        return self._interface.inputs | self._ends.states

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, and of the states."""
        return (*self._ends.outputs.values(), *self._ends.states)

    @property
    def states_layout(self) -> bool:
        """Whether the file says in which layout it has its inputs and outputs; else they count as the source's."""
        return self._interface.layout is not None

    def allocate(self) -> None:
        """Nothing is left to do: the runtime has read the file, and takes any sizes."""

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        results, states = self._worker.call("run", self._interface.store(inputs), self._begun(inputs))
        named = {self._ends.outputs[layer]: array for layer, array in results.items()}
        return self._interface.restore(named) | states

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """OpenVINO is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run with more outputs and give the tensors inside."""
        yield from self._worker.call("trace", self._interface.store(inputs), self._begun(inputs), only)

    def _begun(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return what states are to hold before a call."""
        return {name: np.asarray(inputs[name]) for name in self._ends.states if name in inputs}
