"""Reading files back: what any .tflite file holds, without running it."""

# the schema's generated views are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from ...compiler.diagnostics import CompileError, error, reason
from ..layout import KEY, Layout, key_of, read_layout

T = TypeVar("T")

MAX_TEXT_METADATA = 1 << 16
"""Bytes of metadata that are shown; more is no text."""

Side: TypeAlias = Literal["inputs", "outputs"]

SIDES: tuple[Side, ...] = ("inputs", "outputs")

ABSENT = -1
"""The number of an operand that is left out."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor: its sizes (-1: open), element type in the schema's words, and bytes if it is constant.

    A variable keeps from one call to the next what a kernel leaves there.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int = 0
    is_variable: bool = False

    def __str__(self) -> str:
        return f"{self.dtype.lower()}[{','.join(str(d) if d >= 0 else '?' for d in self.shape)}]"


@dataclass(frozen=True)
class OperatorInfo:
    """An operator: its builtin (or custom name), version, and the numbers of its tensors.

    ``custom_options`` is what the kernel of a custom operator is told, None for a builtin.
    """

    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    custom_options: bytes | None = None


@dataclass(frozen=True)
class SubgraphInfo:
    """What a subgraph holds: tensors, operators, inputs and outputs, without elements."""

    name: str
    tensors: tuple[TensorInfo, ...]
    operators: tuple[OperatorInfo, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """Names of inputs and outputs, each with the number of its tensor."""

    key: str = ""
    subgraph: int = 0
    inputs: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    outputs: dict[str, int] = field(default_factory=lambda: dict[str, int]())


@dataclass(frozen=True)
class Summary:
    """What a file holds, without the elements of its weights."""

    bytes: int
    version: int
    description: str
    subgraphs: tuple[SubgraphInfo, ...]
    signatures: tuple[Signature, ...]
    metadata: dict[str, bytes]
    layouts: Mapping[str, Layout] = field(default_factory=lambda: dict[str, Layout]())

    @property
    def layout(self) -> Layout | None:
        """How inputs and outputs of the first signature lie, None if the file does not say so."""
        return self.layouts.get(self.signatures[0].key if self.signatures else "")

    @property
    def main(self) -> SubgraphInfo:
        """The subgraph that runs: that of the first signature, or the first one."""
        return self.subgraphs[self.signatures[0].subgraph if self.signatures else 0]

    def ports(self, side: Side) -> dict[str, TensorInfo]:
        """Inputs or outputs by the names of the signature, or by those of the tensors where there is none."""
        return _named(self, self.signatures[0] if self.signatures else Signature(), side)

    def signature(self, key: str) -> Signature:
        """Return the signature that has a key.

        Raises:
            CompileError: F018, there is none.
        """
        found = next((s for s in self.signatures if s.key == key), None)
        if found is None:
            keys = ", ".join(repr(s.key) for s in self.signatures)
            raise error("F018", f"there is no signature {key!r}", help=f"There are {keys or 'none'}.")
        return found

    @property
    def min_runtime(self) -> str | None:
        """The oldest runtime that the file's metadata promises; None if it promises none."""
        text = self.metadata.get("min_runtime_version")
        return None if text is None else text.rstrip(b"\0").decode("utf-8", "replace")


def inspect(path: Path) -> Summary:
    """Summarise a file.

    Raises:
        CompileError: R010, it is missing, truncated or no TFLite file.
    """
    with opened(path) as (data, model):
        return summarize(data, model)


def read_signature(path: Path) -> Signature:
    """Return the first signature of a file, an empty one if it has none.

    Raises:
        CompileError: R010, it is missing, truncated or no TFLite file.
    """
    with opened(path) as (_, model):
        found = _signatures(model, len(_))
        return found[0] if found else Signature()


@contextmanager
def opened(source: Path | bytes) -> Generator[tuple[mmap.mmap | bytes, Any], None, None]:
    """Map a file; whatever its bytes make the generated code stumble over is an error of the file."""
    from .schema import IDENTIFIER, unpack

    try:
        data = source if isinstance(source, bytes) else _mapped(source)
        if data[4:8] != IDENTIFIER:
            raise _bad(source, "it is not a TFLite file")
        yield data, unpack(data)
    except OSError as bad:
        raise _bad(source, reason(bad)) from bad
    except (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError) as bad:
        raise _bad(source, f"it is damaged or incomplete ({type(bad).__name__}: {bad})") from bad


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _bad(source: Path | bytes, why: str) -> CompileError:
    return error("R010", f"can't read {'the model' if isinstance(source, bytes) else source}: {why}")


def items(count: int, get: Callable[[int], T], limit: int) -> Iterator[T]:
    """The elements of a vector; a count beyond the file's size is damage, not a long vector."""
    if count > limit:
        raise ValueError(f"a vector of {count} elements")
    return (get(i) for i in range(count))


