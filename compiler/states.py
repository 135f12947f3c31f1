"""Recurrent layers that go on where the last call ended: their states become inputs and outputs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .clone import clone_func
from .diagnostics import Remark, at, remark
from .ir import Func, Op, Port, Value
from .opdef import Draws
from .ops.core import Const, Return
from .ops.recurrent import Recurrent
from .ops.shape import BroadcastTo, Concat, Reshape, ShapeOf, Slice
from .rewrite import erase_dead
from .weights import Weight

SLOTS = ("h0", "c0")
"""Operands that hold initial states, in the order of the results that hold the last ones."""


def expose_states(func: Func) -> Func:
    """Make inputs and outputs of the states from which recurrent layers begin with zeros or constants.

    A state is one name, an input ``[batch, features]`` and an output of the same type.  Layers that read backwards keep
    their states, with a warning: what they begin with lies in what comes later.

    Returns the function that computes what the new inputs are in a first call; it reads no more of the others than
    their sizes.
    """
    states = _states(func, [op for op in func.walk() if isinstance(op, Recurrent)])
    outputs, returns = func.outputs, func.returns
    ports = [Port(state.name) for state in states]
    _set_results(func, ports, [state.begin() for state in states])
    start = clone_func(func)
    erase_dead(*reversed(start.ops))
    for state in states:
        argument = Value(state.end.type, name=state.name)
        state.first.set_operand(state.slot, argument)
        func.args.append(argument)
        func.inputs.append(Port(state.name))
    _set_results(func, [*outputs, *ports], [*returns, *(state.end for state in states)])
    erase_dead(*reversed(func.ops))
    return start


def _set_results(func: Func, ports: list[Port], values: Sequence[Value]) -> None:
    func.body.erase(func.body.terminator)
    func.body.insert(Return(tuple(values)))
    func.outputs = ports


def state_names(states: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return names for states: their own as one word, with ``_state`` where that is taken.

    >>> state_names(["encoder.cache", "count"], ["count"])
    ['encoder_cache', 'count_state']
    """
    found: list[str] = []
    for state in states:
        name = re.sub(r"\W+", "_", state)
        while name in taken or name in found:
            name += "_state"
        found.append(name)
    return found


@dataclass(frozen=True)
class _State:
    """A state's name, the operation that begins with it, in which operand, and what it is at the end."""

    name: str
    first: Recurrent
    slot: int
    end: Value

    def begin(self) -> Value:
        """Return what the layer begins with; where nothing is given, insert zeros."""
        given, region = self.first.operands[self.slot], self.first.parent
        if given is not None:
            return given
        assert region is not None
        with at(self.first.location):
            zero = region.insert(Const(Weight.splat(0, self.end.type.dtype, ())), self.first).results[0]
            return region.insert(BroadcastTo(zero, self.end.type.shape), self.first).results[0]


def _states(func: Func, layers: Sequence[Recurrent]) -> list[_State]:
    """Find the states that calls can carry on, and say of the others why they can't."""
    chains: list[list[Recurrent]] = []
    for op in layers:
        if any(_begins(op, slot) for slot in _slots(op)):
            chain = _chain(op, layers)
            why_not = _why_not(chain, func, layers)
            if why_not is None:
                chains.append(chain)
            else:
                text = f"{op.spec.name} begins anew in every call: {why_not}"
                remark(Remark("warning", "state", text, op.location))
    found: list[_State] = []
    for chain, name in zip(chains, _names([chain[0] for chain in chains]), strict=True):
        for number, slot in enumerate(_slots(chain[0])):
            if _begins(chain[0], slot):
                found.append(_State(name(SLOTS[number][0]), chain[0], slot, chain[-1].results[1 + number]))
    taken = [port.name for port in (*func.inputs, *func.outputs)]
    names = state_names([state.name for state in found], taken)
    return [replace(state, name=name) for state, name in zip(found, names, strict=True)]


def _slots(op: Recurrent) -> list[int]:
    """Return which operands hold initial states."""
    return [op.spec.operands.index(name) for name in SLOTS if name in op.spec.operands]


def _begins(op: Recurrent, slot: int) -> bool:
    """Say whether an initial state is the same in all calls."""
    state = op.operands[slot]
    return state is None or not any(owner is None or _varies(owner) for owner in _sources(state))


def _varies(op: Op) -> bool:
    return op.spec.has(Draws) or bool(op.regions)


