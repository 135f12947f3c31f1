"""Recurrent layers: cells, which are layers of one step, and sequences, one operation of the IR for each direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ....compiler.dims import Dim, exact_div, is_static, static
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.ops.shape import Concat, Slice, Split
from ....compiler.types import Array
from ...common.recurrent import gate_functions
from ..emitter import Emitter
from ..registry import openvino_op
from .weights import moved_weight

Way = Literal["forward", "reverse", "bidirectional"]
DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
"""Whether each direction reads backwards."""

FORMATS = {"fico": (1, 3, 0, 2), "icof": (0, 2, 3, 1), "ifco": (0, 3, 1, 2), "ifoc": (0, 2, 1, 3), "iofc": (0, 1, 2, 3)}
"""Where the gates of an LSTM lie: the blocks of input, output, forget and new one."""

Floats = tuple[float, ...]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """The attributes that recurrent layers have in common; ``blocks`` are the places of the IR's gates."""

    activations: Names
    alpha: Floats
    beta: Floats
    clip: float
    direction: str
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Direction:
    """What one direction computes with: weights of input and state, bias, first states, and common attributes."""

    w: Value
    r: Value
    b: Value
    states: tuple[Value, ...]
    common: dict[str, Any]


Build = Callable[[Value, Direction], ir.Recurrent]


def _block(emit: Emitter, x: Value, number: int, blocks: tuple[int, ...]) -> Value:
    """Return one direction's weight ``[gates, ...]``, its blocks in the IR's order."""
    shape = x.type.shape[1:]
    if is_static(shape):
        sizes = static(shape)

        def moved(array: Array) -> Array:
            own = array[number]
            return own if not blocks else own.reshape(len(blocks), -1, *own.shape[1:])[list(blocks)].reshape(sizes)

        found = moved_weight(emit, x, sizes, moved)
        if found is not None:
            return found
    rank = x.type.rank
    row = emit(Slice(x, (number, *[0] * (rank - 1)), (1, *shape), (1,) * rank))
    own = emit.reshape(row, shape)
    if not blocks:
        return own
    each = exact_div(shape[0], len(blocks))
    if each is None:
        raise emit.fail(f"has weights {x.type} for {len(blocks)} gates", code="T001")
    parts = emit.all(Split(own, 0, (each,) * len(blocks)))
    return emit(Concat(tuple(parts[i] for i in blocks), 0))


def _state(emit: Emitter, state: Value, number: int) -> Value:
    """Return one direction's state ``[batch, features]``."""
    n, _, h = state.type.shape
    return emit.reshape(emit(Slice(state, (0, number, 0), (n, 1, h), (1, 1, 1))), (n, h))


def _sequence(
    emit: Emitter,
    x: Value,
    states: Sequence[Value],
    lengths: Value | None,
    weights: tuple[Value, Value, Value],
    settings: Settings,
    build: Build,
) -> tuple[Value, ...]:
    """Build all directions; their results have an axis for the direction after the batch."""
    if x.type.rank != 3 or any(w.type.rank != 3 for w in weights[:2]) or any(s.type.rank != 3 for s in states):
        raise emit.fail(f"has operands {x.type}, {weights[0].type} and {weights[1].type}, not of rank 3", code="F002")
    ways = DIRECTIONS[settings.direction]
    functions = gate_functions(emit, settings.activations * len(ways), (settings.alpha, settings.beta), len(ways))
    common = {"lengths": _lengths(emit, lengths, x), "clip": settings.clip, "batch_first": True}
    runs: list[tuple[Value, ...]] = []
    for number, (back, own) in enumerate(zip(ways, functions, strict=True)):
        w, r, b = (_block(emit, v, number, settings.blocks) for v in weights)
        start = tuple(_state(emit, s, number) for s in states)
        runs.append(emit.all(build(x, Direction(w, r, b, start, {**common, **own, "reverse": back}))))
    return tuple(_joined(emit, column) for column in zip(*runs, strict=True))


