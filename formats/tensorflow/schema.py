"""The fields of TensorFlow's messages, as far as they say something about a network: names and numbers."""

from __future__ import annotations

import re
from functools import cache

from ..textproto import DOUBLE, FLAG, FLOAT, INTEGER, TEXT, Kind, Scalar, Schema, as_bytes
from ..wire import VARINT

_ELEMENTS = (
    "INVALID FLOAT DOUBLE INT32 UINT8 INT16 INT8 STRING COMPLEX64 INT64 BOOL QINT8 QUINT8 QINT32 BFLOAT16 QINT16 "
    "QUINT16 UINT16 COMPLEX128 HALF RESOURCE VARIANT UINT32 UINT64 FLOAT8_E5M2 FLOAT8_E4M3FN FLOAT8_E4M3FNUZ "
    "FLOAT8_E4M3B11FNUZ FLOAT8_E5M2FNUZ INT4 UINT4 INT2 UINT2 FLOAT4_E2M1FN"
)
"""The names of element types, in the order of their numbers."""

ELEMENT = Scalar(
    VARINT,
    names={
        f"DT_{name}{ending}": number + more
        for number, name in enumerate(_ELEMENTS.split())
        for ending, more in (("", 0), ("_REF", 100))
    },
)

_MESSAGES = {
    "graph": "node=1:node library=2:library version=3:integer versions=4:versions",
    "versions": "producer=1:integer min_consumer=2:integer bad_consumers=3:integer",
    "node": "name=1:text op=2:text input=3:text device=4:text attr=5:attributes",
    "attributes": "key=1:text value=2:attribute",
    "attribute": (
        "list=1:list s=2:text i=3:integer f=4:float b=5:flag type=6:element shape=7:shape tensor=8:tensor "
        "placeholder=9:text func=10:function_name"
    ),
    "list": "s=2:text i=3:integer f=4:float b=5:flag type=6:element shape=7:shape tensor=8:tensor func=9:function_name",
    "function_name": "name=1:text attr=2:attributes",
    "shape": "dim=2:dim unknown_rank=3:flag",
    "dim": "size=1:integer name=2:text",
    "tensor": (
        "dtype=1:element tensor_shape=2:shape version_number=3:integer tensor_content=4:text float_val=5:float "
        "double_val=6:double int_val=7:integer string_val=8:text scomplex_val=9:float int64_val=10:integer "
        "bool_val=11:flag dcomplex_val=12:double half_val=13:integer uint32_val=16:integer uint64_val=17:integer "
        "float8_val=18:text"
    ),
    "library": "function=1:function",
    "function": "signature=1:signature node_def=3:node ret=4:strings attr=5:attributes control_ret=6:strings",
    "strings": "key=1:text value=2:text",
    "signature": (
        "name=1:text input_arg=2:argument output_arg=3:argument attr=4:declared is_stateful=17:flag "
        "control_output=20:text"
    ),
    "argument": "name=1:text type=3:element type_attr=4:text number_attr=5:text type_list_attr=6:text is_ref=16:flag",
    "declared": (
        "name=1:text type=2:text default_value=3:attribute has_minimum=5:flag minimum=6:integer "
        "allowed_values=7:attribute"
    ),
    "saved_model": "saved_model_schema_version=1:integer meta_graphs=2:meta_graph",
    "meta_graph": (
        "meta_info_def=1:meta_info graph_def=2:graph saver_def=3:saver collection_def=4:collections "
        "signature_def=5:signatures"
    ),
    "meta_info": "tags=4:text",
    "saver": "filename_tensor_name=1:text save_tensor_name=2:text restore_op_name=3:text",
    "collections": "key=1:text value=2:collection",
    "collection": "node_list=1:node_list",
    "node_list": "value=1:text",
    "signatures": "key=1:text value=2:interface",
    "interface": "inputs=1:tensors outputs=2:tensors method_name=3:text",
    "tensors": "key=1:text value=2:tensor_info",
    "tensor_info": "name=1:text dtype=2:element tensor_shape=3:shape",
}
"""By kind of message: the fields, each with its number and its kind."""

_SCALARS: dict[str, Kind] = {
    "integer": INTEGER,
    "flag": FLAG,
    "float": FLOAT,
    "double": DOUBLE,
    "text": TEXT,
    "element": ELEMENT,
}


@cache
def schema_of(kind: str) -> Schema:
    """Return the fields of a kind of messages: ``graph`` or ``saved_model``."""
    kinds = {name: Schema() for name in _MESSAGES}
    for name, text in _MESSAGES.items():
        for stated in text.split():
            called, _, rest = stated.partition("=")
            number, _, inner = rest.partition(":")
            kinds[name].fields[called] = int(number), _SCALARS.get(inner) or kinds[inner]
    return kinds[kind]


_SPACE = rb"(?:\s++|#[^\n]*+)*+"

_SAVED = re.compile(_SPACE + rb"(?:saved_model_schema_version|meta_graphs)\s*[:{<]")

_GRAPH = re.compile(_SPACE + rb"(?:node|library|versions?)\s*[:{<]")


def is_text(beginning: bytes) -> bool:
    """Whether a graph or a SavedModel as text begins so."""
    return _SAVED.match(beginning) is not None or _GRAPH.match(beginning) is not None


def binary_of(text: bytes) -> bytes:
    """Return a graph or a SavedModel as text in the binary encoding.

    Raises:
        WireError: it is neither of them.
    """
    return as_bytes(text, schema_of("saved_model" if _SAVED.match(text) else "graph"))