def _sources(value: Value) -> Iterator[Op | None]:
    """Yield all operations whose results a value depends on, None for an argument; sizes don't count."""
    seen, work = set[Value](), [value]
    while work:
        value = work.pop()
        if value in seen:
            continue
        seen.add(value)
        yield value.owner
        if value.owner is not None and not isinstance(value.owner, ShapeOf):
            work += [v for v in value.owner.operands if v is not None]


def _why_not(chain: Sequence[Recurrent], func: Func, layers: Sequence[Recurrent]) -> str | None:
    """Say why a layer's states can't be carried on, None if they can."""
    if chain[0].reverse:
        return "it reads backwards, from what comes later"
    if chain[0].parent is not func.body:
        return "it stands inside of a loop or branch"
    others = [op for op in layers if op not in chain and _same_weights(op, chain[0])]
    given = [v for op in others for slot in _slots(op) if (v := op.operands[slot]) is not None]
    if any(owner in chain for state in given for owner in _sources(state)):
        return "between its steps, something else is done with its state"
    return None


def _chain(op: Recurrent, layers: Sequence[Recurrent]) -> list[Recurrent]:
    """Return the steps of a layer, which may be one operation after the other with the same weights."""
    chain = [op]
    while len(after := [n for n in layers if n not in chain and _follows(n, chain[-1])]) == 1:
        chain += after
    return chain


def _follows(op: Recurrent, before: Recurrent) -> bool:
    """Say whether a layer goes on with all states of another one, with its weights."""
    states = [op.operands[slot] for slot in _slots(op)]
    given = [None if state is None else _origin(state) for state in states]
    return given == list(before.results[1:]) and _same_weights(op, before)


def _origin(value: Value) -> Value:
    """Follow a value to where it comes from, through what only gives it axes of size one or cuts it out of a stack."""
    match value.owner:
        case Reshape(x=x) if _without_ones(x) == _without_ones(value):
            return _origin(x)
        case Slice(x=x, starts=starts) as op if set(op.steps) == {1}:
            return _origin(x) if x.type == value.type else _piece(value, _origin(x), starts)
        case _:
            return value


def _piece(value: Value, stack: Value, starts: Sequence[object]) -> Value:
    """Return the piece of a stack that a slice takes, the slice itself if it takes another part."""
    if not isinstance(stack.owner, Concat):
        return value
    axis, at = stack.owner.axis, 0
    for piece in (v for v in stack.owner.operands if v is not None):
        if starts == tuple(at if i == axis else 0 for i in range(value.type.rank)) and piece.type == value.type:
            return _origin(piece)
        at += piece.type.shape[axis]
    return value


def _without_ones(value: Value) -> list[object]:
    return [d for d in value.type.shape if d != 1]


def _same_weights(a: Recurrent, b: Recurrent) -> bool:
    return type(a) is type(b) and _same(a.w, b.w) and _same(a.r, b.r)


def _same(a: Value | None, b: Value | None) -> bool:
    """Say whether two values are computed alike; weights are cut and joined by few operations."""
    if a is b or a is None or b is None:
        return a is b
    p, q = a.owner, b.owner
    if p is None or q is None or type(p) is not type(q) or p.attributes != q.attributes:
        return False
    alike = all(_same(v, w) for v, w in zip(p.operands, q.operands, strict=True))
    return alike and p.results.index(a) == q.results.index(b)


def _names(layers: Sequence[Recurrent]) -> list[Callable[[str], str]]:
    """Return how the states of layers are called: ``encoder_h``, or ``encoder_h_l0`` where layers share a name."""
    labels = [_label(op) for op in layers]
    total, seen = Counter(labels), Counter[str]()
    found: list[Callable[[str], str]] = []
    for label in labels:
        suffix = f"_l{seen[label]}" if total[label] > 1 else ""
        found.append(f"{label}_{{}}{suffix}".format)
        seen[label] += 1
    return found


_OPERATOR = re.compile(r"(lstm|gru|rnn)(_tanh|_relu)?(_cell)?(_\d+)?", re.IGNORECASE)
"""What exporters call a node after its operator."""


def _label(op: Recurrent) -> str:
    """Return a layer's own name, without the operator's at its end."""
    words = [w for w in re.split(r"[./]", op.location.node if op.location else "") if w] or [op.spec.name]
    return "_".join(words[:-1] if len(words) > 1 and _OPERATOR.fullmatch(words[-1]) else words)