def summarize(data: mmap.mmap | bytes, model: Any) -> Summary:
    """Summarise what is open.

    Raises:
        ValueError: it is damaged.
    """
    from .schema import builtin_names

    size = len(data)
    names = builtin_names()
    codes = [_code(c, names) for c in items(model.OperatorCodesLength(), model.OperatorCodes, size)]
    sizes = [_buffer_size(b) for b in items(model.BuffersLength(), model.Buffers, size)]
    graphs = tuple(_subgraph(g, codes, sizes, size) for g in items(model.SubgraphsLength(), model.Subgraphs, size))
    entries = {_text(m.Name()): m for m in items(model.MetadataLength(), model.Metadata, size)}
    metadata = {name: _content(data, model, m, MAX_TEXT_METADATA) for name, m in entries.items()}
    summary = Summary(size, model.Version(), _text(model.Description()), graphs, _signatures(model, size), metadata)
    _check(summary)
    layouts: dict[str, Layout] = {}
    for number, signature in enumerate(summary.signatures or (Signature(),)):
        entry = entries.get(key_of(signature.key), None if number else entries.get(KEY))
        if entry is not None:
            ports = {side: _named(summary, signature, side) for side in SIDES}
            ranks = {side: {n: len(t.shape) for n, t in own.items()} for side, own in ports.items()}
            layouts[signature.key] = read_layout(_content(data, model, entry, size), ranks)
    return replace(summary, layouts=layouts)


def _named(summary: Summary, signature: Signature, side: Side) -> dict[str, TensorInfo]:
    """Inputs or outputs by the names of a signature, or by those of the tensors where there is none."""
    graph = summary.subgraphs[signature.subgraph]
    named = signature.inputs if side == "inputs" else signature.outputs
    if summary.signatures:
        return {name: graph.tensors[number] for name, number in named.items()}
    numbers = graph.inputs if side == "inputs" else graph.outputs
    return {graph.tensors[number].name: graph.tensors[number] for number in numbers}


def _check(summary: Summary) -> None:
    """Check that all numbers of tensors and subgraphs are those of some.

    Raises:
        ValueError: one is not.
    """
    if not summary.subgraphs:
        raise ValueError("there is no subgraph")
    for signature in summary.signatures:
        if not 0 <= signature.subgraph < len(summary.subgraphs):
            raise ValueError(f"a signature of subgraph {signature.subgraph}")
        named = (*signature.inputs.values(), *signature.outputs.values())
        _check_tensors(named, summary.subgraphs[signature.subgraph])
    for graph in summary.subgraphs:
        _check_tensors((*graph.inputs, *graph.outputs), graph)
        for operator in graph.operators:
            _check_tensors((*(i for i in operator.inputs if i != ABSENT), *operator.outputs), graph)


def _check_tensors(numbers: Iterable[int], graph: SubgraphInfo) -> None:
    for number in numbers:
        if not 0 <= number < len(graph.tensors):
            raise ValueError(f"tensor {number} of {len(graph.tensors)}")


class _Code(NamedTuple):
    """What a file calls an operator."""

    name: str
    version: int
    is_custom: bool


def _code(code: Any, names: dict[int, str]) -> _Code:
    """Name and version; old files keep the builtin in a byte."""
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    custom = code.CustomCode()
    name = _text(custom) if custom else names.get(number, f"builtin {number}")
    return _Code(name, code.Version(), bool(custom))


def _buffer_size(buffer: Any) -> int:
    return buffer.Size() if buffer.Offset() > 1 else buffer.DataLength()


def _subgraph(graph: Any, codes: list[_Code], sizes: list[int], limit: int) -> SubgraphInfo:
    return SubgraphInfo(
        _text(graph.Name()),
        tuple(_tensor(t, sizes, limit) for t in items(graph.TensorsLength(), graph.Tensors, limit)),
        tuple(_operator(o, codes, limit) for o in items(graph.OperatorsLength(), graph.Operators, limit)),
        tuple(items(graph.InputsLength(), graph.Inputs, limit)),
        tuple(items(graph.OutputsLength(), graph.Outputs, limit)),
    )


def _tensor(tensor: Any, sizes: list[int], limit: int) -> TensorInfo:
    from .schema import tensor_type_names

    has_open = tensor.ShapeSignatureLength() == tensor.ShapeLength() > 0
    get = tensor.ShapeSignature if has_open else tensor.Shape
    shape = tuple(int(d) for d in items(tensor.ShapeLength(), get, limit))
    dtype = tensor_type_names().get(tensor.Type(), f"type {tensor.Type()}")
    return TensorInfo(_text(tensor.Name()), dtype, shape, sizes[tensor.Buffer()], bool(tensor.IsVariable()))


def _operator(op: Any, codes: list[_Code], limit: int) -> OperatorInfo:
    code = codes[op.OpcodeIndex()]
    inputs = tuple(int(i) for i in items(op.InputsLength(), op.Inputs, limit))
    outputs = tuple(int(i) for i in items(op.OutputsLength(), op.Outputs, limit))
    told = op.CustomOptionsAsNumpy().tobytes() if op.CustomOptionsLength() else b""
    return OperatorInfo(code.name, code.version, inputs, outputs, told if code.is_custom else None)


def _signatures(model: Any, limit: int) -> tuple[Signature, ...]:
    return tuple(_signature(s, limit) for s in items(model.SignatureDefsLength(), model.SignatureDefs, limit))


def _signature(signature: Any, limit: int) -> Signature:
    inputs = {_text(m.Name()): int(m.TensorIndex()) for m in items(signature.InputsLength(), signature.Inputs, limit)}
    outputs = {
        _text(m.Name()): int(m.TensorIndex()) for m in items(signature.OutputsLength(), signature.Outputs, limit)
    }
    return Signature(_text(signature.SignatureKey()), int(signature.SubgraphIndex()), inputs, outputs)


def _content(data: mmap.mmap | bytes, model: Any, entry: Any, limit: int) -> bytes:
    buffer = model.Buffers(entry.Buffer())
    if buffer.Offset() > 1:
        return data[buffer.Offset() : buffer.Offset() + min(buffer.Size(), limit)]
    if not buffer.DataLength():
        return b""
    return buffer.DataAsNumpy()[:limit].tobytes()


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
