"""Handlers of branches and loops, whose bodies are functions: If, Case, While and their stateless forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....compiler.budget import check_depth
from ....compiler.ir import Region, Value
from ....compiler.ops import control as ir
from ....compiler.ops.core import Return
from ....compiler.ops.logic import Equal, NotEqual
from ....compiler.types import DType, TensorType
from ....formats.tensorflow.model import FunctionName, StoredShape
from ...common.changing_sizes import Attempt, settle
from ...common.complex_numbers import Complex
from .. import items
from ..emitter import Emitter
from ..handles import Handle, Imported, TensorList
from ..registry import tf_op


@tf_op("If", "StatelessIf")
def if_(
    emit: Emitter,
    cond: Value,
    input: tuple[Imported, ...],
    *,
    then_branch: FunctionName,
    else_branch: FunctionName,
    output_shapes: tuple[StoredShape, ...] = (),
) -> tuple[Imported, ...]:
    """One of two functions; where it is known which one, it is taken now."""
    known = emit.known(cond)
    if known is not None and known.size == 1 and known.dtype != object:
        return tuple(emit.around.call((then_branch if known.item() else else_branch).name, input))
    condition = emit.reshape(cond, ())
    if cond.type.dtype is not DType.BOOL:
        condition = emit(NotEqual(condition, emit.const(0, cond.type.dtype)))
    sides = [emit.around.region(branch.name, input) for branch in (then_branch, else_branch)]
    return _either(emit, condition, sides[0], sides[1])


Side = tuple[Region, list[Imported]]
"""What is computed where a choice falls on one side, and what that gives; the region does not return it yet."""


def _either(emit: Emitter, condition: Value, holds: Side, fails: Side) -> tuple[Imported, ...]:
    """Insert an ``If`` of two regions whose results have the same types, or differ in sizes, which are named."""
    (then, first), (otherwise, second) = holds, fails
    if len(first) != len(second):
        raise emit.fail(f"has branches that give {len(first)} and {len(second)} tensors", code="F006")
    results: list[Imported] = list(first)
    chosen = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if isinstance(a, Value) or a != b]
    _align(emit, (then, first), (otherwise, second), chosen)
    for region, given in ((then, first), (otherwise, second)):
        region.insert(Return(_tensors(emit, [given[i] for i in chosen])))
    types = [[v.type for v in region.returns] for region in (then, otherwise)]
    if [(t.dtype, t.rank) for t in types[0]] != [(t.dtype, t.rank) for t in types[1]]:
        raise emit.undecided(condition, types)
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(*types))
    for i, value in zip(chosen, emit.all(ir.If(condition, then, otherwise, sizes)), strict=True):
        results[i] = _like(first[i], value)
    return tuple(results)


def _align(
    emit: Emitter, one: tuple[Region, list[Imported]], other: tuple[Region, list[Imported]], places: Sequence[int]
) -> None:
    """Give lists that one of two branches has not written to the items that they have then, as the other one's are."""
    for (region, own), (_, others) in ((one, other), (other, one)):
        inner = replace(emit, region=region)
        for i in places:
            mine, theirs = own[i], others[i]
            if isinstance(mine, TensorList) and mine.value is None and isinstance(theirs, TensorList):
                shape = None if theirs.value is None else theirs.value.type.shape[1:]
                value = items.all_items(inner, mine) if shape is None else items.zeros(inner, mine, shape)
                own[i] = items.holding(mine, value)


@tf_op("Case", "StatelessCase")
def case(
    emit: Emitter,
    branch_index: Value,
    input: tuple[Imported, ...],
    *,
    branches: tuple[FunctionName, ...],
    output_shapes: tuple[StoredShape, ...] = (),
) -> tuple[Imported, ...]:
    """One of several functions by number; the last one for numbers that none has."""
    if not branches:
        raise emit.fail("has no branch", code="F002")
    known = emit.known.dim(branch_index)
    if isinstance(known, int) or len(branches) == 1:
        number = known if isinstance(known, int) and 0 <= known < len(branches) else len(branches) - 1
        return tuple(emit.around.call(branches[number].name, input))
    check_depth(len(branches), "branches")
    return _one_of(emit, emit.reshape(branch_index, ()), 0, input, branches)


