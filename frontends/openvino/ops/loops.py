"""Loop and TensorIterator where their iterations are not unrolled while a model is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....compiler.dims import Dim
from ....compiler.ir import Region, Value
from ....compiler.ops.arith import Add, Cast, Sub
from ....compiler.ops.control import While, differing_sizes
from ....compiler.ops.core import Return
from ....compiler.ops.logic import Less, LogicalAnd
from ....compiler.ops.shape import Reshape
from ....compiler.types import DType, TensorType
from ....formats.openvino.model import Link
from ...common.changing_sizes import Attempt, settle
from ...common.rounds import Along, Body, empty_buffers, first_rows, growing
from ..emitter import Emitter
from .iteration import Iteration, iteration_number


def looped(
    emit: Emitter, loop: Iteration, count: Dim | None, limit: Value | None, condition: Value | None
) -> tuple[Value, ...]:
    """Carry the number of the iteration and the condition along with the rest; put pieces that are given into buffers.

    Where nothing is known of the number of iterations, tensors grow with each of them.

    ``limit`` is the number of iterations, None if only conditions end the loop; ``count`` is what is known of it.

    Raises:
        CompileError: F005, pieces are larger than one position.
    """
    _check(emit, loop)
    whole = None if limit is None else emit.cast(emit.reshape(limit, ()), DType.I64)
    last = None if whole is None else emit(Sub(whole, emit.const(1, DType.I64)))
    carried = [v for n in loop.carried if (v := loop.parameters[n][2]) is not None]

    def attempt(types: Sequence[TensorType]) -> Attempt[tuple[list[Value], Value]]:
        region, out, turn = _body(emit, loop, types, last)
        return Attempt(region, [out[place].type for place in loop.carried.values()], (out, turn))

    tried, _ = settle(emit, [v.type for v in carried], attempt)
    region, (out, turn) = tried.region, tried.found
    after = [out[place] for place in loop.carried.values()]
    start = [emit.const(0, DType.I64), _truth(emit, condition), *carried]
    inner = Body(region)
    given, filled = _collected(emit, loop, (inner, out), (count, turn, last))
    start += given
    again = region.args[1] if loop.goes_on is None else replace(emit, region=region).reshape(out[loop.goes_on], ())
    one = replace(emit, region=region).const(1, DType.I64)
    region.insert(Return((inner(Add(turn, one)), again, *after, *filled)))
    changing = differing_sizes([v.type for v in start], [v.type for v in region.args])
    sizes = tuple(emit.fresh() for _ in changing)
    test = _test([v.type for v in region.args], emit, whole)
    turns, _, *found = emit.all(While(tuple(start), test, region, sizes))
    whole_results = _in_order(loop, found[: len(carried)], found[len(carried) :])
    if count is not None and loop.goes_on is not None and emit.known(out[loop.goes_on]) is None:
        return _cut_short(emit, loop, whole_results, turns)
    return tuple(whole_results)


def _is_carried(loop: Iteration, link: Link, place: int) -> bool:
    """Whether a result of a loop is what it carries, which is there even if no iteration runs."""
    return link.axis is None and place in loop.carried.values()


def _in_order(loop: Iteration, carried: list[Value], others: list[Value]) -> list[Value]:
    """Return the results of a loop of what it carries and of what was collected beside that."""
    places, rest = list(loop.carried.values()), iter(others)
    return [
        carried[places.index(place)] if _is_carried(loop, link, place) else next(rest) for link, place in loop.results
    ]


def _check(emit: Emitter, loop: Iteration) -> None:
    links = [link for _, link, _ in loop.parameters if link is not None]
    pieces = [link for link in (*links, *(link for link, _ in loop.results)) if link.axis is not None]
    if any(link.part != 1 for link in pieces):
        raise emit.fail("reads or gives pieces of several positions in a loop that is too long to be unrolled")


def _truth(emit: Emitter, condition: Value | None) -> Value:
    return emit.const(True) if condition is None else emit.reshape(condition, ())


def _body(
    emit: Emitter, loop: Iteration, carried: Sequence[TensorType], last: Value | None
) -> tuple[Region, list[Value], Value]:
    """Import the body as a region that takes its number, the condition and what is carried; return its Results, too.

    What it reads in pieces are arguments at first, until the pieces are cut at its beginning.
    """
    types = iter(carried)
    given: list[Value | TensorType] = []
    for n, (layer, link, value) in enumerate(loop.parameters):
        if n in loop.carried:
            given.append(next(types))
        elif link is None or value is None:
            given.append(iteration_number(emit, emit.const(0, DType.I64), layer).type)
        elif link.axis is None:
            given.append(value)
        else:
            axis = emit.axis(link.axis, value.type.rank)
            shape = value.type.shape
            given.append(value.type.with_shape((*shape[:axis], 1, *shape[axis + 1 :])))
    region, out = emit.around.region(loop.body, given)
    turn, holds = Value(TensorType(DType.I64, ())), Value(TensorType(DType.BOOL, ()))
    arguments = iter(region.args)
    kept: list[Value] = []
    first = Body(region, first=True)
    for n, said in enumerate(given):
        if isinstance(said, Value):
            continue
        argument = next(arguments)
        if n in loop.carried:
            kept.append(argument)
            continue
        own = _piece(emit, loop, n, (first, turn, last))
        argument.replace_all_uses_with(own)
        out = [own if v is argument else v for v in out]
    region.args = [turn, holds, *kept]
    return region, out, turn


def _piece(emit: Emitter, loop: Iteration, n: int, at: tuple[Body, Value, Value | None]) -> Value:
    """Insert what a Parameter that is not carried is in the iteration that runs, at the beginning of the body."""
    (first, turn, last), (layer, link, value) = at, loop.parameters[n]
    if link is None or value is None or link.axis is None:
        dtype = DType.I32 if layer.data.get("element_type") == "i32" else DType.I64
        number = turn if dtype is DType.I64 else first(Cast(turn, dtype))
        return first(Reshape(number, (1,))) if layer.data.get("shape", "").strip() else number
    axis = emit.axis(link.axis, value.type.rank)
    row = first.row(value, turn, last, Along(axis, link.stride < 0))
    shape = row.type.shape
    return first(Reshape(row, (*shape[:axis], 1, *shape[axis:])))


def _collected(
    emit: Emitter, loop: Iteration, body: tuple[Body, list[Value]], number: tuple[Dim | None, Value, Value | None]
) -> tuple[list[Value], list[Value]]:
    """Let the body take along what results are beside what is carried: a buffer for all pieces, or the last value.

    Returns what these are before the first iteration, and after each.
    """
    (inner, out), (count, turn, last) = body, number
    before: list[Value] = []
    after: list[Value] = []
    for link, place in (r for r in loop.results if not _is_carried(loop, *r)):
        value = out[place]
        if link.axis is None:
            before.append(emit.expand(emit.const(0, value.type.dtype), value.type.shape))
            inner.region.args.append(Value(value.type))
            after.append(value)
            continue
        along = Along(emit.axis(link.axis, value.type.rank), link.stride < 0)
        shape = value.type.shape
        row = inner(Reshape(value, (*shape[: along.axis], *shape[along.axis + 1 :])))
        if count is None:
            for parts, new in zip((before, after), growing(emit, inner, [row], [along]), strict=True):
                parts += new
            continue
        before += empty_buffers(emit, [row], [along], count)
        argument = Value(before[-1].type)
        inner.region.args.append(argument)
        after.append(inner.put(argument, row, turn, last, along))
    return before, after


def _test(types: list[TensorType], emit: Emitter, bound: Value | None) -> Region:
    """Return the region that says whether another iteration runs."""
    test = Region([Value(t) for t in types])
    answer = test.args[1]
    if bound is not None:
        inner = replace(emit, region=test)
        answer = inner(LogicalAnd(answer, inner(Less(test.args[0], bound))))
    test.insert(Return((answer,)))
    return test


def _cut_short(emit: Emitter, loop: Iteration, results: list[Value], turns: Value) -> tuple[Value, ...]:
    """Return as much of what was collected as there were iterations.

    Raises:
        CompileError: F005, it is collected along another axis than the first one, or backwards.
    """
    pieces = [link for link, _ in loop.results if link.axis is not None]
    if any(link.axis or link.stride < 0 for link in pieces):
        raise emit.fail("may end early, and collects along another axis than the first one")
    whole = [v for v, (link, _) in zip(results, loop.results, strict=True) if link.axis is not None]
    short = iter(first_rows(emit, whole, turns, emit.fresh()) if whole else ())
    return tuple(v if link.axis is None else next(short) for v, (link, _) in zip(results, loop.results, strict=True))
