"""What a run of a network takes at least: memory for its tensors, and iterations of its loops."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from .budget import CALL_SECONDS, budget, in_bytes
from .diagnostics import CompileError, Diagnostic
from .dims import Sym, substitute
from .fold import constant
from .ir import Func, Op, Region, Value
from .opdef import Multiplies, View
from .ops.arith import Add
from .ops.control import While
from .ops.core import Const
from .ops.logic import Less, LogicalAnd

MACS_PER_SECOND = 1e11
"""How many products one core sums up in a second at most: 32 at a time, at 3 GHz."""

BYTES_PER_SECOND = 1e12
"""How many bytes a machine writes in a second at most."""


def check_run(func: Func, sizes: Mapping[str, int] | None = None) -> None:
    """Refuse a network that can't be run within the budget; sizes that stay open count as one.

    Raises:
        CompileError: M003, it takes too long; M007, its tensors take too much memory.
    """
    check_calls(func.body)
    check_work(func.body, sizes or {})
    peak, op = peak_bytes(func.body, sizes or {})
    if peak > budget().memory:
        text = f"a run of the network holds {in_bytes(peak)} of tensors at a time"
        at = f" ({', '.join(f'{name} = {size}' for name, size in sizes.items())})" if sizes else ""
        help = f"the limit is {in_bytes(budget().memory)}; --max-memory raises it, smaller inputs take less"
        where = None if op is None else op.location
        raise CompileError(Diagnostic("error", "M007", text + at, where, help=help))


def peak_bytes(region: Region, sizes: Mapping[str, int]) -> tuple[int, Op | None]:
    """Return the most bytes that values of a region take at a time, and the operation where that is.

    Constants are not counted: they stay in the file.
    """
    last: dict[Value, Op] = {}
    for op in region.ops:
        for value in _read(op):
            last[value] = op
    ends: dict[Op, list[Value]] = {}
    for value, op in last.items():
        ends.setdefault(op, []).append(value)
    live = {arg: _bytes(arg, sizes) for arg in region.args}
    total = sum(live.values())
    peak, where = total, next(iter(region.ops), None)
    for op in region.ops:
        if isinstance(op, Const):
            continue
        for value in op.results:
            live[value] = _bytes(value, sizes)
            total += live[value]
        inside = max((peak_bytes(r, sizes)[0] for r in op.regions), default=0)
        if total + inside > peak:
            peak, where = total + inside, op
        for value in (*ends.get(op, ()), *(r for r in op.results if r not in last)):
            total -= live.pop(value, 0)
    return peak, where


def _read(op: Op) -> list[Value]:
    inner = [v for region in op.regions for o in region.walk() for v in o.operands]
    return [v for v in dict.fromkeys((*op.operands, *inner)) if v is not None]


def _bytes(value: Value, sizes: Mapping[str, int]) -> int:
    shape = substitute(value.type.shape, dict(sizes))
    return math.prod(d for d in shape if isinstance(d, int)) * value.type.dtype.bits // 8


def check_calls(region: Region) -> int:
    """Return how many operations a run calls at least; a loop counts as often as it is known to iterate.

    Raises:
        CompileError: M003, at the loop with which it takes too long.
    """
    limit = int(budget().seconds / CALL_SECONDS)
    total = 0
    for op in region.ops:
        total += not isinstance(op, Const)
        if not isinstance(op, While):
            continue
        count = iterations(op)
        each = check_calls(op.body) + check_calls(op.condition)
        total += each * (1 if count is None else count)
        if total > limit:
            often = "without an end" if count == math.inf else f"{count or 1:,} times"
            help = f"at most {limit:,} are done in {budget().seconds:g} s; --max-seconds gives more time"
            raise op.fail("M003", f"a loop runs {often}, with {each:,} operations in every iteration", help=help)
    return int(total)


def check_work(region: Region, sizes: Mapping[str, int], times: float = 1) -> float:
    """Return how many seconds a run takes at least that happens a number of times.

    Raises:
        CompileError: M003, at the operation with which it takes too long.
    """
    limit, total = budget().seconds, 0.0
    for op in region.ops:
        count = times * ((iterations(op) or 1) if isinstance(op, While) else 1)
        total += sum(check_work(inner, sizes, count) for inner in op.regions)
        total += times * _seconds(op, sizes)
        if total > limit:
            text = f"a run of the network takes {total:,.0f} s at least"
            help = f"the limit is {limit:g} s; --max-seconds raises it, smaller inputs take less"
            raise op.fail("M003", text, help=help)
    return total


def _seconds(op: Op, sizes: Mapping[str, int]) -> float:
    """Return how long an operation takes at least: for products, and to write its results, if they are its own."""
    written = 0 if isinstance(op, Const) or op.spec.has(View) else sum(_bytes(r, sizes) for r in op.results)
    macs = substitute(op.macs(), dict(sizes)) if isinstance(op, Multiplies) else 0
    if isinstance(macs, Sym):
        macs = substitute(macs, dict.fromkeys(macs.names, 1))
    summing = macs / (MACS_PER_SECOND * (os.cpu_count() or 1)) if isinstance(macs, int) else 0.0
    return max(written / BYTES_PER_SECOND, summing)


def iterations(loop: While) -> float | None:
    """Return how often a loop iterates, infinite if its condition never changes; None if data decides."""
    (condition,) = loop.condition.returns
    return _until_false(loop, condition)


def _until_false(loop: While, condition: Value) -> float | None:
    owner = condition.owner
    if condition in loop.condition.args:
        return math.inf if _stays_true(loop, loop.condition.args.index(condition)) else None
    if isinstance(owner, LogicalAnd):
        counts = [_until_false(loop, side) for side in (owner.a, owner.b)]
        return None if None in counts else min(c for c in counts if c is not None)
    if isinstance(owner, Less) and owner.a in loop.condition.args:
        return _counted(loop, loop.condition.args.index(owner.a), owner.b)
    known = _number(condition)
    return None if known is None else math.inf if known else 0


def _stays_true(loop: While, index: int) -> bool:
    after = loop.body.returns[index]
    begins = _number(loop.values[index])
    return bool(begins) and (after is loop.body.args[index] or bool(_number(after)))


def _counted(loop: While, index: int, bound: Value) -> float | None:
    """Iterations of a loop whose counter ``index`` grows by a constant up to ``bound``."""
    after = loop.body.returns[index].owner
    counter = loop.body.args[index]
    if not isinstance(after, Add) or counter not in after.operands:
        return None
    step = _number(after.b if after.a is counter else after.a)
    first, last = _number(loop.values[index]), _number(bound)
    if step is None or first is None or last is None:
        return None
    return max(0, math.ceil((last - first) / step)) if step > 0 else math.inf if first < last else 0


def _number(value: Value) -> float | None:
    """Return the only element of a constant, also after operations that only change its shape."""
    while value.owner is not None and value.owner.spec.name in ("reshape", "cast") and value.owner.operands[0]:
        value = value.owner.operands[0]
    weight = constant(value)
    return weight.array().item() if weight is not None and weight.type.size == 1 else None
