"""Sequences and optional values: lists that exist while importing."""

from __future__ import annotations

from ....compiler.budget import check_operations
from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.shape import Concat, Reshape, Split
from ....compiler.types import DType
from ....formats.onnx.model import Graph, Opaque
from ..emitter import Emitter
from ..lists import Imported, Nothing, ValueList
from ..registry import onnx_op


@onnx_op("SequenceConstruct", since=11)
def sequence_construct(emit: Emitter, *inputs: Value) -> ValueList:
    """SequenceConstruct: a sequence of the tensors that are operands."""
    return ValueList(inputs)


@onnx_op("SequenceEmpty", since=11)
def sequence_empty(emit: Emitter, *, dtype: int | None = None) -> ValueList:
    """SequenceEmpty: a sequence without items, of a stated element type."""
    return ValueList(())


def _place(emit: Emitter, position: Value, count: int) -> int:
    """Return a position, of ``count``, counted from the front."""
    at = emit.int(position, "position")
    if not -count <= at < count:
        raise emit.fail(f"names position {at} of {count}", code="F002")
    return at % count


@onnx_op("SequenceAt", since=11)
def sequence_at(emit: Emitter, input_sequence: ValueList, position: Value) -> Value:
    """SequenceAt: the item of a sequence at a constant position."""
    return input_sequence.items[_place(emit, position, len(input_sequence.items))]


@onnx_op("SequenceInsert", since=11)
def sequence_insert(
    emit: Emitter, input_sequence: ValueList, tensor: Value, position: Value | None = None
) -> ValueList:
    """One item more, by default after the others."""
    items = input_sequence.items
    at = len(items) if position is None else emit.int(position, "position")
    if not -len(items) <= at <= len(items):
        raise emit.fail(f"inserts at {at} into a sequence of {len(items)}", code="F002")
    at = at + len(items) if at < 0 else at
    return ValueList((*items[:at], tensor, *items[at:]))


@onnx_op("SequenceErase", since=11)
def sequence_erase(emit: Emitter, input_sequence: ValueList, position: Value | None = None) -> ValueList:
    """One item less, by default the last one."""
    items = input_sequence.items
    at = len(items) - 1 if position is None else _place(emit, position, len(items))
    return ValueList((*items[:at], *items[at + 1 :]))


@onnx_op("SequenceLength", since=11)
def sequence_length(emit: Emitter, input_sequence: ValueList) -> Value:
    """SequenceLength: the number of items, which is known when compiling."""
    return emit.const(len(input_sequence.items), DType.I64)


@onnx_op("SplitToSequence", since=11)
def split_to_sequence(
    emit: Emitter, input: Value, split: Value | None = None, *, axis: int = 0, keepdims: int = 1
) -> ValueList:
    """Pieces along an axis: of one size, of stated sizes, or single positions."""
    along = emit.axis(axis, input.type.rank)
    size = input.type.shape[along]
    sizes = _sizes(emit, size, split)
    pieces = emit.all(Split(input, along, sizes)) if len(sizes) > 1 else (input,)
    if split is None and not keepdims:
        shape = (*input.type.shape[:along], *input.type.shape[along + 1 :])
        pieces = tuple(emit(Reshape(p, shape)) for p in pieces)
    return ValueList(pieces)


def _sizes(emit: Emitter, size: Dim, split: Value | None) -> tuple[Dim, ...]:
    stated = None if split is None else emit.dims(split, "split")
    if split is not None and stated is not None and split.type.rank == 1:
        return stated
    each = 1 if stated is None else stated[0]
    if not isinstance(size, int) or not isinstance(each, int) or each < 1:
        raise emit.fail(f"splits {size} positions into parts of {each}", code="F004", help="Fix it by shapes=...")
    whole, rest = divmod(size, each)
    check_operations(whole, f"a sequence of {whole:,} parts")
    return (*[each] * whole, *([rest] if rest else []))


@onnx_op("ConcatFromSequence", since=11)
def concat_from_sequence(emit: Emitter, input_sequence: ValueList, *, axis: int, new_axis: int = 0) -> Value:
    """Join all items along an axis, or along a new one."""
    items = input_sequence.items
    if not items:
        raise emit.fail("joins a sequence without items", code="F006")
    along = emit.axis(axis, items[0].type.rank + (1 if new_axis else 0))
    if new_axis:
        items = tuple(emit.reshape(v, (*v.type.shape[:along], 1, *v.type.shape[along:])) for v in items)
    return items[0] if len(items) == 1 else emit(Concat(items, along))


@onnx_op("SequenceMap", since=17)
def sequence_map(
    emit: Emitter, input_sequence: ValueList, *additional_inputs: Value | ValueList, body: Graph
) -> tuple[Imported, ...]:
    """Apply a graph to every item; other sequences go along, tensors stay."""
    columns: list[list[Value]] = [[] for _ in body.outputs]
    for i, item in enumerate(input_sequence.items):
        others = [v.items[i] if isinstance(v, ValueList) else v for v in additional_inputs]
        for column, value in zip(columns, emit.graphs.inline(body, (item, *others)), strict=True):
            if not isinstance(value, Value):
                raise emit.fail("gives sequences of sequences")
            column.append(value)
    return tuple(ValueList(tuple(column)) for column in columns)


@onnx_op("Optional", since=15)
def optional(emit: Emitter, input: Value | ValueList | None = None, *, type: Opaque | None = None) -> Imported:
    """Optional: a value that may be absent, from an input or a type."""
    return Nothing() if input is None else input


@onnx_op("OptionalHasElement", since=15)
def optional_has_element(emit: Emitter, input: Value | ValueList | Nothing | None = None) -> Value:
    """OptionalHasElement: whether there is a value, known when compiling."""
    return emit.const(input is not None and not isinstance(input, Nothing))


@onnx_op("OptionalGetElement", since=15)
def optional_get_element(emit: Emitter, input: Value | ValueList | Nothing) -> Imported:
    """OptionalGetElement: the value, which is an error if absent."""
    if isinstance(input, Nothing):
        raise emit.fail("reads an optional value that is absent", code="F006")
    return input
