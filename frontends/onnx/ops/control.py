"""If, Loop and Scan: decided and unrolled while importing where that can be, else regions of the IR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....compiler.diagnostics import CompileError, counted
from ....compiler.dims import Dim, is_by_data, maximum
from ....compiler.ir import Region, Value
from ....compiler.ops import control as ir
from ....compiler.ops.arith import Add, Max, Sub
from ....compiler.ops.core import Const, Return
from ....compiler.ops.logic import Less, LogicalAnd
from ....compiler.ops.shape import Concat, Reshape, Slice
from ....compiler.types import DType, TensorType
from ....compiler.weights import Weight
from ....formats.onnx.model import Graph
from ...common.changing_sizes import Attempt, settle
from ...common.rounds import Along, Body, count_of, empty_buffers, first_rows, growing
from ...slicing import cut
from ..emitter import Emitter
from ..lists import Imported
from ..registry import onnx_op

MAX_STEPS = 512
"""Longer loops are not unrolled."""

MAX_ROWS = 1 << 20
"""Loops that may be longer have no room for what they collect: their limit is meant to be none."""


@onnx_op("If", since=7)
def if_(emit: Emitter, cond: Value, *, else_branch: Graph, then_branch: Graph) -> tuple[Imported, ...]:
    """The branch that is known to be taken, or both as regions."""
    known = _holds(emit, cond)
    taken = emit.graphs.assumed() if known is None else known
    if taken is not None:
        return tuple(emit.graphs.inline(then_branch if taken else else_branch, ()))
    branches = [emit.graphs.region(graph, ()) for graph in (then_branch, else_branch)]
    then, otherwise = (_closed(region, _only_tensors(emit, out, (cond, "cond"))) for region, out in branches)
    first, second = ([v.type for v in region.returns] for region in (then, otherwise))
    if [(t.dtype, t.rank) for t in first] != [(t.dtype, t.rank) for t in second]:
        emit.graphs.leave_undecided()
        raise emit.undecided(cond, (first, second))
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(first, second))
    return emit.all(ir.If(emit.reshape(cond, ()), then, otherwise, sizes))


def _holds(emit: Emitter, condition: Value | None) -> bool | None:
    """Return whether a condition holds, None if that is not known; an absent one does.

    Raises:
        CompileError: F006, it has not one element.
    """
    if condition is None:
        return True
    if isinstance(condition.type.size, int) and condition.type.size != 1:
        raise emit.fail(f"has a condition of {counted(condition.type.size, 'element')} instead of one", code="F006")
    known = emit.known(condition)
    return None if known is None else bool(known.item())


def _closed(region: Region, values: Sequence[Value]) -> Region:
    region.insert(Return(tuple(values)))
    return region


@onnx_op("Loop", since=7)
def loop(
    emit: Emitter, M: Value | None = None, cond: Value | None = None, *v_initial: Imported, body: Graph
) -> tuple[Imported, ...]:
    """Unrolled if the number of rounds is known, else a ``while``.

    What each round gives is put into the rows of a buffer, which has room for as many as ``M`` says; without a limit,
    tensors grow with each round.
    """
    size = emit.known.dim(M)
    rounds = size if isinstance(size, int) else None
    scans = len(body.outputs) - 1 - len(v_initial)
    goes_on = _holds(emit, cond)
    is_short = rounds <= MAX_STEPS if rounds is not None else M is None
    if goes_on is not None and (is_short or not goes_on):
        unrolled = _unroll(emit, rounds, goes_on, v_initial, body)
        if unrolled is not None:
            return unrolled
    decisive = (M, "M") if M is not None and rounds is None else (cond, "cond")
    carried = _only_tensors(emit, v_initial, decisive)
    if scans and M is not None and size is None:
        size = emit.dim(emit(Max(M, emit.const(0, M.type.dtype))), "M")
    return _while(emit, M, cond, carried, body, size)


Operand = tuple[Value | None, str]
"""An operand that decides what happens, with its name."""


def _ask(emit: Emitter, decisive: Operand) -> None:
    """Refuse to go on without knowing an operand, if it is not known.

    Raises:
        CompileError: F004.
    """
    value, name = decisive
    if value is not None:
        emit.numbers(value, name)


def _only_tensors(emit: Emitter, values: Sequence[Imported], decisive: Operand = (None, "")) -> tuple[Value, ...]:
    """Return values that the IR can hold.

    Raises:
        CompileError: F004 or F005, there is a sequence or an optional value.
    """
    tensors = tuple(v for v in values if isinstance(v, Value))
    if len(tensors) < len(values):
        _ask(emit, decisive)
        raise emit.fail("has sequences or optional values that depend on data when the network runs")
    return tensors


def _unroll(
    emit: Emitter, rounds: int | None, goes_on: bool, carried: tuple[Imported, ...], body: Graph
) -> tuple[Imported, ...] | None:
    """Import the body once per round; None if it is not known when to stop."""
    collected: list[list[Value]] = [[] for _ in range(len(body.outputs) - 1 - len(carried))]
    count = len(carried)
    step = 0
    while goes_on and (rounds is None or step < rounds):
        if step > MAX_STEPS:
            return None
        out = emit.graphs.inline(body, (emit.const(step, DType.I64), emit.const(True), *carried))
        known = _holds(emit, out[0]) if isinstance(out[0], Value) else None
        if known is None and not (rounds is not None and step == rounds - 1):
            return None
        goes_on = known is not False
        carried = tuple(out[1 : 1 + count])
        for values, value in zip(collected, _only_tensors(emit, out[1 + count :]), strict=True):
            values.append(value)
        step += 1
    if collected and not step:
        return _nothing(emit, carried, body)
    return (*carried, *(_stack(emit, values, 0) for values in collected))


def _nothing(emit: Emitter, carried: tuple[Imported, ...], body: Graph) -> tuple[Imported, ...]:
    """What a loop without a round collects: tensors of size zero, of the types that one round would give."""
    types = [emit.const(0, DType.I64).type, emit.const(True).type, *(v.type for v in _only_tensors(emit, carried))]
    _, out = emit.graphs.region(body, types)
    scans = _only_tensors(emit, out)[1 + len(carried) :]
    with emit.typed():
        empty = [np.zeros((0, *(d for d in v.type.shape if isinstance(d, int))), v.type.dtype.numpy) for v in scans]
    return (*carried, *map(emit.const, empty))


def _stack(emit: Emitter, values: Sequence[Value], axis: int) -> Value:
    rows = tuple(_unsqueezed(emit, v, axis) for v in values)
    return rows[0] if len(rows) == 1 else emit(Concat(rows, emit.axis(axis, rows[0].type.rank)))


def _unsqueezed(emit: Emitter, x: Value, axis: int) -> Value:
    at = emit.axis(axis, x.type.rank + 1)
    return emit(Reshape(x, (*x.type.shape[:at], 1, *x.type.shape[at:])))


def _while(
    emit: Emitter, limit: Value | None, cond: Value | None, carried: tuple[Value, ...], body: Graph, rounds: Dim | None
) -> tuple[Value, ...]:
    """Carry the number of the round and the condition along with the rest; put what rounds give into buffers."""
    start = [emit.const(0, DType.I64), emit.const(True) if cond is None else emit.reshape(cond, ()), *carried]
    count = 1 + len(carried)

    def attempt(types: Sequence[TensorType]) -> Attempt[tuple[Value, ...]]:
        region, found = emit.graphs.region(body, [*(v.type for v in start[:2]), *types])
        out = _only_tensors(emit, found)
        return Attempt(region, [v.type for v in out[1:count]], out)

    try:
        tried, _ = settle(emit, [v.type for v in carried], attempt)
    except CompileError:
        if isinstance(rounds, int) and rounds <= MAX_STEPS:
            _ask(emit, (cond, "cond"))  # with it, rounds are imported one by one, where more is known
        raise
    region, out = tried.region, tried.found
    rows = out[count:]
    runs_on = (out[0] is region.args[1] and _holds(emit, cond)) or _holds(emit, out[0])
    alongs, inner = [Along(0)] * len(rows), Body(region)
    room = _room(rounds)
    if room is None:
        buffers, after = growing(emit, inner, rows, alongs)
    else:
        buffers = empty_buffers(emit, rows, alongs, room)
        after = _filled(inner, region.args[0], None, buffers, rows, alongs)
    again = out[0] if out[0].type.rank == 0 else inner(Reshape(out[0], ()))
    region.insert(Return((inner(Add(region.args[0], inner(Const(_ONE)))), again, *out[1:count], *after)))
    start += buffers
    test = Region([Value(v.type) for v in region.args])
    answer = test.args[1]
    if limit is not None:
        bound = emit.reshape(limit, ())
        answer = test.insert(LogicalAnd(answer, test.insert(Less(test.args[0], bound)).result)).result
    test.insert(Return((answer,)))
    changing = ir.differing_sizes([v.type for v in start], [v.type for v in region.args])
    turns, _, *found = emit.all(ir.While(tuple(start), test, region, tuple(emit.fresh() for _ in changing)))
    collected = found[len(carried) :]
    if collected and room is not None and rounds is not None:
        if not runs_on:
            collected = first_rows(emit, collected, turns, emit.fresh())
        elif room != rounds:
            collected = [cut(emit, x, {0: (0, rounds, 1)}) for x in collected]
    return *found[: len(carried)], *collected


def _room(rounds: Dim | None) -> Dim | None:
    """Return for how many rows there is room, None if nothing bounds them; a body must fit that never runs."""
    if rounds is None or (isinstance(rounds, int) and rounds > MAX_ROWS):
        return None
    return maximum(rounds, 1) if is_by_data(rounds) else rounds


_ONE = Weight.of(np.asarray(1, np.int64))


def _filled(
    inner: Body, turn: Value, last: Value | None, buffers: list[Value], rows: Sequence[Value], alongs: Sequence[Along]
) -> list[Value]:
    """Let the body take buffers along; return them with this round's rows."""
    own = [Value(b.type) for b in buffers]
    inner.region.args += own
    return [inner.put(b, row, turn, last, along) for b, row, along in zip(own, rows, alongs, strict=True)]


