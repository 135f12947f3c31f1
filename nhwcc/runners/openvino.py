"""OpenVINO as a runner, in a process of its own: reading a damaged model may end it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import Sym
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.openvino.weights import STORED_AS, element_type
from nhwcc.formats.packed import elements, stored_weight
from nhwcc.runners import Traced
from nhwcc.runners.worker import InWorker, Worker

RUNTIME = (__name__, "OpenvinoModel")

CONFIG = {"INFERENCE_PRECISION_HINT": "f32"}
"""On processors that can, OpenVINO computes in 16 bits unless it is told otherwise."""

RARE = frozenset(d for d in DType if d is DType.BF16 or d.bits < 8 or (d.is_float and d.bits == 8)) - {DType.STRING}
"""Element types of which numpy itself has no arrays."""

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of inputs by layer; -1 for a size that stays open."""


@dataclass(frozen=True)
class Ends:
    """The layers of inputs and outputs by our names, and the variables of those that are states."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    variables: Mapping[str, str]


class OpenvinoModel:
    """A loaded model, in the runtime's process; inputs and outputs have the names of their layers."""

    def __init__(self, source: Path | bytes, weights: Path | None, shapes: Shapes) -> None:
        self._source = source
        self._weights = weights
        self._shapes = shapes
        self._request = _compiled(self._read())

    def run(
        self, inputs: Mapping[str, Array], states: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the outputs, and what variables hold afterwards.

        A model that has refused sizes is loaded again: it would give wrong numbers from then on.
        """
        try:
            return self._run(self._request, inputs, states)
        except CompileError:
            self._request = _compiled(self._read())
            raise

    def trace(
        self, inputs: Mapping[str, Array], states: Mapping[str, Array], only: Collection[str] | None
    ) -> list[Traced]:
        """Return the tensors inside, those called like one of ``only``."""
        ports = _inside(self._read(), only)
        if not ports:
            return []
        model = self._read()
        model.add_outputs(list(ports))
        ends = {_origin(port): i for i, port in enumerate(model.outputs)}
        request = _compiled(model)
        self._run(request, inputs, states)
        arrays = {port: _array(request.get_output_tensor(i)) for port, i in ends.items() if port in ports}
        return [Traced(*ports[port], array) for port, array in arrays.items()]

    def _read(self) -> Any:
        core = _openvino().Core()
        try:
            if isinstance(self._source, Path):
                weights = self._weights or self._source.with_suffix(".bin")
                model = core.read_model(str(self._source), str(weights) if weights.exists() else "")
            else:
                model = core.read_model(self._source, _openvino().Tensor(np.zeros(0, np.uint8)))
            wanted = {p.get_friendly_name(): self._shapes.get(p.get_friendly_name()) for p in model.get_parameters()}
            stated = {p.get_friendly_name(): p.get_partial_shape() for p in model.get_parameters()}
            if any(s is not None and stated[n] != _openvino().PartialShape(list(s)) for n, s in wanted.items()):
                ports = {p.get_friendly_name(): p.output(0) for p in model.get_parameters()}
                model.reshape({ports[n]: _openvino().PartialShape(list(s)) for n, s in wanted.items() if s is not None})
        except RuntimeError as bad:
            raise _refused(bad) from bad
        return model

    def _run(
        self, request: Any, inputs: Mapping[str, Array], states: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        try:
            for variable in request.query_state():
                variable.reset()
                if variable.name in states:
                    variable.state = _tensor(states[variable.name])
            given = {i: _tensor(inputs[p.get_node().get_friendly_name()]) for i, p in enumerate(request.model_inputs)}
            request.infer(given)
            outputs = {
                p.get_node().get_friendly_name(): _array(request.get_output_tensor(i))
                for i, p in enumerate(request.model_outputs)
            }
            return outputs, {v.name: _array(v.state) for v in request.query_state()}
        except RuntimeError as bad:
            raise _refused(bad) from bad


def _tensor(array: Array) -> Any:
    """Return an array as OpenVINO has it; of types that numpy lacks, the elements as bytes."""
    dtype = DType.of(array.dtype)
    if dtype not in RARE:
        return _openvino().Tensor(np.asarray(array, order="C"), shared_memory=False)
    tensor = _openvino().Tensor(getattr(_openvino().Type, STORED_AS[dtype]), _openvino().Shape(list(array.shape)))
    raw = b"".join(elements(Weight.of(array)))
    tensor.data.reshape(-1).view(np.uint8)[: len(raw)] = np.frombuffer(raw, np.uint8)
    return tensor


def _array(tensor: Any) -> Array:
    """Return a copy of the elements of a tensor; Python sees those of types that numpy lacks as bytes."""
    dtype = element_type(tensor.element_type.get_type_name())
    if dtype not in RARE:
        return np.array(tensor.data)
    raw = np.array(tensor.data).reshape(-1).view(np.uint8)
    return stored_weight(TensorType(dtype, tuple(tensor.shape)), lambda: raw).array()


def _compiled(model: Any) -> Any:
    """Get a model ready, and return what runs it."""
    try:
        return _openvino().compile_model(model, "CPU", CONFIG).create_infer_request()
    except RuntimeError as bad:
        raise _refused(bad) from bad


def _origin(output: Any) -> tuple[str, int]:
    """Return the operation and the number of the result that an output gives."""
    port = output.get_node().input_value(0)
    return str(port.get_node().get_friendly_name()), int(port.get_index())


def _inside(model: Any, only: Collection[str] | None) -> dict[tuple[str, int], tuple[str, str]]:
    """Return the results of operations, by operation and number, with their names and what computes them."""
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for op in model.get_ordered_ops():
        kind, own = str(op.get_type_name()), str(op.get_friendly_name())
        if kind in ("Parameter", "Constant", "Result"):
            continue
        for i in range(op.get_output_size()):
            numbered = f"{own}.{i}" if op.get_output_size() > 1 else own
            names = [*sorted(op.output(i).get_names()), numbered]
            wanted = next((n for n in names if only is None or n in only), None)
            if wanted is not None:
                found[own, i] = (wanted, kind)
    return found


def is_available() -> bool:
    """Return whether OpenVINO is installed; nothing of it is imported."""
    return find_spec("openvino") is not None


def _openvino() -> Any:
    return import_module("openvino")


def _refused(bad: Exception) -> CompileError:
    text = " ".join(str(bad).split())
    layer = re.search(r"Cannot create (\S+) layer .* from unsupported opset", text)
    if layer is not None:
        return error("R023", f"OpenVINO has no kernel for the operation {layer[1]}")
    return error("R018", f"OpenVINO refuses the model: {text}")


class OpenvinoRunner(InWorker):
    """Runs a model; ``types`` are those of its inputs, ``first`` what states are in a first call."""

    def __init__(
        self,
        source: Path | bytes,
        weights: Path | None,
        types: Mapping[str, TensorType],
        ends: Ends,
        first: Mapping[str, Weight],
    ) -> None:
        self._types = dict(types)
        self._ends = ends
        self._first = first
        self._worker = Worker("openvino", __name__)
        shapes = {ends.inputs[n]: _open_shape(t) for n, t in types.items() if n in ends.inputs}
        try:
            self._worker.make(*RUNTIME, source, weights, shapes)
        except CompileError:
            self._worker.close()
            raise

    @property
    def title(self) -> str:
        """The runtime with its version."""
        return f"OpenVINO {version('openvino')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """Types in the source's layout, by the names of the module's inputs."""
        return dict(self._types)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names that the module's outputs have."""
        return (*self._ends.outputs, *self._ends.variables)

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return what the variables hold at first."""
        return {name: weight.array() for name, weight in self._first.items()}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model."""
        outputs, states = self._worker.call("run", *self._given(inputs))
        found = {name: outputs[layer] for name, layer in self._ends.outputs.items()}
        return found | {name: states[variable] for name, variable in self._ends.variables.items()}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """OpenVINO is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run with more outputs."""
        yield from self._worker.call("trace", *self._given(inputs), only)

    def _given(self, inputs: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return inputs by their layers, and states by their variables."""
        given = {layer: inputs[name] for name, layer in self._ends.inputs.items() if name in inputs}
        return given, {variable: inputs[name] for name, variable in self._ends.variables.items() if name in inputs}


def _open_shape(type: TensorType) -> tuple[int, ...]:
    return tuple(-1 if isinstance(d, Sym) else d for d in type.shape)
