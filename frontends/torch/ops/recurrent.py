"""LSTM, GRU and RNN, as layers and as cells: one operation of the IR for each layer and direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ....compiler.dims import Dim, exact_div
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.ops.arith import Add
from ....compiler.ops.shape import Concat, Slice
from ..emitter import Emitter
from ..registry import aten


@dataclass(frozen=True)
class Kind:
    """A recurrent operation: where each of its gates lies in PyTorch's weights, how many states it has."""

    gates: tuple[int, ...]
    states: int
    build: Callable[..., ir.Recurrent]

    def ordered(self, emit: Emitter, x: Value) -> Value:
        """Bring the blocks of a weight or bias into the IR's order."""
        if len(self.gates) == 1:
            return x
        rows = exact_div(x.type.shape[0], len(self.gates))
        if rows is None:
            raise emit.fail(f"has a weight {x.type}, not of {len(self.gates)} gates", code="F002")
        return emit(Concat(tuple(_rows(emit, x, gate * rows, rows) for gate in self.gates), 0))


def _rows(emit: Emitter, x: Value, start: Dim, size: Dim) -> Value:
    rest = x.type.shape[1:]
    return emit(Slice(x, (start, *[0] * len(rest)), (size, *rest), (1,) * x.type.rank))


LSTM = Kind((0, 3, 1, 2), 2, ir.Lstm)
GRU = Kind((1, 0, 2), 1, ir.Gru)
RNN = Kind((0,), 1, ir.Rnn)


@dataclass(frozen=True)
class Layers:
    """Arguments of recurrent layers: biases, number of layers, directions, order of axes, attributes of operations."""

    has_biases: bool
    count: int
    bidirectional: bool
    batch_first: bool
    attributes: dict[str, Any]


def _weights(emit: Emitter, kind: Kind, given: Sequence[Value], has_biases: bool) -> dict[str, Value]:
    """Return the operands that one direction's parameters make: ``w_ih, w_hh, b_ih, b_hh, w_hr``."""
    w, r, *others = given
    found = {"w": kind.ordered(emit, w), "r": kind.ordered(emit, r)}
    if len(others) % 2:
        found["projection"] = others[-1]
    if not has_biases:
        return found
    own, state = (kind.ordered(emit, b) for b in others[:2])
    if kind is not GRU:
        return found | {"bias": emit(Add(own, state))}
    size = r.type.shape[1]
    summed = emit(Add(_rows(emit, own, 0, 2 * size), _rows(emit, state, 0, 2 * size)))
    bias = emit(Concat((summed, _rows(emit, own, 2 * size, size)), 0))
    return found | {"bias": bias, "hidden_bias": _rows(emit, state, 2 * size, size)}


def _run(
    emit: Emitter, kind: Kind, x: Value, states: Sequence[Value], params: Sequence[Value], layers: Layers
) -> tuple[Value, ...]:
    """Build all layers and directions; return the last layer's output and the states of all."""
    directions = 2 if layers.bidirectional else 1
    runs = layers.count * directions
    size = len(params) // runs
    last: list[tuple[Value, ...]] = []
    for layer in range(layers.count):
        outputs: list[Value] = []
        for back in range(directions):
            number = layer * directions + back
            own = _weights(emit, kind, params[number * size : (number + 1) * size], layers.has_biases)
            initial = {name: _state(emit, s, number) for name, s in zip(("h0", "c0"), states, strict=False)}
            attributes = layers.attributes | {"reverse": bool(back), "batch_first": layers.batch_first}
            y, *after = emit.all(kind.build(x, **own, **initial, **attributes))
            outputs.append(y)
            last.append(tuple(after))
        x = outputs[0] if len(outputs) == 1 else emit(Concat(tuple(outputs), 2))
    return x, *(_stacked(emit, column) for column in zip(*last, strict=True))


def _state(emit: Emitter, states: Value, number: int) -> Value:
    return emit.reshape(_rows(emit, states, number, 1), states.type.shape[1:])


def _stacked(emit: Emitter, states: Sequence[Value]) -> Value:
    rows = tuple(emit.reshape(s, (1, *s.type.shape)) for s in states)
    return rows[0] if len(rows) == 1 else emit(Concat(rows, 0))


def _demand_eval(emit: Emitter, dropout: float, train: bool, num_layers: int) -> None:
    if train and dropout and num_layers > 1:
        raise emit.fail("drops out, as in training", code="F031", help="Call .eval() on the model.")