def _check_types(emit: Emitter, before: Sequence[Value], after: Sequence[Value]) -> None:
    """Refuse a loop that changes the type of what it carries.

    Raises:
        CompileError: F005.
    """
    first, second = ([str(v.type) for v in values] for values in (before, after))
    if first != second:
        raise emit.fail(f"carries values of types ({', '.join(first)}) that become ({', '.join(second)})")


@onnx_op("Scan", since=9)
def scan(
    emit: Emitter,
    *initial_state_and_scan_inputs: Value,
    body: Graph,
    num_scan_inputs: int,
    scan_input_axes: tuple[int, ...] = (),
    scan_input_directions: tuple[int, ...] = (),
    scan_output_axes: tuple[int, ...] = (),
    scan_output_directions: tuple[int, ...] = (),
) -> tuple[Value, ...]:
    """Unrolled along the axis that is scanned; a ``while`` if its size is open or large."""
    split = len(initial_state_and_scan_inputs) - num_scan_inputs
    states, inputs = initial_state_and_scan_inputs[:split], initial_state_and_scan_inputs[split:]
    outputs = len(body.outputs) - split
    if split < 0 or outputs < 0 or not inputs:
        raise emit.fail(
            f"has {counted(len(initial_state_and_scan_inputs), 'input')}, {num_scan_inputs} of them scanned",
            code="F002",
        )
    axes = [emit.axis(a, x.type.rank) for a, x in zip(scan_input_axes or (0,) * len(inputs), inputs, strict=True)]
    steps = inputs[0].type.shape[axes[0]]
    directions = scan_input_directions or (0,) * len(inputs)
    if not isinstance(steps, int) or not 0 < steps <= MAX_STEPS:
        ins = [Along(axis, bool(back)) for axis, back in zip(axes, directions, strict=True)]
        ends = zip(scan_output_axes or (0,) * outputs, scan_output_directions or (0,) * outputs, strict=True)
        return _scan_while(emit, (states, inputs), body, ins, [(axis, bool(back)) for axis, back in ends])
    collected: list[list[Value]] = [[] for _ in range(outputs)]
    for step in range(steps):
        rows = [
            _row(emit, x, axis, steps - 1 - step if back else step)
            for x, axis, back in zip(inputs, axes, directions, strict=True)
        ]
        out = _only_tensors(emit, emit.graphs.inline(body, (*states, *rows)))
        states = out[:split]
        for values, value in zip(collected, out[split:], strict=True):
            values.append(value)
    stacked = [
        _stack(emit, values[::-1] if back else values, axis)
        for values, axis, back in zip(
            collected, scan_output_axes or (0,) * outputs, scan_output_directions or (0,) * outputs, strict=True
        )
    ]
    return (*states, *stacked)