def _lengths(emit: Emitter, lengths: Value | None, x: Value) -> Value | None:
    """Return the lengths of sequences unless they are known to be those of the data."""
    known = None if lengths is None else emit.known.dims(lengths)
    return None if known is not None and all(d == x.type.shape[1] for d in known) else lengths


def _joined(emit: Emitter, values: Sequence[Value]) -> Value:
    """Put the results of directions side by side along a new axis after the batch."""
    rows = [emit.reshape(v, (v.type.shape[0], 1, *v.type.shape[1:])) for v in values]
    return rows[0] if len(rows) == 1 else emit(Concat(tuple(rows), 1))


def _lstm(x: Value, own: Direction) -> ir.Recurrent:
    return ir.Lstm(x, own.w, own.r, own.b, h0=own.states[0], c0=own.states[1], **own.common)


def _rnn(x: Value, own: Direction) -> ir.Recurrent:
    return ir.Rnn(x, own.w, own.r, own.b, h0=own.states[0], **own.common)


def _gru(emit: Emitter, reset_after: bool) -> Build:
    """Build units whose reset gate multiplies the product with the state, then with a bias of its own, or the state."""

    def build(x: Value, own: Direction) -> ir.Recurrent:
        bias, hidden = (own.b, None) if not reset_after else _split_bias(emit, own.b, own.r.type.shape[1])
        fields = {"h0": own.states[0], "hidden_bias": hidden, "reset_after": reset_after}
        return ir.Gru(x, own.w, own.r, bias, **fields, **own.common)

    return build


def _split_bias(emit: Emitter, b: Value, size: Dim) -> tuple[Value, Value]:
    first = emit(Slice(b, (0,), (3 * size,), (1,)))
    return first, emit(Slice(b, (3 * size,), (size,), (1,)))


def _cell(
    emit: Emitter,
    x: Value,
    states: Sequence[Value],
    weights: tuple[Value, Value, Value | None],
    settings: Settings,
    build: Build,
) -> tuple[Value, ...]:
    """Run one step; weights and states have no axis for the direction."""
    if x.type.rank != 2 or any(v.type.rank != 2 for v in (*weights[:2], *states)):
        raise emit.fail(f"has operands {x.type}, {weights[0].type} and {weights[1].type}, not of rank 2", code="F002")
    w, r, b = (None if v is None else _own(emit, v, settings.blocks) for v in weights)
    assert w is not None and r is not None
    (own,) = gate_functions(emit, settings.activations, (settings.alpha, settings.beta), 1)
    bias = b if b is not None else emit.expand(emit.number(0, x), w.type.shape[:1])
    step = emit.reshape(x, (1, *x.type.shape))
    common = {"clip": settings.clip, **own}
    return emit.all(build(step, Direction(w, r, bias, tuple(states), common)))[1:]


def _own(emit: Emitter, v: Value, blocks: tuple[int, ...]) -> Value:
    """Return a weight without directions, its blocks in the IR's order."""
    if not blocks:
        return v
    shape = v.type.shape
    if is_static(shape):
        sizes = static(shape)

        def moved(array: Array) -> Array:
            return array.reshape(len(blocks), -1, *sizes[1:])[list(blocks)].reshape(sizes)

        found = moved_weight(emit, v, sizes, moved)
        if found is not None:
            return found
    return _block(emit, emit.reshape(v, (1, *shape)), 0, blocks)


@openvino_op("LSTMCell", until=3)
def lstm_cell_of_format(
    emit: Emitter,
    x: Value,
    h: Value,
    c: Value,
    w: Value,
    r: Value,
    b: Value | None = None,
    p: Value | None = None,
    *,
    hidden_size: int,
    activations: Names = ("sigmoid", "tanh", "tanh"),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
    input_forget: bool = False,
    weights_format: Literal["fico", "icof", "ifco", "ifoc", "iofc"] = "ifco",
) -> tuple[Value, ...]:
    """One step of long short-term memory, of gates in a stated order."""
    known = None if p is None else emit.known(p)
    if input_forget or (p is not None and (known is None or known.any())):
        raise emit.fail("couples gates or looks at the cell through peepholes")
    settings = Settings(activations, activations_alpha, activations_beta, clip, "forward", FORMATS[weights_format])
    return _cell(emit, x, (h, c), (w, r, b), settings, _lstm)


