"""A model as the file has it, in plain typed objects: what the rest of the frontend sees of protobuf."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ...compiler.diagnostics import error
from .tensors import Constant, SparseTensor, Store, Tensor

if TYPE_CHECKING:
    from onnx import (
        AttributeProto,
        FunctionProto,
        GraphProto,
        ModelProto,
        NodeProto,
        OperatorSetIdProto,
        TensorShapeProto,
        TypeProto,
        ValueInfoProto,
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute inside a function that takes the value of one of the function's own."""

    name: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """An attribute that no supported operator has; ``kind`` says what it holds."""

    kind: str


Attribute: TypeAlias = (
    "int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | Constant | Graph | Reference | Opaque"
)


@dataclass(frozen=True, slots=True)
class Node:
    """One call of an operator or function; an empty name stands for an absent input or output."""

    op_type: str
    domain: str
    overload: str
    label: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Declared:
    """A stated type: what kind of thing, the number of its element type, and sizes as far as they are stated.

    Of a sequence, and of an optional one, these are the items'; an optional tensor counts as a tensor.
    """

    kind: str
    element: int = 0
    dims: tuple[int | str | None, ...] | None = None


@dataclass(frozen=True)
class Graph:
    """A graph: its nodes, its inputs and outputs, its constants."""

    nodes: tuple[Node, ...]
    inputs: Mapping[str, Declared]
    outputs: tuple[str, ...]
    constants: Mapping[str, Constant]
    stated: Mapping[str, Declared]
    proto: GraphProto | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Function:
    """A function that the model, or the standard, defines by nodes."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    defaults: Mapping[str, Attribute]
    opsets: Mapping[str, int]
    nodes: tuple[Node, ...]
    stated: Mapping[str, Declared] = field(default_factory=lambda: dict[str, Declared]())


FunctionId: TypeAlias = tuple[str, str, str]
"""Domain, name and overload."""


@dataclass(frozen=True)
class Model:
    """A whole model: its graph, functions, operator sets and metadata."""

    graph: Graph
    opsets: Mapping[str, int]
    functions: Mapping[FunctionId, Function]
    store: Store = field(default_factory=Store)

    @property
    def file(self) -> str | None:
        """The name of the model's file, as messages give it."""
        return None if self.store.path is None else self.store.path.name


def read_model(proto: ModelProto, store: Store) -> Model:
    """Turn a parsed message into plain objects; tensors are not read yet.

    Raises:
        CompileError: F011 there is no graph, F015 a name is defined twice, F002 a malformed attribute.
    """
    if not proto.HasField("graph"):
        raise error("F011", "the model has no graph", help="The file is damaged, or not an ONNX model.")
    functions = {(_domain(f.domain), f.name, f.overload): read_function(f, store) for f in proto.functions}
    return Model(_graph(proto.graph, store), _opsets(proto.opset_import), functions, store)


def read_function(proto: FunctionProto, store: Store | None = None) -> Function:
    """Make plain objects of the message of a function that a model declares."""
    store = store or Store()
    defaults = {a.name: _attribute(a, store) for a in proto.attribute_proto}
    nodes = _nodes(proto.node, store)
    _check_definitions(nodes, set(proto.input))
    interface = _strings(proto.input), _strings(proto.output)
    stated = {_string(v.name): _declared(v) for v in proto.value_info}
    return Function(_string(proto.name), *interface, defaults, _opsets(proto.opset_import), nodes, stated)


def read_attributes(protos: Iterable[AttributeProto]) -> dict[str, Attribute]:
    """Turn attributes of the standard, which need no files, into plain objects."""
    return {a.name: _attribute(a, Store()) for a in protos}


def _opsets(entries: Iterable[OperatorSetIdProto]) -> dict[str, int]:
    return {_domain(e.domain): e.version for e in entries}


def _domain(name: str) -> str:
    """The default domain has two names."""
    return "" if name == "ai.onnx" else _string(name)


def _string(name: object) -> str:
    """Return a name; where bytes are not UTF-8, the parser gives them back as they are.

    Raises:
        CompileError: F010.
    """
    if not isinstance(name, str):
        raise error("F010", f"the name {name!r} is not a text", help="The file is damaged, or not an ONNX model.")
    return name


def _strings(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(_string, names))


