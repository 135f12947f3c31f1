"""Looking into a model's file without compiling it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nhwcc.compiler.diagnostics import CompileError, counted
from nhwcc.compiler.dims import Dim, Sym
from nhwcc.compiler.ir import Module, Port
from nhwcc.compiler.opdef import Multiplies
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.printer import Names, print_op
from nhwcc.compiler.visible import visible, visible_lines, visible_parts
from nhwcc.file_formats import detect
from nhwcc.graphs.view import Graph, view_module, view_tflite
from nhwcc.messages import Style, plain
from nhwcc.render import human_bytes
from nhwcc.report import PortReport, count_ops, describe_port, describe_ports
from nhwcc.sources import load

if TYPE_CHECKING:
    from nhwcc.formats.tflite.reader import OperatorInfo, Signature, SubgraphInfo, TensorInfo
    from nhwcc.formats.tflite.reader import Summary as TfliteSummary


@dataclass(frozen=True)
class Summary:
    """What a file holds; ``macs`` counts multiply-accumulates, as a string where sizes have names or are unknown.

    ``unsupported`` are operators without a known meaning, and how often each occurs. ``signatures`` are those of a file
    that holds several, of which inputs, outputs and operations of the first one are listed.
    """

    file: str
    format: str
    bytes: int
    inputs: list[PortReport]
    outputs: list[PortReport]
    counts: dict[str, int]
    transposes: int
    parameters: int
    weight_bytes: int
    macs: int | str
    metadata: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    ops: list[str] = field(default_factory=lambda: list[str]())
    unsupported: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    signatures: list[str] = field(default_factory=lambda: list[str]())


@dataclass(frozen=True)
class Inspection:
    """A summary of a file, and the graph that a drawing of it shows."""

    summary: Summary
    graph: Graph


def inspect(path: Path, *, allow_custom_ops: bool = False) -> Inspection:
    """Look into a file; one with unknown operators is shown without importing it.

    Raises:
        CompileError: it can't be read, or is damaged.
    """
    format = detect(path)
    if format.name == "tflite":
        from nhwcc.formats.tflite.reader import inspect as inspect_tflite

        found = inspect_tflite(path)
        return Inspection(_of_tflite(found, path), view_tflite(found, path.name))
    try:
        module = load(path, allow_custom_ops=allow_custom_ops)
    except CompileError as bad:
        if format.name != "onnx":
            raise
        from nhwcc.outline import is_sound, outline

        if not is_sound(bad.diagnostics):
            raise
        return outline(path)
    return Inspection(_of_module(module, path, format.title), view_module(module, path.name))


def _of_module(module: Module, path: Path, title: str) -> Summary:
    func = module.main
    weights = {id(op.value): op.value for op in module.walk() if isinstance(op, Const)}.values()
    names = Names()
    counts = count_ops(module)
    macs: Dim = 0
    for op in func.walk():
        if isinstance(op, Multiplies):
            macs = macs + op.macs()
    return Summary(
        str(path),
        title,
        _bytes(path),
        describe_ports(func.inputs, func.args),
        describe_ports(func.outputs, func.returns),
        counts,
        counts.get("transpose", 0),
        sum(math.prod(d for d in w.type.shape if isinstance(d, int)) for w in weights),
        sum(w.nbytes for w in weights),
        str(macs) if isinstance(macs, Sym) else macs,
        {},
        [print_op(op, names) for op in func.ops if not isinstance(op, Const)],
    )


def _bytes(path: Path) -> int:
    """Return the size of a file, or of all files in a folder."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return sum(p.stat().st_size for p in files)


def _of_tflite(found: TfliteSummary, path: Path) -> Summary:
    main = found.main
    counts = Counter(op.name for graph in found.subgraphs for op in graph.operators)
    constant = [t for graph in found.subgraphs for t in graph.tensors if t.nbytes]
    return Summary(
        str(path),
        "a TFLite file",
        found.bytes,
        [_port(found, "inputs", name, tensor) for name, tensor in found.ports("inputs").items()],
        [_port(found, "outputs", name, tensor) for name, tensor in found.ports("outputs").items()],
        dict(counts.most_common()),
        counts["TRANSPOSE"],
        sum(math.prod(t.shape) for t in constant),
        sum(t.nbytes for t in constant),
        sum(_macs(op, graph) for graph in found.subgraphs for op in graph.operators),
        {k: v.decode("utf-8", "replace").rstrip("\0") for k, v in found.metadata.items()},
        [_operator(op, main) for op in main.operators],
        signatures=[_called(s) for s in found.signatures] if len(found.signatures) > 1 else [],
    )


def _called(signature: Signature) -> str:
    return f"{signature.key}({', '.join(signature.inputs)}) -> {', '.join(signature.outputs)}"