@openvino_op("LSTMCell", since=4)
def lstm_cell(
    emit: Emitter,
    x: Value,
    h: Value,
    c: Value,
    w: Value,
    r: Value,
    b: Value | None = None,
    *,
    hidden_size: int,
    activations: Names = ("sigmoid", "tanh", "tanh"),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
) -> tuple[Value, ...]:
    """LSTMCell: one step of an LSTM, whose gates are in the order forget, input, new, output."""
    settings = Settings(activations, activations_alpha, activations_beta, clip, "forward", FORMATS["fico"])
    return _cell(emit, x, (h, c), (w, r, b), settings, _lstm)


@openvino_op("GRUCell", since=3)
def gru_cell(
    emit: Emitter,
    x: Value,
    h: Value,
    w: Value,
    r: Value,
    b: Value | None = None,
    *,
    hidden_size: int,
    activations: Names = ("sigmoid", "tanh"),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
    linear_before_reset: bool = False,
) -> Value:
    """GRUCell: one step of a GRU; with ``linear_before_reset`` the new gate's state part has a bias of its own."""
    if b is None and linear_before_reset:
        b = emit.expand(emit.number(0, x), (4 * r.type.shape[-1],))
    settings = Settings(activations, activations_alpha, activations_beta, clip, "forward")
    return _cell(emit, x, (h,), (w, r, b), settings, _gru(emit, linear_before_reset))[0]


@openvino_op("RNNCell")
def rnn_cell(
    emit: Emitter,
    x: Value,
    h: Value,
    w: Value,
    r: Value,
    b: Value | None = None,
    *,
    hidden_size: int,
    activations: Names = ("tanh",),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
) -> Value:
    """One step of ``h = f(x W + h R + b)``."""
    settings = Settings(activations, activations_alpha, activations_beta, clip, "forward")
    return _cell(emit, x, (h,), (w, r, b), settings, _rnn)[0]


@openvino_op("LSTMSequence", since=5)
def lstm_sequence(
    emit: Emitter,
    x: Value,
    h: Value,
    c: Value,
    lengths: Value,
    w: Value,
    r: Value,
    b: Value,
    *,
    hidden_size: int,
    direction: Way,
    activations: Names = ("sigmoid", "tanh", "tanh"),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
) -> tuple[Value, ...]:
    """LSTMSequence: an LSTM over ``[batch, steps, features]`` in one direction or both, with a length per entry."""
    settings = Settings(activations, activations_alpha, activations_beta, clip, direction, FORMATS["fico"])
    return _sequence(emit, x, (h, c), lengths, (w, r, b), settings, _lstm)


@openvino_op("GRUSequence", since=5)
def gru_sequence(
    emit: Emitter,
    x: Value,
    h: Value,
    lengths: Value,
    w: Value,
    r: Value,
    b: Value,
    *,
    hidden_size: int,
    direction: Way,
    activations: Names = ("sigmoid", "tanh"),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
    linear_before_reset: bool = False,
) -> tuple[Value, ...]:
    """GRUSequence: a GRU over ``[batch, steps, features]`` in one direction or both, with a length for each entry."""
    settings = Settings(activations, activations_alpha, activations_beta, clip, direction)
    return _sequence(emit, x, (h,), lengths, (w, r, b), settings, _gru(emit, linear_before_reset))


@openvino_op("RNNSequence", since=5)
def rnn_sequence(
    emit: Emitter,
    x: Value,
    h: Value,
    lengths: Value,
    w: Value,
    r: Value,
    b: Value,
    *,
    hidden_size: int,
    direction: Way,
    activations: Names = ("tanh",),
    activations_alpha: Floats = (),
    activations_beta: Floats = (),
    clip: float = 0.0,
) -> tuple[Value, ...]:
    """``h = f(x W + h R + b)``."""
    settings = Settings(activations, activations_alpha, activations_beta, clip, direction)
    return _sequence(emit, x, (h,), lengths, (w, r, b), settings, _rnn)
