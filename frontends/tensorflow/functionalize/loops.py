"""Loops of version 1 as ``StatelessWhile``.

Each loop has a frame. ``Enter`` takes a tensor into it, once for all iterations, or as the start of a carried one;
that is a ``Merge`` of the start and of what ``NextIteration`` gives. A ``Switch`` sends what is carried into the next
iteration or to an ``Exit``, as ``LoopCond`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ....compiler.budget import check_depth
from ....formats.tensorflow.model import FunctionName
from ..flatten import Call, Result
from .names import ENTERS, EXITS, MERGES, NEXT_ITERATIONS, SWITCHES
from .parts import Library, Part, outlined, scope_of


@dataclass
class Carried:
    """A tensor that iterations change: its start, what an iteration gives, and the nodes that give its last value."""

    start: Result
    next: Result
    exits: list[str] = field(default_factory=lambda: list[str]())


@dataclass
class Frame:
    """A loop: what it carries by the ``Merge`` of each, what it reads, and the tensor that says whether it goes on.

    ``aliases`` are what the nodes give that send tensors into an iteration, ``before`` the nodes that it waits for.
    """

    name: str
    carried: dict[str, Carried]
    constant: dict[Result, Result]
    goes_on: Result
    aliases: dict[Result, Result]
    before: tuple[str, ...]


@dataclass(frozen=True)
class Loop:
    """What becomes of a frame: what is carried and read as far as it is needed, the condition and the body."""

    frame: Frame
    live: Sequence[str]
    constant: Sequence[Result]
    test: Part
    body: Part


@dataclass(frozen=True)
class Nodes:
    """The nodes of a graph, and which ones read or wait for each."""

    calls: Mapping[str, Call]
    readers: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, calls: Mapping[str, Call]) -> Nodes:
        """Index the nodes of a graph by name, with the users of each."""
        found: dict[str, list[str]] = {name: [] for name in calls}
        for call in calls.values():
            for name in dict.fromkeys(chain((operand.node for operand in call.inputs), call.before)):
                if name in found:
                    found[name].append(call.name)
        return cls(calls, found)

    def reading(self, name: str, ops: frozenset[str]) -> Iterator[Call]:
        """Iterate over the nodes of some operators that read a node."""
        return (self.calls[reader] for reader in self.readers.get(name, ()) if self.calls[reader].op in ops)


def raise_loops(calls: dict[str, Call], library: Library) -> None:
    """Replace loops, those inside of others first; what is none in the usual form stays as it is.

    Raises:
        CompileError: M005, they are nested too deeply.
    """
    depth = 0
    while True:
        check_depth(depth, "loops")
        nodes = Nodes.of(calls)
        loops = [loop for enters in _frames(calls) if (loop := _loop(enters, nodes)) is not None]
        if not loops:
            return
        for loop in loops:
            _replace(loop, calls, nodes, library)
        depth += 1


def _frames(calls: Mapping[str, Call]) -> Iterable[list[Call]]:
    """Return the nodes that enter each frame."""
    found: dict[str, list[Call]] = {}
    for call in calls.values():
        if call.op in ENTERS and len(call.inputs) == 1:
            found.setdefault(str(call.attributes.get("frame_name")), []).append(call)
    return found.values()


def _loop(enters: Sequence[Call], nodes: Nodes) -> Loop | None:
    """Return what becomes of a frame; None if it has another form, or loops inside, which come first."""
    frame = _frame(enters, nodes)
    if frame is None:
        return None
    edges = {result.node for result in (*frame.constant, *frame.aliases)} | frame.carried.keys()
    test, body = (Part(nodes.calls, lambda name: name not in edges, frame.aliases) for _ in range(2))
    live: dict[str, None] = {}
    open = [*test.add([frame.goes_on]), *(Result(name) for name, c in frame.carried.items() if c.exits)]
    while open:
        result = open.pop()
        if result.node in live or result in frame.constant:
            continue
        if result.node not in frame.carried or result.number:
            return None
        live[result.node] = None
        open += body.add([frame.carried[result.node].next])
    if any(call.op in ENTERS | EXITS | NEXT_ITERATIONS for part in (test, body) for call in part.calls.values()):
        return None
    constant = [result for result in frame.constant if result in test.outer or result in body.outer]
    return Loop(frame, [name for name in frame.carried if name in live], constant, test, body)


def _frame(enters: Sequence[Call], nodes: Nodes) -> Frame | None:
    constant: dict[Result, Result] = {}
    carried: dict[str, Carried] = {}
    for enter in enters:
        merges = list(nodes.reading(enter.name, MERGES))
        if not merges:
            constant[Result(enter.name)] = enter.inputs[0]
        for merge in merges:
            found = _carried(merge, enter, nodes.calls)
            if found is None:
                return None
            carried[merge.name] = found
    tests: set[Result] = set()
    for name, merge in carried.items():
        for switch in nodes.reading(name, SWITCHES):
            if switch.inputs[0] == Result(name):
                tests.add(switch.inputs[1])
                merge.exits += [exit.name for exit in nodes.reading(switch.name, EXITS)]
    if len(tests) != 1:
        return None
    test = tests.pop()
    sent = [switch for switch in nodes.reading(test.node, SWITCHES) if switch.inputs[1] == test]
    aliases = {Result(switch.name, 1): switch.inputs[0] for switch in sent}
    if nodes.calls[test.node].op == "LoopCond":
        aliases[test] = nodes.calls[test.node].inputs[0]
    before = dict.fromkeys(name for enter in enters for name in enter.before)
    return Frame(enters[0].name, carried, constant, test, aliases, tuple(before))


def _carried(merge: Call, enter: Call, calls: Mapping[str, Call]) -> Carried | None:
    others = [operand for operand in merge.inputs if operand.node != enter.name]
    following = calls.get(others[0].node) if len(merge.inputs) == 2 and len(others) == 1 else None
    if following is None or following.op not in NEXT_ITERATIONS or len(following.inputs) != 1:
        return None
    return Carried(enter.inputs[0], following.inputs[0])


def _replace(loop: Loop, calls: dict[str, Call], nodes: Nodes, library: Library) -> None:
    """Put one call in the place of a loop; what left it is what that gives."""
    frame = loop.frame
    scope = scope_of(frame.carried, "while")
    outer = [*map(Result, loop.live), *loop.constant]
    next = [*(frame.carried[name].next for name in loop.live), *loop.constant]
    test, body = (library.name(f"{scope}_{what}") for what in ("cond", "body"))
    library.functions[test] = outlined(test, loop.test, outer, [frame.goes_on], scope)
    library.functions[body] = outlined(body, loop.body, outer, next, scope)
    exits = {exit: number for number, name in enumerate(loop.live) for exit in frame.carried[name].exits}
    for name in _inside(frame, nodes):
        calls.pop(name, None)
    if not exits:
        return
    name = library.unused(scope, calls)
    inputs = (*(frame.carried[name].start for name in loop.live), *(frame.constant[result] for result in loop.constant))
    attributes = {"cond": FunctionName(test, {}), "body": FunctionName(body, {})}
    calls[name] = Call(name, "StatelessWhile", inputs, frame.before, attributes)
    calls |= {exit: Call(exit, "Identity", (Result(name, number),), (), {}) for exit, number in exits.items()}


def _inside(frame: Frame, nodes: Nodes) -> set[str]:
    """Return the nodes of a frame: all that read what enters it."""
    found: set[str] = set()
    waiting = [result.node for result in frame.constant]
    waiting += [operand.node for name in frame.carried for operand in nodes.calls[name].inputs]
    while waiting:
        name = waiting.pop()
        if name not in found and nodes.calls[name].op not in EXITS:
            found.add(name)
            waiting += nodes.readers[name]
    return found
