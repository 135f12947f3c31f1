"""Where the operators of a file run that is meant for a device."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ....compiler.dims import is_static, static
from ....formats.tflite.contents import Contents, StoredGraph, StoredOperator, read_contents
from ...common.placement import Place, Placed, Placement
from .arena import arena, nbytes
from .table import Kernels
from .uses import Use, of_graph


def place(target: str, kernels: Kernels, rest: str, path: Path) -> Placement:
    """Say of all operators of a file whether a device runs them.

    Raises:
        CompileError: R010, the file can't be read.
    """
    contents = read_contents(path)
    by_graph = [list(_placed(contents, graph, kernels, rest)) for graph in contents.graphs]
    if kernels.parts == "largest":
        by_graph = [_in_largest_part(*pair, kernels.title) for pair in zip(contents.graphs, by_graph, strict=True)]
    operators = [placed for graph in by_graph for placed in graph]
    if kernels.parts == "first":
        operators = _in_first_part(operators, kernels.title)
    is_one = kernels.parts != "all"
    return Placement(target, kernels.title, rest, tuple(operators), arena(contents.graphs[0]), one_part=is_one)


def _placed(contents: Contents, graph: StoredGraph, kernels: Kernels, rest: str) -> Iterator[Placed]:
    counted: set[int] = set()
    for op, use in zip(graph.operators, of_graph(contents, graph), strict=True):
        why, stops = kernels.why_not(use), kernels.why_it_stops(use)
        where: Place = "device" if why is None else "stops" if stops else "rest" if rest else "nowhere"
        name = next((graph.tensors[t].info.name for t in op.info.outputs if t >= 0), "")
        new = {t for t in op.info.inputs if t >= 0 and graph.tensors[t].is_constant} - counted
        counted |= new
        weights = sum(nbytes(graph.tensors[t]) or 0 for t in new)
        yield Placed(name, op.name, where, stops or why, macs(use), weights, _moved(graph, op))


def _moved(graph: StoredGraph, op: StoredOperator) -> int:
    numbers = {t for t in (*op.info.inputs, *op.info.outputs) if t >= 0 and not graph.tensors[t].is_constant}
    return sum(nbytes(graph.tensors[t]) or 0 for t in numbers)


def _in_first_part(operators: list[Placed], title: str) -> list[Placed]:
    """Leave all operators to the rest that stand after the first one that the device does not run."""
    first = next((i for i, op in enumerate(operators) if op.where != "device"), len(operators))
    why = f"it stands after {operators[first].name}, where {title} stops" if first < len(operators) else ""
    later = [op if op.where != "device" else replace(op, where="rest", why=why) for op in operators[first + 1 :]]
    return [*operators[: first + 1], *later]


def _in_largest_part(graph: StoredGraph, operators: list[Placed], title: str) -> list[Placed]:
    """Leave all operators to the rest that are not in the part with most operators, the first one of these."""
    ours = [part for part in _parts(graph, operators) if operators[part[0]].where == "device"]
    kept = set(max(ours, key=len, default=list[int]()))
    why = f"{title} takes one part of a network, and another one has as many operators or more"
    return [
        replace(op, where="rest", why=why) if op.where == "device" and number not in kept else op
        for number, op in enumerate(operators)
    ]


def _parts(graph: StoredGraph, operators: Sequence[Placed]) -> Iterator[list[int]]:
    """Yield the parts that the TFLite runtime makes of a graph: each takes all that it can compute in one place."""
    computed = {tensor for op in graph.operators for tensor in op.info.outputs}
    left = list(range(len(operators)))
    while left:
        part, rest, where = list[int](), list[int](), ""
        for number in left:
            op, at = graph.operators[number], operators[number].where
            if at != (where or at) or not computed.isdisjoint(op.info.inputs):
                rest.append(number)
                continue
            where = at
            part.append(number)
            computed.difference_update(op.info.outputs)
        if not part:  # operators that wait for each other: no file has them
            return
        yield part
        left = rest


def macs(use: Use) -> int:
    """Return how often an operator multiplies and adds; 0 where sizes are open."""
    weights = use.input(1)
    if not use.is_static or weights is None:
        return 0
    result, by = math.prod(static(use.outputs[0].type.shape)), static(weights.type.shape)
    match use.builtin:
        case "CONV_2D":
            return result * math.prod(by[1:])
        case "DEPTHWISE_CONV_2D":
            return result * math.prod(by[1:3])
        case "CONV_3D":
            return result * math.prod(by[:-1])
        case "FULLY_CONNECTED":
            return result * by[-1]
        case "TRANSPOSE_CONV" if use.data is not None and is_static(use.data.type.shape):
            return math.prod(static(use.data.type.shape)) * math.prod(by[:-1])
        case "BATCH_MATMUL":
            return result * by[-1 if use.option("adj_y", default=False) else -2]
        case _:
            return 0
