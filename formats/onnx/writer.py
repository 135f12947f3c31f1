"""The file: a message of nodes and types, followed by the weights as a stream, so that none is copied or held twice.

Weights are the last field of the graph, so that its message can be written piece by piece: its length is known before.
"""

# onnx's messages are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ...compiler.diagnostics import error, reason
from ...compiler.dims import static
from ...compiler.scratch import Scratch
from ...compiler.types import DType
from ...compiler.weights import Weight
from ..growth import check_growth
from ..packed import elements, stored_bytes
from ..wire import tag, varint
from .model import Attribute, Declared, Graph, Model, Node, Opaque, Reference
from .tensors import number_of

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto

MAX_MESSAGE = (1 << 31) - 1
"""Bytes that a message may have; of what is larger, the weights lie in a file beside it."""

ALIGNMENT = 64
"""Of every weight in a file of its own."""

MIN_EXTERNAL = 1 << 10
"""Bytes of a weight that is worth a place in another file; shapes are read from the message itself."""

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Numbers of fields in onnx.proto; they never change."""


@dataclass(frozen=True)
class Stored:
    """A constant that is to be written, in the file or beside it."""

    name: str
    content: Weight

    def weight(self) -> Weight:
        """Return the elements."""
        return self.content


def write(model: Model, path: Path, *, ir_version: int, metadata: Mapping[str, str] | None = None) -> int:
    """Write a model and return the size of the file, which appears whole or not at all.

    Weights beyond :data:`MAX_MESSAGE` lie in a file beside it, of the same name with ``.data`` after it.

    Raises:
        CompileError: R012, the place can't be written to, or the disk is full; M002, the file would be far larger than
            the source.
    """
    constants = [(name, constant.weight()) for name, constant in model.graph.constants.items()]
    check_growth([w for _, w in constants], partial(_describe, constants))
    head, body = _messages(model, ir_version, metadata or {})
    try:
        with Scratch(path) as scratch:
            size = _write_parts(scratch.path / path.name, head, body, constants)
            beside = scratch.path / _beside(path).name
            if beside.exists():
                beside.replace(_beside(path))
            (scratch.path / path.name).replace(path)
    except OSError as bad:
        raise error("R012", f"can't write {path}: {reason(bad)}") from bad
    return size


def _beside(path: Path) -> Path:
    """Return where weights lie that have no room in the message."""
    return path.with_name(f"{path.name}.data")


def _describe(constants: Sequence[tuple[str, Weight]], number: int) -> str:
    name, weight = constants[number]
    return f"{name}, {weight.type}"


def _write_parts(path: Path, head: bytes, body: bytes, constants: Sequence[tuple[str, Weight]]) -> int:
    room = (
        len(head) + len(body) + sum(stored_bytes(w.type) + len(name) + 64 + 12 * w.type.rank for name, w in constants)
    )
    with path.open("wb") as file:
        if room <= MAX_MESSAGE:
            _stream(file, head, body, [(_tensor(n, w, raw=True), w, 0) for n, w in constants])
            return file.tell()
        with _beside(path).open("wb") as data:
            tensors = [_outside(data, name, weight, _beside(path).name) for name, weight in constants]
            _stream(file, head, body, tensors)
            return file.tell() + data.tell()


Entry = tuple["TensorProto", Weight, int]
"""A tensor without its elements, these, and whether they lie elsewhere."""


def _stream(file: BinaryIO, head: bytes, body: bytes, tensors: Sequence[Entry]) -> None:
    """Write the model's message, whose last field is the graph, whose last fields are the weights."""
    file.write(head)
    sizes = [_tensor_bytes(*entry) for entry in tensors]
    whole = len(body) + sum(len(tag(_INITIALIZER)) + len(varint(size)) + size for size in sizes)
    file.write(tag(_GRAPH) + varint(whole) + body)
    for (tensor, weight, is_outside), size in zip(tensors, sizes, strict=True):
        file.write(tag(_INITIALIZER) + varint(size) + tensor.SerializeToString())
        if is_outside or weight.type.dtype is DType.STRING:
            continue
        file.write(tag(_RAW_DATA) + varint(stored_bytes(weight.type)))
        file.writelines(elements(weight))