def _scan_while(
    emit: Emitter,
    given: tuple[tuple[Value, ...], tuple[Value, ...]],
    body: Graph,
    alongs: list[Along],
    ends: list[tuple[int, bool]],
) -> tuple[Value, ...]:
    """Read a row of each input in each round, and put what it gives into buffers; ``given`` are states and inputs."""
    states, inputs = given
    rows_in = [
        v.type.with_shape((*v.type.shape[: a.axis], *v.type.shape[a.axis + 1 :]))
        for v, a in zip(inputs, alongs, strict=True)
    ]
    region, found = emit.graphs.region(body, [*(v.type for v in states), *rows_in])
    out = list(_only_tensors(emit, found))
    rounds = inputs[0].type.shape[alongs[0].axis]
    count = count_of(emit, inputs[0], alongs[0].axis)
    last = emit(Sub(count, emit.const(1, DType.I64)))
    turn, first = Value(emit.const(0, DType.I64).type), Body(region, first=True)
    for arg, x, along in zip(region.args[len(states) :], inputs, alongs, strict=True):
        row = first.row(x, turn, last, along)
        arg.replace_all_uses_with(row)
        out = [row if v is arg else v for v in out]
    region.args = [turn, *region.args[: len(states)]]
    _check_types(emit, states, out[: len(states)])
    rows = out[len(states) :]
    outs = [Along(emit.axis(axis, row.type.rank + 1), back) for (axis, back), row in zip(ends, rows, strict=True)]
    buffers = empty_buffers(emit, rows, outs, rounds)
    inner = Body(region)
    after = _filled(inner, turn, last, buffers, rows, outs)
    region.insert(Return((inner(Add(turn, inner(Const(_ONE)))), *out[: len(states)], *after)))
    start = (emit.const(0, DType.I64), *states, *buffers)
    test = Region([Value(v.type) for v in start])
    test.insert(Return((test.insert(Less(test.args[0], count)).result,)))
    return emit.all(ir.While(start, test, region))[1:]


