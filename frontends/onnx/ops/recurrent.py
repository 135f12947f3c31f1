"""RNN, GRU and LSTM: one operation of the IR for each direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from ....compiler.diagnostics import counted
from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.ops.arith import Add
from ....compiler.ops.shape import Concat, Slice, Transpose
from ...common.recurrent import gate_functions
from ..emitter import Emitter
from ..registry import Since, onnx_op

DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
"""Whether each direction reads backwards."""


@dataclass(frozen=True)
class Operands:
    """The operands of a recurrent operator, with an axis for the direction; ``w`` and ``r`` may be apart by it."""

    x: Value
    w: Value | Sequence[Value]
    r: Value | Sequence[Value]
    b: Value | None
    lengths: Value | None
    states: Sequence[Value | None]
    peepholes: Value | None = None


@dataclass(frozen=True)
class Settings:
    """The attributes of a recurrent operator that all three have."""

    activations: tuple[str, ...]
    alpha: tuple[float, ...]
    beta: tuple[float, ...]
    clip: float
    direction: str
    hidden_size: int | None
    layout: int


@dataclass(frozen=True)
class Direction:
    """What one direction computes with; ``bias`` holds that of the inputs, then that of the state."""

    emit: Emitter
    w: Value
    r: Value
    bias: Value | None
    states: tuple[Value | None, ...]
    peepholes: Value | None
    common: dict[str, Any]

    def halves(self) -> tuple[Value, Value] | None:
        """Return the biases of the inputs and of the state."""
        if self.bias is None:
            return None
        size = self.w.type.shape[0]
        return _part(self.emit, self.bias, 0, size), _part(self.emit, self.bias, size, size)

    def total(self) -> Value | None:
        """Return the sum of the input's and the recurrent bias."""
        halves = self.halves()
        return None if halves is None else self.emit(Add(*halves))

    def around_reset(self) -> tuple[Value | None, Value | None]:
        """Return the sum of both biases of a GRU without what its reset gate multiplies, and that."""
        halves = self.halves()
        if halves is None:
            return None, None
        (own, state), size = halves, self.r.type.shape[1]
        summed = self.emit(Add(_part(self.emit, own, 0, 2 * size), _part(self.emit, state, 0, 2 * size)))
        bias = self.emit(Concat((summed, _part(self.emit, own, 2 * size, size)), 0))
        return bias, _part(self.emit, state, 2 * size, size)


def _part(emit: Emitter, x: Value, start: Dim, size: Dim) -> Value:
    """Return some positions of a vector."""
    return emit(Slice(x, (start,), (size,), (1,)))


Build = Callable[[Value, Direction], ir.Recurrent]


def _by_number(emit: Emitter, weight: Value | Sequence[Value], directions: int) -> Sequence[Value]:
    """Return the weights of all directions.

    Raises:
        CompileError: F002, there are not as many.
    """
    if not isinstance(weight, Value):
        weights = weight
    elif weight.type.rank == 3:
        weights = [row(emit, weight, i) for i in range(directions)]
    else:
        raise emit.fail(f"has an operand {weight.type}, not of rank 3", code="F002")
    if len(weights) != directions:
        raise emit.fail(f"has weights for {counted(len(weights), 'direction')}, not for {directions}", code="F002")
    return weights


def _row(emit: Emitter, x: Value | None, number: int) -> Value | None:
    """Return one direction's part of an operand, if it is there."""
    return None if x is None else row(emit, x, number)


def row(emit: Emitter, x: Value, number: int) -> Value:
    """Cut one direction out of an operand, whose first axis counts directions."""
    rank = x.type.rank
    cut = emit(Slice(x, (number, *[0] * (rank - 1)), (1, *x.type.shape[1:]), (1,) * rank))
    return emit.reshape(cut, x.type.shape[1:])


def _recurrent(emit: Emitter, given: Operands, settings: Settings, build: Build) -> tuple[Value, ...]:
    """Build all directions and put their results side by side."""
    if settings.direction not in DIRECTIONS:
        raise emit.fail(f"has the direction {settings.direction!r}, none of {', '.join(DIRECTIONS)}", code="F002")
    weights = [_by_number(emit, v, len(DIRECTIONS[settings.direction])) for v in (given.w, given.r)]
    if given.x.type.rank != 3:
        raise emit.fail(f"has an operand {given.x.type}, not of rank 3", code="F002")
    if any(settings.hidden_size not in (None, r.type.shape[-1]) for r in weights[1]):
        raise emit.fail(f"has the hidden size {settings.hidden_size}, but weights {weights[1][0].type}", code="F002")
    x = emit(Transpose(given.x, (1, 0, 2))) if settings.layout else given.x
    states = [_by_direction(emit, s, settings) for s in given.states]
    common: dict[str, Any] = {"lengths": _lengths(emit, given.lengths, x), "clip": settings.clip}
    runs: list[tuple[Value, ...]] = []
    for number, (back, functions) in enumerate(
        zip(DIRECTIONS[settings.direction], _functions_of(emit, settings), strict=True)
    ):
        w, r = (rows[number] for rows in weights)
        bias, peepholes, *own = (_row(emit, v, number) for v in (given.b, given.peepholes, *states))
        direction = Direction(emit, w, r, bias, tuple(own), peepholes, {**common, **functions, "reverse": back})
        runs.append(emit.all(build(x, direction)))
    return _results(emit, runs, settings.layout)


