"""Graph models as files: the graph as JSON, in which constants are names, and the bytes of these in parts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from ...compiler.diagnostics import error, reason
from ...compiler.dims import static
from ...compiler.types import Array, DType
from ...compiler.weights import Weight
from ..growth import check_growth
from ..tensorflow.draft import stream
from ..tensorflow.model import Attribute, Function, FunctionName, Graph, Node, Placeholder, StoredShape
from ..tensorflow.saved_model import Port, Signature
from ..tensorflow.tensors import Dims, ElementType, StoredTensor
from ..tensorflow.writer import PRODUCER
from .names import GRAPH_MODEL, LAYOUTS, METADATA, MODEL_FILE, SHARD, TYPES, WEIGHT_TYPES, WEIGHTS

Json: TypeAlias = "dict[str, Any]"

NAMES = {dtype: name for name, dtype in WEIGHT_TYPES.items()}


@dataclass(frozen=True)
class Written:
    """A model that is to be written; with ``halves``, weights of f32 are stored in 16 bits."""

    graph: Graph
    signature: Signature
    halves: bool = False


def write_graph_model(model: Written, folder: Path) -> int:
    """Write the folder and return the size of its files.

    Raises:
        CompileError: M002, it would hold far more than the source; R012, the place can't be written to.
    """
    weights = dict(_constants(model.graph))
    check_growth([*weights.values()], lambda number: str([*weights][number]))
    stored = {name: _Stored.of(weight, halves=model.halves) for name, weight in weights.items()}
    size = sum(weight.size for weight in stored.values())
    count = -(-size // SHARD)
    paths = [WEIGHTS.format(number=number + 1, count=count) for number in range(count)]
    text = json.dumps(_model(model, stored, paths), separators=(",", ":"), allow_nan=False).encode()
    try:
        folder.mkdir(exist_ok=True)
        _write_parts(stored.values(), [folder / path for path in paths])
        (folder / MODEL_FILE).write_bytes(text)
    except OSError as bad:
        raise error("R012", f"can't write {folder}: {reason(bad)}") from bad
    return size + len(text)


def _constants(graph: Graph) -> Iterator[tuple[str, Weight]]:
    """Yield all constants by the names of their nodes, which functions share with the graph."""
    nodes = [graph.nodes, *(function.nodes for function in graph.functions.values())]
    for node in (node for group in nodes for node in group):
        value = node.attributes.get("value")
        if isinstance(value, Weight):
            element = node.attributes["dtype"]
            assert isinstance(element, ElementType) and element.dtype is not None
            yield node.name, _converted(value, element.dtype)


def _converted(weight: Weight, dtype: DType) -> Weight:
    """Return a constant in the type that its node states."""
    if weight.type.dtype is dtype:
        return weight
    return weight.derive(weight.type.with_dtype(dtype), partial(_as_type, dtype=dtype))


def _as_type(array: Array, *, dtype: DType) -> Array:
    return array.astype(dtype.numpy)


@dataclass(frozen=True)
class _Stored:
    """A constant as it is stored: what the manifest says of it, and its elements."""

    said: Json
    weight: Weight
    size: int

    @staticmethod
    def of(weight: Weight, *, halves: bool) -> _Stored:
        dtype = weight.type.dtype
        said: Json = {"shape": list(static(weight.type.shape)), "dtype": NAMES[dtype]}
        if halves and dtype is DType.F32:
            said["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            weight = _converted(weight, DType.F16)
        size = sum(map(len, _string_bytes(weight))) if dtype is DType.STRING else weight.nbytes
        return _Stored(said, weight, size)

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes of the tensor as they lie in the files, piece by piece."""
        return _string_bytes(self.weight) if self.weight.type.dtype is DType.STRING else stream(self.weight)


def _string_bytes(weight: Weight) -> Iterator[bytes]:
    """Yield the bytes of a tensor of strings: each string after its length in four bytes."""
    for text in weight.array().reshape(-1):
        content = str(text).encode("utf-8", "surrogateescape")
        yield len(content).to_bytes(4, "little") + content


def _write_parts(stored: Iterable[_Stored], paths: Sequence[Path]) -> None:
    """Write the bytes of all constants, concatenated; a part ends wherever it is full."""
    pieces = (memoryview(piece) for weight in stored for piece in weight.pieces())
    rest = memoryview(b"")
    for path in paths:
        with path.open("wb") as file:
            rest = _fill(file, rest, pieces)


