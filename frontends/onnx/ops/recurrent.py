"""RNN, GRU and LSTM: the products with the input at once for all steps, then one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from ....compiler.ir import Value
from ....compiler.ops import activation as act
from ....compiler.ops.arith import Add, Mul, Sub
from ....compiler.ops.linear import MatMul
from ....compiler.ops.logic import Less, Select
from ....compiler.ops.shape import BroadcastTo, Concat, Slice, Transpose
from ..emitter import Emitter
from ..registry import Since, onnx_op
from .shape import reshape

MAX_STEPS = 512
"""Longer sequences are not unrolled."""

Function = Callable[[Emitter, Value, float | None, float | None], Value]


def _scaled(emit: Emitter, x: Value, factor: float) -> Value:
    return emit(Mul(x, emit.const(factor, x.type.dtype)))


def _affine(emit: Emitter, x: Value, alpha: float | None, beta: float | None) -> Value:
    return emit(Add(_scaled(emit, x, 1.0 if alpha is None else alpha), emit.const(beta or 0.0, x.type.dtype)))


FUNCTIONS: dict[str, Function] = {
    "relu": lambda emit, x, a, b: emit(act.Relu(x)),
    "tanh": lambda emit, x, a, b: emit(act.Tanh(x)),
    "sigmoid": lambda emit, x, a, b: emit(act.Sigmoid(x)),
    "softsign": lambda emit, x, a, b: emit(act.Softsign(x)),
    "softplus": lambda emit, x, a, b: emit(act.Softplus(x)),
    "affine": _affine,
    "leakyrelu": lambda emit, x, a, b: emit(act.LeakyRelu(x, 0.01 if a is None else a)),
    "thresholdedrelu": lambda emit, x, a, b: emit(act.ThresholdedRelu(x, 1.0 if a is None else a)),
    "scaledtanh": lambda emit, x, a, b: _scaled(
        emit, emit(act.Tanh(_scaled(emit, x, 1.0 if b is None else b))), 1.0 if a is None else a
    ),
    "hardsigmoid": lambda emit, x, a, b: emit(act.HardSigmoid(x, 0.2 if a is None else a, 0.5 if b is None else b)),
    "elu": lambda emit, x, a, b: emit(act.Elu(x, 1.0 if a is None else a)),
}
"""Activations by their names in small letters, with alpha and beta."""

TAKES = {"affine": 2, "leakyrelu": 1, "thresholdedrelu": 1, "scaledtanh": 2, "hardsigmoid": 2, "elu": 1}
"""How many of alpha and beta an activation reads from the attributes' lists."""

DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


@dataclass
class Cell:
    """What one direction computes with."""

    weights: Value
    recurrent: Value
    bias: Value | None
    activations: list[Callable[[Value], Value]]
    states: list[Value]
    backwards: bool
    peepholes: Value | None = None


Step = Callable[["Network", Cell, Value, list[Value]], list[Value]]


@dataclass
class Network:
    """A recurrent operator: its operands in the order ``time, batch, features``, and how one step goes."""

    emit: Emitter
    x: Value
    lengths: Value | None
    hidden: int
    clip: float
    step: Step
    gates: int
    flags: dict[str, int] = field(default_factory=lambda: dict[str, int]())

    def clipped(self, x: Value) -> Value:
        """Keep what an activation is applied to within the bounds that the operator states."""
        return self.emit(act.Clip(x, -self.clip, self.clip)) if self.clip else x

    def part(self, x: Value, number: int, count: int = 1) -> Value:
        """Return blocks of ``hidden`` positions of the last axis."""
        *shape, _ = x.type.shape
        starts, sizes = (*[0] * len(shape), number * self.hidden), (*shape, count * self.hidden)
        return self.emit(Slice(x, starts, sizes, (1,) * len(sizes)))

    def times(self, x: Value, matrix: Value) -> Value:
        """Multiply by the transpose of a matrix."""
        return self.emit(MatMul(x, matrix, transpose_b=True))

    def run(self, cell: Cell) -> tuple[Value, list[Value]]:
        """Return the first state after every step, ``[time, batch, hidden]``, and all states after the last one."""
        emit = self.emit
        steps, batch, features = self.x.type.shape
        if not isinstance(steps, int) or not 0 < steps <= MAX_STEPS:
            text = f"has sequences of {steps} steps; 1 to {MAX_STEPS} can be unrolled"
            raise emit.fail(text, code="F004", help="Fix the length by shapes=...")
        flat = reshape(emit, self.x, (steps * batch, features))
        inputs = self.times(flat, cell.weights)
        if cell.bias is not None:
            inputs = emit(Add(inputs, self.part(cell.bias, 0, self.gates)))
        inputs = reshape(emit, inputs, (steps, batch, self.gates * self.hidden))
        rows: dict[int, Value] = {}
        states = cell.states
        for t in reversed(range(steps)) if cell.backwards else range(steps):
            row = emit(Slice(inputs, (t, 0, 0), (1, *inputs.type.shape[1:]), (1, 1, 1)))
            new = self.step(self, cell, reshape(emit, row, inputs.type.shape[1:]), states)
            states, rows[t] = self._masked(t, new, states)
        stacked = [reshape(emit, rows[t], (1, *rows[t].type.shape)) for t in range(steps)]
        return (stacked[0] if steps == 1 else emit(Concat(tuple(stacked), 0))), states

    def _masked(self, t: int, new: list[Value], old: list[Value]) -> tuple[list[Value], Value]:
        """Behind the end of a sequence states stay, and the output is zero."""
        if self.lengths is None:
            return new, new[0]
        emit = self.emit
        alive = emit(Less(emit.const(t, self.lengths.type.dtype), self.lengths))
        column = reshape(emit, alive, (*alive.type.shape, 1))
        kept = [emit(Select(column, n, o)) for n, o in zip(new, old, strict=True)]
        return kept, emit(Select(column, new[0], emit.const(0, new[0].type.dtype)))


