"""Files of the target ONNX as a runner: onnxruntime in a process of its own, or onnx where it has no kernel."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import Dim, parse_dim
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.formats.layout import KEY, RENAMED, Layout, read_layout
from nhwcc.formats.onnx.tensors import element_type
from nhwcc.runners import Traced
from nhwcc.runners.onnx import ELEMENTS, OnnxRunner
from nhwcc.runners.stored_interface import StoredInterface
from nhwcc.runners.worker import InWorker, Worker

RUNTIME = (__name__, "OnnxFile")

RARE = frozenset(DType) - (frozenset(ELEMENTS.values()) - {DType.BF16})
"""Element types of which numpy itself has no arrays."""


def start() -> Worker:
    """Start the runtime's process; it is ready when a file is."""
    return Worker("onnxruntime", __name__)


def open_file(path: Path, worker: Worker, *, fast: bool) -> OnnxFileRunner:
    """Open an ONNX file in the process of a worker, and return its runner."""
    return OnnxFileRunner(path, worker, fast=fast)


def in_process(path: Path) -> OnnxFile:
    """Load an ONNX file into this process, where a crash of the runtime would end it."""
    return OnnxFile(path)


@dataclass(frozen=True)
class Described:
    """What a file says of itself: what will run it, types of inputs, ranks of outputs, and its metadata."""

    title: str
    inputs: dict[str, TensorType]
    outputs: dict[str, int]
    metadata: dict[str, str]


class OnnxFile:
    """An ONNX file that onnxruntime has loaded; lives in the worker's process."""

    def __init__(self, path: Path) -> None:
        onnx: Any = import_module("onnx")
        self.path = path
        self._model = onnx.load_model(str(path), load_external_data=False)
        self._runner: OnnxRunner | None = None
        self._reference: Any = None
        if self._exchanges_rare_types():
            self._reference = _reference(path, error("R018", "onnxruntime's Python has no arrays of these types"))
            return
        try:
            self._runner = OnnxRunner(path)
        except CompileError as bad:
            self._reference = _reference(path, bad)

    def _exchanges_rare_types(self) -> bool:
        """Whether inputs or outputs have a type that numpy lacks: onnxruntime neither takes nor gives such arrays."""
        ports = (*self._model.graph.input, *self._model.graph.output)
        return any(element_type(p.type.tensor_type.elem_type) in RARE for p in ports)

    def describe(self) -> Described:
        """Return names, element types and shapes of inputs and outputs, as the file declares them."""
        onnx: Any = import_module("onnx")
        metadata = {p.key: p.value for p in self._model.metadata_props}
        outputs = {o.name: len(o.type.tensor_type.shape.dim) for o in self._model.graph.output}
        if self._runner is not None:
            return Described(self._runner.title, self._runner.inputs, outputs, metadata)
        return Described(f"onnx {onnx.__version__}'s reference", _types(self._model), outputs, metadata)

    @property
    def is_by_reference(self) -> bool:
        """Whether onnx's reference runs the file, since onnxruntime has no kernel for some of it."""
        return self._runner is None

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays."""
        return self._runner.run(inputs) if self._runner is not None else self._evaluate(inputs)

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run without optimisations; the reference knows only one way."""
        return None if self._runner is None else self._runner.run_otherwise(inputs)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None) -> list[Traced]:
        """Return the tensors inside, nothing where the reference runs."""
        return [] if self._runner is None else list(self._runner.trace(inputs, only))

    def _evaluate(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        try:
            with np.errstate(all="ignore"):
                results = self._reference.run(None, dict(inputs))
        except _FAULTS as bad:
            raise error("R018", f"onnx's reference can't run the file: {' '.join(str(bad).split())}") from bad
        return dict(zip(self._reference.output_names, map(np.asarray, results), strict=True))


_FAULTS = (RuntimeError, ValueError, TypeError, NotImplementedError, IndexError, KeyError, AttributeError)
"""What the reference raises where it lacks something."""


def _reference(path: Path, refused: CompileError) -> Any:
    """Return onnx's own evaluator, for what onnxruntime has no kernel for.

    Raises:
        CompileError: R018, as onnxruntime says it, if that does not take the file either.
    """
    reference: Any = import_module("onnx.reference")
    try:
        return reference.ReferenceEvaluator(str(path))
    except _FAULTS:
        raise refused from None


def _types(model: Any) -> dict[str, TensorType]:
    out: dict[str, TensorType] = {}
    for i in model.graph.input:
        tensor = i.type.tensor_type
        shape: tuple[Dim, ...] = tuple(
            parse_dim(d.dim_param) if d.dim_param else int(d.dim_value) for d in tensor.shape.dim
        )
        out[i.name] = TensorType(element_type(tensor.elem_type), shape)
    return out


class OnnxFileRunner(InWorker):
    """Runs a written ONNX file; layouts are those that its metadata states, else the file's own.

    ``fast`` is for other targets: onnxruntime gets ready the same way.
    """

    def __init__(self, path: Path, worker: Worker | None = None, *, fast: bool = True) -> None:
        del fast
        self.path = path
        self._worker = worker or start()
        self._worker.make(*RUNTIME, path)
        self._said: Described = self._worker.call("describe")
        self._renamed: dict[str, str] = json.loads(self._said.metadata.get(RENAMED, "{}"))
        self._interface = StoredInterface(self._said.inputs, self._read_layout())

    def _read_layout(self) -> Layout | None:
        text = self._said.metadata.get(KEY)
        if text is None:
            return None
        outputs = {self._renamed.get(name, name): rank for name, rank in self._said.outputs.items()}
        ranks = {"inputs": {n: t.rank for n, t in self._said.inputs.items()}, "outputs": outputs}
        return read_layout(text.encode(), ranks)

    @property
    def title(self) -> str:
        """The runtime with its version."""
        return self._said.title

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout."""
        return self._interface.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(self._renamed.get(name, name) for name in self._said.outputs)

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
        return self._back(self._worker.call("run", self._interface.store(inputs)))

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run without the runtime's optimisations."""
        found: dict[str, Array] | None = self._worker.call("run_otherwise", self._interface.store(inputs))
        return None if found is None else self._back(found)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run without optimisations and give the tensors inside."""
        yield from self._worker.call("trace", self._interface.store(inputs), only)

    def _back(self, results: Mapping[str, Array]) -> dict[str, Array]:
        return self._interface.restore({self._renamed.get(name, name): array for name, array in results.items()})
