"""Graphs and SavedModels as files: messages that are laid out without the elements of tensors, which are streamed.

A SavedModel has the form of version 1: the graph itself, and signatures that name tensors of it.  All tools read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from ...compiler.diagnostics import error, reason
from ...compiler.dims import static
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ..growth import check_growth
from .bundle_writer import write_bundle
from .draft import Draft
from .model import LAYOUT, Attribute, Function, FunctionName, Graph, Node, Placeholder, StoredShape
from .saved_model import GRAPH_FILE, SERVE, VARIABLES, Signature
from .tensors import NUMBERS, ElementType, StoredTensor, shape_message

MAX_MESSAGE = (1 << 31) - 1
"""Bytes that a message may have."""

PRODUCER = 1395
"""The version of graphs that is stated: that of TensorFlow 2.12; later ones read the same nodes the same way."""

PREDICT = "tensorflow/serving/predict"
"""How signatures are called that take and give tensors by name."""


def element_of(dtype: DType) -> ElementType:
    """Return an element type of the IR as files have it."""
    return ElementType(NUMBERS[dtype])


@dataclass(frozen=True)
class Restored:
    """Variables of a graph, and the nodes that give them their values when the model is loaded.

    ``values`` are by the name of the node that stands for the variable; ``assign`` names what gives it a value,
    ``read`` what reads it.  ``restore`` does all of it, ``file`` is the tensor that says from which bundle; ``save``
    gives the name of what it has written.
    """

    values: Mapping[str, Weight]
    assign: Mapping[str, str]
    read: Mapping[str, str]
    file: str
    save: str
    restore: str


@dataclass(frozen=True)
class Written:
    """A model that is to be written: graphs, signatures, and weights."""

    graph: Graph
    signatures: Sequence[Signature] = ()
    variables: Restored | None = None
    tags: Sequence[str] = field(default=(SERVE,))


def write_graph(graph: Graph, path: Path) -> int:
    """Write a graph alone and return the size of the file.

    Raises:
        CompileError: B005, it is too large for a message; M002, it would hold far more than the source; R012, the
            place can't be written to.
    """
    return _write(graph_message(graph), path, "write a SavedModel (-o saved_model/), which keeps weights beside it")


def write_saved_model(model: Written, folder: Path) -> int:
    """Write the folder of a SavedModel and return the size of its files.

    Raises:
        CompileError: as :func:`write_graph`.
    """
    message = Draft().number(1, 1).message(2, _meta_graph(model))
    try:
        folder.mkdir(exist_ok=True)
        size = 0
        if model.variables is not None:
            values = model.variables.values
            check_growth([*values.values()], lambda number: str([*values][number]))
            (folder / VARIABLES).parent.mkdir(exist_ok=True)
            size = write_bundle(values, folder / VARIABLES)
    except OSError as bad:
        raise error("R012", f"can't write {folder}: {reason(bad)}") from bad
    return size + _write(message, folder / GRAPH_FILE, "cut the model in parts with --inputs and --outputs")


def _write(message: Draft, path: Path, help: str) -> int:
    weights = message.weights
    if len(message) > MAX_MESSAGE:
        raise error("B005", f"{path.name} would have {len(message):,} bytes; a message has at most 2 GB", help=help)
    check_growth(weights, lambda number: str(weights[number].type))
    try:
        with path.open("wb") as file:
            file.writelines(message.written())
            return file.tell()
    except OSError as bad:
        raise error("R012", f"can't write {path}: {reason(bad)}") from bad


def _meta_graph(model: Written) -> Draft:
    """Return a graph with what is said of it."""
    about = Draft().strings(4, model.tags).number(7, 1)
    message = Draft().message(1, about).message(2, graph_message(model.graph))
    if model.variables is not None:
        _state_variables(message, model.variables)
    return message.entries(5, {signature.key: _signature(signature) for signature in model.signatures})


def _state_variables(message: Draft, variables: Restored) -> None:
    """Say how variables are saved and restored, and which there are."""
    saver = Draft().text(1, variables.file).text(2, variables.save).text(3, variables.restore).number(7, 2)
    message.message(3, saver)
    said = Draft()
    for name in variables.values:
        about = Draft().text(1, f"{name}:0").text(2, variables.assign[name]).text(3, variables.read[name])
        said.content(1, bytes(about.number(5, 1).number(7, 1)))
    collection = Draft().message(2, said)
    message.entries(4, {"variables": collection, "trainable_variables": collection})


def _signature(signature: Signature) -> Draft:
    sides = (signature.inputs, signature.outputs)
    message = Draft()
    for number, ports in enumerate(sides, 1):
        described = {
            name: Draft().text(1, port.tensor).number(2, port.element.number).message(3, shape_message(port.dims))
            for name, port in ports.items()
        }
        message.entries(number, described)
    return message.text(3, PREDICT)


def graph_message(graph: Graph) -> Draft:
    """Return a ``GraphDef`` with its nodes and its library of functions."""
    message = Draft()
    for node in graph.nodes:
        message.message(1, _node(node))
    if graph.functions:
        library = Draft()
        for function in graph.functions.values():
            library.message(1, _function(function))
        message.message(2, library)
    return message.message(4, Draft().number(1, PRODUCER))


def _node(node: Node) -> Draft:
    message = Draft().text(1, node.name).text(2, node.op).strings(3, node.inputs)
    said = {LAYOUT: node.layout} if node.layout else {}
    return message.entries(5, {name: attribute_message(v) for name, v in {**node.attributes, **said}.items()})


def _function(function: Function) -> Draft:
    signature = Draft().text(1, function.name)
    for name, element in zip(function.arguments, function.types, strict=True):
        signature.message(2, _argument(name, element))
    for name, element in function.outputs.items():
        signature.message(3, _argument(name, element))
    message = Draft().message(1, signature)
    for node in function.nodes:
        message.message(3, _node(node))
    for name, result in zip(function.outputs, function.results, strict=True):
        message.message(4, Draft().text(1, name).text(2, result))
    return message


def _argument(name: str, element: ElementType | None) -> Draft:
    return Draft().text(1, name).number(3, 0 if element is None else element.number)


def attribute_message(value: Attribute) -> Draft:
    """Return the ``AttrValue`` of a node's attribute, by the kind of its value."""
    message = Draft()
    match value:
        case tuple():
            return message.message(1, _list(value))
        case bool():
            return message.number(5, value, always=True)
        case int():
            return message.number(3, value, always=True)
        case float():
            return message.real(4, value)
        case str():
            return message.content(2, value.encode("utf-8", "surrogateescape"))
        case ElementType():
            return message.number(6, value.number, always=True)
        case Placeholder():
            return message.text(9, value.name)
        case _:
            return message.message(*_message_of(value))


