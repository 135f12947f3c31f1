"""Operators without a known meaning, kept as custom operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops.custom import Custom
from ...compiler.types import TensorType
from ...formats.onnx.model import Attribute, Declared, Graph, Node, Opaque, Reference
from ...formats.onnx.tensors import SparseTensor, Tensor, element_type
from ..common.sizes import Sizes, known_size
from .lists import Imported


def code(node: Node) -> str:
    """Return an operator's name, with its domain unless that is ONNX's own."""
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def custom(
    node: Node,
    operands: Sequence[Imported | None],
    attributes: Mapping[str, Attribute],
    stated: Mapping[str, Declared],
    sizes: Sizes,
) -> Custom:
    """Return the operation that stands for a node; what the model states are the types of its results.

    Raises:
        CompileError: F005, it has a graph, a sequence, or leaves out a result between others; F023, a result's type
            is not stated.
    """
    names = list(node.outputs)
    while names and not names[-1]:
        names.pop()
    if not names or "" in names:
        raise error("F005", f"{code(node)} gives no results, or leaves out one between others", help=_WAY_OUT)
    inputs = tuple(_operand(node, v) for v in operands)
    options = {name: _option(node, name, value) for name, value in attributes.items()}
    return Custom(inputs, code(node), tuple(_type(node, name, stated.get(name), sizes) for name in names), options)


_WAY_OUT = "Declare the operator in a file of your own and give it with --op-library; docs/custom-ops.md shows how."


def _operand(node: Node, value: Imported | None) -> Value | None:
    if value is None or isinstance(value, Value):
        return value
    raise error("F005", f"{code(node)} reads a sequence or an optional value, which can't be carried", help=_WAY_OUT)


def _option(node: Node, name: str, value: Attribute) -> Any:
    if isinstance(value, Tensor | SparseTensor):
        return value.weight()
    if isinstance(value, Graph | Opaque | Reference):
        kind = value.kind if isinstance(value, Opaque) else "GRAPH"
        text = f"the attribute {name!r} of {code(node)} is of the kind {kind}, which can't be carried"
        raise error("F005", text, help=_WAY_OUT)
    return value


def is_stated(declared: Declared | None) -> bool:
    """Say whether a model states the whole type of a tensor: elements, and how many axes there are."""
    return declared is not None and declared.kind == "tensor" and bool(declared.element) and declared.dims is not None


def _type(node: Node, name: str, stated: Declared | None, sizes: Sizes) -> TensorType:
    if stated is None or stated.dims is None or not is_stated(stated):
        text = (
            f"{code(node)} can be carried only if the model states the type of its result {name!r}, which it does not"
        )
        help = (
            "Declare it: model.graph.value_info.append(onnx.helper.make_tensor_value_info("
            f"{name!r}, onnx.TensorProto.FLOAT, [1, 3, 224, 224])). {_WAY_OUT}"
        )
        raise error("F023", text, help=help)
    return TensorType(element_type(stated.element), tuple(_size(d, sizes) for d in stated.dims))


def _size(stated: int | str | None, sizes: Sizes) -> Dim:
    known = known_size(stated)
    return known if isinstance(known, int) else sizes.fresh("unknown") if known is None else sizes.named(known)