def _by_direction(emit: Emitter, state: Value | None, settings: Settings) -> Value | None:
    return state if state is None or not settings.layout else emit(Transpose(state, (1, 0, 2)))


def _lengths(emit: Emitter, lengths: Value | None, x: Value) -> Value | None:
    """Return the lengths of sequences unless they are known to be those of the data."""
    known = None if lengths is None else emit.known.dims(lengths)
    return None if known is not None and all(d == x.type.shape[0] for d in known) else lengths


def _functions_of(emit: Emitter, settings: Settings) -> list[dict[str, Any]]:
    """Return the activations of every direction, as attributes of the IR."""
    numbers = (settings.alpha, settings.beta)
    return gate_functions(emit, settings.activations, numbers, len(DIRECTIONS[settings.direction]))


def _results(emit: Emitter, runs: list[tuple[Value, ...]], layout: int) -> tuple[Value, ...]:
    """Return all steps and the last states, with an axis for the direction."""
    y = _joined(emit, [run[0] for run in runs], 1)
    last = [_joined(emit, column, 0) for column in zip(*(run[1:] for run in runs), strict=True)]
    if not layout:
        return y, *last
    return emit(Transpose(y, (2, 0, 1, 3))), *(emit(Transpose(state, (1, 0, 2))) for state in last)


def _joined(emit: Emitter, values: Sequence[Value], axis: int) -> Value:
    rows = [emit.reshape(v, (*v.type.shape[:axis], 1, *v.type.shape[axis:])) for v in values]
    return rows[0] if len(rows) == 1 else emit(Concat(tuple(rows), axis))


@onnx_op("RNN", since=7)
def rnn(
    emit: Emitter,
    X: Value,
    W: Value,
    R: Value,
    B: Value | None = None,
    sequence_lens: Value | None = None,
    initial_h: Value | None = None,
    *,
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    activations: tuple[str, ...] = ("Tanh", "Tanh"),
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    layout: Annotated[int, Since(14)] = 0,
) -> tuple[Value, ...]:
    """``h = f(x W + h R + b)``."""
    functions = activations[: len(DIRECTIONS.get(direction, ()))]
    settings = Settings(functions, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, layout)

    def build(x: Value, own: Direction) -> ir.Recurrent:
        return ir.Rnn(x, own.w, own.r, own.total(), h0=own.states[0], **own.common)

    return _recurrent(emit, Operands(X, W, R, B, sequence_lens, (initial_h,)), settings, build)


@onnx_op("GRU", since=7)
def gru(
    emit: Emitter,
    X: Value,
    W: Value,
    R: Value,
    B: Value | None = None,
    sequence_lens: Value | None = None,
    initial_h: Value | None = None,
    *,
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    activations: tuple[str, ...] = (),
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    layout: Annotated[int, Since(14)] = 0,
    linear_before_reset: int = 0,
) -> tuple[Value, ...]:
    """Gated recurrent units; gates in the order update, reset, hidden."""
    functions = activations or ("Sigmoid", "Tanh") * len(DIRECTIONS.get(direction, ()))
    settings = Settings(functions, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, layout)

    def build(x: Value, own: Direction) -> ir.Recurrent:
        bias, hidden_bias = own.around_reset() if linear_before_reset else (own.total(), None)
        return ir.Gru(
            x,
            own.w,
            own.r,
            bias,
            h0=own.states[0],
            hidden_bias=hidden_bias,
            reset_after=bool(linear_before_reset),
            **own.common,
        )

    return _recurrent(emit, Operands(X, W, R, B, sequence_lens, (initial_h,)), settings, build)


@onnx_op("LSTM", since=7)
def lstm(
    emit: Emitter,
    X: Value,
    W: Value,
    R: Value,
    B: Value | None = None,
    sequence_lens: Value | None = None,
    initial_h: Value | None = None,
    initial_c: Value | None = None,
    P: Value | None = None,
    *,
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    activations: tuple[str, ...] = (),
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    input_forget: int = 0,
    layout: Annotated[int, Since(14)] = 0,
) -> tuple[Value, ...]:
    """Long short-term memory; gates in the order input, output, forget, cell."""
    settings = Settings(activations, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, layout)
    given = Operands(X, W, R, B, sequence_lens, (initial_h, initial_c), P)
    return lstm_layers(emit, given, settings, coupled=bool(input_forget))


def lstm_layers(
    emit: Emitter, given: Operands, settings: Settings, *, coupled: bool, rounds_state: bool = False
) -> tuple[Value, ...]:
    """Build an LSTM in all its directions.

    Raises:
        CompileError: F002, its attributes don't fit.
    """
    defaults = ("Sigmoid", "Tanh", "Tanh") * len(DIRECTIONS.get(settings.direction, ()))
    settings = replace(settings, activations=settings.activations or defaults)
    flags = {"coupled": coupled, "rounds_state": rounds_state}

    def build(x: Value, own: Direction) -> ir.Recurrent:
        h0, c0 = own.states
        return ir.Lstm(x, own.w, own.r, own.total(), h0=h0, c0=c0, peepholes=own.peepholes, **flags, **own.common)

    return _recurrent(emit, given, settings, build)
