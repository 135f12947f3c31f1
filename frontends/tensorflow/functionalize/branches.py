"""Branches of version 1 as ``StatelessIf`` and ``StatelessCase``.

A ``Switch`` gives its operand at one of two places, as a condition says, and ``_SwitchN`` at one of many, as a number
says; what reads another one does not run. A ``Merge`` gives the operand that is there. So each node has a guard: which
sides of which conditions it runs on. A ``Merge`` of all sides of a condition ends a branch, and all that such ends need
on one side becomes a function.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from ....compiler.budget import check_depth
from ....formats.tensorflow.model import Attribute, Function, FunctionName
from ..flatten import Call, Result, calls_of
from .names import COUNT, MERGES, SENDS, SWITCHES, results_of
from .parts import Library, Part, node_of, outlined, scope_of

Guard = frozenset[tuple[Result, int]]
"""Conditions with the side of each on which something runs: 1 where the condition holds, or its number."""

SAME = frozenset({"Identity", "LoopCond"})
"""Operators that give their operand."""


@dataclass(frozen=True)
class End:
    """A ``Merge`` that ends branches: the condition, and its operand on each side of that, in their order.

    ``depth`` is larger than that of all other ends that it needs.
    """

    merge: str
    condition: Result
    operands: tuple[Result, ...]
    depth: int


@dataclass
class Guards:
    """The guards of the nodes of a graph without loops, and the ends that are on no side of any condition.

    ``sent`` are what nodes give on a side of a condition, each with what they are given, and ``counts`` says how many
    sides a number has; a truth value has two.
    """

    calls: Mapping[str, Call]
    of_node: dict[str, Guard] = field(default_factory=lambda: dict[str, Guard]())
    ends: list[End] = field(default_factory=lambda: list[End]())
    sent: dict[tuple[Result, int], dict[Result, Result]] = field(
        default_factory=lambda: defaultdict[tuple[Result, int], dict[Result, Result]](dict)
    )
    counts: dict[Result, int] = field(default_factory=lambda: dict[Result, int]())
    _sides: dict[Result, Guard] = field(default_factory=lambda: dict[Result, Guard]())
    _depths: dict[str, int] = field(default_factory=lambda: dict[str, int]())

    @classmethod
    def of(cls, calls: Mapping[str, Call]) -> Guards:
        """Find the guards of all nodes.

        Raises:
            CompileError: M005, one runs on sides of too many conditions.
        """
        found = cls(calls)
        read = {operand for call in calls.values() for operand in call.inputs}
        for call in _in_order(calls):
            found._visit(call, is_counted=Result(call.name, 1) in read)
        return found

    def condition(self, result: Result) -> Result:
        """Return the tensor that a condition is, which many identities give on."""
        call = self.calls.get(result.node)
        while call is not None and call.op in SAME and call.inputs:
            result = call.inputs[0]
            call = self.calls.get(result.node)
        return result

    def _visit(self, call: Call, *, is_counted: bool) -> None:
        """Find the guard of a node whose operands have theirs; of an end, ``is_counted`` asks which side was taken."""
        sides = [self._of(operand) for operand in call.inputs]
        waited = [self.of_node.get(name, frozenset()) for name in call.before]
        guard: Guard = frozenset(chain(*sides, *waited))
        depth = max((self._depths.get(name, 0) for name in _read(call)), default=0)
        if call.op in MERGES and not is_counted:
            decided = self._decided(call.inputs, sides)
            if decided is not None:
                condition, operands = decided
                guard = frozenset(pair for pair in guard if pair[0] != condition)
                depth += not guard
                if not guard:
                    self.ends.append(End(call.name, condition, operands, depth))
        check_depth(len(guard), "branches")
        self.of_node[call.name], self._depths[call.name] = guard, depth
        if len(call.inputs) == 2 and (call.op in SWITCHES or call.op == SENDS):
            self._send(call, guard)

    def _send(self, call: Call, guard: Guard) -> None:
        """Note on which side of its condition each result of a node is there."""
        condition, data = self.condition(call.inputs[1]), call.inputs[0]
        count = call.attributes.get(COUNT)
        if call.op == SENDS and isinstance(count, int):
            check_depth(count, "branches")
            self.counts[condition] = count
        for side in range(self.counts.get(condition, 2)):
            sent = self.sent[condition, side]
            sent[Result(call.name, side)] = sent.get(data, data)
            self._sides[Result(call.name, side)] = guard | {(condition, side)}

    def _decided(self, operands: Sequence[Result], guards: Sequence[Guard]) -> tuple[Result, tuple[Result, ...]] | None:
        """Return the condition that decides which of some operands is there, and these by its sides; None without one.

        Otherwise they run on the same sides of all conditions.
        """
        sides = [dict(guard) for guard in guards]
        for condition in sides[0] if sides else ():
            places = [found.get(condition) for found in sides]
            if len(set(places)) < len(places) or {*places} != set(range(self.counts.get(condition, 2))):
                continue
            others = {pair for guard in guards for pair in guard if pair[0] != condition}
            if len({name for name, _ in others}) == len(others):
                by_side = {side: operand for side, operand in zip(places, operands, strict=True) if side is not None}
                return condition, tuple(by_side[side] for side in sorted(by_side))
        return None

    def _of(self, result: Result) -> Guard:
        return self._sides.get(result) or self.of_node.get(result.node, frozenset())


def _read(call: Call) -> Iterable[str]:
    return chain((operand.node for operand in call.inputs), call.before)


def _in_order(calls: Mapping[str, Call]) -> Iterable[Call]:
    """Yield nodes, each after those that it reads; of loops that were not raised, some come before."""
    seen: set[str] = set()
    stack = [(name, False) for name in calls]
    while stack:
        name, is_done = stack.pop()
        call = calls[name]
        if is_done:
            yield call
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(read, False) for read in _read(call) if read in calls and read not in seen]


def raise_branches(calls: dict[str, Call], library: Library, kept: Collection[str], depth: int = 0) -> None:
    """Replace branches; those of a kind that is not known stay as they are.  Nodes that are ``kept`` do, too.

    Raises:
        CompileError: M005, they are nested too deeply.
    """
    check_depth(depth, "branches")
    if not any(call.op in MERGES for call in calls.values()):
        return
    guards = Guards.of(calls)
    groups: dict[tuple[Result, int], list[End]] = {}
    for end in guards.ends:
        groups.setdefault((end.condition, end.depth), []).append(end)
    read = {name for call in calls.values() for name in _read(call)}
    needless = {name for name, guard in guards.of_node.items() if guard or name in read} - set(kept)
    for ends in groups.values():
        _replace(ends, guards, calls, library, depth)
    _prune(calls, needless)


def branches_in(function: Function, library: Library, depth: int = 0) -> Function:
    """Return a function in which Switch and Merge are replaced by branches."""
    calls, results = calls_of(function, library.functions, results_of)
    raise_branches(calls, library, {result.node for result in results}, depth)
    return replace(function, nodes=tuple(map(node_of, calls.values())))


def _replace(ends: Sequence[End], guards: Guards, calls: dict[str, Call], library: Library, depth: int) -> None:
    """Insert a call in the place of the ends of the same branches."""
    condition = ends[0].condition
    sides = range(guards.counts.get(condition, 2))
    parts = [_side(ends, guards, side) for side in sides]
    outer = dict.fromkeys(chain(*(part.outer for part in parts)))
    scope = scope_of((end.merge for end in ends), "cond")
    functions: list[FunctionName] = []
    is_truth = condition not in guards.counts
    for side, part in enumerate(parts):
        name = library.name(f"{scope}_{('false', 'true')[side] if is_truth else side}")
        outline = outlined(name, part, outer, [end.operands[side] for end in ends], scope)
        library.functions[name] = outline  # which takes the name before inner ones are made
        library.functions[name] = branches_in(outline, library, depth + 1)
        functions.append(FunctionName(name, {}))
    waits = dict.fromkeys(chain(*(part.waits for part in parts), *(calls[end.merge].before for end in ends)))
    before = tuple(name for name in waits if calls[name].op not in SWITCHES and calls[name].op != SENDS)
    name = library.unused(scope, calls)
    op, attributes = _choice(functions, is_truth=is_truth)
    calls[name] = Call(name, op, (condition, *outer), before, attributes)
    for number, end in enumerate(ends):
        calls[end.merge] = Call(end.merge, "Identity", (Result(name, number),), (), {})


def _choice(functions: Sequence[FunctionName], *, is_truth: bool) -> tuple[str, dict[str, Attribute]]:
    """Return the operator that calls one of some functions, and its attributes."""
    if is_truth:
        return "StatelessIf", {"else_branch": functions[0], "then_branch": functions[1]}
    return "StatelessCase", {"branches": tuple(functions)}


def _side(ends: Sequence[End], guards: Guards, side: int) -> Part:
    """Return what ends need on one side of their condition."""
    literal = (ends[0].condition, side)
    part = Part(guards.calls, lambda name: literal in guards.of_node.get(name, ()), guards.sent[literal])
    part.add(end.operands[side] for end in ends)
    return part


def _prune(calls: dict[str, Call], needless: Collection[str]) -> None:
    """Drop nodes that are ``needless`` where nothing reads them any more: what ran on a side of a condition."""
    reads = Counter(name for call in calls.values() for name in _read(call))
    waiting = [name for name in needless if reads[name] == 0]
    while waiting:
        call = calls.pop(waiting.pop())
        for name in _read(call):
            reads[name] -= 1
            waiting += [name] if reads[name] == 0 and name in needless else []