def _steps(emit: Emitter, x: Value, axis: int) -> int:
    steps = x.type.shape[emit.axis(axis, x.type.rank)]
    if not isinstance(steps, int) or not 0 < steps <= MAX_STEPS:
        raise emit.fail(
            f"scans {steps} positions; 1 to {MAX_STEPS} can be unrolled", code="F004", help="Fix the size by shapes=..."
        )
    return steps


def _row(emit: Emitter, x: Value, axis: int, position: int) -> Value:
    """Return one position along an axis, without the axis."""
    shape = x.type.shape
    starts = tuple(position if i == axis else 0 for i in range(len(shape)))
    sizes = tuple(1 if i == axis else d for i, d in enumerate(shape))
    row = emit(Slice(x, starts, sizes, (1,) * len(shape)))
    return emit.reshape(row, (*shape[:axis], *shape[axis + 1 :]))


@onnx_op("Scan", since=8, until=8)
def scan_batched(
    emit: Emitter,
    sequence_lens: Value | None = None,
    *initial_state_and_scan_inputs: Value,
    body: Graph,
    directions: tuple[int, ...] = (),
    num_scan_inputs: int,
) -> tuple[Value, ...]:
    """Every element of the batch for itself; the sequences must have one length."""
    if sequence_lens is not None:
        raise emit.fail("has sequences of several lengths")
    batch = _steps(emit, initial_state_and_scan_inputs[0], 0)
    results = [
        scan(
            emit,
            *(_row(emit, x, 0, i) for x in initial_state_and_scan_inputs),
            body=body,
            num_scan_inputs=num_scan_inputs,
            scan_input_directions=directions,
        )
        for i in range(batch)
    ]
    return tuple(_stack(emit, column, 0) for column in zip(*results, strict=True))