def _row(emit: Emitter, x: Value | None, number: int) -> Value | None:
    """Return one direction's part of an operand."""
    if x is None:
        return None
    rank = x.type.rank
    part = emit(Slice(x, (number, *[0] * (rank - 1)), (1, *x.type.shape[1:]), (1,) * rank))
    return reshape(emit, part, x.type.shape[1:])


@dataclass(frozen=True)
class Operands:
    """The operands of a recurrent operator that all three have."""

    x: Value
    w: Value
    r: Value
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


def _recurrent(
    emit: Emitter, given: Operands, settings: Settings, defaults: tuple[str, ...], step: Step, flags: dict[str, int]
) -> tuple[Value, ...]:
    """Run all directions and put their results side by side."""
    if settings.direction not in DIRECTIONS:
        raise emit.fail(f"has the direction {settings.direction!r}, none of {', '.join(DIRECTIONS)}", code="F002")
    backwards = DIRECTIONS[settings.direction]
    x = emit(Transpose(given.x, (1, 0, 2))) if settings.layout else given.x
    hidden = given.r.type.shape[-1]
    if not isinstance(hidden, int) or settings.hidden_size not in (None, hidden):
        raise emit.fail(f"has the hidden size {settings.hidden_size}, but weights {given.r.type}", code="F002")
    gates = given.w.type.shape[1]
    assert isinstance(gates, int)
    net = Network(emit, x, given.lengths, hidden, settings.clip, step, gates // hidden, flags)
    functions = _functions(emit, settings, defaults, len(backwards))
    states = [_initial(emit, s, x, (len(backwards), hidden), settings.layout) for s in given.states]
    runs: list[tuple[Value, list[Value]]] = []
    for number, back in enumerate(backwards):
        w, r = _row(emit, given.w, number), _row(emit, given.r, number)
        firsts = [v for s in states if (v := _row(emit, s, number)) is not None]
        assert w is not None and r is not None
        bias, peepholes = _row(emit, given.b, number), _row(emit, given.peepholes, number)
        runs.append(net.run(Cell(w, r, bias, functions[number], firsts, back, peepholes)))
    return _results(emit, runs, settings.layout)


def _initial(emit: Emitter, state: Value | None, x: Value, sizes: tuple[int, int], layout: int) -> Value:
    directions, hidden = sizes
    if state is None:
        return emit(BroadcastTo(emit.const(0, x.type.dtype), (directions, x.type.shape[1], hidden)))
    return emit(Transpose(state, (1, 0, 2))) if layout else state


def _functions(
    emit: Emitter, settings: Settings, defaults: tuple[str, ...], directions: int
) -> list[list[Callable[[Value], Value]]]:
    """Return the activations of every direction."""
    names = [n.lower() for n in settings.activations or defaults * directions]
    if len(names) != len(defaults) * directions or not set(names) <= FUNCTIONS.keys():
        raise emit.fail(f"has the activations {', '.join(names)}", code="F002")
    alpha, beta = list(settings.alpha), list(settings.beta)
    bound: list[Callable[[Value], Value]] = []
    for name in names:
        a = alpha.pop(0) if alpha and TAKES.get(name, 0) > 0 else None
        b = beta.pop(0) if beta and TAKES.get(name, 0) > 1 else None
        bound.append(lambda x, name=name, a=a, b=b: FUNCTIONS[name](emit, x, a, b))
    return [bound[i * len(defaults) : (i + 1) * len(defaults)] for i in range(directions)]


def _results(emit: Emitter, runs: list[tuple[Value, list[Value]]], layout: int) -> tuple[Value, ...]:
    """Return all steps and the last states, with an axis for the direction."""
    sides = [reshape(emit, y, (y.type.shape[0], 1, *y.type.shape[1:])) for y, _ in runs]
    y = sides[0] if len(sides) == 1 else emit(Concat(tuple(sides), 1))
    last: list[Value] = []
    for column in zip(*(states for _, states in runs), strict=True):
        rows = [reshape(emit, s, (1, *s.type.shape)) for s in column]
        state = rows[0] if len(rows) == 1 else emit(Concat(tuple(rows), 0))
        last.append(emit(Transpose(state, (1, 0, 2))) if layout else state)
    return (emit(Transpose(y, (2, 0, 1, 3))) if layout else y), *last


def _rnn_step(net: Network, cell: Cell, row: Value, states: list[Value]) -> list[Value]:
    emit = net.emit
    total = emit(Add(row, net.times(states[0], cell.recurrent)))
    if cell.bias is not None:
        total = emit(Add(total, net.part(cell.bias, 1)))
    return [cell.activations[0](net.clipped(total))]


def _gru_step(net: Network, cell: Cell, row: Value, states: list[Value]) -> list[Value]:
    emit, (h,), (f, g) = net.emit, states, cell.activations
    two = _rows(net, cell.recurrent, 0, 2)
    gates = emit(Add(net.part(row, 0, 2), net.times(h, two)))
    if cell.bias is not None:
        gates = emit(Add(gates, net.part(cell.bias, 3, 2)))
    both = f(net.clipped(gates))
    z, r = net.part(both, 0), net.part(both, 1)
    last, bias = _rows(net, cell.recurrent, 2, 1), None if cell.bias is None else net.part(cell.bias, 5)
    if net.flags["linear_before_reset"]:
        inner = net.times(h, last)
        inner = emit(Mul(r, inner if bias is None else emit(Add(inner, bias))))
    else:
        inner = net.times(emit(Mul(r, h)), last)
        inner = inner if bias is None else emit(Add(inner, bias))
    new = g(net.clipped(emit(Add(net.part(row, 2), inner))))
    return [emit(Add(new, emit(Mul(z, emit(Sub(h, new))))))]


def _rows(net: Network, matrix: Value, number: int, count: int) -> Value:
    """Return blocks of ``hidden`` rows."""
    columns = matrix.type.shape[1]
    return net.emit(Slice(matrix, (number * net.hidden, 0), (count * net.hidden, columns), (1, 1)))


def _lstm_step(net: Network, cell: Cell, row: Value, states: list[Value]) -> list[Value]:
    emit, (h, c), (f, g, k) = net.emit, states, cell.activations
    gates = emit(Add(row, net.times(h, cell.recurrent)))
    if cell.bias is not None:
        gates = emit(Add(gates, net.part(cell.bias, 4, 4)))

    def gate(number: int, peephole: int, seen: Value) -> Value:
        x = net.part(gates, number)
        if cell.peepholes is not None:
            x = emit(Add(x, emit(Mul(net.part(cell.peepholes, peephole), seen))))
        return f(net.clipped(x))

    i = gate(0, 0, c)
    forget = emit(Sub(emit.const(1, i.type.dtype), i)) if net.flags["input_forget"] else gate(2, 2, c)
    new = emit(Add(emit(Mul(forget, c)), emit(Mul(i, g(net.clipped(net.part(gates, 3)))))))
    o = gate(1, 1, new)
    return [emit(Mul(o, k(new))), new]


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
    activations = activations[: len(DIRECTIONS.get(direction, ()))]
    settings = Settings(activations, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, layout)
    given = Operands(X, W, R, B, sequence_lens, (initial_h,))
    return _recurrent(emit, given, settings, ("Tanh",), _rnn_step, {})


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
    settings = Settings(activations, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, layout)
    given = Operands(X, W, R, B, sequence_lens, (initial_h,))
    flags = {"linear_before_reset": linear_before_reset}
    return _recurrent(emit, given, settings, ("Sigmoid", "Tanh"), _gru_step, flags)


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
    return _recurrent(emit, given, settings, ("Sigmoid", "Tanh", "Tanh"), _lstm_step, {"input_forget": input_forget})