def _one_of(
    emit: Emitter, index: Value, number: int, input: tuple[Imported, ...], branches: Sequence[FunctionName]
) -> tuple[Imported, ...]:
    """Insert choices between a branch and those after it; the first one has this number."""
    first, *others = branches
    taken = emit.around.region(first.name, input)
    if len(others) == 1:
        rest = emit.around.region(others[0].name, input)
    else:
        inner = replace(emit, region=Region())
        rest = inner.region, list(_one_of(inner, index, number + 1, input, others))
    return _either(emit, emit(Equal(index, emit.const(number, index.type.dtype))), taken, rest)


def _tensors(emit: Emitter, values: Sequence[Imported]) -> tuple[Value, ...]:
    found = [v.value if isinstance(v, TensorList) else v for v in values]
    tensors = tuple(v for v in found if isinstance(v, Value))
    if len(tensors) < len(values):
        raise emit.fail("gives a resource or complex numbers")
    return tensors


@tf_op("While", "StatelessWhile")
def while_(
    emit: Emitter,
    input: tuple[Imported, ...],
    *,
    cond: FunctionName,
    body: FunctionName,
    output_shapes: tuple[StoredShape, ...] = (),
    parallel_iterations: int = 10,
) -> tuple[Imported, ...]:
    """One function that says whether to go on, and one that takes and gives what is carried.

    What the body gives back as it is, such as weights, is read from outside.
    """
    kept = emit.around.kept(body.name)
    if len(kept) != len(input):
        raise emit.fail(f"carries {len(input)} tensors, but its body has {len(kept)}", code="F006")
    if any(isinstance(v, Complex) and not is_kept for v, is_kept in zip(input, kept, strict=True)):
        raise emit.fail("carries complex numbers")
    start = _materialized(emit, input, kept, body.name)
    moving = [i for i, is_kept in enumerate(kept) if not is_kept and not isinstance(start[i], Handle)]
    carried = tuple(_stored(start[i]) for i in moving)
    if not carried:
        raise emit.fail("carries nothing")

    def attempt(types: Sequence[TensorType]) -> Attempt[None]:
        inner, found = emit.around.region(body.name, *_arguments(start, moving, types))
        given = [_stored(found[i]) for i in moving]
        inner.insert(Return(tuple(given)))
        return Attempt(inner, [v.type for v in given], None)

    before = [v.type for v in carried]
    tried, types = settle(emit, before, attempt)
    condition, goes_on = emit.around.region(cond.name, *_arguments(start, moving, types))
    condition.insert(Return(_tensors(emit, goes_on)))
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(before, types))
    results = list(start)
    for i, value in zip(moving, emit.all(ir.While(carried, condition, tried.region, sizes)), strict=True):
        results[i] = _like(start[i], value)
    return tuple(results)


def _stored(carried: Imported) -> Value:
    """Return the tensor that holds what is carried."""
    value = carried.value if isinstance(carried, TensorList) else carried
    assert isinstance(value, Value)
    return value


def _like(carried: Imported, value: Value) -> Imported:
    return items.holding(carried, value) if isinstance(carried, TensorList) else value


def _arguments(
    start: Sequence[Imported], moving: Sequence[int], types: Sequence[TensorType]
) -> tuple[list[Imported], list[Value]]:
    """Return what a loop's function is given, and the arguments among it, of these types."""
    operands = list(start)
    arguments: list[Value] = []
    for i, type in zip(moving, types, strict=True):
        arguments.append(Value(type))
        operands[i] = _like(start[i], arguments[-1])
    return operands, arguments


def _materialized(emit: Emitter, values: Sequence[Imported], kept: Sequence[bool], body: str) -> list[Imported]:
    """Return what a loop begins with; lists without items become zeros of the type that the body writes.

    Raises:
        CompileError: F004, the body does not write into one.
    """
    found = list(values)
    pending = [i for i, v in enumerate(found) if isinstance(v, TensorList) and v.value is None and not kept[i]]
    if not pending:
        return found
    operands: list[Imported] = [
        Value(v.type) if isinstance(v, Value) and not kept[i] else v for i, v in enumerate(found)
    ]
    arguments = [v for v in operands if isinstance(v, Value) and v.owner is None]
    trial, results = emit.around.region(body, operands, arguments)
    for i in pending:
        result = results[i]
        if not isinstance(result, TensorList) or result.value is None:
            raise emit.fail("carries a list into which nothing is written", code="F004")
        start = values[i]
        assert isinstance(start, TensorList)
        found[i] = items.holding(start, items.zeros(emit, start, result.value.type.shape[1:]))
    for op in trial.ops:  # it has said what it writes, and reads nothing any more
        op.drop_operands()
    return found
