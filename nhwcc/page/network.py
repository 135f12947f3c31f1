"""A network as a page shows it: operations by number, plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nhwcc.compiler.diagnostics import Location
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Module, Op, Port, Value
from nhwcc.compiler.printer import print_op
from nhwcc.compiler.types import TensorType
from nhwcc.graphs.view import category, reads_of

LONGEST_TEXT = 600
"""Characters of an operation's text that a page holds."""


@dataclass
class Operation:
    """An operation, an input or an output.

    ``path`` are the modules that it lies in, outermost first; ``origins`` are the source's nodes that it stems from,
    ``tensors`` the names of what it computes.  ``reads`` has the numbers of the operations whose results it reads, with
    their types.  ``bytes`` is what its results take, None if a size is open, ``weights`` what its constants take.
    """

    kind: str
    detail: str
    category: str
    path: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    reads: list[tuple[int, str]] = field(default_factory=lambda: list[tuple[int, str]]())
    bytes: int | None = 0
    weights: int = 0
    text: str = ""


@dataclass
class Network:
    """All operations of a main function, in their order; constants are parts of what reads them."""

    title: str
    operations: list[Operation] = field(default_factory=lambda: list[Operation]())


def network_of(module: Module, title: str) -> Network:
    """Describe the main function; regions are part of the operation that holds them."""
    func, found, source = module.main, Network(title), dict[Value, int]()
    for port, arg in zip(func.inputs, func.args, strict=True):
        source[arg] = len(found.operations)
        found.operations.append(_end("input", port, arg))
    path: tuple[str, ...] = ()
    for op in func.ops:
        if op.spec.is_terminator or (op.results and constant(op.results[0]) is not None):
            continue
        path = path_of(op.location) if op.location else path
        source |= dict.fromkeys(op.results, len(found.operations))
        found.operations.append(_operation(op, path, source))
    for port, value in zip(func.outputs, func.returns, strict=True):
        found.operations.append(_end("output", port, value))
        found.operations[-1].reads = _from([value], source)
    return found


def path_of(location: Location) -> tuple[str, ...]:
    """Return the modules that a source's node lies in, as exporters write them into its name.

    >>> path_of(Location("/encoder/layer.0/MatMul")), path_of(Location("encoder.layers.0.linear_1"))
    (('encoder', 'layer.0'), ('encoder', 'layers', '0'))
    """
    separator = "/" if "/" in location.node else "."
    return tuple(filter(None, location.node.split(separator)[:-1]))


def _operation(op: Op, path: tuple[str, ...], source: dict[Value, int]) -> Operation:
    read = reads_of(op)
    place, weights = op.location, [constant(value) for value in read]
    return Operation(
        op.spec.name,
        ", ".join(str(r.type) for r in op.results),
        category(type(op)),
        path,
        (place.node, *place.via) if place else (),
        tuple(r.name for r in op.results if r.name),
        _from(read, source),
        _total([r.type for r in op.results]),
        sum(w.nbytes for w in weights if w is not None),
        print_op(op)[:LONGEST_TEXT],
    )


def _end(kind: str, port: Port, value: Value) -> Operation:
    """Describe an input or an output, which both networks have under the same name."""
    detail = f"{value.type} {port.order}".strip()
    bytes = _total([value.type]) if kind == "input" else 0
    return Operation(
        f"{kind} {port.name}", detail, "interface", (), (f"{kind} {port.name}",), (port.name,), bytes=bytes
    )


def _from(values: Sequence[Value], source: dict[Value, int]) -> list[tuple[int, str]]:
    return [(source[value], str(value.type)) for value in values if value in source]


def _total(types: Sequence[TensorType]) -> int | None:
    """Return the bytes that tensors take together, None if a size is open."""
    sizes = [type.size * type.dtype.bits // 8 if isinstance(type.size, int) else None for type in types]
    return None if None in sizes else sum(filter(None, sizes))