def _port(found: TfliteSummary, side: str, name: str, tensor: TensorInfo) -> PortReport:
    perm: list[int] | None = (found.layout or {}).get(side, {}).get(name, {}).get("perm")
    return describe_port(Port(name, None if perm is None else tuple(perm)), str(tensor))


def _operator(op: OperatorInfo, graph: SubgraphInfo) -> str:
    def tensors(numbers: tuple[int, ...]) -> str:
        return ", ".join(str(graph.tensors[n]) if n >= 0 else "none" for n in numbers)

    name = graph.tensors[op.outputs[0]].name if op.outputs else ""
    return visible(f"{name} = {op.name}({tensors(op.inputs)}){_options(op)} : {tensors(op.outputs)}")


def _options(op: OperatorInfo) -> str:
    """What the kernel of a custom operator is told; who wrote the file may have told it in another form."""
    from nhwcc.formats.tflite.flexbuffer import decode

    if not op.custom_options:
        return ""
    try:
        found = decode(op.custom_options)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return f" {{{counted(len(op.custom_options), 'byte')}}}"
    return f" {{{', '.join(f'{k} = {_shown(v)}' for k, v in cast(dict[str, Any], found).items())}}}"


def _shown(value: Any) -> str:
    match value:
        case {"type": str(dtype), "shape": [*shape], "data": bytes() | bytearray()}:
            return f"{dtype}[{','.join(map(str, shape))}]"
        case _:
            return json.dumps(value, default=repr)


_PER_RESULT: dict[str, Callable[[tuple[int, ...]], int]] = {
    "CONV_2D": lambda w: math.prod(w[1:]),
    "CONV_3D": lambda w: math.prod(w[:-1]),
    "DEPTHWISE_CONV_2D": lambda w: math.prod(w[1:-1]),
    "FULLY_CONNECTED": lambda w: math.prod(w[-1:]),
}
"""Multiply-accumulates for every element of the result, from the filter's shape."""

_OPERANDS = dict.fromkeys((*_PER_RESULT, "BATCH_MATMUL"), 2) | {"TRANSPOSE_CONV": 3}
"""How many operands these operators have at least."""


def _macs(op: OperatorInfo, graph: SubgraphInfo) -> int:
    """Multiply-accumulates of an operator; sizes that are open count once."""
    shapes = [tuple(max(d, 1) for d in graph.tensors[n].shape) if n >= 0 else () for n in op.inputs]
    results = sum(math.prod(max(d, 1) for d in graph.tensors[n].shape) for n in op.outputs)
    if len(shapes) < _OPERANDS.get(op.name, 0):
        return 0  # a damaged file
    if op.name in _PER_RESULT:
        return results * _PER_RESULT[op.name](shapes[1])
    if op.name == "BATCH_MATMUL":
        return math.isqrt(results * math.prod(shapes[0]) * math.prod(shapes[1]) // max(_batch(shapes), 1))
    if op.name == "TRANSPOSE_CONV":
        return math.prod(shapes[2]) * math.prod(shapes[1][:-1])
    return 0


def _batch(shapes: list[tuple[int, ...]]) -> int:
    return math.prod(shapes[0][:-2])


def _transposes(count: int) -> str:
    return "1 of them a transpose" if count == 1 else f"{count} of them transposes"


def render_inspection(found: Summary, style: Style = plain, *, ops: bool = False) -> str:
    """Return a summary as a user reads it."""
    texts = [visible_lines(op) for op in found.ops]  # of which some have several lines
    found = visible_parts(found)
    lines = [f"{style(found.file, 'strong')}  {found.format}, {human_bytes(found.bytes)}"]
    lines += (f"  {'signature':<12}{text}" for text in found.signatures)
    for title, ports in (("input", found.inputs), ("output", found.outputs)):
        for port in ports:
            layout = f" {port.layout} (source: {port.source_layout})" if port.layout else ""
            lines.append(f"  {title:<12}{port.name} {port.type}{layout}")
    work = f"{found.macs:,}" if isinstance(found.macs, int) else found.macs
    lines += [
        f"  {'weights':<12}{counted(found.parameters, 'parameter')}, {human_bytes(found.weight_bytes)}",
        f"  {'work':<12}{work} multiply-accumulate{'' if found.macs == 1 else 's'}",
        f"  {'operations':<12}{sum(found.counts.values())}, {_transposes(found.transposes)}",
    ]
    if found.unsupported:
        names = ", ".join(f"{name} ({count} x)" for name, count in found.unsupported.items())
        lines.append(f"  {'unsupported':<12}{style(names, 'warning')}")
    lines += [f"  {count:>10}  {name}" for name, count in found.counts.items()]
    return "\n".join([*lines, *(["", *texts] if ops else [])])