def _graph(proto: GraphProto, store: Store) -> Graph:
    constants: dict[str, Constant] = {}
    tensors = [Tensor(t, store) for t in proto.initializer]
    for constant in (*tensors, *(SparseTensor(t, store) for t in proto.sparse_initializer)):
        if _string(constant.name) in constants:
            raise error("F015", f"two initializers are called {constant.name!r}")
        constants[constant.name] = constant
    inputs = {_string(i.name): _declared(i) for i in proto.input}
    if len(inputs) < len(proto.input):
        twice = next(i.name for n, i in enumerate(proto.input) if i.name in [j.name for j in proto.input[:n]])
        raise error("F015", f"two inputs are called {twice!r}")
    nodes = _nodes(proto.node, store)
    _check_definitions(nodes, {*inputs, *constants})
    return Graph(
        nodes=nodes,
        inputs={name: declared for name, declared in inputs.items() if name not in constants},
        outputs=_strings(o.name for o in proto.output),
        constants=constants,
        stated={_string(v.name): _declared(v) for v in (*proto.output, *proto.value_info)},
        proto=proto,
    )


def _check_definitions(nodes: Iterable[Node], given: Container[str]) -> None:
    for node in nodes:
        for name in node.outputs:
            if name and name in given:
                raise error("F015", f"the tensor {name!r} is given, and defined again by the node {node.label!r}")


def _nodes(protos: Iterable[NodeProto], store: Store) -> tuple[Node, ...]:
    return tuple(_node(n, i, store) for i, n in enumerate(protos))


def _node(proto: NodeProto, index: int, store: Store) -> Node:
    return Node(
        op_type=_string(proto.op_type),
        domain=_domain(proto.domain),
        overload=_string(proto.overload),
        label=_string(proto.name) or f"{proto.op_type}#{index}",
        inputs=_strings(proto.input),
        outputs=_strings(proto.output),
        attributes={_string(a.name): _attribute(a, store) for a in proto.attribute},
    )


_READ: dict[str, Callable[[AttributeProto, Store], Attribute]] = {
    "FLOAT": lambda a, _: a.f,
    "INT": lambda a, _: a.i,
    "STRING": lambda a, _: _text(a.s),
    "TENSOR": lambda a, store: Tensor(a.t, store),
    "GRAPH": lambda a, store: _graph(a.g, store),
    "FLOATS": lambda a, _: tuple(a.floats),
    "INTS": lambda a, _: tuple(a.ints),
    "STRINGS": lambda a, _: tuple(_text(s) for s in a.strings),
    "SPARSE_TENSOR": lambda a, store: SparseTensor(a.sparse_tensor, store),
}


def _attribute(proto: AttributeProto, store: Store) -> Attribute:
    from onnx import AttributeProto

    if proto.ref_attr_name:
        return Reference(_string(proto.ref_attr_name))
    names = {v: k for k, v in AttributeProto.AttributeType.items()}
    kind = names.get(proto.type, "UNDEFINED") if proto.type else _guess(proto)
    return _READ[kind](proto, store) if kind in _READ else Opaque(kind)


def _guess(proto: AttributeProto) -> str:
    """Return the kind of an attribute of the first versions of the format, which did not state it."""
    fields = {"f": "FLOAT", "i": "INT", "s": "STRING", "t": "TENSOR", "g": "GRAPH"}
    lists = {"floats": "FLOATS", "ints": "INTS", "strings": "STRINGS"}
    single = next((kind for name, kind in fields.items() if proto.HasField(name)), None)
    return single or next((kind for name, kind in lists.items() if len(getattr(proto, name))), "UNDEFINED")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _declared(info: ValueInfoProto) -> Declared:
    return read_type(info.type)


def read_type(type: TypeProto) -> Declared:
    """Turn a type's message into a plain object."""
    kind = type.WhichOneof("value")
    if kind == "optional_type":
        type = type.optional_type.elem_type
        kind = type.WhichOneof("value")
    if kind == "sequence_type":
        return Declared("sequence", *_tensor_type(type.sequence_type.elem_type))
    return Declared(kind.removesuffix("_type"), *_tensor_type(type)) if kind else Declared("")


def _tensor_type(type: TypeProto) -> tuple[int, tuple[int | str | None, ...] | None]:
    tensor = type.tensor_type
    if not tensor.HasField("shape"):
        return tensor.elem_type, None
    return tensor.elem_type, tuple(map(_size, tensor.shape.dim))


def _size(dim: TensorShapeProto.Dimension) -> int | str | None:
    match dim.WhichOneof("value"):
        case "dim_value":
            return dim.dim_value
        case "dim_param":
            return _string(dim.dim_param)
        case _:
            return None