@aten("lstm.input")
def lstm(
    emit: Emitter,
    input: Value,
    hx: tuple[Value, ...],
    params: tuple[Value, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Value, ...]:
    """``lstm``: one operation of the IR per layer and direction; gates are in the order input, forget, new, output."""
    _demand_eval(emit, dropout, train, num_layers)
    return _run(emit, LSTM, input, hx, params, Layers(has_biases, num_layers, bidirectional, batch_first, {}))


@aten("gru.input")
def gru(
    emit: Emitter,
    input: Value,
    hx: Value,
    params: tuple[Value, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Value, ...]:
    """Gates in the order reset, update, new; the reset gate multiplies after the product."""
    _demand_eval(emit, dropout, train, num_layers)
    layers = Layers(has_biases, num_layers, bidirectional, batch_first, {"reset_after": True})
    return _run(emit, GRU, input, (hx,), params, layers)


def _rnn(name: str, activation: str) -> None:
    """Register a layer and a cell of the plain kind."""

    @aten(f"{name}.input")
    def rnn(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter,
        input: Value,
        hx: Value,
        params: tuple[Value, ...],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> tuple[Value, ...]:
        _demand_eval(emit, dropout, train, num_layers)
        layers = Layers(has_biases, num_layers, bidirectional, batch_first, {"activations": (activation,)})
        return _run(emit, RNN, input, (hx,), params, layers)

    @aten(f"{name}_cell")
    def cell(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter,
        input: Value,
        hx: Value,
        w_ih: Value,
        w_hh: Value,
        b_ih: Value | None = None,
        b_hh: Value | None = None,
    ) -> Value:
        (h,) = _cell(emit, RNN, input, (hx,), (w_ih, w_hh, b_ih, b_hh), {"activations": (activation,)})
        return h


_rnn("rnn_tanh", "tanh")
_rnn("rnn_relu", "relu")


def _cell(
    emit: Emitter,
    kind: Kind,
    x: Value,
    states: Sequence[Value],
    params: Sequence[Value | None],
    attributes: dict[str, Any],
) -> tuple[Value, ...]:
    """Build a layer of one step and return its states."""
    own = _weights(emit, kind, [p for p in params if p is not None], params[-1] is not None)
    initial = dict(zip(("h0", "c0"), states, strict=False))
    _, *after = emit.all(kind.build(emit.reshape(x, (1, *x.type.shape)), **own, **initial, **attributes))
    return tuple(after)


@aten("lstm_cell")
def lstm_cell(
    emit: Emitter,
    input: Value,
    hx: tuple[Value, ...],
    w_ih: Value,
    w_hh: Value,
    b_ih: Value | None = None,
    b_hh: Value | None = None,
) -> tuple[Value, ...]:
    """``lstm_cell``: one step of an LSTM, whose gates are in the order input, forget, new, output."""
    return _cell(emit, LSTM, input, hx, (w_ih, w_hh, b_ih, b_hh), {})


@aten("gru_cell")
def gru_cell(
    emit: Emitter,
    input: Value,
    hx: Value,
    w_ih: Value,
    w_hh: Value,
    b_ih: Value | None = None,
    b_hh: Value | None = None,
) -> Value:
    """``gru_cell``: one step of a GRU, whose reset gate is applied after the product with the state."""
    (h,) = _cell(emit, GRU, input, (hx,), (w_ih, w_hh, b_ih, b_hh), {"reset_after": True})
    return h


@aten("lstm.data")
def lstm_packed(
    emit: Emitter,
    data: Value,
    batch_sizes: Value,
    hx: tuple[Value, ...],
    params: tuple[Value, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Value, ...]:
    """Packed sequences are refused: their rows lie as the lengths of sequences say."""
    raise _packed(emit)


@aten("gru.data", "rnn_tanh.data", "rnn_relu.data")
def packed(
    emit: Emitter,
    data: Value,
    batch_sizes: Value,
    hx: Value,
    params: tuple[Value, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Value, ...]:
    """``gru`` and ``rnn`` on packed sequences are refused, as an LSTM on them is."""
    raise _packed(emit)


def _packed(emit: Emitter) -> Exception:
    help = "Give the layer a padded tensor, and cut or mask its output after the ends of sequences."
    return emit.fail("reads packed sequences, whose shape depends on data", help=help)
