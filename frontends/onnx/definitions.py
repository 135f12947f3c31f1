"""Operators that the standard itself defines by simpler ones, and what else its package knows about versions.

What has no handler of its own is imported through its definition, if it has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ...compiler.diagnostics import error
from ...compiler.ir import Value
from ...compiler.types import TensorType
from ...formats.onnx.model import Attribute, Function, Graph, Node, Opaque, read_attributes, read_function
from ...formats.onnx.tensors import Tensor, number_of
from .lists import Imported

if TYPE_CHECKING:
    from onnx import NodeProto, TypeProto


@cache
def newest_version() -> int:
    """Return the newest version of the standard's operator set that the onnx package knows."""
    from onnx.defs import onnx_opset_version

    return onnx_opset_version()


@cache
def _schema(domain: str, name: str, version: int) -> Any:
    """Return the operator's schema, None if it has none; the package's stubs leave out much of it."""
    from onnx import defs

    if not defs.has(name, version, domain):
        return None
    return cast(Any, defs.get_schema(name, version, domain))


def is_same(name: str, version: int, other: int) -> bool:
    """Say whether an operator of the standard did not change between two versions of its operator set."""
    one, two = _schema("", name, version), _schema("", name, other)
    return one is not None and two is not None and one.since_version == two.since_version


def has_definition(node: Node, version: int) -> bool:
    """Say whether the standard defines the node's operator by simpler ones."""
    schema = _schema(node.domain, node.op_type, version)
    return schema is not None and (schema.has_function or schema.has_context_dependent_function)


def inferred(
    node: Node, version: int, operands: Sequence[Imported | None], attributes: Mapping[str, Attribute]
) -> dict[str, TypeProto]:
    """Return the types that the onnx package infers for a node's results; none for operators that it lacks."""
    from onnx.shape_inference import InferenceError, infer_node_outputs

    schema = _schema(node.domain, node.op_type, version)
    if schema is None:
        return {}
    pairs = zip(node.inputs, operands, strict=True)
    types = {name: _type_proto(v.type) for name, v in pairs if isinstance(v, Value)}
    try:
        return infer_node_outputs(schema, _node_proto(node, version, attributes), types)
    except InferenceError:
        return {}


LOSSES = ("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
"""Operators whose definitions take any word for one that they know."""

WORDS = {"reduction": ("mean", "sum", "none")}
"""What the standard lets their attributes say."""


def definition(
    node: Node, version: int, operands: Sequence[Imported | None], attributes: Mapping[str, Attribute]
) -> Function:
    """Return the body that the standard gives the node's operator; it may depend on the types of its operands.

    Raises:
        CompileError: F002, an attribute has a word that the standard does not know; F005, there is none for this
            variant of the operator.
    """
    from onnx import FunctionProto

    for name, words in WORDS.items():
        if attributes.get(name, words[0]) not in words and node.op_type in LOSSES:
            raise error("F002", f"{node.op_type} has the {name} {attributes[name]!r}, none of {', '.join(words)}")
    schema = _schema(node.domain, node.op_type, version)
    if schema.has_function:
        data = schema.get_function_with_opset_version(version)
    else:
        types = [_type_proto(v.type if isinstance(v, Value) else None).SerializeToString() for v in operands]
        message = _node_proto(node, version, attributes).SerializeToString()
        data = schema.get_context_dependent_function_with_opset_version(version, message, types)
    body = FunctionProto.FromString(data)
    if not body.node:
        raise error("F005", f"{node.op_type} has no definition for these operands and attributes")
    function = read_function(body)
    stated = [a.default_value for a in schema.attributes.values() if a.default_value.type]
    opsets = {"": newest_version(), **function.opsets}
    return replace(function, opsets=opsets, defaults={**read_attributes(stated), **function.defaults})


def _type_proto(type: TensorType | None) -> TypeProto:
    from onnx import TypeProto, helper

    if type is None:
        return TypeProto()
    return helper.make_tensor_type_proto(
        number_of(type.dtype), [d if isinstance(d, int) else str(d) for d in type.shape]
    )


def _node_proto(node: Node, version: int, attributes: Mapping[str, Attribute]) -> NodeProto:
    """Return a node as the standard's functions take it.

    Raises:
        CompileError: F002, an attribute is of a kind that no operator has, or an empty list where none may be.
    """
    from onnx import helper

    stated: Mapping[str, Any] = _schema(node.domain, node.op_type, version).attributes
    values = {k: v.proto if isinstance(v, Tensor | Graph) else v for k, v in attributes.items()}
    made = helper.make_node(node.op_type, node.inputs, node.outputs, domain=node.domain)
    for name, value in values.items():
        kind: int | None = None
        if isinstance(value, Opaque):
            raise error("F002", f"{node.op_type}: the attribute {name!r} is of the kind {value.kind}")
        if isinstance(value, list | tuple) and not value:  # which does not tell a list of what it is
            if name not in stated or not stated[name].type.name.endswith("S"):
                raise error("F002", f"{node.op_type}: the attribute {name!r} is an empty list")
            kind = stated[name].type.value
        made.attribute.append(helper.make_attribute(name, cast(Any, value), attr_type=kind))
    return made
