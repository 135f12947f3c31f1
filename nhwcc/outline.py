"""What an ONNX file holds, read without importing it, for models of which not all can be imported."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from nhwcc.compiler.diagnostics import Diagnostic
from nhwcc.formats.onnx.files import open_model
from nhwcc.formats.onnx.model import Declared, Model
from nhwcc.formats.onnx.tensors import DTYPES, Constant, SparseTensor, Tensor
from nhwcc.frontends.onnx.census import count_nodes
from nhwcc.frontends.onnx.custom import code
from nhwcc.graphs.view import Box, Graph
from nhwcc.inspection import Inspection, Summary
from nhwcc.report import PortReport

UNSUPPORTED = {"F001", "F005", "F022", "F023"}
"""Codes that say that a part of a sound model is not supported."""


def is_sound(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether nothing worse is said of a model than that parts of it are not supported."""
    return all(d.code in UNSUPPORTED for d in diagnostics)


def outline(path: Path) -> Inspection:
    """Look into a file without importing it.

    Raises:
        CompileError: it is damaged.
    """
    model = open_model(path)
    graph, census = model.graph, count_nodes(model)
    inputs = {name: d for name, d in graph.inputs.items() if name not in graph.constants}
    sizes = [_size(c) for c in graph.constants.values()]
    summary = Summary(
        str(path),
        "an ONNX model",
        path.stat().st_size,
        [PortReport(name, _type(d)) for name, d in inputs.items()],
        [PortReport(name, _type(graph.stated.get(name))) for name in graph.outputs],
        dict(census.counts.most_common()),
        census.counts["Transpose"],
        sum(elements for elements, _ in sizes),
        sum(nbytes for _, nbytes in sizes),
        "unknown",
        ops=[f"{', '.join(n.outputs)} = {code(n)}({', '.join(n.inputs)})" for n in graph.nodes],
        unsupported=dict(census.unknown.most_common()),
    )
    return Inspection(summary, _view(model, path.name))


def _size(constant: Constant) -> tuple[int, int]:
    """Return the elements of a constant and their bytes, as they are stated."""
    if isinstance(constant, Tensor):
        elements, kind = math.prod(constant.proto.dims), constant.proto.data_type
    elif isinstance(constant, SparseTensor):
        elements, kind = math.prod(constant.proto.dims), constant.proto.values.data_type
    else:
        return 0, 0
    return elements, elements * (DTYPES[kind].bits if kind in DTYPES else 8) // 8


def _type(declared: Declared | None) -> str:
    """Return a stated type as the IR writes it, with ? for what is not stated."""
    if declared is None or declared.kind not in ("tensor", ""):
        return "?" if declared is None else declared.kind
    dtype = DTYPES.get(declared.element)
    sizes = "?" if declared.dims is None else ",".join("?" if d is None else str(d) for d in declared.dims)
    return f"{dtype or '?'}[{sizes}]"


def _view(model: Model, title: str) -> Graph:
    """Show the nodes and what flows between them; weights are left out."""
    graph, source = Graph(title), dict[str, int]()
    for name, declared in model.graph.inputs.items():
        if name not in model.graph.constants:
            source[name] = graph.add(Box(f"input {name}", _type(declared), "interface"))
    for node in model.graph.nodes:
        number = graph.add(Box(code(node), ", ".join(node.outputs), "other", node.label))
        graph.arrows += ((source[name], number, name) for name in dict.fromkeys(node.inputs) if name in source)
        source |= dict.fromkeys(filter(None, node.outputs), number)
    for name in model.graph.outputs:
        number = graph.add(Box(f"output {name}", _type(model.graph.stated.get(name)), "interface"))
        if name in source:
            graph.arrows.append((source[name], number, name))
    return graph
