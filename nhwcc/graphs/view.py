"""What is drawn of a network: boxes and arrows with words and colours, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Module, Op, Port, Value
from nhwcc.compiler.ops.shape import Transpose
from nhwcc.compiler.printer import print_op

if TYPE_CHECKING:
    from nhwcc.formats.tflite.reader import Summary


@dataclass(frozen=True)
class Category:
    """A kind of box: what the legend says, and its colours; the strong one is for boxes without a text."""

    title: str
    fill: str
    strong: str
    line: str = "#9aa5b1"
    text: str = "#1f2933"


CATEGORIES = {
    "transpose": Category("transpose", "#d64545", "#e02020", "#911111", "#ffffff"),
    "product": Category("convolution, pooling, matrix product", "#d6e6f5", "#6ea3d8"),
    "elementwise": Category("elementwise", "#e3f1df", "#7fbf7b"),
    "movement": Category("reshape, slice, join", "#eeeeee", "#b8c0c8"),
    "reduction": Category("reduction, normalisation", "#fcebd2", "#e8a951"),
    "selection": Category("gather, sort, resize", "#e6e0f2", "#a692d1"),
    "interface": Category("input, output", "#ffffff", "#1f2933", "#1f2933"),
    "other": Category("other", "#f7f7d9", "#c9c94f"),
}
"""Transposes cry out, everything else is calm."""

FAMILIES = {
    "window": "product",
    "linear": "product",
    "arith": "elementwise",
    "activation": "elementwise",
    "logic": "elementwise",
    "shape": "movement",
    "reduce": "reduction",
    "norm": "reduction",
    "index": "selection",
    "spatial": "selection",
}
"""Categories by the module in which an operation is declared."""


@dataclass(frozen=True)
class Box:
    """An operation, an input or an output; ``shape`` has the sizes of its result that are numbers."""

    title: str
    detail: str
    category: str
    tooltip: str = ""
    shape: tuple[int, ...] = ()


@dataclass
class Graph:
    """Boxes by number, and arrows between their numbers with the type of what flows."""

    title: str
    boxes: list[Box] = field(default_factory=lambda: list[Box]())
    arrows: list[tuple[int, int, str]] = field(default_factory=lambda: list[tuple[int, int, str]]())

    def add(self, box: Box) -> int:
        """Add a box at the end, and return its number, which edges refer to."""
        self.boxes.append(box)
        return len(self.boxes) - 1

    def categories(self) -> list[Category]:
        """The categories of operations that occur, in the order of the legend."""
        used = {box.category for box in self.boxes}
        return [category for name, category in CATEGORIES.items() if name in used]


def category(op: type[Op]) -> str:
    """Return the category of an operation: by the family that it is declared in."""
    if op is Transpose:
        return "transpose"
    return FAMILIES.get(op.__module__.rpartition(".")[2], "other")


def view_module(module: Module, title: str) -> Graph:
    """Show the main function; constants are left out, regions are part of the operation that holds them."""
    graph, func = Graph(title), module.main
    source: dict[Value, int] = {}
    for port, arg in zip(func.inputs, func.args, strict=True):
        source[arg] = graph.add(_end(f"input {port.name}", arg, port))
    for op in func.ops:
        if op.spec.is_terminator or (op.results and constant(op.results[0]) is not None):
            continue
        number = graph.add(_box(op))
        for value in reads_of(op):
            if value in source:
                graph.arrows.append((source[value], number, str(value.type)))
        source |= dict.fromkeys(op.results, number)
    for port, value in zip(func.outputs, func.returns, strict=True):
        number = graph.add(_end(f"output {port.name}", value, port))
        if value in source:
            graph.arrows.append((source[value], number, str(value.type)))
    return graph


def view_tflite(summary: Summary, title: str) -> Graph:
    """Show the main subgraph of a .tflite file."""
    from nhwcc.backends.tflite.table import TABLE

    families = {row.kernel: category(op) for op, rows in TABLE.rows.items() for row in rows}
    families["TRANSPOSE"] = "transpose"
    graph, main = Graph(title), summary.main
    source: dict[int, int] = {}
    for tensor in main.inputs:
        info = main.tensors[tensor]
        source[tensor] = graph.add(Box(f"input {info.name}", str(info), "interface", shape=info.shape))
    for operator in main.operators:
        results = ", ".join(str(main.tensors[t]) for t in operator.outputs)
        names = ", ".join(main.tensors[t].name for t in operator.outputs)
        shape = main.tensors[operator.outputs[0]].shape if operator.outputs else ()
        number = graph.add(Box(operator.name, results, families.get(operator.name, "other"), names, shape))
        for tensor in operator.inputs:
            if tensor in source:
                graph.arrows.append((source[tensor], number, str(main.tensors[tensor])))
        source |= dict.fromkeys(operator.outputs, number)
    for tensor in main.outputs:
        info = main.tensors[tensor]
        number = graph.add(Box(f"output {info.name}", str(info), "interface", shape=info.shape))
        if tensor in source:
            graph.arrows.append((source[tensor], number, str(info)))
    return graph


def _box(op: Op) -> Box:
    place = f"\n{op.location}" if op.location else ""
    types = ", ".join(str(r.type) for r in op.results)
    shape = _numbers(op.results[0]) if op.results else ()
    return Box(op.spec.name, types, category(type(op)), print_op(op) + place, shape)


def _end(title: str, value: Value, port: Port) -> Box:
    return Box(title, f"{value.type} {port.order}".strip(), "interface", shape=_numbers(value))


def _numbers(value: Value) -> tuple[int, ...]:
    return tuple(d for d in value.type.shape if isinstance(d, int))


def reads_of(op: Op) -> list[Value]:
    """Return what an operation and its regions read, each once."""
    ops = [op, *(inner for region in op.regions for inner in region.walk())]
    return list(dict.fromkeys(v for o in ops for v in o.operands if v is not None))
