"""The scale of every value that becomes integers: from what was calibrated, the same where kernels demand it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...compiler.diagnostics import Remark, error, remark
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Value
from ...compiler.ops.activation import Sigmoid
from ...compiler.ops.arith import Mul
from ...compiler.options import RangeMethod
from ...compiler.scales import Demands, Range, Scale
from ...compiler.types import DType
from ...compiler.weights import Weight
from .regions import Kernel, data_operands
from .statistics import Calibration

NEARLY_EQUAL = 1.5
"""How much wider a range may become for the sake of others, before integers are rescaled instead."""

TOO_WIDE = 4.0
"""How much wider than one of its parts a result may be that joins several: two bits of that part are lost then."""


@dataclass(eq=False)
class Group:
    """Values with one scale, because they are moved into each other; the first one is computed."""

    values: list[Value]
    range: Range
    demands: Demands | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether a kernel gives its result in one fixed scale, as softmax does."""
        return self.demands is not None and self.demands.result is not None

    def scale(self, dtype: DType) -> Scale:
        """Return the scale that all values of the group share."""
        fixed = None if self.demands is None else self.demands.result_of(dtype)
        return Scale.of(self.range, dtype) if fixed is None else Scale(*fixed, dtype)


@dataclass
class Scales:
    """Chooses scales for the operations ``ops``; ``groups`` are filled in the function's order."""

    func: Func
    ops: Mapping[Op, Kernel]
    names: Mapping[Value, str]
    calibration: Calibration
    method: RangeMethod
    dtype: DType
    groups: dict[Value, Group] = field(default_factory=lambda: dict[Value, Group]())

    def choose(self) -> None:
        """Give every value that becomes integers a group."""
        for op, kernel in self.ops.items():
            data = [v for _, v in data_operands(op, kernel) if constant(v) is None]
            for value in data:
                if value not in self.groups:
                    self._begin(value)
            if len(data) == 1 and self._moves(kernel):
                self._add(self.groups[data[0]], op)
            elif self._moves(kernel):
                self._join(op, data)
            else:
                for result in op.results:
                    self._begin(result, kernel.demands)

    @staticmethod
    def _moves(kernel: Kernel) -> bool:
        return kernel.demands is None or kernel.demands.keeps_scale

    def _begin(self, value: Value, demands: Demands | None = None) -> None:
        self.groups[value] = Group([value], self._range(value), demands)

    def _range(self, value: Value) -> Range:
        name = self.names[value]
        found = self.calibration.get(name)
        if found is None:
            help = "calibrate the same model, compiled with the same options, once more"
            raise error("Q002", f"the statistics say nothing of {name!r}", help=help)
        low, high = _told_apart(value)
        method: RangeMethod = "minmax" if self._is_output(value) or self.dtype is DType.I16 else self.method
        chosen = found.range(method, floor=low)
        return Range(min(chosen.low, 0.0), max(min(chosen.high, high), 0.0))

    def _is_output(self, value: Value) -> bool:
        """Whether a value is a result of the function, moved or not: nothing of it is clamped."""
        work, seen = [value], {value}
        while work:
            users = work.pop().users
            if any(user.spec.is_terminator for user in users):
                return True
            moved = [r for u in users if u in self.ops and self._moves(self.ops[u]) for r in u.results]
            work += [r for r in moved if r not in seen]
            seen.update(moved)
        return False

    def _add(self, group: Group, op: Op) -> None:
        group.values += op.results
        self.groups.update(dict.fromkeys(op.results, group))

    def _join(self, op: Op, data: list[Value]) -> None:
        """Give what joins several values a scale for all of them, which those take that lose little by it."""
        parts = list(dict.fromkeys(self.groups[v] for v in data))
        constants = [w for _, v in data_operands(op, self.ops[op]) if (w := constant(v)) is not None]
        whole = parts[0].range
        for other in (*(p.range for p in parts[1:]), *(constant_range(w) for w in constants)):
            whole = whole.join(other)
        if len(parts) == 1 and whole == parts[0].range:
            self._add(parts[0], op)
            return
        joined = Group(list(op.results), whole)
        for part in parts:
            if not part.is_fixed and (
                self._is_only_read_by(part, op) or whole.width <= NEARLY_EQUAL * part.range.width
            ):
                joined.values += part.values
        self.groups.update(dict.fromkeys(joined.values, joined))

    @staticmethod
    def _is_only_read_by(group: Group, op: Op) -> bool:
        return all(
            user is op or (user.results[:1] and user.results[0] in group.values)
            for v in group.values
            for user in v.users
        )


def constant_range(weight: Weight) -> Range:
    """Return the smallest and the largest element of a constant."""
    numbers = weight.array()
    return Range(min(float(numbers.min(initial=0.0)), 0.0), max(float(numbers.max(initial=0.0)), 0.0))


def _told_apart(value: Value) -> tuple[float, float]:
    """Between which numbers all readers of a value tell it apart."""
    ends = [_ends(user, value) for user in value.users]
    low, high = (min((e[0] for e in ends), default=-math.inf), max((e[1] for e in ends), default=math.inf))
    return low, high


def _ends(user: Op, value: Value) -> tuple[float, float]:
    if isinstance(user, Mul) and any(isinstance(v.owner, Sigmoid) and v.owner.x is value for v in (user.a, user.b)):
        return Sigmoid.told_apart[0], math.inf  # x * sigmoid(x)
    return user.told_apart


def split_outputs(ops: Mapping[Op, Kernel], names: Mapping[Value, str], seen: Calibration) -> list[Op]:
    """Return what joins parts of very different ranges into a result of the function, boxes and scores for example.

    In one scale the small ones would have no digits left; such operations stay in floats, with what moves them.
    """
    out: dict[Op, None] = {}
    for op, kernel in ops.items():
        parts = [v for _, v in data_operands(op, kernel) if constant(v) is None]
        after = _moves_to_output(op, ops)
        if kernel.demands is not None or after is None or not _differ(parts, names, seen):
            continue
        out |= dict.fromkeys((op, *after))
        text = f'"{names[op.results[0]]}" joins ranges that are too different for one scale; it stays in floats'
        remark(Remark("note", "quantize", text, op.location))
    return list(out)


def _moves_to_output(op: Op, ops: Mapping[Op, Kernel]) -> list[Op] | None:
    """Return what moves the results of an operation until they are the function's; None if others read them."""
    after: list[Op] = []
    for user in dict.fromkeys(user for r in op.results for user in r.users):
        if user.spec.is_terminator:
            continue
        more = _moves_to_output(user, ops) if user in ops and ops[user].demands is None else None
        if more is None:
            return None
        after += [user, *more]
    return after


def _differ(parts: list[Value], names: Mapping[Value, str], seen: Calibration) -> bool:
    widths = [seen[names[v]].range().width for v in parts if names[v] in seen]
    return len(widths) > 1 and max(widths) > TOO_WIDE * min(widths)