def _message_of(value: StoredShape | Weight | StoredTensor | FunctionName) -> tuple[int, Draft]:
    """Return an attribute that is a message itself, and the field that holds it."""
    match value:
        case StoredShape():
            return 7, shape_message(value.dims)
        case Weight():
            return 8, tensor_message(value)
        case StoredTensor():
            return 8, tensor_message(value.weight("a tensor"))
        case FunctionName():
            inner = {name: attribute_message(v) for name, v in value.attributes.items()}
            return 10, Draft().text(1, value.name).entries(2, inner)


def _list(values: tuple[Attribute, ...]) -> Draft:
    """Return the list of an attribute, whose items are all of one kind."""
    message = Draft()
    match values:
        case ():
            return message
        case (bool(), *_):
            return message.integers(5, [int(bool(v)) for v in values])
        case (int(), *_):
            return message.integers(3, [v for v in values if isinstance(v, int)])
        case (str(), *_):
            return message.strings(2, [v for v in values if isinstance(v, str)])
        case (float(), *_):
            return message.content(4, np.asarray(values, "<f4").tobytes())
        case (ElementType(), *_):
            return message.integers(6, [v.number for v in values if isinstance(v, ElementType)])
        case _:
            for value in values:
                field, inner = _message_of(cast(StoredShape, value))
                message.message(min(field, _FUNCTIONS), inner)
            return message


_FUNCTIONS = 9
"""The field for functions in a list; alone, they have the next one."""


def tensor_message(weight: Weight) -> Draft:
    """Return a ``TensorProto``; of one element that is repeated, it holds that one only."""
    type: TensorType = weight.type
    message = Draft().number(1, NUMBERS[type.dtype]).message(2, shape_message(static(type.shape)))
    if type.dtype is DType.STRING:
        return message.strings(8, [str(text) for text in weight.array().reshape(-1)])
    if weight.is_splat and type.size != 1 and weight.nbytes and type.dtype in _SPLATS:
        field, kind = _SPLATS[type.dtype]
        return message.content(field, kind(weight.array().reshape(-1)[0]))
    return message.elements(4, weight)


def _varint(value: np.generic) -> bytes:
    return bytes(Draft().integers(1, [int(value)]))[2:]


_SPLATS: dict[DType, tuple[int, Callable[[np.generic], bytes]]] = {
    DType.F32: (5, lambda value: value.tobytes()),
    DType.F64: (6, lambda value: value.tobytes()),
    DType.I64: (10, _varint),
    DType.BOOL: (11, _varint),
    DType.U32: (16, _varint),
    DType.U64: (17, _varint),
    **dict.fromkeys((DType.I32, DType.I16, DType.I8, DType.U16, DType.U8), (7, _varint)),
    **dict.fromkeys((DType.F16, DType.BF16), (13, lambda value: _varint(value.view(np.uint16)))),
}
"""The list that holds single elements of a type, and how one is written."""