def _tensor_bytes(tensor: TensorProto, weight: Weight, is_outside: int) -> int:
    """Return the length of a tensor's message."""
    length = tensor.ByteSize()
    if is_outside or weight.type.dtype is DType.STRING:
        return length
    raw = stored_bytes(weight.type)
    return length + len(tag(_RAW_DATA)) + len(varint(raw)) + raw


def _outside(data: BinaryIO, name: str, weight: Weight, location: str) -> Entry:
    """Write a weight into the other file, if it is large; return what refers to it."""
    size = stored_bytes(weight.type)
    tensor = _tensor(name, weight, raw=True)
    if size < MIN_EXTERNAL or weight.type.dtype is DType.STRING:
        return tensor, weight, 0
    data.write(bytes(-data.tell() % ALIGNMENT))
    start = data.tell()
    data.writelines(elements(weight))
    for key, value in {"location": location, "offset": start, "length": size}.items():
        tensor.external_data.add(key=key, value=str(value))
    tensor.data_location = type(tensor).EXTERNAL
    return tensor, weight, 1


def _tensor(name: str, weight: Weight, *, raw: bool) -> TensorProto:
    """Return a tensor's message; with ``raw`` without its elements, unless these are strings."""
    from onnx import TensorProto

    tensor = TensorProto(name=name, data_type=number_of(weight.type.dtype), dims=static(weight.type.shape))
    if weight.type.dtype is DType.STRING:
        tensor.string_data.extend(str(text).encode() for text in weight.array().reshape(-1))
    elif not raw:
        tensor.raw_data = b"".join(elements(weight))
    return tensor


def _messages(model: Model, ir_version: int, metadata: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Return the model's message without its graph, and the graph's without its weights."""
    from onnx import ModelProto

    head: Any = ModelProto(ir_version=ir_version, producer_name="nhwcc")
    for domain, version in model.opsets.items():
        head.opset_import.add(domain=domain, version=version)
    for key, value in metadata.items():
        head.metadata_props.add(key=key, value=value)
    return head.SerializeToString(), graph_message(model.graph).SerializeToString()


def graph_message(graph: Graph, name: str = "main") -> GraphProto:
    """Return the message of a graph without its constants, which are streamed."""
    from onnx import GraphProto

    message: Any = GraphProto(name=name)
    message.node.extend(_node(n) for n in graph.nodes)
    message.input.extend(_value(n, declared) for n, declared in graph.inputs.items())
    message.output.extend(_value(n, graph.stated[n]) for n in graph.outputs)
    shown = {*graph.inputs, *graph.outputs}
    message.value_info.extend(_value(n, declared) for n, declared in graph.stated.items() if n not in shown)
    return message


def _value(name: str, declared: Declared) -> ValueInfoProto:
    from onnx import ValueInfoProto

    message: Any = ValueInfoProto(name=name)
    tensor = message.type.tensor_type
    tensor.elem_type = declared.element
    tensor.shape.SetInParent()
    for size in declared.dims or ():
        dim = tensor.shape.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        elif size is not None:
            dim.dim_param = size
    return message


def _node(node: Node) -> NodeProto:
    from onnx import NodeProto

    message: Any = NodeProto(name=node.label, op_type=node.op_type, domain=node.domain, overload=node.overload)
    message.input.extend(node.inputs)
    message.output.extend(node.outputs)
    message.attribute.extend(_attribute(n, value) for n, value in node.attributes.items())
    return message


def _attribute(name: str, value: Attribute) -> AttributeProto:
    from onnx import AttributeProto, helper

    if isinstance(value, Graph):
        return AttributeProto(name=name, type=AttributeProto.GRAPH, g=graph_message(value, name))
    if isinstance(value, Stored):
        return AttributeProto(name=name, type=AttributeProto.TENSOR, t=_tensor("", value.content, raw=False))
    assert not isinstance(value, Reference | Opaque)
    if value == ():
        return AttributeProto(name=name, type=AttributeProto.INTS)
    return helper.make_attribute(name, value)


__all__ = ["MAX_MESSAGE", "Stored", "graph_message", "write"]