def _fill(file: IO[bytes], piece: memoryview, pieces: Iterator[memoryview]) -> memoryview:
    """Write to one part until it is full or nothing is left; return what has no room of the last piece."""
    room = SHARD
    while True:
        file.write(piece[:room])
        if len(piece) >= room:
            return piece[room:]
        room -= len(piece)
        following = next(pieces, None)
        if following is None:
            return memoryview(b"")
        piece = following


def _model(model: Written, stored: Mapping[str, _Stored], paths: Sequence[str]) -> Json:
    said = [{"name": name, **weight.said} for name, weight in stored.items()]
    return {
        "format": GRAPH_MODEL,
        "generatedBy": "nhwcc",
        "convertedBy": "nhwcc",
        "modelTopology": _graph(model.graph),
        "signature": {
            "inputs": {name: _port(port) for name, port in model.signature.inputs.items()},
            "outputs": {name: _port(port) for name, port in model.signature.outputs.items()},
        },
        METADATA: {LAYOUTS: {node.name: json.loads(node.layout) for node in model.graph.nodes if node.layout}},
        "weightsManifest": [{"paths": list(paths), "weights": said}],
    }


def _port(port: Port) -> Json:
    return {"name": port.tensor, "dtype": _type(port.element), "tensorShape": _shape(port.dims)}


def _graph(graph: Graph) -> Json:
    """Return a ``GraphDef`` as JSON."""
    message: Json = {"node": [_node(node) for node in graph.nodes], "versions": {"producer": PRODUCER}}
    if graph.functions:
        message["library"] = {"function": [_function(function) for function in graph.functions.values()]}
    return message


def _node(node: Node) -> Json:
    message: Json = {"name": node.name, "op": node.op}
    if node.inputs:
        message["input"] = list(node.inputs)
    stated = {name: _attribute(v) for name, v in node.attributes.items() if not isinstance(v, Weight)}
    for name, value in node.attributes.items():
        if isinstance(value, Weight):  # its elements lie with the weights
            stated[name] = {
                "tensor": {"dtype": stated["dtype"]["type"], "tensorShape": _shape(static(value.type.shape))}
            }
    return message | {"attr": stated}


def _function(function: Function) -> Json:
    arguments = zip(function.arguments, function.types, strict=True)
    return {
        "signature": {
            "name": function.name,
            "inputArg": [_argument(name, element) for name, element in arguments],
            "outputArg": [_argument(name, element) for name, element in function.outputs.items()],
        },
        "nodeDef": [_node(node) for node in function.nodes],
        "ret": dict(zip(function.outputs, function.results, strict=True)),
    }


def _argument(name: str, element: ElementType | None) -> Json:
    return {"name": name} if element is None else {"name": name, "type": _type(element)}


def _type(element: ElementType) -> str:
    return TYPES[element.number]


def _shape(dims: Dims) -> Json:
    if dims is None:
        return {"unknownRank": True}
    return {"dim": [{"size": "-1" if size is None else str(size)} for size in dims]}


def _attribute(value: Attribute) -> Json:
    """Return an ``AttrValue``."""
    if isinstance(value, tuple):
        return {"list": _list(value)}
    field, content = _single(value)
    return {field: content}


def _single(value: Attribute) -> tuple[str, Any]:
    """Return an attribute that is no list, and the field that holds it; integers become strings, as in protobuf."""
    match value:
        case bool():
            return "b", value
        case int():
            return "i", str(value)
        case float():
            return "f", float(np.float32(value))
        case str():
            return "s", base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
        case ElementType():
            return "type", _type(value)
        case StoredShape():
            return "shape", _shape(value.dims)
        case FunctionName():
            return "func", {"name": value.name, "attr": {n: _attribute(v) for n, v in value.attributes.items()}}
        case _:
            assert not isinstance(value, Weight | Placeholder | StoredTensor | tuple), "what only is read, or a list"
            raise AssertionError(value)


def _list(values: Sequence[Attribute]) -> Json:
    """Return the list of an attribute, whose items are all of one kind."""
    pairs = [_single(value) for value in values]
    return {pairs[0][0]: [content for _, content in pairs]} if pairs else {}
