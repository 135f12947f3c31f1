"""Opening a graph model of TensorFlow.js: its graph as TensorFlow's, with constants that stay in their files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

from ...compiler.diagnostics import CompileError, error, reason
from ...compiler.dims import static
from ...compiler.regular import regular
from ...compiler.weights import Weight
from ..tensorflow.model import Attribute, Function, FunctionName, Graph, Node, StoredShape
from ..tensorflow.saved_model import Contents, Port, Signature
from ..tensorflow.tensors import NUMBERS as TENSORS
from ..tensorflow.tensors import Dims, ElementType, Store, StoredTensor
from .names import LAYOUTS, METADATA, MODEL_FILE, TYPES
from .weights import read_weights

Json: TypeAlias = "Mapping[str, Any]"

NUMBERS = {name: number for number, name in TYPES.items()}

DAMAGED = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
"""What comes of JSON that is not what it should be."""

LAYERS = "tensorflowjs_converter --input_format=tfjs_layers_model --output_format=tfjs_graph_model FILE FOLDER"


def read_graph_model(path: Path) -> Contents:
    """Read a model: its folder, or the file with its graph.

    Raises:
        CompileError: R010, it is missing or damaged; R015, it is made of layers.
    """
    file = path / MODEL_FILE if path.is_dir() else path
    try:
        said: Any = json.loads(regular(file).read_bytes())
    except OSError as bad:
        raise error("R010", f"can't read {file}: {reason(bad)}") from bad
    except (ValueError, RecursionError) as bad:
        raise _bad(file, "it is not JSON") from bad
    topology: Any = cast(dict[str, Any], said).get("modelTopology") if isinstance(said, dict) else None
    if not isinstance(topology, dict):
        raise _bad(file, "it says nothing of a network")
    if "node" not in topology:
        text = f"{file} is a model of TensorFlow.js that is made of layers, which nhwcc does not read"
        raise error("R015", text, help=f"make a graph model of it: {LAYERS}")
    try:
        return _contents(cast(Json, said), file)
    except OSError as bad:
        raise error("R010", f"can't read the weights of {file}: {reason(bad)}") from bad
    except DAMAGED as bad:
        raise _bad(file, f"it lacks {bad}" if isinstance(bad, KeyError) else str(bad)) from bad


def _bad(file: Path, why: str) -> CompileError:
    return error("R010", f"{file} is damaged or incomplete: {why}", help="Export or download it again.")


def _contents(said: Json, file: Path) -> Contents:
    weights = {
        name: weight for group in said.get("weightsManifest", []) for name, weight in read_weights(group, file.parent)
    }
    layouts = said.get(METADATA, {}).get(LAYOUTS, {})
    topology = said["modelTopology"]
    nodes = _in_i32(_node(node, weights, layouts) for node in topology["node"])
    functions = [_function(f, weights) for f in topology.get("library", {}).get("function", [])]
    graph = Graph(nodes, {function.name: function for function in functions})
    signature = said.get("signature")
    signatures = () if not signature else (_signature(signature),)
    return Contents(graph, signatures, path=file)


def _signature(said: Json) -> Signature:
    sides = [{name: _port(port) for name, port in said.get(side, {}).items()} for side in ("inputs", "outputs")]
    return Signature("serving_default", *sides)


def _port(said: Json) -> Port:
    return Port(said["name"], _type(said["dtype"]), _shape(said.get("tensorShape", {})))


def _type(said: str | int) -> ElementType:
    return ElementType(said if isinstance(said, int) else NUMBERS[said])


def _shape(said: Json) -> Dims:
    if said.get("unknownRank"):
        return None
    sizes = [int(dim.get("size", 0)) for dim in said.get("dim", [])]
    return tuple(size if size >= 0 else None for size in sizes)


def _node(said: Json, weights: Mapping[str, Weight], layouts: Json) -> Node:
    name, op = said["name"], said["op"]
    attributes = {n: _attribute(v) for n, v in said.get("attr", {}).items() if op != "Const" and not n.startswith("_")}
    if op == "Const":
        weight = weights[name]
        element = ElementType(TENSORS[weight.type.dtype])
        attributes = {"value": _Held(element, static(weight.type.shape), Store(b""), held=weight), "dtype": element}
    layout = json.dumps(layouts[name]) if name in layouts else ""
    return Node(name, op, tuple(said.get("input", ())), attributes, layout)


WIDE, SHORT = ElementType(9), ElementType(3)
"""TensorFlow's integers of 64 bits, and those that TensorFlow.js has instead."""

FOUND = "Where"
"""The operator that gives integers of 64 bits whatever is asked for."""


def _in_i32(nodes: Iterable[Node], result: str = "") -> tuple[Node, ...]:
    """Return nodes that give integers of 32 bits where those of TensorFlow would give 64.

    ``result`` is how nodes of a function name the only result of another one.
    """
    out: list[Node] = []
    for node in nodes:
        stated = {name: SHORT if value == WIDE else value for name, value in node.attributes.items()}
        if node.op != FOUND:
            out.append(replace(node, attributes=stated))
            continue
        wide = replace(node, name=f"{node.name}/wide", layout="")
        cast = {"SrcT": WIDE, "DstT": SHORT}
        out += [wide, Node(node.name, "Cast", (f"{wide.name}{result}",), cast, node.layout)]
    return tuple(out)


@dataclass(frozen=True)
class _Held(StoredTensor):
    """A tensor that is known already."""

    held: Weight | None = None

    def weight(self, what: str) -> Weight:
        """Return the elements."""
        assert self.held is not None, what
        return self.held


def _function(said: Json, weights: Mapping[str, Weight]) -> Function:
    signature = said["signature"]
    arguments, results = signature.get("inputArg", []), signature.get("outputArg", [])
    returned = said.get("ret", {})
    return Function(
        signature["name"],
        tuple(a["name"] for a in arguments),
        tuple(_type(a["type"]) if "type" in a else None for a in arguments),
        _in_i32((_node(node, weights, {}) for node in said.get("nodeDef", [])), ":index:0"),
        tuple(returned.get(a["name"], a["name"]) for a in results),
        outputs={a["name"]: _type(a["type"]) if "type" in a else None for a in results},
    )


_FIELDS: dict[str, Callable[[Any], Attribute]] = {
    "b": bool,
    "i": int,
    "f": float,
    "s": lambda said: base64.b64decode(said).decode("utf-8", "surrogateescape"),
    "type": _type,
    "shape": lambda said: StoredShape(_shape(said)),
    "func": lambda said: FunctionName(said["name"], {n: _attribute(v) for n, v in said.get("attr", {}).items()}),
}
"""How an attribute of each kind is read."""


def _attribute(said: Json) -> Attribute:
    """Read an attribute; one that holds nothing is an empty list."""
    if "list" in said:
        return tuple(
            _FIELDS[field](item) for field, items in said["list"].items() for item in items if field in _FIELDS
        )
    return next((_FIELDS[field](content) for field, content in said.items() if field in _FIELDS), ())
