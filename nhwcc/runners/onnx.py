"""ONNX models as sources, run by onnxruntime in this process."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nhwcc.compiler.budget import watched
from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import Dim, Sym, symbol
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.runners import Traced

if TYPE_CHECKING:
    from onnx import ModelProto

FOLDER = "session.model_external_initializers_file_folder_path"
"""onnxruntime's key for where the weights of a model given as bytes lie."""

SPINNING = "session.intra_op.allow_spinning"
"""Its key for whether threads that have nothing to do keep a processor busy."""

ELEMENTS = {
    "float": DType.F32,
    "double": DType.F64,
    "float16": DType.F16,
    "bfloat16": DType.BF16,
    "bool": DType.BOOL,
    "string": DType.STRING,
    **{f"int{bits}": DType(f"i{bits}") for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": DType(f"u{bits}") for bits in (8, 16, 32, 64)},
}
"""Element types by onnxruntime's names."""


class OnnxRunner:
    """Runs an ONNX model: a path, bytes, or a parsed message.

    ``types`` and ``outputs`` say which part of the model runs, with which shapes, where that differs from the file.
    """

    def __init__(
        self,
        source: Path | bytes | ModelProto,
        *,
        types: Mapping[str, TensorType] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        self._source = source
        self._types = types
        self._outputs = outputs
        self._session = self._open(None)
        if any("map(" in o.type for o in self._session.get_outputs()):
            self._outputs = self.outputs  # the model is opened as a part, in which maps are tensors
            self._session = self._open(None)

    @property
    def title(self) -> str:
        """The runtime with its version."""
        return f"onnxruntime {_ort().__version__}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs."""
        return {i.name: _type(i) for i in self._session.get_inputs()} if self._types is None else dict(self._types)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(o.name for o in self._session.get_outputs())

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the session."""
        return self._run(self._session, inputs)

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run a session in which nothing is optimised, on one thread: kernels may round together what each one runs."""
        return self._run(self._open(self.outputs, threads=1), inputs)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run a session in which every value is an output and nothing is optimised away."""
        model = self._message()
        kinds = {name: node.op_type for node in model.graph.node for name in node.output if name}
        kinds = {name: kind for name, kind in kinds.items() if only is None or name in only}
        if not kinds:
            return
        results = self._run(self._open(list(kinds)), inputs)
        for name, kind in kinds.items():
            yield Traced(name, kind, results[name])

    def _run(self, session: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
        names = [o.name for o in session.get_outputs()]
        wanted = {i.name for i in session.get_inputs()}
        options = _ort().RunOptions()
        with watched("the run on onnxruntime", lambda: setattr(options, "terminate", True)):
            try:
                given = {name: np.asarray(a) for name, a in inputs.items() if name in wanted}
                results = session.run(names, given, options)
            except _refusals() as bad:
                raise _refused(bad) from bad
        return dict(zip(names, results, strict=True))

    def _open(self, outputs: Sequence[str] | None, threads: int = 0) -> Any:
        """Make a session; with ``outputs``, one for looking inside. 0 threads are as many as there are processors."""
        options = _ort().SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4  # what matters arrives as an exception
        options.add_session_config_entry(SPINNING, "0")  # threads that wait would take time from the other runtime
        model: Any = self._source
        if outputs is not None:
            options.graph_optimization_level = _ort().GraphOptimizationLevel.ORT_DISABLE_ALL
        if outputs is not None or self._types is not None or self._outputs is not None:
            model = _part(self._message(), self._types, outputs if outputs is not None else self._outputs)
        if isinstance(self._source, Path) and model is not self._source:
            options.add_session_config_entry(FOLDER, str(self._source.resolve().parent))
        content: Any = str(model) if isinstance(model, Path) else model
        try:
            content = content if isinstance(content, str | bytes) else content.SerializeToString()
            return _ort().InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _refusals() as bad:
            raise _refused(bad) from bad

    def _message(self) -> ModelProto:
        """Read the model without the elements of weights in other files."""
        onnx: Any = import_module("onnx")
        if isinstance(self._source, bytes):
            return onnx.load_model_from_string(self._source)
        if isinstance(self._source, Path):
            return onnx.load_model(str(self._source), load_external_data=False)
        copy = onnx.ModelProto()
        copy.CopyFrom(self._source)
        return copy


def is_available() -> bool:
    """Return whether onnxruntime is installed; nothing of it is imported."""
    try:
        _ort()
    except ImportError:
        return False
    return True


SILENCE = "ORT_DISABLE_TELEMETRY"
"""The variable that keeps onnxruntime from telling its makers which models run; it is read once, at the import."""


@cache
def _ort() -> Any:
    os.environ.setdefault(SILENCE, "1")
    return import_module("onnxruntime")


@cache
def _refusals() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: classes without a common base."""
    _ort()
    state = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = tuple(v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception))
    return (*own, ValueError, RuntimeError)


NEWER = {
    r"Unsupported model IR version: (\d+), max supported IR version: (\d+)": "IR version",
    r"Opset (\d+) is under development.*support for domain \S* is till opset (\d+)": "opset",
}
"""What onnxruntime says of models that are newer than itself: their version, and the newest that it reads."""


def _refused(bad: Exception) -> CompileError:
    text = " ".join(str(bad).split())
    node = re.search(r"(\S+)\(-?\d+\) is not a registered function/op", text)
    if node is not None:
        return error("R023", f"onnxruntime has no kernel for the operator {node[1]}")
    for pattern, what in NEWER.items():
        if found := re.search(pattern, text):
            own, newest = found.groups()
            text = f"it has {what} {own}, and onnxruntime {_ort().__version__} reads up to {newest}"
            help = f"pip install --upgrade onnxruntime; or export the model with {what} {newest}"
            return error("R018", f"onnxruntime refuses the model: {text}", help=help)
    return error("R018", f"onnxruntime refuses the model: {text}")


def _part(model: ModelProto, types: Mapping[str, TensorType] | None, outputs: Sequence[str] | None) -> ModelProto:
    """Let a model start at the inputs ``types`` and end at ``outputs``; nodes that nobody needs go.

    What would give maps gives the tensor that they are made of, as the frontend reads it.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    for node in graph.node:
        if node.op_type == "ZipMap":
            node.CopyFrom(helper.make_node("Identity", node.input, node.output, node.name))
    if outputs is not None:
        del graph.output[:]
        graph.output.extend(helper.make_empty_tensor_value_info(name) for name in outputs)
    if types is not None:
        del graph.input[:]
        for name, type in types.items():
            element = (
                helper.np_dtype_to_tensor_dtype(type.dtype.numpy) if type.dtype != "string" else TensorProto.STRING
            )
            shape = [str(d) if isinstance(d, Sym) else d for d in type.shape]
            graph.input.append(helper.make_tensor_value_info(name, element, shape))
        del graph.value_info[:]  # shapes that may no longer hold
    needed = {o.name for o in graph.output}
    given = set(types or ())
    kept = [node for node in reversed(graph.node) if _keep(node, needed, given)]
    del graph.node[:]
    graph.node.extend(reversed(kept))
    return model


def _keep(node: Any, needed: set[str], given: set[str]) -> bool:
    """Whether a node computes something that is needed and not given; what it reads is then needed, too."""
    if not any(name in needed and name not in given for name in node.output):
        return False
    needed.update(_reads(node))
    for i, name in enumerate(node.output):
        if name in given:
            node.output[i] = f"{name}/unused"  # one of several results is given from outside
    return True


def _reads(node: Any) -> Iterator[str]:
    """What a node and the graphs in its attributes read."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            yield from (o.name for o in graph.output)
            for inner in graph.node:
                yield from _reads(inner)


def _type(declared: Any) -> TensorType:
    """Read ``tensor(float)`` and sizes that are numbers, names or nothing."""
    element = declared.type.removeprefix("tensor(").removesuffix(")")
    if element not in ELEMENTS:
        raise error("R018", f"the input {declared.name} is a {declared.type}, which can't be compared")
    return TensorType(ELEMENTS[element], tuple(_dim(d, i) for i, d in enumerate(declared.shape)))


def _dim(stated: int | str | None, axis: int) -> Dim:
    if isinstance(stated, int) and stated >= 0:
        return stated
    return symbol(stated if isinstance(stated, str) and stated.isidentifier() else f"d{axis}")
