"""Operators of a file as files of their own, to time each of them alone."""

# the schema's generated code is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from .reader import opened
from .schema import IDENTIFIER, builtin_names

RUNS_OTHERS = frozenset({"WHILE", "IF", "CALL_ONCE", "STABLEHLO_COMPOSITE"})
"""Operators that call other subgraphs of their file."""


@dataclass(frozen=True)
class Single:
    """An operator of the main subgraph; those of one ``key`` are alike but for what their weights are.

    ``outputs`` are its tensors in the whole file. ``file`` holds it alone; None if it needs more than itself.
    """

    index: int
    name: str
    key: str
    outputs: tuple[int, ...]
    file: bytes | None


def single_operators(path: Path, shapes: Mapping[int, Sequence[int]]) -> Iterator[Single]:
    """Return every operator of the main subgraph in order; of those that are alike only the first has its file.

    ``shapes`` are those that tensors have where they are not the file's own; a runtime numbers its temporary tensors
    after those of the file, and they are passed over.

    Raises:
        CompileError: R010, it is no TFLite file.
    """
    with opened(path) as (_, view):
        model: Any = schema.ModelT.InitFromObj(view)
    graph, seen = model.subgraphs[0], set[str]()
    for number, tensor in enumerate(graph.tensors):
        if number in shapes:
            tensor.shape, tensor.shapeSignature = list(shapes[number]), None
    for index, operator in enumerate(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        name = _name(code)
        key = f"{name} {_said(operator.builtinOptions)} {[_kind(model, graph, t) for t in _given(operator.inputs)]}"
        alone = name not in RUNS_OTHERS and not code.customCode and key not in seen
        seen.add(key)
        outputs = tuple(_given(operator.outputs))
        yield Single(index, name, key, outputs, _alone(model, graph, operator) if alone else None)


def _name(code: Any) -> str:
    number = max(int(code.builtinCode), int(code.deprecatedBuiltinCode))
    return builtin_names().get(number, str(number))


def _given(numbers: Any) -> list[int]:
    return [] if numbers is None else [int(n) for n in numbers if int(n) >= 0]


def _said(options: Any) -> str:
    return "" if options is None else f"{type(options).__name__}{sorted(vars(options).items())}"


def _kind(model: Any, graph: Any, number: int) -> str:
    tensor = graph.tensors[number]
    shape = [] if tensor.shape is None else [int(d) for d in tensor.shape]
    return f"{tensor.type}{shape}{'=' if _has_data(model, tensor) else ''}"


def _has_data(model: Any, tensor: Any) -> bool:
    buffer = model.buffers[tensor.buffer]
    return (buffer.data is not None and len(buffer.data) > 0) or bool(buffer.size)


def _alone(model: Any, graph: Any, operator: Any) -> bytes | None:
    """Return a file with one operator, whose inputs are what it reads and is no constant."""
    numbers = list(dict.fromkeys([*_given(operator.inputs), *_given(operator.outputs)]))
    tensors = [graph.tensors[n] for n in numbers]
    if any(t.isVariable or model.buffers[t.buffer].size for t in tensors):
        return None
    place = {n: i for i, n in enumerate(numbers)}
    made: Any = schema.ModelT()
    made.version, made.operatorCodes = model.version, model.operatorCodes
    made.buffers = [schema.BufferT()]
    part: Any = schema.SubGraphT()
    part.tensors = []
    for number in numbers:
        tensor = _copied(graph.tensors[number], schema.TensorT())
        tensor.name = f"t{number}".encode()
        if _has_data(model, tensor):
            made.buffers.append(model.buffers[tensor.buffer])
            tensor.buffer = len(made.buffers) - 1
        else:
            tensor.buffer = 0
        part.tensors.append(tensor)
    one = _copied(operator, schema.OperatorT())
    one.inputs = [place.get(int(n), -1) for n in operator.inputs]
    one.outputs = [place[n] for n in _given(operator.outputs)]
    part.operators = [one]
    part.inputs = [place[n] for n in dict.fromkeys(_given(operator.inputs)) if not _has_data(model, graph.tensors[n])]
    part.outputs = one.outputs
    made.subgraphs = [part]
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _copied(source: Any, target: Any) -> Any:
    vars(target).update(vars(source))
    return target
